#!/bin/bash
# The first process of a node: a pristine machine with corosync and pacemaker, in namespaces of its own.
#
# node-init.sh NAME LAB: LAB has conf/ (corosync.conf, cib.xml, NAME.env), sbin/ (fence agents), ocf/ (agents),
# log/NAME (outlives the node); and bin/ (the AWS CLI) where there is one. With conf/NAME.network systemd-networkd manages
# eth0.
name=$1 lab=$2
hostname "$name"
mount --make-rprivate /
mount -t proc proc /proc
[ -e /sys/class/net ] || mount -t sysfs sysfs /sys || exit 1
for folder in /dev/shm /run /var/lib/corosync /var/lib/pacemaker /var/log /etc/corosync; do
    mount -t tmpfs -o mode=755 tmpfs "$folder" || exit 1
done
chmod 1777 /dev/shm # libqb's ring buffers, which hacluster writes, too
mount -t overlay overlay -o "lowerdir=$lab/sbin:/usr/sbin" /usr/sbin || exit 1
[ ! -d "$lab/bin" ] || mount -t overlay overlay -o "lowerdir=$lab/bin:/usr/bin" /usr/bin || exit 1
mount -t overlay overlay -o "lowerdir=$lab/ocf:/usr/lib/ocf/resource.d" /usr/lib/ocf/resource.d || exit 1
cp "$lab/conf/corosync.conf" /etc/corosync/
mkdir -p /etc/corosync/uidgid.d /var/log/corosync /var/log/pacemaker /run/resource-agents /run/crm /run/lock
for folder in blackbox cib cores pengine; do mkdir -p -m 750 "/var/lib/pacemaker/$folder"; done
chown -R hacluster:haclient /var/lib/pacemaker /run/crm
chown hacluster:haclient "$lab/log/$name"
mount --bind "$lab/log/$name" /var/log/pacemaker
install -o hacluster -g haclient -m 600 "$lab/conf/cib.xml" /var/lib/pacemaker/cib/cib.xml

if [ -e "$lab/conf/$name.network" ]; then # /sys and udev's word: see tests/ground/init.sh
    mount -o remount,rw /sys || exit 1
    mkdir -p /run/udev/data /run/dbus /run/systemd/network /run/systemd/netif/links /run/systemd/netif/leases
    chown -R systemd-network:systemd-network /run/systemd/netif
    for each in $(seq 200); do printf 'I:1000000\n' >"/run/udev/data/n$each"; done
    cp "$lab/conf/$name.network" /run/systemd/network/10-eth0.network
    cat >/run/bus.conf <<END
<busconfig><type>system</type><auth>EXTERNAL</auth><listen>unix:path=/run/dbus/system_bus_socket</listen>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/>
<allow send_type="method_call"/><allow receive_type="method_call"/><allow eavesdrop="true"/></policy></busconfig>
END
    dbus-daemon --config-file=/run/bus.conf --nofork --nopidfile 2>/run/bus.log &
    until [ -S /run/dbus/system_bus_socket ]; do sleep 0.05; done
    /lib/systemd/systemd-networkd 2>/var/log/pacemaker/networkd.log &
    until networkctl --no-pager status eth0 2>/dev/null | grep -q '(configured)'; do
        kill -0 $! || exit 1
        sleep 0.1
    done
fi

set -a
. "$lab/conf/$name.env"
set +a
socat TCP-LISTEN:7,reuseaddr,fork PIPE 2>/dev/null & # the service of this cluster: an echo
socat -t 60 TCP-LISTEN:22,reuseaddr,fork EXEC:/bin/sh 2>/dev/null & # the way of the other node, in place of ssh
export PCMK_logfile=/var/log/pacemaker/pacemaker.log PCMK_logfacility=none
corosync -f >"/var/log/pacemaker/corosync.out" 2>&1 &
corosync=$!
until corosync-cfgtool -s >/dev/null 2>&1; do
    kill -0 "$corosync" || exit 1
    sleep 0.1
done
pacemakerd -f >"/var/log/pacemaker/pacemakerd.out" 2>&1 &
pacemaker=$!
trap 'kill -TERM "$pacemaker"; wait "$pacemaker"; kill -TERM "$corosync"; wait "$corosync"; exit 0' TERM
while :; do # as the first process, also whatever was orphaned has to be waited for
    wait -n
    kill -0 "$pacemaker" 2>/dev/null && kill -0 "$corosync" 2>/dev/null || exit 1
done

#!/usr/bin/env bash
# keepalived does not tell its notify pipe after a reload that an instance is MASTER, although
# fifo_write_vrrp_states_on_reload is set; it tells BACKUP again. A program of the pipe (vrrp_notify_fifo_script) is ended by
# the reload and started anew, so the new program never learns that it is on the MASTER.
#
# Seen with keepalived 1:2.2.7-1+b2 (Debian 12). keepalived.conf(5): "fifo_write_vrrp_states_on_reload: Send vrrp instance and
# sync group states to the notify FIFO(s) after a reload".
#
#   before the reload                       VI_1 MASTER, VI_2 BACKUP are told
#   after SIGHUP, nothing changed           only VI_2 BACKUP is told
#
# ec2kit: a restore that the reload ended is taken up by the check that keepalived runs, one interval later.
#
# Needs root, Debian 12, iproute2 and overlayfs; all runs in namespaces and in a root under an overlay in memory.
set -euo pipefail

packages="keepalived=1:2.2.7-1+b2"
if [ -z "${STAGE-}" ]; then # namespaces that end with this script
    [ "$(id -u)" = 0 ] || { echo "must be root"; exit 1; }
    place=$(mktemp -d)
    trap 'rm -rf "$place"' EXIT
    cp "$0" "$place/script"
    STAGE=root PLACE=$place timeout -s KILL 240 unshare --mount --uts --ipc --pid --fork --kill-child \
        --propagation private bash "$place/script" </dev/null
    exit
fi
if [ "$STAGE" = root ]; then # this machine's root, with the packages
    root=$PLACE/root
    mkdir "$PLACE/memory" "$root"
    mount -t tmpfs -o size=1g tmpfs "$PLACE/memory"
    mkdir "$PLACE/memory/upper" "$PLACE/memory/work"
    mount -t overlay -o "lowerdir=/,upperdir=$PLACE/memory/upper,workdir=$PLACE/memory/work" overlay "$root"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    mount -t tmpfs tmpfs "$root/run"
    cp "$PLACE/script" "$root/tmp/script"
    cp --remove-destination -L /etc/resolv.conf "$root/etc/resolv.conf"
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    install="DEBIAN_FRONTEND=noninteractive apt-get -qq -y --allow-downgrades --no-install-recommends install $packages"
    chroot "$root" sh -c "$install || { apt-get -qq update && $install; }" >"$root/tmp/log" 2>&1 ||
        { tail -n 3 "$root/tmp/log"; exit 1; }
    STAGE=machine exec unshare --net chroot "$root" bash /tmp/script
fi

mount -t sysfs sysfs /sys
ip link set lo up
ip netns add peer
ip link add eth0 type veth peer name eth0 netns peer
ip addr add 10.0.1.11/24 dev eth0
ip link set eth0 up
ip -n peer addr add 10.0.1.12/24 dev eth0
ip -n peer link set eth0 up
instance() { # NAME ROUTER PRIORITY OWN OTHER
    cat <<END
vrrp_instance $1 {
    state BACKUP
    interface eth0
    virtual_router_id $2
    priority $3
    advert_int 1
    unicast_src_ip $4
    unicast_peer {
        $5
    }
}
END
}
printf '#!/bin/sh\nexec cat "$1" >>/run/told\n' >/run/reader
chmod 755 /run/reader
{
    printf 'global_defs {\n    script_user root\n    vrrp_notify_fifo /run/fifo\n    vrrp_notify_fifo_script /run/reader\n'
    printf '    fifo_write_vrrp_states_on_reload\n}\n'
    instance VI_1 51 100 10.0.1.11 10.0.1.12
    instance VI_2 52 100 10.0.1.11 10.0.1.12
} >/run/own.conf
instance VI_2 52 200 10.0.1.12 10.0.1.11 >/run/peer.conf
touch /run/told
run="keepalived -n -l -P"
ip netns exec peer $run -f /run/peer.conf -p /run/peer.pid -r /run/peer-vrrp.pid >/run/peer.log 2>&1 &
sleep 5
$run -f /run/own.conf -p /run/own.pid -r /run/own-vrrp.pid >/run/own.log 2>&1 &
own=$!
sleep 8
before=$(sed -n 's/^INSTANCE "\(VI_[12]\)" \([A-Z]*\) .*/\1 \2/p' /run/told | sort -u | tr '\n' ' ')
: >/run/told
kill -HUP "$own"
sleep 8
after=$(sed -n 's/^INSTANCE "\(VI_[12]\)" \([A-Z]*\) .*/\1 \2/p' /run/told | sort -u | tr '\n' ' ')
keepalived --version 2>&1 | head -n 1
printf '%s\n' "told before the reload: $before" "told after it: $after"
case $before in *"VI_1 MASTER"*) ;; *) echo "this has changed: VI_1 did not become MASTER"; exit 1 ;; esac
[ "$after" = "VI_2 BACKUP " ] || { echo "this has changed"; exit 1; }
echo "as described"

#!/bin/bash
# The first process of a server: a pristine configuration, a writable /sys, and udev's word for each device.
#
# Where /sys is read-only systemd-networkd does not wait for udev, configures a link before it has read the addresses
# there, and keeps at its restart what it takes off on every real server.
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=755 tmpfs /run
rm -rf /etc/systemd/network /etc/netplan /etc/NetworkManager/system-connections
mkdir -p /etc/systemd/network /etc/netplan /etc/NetworkManager/system-connections /run/udev/data /run/dbus \
    /run/systemd/network /run/systemd/netif/links /run/systemd/netif/leases
chown -R systemd-network:systemd-network /run/systemd/netif
for each in $(seq 200); do printf 'I:1000000\n' >"/run/udev/data/n$each"; done
ip link set lo up
sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
cat >/run/bus.conf <<END
<busconfig><type>system</type><auth>EXTERNAL</auth><listen>unix:path=/run/dbus/system_bus_socket</listen>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/>
<allow send_type="method_call"/><allow receive_type="method_call"/><allow eavesdrop="true"/></policy></busconfig>
END
dbus-daemon --config-file=/run/bus.conf --nofork --nopidfile 2>/run/bus.log &
until [ -S /run/dbus/system_bus_socket ]; do sleep 0.05; done
touch /run/ready
while :; do wait -n || sleep 1; done

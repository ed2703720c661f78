#!/usr/bin/env bash
# systemd-networkd keeps at its restart what it takes off on every real server, if /sys is read-only, as it is in containers:
# a test of "does my address survive a restart of systemd-networkd" passes in a container, and means nothing.
#
# Seen with systemd 252.39-1~deb12u2 (Debian 12): where /sys can be written, systemd-networkd waits for udev before it
# configures a link; by then it has read all addresses that are there, and takes off those that are not in its files. Where
# /sys cannot be written there is no udev, so it configures the link at once, before it has heard of the addresses, and
# leaves them. Everything else is the same: files, version, commands, log.
#
#   /sys writable, restart: 10.1.0.10/32, put on by `ip addr add`        gone
#   /sys read-only, restart: the same                                   kept
#
# ec2kit: `make ground` mounts a writable /sys, and writes what udev would say of each device.
#
# Needs root, Debian 12, iproute2 and overlayfs; all runs in namespaces and in a root under an overlay in memory.
set -euo pipefail

packages="systemd=252.39-1~deb12u2 dbus-daemon"
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

mkdir -p /run/dbus /run/udev/data /run/systemd/network /run/systemd/netif/links /run/systemd/netif/leases
chown -R systemd-network:systemd-network /run/systemd/netif
mount -t sysfs sysfs /sys
ip link set lo up
ip link add eth0 type veth peer name peer0
ip link set peer0 up
for each in eth0 peer0; do printf 'I:1000000\n' >"/run/udev/data/n$(cat "/sys/class/net/$each/ifindex")"; done
printf '[Match]\nName=eth0\n[Network]\nLinkLocalAddressing=no\nAddress=10.0.1.11/24\n' >/run/systemd/network/10-eth0.network
cat >/run/bus.conf <<'END'
<busconfig><type>system</type><auth>EXTERNAL</auth><listen>unix:path=/run/dbus/system_bus_socket</listen>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/>
<allow send_type="method_call"/><allow receive_type="method_call"/><allow eavesdrop="true"/></policy></busconfig>
END
dbus-daemon --config-file=/run/bus.conf --nofork --nopidfile 2>/run/bus.log &
until [ -S /run/dbus/system_bus_socket ]; do sleep 0.1; done

begin() { # and wait until the device is configured
    /lib/systemd/systemd-networkd >>/run/networkd.log 2>&1 &
    networkd=$!
    until networkctl --no-pager status eth0 2>/dev/null | grep -q '(configured)'; do sleep 0.2; done
    sleep 1
}
look() { # after a restart, as the unit's RestartKillSignal= says
    ip addr replace 10.1.0.10/32 dev eth0
    kill -USR2 "$networkd"
    wait "$networkd" || :
    begin
    if ip -4 addr show dev eth0 | grep -q 10.1.0.10/32; then found=kept; else found=gone; fi
}

/lib/systemd/systemd-networkd --version | head -n 1
begin
look
writable=$found
mount -o remount,ro /sys 2>/dev/null || { umount /sys && mount -t sysfs -o ro sysfs /sys; }
look
printf '%s\n' "/sys writable, restart: $writable" "/sys read-only, restart: $found"
[ "$writable" = gone ] && [ "$found" = kept ] || { echo "this has changed"; exit 1; }
echo "as described"

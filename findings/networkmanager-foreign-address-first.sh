#!/usr/bin/env bash
# NetworkManager does not give a device its own address back after a carrier loss, if another program has put an address on
# the device meanwhile.
#
# Seen with NetworkManager 1.42.4-1+deb12u1 (Debian 12): some 6 s after the carrier has gone the device of a static profile is
# deactivated, and all its addresses are taken off. If nothing else happens, the profile is activated again when the carrier
# is back. If another program has put an address on in between, as a cluster's agent does that misses its virtual IP,
# NetworkManager takes the device for configured from outside: `connected (externally)`, with a connection of its own making
# that has only the foreign address. The server's own address stays away, until a person runs `nmcli connection up`.
#
#   carrier away for 8 s, and back                                    own address back, connected
#   the same, 10.1.0.10/32 put on while the carrier is away           own address gone, connected (externally)
#
# ec2kit: its monitor puts an address back on the device of an ENI only when the device has its own address again.
#
# Needs root, Debian 12, iproute2 and overlayfs; all runs in namespaces and in a root under an overlay in memory.
set -euo pipefail

packages="network-manager=1.42.4-1+deb12u1 dbus-daemon systemd=252.39-1~deb12u2"
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
mkdir -p /run/dbus /run/udev/data
ip link set lo up
ip link add eth0 type veth peer name peer0
ip link set peer0 up
for each in eth0 peer0; do printf 'I:1000000\n' >"/run/udev/data/n$(cat "/sys/class/net/$each/ifindex")"; done
cat >/run/bus.conf <<'END'
<busconfig><type>system</type><auth>EXTERNAL</auth><listen>unix:path=/run/dbus/system_bus_socket</listen>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/>
<allow send_type="method_call"/><allow receive_type="method_call"/><allow eavesdrop="true"/></policy></busconfig>
END
dbus-daemon --config-file=/run/bus.conf --nofork --nopidfile 2>/run/bus.log &
until [ -S /run/dbus/system_bus_socket ]; do sleep 0.1; done
printf '[main]\nplugins=keyfile\n[keyfile]\nunmanaged-devices=interface-name:peer0\n' >/etc/NetworkManager/NetworkManager.conf
profile=/etc/NetworkManager/system-connections/eth0.nmconnection
printf '[connection]\nid=eth0\ntype=ethernet\ninterface-name=eth0\n[ipv4]\nmethod=manual\naddress1=10.0.1.11/24\n' >"$profile"
printf '[ipv6]\nmethod=disabled\n' >>"$profile"
chmod 600 "$profile"
NetworkManager --no-daemon >/run/nm.log 2>&1 &
state() { nmcli -t -f DEVICE,STATE device 2>/dev/null | sed -n 's/^eth0://p'; }
until [ "$(state)" = connected ]; do sleep 0.2; done

carrier_away() { # with this done when the addresses have gone
    ip link set peer0 down
    sleep 7.5
    "$@"
    ip link set peer0 up
    sleep 5
}
found() { echo "own address $(ip -4 addr show dev eth0 | grep -q 10.0.1.11/24 && echo back || echo gone), $(state)"; }

NetworkManager --version
carrier_away true
alone=$(found)
carrier_away ip addr add 10.1.0.10/32 dev eth0
foreign=$(found)
printf '%s\n' "carrier away and back: $alone" "the same, a foreign address put on meanwhile: $foreign"
[ "$alone" = "own address back, connected" ] && [ "$foreign" = "own address gone, connected (externally)" ] ||
    { echo "this has changed"; exit 1; }
echo "as described"

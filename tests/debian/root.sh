#!/bin/bash
# root.sh FOLDER RELEASE WHEEL INIT PACKAGE...: a root with more packages in memory; until stdin ends.
#
# RELEASE is empty: this machine's own root under an overlay. Otherwise it is that release of Debian, with the kit of the WHEEL
# in an environment of that release's own Python and SDK. INIT becomes
# /usr/local/sbin/lab-init in it. All of it is in a mount namespace of its own, so that nothing of it
# is left when it ends.
work=$1 release=$2 wheel=$3 init=$4
shift 4
mount -t tmpfs -o size=3g tmpfs "$work" || exit 1
mkdir "$work/upper" "$work/work" "$work/root"
if [ "$release" ]; then
    debootstrap --variant=minbase --include=ca-certificates "$release" "$work/root" >"$work/apt.log" 2>&1 ||
        { tail -n 5 "$work/apt.log" && exit 1; }
    mount --bind "$work/root" "$work/root"
else
    mount -t overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" overlay "$work/root" || exit 1
fi
mount -t proc proc "$work/root/proc"
mount --rbind /dev "$work/root/dev"
mount --rbind /tmp "$work/root/tmp"
mount -t tmpfs tmpfs "$work/root/run"
cp --remove-destination -L /etc/resolv.conf "$work/root/etc/resolv.conf"
printf '#!/bin/sh\nexit 101\n' >"$work/root/usr/sbin/policy-rc.d"
chmod 755 "$work/root/usr/sbin/policy-rc.d"
install="DEBIAN_FRONTEND=noninteractive apt-get -qq -y --allow-downgrades --no-install-recommends install $*"
chroot "$work/root" sh -c "$install || { apt-get -qq update && $install; }" >"$work/apt.log" 2>&1 ||
    { tail -n 5 "$work/apt.log" && exit 1; }
if [ "$release" ]; then
    cp "$wheel" "$work/root/opt"
    chroot "$work/root" sh -c "python3 -m venv --system-site-packages /opt/ec2kit &&
        /opt/ec2kit/bin/pip install --quiet --no-index --no-deps /opt/*.whl" >"$work/apt.log" 2>&1 ||
        { tail -n 5 "$work/apt.log" && exit 1; }
fi
cp "$init" "$work/root/usr/local/sbin/lab-init"
printf '#!/bin/sh\nexit 0\n' >"$work/root/usr/local/bin/logger" # there is no syslog
for each in systemctl udevadm; do                                # nor a service manager to talk to
    printf '#!/bin/sh\ncase $* in *is-*) exit 1 ;; esac\n' >"$work/root/usr/local/bin/$each"
done
chmod 755 "$work/root/usr/local/bin/"*
sed -i 's/^Driver=.*/& veth/' "$work/root/usr/lib/systemd/network/80-ec2.network" 2>/dev/null
echo ready
cat >/dev/null

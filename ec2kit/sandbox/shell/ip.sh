#!/bin/sh
# A stand-in for iproute2 that works on the sandbox's picture of /sys/class/net, never on this machine.
# It knows: ip [-4] [-o] [-j] link show|set, addr show|add|del, route get.

net=$(dirname "$0")/../net
json=
oneline=

trouble() {
	echo "$2" >&2
	exit "$1"
}

device() {
	[ -n "$1" ] && [ -d "$net/$1" ] || trouble 1 "Cannot find device \"$1\""
}

is_up() {
	[ "$(cat "$net/$1/operstate")" != down ]
}

set_link() {
	device "$1"
	case $2 in
	up) echo up >"$net/$1/operstate" && echo 1 >"$net/$1/carrier" && echo 0x1003 >"$net/$1/flags" ;;
	down) echo down >"$net/$1/operstate" && echo 0 >"$net/$1/carrier" && echo 0x1002 >"$net/$1/flags" ;;
	*) trouble 255 "Error: either \"dev\" is duplicate, or \"$2\" is a garbage." ;;
	esac
}

# Calls "$1 DEVICE" for the device of the rest of the command line, or for each.
for_devices() {
	call=$1
	shift
	[ "${1:-}" = dev ] && shift
	if [ $# -gt 0 ]; then
		device "$1"
		"$call" "$1"
	else
		for folder in "$net"/*/; do "$call" "$(basename "$folder")"; done
	fi
}

show_link() {
	state=$(cat "$net/$1/operstate" | tr a-z A-Z)
	word=BROADCAST,MULTICAST
	is_up "$1" && word=$word,UP,LOWER_UP
	printf '%s: %s: <%s> mtu %s state %s\n    link/ether %s brd ff:ff:ff:ff:ff:ff\n' \
		"$(cat "$net/$1/ifindex")" "$1" "$word" "$(cat "$net/$1/mtu")" "$state" "$(cat "$net/$1/address")"
}

show_addresses() {
	[ -n "$oneline" ] || show_link "$1"
	while read -r cidr; do
		if [ -n "$oneline" ]; then
			printf '%s: %s    inet %s scope global %s\n' "$(cat "$net/$1/ifindex")" "$1" "$cidr" "$1"
		else
			printf '    inet %s scope global %s\n' "$cidr" "$1"
		fi
	done <"$net/$1/addresses"
}

show_addresses_as_json() {
	info=
	while read -r cidr; do
		info="$info${info:+,}{\"family\":\"inet\",\"local\":\"${cidr%/*}\",\"prefixlen\":${cidr#*/},\"scope\":\"global\"}"
	done <"$net/$1/addresses"
	flags='"BROADCAST","MULTICAST"'
	is_up "$1" && flags=$flags',"UP","LOWER_UP"'
	objects="$objects${objects:+,}{\"ifindex\":$(cat "$net/$1/ifindex"),\"ifname\":\"$1\",\"flags\":[$flags],\"mtu\":$(
		cat "$net/$1/mtu"
	),\"operstate\":\"$(cat "$net/$1/operstate" | tr a-z A-Z)\",\"address\":\"$(
		cat "$net/$1/address"
	)\",\"addr_info\":[$info]}"
}

show() {
	if [ -n "$json" ]; then
		objects=
		for_devices show_addresses_as_json "$@"
		echo "[$objects]"
	else
		for_devices show_addresses "$@"
	fi
}

change_address() {
	deed=$1 cidr=$2 word=${3:-} name=${4:-}
	[ "$word" = dev ] || trouble 255 'Not enough information: "dev" argument is required.'
	device "$name"
	case $cidr in */*) ;; *) cidr=$cidr/32 ;; esac
	list=$net/$name/addresses
	if grep -qxF "$cidr" "$list"; then known=1; else known=; fi
	if [ "$deed" = add ]; then
		[ -z "$known" ] || trouble 2 "RTNETLINK answers: File exists"
		echo "$cidr" >>"$list"
	else
		[ -n "$known" ] || trouble 2 "RTNETLINK answers: Cannot assign requested address"
		grep -vxF "$cidr" "$list" >"$list.new"
		mv "$list.new" "$list"
	fi
}

device_of() {
	for folder in "$net"/*/; do
		if grep -q "^$1/" "$folder/addresses"; then
			basename "$folder"
			return
		fi
	done
}

get_route() {
	to=$1
	shift
	from=
	if [ "${1:-}" = from ]; then
		from=$2
		name=$(device_of "$from")
	else
		name=eth0
	fi
	[ -n "$name" ] && is_up "$name" || trouble 2 "RTNETLINK answers: Network is unreachable"
	source=${from:-$(head -n 1 "$net/$name/addresses" | cut -d / -f 1)}
	gateway=${source%.*}.1
	if [ -n "$json" ] && [ -n "$from" ]; then
		printf '[{"dst":"%s","from":"%s","gateway":"%s","dev":"%s","flags":[],"uid":0,"cache":[]}]\n' \
			"$to" "$from" "$gateway" "$name"
	elif [ -n "$json" ]; then
		printf '[{"dst":"%s","gateway":"%s","dev":"%s","prefsrc":"%s","flags":[],"uid":0,"cache":[]}]\n' \
			"$to" "$gateway" "$name" "$source"
	elif [ -n "$from" ]; then
		printf '%s from %s via %s dev %s uid 0 \n    cache \n' "$to" "$from" "$gateway" "$name"
	else
		printf '%s via %s dev %s src %s uid 0 \n    cache \n' "$to" "$gateway" "$name" "$source"
	fi
}

unknown() {
	trouble 1 "Object \"$1\" is unknown to the sandbox's ip."
}

while :; do
	case ${1:-} in
	-4 | -br | -brief) ;;
	-j | -json) json=1 ;;
	-o | -oneline) oneline=1 ;;
	*) break ;;
	esac
	shift
done

object=${1:-} verb=${2:-show}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] && shift
case $object:$verb in
l*:set)
	[ "${1:-}" = dev ] && shift
	set_link "${1:-}" "${2:-}"
	;;
link:s*)
	[ -z "$json" ] || { show "$@" && exit; }
	for_devices show_link "$@"
	;;
a*:s*) show "$@" ;;
a*:add | a*:del)
	[ $# -ge 3 ] || trouble 255 'Not enough information: "dev" argument is required.'
	change_address "$verb" "$@"
	;;
r*:get)
	[ $# -ge 1 ] || trouble 255 "need at least a destination address"
	get_route "$@"
	;;
*) unknown "$object $verb" ;;
esac

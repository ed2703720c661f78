#!/bin/sh
# A stand-in for iproute2 that works on the sandbox's picture of /sys/class/net, never on this machine.
# The commands that it knows: ip [-4] [-6] [-o] [-j] link show|set, addr show|add|del, route get|show|replace|flush,
# rule show|add|del. Rules and routes that were added are in the files `rules` and `routes` beside it.
#
# Packets leave by the device that has their source, and those of 10.1.0.0/16 by eth1, as on a server whose source routing
# was set up for its virtual IPs; the file `main`, if it is there, names the one device by which all others leave.

own=$(dirname "$0")
net=$own/../net
json=
oneline=
family=

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

# Call "$1 DEVICE" for the device that the rest of the command line names, otherwise for each device.
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

# Print the word for the family of an address; fail if only addresses of the other family were asked for.
inet() {
	case $1 in *:*) word=inet6 own=-6 ;; *) word=inet own=-4 ;; esac
	[ "${family:-$own}" = "$own" ] && echo "$word"
}

show_addresses() {
	[ -n "$oneline" ] || show_link "$1"
	while read -r cidr; do
		word=$(inet "$cidr") || continue
		if [ -n "$oneline" ]; then
			printf '%s: %s    %s %s scope global %s\n' "$(cat "$net/$1/ifindex")" "$1" "$word" "$cidr" "$1"
		else
			printf '    %s %s scope global %s\n' "$word" "$cidr" "$1"
		fi
	done <"$net/$1/addresses"
}

show_addresses_as_json() {
	info=
	while read -r cidr; do
		word=$(inet "$cidr") || continue
		info="$info${info:+,}{\"family\":\"$word\",\"local\":\"${cidr%/*}\",\"prefixlen\":${cidr#*/},\"scope\":\"global\"}"
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
	case $cidr in */*) ;; *:*) cidr=$cidr/128 ;; *) cidr=$cidr/32 ;; esac
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

# Print the device to which a rule that was added leads packets from the source $1; fail if there is none.
device_by_rule() {
	[ -e "$own/rules" ] && [ -e "$own/routes" ] || return
	while read -r _ source table _; do
		[ "$source" = "$1/32" ] || continue
		while read -r number name _; do
			[ "$number" != "$table" ] || { echo "$name" && return; }
		done <"$own/routes"
	done <"$own/rules"
	return 1
}

get_route() {
	to=$1
	shift
	from=
	if [ "${1:-}" = from ]; then
		from=$2
		name=$(device_of "$from")
		[ -z "$name" ] || name=$(device_by_rule "$from" || cat "$own/main" 2>/dev/null || echo "$name")
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

words_of_rule() { # sets priority, source, table and protocol
	priority=0 source= table= protocol=boot
	while [ $# -ge 2 ]; do
		case $1 in
		from) source=$2 ;;
		lookup | table) table=$2 ;;
		pref | priority) priority=$2 ;;
		proto | protocol) protocol=$2 ;;
		*) trouble 255 "Error: argument \"$1\" is wrong." ;;
		esac
		shift 2
	done
}

change_rule() {
	deed=$1
	shift
	words_of_rule "$@"
	line="$priority $source $table $protocol"
	touch "$own/rules"
	if grep -qxF "$line" "$own/rules"; then known=1; else known=; fi
	if [ "$deed" = add ]; then
		[ -z "$known" ] || trouble 2 "RTNETLINK answers: File exists"
		echo "$line" >>"$own/rules"
	else
		[ -n "$known" ] || trouble 2 "RTNETLINK answers: No such file or directory"
		grep -vxF "$line" "$own/rules" >"$own/rules.new"
		mv "$own/rules.new" "$own/rules"
	fi
}

show_rules() {
	[ -n "$json" ] || unknown "rule show without -j"
	printf '[{"priority":0,"src":"all","table":"local"},'
	if [ -e "$own/rules" ]; then
		while read -r priority source table protocol; do
			printf '{"priority":%s,"src":"%s","table":"%s","protocol":"%s"},' \
				"$priority" "${source%/32}" "$table" "$protocol"
		done <"$own/rules"
	fi
	[ -e "$own/main" ] || printf '{"priority":20000,"src":"10.1.0.0","srclen":16,"table":"1001"},'
	echo '{"priority":32766,"src":"all","table":"main"}]'
}

change_route() {
	deed=$1 device= gateway= table=main protocol=boot
	shift
	while [ $# -gt 0 ]; do
		case $1 in
		default | onlink) shift ;;
		via) gateway=$2 && shift 2 ;;
		dev) device=$2 && shift 2 ;;
		table) table=$2 && shift 2 ;;
		proto) protocol=$2 && shift 2 ;;
		*) trouble 255 "Error: argument \"$1\" is wrong." ;;
		esac
	done
	touch "$own/routes"
	grep -v "^$table " "$own/routes" >"$own/routes.new"
	mv "$own/routes.new" "$own/routes"
	[ "$deed" = flush ] || echo "$table $device $gateway $protocol" >>"$own/routes"
}

show_routes() {
	[ -n "$json" ] || unknown "route show without -j"
	printf '[{"dst":"default","dev":"eth1","table":"1001"},'
	if [ -e "$own/routes" ]; then
		while read -r table device gateway protocol; do
			printf '{"dst":"default","gateway":"%s","dev":"%s","table":"%s","protocol":"%s"},' \
				"$gateway" "$device" "$table" "$protocol"
		done <"$own/routes"
	fi
	printf '{"dst":"default","dev":"%s"}]\n' "$(cat "$own/main" 2>/dev/null || echo eth0)"
}

unknown() {
	trouble 1 "Object \"$1\" is unknown to the sandbox's ip."
}

while :; do
	case ${1:-} in
	-4 | -6) family=$1 ;;
	-br | -brief) ;;
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
r*:s*) case $object in ru*) show_rules ;; *) show_routes ;; esac ;;
rule:add | rule:del) change_rule "$verb" "$@" ;;
route:replace | route:flush) change_route "$verb" "$@" ;;
*) unknown "$object $verb" ;;
esac

#!/usr/bin/env bash
# A probe by ocf:heartbeat:aws-vpc-route53 writes the record set where there is none, and says that the resource runs here.
#
# Seen with resource-agents 1:4.12.0-2 (Debian 12), awscli 1.46.3 and moto 5.2.5 in place of Route 53; 4.18.0 has the same
# lines. A probe (monitor, interval 0) has to look and to change nothing. This one returns early only where the record set
# points at another server ("Prevent R53 record change during probe"). Where there is no record set yet, it goes on to
# UPSERT, waits for 20 s at least, and returns success. Pacemaker probes a new resource on all nodes at once: each of them
# creates the record set for itself and reports the resource as running, which Pacemaker then stops on all of them.
#
#   no record set, probe on node1           0 (running), the record set is 10.0.1.11
#   no record set, probe on node2           0 (running), the record set is 10.0.2.11
#   a record set of node2, probe on node1   7 (not running), unchanged
#
# ec2kit: a probe changes nothing; it takes a record set for running only where start has left its mark in this boot.
#
# Needs Debian's apt, dpkg, curl and dig (bind9-dnsutils), and root for /run/resource-agents.
set -euo pipefail

place=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$place"' EXIT
(cd "$place" && apt-get -qq download resource-agents=1:4.12.0-2 2>/dev/null && dpkg -x resource-agents_*.deb root)
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[route53,server]==5.2.5' awscli==1.46.3
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$place/venv/bin/moto_server" -p "$port" >"$place/moto.log" 2>&1 &
server=$!
cat >"$place/config" <<CONFIG
[default]
region = us-east-1
output = text
endpoint_url = http://127.0.0.1:$port
aws_access_key_id = a
aws_secret_access_key = b
CONFIG
export AWS_CONFIG_FILE=$place/config AWS_SHARED_CREDENTIALS_FILE=/dev/null
aws() { "$place/venv/bin/aws" "$@" 2>/dev/null; }
for _ in $(seq 100); do
    zone=$(aws route53 create-hosted-zone --name example.com --caller-reference 1 --query HostedZone.Id) && break
    sleep 0.2
done
zone=${zone##*/}

record() { aws route53 list-resource-record-sets --hosted-zone-id "$zone" --query "ResourceRecordSets[?Type=='A']" "$@"; }
address() { record --output text | awk '/RESOURCERECORDS/ { print $2 }'; }
forget() {
    set -- "{\"Changes\": [{\"Action\": \"DELETE\", \"ResourceRecordSet\": $(record --output json | python3 -c \
        'import json, sys; print(json.dumps(json.load(sys.stdin)[0]))')}]}"
    aws route53 change-resource-record-sets --hosted-zone-id "$zone" --change-batch "$1" >/dev/null
}
probe() { # ADDRESS: what Pacemaker calls before it starts anything
    env OCF_ROOT="$place/root/usr/lib/ocf" OCF_RA_VERSION_MAJOR=1 OCF_RA_VERSION_MINOR=0 OCF_RESOURCE_INSTANCE=dns \
        HA_LOGFILE=/dev/null HA_DEBUGLOG=/dev/null HA_LOGFACILITY=none HA_use_logd=no \
        OCF_RESKEY_CRM_meta_interval=0 OCF_RESKEY_awscli="$place/venv/bin/aws" OCF_RESKEY_hostedzoneid="$zone" \
        OCF_RESKEY_fullname=db.example.com. OCF_RESKEY_ip="$1" \
        "$place/root/usr/lib/ocf/resource.d/heartbeat/aws-vpc-route53" monitor >"$place/agent.log" 2>&1 && echo 0 || echo $?
}

mkdir -p /run/resource-agents
said="no record set, node1: $(probe 10.0.1.11), then $(address)"
forget
said="$said; no record set, node2: $(probe 10.0.2.11), then $(address)"
said="$said; node2 has it, node1: $(probe 10.0.1.11), then $(address)"
printf 'resource-agents 1:4.12.0-2\n%s\n' "$said"
[ "$said" = "no record set, node1: 0, then 10.0.1.11; no record set, node2: 0, then 10.0.2.11; \
node2 has it, node1: 7, then 10.0.2.11" ] || { cat "$place/agent.log"; echo "this has changed"; exit 1; }
echo "as described"

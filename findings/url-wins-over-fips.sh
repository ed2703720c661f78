#!/usr/bin/env bash
# A machine on which FIPS endpoints are switched on asks an endpoint without FIPS, and nothing says so, as soon as any URL
# is configured for the service: botocore's rules have an error for the two together, and botocore leaves it out.
#
# Seen with botocore 1.44.8: use_fips_endpoint=True in the client's own Config, or AWS_USE_FIPS_ENDPOINT=true, beside
# endpoint_url, AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_EC2. The rules of EC2 in botocore's data end in the error "Invalid
# Configuration: FIPS and custom endpoint are not supported"; the request leaves for the URL all the same. The same holds
# for AWS_USE_DUALSTACK_ENDPOINT. A URL in ~/.aws/config is enough, also one of the whole profile for another purpose.
#
# ec2kit: `ec2kit status` shows the way by which EC2 answered. Each entry of EC2_ENDPOINTS says itself what it is (fips,
# dual-stack or a URL), and its client is told so; the environment does not count for it.
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check botocore==1.44.8
cat >"$place/program.py" <<'PROGRAM'
import gzip
import os

import botocore
import botocore.session
from botocore.config import Config


def asked(url):
    client = botocore.session.get_session().create_client(
        "ec2",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="anybody",
        aws_secret_access_key="anything",
        config=Config(use_fips_endpoint=True, retries={"total_max_attempts": 1}),
    )
    told = []
    client.meta.events.register("before-send.ec2", lambda request, **_: told.append(request.url))
    try:
        client.describe_addresses()
    except Exception:
        return told[0]


rules = os.path.join(botocore.BOTOCORE_ROOT, "data", "ec2", "2016-11-15", "endpoint-rule-set-1.json.gz")
print("botocore", botocore.__version__)
print("the rules forbid it:", b"FIPS and custom endpoint are not supported" in gzip.open(rules).read())
print("FIPS, and a URL:", asked("http://127.0.0.1:9"))
PROGRAM
said=$("$place/venv/bin/python" "$place/program.py")
printf '%s\n' "$said"
[ "$(tail -n 2 <<<"$said")" = "the rules forbid it: True
FIPS, and a URL: http://127.0.0.1:9/" ] || { echo "this has changed"; exit 1; }
echo "as described"

#!/usr/bin/env bash
# botocore emits `before-send` before the name of the endpoint is resolved: a handler that lets a request go decides
# seconds before the request leaves, and a caller that has given up meanwhile cannot stop it.
#
# Seen with botocore 1.44.8: the handler is called, then the name is looked up, then the connection is opened, address by
# address, then a proxy is asked, then TLS is spoken, and only then the first byte leaves. No time-out of botocore covers
# the look-up. A thread that waited for the answer, and went on without it, has no means to end the attempt: the request
# arrives when the resolver has answered.
#
# A resolver that needs two seconds stands in for one whose first server is down.
#
# ec2kit: a handler of before-send returns the answer itself. ec2kit resolves, connects and speaks TLS, asks for the
# permit when the connection stands, and shuts the connection of an attempt that was given up.
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check botocore==1.44.8
cat >"$place/program.py" <<'PROGRAM'
import http.server
import socket
import threading
import time

import botocore
import botocore.session
from botocore.config import Config

began = time.monotonic()
told = []


class Endpoint(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        told.append("arrived after it was given up" if "given up" in told else "arrived in time")
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
threading.Thread(target=server.serve_forever, daemon=True).start()
at_once = socket.getaddrinfo


def slow(host, *rest, **options):
    time.sleep(2)
    return at_once("127.0.0.1", *rest, **options)


client = botocore.session.get_session().create_client(
    "ec2",
    region_name="us-east-1",
    endpoint_url=f"http://ec2.example.com:{server.server_address[1]}",
    aws_access_key_id="anybody",
    aws_secret_access_key="anything",
    config=Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 1}),
)
client.meta.events.register("before-send.ec2", lambda **_: told.append("handler lets it go"))


def ask():
    try:
        client.describe_addresses()
    except Exception as error:
        told.append(type(error).__name__)


socket.getaddrinfo = slow
asking = threading.Thread(target=ask, daemon=True)
asking.start()
asking.join(1)
told.append("given up")
asking.join(20)
print("botocore", botocore.__version__)
print("; ".join(told))
PROGRAM
said=$("$place/venv/bin/python" "$place/program.py")
printf '%s\n' "$said"
[ "$(tail -n 1 <<<"$said")" = "handler lets it go; given up; arrived after it was given up; ClientError" ] ||
    { echo "this has changed"; exit 1; }
echo "as described"

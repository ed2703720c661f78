"""The resolver of the tests, as a process meets it that asks the C library."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from urllib.parse import urlsplit

from ..patience import HANGS
from ..resolver import SERVER_FAILED, Name, black_hole, needs_root, resolving

ASK = """
import json, socket, sys
for name in sys.argv[1:]:
    try:
        print(json.dumps(sorted({each[4][0] for each in socket.getaddrinfo(name, 443)})))
    except OSError as error:
        print(json.dumps(error.args[0]))
"""
ALL = """
import boto3, sys
from botocore.config import Config
config = Config(connect_timeout=1, read_timeout=300, retries={"total_max_attempts": 1})
print(len(boto3.client("ec2", endpoint_url=sys.argv[1], config=config).describe_addresses()["Addresses"]))
"""


def run(resolver, *words, **options):
    command = resolver.command(sys.executable, "-c", *words)
    return subprocess.run(command, capture_output=True, text=True, timeout=HANGS, check=True, **options)


@needs_root
def test_names_lead_where_the_test_says():
    """One address, several, none, an error, late: each as the resolver was told, and no other name exists."""
    names = {
        "one.test": Name("127.0.0.1"),
        "many.test": Name("127.0.0.1", "127.0.0.2", "127.0.0.3"),
        "none.test": Name(),
        "late.test": Name("127.0.0.9", seconds=0.4),
        "broken.test": Name(code=SERVER_FAILED),
    }
    began = time.monotonic()
    with resolving(names) as resolver:
        said = run(resolver, ASK, *names, "aws.amazon.com").stdout
        assert set(names) < set(resolver.asked)
    one, many, none, late, broken, unknown = map(json.loads, said.splitlines())
    assert (one, many, late) == (["127.0.0.1"], ["127.0.0.1", "127.0.0.2", "127.0.0.3"], ["127.0.0.9"])
    assert all(isinstance(each, int) for each in (none, broken, unknown))
    assert time.monotonic() - began >= 0.4


@needs_root
def test_a_name_with_a_dead_address_leads_to_the_sandbox_all_the_same(tls_sandbox):
    """The SDK tries the next address where one takes no connection; the certificate is good for the name."""
    port = urlsplit(tls_sandbox.description["nodes"]["node1"]["endpoint_url"]).port
    with black_hole(port) as dead, resolving({"ec2.sandbox.test": Name(dead, "127.0.0.1")}) as resolver:
        url = f"https://ec2.sandbox.test:{port}"
        environment = {**tls_sandbox.environment("node1"), "AWS_METADATA_SERVICE_TIMEOUT": f"{HANGS:.0f}"}
        assert int(run(resolver, ALL, url, env=environment).stdout) > 1

"""The proxy of a server, as an unmodified SDK meets it."""

from __future__ import annotations

import http.client
import time
from urllib.parse import urlsplit

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ProxyConnectionError

from ec2kit.sandbox.way import PROXY_PASSWORD

from ..patience import HANGS
from .conftest import BRIEF, ONCE, THE_SDK_LEAVES_SOCKETS

pytestmark = THE_SDK_LEAVES_SOCKETS


@pytest.fixture
def through(tls_sandbox, reach):
    """EC2 by name, through node1's proxy, with a user and password if so told ("user:password@")."""

    def client(user="", config=ONCE):
        node = tls_sandbox.description["nodes"]["node1"]
        proxy = urlsplit(node["proxy_url"]).netloc
        config = config.merge(Config(proxies={"https": f"http://{user}{proxy}"}))
        return reach(f"https://ec2.sandbox.test:{urlsplit(node['endpoint_url']).port}", config=config)

    return client


def test_proxy_leads_to_a_servers_endpoint(tls_sandbox, through):
    """A name below sandbox.test is asked for by CONNECT, and the certificate is good for it."""
    assert through().describe_addresses()["Addresses"]
    way, handshake = sorted(tls_sandbox.connections(), key=lambda each: each["service"])
    assert (way["service"], way["status"], handshake["service"]) == ("proxy", 200, "tls")
    assert way["operation"].startswith("ec2.sandbox.test:")


def test_proxy_leads_nowhere_else(tls_sandbox):
    """No request leaves this machine, by name or by address, and only CONNECT is possible."""
    place = urlsplit(tls_sandbox.description["nodes"]["node1"]["proxy_url"])
    for method, target, status in (
        ("CONNECT", "ec2.us-east-1.amazonaws.com:443", 403),
        ("CONNECT", "192.0.2.1:443", 403),
        ("CONNECT", "127.0.0.1:x", 502),
        ("GET", "http://127.0.0.1/", 405),
    ):
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=HANGS)
        connection.request(method, target)
        assert connection.getresponse().status == status, target
        connection.close()


def test_password_is_demanded_and_taken(tls_sandbox, through):
    """Without the password the proxy says 407; with it the call is carried out."""
    tls_sandbox.fault("password", service="proxy", server="node1")
    with pytest.raises(ProxyConnectionError):
        through().describe_addresses()
    with pytest.raises(ProxyConnectionError):
        through(user="ec2kit:wrong@").describe_addresses()
    assert through(user=f"ec2kit:{PROXY_PASSWORD}@").describe_addresses()["Addresses"]
    assert [each["status"] for each in tls_sandbox.connections() if each["service"] == "proxy"] == [407, 407, 200]


@pytest.mark.parametrize(
    ("effect", "arguments", "words"),
    [
        pytest.param("error", {"status": 403}, "connect to proxy", id="403"),
        pytest.param("gateway", {"status": 502}, "connect to proxy", id="502 in HTML"),
        pytest.param("refuse", {}, "connect to proxy", id="refused"),
        pytest.param("reset", {}, "closed", id="reset"),
        pytest.param("silent", {}, "(?i)time", id="silent"),
    ],
)
def test_proxy_fails(tls_sandbox, through, effect, arguments, words):
    """A proxy that says no, or nothing, is a connection error; EC2 is not reached."""
    tls_sandbox.fault(effect, service="proxy", server="node1", **arguments)
    with pytest.raises(BotoCoreError, match=words):
        through(config=BRIEF if effect == "silent" else ONCE).describe_addresses()
    assert tls_sandbox.calls() == []


def test_slow_proxy_is_waited_for(tls_sandbox, through):
    """A tunnel that comes late is a good one."""
    tls_sandbox.fault("delay", service="proxy", operation="ec2.*", seconds=0.3)
    began = time.monotonic()
    assert through().describe_addresses()["Addresses"]
    assert time.monotonic() - began >= 0.3

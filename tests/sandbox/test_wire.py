"""What comes in by HTTP is read as HTTP/1.1 has it."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from ..patience import HANGS

BODY = b"Action=DescribeAddresses&Version=2016-11-15"


def answer(url, body, headers):
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=HANGS)
    connection.request(
        "POST", "/", body=body, headers={"Content-Type": "application/x-www-form-urlencoded", **headers}
    )
    status = connection.getresponse().status
    connection.close()
    return status


def test_body_in_chunks_is_read_whole(sandbox):
    """A proxy on the way may send a body on in chunks; the call is the same."""
    url = sandbox.description["nodes"]["node1"]["endpoint_url"]
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/ec2/aws4_request"}
    answer(url, iter([BODY[:10], BODY[10:11], BODY[11:]]), signed)
    assert [(each["operation"], each["status"]) for each in sandbox.calls()] == [("DescribeAddresses", 200)]


def test_body_without_a_readable_length_is_refused(sandbox):
    """A length that is none is the client's error, not the sandbox's."""
    url = sandbox.description["nodes"]["node1"]["endpoint_url"]
    assert answer(url, b"zz\r\n", {"Transfer-Encoding": "chunked", "Content-Length": "4"}) == 400
    assert answer(url, b"", {"Content-Length": "-1"}) == 400
    assert sandbox.calls() == []

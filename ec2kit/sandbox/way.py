"""Effects on the way to EC2, before any request is read: the certificate of a server, the password of a proxy."""

from __future__ import annotations

import base64

from ec2kit.sandbox.rule import Argument, Effect, Hit
from ec2kit.sandbox.wire import Answer

CERTIFICATES = ("expired", "name", "issuer")
"""What can be wrong with a certificate."""

PROXY_PASSWORD = "ec2kit-sandbox-proxy-password"  # noqa: S105  # good for nothing


def certificate(hit: Hit) -> Answer:
    """Show a certificate that has expired, is for another name, or comes from an issuer that no client knows."""
    hit.call.certificate = hit.told["wrong"]
    return hit.proceed()


def password(hit: Hit) -> Answer:
    """
    Let the proxy answer 407 unless the client gives this user and password.

    Source: RFC 7617; RFC 9110, 11.7.
    """
    wanted = base64.b64encode(f"{hit.told['user']}:{hit.told['password']}".encode()).decode()
    if hit.call.received.headers.get("proxy-authorization") == f"Basic {wanted}":
        return hit.pass_by()
    return Answer(407, b"", headers={"Proxy-Authenticate": 'Basic realm="sandbox"'})


_WRONG = Argument("wrong", str, CERTIFICATES[0], "What is wrong: expired, name or issuer.", choices=CERTIFICATES)
_USER = Argument("user", str, "ec2kit", "The user that the proxy lets through.")
_PASSWORD = Argument("password", str, PROXY_PASSWORD, "The password of that user.")

WAY_EFFECTS = {
    "certificate": Effect(certificate, (_WRONG,), services=("tls",)),
    "password": Effect(password, (_USER, _PASSWORD), services=("proxy",)),
}
"""A part of the table of effects."""

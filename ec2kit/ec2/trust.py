"""
The certificate authorities that prove a server's name are those that botocore would trust.

To read them takes longer than a request. So the file is named before botocore is loaded, and read beside that; the
session, once it is there, confirms the name or corrects it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ssl

    from botocore.session import Session

REQUESTS_BUNDLE = "requests_ca_bundle"
"""The name in the session of the variable that botocore reads past its own configuration."""


class Trust(NamedTuple):
    """
    The certificate authorities of one file.

    Attributes:
        path: The file with the authorities.
        origin: The setting that names the file, "REQUESTS_CA_BUNDLE".
    """

    path: str
    origin: str

    def context(self) -> ssl.SSLContext:
        """
        Return the settings of TLS connections; reading the authorities costs more than a request does.

        Raises:
            OSError: The file cannot be read, or holds no certificate.
        """
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_alpn_protocols(["http/1.1"])
        context.load_verify_locations(cafile=self.path)
        return context


def ahead(ca_bundle: str) -> Trust:
    """
    Return the authorities that a session will name, as far as the settings tell.

    Args:
        ca_bundle: The file that is set for the SDK; "": none.
    """
    return Trust(ca_bundle or _shipped(), "the SDK")


def named(session: Session) -> Trust:
    """
    Return the authorities that botocore would trust.

    Source: botocore, endpoint.EndpointCreator and httpsession.get_cert_path.
    """
    from botocore.httpsession import get_cert_path

    if own := session.get_config_variable("ca_bundle"):
        return Trust(str(own), "AWS_CA_BUNDLE or ca_bundle")
    if of_requests := session.get_config_variable(REQUESTS_BUNDLE):
        return Trust(str(of_requests), "REQUESTS_CA_BUNDLE")
    return Trust(str(get_cert_path(True)), "the SDK")


def _shipped() -> str:
    """Return the file that comes with the SDK, without loading what sends the SDK's requests."""
    try:
        from certifi import where
    except ImportError:
        import botocore

        return os.path.join(os.path.dirname(botocore.__file__), "cacert.pem")
    return where()

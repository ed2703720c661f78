"""
A certificate authority of the sandbox's own signs what the endpoints show: one good certificate and three wrong ones.

The authority is made anew at each start. Clients get its certificate in a bundle beside those that the system trusts,
because the size of the bundle is most of the cost of a connection.
"""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import botocore
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA = "ca.pem"
BUNDLE = "ca-bundle.pem"
DOMAIN = "sandbox.test"
"""Each name below this domain is in the good certificate. Source: RFC 6761, 6.2: `test` leads nowhere."""

_NAMES = (x509.DNSName(f"*.{DOMAIN}"), x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
_ANOTHER = (x509.DNSName("another.invalid"),)
_YEAR = timedelta(days=365)
_SYSTEMS = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem")
"""Where systems keep the authorities that they trust: Debian, Red Hat, SUSE."""


class Authority:
    """Write the authority's certificate into a folder, and make the contexts of a server, by certificate."""

    def __init__(self, folder: Path) -> None:
        ours = _Issuer("ec2kit sandbox")
        self.certificate = folder / CA
        self.bundle = folder / BUNDLE
        self.certificate.write_bytes(ours.pem)
        self.bundle.write_bytes(ours.pem + _public_authorities())
        self.contexts = {
            "good": ours.context(),
            "expired": ours.context(age=2 * _YEAR),
            "name": ours.context(names=_ANOTHER),
            "issuer": _Issuer("an issuer that no client knows").context(),
        }

    def described(self) -> dict[str, str]:
        """Return the part of sandbox.json about certificates."""
        return {"ca_file": str(self.certificate), "ca_bundle": str(self.bundle)}


def _public_authorities() -> bytes:
    """Return the system's own bundle, otherwise the one that botocore brings."""
    files = (*map(Path, _SYSTEMS), Path(botocore.__file__).with_name("cacert.pem"))
    return next((path.read_bytes() for path in files if path.exists()), b"")


class _Issuer:
    """Sign certificates."""

    def __init__(self, name: str) -> None:
        self._name = _named(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        key_usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        unsigned = self._unsigned(self._name, self._key, age=timedelta())
        unsigned = unsigned.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.pem = self._signed(unsigned.add_extension(key_usage, critical=True))

    def context(
        self, *, names: tuple[x509.GeneralName, ...] = _NAMES, age: timedelta = timedelta()
    ) -> ssl.SSLContext:
        """
        Return the context of a server with a certificate of its own.

        Args:
            age: The time since the certificate was issued; it is valid for a year.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        unsigned = self._unsigned(_named("ec2kit sandbox server"), key, age=age)
        unsigned = unsigned.add_extension(x509.SubjectAlternativeName(names), critical=False)
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile() as file:  # a context reads files only
            file.write(_private(key) + self._signed(unsigned.add_extension(usage, critical=False)))
            file.flush()
            context.load_cert_chain(file.name)
        return context

    def _unsigned(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, age: timedelta
    ) -> x509.CertificateBuilder:
        began = datetime.now(timezone.utc) - timedelta(hours=1) - age
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name)
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(began).not_valid_after(began + _YEAR)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return builder.add_extension(identifier, critical=False).add_extension(issuer, critical=False)

    def _signed(self, unsigned: x509.CertificateBuilder) -> bytes:
        return unsigned.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

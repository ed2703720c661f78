"""The certificate authorities: those that the SDK would trust, named before it is loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import botocore.session
import pytest

from ec2kit import settings
from ec2kit.ec2 import trust

from ..scripted_server import scripted
from .asking import ONE_TABLE

CHOICES: tuple[tuple[Mapping[str, str], str], ...] = (
    ({}, ""),
    ({"AWS_CA_BUNDLE": "/etc/pki/own.pem"}, ""),
    ({"REQUESTS_CA_BUNDLE": "/etc/pki/requests.pem"}, ""),
    ({"AWS_CA_BUNDLE": "/etc/pki/own.pem", "REQUESTS_CA_BUNDLE": "/etc/pki/requests.pem"}, ""),
    ({"AWS_CA_BUNDLE": "", "REQUESTS_CA_BUNDLE": "/etc/pki/requests.pem"}, ""),
    ({"CURL_CA_BUNDLE": "/etc/pki/curl.pem"}, ""),
    ({}, "/etc/pki/profile.pem"),
    ({"AWS_CA_BUNDLE": "/etc/pki/own.pem"}, "/etc/pki/profile.pem"),
    ({"REQUESTS_CA_BUNDLE": "/etc/pki/requests.pem"}, "/etc/pki/profile.pem"),
)
"""Variables, and the bundle of the profile."""


@pytest.mark.parametrize(("chosen", "of_profile"), CHOICES, ids=[str(number) for number in range(len(CHOICES))])
def test_authorities_named_ahead_are_those_of_the_session(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, chosen: Mapping[str, str], of_profile: str
) -> None:
    """What is read beside the loading of the SDK is what the SDK names in the end: nothing is read twice."""
    config = tmp_path / "config"
    config.write_text(f"[default]\nca_bundle = {of_profile}\n" if of_profile else "[default]\nregion = eu-west-1\n")
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**chosen, "AWS_CONFIG_FILE": str(config)}.items():
        monkeypatch.setenv(name, value)
    session = botocore.session.Session({trust.REQUESTS_BUNDLE: (None, "REQUESTS_CA_BUNDLE", None, None)})
    assert trust.ahead(settings.load(os.environ).ca_bundle).path == trust.named(session).path


ORDER = """
import sys
from ec2kit.ec2 import trust

def read(self):
    print("read", "botocore.session" in sys.modules)
    raise OSError("enough")

trust.Trust.context = read
sys.path.insert(0, {root!r})
from tests.ec2.asking import an_ec2, look
try:
    look(an_ec2({url!r}))
except Exception as error:
    print(type(error).__name__)
"""


def test_authorities_are_read_before_the_sdk_is_loaded() -> None:
    """Reading them costs as much as an eighth of a check; beside the loading of the SDK it costs no time."""
    with scripted(ONE_TABLE) as server:
        url = server.url.replace("http:", "https:")
        code = ORDER.format(root=str(Path(__file__).parents[2]), url=url)
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert said.stdout.splitlines()[0] == "read False", said.stderr

"""This instance, as its metadata service describes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ec2kit.deadline import Deadline
from ec2kit.errors import ImdsSilent, InterfaceUnknown
from ec2kit.node import Identity, Metadata, device_of, identity, interface
from ec2kit.settings import Settings

from .builders import a_device, known_as
from .scripted_server import ScriptedServer, answers, cut_short, drips, hangs_up, scripted, silent

MAC = "06:00:00:00:00:01"
BASE = f"meta-data/network/interfaces/macs/{MAC}"
ITEMS = {
    "meta-data/instance-id": "i-a",
    "meta-data/placement/region": "ap-northeast-1",
    "meta-data/placement/availability-zone": "ap-northeast-1a",
    f"{BASE}/interface-id": "eni-a",
    f"{BASE}/local-ipv4s": "10.0.1.11\n10.0.1.12",
    f"{BASE}/subnet-id": "subnet-1",
    f"{BASE}/vpc-id": "vpc-1",
    f"{BASE}/vpc-ipv4-cidr-blocks": "10.0.0.0/16\n10.2.0.0/16",
}


def imds(items: dict[str, str]) -> Callable[[Any], None]:
    """A metadata service of version 2: a token first, then items; 401 without the token."""

    def behave(handler: Any) -> None:
        if handler.command == "PUT":
            answers("the-token")(handler)
        elif handler.headers.get("X-aws-ec2-metadata-token") != "the-token":
            answers("", 401)(handler)
        else:
            item = items.get(handler.path.removeprefix("/latest/"))
            answers(item or "", 200 if item is not None else 404)(handler)

    return behave


def at(server: ScriptedServer, folder: Path, **different: Any) -> Settings:
    usual = {
        "metadata_url": server.url,
        "run_dir": f"{folder}/run",
        "net_dir": f"{folder}/net",
        "connect_timeout": 0.3,
    }
    return Settings(server="server-a", **{**usual, **different})


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Settings]:
    """An instance with eth1, the ENI eni-a, and lo."""
    a_device(tmp_path / "net", "eth1", address=MAC)
    a_device(tmp_path / "net", "lo", address="00:00:00:00:00:00")
    with scripted(imds(ITEMS)) as server:
        yield at(server, tmp_path)


def test_get_item_is_asked_with_a_token(instance: Settings) -> None:
    """Items come from version 2; one that is not there is None."""
    metadata = Metadata(instance, Deadline(10))
    assert metadata.get("meta-data/instance-id") == "i-a"
    assert metadata.get("meta-data/nothing") is None


def test_get_session_and_item_have_each_their_own_time(tmp_path: Path) -> None:
    """The time-out is of each request: a service that needs most of it for both of them is not silent."""

    def slow(handler: Any) -> None:
        handler.server.over.wait(0.6)
        imds(ITEMS)(handler)

    with scripted(slow) as server:
        metadata = Metadata(at(server, tmp_path, connect_timeout=1.0), Deadline(10))
        assert metadata.get("meta-data/instance-id") == "i-a"
    assert [each["method"] for each in server.asked] == ["PUT", "GET"]


def test_need_item_missing_raises(instance: Settings) -> None:
    """An item that every instance has is not guessed."""
    with pytest.raises(ImdsSilent, match="it has no /latest/meta-data/nothing"):
        Metadata(instance, Deadline(10)).need("meta-data/nothing")


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(silent, id="silent"),
        pytest.param(drips, id="dripping"),
        pytest.param(hangs_up, id="hanging-up"),
        pytest.param(answers("", 500), id="broken"),
        pytest.param(answers("é"), id="no-ascii"),
        pytest.param(answers("", 403), id="switched-off"),
        pytest.param(cut_short("i-0123456789"), id="cut"),
        pytest.param(answers("x" * 100_000), id="endless"),
    ],
)
def test_get_no_usable_answer_raises_in_time(behaviour: Any, tmp_path: Path) -> None:
    """A metadata service that is silent, drips or breaks off ends in ImdsSilent, after a few tries."""
    began = time.monotonic()
    with scripted(behaviour) as server, pytest.raises(ImdsSilent):
        Metadata(at(server, tmp_path), Deadline(10)).get("meta-data/instance-id")
    assert time.monotonic() - began < 8
    assert 1 <= len(server.asked) <= 3


@pytest.mark.parametrize(
    "token", ["", " ", "s3cr3t\nword", "s3cr3t word", "s3cr3t\x01word", "<html>s3cr3t</html>\n\n."]
)
def test_get_token_is_none_raises_without_its_text(token: str, tmp_path: Path) -> None:
    """What cannot be sent as a token is silence, and is not told: it may be most of a token."""
    with scripted(answers(token)) as server, pytest.raises(ImdsSilent) as raised:
        Metadata(at(server, tmp_path), Deadline(10)).get("meta-data/instance-id")
    assert "s3cr3t" not in str(raised.value)


def test_get_nobody_listens_or_url_is_none_raises(tmp_path: Path) -> None:
    """A refused connection, or an address that is none, is silence too."""
    for url in ("http://127.0.0.1:9", "http://127.0.0.1:port", "nonsense"):
        settings = Settings(server="a", metadata_url=url, connect_timeout=0.3)
        with pytest.raises(ImdsSilent):
            Metadata(settings, Deadline(5)).get("meta-data/instance-id")


def test_get_one_failure_is_tried_again_with_a_new_token(tmp_path: Path) -> None:
    """One broken answer is no silence, and a rejected token is replaced."""
    with scripted(answers("old-token"), answers("", 401), imds(ITEMS)) as server:
        assert Metadata(at(server, tmp_path), Deadline(10)).get("meta-data/instance-id") == "i-a"


def test_get_proxy_in_the_environment_is_never_used(instance: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Metadata never goes through a proxy."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert Metadata(instance, Deadline(10)).get("meta-data/instance-id") == "i-a"


# -- identity ----------------------------------------------------------------------------------------------


def test_identity_is_asked_once_a_boot(tmp_path: Path) -> None:
    """Which instance this is is kept for the boot; IMDS may be silent later."""
    expected = Identity("i-a", "ap-northeast-1", "ap-northeast-1a")
    with scripted(imds(ITEMS)) as server:
        settings = at(server, tmp_path)
        assert identity(settings, Deadline(10)) == expected
    assert identity(settings, Deadline(10)) == expected


def test_identity_without_a_region_item_is_read_off_the_zone(tmp_path: Path) -> None:
    """An older metadata service has no region; the zone's letter is left out."""
    items = {name: text for name, text in ITEMS.items() if not name.endswith("region")}
    with scripted(imds(items)) as server:
        assert identity(at(server, tmp_path), Deadline(10)).region == "ap-northeast-1"


def test_identity_of_another_metadata_service_is_asked_anew(tmp_path: Path) -> None:
    """What one metadata service said is not believed of another."""
    with scripted(imds({**ITEMS, "meta-data/instance-id": "i-new"})) as server:
        known_as(at(server, tmp_path, metadata_url="http://127.0.0.1:9"), "i-old")
        assert identity(at(server, tmp_path), Deadline(10)).instance_id == "i-new"


NO_IDENTIFIER = ["<html>Please log in</html>", "i 1", "i-1\ni-2", "I-1", "i-", "42", "i-1;reboot", "../i-1"]


@pytest.mark.parametrize("value", NO_IDENTIFIER)
@pytest.mark.parametrize("name", ["instance-id", "placement/region", "placement/availability-zone"])
def test_identity_of_no_known_form_is_silence_and_not_kept(name: str, value: str, tmp_path: Path) -> None:
    """Who answers in the service's place cannot make this another instance, now or for the rest of the boot."""
    with scripted(imds({**ITEMS, f"meta-data/{name}": value})) as server, pytest.raises(ImdsSilent, match=name):
        identity(at(server, tmp_path), Deadline(10))
    with scripted(imds(ITEMS)) as server:
        assert identity(at(server, tmp_path), Deadline(10)).instance_id == "i-a"


@pytest.mark.parametrize("value", NO_IDENTIFIER)
def test_identity_kept_of_no_known_form_is_asked_anew(value: str, tmp_path: Path) -> None:
    """A file that was edited costs one question."""
    with scripted(imds(ITEMS)) as server:
        known_as(at(server, tmp_path), value)
        assert identity(at(server, tmp_path), Deadline(10)).instance_id == "i-a"


@pytest.mark.parametrize("text", ["", "{", '{"version": 1}', '{"version": 1, "boot": 7}', '{"version": 3}'])
def test_identity_damaged_file_is_asked_anew_and_kept_again(text: str, tmp_path: Path) -> None:
    """A damaged file costs one question, and is whole afterwards."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "identity.json").write_text(text)
    with scripted(imds(ITEMS)) as server:
        settings = at(server, tmp_path)
        assert identity(settings, Deadline(10)).instance_id == "i-a"
    assert identity(settings, Deadline(10)).instance_id == "i-a"


def test_identity_folder_unusable_is_asked_every_time(tmp_path: Path) -> None:
    """Not being able to keep it is no reason not to know it."""
    (tmp_path / "run").write_text("")
    with scripted(imds(ITEMS)) as server:
        assert identity(at(server, tmp_path), Deadline(10)).instance_id == "i-a"


# -- interfaces --------------------------------------------------------------------------------------------


def test_interface_device_is_found_by_its_mac_address(instance: Settings) -> None:
    """The ENI of a device, with its addresses and the blocks of its VPC."""
    found = interface("eth1", instance, Deadline(10))
    assert (found.network_interface_id, found.vpc_id) == ("eni-a", "vpc-1")
    assert found.private_ip_addresses == ("10.0.1.11", "10.0.1.12")
    assert found.vpc_cidr_blocks == ("10.0.0.0/16", "10.2.0.0/16")


@pytest.mark.parametrize("device", ["eth7", "", "..", ".", "../net/eth1", "lo"])
def test_interface_no_eni_raises_naming_what_there_is(device: str, instance: Settings) -> None:
    """A device that is none, or is no ENI, is told from IMDS being silent."""
    with pytest.raises(InterfaceUnknown, match=r"eth1, lo|MAC address 00:00"):
        interface(device, instance, Deadline(10))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("interface-id", "<html></html>", id="interface"),
        pytest.param("vpc-id", "vpc 1", id="vpc"),
        pytest.param("local-ipv4s", "10.0.1.11 10.0.1.256", id="addresses"),
        pytest.param("vpc-ipv4-cidr-blocks", "10.0.0.0/33", id="blocks"),
        pytest.param("vpc-ipv4-cidr-blocks", "10.0.0.1/16", id="no block"),
    ],
)
def test_interface_of_no_known_form_is_silence(name: str, value: str, tmp_path: Path) -> None:
    """Ids and addresses that cannot be are never believed."""
    a_device(tmp_path / "net", "eth1", address=MAC)
    with scripted(imds({**ITEMS, f"{BASE}/{name}": value})) as server, pytest.raises(ImdsSilent, match=name):
        interface("eth1", at(server, tmp_path), Deadline(10))


@pytest.mark.parametrize("zone", ["us-east-1a", "us-east-1-bos-1a", "us-east-1-wl1-bos-wlz-1", "us-gov-west-1b"])
def test_identity_in_every_kind_of_zone_is_known(zone: str, tmp_path: Path) -> None:
    """Local and wavelength zones have names of their own."""
    items = {**ITEMS, "meta-data/placement/availability-zone": zone}
    with scripted(imds(items)) as server:
        assert identity(at(server, tmp_path), Deadline(10)).availability_zone == zone


def test_device_of_an_eni_is_found_among_all_devices(instance: Settings) -> None:
    """An ENI leads back to its device; one of another instance to an error."""
    assert device_of("eni-a", instance, Deadline(10)) == "eth1"
    with pytest.raises(InterfaceUnknown, match="eni-b"):
        device_of("eni-b", instance, Deadline(10))


def test_device_of_imds_silent_raises_that(tmp_path: Path) -> None:
    """Silence is not taken for "no such ENI"."""
    a_device(tmp_path / "net", "eth1")
    with scripted(answers("", 500)) as server, pytest.raises(ImdsSilent):
        device_of("eni-a", at(server, tmp_path), Deadline(10))

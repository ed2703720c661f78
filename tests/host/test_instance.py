"""This instance, as its metadata service describes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ec2kit.deadline import Deadline
from ec2kit.errors import ImdsSilent, InterfaceUnknown
from ec2kit.host.instance import Identity, device_of, identity, interface
from ec2kit.settings import Settings

from ..builders import a_device, known_as
from ..patience import HANGS
from ..scripted_server import answers, scripted
from .service import BASE, ITEMS, MAC, at, imds

# -- identity ----------------------------------------------------------------------------------------------


def test_identity_is_asked_once_a_boot(tmp_path: Path) -> None:
    """Which instance this is is kept for the boot; IMDS may be silent later."""
    expected = Identity("i-a", "ap-northeast-1", "ap-northeast-1a")
    with scripted(imds(ITEMS)) as server:
        settings = at(server, tmp_path)
        assert identity(settings, Deadline(HANGS)) == expected
    assert identity(settings, Deadline(HANGS)) == expected


def test_identity_without_a_region_item_is_read_off_the_zone(tmp_path: Path) -> None:
    """An older metadata service has no region; the zone's letter is left out."""
    items = {name: text for name, text in ITEMS.items() if not name.endswith("region")}
    with scripted(imds(items)) as server:
        assert identity(at(server, tmp_path), Deadline(HANGS)).region == "ap-northeast-1"


def test_identity_of_another_metadata_service_is_asked_anew(tmp_path: Path) -> None:
    """What one metadata service said is not believed of another."""
    with scripted(imds({**ITEMS, "meta-data/instance-id": "i-new"})) as server:
        known_as(at(server, tmp_path, metadata_url="http://127.0.0.1:9"), "i-old")
        assert identity(at(server, tmp_path), Deadline(HANGS)).instance_id == "i-new"


NO_IDENTIFIER = ["<html>Please log in</html>", "i 1", "i-1\ni-2", "I-1", "i-", "42", "i-1;reboot", "../i-1"]


@pytest.mark.parametrize("value", NO_IDENTIFIER)
@pytest.mark.parametrize("name", ["instance-id", "placement/region", "placement/availability-zone"])
def test_identity_of_no_known_form_is_silence_and_not_kept(name: str, value: str, tmp_path: Path) -> None:
    """Who answers in the service's place cannot make this another instance, now or for the rest of the boot."""
    with scripted(imds({**ITEMS, f"meta-data/{name}": value})) as server, pytest.raises(ImdsSilent, match=name):
        identity(at(server, tmp_path), Deadline(HANGS))
    with scripted(imds(ITEMS)) as server:
        assert identity(at(server, tmp_path), Deadline(HANGS)).instance_id == "i-a"


@pytest.mark.parametrize("value", NO_IDENTIFIER)
def test_identity_kept_of_no_known_form_is_asked_anew(value: str, tmp_path: Path) -> None:
    """A file that was edited costs one question."""
    with scripted(imds(ITEMS)) as server:
        known_as(at(server, tmp_path), value)
        assert identity(at(server, tmp_path), Deadline(HANGS)).instance_id == "i-a"


@pytest.mark.parametrize("text", ["", "{", '{"version": 1}', '{"version": 1, "boot": 7}', '{"version": 3}'])
def test_identity_damaged_file_is_asked_anew_and_kept_again(text: str, tmp_path: Path) -> None:
    """A damaged file costs one question, and is whole afterwards."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "identity.json").write_text(text)
    with scripted(imds(ITEMS)) as server:
        settings = at(server, tmp_path)
        assert identity(settings, Deadline(HANGS)).instance_id == "i-a"
    assert identity(settings, Deadline(HANGS)).instance_id == "i-a"


def test_identity_folder_unusable_is_asked_every_time(tmp_path: Path) -> None:
    """Not being able to keep it is no reason not to know it."""
    (tmp_path / "run").write_text("")
    with scripted(imds(ITEMS)) as server:
        assert identity(at(server, tmp_path), Deadline(HANGS)).instance_id == "i-a"


# -- interfaces --------------------------------------------------------------------------------------------


def test_interface_device_is_found_by_its_mac_address(instance: Settings) -> None:
    """The ENI of a device, with its addresses and the blocks of its VPC."""
    found = interface("eth1", instance, Deadline(HANGS))
    assert (found.network_interface_id, found.vpc_id) == ("eni-a", "vpc-1")
    assert found.private_ip_addresses == ("10.0.1.11", "10.0.1.12")
    assert found.vpc_cidr_blocks == ("10.0.0.0/16", "10.2.0.0/16")


@pytest.mark.parametrize("device", ["eth7", "", "..", ".", "../net/eth1", "lo"])
def test_interface_no_eni_raises_naming_what_there_is(device: str, instance: Settings) -> None:
    """A device that is none, or is no ENI, is told from IMDS being silent."""
    with pytest.raises(InterfaceUnknown, match=r"eth1, lo|MAC address 00:00"):
        interface(device, instance, Deadline(HANGS))


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
        interface("eth1", at(server, tmp_path), Deadline(HANGS))


def test_interface_without_ipv4_is_no_silence_and_no_hindrance(tmp_path: Path) -> None:
    """An ENI of an IPv6-only subnet has no such item, which is an answer; the other ENIs are found beside it."""
    other = MAC.replace("01", "02")
    a_device(tmp_path / "net", "ens7", address=other)
    a_device(tmp_path / "net", "zens", address=MAC)
    without = {f"{BASE.replace(MAC, other)}/interface-id": "eni-six", f"{BASE.replace(MAC, other)}/vpc-id": "vpc-1"}
    with scripted(imds({**ITEMS, **without})) as server:
        settings = at(server, tmp_path)
        assert device_of("eni-a", settings, Deadline(HANGS)) == "zens"
        with pytest.raises(InterfaceUnknown, match="no IPv4 address of its ENI eni-six"):
            interface("ens7", settings, Deadline(HANGS))


@pytest.mark.parametrize("zone", ["us-east-1a", "us-east-1-bos-1a", "us-east-1-wl1-bos-wlz-1", "us-gov-west-1b"])
def test_identity_in_every_kind_of_zone_is_known(zone: str, tmp_path: Path) -> None:
    """Local and wavelength zones have names of their own."""
    items = {**ITEMS, "meta-data/placement/availability-zone": zone}
    with scripted(imds(items)) as server:
        assert identity(at(server, tmp_path), Deadline(HANGS)).availability_zone == zone


def test_device_of_an_eni_is_found_among_all_devices(instance: Settings) -> None:
    """An ENI leads back to its device; one of another instance to an error."""
    assert device_of("eni-a", instance, Deadline(HANGS)) == "eth1"
    with pytest.raises(InterfaceUnknown, match="eni-b"):
        device_of("eni-b", instance, Deadline(HANGS))


def test_device_of_imds_silent_raises_that(tmp_path: Path) -> None:
    """Silence is not taken for "no such ENI"."""
    a_device(tmp_path / "net", "eth1")
    with scripted(answers("", 500)) as server, pytest.raises(ImdsSilent):
        device_of("eni-a", at(server, tmp_path), Deadline(HANGS))

"""Where on this server an address goes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ec2kit.deadline import Deadline
from ec2kit.errors import ImdsSilent, InterfaceUnknown
from ec2kit.host.place import Place, place
from ec2kit.settings import Settings

from ..builders import a_device
from ..patience import HANGS
from ..scripted_server import ScriptedServer, scripted
from .service import ITEMS, MAC, at, imds

OTHER_MAC = "06:00:00:00:00:02"
OTHER = f"meta-data/network/interfaces/macs/{OTHER_MAC}"
TWO_ENIS = {
    **ITEMS,
    "meta-data/mac": OTHER_MAC,
    f"{OTHER}/interface-id": "eni-primary",
    f"{OTHER}/local-ipv4s": "10.0.0.11",
    f"{OTHER}/vpc-id": "vpc-1",
    f"{OTHER}/vpc-ipv4-cidr-blocks": "10.0.0.0/16",
}
GONE = "http://127.0.0.1:9"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted(imds(TWO_ENIS)) as running:
        yield running


@pytest.fixture
def instance(server: ScriptedServer, tmp_path: Path) -> Settings:
    """An instance whose primary ENI is eth0; eth1 has two private addresses."""
    a_device(tmp_path / "net", "eth0", address=OTHER_MAC)
    a_device(tmp_path / "net", "eth1", address=MAC)
    a_device(tmp_path / "net", "lo", address="00:00:00:00:00:00")
    return at(server, tmp_path)


def found(settings: Settings, device: str = "", private: str = "", tag: str = "vip") -> Place:
    return place(tag, device=device, private_ip_address=private, settings=settings, deadline=Deadline(HANGS))


@pytest.mark.parametrize(
    ("device", "private", "expected"),
    [
        pytest.param("eth1", "", ("eth1", "eni-a", "10.0.1.11"), id="device"),
        pytest.param("eth1", "10.0.1.12", ("eth1", "eni-a", "10.0.1.12"), id="device-and-secondary-address"),
        pytest.param("", "10.0.1.12", ("eth1", "eni-a", "10.0.1.12"), id="address-finds-its-device"),
        pytest.param("", "", ("eth0", "eni-primary", "10.0.0.11"), id="primary-eni"),
    ],
)
def test_place_is_the_eni_that_was_asked_for(
    device: str, private: str, expected: tuple[str, str, str], instance: Settings
) -> None:
    """A place is named by its device, by its private address, or is the instance's primary ENI."""
    here = found(instance, device, private)
    assert (here.device, here.network_interface_id, here.private_ip_address) == expected
    assert (here.vpc_id, here.instance_id, here.region) == ("vpc-1", "i-a", "ap-northeast-1")


@pytest.mark.parametrize(
    ("device", "private"),
    [
        pytest.param("eth7", "", id="no-such-device"),
        pytest.param("lo", "", id="no-eni"),
        pytest.param("eth0", "10.0.1.12", id="address-of-another-device"),
        pytest.param("", "10.9.9.9", id="address-of-nobody"),
    ],
)
def test_place_that_is_not_there_raises(device: str, private: str, instance: Settings) -> None:
    """No other place is taken for the one that was asked for."""
    with pytest.raises(InterfaceUnknown):
        found(instance, device, private)


def test_place_is_asked_once(instance: Settings, server: ScriptedServer) -> None:
    """A second time IMDS is not needed."""
    here = found(instance, "eth1")
    asked = len(server.asked)
    assert found(instance, "eth1") == here
    assert len(server.asked) == asked


def test_place_asked_for_otherwise_is_asked_anew(instance: Settings) -> None:
    """What was kept answers only the same question."""
    found(instance, "eth1")
    assert found(instance, "eth0").network_interface_id == "eni-primary"


def test_place_whose_device_is_another_eni_now_is_asked_anew(instance: Settings, tmp_path: Path) -> None:
    """A device that was replaced has another MAC address."""
    found(instance, "eth1")
    a_device(tmp_path / "net", "eth1", address=OTHER_MAC)
    assert found(instance, "eth1").network_interface_id == "eni-primary"


def test_place_whose_device_is_gone_is_still_known(instance: Settings, tmp_path: Path) -> None:
    """A detached device does not make one forget which ENI had the address."""
    here = found(instance, "eth1")
    shutil.rmtree(tmp_path / "net" / "eth1")
    assert found(instance, "eth1") == here


@pytest.mark.parametrize(("device", "private"), [("eth1", ""), ("", "10.0.1.12")])
def test_place_whose_device_is_called_otherwise_goes_on_with_that(
    device: str, private: str, instance: Settings, tmp_path: Path
) -> None:
    """A renamed device is the same ENI; IMDS need not be asked."""
    here = found(instance, device, private)
    (tmp_path / "net" / "eth1").rename(tmp_path / "net" / "ens6")
    assert found(instance._replace(connect_timeout=0.1), device, private) == here._replace(device="ens6")


def test_place_of_the_primary_eni_is_not_a_bridge_with_its_mac_address(instance: Settings, tmp_path: Path) -> None:
    """A bridge takes the MAC address of the device in it, and may be switched off."""
    a_device(tmp_path / "net", "br-ex", address=OTHER_MAC, operstate="down")
    (tmp_path / "net" / "br-ex" / "bridge").mkdir()
    assert found(instance).device == "eth0"


def test_place_damaged_record_is_asked_anew(instance: Settings, tmp_path: Path) -> None:
    """What was kept is only a help."""
    here = found(instance, "eth1")
    (tmp_path / "run" / "vip.place.json").write_text('{"version": 1')
    assert found(instance, "eth1") == here


def test_place_imds_silent_raises_that(instance: Settings) -> None:
    """A place that was never asked for is not guessed."""
    with pytest.raises(ImdsSilent):
        found(instance._replace(metadata_url=GONE), "eth1")

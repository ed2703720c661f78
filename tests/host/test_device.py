"""This server's network devices."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ec2kit.deadline import Deadline
from ec2kit.errors import LocalCommandFailed, StateUnusable
from ec2kit.host.device import Device, device_with, devices, own_devices, present_device
from ec2kit.settings import Settings

from ..builders import a_device, a_server
from ..patience import HANGS


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with network devices and commands below the test's folder."""
    return Settings(server="a", net_dir=str(tmp_path / "net"), path=f"{tmp_path}:/usr/bin:/bin")


def an_ip(folder: Path, script: str) -> None:
    """An `ip` command that notes its words, then does as the script says."""
    path = folder / "ip"
    path.write_text(f'#!/bin/sh\necho "$*" >> {folder}/words\n{script}\n')
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("operstate", "flags", "expected"),
    [
        pytest.param("up", "0x1003", True, id="up"),
        pytest.param("down", "0x1003", False, id="no-carrier"),
        pytest.param("down", "0x1002", False, id="switched-off"),
        pytest.param("lowerlayerdown", "0x1003", False, id="lower-layer-down"),
        pytest.param("unknown", "0x1003", True, id="driver-does-not-tell-switched-on"),
        pytest.param("unknown", "0x1002", False, id="driver-does-not-tell-switched-off"),
    ],
)
def test_link_is_up_state_of_the_device(
    operstate: str, flags: str, expected: bool, settings: Settings, tmp_path: Path
) -> None:
    """A link is up if the kernel says so; where the driver does not tell, if it is switched on."""
    a_device(tmp_path / "net", "eth1", operstate=operstate, flags=flags)
    assert Device("eth1", settings).link_is_up is expected


def test_link_is_up_device_missing_raises(settings: Settings) -> None:
    """A name that no device has says nothing of any link; it has no MAC address."""
    os.makedirs(settings.net_dir)
    assert Device("eth7", settings).mac is None
    with pytest.raises(StateUnusable, match="no such device"):
        Device("eth7", settings).link_is_up  # noqa: B018


ENI_MAC, OTHER_MAC = "06:00:00:00:00:01", "06:00:00:00:00:02"


@pytest.mark.parametrize(
    ("there", "stored", "expected"),
    [
        pytest.param({"eth1": ENI_MAC}, ENI_MAC, "eth1", id="as-it-was"),
        pytest.param({"ens6": ENI_MAC}, ENI_MAC, "ens6", id="renamed"),
        pytest.param({"eth1": OTHER_MAC, "eth2": ENI_MAC}, ENI_MAC, "eth2", id="names-exchanged"),
        pytest.param({"eth1": OTHER_MAC}, ENI_MAC, None, id="detached"),
        pytest.param({}, ENI_MAC, None, id="none"),
        pytest.param({"ens6": ENI_MAC}, "", "eth1", id="name-only"),
    ],
)
def test_present_device_is_that_of_the_eni_whatever_it_is_called(
    there: dict[str, str], stored: str, expected: str | None, settings: Settings, tmp_path: Path
) -> None:
    """The kernel may call a device otherwise after a boot; its MAC address is EC2's."""
    (tmp_path / "net").mkdir()
    for name, mac in there.items():
        a_device(tmp_path / "net", name, address=mac.upper())
    found = present_device(a_server(device="eth1", mac_address=stored), settings)
    assert (found and found.name) == expected


@pytest.mark.parametrize("above", ["bridge", "bonding", "lower_eth0", "nothing"])
@pytest.mark.parametrize("name", ["bond0", "eth0.5", "zz"])
def test_device_with_a_mac_address_is_the_enis_own_beside_those_on_it(
    above: str, name: str, settings: Settings, tmp_path: Path
) -> None:
    """A bridge, a bond or a VLAN has the MAC address of the device below it; only that has hardware."""
    net = tmp_path / "net"
    for each in ("eth0", name):
        a_device(net, each, address=ENI_MAC)
    (net / name / above).mkdir()
    if above == "nothing":
        (net / "eth0" / "device").mkdir()
    found = device_with(ENI_MAC, settings)
    assert found is not None
    assert found.name == "eth0"
    assert [each.name for each in own_devices(settings)] == ["eth0"]


def test_link_is_up_without_a_folder_of_devices_raises(settings: Settings) -> None:
    """Where /sys is not mounted nothing is known of any link."""
    with pytest.raises(StateUnusable):
        Device("eth1", settings).link_is_up  # noqa: B018


def test_link_is_up_unreadable_raises(settings: Settings, tmp_path: Path) -> None:
    """What cannot be read says nothing, and is not taken for down."""
    (tmp_path / "net" / "eth1" / "operstate").mkdir(parents=True)
    with pytest.raises(StateUnusable):
        assert Device("eth1", settings).link_is_up


def test_mac_is_lower_case(settings: Settings, tmp_path: Path) -> None:
    """IMDS spells MAC addresses in lower case."""
    a_device(tmp_path / "net", "eth1", address="06:AB:CD:00:00:01")
    assert Device("eth1", settings).mac == "06:ab:cd:00:00:01"


def test_set_up_calls_ip_found_through_the_path(settings: Settings, tmp_path: Path) -> None:
    """The link is switched on with `ip`, found through PATH of the settings."""
    an_ip(tmp_path, "true")
    Device("eth1", settings).set_up(Deadline(HANGS))
    assert (tmp_path / "words").read_text() == "link set dev eth1 up\n"


def test_set_up_ip_fails_raises_with_its_reason(settings: Settings, tmp_path: Path) -> None:
    """What `ip` says comes along."""
    an_ip(tmp_path, "echo 'Operation not permitted' >&2; exit 2")
    with pytest.raises(LocalCommandFailed, match="`ip link set dev eth1 up` failed: Operation not permitted"):
        Device("eth1", settings).set_up(Deadline(HANGS))


SHOWN = """\
3: eth1    inet 10.0.11.11/24 metric 100 brd 10.0.11.255 scope global dynamic eth1\\       valid_lft 3033sec
3: eth1    inet 10.1.0.10/32 scope global eth1:vip\\       valid_lft forever preferred_lft forever
3: eth1    inet 10.1.0.100/32 scope global eth1\\       valid_lft forever preferred_lft forever
"""


@pytest.fixture
def eth1(settings: Settings, tmp_path: Path) -> Device:
    """A device that carries three addresses."""
    a_device(tmp_path / "net", "eth1")
    (tmp_path / "shown").write_text(SHOWN)
    an_ip(tmp_path, f'[ "$4" = show ] || exit 0\ncat {tmp_path}/shown')
    return Device("eth1", settings)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param("10.1.0.10", True, id="carried"),
        pytest.param("10.0.11.11", True, id="its-own"),
        pytest.param("10.1.0.1", False, id="beginning-of-another"),
        pytest.param("10.0.11.255", False, id="broadcast"),
    ],
)
def test_has_address_is_what_ip_shows(address: str, expected: bool, eth1: Device) -> None:
    """An address is carried if `ip` shows it whole, whatever its prefix."""
    assert eth1.has(address, Deadline(HANGS)) is expected


def test_has_on_a_device_that_is_not_there_is_no(settings: Settings, tmp_path: Path) -> None:
    """A device that was detached took its addresses along; `ip` need not be asked."""
    (tmp_path / "net").mkdir()
    assert not Device("eth7", settings).has("10.1.0.10", Deadline(HANGS))


def test_has_ip_fails_raises(settings: Settings, tmp_path: Path) -> None:
    """An `ip` that cannot tell says neither yes nor no."""
    a_device(tmp_path / "net", "eth1")
    an_ip(tmp_path, "exit 1")
    with pytest.raises(LocalCommandFailed):
        Device("eth1", settings).has("10.1.0.10", Deadline(HANGS))


def test_put_on_adds_a_host_address_once(eth1: Device, tmp_path: Path) -> None:
    """An address is put on as a host address, with its label, and only where it is not yet."""
    assert eth1.put_on("10.1.0.20", Deadline(HANGS), label="eth1:two")
    assert not eth1.put_on("10.1.0.10", Deadline(HANGS))
    words = (tmp_path / "words").read_text().splitlines()
    assert [line for line in words if "show" not in line] == ["addr add 10.1.0.20/32 dev eth1 label eth1:two"]


def test_put_on_adds_an_ipv6_address_at_once_and_without_a_label(eth1: Device, tmp_path: Path) -> None:
    """No duplicate address detection delays it, and each family is asked for its own addresses."""
    assert eth1.put_on("2001:db8::2", Deadline(10), label="eth1:two")
    assert not eth1.has("2001:db8::2", Deadline(10))
    assert (tmp_path / "words").read_text().splitlines() == [
        "-6 -o addr show dev eth1",
        "-6 addr add 2001:db8::2/128 dev eth1 nodad",
        "-6 -o addr show dev eth1",
    ]


def test_take_off_deletes_the_address_with_its_prefix(eth1: Device, tmp_path: Path) -> None:
    """An address is taken off as the device carries it, and only where it does."""
    assert eth1.take_off("10.0.11.11", Deadline(HANGS))
    assert not eth1.take_off("10.1.0.20", Deadline(HANGS))
    words = (tmp_path / "words").read_text().splitlines()
    assert [line for line in words if "show" not in line] == ["addr del 10.0.11.11/24 dev eth1"]


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        pytest.param("192.0.2.1 from 10.0.1.11 via 10.0.1.1 dev eth1 uid 0", "eth1", id="device"),
        pytest.param("local 10.0.1.11 dev lo src 10.0.1.11", "lo", id="loopback"),
        pytest.param("unreachable", None, id="no-device"),
        pytest.param("ends with dev", None, id="cut"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_device_for_a_reply_is_what_ip_says(
    output: str, expected: str | None, settings: Settings, tmp_path: Path
) -> None:
    """The device of a reply is the word after `dev`."""
    an_ip(tmp_path, f"echo '{output}'")
    assert Device("eth1", settings).device_for("10.0.1.11", "192.0.2.1", Deadline(HANGS)) == expected
    assert (tmp_path / "words").read_text() == "route get 192.0.2.1 from 10.0.1.11\n"


def test_devices_are_those_of_the_kernel_in_order(settings: Settings, tmp_path: Path) -> None:
    """All devices are listed; a folder that cannot be read is an error."""
    with pytest.raises(StateUnusable):
        devices(settings)
    for name in ("lo", "eth1", "eth0"):
        a_device(tmp_path / "net", name)
    assert devices(settings) == ["eth0", "eth1", "lo"]


def test_an_ipv6_address_is_a_host_address_that_waits_for_no_duplicates(settings: Settings, tmp_path: Path) -> None:
    """EC2 has no duplicates, and an address that waits for them would serve nobody meanwhile."""
    a_device(Path(settings.net_dir), "eth1")
    an_ip(
        tmp_path,
        'case "$*" in *show*) [ -e "$0.on" ] && echo "2: eth1 inet6 2001:db8::50/128 scope global";; esac; true',
    )
    device = Device("eth1", settings)
    assert device.put_on("2001:db8::50", Deadline(10))
    (tmp_path / "ip.on").touch()
    assert not device.put_on("2001:db8::50", Deadline(10))
    assert device.take_off("2001:db8::50", Deadline(10))
    words = (tmp_path / "words").read_text().splitlines()
    assert "-6 addr add 2001:db8::50/128 dev eth1 nodad" in words
    assert words[-1] == "-6 addr del 2001:db8::50/128 dev eth1"

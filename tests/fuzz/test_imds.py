"""Any answer of the metadata service, or of what answers in its place: what it says in truth, or silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ec2kit.deadline import Deadline
from ec2kit.errors import ImdsSilent, InterfaceUnknown
from ec2kit.host import announcement
from ec2kit.host.instance import Identity, Interface, identity, interface
from ec2kit.settings import Settings

from ..builders import a_device
from ..patience import HANGS
from ..scripted_server import ScriptedServer, scripted
from .hostile import arguments, as_bytes, json_values, mutilated, spoilt, times

REGION = "meta-data/placement/region"
MAC = "06:00:00:00:00:01"
BASE = f"meta-data/network/interfaces/macs/{MAC}"
ITEMS = {
    "api/token": "the-token",
    "meta-data/instance-id": "i-0a1b2c3d4e5f60718",
    REGION: "ap-northeast-1",
    "meta-data/placement/availability-zone": "ap-northeast-1a",
    f"{BASE}/interface-id": "eni-0a1b2c3d4e5f60718",
    f"{BASE}/local-ipv4s": "10.0.1.11\n10.0.1.12",
    f"{BASE}/vpc-id": "vpc-0a1b2c3d4e5f60718",
    f"{BASE}/vpc-ipv4-cidr-blocks": "10.0.0.0/16\n10.2.0.0/16",
}
TRUTH = (
    Identity("i-0a1b2c3d4e5f60718", "ap-northeast-1", "ap-northeast-1a"),
    Interface(
        device="eth1",
        network_interface_id="eni-0a1b2c3d4e5f60718",
        private_ip_addresses=("10.0.1.11", "10.0.1.12"),
        vpc_id="vpc-0a1b2c3d4e5f60718",
        vpc_cidr_blocks=("10.0.0.0/16", "10.2.0.0/16"),
        mac_address=MAC,
    ),
)

Raw = Callable[[bytes], bytes]


def _raw(item: str, status: int = 200) -> bytes:
    return f"HTTP/1.1 {status} OK\r\nContent-Length: {len(item)}\r\nConnection: close\r\n\r\n{item}".encode()


def _service(place: str, spoil: Raw) -> Callable[[Any], None]:
    """A metadata service that is in order but for the answer at one place."""

    def behave(handler: Any) -> None:
        name = handler.path.removeprefix("/latest/")
        whole = _raw(ITEMS[name]) if name in ITEMS else _raw("", 404)
        handler.wfile.write(spoil(whole) if name == place else whole)

    return behave


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with scripted(lambda handler: None) as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("imds")
    a_device(folder / "net", "eth1", address=MAC)
    return folder


def asked(server: ScriptedServer, folder: Path, place: str, spoil: Raw) -> tuple[Identity, Interface] | None:
    """What is believed of the service; None for silence."""
    server.script = [_service(place, spoil)]
    nowhere = "/dev/null"  # so that nothing is kept for the next example
    settings = Settings(server="a", metadata_url=server.url, run_dir=nowhere, net_dir=f"{folder}/net")
    try:
        return identity(settings, Deadline(20)), interface("eth1", settings, Deadline(20))
    except (ImdsSilent, InterfaceUnknown) as error:
        said = str(error)
    assert len(said.splitlines()) == 1
    assert "the-token" not in said
    return None


places = st.sampled_from(sorted(ITEMS))


@times(2)
@given(places, st.integers(0, 200))
def test_an_answer_that_breaks_off_is_not_believed(
    server: ScriptedServer, folder: Path, place: str, length: int
) -> None:
    """Half an id is none, wherever the connection ends."""
    found = asked(server, folder, place, lambda whole: whole[:length])
    assert found in (TRUTH, None)
    if length < len(_raw(ITEMS[place])) and place != REGION:
        assert found is None


@times(1)
@given(places, st.data())
def test_an_answer_that_is_spoilt_stops_nothing(
    server: ScriptedServer, folder: Path, place: str, data: st.DataObject
) -> None:
    """Bytes that are lost or exchanged end in silence, or in something of the proper form."""
    spoilt = data.draw(mutilated(_raw(ITEMS[place])))
    asked(server, folder, place, lambda whole: spoilt)


@times(1)
@given(places, st.sampled_from([200, 200, 301, 401, 403, 404, 418, 500, 503]), arguments)
def test_a_page_of_something_else_is_not_believed(
    server: ScriptedServer, folder: Path, place: str, status: int, text: str
) -> None:
    """What another server says in the service's place is neither an id nor an address."""
    body = f"<html>{text}</html>".encode(errors="surrogateescape")
    head = f"HTTP/1.1 {status} OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    found = asked(server, folder, place, lambda whole: head + body)
    read_off_the_zone = place == REGION and status == 404
    taken_for_a_token = place == "api/token" and status == 200  # this service takes any
    assert found in ((None, TRUTH) if read_off_the_zone or taken_for_a_token else (None,))


ANNOUNCEMENTS: dict[str, Any] = {
    "meta-data/events/maintenance/scheduled": [
        {
            "NotBefore": "21 Jan 2019 09:00:43 GMT",
            "Code": "system-reboot",
            "EventId": "instance-event-0",
            "State": "active",
        }
    ],
    "meta-data/spot/instance-action": {"action": "stop", "time": "2017-09-18T08:22:00Z"},
    "meta-data/events/recommendations/rebalance": {"noticeTime": "2020-10-27T08:22:00Z"},
}


@times(1)
@given(st.sampled_from(sorted(ANNOUNCEMENTS)), st.data())
def test_any_announcement_is_one_or_is_not_known(server: ScriptedServer, place: str, data: st.DataObject) -> None:
    """Whatever is announced in one item can be said in one line, and the other items are read all the same."""
    bodies = {name: as_bytes(content) for name, content in ANNOUNCEMENTS.items()}
    truth = ANNOUNCEMENTS[place]
    bodies[place] = data.draw(mutilated(bodies[place]) | (spoilt(truth) | json_values).map(as_bytes))

    def behave(handler: Any) -> None:
        body = bodies.get(handler.path.removeprefix("/latest/"), b"the-token")
        head = f"HTTP/1.1 200 OK\r\nDate: Mon, 21 Jan 2019 09:00:13 GMT\r\nContent-Length: {len(body)}\r\n\r\n"
        handler.wfile.write(head.encode() + body)

    server.script = [behave]
    settings = Settings(server="a", metadata_url=server.url, connect_timeout=HANGS)
    found = announcement.look(settings, Deadline(HANGS))
    others = {"system-reboot", "stop", "rebalance"} - {_CODES[place]}
    assert others <= {each.code for each in found.found}
    assert all(str(each) and each.left == each.left for each in found.found)


_CODES = dict(zip(ANNOUNCEMENTS, ("system-reboot", "stop", "rebalance"), strict=True))

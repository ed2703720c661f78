"""The files of the registry and of this boot: a spoilt one is trouble or nothing, and is never half believed."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ec2kit.actions import quick_check, recover, remove, restore
from ec2kit.deadline import Deadline
from ec2kit.ec2.answers import Address
from ec2kit.errors import Ec2KitError, RegistryBroken, Unknown
from ec2kit.frameworks.lifekeeper.recovery import Recovery
from ec2kit.registry.definition import from_dict
from ec2kit.resource import Resource
from ec2kit.state import memory, notices, probed
from ec2kit.state.boot import boot_id
from ec2kit.state.file import StateFile
from ec2kit.state.intention import Direction
from ec2kit.status import Status

from ..builders import ALLOCATION, ELASTIC_IP, ENI_A, IP_A, PUBLIC_IP, Desk, a_desk, a_resource
from .hostile import as_bytes, json_values, mutilated, spoilt, times

RESOURCE = a_resource()
DEFINITION = {"version": 1, **RESOURCE.as_dict()}
INTENTION = {"version": 1, "boot": boot_id(), "direction": "up", "generation": 4451795056508}
STATE = {"version": 1, "state": "ISP", "boot": boot_id()}
MEMORY = {
    "version": 1,
    "boot": boot_id(),
    "in_service_at": 1.5,
    "unknown_since": 2.5,
    "unknown_count": 3,
    "reason": "it",
    "objects": ["rtb-1"],
}


def files(content: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """What may be left of a file: bytes of it, JSON that has lost something, any other JSON, anything."""
    other = st.builds(
        lambda value: as_bytes({"version": 1, **value} if isinstance(value, dict) else value), json_values
    )
    deep = st.sampled_from([b"[" * 100_000, b'{"version":' * 50_000, b'{"version": 1, "a": ' + b"9" * 5_000 + b"}"])
    return mutilated(as_bytes(content)) | spoilt(content).map(as_bytes) | other | deep | st.binary()


@pytest.fixture(scope="module")
def fresh() -> Iterator[Path]:
    """A folder for the desk, new for every example; in memory, since all that is written is synced."""
    memory_disk = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory_disk) as folder:
        yield Path(folder) / "fresh"


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o600)


def a_desk_in(folder: Path, resource: Resource = RESOURCE) -> Desk:
    """Server-a, that has the resource in service, and EC2 says so."""
    shutil.rmtree(folder, ignore_errors=True)
    desk = a_desk(folder, resource)
    desk.ec2.routes = {"rtb-1": ENI_A, "rtb-2": ENI_A}
    desk.ec2.held = {ALLOCATION: Address(PUBLIC_IP, ALLOCATION, "eipassoc-1", ENI_A, IP_A)}
    desk.action().intentions.declare(Direction.UP, Deadline(5))
    desk.registry.mark_in_service(resource.tag)
    return desk


def checked(desk: Desk) -> Status:
    return quick_check.quick_check(desk.action("quickCheck")).verdict.status


# -- the definition --------------------------------------------------------------------------------------------


def test_load_definition_cut_anywhere_is_broken(fresh: Path) -> None:
    """Each of its beginnings is known for what it is."""
    desk = a_desk_in(fresh)
    whole = as_bytes(DEFINITION)
    for length in range(len(whole)):
        put(fresh / "state/resources/ec2-vip1.json", whole[:length])
        with pytest.raises(RegistryBroken):
            desk.registry.load("ec2-vip1")


@times(2)
@given(files(DEFINITION))
def test_quick_check_with_any_definition_is_in_service_or_unknown(fresh: Path, content: bytes) -> None:
    """EC2 says that the address is here: no damage to the definition makes that a failure."""
    desk = a_desk_in(fresh)
    put(fresh / "state/resources/ec2-vip1.json", content)
    try:
        still_says_so = _essence(desk.registry.load("ec2-vip1")) == _essence(RESOURCE)
    except Unknown:
        still_says_so = False
        assert checked(desk) is Status.UNKNOWN
    if still_says_so:
        assert checked(desk) is Status.IN_SERVICE


def _essence(resource: Resource) -> Resource:
    """A definition without what may be missing in it."""
    servers = tuple(each._replace(availability_zone="") for each in resource.servers)
    return resource._replace(servers=servers, ip_resource="", revision=1)


@times(1)
@given(spoilt(RESOURCE.as_dict()))
def test_from_dict_spoilt_is_the_same_resource_or_none(stored: Any) -> None:
    """A definition that has lost a part is not filled up with something else."""
    try:
        found = from_dict(stored)
    except ValueError:
        return
    assert _essence(found._replace(servers=RESOURCE.servers)) == _essence(RESOURCE)
    assert set(found.servers) <= set(_without_zones(RESOURCE)) | set(RESOURCE.servers)


def _without_zones(resource: Resource) -> list[Any]:
    return [each._replace(availability_zone="") for each in resource.servers]


# -- what this server wrote down -------------------------------------------------------------------------------

SPOILT = st.one_of(
    st.tuples(st.just("run/ec2-vip1.intention.json"), files(INTENTION)),
    st.tuples(st.just("run/ec2-vip1.memory.json"), files(MEMORY)),
    st.tuples(st.just("run/ec2-vip1.recovery.json"), files({"version": 1, "boot": boot_id(), "failure": 1})),
    st.tuples(st.just("run/identity.json"), files({"version": 1, "boot": boot_id(), "instance_id": "i-a"})),
    st.tuples(st.just("state/states/ec2-vip1.json"), files(STATE)),
    st.tuples(st.just("state/creating/ec2-vip1.json"), files({"version": 1, "before": {"rtb-1": "eni-b"}})),
)
"""A file of this server's, and what is left of it."""


@times(3)
@given(SPOILT)
def test_quick_check_beside_any_file_is_in_service_or_unknown(fresh: Path, damage: tuple[str, bytes]) -> None:
    """What this server remembers is only a help: no damage to it makes a failure."""
    desk = a_desk_in(fresh)
    put(fresh / damage[0], damage[1])
    assert checked(desk) in (Status.IN_SERVICE, Status.UNKNOWN)


@times(3)
@given(SPOILT, st.sampled_from(["route-table", ELASTIC_IP]))
def test_restore_beside_any_file_brings_the_address_here(
    fresh: Path, damage: tuple[str, bytes], scenario: str
) -> None:
    """Damage to what this server remembers does not keep it from taking over."""
    desk = a_desk_in(fresh, a_resource(scenario))
    desk.ec2.routes["rtb-2"] = "eni-b"
    desk.ec2.held = {ALLOCATION: Address(PUBLIC_IP, ALLOCATION, "eipassoc-1", "eni-b", "10.0.2.12")}
    put(fresh / damage[0], damage[1])
    restore.restore(desk.action())
    assert checked(desk) is Status.IN_SERVICE
    assert desk.registry.in_service("ec2-vip1")


@times(3)
@given(SPOILT, st.sampled_from(["route-table", ELASTIC_IP]))
def test_remove_beside_any_file_succeeds(fresh: Path, damage: tuple[str, bytes], scenario: str) -> None:
    """A failed remove would stop the server: whatever is damaged, the resource is out of service afterwards."""
    desk = a_desk_in(fresh, a_resource(scenario))
    put(fresh / damage[0], damage[1])
    remove.remove(desk.action("remove"))
    assert not desk.registry.in_service("ec2-vip1")
    assert desk.ec2.held[ALLOCATION].network_interface_id == (None if scenario == ELASTIC_IP else ENI_A)


@times(2)
@given(SPOILT)
def test_recover_beside_any_file_ends_in_order(fresh: Path, damage: tuple[str, bytes]) -> None:
    """Recovery mends what drifted or says why not; it never takes the address from who has it."""
    desk = a_desk_in(fresh)
    desk.ec2.routes["rtb-2"] = "eni-b"
    put(fresh / damage[0], damage[1])
    with suppress(Ec2KitError):
        Recovery(desk.action("recover")).once(lambda: recover.recover(desk.action("recover")), {})
    assert desk.ec2.routes["rtb-2"] == "eni-b"  # server-b cannot be asked here, so it may have it


@times(2)
@given(files(MEMORY))
def test_recall_any_memory_is_a_memory(fresh: Path, content: bytes) -> None:
    """What is remembered can be told, whatever it is."""
    put(fresh / "ec2-vip1.memory.json", content)
    found = memory.recall(str(fresh), "ec2-vip1")
    assert len(f"{found.age(1e3):.0f} {round(found.age(1e3), 1)} {found.unknown_count}") > 4
    memory.remember(str(fresh), "ec2-vip1", found)
    assert StateFile(str(fresh / "ec2-vip1.memory.json")).read() is not None


PROBE = {
    "version": 1,
    "boot": boot_id(),
    "at": 12.5,
    "way": "icmp",
    "servers": {"server-b": {"outcome": "reached", "milliseconds": 0.5, "detail": ""}},
    "effective": 0.8,
}


@times(2)
@given(files(PROBE))
def test_recall_any_probe_is_a_probe_or_none(fresh: Path, content: bytes) -> None:
    """What is noted of a probe can be shown, also to a program that reads only JSON."""
    put(fresh / "ec2-vip1.probe.json", content)
    found = probed.recall(str(fresh), "ec2-vip1")
    if found is not None:
        json.dumps(found.as_dict(1e3), allow_nan=False)
        probed.keep(str(fresh), "ec2-vip1", found)
        assert probed.recall(str(fresh), "ec2-vip1") == found


LOOK = {"version": 1, "boot": boot_id(), **notices.Kept(1.5, ("it",), ("it",), ("it",), "stays", "it")._asdict()}


@times(2)
@given(files(LOOK))
def test_recall_any_note_of_a_look_is_one(fresh: Path, content: bytes) -> None:
    """The next look goes on from it, and writes another one."""
    put(fresh / "notices.json", content)
    found = notices.recall(str(fresh))
    assert len(f"{found.looked_at:.0f} {round(found.calm_since, 1)} {found.unknown_count + 1}") > 4
    notices.keep(str(fresh), found)
    assert notices.recall(str(fresh))._replace(looked_at=0.0, calm_since=0.0, asked_at=0.0) == found._replace(
        looked_at=0.0, calm_since=0.0, asked_at=0.0
    )

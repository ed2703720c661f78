"""The registry in files."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ec2kit.errors import BadRequest, RegistryBroken, RegistryEmpty, StateUnusable, TagUnknown
from ec2kit.messages import catalogue
from ec2kit.registry.local import LocalRegistry
from ec2kit.state.file import StateFile

from ..builders import a_resource, a_server, raises


@pytest.fixture
def registry(tmp_path: Path) -> LocalRegistry:
    """A registry of server-a that has one resource."""
    found = LocalRegistry(str(tmp_path / "state"), server="server-a")
    found.store(a_resource())
    return found


def test_load_stored_resource_is_the_same(registry: LocalRegistry) -> None:
    """What was stored is loaded."""
    assert registry.load("ec2-vip1") == a_resource()
    assert registry.resources() == [a_resource()]


def test_store_file_is_private(registry: LocalRegistry) -> None:
    """A definition is 0600."""
    assert stat.S_IMODE(Path(registry.place, "ec2-vip1.json").stat().st_mode) == 0o600


def test_load_unknown_tag_in_an_intact_registry_raises_tag_unknown(registry: LocalRegistry) -> None:
    """An intact registry that does not know a tag gives an answer."""
    with pytest.raises(TagUnknown, match="there is no resource ec2-vip2 on server-a"):
        registry.load("ec2-vip2")


def test_load_registry_missing_raises_registry_empty(tmp_path: Path) -> None:
    """A registry that is missing is trouble, not an answer."""
    with pytest.raises(RegistryEmpty):
        LocalRegistry(str(tmp_path / "nowhere"), server="server-a").load("ec2-vip1")


def test_load_registry_empty_raises_registry_empty(registry: LocalRegistry) -> None:
    """So is one that has no resource at all."""
    registry.remove("ec2-vip1")
    with pytest.raises(RegistryEmpty):
        registry.load("ec2-vip1")


BROKEN = [
    pytest.param("", id="empty"),
    pytest.param('{"version": 1, "tag"', id="cut"),
    pytest.param('{"version": 2, "tag": "x"}', id="later-version"),
    pytest.param('{"version": 1}', id="no-fields"),
    pytest.param("[" * 100_000, id="deep"),
]


@pytest.mark.parametrize("text", BROKEN)
def test_load_own_file_broken_raises_registry_broken(text: str, registry: LocalRegistry) -> None:
    """A definition that cannot be read is trouble that names the file."""
    Path(registry.place, "ec2-vip1.json").write_text(text)
    with pytest.raises(RegistryBroken, match=r"ec2-vip1\.json"):
        registry.load("ec2-vip1")


@pytest.mark.parametrize("text", BROKEN)
def test_load_unknown_tag_beside_a_broken_neighbour_is_no_answer(text: str, registry: LocalRegistry) -> None:
    """A registry with a broken file is not intact, so that a tag is not in it says nothing."""
    Path(registry.place, "ec2-vip9.json").write_text(text)
    with pytest.raises(RegistryBroken, match=r"ec2-vip9\.json"):
        registry.load("ec2-vip2")


def test_load_known_tag_beside_a_broken_neighbour_is_loaded(registry: LocalRegistry) -> None:
    """One broken file costs its own resource only."""
    Path(registry.place, "ec2-vip9.json").write_text("")
    assert registry.load("ec2-vip1") == a_resource()


def test_load_file_of_another_tag_raises_registry_broken(registry: LocalRegistry) -> None:
    """A copied or renamed file is not taken for the resource that its name says."""
    text = Path(registry.place, "ec2-vip1.json").read_text()
    Path(registry.place, "ec2-vip2.json").write_text(text)
    with pytest.raises(RegistryBroken, match="it is the definition of ec2-vip1"):
        registry.load("ec2-vip2")


def test_load_place_is_no_folder_raises_registry_broken(tmp_path: Path) -> None:
    """A registry that cannot be listed is broken, not empty."""
    (tmp_path / "resources").write_text("")
    with pytest.raises(RegistryBroken):
        LocalRegistry(str(tmp_path), server="server-a").load("ec2-vip1")


def test_resources_are_in_order_of_tags(registry: LocalRegistry) -> None:
    """All of them, by tag; none where nothing was ever created; half-written ones never."""
    registry.store(a_resource(tag="a-vip"))
    Path(registry.place, "x.json.1.tmp").write_text("half")
    assert [each.tag for each in registry.resources()] == ["a-vip", "ec2-vip1"]


def test_resources_nothing_created_are_none(tmp_path: Path) -> None:
    """A new server has an empty list."""
    assert LocalRegistry(str(tmp_path), server="server-a").resources() == []


# -- revisions ---------------------------------------------------------------------------------------------


def test_store_newer_revision_replaces(registry: LocalRegistry) -> None:
    """A definition gives way to the next one."""
    newer = a_resource().with_server(a_server("server-d", 30))
    registry.store(newer, replaces=1)
    assert registry.load("ec2-vip1") == newer


@pytest.mark.parametrize(
    "replaces", [pytest.param(0, id="new"), pytest.param(2, id="older"), pytest.param(4, id="newer")]
)
def test_store_in_place_of_another_revision_raises_and_keeps(replaces: int, registry: LocalRegistry) -> None:
    """Of two changes at the same time one is told that it came second."""
    registry.store(a_resource(revision=3), replaces=1)
    with raises(BadRequest, catalogue.REVISION_CHANGED):
        registry.store(a_resource(revision=9, address="10.1.0.99"), replaces=replaces)
    assert registry.load("ec2-vip1").address == "10.1.0.10"


def test_store_in_place_of_a_definition_that_is_gone_raises_and_stores_nothing(registry: LocalRegistry) -> None:
    """A resource that was deleted does not come back by a change that began before."""
    registry.remove("ec2-vip1")
    with raises(BadRequest, catalogue.REVISION_CHANGED):
        registry.store(a_resource(revision=2), replaces=1)
    assert not registry.has("ec2-vip1")


def test_store_folder_unusable_raises_state_unusable(tmp_path: Path) -> None:
    """A registry that cannot be written says so."""
    (tmp_path / "state").write_text("")
    with pytest.raises((StateUnusable, RegistryBroken)):
        LocalRegistry(str(tmp_path / "state"), server="server-a").store(a_resource())


def test_remove_takes_definition_and_state_and_may_be_repeated(registry: LocalRegistry) -> None:
    """What is removed is gone with its state; what is not there is no error."""
    registry.mark_in_service("ec2-vip1")
    registry.remove("ec2-vip1")
    registry.remove("ec2-vip1")
    registry.store(a_resource())
    assert registry.state("ec2-vip1") == "OSU"


# -- states ------------------------------------------------------------------------------------------------


def test_state_follows_the_marks(registry: LocalRegistry) -> None:
    """In service, out of service, failed: the words of LifeKeeper."""
    assert registry.state("ec2-vip1") == "OSU"
    registry.mark_in_service("ec2-vip1")
    assert (registry.state("ec2-vip1"), registry.in_service("ec2-vip1")) == ("ISP", True)
    registry.mark_out_of_service("ec2-vip1", failed=True)
    assert (registry.state("ec2-vip1"), registry.in_service("ec2-vip1")) == ("OSF", False)
    registry.mark_out_of_service("ec2-vip1")
    assert (registry.state("ec2-vip1"), registry.in_service("ec2-vip1")) == ("OSU", False)


def _state_file(registry: LocalRegistry) -> StateFile:
    return StateFile(str(Path(registry.place).parent / "states" / "ec2-vip1.json"))


def test_state_in_service_of_another_boot_is_out_of_service(registry: LocalRegistry) -> None:
    """ISP counts only for the boot that wrote it."""
    _state_file(registry).write({"state": "ISP", "boot": "another"})
    assert registry.state("ec2-vip1") == "OSU"
    assert not registry.in_service("ec2-vip1")


def test_state_failed_of_another_boot_stays_failed(registry: LocalRegistry) -> None:
    """Only being in service ends with the boot."""
    _state_file(registry).write({"state": "OSF", "boot": "another"})
    assert registry.state("ec2-vip1") == "OSF"


def test_state_damaged_raises_and_the_next_mark_mends_it(registry: LocalRegistry) -> None:
    """A damaged state is trouble, neither yes nor no, until it is written anew."""
    _state_file(registry).write({})
    Path(_state_file(registry).path).write_text("half")
    with pytest.raises(StateUnusable):
        registry.in_service("ec2-vip1")
    registry.mark_in_service("ec2-vip1")
    assert registry.in_service("ec2-vip1")

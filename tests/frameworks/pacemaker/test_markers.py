"""The registry where the framework has the definitions."""

from __future__ import annotations

from pathlib import Path

import pytest

from ec2kit.errors import ArgumentInvalid, ImdsSilent
from ec2kit.frameworks.pacemaker.markers import Markers
from ec2kit.resource import Resource
from ec2kit.state.boot import boot_id
from ec2kit.state.file import StateFile

from ...builders import a_resource


@pytest.fixture
def markers(tmp_path: Path) -> Markers:
    return Markers(str(tmp_path / "run"), a_resource, server="server-a")


def test_marker_is_there_from_in_service_to_out_of_service(markers: Markers, tmp_path: Path) -> None:
    """Brought in service here is what has a marker; taken out leaves nothing behind."""
    assert not markers.in_service("vip")
    markers.mark_in_service("vip")
    assert (markers.in_service("vip"), markers.state("vip"), markers.in_service("other")) == (True, "ISP", False)
    markers.mark_out_of_service("vip", failed=True)
    assert (markers.in_service("vip"), markers.state("vip")) == (False, "OSU")
    assert list((tmp_path / "run").iterdir()) == []


def test_marker_of_another_boot_counts_for_nothing(markers: Markers, tmp_path: Path) -> None:
    """What ran before the machine went down does not run now."""
    StateFile(str(tmp_path / "run" / "vip.marker.json")).write({"boot": "another"})
    assert not markers.in_service("vip")


def test_marker_that_is_damaged_counts(markers: Markers, tmp_path: Path) -> None:
    """Only start writes one, so a resource is not declared dead for a damaged file."""
    markers.mark_in_service("vip")
    (tmp_path / "run" / "vip.marker.json").write_text("{")
    assert markers.in_service("vip")


def test_resources_are_the_one_of_the_call_and_those_in_service_here(markers: Markers, tmp_path: Path) -> None:
    """A marker has the definition as of the start; one without it, of an earlier version, or damaged has none."""
    folder, mine = str(tmp_path / "run"), a_resource(tag="mine")
    Markers(folder, lambda: a_resource(tag="vip"), server="server-a").mark_in_service("vip")
    Markers(folder, lambda: mine._replace(address="10.1.0.99"), server="server-a").mark_in_service("mine")
    StateFile(f"{folder}/earlier.marker.json").write({"boot": boot_id()})
    StateFile(f"{folder}/edited.marker.json").write({"boot": boot_id(), "resource": 7})
    StateFile(f"{folder}/before.marker.json").write({"boot": "another", "resource": a_resource().as_dict()})
    (tmp_path / "run" / "cut.marker.json").write_text("{")
    neighbour = Markers(folder, lambda: mine, server="server-a")
    assert neighbour.resources() == [mine, a_resource(tag="vip")]
    markers.mark_out_of_service("vip")
    assert neighbour.resources() == [mine]


def test_definition_comes_from_outside_with_its_trouble(tmp_path: Path) -> None:
    """What is not known of this server is trouble of the definition, whoever loads it."""

    def silent() -> Resource:
        raise ImdsSilent(endpoint="http://127.0.0.1:9", reason="nobody listens")

    assert Markers(str(tmp_path), a_resource, server="a").load("vip") == a_resource()
    unknown = Markers(str(tmp_path), silent, server="a")
    with pytest.raises(ImdsSilent):
        unknown.load("vip")
    unknown.mark_in_service("vip")
    assert unknown.in_service("vip")


def test_definition_cannot_be_changed_here(markers: Markers) -> None:
    """The cluster's configuration is changed with the cluster's tools."""
    with pytest.raises(ArgumentInvalid, match="cluster's configuration"):
        markers.store(a_resource())
    with pytest.raises(ArgumentInvalid, match="cluster's configuration"):
        markers.rename("vip", a_resource())

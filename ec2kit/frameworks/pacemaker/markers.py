"""
Under Pacemaker, which has the definitions, the registry keeps only markers of the resources in service here.

A marker has the definition as of the start, for the neighbours on this server: their checks ask EC2 for all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress

from ec2kit.errors import ArgumentInvalid, Ec2KitError, RegistryBroken, StateUnusable
from ec2kit.registry.definition import from_dict
from ec2kit.resource import Resource, hosts
from ec2kit.state.file import Damaged
from ec2kit.state.note import MARKER, Note, tags_with


class Markers:
    """
    The definition comes with each call; FOLDER/TAG.marker.json exists while the resource is in service here.

    Args:
        folder: EC2KIT_RUN_DIR, which a boot empties.
        define: Makes the definition; `load` raises its errors.
        device: The device on which the resource puts its addresses; "": on none.
    """

    place = "the cluster's configuration"

    def __init__(self, folder: str, define: Callable[[], Resource], *, server: str, device: str = "") -> None:
        self.server = server
        self._device = device
        self._folder = folder
        self._define = define

    def load(self, tag: str) -> Resource:
        return self._define()

    def latest(self, tag: str) -> Resource:
        return self._define()

    def resources(self) -> list[Resource]:
        """Return the resource of this call, and those in service here as far as their markers have definitions."""
        mine = self._define()
        others = {each.tag: each for each in self._in_service()}
        return [each for _, each in sorted({**others, mine.tag: mine}.items())]

    def _in_service(self) -> Iterator[Resource]:
        for _, resource in _marked(self._folder):
            yield resource

    def survey(self) -> list[Resource | RegistryBroken]:
        return [*self.resources()]

    def has(self, tag: str) -> bool:
        return True

    def store(self, resource: Resource, changed: Collection[str] = (), *, replaces: int = 0) -> None:
        raise self._not_ours()

    def rename(self, tag: str, resource: Resource) -> None:
        raise self._not_ours()

    def remove(self, tag: str) -> None:
        self.forget_state(tag)

    def _not_ours(self) -> ArgumentInvalid:
        return ArgumentInvalid(name="resource", reason=f"it is defined in {self.place}")

    def in_service(self, tag: str) -> bool:
        """Tell whether there is a marker of this boot; a damaged marker counts, because an action wrote it."""
        try:
            return self._marker(tag).read() is not None
        except Damaged:
            return True

    def state(self, tag: str) -> str:
        return "ISP" if self.in_service(tag) else "OSU"

    def mark_in_service(self, tag: str) -> None:
        definition = {}
        with suppress(Ec2KitError):  # the address is in service here even if its definition cannot be made now
            definition = {"resource": self._define().as_dict(), "device": self._device}
        self._marker(tag).write(definition)

    def mark_out_of_service(self, tag: str, *, failed: bool = False) -> None:
        self._marker(tag).remove()

    def forget_state(self, tag: str) -> None:
        self._marker(tag).remove()

    def _marker(self, tag: str) -> Note:
        return Note(self._folder, tag, MARKER)


def neighbours(folder: str, tag: str, device: str) -> dict[str, str]:
    """Return the addresses that other resources in service here have put on a device → the resource's name."""
    others = [each for on, each in _marked(folder) if on == device and each.tag != tag]
    return {address: each.tag for each in others for address in hosts(each.address)}


def _marked(folder: str) -> Iterator[tuple[str, Resource]]:
    """Yield what is in service here, each with the device on which it has put its addresses, "" for none."""
    for tag in tags_with(MARKER, folder):
        with suppress(Damaged, StateUnusable, ValueError):
            marker = Note(folder, tag, MARKER).read() or {}
            if "resource" in marker:
                yield str(marker.get("device", "")), from_dict(marker["resource"])

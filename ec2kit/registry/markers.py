"""The registry where the framework has the definitions: kept is only which resource was brought in service here."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection

from ec2kit.errors import ArgumentInvalid
from ec2kit.resource import Resource
from ec2kit.state import Damaged, StateFile, boot_id


class Markers:
    """
    One resource, whose definition comes with each call, and FOLDER/TAG.marker.json while it is in service here.

    Args:
        folder: EC2KIT_RUN_DIR, which a boot empties.
        define: Makes the definition; what it raises, `load` raises.
    """

    place = "the cluster's configuration"

    def __init__(self, folder: str, define: Callable[[], Resource], *, server: str) -> None:
        self.server = server
        self._folder = folder
        self._define = define

    def load(self, tag: str) -> Resource:
        return self._define()

    def latest(self, tag: str) -> Resource:
        return self._define()

    def resources(self) -> list[Resource]:
        return [self._define()]

    def has(self, tag: str) -> bool:
        return True

    def store(self, resource: Resource, changed: Collection[str] = ()) -> None:
        raise self._not_ours()

    def rename(self, tag: str, resource: Resource) -> None:
        raise self._not_ours()

    def remove(self, tag: str) -> None:
        self.forget_state(tag)

    def _not_ours(self) -> ArgumentInvalid:
        return ArgumentInvalid(name="resource", reason=f"it is defined in {self.place}")

    def in_service(self, tag: str) -> bool:
        """Whether there is a marker of this boot; a damaged one is one, since somebody wrote it."""
        try:
            content = self._marker(tag).read()
        except Damaged:
            return True
        return content is not None and content.get("boot") == boot_id()

    def state(self, tag: str) -> str:
        return "ISP" if self.in_service(tag) else "OSU"

    def mark_in_service(self, tag: str) -> None:
        self._marker(tag).write({"boot": boot_id()})

    def mark_out_of_service(self, tag: str, *, failed: bool = False) -> None:
        self._marker(tag).remove()

    def forget_state(self, tag: str) -> None:
        self._marker(tag).remove()

    def _marker(self, tag: str) -> StateFile:
        return StateFile(os.path.join(self._folder, f"{tag}.marker.json"))

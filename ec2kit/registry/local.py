"""Without LifeKeeper, the registry has one durable file for each resource."""

from __future__ import annotations

import os
from collections.abc import Collection

from ec2kit.deadline import Deadline
from ec2kit.errors import BadRequest, RegistryBroken, RegistryEmpty, StateUnusable, TagUnknown
from ec2kit.messages import catalogue
from ec2kit.registry.definition import from_dict
from ec2kit.registry.states import States
from ec2kit.resource import Resource
from ec2kit.state.file import Damaged, StateFile
from ec2kit.state.lock import Lock

_LOCK_SECONDS = 5.0


class LocalRegistry:
    """
    The definitions are in FOLDER/resources/TAG.json, this server's states in FOLDER/states/TAG.json.

    Args:
        folder: EC2KIT_STATE_DIR.
        spare: The place for states that cannot be written in FOLDER, EC2KIT_RUN_DIR; None: there is no such place.
    """

    def __init__(self, folder: str, *, server: str, spare: str | None = None) -> None:
        self.server = server
        self.place = os.path.join(folder, "resources")
        self._states = States(os.path.join(folder, "states"), spare=spare)
        self._lock = Lock(os.path.join(folder, "registry.lock"))

    def load(self, tag: str) -> Resource:
        resource = self._read(tag)
        if resource is not None:
            return resource
        if not self.resources():
            raise RegistryEmpty(path=self.place, tag=tag)
        raise TagUnknown(tag=tag, server=self.server)

    def latest(self, tag: str) -> Resource:
        return self.load(tag)

    def resources(self) -> list[Resource]:
        found = (self._read(tag) for tag in self._tags())
        return [resource for resource in found if resource is not None]

    def survey(self) -> list[Resource | RegistryBroken]:
        found = (self._read_or_error(tag) for tag in self._tags())
        return [each for each in found if each is not None]

    def has(self, tag: str) -> bool:
        return self._read(tag) is not None

    def store(self, resource: Resource, changed: Collection[str] = (), *, replaces: int = 0) -> None:
        with self._lock.held(Deadline(_LOCK_SECONDS), "writing the registry"):
            present = self._read(resource.tag)
            if (present.revision if present is not None else 0) != replaces:
                raise BadRequest(catalogue.REVISION_CHANGED, tag=resource.tag)
            if present is None:
                self._states.remove(resource.tag)  # of another resource that had the tag
            self._definition(resource.tag).write(resource.as_dict())

    def rename(self, tag: str, resource: Resource) -> None:
        with self._lock.held(Deadline(_LOCK_SECONDS), "writing the registry"):
            present = self._read(resource.tag)
            for each in (present, self._read(tag)):
                if each is not None and not each.protects_the_same_as(resource):
                    raise BadRequest(
                        catalogue.NOT_FREE, what=f"tag {each.tag} on {self.server}", by="another resource"
                    )
            self._states.write(resource.tag, self.state(tag))
            self._definition(resource.tag).write(resource.as_dict())
            self._definition(tag).remove()
            self._states.remove(tag)

    def remove(self, tag: str) -> None:
        with self._lock.held(Deadline(_LOCK_SECONDS), "writing the registry"):
            self._states.remove(tag)  # first: a definition made anew must not find an old state
            self._definition(tag).remove()

    def in_service(self, tag: str) -> bool:
        return self.state(tag) == "ISP"

    def state(self, tag: str) -> str:
        return self._states.read(tag) or "OSU"

    def mark_in_service(self, tag: str) -> StateUnusable | None:
        return self._states.write(tag, "ISP")

    def mark_out_of_service(self, tag: str, *, failed: bool = False) -> StateUnusable | None:
        return self._states.write(tag, "OSF" if failed else "OSU")

    def forget_state(self, tag: str) -> None:
        self._states.remove(tag)

    def _tags(self) -> list[str]:
        try:
            names = os.listdir(self.place)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RegistryBroken(path=self.place, reason=error.strerror) from error
        return sorted(name[: -len(".json")] for name in names if name.endswith(".json"))

    def _read(self, tag: str) -> Resource | None:
        file = self._definition(tag)
        try:
            content = file.read()
            resource = from_dict(content) if content is not None else None
        except (Damaged, ValueError) as error:
            raise RegistryBroken(path=file.path, reason=str(error)) from error
        except StateUnusable as error:
            raise RegistryBroken(path=file.path, reason=error.fields["reason"]) from error
        if resource is not None and resource.tag != tag:
            raise RegistryBroken(path=file.path, reason=f"it is the definition of {resource.tag}")
        return resource

    def _read_or_error(self, tag: str) -> Resource | RegistryBroken | None:
        try:
            return self._read(tag)
        except RegistryBroken as error:
            return error

    def _definition(self, tag: str) -> StateFile:
        return StateFile(os.path.join(self.place, f"{tag}.json"))

"""Under LifeKeeper, the registry keeps each definition as an info in LifeKeeper's database, on every server."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

from ec2kit.errors import BadRequest, HalfMade, RegistryBroken, RegistryEmpty, StateUnusable, TagUnknown
from ec2kit.frameworks.lifekeeper.commands import TYPE, Instance, LifeKeeper
from ec2kit.messages import catalogue
from ec2kit.registry.definition import from_dict
from ec2kit.registry.states import States
from ec2kit.resource import Resource, Server
from ec2kit.scenarios.table import scenario_of

_FORMAT = "ec2kit=1"
_UNFINISHED = f"{_FORMAT} unfinished"
"""The info until the relations exist, too; until then the resource does not count."""

_END = "end"
"""The last word; without it, an info that LifeKeeper cut between two servers would look complete."""


class LifeKeeperRegistry:
    """
    Definitions are in LifeKeeper's database, the states of this boot in this server's files.

    Args:
        states: The states that restore and remove wrote here; LifeKeeper writes its own state only after their end.
    """

    def __init__(self, lifekeeper: LifeKeeper, states: States, *, server: str) -> None:
        self.server = server
        self.place = f"LifeKeeper's database in {lifekeeper.root}"
        self._lifekeeper = lifekeeper
        self._states = states

    # -- definitions --

    def load(self, tag: str) -> Resource:
        instance = self._lifekeeper.instance(tag)
        if instance is None:
            self._must_be_intact_without(tag)
        if instance is None or instance.type != TYPE:
            raise TagUnknown(tag=tag, server=self.server)
        return self._definition(instance)

    def latest(self, tag: str) -> Resource:
        """Return a definition with LifeKeeper's switchback and priorities; its GUI changes them outside the info."""
        stored, instance = self.load(tag), self._lifekeeper.instance(tag)
        priorities = self._lifekeeper.priorities(tag, own=self.server)
        servers = tuple(each._replace(priority=priorities.get(each.name, each.priority)) for each in stored.servers)
        switchback = instance.switchback if instance is not None else ""
        return stored._replace(switchback=switchback or stored.switchback, servers=servers)

    def _must_be_intact_without(self, tag: str) -> None:
        """Raise if the database is empty or contradicts itself; then a missing tag is no answer."""
        known = [each.tag for each in self._lifekeeper.instances(kind=TYPE)]
        if not known:
            raise RegistryEmpty(path=self.place, tag=tag)
        if tag in known:
            raise RegistryBroken(path=self.place, reason=f"it lists {tag}, and then does not know it")

    def resources(self) -> list[Resource]:
        listed = self._lifekeeper.instances(kind=TYPE)
        return sorted((self._definition(each) for each in listed if _is_ours(each)), key=lambda each: each.tag)

    def survey(self) -> list[Resource | RegistryBroken]:
        listed = sorted(self._lifekeeper.instances(kind=TYPE), key=lambda each: each.tag)
        return [self._definition_or_error(each) for each in listed if _is_ours(each)]

    def has(self, tag: str) -> bool:
        instance = self._lifekeeper.instance(tag)
        return instance is not None and instance.info != _UNFINISHED

    def store(self, resource: Resource, changed: Collection[str] = (), *, replaces: int = 0) -> None:
        """
        Store a definition: its relations first, its info last, so that a store that was cut off is repeated.

        Raises:
            BadRequest: Another kit's resource has the tag, or the present definition has another revision or is gone.
            LifeKeeperFailed: The definition cannot be stored.
        """
        self._must_be(replaces, resource.tag)
        self._store(resource, _identifier(resource), resource.switchback, changed)

    def _store(self, resource: Resource, identifier: str, switchback: str, changed: Collection[str] = ()) -> None:
        present = self._lifekeeper.instance(resource.tag)
        if present is None:
            self._states.remove(resource.tag)  # of another resource that had the tag
            self._lifekeeper.create(resource.tag, identifier, _UNFINISHED, switchback)
        elif "switchback" in changed or present.info == _UNFINISHED:
            self._lifekeeper.set_switchback(resource.tag, switchback)
        self._relate(resource)
        if "priority" in changed:
            self._set_priority(resource)
        self._lifekeeper.set_info(resource.tag, to_info(resource))
        self._lifekeeper.synchronize()

    def _must_be(self, revision: int, tag: str) -> None:
        """Raise unless the present definition has this revision; an unfinished one counts as none."""
        present = self._lifekeeper.instance(tag)
        if present is not None and not present.info.startswith(_FORMAT):
            by = f"a resource of {present.application}/{present.type}"
            raise BadRequest(catalogue.NOT_FREE, what=f"tag {tag}", by=by)
        found = 0 if present is None or present.info == _UNFINISHED else self._definition(present).revision
        if found != revision:
            raise BadRequest(catalogue.REVISION_CHANGED, tag=tag)

    def _relate(self, resource: Resource) -> None:
        """Relate the resource to those of the other servers, and to the IP resource if that is on this server."""
        own = resource.server(self.server)
        others = {each.name: each for each in resource.servers if each is not own}
        for name, tag in self._lifekeeper.equivalents(resource.tag).items():
            if name not in others:
                self._lifekeeper.remove_equivalence(resource.tag, system=name, other_tag=tag)
        for name, other in others.items():
            self._lifekeeper.create_equivalence(
                resource.tag,
                priority=own.priority,
                system=name,
                other_tag=resource.tag,
                other_priority=other.priority,
            )
        if resource.ip_resource and self._lifekeeper.instance(resource.ip_resource) is not None:
            self._lifekeeper.create_dependency(parent=resource.ip_resource, child=resource.tag)

    def _set_priority(self, resource: Resource) -> None:
        """Set this server's priority if LifeKeeper has another one; each server sets only its own."""
        wanted = resource.server(self.server).priority
        if self._lifekeeper.priorities(resource.tag, own=self.server).get(self.server, wanted) != wanted:
            self._lifekeeper.set_priority(resource.tag, wanted)

    def rename(self, tag: str, resource: Resource) -> None:
        """Rename by a second resource that replaces the first, because LifeKeeper has no command to rename."""
        if not self.load(tag).protects_the_same_as(resource):
            raise BadRequest(catalogue.NOT_FREE, what=f"tag {tag} on {self.server}", by="another resource")
        new, state = resource.tag, self.state(tag)
        present = self._lifekeeper.instance(new)
        if present is None or present.info == _UNFINISHED:
            old = self._lifekeeper.instance(tag)
            switchback = old.switchback if old is not None else ""
            self._store(resource, self._other_identifier(tag, resource), switchback or resource.switchback)
        elif not (_is_ours(present) and self._definition(present).protects_the_same_as(resource)):
            raise BadRequest(catalogue.NOT_FREE, what=f"tag {new} on {self.server}", by="another resource")
        else:
            self._lifekeeper.set_info(new, to_info(resource))
        self._states.write(new, self._states.read(tag) or state)
        for parent in self._lifekeeper.parents(tag):
            self._lifekeeper.create_dependency(parent=parent, child=new)
        if state == "ISP":
            self._lifekeeper.set_state(new, state)
        self.remove(tag)

    def _other_identifier(self, tag: str, resource: Resource) -> str:
        """Return an id that the old resource does not have; LifeKeeper needs unique ids, also during a rename."""
        old, usual = self._lifekeeper.instance(tag), _identifier(resource)
        return f"{usual}/2" if old is not None and old.id == usual else usual

    def remove(self, tag: str) -> None:
        for parent in self._lifekeeper.parents(tag):
            self._lifekeeper.remove_dependency(parent=parent, child=tag)
        self._lifekeeper.remove(tag)
        self._states.remove(tag)

    def _definition_or_error(self, instance: Instance) -> Resource | RegistryBroken:
        try:
            return self._definition(instance)
        except RegistryBroken as error:
            return error

    def _definition(self, instance: Instance) -> Resource:
        try:
            return from_info(instance.tag, instance.info)
        except ValueError as error:
            kind = HalfMade if instance.info == _UNFINISHED else RegistryBroken
            raise kind(path=f"the info of {instance.tag} in {self.place}", reason=str(error)) from error

    # -- states --

    def in_service(self, tag: str) -> bool:
        """Tell whether a resource is in service, by the state that restore or remove wrote, or by LifeKeeper's."""
        state = None
        with suppress(StateUnusable):
            state = self._states.read(tag)
        return state == "ISP" if state is not None else self.state(tag) == "ISP"

    def state(self, tag: str) -> str:
        """Return LifeKeeper's own state; ISU counts as ISP, because it is in service."""
        instance = self._lifekeeper.instance(tag)
        if instance is None:
            return "OSU"
        return "ISP" if instance.is_in_service else instance.state

    def mark_in_service(self, tag: str) -> StateUnusable | None:
        return self._states.write(tag, "ISP")

    def mark_out_of_service(self, tag: str, *, failed: bool = False) -> StateUnusable | None:
        return self._states.write(tag, "OSF" if failed else "OSU")

    def forget_state(self, tag: str) -> None:
        self._states.remove(tag)


def _identifier(resource: Resource) -> str:
    return f"{resource.scenario}:{_spelt(scenario_of(resource).subject(resource))}"


# -- the info: one line of NAME=VALUE, without blanks in a value ------------------------------------------------


def _is_ours(instance: Instance) -> bool:
    return instance.info.startswith(_FORMAT) and instance.info != _UNFINISHED


def tags_of_ours(lifekeeper: LifeKeeper) -> list[str]:
    """Return the tags of ec2kit's resources on this server, also of unfinished ones; raises LifeKeeperFailed."""
    return sorted(each.tag for each in lifekeeper.instances(kind=TYPE) if each.info.startswith(_FORMAT))


_FIELDS = ("scenario", "region", "vpc_id", "address", "allocation_id", "switchback", "ip_resource", "revision")
"""Fields of every resource, in this order; earlier versions need the allocation."""

_OF_A_SERVER = Server._fields

_SEVERAL = "[]"
"""Follows the name of a field with several values; the values are separated by commas."""


def to_info(resource: Resource) -> str:
    """
    Return a definition as LifeKeeper's info; every server keeps the ENIs of all servers.

    "ec2kit=1 scenario=… region=… … server=node1/1/eth1/eni-0a/10.0.1.11/i-0a/us-east-1a server=node2/10/… end"
    """
    stored = resource.as_dict()
    words = [_FORMAT, *(f"{name}={stored[name]}" for name in _FIELDS)]
    words += [_word(name, stored[name]) for name in resource.own._fields if name not in _FIELDS and stored.get(name)]
    words += ["server=" + "/".join(str(each[name]) for name in _OF_A_SERVER) for each in stored["servers"]]
    return " ".join([*words, _END])


def _word(name: str, value: str | list[str]) -> str:
    if isinstance(value, str):
        return f"{name}={_spelt(value)}"
    return f"{name}{_SEVERAL}={','.join(map(_spelt, value))}"


def _spelt(value: str) -> str:
    """Return a value of a kind's own field without blanks, commas and the like: each byte of them is "%2C"."""
    return "".join(each if each in _PLAIN else "".join(f"%{byte:02X}" for byte in each.encode()) for each in value)


_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:/=@")


def _meant(text: str) -> str:
    """Return what `_spelt` has spelt; raises ValueError."""
    first, *rest = text.split("%")
    spelt = (bytes.fromhex(each[:2]) + each[2:].encode() for each in rest)
    return (first.encode() + b"".join(spelt)).decode()


def from_info(tag: str, info: str) -> Resource:
    """
    Read a definition from LifeKeeper's info.

    Raises:
        ValueError: The info does not have the form of `to_info`.
    """
    format_, *words = info.split(" ")
    if info == _UNFINISHED:
        raise ValueError(
            f"it was cut off; run create or extend again, or `ec2kit delete {tag} --local` to be rid of it"
        )
    if format_ != _FORMAT:
        raise ValueError("ec2kit did not write it")
    if words[-1:] != [_END]:
        raise ValueError("its end is missing")
    pairs = [word.partition("=")[::2] for word in words]
    stored: dict[str, Any] = {name: value for name, value in pairs if name != "server"}
    several = {name: value for name, value in pairs if name.endswith(_SEVERAL)}
    stored |= {name.removesuffix(_SEVERAL): [*map(_meant, value.split(","))] for name, value in several.items()}
    stored |= {name: _meant(value) for name, value in pairs if name not in (*_FIELDS, *several, "server")}
    servers = [_server(value) for name, value in pairs if name == "server"]
    return from_dict({**stored, "tag": tag, "servers": servers, "revision": int(stored.get("revision", ""))})


def _server(text: str) -> Mapping[str, Any]:
    fields = dict(zip(_OF_A_SERVER, text.split("/"), strict=True))
    return {**fields, "priority": int(fields["priority"])}

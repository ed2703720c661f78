"""The registry under LifeKeeper: definitions in the info of its own database, on each server in that server's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

from ec2kit.errors import HalfMade, NotFree, RegistryBroken, RegistryEmpty, RevisionChanged, StateUnusable, TagUnknown
from ec2kit.lifekeeper import TYPE, Instance, LifeKeeper
from ec2kit.registry.states import States
from ec2kit.resource import Resource, Server, from_dict

_FORMAT = "ec2kit=1"
_UNFINISHED = f"{_FORMAT} unfinished"
"""The info until the relations are there as well; such a resource does not count yet."""

_END = "end"
"""The last word: an info that LifeKeeper cut between two servers would else be one of fewer servers."""


class LifeKeeperRegistry:
    """
    Definitions in LifeKeeper's database; whether a resource was brought in service here in this boot in files.

    Args:
        states: What the last restore or remove here wrote. LifeKeeper writes its own word only after they ended.
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
        """What was changed in LifeKeeper's own GUI stands in its database, and not in the info."""
        stored, instance = self.load(tag), self._lifekeeper.instance(tag)
        priorities = self._lifekeeper.priorities(tag, own=self.server)
        servers = tuple(each._replace(priority=priorities.get(each.name, each.priority)) for each in stored.servers)
        switchback = instance.switchback if instance is not None else ""
        return stored._replace(switchback=switchback or stored.switchback, servers=servers)

    def _must_be_intact_without(self, tag: str) -> None:
        """That a tag is unknown is an answer of a database that knows others, and does not contradict itself."""
        known = [each.tag for each in self._lifekeeper.instances(kind=TYPE)]
        if not known:
            raise RegistryEmpty(path=self.place, tag=tag)
        if tag in known:
            raise RegistryBroken(path=self.place, reason=f"it lists {tag}, and then does not know it")

    def resources(self) -> list[Resource]:
        listed = self._lifekeeper.instances(kind=TYPE)
        return sorted((self._definition(each) for each in listed if _is_ours(each)), key=lambda each: each.tag)

    def has(self, tag: str) -> bool:
        instance = self._lifekeeper.instance(tag)
        return instance is not None and instance.info != _UNFINISHED

    def store(self, resource: Resource, changed: Collection[str] = ()) -> None:
        """
        Keep a definition; its relations first, its info last, so that one that was cut off is done again.

        Raises:
            NotFree: Another kit's resource has the tag.
            RevisionChanged, LifeKeeperFailed: It cannot be kept.
        """
        self._store(resource, _identifier(resource), resource.switchback, changed)

    def _store(self, resource: Resource, identifier: str, switchback: str, changed: Collection[str] = ()) -> None:
        present = self._lifekeeper.instance(resource.tag)
        if present is None:
            self._states.remove(resource.tag)  # of another resource that had the tag
            self._lifekeeper.create(resource.tag, identifier, _UNFINISHED, switchback)
        else:
            self._must_be_newer(resource, present)
            if "switchback" in changed or present.info == _UNFINISHED:
                self._lifekeeper.set_switchback(resource.tag, switchback)
        self._relate(resource)
        if "priority" in changed:
            self._set_priority(resource)
        self._lifekeeper.set_info(resource.tag, to_info(resource))
        self._lifekeeper.synchronize()

    def _must_be_newer(self, resource: Resource, present: Instance) -> None:
        if present.info == _UNFINISHED:
            return
        if not _is_ours(present):
            raise NotFree(what=f"tag {resource.tag}", by=f"a resource of {present.application}/{present.type}")
        if self._definition(present).revision >= resource.revision:
            raise RevisionChanged(tag=resource.tag)

    def _relate(self, resource: Resource) -> None:
        """Equivalencies with the other servers, and the IP resource as the parent where it is on this server."""
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
        """Each server sets its own, where LifeKeeper has another one."""
        wanted = resource.server(self.server).priority
        if self._lifekeeper.priorities(resource.tag, own=self.server).get(self.server, wanted) != wanted:
            self._lifekeeper.set_priority(resource.tag, wanted)

    def rename(self, tag: str, resource: Resource) -> None:
        """LifeKeeper has no command for it: a second resource takes the place of the first, then that one goes."""
        if not self.load(tag).protects_the_same_as(resource):
            raise NotFree(what=f"tag {tag} on {self.server}", by="another resource")
        new, state = resource.tag, self.state(tag)
        present = self._lifekeeper.instance(new)
        if present is None or present.info == _UNFINISHED:
            old = self._lifekeeper.instance(tag)
            switchback = old.switchback if old is not None else ""
            self._store(resource, self._other_identifier(tag, resource), switchback or resource.switchback)
        elif not (_is_ours(present) and self._definition(present).protects_the_same_as(resource)):
            raise NotFree(what=f"tag {new} on {self.server}", by="another resource")
        self._states.write(new, self._states.read(tag) or state)
        for parent in self._lifekeeper.parents(tag):
            self._lifekeeper.create_dependency(parent=parent, child=new)
        if state == "ISP":
            self._lifekeeper.set_state(new, state)
        self.remove(tag)

    def _other_identifier(self, tag: str, resource: Resource) -> str:
        """LifeKeeper wants ids to be unique, also while there are two for one address."""
        old, usual = self._lifekeeper.instance(tag), _identifier(resource)
        return f"{usual}/2" if old is not None and old.id == usual else usual

    def remove(self, tag: str) -> None:
        for parent in self._lifekeeper.parents(tag):
            self._lifekeeper.remove_dependency(parent=parent, child=tag)
        self._lifekeeper.remove(tag)
        self._states.remove(tag)

    def _definition(self, instance: Instance) -> Resource:
        try:
            return from_info(instance.tag, instance.info)
        except ValueError as error:
            kind = HalfMade if instance.info == _UNFINISHED else RegistryBroken
            raise kind(path=f"the info of {instance.tag} in {self.place}", reason=str(error)) from error

    # -- states --

    def in_service(self, tag: str) -> bool:
        """What restore and remove here wrote; where that is nothing, or damaged, what LifeKeeper believes."""
        state = None
        with suppress(StateUnusable):
            state = self._states.read(tag)
        return state == "ISP" if state is not None else self.state(tag) == "ISP"

    def state(self, tag: str) -> str:
        """LifeKeeper's own word; ISU counts as ISP, since it is in service."""
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
    return f"{resource.scenario}:{resource.address}"


# -- the info: one line of NAME=VALUE, without blanks in a value ------------------------------------------------


def _is_ours(instance: Instance) -> bool:
    return instance.info.startswith(_FORMAT) and instance.info != _UNFINISHED


def tags_of_ours(lifekeeper: LifeKeeper) -> list[str]:
    """The resources on this server that ec2kit wrote, half made ones, too; raises LifeKeeperFailed."""
    return sorted(each.tag for each in lifekeeper.instances(kind=TYPE) if each.info.startswith(_FORMAT))


_FIELDS = ("scenario", "region", "vpc_id", "address", "allocation_id", "switchback", "ip_resource", "revision")
_OF_A_SERVER = Server._fields


def to_info(resource: Resource) -> str:
    """
    The definition as LifeKeeper keeps it; every server keeps all servers' ENIs.

    "ec2kit=1 scenario=route-table … server=node1/1/eth1/eni-0a/10.0.1.11/i-0a/us-east-1a server=node2/10/… end"
    """
    stored = resource.as_dict()
    words = [_FORMAT, *(f"{name}={stored[name]}" for name in _FIELDS)]
    words += ["server=" + "/".join(str(each[name]) for name in _OF_A_SERVER) for each in stored["servers"]]
    return " ".join([*words, _END])


def from_info(tag: str, info: str) -> Resource:
    """
    Raises:
        ValueError: It is not what `to_info` made.
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
    servers = [_server(value) for name, value in pairs if name == "server"]
    return from_dict({**stored, "tag": tag, "servers": servers, "revision": int(stored.get("revision", ""))})


def _server(text: str) -> Mapping[str, Any]:
    fields = dict(zip(_OF_A_SERVER, text.split("/"), strict=True))
    return {**fields, "priority": int(fields["priority"])}

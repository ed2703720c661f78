"""LifeKeeper on this server is asked by its own commands in $LKROOT/bin: its database, its actions, its events."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ec2kit.deadline import Deadline
from ec2kit.errors import ArgumentInvalid, LifeKeeperFailed, LocalCommandFailed
from ec2kit.host.command import Completed, run

if TYPE_CHECKING:
    from ec2kit.engine.action import Action
    from ec2kit.engine.framework import IpResource

APPLICATION, TYPE = "comm", "ec2"
"""The kit's place among LifeKeeper's resource types."""

IP_TYPE = "ip"

ROUTE53_TYPE = "route53"

EVENT_CLASS, EVENT = "ec2", "outOfService"
"""The event that quickCheck reports; the recovery program is at recovery/EVENT_CLASS/EVENT."""

EXISTS, MISSING, UNREACHABLE = 4, 7, 9
"""Exit statuses of all LCDI commands."""

_SEPARATOR = "\x02"
"""Separates the fields of a list; the default \\x01 may appear in an info itself."""

_SWITCHBACKS = ("INTELLIGENT", "AUTOMATIC")
"""The words by which switchback is found, because no document says which of the later fields of `ins_list` it is."""

_SECONDS = 20.0
"""Seconds for one command that reads or writes the database."""


@dataclass(frozen=True)
class Instance:
    """
    One resource in LifeKeeper's database, as `ins_list` lists it.

    Attributes:
        info: The data of the resource's kit, one line; an old resource may have an access key and its secret there.
        state: "ISP", "ISU", "OSU", "OSF"; another word while LifeKeeper starts.
        switchback: "intelligent" or "automatic"; "" if LifeKeeper does not list it.
    """

    system: str
    application: str
    type: str
    tag: str
    id: str
    info: str = field(repr=False)
    state: str
    switchback: str = ""

    @property
    def is_in_service(self) -> bool:
        return self.state in ("ISP", "ISU")

    @property
    def is_out_of_service(self) -> bool:
        """Tell whether the resource is certainly out of service; while LifeKeeper starts, no state is certain."""
        return self.state in ("OSU", "OSF")


class LifeKeeper:
    """
    LifeKeeper has the protocol `ec2kit.engine.framework.Framework`, and more methods that only this room uses.

    Args:
        root: $LKROOT.
        seconds: The limit of the action; one command takes at most half of it.

    Source: LifeKeeper man pages LCDI-instances, LCDI-relationship, LCDI-resource_type, LCD and LRACI-perform_action
        (1M), sendevent (5).
    """

    def __init__(self, root: str, *, seconds: float) -> None:
        self.root = root
        self._seconds = min(seconds / 2, _SECONDS)

    @staticmethod
    def of(action: Action) -> LifeKeeper | None:
        """Return the LifeKeeper of an action; None if the action has another framework."""
        return action.lifekeeper if isinstance(action.lifekeeper, LifeKeeper) else None

    @property
    def is_there(self) -> bool:
        """Tell whether LifeKeeper itself is in the folder, and not only the files of kits."""
        return os.path.exists(self._path("ins_list"))

    # -- instances --

    def instances(self, *, kind: str = "", tag: str = "", system: str = "") -> list[Instance]:
        """
        Return the resources in the database that fit.

        Args:
            kind: Only resources of this type, "ip".
            system: The server whose database is asked; "": this server.

        Raises:
            LifeKeeperFailed: LifeKeeper does not answer, or lists a resource that does not fit.
        """
        words = [*_option("-d", system), f"-f{_SEPARATOR}", *_option("-r", kind), *_option("-t", tag)]
        found = [_instance(row) for row in _rows(self._run("ins_list", *words, also=(MISSING,)))]
        for each in found:
            if each.type != (kind or each.type) or each.tag != (tag or each.tag):
                reason = f"it lists {each.tag[:60]!a} of type {each.type[:60]!a}, which was not asked for"
                raise LifeKeeperFailed(command="ins_list", reason=reason)
        return found

    def instance(self, tag: str, *, system: str = "") -> Instance | None:
        """Return one resource, None if there is none; raises LifeKeeperFailed if LifeKeeper does not answer."""
        return next(iter(self.instances(tag=tag, system=system)), None)

    def create(self, tag: str, identifier: str, info: str, switchback: str) -> None:
        """Create a resource of this kit's type, and the type itself if it is missing."""
        self._run("app_create", "-a", APPLICATION, also=(EXISTS,))
        self._run("typ_create", "-a", APPLICATION, "-r", TYPE, also=(EXISTS,))
        self._run(
            "ins_create",
            *("-a", APPLICATION, "-r", TYPE, "-I", "AUTORES_ISP", "-v", info, "-s", switchback.upper()),
            *("-t", tag, "-i", identifier),
        )

    def set_info(self, tag: str, info: str) -> None:
        self._run("ins_setinfo", "-t", tag, "-v", info)

    def set_switchback(self, tag: str, switchback: str) -> None:
        self._run("ins_setas", "-t", tag, "-s", switchback.upper())

    def set_priority(self, tag: str, priority: int) -> None:
        """Set this server's priority; LifeKeeper updates the other servers."""
        self._run("hry_setpri", "-t", tag, "-p", str(priority))

    def set_state(self, tag: str, state: str) -> None:
        """Set the state; only needed to create and rename, otherwise LifeKeeper's own actions do it."""
        self._run("ins_setstate", "-t", tag, "-S", state)

    def remove(self, tag: str) -> None:
        """Remove a resource with its relations; LifeKeeper calls the type's `delete`. A missing one is no error."""
        self._run("ins_remove", "-t", tag, "-G", also=(MISSING,))

    # -- IP resources --

    def ip_resource(self, tag: str) -> IpResource:
        """
        Return one IP resource of this server.

        Raises:
            ArgumentInvalid: No IP resource has this tag, or it has no IPv4 address.
            LifeKeeperFailed: LifeKeeper does not answer.
        """
        instance = self.instance(tag)
        if instance is None or instance.type != IP_TYPE:
            known = ", ".join(each.tag for each in self.instances(kind=IP_TYPE)) or "none"
            reason = f"{tag[:60]!a} is no IP resource of this server ({known})"
            raise ArgumentInvalid(name="ip-resource", reason=reason)
        found = _ip_resource(instance)
        if not found.address:
            raise ArgumentInvalid(name="ip-resource", reason=f"{tag} has no IPv4 address")
        return found

    def usable_ip_resources(self) -> list[IpResource]:
        """Return the IP resources of this server that can be protected now: in service, and IPv4."""
        found = map(_ip_resource, self.instances(kind=IP_TYPE))
        return [each for each in found if each.address and each.is_in_service]

    # -- relations --

    def parents(self, tag: str) -> list[str]:
        """Return the tags of this server's resources that depend on the resource."""
        listed = self._run("dep_list", f"-f{_SEPARATOR}", "-p", tag, also=(MISSING,))
        found = [[each for each in row if each != tag] for row in _rows(listed)]
        return [each[0] for each in found if each]

    def topmost(self, tag: str) -> list[str]:
        """Return each topmost resource that is in service here and depends on the resource; if none, the tag."""
        needed_by = [each for each in self.parents(tag) if self._is_in_service(each)]
        return sorted({top for each in needed_by for top in self.topmost(each)}) or [tag]

    def _is_in_service(self, tag: str) -> bool:
        instance = self.instance(tag)
        return instance is not None and instance.is_in_service

    def create_dependency(self, *, parent: str, child: str) -> None:
        """Let the parent depend on the child; an existing dependency is no error."""
        self._run("dep_create", "-p", parent, "-c", child, also=(EXISTS,))

    def remove_dependency(self, *, parent: str, child: str) -> None:
        """Remove a dependency; a missing one is no error."""
        self._run("dep_remove", "-p", parent, "-c", child, also=(MISSING,))

    def equivalents(self, tag: str) -> dict[str, str]:
        """Return the other servers that have the resource → its tag there."""
        return {row[2]: row[3] for row in self._equivalencies(tag)}

    def priorities(self, tag: str, *, own: str) -> dict[str, int]:
        """
        Return servers that have the resource → priority, as LifeKeeper lists them; empty if it has one server.

        Args:
            own: This server's name.
        """
        found: dict[str, int] = {}
        for row in self._equivalencies(tag):
            numbers = [int(each) for each in row[4:] if each.isascii() and each.isdigit()]
            if len(numbers) == 2:
                found[own], found[row[2]] = numbers
        return found

    def _equivalencies(self, tag: str) -> list[list[str]]:
        listed = self._run("eqv_list", "-t", tag, "-e", "SHARED", f"-f{_SEPARATOR}", also=(MISSING,))
        return [row for row in _rows(listed) if len(row) > 3 and row[1] == tag]

    def create_equivalence(
        self, tag: str, *, priority: int, system: str, other_tag: str, other_priority: int
    ) -> None:
        """
        Relate another server's resource to this server's; LifeKeeper updates the other server.

        A resource that is missing on the other server is no error: its own creation relates it.
        """
        self._run(
            "eqv_create",
            *("-t", tag, "-p", str(priority), "-S", system, "-o", other_tag, "-r", str(other_priority)),
            *("-e", "SHARED"),
            also=(EXISTS, MISSING),
        )

    def remove_equivalence(self, tag: str, *, system: str, other_tag: str) -> None:
        """Remove a relation; a missing relation or an unreachable server is no error."""
        words = ("-t", tag, "-S", system, "-o", other_tag, "-e", "SHARED")
        self._run("eqv_remove", *words, also=(MISSING, UNREACHABLE))

    def synchronize(self) -> None:
        """Let LifeKeeper write its database to disk."""
        self._run("lcdsync")

    # -- servers, actions, events --

    def systems(self) -> list[str]:
        """Return the servers of the cluster, as LifeKeeper spells them."""
        return self._run("sys_list").stdout.split()

    def version(self, path: str, deadline: Deadline) -> str | None:
        """
        Return LifeKeeper's version on this server, as the package manager knows it; None if it is unknown.

        Args:
            path: PATH, by which commands are found.
        """
        try:
            words = ["rpm", "-q", "--queryformat", "%{VERSION}-%{RELEASE}", "steeleye-lk"]
            done = run(words, deadline, environment={"PATH": path, "LC_ALL": "C"})
        except LocalCommandFailed:
            return None
        return done.stdout.strip() if not done.status else None

    def perform(self, tag: str, action: str, deadline: Deadline) -> Completed:
        """
        Let LifeKeeper run an action on a resource and on the resources that it takes along; never end it.

        Raises:
            LifeKeeperFailed: The action could not be begun, or did not end in time and goes on.
        """
        return self._start(["perform_action", "-t", tag, "-a", action], deadline, kill=False)

    def send_event(self, tag: str, *, event: str = EVENT, monitor: str = "quickCheck") -> None:
        """
        Report that a resource is out of service, or another event; LifeKeeper runs its recovery in the background.

        Args:
            monitor: The program that has noticed it.

        Raises:
            LifeKeeperFailed: The report failed, or takes too long and goes on, because recovery may depend on it.
        """
        self._run("sendevent", "-C", EVENT_CLASS, "-E", event, "-m", monitor, "-n", tag, kill=False)

    def remote_command(self, system: str, seconds: float) -> list[str]:
        """Return the words that precede one command line for another server."""
        return [self._path("lcdremexec"), "-e", "-d", system, "-t", str(max(1, round(seconds))), "--"]

    def _path(self, name: str) -> str:
        return os.path.join(self.root, "bin", name)

    def _start(self, words: list[str], deadline: Deadline, *, kill: bool = True, finish: bool = False) -> Completed:
        try:
            return run([self._path(words[0]), *words[1:]], deadline, kill=kill, finish=finish)
        except LocalCommandFailed as error:
            raise LifeKeeperFailed(command=words[0], reason=error.fields["reason"]) from error

    def _run(self, *words: str, also: Collection[int] = (), kill: bool = True) -> Completed:
        # a command that writes may end by itself, so that no half of a change stays in the database
        reads = words[0].endswith("_list")
        done = self._start(list(words), Deadline(self._seconds), kill=kill and reads, finish=kill and not reads)
        if done.status and done.status not in also:
            lines = done.stderr.strip().splitlines() or [""]  # never from stdout, which may list infos
            reason = f"exit status {done.status}" + (f", {lines[-1][:300]}" if lines[-1] else "")
            raise LifeKeeperFailed(command=words[0], reason=reason, status=done.status)
        return done


def _rows(listed: Completed) -> list[list[str]]:
    """Return the fields of each line; only a line feed ends one, because an info may have any other character."""
    return [line.split(_SEPARATOR) for line in listed.stdout.split("\n") if line]


def _instance(fields: list[str]) -> Instance:
    if len(fields) < 7:
        raise LifeKeeperFailed(command="ins_list", reason=f"it lists {len(fields)} fields where 7 are expected")
    listed = next((each.lower() for each in fields[7:] if each in _SWITCHBACKS), "")
    return replace(Instance(*fields[:7]), switchback=listed)


def _ip_resource(instance: Instance) -> IpResource:
    from ec2kit.engine.framework import IpResource
    from ec2kit.frameworks.lifekeeper.ip_resource import address_in

    return IpResource(instance.tag, address_in(instance.id, instance.info), instance.is_in_service)


def _option(flag: str, value: str) -> tuple[str, ...]:
    return (flag, value) if value else ()

"""LifeKeeper on this server, by its own commands in $LKROOT/bin: its database, its actions, its events."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from ec2kit.command import Completed, run
from ec2kit.deadline import Deadline
from ec2kit.errors import LifeKeeperFailed, LocalCommandFailed

APPLICATION, TYPE = "comm", "ec2"
"""Where the kit stands among LifeKeeper's resource types."""

IP_TYPE = "ip"

ROUTE53_TYPE = "route53"

EVENT_CLASS, EVENT = "ec2", "outOfService"
"""What quickCheck reports; the recovery program stands at recovery/EVENT_CLASS/EVENT."""

EXISTS, MISSING, UNREACHABLE = 4, 7, 9
"""Exit statuses of all LCDI commands."""

_SEPARATOR = "\x02"
"""Between the fields of a list; the default \\x01 may stand in an info itself."""

_SWITCHBACKS = ("INTELLIGENT", "AUTOMATIC")
"""Known by the word: no document says which of the later fields of `ins_list` it is."""

_SECONDS = 20.0
"""For one command that reads or writes the database."""


@dataclass(frozen=True)
class Instance:
    """
    One resource in LifeKeeper's database, as `ins_list` lists it.

    Attributes:
        info: What its kit needs to know, one line; that of an old resource may hold an access key and its secret.
        state: "ISP", "ISU", "OSU", "OSF"; another word while LifeKeeper starts.
        switchback: "intelligent" or "automatic"; "" where LifeKeeper does not list it.
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
        """Whether that is certain; neither this nor its contrary is, while LifeKeeper starts."""
        return self.state in ("OSU", "OSF")


class LifeKeeper:
    """
    Args:
        root: $LKROOT.
        seconds: Of the action that asks; one command takes half of it at the most.

    Source: LifeKeeper man pages LCDI-instances, LCDI-relationship, LCDI-resource_type, LCD and LRACI-perform_action
        (1M), sendevent (5).
    """

    def __init__(self, root: str, *, seconds: float) -> None:
        self.root = root
        self._seconds = min(seconds / 2, _SECONDS)

    @property
    def is_there(self) -> bool:
        """Whether LifeKeeper itself is in the folder, and not only what kits have put there."""
        return os.path.exists(self._path("ins_list"))

    # -- instances --

    def instances(self, *, kind: str = "", tag: str = "", system: str = "") -> list[Instance]:
        """
        The resources in the database that fit.

        Args:
            kind: Of that type only, "ip".
            system: Of that server; "" of this one.

        Raises:
            LifeKeeperFailed: It does not tell, or tells of something else, which is no answer.
        """
        words = [*_option("-d", system), f"-f{_SEPARATOR}", *_option("-r", kind), *_option("-t", tag)]
        found = [_instance(row) for row in _rows(self._run("ins_list", *words, also=(MISSING,)))]
        for each in found:
            if each.type != (kind or each.type) or each.tag != (tag or each.tag):
                reason = f"it lists {each.tag[:60]!a} of type {each.type[:60]!a}, which was not asked for"
                raise LifeKeeperFailed(command="ins_list", reason=reason)
        return found

    def instance(self, tag: str, *, system: str = "") -> Instance | None:
        """One resource; raises LifeKeeperFailed if LifeKeeper does not tell."""
        return next(iter(self.instances(tag=tag, system=system)), None)

    def create(self, tag: str, identifier: str, info: str, switchback: str) -> None:
        """Make a resource of this kit's type, and the type itself where it is not there."""
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
        """This server's; LifeKeeper tells the others."""
        self._run("hry_setpri", "-t", tag, "-p", str(priority))

    def set_state(self, tag: str, state: str) -> None:
        """Only where LifeKeeper's own actions do not: in making and renaming."""
        self._run("ins_setstate", "-t", tag, "-S", state)

    def remove(self, tag: str) -> None:
        """Forget a resource, with its relations; LifeKeeper calls the type's `delete`. None there is no error."""
        self._run("ins_remove", "-t", tag, "-G", also=(MISSING,))

    # -- relations --

    def parents(self, tag: str) -> list[str]:
        """The resources of this server that depend on it."""
        listed = self._run("dep_list", f"-f{_SEPARATOR}", "-p", tag, also=(MISSING,))
        found = [[each for each in row if each != tag] for row in _rows(listed)]
        return [each[0] for each in found if each]

    def topmost(self, tag: str) -> list[str]:
        """What is in service here and needs the resource, the highest of each hierarchy; where nothing is, itself."""
        needed_by = [each for each in self.parents(tag) if self._is_in_service(each)]
        return sorted({top for each in needed_by for top in self.topmost(each)}) or [tag]

    def _is_in_service(self, tag: str) -> bool:
        instance = self.instance(tag)
        return instance is not None and instance.is_in_service

    def create_dependency(self, *, parent: str, child: str) -> None:
        """Let the parent need the child; one that is there already is no error."""
        self._run("dep_create", "-p", parent, "-c", child, also=(EXISTS,))

    def remove_dependency(self, *, parent: str, child: str) -> None:
        """One that is not there is no error."""
        self._run("dep_remove", "-p", parent, "-c", child, also=(MISSING,))

    def equivalents(self, tag: str) -> dict[str, str]:
        """Other servers that have the resource → its tag there."""
        return {row[2]: row[3] for row in self._equivalencies(tag)}

    def priorities(self, tag: str, *, own: str) -> dict[str, int]:
        """
        Servers that have the resource → priority, as far as LifeKeeper lists them; none where it has one server.

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
        Let another server's resource be the same as this server's; LifeKeeper tells the other server.

        One that is not there yet is no error: it does the same when it is made.
        """
        self._run(
            "eqv_create",
            *("-t", tag, "-p", str(priority), "-S", system, "-o", other_tag, "-r", str(other_priority)),
            *("-e", "SHARED"),
            also=(EXISTS, MISSING),
        )

    def remove_equivalence(self, tag: str, *, system: str, other_tag: str) -> None:
        """One that is not there is no error, nor that the other server cannot be told."""
        words = ("-t", tag, "-S", system, "-o", other_tag, "-e", "SHARED")
        self._run("eqv_remove", *words, also=(MISSING, UNREACHABLE))

    def synchronize(self) -> None:
        """Let LifeKeeper write its database to disk."""
        self._run("lcdsync")

    # -- servers, actions, events --

    def systems(self) -> list[str]:
        """The servers of the cluster, as LifeKeeper spells them."""
        return self._run("sys_list").stdout.split()

    def perform(self, tag: str, action: str, deadline: Deadline) -> Completed:
        """
        Let LifeKeeper run an action on a resource and what it takes with it; it is never ended in the middle.

        Raises:
            LifeKeeperFailed: It could not be begun, or did not end in time, and goes on.
        """
        return self._start(["perform_action", "-t", tag, "-a", action], deadline, kill=False)

    def send_event(self, tag: str) -> None:
        """
        Report that a resource is out of service; LifeKeeper runs the recovery program in the background.

        Raises:
            LifeKeeperFailed: It could not be reported, or that takes long: it is not killed, recovery may hang on it.
        """
        self._run("sendevent", "-C", EVENT_CLASS, "-E", EVENT, "-m", "quickCheck", "-n", tag, kill=False)

    def remote_command(self, system: str, seconds: float) -> list[str]:
        """The words before one command line that another server shall run."""
        return [self._path("lcdremexec"), "-e", "-d", system, "-t", str(max(1, round(seconds))), "--"]

    def _path(self, name: str) -> str:
        return os.path.join(self.root, "bin", name)

    def _start(self, words: list[str], deadline: Deadline, *, kill: bool = True, finish: bool = False) -> Completed:
        try:
            return run([self._path(words[0]), *words[1:]], deadline, kill=kill, finish=finish)
        except LocalCommandFailed as error:
            raise LifeKeeperFailed(command=words[0], reason=error.fields["reason"]) from error

    def _run(self, *words: str, also: Collection[int] = (), kill: bool = True) -> Completed:
        reads = words[0].endswith("_list")  # what writes is let end, lest the database be half written
        done = self._start(list(words), Deadline(self._seconds), kill=kill and reads, finish=kill and not reads)
        if done.status and done.status not in also:
            lines = done.stderr.strip().splitlines() or [""]  # and never from stdout, which may list infos
            reason = f"exit status {done.status}" + (f", {lines[-1][:300]}" if lines[-1] else "")
            raise LifeKeeperFailed(command=words[0], reason=reason, status=done.status)
        return done


def _rows(listed: Completed) -> list[list[str]]:
    """The fields of each line; only a line feed ends one, whatever else an info may have in it."""
    return [line.split(_SEPARATOR) for line in listed.stdout.split("\n") if line]


def _instance(fields: list[str]) -> Instance:
    if len(fields) < 7:
        raise LifeKeeperFailed(command="ins_list", reason=f"it lists {len(fields)} fields where 7 are expected")
    listed = next((each.lower() for each in fields[7:] if each in _SWITCHBACKS), "")
    return replace(Instance(*fields[:7]), switchback=listed)


def version(path: str, deadline: Deadline) -> str | None:
    """
    LifeKeeper's version on this server, as the package manager knows it; None where that cannot be said.

    Args:
        path: PATH, where commands are found.
    """
    try:
        words = ["rpm", "-q", "--queryformat", "%{VERSION}-%{RELEASE}", "steeleye-lk"]
        done = run(words, deadline, environment={"PATH": path, "LC_ALL": "C"})
    except LocalCommandFailed:
        return None
    return done.stdout.strip() if not done.status else None


def _option(flag: str, value: str) -> tuple[str, ...]:
    return (flag, value) if value else ()

"""
Pacemaker moves the resources off a server by a node attribute of health, which is red until the server comes back.

The attribute ends with the cluster's run on this server (lifetime reboot). The cluster's node-health-strategy decides
what red means.

Source: Pacemaker Explained, "Tracking Node Health"; attrd_updater (8), crm_mon (8), crm_attribute (8), crm_error (8).
"""

from __future__ import annotations

import re
import shutil
from functools import cached_property
from xml.etree import ElementTree

from ec2kit.deadline import Deadline
from ec2kit.engine.leaving import Others, Told
from ec2kit.errors import Ec2KitError, LocalCommandFailed
from ec2kit.finding import Finding, Outcome
from ec2kit.host.command import Completed, run
from ec2kit.settings import Settings
from ec2kit.state.note import MARKER, READINESS, Note, tags_with

ATTRIBUTE = "#health-ec2kit"

NOT_READY = "ec2kit-not-ready"
"""The node attribute that lists the resources which a node could not take over."""

_RED = "red"

_SECONDS = 20.0
"""Seconds for one command."""

_VALUE = re.compile(r'\bvalue="([^"]*)"')

_NO_SUCH = "does not exist"
"""The end of what attrd_updater says of an attribute that was never set; its exit status has changed over time."""

_NOT_ABLE = ("standby", "standby_onfail", "maintenance", "pending", "unclean", "shutdown")
"""Attributes of a node in crm_mon's XML; a node with one of them that is true takes no resources."""


def is_there(settings: Settings) -> bool:
    """Tell whether Pacemaker's programs are installed here."""
    return _path(_UPDATER, settings) is not None


def note_readiness(run_dir: str, tag: str, found: list[Finding]) -> None:
    """Note what would make a start of the resource fail here; raises StateUnusable."""
    failed = [each.check for each in found if each.outcome is Outcome.FAILED]
    Note(run_dir, tag, READINESS).write({"failed": failed})


def _not_ready_here(run_dir: str) -> list[str]:
    """Return the resources that are not in service here and would not start here, by the last look at each."""
    standing_by = set(tags_with(READINESS, run_dir)) - set(tags_with(MARKER, run_dir))
    return sorted(each for each in standing_by if (Note(run_dir, each, READINESS).read() or {}).get("failed"))


def _path(program: str, settings: Settings) -> str | None:
    return shutil.which(program, path=settings.path) or shutil.which(program, path=_USUAL)


class Pacemaker:
    """
    Pacemaker has the protocol `ec2kit.engine.leaving.Mover`.

    Args:
        deadline: The limit of the look.
    """

    name = "Pacemaker"

    def __init__(self, settings: Settings, deadline: Deadline) -> None:
        self._settings = settings
        self._deadline = deadline

    def is_away(self, *, is_due: bool) -> bool:
        # without -N, attrd_updater 2.1.5 lists the values of all nodes
        done = self._done(_UPDATER, "-n", ATTRIBUTE, "-Q", "-N", self._own_name)
        if done.status and _NO_SUCH not in done.stderr:
            raise _failed(_UPDATER, done)
        return done.status == 0 and f'value="{_RED}"' in done.stdout

    def others(self) -> Others:
        """Tell whether another node of the cluster is online, healthy, and takes resources."""
        try:
            nodes = self._nodes()
        except Ec2KitError as error:
            return Others(able=None, reason=str(error))
        able = {each.get("name", "?"): _lacks(each) or self._not_ready(each.get("name", "")) for each in nodes}
        if "" in able.values():
            return Others(able=True)
        return self._none(nodes, "; ".join(f"{name} is {lack}" for name, lack in able.items()))

    def _not_ready(self, node: str) -> str:
        """Return which resources that are in service here a node could not take over, "not ready for vip"; or ""."""
        told = self._done(_UPDATER, "-n", NOT_READY, "-Q", "-N", node).stdout
        found = _VALUE.search(told)
        tags = set(found[1].split(",") if found else ()) & set(tags_with(MARKER, self._settings.run_dir))
        return f"not ready for {', '.join(sorted(tags))}" if tags else ""

    def _none(self, nodes: list[ElementTree.Element], reason: str) -> Others:
        """Return the answer if no other node is able; of several that are red, the first by name alone comes back."""
        red = [each.get("name", "") for each in nodes if each.get("online") == "true" and _is_red(each)]
        if red and min(red) < self._own_name:
            return Others(able=None, reason=f"{reason}; {min(red)} decides")
        return Others(able=False, reason=reason or "the cluster has no other node")

    def leave(self) -> Told:
        self._run(_UPDATER, "-n", ATTRIBUTE, "-U", _RED)
        return Told(f"{ATTRIBUTE} is {_RED}")

    def come_back(self) -> Told:
        self._run(_UPDATER, "-n", ATTRIBUTE, "-D")
        return Told(f"{ATTRIBUTE} is deleted")

    def publish(self, published: str) -> str:
        """Set the attribute as the monitors of the role Stopped on this server have found it."""
        text = ",".join(_not_ready_here(self._settings.run_dir))
        if text:
            self._run(_UPDATER, "-n", NOT_READY, "-U", text)
        elif published:
            self._run(_UPDATER, "-n", NOT_READY, "-D")
        return text

    def ineffective(self) -> str:
        words = ("-t", "crm_config", "-n", "node-health-strategy", "-G", "-q", "-d", "none")
        strategy = self._run("crm_attribute", *words).stdout.strip()
        return "the cluster's node-health-strategy is none" if strategy == "none" else ""

    def _nodes(self) -> list[ElementTree.Element]:
        """Return the other nodes of the cluster, as crm_mon shows them; raises LocalCommandFailed."""
        text = self._run("crm_mon", "-1", "--output-as=xml").stdout
        try:
            found = ElementTree.fromstring(text).findall("./nodes/node")  # noqa: S314  # of this server's own Pacemaker
        except ElementTree.ParseError as error:
            raise LocalCommandFailed(command="crm_mon", reason=f"no answer in XML: {error}") from error
        return [each for each in found if each.get("name") != self._own_name]

    @cached_property
    def _own_name(self) -> str:
        return self._run("crm_node", "-n").stdout.strip()

    def _run(self, program: str, *words: str) -> Completed:
        """Run a command that has to succeed; raises LocalCommandFailed."""
        done = self._done(program, *words)
        if done.status:
            raise _failed(program, done)
        return done

    def _done(self, program: str, *words: str) -> Completed:
        path = _path(program, self._settings)
        if path is None:
            raise LocalCommandFailed(command=program, reason="it is not installed here")
        return run([path, *words], self._deadline.within(_SECONDS), environment=_ENVIRONMENT)


def _failed(program: str, done: Completed) -> LocalCommandFailed:
    lines = done.stderr.strip().splitlines() or done.stdout.strip().splitlines() or [""]
    return LocalCommandFailed(command=program, reason=f"exit status {done.status}, {lines[-1][:300]}")


_UPDATER = "attrd_updater"

_USUAL = "/usr/sbin:/usr/bin:/sbin:/bin"

_ENVIRONMENT = {"PATH": _USUAL, "LC_ALL": "C"}


def _lacks(node: ElementTree.Element) -> str:
    """Return what keeps a node from taking resources, "standby"; "" if nothing does."""
    if node.get("online") != "true":
        return "offline"
    lacks = [name for name in _NOT_ABLE if node.get(name) == "true"]
    return lacks[0] if lacks else _RED if _is_red(node) else ""


def _is_red(node: ElementTree.Element) -> bool:
    return node.get("health") == _RED

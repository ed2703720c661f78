"""The recorded half says which address, what EC2 shows, what is wanted, and what was made so far."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ec2kit.resource import Resource, Server
from ec2kit.scenarios import table
from ec2kit.scenarios.situation.lines import INDENT, NONE, Fields, Line, field, keyed, listed, meant, shown
from ec2kit.scenarios.situation.shown import Shown
from ec2kit.settings import TUNABLES
from ec2kit.status import Change

HERE, CONDITIONAL, NOT_HERE, UNDO = WISHES = ("here", "here, conditional", "not here", "undo")
"""What can be wanted; conditional: an address without owner is taken only if it still has none."""

ALWAYS = ("scenario", "tag", "region", "vpc_id", "address", "servers", "here", "tunables", "EC2 shows", "wanted")
OPTIONAL = ("made so far", "before")

_LOST = " (answer lost)"
_ATTRIBUTES = {tunable.name: attribute for attribute, tunable in TUNABLES.items()}


class Made(NamedTuple):
    """A change was made before this look; with its answer lost, it may have been carried out or not."""

    change: Change
    answer_lost: bool = False


@dataclass(frozen=True)
class Situation:
    """
    A situation is all that a scenario's decision rests on.

    A file keeps of the resource what is `essential`.

    Attributes:
        sentence: What it is about, and what must come of it.
        here: The name of the server that looks.
        tunables: Name → text, where it is not the default.
        wanted: One of WISHES.
        made: In the order in which the changes were made.
        before: For "undo": object → what the scenario's `origin` said of it.
    """

    sentence: str
    resource: Resource
    here: str
    shown: Shown
    wanted: str
    made: tuple[Made, ...]
    before: Mapping[str, str] | None
    tunables: Mapping[str, str]

    @property
    def settings(self) -> dict[str, object]:
        """Return the tunables as the kit's settings have them, by attribute."""
        return {_ATTRIBUTES[name]: TUNABLES[_ATTRIBUTES[name]].value(text) for name, text in self.tunables.items()}


def essential(resource: Resource) -> Resource:
    """Return the resource with what its file says of it; no decision of a scenario rests on the rest."""
    servers = [
        each._replace(priority=place, instance_id="", availability_zone="")
        for place, each in enumerate(resource.servers, 1)
    ]
    kind = table.scenario(resource.scenario).recorded()
    own = kind.essential(resource.own) if kind is not None else resource.own
    return resource._replace(servers=tuple(servers), switchback="intelligent", ip_resource="", revision=1, own=own)


def _kinds() -> dict[str, type[Shown]]:
    """Return the kinds of which a situation can be written."""
    found = {name: table.scenario(name).recorded() for name in table.names()}
    return {name: each for name, each in found.items() if each is not None}


# -- reading -----------------------------------------------------------------------------------------------


def read(sentence: str, lines: Sequence[Line], end: Line) -> Situation:
    """
    Read the recorded half of a file.

    Args:
        lines: All but the sentence.
        end: Where it ends.

    Raises:
        Malformed: A line is unknown or of a wrong form, or one is missing.
    """
    kinds = _kinds()
    known = {*ALWAYS, *OPTIONAL, *(name for each in kinds.values() for name in each.FIELDS)}
    fields = Fields(lines, known, end)
    scenario = fields.value("scenario")
    kind = kinds.get(scenario.text)
    if kind is None:
        raise scenario.wrong(f"{scenario.text!r} is none of: {', '.join(kinds)}")
    resource = _read_resource(fields, scenario.text, kind)
    here = fields.value("here")
    if resource.find_server(here.text) is None:
        raise here.wrong(f"{here.text!r} is none of: {', '.join(resource.names)}")
    tunables = _read_tunables(fields.optional_entries("tunables"))
    seen = kind.read(fields)
    wanted = fields.value("wanted")
    if wanted.text not in WISHES:
        raise wanted.wrong(f"{wanted.text!r} is none of: {'; '.join(WISHES)}")
    made: tuple[Made, ...] = ()
    before = None
    if wanted.text == UNDO:
        before = {target: meant(line.text) or "" for target, line in keyed(fields.entries("before")).items()}
    else:
        made = tuple(_read_made(fields.optional_entries("made so far")))
    fields.finish(f"{scenario.text} with 'wanted: {wanted.text}' has no such field")
    return Situation(sentence, resource, here.text, seen, wanted.text, made, before, tunables)


def _read_resource(fields: Fields, scenario: str, kind: type[Shown]) -> Resource:
    servers = keyed(fields.entries("servers")).items()
    resource = Resource(
        tag=fields.value("tag").text,
        scenario=scenario,
        region=fields.value("region").text,
        vpc_id=meant(fields.value("vpc_id").text) or "",
        address=fields.value("address").text,
        switchback="",
        servers=tuple(_read_server(name, line) for name, line in servers),
        own=kind.read_own(fields),
    )
    return essential(resource)


def _read_server(name: str, line: Line) -> Server:
    words = line.text.split(" ")
    if len(words) not in (3, 4):
        raise line.wrong(f"{line.text!r} is not of the form 'DEVICE ENI PRIVATE-IP' or 'DEVICE ENI PRIVATE-IP MAC'")
    device, network_interface_id, private_ip_address, mac_address = (meant(word) or "" for word in (*words, NONE)[:4])
    place = device, network_interface_id, private_ip_address
    return Server(name, 0, *place, instance_id="", mac_address=mac_address)


def _read_tunables(entries: Iterable[Line]) -> dict[str, str]:
    found = keyed(entries)
    for name, line in found.items():
        if name not in _ATTRIBUTES:
            raise line.wrong(f"{name!r} is no tunable")
        try:
            TUNABLES[_ATTRIBUTES[name]].value(line.text)
        except ValueError:
            raise line.wrong(f"{name}={line.text} is not {TUNABLES[_ATTRIBUTES[name]].expected}") from None
    return {name: line.text for name, line in found.items()}


def _read_made(entries: Iterable[Line]) -> Iterator[Made]:
    lost: set[str] = set()
    for line, arguments in _with_what_is_below(entries):
        text = line.text.removesuffix(_LOST)
        change = _read_change(line._replace(text=text), arguments)
        if change.target in lost:
            raise line.wrong(f"a change of {change.target!r} after one whose answer was lost takes its place")
        if text != line.text:
            lost.add(change.target)
        yield Made(change, answer_lost=text != line.text)


def _with_what_is_below(entries: Iterable[Line]) -> list[tuple[Line, list[Line]]]:
    """Return each entry with the lines that are indented below it."""
    found: list[tuple[Line, list[Line]]] = []
    for line in entries:
        if not line.text.startswith(INDENT):
            found.append((line, []))
        elif found:
            found[-1][1].append(line._replace(text=line.text.removeprefix(INDENT)))
        else:
            raise line.wrong(f"{line.text.strip()!r} belongs to no change")
    return found


def _read_change(line: Line, arguments: Iterable[Line]) -> Change:
    call, states = line.split()
    operation, space, target = call.partition(" ")
    old, arrow, new = states.text.partition(" -> ")
    if not (space and arrow):
        raise line.wrong(f"{line.text!r} is not of the form 'OPERATION TARGET: OLD -> NEW'")
    given = {name: _read_argument(value.text) for name, value in keyed(arguments).items()}
    return Change(operation, target, old=meant(old), new=meant(new), arguments=given)


def _read_argument(word: str) -> str | bool:
    return {"True": True, "False": False}.get(word, meant(word) or "")


# -- writing -----------------------------------------------------------------------------------------------


def write(situation: Situation) -> list[str]:
    """Return the recorded half of a file, without its sentence."""
    resource = situation.resource
    return [
        *field("scenario", resource.scenario),
        *field("tag", resource.tag),
        *field("region", resource.region),
        *field("vpc_id", shown(resource.vpc_id)),
        *field("address", resource.address),
        *type(situation.shown).own_lines(resource),
        *listed("servers", [_write_server(each) for each in resource.servers]),
        *field("here", situation.here),
        *_unless_empty("tunables", [f"{name}: {text}" for name, text in situation.tunables.items()]),
        "",
        *situation.shown.lines(),
        "",
        *field("wanted", situation.wanted),
        *_unless_empty("made so far", [line for each in situation.made for line in _write_made(each)]),
        *_write_before(situation.before),
    ]


def _write_server(server: Server) -> str:
    words = server.device, server.network_interface_id, server.private_ip_address
    mac_address = [server.mac_address] if server.mac_address else []
    return f"{server.name}: {' '.join([*map(shown, words), *mac_address])}"


def _unless_empty(name: str, entries: list[str]) -> list[str]:
    return listed(name, entries) if entries else []


def _write_made(made: Made) -> list[str]:
    head, *arguments = change_lines(made.change)
    return [head + (_LOST if made.answer_lost else ""), *arguments]


def change_lines(change: Change) -> list[str]:
    """Return one change and its arguments, as entries."""
    return [
        f"{change.operation} {change.target}: {shown(change.old)} -> {shown(change.new)}",
        *(f"{INDENT}{name}: {shown(str(value))}" for name, value in change.arguments.items()),
    ]


def _write_before(before: Mapping[str, str] | None) -> list[str]:
    return [] if before is None else listed("before", [f"{target}: {shown(was)}" for target, was in before.items()])

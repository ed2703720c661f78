"""
dep_create dep_remove dep_list, eqv_create eqv_remove eqv_list, hry_setpri: how resources relate.

[confirmed LCDI-relationship] Names, flags, exit statuses; the parent needs the child; both must exist; priorities
from 1, the highest, to 1024, no two servers alike.
"""

from __future__ import annotations

from .database import Content
from .failure import EXISTS, ILLEGAL, MISSING, RANGE, SYNTAX, UNREACHABLE, Failed
from .options import Options
from .server import Server

TYPE_CHECKING = False
if TYPE_CHECKING:  # the module typing, and what it loads, would take as long as all that a command does
    from typing import Any

# -- dependencies --


def dep_create(server: Server, words: list[str]) -> int:
    """[assumed] One that closes a circle is ILLEGAL."""
    options = Options(words, "d:p:c:", needed="pc")
    parent, child = options["p"], options["c"]
    with server.destination(options.get("d")).database.changing() as content:
        content.need(parent)
        content.need(child)
        if [parent, child] in content.dependencies:
            raise Failed(EXISTS, f'"{parent}" already depends on "{child}"')
        if parent == child or parent in content.all_children(child):
            raise Failed(ILLEGAL, f'"{child}" depends on "{parent}"')
        content.dependencies.append([parent, child])
    return 0


def dep_remove(server: Server, words: list[str]) -> int:
    """All that fit; [inferred] at least one of -p and -c must be there."""
    options = Options(words, "d:p:c:")
    if "p" not in options and "c" not in options:
        raise Failed(SYNTAX, "-p or -c is missing")
    with server.destination(options.get("d")).database.changing() as content:
        gone = [
            [parent, child]
            for parent, child in content.dependencies
            if parent == options.get("p", parent) and child == options.get("c", child)
        ]
        if not gone:
            raise Failed(MISSING, "there is no such dependency")
        content.dependencies = [each for each in content.dependencies if each not in gone]
    return 0


def dep_list(server: Server, words: list[str]) -> int:
    """
    [assumed] Two fields a line, parent and child. [confirmed] -c: of one parent, -p: of one child; [inferred] -C and
    -P the same through all levels; -r and -a [assumed] where parent or child is of it.
    """
    options = Options(words, "d:f:C:P:c:p:r:a:")
    content = server.destination(options.get("d")).database.read()
    for parent, child in _chosen(content, options):
        if _is_of(content, options, parent) or _is_of(content, options, child):
            print(parent, child, sep=options.separator)
    return 0


def _chosen(content: Content, options: Options) -> list[list[str]]:
    for letter in "CPcp":
        if letter in options:
            content.need(options[letter])
    if "c" in options:
        return [[options["c"], each] for each in content.children(options["c"])]
    if "p" in options:
        return [[each, options["p"]] for each in content.parents(options["p"])]
    if "C" in options:
        above = [options["C"], *content.all_parents(options["C"])]
        return [each for each in content.dependencies if each[1] in above]
    if "P" in options:
        below = [options["P"], *content.all_children(options["P"])]
        return [each for each in content.dependencies if each[0] in below]
    return content.dependencies


def _is_of(content: Content, options: Options, tag: str) -> bool:
    instance = content.need(tag)
    return options.get("a") in ("", instance["app"]) and options.get("r") in ("", instance["type"])


# -- equivalencies --


def eqv_create(server: Server, words: list[str]) -> int:
    """
    Written there, and [confirmed eqv-create] LifeKeeper adds it on the other system. [assumed] The other system must
    be reachable and have the resource, else nothing is written; priorities default to 1 and 10; a priority that
    another server has, or another one for a server that has one already, is ILLEGAL.
    """
    options = Options(words, "d:t:p:S:r:o:e:", needed="tSoe")
    system = server.destination(options.get("d"))
    _type(options)
    priority, other_priority = _priority(options.get("p", "1")), _priority(options.get("r", "10"))
    other = system.peer(options["S"])
    if not system.reaches(other):
        raise Failed(UNREACHABLE, f'system "{other.name}" cannot be reached')
    other.database.read().need(options["o"])
    row = _row(options["t"], other.name, options["o"], priority, other_priority)
    with system.database.changing() as content:
        content.need(row["tag"])
        if _same(content, row):
            raise Failed(EXISTS, f'"{row["tag"]}" is already equivalent to "{row["other_tag"]}" on {other.name}')
        _refuse_if_taken(content, row)
        content.equivalencies.append(row)
    back = _row(options["o"], system.name, options["t"], other_priority, priority)
    with other.database.changing() as content:
        if not _same(content, back):
            content.equivalencies.append(back)
    return 0


def _row(tag: str, system: str, other_tag: str, priority: int, other_priority: int) -> dict[str, Any]:
    return {
        "tag": tag,
        "system": system,
        "other_tag": other_tag,
        "priority": priority,
        "other_priority": other_priority,
    }


def _type(options: Options) -> None:
    if options.get("e", "SHARED") != "SHARED":
        raise Failed(ILLEGAL, "-e must be SHARED")


def _priority(text: str) -> int:
    if not text.isdigit():
        raise Failed(ILLEGAL, f"{text!r} is no priority")
    if not 1 <= int(text) <= 1024:
        raise Failed(RANGE, f"priority {text} is not from 1 to 1024")
    return int(text)


def _same(content: Content, row: dict[str, Any]) -> bool:
    names = ("tag", "system", "other_tag")
    return any(all(each[name] == row[name] for name in names) for each in content.equivalencies)


def _refuse_if_taken(content: Content, row: dict[str, Any]) -> None:
    known = content.equivalents(row["tag"])
    taken = {each["other_priority"] for each in known} | {row["priority"]}
    if row["other_priority"] in taken or any(each["priority"] != row["priority"] for each in known):
        raise Failed(ILLEGAL, f"priority {row['other_priority']} or {row['priority']} is not free")


def eqv_remove(server: Server, words: list[str]) -> int:
    """
    [inferred] On the other system, too, as in creating. [assumed] Where that cannot be reached, this side is removed
    and the status says UNREACHABLE.
    """
    options = Options(words, "d:t:S:o:e:", needed="tSe")
    system = server.destination(options.get("d"))
    _type(options)
    with system.database.changing() as content:
        gone = [
            each
            for each in content.equivalencies
            if each["tag"] == options["t"]
            and each["system"] == options["S"]
            and each["other_tag"] == options.get("o", each["other_tag"])
        ]
        if not gone:
            raise Failed(MISSING, "there is no such equivalency")
        content.equivalencies = [each for each in content.equivalencies if each not in gone]
    other = system.peer(options["S"])
    if not system.reaches(other):
        raise Failed(UNREACHABLE, f'system "{other.name}" cannot be reached')
    _forget(other, system.name, options["t"])
    return 0


def _forget(system: Server, other: str, other_tag: str) -> None:
    """Drop what a server knows about a resource of another one."""
    with system.database.changing() as content:
        content.equivalencies = [
            each for each in content.equivalencies if (each["system"], each["other_tag"]) != (other, other_tag)
        ]


def eqv_list(server: Server, words: list[str]) -> int:
    """
    system, tag [inferred], other system, other tag [confirmed genapp], then [assumed] type, priority, other priority.
    """
    options = Options(words, "d:t:e:f:")
    system = server.destination(options.get("d"))
    _type(options)
    content = system.database.read()
    if "t" in options:
        content.need(options["t"])
    for row in content.equivalencies:
        if row["tag"] == options.get("t", row["tag"]):
            there = (row["system"], row["other_tag"], "SHARED", row["priority"], row["other_priority"])
            print(system.name, row["tag"], *there, sep=options.separator)
    return 0


def hry_setpri(server: Server, words: list[str]) -> int:
    """
    Set this system's priority. [assumed] Several tags are separated by blanks or commas; the other systems are told
    where they can be reached; -l and -q mean nothing here.
    """
    options = Options(words, "d:t:p:lq", needed="tp")
    system = server.destination(options.get("d"))
    priority = _priority(options["p"])
    for tag in options["t"].replace(",", " ").split():
        _set_priority(system, tag, priority)
    return 0


def _set_priority(system: Server, tag: str, priority: int) -> None:
    with system.database.changing() as content:
        content.need(tag)
        rows = content.equivalents(tag)
        if any(row["other_priority"] == priority for row in rows):
            raise Failed(ILLEGAL, f"priority {priority} is another server's")
        for row in rows:
            row["priority"] = priority
    for other in (system.peer(row["system"]) for row in rows):
        if system.reaches(other):
            with other.database.changing() as content:
                for row in content.equivalencies:
                    if (row["system"], row["other_tag"]) == (system.name, tag):
                        row["other_priority"] = priority


def forget_relations(system: Server, tag: str) -> None:
    """
    What goes with a resource. [confirmed ins-remove] Its dependencies and equivalencies; [inferred] those of the
    other servers, too, [assumed] as far as they can be reached.
    """
    with system.database.changing() as content:
        others = [row["system"] for row in content.equivalents(tag)]
        content.dependencies = [each for each in content.dependencies if tag not in each]
        content.equivalencies = [each for each in content.equivalencies if each["tag"] != tag]
    for name in others:
        if system.reaches(system.peer(name)):
            _forget(system.peer(name), system.name, tag)

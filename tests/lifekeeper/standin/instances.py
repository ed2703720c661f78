"""
ins_create ins_list ins_gettag ins_setinfo ins_setstate ins_setas ins_setinit ins_remove: the resources.

[confirmed LCDI-instances] Names, flags, what -I, -s and -S may be, exit statuses.
"""

from __future__ import annotations

from . import process
from .database import Content, Instance
from .failure import DEPENDED_ON, EXISTS, ILLEGAL, MISSING, SYNTAX, SYSTEM, Failed
from .options import SEPARATOR, Options
from .relations import forget_relations
from .server import Server

_SWITCHBACK = ("INTELLIGENT", "AUTOMATIC")
_INITIALIZATION = ("AUTORES_ISP", "INIT_ISP", "INIT_OSU")
_FIELDS = ("app", "type", "tag", "id", "info", "state", "reason", "init", "switchback")


def ins_create(server: Server, words: list[str]) -> int:
    """
    [assumed] The first of -I's and -s's values is the default; a new resource is OSU; id is unique within its type.
    """
    options = Options(words, "d:a:r:I:v:s:t:i:", needed="arti")
    instance = {
        "app": options["a"],
        "type": options["r"],
        "tag": _word(options["t"]),
        "id": _word(options["i"]),
        "info": _line(options.get("v")),
        "state": "OSU",
        "reason": "",
        "init": options.one_of("I", *_INITIALIZATION),
        "switchback": options.one_of("s", *_SWITCHBACK),
    }
    with server.destination(options.get("d")).database.changing() as content:
        if instance["type"] not in content.types.get(instance["app"], []):
            raise Failed(MISSING, f'there is no type "{instance["type"]}" of application "{instance["app"]}"')
        if content.find(instance["tag"]):
            raise Failed(EXISTS, f'a resource with the tag "{instance["tag"]}" already exists')
        if any(_same_thing(each, instance) for each in content.instances):
            raise Failed(EXISTS, f'a resource with the id "{instance["id"]}" already exists')
        content.instances.append(instance)
    return 0


def _same_thing(one: Instance, other: Instance) -> bool:
    return all(one[name] == other[name] for name in ("app", "type", "id"))


def _word(text: str) -> str:
    """[assumed] What a tag or an id may be."""
    if not text or any(character <= " " for character in text):
        raise Failed(ILLEGAL, f"{text!r} is not a name")
    return text


def _line(text: str) -> str:
    """[assumed] An info is one line; the default separator may be in it, as in infos of the vendor's kits."""
    if "\n" in text:
        raise Failed(ILLEGAL, "an info is one line")
    return text


def ins_list(server: Server, words: list[str]) -> int:
    """
    system, app, type, tag, id, info, state [confirmed genapp: 5 and 6; inferred: 0-4], then [assumed] reason, init,
    switchback. [assumed] Nothing that fits: MISSING where a tag, an id, or a type was named, else an empty list.
    """
    options = Options(words, "d:f:R:a:r:t:i:")
    system = server.destination(options.get("d"))
    content = system.database.read()
    found = _matching(content, options)
    if not found and any(letter in options for letter in "Rarti"):
        raise Failed(MISSING, "no resource fits")
    for instance in found:
        print(system.name, *(instance[name] for name in _FIELDS), sep=options.separator)
    return 0


def _matching(content: Content, options: Options) -> list[Instance]:
    wanted = {
        name: options[letter]
        for letter, name in zip("arti", ("app", "type", "tag", "id"), strict=True)
        if letter in options
    }
    below = _below(content, options["R"].split(SEPARATOR)) if "R" in options else None
    return [
        each
        for each in content.instances
        if all(each[name] == text for name, text in wanted.items()) and (below is None or each["tag"] in below)
    ]


def _below(content: Content, tags: list[str]) -> list[str]:
    """The hierarchies from these tags down, parents first."""
    below = [each for tag in tags for each in [content.need(tag)["tag"], *content.all_children(tag)]]
    return sorted(dict.fromkeys(below), key=lambda tag: len(content.all_parents(tag)))


def ins_gettag(server: Server, words: list[str]) -> int:
    options = Options(words, "d:i:", needed="i")
    content = server.destination(options.get("d")).database.read()
    found = [each["tag"] for each in content.instances if each["id"] == options["i"]]
    if not found:
        raise Failed(MISSING, f'no resource has the id "{options["i"]}"')
    print(*found, sep="\n")
    return 0


def ins_setinfo(server: Server, words: list[str]) -> int:
    """[assumed] Without -v the info becomes empty."""
    options = Options(words, "d:t:v:", needed="t")
    return _set(server, options, info=_line(options.get("v")))


def ins_setstate(server: Server, words: list[str]) -> int:
    """[assumed] -A is accepted and means nothing here."""
    options = Options(words, "d:t:S:R:A", needed="tS")
    return _set(server, options, state=options.one_of("S", "ISP", "ISU", "OSU"), reason=options.get("R"))


def ins_setas(server: Server, words: list[str]) -> int:
    options = Options(words, "d:t:s:", needed="ts")
    return _set(server, options, switchback=options.one_of("s", *_SWITCHBACK))


def ins_setinit(server: Server, words: list[str]) -> int:
    options = Options(words, "d:t:I:", needed="tI")
    return _set(server, options, init=options.one_of("I", *_INITIALIZATION))


def _set(server: Server, options: Options, **values: str) -> int:
    with server.destination(options.get("d")).database.changing() as content:
        content.need(options["t"]).update(values)
    return 0


def ins_remove(server: Server, words: list[str]) -> int:
    """
    Remove resources with their relations; the type's `delete` runs before. [confirmed delete scripts, ins-remove]

    Where a resource that is not to be removed depends on one that is: the statuses have 8 for it [confirmed
    LCDI-instances], while the Windows edition's page says that the dependent ones are removed, too [confirmed
    ins-remove]. Which one holds on Linux is not known: "refuse" is the default here, and a test can choose "remove".
    [confirmed ins-remove] -R: the hierarchy from there down, -v prints the tags. [assumed] A delete that fails:
    status 1 and the resource stays; nobody asks whether it is in service; -I -N -G -U mean nothing here.
    """
    options = Options(words, "d:R:a:r:t:i:vINGU")
    if not any(letter in options for letter in "Rarti"):
        raise Failed(SYNTAX, "say which")
    system = server.destination(options.get("d"))
    for tag in _to_remove(system, options):
        _remove(system, tag)
        if "v" in options:
            print(tag)
    return 0


def _to_remove(system: Server, options: Options) -> list[str]:
    """Parents first."""
    content = system.database.read()
    tags = [each["tag"] for each in _matching(content, options)]
    if not tags:
        raise Failed(MISSING, "no resource fits")
    dependents = [each for tag in tags for each in content.all_parents(tag) if each not in tags]
    if dependents and system.dependents == "refuse":
        raise Failed(DEPENDED_ON, f'resource "{dependents[0]}" depends on it')
    return sorted(dict.fromkeys(tags + dependents), key=lambda tag: len(content.all_parents(tag)))


def _remove(system: Server, tag: str) -> None:
    instance = system.database.read().need(tag)
    script = system.action(instance["app"], instance["type"], "delete")
    if script and process.run(system, [script, "-t", tag, "-i", instance["id"]]):
        raise Failed(SYSTEM, f'the delete action of "{tag}" failed')
    forget_relations(system, tag)
    with system.database.changing() as content:
        content.instances = [each for each in content.instances if each["tag"] != tag]

"""
The command `ec2kit network` lets the manager of a device keep the address, and undoes that; it restarts nothing.

Files are changed one at a time, each as a whole. A file that is not as ec2kit wrote it is left alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import click

from ec2kit.cli import deed
from ec2kit.cli.result import Result, json_option
from ec2kit.engine.action import Action
from ec2kit.errors import ArgumentInvalid, BadRequest, Ec2KitError
from ec2kit.frameworks import edge
from ec2kit.frameworks.install.tree import Tree
from ec2kit.host import manager, protection, reply_path
from ec2kit.host.device import present_device
from ec2kit.host.ip import Carried, carried
from ec2kit.messages import catalogue
from ec2kit.resource import Resource, checked_ipv4, is_ipv4
from ec2kit.scenarios.parameter import device as checked_device
from ec2kit.scenarios.table import scenario_of

_MODE = 0o644
"""systemd-networkd reads its files as a user of its own."""

_LOADED = "It counts after the next `networkctl reload` or boot; a reload takes off what is not protected yet."


class _Subject(NamedTuple):
    """An address, and the device of its ENI."""

    address: str
    device: str


@click.group("network")
def command() -> None:
    """Show who manages the network device of an address; let the manager keep the address."""


_address = click.option(
    "--address", metavar="ADDRESS", help="A virtual IP that no resource here has, as of Pacemaker."
)
_device = click.option("--device", metavar="DEVICE", help="The device of the ENI that gets its packets.")
_dry_run = click.option("--dry-run", is_flag=True, help="Show what would be written or removed, and change nothing.")
_tags = click.argument("tags", nargs=-1, metavar="[TAG]...")


@command.command("show")
@_address
@_device
@json_option
@_tags
def show(address: str | None, device: str | None, as_json: bool, tags: tuple[str, ...]) -> int:
    """Show for each address where it is, who manages its device, and by which rule replies leave."""
    action = _open("network show")
    found = [_shown(each, action) for each in _subjects(action, tags, address, device)]
    text = "\n\n".join("\n".join(_lines(each)) for each in found) or "no virtual IP"
    return Result(text, {"server": action.settings.server, "addresses": found}).show(as_json=as_json)


@command.command("protect")
@_dry_run
@_address
@_device
@json_option
@_tags
def protect(dry_run: bool, address: str | None, device: str | None, as_json: bool, tags: tuple[str, ...]) -> int:
    """Write the file by which the manager of the device keeps the address, its rule and its route."""
    action = _open("network protect")
    return _on_each(action, _subjects(action, tags, address, device), _protect, dry_run=dry_run, as_json=as_json)


@command.command("unprotect")
@_dry_run
@_address
@_device
@json_option
@_tags
def unprotect(dry_run: bool, address: str | None, device: str | None, as_json: bool, tags: tuple[str, ...]) -> int:
    """Remove the files that protect has written."""
    action = _open("network unprotect")
    return _on_each(action, _subjects(action, tags, address, device), _unprotect, dry_run=dry_run, as_json=as_json)


def _open(name: str) -> Action:
    edge.mind_signals()
    return edge.open_action(name, "", watch=edge.Watch(1))


def _subjects(action: Action, tags: tuple[str, ...], address: str | None, device: str | None) -> list[_Subject]:
    """
    Return what the command is about: the address that is given, or those of the resources.

    Raises:
        ArgumentInvalid: Address and device are not given together, or a device is none.
        Ec2KitError: A resource is unknown.
    """
    if bool(address) != bool(device):
        raise ArgumentInvalid(name="address", reason="--address and --device belong together")
    if address and device:
        return [_Subject(checked_ipv4("address", address), str(checked_device("device", device)))]
    known = [action.registry.load(each) for each in tags] if tags else action.registry.resources()
    return [_subject(each, action) for each in known if scenario_of(each).ON_THE_DEVICE and is_ipv4(each.address)]


def _subject(resource: Resource, action: Action) -> _Subject:
    server = resource.server(action.registry.server)
    present = present_device(server, action.settings)
    return _Subject(resource.address, server.device if present is None else present.name)


# -- show -----------------------------------------------------------------------------------------------------


def _shown(it: _Subject, action: Action) -> dict[str, Any]:
    settings, deadline = action.settings, action.deadline
    here = carried(settings, deadline)
    found = manager.manager_of(it.device, settings, deadline)
    return {
        "address": it.address,
        "device": it.device,
        "on": [each.device for each in here if each.address == it.address],
        "manager": None if found is None else found.name,
        "keeps": found is None or found.keeps,
        "takes": "" if found is None or found.keeps else found.takes,
        "rule": reply_path.is_on(it.address, settings, deadline),
        "rp_filter": manager.reverse_path_filter(it.device, settings),
    }


def _lines(it: dict[str, Any]) -> Iterator[str]:
    yield f"{it['address']}  on {', '.join(it['on']) or 'no device'}; its ENI is {it['device']}"
    keeps = "keeps the address" if it["keeps"] else f"{it['takes']} it off"
    yield f"  manager   {it['manager'] or 'none is seen'}" + (f": {keeps}" if it["manager"] else "")
    rule = f"{reply_path.PRIORITY}: from {it['address']}" if it["rule"] else "no rule of ec2kit's"
    yield f"  replies   {rule}; rp_filter {it['rp_filter']}"


# -- protect and unprotect ------------------------------------------------------------------------------------


def _protect(it: _Subject, action: Action, tree: Tree, dry_run: bool) -> dict[str, Any]:
    settings, deadline = action.settings, action.deadline
    here = carried(settings, deadline)
    found = manager.manager_of(it.device, settings, deadline)
    way = reply_path.way_of(it.address, it.device, here)
    made = protection.protection(it.address, it.device, found, way, _own(here, it.address))
    assert found is not None
    path = tree.path(made.place)
    told = {"path": path, "text": made.text, "manager": found.name, "address": it.address, "device": it.device}
    present = _text(tree, made.place)
    if present == made.text:
        return {**told, "outcome": "unchanged"}
    if present is not None and not protection.is_ours(present):
        raise BadRequest(catalogue.PROTECTION_FOREIGN, path=path)
    if not dry_run:
        tree.put(made.place, made.text, _MODE)
        fields = {"manager": found.name, "address": it.address, "device": it.device}
        action.log.record(catalogue.PROTECTION_WRITTEN, path=path, **fields)
    return {**told, "outcome": "would write" if dry_run else "written"}


def _own(here: list[Carried], address: str) -> list[Carried]:
    return [each for each in here if each.address != address]


def _unprotect(it: _Subject, action: Action, tree: Tree, dry_run: bool) -> dict[str, Any]:
    """Remove the file wherever it is: the manager may have been changed since it was written."""
    paths = []
    for place in _places(it.address, tree):
        if not protection.is_ours(_text(tree, place) or ""):
            raise BadRequest(catalogue.PROTECTION_FOREIGN, path=tree.path(place))
        paths.append(tree.path(place))
        if not dry_run:
            tree.remove(place)
            tree.remove_if_empty(os.path.dirname(place))
            action.log.record(catalogue.PROTECTION_REMOVED, path=paths[-1])
    outcome = "would remove" if dry_run else "removed"
    return {"path": ", ".join(paths), "address": it.address, "outcome": outcome if paths else "nothing to remove"}


def _places(address: str, tree: Tree) -> list[str]:
    folder = "etc/systemd/network"
    with suppress(Ec2KitError):
        names = [each.removesuffix(".d") for each in sorted(tree.names(folder)) if each.endswith(".network.d")]
        places = [protection.place_of(address, each) for each in names]
        return [each for each in places if _text(tree, each) is not None]
    return []


def _text(tree: Tree, place: str) -> str | None:
    """Return the text of a file; None: there is none; a link or a folder has no text that ec2kit wrote."""
    path = tree.path(place)
    if not os.path.lexists(path):
        return None
    if os.path.islink(path) or not os.path.isfile(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read(100_000)


def _on_each(action: Action, subjects: list[_Subject], change: Any, *, dry_run: bool, as_json: bool) -> int:
    """Change the file of each subject; a subject that fails does not keep the others from theirs."""
    tree, done, failed = Tree(action.settings.system_root, manifest="ec2kit"), [], []
    with tree.alone():
        for each in subjects:
            try:
                done.append(change(each, action, tree, dry_run))
            except Ec2KitError as error:
                action.log.error(error)
                failed.append({"address": each.address, **deed.failure(error)})
    data = {"server": action.settings.server, "done": done, "failed": failed}
    text = "\n".join(_told(each) for each in done) or ("" if failed else "no virtual IP")
    if any(each["outcome"] == "written" for each in done):
        text += f"\n{_LOADED}"
    return Result(text, data, status=1 if failed else 0).show(as_json=as_json)


def _told(it: dict[str, Any]) -> str:
    head = f"{it['outcome']}  {it['path'] or it['address']}"
    shown = "".join(f"\n    {line}" for line in str(it.get("text", "")).splitlines())
    return head + shown

"""Hooks that do nothing but say that they were called, and a hierarchy of them: an IP resource that needs a dummy."""

from __future__ import annotations

import json

from .world import IP_TAG, World

TAG = "ec2-dummy"

_HOOK = """#!/bin/sh
name=${0##*/}
echo "$EC2KIT_SERVER $name $*" >>"$LKROOT/../../dummy-calls"
[ ! -e "$LKROOT/dummy/$name" ] || . "$LKROOT/dummy/$name"
"""

_PLACES = [f"actions/{name}" for name in ("restore", "remove", "quickCheck", "recover", "delete")]
_PLACES += ["recovery/ec2/outOfService"]


def with_dummy_type(world: World) -> World:
    """The type comm/ec2 with dummy hooks on every server, and no resource."""
    _put_hooks(world)
    for server in world.servers:
        world.needed(world.command(server, "typ_create", "-a", "comm", "-r", "ec2"))
    return world


def _put_hooks(world: World) -> None:
    forget_calls(world)
    for server in world.servers:
        for place in _PLACES:
            put_hook(world, server, f"resources/ec2/{place}")


def put_hook(world: World, server: str, place: str) -> None:
    """A dummy hook at this place below the application comm."""
    hook = world.lkroot(server) / "subsys/comm" / place
    hook.parent.mkdir(parents=True, exist_ok=True)
    hook.write_text(_HOOK)
    hook.chmod(0o755)


def with_dummies(world: World) -> World:
    """The hierarchy on every server, in service on node1."""
    _put_hooks(world)
    kept = world.sandbox.layouts.own / "dummies.json"
    if kept.exists():
        for server, raw in json.loads(kept.read_text()).items():
            world.server(server).database.write(raw)
        world.needed(world.command("node1", "ip", "addr", "add", "10.1.0.10/32", "dev", "eth1"))
    else:
        _make(with_dummy_type(world))
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps({server: world.database(server) for server in world.servers}))
    forget_calls(world)
    return world


def _make(world: World) -> None:
    world.create_ip()
    for number, server in enumerate(world.servers):
        create_dummy(world, server)
        for other_number, other in enumerate(world.servers[:number]):
            words = ["-p", _priority(other_number), "-S", server, "-o", TAG, "-r", _priority(number), "-e", "SHARED"]
            world.needed(world.command(other, "eqv_create", "-t", TAG, *words))
        if number:
            world.extend_ip(to=server, priority=int(_priority(number)))
        world.needed(world.command(server, "dep_create", "-p", IP_TAG, "-c", TAG))
    world.needed(world.perform("node1", TAG, "restore"))


def _priority(number: int) -> str:
    return str(number * 10 or 1)


def create_dummy(world: World, server: str = "node1", tag: str = TAG, info: str = "some info") -> None:
    """One resource of the dummy type on one server, out of service."""
    words = ["-a", "comm", "-r", "ec2", "-t", tag, "-i", f"id-{tag}", "-v", info]
    world.needed(world.command(server, "ins_create", *words))


def let(world: World, server: str, hook: str, line: str) -> None:
    """From now on a hook there does this, too: "exit 1", "sleep 60"."""
    folder = world.lkroot(server) / "dummy"
    folder.mkdir(exist_ok=True)
    (folder / hook).write_text(line + "\n")


def calls(world: World) -> list[str]:
    """The calls of dummy hooks, in their order: "node1 restore -t ec2-dummy -i id-ec2-dummy"."""
    path = world.sandbox.folder / "dummy-calls"
    return path.read_text().splitlines() if path.exists() else []


def short_calls(world: World) -> list[str]:
    """The same, without the words: "node1 restore"."""
    return [" ".join(line.split()[:2]) for line in calls(world)]


def forget_calls(world: World) -> None:
    (world.sandbox.folder / "dummy-calls").unlink(missing_ok=True)

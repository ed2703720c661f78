"""
power_off, power_on, take_over, and halt: servers that go and come.

[assumed] Nearly all of it; what the documents say stands at its place.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid

from . import log, process
from .database import IN_SERVICE, Content
from .server import Server


def halt(server: Server) -> None:
    """Stop a server at once; whoever calls this goes on, for the others."""
    _stop(server, "halted")


def _stop(server: Server, how: str) -> None:
    with open(server.off_mark, "w", encoding="ascii") as file:
        file.write(how)
    with open(server.network_mark, "w", encoding="ascii"):
        pass
    process.kill_all(server, spare=os.getpid())


def power_off(server: Server, words: list[str]) -> int:
    """Nothing runs there any more; what was in service there is taken over."""
    _stop(server, "off")
    log.say(server, "NOTIFY", log.POWER, "power off")
    return take_over(server, words)


def take_over(server: Server, words: list[str]) -> int:
    """The others take over what was in service on a server that they cannot reach, the highest of each hierarchy."""
    from .failover import move

    content = server.database.read()
    for tag in _tops(content):
        move(server, content, [tag])
    return 0


def _tops(content: Content) -> list[str]:
    """What is in service and no resource in service depends on."""
    serving = [each["tag"] for each in content.instances if each["state"] in IN_SERVICE]
    return [tag for tag in serving if not set(content.parents(tag)) & set(serving)]


def power_on(server: Server, words: list[str]) -> int:
    """
    As after a boot: everything is out of service, /run is empty, addresses are off the devices. Then LifeKeeper
    begins.

    [confirmed eqv-create] What is in service elsewhere is OSU here. [inferred] AUTOMATIC goes back to the server with
    the higher priority, INTELLIGENT stays. [inferred] AUTORES_ISP: what was in service here and is in service nowhere
    comes in service again. What the kit keeps on disk says of its states which boot wrote them; that becomes another
    boot.
    """
    before = server.database.read()
    _boot(server)
    for mark in (server.off_mark, server.network_mark):
        if os.path.exists(mark):
            os.unlink(mark)
    log.say(server, "NOTIFY", log.POWER, "power on")
    for tag in [each["tag"] for each in before.instances if not before.parents(each["tag"])]:
        _begin(server, before, tag)
    return 0


def _boot(server: Server) -> None:
    with server.database.changing() as content:
        for instance in content.instances:
            instance.update(state="OSU", reason="")
        content.flags = []
    shutil.rmtree(os.path.join(server.folder, "run"), ignore_errors=True)
    os.mkdir(os.path.join(server.folder, "run"))
    _forget_boot(os.path.join(server.folder, "state", "states"))
    for device in os.scandir(os.path.join(server.folder, "net")):
        _drop_host_addresses(os.path.join(device.path, "addresses"))


def _forget_boot(folder: str) -> None:
    """The boot that wrote the kit's states was another one."""
    for path in [each.path for each in os.scandir(folder)] if os.path.isdir(folder) else []:
        if path.endswith(".json"):
            with open(path, encoding="utf-8") as file:
                state = json.load(file)
            with open(path, "w", encoding="utf-8") as file:
                json.dump({**state, "boot": str(uuid.uuid4())}, file)


def _drop_host_addresses(path: str) -> None:
    """What `ip addr add` put there does not outlive a boot; the sandbox's own addresses are no /32."""
    with open(path, encoding="ascii") as file:
        lines = file.readlines()
    with open(path, "w", encoding="ascii") as file:
        file.writelines(line for line in lines if not line.rstrip().endswith("/32"))


def _begin(server: Server, before: Content, tag: str) -> None:
    from .actions import restore

    instance = before.need(tag)
    rows = before.equivalents(tag)
    serving = [row for row in rows if _is_in_service(server, row["system"], row["other_tag"])]
    goes_back = instance["switchback"] == "AUTOMATIC" and all(
        row["priority"] < row["other_priority"] for row in serving
    )
    comes_back = instance["init"] == "AUTORES_ISP" and instance["state"] in IN_SERVICE
    if goes_back if serving else comes_back:
        log.say(server, "NOTIFY", log.POWER, "comes back in service", action="restore", tag=tag)
        restore(server, tag)


def _is_in_service(server: Server, name: str, tag: str) -> bool:
    other = server.peer(name)
    instance = other.database.read().find(tag) if server.reaches(other) else None
    return instance is not None and instance["state"] in IN_SERVICE

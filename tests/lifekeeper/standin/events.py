"""
sendevent, and what follows a failure: local recovery, then failover.

[confirmed sendevent, resources] A recovery program is looked for at subsys/*/resources/*/recovery/CLASS/EVENT; else,
or
if it fails, failover.
"""

from __future__ import annotations

import glob
import os

from . import log, process
from .database import Instance
from .failover import fail_over
from .failure import MISSING, Failed
from .options import Options
from .server import Server


def sendevent(server: Server, words: list[str]) -> int:
    """
    Report a failure; the recovery runs in the background. [confirmed sendevent] Flags; [assumed] -n is the tag or the
    id, one that is not known is MISSING, and -w means nothing here.
    """
    options = Options(words, "C:E:m:n:w:", needed="CEmn")
    instance = _instance(server, options["n"])
    what = f"event {options['E']} of class {options['C']} from {options['m']}"
    log.say(server, "NOTIFY", log.EVENT, what, action="sendevent", tag=instance["tag"])
    if server.recovery == "exit":
        log.say(server, "INFO", log.EVENT, "events do not count here", action="sendevent", tag=instance["tag"])
    else:
        process.in_background(server, "recover_event", options["C"], options["E"], instance["tag"])
    return 0


def _instance(server: Server, name: str) -> Instance:
    content = server.database.read()
    found = content.find(name) or next((each for each in content.instances if each["id"] == name), None)
    if found is None:
        raise Failed(MISSING, f'no resource is called "{name}"')
    return found


def recover_event(server: Server, words: list[str]) -> int:
    """[assumed] The first program that is found, in the order of the folders' names, is the one."""
    event_class, event, tag = words
    pattern = os.path.join(server.root, "subsys", "*", "resources", "*", "recovery", event_class, event)
    programs = [path for path in sorted(glob.glob(pattern)) if os.access(path, os.X_OK)]
    return recover(server, _instance(server, tag), programs[0] if programs else "")


def recover(server: Server, instance: Instance, program: str) -> int:
    """
    Run the recovery program, if there is one; failing, the resource's hierarchy fails over. Status 0: it recovered.

    [confirmed basic behaviours] The order. [inferred] The program gets `-t TAG -i ID`, as actions do.
    """
    tag = instance["tag"]
    if program:
        status = process.run(server, [program, "-t", tag, "-i", instance["id"]])
        if server.is_off:
            return 1
        log.say(server, "NOTIFY", log.RECOVER, f"recovery ended with status {status}", action="recover", tag=tag)
        if status == 0:
            return 0
    fail_over(server, tag)
    return 1

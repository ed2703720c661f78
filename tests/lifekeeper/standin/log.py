"""
LifeKeeper's log, one file per server: `Mon dd HH:MM:SS host program[pid]: LEVEL:module:action:tag:NNNNNN:text`.

[confirmed log levels, quickCheck ALRM, genapp] The form, and the codes 001047 and 004788. [assumed] All other codes
and texts, and that one file takes the place of syslog.
"""

from __future__ import annotations

import os
import time

from .server import Server


def path(server: Server) -> str:
    return os.path.join(server.folder, "lifekeeper.log")


def say(server: Server, level: str, code: int, text: str, *, action: str = "", tag: str = "") -> None:
    """
    Write one line.

    Args:
        level: EMERG, NOTIFY, ERROR, WARN, INFO.
    """
    when = time.strftime("%b %d %H:%M:%S")
    module = "RKActionHandler" if code == ALARM else "lcd.recover" if code == HALTED else "lcd.core"
    program = action or ("recover" if code == HALTED else "lcd")
    line = f"{when} {server.name} {program}[{os.getpid()}]: {level}:{module}:{action}:{tag}:{code:06}:{text}\n"
    with open(path(server), "a", encoding="utf-8") as file:
        file.write(line)


ALARM, HALTED = 1047, 4788
STATE, FAILED, SKIPPED, CHECK, EVENT, RECOVER, FAILOVER, POWER = range(9001, 9009)
"""[assumed] Numbers of the stand-in's own, which LifeKeeper does not have."""

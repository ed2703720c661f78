"""The commands by name: each is a function of a server and the words, and returns the exit status."""

from __future__ import annotations

import os
import sys

from . import process
from .failure import SYSTEM, Failed
from .server import Server

TYPE_CHECKING = False
if TYPE_CHECKING:  # the module typing, and what it loads, would take as long as all that a command does
    from collections.abc import Callable

COMMANDS = {
    "types": "app_create app_remove app_list typ_create typ_remove typ_list",
    "instances": "ins_create ins_list ins_gettag ins_setinfo ins_setstate ins_setas ins_setinit ins_remove",
    "relations": "dep_create dep_remove dep_list eqv_create eqv_remove eqv_list hry_setpri",
    "flags": "flg_create flg_remove flg_list flg_test",
    "systems": "sys_list sys_getst lcdremexec lcdsync lcdstatus",
    "actions": "perform_action",
    "events": "sendevent",
    "checks": "lkcheck",
}
"""Module → the commands of $LKROOT/bin that are in it."""

INTERNAL = {"events": "recover_event", "power": "power_off power_on take_over"}
"""What the core does by itself and no person calls; never in bin."""

_MODULES = {
    name: module for table in (COMMANDS, INTERNAL) for module, names in table.items() for name in names.split()
}


def main(root: str, name: str, words: list[str]) -> int:
    """Run one command as a process; what fails says why on stderr and has its exit status."""
    server = Server(root)
    try:
        with process.Registered(server, os.getpid(), "background" if name == "recover_event" else "command"):
            if server.is_off and name not in INTERNAL["power"].split():
                raise Failed(SYSTEM, f"{server.name} has no power")
            return function(name)(server, words)
    except KeyboardInterrupt:
        return 130
    except Failed as failed:
        print(f"{name}: {failed}", file=sys.stderr)
        return failed.status


def function(name: str) -> Callable[[Server, list[str]], int]:
    """The function of a command; only its module is loaded, so that it starts fast."""
    module = __import__(f"{__package__}.{_MODULES[name]}", fromlist=[name])
    found: Callable[[Server, list[str]], int] = getattr(module, name)
    return found

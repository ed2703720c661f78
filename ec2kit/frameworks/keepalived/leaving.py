"""
keepalived moves the resources off a server by a tracked file: its number is taken off the priority of the server.

The file lies beside EC2KIT_RUN_DIR, /run/ec2kit.leave, and so ends with the boot.

    0    this server takes resources
    254  FAULT: another server becomes MASTER, also where `nopreempt` is set
    253  the lowest priority: this server becomes MASTER only if there is no other one

Source: keepalived.conf (5), "track_file".
"""

from __future__ import annotations

import os

from ec2kit.actions import ready
from ec2kit.engine.action import Action
from ec2kit.engine.leaving import Others, Told
from ec2kit.errors import Ec2KitError
from ec2kit.resource import Resource
from ec2kit.state.file import write_text
from ec2kit.state.folder import open_private, unusable

HERE, FAULT, LOWEST = 0, 254, 253
"""The numbers of the file."""


def track_file(run_dir: str) -> str:
    """Return the path of the tracked file."""
    return run_dir + ".leave"


class Keepalived:
    """keepalived has the protocol `ec2kit.engine.leaving.Mover`."""

    name = "keepalived"

    def __init__(self, action: Action) -> None:
        self._action = action
        self._path = track_file(action.settings.run_dir)

    def is_away(self, *, is_due: bool) -> bool:
        """Tell whether the file says so; a MASTER with the lowest priority came back, as there was no other one."""
        number = self._number()
        came_back = is_due and number == LOWEST and self._held()
        return number != HERE and not came_back

    def others(self) -> Others:
        """Ask the other servers of what is in service here; a server that has nothing may always leave."""
        try:
            if self._number() == FAULT:
                return Others(able=None, reason="this server is leaving")
            held = self._held()
        except Ec2KitError as error:
            return Others(able=None, reason=str(error))
        return ready.others(self._action, held)

    def leave(self) -> Told:
        """Go into FAULT, and to the lowest priority as soon as nothing is in service here."""
        try:
            number = FAULT if self._held() else LOWEST
        except Ec2KitError:
            number = FAULT
        return self._write(number)

    def come_back(self) -> Told:
        return self._write(HERE)

    def publish(self, published: str) -> str:
        return ""  # the other servers ask

    def ineffective(self) -> str:
        held = ", ".join(self._held()) if self._number() == FAULT else ""
        return f"{held} is still in service here; does keepalived track {self._path}?" if held else ""

    def _held(self) -> list[str]:
        """Return the tags of what is in service here; raises Ec2KitError if the registry cannot be read."""
        registry = self._action.registry
        known = [each for each in registry.survey() if isinstance(each, Resource)]
        return [each.tag for each in known if registry.in_service(each.tag)]

    def _number(self) -> int:
        """Return the number in the file; anything but the numbers of this module counts as 0."""
        try:
            with open(open_private(self._path, os.O_RDONLY), encoding="ascii", errors="replace") as file:
                text = file.read(10).strip()
        except FileNotFoundError:
            return HERE
        except OSError as error:
            raise unusable(self._path, error) from error
        return next((each for each in (FAULT, LOWEST) if text == str(each)), HERE)

    def _write(self, number: int) -> Told:
        """Write the file, unless the number is there already."""
        if self._number() != number or not os.path.exists(self._path):
            write_text(self._path, f"{number}\n", durable=False)
        return Told(f"{self._path} is {number}")

"""One server of the cluster, by its $LKROOT: `SANDBOX/node1/lk`."""

from __future__ import annotations

import os

from .database import Database
from .failure import MISSING, UNREACHABLE, Failed


class Server:
    """
    Attributes:
        name: As sys_list spells it; the same as EC2KIT_SERVER.
        folder: The server's folder in the sandbox, that is all of its disk.
        config: What the core keeps.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.folder = os.path.dirname(root)
        self.name = os.path.basename(self.folder)
        self.cluster = os.path.dirname(self.folder)
        self.config = os.path.join(root, "config")
        self.database = Database(self.config)

    def systems(self) -> list[str]:
        """All servers of the cluster, this one too. [assumed] Their configuration is never changed here."""
        return sorted(each for each in os.listdir(self.cluster) if os.path.isdir(f"{self.cluster}/{each}/lk/bin"))

    def peer(self, name: str) -> Server:
        """Another server, reachable or not; raises Failed MISSING if there is none of that name."""
        if name not in self.systems():
            raise Failed(MISSING, f'no system is called "{name}"')
        return Server(os.path.join(self.cluster, name, "lk"))

    def destination(self, name: str) -> Server:
        """
        The server that -d names; "" is this one.

        Raises:
            Failed: MISSING or UNREACHABLE. [confirmed LCDI-instances: 9 other system unreachable]
        """
        if name in ("", self.name):
            return self
        peer = self.peer(name)
        if not self.reaches(peer):
            raise Failed(UNREACHABLE, f'system "{name}" cannot be reached')
        return peer

    def reaches(self, other: Server) -> bool:
        """Whether the two can talk now."""
        if other.name == self.name:
            return True
        return not (other.is_off or other.is_cut_off or self.is_cut_off)

    # -- marks, each a file --

    @property
    def off_mark(self) -> str:
        return os.path.join(self.config, "off")

    @property
    def is_off(self) -> bool:
        """It has no power, or halted."""
        return os.path.exists(self.off_mark)

    @property
    def network_mark(self) -> str:
        """The sandbox's own mark, which its `remote` heeds too."""
        return os.path.join(self.folder, "unreachable")

    @property
    def is_cut_off(self) -> bool:
        return os.path.exists(self.network_mark)

    @property
    def is_silent(self) -> bool:
        """It takes requests and answers none; the sandbox's mark."""
        return os.path.exists(os.path.join(self.folder, "silent"))

    @property
    def recovery(self) -> str:
        """
        What begins a recovery: "exit" a failed quickCheck, "event" what sendevent reports, "both".

        [assumed] The documents have both and do not say how they live together, so that a test can choose.
        """
        try:
            with open(os.path.join(self.config, "recovery"), encoding="ascii") as file:
                return file.read()
        except FileNotFoundError:
            return "exit"

    @recovery.setter
    def recovery(self, how: str) -> None:
        with open(os.path.join(self.config, "recovery"), "w", encoding="ascii") as file:
            file.write(how)

    @property
    def dependents(self) -> str:
        """What ins_remove does where a resource is depended on: "refuse" or "remove"; see there."""
        return "remove" if os.path.exists(os.path.join(self.config, "remove-dependents")) else "refuse"

    # -- scripts --

    def action(self, application: str, kind: str, action: str) -> str:
        """
        The script of an action; "" if there is none.

        [confirmed LRACI-perform_action: the type's folder first, then the application's]
        """
        base = os.path.join(self.root, "subsys", application)
        places = (os.path.join(base, "resources", kind, "actions"), os.path.join(base, "actions"))
        found = (os.path.join(place, action) for place in places)
        return next((path for path in found if os.access(path, os.X_OK)), "")

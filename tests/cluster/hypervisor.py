"""The hypervisor: switches the lab's machines when a fence agent asks for it, by a file or through EC2."""

from __future__ import annotations

import threading
from pathlib import Path

from .node import Node


class Hypervisor(threading.Thread):
    """
    Does what the fence agent asks for; a machine takes its time to boot, so it is on again only when a test says so.

    Attributes:
        fenced: The nodes that it was asked to switch off, in order.
        lies: It says that it switched a node off, and does not.
    """

    def __init__(self, folder: Path, nodes: dict[str, Node]) -> None:
        super().__init__(daemon=True)
        self._folder = folder
        self._nodes = nodes
        self.fenced: list[str] = []
        self.lies = False
        self.over = threading.Event()

    def fence(self, name: str) -> None:
        self.fenced.append(name)
        if not self.lies:
            self._nodes[name].switch_off()

    def run(self) -> None:
        while not self.over.wait(0.02):
            for request in sorted(self._folder.iterdir()):
                what, name, _ = request.name.split(".")
                if what == "off":
                    self.fence(name)
                request.unlink(missing_ok=True)

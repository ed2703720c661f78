"""
The ways to EC2 are kept in order here: each endpoint of the list with its proxy, the one that answered last first.

A way that fails goes to the end of the order, so one that is dead costs its time once. A note of this boot lets the
next action begin with the way that answered last.
"""

from __future__ import annotations

import os
import threading
from binascii import crc32
from contextlib import suppress
from typing import TYPE_CHECKING

from ec2kit import endpoints
from ec2kit.endpoints import AS_SET_UP
from ec2kit.errors import Ec2KitError, StateUnusable
from ec2kit.messages import catalogue
from ec2kit.state.boot import boot_id
from ec2kit.state.file import Content, Damaged, StateFile

if TYPE_CHECKING:
    from ec2kit.endpoints import Endpoint
    from ec2kit.messages.log import Log
    from ec2kit.settings import Settings

_MOST = 50
"""The maximum number of lists whose last good way is noted."""


class Ways:
    """
    Hold the ways of one action.

    Args:
        endpoints: The endpoints of the list; (): only the one that is set otherwise.

    Attributes:
        in_use: The way that answered last; None: none has answered yet.
    """

    def __init__(self, endpoints: tuple[Endpoint, ...], settings: Settings, *, region: str, log: Log) -> None:
        listed = endpoints or (AS_SET_UP,)
        self._log = log
        self._lock = threading.Lock()
        self._told: set[Endpoint] = set()
        self._note = _Note(settings.run_dir, region, listed) if len(listed) > 1 else None
        self._only_looks = settings.only_looks
        self._good = self._note.read() if self._note else None
        self._order = sorted(listed, key=lambda each: each != self._good)
        self.in_use: Endpoint | None = None

    def in_order(self) -> list[Endpoint]:
        """Return the ways in the order in which to try them now."""
        with self._lock:
            return list(self._order)

    def leave(self, way: Endpoint, reason: Ec2KitError) -> None:
        """Try this way last from now on, because it leads nowhere; say so once."""
        with self._lock:
            if len(self._order) == 1:
                return
            self._order.remove(way)
            self._order.append(way)
            after = self._order[0]
            is_news = way not in self._told
            self._told.add(way)
        if is_news:
            self._log.put(catalogue.WAY_FAILED, way=way.name, reason=reason, next=after.name)

    def keep(self, way: Endpoint) -> None:
        """Let other actions of this boot begin with this way, which has answered."""
        self.in_use = way
        with self._lock:
            is_news = way != self._good
            self._good = way
        if is_news and self._note and not self._only_looks:
            self._note.write(way)
            if self._told:
                self._log.put(catalogue.WAY_KEPT, way=way.name)


class _Note:
    """The name of the last good way, in RUN/ways.json, which is only a help; each list and region has its own."""

    def __init__(self, folder: str, region: str, listed: tuple[Endpoint, ...]) -> None:
        self._file = StateFile(os.path.join(folder, "ways.json"))
        self._listed = listed
        self._key = f"{region} {crc32(endpoints.names(listed).encode()):08x}"

    def read(self) -> Endpoint | None:
        name = self._all().get(self._key)
        return next((each for each in self._listed if each.name == name), None)

    def write(self, way: Endpoint) -> None:
        kept = {key: name for key, name in self._all().items() if key != self._key}
        latest = dict([*kept.items()][-(_MOST - 1) :])
        with suppress(StateUnusable):
            self._file.write({"boot": boot_id(), "ways": {**latest, self._key: way.name}}, durable=False)

    def _all(self) -> Content:
        with suppress(Damaged, StateUnusable):
            content = self._file.read() or {}
            if content.get("boot") == boot_id() and isinstance(content.get("ways"), dict):
                return dict(content["ways"])
        return {}

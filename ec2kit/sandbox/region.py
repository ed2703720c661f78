"""All endpoints share one region's EC2."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from ec2kit.sandbox import view
from ec2kit.sandbox.history import History
from ec2kit.sandbox.zones import Zones


@dataclass(frozen=True)
class Region:
    """
    moto's EC2 of one region, its past, and the lock that a user must hold, since moto is not made for threads.

    Attributes:
        zones: Route 53, which is the same for all regions.
    """

    backend: Any
    zones: Zones = field(default_factory=Zones)
    history: History = field(default_factory=History)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def name(self) -> str:
        """Return the region's name, "us-east-1"."""
        return str(self.backend.region_name)

    def picture(self) -> view.Picture:
        """Return what the region shows now."""
        with self.lock:
            return view.picture(self.backend)

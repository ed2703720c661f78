"""The weather of a lab: how long its EC2 takes to answer, and to let a change take effect."""

from __future__ import annotations

from typing import NamedTuple

from ec2kit.sandbox.client import Sandbox


class Span(NamedTuple):
    """From so many seconds to so many, at random."""

    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.least * 1000:g} to {self.most * 1000:g} ms"


class Weather(NamedTuple):
    """
    What a region does to every request.

    Attributes:
        look: The time until EC2 answers a question. None: at once.
        write: The same for a change.
        effective: Seconds from EC2's answer to a change until packets follow it.
        tls: EC2 is asked over HTTPS.
        networkd: The nodes' network is systemd-networkd's, as on Debian's cloud images.
    """

    look: Span | None = None
    write: Span | None = None
    effective: float = 0.0
    tls: bool = False
    networkd: bool = False

    @property
    def least_gap(self) -> float:
        """Seconds without an answer that every agent pays which changes EC2 only after a stop elsewhere."""
        return (sum(self.write) / 2 if self.write else 0.0) + self.effective

    def fall_on(self, sandbox: Sandbox) -> None:
        """Let it be like that for all servers."""
        for span, operations in (
            (self.look, ("Describe*",)),
            (self.write, ("Replace*", "Associate*", "Disassociate*")),
        ):
            for each in operations if span else ():
                assert span is not None
                sandbox.fault("delay", operation=each, seconds=span.least, spread=span.most - span.least)


FINE = Weather()
REAL = Weather(Span(0.1, 0.2), Span(0.2, 0.4), effective=1.0, tls=True, networkd=True)
"""As in a real region; assumed, not measured there."""

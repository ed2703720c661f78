"""A boot of this machine has an id: what was written in another boot says nothing about now."""

from __future__ import annotations

from functools import cache

from ec2kit.errors import StateUnusable

_BOOT_ID = "/proc/sys/kernel/random/boot_id"


@cache
def boot_id() -> str:
    """
    Return the id of this boot, "398e85e7-…".

    Raises:
        StateUnusable: The system does not give it.

    Source: random(4).
    """
    try:
        with open(_BOOT_ID, encoding="utf-8") as file:
            return file.read().strip()
    except OSError as error:
        raise StateUnusable(path=_BOOT_ID, reason=error.strerror or str(error)) from error

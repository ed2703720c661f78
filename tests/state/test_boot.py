"""The boot of this machine."""

from __future__ import annotations

from pathlib import Path

from ec2kit.state.boot import boot_id


def test_boot_id_is_that_of_the_kernel() -> None:
    """The id of a boot stays the same until the next one."""
    assert boot_id() == Path("/proc/sys/kernel/random/boot_id").read_text().strip()

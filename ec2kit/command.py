"""Runs a command of this server, within a deadline, and leaves none of its processes behind."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from ec2kit.deadline import Deadline
from ec2kit.errors import LocalCommandFailed


@dataclass(frozen=True)
class Completed:
    """How a command ended, and what it printed."""

    status: int
    stdout: str
    stderr: str


def run(words: list[str], deadline: Deadline, *, environment: Mapping[str, str] | None = None) -> Completed:
    """
    Run a command without a shell and without input.

    Args:
        environment: All that it gets; None: that of this process.

    Raises:
        LocalCommandFailed: It cannot be started, or did not end in time and was killed with its children.
    """
    text = shlex.join(words)
    try:
        with subprocess.Popen(
            words,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            try:
                stdout, stderr = process.communicate(timeout=max(0.1, deadline.remaining()))
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
            return Completed(process.returncode, stdout, stderr)
    except subprocess.TimeoutExpired as error:
        raise LocalCommandFailed(command=text, reason=f"no end within {deadline.seconds:g} s") from error
    except (OSError, ValueError) as error:
        raise LocalCommandFailed(command=text, reason=str(error)) from error

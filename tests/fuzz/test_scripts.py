"""A few dozen examples through the real scripts, from `sh` to the exit status that a framework sees."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ec2kit.registry.local import LocalRegistry

from ..actions.cluster import ACTIONS
from ..builders import a_resource
from ..patience import HANGS
from .forked import Forked
from .hostile import times
from .test_arguments import TAG, command_lines
from .test_environment import SECRET, environments


def script(server: Forked, words: list[str], different: Mapping[str, str]) -> tuple[int, str]:
    """Exit status and standard error; one that hangs fails the test."""
    (server.folder / "log").unlink(missing_ok=True)
    done = subprocess.run(
        [ACTIONS / words[0], *words[1:]],
        env={**server.environment, **different},
        cwd=server.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=HANGS,
    )
    said = done.stderr.decode(errors="replace")
    assert "Traceback" not in said
    assert done.returncode >= 0
    return done.returncode, said


@times(0.3)
@given(command_lines())
def test_any_command_line_of_a_script_is_0_1_or_2(server: Forked, words: list[str]) -> None:
    """No other status reaches the framework, and quickCheck says no for a tag that is none, and for nothing else."""
    LocalRegistry(f"{server.folder}/state", server="server-a").remove(TAG)
    LocalRegistry(f"{server.folder}/state", server="server-a").store(a_resource())
    status, said = script(server, words, {})
    assert status in (0, 1, 2)
    if status and words[0] in ("quickCheck", "remove"):
        assert "620011" in said or "620401" in said or "620008" in said


@times(0.2)
@given(
    st.sampled_from(["quickCheck", "remove", "restore"]),
    environments,
    st.sampled_from([os.environ["PATH"]] * 4 + ["", "/none/such", "\udcff"]),
)
def test_any_environment_of_a_script_is_no_verdict(
    server: Forked, action: str, environment: Mapping[str, str], path: str
) -> None:
    """
    Also where no command can be found: nothing but a failure to restore is said.

    The time limits stay as they are: a restore with one that is not a number has five minutes, and takes them.
    """
    LocalRegistry(f"{server.folder}/state", server="server-a").remove(TAG)
    LocalRegistry(f"{server.folder}/state", server="server-a").store(a_resource())
    brief = {name: value for name, value in environment.items() if "TIMEOUT" not in name.upper()}
    status, said = script(server, [action, "-t", TAG], {**brief, "PATH": path})
    assert status == 0 if action != "restore" else status in (1, 126, 127)
    assert SECRET not in said


@times(0.2)
@given(st.binary())
def test_any_tunables_file_of_a_script_is_no_verdict(server: Forked, content: bytes) -> None:
    """The file is read and never run."""
    file, trace = server.folder / "defaults", server.folder / "was-run"
    file.write_bytes(content + b"\ntouch " + os.fsencode(trace) + b"\nA=$(touch " + os.fsencode(trace) + b")\n")
    file.chmod(0o600)
    assert script(server, ["quickCheck", "-t", TAG], {"EC2KIT_DEFAULTS": str(file)})[0] == 0
    assert not Path(trace).exists()

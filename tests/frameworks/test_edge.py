"""The edge of a process: signals, as Python itself delivers them, and what an action is given."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ec2kit.settings import INSTALLED

from ..children import lives, must_be_gone
from ..inherited import ignoring_children, status_of
from ..patience import HANGS

DROPPED = """
import os, signal, sys, time, weakref
from ec2kit.frameworks import edge
from ec2kit.errors import Stopped

class Gone: pass

def callback(reference):
    os.kill(os.getpid(), int(sys.argv[1]))
    time.sleep(0)

edge.mind_signals()
try:
    gone = Gone()
    kept = weakref.ref(gone, callback)
    del gone
    time.sleep(20)
except Stopped as stopped:
    sys.exit(str(stopped))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGALRM])
def test_a_signal_that_python_drops_ends_the_action_all_the_same(number: signal.Signals) -> None:
    """What comes while an import tidies up is not lost, nor is its name; all later signals would be ignored."""
    done = subprocess.run(
        [sys.executable, "-c", DROPPED, str(int(number))], capture_output=True, text=True, check=False, timeout=HANGS
    )
    assert (done.returncode, done.stderr.strip()) == (1, f"stopped by signal {number.name}")


OPENED = """
from ec2kit.frameworks import edge

registry = edge.open_action("status", "").registry
print(registry.server, registry.place, sep="\\n")
"""


@pytest.mark.parametrize("lifekeeper", [pytest.param(False, id="files"), pytest.param(True, id="LifeKeeper")])
def test_the_registry_is_that_of_the_framework_that_the_settings_name(tmp_path: Path, lifekeeper: bool) -> None:
    """Files in the state folder, or LifeKeeper's database where ec2kit is installed in it."""
    if lifekeeper:
        (tmp_path / INSTALLED).parent.mkdir(parents=True)
        (tmp_path / INSTALLED).touch()
    environment = {
        "EC2KIT_SERVER": "server-a",
        "EC2KIT_STATE_DIR": f"{tmp_path}/state",
        "EC2KIT_DEFAULTS": "/dev/null",
        "LKROOT": str(tmp_path),
        "EC2KIT_LOG_FILE": "-",
    }
    done = subprocess.run(
        [sys.executable, "-I", "-c", OPENED],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=HANGS,
    )
    place = f"LifeKeeper's database in {tmp_path}" if lifekeeper else f"{tmp_path}/state/resources"
    assert done.stdout.splitlines() == ["server-a", place]


HANGING = """
import time
from ec2kit.frameworks import edge

edge.take_over()
edge.mind_signals()
if {decided}:
    edge.decide(3)
action = edge.open_action("quickCheck", "", watch=edge.Watch(7))
time.sleep(600)
"""


@pytest.mark.parametrize("streams", ["full", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("decided", "status"), [(False, 7), (True, 3)])
def test_the_watchdog_ends_the_process_whatever_its_streams_are(
    tmp_path: Path, streams: str, decided: bool, status: int
) -> None:
    """Nothing comes between the watchdog and the end: neither stderr nor the log, and no status but the right one."""
    os.mkfifo(tmp_path / "log")
    environment = {
        "EC2KIT_DEFAULTS": "/dev/null",
        "EC2_QUICKCHECK_TIMEOUT": "1",
        "EC2KIT_LOG_FILE": str(tmp_path / "log"),
        "EC2KIT_STATE_DIR": str(tmp_path),
        "LKROOT": str(tmp_path),
    }
    words = [sys.executable, "-I", "-c", HANGING.format(decided=decided)]
    assert status_of(words, environment, streams=streams) == status


LEAVES = """
import sys
from ec2kit.frameworks import edge

edge.take_over()
sys.stdout.write("x" * 1000)
edge.leave(5)
"""


@pytest.mark.parametrize("streams", ["full", ">&-", "<&- >&- 2>&-"])
def test_the_status_does_not_depend_on_who_takes_the_output(streams: str) -> None:
    """Output that cannot be written is lost; the status is that of the work."""
    assert status_of([sys.executable, "-I", "-c", LEAVES], {}, streams=streams) == 5


COMMANDS = """
from ec2kit.deadline import Deadline
from ec2kit.frameworks import edge
from ec2kit.host.command import run

edge.take_over()
edge.leave(run(["sh", "-c", "exit 4"], Deadline(200)).status)
"""


def test_a_command_has_its_exit_status_although_the_caller_ignores_sigchld() -> None:
    """Otherwise the system does not keep the status of a child, and Python takes every command for a success."""
    words = ignoring_children(sys.executable, "-I", "-c", COMMANDS)
    assert subprocess.run(words, check=False, timeout=HANGS).returncode == 4


SIGNALLED = """
import os, signal, time, weakref
from ec2kit.errors import Stopped
from ec2kit.frameworks import edge

class Attribute:
    def __set_name__(self, owner, name):
        os.kill(os.getpid(), signal.SIGTERM)

class Finalized:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)

def class_body():
    class Owner:
        attribute = Attribute()

def finalizer():
    Finalized()

edge.mind_signals()
try:
    {place}()
    time.sleep(60)
except Stopped as error:
    print("stopped by", error.fields["signal"])
"""


@pytest.mark.parametrize("place", ["class_body", "finalizer"])
def test_a_signal_stops_the_action_wherever_it_comes(place: str) -> None:
    """Python drops an exception in a finalizer, and hides the one in a class that names its attributes (3.11)."""
    words = [sys.executable, "-I", "-c", SIGNALLED.format(place=place)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=HANGS)
    assert done.stdout == "stopped by SIGTERM\n", done.stderr


PARENT = """
import subprocess, sys, threading, time
from ec2kit.deadline import Abandoned, Begun, Deadline
from ec2kit.errors import LocalCommandFailed
from ec2kit.frameworks import edge
from ec2kit.host.command import run

def begin(*words, **options):
    Begun(lambda: run(["sh", "-c", f"echo {words[0]} $$ >>$0; exec sleep 1000", sys.argv[1]], **options))

edge.take_over()
edge.mind_signals()
begin("gone", deadline=Deadline(600))
begin("left", deadline=Deadline(600), kill=False)
subprocess.Popen(["sh", "-c", "sleep 1000 & echo gone $! >>$0; echo gone $$ >>$0; wait", sys.argv[1]])
while open(sys.argv[1]).read().count("\\n") < 5:
    time.sleep(0.02)
if sys.argv[2] == "leave":
    edge.leave(7)
action = edge.open_action("quickCheck", "", watch=edge.Watch(7))  # its deadline comes when all have begun
time.sleep(600)
"""


@pytest.mark.parametrize("end", ["leave", "watchdog"])
def test_children_end_with_the_process_unless_they_are_to_go_on(tmp_path: Path, end: str) -> None:
    """What the SDK has started, its children and a command that is waited for; not what the caller had started."""
    note = tmp_path / "note"
    program = 'sleep 1000 & echo left $! >>"$4"; exec "$0" "$@"'
    environment = {
        "EC2KIT_DEFAULTS": "/dev/null",
        "EC2_QUICKCHECK_TIMEOUT": "1",
        "EC2KIT_LOG_FILE": "-",
        "EC2KIT_STATE_DIR": str(tmp_path),
        "LKROOT": str(tmp_path),
        "PATH": os.environ["PATH"],
    }
    words = ["sh", "-c", program, sys.executable, "-I", "-c", PARENT, str(note), end]
    done = subprocess.run(words, env=environment, check=False, timeout=HANGS, stderr=subprocess.DEVNULL)
    assert done.returncode == 7
    children = [line.split() for line in note.read_text().splitlines()]
    for pid in (int(pid) for fate, pid in children if fate == "left"):
        assert lives(pid)
        os.kill(pid, signal.SIGKILL)
    for pid in (int(pid) for fate, pid in children if fate == "gone"):
        must_be_gone(pid)
    assert sorted(fate for fate, _ in children) == ["gone"] * 3 + ["left"] * 2

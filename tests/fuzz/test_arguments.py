"""Any command line: one of three exit statuses, one line that says why, and nothing done that was not asked for."""

from __future__ import annotations

import operator
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ec2kit.actions import table
from ec2kit.errors import BadRequest
from ec2kit.messages import catalogue
from ec2kit.registry.local import LocalRegistry
from ec2kit.resource import checked_tag

from ..builders import a_device, a_resource
from .forked import Forked, forked
from .hostile import arguments, times

TAG = "ec2-vip1"
ACTIONS = [name for name, spec in table.ACTIONS.items() if spec.script]
ABOUT_A_RESOURCE = [name for name in ACTIONS if table.ACTIONS[name].about_one_resource]

FLAGS = [
    *dict.fromkeys(flag for name in ACTIONS for each in table.ACTIONS[name].options() for flag in each.flags),
    *("-i", "--id", "-n", "--hook"),
    *("-R", "-F", "-Rt", "-t=x", f"-t{TAG}", f"--tag={TAG}", "--ta", "-h", "--help", "--", "-", "@/etc/passwd"),
]
VALUES = [TAG, "ec2-other", "route-table", "elastic-ip", "10.1.0.10", "eipalloc-1", "eth1", "eni-a", "server-b", "7"]
OPTIONS = [f"--{name}=" for name in ("server", "interface", "type", "priority", "elastic-ip", "vip", "region")]
PROPER = {
    **{action: ["-t", TAG, "-i", "x"] for action in ACTIONS},
    "create": ["--type", "route-table", "--vip", "10.1.0.20", "--interface", "eth1", "-t", "ec2-new"],
    "extend": ["server-b", "ec2-new", "--interface", "eth1"],
    "canextend": ["server-b", "ec2-new"],
}

noise = (
    st.sampled_from(FLAGS)
    | st.sampled_from(VALUES)
    | arguments
    | st.builds(operator.add, st.sampled_from(OPTIONS), arguments)
)


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """A command line with one word exchanged and some more put in, or none of it."""
    action = draw(st.sampled_from(ACTIONS))
    words = list(draw(st.sampled_from([PROPER[action], PROPER[action], []])))
    if words and draw(st.booleans()):
        words[draw(st.integers(0, len(words) - 1))] = draw(noise)
    for word in draw(st.lists(noise, max_size=4)):
        words.insert(draw(st.integers(0, len(words))), word)
    return [action, *words]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    with forked(tmp_path_factory.mktemp("arguments")) as running:
        a_device(running.folder / "net", "eth1")
        yield running


def with_registry(server: Forked) -> LocalRegistry:
    """The one resource as it was, whatever an example before did to it."""
    registry = LocalRegistry(f"{server.folder}/state", server="server-a")
    registry.remove(TAG)
    registry.store(a_resource())
    return registry


@times(2)
@given(command_lines())
def test_any_command_line_ends_with_a_status_and_its_reason(server: Forked, words: list[str]) -> None:
    """Success, failure or usage; no action says no, or fails by its arguments, without saying why in one line."""
    with_registry(server)
    done = server.run(words)
    assert done.no_traceback, done
    spec = table.ACTIONS[words[0]]
    usage, no = spec.to_the_script(table.USAGE), spec.to_the_script(table.FAILURE)
    assert done.status in (0, no, usage)
    assert not done.stdout or {"-h", "--help"} & set(words)
    if done.status == usage:
        assert done.codes == {"620008"}
        assert len(done.stderr.splitlines()) == 1
    elif done.status == no and spec.guarded:
        assert done.codes <= {"620011", "620401"}


@times(1)
@given(st.sampled_from(ABOUT_A_RESOURCE), st.sampled_from(["-t", "--tag", ""]), arguments)
def test_any_tag_is_known_invalid_or_unknown(server: Forked, action: str, flag: str, tag: str) -> None:
    """A tag that is none is refused before anything is done; no file is made for one."""
    registry = with_registry(server)
    before = _files(server)
    words = {"-t": ["-t", tag], "--tag": [f"--tag={tag}"], "": [tag]}[flag]
    done = server.run([action, *words])
    assert done.no_traceback, done
    if tag != TAG and not {"-h", "--help"} & {*words}:
        assert done.status in (1, 2, 101, 102)
        assert done.codes <= {"620008", "620011", "620401"}
        assert _files(server) == before
        assert registry.load(TAG) == a_resource()


def _files(server: Forked) -> set[Path]:
    return set((server.folder / "state").rglob("*")) | set((server.folder / "run").rglob("*"))


@times(20)
@given(arguments)
def test_a_tag_is_never_a_path(text: str) -> None:
    """What is accepted as a tag names one file in one folder, whatever is put before or behind it."""
    try:
        tag = checked_tag(text)
    except BadRequest as error:
        if error.message is not catalogue.TAG_INVALID:
            raise
        return
    for name in (tag, f"{tag}.json", f"{tag}.intention.lock"):
        assert os.path.split(os.path.normpath(f"/run/ec2kit/{name}")) == ("/run/ec2kit", name)
    assert re.fullmatch(r"[\w.-]+", tag, re.ASCII)

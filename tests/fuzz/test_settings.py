"""The tunables: whatever stands in the file or the environment, every setting is one that can be."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ec2kit.settings import TUNABLES, Settings, load

from .hostile import NASTY, OWN_NAMES, SDK_NAMES, arguments, times, words

TAG = "ec2-vip1"
NAMES = [*OWN_NAMES, *(f"{name}_ec2_vip1" for name in OWN_NAMES), *SDK_NAMES]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("settings") / "defaults"


def must_be_settings(found: Settings) -> None:
    """Each is of its kind and in its range, and can be used as a path or variable; findings are lines."""
    for attribute, tunable in TUNABLES.items():
        value = getattr(found, attribute)
        if isinstance(value, str):
            assert "\0" not in value, tunable
        elif isinstance(value, tuple):
            assert all(each.name.isprintable() for each in value), tunable
        elif value is not None and not isinstance(value, bool):
            assert tunable.low <= value <= tunable.high, tunable
            assert math.isfinite(value)
    for place in (found.state_dir, found.run_dir, found.net_dir, found.lkroot):
        assert os.path.isabs(place)
    for name, value in found.sdk.items():
        assert name.isidentifier()
        assert b"\0" not in os.fsencode(value)
    for message, fields in found.findings:
        assert len(message.render(**fields).splitlines()) == 1


lines = st.builds(
    "{}{}={}{}".format,
    st.sampled_from(["", "", "export ", "  ", "#", "export"]),
    st.sampled_from(NAMES) | st.from_regex(r"[A-Za-z_]\w{0,5}", fullmatch=True),
    words | st.sampled_from([f"'{word}'" for word in NASTY] + [f'"{word}"' for word in NASTY] + ["$PATH:x", "${A}"]),
    st.sampled_from(["", "", " # why", ";", " x", "'", '"', "\\", "\r", "\0"]),
)


@times(4)
@given(st.binary() | st.lists(lines, max_size=12).map(lambda each: os.fsencode("\n".join(each))))
def test_load_any_file_gives_settings_that_can_be(file: Path, content: bytes) -> None:
    """The file of another program, of another encoding, or half of one, costs the lines that are none."""
    file.write_bytes(content)
    file.chmod(0o600)
    must_be_settings(load({"EC2KIT_DEFAULTS": str(file)}, tag=TAG))


@times(4)
@given(st.dictionaries(st.sampled_from(NAMES) | st.sampled_from([name.lower() for name in NAMES]), arguments))
def test_load_any_environment_gives_settings_that_can_be(environment: Mapping[str, str]) -> None:
    """Whoever starts an action may have set anything."""
    must_be_settings(load({"EC2KIT_DEFAULTS": os.devnull, **environment}, tag=TAG))


@times(1)
@given(arguments)
def test_load_file_anywhere_is_no_reason_to_stop(file: Path, name: str) -> None:
    """The file's own name may be anything, too; below our folder, so that nobody else's file is read."""
    must_be_settings(load({"EC2KIT_DEFAULTS": f"{file.parent}/none/{name}"}, tag=TAG))

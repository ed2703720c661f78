"""Any environment and any tunables file: trouble and no verdict, and what is secret in them is told to nobody."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from .forked import Ended, Forked
from .hostile import NASTY, OWN_NAMES, SDK_NAMES, arguments, times

TAG = "ec2-vip1"
SECRET = "s3cr3t"
SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")

HERE = [
    "http://127.0.0.1:9",
    "127.0.0.1:9",
    "http://[::1",
    "://",
    "http://",
    "",
    "http://u:p/w@127.0.0.1:9",
    "\udcff",
]
"""Where nobody answers: no example may lead to another machine."""

DEADLINES = ("EC2_QUICKCHECK_TIMEOUT", "EC2_RESTORE_TIMEOUT", "EC2_REMOVE_TIMEOUT", "EC2_RECOVER_TIMEOUT")
"""These are short and in order: with one that cannot be read, a restore would go on for minutes, as it should."""

PLACES = ("EC2KIT_STATE_DIR", "EC2KIT_RUN_DIR", "EC2KIT_NET_DIR", "EC2KIT_LOG_FILE", "LKROOT")
NAMES = sorted({*OWN_NAMES, *SDK_NAMES, "LC_ALL", "LANG", "LANGUAGE", "HOME", "TZ", "COLUMNS", "PYTHONPATH", "IFS"})


def _value(name: str) -> st.SearchStrategy[str]:
    if name in PLACES:
        return arguments.map(lambda text: f"elsewhere/{text.replace('/', '_').replace('..', '_')}")
    if name.lower().endswith("_proxy") or "ENDPOINT" in name:
        return st.sampled_from(HERE)
    if name in SECRETS:
        ends = st.sampled_from(["\r", "\n", "\nx", "\x01", "é"]) | arguments.filter(str.isascii)
        return ends.map(lambda text: f"{SECRET}{text}{SECRET}")
    if name in DEADLINES:
        return st.sampled_from(["1", "1.0", "1.5"])
    if name == "EC2_REMOTE_COMMAND":
        return st.sampled_from(["", "'", "\\", " ", "/bin/false", "/none/such", "/bin/false $(id)"])
    return arguments


environments = st.lists(
    st.sampled_from([*NAMES, *SECRETS * 5]).flatmap(lambda name: st.tuples(st.just(name), _value(name))), max_size=6
).map(dict)


def must_be_in_order(server: Forked, action: str, done: Ended) -> None:
    """EC2 is silent: quickCheck and remove succeed, restore and recover fail, and secrets stay where they are."""
    assert done.no_traceback, done
    assert done.status == (0 if action in ("quickCheck", "remove") else 1)
    assert SECRET not in done.stderr + done.log
    assert not [path for path in _written(server) if SECRET in path.read_text(errors="replace")]


def _written(server: Forked) -> list[Path]:
    places = [server.folder / name for name in ("state", "run", "elsewhere")]
    return [path for place in places for path in place.rglob("*") if path.is_file()]


@times(0.5)
@given(st.sampled_from(["quickCheck", "quickCheck", "restore", "remove", "recover"]), environments)
def test_any_environment_is_no_verdict(server: Forked, action: str, environment: Mapping[str, str]) -> None:
    """Whatever is set where the framework was started, an action does what it can and says what it could not."""
    must_be_in_order(server, action, server.run([action, "-t", TAG], environment))


@times(0.5)
@given(
    st.sampled_from(["quickCheck", "restore", "remove"]), environments, st.sampled_from(["", "\r", "\0", ";", " x"])
)
def test_any_tunables_file_is_no_verdict(
    server: Forked, action: str, assignments: Mapping[str, str], end: str
) -> None:
    """The same for what stands in the file, also where it was written on another system."""
    file = server.folder / "defaults"
    text = "".join(f"{name}={value}{end}\n" for name, value in assignments.items())
    file.write_bytes(os.fsencode(text))
    file.chmod(0o600)
    kept = (*PLACES, *DEADLINES)
    unset = dict.fromkeys((*SECRETS, *(name for name in assignments if name not in kept)), "")
    environment = {**unset, "EC2KIT_DEFAULTS": str(file), "EC2_ENDPOINT_URL": "http://127.0.0.1:9"}
    if "AWS_EC2_METADATA_SERVICE_ENDPOINT" not in assignments:
        environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://127.0.0.1:9"
    must_be_in_order(server, action, server.run([action, "-t", TAG], environment))


def test_what_is_nasty_was_tried() -> None:
    """The list of what is made up has the cases that hurt others."""
    assert {"$(id)", "../x", "{0}", "\udcff", "\x1b[2J"} <= set(NASTY)

"""The tunables: the whole table, precedence, and a shell file that is read and never executed."""

from __future__ import annotations

import os
import shlex
import string
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ec2kit import messages
from ec2kit.settings import INSTALLED, TUNABLES, Settings, assignments, load

NUMBERS = [
    ("EC2_RESTORE_TIMEOUT", "restore_timeout", 300, 1, 3600),
    ("EC2_REMOVE_TIMEOUT", "remove_timeout", 300, 1, 3600),
    ("EC2_RECOVER_TIMEOUT", "recover_timeout", 300, 1, 3600),
    ("EC2_QUICKCHECK_TIMEOUT", "quickcheck_timeout", 100, 1, 3600),
    ("EC2_VERIFY_TIMEOUT", "verify_timeout", 30, 1, 3600),
    ("EC2_CONFIRM_INTERVAL", "confirm_interval", 2, 0, 60),
    ("EC2_MAX_RETRY", "max_retry", None, 0, 100),
    ("AWSCLI_CONNECT_TIMEOUT", "connect_timeout", 2, 1, 300),
    ("AWSCLI_READ_TIMEOUT", "read_timeout", 5, 1, 300),
    ("EC2_WRITE_BURST", "write_burst", 50, 0, 1000),
    ("EC2_WRITE_RATE", "write_rate", 5, 0, 1000),
    ("EC2_SNAPSHOT_MAX_AGE", "snapshot_max_age", 5, 0, 3600),
    ("LKCHECKINTERVAL", "lkcheckinterval", 120, 0, 86400),
    ("NOBCASTPING", "nobcastping", 0, 0, 1),
    ("RESRVRECTIMEOUT", "resrvrectimeout", 60, 0, 86400),
]
SWITCHES = [
    ("EC2_EIP_KEEP_ON_REMOVE", "eip_keep_on_remove"),
    ("EC2_EIP_EXCLUSIVE", "eip_exclusive"),
    ("EC2_NOLINKCHECK", "nolinkcheck"),
    ("EC2_RECOVER_TAKE_FROM_PEER", "recover_take_from_peer"),
]
TEXTS = [
    ("EC2_ENDPOINT_URL", "endpoint_url", ""),
    ("EC2_REMOTE_COMMAND", "remote_command", "ssh -o BatchMode=yes"),
    ("EC2KIT_STATE_DIR", "state_dir", "/var/lib/ec2kit"),
    ("EC2KIT_RUN_DIR", "run_dir", "/run/ec2kit"),
    ("EC2KIT_NET_DIR", "net_dir", "/sys/class/net"),
    ("EC2KIT_LOG_FILE", "log_file", ""),
    ("EC2KIT_SERVER", "server", os.uname().nodename),
    ("LKROOT", "lkroot", "/opt/LifeKeeper"),
    ("LKSYSLOGSELECTOR", "lksyslogselector", "local6"),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "metadata_url", "http://169.254.169.254"),
]


def loaded(environment: dict[str, str] | None = None, file: Path | None = None, **more: Any) -> Settings:
    return load({"EC2KIT_DEFAULTS": str(file or "/nonexistent/defaults"), **(environment or {})}, **more)


def a_lifekeeper(folder: Path) -> dict[str, str]:
    """The environment of a server that the kit is installed on for LifeKeeper."""
    mark = folder / "LifeKeeper" / INSTALLED
    mark.parent.mkdir(parents=True)
    mark.write_text("{}")
    return {"LKROOT": str(folder / "LifeKeeper")}


def a_file(folder: Path, text: str, mode: int = 0o644) -> Path:
    path = folder / "defaults"
    path.write_text(text)
    path.chmod(mode)
    return path


# -- the table ---------------------------------------------------------------------------------------------


def test_table_of_tests_names_every_tunable() -> None:
    """No tunable is without a test of its default and range."""
    tested = {each[0] for each in [*NUMBERS, *SWITCHES, *TEXTS]} | {"PATH"}
    assert {tunable.name for tunable in TUNABLES.values()} == tested


@pytest.mark.parametrize(("name", "attribute", "default", "low", "high"), NUMBERS, ids=[each[0] for each in NUMBERS])
def test_load_number_has_default_and_range(
    name: str, attribute: str, default: float | None, low: float, high: float
) -> None:
    """Both ends of the range are taken, and without a value the default."""
    assert getattr(loaded(), attribute) == default
    for edge in (low, high):
        settings = loaded({name: f"{edge:g}"})
        assert getattr(settings, attribute) == edge
        assert settings.findings == ()


@pytest.mark.parametrize(("name", "attribute", "default", "low", "high"), NUMBERS, ids=[each[0] for each in NUMBERS])
def test_load_number_wrong_or_out_of_range_is_default_and_warned(
    name: str, attribute: str, default: float | None, low: float, high: float
) -> None:
    """What is no number of the range counts as the default, with a WARN that names it."""
    below = [] if low == 0 else [f"{low - 0.5:g}"]
    for text in ["x", "-1", "1e3", "0x10", "nan", "inf", "1 2", "١", f"{high + 1:g}", "9" * 400, *below]:
        settings = loaded({name: text})
        assert getattr(settings, attribute) == default
        ((message, fields),) = settings.findings
        assert message is messages.SETTING_INVALID
        assert name in message.render(**fields)


@pytest.mark.parametrize(("name", "attribute"), SWITCHES, ids=[each[0] for each in SWITCHES])
def test_load_switch_is_0_or_1_and_nothing_else(name: str, attribute: str) -> None:
    """A switch is off by default, on with 1; anything else is warned of and off."""
    assert getattr(loaded(), attribute) is False
    assert getattr(loaded({name: "1"}), attribute) is True
    assert getattr(loaded({name: "0"}), attribute) is False
    for text in ("yes", "true", "2", "01"):
        settings = loaded({name: text})
        assert getattr(settings, attribute) is False
        assert [message for message, _ in settings.findings] == [messages.SETTING_INVALID]


@pytest.mark.parametrize(("name", "attribute", "default"), TEXTS, ids=[each[0] for each in TEXTS])
def test_load_text_has_default_and_is_taken_as_it_is(name: str, attribute: str, default: str) -> None:
    """A text is whatever is set."""
    assert getattr(loaded(), attribute) == default
    assert getattr(loaded({name: "/anything at all"}), attribute) == "/anything at all"


@pytest.mark.parametrize("name", ["EC2KIT_STATE_DIR", "EC2KIT_RUN_DIR", "EC2KIT_NET_DIR"])
def test_load_place_that_is_relative_is_made_absolute(name: str) -> None:
    """A place does not move with the current folder afterwards."""
    attribute = name.removeprefix("EC2KIT_").lower()
    assert getattr(loaded({name: "here"}), attribute) == os.path.abspath("here")


def test_load_fraction_of_a_second_is_a_number() -> None:
    """Durations may be fractions."""
    assert loaded({"EC2_CONFIRM_INTERVAL": "0.25"}).confirm_interval == 0.25


# -- precedence --------------------------------------------------------------------------------------------

NAME = "EC2_VERIFY_TIMEOUT"


@pytest.mark.parametrize(
    ("environment", "file", "lifekeeper", "expected"),
    [
        pytest.param({}, "", False, 30, id="default"),
        pytest.param({}, f"{NAME}=11", False, 11, id="file"),
        pytest.param({}, f"{NAME}=11\n{NAME}_ec2_vip1=12", False, 12, id="file-of-the-tag"),
        pytest.param({NAME: "13"}, f"{NAME}=11\n{NAME}_ec2_vip1=12", False, 13, id="environment-before-file"),
        pytest.param(
            {NAME: "13", f"{NAME}_ec2_vip1": "14"}, f"{NAME}_ec2_vip1=12", False, 14, id="environment-of-the-tag"
        ),
        pytest.param({f"{NAME}_other": "15"}, f"{NAME}_other=16", False, 30, id="another-tag"),
        pytest.param({NAME: "13", f"{NAME}_ec2_vip1": "14"}, f"{NAME}=11", True, 11, id="lifekeeper-file-first"),
        pytest.param(
            {f"{NAME}_ec2_vip1": "14"}, f"{NAME}=11\n{NAME}_ec2_vip1=12", True, 12, id="lifekeeper-tag-first"
        ),
        pytest.param({NAME: "13"}, "", True, 13, id="lifekeeper-environment-where-file-is-silent"),
        pytest.param({NAME: ""}, f"{NAME}=11", False, 11, id="empty-is-not-set"),
        pytest.param({}, f"{NAME}=11\n{NAME}=17", False, 17, id="last-line-wins"),
        pytest.param({NAME: "wrong"}, f"{NAME}=11", False, 30, id="wrong-is-default-and-not-the-next"),
    ],
)
def test_load_sources_in_order_of_precedence(
    environment: dict[str, str], file: str, lifekeeper: bool, expected: float, tmp_path: Path
) -> None:
    """Environment of the tag, environment, file of the tag, file, default; under LifeKeeper the file first."""
    path = a_file(tmp_path, file)
    environment = {**environment, **(a_lifekeeper(tmp_path) if lifekeeper else {})}
    found = loaded(environment, path, tag="ec2-vip1")
    assert (found.verify_timeout, found.lifekeeper) == (expected, lifekeeper)


def test_load_lkroot_of_the_environment_comes_first(tmp_path: Path) -> None:
    """The hooks say where they are installed; an old line in the file does not lead them elsewhere."""
    environment = a_lifekeeper(tmp_path)
    found = loaded(environment, a_file(tmp_path, "LKROOT=/elsewhere"))
    assert (found.lkroot, found.lifekeeper) == (environment["LKROOT"], True)
    assert not loaded({}, a_file(tmp_path, "LKROOT=/elsewhere")).lifekeeper


def test_load_tag_with_odd_characters_is_spelt_with_underscores() -> None:
    """What a shell name cannot hold becomes an underscore."""
    assert loaded({f"{NAME}_a_b_c_1": "12"}, tag="a.b-c_1").verify_timeout == 12


# -- the file's safety -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666, 0o620])
def test_load_file_that_others_can_write_counts_as_empty(mode: int, tmp_path: Path) -> None:
    """Who can write the file decides where AWS is; so a file that others can write is not used, with an ERROR."""
    settings = loaded(file=a_file(tmp_path, f"{NAME}=11\nAWS_ENDPOINT_URL=http://evil", mode))
    assert settings.verify_timeout == 30
    assert "AWS_ENDPOINT_URL" not in settings.sdk
    assert [message for message, _ in settings.findings] == [messages.SETTINGS_UNSAFE]


def test_load_file_of_another_user_counts_as_empty(tmp_path: Path) -> None:
    """Only root's file, or our own, is used."""
    path = a_file(tmp_path, f"{NAME}=11")
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(path, 12345, -1)
    settings = loaded(file=path)
    assert settings.verify_timeout == 30
    assert [message for message, _ in settings.findings] == [messages.SETTINGS_UNSAFE]


def test_load_file_unreadable_counts_as_empty_with_an_error(tmp_path: Path) -> None:
    """A file that cannot be read is told of, and the defaults are used."""
    settings = loaded(file=tmp_path)
    assert settings.verify_timeout == 30
    assert [message for message, _ in settings.findings] == [messages.SETTINGS_UNREADABLE]


def test_load_file_missing_is_no_finding(tmp_path: Path) -> None:
    """Without a file there are defaults, and nothing to tell."""
    assert loaded(file=tmp_path / "none").findings == ()


@pytest.mark.timeout(10)
def test_load_file_is_a_pipe_is_told_and_never_waited_for(tmp_path: Path) -> None:
    """What is no regular file is not used, and cannot hold up an action."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    reader = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from ec2kit.settings import load; "
            "print(load({'EC2KIT_DEFAULTS': sys.argv[1]}).findings[0][0].code)",
            str(tmp_path / "pipe"),
        ],
        capture_output=True,
        text=True,
        timeout=3,
        check=False,
    )
    assert reader.stdout.strip() in (str(messages.SETTINGS_UNSAFE.code), str(messages.SETTINGS_UNREADABLE.code))


def test_load_file_with_bytes_of_any_kind_never_raises(tmp_path: Path) -> None:
    """A file of random bytes is read for the assignments that it has."""
    path = tmp_path / "defaults"
    path.write_bytes(bytes(range(256)) * 4 + b"\n" + NAME.encode() + b"=11\n")
    assert loaded(file=path).verify_timeout == 11


@pytest.mark.timeout(20)
def test_load_file_of_many_lines_takes_no_time(tmp_path: Path) -> None:
    """A file that something else wrote into without end costs no action its deadline."""
    lines = "".join(f"NAME_{number}=$NAME_{number - 1}\n" for number in range(35_000))
    assert loaded(file=a_file(tmp_path, f"{lines}{NAME}=11\n")).verify_timeout == 11


def test_load_file_too_large_counts_as_empty_with_an_error(tmp_path: Path) -> None:
    """A file that is not read to its end gives no value, since the last line of what was read may be half of one."""
    settings = loaded(file=a_file(tmp_path, f"{NAME}=11\n" + "#" * 1_000_000))
    assert settings.verify_timeout == 30
    assert [message for message, _ in settings.findings] == [messages.SETTINGS_UNREADABLE]


def test_load_line_with_a_nul_is_skipped(tmp_path: Path) -> None:
    """Neither a path nor a variable of the environment can have one; the lines around it count."""
    path = a_file(tmp_path, f"EC2KIT_RUN_DIR=/x\0y\nAWS_PROFILE=a\0b\n{NAME}=11\n")
    settings = loaded(file=path)
    assert (settings.run_dir, settings.sdk.get("AWS_PROFILE"), settings.verify_timeout) == ("/run/ec2kit", None, 11)


# -- the SDK's variables -----------------------------------------------------------------------------------


def test_sdk_variables_of_the_file_are_handed_on_unless_the_environment_has_them(tmp_path: Path) -> None:
    """The SDK's variables may stand in the file; the environment comes first, under LifeKeeper the file."""
    path = a_file(tmp_path, "AWS_PROFILE=of-file\nexport https_proxy=http://p:1\nAWS_CA_BUNDLE=/ca\nOTHER=1")
    sdk = loaded({"AWS_PROFILE": "of-environment"}, path).sdk
    assert (sdk.get("AWS_PROFILE"), sdk["https_proxy"], sdk["AWS_CA_BUNDLE"]) == (None, "http://p:1", "/ca")
    assert "OTHER" not in sdk
    environment = {"AWS_PROFILE": "of-environment", **a_lifekeeper(tmp_path)}
    assert loaded(environment, path).sdk["AWS_PROFILE"] == "of-file"


def test_sdk_metadata_service_is_of_version_2_only() -> None:
    """IMDSv1 is never asked."""
    assert loaded().sdk["AWS_EC2_METADATA_V1_DISABLED"] == "true"


@pytest.mark.parametrize(
    ("environment", "the_same"),
    [
        pytest.param({}, True, id="nothing"),
        pytest.param({"EC2_RESTORE_TIMEOUT": "7", "LANG": "C"}, True, id="nothing-of-the-sdk"),
        pytest.param({"AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}, True, id="secrets"),
        pytest.param({"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}, False, id="key"),
        pytest.param({"AWS_PROFILE": "other"}, False, id="profile"),
        pytest.param({"AWS_ENDPOINT_URL_EC2": "http://127.0.0.1:1"}, False, id="endpoint"),
        pytest.param({"EC2_ENDPOINT_URL": "http://127.0.0.1:1"}, False, id="own-endpoint"),
        pytest.param({"EC2_ENDPOINT_URL_x": "http://127.0.0.1:1"}, False, id="endpoint-of-one-resource"),
        pytest.param({"AWS_WEB_IDENTITY_TOKEN_FILE": "/t"}, False, id="web-identity"),
        pytest.param({"HOME": "/elsewhere"}, False, id="home"),
    ],
)
def test_origin_is_another_where_another_aws_may_answer(environment: dict[str, str], the_same: bool) -> None:
    """Answers are shared between those who ask the same endpoint as the same account; secrets are not looked at."""
    assert (loaded(environment, tag="x").origin == loaded(tag="x").origin) is the_same


def test_origin_of_the_file_counts_as_that_of_the_environment(tmp_path: Path) -> None:
    """A profile that stands in the file leads elsewhere, too."""
    assert loaded(file=a_file(tmp_path, "AWS_PROFILE=other\n")).origin != loaded().origin


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_sdk_metadata_addresses_never_go_through_a_proxy(name: str) -> None:
    """With a proxy, the metadata addresses are added to those that are spoken to directly."""
    sdk = loaded({name: "http://proxy:3128", "no_proxy": "example.com"}).sdk
    assert sdk["NO_PROXY"] == sdk["no_proxy"]
    assert {"example.com", "169.254.169.254", "fd00:ec2::254"} <= set(sdk["no_proxy"].split(","))


def test_sdk_metadata_endpoint_of_ones_own_never_goes_through_a_proxy() -> None:
    """The rule holds for the metadata address that was set, not only for the usual ones."""
    endpoint = "http://127.0.0.1:1338"
    sdk = loaded({"http_proxy": "http://proxy:3128", "AWS_EC2_METADATA_SERVICE_ENDPOINT": endpoint}).sdk
    assert any(each.startswith("127.0.0.1") for each in sdk["no_proxy"].split(","))


@pytest.mark.parametrize("url", ["http://[::1", "nonsense", "//", ""])
def test_sdk_metadata_endpoint_that_is_none_is_no_reason_to_stop(url: str) -> None:
    """With a proxy, too, an address that cannot be parsed is told by the action that needs it."""
    sdk = loaded({"http_proxy": "http://proxy:3128", "AWS_EC2_METADATA_SERVICE_ENDPOINT": url}).sdk
    assert sdk["no_proxy"] == "169.254.169.254,fd00:ec2::254"


def test_sdk_metadata_endpoint_with_a_host_that_cannot_be_is_no_reason_to_stop() -> None:
    """Older Pythons take what stands between brackets for a host, newer ones for nothing: neither does harm."""
    url = "http://[nonsense]"
    sdk = loaded({"http_proxy": "http://proxy:3128", "AWS_EC2_METADATA_SERVICE_ENDPOINT": url}).sdk
    assert set(sdk["no_proxy"].split(",")) - {"nonsense"} == {"169.254.169.254", "fd00:ec2::254"}


IN_CLEAR = "http://ec2.example.com"


@pytest.mark.parametrize(
    ("environment", "warned"),
    [
        pytest.param({}, None, id="none set"),
        pytest.param({"EC2_ENDPOINT_URL": IN_CLEAR}, IN_CLEAR, id="the kit's"),
        pytest.param({"AWS_ENDPOINT_URL_EC2": IN_CLEAR}, IN_CLEAR, id="the SDK's for EC2"),
        pytest.param({"AWS_ENDPOINT_URL": IN_CLEAR}, IN_CLEAR, id="the SDK's for all"),
        pytest.param({"AWS_ENDPOINT_URL_S3": IN_CLEAR}, None, id="another service's"),
        pytest.param(
            {"AWS_ENDPOINT_URL": IN_CLEAR, "EC2_ENDPOINT_URL": "https://x"}, None, id="one that does not count"
        ),
        pytest.param(
            {"AWS_ENDPOINT_URL": IN_CLEAR, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "True"},
            None,
            id="ignored by the SDK",
        ),
        pytest.param({"EC2_ENDPOINT_URL": "HTTP://10.0.0.1:8080/"}, "HTTP://10.0.0.1:8080/", id="capitals"),
        pytest.param(
            {"EC2_ENDPOINT_URL": "http://127.0.0.1.example.com"}, "http://127.0.0.1.example.com", id="like it"
        ),
        pytest.param({"EC2_ENDPOINT_URL": "http://127.0.0.1:1@10.0.0.1"}, "http://127.0.0.1:1@10.0.0.1", id="user"),
        pytest.param({"EC2_ENDPOINT_URL": "http://[::1"}, "http://[::1", id="nonsense"),
        pytest.param({"EC2_ENDPOINT_URL": "http://127.0.0.1:4000"}, None, id="loopback"),
        pytest.param({"EC2_ENDPOINT_URL": "http://user:pw@127.8.9.1"}, None, id="loopback with a user"),
        pytest.param({"EC2_ENDPOINT_URL": "http://[::1]:4000/"}, None, id="loopback of IPv6"),
        pytest.param({"EC2_ENDPOINT_URL": "http://localhost:4000"}, None, id="localhost"),
        pytest.param({"EC2_ENDPOINT_URL": "https://ec2.example.com"}, None, id="encrypted"),
    ],
)
def test_load_endpoint_in_clear_beyond_this_machine_is_warned_of(
    environment: dict[str, str], warned: str | None, tmp_path: Path
) -> None:
    """Where EC2 would be asked without encryption it is said, whether the environment or the file leads there."""
    expected = [(messages.ENDPOINT_IN_CLEAR, {"endpoint": warned})] if warned else []
    assert list(loaded(environment).findings) == expected
    file = a_file(tmp_path, "".join(f"{name}={value}\n" for name, value in environment.items()))
    assert list(loaded(file=file).findings) == expected


# -- the shell file ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("A=1", {"A": "1"}, id="plain"),
        pytest.param("export A=1", {"A": "1"}, id="export"),
        pytest.param("  A=1  # why", {"A": "1"}, id="comment"),
        pytest.param("A=1#x", {"A": "1#x"}, id="hash-within"),
        pytest.param("# A=1", {}, id="commented-out"),
        pytest.param("A='a b'\"c d\"e", {"A": "a bc de"}, id="pieces"),
        pytest.param("A='it'\\''s'", {"A": "it's"}, id="escaped-quote"),
        pytest.param('A="say \\"x\\" \\\\ \\n"', {"A": 'say "x" \\ \\n'}, id="escapes-in-quotes"),
        pytest.param("A=", {"A": ""}, id="empty"),
        pytest.param("A=1;", {"A": "1"}, id="semicolon"),
        pytest.param("A=x=y", {"A": "x=y"}, id="equals-within"),
        pytest.param("A=1\nA=2", {"A": "2"}, id="last-wins"),
        pytest.param("A=1\nB=$A/${A}x", {"A": "1", "B": "1/1x"}, id="reference"),
        pytest.param("B='$A'", {"B": "$A"}, id="single-quotes-keep-dollar"),
        pytest.param("B=\\$A", {"B": "$A"}, id="escaped-dollar"),
        pytest.param('A=1\nB="\\$A"', {"A": "1", "B": "$A"}, id="escaped-dollar-in-quotes"),
        pytest.param("A=$UNSET-x", {"A": "-x"}, id="unset-is-empty"),
        pytest.param("A=`id`", {}, id="backticks-skipped"),
        pytest.param("A=$(id)", {}, id="command-skipped"),
        pytest.param('A="x $(id)"', {}, id="command-in-quotes-skipped"),
        pytest.param("A=${X:-y}", {}, id="expansion-that-only-a-shell-knows-skipped"),
        pytest.param("A=1 command", {}, id="for-one-command-skipped"),
        pytest.param("A='open", {}, id="open-quote-skipped"),
        pytest.param("A =1", {}, id="space-before-equals"),
        pytest.param("1A=1", {}, id="no-name"),
        pytest.param("if true; then", {}, id="other-shell"),
    ],
)
def test_assignments_line_is_read_as_a_shell_would_or_skipped(line: str, expected: dict[str, str]) -> None:
    """Assignments are understood; what only a shell could tell is skipped and never executed."""
    assert assignments(line) == expected


def test_assignments_environment_is_known_to_references() -> None:
    """A reference may name what the environment has."""
    assert assignments("PATH=/x:$PATH", {"PATH": "/bin"}) == {"PATH": "/x:/bin"}


@given(st.text() | st.text("A=B'\"\\$`(){}#;& \n\texport", max_size=60))
def test_assignments_any_text_never_raises(text: str) -> None:
    """Whatever stands in the file, reading it raises nothing and names are names."""
    for name in assignments(text):
        assert name.isidentifier()


VALUES = st.text(string.ascii_letters + string.digits + " ./:@%+,=_-#$\"'\\;&|<>()*?~!^[]{}", max_size=30)


def _in_double_quotes(text: str) -> str:
    return '"' + "".join(f"\\{each}" if each in '"\\$`' else each for each in text) + '"'


def _with_backslashes(text: str) -> str:
    return "".join(each if each.isalnum() else f"\\{each}" for each in text)


WORDS = VALUES.flatmap(
    lambda value: st.sampled_from([shlex.quote, _in_double_quotes, _with_backslashes]).map(lambda quote: quote(value))
)


@hypothesis_settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from(["", "export "]), WORDS, st.sampled_from(["", "  ", " # why"])),
        min_size=1,
        max_size=20,
    )
)
def test_assignments_simple_values_agree_with_sh(lines: list[tuple[str, str, str]]) -> None:
    """/bin/sh reads the same values, however they are quoted."""
    text = "".join(f"{export}V{place}={word}{rest}\n" for place, (export, word, rest) in enumerate(lines))
    names = [f"V{place}" for place in range(len(lines))]
    script = text + "printf '%s\\0' " + " ".join(f'"${name}"' for name in names)
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True, env={}, timeout=10)
    assert assignments(text) == dict(zip(names, done.stdout.decode().split("\0"), strict=False))


@pytest.mark.parametrize("character", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_assignments_character_that_ends_lines_for_python_only_ends_none(character: str) -> None:
    """A shell's line ends with a line feed; a comment cannot become an assignment by another character."""
    assert assignments(f"# see{character}EC2_ENDPOINT_URL=http://elsewhere\nA='x{character}y'") == {
        "A": f"x{character}y"
    }

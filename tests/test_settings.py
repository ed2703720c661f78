"""The tunables: the whole table, precedence, and the file that may set them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ec2kit.messages import catalogue
from ec2kit.settings import INSTALLED, TUNABLES, Settings, load

from .patience import HANGS

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
    ("EC2_PROBE_TIMEOUT", "probe_timeout", 10, 1, 60),
    ("EC2_NOTICE_LEAD", "notice_lead", 3600, 0, 604800),
    ("EC2_NOTICE_CALM", "notice_calm", 300, 0, 86400),
    ("EC2_HISTORY_SIZE", "history_size", 2000, 0, 100000),
    ("LKCHECKINTERVAL", "lkcheckinterval", 120, 0, 86400),
    ("NOBCASTPING", "nobcastping", 0, 0, 1),
    ("RESRVRECTIMEOUT", "resrvrectimeout", 60, 0, 86400),
]
SWITCHES = [
    ("EC2_WRITE_BESIDE_LOOK", "write_beside_look", True),
    ("EC2_EIP_KEEP_ON_REMOVE", "eip_keep_on_remove", False),
    ("EC2_EIP_EXCLUSIVE", "eip_exclusive", False),
    ("EC2_NOLINKCHECK", "nolinkcheck", False),
    ("EC2_RECOVER_TAKE_FROM_PEER", "recover_take_from_peer", False),
    ("EC2_NO_LOCAL_REPAIR", "no_local_repair", False),
    ("EC2_NOTICE_REBALANCE", "notice_rebalance", False),
]
TEXTS = [
    ("EC2_ENDPOINT_URL", "endpoint_url", ""),
    ("EC2_PROBE_FROM", "probe_from", ""),
    ("EC2_METRICS_DIR", "metrics_dir", ""),
    ("EC2_REMOTE_COMMAND", "remote_command", "ssh -o BatchMode=yes"),
    ("EC2KIT_STATE_DIR", "state_dir", "/var/lib/ec2kit"),
    ("EC2KIT_RUN_DIR", "run_dir", "/run/ec2kit"),
    ("EC2KIT_NET_DIR", "net_dir", "/sys/class/net"),
    ("EC2KIT_SYSTEM_ROOT", "system_root", "/"),
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
    tested = {each[0] for each in [*NUMBERS, *SWITCHES, *TEXTS]} | {"PATH", "EC2_ENDPOINTS", "EC2_PROBE"}
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
        assert message is catalogue.SETTING_INVALID
        assert name in message.render(**fields)


@pytest.mark.parametrize(("name", "attribute", "default"), SWITCHES, ids=[each[0] for each in SWITCHES])
def test_load_switch_is_0_or_1_and_nothing_else(name: str, attribute: str, default: bool) -> None:
    """A switch is on with 1 and off with 0; anything else is warned of, and the default is used."""
    assert getattr(loaded(), attribute) is default
    assert getattr(loaded({name: "1"}), attribute) is True
    assert getattr(loaded({name: "0"}), attribute) is False
    for text in ("yes", "true", "2", "01"):
        settings = loaded({name: text})
        assert getattr(settings, attribute) is default
        assert [message for message, _ in settings.findings] == [catalogue.SETTING_INVALID]


@pytest.mark.parametrize(("name", "attribute", "default"), TEXTS, ids=[each[0] for each in TEXTS])
def test_load_text_has_default_and_is_taken_as_it_is(name: str, attribute: str, default: str) -> None:
    """A text is whatever is set."""
    assert getattr(loaded(), attribute) == default
    assert getattr(loaded({name: "/anything at all"}), attribute) == "/anything at all"


@pytest.mark.parametrize(
    "text", ["off", "icmp", "tcp:1", "tcp:65535", "command:/usr/local/bin/try it", "command:/opt/probe"]
)
def test_load_probe_of_each_form_is_taken(text: str) -> None:
    """A way to send packets is one word, or a path."""
    settings = loaded({"EC2_PROBE": text})
    assert (settings.probe, settings.findings) == (text, ())


@pytest.mark.parametrize(
    "text",
    ["ICMP", "yes", "tcp", "tcp:", "tcp:0", "tcp:65536", "tcp:١", "command:", "command:try", "udp:53", "icmp x"],
)
def test_load_probe_of_another_form_is_off_and_warned(text: str) -> None:
    """A slip of the pen sends nothing, and is told with what is valid."""
    settings = loaded({"EC2_PROBE": text})
    assert settings.probe == "off"
    ((message, fields),) = settings.findings
    assert message is catalogue.SETTING_INVALID
    assert "is not off, icmp, tcp:PORT or command:/PATH; off is used" in message.render(**fields)


def test_load_endpoints_are_read_in_order_and_wrong_entries_are_named() -> None:
    """The rest of a list is used; none is left of one that is all wrong, so that the other settings count."""
    settings = loaded({"EC2_ENDPOINTS": "https://ec2.example.com direct, fip, regional via http://u:s3cr3t@proxy:1"})
    assert [each.name for each in settings.endpoints] == [
        "https://ec2.example.com direct",
        "regional via http://proxy:1",
    ]
    ((message, fields),) = settings.findings
    assert (message, fields["entry"]) == (catalogue.ENDPOINT_UNUSABLE, "fip")
    assert loaded({"EC2_ENDPOINTS": "nonsense"}).endpoints == loaded().endpoints == ()


def test_load_endpoints_come_before_the_endpoint_that_is_set_otherwise() -> None:
    """What is said of TLS and of answers in common is said of the list."""
    elsewhere = {"EC2_ENDPOINT_URL": "http://ec2.example.com", "AWS_ENDPOINT_URL": "http://ec2.example.com"}
    settings = loaded({**elsewhere, "EC2_ENDPOINTS": "regional"})
    assert (settings.over_tls, settings.findings) == (True, ())
    in_clear = loaded({"EC2_ENDPOINTS": "http://ec2.example.com, http://127.0.0.1:1"})
    assert [fields for _, fields in in_clear.findings] == [{"service": "EC2", "endpoint": "http://ec2.example.com"}]
    assert not in_clear.over_tls
    assert len({each.origin for each in (settings, in_clear, loaded(elsewhere))}) == 3


def test_load_proxy_for_all_is_warned_of_only_where_a_way_would_use_it() -> None:
    """An entry with a proxy of its own, or none, does not look at the environment."""
    proxy = {"ALL_PROXY": "http://proxy:3128"}
    assert loaded({**proxy, "EC2_ENDPOINTS": "regional direct, fips via http://proxy:3128"}).findings == ()
    assert len(loaded({**proxy, "EC2_ENDPOINTS": "regional direct, fips"}).findings) == 1


@pytest.mark.parametrize("name", ["EC2KIT_STATE_DIR", "EC2KIT_RUN_DIR", "EC2KIT_NET_DIR", "EC2KIT_SYSTEM_ROOT"])
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
    assert [message for message, _ in settings.findings] == [catalogue.SETTINGS_UNSAFE]


def test_load_file_of_another_user_counts_as_empty(tmp_path: Path) -> None:
    """Only root's file, or our own, is used."""
    path = a_file(tmp_path, f"{NAME}=11")
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(path, 12345, -1)
    settings = loaded(file=path)
    assert settings.verify_timeout == 30
    assert [message for message, _ in settings.findings] == [catalogue.SETTINGS_UNSAFE]


def test_load_file_unreadable_counts_as_empty_with_an_error(tmp_path: Path) -> None:
    """A file that cannot be read is told of, and the defaults are used."""
    settings = loaded(file=tmp_path)
    assert settings.verify_timeout == 30
    assert [message for message, _ in settings.findings] == [catalogue.SETTINGS_UNREADABLE]


def test_load_file_missing_is_no_finding(tmp_path: Path) -> None:
    """Without a file there are defaults, and nothing to tell."""
    assert loaded(file=tmp_path / "none").findings == ()


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
        timeout=HANGS,
        check=False,
    )
    assert reader.stdout.strip() in (str(catalogue.SETTINGS_UNSAFE.code), str(catalogue.SETTINGS_UNREADABLE.code))


def test_load_file_with_bytes_of_any_kind_never_raises(tmp_path: Path) -> None:
    """A file of random bytes is read for the assignments that it has."""
    path = tmp_path / "defaults"
    path.write_bytes(bytes(range(256)) * 4 + b"\n" + NAME.encode() + b"=11\n")
    assert loaded(file=path).verify_timeout == 11


def test_load_file_of_many_lines_takes_no_time(tmp_path: Path) -> None:
    """A file that something else wrote into without end costs no action its deadline."""
    lines = "".join(f"NAME_{number}=$NAME_{number - 1}\n" for number in range(35_000))
    assert loaded(file=a_file(tmp_path, f"{lines}{NAME}=11\n")).verify_timeout == 11


def test_load_file_too_large_counts_as_empty_with_an_error(tmp_path: Path) -> None:
    """A file that is not read to its end gives no value, since the last line of what was read may be half of one."""
    settings = loaded(file=a_file(tmp_path, f"{NAME}=11\n" + "#" * 1_000_000))
    assert settings.verify_timeout == 30
    assert [message for message, _ in settings.findings] == [catalogue.SETTINGS_UNREADABLE]


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


def _applied(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], file: Path | None = None) -> Settings:
    """Load, and change this process's environment as the edge of a process does."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = loaded({"AWS_CONFIG_FILE": os.environ["AWS_CONFIG_FILE"], **environment}, file)
    for name, value in found.sdk.items():
        monkeypatch.setenv(name, value)
        if not value:
            monkeypatch.delenv(name)
    return found


OTHERS = [
    "https://ec2.us-east-1.amazonaws.com",
    "https://x.example.com:8443",
    "http://[2001:db8::1]:80/",
    "http://10.0.0.7",
]


@pytest.mark.parametrize(
    "listed", ["", "*", "*,x", "example.com", ".example.com, 10.0.0.7", "[2001:db8::1]", "10.0.0.0/8"]
)
@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "http://127.0.0.1:1338",
        "http://[::1]:1338/base",
        "http://[FD00:EC2::254]",
        "http://imds.Example.net",
        "http://u:p@10.9.9.9",
    ],
)
def test_sdk_asks_only_the_metadata_service_without_the_proxy_beyond_what_was_said(
    listed: str, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """botocore itself asks no metadata address by the proxy, and all others as NO_PROXY had it."""
    from botocore.utils import should_bypass_proxies

    given = {"http_proxy": "http://proxy:3128", "NO_PROXY": listed, "AWS_EC2_METADATA_SERVICE_ENDPOINT": endpoint}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    before = [should_bypass_proxies(each) for each in OTHERS]
    found = _applied(monkeypatch, given)
    assert [should_bypass_proxies(each) for each in OTHERS] == before
    for each in ("http://169.254.169.254", "http://[fd00:ec2::254]", found.metadata_url):
        assert should_bypass_proxies(each)


def test_sdk_no_proxy_that_was_added_is_not_added_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that another action starts finds its environment as it should be."""
    first = _applied(monkeypatch, {"http_proxy": "http://proxy:3128", "NO_PROXY": "x"})
    assert "NO_PROXY" not in loaded({**first.sdk, "http_proxy": "http://proxy:3128"}).sdk


@pytest.mark.parametrize(
    ("environment", "file", "expected"),
    [
        pytest.param(
            {"HTTPS_PROXY": "http://e"}, "https_proxy=http://f", {"https": "http://e"}, id="environment-first"
        ),
        pytest.param(
            {"https_proxy": "http://e"}, "HTTPS_PROXY=http://f", {"https": "http://f"}, id="lifekeeper-file-first"
        ),
        pytest.param({"https_proxy": "", "HTTPS_PROXY": "http://e"}, "", {}, id="switched-off-by-the-other-spelling"),
        pytest.param({"https_proxy": ""}, "HTTPS_PROXY=http://f", {"https": "http://f"}, id="empty-is-not-set"),
    ],
)
def test_sdk_proxy_is_that_of_the_first_place_whichever_way_it_is_spelt(
    environment: dict[str, str], file: str, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Python prefers small letters; the precedence of environment and file does not depend on that."""
    from urllib.request import getproxies

    more = a_lifekeeper(tmp_path) if expected == {"https": "http://f"} and environment["https_proxy"] else {}
    _applied(monkeypatch, {**environment, **more}, a_file(tmp_path, file))
    assert {scheme: url for scheme, url in getproxies().items() if scheme != "no"} == expected


@pytest.mark.parametrize(
    "name", ["AWS_PROFILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "AWS_METADATA_SERVICE_TIMEOUT"]
)
def test_sdk_variable_that_is_empty_is_not_set(name: str, tmp_path: Path) -> None:
    """The SDK takes an empty text for a profile, a path or a number; what the file says counts in its place."""
    assert loaded({name: ""}).sdk[name] == ""
    assert loaded({name: ""}, a_file(tmp_path, f"{name}=7")).sdk[name] == "7"
    assert name not in loaded({}).sdk


def test_sdk_keys_of_two_places_are_not_mixed(tmp_path: Path) -> None:
    """A token of the file does not belong to the keys of the environment, and its profile does not precede theirs."""
    text = "AWS_ACCESS_KEY_ID=f\nAWS_SECRET_ACCESS_KEY=f\nAWS_SESSION_TOKEN=f\nAWS_DEFAULT_PROFILE=f\n"
    environment = {"AWS_ACCESS_KEY_ID": "e", "AWS_SECRET_ACCESS_KEY": "e", "AWS_PROFILE": "e"}
    assert set(loaded(environment, a_file(tmp_path, text)).sdk) == {"AWS_EC2_METADATA_V1_DISABLED"}
    under_lifekeeper = loaded({**environment, **a_lifekeeper(tmp_path)}, a_file(tmp_path, text)).sdk
    assert (under_lifekeeper["AWS_SESSION_TOKEN"], under_lifekeeper["AWS_PROFILE"]) == ("f", "")


@pytest.mark.parametrize(
    ("environment", "warned"),
    [
        pytest.param({"ALL_PROXY": "http://p"}, "ALL_PROXY", id="alone"),
        pytest.param({"all_proxy": "http://p", "http_proxy": "http://p"}, "all_proxy", id="beside-that-of-http"),
        pytest.param({"ALL_PROXY": "http://p", "https_proxy": "http://p"}, None, id="beside-that-of-https"),
        pytest.param({"ALL_PROXY": "http://p", "EC2_ENDPOINT_URL": "http://127.0.0.1:1"}, None, id="not-encrypted"),
        pytest.param({"ALL_PROXY": ""}, None, id="empty"),
    ],
)
def test_load_proxy_that_the_sdk_does_not_use_is_warned_of(environment: dict[str, str], warned: str | None) -> None:
    """botocore looks for the proxy of the URL's scheme only."""
    expected = [(catalogue.PROXY_UNUSED, {"name": warned})] if warned else []
    assert list(loaded(environment).findings) == expected


def test_load_file_line_that_is_skipped_is_warned_of_if_it_has_a_known_name(tmp_path: Path) -> None:
    """A typing error does not stay unseen, and the value is not told: it may be a secret."""
    lines = [
        "EC2_MAX_RETRY = 5",
        "echo $EC2_MAX_RETRY",
        "OTHER=$(x)",
        "AWS_SECRET_ACCESS_KEY=$(cat s3cr3t)",
        f"{NAME}_x+=1",
    ]
    (finding,) = loaded(file=a_file(tmp_path, "\ufeff" + "\n".join([f"{NAME}=1", *lines]))).findings
    assert finding[0] is catalogue.SETTINGS_SKIPPED
    assert finding[1]["lines"] == (
        f"line 1 ({NAME}), line 2 (EC2_MAX_RETRY), line 5 (AWS_SECRET_ACCESS_KEY), line 6 ({NAME}_x)"
    )


def test_load_file_of_many_skipped_lines_names_a_few(tmp_path: Path) -> None:
    """A file that is no settings file fills no log."""
    (finding,) = loaded(file=a_file(tmp_path, f"{NAME} = 1\n" * 1000)).findings
    assert str(finding[1]["lines"]).endswith(f"line 5 ({NAME}), …")


# -- the SDK's own files -----------------------------------------------------------------------------------

IMDS = "ec2_metadata_service_endpoint"
MODE = f"{IMDS}_mode"


def the_sdks_files(folder: Path, config: str, credentials: str = "") -> dict[str, str]:
    (folder / "config").write_text(config)
    (folder / "credentials").write_text(credentials)
    return {"AWS_CONFIG_FILE": f"{folder}/config", "AWS_SHARED_CREDENTIALS_FILE": f"{folder}/credentials"}


@pytest.mark.parametrize(
    ("environment", "config", "credentials"),
    [
        pytest.param({}, "", "", id="nothing"),
        pytest.param({"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"}, "", "", id="mode"),
        pytest.param(
            {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv4"}, f"[default]\n{MODE}=IPv6", "", id="variable-first"
        ),
        pytest.param({"AWS_IMDS_USE_IPV6": "True"}, "", "", id="old-name"),
        pytest.param({"AWS_IMDS_USE_IPV6": "True"}, f"[default]\n{MODE} = ipv4", "", id="mode-before-the-old-name"),
        pytest.param({}, f"[default]\n{MODE} = IPV6", "", id="mode-of-the-file"),
        pytest.param({}, "[default]\nimds_use_ipv6 = true", "", id="old-name-of-the-file"),
        pytest.param({}, f"[default]\n{IMDS} = http://h:1/x\n{MODE} = IPv6", "", id="endpoint-before-mode"),
        pytest.param({"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://v"}, f"[default]\n{IMDS}=http://h", "", id="both"),
        pytest.param(
            {"AWS_PROFILE": "p"}, f"[default]\n{IMDS}=http://h\n[profile p]\n{IMDS}=http://p", "", id="profile"
        ),
        pytest.param(
            {"AWS_PROFILE": "p q"}, f'[profile "p q"]\n{IMDS.upper()} : http://p', "", id="profile-in-quotes"
        ),
        pytest.param(
            {"AWS_PROFILE": "p", "AWS_DEFAULT_PROFILE": "d"},
            f"[profile d]\n{IMDS}=http://d\n[profile p]\nx=1",
            "",
            id="two-profiles",
        ),
        pytest.param({}, "[default]\nx=1", f"[default]\n{IMDS}=http://c", id="credentials-file"),
        pytest.param({}, f"[default]\n{IMDS}=http://h", f"[default]\n{IMDS}=http://c", id="credentials-file-first"),
        pytest.param({}, f"[profile default]\n{IMDS}=http://h", "", id="default-as-a-profile"),
        pytest.param(
            {}, f"[{IMDS}]\n[profiled]\n[profile 'x]\n[default]\ns3 =\n  {IMDS} = http://h\n", "", id="elsewhere"
        ),
        pytest.param(
            {"AWS_PROFILE": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": ""},
            f"[default]\n{IMDS}=http://h",
            "",
            id="empty",
        ),
    ],
)
def test_metadata_url_is_that_of_the_sdk(
    environment: dict[str, str], config: str, credentials: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The kit asks which instance this is at the place where the SDK asks for credentials, wherever that is set."""
    from botocore.session import Session
    from botocore.utils import IMDSFetcher, resolve_imds_endpoint_mode

    monkeypatch.delenv("AWS_EC2_METADATA_SERVICE_ENDPOINT")
    found = _applied(monkeypatch, {**the_sdks_files(tmp_path, config, credentials), **environment})
    session = Session()
    told = {IMDS: session.get_config_variable(IMDS), MODE: resolve_imds_endpoint_mode(session)}
    assert found.metadata_url == IMDSFetcher(config=told).get_base_url().rstrip("/")


SERVICES = "[default]\nservices = mine\n[services mine]\nec2 =\n  endpoint_url = {}\ns3 =\n  endpoint_url = http://s3"


@pytest.mark.parametrize(
    ("environment", "config"),
    [
        pytest.param({}, "[default]\nendpoint_url = http://ec2.example.com", id="profile"),
        pytest.param({}, SERVICES.format("http://ec2.example.com"), id="services"),
        pytest.param({}, SERVICES.format("https://ec2.example.com"), id="encrypted"),
        pytest.param({}, SERVICES.format("http://127.0.0.1:1"), id="loopback"),
        pytest.param(
            {"AWS_ENDPOINT_URL": "https://x"}, SERVICES.format("http://ec2.example.com"), id="variable-first"
        ),
        pytest.param({}, "[default]\n[profile p]\nendpoint_url = http://ec2.example.com", id="another-profile"),
        pytest.param({"AWS_PROFILE": "p"}, "[profile p]\nendpoint_url = http://ec2.example.com", id="that-profile"),
        pytest.param({}, "[default]\nservices = mine\n[services mine]\ns3 =\n  endpoint_url = http://s3", id="of-s3"),
    ],
)
def test_load_endpoint_in_clear_of_the_sdks_files_is_warned_of(
    environment: dict[str, str], config: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is said of the endpoint that botocore finds, wherever it stands."""
    from botocore.configprovider import ConfiguredEndpointProvider
    from botocore.session import Session

    found = _applied(monkeypatch, {**the_sdks_files(tmp_path, config), **environment})
    session = Session()
    url = ConfiguredEndpointProvider(session.full_config, session.get_scoped_config(), "ec2").provide()
    fields = {"service": "EC2", "endpoint": url}
    expected = [(catalogue.ENDPOINT_IN_CLEAR, fields)] if url == "http://ec2.example.com" else []
    assert list(found.findings) == expected


def test_load_endpoints_of_the_sdks_file_are_ignored_with_it(tmp_path: Path) -> None:
    """What the SDK ignores is not warned of."""
    config = "[default]\nendpoint_url = http://ec2.example.com\nignore_configured_endpoint_urls = True"
    assert loaded(the_sdks_files(tmp_path, config)).findings == ()


@pytest.mark.parametrize(
    "config", ["endpoint", "[default]\nx\n endpoint", "[a]\n[a]\nendpoint=1", "[default]\ns3 =\n endpoint"]
)
def test_load_file_that_the_sdk_refuses_is_the_sdks_to_tell(config: str, tmp_path: Path) -> None:
    """A file that is no configuration is no reason to stop before the SDK says so."""
    assert loaded(the_sdks_files(tmp_path, config)).metadata_url == "http://169.254.169.254"


def test_load_file_of_the_sdk_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """The SDK leaves out what is no regular file, and so does the kit."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert loaded({"AWS_CONFIG_FILE": f"{tmp_path}/pipe"}).findings == ()


@pytest.mark.parametrize("url", ["http://[::1", "nonsense", "//", ""])
def test_sdk_metadata_endpoint_that_is_none_is_no_reason_to_stop(url: str) -> None:
    """With a proxy, too, an address that cannot be parsed is told by the action that needs it."""
    sdk = loaded({"http_proxy": "http://proxy:3128", "AWS_EC2_METADATA_SERVICE_ENDPOINT": url}).sdk
    assert sdk["no_proxy"] == "169.254.169.254,fd00:ec2::254,[fd00:ec2::254]"


def test_sdk_metadata_endpoint_with_a_host_that_cannot_be_is_no_reason_to_stop() -> None:
    """Older Pythons take what stands between brackets for a host, newer ones for nothing: neither does harm."""
    url = "http://[nonsense]"
    sdk = loaded({"http_proxy": "http://proxy:3128", "AWS_EC2_METADATA_SERVICE_ENDPOINT": url}).sdk
    assert set(sdk["no_proxy"].split(",")) - {"nonsense", "[nonsense]"} == {
        *("169.254.169.254", "fd00:ec2::254", "[fd00:ec2::254]")
    }


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
    expected = [(catalogue.ENDPOINT_IN_CLEAR, {"service": "EC2", "endpoint": warned})] if warned else []
    assert list(loaded(environment).findings) == expected
    file = a_file(tmp_path, "".join(f"{name}={value}\n" for name, value in environment.items()))
    assert list(loaded(file=file).findings) == expected


def test_load_endpoint_of_route_53_in_clear_is_warned_of() -> None:
    """It is named if it is set for Route 53 alone; an endpoint for all services is EC2's, too."""
    (finding,) = loaded({"AWS_ENDPOINT_URL_ROUTE_53": "http://route53.example.com"}).findings
    assert finding == (
        catalogue.ENDPOINT_IN_CLEAR,
        {"service": "Route 53", "endpoint": "http://route53.example.com"},
    )


ROLE = "role_arn = arn:aws:iam::123456789012:role/x\ncredential_source = Ec2InstanceMetadata\n"


@pytest.mark.parametrize(
    ("environment", "config", "warned"),
    [
        pytest.param({"AWS_ENDPOINT_URL_STS": IN_CLEAR}, "", ["STS"], id="variable for STS"),
        pytest.param({"AWS_ENDPOINT_URL_SSO_OIDC": IN_CLEAR}, "", ["SSO OIDC"], id="variable for SSO OIDC"),
        pytest.param(
            {}, f"[default]\nservices = a\n[services a]\nsts =\n  endpoint_url = {IN_CLEAR}\n", ["STS"], id="services"
        ),
        pytest.param(
            {"EC2_ENDPOINT_URL": "https://x"},
            f"[default]\nendpoint_url = {IN_CLEAR}\n{ROLE}",
            ["STS"],
            id="of a role",
        ),
        pytest.param({"EC2_ENDPOINT_URL": "https://x"}, f"[default]\nendpoint_url = {IN_CLEAR}\n", [], id="no role"),
        pytest.param(
            {"EC2_ENDPOINT_URL": "https://x", "AWS_ENDPOINT_URL": IN_CLEAR, "AWS_ROLE_ARN": "arn:x"},
            "",
            ["STS"],
            id="of a web identity",
        ),
        pytest.param({"AWS_ENDPOINT_URL": IN_CLEAR}, f"[default]\n{ROLE}", ["EC2", "STS"], id="both"),
        pytest.param({"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:4000"}, "", [], id="loopback"),
        pytest.param(
            {"AWS_ENDPOINT_URL_STS": "https://x", "AWS_ENDPOINT_URL": IN_CLEAR}, "", ["EC2"], id="own first"
        ),
        pytest.param(
            {"AWS_ENDPOINT_URL_STS": IN_CLEAR, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "", [], id="ignored"
        ),
    ],
)
def test_load_endpoint_in_clear_of_a_service_that_gives_credentials_is_warned_of(
    environment: dict[str, str], config: str, warned: list[str], tmp_path: Path
) -> None:
    """Credentials in an answer of STS or SSO could be read on the way; what is set for all counts if it is used."""
    found = loaded({**the_sdks_files(tmp_path, config), **environment}).findings
    expected = [(catalogue.ENDPOINT_IN_CLEAR, {"service": each, "endpoint": IN_CLEAR}) for each in warned]
    assert list(found) == expected

"""The log: one line per message, no secrets, and never a reason to stop."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ec2kit.errors import RemoteSilent, Stopped, TagUnknown
from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import Level
from ec2kit.messages.language import Language, catalogue_in
from ec2kit.messages.log import Log, file_sink, stderr_sink, syslog_sink
from ec2kit.messages.masking import clean
from ec2kit.messages.statement import is_statement

from ..builders import Lines, a_log

SECRET = "wJalrXUtnFEMI/K7MDENG"


@given(st.text())
def test_clean_any_text_gives_one_line_without_control_characters(text: str) -> None:
    """Whatever AWS or a file name says, it becomes one line that a terminal can show."""
    line = clean(text)
    assert len(f"x{line}x".splitlines()) == 1
    assert not any(unicodedata.category(character) == "Cc" for character in line)


@given(st.text(st.characters(categories=["Cs", "Cf", "Cc", "Ll"])))
def test_clean_any_text_is_text_that_reads_forwards(text: str) -> None:
    """Bytes that are no text cannot stop the log, and no character turns the rest of the line round."""
    line = clean(text)
    line.encode()  # raises where it is no text
    assert not any(unicodedata.bidirectional(character) in _TURNING for character in line)
    syslog_sink("ec2kit-test")(Level.INFO, line)


_TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@pytest.mark.parametrize("piece", ["secret", "secreta", "token", "aws_", "//", "//a", "x@", "signature ", "token="])
def test_clean_endless_text_takes_no_time(piece: str) -> None:
    """Whoever makes up an error text cannot hold up an action by what it takes to mask it."""
    clean(piece * 1_000_000)
    clean("secret" + piece * 1_000_000)


def test_clean_endless_text_is_cut() -> None:
    """A body of a megabyte does not fill the log."""
    assert len(clean("x" * 1_000_000)) < 5_000


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"AWS_SECRET_ACCESS_KEY={SECRET}", id="assignment"),
        pytest.param(f"aws_secret_access_key = {SECRET}", id="ini"),
        pytest.param(f"aws_session_token={SECRET}", id="session-token"),
        pytest.param(f"AWS_SESSION_TOKEN: '{SECRET}'", id="quoted"),
        pytest.param(f"X-Amz-Security-Token={SECRET}&x=1", id="query"),
        pytest.param(f"x-aws-ec2-metadata-token: {SECRET}", id="imds-header"),
        pytest.param(f"Credential=AKIA/20260101, SignedHeaders=host, Signature={SECRET}", id="signature"),
        pytest.param("http://user:wJalrXUtnFEMI%2FK7MDENG@proxy:3128/", id="proxy-password"),
        pytest.param(f"unhandled exception: Invalid header value b'{SECRET}\\r'", id="header"),
        pytest.param(f"return character(s) in header value: '{SECRET}'", id="header-of-requests"),
        pytest.param(f"http://user:p@{SECRET}@proxy:3128/", id="password-with-at"),
        pytest.param(f"cannot parse 'http://user:p/{SECRET}@proxy:3128/'", id="password-with-slash"),
        pytest.param(f'{{"SecretAccessKey": "{SECRET}"}}', id="json"),
        pytest.param(f'{{"SecretAccessKey" : "{SECRET}"}}', id="json-as-imds-writes-it"),
        pytest.param(f'{{"Token" : "{SECRET}"}}', id="json-token-as-imds-writes-it"),
        pytest.param(f"Authorization: Bearer {SECRET}", id="bearer"),
        pytest.param(f"helper failed: aws_session_token: {SECRET} expired", id="helper"),
        pytest.param(f"ExpiredToken, {SECRET} is not valid", id="quoted-by-aws"),
        pytest.param(f"SSO Token: Token {SECRET}", id="token-behind-the-word"),
    ],
)
def test_clean_secret_is_masked(text: str) -> None:
    """Tokens, keys and passwords never reach the log."""
    assert "wJalrXUtnFEMI" not in clean(text)


def test_clean_ordinary_text_is_left_alone() -> None:
    """Ids, addresses and URLs without a password stay readable."""
    text = "rtb-1: route 10.1.0.10/32 moved from eni-b to eni-a, http://127.0.0.1:80/latest (request 5d-3)"
    assert clean(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "the token bucket is empty",
        "the session token has expired",
        "no secret access key in the profile",
        "The security token included in the request is invalid.",
        "the request signature we calculated does not match the signature you provided",
        "no token, no secret",
        "InvalidClientTokenId, The security token included in the request is invalid.",
        "An error occurred (InvalidClientTokenId) when calling AssumeRole: The security token is invalid",
        "ExpiredTokenException, Signature expired: 20261130T000000Z is now earlier than 20261130T001500Z",
        "ExpiredTokenException, The current date/time must be before the expiration date/time",
        "InvalidIdentityToken, No OpenIDConnect provider found in your account for https://x",
        "InvalidToken, AWS was not able to validate the provided access credentials",
        "IncompleteSignature, Authorization header requires 'Signature' parameter",
        "SignatureDoesNotMatch (request 5d-3)",
        "Error loading SSO Token: Token for corp does not exist",
        "UnauthorizedSSOTokenError: The SSO session has expired",
        "the token isn't there",
    ],
)
def test_clean_prose_about_secrets_is_left_alone(text: str) -> None:
    """A word of plain letters after "token" is what is said of it, not the token."""
    assert clean(text) == text


@pytest.mark.parametrize(
    "text", ["secret: Abcdef is wrong", "SecretAccessKey: Abcdef ghi", "Authorization: Abcdef ghi"]
)
def test_clean_word_behind_the_name_of_a_secret_and_a_colon_is_masked(text: str) -> None:
    """A helper may have told any word to be the secret; only what AWS calls a token or an error goes on in prose."""
    assert "Abcdef" not in clean(text)


@pytest.mark.parametrize("text", ["token {}", "token  {} x", "--session-token {}", "secret: {}", "Signature {}."])
@pytest.mark.parametrize("value", ["abcdef.GHI", "s3cr3t", "Abcdef", "abcdefghijklmnopq", "ab/cd", "abc+d=="])
def test_clean_value_behind_a_blank_is_masked(text: str, value: str) -> None:
    """What is no plain word is a value, whatever stands between."""
    assert value not in clean(text.format(value))


def test_put_message_gives_the_line_of_lifekeeper() -> None:
    """A line reads LEVEL:module:action:tag:NNNNNN:text."""
    log, lines = a_log("restore", "ec2-vip1")
    log.put(catalogue.BEGIN, action="restore", tag="ec2-vip1", server="server-a")
    assert lines == ['INFO:ec2kit:restore:ec2-vip1:620001:BEGIN restore of "ec2-vip1" on server-a']


def test_error_of_the_kit_is_logged_under_its_own_code() -> None:
    """An error keeps its level and code in the log."""
    log, lines = a_log()
    log.error(TagUnknown(tag="x", server="server-a"))
    assert lines[0].startswith("ERROR:ec2kit:restore:ec2-vip1:620401:there is no resource x")


def test_put_on_a_console_gives_text_and_only_troubles_show_level_and_code() -> None:
    """A person who watches reads sentences; the code comes along where it can be looked up."""
    seen: list[str] = []
    log = Log(action="restore", tag="t", console=lambda level, text: seen.append(text))
    log.put(catalogue.STATUS_IN, address="10.1.0.10")
    log.put(catalogue.IDENTITY_UNSEEN, reason="silence")
    assert seen[0] == "10.1.0.10 is in service here"
    assert re.fullmatch(r"WARN: could not verify .* \[620326\]", seen[1])


def _a_japanese_watchers_log() -> tuple[Log, Lines, Lines]:
    lines, seen = Lines(), Lines()
    catalogue = catalogue_in(Language.JAPANESE)
    return Log(action="restore", tag="t", sinks=(lines,), console=seen, catalogue=catalogue), lines, seen


def test_put_for_a_japanese_watcher_is_english_in_the_log() -> None:
    """The language of a person is not the language of the log."""
    log, lines, seen = _a_japanese_watchers_log()
    log.put(catalogue.STATUS_IN, address="10.1.0.10")
    log.error(TagUnknown(tag="x", server="server-a"))
    assert lines == [
        "INFO:ec2kit:restore:t:620312:10.1.0.10 is in service here",
        "ERROR:ec2kit:restore:t:620401:there is no resource x on server-a",
    ]
    assert seen == [
        "10.1.0.10 はこのサーバーで起動しています",
        "ERROR: server-a にリソース x はありません [620401]",
    ]


@pytest.mark.parametrize(
    ("reason", "english", "japanese"),
    [
        pytest.param(
            RemoteSilent(server="node2", reason="timed out"),
            "node2 cannot be asked: timed out",
            "node2 に問い合わせできません: timed out",
            id="error",
        ),
        pytest.param(
            Stopped(signal="SIGTERM"),
            "stopped by signal SIGTERM",
            "シグナル SIGTERM により停止しました",
            id="signal",
        ),
        pytest.param("so", "so", "so", id="text"),
    ],
)
def test_put_error_as_a_field_is_in_the_readers_language(reason: object, english: str, japanese: str) -> None:
    """Why an action failed is told to a person as the failure itself is; a text stays what it is."""
    log, lines, seen = _a_japanese_watchers_log()
    log.put(catalogue.END_FAILED, action="restore", tag="t", seconds="1.00", reason=reason)
    assert lines[0].endswith(f':620003:END failed restore of "t" after 1.00 s: {english}')
    code = reason.message.code if is_statement(reason) else catalogue.END_FAILED.code
    assert seen == [f'ERROR: "t" の restore が 1.00 秒で失敗しました: {japanese} [{code}]']


def test_file_sink_new_file_is_private_and_stamped(tmp_path: Path) -> None:
    """The log file is 0600 and its lines carry time, host, program and process."""
    path = tmp_path / "log"
    sink = file_sink(str(path), "restore", "host-1")
    sink(Level.INFO, "one")
    sink(Level.INFO, "two")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first, second = path.read_text().splitlines()
    assert re.fullmatch(rf"[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d host-1 restore\[{os.getpid()}\]: one", first)
    assert second.endswith("two")


@pytest.mark.parametrize("kind", ["missing-folder", "link", "folder"])
def test_file_sink_unusable_file_is_told_once_and_stops_nothing(
    kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A log that cannot be written never stops an action."""
    path = tmp_path / "log"
    if kind == "missing-folder":
        path = tmp_path / "nowhere" / "log"
    elif kind == "link":
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.mkdir()
    sink = file_sink(str(path), "restore", "host-1")
    sink(Level.INFO, "one")
    sink(Level.INFO, "two")
    assert capfd.readouterr().err.count("cannot be written") == 1
    assert not (tmp_path / "elsewhere").exists()


def test_stderr_sink_line_is_whole(capfd: pytest.CaptureFixture[str]) -> None:
    """A line on stderr is stamped and ends once."""
    stderr_sink("restore", "host-1")(Level.INFO, "one")
    text = capfd.readouterr().err
    assert text.endswith("]: one\n")
    assert text.count("\n") == 1

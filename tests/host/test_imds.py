"""The IMDS client, against services that answer, are slow, drip and fall silent."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ec2kit.deadline import Deadline
from ec2kit.errors import ImdsSilent
from ec2kit.host.imds import Metadata, role_trouble
from ec2kit.settings import Settings

from ..patience import HANGS
from ..scripted_server import answers, cut_short, drips, hangs_up, scripted, silent
from .service import ITEMS, at, imds


def test_get_item_is_asked_with_a_token(instance: Settings) -> None:
    """Items come from version 2; one that is not there is None."""
    metadata = Metadata(instance, Deadline(HANGS))
    assert metadata.get("meta-data/instance-id") == "i-a"
    assert metadata.get("meta-data/nothing") is None


def test_get_session_and_item_have_each_their_own_time(tmp_path: Path) -> None:
    """The time-out is of each request: a service that needs most of it for both of them is not silent."""
    for seconds in (1.0, 5.0, 25.0):  # more, where the machine itself took the rest of it

        def slow(handler: Any, needed: float = seconds * 0.6) -> None:
            handler.server.over.wait(needed)
            imds(ITEMS)(handler)

        with scripted(slow) as server, suppress(ImdsSilent):
            metadata = Metadata(at(server, tmp_path, connect_timeout=seconds), Deadline(HANGS))
            assert metadata.get("meta-data/instance-id") == "i-a"
        if asked := [each["method"] for each in server.asked] == ["PUT", "GET"]:
            break
    assert asked


def test_need_item_missing_raises(instance: Settings) -> None:
    """An item that every instance has is not guessed."""
    with pytest.raises(ImdsSilent, match="it has no /latest/meta-data/nothing"):
        Metadata(instance, Deadline(HANGS)).need("meta-data/nothing")


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(silent, id="silent"),
        pytest.param(drips, id="dripping"),
        pytest.param(hangs_up, id="hanging-up"),
        pytest.param(answers("", 500), id="broken"),
        pytest.param(answers("é"), id="no-ascii"),
        pytest.param(answers("", 403), id="switched-off"),
        pytest.param(cut_short("i-0123456789"), id="cut"),
        pytest.param(answers("x" * 100_000), id="endless"),
    ],
)
def test_get_no_usable_answer_raises_in_time(behaviour: Any, tmp_path: Path) -> None:
    """A metadata service that is silent, drips or breaks off ends in ImdsSilent, after a few tries."""
    began, never = time.monotonic(), behaviour in (silent, drips)
    settings = {"connect_timeout": 0.3} if never else {}
    with scripted(behaviour) as server, pytest.raises(ImdsSilent):
        Metadata(at(server, tmp_path, **settings), Deadline(HANGS)).get("meta-data/instance-id")
    assert time.monotonic() - began < HANGS / 2
    assert never or 1 <= len(server.asked) <= 3


@pytest.mark.parametrize(
    "token", ["", " ", "s3cr3t\nword", "s3cr3t word", "s3cr3t\x01word", "<html>s3cr3t</html>\n\n."]
)
def test_get_token_is_none_raises_without_its_text(token: str, tmp_path: Path) -> None:
    """What cannot be sent as a token is silence, and is not told: it may be most of a token."""
    with scripted(answers(token)) as server, pytest.raises(ImdsSilent) as raised:
        Metadata(at(server, tmp_path), Deadline(HANGS)).get("meta-data/instance-id")
    assert "s3cr3t" not in str(raised.value)


def test_get_nobody_listens_or_url_is_none_raises(tmp_path: Path) -> None:
    """A refused connection, or an address that is none, is silence too."""
    for url in ("http://127.0.0.1:9", "http://127.0.0.1:port", "nonsense", "ftp://127.0.0.1", "http://", "http:///x"):
        settings = Settings(server="a", metadata_url=url, connect_timeout=0.3)
        with pytest.raises(ImdsSilent):
            Metadata(settings, Deadline(HANGS)).get("meta-data/instance-id")


@pytest.mark.parametrize("base", ["/", "/base", "/base/"])
def test_get_endpoint_with_a_path_is_asked_below_it(base: str, tmp_path: Path) -> None:
    """An endpoint is understood as the SDK does, which puts the item's path behind it."""
    with scripted(answers("x")) as server:
        settings = at(server, tmp_path, metadata_url=f"{server.url}{base}")
        assert Metadata(settings, Deadline(HANGS)).get("meta-data/instance-id") == "x"
    before = base.rstrip("/")
    assert [each["path"] for each in server.asked] == [
        f"{before}/latest/api/token",
        f"{before}/latest/meta-data/instance-id",
    ]


def test_get_one_failure_is_tried_again_with_a_new_token(tmp_path: Path) -> None:
    """One broken answer is no silence, and a rejected token is replaced."""
    with scripted(answers("old-token"), answers("", 401), imds(ITEMS)) as server:
        assert Metadata(at(server, tmp_path), Deadline(HANGS)).get("meta-data/instance-id") == "i-a"


def test_get_proxy_in_the_environment_is_never_used(instance: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Metadata never goes through a proxy."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert Metadata(instance, Deadline(HANGS)).get("meta-data/instance-id") == "i-a"


ROLES = "meta-data/iam/security-credentials/"
UNASSUMABLE = """{"Code": "AssumeRoleUnauthorizedAccess", "Message": "EC2 cannot assume the role app."}"""


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        pytest.param({}, "no role is attached to the instance", id="no role"),
        pytest.param(
            {ROLES: "app", f"{ROLES}app": UNASSUMABLE},
            "AssumeRoleUnauthorizedAccess, EC2 cannot assume the role app. (role app)",
            id="not assumable",
        ),
        pytest.param({ROLES: "app"}, "the metadata service gives something else", id="no document"),
        pytest.param(
            {ROLES: "app", f"{ROLES}app": "[]"}, "the metadata service gives something else", id="no object"
        ),
    ],
)
def test_trouble_with_the_role_is_told_in_the_words_of_the_service(
    items: dict[str, str], reason: str, tmp_path: Path
) -> None:
    """The SDK throws away the one sentence that helps."""
    with scripted(imds(items)) as server:
        assert role_trouble(at(server, tmp_path), Deadline(HANGS)) == reason

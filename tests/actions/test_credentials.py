"""Where credentials do not come from: what the real scripts say, and whom they do not ask."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from ..scripted_server import ScriptedServer, answers, scripted
from ..terminal import at_a_terminal
from .cluster import ACTIONS, VIP_TAG, Cluster, Done, finished, given_time

ROLE = "[default]\nrole_arn = arn:aws:iam::123456789012:role/mover\n"
BY_THE_INSTANCE = f"{ROLE}credential_source = Ec2InstanceMetadata\n"
BY_A_PERSON = (
    f"{ROLE}mfa_serial = arn:aws:iam::123456789012:mfa/someone\nsource_profile = keys\n"
    "[profile keys]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = none\n"
)

EC2S = ("permission missing", "EC2 throttles", "EC2 failed", "no answer from EC2", "accepts the credentials")
"""What would be said of EC2."""


def _profile(folder: Path, content: str) -> dict[str, str]:
    (folder / "config").write_text(content)
    return {"AWS_CONFIG_FILE": str(folder / "config"), "EC2_SNAPSHOT_MAX_AGE": "0"}


@pytest.mark.parametrize(
    ("effect", "codes", "is_repeated"),
    [
        pytest.param("deny", ("ERROR: ", "[620315, 620238]"), False, id="denied"),
        pytest.param("throttle", ("WARN: ", "[620314, 620239]"), True, id="throttled"),
    ],
)
def test_sts_that_gives_no_credentials_is_no_trouble_of_ec2(
    cluster: Cluster, tmp_path: Path, effect: str, codes: tuple[str, str], is_repeated: bool
) -> None:
    """EC2 is not asked, so nothing is said of it, by create neither; only what may pass is repeated."""
    cluster.with_resource()
    settings, before = _profile(tmp_path, BY_THE_INSTANCE), len(cluster.sandbox.calls())
    cluster.sandbox.fault(effect, service="sts", server="node1")
    check = cluster.act("node1", "quickCheck", **settings)

    def ended(told: str, action: str, *words: str) -> Done:
        """Run an action that may end by its deadline, and has to tell something before."""
        return given_time(
            lambda seconds: cluster.run("node1", action, *words, EC2_RESTORE_TIMEOUT=f"{seconds:.1f}", **settings),
            lambda done: told in done.stderr,
        )

    restore = ended("follows in" if is_repeated else "STS gives no credentials", "restore", "-t", VIP_TAG)
    other = ["-t", "other", "--type", "route-table", "--vip", "10.1.0.20", "--interface", "eth1"]
    create = ended("STS gives no credentials", "create", *other)
    assert [each.status for each in (check, restore, create)] == [0, 1, 1]
    assert not [each for each in codes if each not in check.stderr]
    for each in (check, restore, create):
        assert "STS gives no credentials" in each.stderr
        assert not [words for words in EC2S if words in each.stderr]
    assert ("follows in" in restore.stderr) is is_repeated
    assert len(cluster.sandbox.calls()) == before


def test_a_profile_that_asks_for_an_mfa_code_asks_nobody(cluster: Cluster, tmp_path: Path) -> None:
    """No person sits at a hook; at a terminal, too, the reason is told at once, without a prompt."""
    cluster.with_resource()
    settings = _profile(tmp_path, BY_A_PERSON)
    for action, status in (("quickCheck", 0), ("restore", 1), ("remove", 0)):
        done = cluster.act("node1", action, **settings)
        assert done.status == status
        assert action == "remove" or "the profile asks for an MFA code, which only a person can give" in done.stderr
        assert not [each for each in ("Enter MFA", "Warning", "unexpected") if each in done.stderr + done.stdout]
    words = [str(ACTIONS / "quickCheck"), "-t", VIP_TAG]
    with at_a_terminal(words, cluster.environment("node1", **settings)) as terminal:
        assert terminal.end() == 0
    assert "Enter MFA" not in terminal.shown
    assert "the profile asks for an MFA code" in terminal.shown


def test_a_metadata_service_that_throttles_is_waited_for_and_no_model_is_blamed(cluster: Cluster) -> None:
    """It answers 429 for a while; credentials come then, and nothing is wrong with ec2kit's data."""
    cluster.with_resource()
    cluster.sandbox.fault("error", service="imds", server="node1", status=429, count=5)
    done = cluster.act("node1", "restore", EC2_SNAPSHOT_MAX_AGE="0")
    assert done.status == 0
    assert "no credentials for DescribeRouteTables" in done.stderr
    assert "620220" not in done.stderr + cluster.log("node1")


def _keys(**more: object) -> dict[str, object]:
    return {"AccessKeyId": "ASIAIOSFODNN7EXAMPLE", "SecretAccessKey": "of-a-test", "Token": "of-a-test", **more}


def _web_identity(folder: Path, service: ScriptedServer) -> dict[str, str]:
    (folder / "token").write_text("of-a-test")
    return {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/x", "AWS_WEB_IDENTITY_TOKEN_FILE": str(folder / "token")}


def _container(folder: Path, service: ScriptedServer) -> dict[str, str]:
    """A service on loopback gives the keys, and is asked past a proxy that is dead."""
    return {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": service.url,
        "HTTP_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
    }


def _single_sign_on(folder: Path, service: ScriptedServer) -> dict[str, str]:
    url = "https://sign-on.invalid/start"
    (folder / "config").write_text(
        f"[default]\nsso_start_url = {url}\nsso_region = us-east-1\n"
        "sso_account_id = 123456789012\nsso_role_name = x\n"
    )
    cache = folder / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    token = {"startUrl": url, "region": "us-east-1", "accessToken": "of-a-test", "expiresAt": "2999-01-01T00:00:00Z"}
    (cache / f"{hashlib.sha1(url.encode()).hexdigest()}.json").write_text(json.dumps(token))
    return {"AWS_CONFIG_FILE": str(folder / "config"), "HOME": str(folder), "AWS_ENDPOINT_URL_SSO": service.url}


def test_the_sdks_other_ways_to_credentials_work(cluster: Cluster, tmp_path: Path) -> None:
    """A token of a web identity, a service for containers, single sign-on: EC2 answers with what they give."""
    cluster.with_resource()
    by_role = {
        "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
        "secretAccessKey": "of-a-test",
        "sessionToken": "of-a-test",
        "expiration": 32472144000000,
    }
    container = answers(json.dumps(_keys(Expiration="2999-01-01T00:00:00Z")))
    with scripted(container) as service, scripted(answers(json.dumps({"roleCredentials": by_role}))) as sign_on:
        ways = ((_web_identity, service), (_container, service), (_single_sign_on, sign_on))
        running = []
        for way, asked in ways:
            folder = tmp_path / way.__name__
            folder.mkdir()
            settings = {"EC2_SNAPSHOT_MAX_AGE": "0", **way(folder, asked)}
            running.append(cluster.start("node1", "quickCheck", "-t", VIP_TAG, **settings))
        done = [finished(each) for each in running]
        assert ["IN_SERVICE" in each.stderr for each in done] == [True] * 3, [each.stderr for each in done]
        assert len(service.asked) == len(sign_on.asked) == 1
    assert [each["operation"] for each in cluster.sandbox.sts_calls()] == ["AssumeRoleWithWebIdentity"]

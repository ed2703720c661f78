"""aws_iam_migration by its real script, over the sandbox and the few commands of LifeKeeper that it needs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .cluster import Cluster, Done, given_time
from .pretended_lifekeeper import PretendedLifeKeeper

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

BY_PLACE = f"us-east-1\x01{KEY}\x01{SECRET}\x01RouteTable\x01eth1\x01\x01ip-10.1.0.10"
BLANK = f"Z2FDTNDATAQYW2 {KEY} {SECRET} www.example.com ip-10.1.0.10"
NAMED = f"region=us-east-1 access_key={KEY} secret_key={SECRET} eip=203.0.113.1"


@pytest.fixture
def lifekeeper(tmp_path: Path) -> PretendedLifeKeeper:
    return PretendedLifeKeeper(tmp_path / "LifeKeeper")


@pytest.fixture
def old(lifekeeper: PretendedLifeKeeper) -> PretendedLifeKeeper:
    """Old EC2 and Route 53 resources, out of service on both servers that have them."""
    for tag, info, kind in (("ec2-vip1", BY_PLACE, "ec2"), ("r53", BLANK, "route53"), ("ec2-eip1", NAMED, "ec2")):
        lifekeeper.add(tag, info, kind=kind)
        lifekeeper.add(tag, info, kind=kind, system="node2")
    return lifekeeper


def migrate(cluster: Cluster, lifekeeper: PretendedLifeKeeper, *words: str, **settings: str) -> Done:
    return cluster.run("node1", "aws_iam_migration", *words, LKROOT=str(lifekeeper.root), **settings)


def untouched(lifekeeper: PretendedLifeKeeper) -> bool:
    return (lifekeeper.info("ec2-vip1"), lifekeeper.info("r53"), lifekeeper.info("ec2-eip1")) == (
        BY_PLACE,
        BLANK,
        NAMED,
    )


@contextmanager
def watched() -> Iterator[set[bytes]]:
    """The command lines of all processes of this machine, looked at again and again."""
    seen: set[bytes] = set()
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(path.read_bytes())
                except OSError:
                    continue

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


# -- what it does ------------------------------------------------------------------------------------------------


def test_old_resources_lose_their_keys_and_nothing_else(cluster: Cluster, old: PretendedLifeKeeper) -> None:
    """Each stored form, of both types; every other byte stays, and so does every other resource."""
    old.add("app", f"{KEY} {SECRET}", kind="app")
    done = migrate(cluster, old)
    assert done.status == 0, done.stderr
    assert old.info("ec2-vip1") == "us-east-1\x01\x01\x01RouteTable\x01eth1\x01\x01ip-10.1.0.10"
    assert old.info("r53") == "Z2FDTNDATAQYW2 www.example.com ip-10.1.0.10"
    assert old.info("ec2-eip1") == "region=us-east-1 access_key= secret_key= eip=203.0.113.1"
    assert old.info("app") == f"{KEY} {SECRET}"
    assert done.stdout == ""
    assert "ec2-vip1, r53, ec2-eip1 without keys now" in cluster.log("node1")


def test_keys_are_in_no_log_and_no_process_list(cluster: Cluster, old: PretendedLifeKeeper) -> None:
    """Neither the tools' own words nor the command lines of all processes ever show a key."""
    old.add("ec2-odd", f"{KEY} {SECRET[:-1]}")
    with watched() as command_lines:
        done = migrate(cluster, old)
    started = [word for words in old.commands() for word in words]
    assert "-v" in started
    assert any(b"aws_iam_migration" in each for each in command_lines)
    shown = [done.stderr, done.stdout, cluster.log("node1"), *started, *map(str, command_lines)]
    assert not [each for each in shown if KEY in each or SECRET[:-1] in each]


def test_a_second_run_does_nothing(cluster: Cluster, old: PretendedLifeKeeper) -> None:
    """It writes nothing and asks nothing of AWS, even though the resources are in service by now."""
    assert migrate(cluster, old).status == 0
    for row in (instances := old.database["instances"])["node1"]:
        row[5] = "ISP"
    old.set(instances=instances)
    before, writes, calls = old.database, len(old.commands("ins_setinfo")), len(cluster.sandbox.calls())
    done = migrate(cluster, old)
    assert done.status == 0
    assert "no resource of this server has a stored access key" in done.stderr
    assert old.database == before
    assert (len(old.commands("ins_setinfo")), len(cluster.sandbox.calls())) == (writes, calls)


def test_one_that_cannot_be_migrated_is_left_and_the_others_are_done(
    cluster: Cluster, old: PretendedLifeKeeper
) -> None:
    """Half a key is nothing to guess about: it stays as it is, is named, and the exit status says so."""
    odd = f"us-east-1 {KEY} eth1"
    old.add("ec2-odd", odd)
    done = migrate(cluster, old)
    assert done.status == 1
    assert old.info("ec2-odd") == odd
    assert KEY not in old.info("ec2-vip1")
    assert "1 of 4 resources still have what is stored of an access key: ec2-odd" in done.stderr
    assert migrate(cluster, old).status == 1


def test_one_that_lifekeeper_does_not_rewrite_is_told_without_its_key(
    cluster: Cluster, old: PretendedLifeKeeper
) -> None:
    """A command that fails, whatever it prints, and one that only says that it did."""
    old.set(refused=["ec2-vip1"], ignored=["r53"])
    done = migrate(cluster, old)
    assert done.status == 1
    assert "2 of 3 resources still have what is stored of an access key: ec2-vip1, r53" in done.stderr
    assert "LifeKeeper's ins_setinfo failed: exit status 3" in done.stderr
    assert (old.info("ec2-vip1"), old.info("r53")) == (BY_PLACE, BLANK)
    assert KEY not in done.stderr + cluster.log("node1")
    assert SECRET not in done.stderr + cluster.log("node1")


def test_an_info_that_is_written_while_it_runs_is_not_overwritten(cluster: Cluster, old: PretendedLifeKeeper) -> None:
    """What somebody else changes between its look and its write stays as they wrote it."""
    old.set(meanwhile={"ec2-vip1": NAMED})
    done = migrate(cluster, old)
    assert done.status == 1
    assert "was changed meanwhile" in done.stderr
    assert old.info("ec2-vip1") == NAMED
    assert KEY not in old.info("r53")


# -- what it refuses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("system", ["node1", "node2"])
@pytest.mark.parametrize("state", ["ISP", "ISU", "ILLSTATE"])
def test_a_resource_that_runs_on_any_server_makes_it_refuse_all(
    cluster: Cluster, old: PretendedLifeKeeper, system: str, state: str
) -> None:
    """Nothing is changed while one of them is in service, or while LifeKeeper cannot tell."""
    old.add("ec2-busy", BLANK, state=state if system == "node1" else "OSU")
    old.add("ec2-busy", BLANK, state=state if system == "node2" else "OSU", system="node2")
    done = migrate(cluster, old)
    assert done.status == 1
    assert "nothing is migrated: ec2-busy " in done.stderr
    assert f" on {system}" in done.stderr
    assert untouched(old)


def test_a_server_that_cannot_be_asked_makes_it_refuse_naming_it(cluster: Cluster, old: PretendedLifeKeeper) -> None:
    """It might run one of them."""
    old.set(unreachable=["node2"])
    done = migrate(cluster, old)
    assert done.status == 1
    assert "whether r53 is in service on node2 cannot be said" in done.stderr
    assert untouched(old)


def test_lifekeeper_that_is_down_makes_it_refuse(cluster: Cluster, old: PretendedLifeKeeper) -> None:
    """Its database is not read behind its back."""
    old.set(down=True)
    done = migrate(cluster, old)
    assert done.status == 1
    assert "LifeKeeper is not running" in done.stderr
    assert untouched(old)


def test_a_server_without_lifekeeper_has_nothing_to_migrate(cluster: Cluster) -> None:
    """It says so, since whoever runs it there expected something else."""
    done = cluster.run("node1", "aws_iam_migration")
    assert done.status == 1
    assert "there is nothing to migrate on node1: LifeKeeper is not its framework" in done.stderr


def test_credentials_from_elsewhere_make_it_refuse(cluster: Cluster, old: PretendedLifeKeeper) -> None:
    """Keys in the environment would hide that the role is missing."""
    done = migrate(cluster, old, AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET)
    assert done.status == 1
    assert "the SDK takes its credentials from env, not from the instance's role" in done.stderr
    assert KEY not in done.stderr
    assert untouched(old)


def test_an_instance_without_a_role_makes_it_refuse(cluster: Cluster, old: PretendedLifeKeeper) -> None:
    """Without keys and without a role the resources would no longer work."""
    cluster.sandbox.fault("no-role", server="node1", service="imds")
    done = migrate(cluster, old)
    assert done.status == 1
    assert "no credentials for any request" in done.stderr
    assert untouched(old)


@pytest.mark.parametrize("operation", ["ReplaceRoute", "AssociateAddress", "DescribeAddresses"])
def test_a_permission_that_is_missing_makes_it_refuse(
    cluster: Cluster, old: PretendedLifeKeeper, operation: str
) -> None:
    """The role must be able to do what the keys did, for both scenarios."""
    cluster.sandbox.fault("deny", server="node1", operation=operation)
    done = migrate(cluster, old)
    assert done.status == 1
    assert f"1 checks failed: permission ec2:{operation}" in done.stderr
    assert untouched(old)


def test_ec2_that_does_not_answer_makes_it_refuse(cluster: Cluster, old: PretendedLifeKeeper) -> None:
    """Credentials that could not be tried are not known to work."""
    cluster.sandbox.fault("refuse", server="node1")
    done = given_time(
        lambda seconds: migrate(cluster, old, EC2_RESTORE_TIMEOUT=f"{seconds:.1f}"),
        lambda done: "no connection to http:" in done.stderr,
        seconds=4,
    )
    assert done.status == 1
    assert "no connection to http:" in done.stderr
    assert untouched(old)


def test_route_53_alone_is_migrated_without_asking_ec2(cluster: Cluster, lifekeeper: PretendedLifeKeeper) -> None:
    """Its permissions cannot be tried, which is said; the role must be there all the same."""
    lifekeeper.add("r53", BLANK, kind="route53")
    calls = len(cluster.sandbox.calls())
    done = migrate(cluster, lifekeeper)
    assert done.status == 0, done.stderr
    assert KEY not in lifekeeper.info("r53")
    assert "check permissions of route 53: could not look" in done.stderr
    assert len(cluster.sandbox.calls()) == calls


@pytest.mark.parametrize("word", ["ec2-vip1", "--force"])
def test_it_takes_no_arguments(cluster: Cluster, old: PretendedLifeKeeper, word: str) -> None:
    """Who names one resource would be surprised by what happens to the others."""
    done = migrate(cluster, old, word)
    assert done.status == 2
    assert "usage" in done.stderr
    assert untouched(old)

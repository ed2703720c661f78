"""What EC2 said a moment ago, as the checks of one server share it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ec2kit.deadline import BootClock, Clock, Deadline
from ec2kit.ec2.answers import Address
from ec2kit.ec2.snapshot import Snapshot, Survey, Writes
from ec2kit.errors import AwsThrottled, Ec2KitError, PermissionMissing
from ec2kit.messages import catalogue
from ec2kit.messages.log import Log
from ec2kit.resource import Resource
from ec2kit.role import Role
from ec2kit.scenarios import elastic_ip
from ec2kit.scenarios.elastic_ip.sharing import SharedAddresses
from ec2kit.scenarios.route_table.sharing import SharedTables
from ec2kit.settings import Settings
from ec2kit.state.boot import boot_id
from ec2kit.state.file import StateFile

from ..actions.cluster import until
from ..builders import (
    ALLOCATION,
    CIDR,
    ELASTIC_IP,
    ENI_A,
    ENI_B,
    FOREIGN,
    FakeClock,
    Lines,
    a_resource,
    a_server,
    another_process,
    holding,
)
from ..patience import HANGS
from ..pretended_ec2 import PretendedEc2, not_permitted, refused, unreachable

OTHER = "10.1.0.20/32"

THROTTLED = AwsThrottled(
    operation="DescribeAddresses", object="it", code="RequestLimitExceeded", text="no", status=503, request_id="r"
)


class Asked:
    """EC2, which remembers for which blocks it was asked."""

    def __init__(self, world: PretendedEc2) -> None:
        self._ec2 = world.asked_by(lambda: None)
        self.blocks: list[list[str]] = []

    def under(self, role: Role | None) -> Asked:
        return self

    def route_tables(self, *, vpc_id: str, destinations: Sequence[str], tag: str = "") -> Any:
        self.blocks.append(list(destinations))
        return self._ec2.route_tables(vpc_id=vpc_id, destinations=destinations, tag=tag)

    def addresses(self) -> Any:
        return self._ec2.addresses()


class Check:
    """One check, which looks at routes and at addresses by what the checks share."""

    def __init__(self, snapshot: Snapshot, server: Server, mine: Resource, role: Role | None) -> None:
        self._snapshot = snapshot
        self.route_tables = SharedTables(snapshot, lambda role, tag: server.neighbours, role).route_tables
        self.addresses = SharedAddresses(snapshot, mine, lambda: server.resources).addresses

    @property
    def is_fresh(self) -> bool:
        return self._snapshot.is_fresh


class Server:
    """One server, on which checks come one after the other, or at once."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self.settings = Settings(run_dir=str(folder), snapshot_max_age=5.0)
        self.clock = clock or FakeClock()
        self.world = PretendedEc2({"rtb-1": ENI_A})
        self.asked = Asked(self.world)
        self.neighbours: list[str] = []
        self.resources: list[Resource] = []
        self.lines = Lines()

    def a_check(
        self,
        *,
        seconds: float = 100,
        region: str = "us-east-1",
        role: Role | None = None,
        mine: Resource | None = None,
        **different: Any,
    ) -> Check:
        snapshot = Snapshot(
            settings=self.settings._replace(**different),
            log=Log(action="quickCheck", tag="ec2-vip1", sinks=(self.lines,)),
            deadline=Deadline(seconds, self.clock),
            region=region,
            ec2=lambda: self.asked,  # type: ignore[arg-type,return-value]
        )
        return Check(snapshot, self, mine or an_elastic_ip(), role)

    def look(self, block: str = CIDR, *, vpc_id: str = "vpc-1", **different: Any) -> str | None:
        """What the address points at, as a new check sees it."""
        return target(self.a_check(**different), block, vpc_id)


def an_elastic_ip(allocation_id: str = ALLOCATION, eni: str = ENI_A) -> Resource:
    """A resource with an Elastic IP, on one server."""
    server = a_server(network_interface_id=eni)
    return a_resource(ELASTIC_IP, own=elastic_ip.Own(allocation_id), servers=(server,))


def target(check: Check, block: str = CIDR, vpc_id: str = "vpc-1") -> str | None:
    seen = check.route_tables(vpc_id=vpc_id, destinations=[block])
    if seen.unknown is not None:
        raise seen.unknown
    return seen.tables[0].routes[0].target


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path / "run")


# -- sharing -------------------------------------------------------------------------------------------------


def test_look_second_check_reads_what_the_first_was_told(server: Server) -> None:
    """One request for two checks; which of them asked is known."""
    first, second = server.a_check(), server.a_check()
    assert (target(first), target(second)) == (ENI_A, ENI_A)
    assert (first.is_fresh, second.is_fresh) == (True, False)
    assert server.world.looked == 1


def test_answer_to_one_role_is_none_to_another(server: Server) -> None:
    """Accounts are not mixed: a check reads what its own role was told, and no other check takes that away."""
    arn = "arn:aws:iam::111122223333:role/a"
    roles = (None, Role(arn), Role(arn, "of-the-cluster"))
    for looked, role in enumerate((*roles, *roles), start=1):
        assert server.look(role=role) == ENI_A
        assert server.world.looked == min(looked, len(roles))


def test_look_is_the_same_read_as_asked(server: Server) -> None:
    """Nothing is lost on the way through the file: blackholes and free addresses neither."""
    server.world.blackholes.add("rtb-1")
    server.world.held = {
        "eipalloc-1": Address("203.0.113.1", "eipalloc-1"),
        "eipalloc-2": Address("203.0.113.2", "eipalloc-2", "eipassoc-2", ENI_A, "10.0.1.11"),
    }
    first, second = server.a_check(), server.a_check()
    question = {"vpc_id": "vpc-1", "destinations": [CIDR]}
    assert first.route_tables(**question) == second.route_tables(**question)
    assert first.addresses() == second.addresses() == tuple(server.world.held.values())
    assert server.world.looked == 2


def test_look_all_virtual_ips_of_the_server_are_asked_for_at_once(server: Server) -> None:
    """The first check asks for its neighbours, too; a new resource's first check asks for all again."""
    server.neighbours = [CIDR, OTHER]
    server.look(CIDR)
    server.look(OTHER)
    assert server.asked.blocks == [[CIDR, OTHER]]
    server.neighbours = [CIDR, OTHER, "10.1.0.30/32"]
    server.look("10.1.0.30/32")
    server.look(CIDR)
    assert [sorted(each) for each in server.asked.blocks[1:]] == [[CIDR, OTHER, "10.1.0.30/32"]]


def test_look_neighbours_that_only_the_last_answer_knows_are_asked_for_again(server: Server) -> None:
    """Where no registry knows them, the checks learn of one another."""
    server.look(CIDR)
    server.look(OTHER)
    server.clock.sleep(6)
    server.look(CIDR)
    server.look(OTHER)
    assert [sorted(each) for each in server.asked.blocks] == [[CIDR], [CIDR, OTHER], [CIDR, OTHER]]


def test_look_neighbours_that_the_registry_does_not_know_are_kept_as_far_as_they_cost_no_request(
    server: Server,
) -> None:
    """The registry's and those of other checks are asked for at once; what was deleted there asks for nothing."""
    server.neighbours = [OTHER]
    server.look("10.1.0.30/32")
    server.neighbours = []
    server.look(CIDR)
    assert sorted(server.asked.blocks[-1]) == [CIDR, OTHER, "10.1.0.30/32"]
    server.neighbours = [f"10.2.0.{n}/32" for n in range(200)]
    server.look("10.2.0.1/32")
    assert sorted(server.asked.blocks[-1]) == sorted(server.neighbours)


def test_look_hundreds_of_virtual_ips_in_hundreds_of_tables_are_one_answer(server: Server) -> None:
    """Whatever the quotas of EC2 allow is kept in a file that can be read again."""
    server.world.routes = {f"rtb-{n:017x}": (ENI_A, ENI_B)[n % 2] for n in range(200)}
    server.neighbours = [f"10.2.{n // 200}.{n % 200}/32" for n in range(500)]
    for block in (server.neighbours[0], server.neighbours[250], server.neighbours[499]):
        assert server.look(block) == ENI_A
    assert (server.world.looked, server.lines) == (1, [])


def test_look_larger_than_a_file_may_be_says_so(server: Server) -> None:
    """What cannot be shared is told by each check that has to ask, and a file that cannot be read is not written."""
    server.world.routes = {f"rtb-{n:017x}": f"eni-{n:017x}" for n in range(300)}
    server.neighbours = [f"10.2.{n // 200}.{n % 200}/32" for n in range(200)]
    for _ in range(2):
        server.look(server.neighbours[0])
    (told, _) = server.lines.of(catalogue.ANSWER_UNSHARED)
    assert "route-tables.vpc-1" in told
    assert "characters are more than" in told
    assert server.world.looked == 2
    assert not list(Path(server.settings.run_dir).glob("shared.*.json"))


def test_addresses_of_an_account_with_thousands_are_one_answer(server: Server) -> None:
    """Only what concerns this server is kept: its own, and what is beside them."""
    beside = Address("203.0.113.2", "eipalloc-2", "eipassoc-2", ENI_A, "10.0.1.12")
    ours = [Address("203.0.113.1", ALLOCATION), Address("203.0.113.3", "eipalloc-3")]
    others = [
        Address(f"198.51.{n // 250}.{n % 250}", f"eipalloc-o{n}", f"a-{n}", FOREIGN, "10.0.9.9") for n in range(5000)
    ]
    server.world.held = {each.allocation_id: each for each in (*others, beside, *ours)}
    server.resources = [an_elastic_ip(), an_elastic_ip("eipalloc-3", ENI_B)]
    for mine in server.resources:
        assert server.a_check(mine=mine).addresses() == (beside, *ours)
    assert server.world.looked == 1


def test_addresses_of_a_check_that_the_registry_does_not_know_are_asked_for_with_the_others(server: Server) -> None:
    """The checks learn of one another."""
    server.world.held = {name: Address("203.0.113.1", name) for name in (ALLOCATION, "eipalloc-2")}
    for allocation in (ALLOCATION, "eipalloc-2", ALLOCATION):
        server.a_check(mine=an_elastic_ip(allocation)).addresses()
    assert server.world.looked == 2


@pytest.mark.parametrize(
    "different",
    [
        pytest.param({"vpc_id": "vpc-2"}, id="vpc"),
        pytest.param({"region": "eu-west-1"}, id="region"),
        pytest.param({"origin": "other"}, id="endpoint-or-credentials"),
        pytest.param({"run_dir": "{}-other"}, id="folder"),
    ],
)
def test_look_about_something_else_is_not_shared(server: Server, different: dict[str, Any]) -> None:
    """What was asked of another endpoint, region or account, or about another VPC, is no answer."""
    server.look()
    server.look(**{name: value.format(server.settings.run_dir) for name, value in different.items()})
    assert server.world.looked == 2


@pytest.mark.parametrize("vpc_id", ["../../x", "vpc/1", "x" * 300, ""])
def test_look_hostile_vpc_stays_in_the_folder(server: Server, vpc_id: str, tmp_path: Path) -> None:
    """A name from a definition is never a path."""
    assert server.look(vpc_id=vpc_id) == ENI_A
    assert [each.name for each in tmp_path.iterdir()] in ([], ["run"])


# -- one command that looks at many ---------------------------------------------------------------------------


def test_survey_asks_each_question_once_for_all(server: Server) -> None:
    """The first look asks for the resources of the command, and what EC2 does not say is not asked again either."""
    survey = Survey(server.asked)  # type: ignore[arg-type]
    blocks = [CIDR, OTHER]
    for block in blocks:
        seen = SharedTables(survey, lambda role, tag: blocks).route_tables(vpc_id="vpc-1", destinations=[block])
        assert seen.tables[0].routes[0].destination == block
    server.world.later_pages = unreachable()
    for block in blocks:
        seen = SharedTables(survey, lambda role, tag: blocks).route_tables(vpc_id="vpc-2", destinations=[block])
        assert str(seen.unknown) == str(unreachable())
    assert server.world.looked == 2


# -- age -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("age", "requests"), [(5.0, 1), (5.1, 2)])
def test_look_is_read_up_to_its_age(server: Server, age: float, requests: int) -> None:
    """EC2_SNAPSHOT_MAX_AGE seconds, and no longer."""
    server.look()
    server.clock.sleep(age)
    server.look()
    assert server.world.looked == requests


def test_look_age_counts_from_the_question(server: Server) -> None:
    """An answer that took six seconds is six seconds old when it comes."""
    server.world.before_look = lambda number: server.clock.sleep(6)
    server.look()
    server.look()
    assert server.world.looked == 2


def test_look_from_the_future_is_not_read(server: Server) -> None:
    """A clock that was set back, as no clock of a boot is, makes no answer young."""
    server.look()
    server.clock.time -= 100  # type: ignore[attr-defined]
    server.look()
    assert server.world.looked == 2


def test_look_of_another_boot_is_not_read(server: Server) -> None:
    """The clock begins anew with each boot."""
    server.look()
    (path,) = Path(server.settings.run_dir).glob("shared.*.json")
    content = StateFile(str(path)).read()
    assert content is not None
    assert content["key"]["boot"] == boot_id()
    content["key"]["boot"] = "another"
    StateFile(str(path)).write(content)
    server.look()
    assert server.world.looked == 2


# -- writes ----------------------------------------------------------------------------------------------------


def test_look_after_a_write_of_this_server_asks_again(server: Server) -> None:
    """What was true before a write is void."""
    server.look()
    Writes(server.settings.run_dir).note()
    server.world.routes["rtb-1"] = ENI_B
    assert server.look() == ENI_B


def test_look_while_a_write_begins_is_not_kept(server: Server) -> None:
    """An answer that may be from before or after a write is used by nobody else."""
    server.world.before_look = lambda number: Writes(server.settings.run_dir).note()
    server.look()
    server.world.before_look = lambda number: None
    server.look()
    server.look()
    assert server.world.looked == 2


def test_writes_each_note_is_seen(tmp_path: Path) -> None:
    """Two writes within one tick of any clock are two."""
    writes = Writes(str(tmp_path / "run"))
    seen = [writes.seen()]
    for _ in range(3):
        writes.note()
        seen.append(writes.seen())
    assert len(set(seen)) == 4


def test_writes_that_cannot_be_noted_stop_nobody(tmp_path: Path) -> None:
    """A failover does not depend on it."""
    (tmp_path / "run").write_text("no folder")
    Writes(str(tmp_path / "run")).note()


# -- no answer -------------------------------------------------------------------------------------------------

TROUBLE = [
    pytest.param(unreachable(), False, id="no-answer"),
    pytest.param(not_permitted("DescribeAddresses"), True, id="no-permission"),
    pytest.param(refused("InvalidFilter"), True, id="refused"),
]


@pytest.mark.parametrize(("error", "trouble"), TROUBLE)
def test_addresses_trouble_says_why_and_whether_to_mend_it(server: Server, error: Ec2KitError, trouble: bool) -> None:
    """The reason is EC2's, and trouble stays trouble."""
    server.world.looks = [error]
    with pytest.raises(Ec2KitError) as caught:
        server.a_check().addresses()
    assert str(caught.value) == str(error)
    assert getattr(caught.value, "trouble", True) is trouble


def test_look_no_answer_is_not_for_those_who_come_later(server: Server) -> None:
    """The next check asks itself."""
    server.world.looks = [unreachable(), None]
    with pytest.raises(Ec2KitError):
        server.a_check().addresses()
    assert server.a_check().addresses() == ()


def test_look_throttled_is_for_those_who_come_within_a_second(server: Server) -> None:
    """Where the account is asked too often, the checks that follow do not ask for the same no once more."""
    server.world.looks = [THROTTLED, None]
    for _ in range(3):
        with pytest.raises(Ec2KitError, match="RequestLimitExceeded"):
            server.a_check().addresses()
    assert server.world.looked == 1
    server.clock.sleep(1.1)
    assert server.a_check().addresses() == ()


def test_look_throttled_is_not_shared_where_nothing_is(server: Server) -> None:
    """EC2_SNAPSHOT_MAX_AGE=0 is for who wants every check to ask."""
    server.world.looks = [THROTTLED, None]
    with pytest.raises(Ec2KitError):
        server.a_check(snapshot_max_age=0.0).addresses()
    server.clock.sleep(0.1)
    assert server.a_check(snapshot_max_age=0.0).addresses() == ()


def test_look_page_missing_is_not_for_those_who_come_later(server: Server) -> None:
    """Half an answer is none; what it says still counts for who asked."""
    server.world.later_pages = unreachable()
    seen = server.a_check().route_tables(vpc_id="vpc-1", destinations=[CIDR])
    assert (len(seen.tables), str(seen.unknown)) == (1, str(unreachable()))
    server.world.later_pages = None
    assert server.look() == ENI_A
    assert server.world.looked == 2


# -- at once ---------------------------------------------------------------------------------------------------


class _WatchedClock(BootClock):
    """Real time, and the threads that have waited for it to pass."""

    def __init__(self) -> None:
        self.waited: set[int] = set()

    def sleep(self, seconds: float) -> None:
        self.waited.add(threading.get_ident())
        super().sleep(seconds)


def _at_once(server: Server, check: Callable[[Check], Any], count: int = 12) -> list[Any]:
    """What so many checks are told, of which none has begun when EC2 is asked, and all have when it answers."""
    outcomes: list[Any] = []
    begun, clock = threading.Barrier(count + 1), _WatchedClock()
    server.clock = clock

    def one() -> None:
        snapshot = server.a_check()
        begun.wait(HANGS)
        try:
            outcomes.append(check(snapshot))
        except Ec2KitError as error:
            outcomes.append(str(error))

    def all_others_wait(number: int) -> None:
        until(lambda: len(clock.waited) >= count - 1)

    server.world.before_look = all_others_wait
    threads = [threading.Thread(target=one) for _ in range(count)]
    for each in threads:
        each.start()
    begun.wait(HANGS)
    for each in threads:
        each.join(HANGS)
    return outcomes


def test_look_many_at_once_make_one_request(tmp_path: Path) -> None:
    """One asks, all others wait for what it is told."""
    server = Server(tmp_path / "run")
    server.settings = server.settings._replace(snapshot_max_age=HANGS)
    assert _at_once(server, target) == [ENI_A] * 12
    assert server.world.looked == 1


def test_look_many_at_once_share_that_there_is_no_answer(tmp_path: Path) -> None:
    """Nobody waits out a silence that another one has just waited out for it."""
    server = Server(tmp_path / "run")
    server.world.looks = [unreachable()] * 12
    assert _at_once(server, lambda check: check.addresses()) == [str(unreachable())] * 12
    assert server.world.looked == 1


def test_look_many_at_once_share_an_answer_that_came_late(tmp_path: Path) -> None:
    """Who waited for a question that was sent after it began has as fresh an answer as it could have had itself."""
    server = Server(tmp_path / "run")
    server.settings = server.settings._replace(snapshot_max_age=0.01)
    assert _at_once(server, target) == [ENI_A] * 12
    assert server.world.looked <= 2


def test_look_while_another_check_hangs_asks_itself_in_time(server: Server, tmp_path: Path) -> None:
    """A check that was stopped while it asked keeps the others for half of their time."""
    server.look()
    server.clock.sleep(10)
    path = Path(server.settings.run_dir) / "shared.route-tables.vpc-1.lock"
    began = server.clock.now()
    with another_process(holding(str(path))):
        assert server.look(seconds=100) == ENI_A
    assert 49 <= server.clock.now() - began <= 51


# -- files that are not as they should be ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"tables": None}, id="no-tables"),
        pytest.param({"tables": []}, id="no-such-table"),
        pytest.param({"routes": {CIDR: [["eni-1"]]}}, id="no-places"),
        pytest.param({"routes": {CIDR: [[[["eni-1", True, "red", "and", "more"]], "0"]]}}, id="strange-route"),
        pytest.param({"routes": {CIDR: [[[["eni-1", True]], "first"]]}}, id="strange-place"),
        pytest.param({"asked": "yesterday"}, id="no-time"),
        pytest.param({"routes": 7}, id="no-blocks"),
        pytest.param({"error": "bad", "told": 1e12}, id="strange-error"),
        pytest.param({"key": None}, id="no-key"),
    ],
)
def test_look_file_edited_is_asked_again(server: Server, change: dict[str, Any]) -> None:
    """What nobody of us wrote is no answer, and no trouble."""
    server.look()
    file = StateFile(str(Path(server.settings.run_dir) / "shared.route-tables.vpc-1.json"))
    file.write({**(file.read() or {}), **change})
    assert server.look() == ENI_A
    assert server.world.looked == 2


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00", '{"version": 1}'])
def test_look_file_broken_is_asked_again(server: Server, text: str) -> None:
    """A file that was cut says nothing."""
    server.look()
    (Path(server.settings.run_dir) / "shared.route-tables.vpc-1.json").write_text(text)
    assert server.look() == ENI_A
    assert server.world.looked == 2


def test_look_folder_unusable_asks_each_time_and_says_so(tmp_path: Path) -> None:
    """Where nothing can be kept, each check asks for itself."""
    (tmp_path / "run").write_text("no folder")
    server = Server(tmp_path / "run")
    assert [server.look(), server.look()] == [ENI_A, ENI_A]
    assert server.world.looked == 2
    assert len(server.lines.of(catalogue.ANSWER_UNSHARED)) == 2


def test_look_no_secret_of_an_error_is_kept(server: Server) -> None:
    """The file has the reason as the log has it."""
    fields = {"operation": "DescribeAddresses", "object": "it", "code": "X", "status": 403, "request_id": "r"}
    fields["credentials"] = "env"
    server.world.looks = [PermissionMissing(**fields, text="SessionToken=IQoJb3JpZ2luX2VjE")]
    with pytest.raises(Ec2KitError):
        server.a_check().addresses()
    assert "IQoJ" not in (Path(server.settings.run_dir) / "shared.addresses.json").read_text()


def test_check_that_read_one_of_its_answers_is_not_fresh(server: Server) -> None:
    """A no of such a check rests on what is old, whatever it has asked for besides."""
    server.look(CIDR)
    check = server.a_check()
    for vpc_id in ("vpc-1", "vpc-2"):
        target(check, vpc_id=vpc_id)
    assert not check.is_fresh

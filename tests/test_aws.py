"""The one door to EC2, over HTTP, against servers that answer, lie, drip and fall silent."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ec2kit import __version__, messages
from ec2kit.answers import Route
from ec2kit.aws import Ec2
from ec2kit.deadline import Clock, Deadline
from ec2kit.errors import (
    AwsGarbled,
    AwsRefused,
    AwsServerError,
    AwsThrottled,
    AwsUnknown,
    AwsUnreachable,
    ConfigurationInvalid,
    CredentialsMissing,
    CredentialsRejected,
    DeadlinePassed,
    Ec2KitError,
    Overtaken,
    PermissionMissing,
)
from ec2kit.log import Log
from ec2kit.messages import Level
from ec2kit.settings import Settings

from .builders import CIDR, ENI_A, ENI_B, ImpatientClock, Lines
from .scripted_server import (
    Behaviour,
    ScriptedServer,
    a_table,
    answers,
    drips,
    fails,
    hangs_up,
    says,
    scripted,
    silent,
    tables,
)

pytestmark = pytest.mark.usefixtures("credentials")

DONE = says("ReplaceRoute")
ONE_TABLE = tables(a_table("rtb-1", (CIDR, ENI_B)))
SLOW = 20.0
"""More seconds than any of these tests should take on a slow machine, where the promise is "in time"."""


@pytest.fixture(scope="module", autouse=True)
def models_read_once() -> Iterator[None]:
    """Keeps botocore's model of EC2 in memory; every client would read it anew, which takes most of the time."""
    from botocore.loaders import JSONFileLoader

    read = functools.lru_cache(maxsize=None)(functools.partial(JSONFileLoader.load_file, JSONFileLoader()))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(JSONFileLoader, "load_file", lambda _, path: read(path))
        yield


def an_ec2(
    url: str,
    *,
    seconds: float = 30,
    clock: Clock | None = None,
    guard: Callable[[], None] = lambda: None,
    look_retries: int | None = None,
    sink: Callable[[Level, str], None] | None = None,
    region: str = "ap-northeast-1",
    note_write: Callable[[], None] | None = None,
    **settings: Any,
) -> Ec2:
    usual = {"server": "server-a", "endpoint_url": url, "connect_timeout": 1.0, "read_timeout": 4.0}
    return Ec2(
        region=region,
        settings=Settings(**{**usual, **settings}),
        deadline=Deadline(seconds, clock or ImpatientClock()),
        log=Log(action="restore", tag="ec2-vip1", sinks=() if sink is None else (sink,)),
        user_agent=f"ec2kit/{__version__} restore ec2-vip1",
        guard=guard,
        look_retries=look_retries,
        note_write=note_write,
    )


def look(ec2: Ec2) -> tuple[str, ...]:
    """Look at the tables; raises what stands in the way of seeing all of them."""
    seen = ec2.route_tables(vpc_id="vpc-1", destination_cidr_block=CIDR)
    if seen.unknown is not None:
        raise seen.unknown
    return tuple(table.route_table_id for table in seen.tables)


def write(ec2: Ec2) -> int:
    """Move a route; how many attempts that took."""
    return ec2.replace_route(route_table_id="rtb-1", destination_cidr_block=CIDR, network_interface_id=ENI_A).attempts


def test_write_without_an_answer_counts_as_sent_by_the_id_that_it_was_sent_with() -> None:
    """An association is ended by its own id, and planned by its address's: one of them is enough."""
    with scripted(fails("InternalError"), DONE) as server:
        ec2 = an_ec2(server.url)
        with pytest.raises(AwsServerError):
            ec2.disassociate_address(association_id="eipassoc-1")
        assert ec2.has_sent("DisassociateAddress", ("eipalloc-1", "eipassoc-1"))
        assert not ec2.has_sent("DisassociateAddress", ("eipalloc-1", "eipassoc-2"))
        write(ec2)
        assert not ec2.has_sent("ReplaceRoute", ("rtb-1",))


# -- with which credentials --------------------------------------------------------------------------------


def test_credentials_method_names_where_they_come_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keys of the environment hide those of a file, and both would hide the instance's role."""
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    assert an_ec2("http://127.0.0.1:9").credentials_method() == "env"
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert an_ec2("http://127.0.0.1:9").credentials_method() == "shared-credentials-file"


def test_credentials_method_without_any_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither environment, nor files, nor a role."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(CredentialsMissing, match="nor the instance role"):
        an_ec2("http://127.0.0.1:9").credentials_method()


# -- what is asked -----------------------------------------------------------------------------------------


def test_request_user_agent_names_kit_action_and_tag() -> None:
    """CloudTrail shows which action of which resource made a request."""
    with scripted(ONE_TABLE) as server:
        look(an_ec2(server.url))
    assert f"ec2kit/{__version__} restore ec2-vip1" in server.agents[0]


def test_route_tables_are_asked_for_by_vpc_and_block() -> None:
    """EC2 is asked for the VPC's tables that hold exactly this route."""
    with scripted(ONE_TABLE) as server:
        assert look(an_ec2(server.url)) == ("rtb-1",)
    (question,) = server.asked
    assert question["Action"] == "DescribeRouteTables"
    assert (question["Filter.1.Name"], question["Filter.1.Value.1"]) == ("vpc-id", "vpc-1")
    assert (question["Filter.2.Name"], question["Filter.2.Value.1"]) == ("route.destination-cidr-block", CIDR)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        pytest.param(
            lambda ec2: ec2.replace_route(
                route_table_id="rtb-1", destination_cidr_block=CIDR, network_interface_id=ENI_A
            ),
            {
                "Action": "ReplaceRoute",
                "RouteTableId": "rtb-1",
                "DestinationCidrBlock": CIDR,
                "NetworkInterfaceId": ENI_A,
            },
            id="replace-route",
        ),
        pytest.param(
            lambda ec2: ec2.associate_address(
                allocation_id="eipalloc-1",
                network_interface_id=ENI_A,
                private_ip_address="10.0.1.11",
                allow_reassociation=False,
            ),
            {
                "Action": "AssociateAddress",
                "AllocationId": "eipalloc-1",
                "NetworkInterfaceId": ENI_A,
                "PrivateIpAddress": "10.0.1.11",
                "AllowReassociation": "false",
            },
            id="associate-address",
        ),
        pytest.param(
            lambda ec2: ec2.disassociate_address(association_id="eipassoc-1"),
            {"Action": "DisassociateAddress", "AssociationId": "eipassoc-1"},
            id="disassociate-address",
        ),
        pytest.param(
            lambda ec2: ec2.switch_off_source_dest_check(network_interface_id=ENI_A, retries=1),
            {
                "Action": "ModifyNetworkInterfaceAttribute",
                "NetworkInterfaceId": ENI_A,
                "SourceDestCheck.Value": "false",
            },
            id="switch-off-source-dest-check",
        ),
    ],
)
def test_write_parameters_are_those_and_no_others(call: Callable[[Ec2], Any], expected: dict[str, str]) -> None:
    """A write says what it changes and nothing else, and its receipt has request id and attempts."""
    with scripted(says(expected["Action"], request_id="req-7")) as server:
        receipt = call(an_ec2(server.url))
    (question,) = server.asked
    assert {name: text for name, text in question.items() if name not in ("method", "path", "Version")} == expected
    assert (receipt.request_id, receipt.attempts) == ("req-7", 1)


# -- what is understood ------------------------------------------------------------------------------------


def test_route_tables_only_the_route_asked_for_is_kept() -> None:
    """Other routes of a table, and tables that a filter let through, are left out."""
    both = a_table("rtb-1", ("10.1.0.20/32", ENI_B), (CIDR, ENI_A))
    near_miss = a_table("rtb-2", ("10.1.0.0/24", ENI_A))
    with scripted(tables(both, near_miss)) as server:
        seen = an_ec2(server.url).route_tables(vpc_id="vpc-1", destination_cidr_block=CIDR)
    (table,) = seen.tables
    assert table.routes == (Route(CIDR, ENI_A, active=True),)


def test_route_tables_blackhole_and_other_targets_are_told_apart() -> None:
    """A blackhole is not active; a gateway is a target, too; IPv6 routes and prefix lists do not disturb."""
    gateway = (
        "<item><routeTableId>rtb-2</routeTableId><routeSet>"
        "<item><destinationIpv6CidrBlock>::/0</destinationIpv6CidrBlock><gatewayId>igw-1</gatewayId>"
        "<state>active</state></item><item><destinationPrefixListId>pl-1</destinationPrefixListId>"
        "<gatewayId>vpce-1</gatewayId><state>active</state></item>"
        f"<item><destinationCidrBlock>{CIDR}</destinationCidrBlock><gatewayId>igw-1</gatewayId>"
        "<state>active</state></item></routeSet></item>"
    )
    with scripted(tables(a_table("rtb-1", (CIDR, ENI_A), state="blackhole"), gateway)) as server:
        seen = an_ec2(server.url).route_tables(vpc_id="vpc-1", destination_cidr_block=CIDR)
    assert [table.routes[0] for table in seen.tables] == [
        Route(CIDR, ENI_A, active=False),
        Route(CIDR, "igw-1", active=True),
    ]


def test_route_tables_none_is_an_answer() -> None:
    """EC2 may say that no table has the route; that is an empty list and not trouble."""
    with scripted(tables()) as server:
        seen = an_ec2(server.url).route_tables(vpc_id="vpc-1", destination_cidr_block=CIDR)
    assert (seen.tables, seen.unknown) == ((), None)


def test_addresses_associated_and_free_are_told_apart() -> None:
    """All addresses of the account, with what they are associated with."""
    free = "<item><publicIp>203.0.113.1</publicIp><allocationId>eipalloc-1</allocationId></item>"
    held = (
        "<item><publicIp>203.0.113.2</publicIp><allocationId>eipalloc-2</allocationId>"
        "<associationId>eipassoc-2</associationId><networkInterfaceId>eni-a</networkInterfaceId>"
        "<privateIpAddress>10.0.1.11</privateIpAddress></item>"
    )
    with scripted(says("DescribeAddresses", f"<addressesSet>{free}{held}</addressesSet>")) as server:
        first, second = an_ec2(server.url).addresses()
    assert (first.association_id, first.network_interface_id) == (None, None)
    assert (second.association_id, second.network_interface_id) == ("eipassoc-2", "eni-a")


@pytest.mark.parametrize(
    "inner", ["<networkInterfaceSet/>", "", "<networkInterfaceSet><item/></networkInterfaceSet>"]
)
def test_network_interface_not_in_the_answer_raises_garbled(inner: str) -> None:
    """An answer without the ENI that was asked for is not an answer."""
    with scripted(says("DescribeNetworkInterfaces", inner)) as server, pytest.raises(AwsGarbled):
        an_ec2(server.url, look_retries=0).network_interface(ENI_A)


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        pytest.param(fails("DryRunOperation", 412), True, id="yes"),
        pytest.param(fails("UnauthorizedOperation", 403), False, id="no"),
    ],
)
def test_is_allowed_dry_run_gives_yes_or_no(behaviour: Behaviour, expected: bool) -> None:
    """DryRunOperation is yes, UnauthorizedOperation is no, and nothing is changed."""
    with scripted(behaviour) as server:
        assert an_ec2(server.url).is_allowed("ReplaceRoute", RouteTableId="rtb-1") is expected
    assert server.asked[0]["DryRun"] == "true"


@pytest.mark.parametrize("code", ["InvalidRouteTableID.NotFound", "AuthFailure", "RequestLimitExceeded"])
def test_is_allowed_any_other_answer_raises(code: str) -> None:
    """Any other answer is "could not look", neither yes nor no."""
    with scripted(fails(code)) as server, pytest.raises((AwsRefused, AwsUnknown)):
        an_ec2(server.url, look_retries=0).is_allowed("ReplaceRoute", RouteTableId="rtb-1")


# -- pages -------------------------------------------------------------------------------------------------


def test_route_tables_pages_are_all_followed() -> None:
    """Every page is read, an empty one with a token included."""
    pages = (
        tables(a_table("rtb-1", (CIDR, ENI_A)), token="two"),
        tables(token="three"),
        tables(a_table("rtb-2", (CIDR, ENI_B))),
    )
    with scripted(*pages) as server:
        assert look(an_ec2(server.url)) == ("rtb-1", "rtb-2")
    assert [question.get("NextToken") for question in server.asked] == [None, "two", "three"]


def test_route_tables_token_repeated_ends_and_keeps_the_evidence() -> None:
    """A token that comes again ends the reading; what was seen counts, and that something may be missing is said."""
    pages = (
        tables(a_table("rtb-1", (CIDR, ENI_B)), token="same"),
        tables(a_table("rtb-2", (CIDR, ENI_A)), token="same"),
    )
    with scripted(*pages) as server:
        seen = an_ec2(server.url).route_tables(vpc_id="vpc-1", destination_cidr_block=CIDR)
    assert "rtb-1" in [table.route_table_id for table in seen.tables]
    assert isinstance(seen.unknown, AwsGarbled)
    assert len(server.asked) == 2


def test_route_tables_pages_without_end_are_given_up_and_keep_the_evidence() -> None:
    """A listing that always has another page, however new its token, is unknown after some; what was seen counts."""

    def endless(handler: Any) -> None:
        number = len(handler.server.asked)
        tables(*([a_table("rtb-1", (CIDR, ENI_B))] if number == 1 else []), token=f"t{number}")(handler)

    with scripted(endless) as server:
        seen = an_ec2(server.url, seconds=60).route_tables(vpc_id="vpc-1", destination_cidr_block=CIDR)
    assert [table.route_table_id for table in seen.tables] == ["rtb-1"]
    assert isinstance(seen.unknown, AwsGarbled)
    assert "its pages have no end: 200 were read" in str(seen.unknown)
    assert len(server.asked) == 200


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        pytest.param(fails("InternalError", 500), AwsServerError, id="server-error"),
        pytest.param(fails("UnauthorizedOperation", 403), PermissionMissing, id="permission"),
        pytest.param(fails("InvalidNextToken"), AwsRefused, id="refused"),
        pytest.param(answers("<html/>"), AwsGarbled, id="garbled"),
        pytest.param(hangs_up, AwsUnreachable, id="lost"),
    ],
)
def test_route_tables_later_page_fails_keeps_the_evidence(behaviour: Behaviour, kind: type[Ec2KitError]) -> None:
    """What earlier pages said still counts when a later one cannot be had."""
    with scripted(tables(a_table("rtb-1", (CIDR, ENI_B)), token="two"), behaviour) as server:
        seen = an_ec2(server.url, look_retries=0).route_tables(vpc_id="vpc-1", destination_cidr_block=CIDR)
    assert [table.route_table_id for table in seen.tables] == ["rtb-1"]
    assert isinstance(seen.unknown, kind)


# -- retries -----------------------------------------------------------------------------------------------

NOT_MADE = [
    pytest.param(fails("RequestLimitExceeded", 503), id="throttled-503"),
    pytest.param(fails("Throttling", 400), id="throttled-400"),
]

MAYBE_MADE = [
    pytest.param(fails("InternalError", 500), id="internal-error"),
    pytest.param(fails("Unavailable", 503), id="unavailable"),
    pytest.param(answers("<html>Bad Gateway</html>", 502), id="html-502"),
    pytest.param(answers("", 503), id="empty-503"),
    pytest.param(hangs_up, id="hung-up"),
    pytest.param(answers(""), id="empty-200"),
    pytest.param(answers("<html><body>login</body></html>"), id="html-200"),
]


@pytest.mark.parametrize("behaviour", NOT_MADE)
def test_write_passing_trouble_is_retried(behaviour: Behaviour) -> None:
    """What time can heal is tried again, until it is done, and each retry is logged with its reason."""
    lines = Lines()
    with scripted(behaviour, behaviour, DONE) as server:
        assert write(an_ec2(server.url, sink=lines)) == 3
    assert len(server.asked) == 3
    assert len(lines.of(messages.RETRYING)) == 2


@pytest.mark.parametrize("behaviour", NOT_MADE + MAYBE_MADE)
def test_look_passing_trouble_is_retried(behaviour: Behaviour) -> None:
    """A look-up is repeated whatever became of its answer."""
    lines = Lines()
    with scripted(behaviour, behaviour, ONE_TABLE) as server:
        assert look(an_ec2(server.url, sink=lines)) == ("rtb-1",)
    assert len(lines.of(messages.RETRYING)) == 2


@pytest.mark.parametrize("behaviour", MAYBE_MADE)
def test_write_that_may_have_been_carried_out_is_not_repeated_unseen(behaviour: Behaviour) -> None:
    """What EC2 made of it, a look tells; written again, it counts its attempts from the first one on."""
    with scripted(behaviour, DONE) as server:
        ec2 = an_ec2(server.url, max_retry=1)
        with pytest.raises(AwsUnknown) as caught:
            write(ec2)
        assert len(server.asked) == 1
        assert (caught.value.uncertain, caught.value.may_be_repeated) == (True, True)
        assert write(ec2) == 2


def test_write_refused_after_a_lost_answer_may_have_been_carried_out() -> None:
    """What the first attempt did, the refusal of the second does not tell."""
    with scripted(hangs_up, fails("InvalidParameterValue")) as server:
        ec2 = an_ec2(server.url)
        with pytest.raises(AwsUnreachable):
            write(ec2)
        with pytest.raises(AwsRefused) as caught:
            write(ec2)
    assert caught.value.uncertain


def test_write_of_another_object_counts_for_itself() -> None:
    """A lost answer about one table says nothing of another."""
    with scripted(hangs_up, DONE) as server:
        ec2 = an_ec2(server.url)
        with pytest.raises(AwsUnreachable):
            write(ec2)
        receipt = ec2.replace_route(route_table_id="rtb-2", destination_cidr_block=CIDR, network_interface_id=ENI_A)
    assert receipt.attempts == 1


def test_write_that_nobody_looks_for_is_repeated() -> None:
    """The source/destination check, which no look follows, is switched off by as many attempts as were asked for."""
    with scripted(hangs_up, says("ModifyNetworkInterfaceAttribute")) as server:
        ec2 = an_ec2(server.url, max_retry=0)
        assert ec2.switch_off_source_dest_check(network_interface_id=ENI_A, retries=1).attempts == 2


FINAL = [
    pytest.param(fails("UnauthorizedOperation", 403), PermissionMissing, "UnauthorizedOperation", id="permission"),
    pytest.param(fails("InvalidRouteTableID.NotFound"), AwsRefused, "InvalidRouteTableID.NotFound", id="not-found"),
    pytest.param(fails("InvalidParameterValue"), AwsRefused, "InvalidParameterValue", id="invalid"),
    pytest.param(fails("AuthFailure", 401), CredentialsRejected, "AuthFailure", id="rejected"),
    pytest.param(fails("SignatureDoesNotMatch", 403), CredentialsRejected, "SignatureDoesNotMatch", id="signature"),
    pytest.param(fails("RequestExpired"), CredentialsRejected, "RequestExpired", id="expired-keys"),
]


@pytest.mark.parametrize(("behaviour", "kind", "code"), FINAL)
def test_write_final_answer_fails_at_once_with_code_object_and_request_id(
    behaviour: Behaviour, kind: type[Ec2KitError], code: str
) -> None:
    """Where retrying cannot help there is one request, and the error keeps what AWS said."""
    with scripted(behaviour) as server, pytest.raises(kind) as caught:
        write(an_ec2(server.url))
    assert len(server.asked) == 1
    assert (caught.value.fields["code"], caught.value.fields["object"]) == (code, "rtb-1")
    assert caught.value.fields["request_id"] == "req-err"
    assert "req-err" in str(caught.value)
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        pytest.param(fails("RequestLimitExceeded", 503), AwsThrottled, id="throttled"),
        pytest.param(fails("InternalError", 500), AwsServerError, id="server-error"),
        pytest.param(hangs_up, AwsUnreachable, id="answer-lost"),
        pytest.param(answers("<ReplaceRouteResponse>cut"), AwsGarbled, id="answer-cut"),
    ],
)
def test_write_without_retries_makes_one_attempt(behaviour: Behaviour, kind: type[Ec2KitError]) -> None:
    """EC2_MAX_RETRY=0 is one attempt; what became of it is unknown and said so."""
    with scripted(behaviour) as server, pytest.raises(kind) as caught:
        write(an_ec2(server.url, max_retry=0))
    assert len(server.asked) == 1
    assert isinstance(caught.value, AwsUnknown)


def test_write_retries_limited_gives_up_after_them() -> None:
    """EC2_MAX_RETRY=2 is three attempts, whatever each of them met."""
    throttled = fails("RequestLimitExceeded", 503)
    with scripted(throttled, fails("InternalError", 500), throttled) as server:
        ec2 = an_ec2(server.url, max_retry=2)
        with pytest.raises(AwsServerError) as caught:
            write(ec2)
        assert caught.value.may_be_repeated
        with pytest.raises(AwsThrottled) as caught_at_last:
            write(ec2)
    assert len(server.asked) == 3
    assert (caught_at_last.value.uncertain, caught_at_last.value.may_be_repeated) == (True, False)


def test_look_retries_are_not_those_of_writes() -> None:
    """A check repeats its look-ups as often as it was told, whatever EC2_MAX_RETRY says."""
    with scripted(fails("InternalError", 500)) as server, pytest.raises(AwsServerError):
        look(an_ec2(server.url, look_retries=2, max_retry=0))
    assert len(server.asked) == 3


def test_write_trouble_without_end_ends_by_the_deadline_with_its_reason() -> None:
    """As many retries as fit, and then the reason is the trouble itself, not the deadline."""
    clock = ImpatientClock()
    with scripted(fails("RequestLimitExceeded", 503)) as server, pytest.raises(AwsThrottled):
        write(an_ec2(server.url, seconds=60, clock=clock))
    assert len(server.asked) > 5


class _ClockOfWhoOversleeps(ImpatientClock):
    def sleep(self, seconds: float) -> None:
        super().sleep(seconds + 3600)


@pytest.mark.parametrize("call", [look, write], ids=["look", "write"])
def test_trouble_before_the_deadline_passed_in_a_pause_is_the_reason(call: Callable[[Ec2], Any]) -> None:
    """That there was no time left for another attempt would not say why one was needed."""
    with scripted(fails("RequestLimitExceeded", 503)) as server, pytest.raises(AwsThrottled):
        call(an_ec2(server.url, seconds=60, clock=_ClockOfWhoOversleeps()))
    assert len(server.asked) == 1


def test_write_throttled_whose_next_turn_does_not_come_in_time_says_that_ec2_throttles() -> None:
    """The bucket that EC2's throttling emptied has no token before the deadline."""
    with scripted(fails("RequestLimitExceeded", 503)) as server, pytest.raises(AwsThrottled):
        write(an_ec2(server.url, seconds=5, write_burst=1, write_rate=0.01))
    assert len(server.asked) == 1


@pytest.mark.timeout(100)
def test_look_hour_of_trouble_is_retried_to_its_end() -> None:
    """The longest deadline that can be set, spent on refused connections, ends with their reason."""
    with pytest.raises(AwsUnreachable):
        look(an_ec2("http://127.0.0.1:9", seconds=3600))


# -- unusable answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(answers(""), id="empty"),
        pytest.param(answers("<html><body>Please log in</body></html>"), id="html"),
        pytest.param(answers("<!DOCTYPE html><p>not <b>xml"), id="no-xml"),
        pytest.param(answers("<DescribeRouteTablesResponse><requestId>r</requestId><routeTab"), id="cut"),
        pytest.param(answers('{"RouteTables": []}'), id="json"),
        pytest.param(says("DescribeRouteTables", ""), id="without-the-list"),
        pytest.param(
            answers("<DescribeRouteTablesResponse><routeTableSet/></DescribeRouteTablesResponse>"),
            id="without-request-id",
        ),
        pytest.param(says("DescribeRouteTables", "<routeTableSet><item/></routeTableSet>"), id="without-table-id"),
        pytest.param(says("DescribeAddresses", "<addressesSet/>"), id="of-another-operation"),
        pytest.param(
            says(
                "DescribeRouteTables",
                "<routeTableSet><item><routeTableId>rtb-1</routeTableId><routeSet><item>"
                f"<destinationCidrBlock>{CIDR}</destinationCidrBlock></item></routeSet></item></routeTableSet>",
            ),
            id="without-state",
        ),
    ],
)
def test_look_garbled_answer_is_never_an_empty_list(behaviour: Behaviour) -> None:
    """What is not EC2's answer is garbled, not "there are none"."""
    with scripted(behaviour) as server:
        seen = an_ec2(server.url, look_retries=1).route_tables(vpc_id="vpc-1", destination_cidr_block=CIDR)
    assert isinstance(seen.unknown, AwsGarbled)


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(answers("<html>Forbidden by proxy</html>", 403), id="html-403"),
        pytest.param(answers("", 404), id="empty-404"),
        pytest.param(answers("proxy authentication required", 407), id="text-407"),
    ],
)
def test_look_error_page_of_something_between_is_no_answer_of_ec2(behaviour: Behaviour) -> None:
    """A proxy's no is not EC2's no."""
    with scripted(behaviour) as server:
        seen = an_ec2(server.url, look_retries=0).route_tables(vpc_id="vpc-1", destination_cidr_block=CIDR)
    assert isinstance(seen.unknown, AwsUnknown)


def test_addresses_garbled_answer_is_never_none() -> None:
    """The same holds for Elastic IPs."""
    with scripted(says("DescribeAddresses", "")) as server, pytest.raises(AwsGarbled):
        an_ec2(server.url, look_retries=0).addresses()


# -- time --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("behaviour", [pytest.param(silent, id="silent"), pytest.param(drips, id="dripping")])
@pytest.mark.parametrize("call", [look, write], ids=["look", "write"])
def test_call_server_silent_or_dripping_ends_by_the_deadline(
    behaviour: Behaviour, call: Callable[[Ec2], Any]
) -> None:
    """Neither silence nor a body that never ends holds up an action past its deadline."""
    began = time.monotonic()
    with scripted(behaviour) as server, pytest.raises((AwsUnknown, DeadlinePassed)):
        call(an_ec2(server.url, seconds=1.5, connect_timeout=0.2, read_timeout=0.3))
    assert time.monotonic() - began < SLOW


def test_look_answers_too_late_are_given_more_time_the_next_time() -> None:
    """The read time-out grows: once, twice, four times what is set."""
    lines = Lines()
    ec2_settings = {"connect_timeout": 0.1, "read_timeout": 0.2}
    with scripted(silent) as server, pytest.raises(AwsUnreachable, match=r"none within 0\.9 s|Read timeout"):
        look(an_ec2(server.url, seconds=300, sink=lines, look_retries=2, **ec2_settings))
    waits = [text.partition("within ")[2].split()[0] for text in lines.of(messages.RETRYING)]
    assert waits == ["0.3", "0.5"]


def test_write_answers_too_late_are_given_more_time_the_next_time() -> None:
    """For a write, too, that is made again after a look."""
    with scripted(silent) as server:
        ec2 = an_ec2(server.url, seconds=300, connect_timeout=0.1, read_timeout=0.2)
        for told in ("none within 0.3 s", "none within 0.5 s", "none within 0.9 s|Read timeout"):
            with pytest.raises(AwsUnreachable, match=told):
                write(ec2)


def test_look_connection_refused_is_unreachable_and_retried() -> None:
    """A refused connection is silence of the network: retried, and no fault of the configuration."""
    lines = Lines()
    with pytest.raises(AwsUnreachable):
        look(an_ec2("http://127.0.0.1:9", seconds=5, sink=lines))
    assert lines.of(messages.RETRYING)


def test_write_connection_refused_is_unreachable_and_may_be_repeated() -> None:
    """The same for a write, after a look."""
    with pytest.raises(AwsUnreachable) as caught:
        write(an_ec2("http://127.0.0.1:9", seconds=5))
    assert caught.value.may_be_repeated


def test_call_name_cannot_be_resolved_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that knows no answer is silence of the network, too."""
    import socket

    def unresolved(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    with pytest.raises(AwsUnreachable):
        look(an_ec2("http://ec2.test.invalid", look_retries=1))


def test_call_resolver_hangs_ends_by_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that hangs cannot be interrupted, but left behind."""
    import socket
    import threading

    over, began = threading.Event(), time.monotonic()

    def hanging(*_: Any, **__: Any) -> Any:
        over.wait(30)
        raise socket.gaierror(socket.EAI_AGAIN, "it took too long")

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    with pytest.raises((AwsUnreachable, DeadlinePassed)):
        look(an_ec2("http://ec2.test.invalid", seconds=1, connect_timeout=0.2, read_timeout=0.2))
    over.set()
    assert time.monotonic() - began < SLOW


@pytest.mark.parametrize("call", [look, write], ids=["look", "write"])
def test_call_deadline_passed_sends_nothing(call: Callable[[Ec2], Any]) -> None:
    """After the deadline no request leaves."""
    clock = ImpatientClock()
    with scripted(DONE) as server:
        ec2 = an_ec2(server.url, seconds=10, clock=clock)
        clock.skipped += 11
        with pytest.raises(DeadlinePassed):
            call(ec2)
    assert server.asked == []


def test_write_process_stopped_before_sending_sends_nothing() -> None:
    """The deadline is looked at again right before the request leaves: a process that was stopped sends nothing."""
    clock = ImpatientClock()

    def stopped_meanwhile() -> None:
        clock.skipped += 3600

    with scripted(DONE) as server, pytest.raises((DeadlinePassed, AwsUnknown)):
        write(an_ec2(server.url, seconds=60, clock=clock, guard=stopped_meanwhile))
    assert server.asked == []


class _ClockOfAStoppedThread(ImpatientClock):
    """An hour has passed as soon as another thread than the test's reads it: that one was stopped before it sent."""

    def now(self) -> float:
        if threading.current_thread() is not threading.main_thread() and not self.skipped:
            self.skipped = 3600
        return super().now()


def test_write_process_stopped_right_before_it_leaves_sends_nothing() -> None:
    """The last look at the deadline is the one before the request leaves; none earlier would have kept it."""
    with scripted(DONE) as server, pytest.raises((DeadlinePassed, AwsUnknown)):
        write(an_ec2(server.url, seconds=60, clock=_ClockOfAStoppedThread()))
    assert server.asked == []


def test_write_given_up_before_it_leaves_is_not_sent() -> None:
    """Who was held up while it got ready, and was given up for it, does not send when it goes on."""
    held_up: list[threading.Thread] = []
    given_up = threading.Event()

    def guard() -> None:
        if threading.current_thread() is not threading.main_thread():
            held_up.append(threading.current_thread())
            given_up.wait(SLOW)

    with scripted(DONE) as server:
        ec2 = an_ec2(server.url, guard=guard, max_retry=0, connect_timeout=0.5, read_timeout=0.5)
        with pytest.raises(AwsUnknown):
            write(ec2)
        given_up.set()
        held_up[0].join(SLOW)
        assert server.asked == []


# -- the guard ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("looks", [0, 1], ids=["at-the-first-look", "right-before-it-leaves"])
def test_write_guard_raises_sends_nothing(looks: int) -> None:
    """An action that was overtaken sends no write, even if that happens right before it leaves."""
    asked: list[int] = []

    def guard() -> None:
        asked.append(1)
        if len(asked) > looks:
            raise Overtaken(newer="remove")

    with scripted(DONE) as server, pytest.raises(Overtaken):
        write(an_ec2(server.url, guard=guard))
    assert server.asked == []


def test_write_guard_raises_while_the_answer_is_awaited_stops_waiting() -> None:
    """A write without an answer does not keep an overtaken action."""
    overtaken: list[int] = []

    def guard() -> None:
        if overtaken:
            raise Overtaken(newer="remove")

    def heard(handler: Any) -> None:
        overtaken.append(1)
        silent(handler)

    with scripted(heard) as server, pytest.raises(Overtaken):
        write(an_ec2(server.url, guard=guard, read_timeout=20))
    assert len(server.asked) == 1


def test_look_guard_is_not_asked() -> None:
    """Looking is always allowed."""

    def never() -> None:
        raise Overtaken(newer="remove")

    with scripted(ONE_TABLE) as server:
        assert look(an_ec2(server.url, guard=never)) == ("rtb-1",)


def test_write_is_noted_before_it_leaves_and_when_it_has_ended() -> None:
    """What EC2 said before a write, or while it was on its way, is void; a look-up is no write."""
    noted: list[int] = []
    with scripted(ONE_TABLE, DONE) as server:
        ec2 = an_ec2(server.url, note_write=lambda: noted.append(len(server.asked)))
        look(ec2)
        write(ec2)
    assert noted == [1, 2]


# -- credentials -------------------------------------------------------------------------------------------


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Neither keys nor a role."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    return monkeypatch


def test_call_no_credentials_raises_and_sends_nothing(no_credentials: pytest.MonkeyPatch) -> None:
    """Without credentials nothing is sent, and that is said."""
    with scripted(DONE) as server, pytest.raises(CredentialsMissing):
        write(an_ec2(server.url, max_retry=1))
    assert server.asked == []


def test_call_credentials_appear_later_are_found(no_credentials: pytest.MonkeyPatch) -> None:
    """A client that was built without credentials does not stay so."""

    def brought(level: Level, line: str) -> None:
        no_credentials.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        no_credentials.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    with scripted(DONE) as server:
        assert write(an_ec2(server.url, sink=brought)) == 2


def test_write_credentials_that_are_renewed_and_have_expired_are_looked_up_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What says itself how long it is good for is replaced by whoever said so."""
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", "2999-01-01T00:00:00Z")
    with scripted(fails("RequestExpired"), fails("ExpiredToken"), DONE) as server:
        assert write(an_ec2(server.url)) == 3


def test_call_profile_unknown_is_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that does not exist is a fault of the configuration, and not retried."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    lines = Lines()
    with pytest.raises(ConfigurationInvalid, match="nobody"):
        look(an_ec2("http://127.0.0.1:9", sink=lines))
    assert lines == []


def test_call_secret_never_stands_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the error nor the log shows the secret key."""
    lines = Lines()
    with scripted(fails("SignatureDoesNotMatch", 403)) as server, pytest.raises(CredentialsRejected) as caught:
        write(an_ec2(server.url, sink=lines))
    assert "wJalrXUtnFEMI" not in str(caught.value) + "".join(lines)


# -- pace --------------------------------------------------------------------------------------------------


def test_write_bucket_empty_waits_for_a_token() -> None:
    """Writes beyond the burst are paced; look-ups are not."""
    clock = ImpatientClock()
    with scripted(DONE) as server:
        ec2 = an_ec2(server.url, seconds=1000, clock=clock, write_burst=1, write_rate=0.1)
        write(ec2)
        assert clock.skipped == 0
        write(ec2)
    assert clock.skipped > 5


def test_write_bucket_empty_for_longer_than_the_deadline_sends_nothing() -> None:
    """A write that cannot have its turn in time is not sent."""
    with scripted(DONE) as server:
        ec2 = an_ec2(server.url, seconds=5, write_burst=1, write_rate=0.01)
        write(ec2)
        with pytest.raises(DeadlinePassed):
            write(ec2)
    assert len(server.asked) == 1


# -- a real EC2, as far as moto is one -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    """An EC2 of moto's."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_ec2_of_moto_understands_all_calls(moto_url: str) -> None:
    """A route is moved and an address associated and taken off again, as seen by the same eyes."""
    import boto3

    client = boto3.client("ec2", region_name="ap-northeast-1", endpoint_url=moto_url)
    vpc = client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = client.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    one, two = (client.create_network_interface(SubnetId=subnet)["NetworkInterface"] for _ in range(2))
    table = client.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    client.create_route(RouteTableId=table, DestinationCidrBlock=CIDR, NetworkInterfaceId=one["NetworkInterfaceId"])
    allocation = client.allocate_address(Domain="vpc")["AllocationId"]
    ec2 = an_ec2(moto_url, seconds=60)
    target = two["NetworkInterfaceId"]
    ec2.replace_route(route_table_id=table, destination_cidr_block=CIDR, network_interface_id=target)
    (seen,) = ec2.route_tables(vpc_id=vpc, destination_cidr_block=CIDR).tables
    assert seen.routes[0].target == target
    ec2.associate_address(
        allocation_id=allocation,
        network_interface_id=target,
        private_ip_address=two["PrivateIpAddress"],
        allow_reassociation=True,
    )
    held = _held(ec2, allocation)
    assert held.network_interface_id == target
    ec2.disassociate_address(association_id=held.association_id)
    assert _held(ec2, allocation).association_id is None
    ec2.switch_off_source_dest_check(network_interface_id=target, retries=1)
    assert not ec2.network_interface(target).source_dest_check


def _held(ec2: Ec2, allocation_id: str) -> Any:
    return next(each for each in ec2.addresses() if each.allocation_id == allocation_id)


def test_ec2_of_moto_refusal_has_the_code(moto_url: str) -> None:
    """What EC2 does not know is refused at once."""
    with pytest.raises(AwsRefused) as caught:
        write(an_ec2(moto_url, seconds=60))
    assert caught.value.code == "InvalidRouteTableID.NotFound"


def test_credentials_of_an_assumed_role_are_found(
    moto_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """STS, which the SDK's chain may need, is botocore's own as ever."""
    (tmp_path / "config").write_text(
        "[profile cluster]\nrole_arn = arn:aws:iam::123456789012:role/cluster\nsource_profile = keys\n"
        "[profile keys]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = secret\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "cluster")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto_url)
    lines = Lines()
    assert an_ec2(moto_url, sink=lines).addresses() is not None
    assert lines == []


def test_scripted_server_hears_what_is_sent() -> None:
    """The server of these tests answers in the order of its script, the last behaviour again and again."""
    with scripted(ONE_TABLE, tables()) as server:
        assert isinstance(server, ScriptedServer)
        ec2 = an_ec2(server.url)
        assert [look(ec2), look(ec2), look(ec2)] == [("rtb-1",), (), ()]

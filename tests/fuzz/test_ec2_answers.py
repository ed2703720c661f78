"""Any body in place of EC2's: the verdict that its words give where it is whole, and UNKNOWN where it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ec2kit.deadline import Deadline
from ec2kit.ec2.operations import Ec2
from ec2kit.errors import Ec2KitError
from ec2kit.messages.log import Log
from ec2kit.scenarios import elastic_ip, route_table
from ec2kit.settings import Settings
from ec2kit.status import Status

from ..builders import ALLOCATION, CIDR, ELASTIC_IP, ENI_A, ENI_B, IP_A, PUBLIC_IP, ImpatientClock, a_resource
from ..scripted_server import NAMESPACE, Behaviour, ScriptedServer, a_table, answers, scripted, tables
from .hostile import arguments, mutilated, times

VIP, EIP = a_resource(), a_resource(ELASTIC_IP)
SERVER = VIP.server("server-a")

OURS = (
    f"<DescribeRouteTablesResponse {NAMESPACE}><requestId>req-1</requestId><routeTableSet>"
    f"{a_table('rtb-1', (CIDR, ENI_A))}{a_table('rtb-2', ('10.1.0.20/32', ENI_B), (CIDR, ENI_A))}"
    "</routeTableSet></DescribeRouteTablesResponse>"
)
ADDRESS = (
    f"<DescribeAddressesResponse {NAMESPACE}><requestId>req-1</requestId><addressesSet><item>"
    f"<publicIp>{PUBLIC_IP}</publicIp><allocationId>{ALLOCATION}</allocationId><domain>vpc</domain>"
    f"<associationId>eipassoc-1</associationId><networkInterfaceId>{ENI_A}</networkInterfaceId>"
    f"<privateIpAddress>{IP_A}</privateIpAddress></item></addressesSet></DescribeAddressesResponse>"
)
REPLACED = (
    f"<ReplaceRouteResponse {NAMESPACE}><requestId>req-1</requestId><return>true</return></ReplaceRouteResponse>"
)


@dataclass
class Endpoint:
    """One EC2, asked through one client, that says what it is told to say."""

    server: ScriptedServer
    ec2: Ec2
    settings: Settings

    def says(self, *behaviours: Behaviour) -> None:
        self.server.script = list(behaviours)

    def verdict(self) -> Status:
        """Of the virtual IP, as quickCheck forms it; what raises is UNKNOWN there, too."""
        return self._judged(lambda: route_table.judge(route_table.observe(self.ec2, VIP, SERVER, self.settings)))

    def verdict_of_the_address(self) -> Status:
        return self._judged(lambda: elastic_ip.judge(elastic_ip.observe(self.ec2, EIP, SERVER, self.settings)))

    def _judged(self, judge: Callable[[], Any]) -> Status:
        said = ""
        try:
            status: Status = judge().status
        except Ec2KitError as error:
            status, said = Status.UNKNOWN, str(error)
        assert len(said.splitlines()) <= 1
        return status

    def replace_route(self) -> str:
        """The request id, or the name of the error."""
        try:
            names = {"route_table_id": "rtb-1", "destination_cidr_block": CIDR, "network_interface_id": ENI_A}
            return self.ec2.replace_route(**names).request_id
        except Ec2KitError as error:
            return type(error).__name__


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with scripted(tables()) as server, pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        settings = Settings(server="server-a", endpoint_url=server.url, nolinkcheck=True)
        ec2 = Ec2(
            region="ap-northeast-1",
            settings=settings,
            deadline=Deadline(36000, ImpatientClock()),
            log=Log(action="quickCheck", tag="ec2-vip1"),
            user_agent="fuzz",
            guard=lambda: None,
            look_retries=0,
            write_retries=0,
        )
        asked = Endpoint(server, ec2, settings)
        assert asked.verdict() is Status.OUT_OF_SERVICE  # the client is made now, with these keys
        yield asked


# -- answers that are whole ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Target:
    """What a route points at, as EC2 writes it, and the target that counts."""

    xml: str
    counts: str | None
    active: bool = True


targets = st.sampled_from(
    [
        Target(f"<networkInterfaceId>{ENI_A}</networkInterfaceId><state>active</state>", ENI_A),
        Target(f"<networkInterfaceId>{ENI_A}</networkInterfaceId><state>active</state>", ENI_A),
        Target(
            f"<state>active</state><instanceId>i-a</instanceId><networkInterfaceId>{ENI_A}</networkInterfaceId>",
            ENI_A,
        ),
        Target(f"<networkInterfaceId>{ENI_A}</networkInterfaceId><state>blackhole</state>", ENI_A, active=False),
        Target(f"<networkInterfaceId>{ENI_B}</networkInterfaceId><state>active</state>", ENI_B),
        Target("<gatewayId>igw-1</gatewayId><state>active</state><origin>CreateRoute</origin>", "igw-1"),
        Target("<natGatewayId>nat-1</natGatewayId><state>active</state>", "nat-1"),
        Target("<novelGatewayId>new-1</novelGatewayId><state>active</state>", None),
    ]
)
blocks = st.sampled_from([CIDR, CIDR, "10.1.0.10/31", "10.1.0.1/32", "0.0.0.0/0", "10.1.0.100/32"])
Table = dict[str, Target]
route_tables = st.lists(st.dictionaries(blocks, targets, max_size=4), max_size=4)
surroundings = st.sampled_from(
    [
        "",
        "<!-- a comment -->",
        "<novelSet><item><state>blackhole</state></item></novelSet>",
        "<associationSet><item><main>true</main></item></associationSet><propagatingVgwSet/>",
        "\n  \n",
    ]
)
NOT_IPV4 = "<item><destinationIpv6CidrBlock>::/0</destinationIpv6CidrBlock><state>active</state></item>"


def _xml(number: int, table: Table, around: str) -> str:
    routes = "".join(
        f"<item>{around}<destinationCidrBlock>{block}</destinationCidrBlock>{target.xml}</item>"
        for block, target in table.items()
    )
    return f"<item><routeTableId>rtb-{number}</routeTableId><routeSet>{routes}{NOT_IPV4}</routeSet>{around}</item>"


def _expected(found: list[Table]) -> Status:
    ours = [table[CIDR] for table in found if CIDR in table]
    right = [target for target in ours if target.counts == ENI_A and target.active]
    return Status.IN_SERVICE if ours and len(right) == len(ours) else Status.OUT_OF_SERVICE


@times(3)
@given(route_tables, surroundings, st.integers(1, 4))
def test_whole_answers_give_the_verdict_of_what_they_say(
    endpoint: Endpoint, found: list[Table], around: str, size: int
) -> None:
    """In whatever order, on however many pages, and with whatever else beside it that a later EC2 may say."""
    items = [_xml(number, table, around) for number, table in enumerate(found)]
    pages = [items[place : place + size] for place in range(0, len(items), size)] or [[]]
    tokens = [*(f"t{number}" for number in range(1, len(pages))), ""]
    endpoint.says(*(tables(*page, token=token) for page, token in zip(pages, tokens, strict=True)))
    assert endpoint.verdict() is _expected(found)


@times(2)
@given(st.lists(st.lists(targets, max_size=2), min_size=2, max_size=4), st.data())
def test_a_page_that_is_lost_is_unknown_unless_another_shows_evidence(
    endpoint: Endpoint, pages: list[list[Target]], data: st.DataObject
) -> None:
    """What could be on a page that did not come is not concluded from the others."""
    lost = data.draw(st.integers(0, len(pages) - 1))
    bodies = [
        [_xml(10 * number + place, {CIDR: each}, "") for place, each in enumerate(page)]
        for number, page in enumerate(pages)
    ]
    script = [tables(*body, token=f"t{number}") for number, body in enumerate(bodies)]
    script[lost] = answers(
        data.draw(st.sampled_from(["", "<html/>", OURS[:300]])), data.draw(st.sampled_from([200, 500]))
    )
    endpoint.says(*script)
    seen = [{CIDR: each} for page in pages[:lost] for each in page]
    wrong = bool(seen) and _expected(seen) is Status.OUT_OF_SERVICE
    assert endpoint.verdict() is (Status.OUT_OF_SERVICE if wrong else Status.UNKNOWN)


# -- answers that are not --------------------------------------------------------------------------------------

statuses = st.sampled_from([200, 200, 200, 204, 206, 301, 302, 400, 401, 403, 404, 407, 500, 502, 503, 511])
pages_of_others = (
    arguments.map(lambda text: f"<html><body>{escape(text)}</body></html>")
    | arguments
    | st.sampled_from(
        ["{}", "[]", '{"__type": "x"}', "<a>" * 30_000, "<a/>", OURS.replace("requestId", "id"), "\ufeff"]
    )
    | st.sampled_from(["<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<Response/>", "<Errors/>"])
    | st.sampled_from(["<Response><Errors><Error><Code/></Error></Errors><RequestID/></Response>"])
)


@times(2)
@given(pages_of_others, statuses)
def test_a_page_of_something_else_is_unknown(endpoint: Endpoint, text: str, status: int) -> None:
    """A proxy, a login page or another service in EC2's place is no answer, whatever its status."""
    endpoint.says(answers(text.encode(errors="replace").decode(), status))
    assert endpoint.verdict() is Status.UNKNOWN
    assert endpoint.verdict_of_the_address() is Status.UNKNOWN
    assert endpoint.replace_route() != "req-1"


@times(2)
@given(st.integers(0, len(OURS) - 1), st.integers(0, len(ADDRESS) - 1), st.integers(0, len(REPLACED) - 1))
def test_a_body_that_is_cut_is_unknown(endpoint: Endpoint, tables_: int, address: int, replaced: int) -> None:
    """Not one of its beginnings says anything, also where HTTP says that it is whole."""
    endpoint.says(answers(OURS[:tables_]))
    assert endpoint.verdict() is Status.UNKNOWN
    endpoint.says(answers(ADDRESS[:address]))
    assert endpoint.verdict_of_the_address() is Status.UNKNOWN
    endpoint.says(answers(REPLACED[:replaced]))
    assert endpoint.replace_route() == "AwsGarbled"


@times(2)
@given(mutilated(OURS.encode()), mutilated(ADDRESS.encode()), mutilated(REPLACED.encode()), statuses)
def test_a_body_that_is_spoilt_ends_in_order(
    endpoint: Endpoint, tables_: bytes, address: bytes, replaced: bytes, status: int
) -> None:
    """Whatever is lost or exchanged, it ends in one of three answers, or an error of one line."""
    endpoint.says(_raw(tables_, status))
    assert endpoint.verdict() in Status
    endpoint.says(_raw(address, status))
    assert endpoint.verdict_of_the_address() in Status
    endpoint.says(_raw(replaced, status))
    assert endpoint.replace_route()


def _raw(body: bytes, status: int) -> Behaviour:
    def behave(handler: Any) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


@times(1)
@given(
    st.binary(max_size=200)
    | mutilated(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nx")
)
def test_bytes_that_are_no_http_are_unknown(endpoint: Endpoint, head: bytes) -> None:
    """Whatever listens there may not even speak HTTP."""
    endpoint.says(lambda handler: handler.wfile.write(head))
    assert endpoint.verdict() is Status.UNKNOWN

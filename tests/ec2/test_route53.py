"""Route 53 is asked by the same door as EC2: the right reasons, the permit, one turn for all, its own endpoint."""

from __future__ import annotations

import gc
import socket
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.parsers import RestXMLParser

from ec2kit.ec2 import error_codes
from ec2kit.ec2.route53 import CREATE, DELETE, UPSERT, RecordSet, Route53
from ec2kit.errors import AwsRefused, AwsThrottled, AwsUnreachable, Ec2KitError, NotSent, Overtaken, PermissionMissing

from ..one_sandbox import OneSandbox
from .asking import an_ec2

ZONE, NAME, TARGET = "Z0EC2KITPUBLIC", "db.example.com", "A db.example.com"
OURS, OTHERS = RecordSet(10, ("192.0.2.5",)), RecordSet(60, ("192.0.2.6",))

pytestmark = [
    pytest.mark.usefixtures("credentials", "collected"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),  # an action keeps its connection until it ends
]


@pytest.fixture
def collected() -> Iterator[None]:
    """Lets go of the connections that are kept, before another test can be blamed for them."""
    yield
    gc.collect()


@pytest.fixture
def sandbox(one_sandbox: OneSandbox, monkeypatch: pytest.MonkeyPatch) -> OneSandbox:
    one_sandbox.reset(tables=1)
    monkeypatch.setenv("AWS_ENDPOINT_URL_ROUTE_53", one_sandbox.description["nodes"]["node1"]["route53_url"])
    return one_sandbox


def _route53(**more: Any) -> Route53:
    return an_ec2("http://127.0.0.1:9", **more).route53  # EC2 itself is not asked


def _look(route53: Route53, name: str = NAME, zone: str = ZONE) -> RecordSet | None:
    return route53.record_set(hosted_zone_id=zone, name=name, record_type="A")


def _change(route53: Route53, action: str, record: RecordSet, instead_of: RecordSet | None = None) -> int:
    receipt = route53.change_record_set(
        action=action,
        target=TARGET,
        hosted_zone_id=ZONE,
        name=NAME,
        record_type="A",
        record_set=record,
        instead_of=instead_of,
    )
    return receipt.attempts


def test_record_set_is_made_seen_replaced_and_deleted(sandbox: OneSandbox) -> None:
    """A replacement holds only if the record set is as it was seen; all DNS servers have the change, or not yet."""
    route53 = _route53()
    assert _look(route53) is None
    _change(route53, UPSERT, OURS)
    assert _look(route53) == OURS
    rule = sandbox.fault("spreading", service="route53", seconds=86400)
    assert not route53.is_in_sync(TARGET)
    sandbox.clear(rule)
    assert route53.is_in_sync(TARGET)
    with pytest.raises(AwsRefused, match="InvalidChangeBatch"):
        _change(route53, CREATE, OTHERS, instead_of=OTHERS)
    _change(route53, CREATE, OTHERS, instead_of=OURS)
    assert _look(route53) == OTHERS
    _change(route53, DELETE, OTHERS)
    assert _look(route53) is None


def test_record_set_of_another_kind_is_told(sandbox: OneSandbox) -> None:
    """A weight of 0 is a weight, too."""
    route53 = _route53()
    shapes = [
        found.shape for name in ("weighted", "alias", "other") if (found := _look(route53, f"{name}.example.com"))
    ]
    assert shapes == ["weighted", "an alias", ""]


@pytest.mark.parametrize(
    ("effect", "arguments", "kind", "text"),
    [
        pytest.param(
            "throttle", {}, AwsThrottled, "Route 53 throttles ListResourceRecordSets: Throttling", id="rate"
        ),
        pytest.param(
            "error",
            {"status": 400, "code": "PriorRequestNotComplete"},
            AwsThrottled,
            "PriorRequestNotComplete",
            id="prior",
        ),
        pytest.param("deny", {}, PermissionMissing, "permission missing for ListResourceRecordSets", id="denied"),
        pytest.param("lose", {}, AwsUnreachable, r"no answer from Route 53 \(http", id="lost"),
    ],
)
def test_error_of_route_53_has_the_right_reason(
    sandbox: OneSandbox, effect: str, arguments: dict[str, Any], kind: type[Ec2KitError], text: str
) -> None:
    """Each names the service; only what may pass is asked again."""
    sandbox.fault(effect, service="route53", **arguments)
    with pytest.raises(kind, match=text):
        _look(_route53(look_retries=0))


def test_refusal_in_a_document_of_its_own_is_a_no() -> None:
    """Route 53 has two forms of InvalidChangeBatch; botocore finds no code in the older one."""
    model = botocore.session.get_session().get_service_model("route53")
    body = (
        b'<InvalidChangeBatch xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Messages>'
        b"<Message>Tried to create</Message></Messages><RequestId>r-1</RequestId></InvalidChangeBatch>"
    )
    shape = model.operation_model("ChangeResourceRecordSets").output_shape
    answer = RestXMLParser().parse({"status_code": 400, "headers": {}, "body": body}, shape)
    meant = error_codes.meaning(
        answer, operation="ChangeResourceRecordSets", target=TARGET, credentials="env", service="Route 53"
    )
    assert isinstance(meant, AwsRefused)
    assert "InvalidChangeBatch, Tried to create" in str(meant)


def test_zone_that_does_not_exist_is_a_no(sandbox: OneSandbox) -> None:
    """It is an answer, and is not asked for again."""
    with pytest.raises(AwsRefused, match=r"Route 53 refuses ListResourceRecordSets .*NoSuchHostedZone"):
        _look(_route53(), zone="ZNONE")
    assert len(sandbox.calls()) == 1


def test_request_that_was_throttled_is_repeated(sandbox: OneSandbox) -> None:
    """PriorRequestNotComplete changes nothing, so the write is made again."""
    sandbox.fault("error", service="route53", count=2, status=400, code="PriorRequestNotComplete")
    assert _change(_route53(), UPSERT, OURS) == 3
    assert _look(_route53()) == OURS


def test_write_without_a_permit_never_leaves(sandbox: OneSandbox) -> None:
    """The permit is asked for when the connection stands, right before the first byte, as for EC2."""
    asked: list[int] = []

    def permit() -> None:
        asked.append(len(asked))
        if len(asked) > 1:  # the first is asked for before the write waits for its turn
            raise Overtaken(newer="remove")

    with pytest.raises(Overtaken):
        _change(_route53(permit=permit), UPSERT, OURS)
    assert sandbox.calls() == []


@pytest.mark.parametrize(
    ("region", "host"),
    [
        pytest.param("ap-northeast-1", "route53.amazonaws.com", id="aws"),
        pytest.param("cn-north-1", "route53.amazonaws.com.cn", id="aws-cn"),
        pytest.param("us-gov-west-1", "route53.us-gov.amazonaws.com", id="aws-us-gov"),
    ],
)
def test_endpoint_is_that_of_the_partition(region: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One for all regions of a partition, whatever endpoint EC2 has."""

    def unresolved(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    with pytest.raises(NotSent) as caught:
        _look(an_ec2("", region=region, look_retries=0).route53)
    assert caught.value.fields["name"] == host

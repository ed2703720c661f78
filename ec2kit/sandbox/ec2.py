"""A request to an EC2 endpoint becomes a call; rules disturb it, `strict` or moto answers, the journal records it."""

from __future__ import annotations

import re
import time
import urllib.parse
from collections.abc import Mapping
from typing import Any

from botocore.model import OperationNotFoundError
from moto.core.exceptions import ServiceException
from moto.core.request import Request
from moto.core.utils import camelcase_to_underscores, get_service_model
from moto.ec2.responses import EC2Response

from ec2kit.sandbox.call import Call, Journal, Refused, error
from ec2kit.sandbox.document import document
from ec2kit.sandbox.region import Region
from ec2kit.sandbox.rules import Rules
from ec2kit.sandbox.strict import BY_MOTO, CHECKS, OPERATIONS, Desk
from ec2kit.sandbox.wire import Answer, Received

_SIGNATURE = ("X-Amz-", "AWSAccessKeyId", "Signature", "SecurityToken")
_NOT_PARAMETERS = ("Action", "Version")


class Ec2:
    """
    Answer requests at one endpoint.

    Args:
        server: The server that the endpoint belongs to. None: the undisturbed endpoint.
    """

    def __init__(self, *, server: str | None, region: Region, rules: Rules, journal: Journal) -> None:
        self._server = server
        self._region = region
        self._rules = rules
        self._journal = journal

    def __call__(self, received: Received) -> Answer:
        began, era = time.perf_counter(), self._journal.era
        call = read(received, server=self._server)
        answer, effects = self._rules.disturb(call, lambda: self._carry_out(call, era))
        entry = _entry(call, answer, effects, milliseconds=(time.perf_counter() - began) * 1000)
        self._journal.write(entry, era=era)
        return answer

    def _carry_out(self, call: Call, era: int) -> Answer:
        try:
            return _answer(call, self._result(call, era))
        except Refused as refused:
            return error(call, refused.code, refused.message)
        except ServiceException as refused:
            return error(call, refused.code, refused.message)
        except OperationNotFoundError:
            return error(call, "InvalidAction", f"The action {call.operation} is not valid for this web service.")
        except (ValueError, NotImplementedError) as wrong:
            return error(call, "InvalidParameterValue", str(wrong))

    def _result(self, call: Call, era: int) -> Mapping[str, Any] | str:
        region = self._region
        with region.lock:
            if era != self._journal.era:
                raise Refused("Unavailable", "The sandbox has been reset since this request arrived.")
            before = region.picture() if call.writes and region.history.is_kept else None
            result = _AtMoto(call, region).result()
            if before is not None:
                region.history.keep(before)
        call.carried_out = True
        return result


def read(received: Received, *, server: str | None) -> Call:
    """Return a request to EC2 as a call; its parameters stand in the query or in a form."""
    query = urllib.parse.urlsplit(received.path).query
    text = received.body.decode("utf-8", "replace") if received.method == "POST" else query
    given = dict(urllib.parse.parse_qsl(text, keep_blank_values=True))
    return Call("ec2", server, given.get("Action", ""), given, received)


def _entry(call: Call, answer: Answer, effects: list[str], *, milliseconds: float) -> dict[str, Any]:
    return {
        "time": call.began,
        "server": call.server,
        "operation": call.operation,
        "parameters": _told(call.parameters),
        "status": answer.status or None,
        "code": call.code,
        "request_id": call.request_id,
        "milliseconds": round(milliseconds, 3),
        "user_agent": call.received.headers.get("user-agent", ""),
        "dry_run": call.dry_run,
        "carried_out": call.carried_out,
        "effects": effects,
    }


def _told(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters except those of the envelope and those that prove the caller's identity."""
    return {
        name: value
        for name, value in parameters.items()
        if name not in _NOT_PARAMETERS and not name.startswith(_SIGNATURE)
    }


class _AtMoto(EC2Response):  # type: ignore[misc]  # moto is untyped
    """moto reads and writes EC2 requests; this class puts the strict layer between the two."""

    def __init__(self, call: Call, region: Region) -> None:
        super().__init__()
        self._call = call
        self._region = region

    def result(self) -> Mapping[str, Any] | str:
        """Carry the call out; return the answer's members if the strict layer answers, the document if moto does."""
        model = _model(self._call)
        received = self._call.received
        url = f"http://ec2.{self._region.name}.amazonaws.com/"
        self.setup_class(Request.from_primitives("POST", url, _form(received), _body(received)))
        self.region = self._region.name
        required = tuple(model.input_shape.required_members) if model.input_shape else ()
        desk = Desk(self.ec2_backend, self._call, self.params, required)
        for check in CHECKS:
            check(desk)
        strict = OPERATIONS.get(self._call.operation)
        result = strict(desk) if strict else BY_MOTO
        return self._by_moto() if result is BY_MOTO else result

    def _by_moto(self) -> str:
        by_moto = getattr(self, camelcase_to_underscores(self._call.operation), None)
        if by_moto is None:
            raise OperationNotFoundError(self._call.operation)
        _, _, body = self.serialized(by_moto())
        return str(body)


def _model(call: Call) -> Any:
    """
    Return the service model of the operation.

    Raises:
        OperationNotFoundError: EC2 has no such operation.
    """
    return get_service_model("ec2").operation_model(call.operation)


def _answer(call: Call, result: Mapping[str, Any] | str) -> Answer:
    if isinstance(result, str):
        body = _with_request_id(result, call.request_id).encode()
    else:
        body = document(_model(call), result, request_id=call.request_id)
    return Answer(200, body, headers={"x-amzn-RequestId": call.request_id})


def _form(received: Received) -> dict[str, str]:
    passed = {name: received.headers[name] for name in ("authorization", "user-agent") if name in received.headers}
    return {**passed, "content-type": "application/x-www-form-urlencoded"}


def _body(received: Received) -> bytes:
    return received.body if received.method == "POST" else urllib.parse.urlsplit(received.path).query.encode()


def _with_request_id(body: str, request_id: str) -> str:
    """Put the request id into moto's document, whose request ids are all the same."""
    return re.sub(r"(?<=<requestId>)[^<]*(?=</requestId>)", request_id, body, count=1)

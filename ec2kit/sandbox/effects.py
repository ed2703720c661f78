"""
How a call can be disturbed: one small function for each effect, and the table of them at the end.

An effect is called with its rule, the call, and a function that carries the call out; it returns what is answered.
"""

from __future__ import annotations

import socket
from dataclasses import replace

from ec2kit.sandbox.call import Call, error
from ec2kit.sandbox.rules import Effect, Proceed, Rule
from ec2kit.sandbox.wire import Answer, nothing, reset

_NO_ANSWER = Answer(0, b"", deliver=nothing)


def refuse(rule: Rule, call: Call, proceed: Proceed) -> Answer:
    """The endpoint is shut; a request that came in just before is dropped."""
    return replace(_NO_ANSWER, deliver=reset)


def silent(rule: Rule, call: Call, proceed: Proceed) -> Answer:
    """Say nothing until the rule goes (then the answer comes after all) or the client leaves."""
    while not call.received.client_left():
        if rule.gone.wait(0.05):
            break
    return _NO_ANSWER if call.received.client_left() else proceed()


def delay(rule: Rule, call: Call, proceed: Proceed) -> Answer:
    """Carry the call out `seconds` later."""
    rule.gone.wait(rule.arguments["seconds"])
    return proceed()


def drip(rule: Rule, call: Call, proceed: Proceed) -> Answer:
    """Answer rightly, but one byte of the body every `seconds`; the rest at once when the rule goes."""

    def deliver(connection: socket.socket, head: bytes, body: bytes) -> bool:
        connection.sendall(head)
        for sent in range(len(body)):
            if rule.gone.wait(rule.arguments["seconds"]):
                connection.sendall(body[sent:])
                return True
            connection.sendall(body[sent : sent + 1])
        return True

    return replace(proceed(), deliver=deliver)


def throttle(rule: Rule, call: Call, proceed: Proceed) -> Answer:
    """Refuse as EC2 does when the account's token bucket is empty."""
    return error(call, "RequestLimitExceeded", "Request limit exceeded.")


def fail(rule: Rule, call: Call, proceed: Proceed) -> Answer:
    """Answer with the HTTP `status`, the `code` and the `message` that the rule says."""
    told = rule.arguments
    return error(call, told["code"], told["message"], status=told["status"])


def deny(rule: Rule, call: Call, proceed: Proceed) -> Answer:
    """Refuse as EC2 does where the IAM policy does not allow the operation; goes before DryRun."""
    return error(call, "UnauthorizedOperation", "You are not authorized to perform this operation.")


def lose(rule: Rule, call: Call, proceed: Proceed) -> Answer:
    """Carry the call out and close the connection without an answer."""
    proceed()
    return _NO_ANSWER


def garble(rule: Rule, call: Call, proceed: Proceed) -> Answer:
    """Carry the call out and answer 200 with half of a document and rubbish after it."""
    answer = proceed()
    return replace(answer, status=200, body=answer.body[: len(answer.body) // 2] + b"\x00\xff<garbled")


def cut(rule: Rule, call: Call, proceed: Proceed) -> Answer:
    """Reset the connection; the call is not carried out."""
    return replace(_NO_ANSWER, deliver=reset)


def stale(rule: Rule, call: Call, proceed: Proceed) -> Answer:
    """
    Describe route tables and addresses as they were when the rule was set.

    Source: EC2 developer guide, "Eventual consistency in the Amazon EC2 API".
    """
    call.view = call.view or rule.view
    return proceed()


def no_role(rule: Rule, call: Call, proceed: Proceed) -> Answer:
    """The instance has no role: the metadata service knows nothing below iam/."""
    if "/meta-data/iam" in call.operation:
        return Answer(404, b"", content_type="text/plain")
    return proceed()


_BOTH = ("ec2", "imds")

EFFECTS: dict[str, Effect] = {
    "refuse": Effect(refuse, services=_BOTH, whole_endpoint=True),
    "silent": Effect(silent, services=_BOTH),
    "delay": Effect(delay, {"seconds": 1.0}, services=_BOTH),
    "drip": Effect(drip, {"seconds": 1.0}, services=_BOTH),
    "reset": Effect(cut, services=_BOTH),
    "lose": Effect(lose, services=_BOTH),
    "garble": Effect(garble, services=_BOTH),
    "throttle": Effect(throttle),
    "error": Effect(fail, {"status": 500, "code": "InternalError", "message": "An internal error has occurred"}),
    "deny": Effect(deny),
    "stale": Effect(stale),
    "no-role": Effect(no_role, services=("imds",)),
}

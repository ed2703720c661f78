"""The least policy for resources is made here: for the role of the servers, and for each role that they assume."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ec2kit.engine.action import Action
from ec2kit.scenarios.scenario import Grant
from ec2kit.scenarios.table import making_of

SERVERS = ""
"""Stands for the role of the servers in the place of an ARN."""

_VERSION = "2012-10-17"
"""Source: IAM user guide, "IAM JSON policy elements: Version"."""

_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "eusc-": "aws-eusc",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
}
"""Beginning of a region → its partition; all others are in "aws". Source: botocore, partitions."""

_OF_CHECKS = (
    Grant("LookAtInterfaces", ("ec2:DescribeNetworkInterfaces",), is_optional=True),
    Grant("LookAtInstances", ("ec2:DescribeInstances",), is_optional=True),
)
"""What the checks of every kind look at."""


def policies(action: Action, tags: Sequence[str], *, account: str, optional: bool) -> dict[str, dict[str, Any]]:
    """
    Return the least policy for resources of this server, for each role that needs one; looks once at each.

    Args:
        account: The account of the servers, "111122223333".
        optional: True: with what only more checks and repairs need.

    Returns:
        ARN of a role, or SERVERS → the policy, JSON types only.

    Raises:
        Ec2KitError: A resource is not defined here, or AWS does not tell which objects it has now.
    """
    statements: dict[str, dict[str, dict[str, Any]]] = {SERVERS: {}}
    for each in map(action.called, tags):
        for grant in (*_granted(each), *_OF_CHECKS):
            if optional or not grant.is_optional:
                role = grant.role.role_arn if grant.role is not None else SERVERS
                owner = grant.role.account_id if grant.role is not None else account
                arns = [_arn(grant, name, each.resource.region, owner) for name in grant.objects]
                _merge(statements.setdefault(role, {}), grant, arns)
    return {
        role: {"Version": _VERSION, "Statement": _numbered(its.values())}
        for role, its in statements.items()
        if its or role == SERVERS
    }


def _granted(action: Action) -> tuple[Grant, ...]:
    resource, scenario = action.resource, action.scenario
    observed = scenario.observe(action.ec2(), resource, action.server, action.settings)
    if observed.unknown is not None:
        raise observed.unknown
    return making_of(resource).grants(resource, observed)


def _arn(grant: Grant, name: str, region: str, account: str) -> str:
    """Return an ARN; what is one already is one. Route 53 has neither region nor account in its own."""
    if name.startswith("arn:"):
        return name
    service = grant.actions[0].partition(":")[0]
    place = f"{region}:{account}" if service == "ec2" else ":"
    return f"arn:{partition(region)}:{service}:{place}:{name}"


def partition(region: str) -> str:
    """Return the partition of a region, "aws-cn"."""
    return next((name for begin, name in _PARTITIONS.items() if region.startswith(begin)), "aws")


def _merge(statements: dict[str, dict[str, Any]], grant: Grant, arns: Iterable[str]) -> None:
    """Add a grant; one statement has all objects of the same actions under the same condition."""
    condition = {operator: _as_json(its) for operator, its in grant.condition.items()}
    found = statements.setdefault(
        f"{grant.sid} {condition}",
        {"Sid": grant.sid, "Effect": "Allow", "Action": list(grant.actions), "Resource": "*"},
    )
    if grant.objects:
        found["Resource"] = sorted({*arns, *(found["Resource"] if found["Resource"] != "*" else ())})
    if condition:
        found["Condition"] = condition


def _numbered(statements: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the statements with names of their own, since IAM wants each Sid once."""
    seen: Counter[str] = Counter()
    found = []
    for each in statements:
        seen[each["Sid"]] += 1
        number = seen[each["Sid"]]
        found.append({**each, "Sid": each["Sid"] + (str(number) if number > 1 else "")})
    return found


def _as_json(its: Mapping[str, str | tuple[str, ...]]) -> dict[str, str | list[str]]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in its.items()}

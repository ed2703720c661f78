"""The frame lists the checks in their order, runs all of them, and reports their findings together."""

from __future__ import annotations

from ec2kit.checks import address, cluster, lifekeeper, network, server, way
from ec2kit.checks.preflight import Preflight
from ec2kit.engine.remembered import remember
from ec2kit.errors import AwsRefused, BadRequest, DryRunUnknown, PermissionMissing, Unknown
from ec2kit.finding import Finding, Outcome
from ec2kit.messages import catalogue
from ec2kit.messages.log import Log
from ec2kit.scenarios.scenario import Check

_WAY_TO_EC2: tuple[tuple[str, Check], ...] = (
    ("instance metadata", server.metadata),
    ("ec2 endpoint", server.endpoint),
    ("ways to ec2", way.ways),
    ("permissions", server.permissions),
    ("network interface", server.interface),
)
"""The checks on which all others rest; a standby server makes them, too."""

_OWN_NETWORK: tuple[tuple[str, Check], ...] = (
    ("reply path", network.reply_way),
    ("address keeper", network.keeper),
    ("address on a standby", network.standby),
)
"""The checks of what only this server knows; a standby server makes them, too, because there a loss is not felt."""

_BESIDE_OTHERS: tuple[tuple[str, Check], ...] = (
    ("address free", address.free),
    ("region and vpc", cluster.agreement),
    ("availability zones", cluster.zones),
    ("versions", cluster.versions),
    ("framework", lifekeeper.framework),
    ("ip resource", lifekeeper.ip_resource),
    ("broadcast ping", lifekeeper.broadcast_ping),
    ("recovery time", lifekeeper.reserved),
    ("lifekeeper versions", lifekeeper.versions),
    ("time-outs", server.timeouts),
    ("ec2 automatic recovery", server.automatic_recovery),
)


_AT_ANY_TIME: tuple[tuple[str, Check], ...] = (
    ("availability zones", cluster.zones),
    ("framework", lifekeeper.framework),
    ("broadcast ping", lifekeeper.broadcast_ping),
    ("recovery time", lifekeeper.reserved),
    ("time-outs", server.timeouts),
    ("ec2 automatic recovery", server.automatic_recovery),
)
"""Those of the checks beside others that tell something also after the resource was made."""


def readiness(preflight: Preflight) -> list[Finding]:
    """
    Return what a standby server finds about its own ability to take the address.

    The server remembers the objects that it has seen, so that a restore may begin with them. A standby is asked again
    and again, so it leaves out what can never be looked at.
    """
    findings = _found(preflight, *_WAY_TO_EC2, *_OWN_NETWORK, *preflight.making.CHECKS)
    if preflight.has_seen:
        remember(preflight.action, preflight.seen)
    return [each for each in findings if each.found != server.UNTESTABLE]


def examine(preflight: Preflight) -> list[Finding]:
    """Return what a server finds about all that a resource needs of it, whether it is in service there or not."""
    making = preflight.making
    return _found(preflight, *_WAY_TO_EC2, *_OWN_NETWORK, *making.CHECKS, *making.ON_DEMAND, *_AT_ANY_TIME)


def run(preflight: Preflight) -> list[Finding]:
    """
    Run all checks and log their findings.

    Raises:
        BadRequest: At least one check failed; the error names those that did.
    """
    findings = _found(preflight, *_WAY_TO_EC2, *_OWN_NETWORK, *preflight.making.CHECKS, *_BESIDE_OTHERS)
    report(findings, preflight.action.log)
    return findings


def report(findings: list[Finding], log: Log) -> None:
    """
    Log the findings.

    Raises:
        BadRequest: At least one check failed; the error names those that did.
    """
    for each in findings:
        message, fields = each.notice
        log.put(message, **fields)
    failed = [each.check for each in findings if each.outcome is Outcome.FAILED]
    if failed:
        raise BadRequest(catalogue.CHECKS_FAILED, count=len(failed), checks=", ".join(failed))


def _found(preflight: Preflight, *checks: tuple[str, Check]) -> list[Finding]:
    return [finding for name, check in checks for finding in _carefully(name, check, preflight)]


def _carefully(name: str, check: Check, preflight: Preflight) -> list[Finding]:
    """Run one check; a check that could not look has this as its finding, and stops no other check."""
    try:
        return list(check(preflight))
    except PermissionMissing as error:
        return [Finding(name, Outcome.UNSEEN, str(error), "grant the permission, or check by hand")]
    except DryRunUnknown as error:
        return [Finding(name, Outcome.FAILED, str(error), "use an endpoint that heeds DryRun, as EC2 does")]
    except (Unknown, AwsRefused) as error:
        return [Finding(name, Outcome.UNSEEN, str(error), "check by hand")]

"""These checks look at this server: its way to EC2, its network interface, its tunables."""

from __future__ import annotations

from ec2kit.checks.preflight import Preflight
from ec2kit.ec2.operations import Ec2
from ec2kit.errors import AwsRefused, DryRunUnknown, Ec2KitError, NotSent, Unknown
from ec2kit.finding import Finding, Findings, Outcome
from ec2kit.scenarios.scenario import Permission

UNTESTABLE = "it cannot be tested without a real change"
"""What is found about a permission for which EC2 has no DryRun."""


def metadata(it: Preflight) -> Findings:
    """Report which instance this server is."""
    here = it.identity
    yield Finding("instance metadata", Outcome.OK, f"{here.instance_id} in {here.availability_zone}, by IMDSv2")


def endpoint(it: Preflight) -> Findings:
    """
    Tell whether EC2 answers, accepts the credentials, and knows DryRun.

    The question is about a look, and comes before all questions about changes.

    Raises:
        DryRunUnknown: The endpoint ignores DryRun; looking goes on, asking for permissions does not.
    """
    try:
        it.ec2.is_allowed(it.making.LOOK)
        yield Finding("ec2 endpoint", Outcome.OK, "it answers, and accepts the credentials")
    except DryRunUnknown:
        raise
    except Ec2KitError as error:
        it.unreachable = error
        advice = "the address can only be moved from a server that reaches EC2"
        yield Finding("ec2 endpoint", Outcome.FAILED, str(error), advice)


def permissions(it: Preflight) -> Findings:
    """Tell whether the role has each permission that the scenario needs."""
    for each in it.scenario.permissions(it.seen):
        yield permission(it.ec2, each)


def permission(ec2: Ec2, wanted: Permission) -> Finding:
    """
    Tell whether the role has a permission; DryRun answers that, if the operation has it.

    Raises:
        DryRunUnknown: The endpoint ignores DryRun; what was asked has changed nothing.
    """
    name, ec2 = f"permission {wanted.name}", ec2.under(wanted.role)
    holder = f"role {wanted.role.role_arn}" if wanted.role is not None else "the role"
    if wanted.parameters is None:
        advice = "make sure by hand that the role has it"
        return Finding(name, Outcome.UNSEEN, UNTESTABLE, advice)
    proof = wanted.proof
    try:
        if proof is not None and proof.parameters != wanted.parameters:
            ec2.is_allowed(proof.operation, **(proof.parameters or {}))
        if ec2.is_allowed(wanted.operation, **wanted.parameters):
            return Finding(name, Outcome.OK, "granted" if wanted.role is None else f"granted to {holder}")
        return Finding(name, Outcome.FAILED, "missing", f"add it to {holder}, as in etc/iam-policy.json")
    except NotSent as error:
        outcome = Outcome.FAILED if wanted.role is not None and error.trouble else Outcome.UNSEEN
        return Finding(name, outcome, str(error), f"let {holder} be assumed by this server")
    except (Unknown, AwsRefused) as error:
        return Finding(name, Outcome.UNSEEN, str(error), "make sure by hand that it is granted")


def interface(it: Preflight) -> Findings:
    """Tell whether the device's ENI is attached to this instance, and has what the scenario needs."""
    eni = it.ec2.network_interface(it.server.network_interface_id)
    found = f"{it.server.device} is {eni.network_interface_id} of {eni.instance_id or 'no instance'}"
    if eni.instance_id == it.identity.instance_id:
        yield Finding("network interface", Outcome.OK, found)
    else:
        yield Finding("network interface", Outcome.FAILED, found, f"attach it to {it.identity.instance_id}")
    yield from it.making.interface_findings(it, eni)


def timeouts(it: Preflight) -> Findings:
    """Tell whether the time-outs fit into one another."""
    chosen = it.settings
    request = chosen.connect_timeout + chosen.read_timeout
    rules = (
        (request < chosen.quickcheck_timeout, "EC2_QUICKCHECK_TIMEOUT leaves no time for one request"),
        (chosen.confirm_interval + request < chosen.quickcheck_timeout, "EC2_CONFIRM_INTERVAL leaves no time"),
        (chosen.verify_timeout < chosen.restore_timeout, "EC2_VERIFY_TIMEOUT is not below EC2_RESTORE_TIMEOUT"),
        (request < chosen.restore_timeout, "EC2_RESTORE_TIMEOUT leaves no time for one request"),
        (
            not chosen.lkcheckinterval or chosen.quickcheck_timeout < chosen.lkcheckinterval,
            "EC2_QUICKCHECK_TIMEOUT is not below LKCHECKINTERVAL",
        ),
    )
    broken = [text for holds, text in rules if not holds]
    if broken:
        yield Finding("time-outs", Outcome.WARN, "; ".join(broken), "see the tunables in docs/reference.md")
    else:
        yield Finding("time-outs", Outcome.OK, "they fit into one another")


def automatic_recovery(it: Preflight) -> Findings:
    """Report whether EC2 recovers the instance when its host fails."""
    setting = it.ec2.automatic_recovery(it.identity.instance_id)
    if setting == "disabled":
        yield Finding("ec2 automatic recovery", Outcome.OK, "off")
    else:
        advice = "consider switching it off: the cluster recovers the service, EC2 would interfere"
        yield Finding("ec2 automatic recovery", Outcome.NOTE, f"set to {setting}", advice)

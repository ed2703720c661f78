"""
The migration takes stored access keys out of old resources: the vendor's kits up to 9.2.1 kept keys in the info.

A key never leaves this process: the old info is read from a command's output, and only the new info is an argument.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ec2kit.checks import frame
from ec2kit.checks.server import permission
from ec2kit.engine.action import Action
from ec2kit.errors import BadRequest, LifeKeeperFailed
from ec2kit.finding import Finding, Outcome
from ec2kit.frameworks.lifekeeper.commands import ROUTE53_TYPE, TYPE, Instance, LifeKeeper
from ec2kit.host.instance import identity
from ec2kit.messages import catalogue
from ec2kit.scenarios import table
from ec2kit.scenarios.scenario import Permission

# -- keys in an info ---------------------------------------------------------------------------------------------

_KEY = r"A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])"
"""
The id of an access key, of a user (AKIA) or of a session (ASIA).

A key of another form is not taken out: then only its secret is found, and nothing is changed.

Source: IAM user guide, "IAM identifiers", unique ID prefixes.
"""

_SECRET = r"[A-Za-z0-9/+=]{40}(?![A-Za-z0-9/+=])"  # noqa: S105  # a pattern

_KEY_NAME, _SECRET_NAME = r"""[\w-]+=["']?""", r"""(?i:[\w-]*secret[\w-]*)=["']?"""

_EMPTIED = (
    rf"(?<![^\x01]){_KEY}(\x01){_SECRET}(?![^\x01])",
    rf"(?<![^\x01]){_SECRET}(\x01){_KEY}(?![^\x01])",
)
_REMOVED = (
    rf" {_KEY} {_SECRET}(?![^ ])|^{_KEY} {_SECRET}(?: |$)",
    rf" {_SECRET} {_KEY}(?![^ ])|^{_SECRET} {_KEY}(?: |$)",
)
_NAMED = (
    rf"({_KEY_NAME}){_KEY}(.+?)({_SECRET_NAME}){_SECRET}",
    rf"({_SECRET_NAME}){_SECRET}(.+?)({_KEY_NAME}){_KEY}",
)
"""The forms in which key and secret are stored, in either order; the groups in parentheses are kept."""

_TRACE = re.compile(
    r"""
      A[KS]IA[A-Z0-9]{16}                                             # an id, wherever it stands
    | (?i: [\w-]* (?: secret | access[_-]?key ) [\w-]* ) = ["']? [^\s\x01,;:&|"']   # something under the name of one
    | (?<![^\x01 ]) (?=[^\x01 ]*[a-z]) (?=[^\x01 ]*[A-Z]) [A-Za-z0-9/+]{40} (?![^\x01 ])   # a field like a secret
    """,
    re.VERBOSE,
)
"""Any text that may belong to a stored key; much wider than the forms, so that no key is overlooked."""


def without_keys(info: str) -> str:
    r"""
    Return the info without access key and secret; without a trace of either, return the same info.

    All other text stays byte for byte, and in its place. Fields between \x01 are read by their place: key and secret
    are emptied. Fields between blanks are read as words, and no word is empty: key and secret are removed, each with
    one blank. NAME=VALUE is read by its name: the values are emptied, so that no separator has to be guessed, and an
    empty value is no key.

    Raises:
        ValueError: The change would not be safe; the text gives the reason, and quotes nothing of the info.
    """
    if not _TRACE.search(info):
        return info
    if not info.isascii():
        raise ValueError("the info is not ASCII, and could not be written back byte for byte")
    by_place = _EMPTIED if "\x01" in info else _REMOVED
    tried = [re.subn(form, lambda kept: "".join(kept.groups()), info) for form in (*by_place, *_NAMED)]
    done = [(text, count) for text, count in tried if count]
    if not done:
        raise ValueError("an access key and its secret are not both there in a form that is known")
    if len(done) > 1 or done[0][1] > 1 or _TRACE.search(done[0][0]):
        raise ValueError("there is more than one access key or secret")
    return done[0][0]


# -- the resources that have one -----------------------------------------------------------------------------------

_TYPES = (TYPE, ROUTE53_TYPE)


@dataclass(frozen=True)
class _Old:
    """A resource with a stored key, before and after the migration."""

    now: Instance
    then: Instance


def migrate(action: Action) -> list[str]:
    """
    Take the stored keys out of the EC2 and Route 53 resources of this server; may be repeated.

    Returns:
        The tags of the changed resources.

    Raises:
        BadRequest, Unknown: Nothing was changed, or at least one resource could not be changed, which is logged.
    """
    lifekeeper = LifeKeeper.of(action)
    if lifekeeper is None:
        raise BadRequest(catalogue.NOT_UNDER_LIFEKEEPER, server=action.settings.server, lkroot=action.settings.lkroot)
    instances = [each for each in lifekeeper.instances() if each.type in _TYPES]
    old, left = _sort(action, instances)
    if old:
        _must_be_out_of_service(lifekeeper, old)
        _check_role(action, {each.now.type for each in old})
    elif not left:
        action.log.put(catalogue.NO_STORED_KEYS)
    done = [each.now.tag for each in old if _rewrite(action, lifekeeper, each)]
    left += [each.now.tag for each in old if each.now.tag not in done]
    if left:
        raise BadRequest(
            catalogue.MIGRATION_INCOMPLETE, count=len(left), all=len(left) + len(done), tags=", ".join(left)
        )
    return done


def _sort(action: Action, instances: list[Instance]) -> tuple[list[_Old], list[str]]:
    """
    Sort the resources with a stored key.

    Returns:
        Those whose key can be taken out, and the tags of those whose key cannot.
    """
    old: list[_Old] = []
    left: list[str] = []
    for each in instances:
        try:
            then = replace(each, info=without_keys(each.info))
        except ValueError as error:
            _leave(action, each, str(error))
            left.append(each.tag)
        else:
            old += [_Old(each, then)] if then != each else []
    return old, left


def _leave(action: Action, instance: Instance, reason: str) -> None:
    action.log.put(catalogue.KEYS_LEFT, tag=instance.tag, type=instance.type, reason=reason)


def _rewrite(action: Action, lifekeeper: LifeKeeper, old: _Old) -> bool:
    """Rewrite one info unless the resource was changed meanwhile; log a failure, and return False."""
    tag = old.now.tag
    try:
        if lifekeeper.instance(tag) != old.now:
            _leave(action, old.now, "the resource was changed meanwhile")
            return False
        lifekeeper.set_info(tag, old.then.info)
        if lifekeeper.instance(tag) != old.then:
            _leave(action, old.now, "LifeKeeper has another info than the one that it was given")
            return False
        lifekeeper.synchronize()
    except LifeKeeperFailed as error:
        _leave(action, old.now, str(error))
        return False
    action.log.put(catalogue.KEYS_TAKEN_OUT, tag=tag, type=old.now.type)
    return True


# -- conditions before the first change ----------------------------------------------------------------------------


def _must_be_out_of_service(lifekeeper: LifeKeeper, old: list[_Old]) -> None:
    reasons = [reason for each in old for reason in _running(lifekeeper, each.now)]
    if reasons:
        raise BadRequest(catalogue.STILL_RUNNING, reasons="; ".join(reasons))


def _running(lifekeeper: LifeKeeper, here: Instance) -> Iterator[str]:
    """Yield for each server the reason why the resource is not certainly out of service there."""
    yield from _state(here)
    for system, tag in lifekeeper.equivalents(here.tag).items():
        try:
            there = lifekeeper.instance(tag, system=system)
        except LifeKeeperFailed as error:
            yield f"whether {tag} is in service on {system} cannot be said ({error})"
        else:
            yield from _state(there) if there is not None else ()


def _state(instance: Instance) -> Iterator[str]:
    if instance.is_in_service:
        yield f"{instance.tag} is in service on {instance.system}"
    elif not instance.is_out_of_service:
        yield f"{instance.tag} on {instance.system} is neither in nor out of service, but {instance.state}"


_BY_ROLE = "iam-role"


def _check_role(action: Action, types: set[str]) -> None:
    """
    Check that the resources will work by the role, without stored keys.

    Raises:
        BadRequest: The resources would not work.
        Unknown: EC2 or IMDS does not answer, or the credentials of the role are not accepted.
        DryRunUnknown: The endpoint ignores DryRun, so no permission can be checked.
    """
    ec2 = action.ec2(region=identity(action.settings, action.deadline).region)
    method = ec2.credentials_method()
    if method != _BY_ROLE:
        raise BadRequest(catalogue.NOT_BY_ROLE, method=method)
    findings: list[Finding] = []
    if TYPE in types:
        ec2.is_allowed("DescribeAddresses")  # raises unless EC2 answers and accepts the credentials
        findings += [permission(ec2, each) for each in _permissions()]
    if ROUTE53_TYPE in types:
        findings.append(_ROUTE53)
    frame.report(findings, action.log)


_ROUTE53 = Finding(
    "permissions of route 53",
    Outcome.UNSEEN,
    "Route 53 cannot be tested without a real change",
    "make sure by hand that the role has route53:ListResourceRecordSets, ChangeResourceRecordSets and GetChange",
)


def _permissions() -> tuple[Permission, ...]:
    """
    Return the permissions that old resources may need.

    They name objects that do not exist, because only the old kit can read which objects a resource has.
    """
    kinds = [table.scenario(name) for name in table.names()]
    return tuple(each for kind in kinds if kind.making().IN_VENDORS_KIT for each in kind.permissions(None))

"""
Takes stored access keys out of old resources: the vendor's kits up to 9.2.1 kept them in a resource's info.

A key never leaves this process: an info is read from a command's output, and only the new one is ever an argument.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ec2kit import checks, elastic_ip, messages, node, route_table
from ec2kit.action import Action
from ec2kit.checks import Finding, Outcome
from ec2kit.errors import LifeKeeperFailed, MigrationIncomplete, NotByRole, NotUnderLifeKeeper, StillRunning
from ec2kit.lifekeeper import ROUTE53_TYPE, TYPE, Instance, LifeKeeper
from ec2kit.resource import ELASTIC_IP, Resource, Server
from ec2kit.scenario import Permission

# -- what an info holds ------------------------------------------------------------------------------------------

_KEY = r"A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])"
"""
The id of an access key, of a user (AKIA) or of a session (ASIA).

A key of another form is not taken out: its secret is found alone, and then nothing is changed.

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
"""Each form in which both are stored, in either order; what stands in parentheses is kept."""

_TRACE = re.compile(
    r"""
      A[KS]IA[A-Z0-9]{16}                                             # an id, wherever it stands
    | (?i: [\w-]* (?: secret | access[_-]?key ) [\w-]* ) = ["']? [^\s\x01,;:&|"']   # something under the name of one
    | (?<![^\x01 ]) (?=[^\x01 ]*[a-z]) (?=[^\x01 ]*[A-Z]) [A-Za-z0-9/+]{40} (?![^\x01 ])   # a field like a secret
    """,
    re.VERBOSE,
)
"""Anything that might belong to a stored key: much wider than the forms, so that nothing is overlooked."""


def without_keys(info: str) -> str:
    r"""
    The info without the access key and the secret in it; the same info where there is no trace of either.

    Everything else stays byte for byte, and where its reader looks for it. Fields between \x01 are read by their
    place: the two are emptied. Fields between blanks are read as words, and there is no empty word: the two go, each
    with one blank. NAME=VALUE is read by its name: the values are emptied, so that no separator has to be guessed,
    and an empty value is no key.

    Raises:
        ValueError: It cannot be done safely; the text says why, and quotes nothing of the info.
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
    """A resource with a stored key, as it is now and as it shall be."""

    now: Instance
    then: Instance


def migrate(action: Action) -> list[str]:
    """
    Take the stored keys out of the EC2 and Route 53 resources of this server; may be repeated.

    Returns:
        The tags of those that were changed.

    Raises:
        NotUnderLifeKeeper, StillRunning, NotByRole, ChecksFailed, Unknown: Nothing was changed.
        MigrationIncomplete: At least one was left as it was, and logged.
    """
    lifekeeper = action.lifekeeper
    if lifekeeper is None:
        raise NotUnderLifeKeeper(server=action.settings.server, lkroot=action.settings.lkroot)
    instances = [each for each in lifekeeper.instances() if each.type in _TYPES]
    old, left = _sort(action, instances)
    if old:
        _must_be_out_of_service(lifekeeper, old)
        _check_role(action, {each.now.type for each in old})
    elif not left:
        action.log.put(messages.NO_STORED_KEYS)
    done = [each.now.tag for each in old if _rewrite(action, lifekeeper, each)]
    left += [each.now.tag for each in old if each.now.tag not in done]
    if left:
        raise MigrationIncomplete(count=len(left), all=len(left) + len(done), tags=", ".join(left))
    return done


def _sort(action: Action, instances: list[Instance]) -> tuple[list[_Old], list[str]]:
    """Those whose key can be taken out, and the tags of those whose key cannot; the others have none."""
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
    action.log.put(messages.KEYS_LEFT, tag=instance.tag, type=instance.type, reason=reason)


def _rewrite(action: Action, lifekeeper: LifeKeeper, old: _Old) -> bool:
    """Whether one info could be rewritten; if not, that is logged, and one that was changed meanwhile stays so."""
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
    action.log.put(messages.KEYS_TAKEN_OUT, tag=tag, type=old.now.type)
    return True


# -- what must be the case before anything is changed --------------------------------------------------------------


def _must_be_out_of_service(lifekeeper: LifeKeeper, old: list[_Old]) -> None:
    reasons = [reason for each in old for reason in _running(lifekeeper, each.now)]
    if reasons:
        raise StillRunning(reasons="; ".join(reasons))


def _running(lifekeeper: LifeKeeper, here: Instance) -> Iterator[str]:
    """Why a resource is not certainly out of service, server by server."""
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
    Raises:
        NotByRole, ChecksFailed: The resources would not work without stored keys.
        Unknown: EC2 or IMDS does not answer, or the credentials of the role are not accepted.
    """
    ec2 = action.ec2(region=node.identity(action.settings, action.deadline).region)
    method = ec2.credentials_method()
    if method != _BY_ROLE:
        raise NotByRole(method=method)
    findings: list[Finding] = []
    if TYPE in types:
        ec2.is_allowed("DescribeAddresses")  # raises unless EC2 answers and accepts the credentials
        findings += [checks.permission(ec2, each) for each in _permissions()]
    if ROUTE53_TYPE in types:
        findings.append(_ROUTE53)
    checks.report(findings, action.log)


_ROUTE53 = Finding(
    "permissions of route 53",
    Outcome.UNSEEN,
    "Route 53 cannot be asked without changing something",
    "make sure by hand that the role has route53:ListResourceRecordSets, ChangeResourceRecordSets and GetChange",
)


def _permissions() -> tuple[Permission, ...]:
    """What both scenarios need, for objects that do not exist: which ones are meant, only the old kit can read."""
    server = Server("", 1, "", "eni-00000000000000000", "192.0.2.1", "")
    nothing = Resource("", ELASTIC_IP, "", "", "192.0.2.1", "eipalloc-00000000000000000", "", (server,))
    return (
        *route_table.permissions(route_table.Observed(nothing, server, routes={})),
        *elastic_ip.permissions(elastic_ip.Observed(nothing, server, None, (), True, False)),
    )

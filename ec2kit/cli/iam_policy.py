"""The command `ec2kit iam-policy` prints the least IAM policy for the resources of this server."""

from __future__ import annotations

import json
from typing import Any

from ec2kit.actions import iam_policy
from ec2kit.actions.option import TAGS, Option, Values, tags_in
from ec2kit.cli import commands
from ec2kit.cli.result import Result
from ec2kit.engine.action import Action
from ec2kit.errors import ArgumentInvalid
from ec2kit.frameworks import edge
from ec2kit.host import instance
from ec2kit.messages import stderr
from ec2kit.messages.catalogue import Level
from ec2kit.resource import checked_tag

_OPTIONS = (
    TAGS._replace(help="Tag of a resource, or several; default: all of them.", required=False, words=True),
    Option("role", ("--role",), "ARN", "The policy of a role that the servers assume, instead of their own."),
    Option("account", ("--account",), "ID", "Account of the servers; default: the instance's."),
    Option("optional", ("--optional",), "", "Allow what only more checks and repairs need, too.", bool),
)


def _show(values: Values, as_json: bool) -> int:
    edge.mind_signals()
    action = edge.open_action("iam-policy", "", watch=edge.Watch(1))
    tags = [checked_tag(each) for each in tags_in(values) or _known(action)]
    if not tags:
        return Result(f"no resources on {action.settings.server}", {"policies": []}, status=1).show(as_json=as_json)
    account = values["account"] or instance.account(action.settings, action.deadline)
    with edge.shown(action):
        found = iam_policy.policies(action, tags, account=account, optional=values["optional"])
    role = values["role"] or iam_policy.SERVERS
    if role not in found:
        raise ArgumentInvalid(name="role", reason=f"no resource has it; those that are assumed: {_roles(found)}")
    if not as_json and not values["role"] and len(found) > 1:
        stderr.say(Level.INFO, f"further policies, by --role: {_roles(found)}")
    policies = [{"role": name or None, "policy": policy} for name, policy in found.items()]
    return Result(json.dumps(found[role], indent=2), {"policies": policies}).show(as_json=as_json)


def _known(action: Action) -> list[str]:
    """Return all tags; raises the error of a definition that cannot be read, as its permissions are not known."""
    return [each.tag for each in action.registry.resources()]


def _roles(found: dict[str, dict[str, Any]]) -> str:
    return ", ".join(each for each in found if each != iam_policy.SERVERS) or "none"


command = commands.make(
    "iam-policy",
    "Print the least IAM policy for the resources of this server, by the objects that they have now.",
    _OPTIONS,
    _show,
)

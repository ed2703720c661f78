"""
The action scripts: LifeKeeper's names, options and exit statuses over the deeds of the core.

Exit statuses: 0 success, 1 failure, 2 usage. quickCheck and remove must not fail for trouble of their own, and a
Python that breaks down also exits with 1 or 2; so these two say no and usage with statuses of their own, which their
scripts translate, and everything else counts as 0 there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, cast

from ec2kit import edge
from ec2kit.action import Action
from ec2kit.errors import BadRequest, Ec2KitError, Stopped, TagUnknown, Unknown, UsageError
from ec2kit.resource import SCENARIOS, SWITCHBACKS, checked_tag

if TYPE_CHECKING:
    import argparse

    from ec2kit.creation import Wish
    from ec2kit.frontends.parser import Parser

SUCCESS, FAILURE, USAGE = 0, 1, 2
GUARDED_FAILURE, GUARDED_USAGE = 101, 102

_GUARDED = ("quickCheck", "remove")
_ON_A_RESOURCE = ("restore", "remove", "quickCheck", "recover", "unextend", "delete")


class _Deed(NamedTuple):
    """
    One action: its options, and what it does.

    Attributes:
        run: Returns a note for the last line of the log; raises Ec2KitError.
    """

    options: Callable[[Parser], None]
    run: Callable[[Action, argparse.Namespace], str]


# -- the deeds -----------------------------------------------------------------------------------------------


class _SaysNo(Exception):
    """quickCheck found the resource out of service."""


def _restore(action: Action, options: argparse.Namespace) -> str:
    from ec2kit import service

    if options.hook:
        return _changes(service.restore(action))
    service.must_be_topmost(action)
    return _changes(service.bring_in_service(action))


def _recover(action: Action, options: argparse.Namespace) -> str:
    from ec2kit import service

    if not options.hook:
        return _changes(service.recover(action))
    from ec2kit.recovery import Recovery

    return _changes(Recovery(action).once(partial(service.recover, action), {}))


def _remove(action: Action, options: argparse.Namespace) -> str:
    from ec2kit import service

    made = service.remove(action) if options.hook else service.take_out_of_service(action)
    return _changes(made, else_="nothing changed in AWS")


def _quick_check(action: Action, options: argparse.Namespace) -> str:
    from ec2kit import judgement

    checked = judgement.quick_check(action)
    if checked.says_no:
        if options.hook:
            _report(action)
        raise _SaysNo(checked.verdict.reason)
    return "busy" if checked.busy else checked.verdict.status.value


def _report(action: Action) -> None:
    """Let LifeKeeper recover; where it begins that by the exit status instead, it is done once all the same."""
    from ec2kit import lifekeeper, messages
    from ec2kit.recovery import Recovery

    Recovery(action).report()
    if action.lifekeeper is None:
        return
    try:
        action.lifekeeper.send_event(action.tag)
        action.log.put(messages.EVENT_SENT, event_class=lifekeeper.EVENT_CLASS, event=lifekeeper.EVENT)
    except (Ec2KitError, Stopped) as error:
        action.log.error(error)  # what was found stays what it is


def _create(action: Action, options: argparse.Namespace) -> str:
    from ec2kit import creation

    resource = creation.create_on(action, options.server, _wish(options))
    return f"{resource.address} is in service on {options.server or action.registry.server}"


def _wish(options: argparse.Namespace) -> Wish:
    from ec2kit.creation import Wish

    return Wish(
        scenario=options.type,
        switchback=options.switchback,
        region=options.region,
        virtual_ip=options.vip,
        elastic_ip=options.elastic_ip,
        ip_resource=options.ip_resource,
        device=options.interface,
        network_interface_id=options.network_interface_id,
        priority=options.priority,
    )


def _can_extend(action: Action, options: argparse.Namespace) -> str:
    from ec2kit import hierarchy

    hierarchy.can_extend(action, options.template_system, device=options.interface)
    return ""


def _extend(action: Action, options: argparse.Namespace) -> str:
    from ec2kit import hierarchy

    resource = hierarchy.extend(
        action,
        options.template_system,
        priority=options.priority,
        switchback=options.switchback,
        device=options.interface,
    )
    return f"servers {', '.join(resource.names)}"


def _unextend(action: Action, options: argparse.Namespace) -> str:
    from ec2kit import hierarchy

    hierarchy.unextend(action, options.server or action.registry.server, lost=options.lost)
    return ""


def _delete(action: Action, options: argparse.Namespace) -> str:
    from ec2kit import hierarchy, peers

    if options.hook:
        try:
            peers.clean(action)
        except Ec2KitError as error:
            action.log.error(error)  # files of ours are no reason to keep LifeKeeper from removing the resource
        return "this server's files"
    hierarchy.delete(action, local=options.local)
    return ""


def _migrate(action: Action, options: argparse.Namespace) -> str:
    from ec2kit import migration

    done = migration.migrate(action)
    return f"{', '.join(done)} without keys now" if done else "nothing to do"


def _changes(made: dict[str, Any], else_: str = "nothing to change") -> str:
    return f"{len(made)} changed" if made else else_


# -- their options ---------------------------------------------------------------------------------------------


def _by_tag(parser: Parser) -> None:
    parser.add_argument("-t", "--tag", required=True, metavar="TAG", help="tag of the resource")
    parser.add_argument("-i", "--id", metavar="ID", help="accepted for the framework's sake")


def _as_a_hook(parser: Parser) -> None:
    """The scripts that `ec2kit install` puts there say --hook: LifeKeeper calls, and nobody else."""
    from argparse import SUPPRESS

    _by_tag(parser)
    parser.add_argument("--hook", action="store_true", help=SUPPRESS)


def _for_recover(parser: Parser) -> None:
    """A recovery program may be given the instance of the event by -n."""
    from argparse import SUPPRESS

    parser.add_argument("-t", "-n", "--tag", required=True, metavar="TAG", help="tag of the resource")
    parser.add_argument("-i", "--id", metavar="ID", help="accepted for the framework's sake")
    parser.add_argument("--hook", action="store_true", help=SUPPRESS)


def _for_create(parser: Parser) -> None:
    from argparse import SUPPRESS

    parser.add_argument("-t", "--tag", metavar="TAG", help="default: ec2-ADDRESS")
    parser.add_argument("-i", "--id", help=SUPPRESS)
    parser.add_argument("-s", "--switchback", default="intelligent", metavar="|".join(SWITCHBACKS))
    parser.add_argument("--server", metavar="NAME", help="where it shall be made and in service (default: here)")
    parser.add_argument("--region", metavar="REGION", help="default: this instance's region")
    parser.add_argument("--type", required=True, metavar="|".join(SCENARIOS))
    parser.add_argument("--vip", metavar="ADDRESS", help="virtual IP of a route-table resource")
    parser.add_argument("--ip-resource", metavar="TAG", help="LifeKeeper's IP resource of the virtual IP")
    parser.add_argument("--interface", metavar="DEV", help="network device of this server, eth1")
    parser.add_argument("--network-interface-id", metavar="ENI", help="instead of --interface")
    parser.add_argument("--elastic-ip", metavar="ADDRESS|eipalloc-…", help="of an elastic-ip resource")
    parser.add_argument("--priority", type=int, default=1, metavar="N", help="1-999, 1 is the highest (default 1)")


def _by_template(parser: Parser) -> None:
    parser.add_argument("template_system", metavar="TEMPLATE_SYSTEM", help="a server that has the resource")
    parser.add_argument("tag", metavar="TEMPLATE_TAG", help="tag of the resource")
    parser.add_argument("--interface", metavar="DEV", help="default: the template's")


def _for_extend(parser: Parser) -> None:
    _by_template(parser)
    parser.add_argument("--priority", type=int, default=10, metavar="N", help="1-999, unique (default 10)")
    parser.add_argument("--switchback", metavar="|".join(SWITCHBACKS), help="default: the template's")


def _for_unextend(parser: Parser) -> None:
    _by_tag(parser)
    parser.add_argument("--server", metavar="NAME", help="default: this server")
    parser.add_argument("--lost", action="store_true", help="it is gone for good and cannot be asked")


def _for_delete(parser: Parser) -> None:
    _as_a_hook(parser)
    parser.add_argument("--local", action="store_true", help="on this server only")


def _without_any(parser: Parser) -> None:
    """It is about this server, and has neither tag nor options."""


_DEEDS = {
    "create": _Deed(_for_create, _create),
    "extend": _Deed(_for_extend, _extend),
    "canextend": _Deed(_by_template, _can_extend),
    "unextend": _Deed(_for_unextend, _unextend),
    "delete": _Deed(_for_delete, _delete),
    "restore": _Deed(_as_a_hook, _restore),
    "remove": _Deed(_as_a_hook, _remove),
    "quickCheck": _Deed(_as_a_hook, _quick_check),
    "recover": _Deed(_for_recover, _recover),
    "aws_iam_migration": _Deed(_without_any, _migrate),
}


def _parse(name: str, arguments: list[str]) -> argparse.Namespace:
    """
    Read the command line; unknown short flags are ignored, since a framework may add some.

    Raises:
        UsageError: It cannot be understood.
    """
    plain = _plainly_called(name, arguments)
    if plain is not None:
        return plain
    from ec2kit.frontends.parser import Parser

    parser = Parser(name)
    _DEEDS[name].options(parser)
    options, others = parser.parse_known_args(arguments)
    unknown = [each for each in others if each.startswith("--") and each != "--"]
    if unknown:
        parser.error(f"unknown option {unknown[0][:60]!a}")
    surplus = [each for each in others if not each.startswith("-")]
    if surplus and not hasattr(options, "id"):  # what a framework calls may be given more
        parser.error(f"too many words: {surplus[0][:60]!a}")
    for option, value in vars(options).items():
        if value == "--" or isinstance(value, list):  # before 3.13 argparse drops "--" even as the value of --tag=--
            parser.error(f"argument {option}: expected one argument")
    return options


def _plainly_called(name: str, arguments: list[str]) -> argparse.Namespace | None:
    """The options of a call as frameworks make it, "-t TAG -i ID --hook", for which argparse need not be loaded."""
    values: dict[str, str | bool | None] = {"tag": None, "id": None, "hook": "--hook" in arguments}
    words = [each for each in arguments if each != "--hook"]
    for flag, value in zip(words[::2], words[1::2], strict=False):
        if flag not in _PLAIN or value.startswith("-"):
            return None
        values[_PLAIN[flag]] = value
    if name not in _HOOKS or len(words) % 2 or values["tag"] is None:
        return None
    return cast("argparse.Namespace", SimpleNamespace(**values))


_HOOKS = ("restore", "remove", "quickCheck", "recover")
_PLAIN = {"-t": "tag", "-i": "id"}


# -- running one -----------------------------------------------------------------------------------------------


def main(arguments: list[str]) -> NoReturn:
    """Run one action; the first word is its name."""
    name = arguments[0]
    statuses = _Statuses.of(name)
    status = statuses.trouble
    try:
        edge.mind_signals()
        if "--hook" in arguments:
            os.environ["LC_ALL"] = "C"  # LifeKeeper may copy what a hook says into its log, which is English
        status = _run(name, arguments[1:], statuses)
    except SystemExit:
        status = SUCCESS  # --help
    except (Ec2KitError, Stopped) as error:
        edge.open_action(name, "").log.error(error)  # in the dialogue, before anything began
    except BaseException as error:
        edge.unexpected(edge.open_action(name, "").log, error)
    edge.leave(status)


class _Statuses(NamedTuple):
    """The exit statuses of one action."""

    failure: int
    usage: int
    trouble: int

    @staticmethod
    def of(name: str) -> _Statuses:
        if name in _GUARDED:
            return _Statuses(GUARDED_FAILURE, GUARDED_USAGE, SUCCESS)
        return _Statuses(FAILURE, USAGE, FAILURE)


def _run(name: str, arguments: list[str], statuses: _Statuses) -> int:
    arguments = arguments or _asked_for(name)
    watch = edge.Watch(statuses.trouble, grace=_grace(name))
    try:
        options = _parse(name, arguments)
        tag = _tag(options)
    except Ec2KitError as error:
        edge.open_action(name, "", watch=watch).log.error(error)
        if isinstance(error, UsageError):
            return statuses.usage
        return SUCCESS if _must_not_fail(name, arguments) else statuses.failure
    return _do(edge.open_action(name, tag, watch=watch), options, statuses)


def _asked_for(name: str) -> list[str]:
    """The options that a person at a terminal wants; none where nobody sits, or for another action than create."""
    terminal = edge.terminal() if name == "create" else None
    if terminal is None:
        return []
    from ec2kit import dialogue

    answers = dialogue.hold(terminal, *dialogue.choices(edge.open_action(name, "", watched=False)))
    return [f"{_OPTIONS[question]}={answer}" for question, answer in answers.items() if question in _OPTIONS]


_OPTIONS = {
    "server": "--server",
    "switchback": "--switchback",
    "region": "--region",
    "scenario": "--type",
    "ip_resource": "--ip-resource",
    "virtual_ip": "--vip",
    "device": "--interface",
    "elastic_ip": "--elastic-ip",
    "tag": "--tag",
}
"""Question of the dialogue → option of create."""


def _tag(options: argparse.Namespace) -> str:
    """The tag, if it is one; only create may be given none. "" for what is not about one resource."""
    if not hasattr(options, "tag"):
        return ""
    return checked_tag(_wish(options).tag if options.tag is None else options.tag)


def _must_not_fail(name: str, arguments: list[str]) -> bool:
    """Whether LifeKeeper would halt the server for it: a remove of what cannot be here."""
    return name == "remove" and "--hook" in arguments


def _grace(name: str) -> float:
    """Seconds beyond the deadline: create may have to undo what it did."""
    if name != "create":
        return edge.OVERDUE
    from ec2kit.creation import UNDO_SECONDS

    return UNDO_SECONDS + edge.OVERDUE


def _do(action: Action, options: argparse.Namespace, statuses: _Statuses) -> int:
    by_ins_remove = action.name == "delete" and options.hook  # the resource may be gone from the database already
    if not by_ins_remove and _is_unknown(action):
        return SUCCESS if action.name == "remove" and options.hook else statuses.failure
    action.begin()
    try:
        action.end(_DEEDS[action.name].run(action, options))
        return SUCCESS
    except _SaysNo as no:
        action.fail(str(no))
        return statuses.failure
    except Ec2KitError as error:
        action.fail(error)
        return statuses.failure if isinstance(error, BadRequest) else statuses.trouble
    except Stopped as error:
        action.fail(error)
        return statuses.trouble
    except Exception as error:
        edge.unexpected(action.log, error)
        action.fail("unexpected trouble")
        return statuses.trouble


def _is_unknown(action: Action) -> bool:
    """Whether there is certainly no such resource here: one line says so, and nothing begins."""
    if action.name not in _ON_A_RESOURCE:
        return False
    try:
        action.resource  # noqa: B018  (raises)
    except TagUnknown as error:
        action.log.error(error)
        return True
    except Unknown:
        pass  # trouble; each deed has its own way with it
    return False


if __name__ == "__main__":
    main(sys.argv[1:])

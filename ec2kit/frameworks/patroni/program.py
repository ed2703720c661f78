"""
Patroni runs two programs: one is its callback, the other a check for a timer, which follows the leader.

Patroni runs a callback once, kills it when the next event comes, and pays no attention to how it ends. What a
callback could not do, the check does.

Source: Patroni, "YAML Configuration Settings", callbacks; patroni/postgresql/callback_executor.py.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from ec2kit.deadline import side_by_side
from ec2kit.engine.action import Action
from ec2kit.errors import Ec2KitError, Stopped, UsageError
from ec2kit.frameworks import edge
from ec2kit.frameworks.patroni.event import DOWN, UP, Event, read
from ec2kit.frameworks.patroni.leadership import Leadership, LeaderUnknown, NotLeader
from ec2kit.messages import catalogue
from ec2kit.resource import checked_tag

if TYPE_CHECKING:
    from ec2kit.frameworks.parser import Parser

SUCCESS, FAILURE, USAGE = 0, 1, 2

_API = "http://127.0.0.1:8008"
_SOON = 15.0
"""Seconds in which Patroni must confirm an event that makes this member the leader."""

_AT_A_TIME = 8


class _Told(NamedTuple):
    """Hold what the command line says."""

    tags: tuple[str, ...]
    api: str
    authority: str
    event: Event | None

    def leadership(self, action: Action) -> Leadership | None:
        return Leadership(self.api, self.authority, action.deadline.clock) if self.api else None


def main(arguments: list[str]) -> NoReturn:
    """Run the callback, or after the word check the check; the words of the callback end with Patroni's three."""
    status = FAILURE
    try:
        edge.take_over()
        edge.mind_signals()
        is_check = arguments[:1] == ["check"]
        told = _read(arguments[is_check:], is_check=is_check)
        status = _check(told) if is_check else _callback(told)
    except SystemExit:
        status = SUCCESS  # --help
    except (Ec2KitError, Stopped) as error:
        edge.open_action("patroni", "").log.error(error)
        status = USAGE if isinstance(error, UsageError) else FAILURE
    except BaseException as error:
        edge.unexpected(edge.open_action("patroni", "").log, error)
    edge.leave(status)


def _read(words: list[str], *, is_check: bool) -> _Told:
    from ec2kit.frameworks.parser import Parser

    parser = Parser("patroni check" if is_check else "patroni")
    _options(parser)
    if not is_check:
        for name in ("action", "role", "scope"):
            parser.add_argument(name, metavar=name.upper(), help="by Patroni")
    options = parser.parse_args(words)
    tags = tuple(dict.fromkeys(checked_tag(each) for each in options.tag.split(",")))
    if is_check and options.no_api:
        raise UsageError(problem="patroni check: without Patroni's REST API the check does not know the leader")
    event = None if is_check else read(options.action, options.role, options.scope)
    return _Told(tags, "" if options.no_api else options.api, options.ca, event)


def _options(parser: Parser) -> None:
    parser.add_argument("-t", "--tag", required=True, metavar="TAG[,TAG]", help="tags of the resources")
    parser.add_argument("--api", default=_API, metavar="URL", help=f"Patroni's REST API on this server ({_API})")
    parser.add_argument("--ca", default="", metavar="FILE", help="certificate authority of an https API")
    parser.add_argument("--no-api", action="store_true", help="do not ask Patroni who is the leader")


# -- the callback ----------------------------------------------------------------------------------------------


def _callback(told: _Told) -> int:
    event = told.event
    if event is None or not event.deed:
        return SUCCESS
    watch = edge.Watch(FAILURE)
    actions = [edge.open_action(event.deed, tag, watch=watch) for tag in told.tags]
    leadership = told.leadership(actions[0])
    deed = partial(_restored, leadership=leadership) if event.deed == UP else _removed
    fields = {**event._asdict(), "deed": event.deed, "tags": ", ".join(told.tags)}
    actions[0].log.put(catalogue.PATRONI_EVENT, **fields)
    return SUCCESS if _on_all(actions, deed) else FAILURE


def _on_all(actions: list[Action], deed: Callable[[Action], object]) -> bool:
    """Do a deed on all resources at the same time, each with its own lines; return True if all succeeded."""

    def done(action: Action) -> bool:
        action.begin()
        try:
            deed(action)
        except (Ec2KitError, Stopped) as error:
            action.fail(error)
            return False
        action.end()
        return True

    ends = side_by_side([partial(done, each) for each in actions], actions[0].deadline, at_most=_AT_A_TIME)
    for each in ends:
        if isinstance(each, Exception) and not isinstance(each, Ec2KitError):
            raise each
    return all(each is True for each in ends)


def _restored(action: Action, leadership: Leadership | None) -> None:
    """
    Restore as long as this member is the leader.

    Raises:
        Ec2KitError: The resource is not in service here; NotLeader: nothing more was written.
    """
    from ec2kit.actions.restore import restore

    if leadership is None:
        restore(action)
        return
    soon = action.deadline.within(_SOON)
    while True:
        leadership.await_yes(action.deadline, soon=soon)
        try:
            restore(action, permit=leadership.check)
            return
        except LeaderUnknown as error:  # Patroni was busy for a moment, and does not call again
            action.log.error(error)
            soon = action.deadline.within(0.0)


def _removed(action: Action) -> None:
    from ec2kit.actions.remove import remove

    remove(action)


# -- the check -------------------------------------------------------------------------------------------------


def _check(told: _Told) -> int:
    """Follow the leader; an answer that is missing changes nothing and is no failure."""
    watch = edge.Watch(SUCCESS)
    actions = [edge.open_action("check", tag, deed="quickCheck", watched=False, watch=watch) for tag in told.tags]
    leadership = told.leadership(actions[0])
    assert leadership is not None
    try:
        leadership.check()
    except NotLeader:
        late = [each for each in actions if each.registry.in_service(each.tag)]
        return SUCCESS if not late or _told_late(late, DOWN, _removed) else FAILURE
    except LeaderUnknown as error:
        actions[0].log.error(error)
        return SUCCESS
    lost = [each for each in actions if _is_lost(each)]
    return SUCCESS if not lost or _told_late(lost, UP, partial(_restored, leadership=leadership)) else FAILURE


def _is_lost(action: Action) -> bool:
    """Tell whether the leader lacks the address, or the last restore here has not come to its end."""
    from ec2kit.actions.quick_check import quick_check

    checked = quick_check(action)
    if not (checked.says_no or checked.busy):
        from ec2kit.engine import own_network

        own_network.look_after(action)
    return checked.says_no or not (checked.busy or action.registry.in_service(action.tag))


def _told_late(actions: list[Action], deed: str, do: Callable[[Action], object]) -> bool:
    for each in actions:
        each.log.put(catalogue.PATRONI_FOLLOWED, tag=each.tag, deed=deed)
    return _on_all(actions, do)

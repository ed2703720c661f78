"""
Keepalived runs three programs: one follows its notify pipe, one is a notify script, one a check for track_script.

No fault here may put the active server out of service: the check fails only if another owner takes the address again
and again.

Source: keepalived.conf(5), notify_fifo_script, notify, vrrp_script.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING, NoReturn

from ec2kit.engine.action import Action
from ec2kit.errors import ArgumentInvalid, Ec2KitError, StateUnusable, Stopped, UsageError
from ec2kit.frameworks import edge
from ec2kit.frameworks.keepalived.following import Following
from ec2kit.frameworks.keepalived.states import Told, read_line, read_map
from ec2kit.resource import checked_tag

if TYPE_CHECKING:
    from ec2kit.frameworks.parser import Parser

SUCCESS, FAILURE, USAGE = 0, 1, 2

GIVEN_UP, CHECK_USAGE = 101, 102
"""For a check, actions/keepalived translates these to 1 and 2; another status, as of a dying Python, is no answer."""

_SECONDS = 8.0
"""Default of --within; keepalived takes a check that outlives its interval for failed."""

_WORDS = """\
keepalived: one of: fifo NAME=TAG[,TAG]... PIPE; notify NAME=TAG[,TAG]... INSTANCE|GROUP NAME STATE PRIORITY; \
check -t TAG [--within SECONDS]"""


def main(arguments: list[str]) -> NoReturn:
    """Run one of the three programs; the words are the launcher's path, the program's name, and its arguments."""
    status = FAILURE
    try:
        edge.take_over()
        edge.mind_signals()
        launch, name, words = arguments[0], (arguments[1:] or [""])[0], arguments[2:]
        if name not in _PROGRAMS:
            raise UsageError(problem=_WORDS)
        status = _PROGRAMS[name](launch, words)
    except SystemExit:
        status = SUCCESS  # --help
    except (Ec2KitError, Stopped) as error:
        edge.open_action("keepalived", "").log.error(error)
        status = USAGE if isinstance(error, UsageError) else FAILURE
    except BaseException as error:
        edge.unexpected(edge.open_action("keepalived", "").log, error)
    edge.leave(status)


# -- fifo and notify -------------------------------------------------------------------------------------------


def _fifo(launch: str, words: list[str]) -> int:
    if len(words) < 2:
        raise UsageError(problem=_WORDS)
    from ec2kit.frameworks.keepalived.fifo import follow

    action, tags_of = edge.open_action("keepalived", ""), read_map(words[:-1])
    for tag in chain.from_iterable(tags_of.values()):
        _noted(action, Following(action.settings.run_dir, tag).begin)
    follow(words[-1], tags_of, launch, action.log)
    return SUCCESS


def _noted(action: Action, note: Callable[[], None]) -> None:
    """Write a note for the check; a note that cannot be written does not stop the program."""
    try:
        note()
    except StateUnusable as error:
        action.log.error(error)


def _notify(launch: str, words: list[str]) -> int:
    if len(words) < 5:
        raise UsageError(problem=_WORDS)
    tags_of, told = read_map(words[:-4]), _told(words[-4:])
    if told.name not in tags_of or not told.deed:
        return SUCCESS
    from ec2kit.frameworks.keepalived.fifo import Deeds

    action = edge.open_action("keepalived", "")
    for tag in tags_of[told.name]:
        _noted(action, Following(action.settings.run_dir, tag).forget)  # of an earlier configuration
    deeds = Deeds(launch, action.log)
    try:
        return SUCCESS if deeds.do(told, tags_of[told.name]) else FAILURE
    except Stopped:
        deeds.stop_restoring()
        raise


def _told(words: list[str]) -> Told:
    try:
        told = read_line(" ".join(words))
    except ValueError:
        told = None
    if told is None:
        raise UsageError(problem=f"{_WORDS}; not {' '.join(words)[:60]!a}")
    return told


# -- check -----------------------------------------------------------------------------------------------------


def _check(launch: str, words: list[str]) -> int:
    from ec2kit.frameworks.parser import Parser

    parser = Parser("keepalived check")
    _for_check(parser)
    try:
        options = parser.parse_args(words)
        tag = checked_tag(options.tag)
        if not 1 <= options.within <= 3600:
            raise ArgumentInvalid(name="--within", reason="it is not from 1 to 3600 seconds")
    except Ec2KitError as error:
        edge.open_action("check", "").log.error(error)
        return CHECK_USAGE
    return _asserted(tag, options.within)


def _for_check(parser: Parser) -> None:
    parser.add_argument("-t", "--tag", required=True, metavar="TAG", help="tag of the resource")
    parser.add_argument(
        "--within",
        type=float,
        default=_SECONDS,
        metavar="SECONDS",
        help="limit of the check; must be less than the script's interval (8)",
    )


def _asserted(tag: str, seconds: float) -> int:
    """Return GIVEN_UP only if another owner keeps taking the address, otherwise SUCCESS."""
    from ec2kit.frameworks.keepalived import reassertion

    watch = edge.Watch(SUCCESS)
    action = edge.open_action("check", tag, deed="quickCheck", seconds=seconds, watched=False, watch=watch)
    try:
        return SUCCESS if reassertion.assert_here(action) else GIVEN_UP
    except (Ec2KitError, Stopped) as error:
        action.log.error(error)
    except Exception as error:
        edge.unexpected(action.log, error)
    return SUCCESS


_PROGRAMS: dict[str, Callable[[str, list[str]], int]] = {"fifo": _fifo, "notify": _notify, "check": _check}


if __name__ == "__main__":
    main(sys.argv[1:])

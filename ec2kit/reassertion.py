"""
Keeping an address here while keepalived says that it belongs here.

Taken back where another has it, not for ever against the same other owner; restored again where the last restore has
not ended well.
"""

from __future__ import annotations

import os

from ec2kit import judgement, messages, service
from ec2kit.action import Action
from ec2kit.errors import Ec2KitError, NotBroughtHere, OutcomeUnknown, Overtaken
from ec2kit.following import Following
from ec2kit.intention import Direction, Intention
from ec2kit.scenario import Observed
from ec2kit.settings import Settings
from ec2kit.state import Damaged, StateFile, boot_id

MOST = 3
WITHIN = 600.0
"""Seconds in which an address is taken back at most so many times from one other owner."""

_NEW_PROGRAM_SECONDS = 1.0
"""For the start of a program that takes the place of another one."""


class Reassertions:
    """
    When the address was taken back from whom, in this boot; kept in EC2KIT_RUN_DIR.

    What cannot be read counts as nothing; what cannot be written down must not be done.
    """

    def __init__(self, action: Action) -> None:
        self._clock = action.deadline.clock
        self._file = StateFile(os.path.join(action.settings.run_dir, f"{action.tag}.reassertions.json"))

    def count(self, holder: str) -> int:
        """How many of them still count against this owner."""
        return len(self._recent().get(holder, ()))

    def add(self, holder: str) -> int:
        """
        Write down one more; gives how many there are now.

        Raises:
            StateUnusable: It cannot be written.
        """
        known = self._recent()
        known[holder] = [*known.get(holder, ()), self._clock.now()]
        self._file.write({"boot": boot_id(), "times": known})
        return len(known[holder])

    def withdraw(self, holder: str) -> None:
        """The last one has changed nothing; raises StateUnusable."""
        known = self._recent()
        known[holder] = known.get(holder, [])[:-1]
        self._file.write({"boot": boot_id(), "times": known})

    def forget(self) -> None:
        """Raises StateUnusable if the file cannot be removed."""
        self._file.remove()

    def _recent(self) -> dict[str, list[float]]:
        try:
            content = self._file.read() or {}
            if content.get("boot") != boot_id():
                return {}
            times = {str(holder): [float(each) for each in when] for holder, when in content["times"].items()}
        except (Damaged, Ec2KitError, KeyError, ValueError, TypeError, AttributeError):
            return {}
        since = self._clock.now() - WITHIN
        return {holder: [each for each in when if each > since] for holder, when in times.items()}


def assert_here(action: Action) -> bool:
    """
    Check, and take the address back where another has it; whether this server may stay the active one.

    What is not in service here, though that is what was wanted last, is restored again. That, no answer, or trouble
    of any kind says yes: only an owner that takes the address again and again says no. Where the program of the pipe
    has died, nobody knows what keepalived says now, and nothing is done.

    Raises:
        Ec2KitError: It could not be taken back, this time; or there is no such resource.
    """
    address = action.resource.address
    if _nobody_follows(action):
        action.log.put(messages.NOT_FOLLOWED, tag=action.tag)
        return True
    if not action.registry.in_service(action.tag):
        _restore_again(action)
        return True
    checked = judgement.quick_check(action)
    if not checked.says_no or checked.observed is None:
        return True
    holder = _holder(action, checked.observed)
    taken = Reassertions(action)
    fields = {"address": address, "holder": holder, "minutes": f"{WITHIN / 60:g}"}
    if taken.count(holder) >= MOST:
        action.log.put(messages.GIVEN_UP, count=MOST, **fields)
        return False
    count = taken.add(holder)  # before it is done: whatever dies in between has counted
    if _take_back(action, taken, holder):
        action.log.put(messages.REASSERTED, count=count, most=MOST, **fields)
    return True


def _nobody_follows(action: Action) -> bool:
    """Seen twice, since on a reload a new program may be about to begin."""
    following = Following(action.settings.run_dir, action.tag)
    if not following.is_missing:
        return False
    action.deadline.pause(_NEW_PROGRAM_SECONDS, "another look for the program of the notify fifo")
    return following.is_missing


def _restore_again(action: Action) -> None:
    """
    Keepalived says MASTER once: what the restore of that time has not brought here, nobody else would.

    A server that was paused hears of a newer MASTER while this waits; then a remove is what is wanted.

    Raises:
        Overtaken: Something else was wanted meanwhile.
    """
    wanted = _left_undone(action)
    if wanted is None:
        return
    address = action.resource.address
    try:
        action.deadline.pause(action.settings.confirm_interval, "another restore")
        if _left_undone(action) != wanted:
            return
        service.restore(action, again=wanted)
        action.log.put(messages.RESTORED_AGAIN, address=address)
    except Overtaken:
        raise
    except Ec2KitError as error:
        action.log.put(messages.NOT_RESTORED_AGAIN, address=address, reason=error)


def _left_undone(action: Action) -> Intention | None:
    """The newest intention, if it is to be in service here, which this is not, and nobody is at work."""
    newest = action.intentions.current()
    if newest is None or newest.direction is Direction.DOWN or action.intentions.writing.is_held:
        return None
    return None if action.registry.in_service(action.tag) else newest


def _take_back(action: Action, taken: Reassertions, holder: str) -> bool:
    """Whether something was changed; the owner is not asked, since the framework has said who may have it."""
    wrote = True
    try:
        wrote = bool(service.recover(action._replace(settings=_taking(action))))
    except NotBroughtHere as error:
        wrote = bool(error.fields["wrote"])
        raise
    except OutcomeUnknown:
        raise
    except Ec2KitError:
        wrote = False
        raise
    finally:
        if not wrote:
            taken.withdraw(holder)
    return wrote


def _taking(action: Action) -> Settings:
    return action.settings._replace(recover_take_from_peer=True)


def _holder(action: Action, observed: Observed) -> str:
    """Who was seen to have the address instead: servers by name, else what it points at; "nobody" for a hole."""
    owners = set(action.scenario.owners(observed).values())
    others = {each for each in owners if each and each != action.server.network_interface_id}
    names = {server.name if (server := action.resource.find_holder(each)) else each for each in others}
    return ", ".join(sorted(names)) or "nobody"

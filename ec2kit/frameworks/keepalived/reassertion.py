"""
The check keeps an address here, as long as keepalived says MASTER.

If another owner has the address, the check takes it back, but not for ever from the same owner. If the last restore
failed, the check repeats it.
"""

from __future__ import annotations

from ec2kit.actions import quick_check, recover, restore
from ec2kit.engine import own_network
from ec2kit.engine.action import Action
from ec2kit.errors import DeadlinePassed, Ec2KitError, NotBroughtHere, OutcomeUnknown, Overtaken, StateUnusable
from ec2kit.frameworks.keepalived.following import Following
from ec2kit.messages import catalogue
from ec2kit.scenarios.scenario import Observed
from ec2kit.settings import Settings
from ec2kit.state.intention import Direction, Intention
from ec2kit.state.note import REASSERTIONS, Note

MOST = 3
WITHIN = 600.0
"""An address is taken back from one other owner at most MOST times in WITHIN seconds."""

_NEW_PROGRAM_SECONDS = 1.0
"""Seconds in which a new program of the pipe starts after a reload."""


class Reassertions:
    """
    EC2KIT_RUN_DIR has the times at which the address was taken back in this boot, for each other owner.

    If they cannot be read, none counts. If a new one cannot be written, the address must not be taken back.
    """

    def __init__(self, action: Action) -> None:
        self._clock = action.deadline.clock
        self._note = Note(action.settings.run_dir, action.tag, REASSERTIONS)

    def count(self, holder: str) -> int:
        """Return how many times still count for this owner."""
        return len(self._recent().get(holder, ()))

    def add(self, holder: str) -> int:
        """
        Write one more time, and return how many count now.

        Raises:
            StateUnusable: The file cannot be written.
        """
        known = self._recent()
        known[holder] = [*known.get(holder, ()), self._clock.now()]
        self._note.write({"times": known})
        return len(known[holder])

    def withdraw(self, holder: str) -> None:
        """Withdraw the last time, which has changed nothing; raises StateUnusable."""
        known = self._recent()
        known[holder] = known.get(holder, [])[:-1]
        self._note.write({"times": known})

    def _recent(self) -> dict[str, list[float]]:
        content = self._note.read() or {"times": {}}
        try:
            times = {str(holder): [float(each) for each in when] for holder, when in content["times"].items()}
        except (KeyError, ValueError, TypeError, AttributeError):
            return {}
        since = self._clock.now() - WITHIN
        return {holder: [each for each in when if each > since] for holder, when in times.items()}


def assert_here(action: Action) -> bool:
    """
    Check the address as `_assert_here` does, one check at a time.

    keepalived 2.1.3 to 2.3.2 starts a check again while the one before still runs. The second one waits, and then
    looks for itself: an answer without a look would be counted as a good one between two bad ones.
    """
    lock = Note(action.settings.run_dir, action.tag, REASSERTIONS).lock("check")
    try:
        lock.wait(action.deadline, "the check before this one")
    except StateUnusable as error:
        action.log.error(error)
    except DeadlinePassed:
        action.log.put(catalogue.BUSY, busy="the check before this one")
        return True
    try:
        return _assert_here(action)
    finally:
        lock.release()


def _assert_here(action: Action) -> bool:
    """
    Check the address, and take it back if another owner has it.

    If the last restore here failed, the check repeats it. If the program of the pipe has died, the present state of
    keepalived is not known, and the check does nothing.

    Returns:
        False if this server must not stay the active one, because another owner takes the address again and again. A
        repeated restore, no answer, and any trouble mean True.

    Raises:
        Ec2KitError: The address could not be taken back this time, or there is no such resource.
    """
    address = action.resource.address
    if _nobody_follows(action):
        action.log.put(catalogue.NOT_FOLLOWED, tag=action.tag)
        return True
    if not action.registry.in_service(action.tag):
        _restore_again(action)
        return True
    checked = quick_check.quick_check(action)
    if not checked.says_no or checked.observed is None:
        if not (checked.says_no or checked.busy):
            own_network.look_after(action, owner="keepalived")
        return True
    holder = _holder(action, checked.observed)
    taken = Reassertions(action)
    fields = {"address": address, "holder": holder, "minutes": f"{WITHIN / 60:g}"}
    if taken.count(holder) >= MOST:
        action.log.put(catalogue.GIVEN_UP, count=MOST, **fields)
        return False
    count = taken.add(holder)  # first, so that an attempt counts even if the process dies in the middle
    if _take_back(action, taken, holder):
        action.log.put(catalogue.REASSERTED, count=count, most=MOST, **fields)
    return True


def _nobody_follows(action: Action) -> bool:
    """Tell whether no program follows the resource; look twice, because after a reload a new one may just start."""
    following = Following(action.settings.run_dir, action.tag)
    if not following.is_missing:
        return False
    action.deadline.pause(_NEW_PROGRAM_SECONDS, "another look for the program of the notify fifo")
    return following.is_missing


def _restore_again(action: Action) -> None:
    """
    Restore the resource again, because keepalived says MASTER only once, and no other program repeats that restore.

    A server that was paused learns of a newer MASTER while this pause lasts; then a remove is wanted.

    Raises:
        Overtaken: Another action was wanted meanwhile.
    """
    wanted = _left_undone(action)
    if wanted is None:
        return
    address = action.resource.address
    try:
        action.deadline.pause(action.settings.confirm_interval, "another restore")
        if _left_undone(action) != wanted:
            return
        restore.restore(action, again=wanted)
        action.log.put(catalogue.RESTORED_AGAIN, address=address)
    except Overtaken:
        raise
    except Ec2KitError as error:
        action.log.put(catalogue.NOT_RESTORED_AGAIN, address=address, reason=error)


def _left_undone(action: Action) -> Intention | None:
    """Return the newest intention if it is `up`, the resource is not in service here, and no action is at work."""
    newest = action.intentions.current()
    if newest is None or newest.direction is Direction.DOWN or action.intentions.writing.is_held:
        return None
    return None if action.registry.in_service(action.tag) else newest


def _take_back(action: Action, taken: Reassertions, holder: str) -> bool:
    """
    Take the address back, without a question to its owner: keepalived has said which server may have the address.

    Returns:
        True if a change was made.
    """
    wrote = True
    try:
        wrote = bool(recover.recover(action._replace(settings=_taking(action))))
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
    """Return the owners that were seen, servers by name, others by id; "nobody" for a blackhole."""
    owners = set(action.scenario.owners(observed).values())
    others = {each for each in owners if each and each != action.server.network_interface_id}
    names = {server.name if (server := action.resource.find_holder(each)) else each for each in others}
    return ", ".join(sorted(names)) or "nobody"

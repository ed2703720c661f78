"""Who knows the truth, and says what may never be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ec2kit.state.intention import Direction, Intention
from ec2kit.state.lock import Lock
from ec2kit.status import Status

from ..builders import ALLOCATION

if TYPE_CHECKING:
    from .cluster import Cluster, ModelProcess, Picture


PERMIT_SECONDS = 15.0
"""How old the look may be that a recovery's write rests on."""


@dataclass(frozen=True)
class Seen:
    """
    One look: what was shown, and when.

    Attributes:
        picture: None: there was no answer.
        whole: No page was missing.
    """

    time: float
    picture: Picture | None
    whole: bool = True


class Judge:
    """
    Watches a cluster.

    Attributes:
        complaints: (kind, what): "wrong verdict", "lost change" or "leaked".
        claim: The server whose restore was the last to succeed, where nothing since may have taken the address away.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._looks: dict[ModelProcess, list[Seen]] = {}
        self._writers: set[ModelProcess] = set()
        self._gave_up: set[str] = set()
        self._settled: dict[str, Intention | None] = {}
        self._known: dict[str, set[str]] = {}
        self._others = {name: each for name, each in cluster.ec2.held.items() if name != ALLOCATION}
        self.complaints: list[tuple[str, str]] = []
        self.claim: str | None = None

    def complain(self, kind: str, what: str) -> None:
        self.complaints.append((kind, what))

    # -- what happens --

    def began(self, process: ModelProcess) -> None:
        self._looks[process] = []
        if self.claim and self._may_take(process, self.claim):
            self.claim = None

    def _may_take(self, process: ModelProcess, owner: str) -> bool:
        """Whether it is this action's right to end an owner's claim: a restore elsewhere, a remove there."""
        return process.deed == ("remove" if process.server == owner else "restore")

    def interfered(self) -> None:
        """An outside hand, or a reboot: who has the address is open again."""
        self.claim = None

    def rebooted(self, server: str) -> None:
        """What a server has seen in its last boot it does not remember."""
        self._known.pop(server, None)
        self.interfered()

    def saw(self, process: ModelProcess, picture: Picture | None, *, whole: bool = True) -> None:
        self._looks[process].append(Seen(self._cluster.time, picture, whole))
        if picture is not None and whole:
            self._known.setdefault(process.server, set()).update(picture.routes, picture.held)
        process.told.clear()

    def heard(self, process: ModelProcess, server: str, in_service: bool | None) -> None:
        """
        Another server answered; one that has the address, or is just bringing it in service, must not deny it.

        Unless a later restore there changed something and could not verify it: that server has said to its framework
        that the address is not in service there.
        """
        process.told[server] = in_service
        wanted = self._cluster.action(server, "peer").intentions.current()
        restores = [each for each in self._looks if (each.server, each.deed) == (server, "restore")]
        is_coming = any(self._looks[each] for each in restores) and wanted and wanted.direction is Direction.UP
        has_it = self.claim == server and server not in self._gave_up
        if in_service is False and (is_coming or has_it):
            self.complain("wrong verdict", f"{server} denied that it is in service")

    def wrote(self, process: ModelProcess, target: str) -> None:
        """Called when a write was carried out; the cluster's picture is still the one before it."""
        self._writers.add(process)
        looks, who = self._looks[process], f"{process.deed} on {process.server}"
        owner = self._cluster.owner(target, self._cluster.now)
        wanted = process.action.intentions.current()
        direction = Direction.DOWN if process.deed == "remove" else Direction.UP
        if process.deed == "quickCheck":
            self.complain("lost change", f"{who} wrote")
        elif wanted is None or wanted.direction is not direction:
            self.complain("lost change", f"{who} wrote although it was overtaken")
        elif not looks and process.deed == "restore":
            self._judge_first_write(process, target)
        elif not looks or looks[-1].picture is None or not looks[-1].whole:
            self.complain("lost change", f"{who} wrote without having seen everything")
        elif process.deed == "recover":
            self._judge_recovery(process, target, owner)
        elif process.deed == "remove" and owner != process.server:
            self.complain("lost change", f"{who} took {target} from {owner}")

    def _judge_first_write(self, process: ModelProcess, target: str) -> None:
        """Before its first look a restore writes only what its server saw in this boot and does not have."""
        if target not in self._known.get(process.server, ()):
            self.complain("lost change", f"{process.server} wrote to {target}, which it had not seen in this boot")
        if process.action.registry.state(process.action.tag) == "ISP":
            self.complain("lost change", f"{process.server} wrote unseen although it is in service by its notes")

    def _judge_recovery(self, process: ModelProcess, target: str, owner: str | None) -> None:
        """
        A recovery takes an object from another server only if that one said that it is not in service.

        What it cannot know is what changed after its look; then the claim is open, as the documents say.
        """
        look = self._looks[process][-1]
        if process.action.registry.state(process.action.tag) == "OSU":
            self.complain("lost change", f"recover on {process.server} wrote, which does not run the resource")
        if owner in (None, process.server):
            return
        assert look.picture is not None
        if self._cluster.time - look.time > PERMIT_SECONDS:
            self.complain("lost change", f"recover on {process.server} wrote by a look of long ago")
        saw_the_owner = self._cluster.owner(target, look.picture) == owner
        if saw_the_owner and process.told.get(owner or "") is not False:
            self.complain("lost change", f"recover on {process.server} took {target} from {owner} unasked")
        if self.claim != process.server:
            self.claim = None

    def ended(self, process: ModelProcess) -> None:
        looks = self._looks.pop(process)
        if not process.is_dead:
            if process.error is not None and not hasattr(process.error, "message"):
                self.complain("wrong verdict", f"{process.deed} ended with {process.error!r}")
            elif process.deed == "quickCheck" and process.error is None:
                self._judge_check(process, looks)
            elif process.deed in ("restore", "recover") and process.error is None:
                self._judge_success(process, looks)
        self._note_what_is_settled(process)
        self._note_who_gave_up(process)
        if not any(each.server == process.server for each in self._cluster.processes):
            self._judge_state(process)
            self._look_for_locks(process.server)

    def _judge_check(self, process: ModelProcess, looks: list[Seen]) -> None:
        checked, here = process.result, [self._says(process, look) for look in looks]
        if checked.says_no and here[-2:] != [False, False]:
            self.complain("wrong verdict", f"OUT_OF_SERVICE on {process.server} after looks that said {here}")
        if checked.says_no and looks[-1].time - looks[-2].time < process.action.settings.confirm_interval - 0.001:
            self.complain("wrong verdict", f"OUT_OF_SERVICE on {process.server} confirmed too early")
        if checked.verdict.status is Status.IN_SERVICE and here[-1:] != [True]:
            self.complain("wrong verdict", f"IN_SERVICE on {process.server} after looks that said {here}")

    def _says(self, process: ModelProcess, look: Seen) -> bool | None:
        """Whether a look showed the address here; None if it did not say."""
        if look.picture is None:
            return None
        here = self._cluster.owns(process.server, look.picture)
        return here if look.whole or not here else None

    def _judge_success(self, process: ModelProcess, looks: list[Seen]) -> None:
        if not looks or self._says(process, looks[-1]) is not True:
            self.complain("wrong verdict", f"{process.deed} on {process.server} succeeded, and EC2 did not agree")
        elif looks[-1].picture is self._cluster.now and process.deed == "restore":
            self.claim = None if self._is_contested(process.server) else process.server

    def _is_contested(self, owner: str) -> bool:
        """Whether something is under way that may still take the address, rightly or by an old look."""
        others = [each for each in self._cluster.processes if each.server != owner]
        return any(each.deed in ("restore", "recover") for each in others) or any(
            self._may_take(each, owner) for each in self._cluster.processes
        )

    def _note_what_is_settled(self, process: ModelProcess) -> None:
        wanted, reached = process.action.intentions.current(), process.error is None and not process.is_dead
        if process.deed == "restore":
            self._settled[process.server] = wanted if reached else None
        elif process.deed == "remove" and reached and wanted is not None and wanted.direction is Direction.DOWN:
            self._settled[process.server] = wanted

    def _note_who_gave_up(self, process: ModelProcess) -> None:
        if process.deed in ("restore", "recover") and process.error is None and not process.is_dead:
            self._gave_up.discard(process.server)
        elif process.deed == "restore" and process in self._writers and not process.is_dead:
            self._gave_up.add(process.server)
        self._writers.discard(process)

    def _judge_state(self, process: ModelProcess) -> None:
        """Where nothing runs any more, the state is what was wanted last, if that was reached."""
        wanted, state = process.action.intentions.current(), process.action.registry.state(process.action.tag)
        if wanted is None or wanted != self._settled.get(process.server):
            return
        if state == ("OSU" if wanted.direction is Direction.UP else "ISP"):
            self.complain("lost change", f"{process.server} is {state}, and {wanted.direction} was settled last")

    # -- what there is --

    def look_around(self) -> None:
        """What must hold at any moment."""
        cluster = self._cluster
        if self.claim and not cluster.owns(self.claim, cluster.now):
            self.complain("lost change", f"{self.claim} was restored last, and does not have the address")
        if {name: each for name, each in cluster.ec2.held.items() if name != ALLOCATION} != self._others:
            self.complain("lost change", "an address that is not ours was changed")

    def look_for_halves(self, server: str) -> None:
        """Called whenever something went on there."""
        for path in self._cluster.files(server):
            with open(path, encoding="utf-8") as file:
                if not file.read().endswith("\n}\n"):
                    self.complain("leaked", f"{path} on {server} is half written")

    def _look_for_locks(self, server: str) -> None:
        for path in self._cluster.files(server, ".lock"):
            if Lock(path).is_held:
                self.complain("leaked", f"{path} is held by nobody that lives")

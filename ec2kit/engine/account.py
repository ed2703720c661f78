"""A convergence gives account of its decisions to this server's history."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from ec2kit.errors import Ec2KitError
from ec2kit.status import Wanted

if TYPE_CHECKING:
    from ec2kit.ec2.answers import Receipt
    from ec2kit.engine.action import Action
    from ec2kit.engine.history import Basis
    from ec2kit.scenarios.scenario import Observed
    from ec2kit.status import Change

    Made = Mapping[str, tuple[Change, ...]]
    """Target → the changes to it that were made, or may have been."""


class Account:
    """
    The account of one convergence, which is written later and in another thread: nothing waits for it.

    Attributes:
        wanted: Where the address is wanted.
        seen: The last observation, or the error of the last look; None: there was no look yet.
    """

    def __init__(self, action: Action, *, conditional: bool) -> None:
        self._action = action
        self._conditional = conditional
        self.wanted = Wanted.HERE
        self.seen: Observed | Ec2KitError | None = None

    def decided(
        self,
        made: Made,
        lost: Collection[str],
        changes: tuple[Change, ...],
        outcomes: list[Receipt | Exception],
        *,
        is_beside_look: bool,
    ) -> None:
        """
        Record one round of changes.

        Args:
            made, lost: What was made before it, and the targets of which the answer to the last change was lost.
            is_beside_look: The changes were made beside the look, and do not rest on it.
        """
        basis = self._basis(made, lost)

        def record() -> Mapping[str, Any]:
            from ec2kit.engine import history

            return history.decided(basis(), changes, outcomes, is_beside_look=is_beside_look)

        self._action.record(record)

    def ended(self, made: Made, lost: Collection[str], error: Ec2KitError | None) -> None:
        """Record the end; None: all is as wanted."""
        basis = self._basis(made, lost)

        def record() -> Mapping[str, Any]:
            from ec2kit.engine import history

            return history.ended(basis(), error)

        self._action.record(record)

    def _basis(self, made: Made, lost: Collection[str]) -> Callable[[], Basis]:
        """Return what gives the present basis of a decision, when it is asked for."""
        action, seen, wanted, conditional = self._action, self.seen, self.wanted, self._conditional

        def basis() -> Basis:
            from ec2kit.engine.history import Basis

            error = seen if isinstance(seen, Ec2KitError) else None
            observed = seen if not isinstance(seen, Ec2KitError) else None
            return Basis(action, observed, error, wanted, conditional, made, lost)

        return basis


def called(action: Action, change: Change, outcome: Receipt | Exception) -> None:
    """Record one call that no convergence has decided on: of create, of its undo, or beside the address."""

    def record() -> Mapping[str, Any]:
        from ec2kit.engine import history

        return history.called(action, change, outcome)

    action.record(record)

"""The record of one resource on this server: its state is written here and read again."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from ec2kit.errors import Ec2KitError, Overtaken, StateUnusable
from ec2kit.messages import catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ec2kit.engine.action import Action
    from ec2kit.state.intention import Intention


class Record:
    """
    The state of one resource in this server's registry.

    A state that could be written only in EC2KIT_RUN_DIR counts until the next boot; this is logged.
    """

    def __init__(self, action: Action) -> None:
        self._action = action

    def was_in_service(self) -> bool:
        """Tell whether the resource is in service by the registry; a damaged state counts as no."""
        with suppress(StateUnusable):
            return self._action.registry.in_service(self._action.tag)
        return False

    def prove_writable(self) -> None:
        """
        Prove that the state can be written, by writing the present state again.

        If an address moved here and the registry could not record this, the other servers would decide wrongly.

        Raises:
            StateUnusable: The state cannot be written.
        """
        if self.was_in_service():
            self.in_service()
        else:
            self.out_of_service()

    def in_service(self) -> None:
        """Mark the resource as in service; raises StateUnusable if that cannot be written anywhere."""
        self._log_place(self._action.registry.mark_in_service(self._action.tag))

    def out_of_service(self) -> None:
        """Mark the resource as out of service; raises StateUnusable if that cannot be written anywhere."""
        self._log_place(self._action.registry.mark_out_of_service(self._action.tag))

    def failed(self, mine: Intention) -> None:
        """Mark the resource as failed, unless a remove came meanwhile: then the state of that remove stays."""
        action = self._action
        mark = partial(action.registry.mark_out_of_service, action.tag, failed=True)
        try:
            action.intentions.settle(mine, mark, action.deadline)
            self.tell("OSF")
        except Overtaken:
            pass
        except Ec2KitError as error:
            action.log.error(error)

    def tell(self, state: str) -> None:
        """Record in this server's history which state was marked."""
        action = self._action

        def told() -> Mapping[str, Any]:
            from ec2kit.engine import history

            return history.state(action, state)

        action.record(told)

    def _log_place(self, trouble: StateUnusable | None) -> None:
        if trouble is not None:
            action, place = self._action, {"path": trouble.fields["path"], "reason": trouble.fields["reason"]}
            action.log.put(catalogue.STATE_ELSEWHERE, tag=action.tag, spare=action.settings.run_dir, **place)

"""A plan never takes away what another resource of this server's registry has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ec2kit.errors import Ec2KitError
from ec2kit.messages import catalogue
from ec2kit.messages.statement import Reason

if TYPE_CHECKING:
    from ec2kit.engine.action import Action
    from ec2kit.holding import Holding
    from ec2kit.messages.catalogue import Notice
    from ec2kit.resource import Resource
    from ec2kit.status import Change, Plan


class Neighbours:
    """
    The other resources of this server; the registry is read only if a change displaces something, and once.

    Attributes:
        spared: Target of each change that was left out → why.
    """

    def __init__(self, action: Action) -> None:
        self._action = action
        self._found: list[Resource] | Ec2KitError | None = None
        self.spared: dict[str, Reason] = {}

    def spared_by(self, plan: Plan) -> Plan:
        """Return the plan without the changes that would take away what another resource has; the log names them."""
        changes = tuple(each for each in plan.changes if each.displaces is None or self._lets(each, each.displaces))
        return plan if len(changes) == len(plan.changes) else plan._replace(changes=changes)

    def _lets(self, change: Change, displaced: Holding) -> bool:
        notice = self._protection(displaced)
        if notice is not None and change.target not in self.spared:
            message, fields = notice
            why = Reason(message, {"target": change.target, "thing": displaced.thing, **fields})
            self.spared[change.target] = why
            self._action.log.put(why.message, **why.fields)
        return notice is None

    def _protection(self, displaced: Holding) -> Notice | None:
        """Return for what reason something stays; also if the registry does not tell to whom it belongs."""
        from ec2kit.holding import meeting
        from ec2kit.scenarios.table import scenario_of

        if self._found is None:
            self._found = self._read()
        if isinstance(self._found, Ec2KitError):
            return catalogue.NEIGHBOURS_UNKNOWN, {"reason": self._found}
        for each in self._found:
            if each.tag != self._action.tag and meeting((displaced,), scenario_of(each).holdings(each)):
                return catalogue.NEIGHBOUR_SPARED, {"tag": each.tag}
        return None

    def _read(self) -> list[Resource] | Ec2KitError:
        try:
            return self._action.registry.resources()
        except Ec2KitError as error:
            return error

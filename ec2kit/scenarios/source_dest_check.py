"""The source/destination check of a server's ENI has to be off if the ENI is the target of a route."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ec2kit.deadline import Abandoned, Begun
from ec2kit.errors import AwsRefused, DeadlinePassed, Ec2KitError, Overtaken, Unknown
from ec2kit.messages import catalogue
from ec2kit.resource import Server
from ec2kit.status import Change

if TYPE_CHECKING:
    from collections.abc import Callable

    from ec2kit.deadline import Deadline
    from ec2kit.ec2.answers import NetworkInterface, Receipt
    from ec2kit.ec2.operations import Ec2
    from ec2kit.messages.log import Log

_ON, _OFF = "source/destination check on", "source/destination check off"
"""The setting of the ENI before and after the change."""


def _nothing(change: Change, outcome: Receipt | Exception) -> None:
    """Tell nothing; the default of `tell`."""


class SourceDestCheck:
    """
    The companion switches the check off if permitted; failure does not fail the action.

    While the check is on, EC2 drops packets to the virtual IP. The look begins when another request has left, so that
    it takes no time of its own and holds nothing up.
    """

    def __init__(self, ec2: Ec2, server: Server) -> None:
        self._ec2 = ec2
        self._network_interface_id = server.network_interface_id
        self._look = partial(ec2.network_interface, server.network_interface_id, retries=0)
        self._begun: Begun[NetworkInterface] | None = None

    def begin(self) -> None:
        """Begin the look beside the next request; returns at once."""
        self._ec2.beside_next(self._begin)

    def _begin(self) -> None:
        with suppress(RuntimeError):  # no thread can be made: the look is made at the end
            self._begun = Begun(self._look)

    def due(self, deadline: Deadline) -> Change:
        """Return the change that switches the check off, from off if it is off; raises what the look raises."""
        eni, old = self._network_interface_id, _ON if self._seen(deadline).source_dest_check else _OFF
        arguments = {"network_interface_id": eni}
        return Change("ModifyNetworkInterfaceAttribute", eni, old=old, new=_OFF, arguments=arguments)

    def finish(
        self, log: Log, deadline: Deadline, tell: Callable[[Change, Receipt | Exception], None] = _nothing
    ) -> None:
        """Switch the check off if it is on; a failure is logged."""
        eni = self._network_interface_id
        try:
            change = self.due(deadline)
            if change.old == change.new:
                return
        except (Unknown, AwsRefused, Overtaken) as error:
            log.put(catalogue.SOURCE_DEST_CHECK_UNSEEN, network_interface_id=eni, reason=error)
            return
        try:
            receipt = self._ec2.switch_off_source_dest_check(network_interface_id=eni, retries=1)
            tell(change, receipt)
            log.put(catalogue.SOURCE_DEST_CHECK_OFF, network_interface_id=eni, request_id=receipt.request_id)
        except Ec2KitError as error:
            tell(change, error)
            log.put(catalogue.SOURCE_DEST_CHECK_ON, network_interface_id=eni, reason=error)

    def _seen(self, deadline: Deadline) -> NetworkInterface:
        if self._begun is None:
            return self._look()
        try:
            return self._begun.wait(deadline)
        except Abandoned as error:
            raise DeadlinePassed(doing="the look at the ENI", seconds=f"{deadline.seconds:g}") from error

"""
The part of a resource that is on this server itself: the address on its device, and the way by which replies leave.

AWS is never asked here. What something else took off is put back by monitor, see `Local.put_back`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from ec2kit.deadline import Deadline
from ec2kit.engine.action import Action
from ec2kit.engine.own_network import A_MOMENT, right_way
from ec2kit.errors import Ec2KitError, InterfaceUnknown, Overtaken, OwnTrouble
from ec2kit.frameworks.pacemaker.agents import Given
from ec2kit.frameworks.pacemaker.markers import neighbours
from ec2kit.host.device import ABSENT, Device
from ec2kit.host.ip import carried
from ec2kit.host.place import Place
from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import Notice
from ec2kit.resource import is_ipv4
from ec2kit.state.intention import Direction

_PAUSE = 0.5
"""Seconds between two looks at the addresses of a device."""

_TO_SETTLE = 5.0
"""Seconds in which an address that was put on has to accept packets."""

_MOMENT = 1.0
"""Seconds to look at this server and to take an address off, even if no time is left."""


class Local:
    """
    The addresses of one resource on this server; a resource of blocks has none.

    Args:
        place: Returns the place of the resource on this server; raises what `ec2kit.host.place.place` raises.
    """

    def __init__(self, action: Action, given: Given, place: Callable[[], Place]) -> None:
        self._action = action
        self._given = given
        self._place = place

    def is_here(self) -> bool:
        """Tell whether the resource runs here, by what this server itself shows."""
        return self._shows(all)

    def is_partly_here(self) -> bool:
        """Tell whether an address of the resource may still be here."""
        return self._shows(any)

    def _shows(self, combine: Callable[[list[bool]], bool]) -> bool:
        """Combine what the device shows of each address; without one, or if the device cannot be seen, the marker."""
        if self._addresses:
            try:
                return combine([self._has(each) for each in self._addresses])
            except OwnTrouble as error:
                self._action.log.put(catalogue.EVIDENCE_UNSEEN, **self._fields, reason=str(error))
        return self._action.registry.in_service(self._action.tag)

    def _has(self, address: str) -> bool:
        """Tell whether the device has the address, and not only for another resource of this server."""
        if not self._device.has(address, self._soon):
            return False
        return self._action.registry.in_service(self._action.tag) or address not in self.shared

    @property
    def shared(self) -> dict[str, str]:
        """Return those addresses that another resource in service here has on the same device → its name."""
        found = neighbours(self._action.settings.run_dir, self._action.tag, self._given.carrier)
        return {each: tag for each, tag in found.items() if each in self._addresses}

    @property
    def was_taken_off(self) -> bool:
        """Tell whether the address is missing although it was started here in this boot, and not stopped since."""
        action = self._action
        if not self._addresses:
            return False
        try:
            current = action.intentions.current()
            return (
                current is not None
                and current.direction is Direction.UP
                and action.registry.in_service(action.tag)
                and not all(self._device.has(each, self._soon) for each in self._addresses)
            )
        except Ec2KitError:
            return False  # what cannot be seen is not put right

    # -- start and stop --

    def put_on(self, put: list[str]) -> None:
        """
        Put the addresses on the device.

        Args:
            put: Gets each address that was not there before, also if a later one fails.
        """
        self._put_on(put)
        for each in put:
            self._action.log.put(catalogue.ADDRESS_PUT_ON, device=self._given.carrier, address=each)

    def take_off(self, addresses: Sequence[str] | None = None) -> bool:
        """
        Take addresses and their ways off; return False if one may still be there.

        An address that another resource has here, which moves it in other tables, stays for that resource.

        Args:
            addresses: None: all addresses of the resource.
        """
        taken = [self._take_off(each) for each in (self._addresses if addresses is None else addresses)]
        return all(taken)

    def _take_off(self, address: str) -> bool:
        fields = {"device": self._given.carrier, "address": address}
        if address in self.shared:
            return True
        try:
            taken = self._device.take_off(address, self._soon)
        except OwnTrouble as error:
            self._action.log.put(catalogue.ADDRESS_STAYS_ON, **fields, reason=str(error))
            return False
        if taken:
            self._action.log.put(catalogue.ADDRESS_TAKEN_OFF, **fields)
        self._take_way_off(address)
        return True

    def wait_for_last_packet(self) -> None:
        """Wait until packets to the addresses, which another server has taken over, no longer arrive here."""
        from ec2kit.frameworks.pacemaker import handover

        if self.is_partly_here() and self._addresses:
            handover.wait_for_last_packet(self._action, self._addresses, self._given.device)

    def _put_on(self, put: list[str]) -> None:
        for each in self._addresses:
            if self._device.put_on(each, self._action.deadline, label=self._given.label):
                put.append(each)

    def _take_way_off(self, address: str) -> None:
        from ec2kit.host import reply_path

        if is_ipv4(address) and reply_path.take_off(address, self._action.settings, self._soon):
            self._action.log.put(catalogue.REPLY_RULE_OFF, address=address)

    def put_way_on(self) -> None:
        """Put the rule on by which replies leave by the device of the ENI, if they do not; trouble is logged."""
        for each in self._right_ways():
            self._action.log.put(catalogue.REPLY_RULE_ON, **each)

    def await_packets(self) -> None:
        """
        Wait until the kernel accepts packets to the addresses; put those on again that something else took off.

        Raises:
            Ec2KitError: It does not accept them in time.
            Overtaken: A stop came meanwhile.
        """
        limit = self._action.deadline.within(min(_TO_SETTLE, self._action.deadline.remaining() / 2))
        while True:
            trouble = {each: why for each in self._addresses if (why := self._device.trouble_with(each, self._soon))}
            if not trouble:
                return
            if ABSENT in trouble.values() and limit.remaining() >= _PAUSE and self.put_back() is None:
                raise Overtaken(newer="stop was asked for")
            if limit.remaining() < _PAUSE:
                address, reason = next(iter(trouble.items()))
                fields = {"address": address, "device": self._given.carrier, "reason": reason}
                raise Ec2KitError(catalogue.ADDRESS_UNUSABLE, **fields)
            limit.pause(_PAUSE, f"{', '.join(trouble)} on {self._given.carrier}")

    # -- monitor --

    def put_back(self) -> Notice | None:
        """
        Put the address on again after something else took it off; a stop cannot come in between.

        Returns:
            The message of what was done, which is logged; None if a stop came first.

        Raises:
            Ec2KitError: The address cannot be put on, or the device does not get its own address back in time.
        """
        action = self._action
        self._wait_for_own_address()
        current = action.intentions.current()
        if current is None or current.direction is not Direction.UP:
            return None
        try:
            put: list[str] = []
            action.intentions.settle(current, partial(self._put_on, put), action.deadline)
        except Overtaken:
            return None
        fields = {**self._fields, "address": ", ".join(put) or self._given.address}
        return self._log(catalogue.ADDRESS_PUT_BACK, **fields, manager=self._manager)

    def _wait_for_own_address(self) -> None:
        """
        Wait while the device is without its own address, for half of the time at most.

        NetworkManager takes a device on which it finds only a foreign address for configured by others, and does not
        give its own address back when the carrier comes again.
        """
        given, deadline = self._given, self._action.deadline
        enough = deadline.remaining() / 2
        while given.carrier == given.device and not self._has_own_address:
            if deadline.remaining() < enough:
                raise InterfaceUnknown(device=given.device, reason="it has no address of its own at present")
            deadline.pause(_PAUSE, f"{given.device} without an address of its own")

    @property
    def _has_own_address(self) -> bool:
        here = carried(self._action.settings, self._soon)
        return any(each.device == self._given.device and each.address not in self._addresses for each in here)

    def put_way_back(self) -> Notice | None:
        """Put rules on again, if replies leave by another device; return the last message; all are logged."""
        told = None
        for each in self._right_ways(again_after=A_MOMENT):
            told = self._log(catalogue.REPLY_RULE_BACK, **each, manager=self._manager)
        return told

    def _right_ways(self, *, again_after: float = 0.0) -> Iterator[dict[str, object]]:
        """Correct the ways of replies from IPv4 addresses; yield the fields of a message for each that changed."""
        for each in filter(is_ipv4, self._addresses):
            fields = right_way(self._action, each, self._place, self._soon, again_after=again_after)
            if fields is not None:
                yield fields

    @property
    def _manager(self) -> str:
        from ec2kit.host import manager

        return manager.name_of(self._given.carrier, self._action.settings, self._soon)

    def _log(self, message: catalogue.Message, **fields: object) -> Notice:
        self._action.log.put(message, **fields)
        return message, fields

    @property
    def _fields(self) -> dict[str, object]:
        return {"device": self._given.carrier, "address": self._given.address}

    @property
    def _addresses(self) -> tuple[str, ...]:
        return self._given.on_the_device

    @property
    def _device(self) -> Device:
        return Device(self._given.carrier, self._action.settings)

    @property
    def _soon(self) -> Deadline:
        return Deadline(max(_MOMENT, self._action.deadline.remaining()))

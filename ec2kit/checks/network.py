"""These checks look at this server's own network: who may take the address off, and where replies leave."""

from __future__ import annotations

from ec2kit.checks.preflight import Preflight
from ec2kit.finding import Finding, Findings, Outcome
from ec2kit.host import manager, reply_path
from ec2kit.host.device import Device
from ec2kit.host.ip import Carried, carried
from ec2kit.resource import hosts, is_ipv4

_STRICT = 1
"""The filter that drops a packet if a reply to it would leave by another device."""


def keeper(it: Preflight) -> Findings:
    """
    Tell whether a manager of the device may take the address off it.

    The address is looked for first: another program may put it on another device than that of the ENI.
    """
    if not it.scenario.ON_THE_DEVICE or not hosts(it.resource.address):
        return
    name, address = "address keeper", ", ".join(hosts(it.resource.address))
    on = [each.device for each in _on_here(it)]
    device = on[0] if on else it.address_device or it.server.device
    found = manager.manager_of(device, it.settings, it.action.deadline)
    if found is None:
        yield Finding(name, Outcome.OK, f"no manager is seen that takes {address} off {device}")
    elif found.keeps and found.pending:
        advice = "it counts after the next `networkctl reload` or boot"
        yield Finding(name, Outcome.NOTE, f"{found.name} manages {device}, and its new files keep {address}", advice)
    elif found.keeps:
        yield Finding(name, Outcome.OK, f"{found.name} manages {device}, and keeps {address} there")
    else:
        taken = f"{found.name} manages {device}: {found.takes} {address} off"
        yield Finding(name, Outcome.WARN, taken, _protection(it, found, device))


def _protection(it: Preflight, found: manager.Manager, device: str) -> str:
    if found.is_networkd:
        addresses = "; ".join(
            f"ec2kit network protect --address {each} --device {device}" for each in hosts(it.resource.address)
        )
        return f"run `{addresses}`"
    if found.name == manager.DHCLIENT:
        return "give the address a label (iflabel), which dhclient leaves alone, or put it on lo (address_device=lo)"
    return "put the address on lo (address_device=lo), where no manager looks for it; see docs/pacemaker.md"


def _on_here(it: Preflight) -> list[Carried]:
    here = carried(it.settings, it.action.deadline)
    return [each for each in here if each.address in hosts(it.resource.address)]


def standby(it: Preflight) -> Findings:
    """Warn of an address that is on a server which does not have the resource in service."""
    if not it.scenario.ON_THE_DEVICE or not it.stands_by:
        return
    for each in _on_here(it):
        found = f"{each.address} is on {each.device} of this server, which stands by"
        advice = "take it off, and out of the network configuration: two servers must not have it at once"
        yield Finding("address on a standby", Outcome.WARN, found, advice)


def reply_way(it: Preflight) -> Findings:
    """
    Tell whether replies to clients leave by the device; only this server's own rules and routes are asked.

    The source of a reply is the address that moves, if it is on the device, otherwise the private address.
    """
    moving = [each for each in hosts(it.resource.address) if is_ipv4(each)] if it.scenario.ON_THE_DEVICE else []
    for each in moving:
        yield from _from_the_address(it, each)
    if not moving:
        yield _from_the_private_address(it)


def _from_the_private_address(it: Preflight) -> Finding:
    destination = it.making.replies_to(it.interface)
    source, device = it.server.private_ip_address, it.server.device
    by = Device(device, it.settings).device_for(source, destination, it.action.deadline)
    found = f"from {source} to {destination} packets leave by {by or 'no device'}"
    if by == device:
        return Finding("reply path", Outcome.OK, found)
    advice = f"add source routing so that they leave by {device}, otherwise EC2 drops them"
    return Finding("reply path", Outcome.WARN, found, advice)


def _from_the_address(it: Preflight, address: str) -> Findings:
    name, device = "reply path", it.server.device
    blocks = it.interface.vpc_cidr_blocks
    way, strays = reply_path.look(address, device, blocks, it.settings, it.action.deadline)
    if not strays:
        yield Finding(name, Outcome.OK, f"from {address} packets leave by {device}")
        return
    destination, by = strays[0]
    found = f"from {address} to {destination} packets leave by {by}"
    if it.brings_its_way and way is not None:
        yield Finding(name, Outcome.OK, f"{found}, until start puts on a rule of its own")
        return
    advice = f"add a rule from {address} whose table leads by {device}, otherwise EC2 drops the replies"
    yield Finding(name, Outcome.WARN, found, advice)
    if manager.reverse_path_filter(device, it.settings) == _STRICT:
        found = f"rp_filter is 1 for {device}, so packets to {address} are dropped when they arrive"
        advice = f"set net.ipv4.conf.{device}.rp_filter=2: of `all` and the device the larger value counts"
        yield Finding("reverse path", Outcome.WARN, found, advice)

"""This instance, as its metadata service describes it: id, region, VPC, and the ENI of a device."""

from __future__ import annotations

import http.client
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from ipaddress import IPv4Address, IPv4Network
from urllib.parse import urlsplit

from ec2kit.deadline import Abandoned, Deadline, abandonable
from ec2kit.errors import Ec2KitError, ImdsSilent, InterfaceUnknown, StateUnusable
from ec2kit.nic import Nic, devices
from ec2kit.settings import Settings
from ec2kit.state import Damaged, StateFile, boot_id

_TRIES = 3
_LARGEST = 65536
_SESSION_SECONDS = "300"

_TOKEN = re.compile(r"[!-~]+")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")


@dataclass(frozen=True)
class Identity:
    """Which instance this is; it does not change while the instance runs."""

    instance_id: str
    region: str
    availability_zone: str


@dataclass(frozen=True)
class Interface:
    """
    The ENI behind a device.

    Attributes:
        private_ip_addresses: The primary one first.
        vpc_cidr_blocks: All IPv4 blocks of its VPC.
    """

    device: str
    network_interface_id: str
    private_ip_addresses: tuple[str, ...]
    vpc_id: str
    vpc_cidr_blocks: tuple[str, ...]


# -- the forms of items -----------------------------------------------------------------------------------------

_Form = Callable[[str], bool]


def _is_identifier(text: str) -> bool:
    """Whether it could be an id, a zone or a region: "i-0a1b2c3d", "us-east-1-bos-1a"."""
    return _IDENTIFIER.fullmatch(text) is not None


def _are_addresses(text: str) -> bool:
    """Whether it is a list of IPv4 addresses, one at least."""
    return _all_are(text, IPv4Address)


def _are_blocks(text: str) -> bool:
    """Whether it is a list of IPv4 blocks, one at least."""
    return _all_are(text, IPv4Network)


def _all_are(text: str, kind: type[IPv4Address | IPv4Network]) -> bool:
    try:
        return len([kind(each) for each in text.split()]) > 0
    except ValueError:
        return False


# -- asking ----------------------------------------------------------------------------------------------------


class Metadata:
    """
    The instance metadata service, version 2 only, never through a proxy.

    Source: EC2 user guide, "Use the Instance Metadata Service to access instance metadata".
    """

    def __init__(self, settings: Settings, deadline: Deadline) -> None:
        self._url = settings.metadata_url
        self._seconds = settings.connect_timeout
        self._deadline = deadline
        self._token = ""

    def get(self, path: str) -> str | None:
        """
        One item below /latest/; None if the instance has no such item.

        Raises:
            ImdsSilent: No usable answer, after a few tries.
        """
        reason = ""
        for _ in range(_TRIES):
            try:
                return self._ask(path)
            except (OSError, http.client.HTTPException, ValueError) as error:
                reason = f"{error}"
            self._token = ""
            if self._deadline.passed:
                break
        raise ImdsSilent(endpoint=self._url, reason=reason)

    def need(self, path: str, form: _Form = bool) -> str:
        """
        One item that every instance has.

        Raises:
            ImdsSilent: It is not there, or not of its form: something else answers in the service's place.
        """
        value = self.get(path)
        if not value:
            raise ImdsSilent(endpoint=self._url, reason=f"it has no /latest/{path}")
        return self.checked(path, value, form)

    def checked(self, path: str, value: str, form: _Form) -> str:
        """The value of an item, if it is of its form; raises ImdsSilent else."""
        if not form(value):
            raise ImdsSilent(endpoint=self._url, reason=f"its /latest/{path} is {value[:60]!a}")
        return value

    def _ask(self, path: str) -> str | None:
        if not self._token:
            self._token = self._new_token()
        return self._request("GET", f"/latest/{path}", {"X-aws-ec2-metadata-token": self._token})

    def _new_token(self) -> str:
        """Raises ValueError without the text: what cannot be sent as a header may be a token all the same."""
        token = self._request("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": _SESSION_SECONDS})
        if not token or not _TOKEN.fullmatch(token):
            raise ValueError("what it gives for a session is no token")
        return token

    def _request(self, method: str, path: str, headers: dict[str, str]) -> str | None:
        """One request, left behind when it takes longer than its time."""
        try:
            work = partial(self._exchange, method, path, headers)
            return abandonable(work, self._deadline.within(self._seconds))
        except Abandoned as error:
            raise TimeoutError(f"none to {path} within {self._seconds:g} s") from error

    def _exchange(self, method: str, path: str, headers: dict[str, str]) -> str | None:
        where = urlsplit(self._url)
        connection = http.client.HTTPConnection(where.hostname or "", where.port or 80, timeout=self._seconds)
        try:
            connection.request(method, path, headers=headers)
            with connection.getresponse() as answer:
                body = answer.read(_LARGEST)
                is_whole = not answer.length  # bytes that are still to come
        finally:
            connection.close()
        if not is_whole:
            raise ValueError(f"a cut or endless answer to {method} {path}")
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise ValueError(f"HTTP {answer.status} to {method} {path}")
        return body.decode("ascii").strip()


def identity(settings: Settings, deadline: Deadline) -> Identity:
    """
    Which instance this is; asked once a boot and kept in EC2KIT_RUN_DIR.

    Raises:
        ImdsSilent: It was not known yet, and IMDS does not say.
    """
    file = StateFile(os.path.join(settings.run_dir, "identity.json"))
    key = {"boot": boot_id(), "metadata_url": settings.metadata_url}
    with suppress(Damaged, KeyError, StateUnusable):
        kept = file.read()
        if kept and all(kept.get(name) == value for name, value in key.items()):
            known = [str(kept[name]) for name in Identity.__dataclass_fields__]
            if all(map(_is_identifier, known)):
                return Identity(*known)
    found = _ask_identity(Metadata(settings, deadline))
    with suppress(StateUnusable):  # it is asked again the next time
        file.write({**key, **asdict(found)})
    return found


def _ask_identity(metadata: Metadata) -> Identity:
    zone = metadata.need("meta-data/placement/availability-zone", _is_identifier)
    place = "meta-data/placement/region"
    region = metadata.get(place) or zone.rstrip("abcdefghijklmnopqrstuvwxyz")
    instance_id = metadata.need("meta-data/instance-id", _is_identifier)
    return Identity(instance_id, metadata.checked(place, region, _is_identifier), zone)


def interface(device: str, settings: Settings, deadline: Deadline) -> Interface:
    """
    The ENI behind a device, found by its MAC address.

    Raises:
        InterfaceUnknown: There is no such device, or it is no ENI of this instance.
        ImdsSilent: IMDS does not say.
    """
    mac = Nic(device, settings).mac if device and "/" not in device and device not in (".", "..") else None
    if not mac:
        raise InterfaceUnknown(device=ascii(device), reason=f"the devices here are: {', '.join(devices(settings))}")
    metadata = Metadata(settings, deadline)
    base = f"meta-data/network/interfaces/macs/{mac}"
    network_interface_id = metadata.get(f"{base}/interface-id")
    if not network_interface_id:
        raise InterfaceUnknown(device=ascii(device), reason=f"IMDS knows no interface with its MAC address {mac}")
    return Interface(
        device=device,
        network_interface_id=metadata.checked(f"{base}/interface-id", network_interface_id, _is_identifier),
        private_ip_addresses=tuple(metadata.need(f"{base}/local-ipv4s", _are_addresses).split()),
        vpc_id=metadata.need(f"{base}/vpc-id", _is_identifier),
        vpc_cidr_blocks=tuple(metadata.need(f"{base}/vpc-ipv4-cidr-blocks", _are_blocks).split()),
    )


def device_of(network_interface_id: str, settings: Settings, deadline: Deadline) -> str:
    """
    The device behind an ENI.

    Raises:
        InterfaceUnknown: None of this server's devices is that ENI.
        ImdsSilent: IMDS does not say.
    """
    for each in interfaces(settings, deadline):
        if each.network_interface_id == network_interface_id:
            return each.device
    raise InterfaceUnknown(device=network_interface_id, reason="none of this server's devices is that ENI")


def interfaces(settings: Settings, deadline: Deadline) -> Iterator[Interface]:
    """
    The ENIs behind this server's devices; a device that is none, or cannot be read, is left out.

    Raises:
        ImdsSilent: IMDS does not say.
    """
    for device in devices(settings):
        try:
            yield interface(device, settings, deadline)
        except Ec2KitError as error:
            if isinstance(error, ImdsSilent):
                raise


def primary_device(settings: Settings, deadline: Deadline) -> str:
    """
    The device of the instance's primary ENI.

    Raises:
        InterfaceUnknown: No device has its MAC address.
        ImdsSilent: IMDS does not say.
    """
    mac = Metadata(settings, deadline).need("meta-data/mac")
    for device in devices(settings):
        if Nic(device, settings).mac == mac:
            return device
    raise InterfaceUnknown(device="with the primary ENI", reason=f"no device has its MAC address {mac}")

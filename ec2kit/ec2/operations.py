"""
EC2 is asked, or asked to change something, by one method for each operation of its API that the kit calls.

The policy in etc/ grants each of these operations and no other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

from ec2kit import errors
from ec2kit.deadline import Deadline, side_by_side
from ec2kit.ec2 import answers
from ec2kit.ec2.answers import (
    DESTINATIONS,
    TARGETS,
    Address,
    Holder,
    NetworkInterface,
    Receipt,
    RouteTable,
    RouteTables,
    SubnetTable,
    kind_of,
)
from ec2kit.ec2.client import IN_FLIGHT, Client
from ec2kit.ec2.model import ROUTE_53
from ec2kit.ec2.pace import Pace, SharedBucket
from ec2kit.ec2.request import Requests
from ec2kit.ec2.ways import Ways
from ec2kit.errors import AwsRefused, AwsUnknown, PermissionMissing
from ec2kit.messages.log import Log
from ec2kit.settings import Settings

if TYPE_CHECKING:
    from ec2kit.ec2.route53 import Route53
    from ec2kit.role import Role

_ROUTE_53_RATE = 5.0
"""
Requests to Route 53 at once, and in a second.

Source: Route 53 developer guide, "Maximums on API requests": five requests a second for an account.
"""

_MOST_PAGES = 200
"""
The maximum number of pages of one answer: one for each table that a VPC may have. A listing with more pages is
broken, and following it would use up the account's request rate. Source: Amazon VPC quotas, "Route tables per VPC".
"""


MOST_VALUES = 200
"""Maximum values of one filter. Source: EC2 user guide, "List and filter using the CLI and API"."""


Item = TypeVar("Item")
Found = TypeVar("Found")

_Page = tuple[list[Item], "str | None"]

_MEMBERS = {**DESTINATIONS, **TARGETS}


class Ec2:
    """
    Ask EC2 on behalf of one action.

    Args:
        guard: Raises if this action may not go on; watched while it waits for an answer, or for its turn.
        permit: Raises if a write may not leave; called right before each write. None: the guard.
        look_retries: Maximum retries of a look-up. None: as many as fit into the deadline.
        write_retries: Maximum retries of an updating request, at most EC2_MAX_RETRY. None: EC2_MAX_RETRY.
        repeats_writes: False: the caller decides about each retry of a write. True: the caller decides only about a
            write that may have been carried out, after looking.
        shared_bucket: Gives the bucket by which an operation's writes of all actions of this server are paced, by the
            operation, or by "111122223333.ReplaceRoute" in the account of a role. None: this action is paced alone.
        queues: False: writes do not wait for their turn.
        note_write: Called right before a write leaves, and when it has ended.
        caller: The resource and the server, which the sessions of roles are called after.
    """

    def __init__(
        self,
        *,
        region: str,
        settings: Settings,
        deadline: Deadline,
        log: Log,
        user_agent: str,
        guard: Callable[[], None],
        permit: Callable[[], None] | None = None,
        look_retries: int | None = None,
        write_retries: int | None = None,
        repeats_writes: bool = True,
        shared_bucket: Callable[[str], SharedBucket] | None = None,
        queues: bool = True,
        note_write: Callable[[], None] | None = None,
        caller: tuple[str, str] = ("", "ec2kit"),
    ) -> None:
        self._settings, self._deadline = settings, deadline
        self._ignores_dry_run: list[errors.DryRunUnknown] = []
        self._caller = caller
        self._under: dict[Role, Ec2] = {}
        client_of = partial(Client, region=region, settings=settings, log=log, user_agent=user_agent)

        def pace_of(account: str, *, most: float = math.inf) -> Pace:
            return Pace(
                burst=min(settings.write_burst, most),
                rate=min(settings.write_rate, most),
                clock=deadline.clock,
                share=_of_account(account, shared_bucket) if account and shared_bucket else shared_bucket,
                queues=queues,
            )

        def requests_by(client: Client, ways: Ways, pace: Pace, *, one_bucket: str = "") -> Requests:
            return Requests(
                client,
                ways,
                pace,
                settings=settings,
                deadline=deadline,
                log=log,
                guard=guard,
                permit=permit or guard,
                look_retries=look_retries,
                write_retries=write_retries,
                repeats_writes=repeats_writes,
                note_write=note_write or (lambda: None),
                one_bucket=one_bucket,
            )

        self._client = client_of()
        self._ways = Ways(settings.endpoints, settings, region=region, log=log)
        self._pace_of, self._paces = pace_of, {"": pace_of("")}
        self._requests = requests_by(self._client, self._ways, self._paces[""])

        def requests_to_route53() -> Requests:
            ways = Ways((), settings, region=region, log=log)
            client = client_of(service=ROUTE_53)
            return requests_by(client, ways, pace_of("", most=_ROUTE_53_RATE), one_bucket=ROUTE_53.name)

        self._requests_to_route53 = requests_to_route53

    def under(self, role: Role | None) -> Ec2:
        """
        Return EC2 as the same action asks it under a role; its writes keep the pace of the role's account.

        Args:
            role: None: none but the server's own credentials.
        """
        if role is None:
            return self
        if role not in self._under:
            from ec2kit.role import session_name

            account, view = role.account_id, copy(self)
            named = role._replace(session_name=session_name(*self._caller))
            pace = self._paces.setdefault(account, self._pace_of(account))
            view._requests = self._requests.under(named, pace)  # noqa: SLF001  (of its own kind)
            self._under.setdefault(role, view)
        return self._under[role]

    def together(self, looks: Sequence[Callable[[], Found]]) -> list[Found | Exception]:
        """Do looks side by side, within the deadline of the action; an error is the outcome of its look alone."""
        return side_by_side(looks, self._deadline, at_most=IN_FLIGHT)

    @cached_property
    def route53(self) -> Route53:
        """Return Route 53 as this action asks it: by the same credentials, deadline, guard and permit."""
        from ec2kit.ec2.route53 import Route53

        return Route53(self._requests_to_route53())

    def has_sent(self, operation: str, targets: Iterable[object]) -> bool:
        """Tell whether such an updating request about one of the targets has left, and its outcome is unknown."""
        if "route53" in self.__dict__ and self.route53.has_sent(operation, targets):
            return True
        return self._requests.has_sent(operation, targets)

    def beside_next(self, begin: Callable[[], None]) -> None:
        """
        Begin other work as soon as the next request has left, so that the work does not hold that request up.

        Args:
            begin: Called once, in a thread that waits for an answer; returns at once and raises nothing. It is not
                called if no request leaves.
        """
        self._requests.beside_next(begin)

    @property
    def credentials(self) -> str:
        """Return the way to this server's credentials, as `Client.credentials` does."""
        return self._client.credentials

    @property
    def way(self) -> str:
        """Return the way by which EC2 answered last, "regional via http://10.0.0.9:3128"; "none yet" before."""
        used = self._ways.in_use
        return (used.name or self._client.endpoint) if used else "none yet"

    def first_hops(self) -> tuple[str, ...]:
        """Return the addresses of the proxy of the last request, or of its endpoint; () before and where unknown."""
        return self._client.first_hops()

    # -- looking ---------------------------------------------------------------------------------------

    def route_tables(self, *, vpc_id: str, destinations: Sequence[str], tag: str = "") -> RouteTables:
        """
        Return the tables of a VPC that hold a route to any of these destinations, with these routes, from all pages.

        Each request asks for as many destinations as a filter takes; after one without an answer no other is made.

        Args:
            tag: "KEY=VALUE": return all tables that have the tag, also without such a route, and no other table.

        Source: EC2 API, DescribeRouteTables; without MaxResults it may still answer in pages.
        """
        if tag:
            key, _, value = tag.partition("=")
            return self._some_route_tables(vpc_id, f"tag:{key}", [literally(value)], destinations, others_too=True)
        parts: list[RouteTables] = []
        for kind in dict.fromkeys(map(kind_of, destinations)):
            alike = [each for each in destinations if kind_of(each) == kind]
            for first in range(0, len(alike), MOST_VALUES):
                asked = alike[first : first + MOST_VALUES]
                parts.append(self._some_route_tables(vpc_id, f"route.{kind.replace('_', '-')}", asked, asked))
                if parts[-1].unknown is not None:
                    return answers.together(parts)
        return parts[0] if len(parts) == 1 else answers.together(parts)

    def _some_route_tables(
        self, vpc_id: str, name: str, values: Sequence[str], destinations: Sequence[str], *, others_too: bool = False
    ) -> RouteTables:
        filters = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": name, "Values": [*values]}]
        tables: list[RouteTable] = []
        tokens: set[str] = set()
        more: dict[str, str] = {}
        while True:
            try:
                page, token = self._requests.look("DescribeRouteTables", vpc_id, {"Filters": filters, **more}, _page)
                tables += page
                if token in tokens:
                    raise self._requests.garbled("DescribeRouteTables", "it repeats a page")
                if token and len(tokens) == _MOST_PAGES - 1:
                    reason = f"its pages have no end: {_MOST_PAGES} were read"
                    raise self._requests.garbled("DescribeRouteTables", reason)
            except (AwsUnknown, AwsRefused, errors.DeadlinePassed) as error:
                return RouteTables(answers.holding(tables, destinations, others_too=others_too), unknown=error)
            if not token:
                return RouteTables(answers.holding(tables, destinations, others_too=others_too))
            tokens.add(token)
            more = {"NextToken": token}

    def subnet_tables(self, vpc_id: str) -> list[SubnetTable]:
        """
        Return all route tables of a VPC with all their routes.

        Source: EC2 API, DescribeRouteTables.
        """
        asked = {"Filters": [{"Name": "vpc-id", "Values": [vpc_id]}]}
        read = _paged(answers.subnet_tables)
        return self._all_pages(
            lambda more: self._requests.look("DescribeRouteTables", vpc_id, {**asked, **more}, read), vpc_id
        )

    def subnets_of(self, instance_id: str) -> dict[str, str]:
        """
        Return ENI → subnet for the ENIs of an instance.

        Source: EC2 API, DescribeNetworkInterfaces.
        """
        asked = {"Filters": [{"Name": "attachment.instance-id", "Values": [instance_id]}]}
        read = _paged(answers.subnets)
        found = self._all_pages(
            lambda more: self._requests.look("DescribeNetworkInterfaces", instance_id, {**asked, **more}, read),
            instance_id,
        )
        return dict(found)

    def prefix_list_entries(self, prefix_list_id: str) -> list[str]:
        """
        Return the blocks of a managed prefix list.

        Source: EC2 API, GetManagedPrefixListEntries.
        """
        asked = {"PrefixListId": prefix_list_id}
        read = _paged(answers.prefix_list_entries)
        return self._all_pages(
            lambda more: self._requests.look("GetManagedPrefixListEntries", prefix_list_id, {**asked, **more}, read),
            prefix_list_id,
        )

    def _all_pages(self, ask: Callable[[dict[str, str]], _Page[Item]], target: str) -> list[Item]:
        """
        Return what is on all pages of an answer.

        Args:
            ask: Asks for one page, given the token in the form of a parameter; its errors are raised.
        """
        found: list[Item] = []
        tokens: set[str] = set()
        more: dict[str, str] = {}
        while True:
            page, token = ask(more)
            found += page
            if not token:
                return found
            if token in tokens or len(tokens) == _MOST_PAGES - 1:
                raise self._requests.garbled(f"a question about {target}", "its pages have no end")
            tokens.add(token)
            more = {"NextToken": token}

    def addresses(self) -> tuple[Address, ...]:
        """
        Return all Elastic IPs of the account in the region; there are few, and the neighbours matter too.

        Source: EC2 API, DescribeAddresses; it has no pages.
        """
        return self._requests.look("DescribeAddresses", "the Elastic IPs", {}, answers.addresses)

    def holders(self, *, vpc_id: str, addresses: Sequence[str]) -> tuple[Holder, ...]:
        """
        Return those of these private addresses that an ENI of the VPC has, from all pages; the others are free.

        Source: EC2 API, DescribeNetworkInterfaces.
        """
        found: list[Holder] = []
        for name, is_ipv6 in (("addresses.private-ip-address", False), ("ipv6-addresses.ipv6-address", True)):
            wanted = [each for each in addresses if (":" in each) is is_ipv6]
            for first in range(0, len(wanted), MOST_VALUES):
                found += self._some_holders(vpc_id, name, wanted[first : first + MOST_VALUES])
        return tuple(each for each in found if each.address in addresses)

    def _some_holders(self, vpc_id: str, name: str, addresses: list[str]) -> list[Holder]:
        filters = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": name, "Values": addresses}]
        found: list[Holder] = []
        tokens: set[str] = set()
        more: dict[str, str] = {}
        while True:
            question = {"Filters": filters, **more}
            page, token = self._requests.look("DescribeNetworkInterfaces", vpc_id, question, _page_of_holders)
            found += page
            if not token:
                return found
            if token in tokens or len(tokens) == _MOST_PAGES:
                raise self._requests.garbled("DescribeNetworkInterfaces", "its pages have no end")
            tokens.add(token)
            more = {"NextToken": token}

    def shown_by_metadata(self, mac_address: str) -> frozenset[str]:
        """
        Return the addresses that IMDS shows of an ENI of this server, of IPv4 and of IPv6.

        Raises:
            ImdsSilent: IMDS does not say.

        Source: EC2 API, AssignPrivateIpAddresses: a move is complete when the metadata show the address.
        """
        from ec2kit.host.instance import addresses_of

        return addresses_of(mac_address, self._settings, self._deadline)

    def addresses_listed(self, mac_address: str, kind: str) -> tuple[str, ...]:
        """
        Return the addresses of one kind that IMDS lists of an ENI of this server, in IMDS's order.

        Args:
            kind: "public-ipv4s" or "ipv6s".

        Raises:
            ImdsSilent: IMDS does not say.
        """
        from ec2kit.host.instance import addresses_listed

        return addresses_listed(mac_address, kind, self._settings, self._deadline)

    def network_interface(self, network_interface_id: str, *, retries: int | None = None) -> NetworkInterface:
        """
        Return one ENI.

        Raises:
            PermissionMissing: The role may not look; nothing depends on it.

        Source: EC2 API, DescribeNetworkInterfaces.
        """
        question = {"NetworkInterfaceIds": [network_interface_id]}
        read = answers.network_interface
        return self._requests.look("DescribeNetworkInterfaces", network_interface_id, question, read, retries=retries)

    def automatic_recovery(self, instance_id: str, *, retries: int | None = None) -> str:
        """
        Return what EC2 does with the instance when its host fails: "default" (recovery) or "disabled".

        Source: EC2 API, DescribeInstances, MaintenanceOptions.
        """
        question = {"InstanceIds": [instance_id]}
        return self._requests.look(
            "DescribeInstances", instance_id, question, answers.automatic_recovery, retries=retries
        )

    def is_allowed(self, operation: str, **parameters: Any) -> bool:
        """
        Tell whether the role has the permission, by DryRun: nothing is looked up or changed.

        Raises:
            AwsUnknown, AwsRefused: EC2 does not say.
            DryRunUnknown: The endpoint ignores DryRun; after that, it is never asked by this way again.

        Source: EC2 API, DryRun: DryRunOperation is yes, UnauthorizedOperation is no.
        """
        if self._ignores_dry_run:
            raise self._ignores_dry_run[0]
        try:
            self._requests.look(operation, "this account", {**parameters, "DryRun": True}, answers.nothing)
        except PermissionMissing:
            return False
        except AwsRefused as refusal:
            if refusal.code != "DryRunOperation":
                raise
            return True
        self._ignores_dry_run.append(errors.DryRunUnknown(endpoint=self._client.endpoint, operation=operation))
        raise self._ignores_dry_run[0]

    def credentials_method(self) -> str:
        """
        Return the way by which the SDK finds credentials.

        "iam-role" is the instance's own role; others are "env", "config-file", …

        Raises:
            CredentialsMissing: The SDK finds none in time.
            ConfigurationInvalid: The SDK cannot look for them as configured.

        Source: botocore, Credentials.method and the names of its providers.
        """
        return self._requests.credentials_method()

    # -- changing --------------------------------------------------------------------------------------

    def replace_route(self, *, route_table_id: str, target: str = "", **named: str) -> Receipt:
        """
        Point one route at an ENI, or at another target; the route must exist, none is created.

        Args:
            target: The name of the route, if several routes of the table may be changed at once; default: the table.
            named: The destination and the target by their kinds, keys of `answers.DESTINATIONS` and
                `answers.TARGETS`; destination_cidr_block is "10.1.0.10/32" for a virtual IP.

        Raises:
            AwsRefused: There is no such table, route or target.
            AwsUnknown: There is no usable answer; `uncertain` tells whether the change may have been carried out.

        Source: EC2 API, ReplaceRoute.
        """
        parameters = {"RouteTableId": route_table_id, **{_MEMBERS[kind]: each for kind, each in named.items()}}
        return self._requests.change("ReplaceRoute", target or route_table_id, parameters)

    def create_route(self, *, route_table_id: str, target: str = "", **named: str) -> Receipt:
        """
        Make a route that the table does not have; the arguments are those of `replace_route`.

        Raises:
            AwsRefused: There is such a route (RouteAlreadyExists), or no such table or target, or the table is full.
            AwsUnknown: There is no usable answer; `uncertain` tells whether the route may have been made.

        Source: EC2 API, CreateRoute.
        """
        parameters = {"RouteTableId": route_table_id, **{_MEMBERS[kind]: each for kind, each in named.items()}}
        return self._requests.change("CreateRoute", target or route_table_id, parameters)

    def delete_route(self, *, route_table_id: str, target: str = "", **destination: str) -> Receipt:
        """
        Take a route out of a table.

        Raises:
            AwsRefused: There is no such route (InvalidRoute.NotFound).
            AwsUnknown: There is no usable answer; `uncertain` tells whether the route may be gone.

        Source: EC2 API, DeleteRoute.
        """
        named = {DESTINATIONS[kind]: each for kind, each in destination.items()}
        return self._requests.change(
            "DeleteRoute", target or route_table_id, {"RouteTableId": route_table_id, **named}
        )

    def associate_address(
        self, *, allocation_id: str, network_interface_id: str, private_ip_address: str, allow_reassociation: bool
    ) -> Receipt:
        """
        Associate an Elastic IP, wherever it is now.

        Args:
            allow_reassociation: False makes it conditional: EC2 refuses if another ENI has the address.

        Raises:
            AwsRefused: There is no such address or ENI, or it is associated elsewhere (Resource.AlreadyAssociated).
            AwsUnknown: There is no usable answer; `uncertain` tells whether the change may have been carried out.

        Source: EC2 API, AssociateAddress.
        """
        parameters = {
            "AllocationId": allocation_id,
            "NetworkInterfaceId": network_interface_id,
            "PrivateIpAddress": private_ip_address,
            "AllowReassociation": allow_reassociation,
        }
        return self._requests.change("AssociateAddress", allocation_id, parameters)

    def disassociate_address(self, *, association_id: str) -> Receipt:
        """
        End one association, and no other: the id is gone as soon as the address moves.

        Raises:
            AwsRefused: There is no such association any more (InvalidAssociationID.NotFound).

        Source: EC2 API, DisassociateAddress.
        """
        return self._requests.change("DisassociateAddress", association_id, {"AssociationId": association_id})

    def assign_private_ip_address(
        self, *, network_interface_id: str, private_ip_address: str, allow_reassignment: bool
    ) -> Receipt:
        """
        Give an ENI a private IPv4 address of its subnet, and take it from the ENI that has it.

        Args:
            allow_reassignment: False makes it conditional: EC2 refuses if another ENI has the address.

        Raises:
            AwsRefused: There is no such ENI, the address is outside its subnet, is a primary one, or is one too many.
            AwsUnknown: There is no usable answer; `uncertain` tells whether the change may have been carried out.

        Source: EC2 API, AssignPrivateIpAddresses.
        """
        parameters = {
            "NetworkInterfaceId": network_interface_id,
            "PrivateIpAddresses": [private_ip_address],
            "AllowReassignment": allow_reassignment,
        }
        return self._requests.change("AssignPrivateIpAddresses", private_ip_address, parameters)

    def unassign_private_ip_address(self, *, network_interface_id: str, private_ip_address: str) -> Receipt:
        """
        Take a secondary private IPv4 address from one ENI, and from no other.

        Raises:
            AwsRefused: The ENI does not have the address any more (InvalidParameterValue).

        Source: EC2 API, UnassignPrivateIpAddresses.
        """
        parameters = {"NetworkInterfaceId": network_interface_id, "PrivateIpAddresses": [private_ip_address]}
        return self._requests.change("UnassignPrivateIpAddresses", private_ip_address, parameters)

    def assign_ipv6_address(self, *, network_interface_id: str, ipv6_address: str) -> Receipt:
        """
        Give an ENI an IPv6 address of its subnet that no ENI has; EC2 takes it from none.

        Raises:
            AwsRefused: Another ENI has the address, or it is outside the subnet.

        Source: EC2 API, AssignIpv6Addresses, which has no reassignment.
        """
        parameters = {"NetworkInterfaceId": network_interface_id, "Ipv6Addresses": [ipv6_address]}
        return self._requests.change("AssignIpv6Addresses", ipv6_address, parameters)

    def unassign_ipv6_address(self, *, network_interface_id: str, ipv6_address: str) -> Receipt:
        """
        Take an IPv6 address from one ENI, and from no other.

        Raises:
            AwsRefused: The ENI does not have the address any more.

        Source: EC2 API, UnassignIpv6Addresses.
        """
        parameters = {"NetworkInterfaceId": network_interface_id, "Ipv6Addresses": [ipv6_address]}
        return self._requests.change("UnassignIpv6Addresses", ipv6_address, parameters)

    def switch_off_source_dest_check(self, *, network_interface_id: str, retries: int) -> Receipt:
        """
        Let an ENI receive packets for an address that is not its own.

        Source: EC2 API, ModifyNetworkInterfaceAttribute.
        """
        parameters = {"NetworkInterfaceId": network_interface_id, "SourceDestCheck": {"Value": False}}
        return self._requests.change(
            "ModifyNetworkInterfaceAttribute", network_interface_id, parameters, retries=retries
        )


def _of_account(account_id: str, shared_bucket: Callable[[str], SharedBucket]) -> Callable[[str], SharedBucket]:
    """Let the writes under a role be paced beside those of its account, as EC2 counts them."""
    return lambda name: shared_bucket(f"{account_id}.{name}")


def literally(value: str) -> str:
    """
    Return the value of a filter that stands for just this text, without wildcards.

    Source: EC2 user guide, "List and filter using the CLI and API".
    """
    return "".join(f"\\{each}" if each in "*?\\" else each for each in value)


def _paged(read: Callable[[Any], list[Item]]) -> Callable[[Any], _Page[Item]]:
    """Return a reader of a page and of the token for the next one."""
    return lambda answer: (read(answer), answer.get("NextToken"))


_page = _paged(answers.route_tables)
_page_of_holders = _paged(answers.holders)

"""
The one door to boto3: client and call, deadline, retries, error translation.

boto3 alone cannot keep a deadline: a body that drips defeats its read time-out, the resolver ignores alarms, and a
client that was built while IMDS was silent has no credentials for ever. So each attempt is made in a thread that
can be left behind, botocore makes one attempt per call, retries are ours, and a client without credentials is
built anew. Right before a request leaves, botocore's `before-send` event looks once more whether it still may.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ec2kit import answers, error_codes, errors, messages
from ec2kit.answers import Address, NetworkInterface, Receipt, RouteTable, RouteTables
from ec2kit.deadline import Abandoned, Deadline, abandonable
from ec2kit.errors import AwsRefused, AwsUnknown, PermissionMissing
from ec2kit.log import Log
from ec2kit.model import Loader
from ec2kit.pace import Pace, SharedBucket
from ec2kit.settings import Settings

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from botocore.session import Session
    from mypy_boto3_ec2 import EC2Client

Reduced = TypeVar("Reduced")

IN_FLIGHT = 32
"""Requests at a time, at most."""

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_LONGEST_READ_FACTOR = 4
_ANY_NUMBER = 1_000_000

_AN_ATTEMPT = 0.1
"""Seconds that one needs: begun with less it could only hide the reason of the ones before."""

_OF_THIS_PROCESS = "env"
"""Where the SDK finds keys that nobody renews meanwhile. Source: botocore, METHOD of the credential providers."""

_MOST_PAGES = 200
"""
Of one answer: one for each table that a VPC may have. A listing with more, in which each page leads to a new one, is
none, and following it would use up the account's request rate. Source: Amazon VPC quotas, "Route tables per VPC".
"""


class Ec2:
    """
    EC2, asked on behalf of one action.

    Args:
        guard: Raises when this action may not write any more; looked at right before each write.
        look_retries: How often a look-up is repeated; None: as often as fits into the deadline.
        write_retries: The same for an updating request, EC2_MAX_RETRY at most; None: EC2_MAX_RETRY.
        repeats_writes: False: each further try of a write is the caller's. Else only what may have been carried out
            is left to the caller, who looks first.
        shared_bucket: What paces the writes of all actions of this server; None: this one is paced alone.
        note_write: Called right before a write leaves, and when it has ended.
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
        look_retries: int | None = None,
        write_retries: int | None = None,
        repeats_writes: bool = True,
        shared_bucket: SharedBucket | None = None,
        note_write: Callable[[], None] | None = None,
    ) -> None:
        self._region = region
        self._settings = settings
        self._deadline = deadline
        self._log = log
        self._user_agent = user_agent
        self._guard = guard
        self._note_write = note_write or (lambda: None)
        self._look_retries = _ANY_NUMBER if look_retries is None else look_retries
        most = _ANY_NUMBER if settings.max_retry is None else int(settings.max_retry)
        self._write_retries = most if write_retries is None else min(most, write_retries)
        self._left_to_caller: type[AwsUnknown] | tuple[type[AwsUnknown], ...] = (
            _MAYBE_DONE if repeats_writes else AwsUnknown
        )
        self._unanswered: dict[tuple[str, str], _Tries] = {}
        self._pace = Pace(
            burst=settings.write_burst, rate=settings.write_rate, clock=deadline.clock, shared=shared_bucket
        )
        self._building = threading.Lock()
        self._client: EC2Client | None = None
        self._keys_stay = False
        self._attempt = threading.local()

    def has_sent(self, operation: str, targets: Iterable[object]) -> bool:
        """Whether such an updating request about one of them has left, and had no answer that tells of it."""
        tries = [self._unanswered.get((operation, str(each))) for each in targets]
        return any(each is not None and each.attempts > 0 for each in tries)

    # -- looking ---------------------------------------------------------------------------------------

    def route_tables(self, *, vpc_id: str, destination_cidr_block: str) -> RouteTables:
        """The tables of a VPC that hold a route to exactly this block, all pages."""
        return self.route_tables_with(vpc_id=vpc_id, destination_cidr_blocks=[destination_cidr_block])

    def route_tables_with(self, *, vpc_id: str, destination_cidr_blocks: Sequence[str]) -> RouteTables:
        """
        The tables of a VPC that hold a route to any of these blocks, all pages, with these routes.

        Source: EC2 API, DescribeRouteTables; without MaxResults it may still answer in pages.
        """
        filters = [
            {"Name": "vpc-id", "Values": [vpc_id]},
            {"Name": "route.destination-cidr-block", "Values": [*destination_cidr_blocks]},
        ]
        tables: list[RouteTable] = []
        tokens: set[str] = set()
        more: dict[str, str] = {}
        while True:
            try:
                page, token = self._look("DescribeRouteTables", vpc_id, {"Filters": filters, **more}, _page)
                tables += page
                if token in tokens:
                    raise self._garbled("DescribeRouteTables", "it repeats a page")
                if token and len(tokens) == _MOST_PAGES - 1:
                    raise self._garbled("DescribeRouteTables", f"its pages have no end: {_MOST_PAGES} were read")
            except (AwsUnknown, AwsRefused, errors.DeadlinePassed) as error:
                return RouteTables(answers.holding(tables, *destination_cidr_blocks), unknown=error)
            if not token:
                return RouteTables(answers.holding(tables, *destination_cidr_blocks))
            tokens.add(token)
            more = {"NextToken": token}

    def addresses(self) -> tuple[Address, ...]:
        """
        All Elastic IPs of the account in the region; there are few, and the neighbours matter too.

        Source: EC2 API, DescribeAddresses; it has no pages.
        """
        return self._look("DescribeAddresses", "the Elastic IPs", {}, answers.addresses)

    def network_interface(self, network_interface_id: str, *, retries: int | None = None) -> NetworkInterface:
        """
        Raises:
            PermissionMissing: The role may not look; nothing depends on it.

        Source: EC2 API, DescribeNetworkInterfaces.
        """
        question = {"NetworkInterfaceIds": [network_interface_id]}
        read = answers.network_interface
        return self._look("DescribeNetworkInterfaces", network_interface_id, question, read, retries=retries)

    def automatic_recovery(self, instance_id: str, *, retries: int | None = None) -> str:
        """
        "default" or "disabled": what EC2 does with the instance when its host fails.

        Source: EC2 API, DescribeInstances, MaintenanceOptions.
        """
        question = {"InstanceIds": [instance_id]}
        return self._look("DescribeInstances", instance_id, question, answers.automatic_recovery, retries=retries)

    def is_allowed(self, operation: str, **parameters: Any) -> bool:
        """
        Whether the role has the permission, asked with DryRun: nothing is looked up or changed.

        Raises:
            AwsUnknown, AwsRefused: EC2 does not say.

        Source: EC2 API, DryRun: DryRunOperation is yes, UnauthorizedOperation is no.
        """
        try:
            self._look(operation, "this account", {**parameters, "DryRun": True}, _nothing)
        except PermissionMissing:
            return False
        except AwsRefused as refusal:
            if refusal.code != "DryRunOperation":
                raise
        return True

    def credentials_method(self) -> str:
        """
        By which way the SDK finds credentials: "iam-role" is the instance's own role; else "env", "config-file", …

        Raises:
            CredentialsMissing: It finds none in time.
            ConfigurationInvalid: It cannot look for them as configured.

        Source: botocore, Credentials.method and the names of its providers.
        """
        limit = self._deadline.within(self._settings.connect_timeout + self._settings.read_timeout)
        try:
            return abandonable(self._find_credentials, limit)
        except Abandoned as error:
            reason = f"none found within {limit.seconds:.3g} s"
            raise errors.CredentialsMissing(operation="any request", reason=reason) from error

    # -- changing --------------------------------------------------------------------------------------

    def replace_route(
        self, *, route_table_id: str, destination_cidr_block: str, network_interface_id: str
    ) -> Receipt:
        """
        Point one route at an ENI; the route must exist, none is created.

        Args:
            destination_cidr_block: Host route of the virtual IP, "10.1.0.10/32".

        Raises:
            AwsRefused: No such table, route or ENI.
            AwsUnknown: No usable answer; `uncertain` says whether it may have been carried out all the same.

        Source: EC2 API, ReplaceRoute.
        """
        parameters = {
            "RouteTableId": route_table_id,
            "DestinationCidrBlock": destination_cidr_block,
            "NetworkInterfaceId": network_interface_id,
        }
        return self._change("ReplaceRoute", route_table_id, parameters)

    def associate_address(
        self, *, allocation_id: str, network_interface_id: str, private_ip_address: str, allow_reassociation: bool
    ) -> Receipt:
        """
        Associate an Elastic IP, wherever it is now.

        Args:
            allow_reassociation: False makes it conditional: EC2 refuses if another ENI has the address.

        Raises:
            AwsRefused: No such address or ENI, or associated elsewhere (Resource.AlreadyAssociated).
            AwsUnknown: No usable answer; `uncertain` says whether it may have been carried out all the same.

        Source: EC2 API, AssociateAddress.
        """
        parameters = {
            "AllocationId": allocation_id,
            "NetworkInterfaceId": network_interface_id,
            "PrivateIpAddress": private_ip_address,
            "AllowReassociation": allow_reassociation,
        }
        return self._change("AssociateAddress", allocation_id, parameters)

    def disassociate_address(self, *, association_id: str) -> Receipt:
        """
        End one association, and no other: the id is gone as soon as the address moves.

        Raises:
            AwsRefused: There is no such association any more (InvalidAssociationID.NotFound).

        Source: EC2 API, DisassociateAddress.
        """
        return self._change("DisassociateAddress", association_id, {"AssociationId": association_id})

    def switch_off_source_dest_check(self, *, network_interface_id: str, retries: int) -> Receipt:
        """
        Let an ENI receive packets for an address that is not its own.

        Source: EC2 API, ModifyNetworkInterfaceAttribute.
        """
        parameters = {"NetworkInterfaceId": network_interface_id, "SourceDestCheck": {"Value": False}}
        return self._change("ModifyNetworkInterfaceAttribute", network_interface_id, parameters, retries=retries)

    # -- one call --------------------------------------------------------------------------------------

    def _look(
        self,
        operation: str,
        target: str,
        parameters: dict[str, Any],
        read: Callable[[Any], Reduced],
        *,
        retries: int | None = None,
    ) -> Reduced:
        limit = self._look_retries if retries is None else retries
        call = _Call(operation, target, parameters, retries=limit, writes=False)
        return self._until_answered(call, read, _Tries(self._deadline.elapsed()))[0]

    def _change(
        self, operation: str, target: str, parameters: dict[str, Any], *, retries: int | None = None
    ) -> Receipt:
        """
        Args:
            retries: How often it is repeated, whatever may have been carried out; None: as the action may.
        """
        limit, left = (self._write_retries, self._left_to_caller) if retries is None else (retries, ())
        call = _Call(operation, target, parameters, retries=limit, writes=True, left_to_caller=left)
        tries = self._unanswered.setdefault((operation, target), _Tries(self._deadline.elapsed()))
        try:
            receipt = self._until_answered(call, _nothing, tries)[1]
        finally:
            self._note_write()
        del self._unanswered[operation, target]
        return receipt

    def _until_answered(self, call: _Call, read: Callable[[Any], Reduced], tries: _Tries) -> tuple[Reduced, Receipt]:
        trouble: AwsUnknown | None = None
        pause = 0.0
        while True:
            try:
                self._wait_for_turn(call, pause)
                tries.attempts += 1
                answer = self._one_attempt(call, tries.slow)
                request_id = answer["ResponseMetadata"]["RequestId"]
                milliseconds = round((self._deadline.elapsed() - tries.began) * 1000, 1)
                return self._read(call, read, answer), Receipt(request_id, tries.attempts, milliseconds)
            except AwsUnknown as error:
                tries.note(error)
                error.uncertain = tries.uncertain
                error.may_be_repeated = tries.attempts <= call.retries
                if isinstance(error, call.left_to_caller):
                    raise
                trouble, pause = error, self._pause_before_retry(call, error, tries.attempts)
            except AwsRefused as error:
                error.uncertain = tries.uncertain
                raise
            except errors.DeadlinePassed as error:  # nothing was sent since the trouble, which is why time ran out
                raise trouble or error from None

    def _read(self, call: _Call, read: Callable[[Any], Reduced], answer: Any) -> Reduced:
        """The answer reduced; one that lacks something is none, and is asked for again."""
        try:
            return read(answer)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise self._garbled(call.operation, f"{error} is missing") from error

    def _wait_for_turn(self, call: _Call, pause: float) -> None:
        self._deadline.pause(pause, f"{call.operation} on {call.target}")
        if call.writes:
            self._deadline.pause(self._pace.reserve(), f"{call.operation} on {call.target}")
            self._guard()

    def _pause_before_retry(self, call: _Call, error: AwsUnknown, attempt: int) -> float:
        """Seconds to wait before the next attempt; raises the error where there is none."""
        pause = pause_after(attempt)
        if not error.retryable or not error.may_be_repeated or pause + _AN_ATTEMPT >= self._deadline.remaining():
            raise error
        if error.fresh_client:
            self._client = None
        if isinstance(error, errors.AwsThrottled) and call.writes:
            self._pace.throttled(pause)
        self._log.put(
            messages.RETRYING,
            reason=error,
            attempt=attempt + 1,
            operation=call.operation,
            seconds=f"{pause:.2f}",
        )
        return pause

    def _one_attempt(self, call: _Call, slow: int) -> Any:
        """One request, left behind when it takes longer than connecting and reading may."""
        settings = self._settings
        read = settings.read_timeout * min(2**slow, _LONGEST_READ_FACTOR)
        limit = self._deadline.within(settings.connect_timeout + read)
        request = _Request(call.writes)
        try:
            return abandonable(partial(self._send, call, request), limit, self._guard if call.writes else None)
        except Abandoned as error:
            reason = f"none within {limit.seconds:.3g} s"
            raise _TooSlow(endpoint=self._endpoint(), operation=call.operation, reason=reason) from error
        finally:
            request.abandoned = True

    def _send(self, call: _Call, request: _Request) -> Any:
        self._attempt.request = request
        try:
            answer = getattr(self._connected(), call.method)(**call.parameters)
        except errors.Ec2KitError:
            raise
        except Exception as error:
            raise self._translate(call, error) from error
        if not answer.get("ResponseMetadata", {}).get("RequestId"):
            raise self._garbled(call.operation, "it has no request id")
        return answer

    def _connected(self) -> EC2Client:
        """The client; built by one thread for all, unless that one hangs (credentials may come from anywhere)."""
        alone = self._building.acquire(timeout=self._settings.connect_timeout)
        try:
            client = self._client
            if client is None:
                client = self._client = self._build_client()
            return client
        finally:
            if alone:
                self._building.release()

    def _build_client(self) -> EC2Client:
        import botocore.session

        session = botocore.session.get_session()
        session.register_component("data_loader", Loader(session.get_component("data_loader")))
        session.set_config_variable("region", self._region)
        self._keys_stay = _stay(session.get_credentials())  # what fails here does not fail for want of a model
        try:
            return self._client_of(session)
        except Exception as error:
            client = self._client_of(botocore.session.get_session())
            self._log.put(messages.MODEL_UNUSABLE, version=botocore.__version__, reason=f"{error!r}")
            return client

    def _client_of(self, session: Session) -> EC2Client:
        import boto3
        from botocore.config import Config

        config = Config(
            connect_timeout=self._settings.connect_timeout,
            read_timeout=self._settings.read_timeout * _LONGEST_READ_FACTOR,
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=IN_FLIGHT,
            user_agent_extra=self._user_agent,
            parameter_validation=False,
        )
        sdk = boto3.session.Session(botocore_session=session, region_name=self._region)
        client = sdk.client("ec2", config=config, endpoint_url=self._settings.endpoint_url or None)
        client.meta.events.register("before-send.ec2", self._before_send)
        return client

    def _find_credentials(self) -> str:
        import boto3
        from botocore.exceptions import NoCredentialsError

        try:
            found = boto3.session.Session(region_name=self._region).get_credentials()
            if found is None:
                raise NoCredentialsError
            return str(found.method)
        except Exception as error:
            raise self._translate(_Call("any request", "", {}, retries=0, writes=False), error) from error

    def _before_send(self, **_: object) -> None:
        """
        The last look before a request leaves: a process that was stopped, or was overtaken, sends nothing.

        Source: botocore, event before-send.SERVICE.OPERATION.
        """
        request: _Request = self._attempt.request
        self._deadline.check("sending the request")
        if request.writes:
            self._guard()
        if request.abandoned:
            raise Abandoned
        if request.writes:
            self._note_write()

    def _endpoint(self) -> str:
        client = self._client
        return client.meta.endpoint_url if client else self._settings.endpoint_url or self._region

    # -- what went wrong -------------------------------------------------------------------------------

    def _garbled(self, operation: str, reason: str) -> errors.AwsGarbled:
        return errors.AwsGarbled(endpoint=self._endpoint(), operation=operation, reason=reason)

    def _translate(self, call: _Call, error: Exception) -> Exception:
        """An exception of botocore as one of ours; what it does not know stays as it is."""
        from botocore import exceptions as sdk
        from botocore.parsers import ResponseParserError

        inner = getattr(error, "kwargs", {}).get("error")
        if isinstance(inner, errors.Ec2KitError | Abandoned):
            return inner
        if isinstance(error, sdk.ClientError):
            meaning = error_codes.meaning(error.response, operation=call.operation, target=call.target)
            if isinstance(meaning, errors.CredentialsExpired) and self._keys_stay:
                return errors.CredentialsRejected(**meaning.fields)
            return meaning
        if isinstance(error, ResponseParserError):
            return self._garbled(call.operation, str(error).split("\n")[0][:200])
        if isinstance(error, sdk.NoCredentialsError):
            reason = (
                f"neither the environment, nor files, nor the instance role ({self._settings.metadata_url}) has any"
            )
            return errors.CredentialsMissing(operation=call.operation, reason=reason)
        if isinstance(error, sdk.PartialCredentialsError | sdk.CredentialRetrievalError | sdk.MetadataRetrievalError):
            return errors.CredentialsMissing(operation=call.operation, reason=str(error))
        if isinstance(error, sdk.HTTPClientError | sdk.ConnectionError | OSError):
            return errors.AwsUnreachable(endpoint=self._endpoint(), operation=call.operation, reason=_reason(error))
        if isinstance(error, sdk.BotoCoreError | ValueError):
            return errors.ConfigurationInvalid(reason=str(error))
        return error


def pause_after(attempt: int) -> float:
    """Seconds from one attempt, the first is 1, to the next: at random, and longer with each."""
    return random.uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(attempt, 10)))


@dataclass(frozen=True)
class _Call:
    """
    One request, however often it is sent.

    Attributes:
        left_to_caller: After which errors the caller decides whether it is sent again.
    """

    operation: str
    target: str
    parameters: dict[str, Any]
    retries: int
    writes: bool
    left_to_caller: type[AwsUnknown] | tuple[type[AwsUnknown], ...] = ()

    @property
    def method(self) -> str:
        """The client's method, "replace_route"."""
        from botocore import xform_name

        return str(xform_name(self.operation))


@dataclass
class _Tries:
    """
    What was tried for one request; of a write also by earlier calls, until there was an answer.

    Attributes:
        began: When, in seconds of the action.
        slow: How many had no answer in their time.
        uncertain: Whether one of them may have been carried out.
    """

    began: float
    attempts: int = 0
    slow: int = 0
    uncertain: bool = False

    def note(self, error: AwsUnknown) -> None:
        self.slow += isinstance(error, _TooSlow)
        self.uncertain = self.uncertain or isinstance(error, _MAYBE_DONE)


@dataclass
class _Request:
    """One attempt; abandoned ones must not be sent any more."""

    writes: bool
    abandoned: bool = False


class _TooSlow(errors.AwsUnreachable):
    """No answer in its time; the next attempt is given more."""


def _stay(credentials: Credentials | None) -> bool:
    """Whether the credentials are keys that are the same at the next attempt, too."""
    from botocore.credentials import RefreshableCredentials

    if credentials is None or isinstance(credentials, RefreshableCredentials):
        return False
    return str(credentials.method) == _OF_THIS_PROCESS


def _reason(error: BaseException) -> str:
    """The system's own words at the bottom of the SDK's wrappings, "Connection refused"; else what the SDK says."""
    inner: BaseException | None = error
    words = str(error)
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror:
            words = inner.strerror
        inner = getattr(inner, "kwargs", {}).get("error") or inner.__cause__ or inner.__context__
    return words


_MAYBE_DONE = (errors.AwsUnreachable, errors.AwsServerError, errors.AwsGarbled)
"""Errors after which the request may have been carried out all the same."""


def _page(answer: Any) -> tuple[list[RouteTable], str | None]:
    return answers.route_tables(answer), answer.get("NextToken")


def _nothing(answer: Any) -> None:
    """What is read from an answer of which only its arrival counts."""

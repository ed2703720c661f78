"""
boto3's client of EC2, or of Route 53, finds its credentials or assumes roles, and has its errors translated.

It is made by boto3's core, botocore, as boto3 makes it: boto3's own layer (resources, transfers of S3) takes a tenth
of the time of an action, and serves nothing here. A client that was built while IMDS was silent never has
credentials, so it can be dropped and built anew. botocore makes one attempt per call, and hands each request that it
has signed to ec2kit's own transport.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from ec2kit import errors
from ec2kit.deadline import Abandoned
from ec2kit.ec2 import attempt as stages
from ec2kit.ec2 import error_codes, helper, trust
from ec2kit.ec2.attempt import Attempt
from ec2kit.ec2.model import EC2, Loader, Service
from ec2kit.ec2.transport import NOWHERE, Transport
from ec2kit.endpoints import DUAL_STACK, FIPS, Endpoint
from ec2kit.messages import catalogue
from ec2kit.messages.log import Log
from ec2kit.settings import Settings

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from botocore.client import BaseClient
    from botocore.config import Config
    from botocore.credentials import Credentials
    from botocore.session import Session

    from ec2kit.ec2.assumed import AssumedRole
    from ec2kit.role import Role

IN_FLIGHT = 32
"""The maximum number of requests at a time."""

LONGEST_READ_FACTOR = 4
"""The maximum time for an answer, as a multiple of AWSCLI_READ_TIMEOUT."""

_OF_THIS_PROCESS = "env"
"""The place of keys that are not renewed meanwhile. Source: botocore, METHOD of the credential providers."""


class Client:
    """
    Send the requests of one action; the SDK's client is built with the first one.

    Args:
        user_agent: The name of the action in CloudTrail, "ec2kit/0.1.0 restore ec2-vip1".
        service: The service that is asked.
    """

    def __init__(self, *, region: str, settings: Settings, log: Log, user_agent: str, service: Service = EC2) -> None:
        self._service = service
        self._region = region
        self._settings = settings
        self._endpoint_url = settings.endpoint_url if service is EC2 else ""
        self._log = log
        self._user_agent = user_agent
        self._building = threading.Lock()
        self._ready: Session | None = None
        self._assumed: dict[Role, AssumedRole] = {}
        self._built: dict[tuple[str, Role | None], _Built] = {}
        self._transport = Transport()
        self._credentials = "none yet"
        self._keys_stay = False
        self._helper = ""
        self._asked = ""
        self._proxy: str | None = None
        self._here = threading.local()

    @property
    def endpoint(self) -> str:
        """
        Return the destination of requests, "https://ec2.us-east-1.amazonaws.com", or the region until that is known.
        """
        return self._asked or self._endpoint_url or self._region

    @property
    def credentials(self) -> str:
        """Return the way to this server's credentials, "iam-role", "env", …; "none yet" before the first request."""
        return self._credentials

    def first_hops(self) -> tuple[str, ...]:
        """Return the addresses to which the last request to EC2 was sent; they were looked up then."""
        return self._transport.first_hops(self._asked, proxy=self._proxy) if self._asked else ()

    def drop(self) -> None:
        """Let the next request have a new client, which looks for credentials anew."""
        self._ready, self._assumed, self._built = None, {}, {}

    def send(self, attempt: Attempt, target: str, parameters: dict[str, Any], way: Endpoint) -> Any:
        """
        Send one request, once.

        Args:
            attempt: The attempt that this is; it may be given up meanwhile.
            target: The object that the request is about.
            way: The endpoint to which it goes, signed for it, and the proxy.

        Returns:
            EC2's answer as the SDK gives it; it has a request id.

        Raises:
            AwsUnknown, AwsRefused: EC2 gave no usable answer, or said no.
            ConfigurationInvalid: The SDK cannot send anything as configured.
            Abandoned: The attempt was given up.
        """
        self._here.attempt, self._here.way, self._here.asked_of_sts = attempt, way, ""
        operation, ready, keys = attempt.operation, None, None
        if self._settings.over_tls and not self._transport.trusts:
            self._transport.trust(
                trust.ahead(self._settings.ca_bundle), at_once=True
            )  # beside the SDK's loading, which takes longer
        try:
            from botocore import xform_name

            client, ready, keys = self._connected(way)
            self._await_helper()
            if keys is not None:
                self._await_keys(keys, attempt)
            answer = getattr(client, xform_name(operation))(**parameters)
        except (errors.Ec2KitError, Abandoned):
            raise
        except Exception as error:
            meant = self._translate(error, attempt, target)
            if isinstance(meant, errors.CredentialsExpired):
                self._leave(ready, keys)
            raise meant from error
        if not answer.get("ResponseMetadata", {}).get("RequestId"):
            raise self.garbled(operation, "it has no request id")
        return answer

    def credentials_method(self, attempt: Attempt) -> str:
        """Return the way to the credentials, as `Ec2.credentials_method` does, without a limit of time."""
        self._here.attempt, self._here.asked_of_sts = attempt, ""
        try:
            return self._found(self._session())
        except errors.Ec2KitError:
            raise
        except Exception as error:
            raise self._translate(error, attempt, "") from error

    def garbled(self, operation: str, reason: str) -> errors.AwsGarbled:
        """Return the error for an answer that cannot be EC2's."""
        fields = {"endpoint": self.endpoint, "operation": operation, "reason": reason}
        return errors.AwsGarbled(service=self._service.shown, **fields)

    # -- building --------------------------------------------------------------------------------------

    def _connected(self, way: Endpoint) -> _Built:
        """
        Return the client of an endpoint that signs with the keys of the attempt's role, or with those of the server.

        One thread builds it for all, unless that one hangs (credentials may come from anywhere).
        """
        kind = (way.target, self._here.attempt.role)
        alone = self._building.acquire(timeout=self._settings.connect_timeout)
        try:
            built = self._built
            if kind not in built:
                built[kind] = self._build(way)
            return built[kind]
        finally:
            if alone:
                self._building.release()

    def _build(self, way: Endpoint) -> _Built:
        """Return a client in the session of the clients that were built before, with their credentials."""
        import botocore.session

        session = self._ready
        if session is None:
            session = self._session()
            session.register_component("data_loader", Loader(session.get_component("data_loader")))
            self._found(session)  # a failure here is not for want of a model
            self._ready = session
        keys = self._keys_of_role(session)
        try:
            return self._client_of(session, way, keys), session, keys
        except Exception as error:
            client = self._client_by_botocores_model(way, keys)
            self._log.put(catalogue.MODEL_UNUSABLE, version=botocore.__version__, reason=f"{error!r}")
            return client, session, keys

    def _client_by_botocores_model(self, way: Endpoint, keys: AssumedRole | None) -> BaseClient:
        session = self._session()
        self._found(session)
        try:
            return self._client_of(session, way, keys)
        except ValueError as error:
            raise errors.ConfigurationInvalid(reason=str(error)) from error

    def _session(self) -> Session:
        """Return a session of the SDK whose clients, also those of STS and SSO, send by way of the transport."""
        import botocore.session

        session = botocore.session.get_session(_VARIABLES)
        session.set_config_variable("region", self._region)
        _ask_no_person(session)
        session.register("before-send", self._send)  # type: ignore[arg-type]  # the stubs know of no answer
        self._transport.trust(trust.named(session), at_once=self._settings.over_tls)
        return session

    def _found(self, session: Session) -> str:
        """
        Let the session find its credentials, which its clients use from then on, and return the way to them.

        Raises:
            CredentialsMissing: There are none.
            Exception: The SDK's own errors, and what it makes of the output of a credential helper.
        """
        self._helper = helper.program(session)
        self._await_helper()
        credentials = session.get_credentials()
        if credentials is None:
            raise errors.CredentialsMissing(operation=self._here.attempt.operation, reason=self._why_none(session))
        self._keys_stay = _stay(credentials)
        self._credentials = str(credentials.method)
        if self._credentials not in helper.WAYS:
            self._helper = ""
        return self._credentials

    def _await_helper(self) -> None:
        """Let the attempt wait for the credential helper, if there is one; it may run again with each request."""
        attempt: Attempt = self._here.attempt
        if self._helper:
            attempt.enter(partial(stages.late_credentials, attempt.operation, helper.SETTING, self._helper))

    def _why_none(self, session: Session) -> str:
        """Return why nothing gives credentials; the SDK does not pass on what IMDS says of the role."""
        if str(session.get_config_variable(_IMDS_OFF)).lower() == "true":
            return "neither the environment nor files have any; AWS_EC2_METADATA_DISABLED rules out the instance role"
        from ec2kit.host.imds import role_trouble

        reason = role_trouble(self._settings, self._here.attempt.limit)
        where = self._settings.metadata_url
        return f"neither the environment, nor files, nor the instance role ({where}) has any: {reason}"

    def _client_of(self, session: Session, way: Endpoint, keys: AssumedRole | None) -> BaseClient:
        named: dict[str, Any] = {}
        if way.target:  # an entry of the list is what it says, whatever the environment switches on
            named = {
                "use_fips_endpoint": FIPS in way.target and not way.url,
                "use_dualstack_endpoint": DUAL_STACK in way.target and not way.url,
                "ignore_configured_endpoint_urls": not way.url,
            }

        if keys is not None:
            session = self._signed_by(keys, session)
        config, url = self._config(**named), way.url if way.target else self._endpoint_url
        client: BaseClient = session.create_client(
            self._service.name, region_name=self._region, config=config, endpoint_url=url or None
        )
        return client

    def _config(self, **named: Any) -> Config:
        """Return the settings of a client that sends by way of the transport, and never twice."""
        from botocore.config import Config

        return Config(
            connect_timeout=self._settings.connect_timeout,
            read_timeout=self._settings.read_timeout * LONGEST_READ_FACTOR,
            retries={"total_max_attempts": 1, "mode": "standard"},
            proxies={"http": NOWHERE, "https": NOWHERE},
            user_agent_extra=self._user_agent,
            parameter_validation=False,
            **named,
        )

    def _send(self, *, request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse | None:
        """
        Send a request in botocore's place.

        Source: botocore, event before-send.SERVICE.OPERATION: the answer of a handler is the answer to the request.
        """
        attempt: Attempt | None = getattr(self._here, "attempt", None)
        service, operation = event_name.split(".")[1:]
        if attempt is None:
            return None
        if service == self._service.event:
            self._asked, self._proxy = "/".join(str(request.url).split("/")[:3]), self._here.way.proxy
            attempt.on_its_way = True
            awaited = stages.answer_asked_for(operation, self._asked, service=self._service.shown)
            return self._transport.send(request, attempt, awaited, proxy=self._proxy)
        asked = self._here.asked_of_sts or operation
        return self._transport.send(request, attempt, stages.answer_of(service, asked, attempt.operation))

    # -- roles -----------------------------------------------------------------------------------------

    def _keys_of_role(self, own: Session) -> AssumedRole | None:
        """Return the keys of the attempt's role; all clients of one role have the same."""
        role: Role | None = self._here.attempt.role
        if role is None:
            return None
        from ec2kit.ec2.assumed import AssumedRole

        if role not in self._assumed:
            own.set_config_variable(_STS_ENDPOINTS, "regional")
            self._assumed[role] = AssumedRole(role, partial(self._ask_sts, own))
        return self._assumed[role]

    def _leave(self, ready: Session | None, keys: AssumedRole | None) -> None:
        """
        Let the next request have other keys in place of those that EC2 has refused as expired.

        Only the first of many requests that had these keys does so; the others find new ones. Keys of a role leave
        those of the server and of other roles as they are.
        """
        if keys is None:
            if self._ready is ready:
                self.drop()
        elif self._assumed.get(keys.role) is keys:
            self._built = {kind: built for kind, built in self._built.items() if kind[1] != keys.role}
            del self._assumed[keys.role]

    def _signed_by(self, keys: AssumedRole, own: Session) -> Session:
        """Return a session like the server's own whose clients sign with the keys of the role."""
        session = self._session()
        session.register_component("data_loader", own.get_component("data_loader"))
        keys.sign(session)
        return session

    def _ask_sts(self, own: Session, parameters: dict[str, str]) -> Any:
        sts: Any = own.create_client("sts", region_name=self._region, config=self._config())
        return sts.assume_role(**parameters)

    def _await_keys(self, keys: AssumedRole, attempt: Attempt) -> None:
        """
        Let the attempt wait for the keys of the role.

        Raises:
            NotSent: STS refuses them, or does not give them in time.
        """
        from botocore.exceptions import ClientError

        from ec2kit.ec2 import assumed

        asked = f"{assumed.REQUEST} {keys.role.role_arn}"
        attempt.enter(partial(stages.late_credentials, attempt.operation, "STS", asked))
        self._here.asked_of_sts = asked
        try:
            keys.get_ready()
        except ClientError as error:
            raise error_codes.of_role(
                error.response, operation=attempt.operation, asked=asked, role=keys.role
            ) from error
        finally:
            self._here.asked_of_sts = ""

    # -- what went wrong -------------------------------------------------------------------------------

    def _translate(self, error: Exception, attempt: Attempt, target: str) -> Exception:
        """Return an exception of the SDK, or of what it calls, as one of the kit's."""
        from botocore import exceptions as sdk

        operation, role = attempt.operation, attempt.role
        inner = getattr(error, "kwargs", {}).get("error")
        if isinstance(inner, errors.Ec2KitError | Abandoned):
            return inner
        if isinstance(error, sdk.ClientError) and error.operation_name != operation:
            return error_codes.of_credentials(error.response, operation=operation, asked=error.operation_name)
        if isinstance(error, sdk.ClientError):
            meaning = error_codes.meaning(
                error.response,
                operation=operation,
                target=target,
                credentials=self._credentials if role is None else f"role {role.role_arn}",
                service=self._service.shown,
            )
            keys_stay = self._keys_stay and role is None
            if isinstance(meaning, errors.CredentialsExpired) and keys_stay:
                return errors.CredentialsRejected(**meaning.fields)
            return meaning
        if attempt.sent:
            return self._unreadable(error, operation)
        return self._not_sent(error, attempt)

    def _unreadable(self, error: Exception, operation: str) -> Exception:
        """Return the error for an answer on which the SDK failed, in a way known or unknown."""
        from botocore.parsers import ResponseParserError

        if isinstance(error, ResponseParserError):
            return self.garbled(operation, str(error).split("\n")[0][:200])
        return self.garbled(operation, _with_type(error))

    def _not_sent(self, error: Exception, attempt: Attempt) -> Exception:
        """Return the error for a failure of the SDK before anything was sent."""
        import botocore
        from botocore import exceptions as sdk

        operation = attempt.operation
        if said := helper.last_words(error):
            return attempt.stage(said)
        if isinstance(
            error,
            sdk.NoCredentialsError
            | sdk.PartialCredentialsError
            | sdk.CredentialRetrievalError
            | sdk.MetadataRetrievalError,
        ):
            return errors.CredentialsMissing(operation=operation, reason=str(error))
        if isinstance(error, EOFError):
            reason = "the profile asks for an MFA code, which only a person can give"
            return stages.refused_credentials(operation, "the SDK", "prompt", reason)
        if isinstance(error, OSError) and error.filename:
            reason = error.strerror or str(error)
            return stages.unusable_file(
                operation, path=str(error.filename), origin="the configuration of the SDK", reason=reason
            )
        if isinstance(error, sdk.HTTPClientError | sdk.ConnectionError) and NOWHERE in str(error):
            reason = (
                f"botocore {botocore.__version__} does not hand its requests to ec2kit; none has left this server"
            )
            return errors.ConfigurationInvalid(reason=reason)
        if isinstance(error, sdk.BotoCoreError):
            return errors.ConfigurationInvalid(reason=str(error))
        return attempt.stage(_with_type(error))


_Built = tuple["BaseClient", "Session", "AssumedRole | None"]
"""A client, the session of the server in which it was built, and the keys of the role if it signs with them."""

_STS_ENDPOINTS = "sts_regional_endpoints"
"""The SDK's setting by which older versions send the requests of some regions to us-east-1."""

_IMDS_OFF = "metadata_disabled"
_VARIABLES: Any = {
    trust.REQUESTS_BUNDLE: (None, "REQUESTS_CA_BUNDLE", None, None),
    _IMDS_OFF: (None, "AWS_EC2_METADATA_DISABLED", None, None),
}
"""Variables that botocore reads past its own configuration, in the form of botocore's Session.SESSION_VARIABLES."""


_PROMPTER = "_prompter"
"""The attribute by which botocore's provider of a role asks a person for an MFA code; no setting replaces it."""


def _ask_no_person(session: Session) -> None:
    """Let the SDK ask no person: there is none at a hook, and at a terminal each attempt would ask again."""
    for each in session.get_component("credential_provider").providers:
        if hasattr(each, _PROMPTER):
            setattr(each, _PROMPTER, _no_person)


def _no_person(prompt: str) -> str:
    """Raise what a prompt raises whose standard input has ended."""
    raise EOFError(prompt)


def _with_type(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _stay(credentials: Credentials | None) -> bool:
    """Tell whether the credentials are keys that stay the same for the next attempt."""
    from botocore.credentials import RefreshableCredentials

    if credentials is None or isinstance(credentials, RefreshableCredentials):
        return False
    return str(credentials.method) == _OF_THIS_PROCESS

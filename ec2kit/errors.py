"""
Errors form a tree: a class for each that some caller distinguishes, a message of the catalogue for all others.

    Ec2KitError
    ├── Unknown                    no usable answer: it says nothing about the address
    │   ├── OutcomeUnknown         the answer to a change was lost, and no look shows its outcome
    │   ├── AwsUnknown             ├── NotSent AwsUnreachable AwsThrottled AwsServerError AwsGarbled
    │   │                          ├── CredentialsMissing CredentialsExpired CredentialsRejected PermissionMissing
    │   │                          └── PermitTooOld
    │   ├── DeadlinePassed
    │   ├── ImdsSilent
    │   ├── RemoteSilent RemoteRefused
    │   └── OwnTrouble             ├── RegistryEmpty RegistryBroken (HalfMade) StateUnusable
    │                              └── LocalCommandFailed LifeKeeperFailed ConfigurationInvalid
    ├── AwsRefused                 AWS answered no; its code says what
    ├── DryRunUnknown              the endpoint carries out what it is only asked about
    ├── Overtaken                  something newer is wanted
    ├── NotBroughtHere StillHere OtherInstance
    └── BadRequest                 the request is not possible
        └── UsageError TagUnknown ArgumentInvalid InterfaceUnknown
"""

from __future__ import annotations

from typing import ClassVar

from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import Level, Message


class Ec2KitError(Exception):
    """
    An action ends because of what the message says; the error's text is a message of the catalogue.

    Args:
        message: The message, if the class has none of its own.
        fields: The fields of the message.
    """

    message: Message

    def __init__(self, message: Message | None = None, /, **fields: object) -> None:
        self.message = message or self.message
        super().__init__(self.message.render(**fields))
        self.fields = fields


class Stopped(BaseException):
    """
    A signal ends the action; no part of it may go on, so nothing that catches errors catches this.

    Args:
        signal: Its name, "SIGTERM".
    """

    message: ClassVar[Message] = catalogue.STOPPED

    def __init__(self, *, signal: str) -> None:
        super().__init__(self.message.render(signal=signal))
        self.fields: dict[str, object] = {"signal": signal}


def _with_service(message: Message, fields: dict[str, object]) -> dict[str, object]:
    """Return the fields; a message that names the service names EC2, which almost all requests ask, by default."""
    return {"service": "EC2", **fields} if "{service}" in message.text else fields


class Unknown(Ec2KitError):
    """There is no usable answer."""

    trouble: bool = False
    """True if a person has to fix something before it gets better: logged as ERROR, not WARN."""


class AwsUnknown(Unknown):
    """
    EC2, or Route 53, gave no usable answer.

    Args:
        fields: `service` is the name of the service, unless it is EC2.
    """

    def __init__(self, message: Message | None = None, /, **fields: object) -> None:
        super().__init__(message, **_with_service(message or self.message, fields))

    retryable: bool = True
    retry_after: float = 0.0
    """The minimum number of seconds that EC2 wants to pass before the next attempt."""

    uncertain: bool = False
    """True if this attempt, or one before it, may have been carried out."""

    may_be_repeated: bool = True
    """True if a further attempt is within the retries of the request."""

    fresh_client: ClassVar[bool] = False
    """True if the next attempt needs a client with newly looked up credentials."""


class NotSent(AwsUnknown):
    """
    The request has not left this server, because a stage before that failed.

    Only a person can remove what a message of the level ERROR reports, so the request is not repeated; what a message
    of the level WARN reports may pass.
    """

    def __init__(self, message: Message, /, **fields: object) -> None:
        super().__init__(message, **fields)
        self.trouble = message.level is Level.ERROR
        self.retryable = not self.trouble


class AwsUnreachable(AwsUnknown):
    message = catalogue.NO_ANSWER


class AwsThrottled(AwsUnknown):
    message = catalogue.THROTTLED


class AwsServerError(AwsUnknown):
    message = catalogue.SERVER_ERROR


class AwsGarbled(AwsUnknown):
    message = catalogue.GARBLED


class CredentialsMissing(AwsUnknown):
    message = catalogue.CREDENTIALS_MISSING
    fresh_client = True


class CredentialsExpired(AwsUnknown):
    """The keys have expired; the client has dropped them, and finds new ones for the next attempt."""

    message = catalogue.CREDENTIALS_REJECTED


class CredentialsRejected(AwsUnknown):
    message = catalogue.CREDENTIALS_REJECTED
    retryable = False
    trouble = True


class PermissionMissing(AwsUnknown):
    message = catalogue.PERMISSION_MISSING
    retryable = False
    trouble = True


class PermitTooOld(AwsUnknown):
    message = catalogue.PERMIT_TOO_OLD


class OutcomeUnknown(Unknown):
    message = catalogue.OUTCOME_UNKNOWN


class DeadlinePassed(Unknown):
    message = catalogue.DEADLINE_PASSED


class ImdsSilent(Unknown):
    message = catalogue.IMDS_SILENT


class RemoteSilent(Unknown):
    message = catalogue.REMOTE_SILENT


class RemoteRefused(Unknown):
    message = catalogue.REMOTE_REFUSED


class OwnTrouble(Unknown):
    """This server has trouble, which says nothing about the address."""

    trouble = True


class RegistryEmpty(OwnTrouble):
    message = catalogue.REGISTRY_EMPTY


class RegistryBroken(OwnTrouble):
    message = catalogue.REGISTRY_BROKEN


class HalfMade(RegistryBroken):
    """A create or an extend has not come to its end: such a resource does not exist yet."""


class StateUnusable(OwnTrouble):
    message = catalogue.STATE_UNUSABLE


class LocalCommandFailed(OwnTrouble):
    message = catalogue.LOCAL_COMMAND


class ConfigurationInvalid(OwnTrouble):
    message = catalogue.CONFIGURATION_INVALID


class LifeKeeperFailed(OwnTrouble):
    message = catalogue.LIFEKEEPER_FAILED

    @property
    def status(self) -> int:
        """
        Return LifeKeeper's exit status.

        4: exists already; 7: does not exist; 9: the other system is unreachable; -1: there is none.
        """
        return int(str(self.fields.get("status", -1)))


class AwsRefused(Ec2KitError):
    """
    AWS answered, and the answer is no.

    Args:
        fields: `service` is the name of the service, unless it is EC2.

    Attributes:
        code: AWS's error code, "InvalidNetworkInterfaceID.NotFound".
    """

    message = catalogue.REFUSED
    uncertain: bool = False
    """True if an earlier attempt, whose answer was lost, may have been carried out."""

    def __init__(self, message: Message | None = None, /, **fields: object) -> None:
        super().__init__(message, **_with_service(message or self.message, fields))

    @property
    def code(self) -> str:
        return str(self.fields["code"])


class DryRunUnknown(Ec2KitError):
    """The endpoint carries out what it is only asked about; nothing more may be asked so."""

    message = catalogue.DRY_RUN_UNKNOWN


class Overtaken(Ec2KitError):
    message = catalogue.OVERTAKEN
    uncertain: bool = False
    """True if a write that is waited for no longer, or an earlier attempt, may have been carried out."""


class NotBroughtHere(Ec2KitError):
    message = catalogue.NOT_BROUGHT_HERE


class OtherInstance(Ec2KitError):
    message = catalogue.OTHER_INSTANCE


class StillHere(Ec2KitError):
    message = catalogue.STILL_HERE


class BadRequest(Ec2KitError):
    """The request is not possible, whatever AWS says."""


class TagUnknown(BadRequest):
    message = catalogue.TAG_UNKNOWN


class InterfaceUnknown(BadRequest):
    message = catalogue.INTERFACE_UNKNOWN


class ArgumentInvalid(BadRequest):
    message = catalogue.ARGUMENT_INVALID


class UsageError(BadRequest):
    message = catalogue.USAGE

"""
The tree of errors; each class is an entry of the catalogue.

    Ec2KitError
    ├── Unknown                    no usable answer: it says nothing about the address
    │   ├── OutcomeUnknown         the answer to a change was lost, and no look tells
    │   ├── AwsUnknown             ├── AwsUnreachable AwsThrottled AwsServerError AwsGarbled
    │   │                          ├── CredentialsMissing CredentialsExpired CredentialsRejected PermissionMissing
    │   │                          └── PermitTooOld
    │   ├── DeadlinePassed
    │   ├── ImdsSilent
    │   ├── RemoteSilent RemoteRefused
    │   ├── SharedUnknown          another check of this server had no usable answer
    │   └── OwnTrouble             ├── RegistryEmpty RegistryBroken (HalfMade) StateUnusable LocalCommandFailed
    │                              ├── ServerUnknown ConfigurationInvalid LifeKeeperFailed SharedTrouble
    │                              └── PlaceUnusable KitIncomplete ManifestDamaged
    ├── AwsRefused                 AWS answered no; its code says what
    ├── Overtaken OtherActionRuns
    ├── NotBroughtHere AddressMissing TakenOver NotInServiceHere OtherInstance
    ├── PerformFailed RecoveryFailedAlready StillHere
    └── BadRequest                 what was asked for cannot be
        ├── UsageError TagInvalid TagUnknown ArgumentInvalid InterfaceUnknown
        ├── Cancelled StillRunning NotUnderLifeKeeper NotByRole MigrationIncomplete
        ├── NotFree StillInService LastServer ServersSilent RevisionChanged ChecksFailed
        ├── RootUnusable FrameworkMissing PlacesTaken InstallationRuns ResourcesLeft
        └── InServiceTwice NotExtended
"""

from __future__ import annotations

from typing import ClassVar

from ec2kit import messages
from ec2kit.messages import Message


class Ec2KitError(Exception):
    """
    Something is the case that ends an action; its text is a message of the catalogue.

    Args:
        fields: The fields of the message.
    """

    message: ClassVar[Message]

    def __init__(self, **fields: object) -> None:
        super().__init__(self.message.render(**fields))
        self.fields = fields


class Stopped(BaseException):
    """
    A signal ends the action; no part of it may go on, so nothing that catches errors catches this.

    Args:
        signal: Its name, "SIGTERM".
    """

    message: ClassVar[Message] = messages.STOPPED

    def __init__(self, *, signal: str) -> None:
        super().__init__(self.message.render(signal=signal))
        self.fields: dict[str, object] = {"signal": signal}


class Unknown(Ec2KitError):
    """No usable answer."""

    trouble: ClassVar[bool] = False
    """Whether a person has to mend something before it gets better: logged as ERROR, not WARN."""


class AwsUnknown(Unknown):
    """EC2 gave no usable answer."""

    retryable: ClassVar[bool] = True
    uncertain: bool = False
    """Whether this attempt, or one before it, may have been carried out."""

    may_be_repeated: bool = True
    """Whether a further attempt is within the retries of the request."""

    fresh_client: ClassVar[bool] = False
    """Whether the next attempt needs a client with newly looked up credentials."""


class AwsUnreachable(AwsUnknown):
    message = messages.NO_ANSWER


class AwsThrottled(AwsUnknown):
    message = messages.THROTTLED


class AwsServerError(AwsUnknown):
    message = messages.SERVER_ERROR


class AwsGarbled(AwsUnknown):
    message = messages.GARBLED


class CredentialsMissing(AwsUnknown):
    message = messages.CREDENTIALS_MISSING
    fresh_client = True


class CredentialsExpired(AwsUnknown):
    message = messages.CREDENTIALS_REJECTED
    fresh_client = True


class CredentialsRejected(AwsUnknown):
    message = messages.CREDENTIALS_REJECTED
    retryable = False
    trouble = True


class PermissionMissing(AwsUnknown):
    message = messages.PERMISSION_MISSING
    retryable = False
    trouble = True


class PermitTooOld(AwsUnknown):
    message = messages.PERMIT_TOO_OLD


class OutcomeUnknown(Unknown):
    message = messages.OUTCOME_UNKNOWN


class DeadlinePassed(Unknown):
    message = messages.DEADLINE_PASSED


class ImdsSilent(Unknown):
    message = messages.IMDS_SILENT


class RemoteSilent(Unknown):
    message = messages.REMOTE_SILENT


class RemoteRefused(Unknown):
    message = messages.REMOTE_REFUSED


class SharedUnknown(Unknown):
    message = messages.SHARED_UNKNOWN


class OwnTrouble(Unknown):
    """Trouble of this server: it says nothing about the address."""

    trouble = True


class RegistryEmpty(OwnTrouble):
    message = messages.REGISTRY_EMPTY


class RegistryBroken(OwnTrouble):
    message = messages.REGISTRY_BROKEN


class HalfMade(RegistryBroken):
    """A create or an extend has not come to its end: such a resource is none yet."""


class StateUnusable(OwnTrouble):
    message = messages.STATE_UNUSABLE


class LocalCommandFailed(OwnTrouble):
    message = messages.LOCAL_COMMAND


class ServerUnknown(OwnTrouble):
    message = messages.SERVER_UNKNOWN


class ConfigurationInvalid(OwnTrouble):
    message = messages.CONFIGURATION_INVALID


class LifeKeeperFailed(OwnTrouble):
    message = messages.LIFEKEEPER_FAILED

    @property
    def status(self) -> int:
        """LifeKeeper's exit status, 4 exists already, 7 does not exist, 9 other system unreachable; -1: none."""
        return int(str(self.fields.get("status", -1)))


class PlaceUnusable(OwnTrouble):
    message = messages.PLACE_UNUSABLE


class KitIncomplete(OwnTrouble):
    message = messages.KIT_INCOMPLETE


class ManifestDamaged(OwnTrouble):
    message = messages.MANIFEST_DAMAGED


class SharedTrouble(OwnTrouble):
    message = messages.SHARED_UNKNOWN


class AwsRefused(Ec2KitError):
    """
    AWS answered, and the answer is no.

    Attributes:
        code: AWS's error code, "InvalidNetworkInterfaceID.NotFound".
    """

    message = messages.REFUSED
    uncertain: bool = False
    """Whether an earlier attempt, with the answer lost, may have been carried out."""

    @property
    def code(self) -> str:
        return str(self.fields["code"])


class Overtaken(Ec2KitError):
    message = messages.OVERTAKEN


class OtherActionRuns(Ec2KitError):
    message = messages.OTHER_ACTION


class NotBroughtHere(Ec2KitError):
    message = messages.NOT_BROUGHT_HERE


class AddressMissing(Ec2KitError):
    message = messages.ADDRESS_MISSING


class TakenOver(Ec2KitError):
    message = messages.TAKEN_OVER


class NotInServiceHere(Ec2KitError):
    message = messages.NOT_IN_SERVICE_HERE


class OtherInstance(Ec2KitError):
    message = messages.OTHER_INSTANCE


class PerformFailed(Ec2KitError):
    message = messages.PERFORM_FAILED


class RecoveryFailedAlready(Ec2KitError):
    message = messages.RECOVERY_FAILED_ALREADY


class StillHere(Ec2KitError):
    message = messages.STILL_HERE


class BadRequest(Ec2KitError):
    """What was asked for cannot be, whatever AWS says."""


class TagInvalid(BadRequest):
    message = messages.TAG_INVALID


class TagUnknown(BadRequest):
    message = messages.TAG_UNKNOWN


class InterfaceUnknown(BadRequest):
    message = messages.INTERFACE_UNKNOWN


class NotFree(BadRequest):
    message = messages.NOT_FREE


class StillInService(BadRequest):
    message = messages.STILL_IN_SERVICE


class LastServer(BadRequest):
    message = messages.LAST_SERVER


class ServersSilent(BadRequest):
    message = messages.SERVERS_SILENT


class ArgumentInvalid(BadRequest):
    message = messages.ARGUMENT_INVALID


class RevisionChanged(BadRequest):
    message = messages.REVISION_CHANGED


class ChecksFailed(BadRequest):
    message = messages.CHECKS_FAILED


class Cancelled(BadRequest):
    message = messages.CANCELLED


class RootUnusable(BadRequest):
    message = messages.ROOT_UNUSABLE


class FrameworkMissing(BadRequest):
    message = messages.FRAMEWORK_MISSING


class PlacesTaken(BadRequest):
    message = messages.PLACES_TAKEN


class ResourcesLeft(BadRequest):
    message = messages.RESOURCES_LEFT


class InstallationRuns(BadRequest):
    message = messages.INSTALLATION_RUNS


class StillRunning(BadRequest):
    message = messages.STILL_RUNNING


class NotUnderLifeKeeper(BadRequest):
    message = messages.NOT_UNDER_LIFEKEEPER


class NotByRole(BadRequest):
    message = messages.NOT_BY_ROLE


class MigrationIncomplete(BadRequest):
    message = messages.MIGRATION_INCOMPLETE


class InServiceTwice(BadRequest):
    message = messages.IN_SERVICE_TWICE


class NotExtended(BadRequest):
    message = messages.NOT_EXTENDED


class UsageError(BadRequest):
    message = messages.USAGE

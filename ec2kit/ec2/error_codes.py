"""Each of EC2's error codes has a meaning: an answer, no answer, or trouble of this server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ec2kit import errors
from ec2kit.ec2 import attempt as stages
from ec2kit.errors import Ec2KitError
from ec2kit.messages import catalogue

if TYPE_CHECKING:
    from ec2kit.role import Role

_THROTTLING = frozenset(
    "RequestLimitExceeded Throttling ThrottlingException RequestThrottled RequestThrottledException "
    "EC2ThrottledException ThrottledException TooManyRequestsException SlowDown BandwidthLimitExceeded "
    "PriorRequestNotComplete TransactionInProgressException ProvisionedThroughputExceededException".split()
)
_PASSING = frozenset("InternalError InternalFailure Unavailable RequestTimeout RequestTimeoutException".split())
_NO_PERMISSION = frozenset("UnauthorizedOperation AccessDenied AccessDeniedException OptInRequired Blocked".split())
_EXPIRED = frozenset("ExpiredToken ExpiredTokenException RequestExpired".split())
_REJECTED = frozenset(
    "AuthFailure InvalidClientTokenId InvalidAccessKeyId SignatureDoesNotMatch UnrecognizedClientException "
    "MissingAuthenticationToken IncompleteSignature PendingVerification".split()
)


_ADDRESS = frozenset({"AssociateAddress", "DisassociateAddress"})
_ABOUT_KEYS = "credentials"
_RETRY_AFTER = "x-amz-retry-after"


def meaning(response: Any, *, operation: str, target: str, credentials: str, service: str) -> Ec2KitError:
    """
    Return the error that an error answer means.

    Args:
        response: The SDK's form: {"Error": {"Code": …, "Message": …}, "ResponseMetadata": {…}}.
        target: The object that the request was about.
        credentials: The way by which the SDK found the credentials, "iam-role".
        service: The service that answers, "EC2".

    Source: EC2 API, "Error codes for the Amazon EC2 API"; botocore, retries.standard.
    """
    problem, metadata = _problem(response), response.get("ResponseMetadata", {})
    fields = {
        "service": service,
        "operation": operation,
        "object": target,
        "code": str(problem.get("Code", "")),
        "text": str(problem.get("Message", "")),
        "status": metadata.get("HTTPStatusCode", 0),
        "request_id": metadata.get("RequestId") or "none",
        "credentials": credentials,
    }
    error = _meaning(fields)
    if isinstance(error, errors.AwsUnknown):
        error.retry_after = _retry_after(metadata)
    return error


def _problem(response: Any) -> Any:
    """
    Return code and message of an error; the SDK finds none in one of Route 53's two forms.

    Source: Route 53 API, ChangeResourceRecordSets, InvalidChangeBatch: a document of its own, with several messages.
    """
    problem, messages = response.get("Error", {}), response.get("Messages")
    if messages and not problem.get("Code"):
        return {"Code": "InvalidChangeBatch", "Message": str(messages.get("Message", ""))}
    return problem


def _meaning(fields: dict[str, Any]) -> Ec2KitError:
    code, status = fields["code"], fields["status"]
    if code in _THROTTLING or status == 429:
        return errors.AwsThrottled(**fields)
    if code in _NO_PERMISSION:
        return errors.PermissionMissing(**fields)
    if code in _EXPIRED:
        return errors.CredentialsExpired(**fields)
    if code in _REJECTED and not _is_about_the_address(fields):
        return errors.CredentialsRejected(**fields)
    if status >= 500 or code in _PASSING:
        return errors.AwsServerError(**fields)
    if not code or code.isdigit():
        told = {name: fields[name] for name in ("service", "operation")}
        return errors.AwsGarbled(**told, endpoint="an error page", reason=f"HTTP {status}")
    return errors.AwsRefused(**fields)


def _is_about_the_address(fields: dict[str, Any]) -> bool:
    """
    Tell whether AuthFailure says that the Elastic IP or the ENI belongs to another account or to a service.

    Source: EC2 API, "Common client errors", AuthFailure.
    """
    about_keys = _ABOUT_KEYS in fields["text"].lower()
    return fields["code"] == "AuthFailure" and fields["operation"] in _ADDRESS and not about_keys


def _retry_after(metadata: Any) -> float:
    """Return the seconds that the service wants to pass; its header has milliseconds."""
    text = str(metadata.get("HTTPHeaders", {}).get(_RETRY_AFTER, ""))
    return int(text) / 1000 if text.isascii() and text.isdigit() else 0.0


def of_credentials(response: Any, *, operation: str, asked: str) -> Ec2KitError:
    """
    Return the error that an error answer of another service means: EC2 was not asked.

    Args:
        operation: The request to EC2 that needs the credentials.
        asked: The request to the other service, "AssumeRole".
    """
    failed = stages.late_credentials if _passes(response) else stages.refused_credentials
    return failed(operation, _SERVICE.get(asked, "SSO"), asked, _words(response))


def of_role(response: Any, *, operation: str, asked: str, role: Role) -> Ec2KitError:
    """
    Return the error that an error answer of STS means about a role of a resource: EC2 was not asked.

    Args:
        operation: The request to EC2 that needs the credentials.
        asked: The request to STS with the role, "AssumeRole arn:…".
    """
    reason = _words(response)
    if _passes(response):
        return stages.late_credentials(operation, "STS", asked, reason)
    return errors.NotSent(catalogue.ROLE_REFUSED, operation=operation, role_arn=role.role_arn, reason=reason)


def _passes(response: Any) -> bool:
    """Tell whether an error answer of a service that gives credentials may be another one soon."""
    code, status = str(response.get("Error", {}).get("Code", "")), _status(response)
    return status >= 500 or status == 429 or code in _THROTTLING | _PASSING


def _words(response: Any) -> str:
    problem, metadata = response.get("Error", {}), response.get("ResponseMetadata", {})
    code = str(problem.get("Code", "")) or _status(response)
    return f"{code}, {problem.get('Message', '')} (request {metadata.get('RequestId') or 'none'})"


def _status(response: Any) -> int:
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


_SERVICE = dict.fromkeys(("AssumeRole", "AssumeRoleWithWebIdentity", "GetSessionToken"), "STS")
"""The service that has a request; all others that give credentials are SSO's."""

"""What EC2's error codes mean: which of them are answers, which are none, and which are trouble of ours."""

from __future__ import annotations

from typing import Any

from ec2kit import errors
from ec2kit.errors import Ec2KitError

_THROTTLING = frozenset(
    "RequestLimitExceeded Throttling ThrottlingException RequestThrottled RequestThrottledException "
    "EC2ThrottledException TooManyRequestsException SlowDown BandwidthLimitExceeded".split()
)
_NO_PERMISSION = frozenset("UnauthorizedOperation AccessDenied AccessDeniedException OptInRequired Blocked".split())
_EXPIRED = frozenset("ExpiredToken ExpiredTokenException RequestExpired".split())
_REJECTED = frozenset(
    "AuthFailure InvalidClientTokenId InvalidAccessKeyId SignatureDoesNotMatch UnrecognizedClientException "
    "MissingAuthenticationToken IncompleteSignature PendingVerification".split()
)


def meaning(response: Any, *, operation: str, target: str) -> Ec2KitError:
    """
    Tell what an error answer means.

    Args:
        response: As the SDK gives it: {"Error": {"Code": …, "Message": …}, "ResponseMetadata": {…}}.
        target: The object that the request was about.

    Source: EC2 API, "Error codes for the Amazon EC2 API".
    """
    problem, metadata = response.get("Error", {}), response.get("ResponseMetadata", {})
    code, status = str(problem.get("Code", "")), metadata.get("HTTPStatusCode", 0)
    fields = {
        "operation": operation,
        "object": target,
        "code": code,
        "text": str(problem.get("Message", "")),
        "status": status,
        "request_id": metadata.get("RequestId") or "none",
    }
    if code in _THROTTLING:
        return errors.AwsThrottled(**fields)
    if code in _NO_PERMISSION:
        return errors.PermissionMissing(**fields)
    if code in _EXPIRED:
        return errors.CredentialsExpired(**fields)
    if code in _REJECTED:
        return errors.CredentialsRejected(**fields)
    if status >= 500 or status == 429 or code in ("InternalError", "InternalFailure", "Unavailable"):
        return errors.AwsServerError(**fields)
    if not code or code.isdigit():
        return errors.AwsGarbled(endpoint="an error page", operation=operation, reason=f"HTTP {status}")
    return errors.AwsRefused(**fields)

"""
The catalogue of messages, as data.

Codes are ec2kit's own, 620001-620999: 0xx the action itself, 1xx settings, 2xx EC2 and IMDS, 3xx changes and
verdicts, 4xx registry and state, 5xx hierarchy, 6xx checks. A message is never renumbered or given a new meaning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_USERINFO = re.compile(r"(?<=//)[^/@\s]+@")
_SECRET = re.compile(r"(?i)\b((?:aws_)?(?:secret\w*|\w*token|authorization|signature)\w*\W{1,6})[^\s,;&'\"]+")
_LONGEST = 4000


def clean(text: str) -> str:
    """One line without control characters, without passwords in URLs and without tokens."""
    line = _CONTROL.sub(" ", text)
    line = _USERINFO.sub("***@", line)
    line = _SECRET.sub(r"\1***", line)
    return line if len(line) <= _LONGEST else line[:_LONGEST] + " …"


class Level(Enum):
    """LifeKeeper's levels; FATAL is never used by a kit of ours so far."""

    FATAL = "FATAL"
    ERROR = "ERROR"
    WARN = "WARN"
    NOTIFY = "NOTIFY"
    INFO = "INFO"


@dataclass(frozen=True)
class Message:
    """
    One entry of the catalogue.

    Attributes:
        text: What is the case, with fields: "no answer from {endpoint}".
        cause: How it comes to that.
        action: What the reader should do; empty where nothing is to be done.
    """

    code: int
    level: Level
    text: str
    cause: str = ""
    action: str = ""

    def render(self, **fields: object) -> str:
        """The text with its fields filled in, on one line and without secrets."""
        return clean(" ".join(self.text.format(**fields).split()))


Notice = tuple[Message, dict[str, object]]
"""A message with its fields, from where there is no log to one that has it."""

CATALOGUE: dict[int, Message] = {}


def _message(code: int, level: Level, text: str, cause: str = "", action: str = "") -> Message:
    message = Message(code, level, text, cause, action)
    if code in CATALOGUE:
        raise ValueError(f"message code {code} is given twice")
    CATALOGUE[code] = message
    return message


_ERROR, _WARN, _NOTIFY, _INFO = Level.ERROR, Level.WARN, Level.NOTIFY, Level.INFO

# -- 0xx: the action ---------------------------------------------------------------------------------------

BEGIN = _message(620001, _INFO, 'BEGIN {action} of "{tag}" on {server}')
END_SUCCESSFUL = _message(620002, _INFO, 'END successful {action} of "{tag}" after {seconds} s{note}')
END_FAILED = _message(
    620003,
    _ERROR,
    'END failed {action} of "{tag}" after {seconds} s: {reason}',
    "The lines before this one say what went wrong.",
    "Mend what they name, then run the action again; every action may be repeated.",
)
INTERNAL = _message(
    620004,
    _ERROR,
    "unexpected trouble in ec2kit: {error} (at {place})",
    "A fault in ec2kit or in its installation.",
    "Report it with this line. The address was not judged because of it.",
)
STOPPED = _message(
    620005,
    _ERROR,
    "stopped by signal {signal}",
    "The framework or a person ended the action.",
    "Run it again when wanted.",
)
OVERDUE = _message(
    620006,
    _ERROR,
    "the action did not end by itself within its deadline of {seconds} s and was ended",
    "Something outside the network hung: a disk, a command, the log.",
    "Look for hanging disks and commands on this server.",
)
BUSY = _message(620007, _INFO, "not looked: {busy} is under way here")
USAGE = _message(
    620008,
    _ERROR,
    "{problem}",
    "The command line cannot be understood.",
    "Call the action with --help to see its usage.",
)
DEADLINE_PASSED = _message(
    620009,
    _ERROR,
    "no time left for {doing}: the deadline of {seconds} s has passed",
    "AWS was slow or silent, or the process was stopped for a while.",
    "Look at the lines before; raise EC2_<ACTION>_TIMEOUT if AWS is often that slow.",
)
OVERTAKEN = _message(
    620010,
    _ERROR,
    "overtaken: {newer} meanwhile; nothing more is written",
    "A newer action on the same resource cancels an older one.",
)
TAG_INVALID = _message(
    620011,
    _ERROR,
    "{tag} is not a tag: letters, digits, '.', '_' and '-', 1 to 128 of them",
    "The tag names a resource and nothing else.",
    "Give the tag of an existing resource; `ec2kit status` lists them.",
)
OTHER_ACTION = _message(
    620012,
    _ERROR,
    "another action on this resource did not end within {seconds} s",
    "Two actions that write wait for one another.",
    "Look in the log for the action that is still running.",
)

# -- 1xx: settings -----------------------------------------------------------------------------------------

SETTING_INVALID = _message(
    620101,
    _WARN,
    "{source}: {name}={value} is not {expected}; {default} is used",
    "A tunable is not a number, or out of its range.",
    "Correct it; the tunables are listed in the README.",
)
SETTINGS_UNREADABLE = _message(
    620102,
    _ERROR,
    "{path} cannot be read ({reason}); defaults are used",
    "",
    "Make it readable for the user that runs the actions.",
)
SETTINGS_UNSAFE = _message(
    620103,
    _ERROR,
    "{path} is not used: {reason}",
    "Whoever can write the file decides where AWS is and which credentials are used.",
    "Give it to root and take write permission from group and others.",
)
CONFIGURATION_INVALID = _message(
    620104,
    _ERROR,
    "the SDK cannot be used as configured: {reason}",
    "A region, an endpoint or a profile that does not exist or cannot be parsed.",
    "Correct AWS_*, EC2_ENDPOINT_URL or the SDK's configuration file.",
)

# -- 2xx: EC2, IMDS and other servers ----------------------------------------------------------------------

NO_ANSWER = _message(
    620201,
    _ERROR,
    "no answer from EC2 ({endpoint}) to {operation}: {reason}",
    "The endpoint cannot be reached, is silent, slow or broken, or its name cannot be resolved.",
    "Check the network path, DNS, proxy and security groups to the endpoint.",
)
THROTTLED = _message(
    620202,
    _ERROR,
    "EC2 throttles {operation}: {code} (request {request_id})",
    "The account's request rate for this operation is used up, by whatever tool.",
    "Find who calls EC2 that often; lengthen the intervals of checks.",
)
SERVER_ERROR = _message(
    620203,
    _ERROR,
    "EC2 failed at {operation}: HTTP {status} {code} (request {request_id})",
    "Trouble inside AWS.",
    "See the AWS health page; the kit goes on trying until its deadline.",
)
GARBLED = _message(
    620204,
    _ERROR,
    "unusable answer from EC2 ({endpoint}) to {operation}: {reason}",
    "Something between this server and EC2 answers in its place, or the answer was cut.",
    "Check proxies and the endpoint URL.",
)
CREDENTIALS_MISSING = _message(
    620205,
    _ERROR,
    "no credentials for {operation}: {reason}",
    "No IAM role is attached, IMDS is silent or out of reach, or the configured profile is incomplete.",
    "Attach an instance role with the permissions in etc/iam-policy.json.",
)
CREDENTIALS_REJECTED = _message(
    620206,
    _ERROR,
    "EC2 does not accept the credentials for {operation}: {code}, {text} (request {request_id})",
    "Wrong, expired or withdrawn keys, or a clock that is wrong.",
    "Prefer an instance role; check the clock.",
)
PERMISSION_MISSING = _message(
    620207,
    _ERROR,
    "permission missing for {operation} on {object}: {code} (request {request_id})",
    "The role does not allow the operation.",
    "Add it as in etc/iam-policy.json.",
)
REFUSED = _message(
    620208,
    _ERROR,
    "EC2 refuses {operation} on {object}: {code}, {text} (request {request_id})",
    "The request names something that does not exist or is not allowed.",
    "Check the object named.",
)
RETRYING = _message(620209, _INFO, "{reason}; attempt {attempt} of {operation} follows in {seconds} s")
IMDS_SILENT = _message(
    620210,
    _ERROR,
    "no usable answer from the instance metadata service ({endpoint}): {reason}",
    "IMDS is switched off, its hop limit is too small for a container, or a firewall drops it.",
    "Enable IMDSv2 for the instance; 169.254.169.254 must not go through a proxy.",
)
INTERFACE_UNKNOWN = _message(
    620211,
    _ERROR,
    "no network interface {device} of this instance: {reason}",
    "The device does not exist, or its MAC address is not one that EC2 gave to this instance.",
    "Name a device that `ip link` shows and that is an ENI of this instance.",
)
REMOTE_SILENT = _message(
    620212,
    _ERROR,
    "{server} cannot be asked: {reason}",
    "The server is down, or EC2_REMOTE_COMMAND does not reach it.",
    "Check by hand that the remote command works without a password.",
)
REMOTE_REFUSED = _message(620213, _ERROR, "{server} says: {reason}", "The other server could not do its part.")
LOCAL_COMMAND = _message(
    620214,
    _ERROR,
    "`{command}` failed: {reason}",
    "A command of this server could not be run.",
    "Run it by hand.",
)

SHARED_UNKNOWN = _message(620215, _INFO, "{reason}")
MODEL_UNUSABLE = _message(
    620220,
    _WARN,
    "the EC2 model that comes with ec2kit cannot be used with botocore {version} ({reason}); its own is read instead",
    "This botocore is another than ec2kit was made with, or ec2kit's installation is damaged.",
    "All works as before, but each action takes longer. Install ec2kit again, or another version of botocore.",
)

# -- 3xx: changes and verdicts -----------------------------------------------------------------------------

ROUTE_REPLACED = _message(
    620301,
    _INFO,
    "{target}: route {cidr} moved from {old} to {new} in {milliseconds} ms, attempt {attempts}, request {request_id}",
)
ADDRESS_ASSOCIATED = _message(
    620302,
    _INFO,
    "{target}: Elastic IP {public_ip} moved from {old} to {new} in {milliseconds} ms, attempt {attempts}, "
    "request {request_id}",
)
ADDRESS_DISASSOCIATED = _message(
    620303,
    _INFO,
    "{target}: Elastic IP {public_ip} taken off {old} in {milliseconds} ms, attempt {attempts}, request {request_id}",
)
LINK_SET_UP = _message(620304, _INFO, "{target}: link brought up")
ADDRESS_DISPLACED = _message(
    620305,
    _WARN,
    "Elastic IP {public_ip} ({allocation_id}) held {private_ip_address} of {network_interface_id} and is displaced",
    "A private address carries one Elastic IP; EC2 displaces the one before.",
    "Give the other Elastic IP a private address of its own.",
)
CHANGE_UNCONFIRMED = _message(
    620306,
    _WARN,
    "{target}: the outcome of {operation} is not certain ({reason}); the next look shows whether it was carried out",
    "The answer was lost, or there was no time to wait for it.",
)
CHANGE_FAILED = _message(620307, _ERROR, "{target}: {reason}")
NOT_BROUGHT_HERE = _message(
    620308,
    _ERROR,
    "{done} of {all} are right; not right: {problems}",
    "Some of the objects could not be changed or verified.",
    "See the line of each object above; run restore again when it is mended.",
)
NO_ROUTE = _message(
    620309,
    _ERROR,
    "no route table of {vpc_id} has a route {cidr}",
    "The kit moves routes that exist; it creates none.",
    "Create the route in every table whose subnets use the address.",
)
ADDRESS_MISSING = _message(
    620310,
    _ERROR,
    "Elastic IP {public_ip} ({allocation_id}) does not exist in this account and region",
    "It was released, or the region or account is another.",
    "Allocate it again, or correct the resource.",
)
VERIFIED_AFTER = _message(620311, _INFO, "EC2 showed the change {seconds} s after it had accepted it")
STATUS_IN = _message(620312, _INFO, "{address} is in service here")
STATUS_OUT = _message(
    620313,
    _ERROR,
    "{address} is out of service here: {reason}",
    "EC2 answered, twice, that the address is not on this server.",
    "Recovery or failover follows; find out who changed it (CloudTrail: ReplaceRoute, AssociateAddress).",
)
STATUS_UNKNOWN = _message(
    620314,
    _WARN,
    "{address} cannot be judged, taken as in service (no. {count} in a row, for {age} s): {reason}",
    "No usable answer; that is never taken for a failure.",
    "See the reason. The next check tries again.",
)
STATUS_TROUBLE = _message(
    620315,
    _ERROR,
    "{address} cannot be judged, taken as in service (no. {count} in a row, for {age} s): {reason}",
    "A permission is missing, or this server has trouble of its own.",
    "Mend what the reason names; until then the address is not watched.",
)
STATUS_KNOWN_AGAIN = _message(
    620316, _NOTIFY, "EC2 answers again, after {count} check(s) without an answer in {age} s"
)
STATUS_SECOND_LOOK = _message(
    620317, _INFO, "a first look said: {reason}; the second look {seconds} s later did not agree"
)
TABLE_LOST_ROUTE = _message(
    620318,
    _WARN,
    "{route_table_id} used to hold {cidr} and no longer does",
    "Somebody deleted the route or the table.",
    "Create the route again if the table's subnets still use the address.",
)
TAKEN_OVER = _message(
    620319,
    _ERROR,
    "taken over by {server}: {reason}; nothing is written",
    "Another server of the resource holds the address, and is in service or cannot be asked.",
    "If this server shall have it, run restore here.",
)
NOT_IN_SERVICE_HERE = _message(
    620320,
    _ERROR,
    "not in service here: {reason}; recover writes nothing",
    "Recovery mends a resource that this server runs; it does not start one.",
    "Run restore to bring it in service here.",
)
LEFT_ASSOCIATED = _message(
    620321,
    _ERROR,
    "{address} may still be associated here: {reason}; the next server's restore takes it",
    "AWS was silent or refused; a failed remove would stop the server for nothing.",
    "Nothing, if another server takes over; else disassociate by hand.",
)
SOURCE_DEST_CHECK_OFF = _message(
    620322, _INFO, "{network_interface_id}: source/destination check switched off, request {request_id}"
)
SOURCE_DEST_CHECK_ON = _message(
    620323,
    _ERROR,
    "{network_interface_id}: source/destination check is on and cannot be switched off: {reason}",
    "EC2 drops packets to an address that is not the ENI's own.",
    "Switch the check off: EC2 console, or ModifyNetworkInterfaceAttribute.",
)
SOURCE_DEST_CHECK_UNSEEN = _message(
    620324, _INFO, "could not look at the source/destination check of {network_interface_id}: {reason}"
)
OTHER_INSTANCE = _message(
    620325,
    _ERROR,
    "this is instance {here}, but {server} in resource {tag} is {expected}; nothing is written",
    "The server was cloned from an image or replaced.",
    "Run unextend and extend for this server, or delete and create.",
)
IDENTITY_UNSEEN = _message(620326, _WARN, "could not verify which instance this is: {reason}")

MAY_BE_TAKEN = _message(620327, _INFO, "held by {holder}, {reason}: may be taken back")

RECOVERED_ALREADY = _message(620328, _INFO, "this failure was recovered from already; nothing is written")
RECOVERY_FAILED_ALREADY = _message(
    620329,
    _ERROR,
    "recovery from this failure was tried already, and failed: {reason}",
    "LifeKeeper began recovery twice: by the event, and by the exit status of quickCheck.",
    "See the log of the first recovery. The next quickCheck that fails is a new failure.",
)
EVENT_SENT = _message(620330, _INFO, "reported to LifeKeeper as event {event_class}/{event}")

# -- 4xx: registry and state -------------------------------------------------------------------------------

TAG_UNKNOWN = _message(
    620401,
    _ERROR,
    "there is no resource {tag} on {server}",
    "",
    "`ec2kit status` lists the resources; `create` and `extend` make them.",
)
REGISTRY_EMPTY = _message(
    620402,
    _ERROR,
    "the registry {path} is missing or empty; whether {tag} exists cannot be said",
    "Nothing was created here yet, or the folder was lost or not mounted.",
    "Restore the folder, or create or extend the resource.",
)
REGISTRY_BROKEN = _message(
    620403,
    _ERROR,
    "{path} cannot be used: {reason}",
    "The file was damaged or written by something else.",
    "Restore it from another server's copy or a backup; or remove it and extend again.",
)
STATE_UNUSABLE = _message(
    620404,
    _ERROR,
    "{path} cannot be used: {reason}",
    "The disk is full, read-only or broken, or the folder belongs to somebody else.",
    "Make room, or make the folder writable for the user that runs the actions.",
)
SERVER_UNKNOWN = _message(
    620406,
    _ERROR,
    "{server} is not a server of resource {tag} (they are: {servers})",
    "The resource was not extended to it, or its name has changed.",
    "Set EC2KIT_SERVER if the name changed; else run extend on that server.",
)
REVISION_CHANGED = _message(
    620407,
    _ERROR,
    "resource {tag} was changed by somebody else meanwhile",
    "Two changes of one resource at the same time.",
    "Run the command again.",
)

LIFEKEEPER_FAILED = _message(
    620408,
    _ERROR,
    "LifeKeeper's {command} failed: {reason}",
    "LifeKeeper is not running, its database is damaged, or it refuses.",
    "Look at lcdstatus and at LifeKeeper's log.",
)

# -- 5xx: hierarchy ----------------------------------------------------------------------------------------

CREATED = _message(620501, _INFO, "resource {tag} created on {server}: {summary}")
EXTENDED = _message(620502, _INFO, "resource {tag} extended to {server}, priority {priority}")
UNEXTENDED = _message(620503, _INFO, "resource {tag} no longer on {server}")
DELETED = _message(620504, _INFO, "resource {tag} deleted from {server}; nothing was changed in AWS")
UNDONE = _message(620505, _NOTIFY, "{deed} of {tag} is undone: {what}")
UNDO_FAILED = _message(
    620506,
    _ERROR,
    "could not undo: {what}: {reason}",
    "",
    "Put it back by hand.",
)
CREATE_RESUMED = _message(620507, _NOTIFY, "an earlier create of {tag} was cut off; its traces are removed")
NOT_FREE = _message(
    620508,
    _ERROR,
    "{what} is taken: {by}",
    "No two resources share a tag or an address, no two servers of a resource a priority.",
    "Choose another, or delete the other resource.",
)
STILL_IN_SERVICE = _message(
    620509,
    _ERROR,
    "resource {tag} is in service on {server}",
    "A server that runs a resource cannot be taken out of it.",
    "Bring it in service on another server first.",
)
LAST_SERVER = _message(
    620510, _ERROR, "{server} is the only server of resource {tag}", "", "Use delete to remove the resource."
)
SERVERS_SILENT = _message(
    620511,
    _ERROR,
    "not done, since these servers did not do their part: {servers}",
    "Every server keeps the same definition of a resource.",
    "Make them reachable. delete has --local for this server alone, unextend --lost for one that is gone.",
)
PERFORM_FAILED = _message(
    620513,
    _ERROR,
    "LifeKeeper could not {action} {tag}: {reason}",
    "LifeKeeper runs the action on all that belongs to the resource, and one part of it failed.",
    "See LifeKeeper's log, between BEGIN and END of the action.",
)
CHANGED = _message(620514, _INFO, "resource {tag}: {name} changed from {old} to {new} on all servers")
RENAMED = _message(620515, _INFO, "resource {tag} renamed to {new} on {server}")
ARGUMENT_INVALID = _message(620512, _ERROR, "{name}: {reason}", "", "Correct the option.")

# -- 6xx: checks -------------------------------------------------------------------------------------------

CHECK_OK = _message(620601, _INFO, "check {check}: {found}")
CHECK_NOTE = _message(620602, _INFO, "check {check}: {found}; {advice}")
CHECK_WARN = _message(620603, _WARN, "check {check}: {found}; {advice}")
CHECK_UNSEEN = _message(620604, _WARN, "check {check}: could not look: {found}; {advice}")
CHECK_FAILED = _message(620605, _ERROR, "check {check}: {found}; {advice}")
CHECKS_FAILED = _message(
    620606,
    _ERROR,
    "{count} checks failed: {checks}",
    "What failed would make a failover fail.",
    "Each line above says what to do; then run it again.",
)

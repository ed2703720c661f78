"""
The catalogue of messages, as data.

Codes are ec2kit's own, 620001-620999, in GROUPS of a hundred. A message is never renumbered or given a new meaning.
`messages_ja.py` says each in Japanese.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029"
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # they turn the order of what follows round
    r"\ud800-\udfff]+"  # bytes that are no text; syslog takes none
)
_WORD = re.compile(r"\S+")
_SECRET = re.compile(
    r"(?i)(\b(?=(\w+))(?=\w*?(?:secret|token|authorization|signature))\2"  # a word is tried once, as a whole
    r"(?![,;.)]?\s{1,6}(?-i:[a-z]{1,15})[,;:.)]?(?:\s|$))"  # prose: "the token bucket is empty"
    r"\W{1,6})[^\s,;&'\"]+"
)
_KEY = re.compile(r"([A-Za-z0-9/+=]{40} +)?A[KS]IA[A-Z0-9]{16}( +[A-Za-z0-9/+=]{40})?")
_HEADER = re.compile(r"(?i)(header value\W{1,3})b?['\"].*")
"""How Python's HTTP names a header that it does not send; those that we set are keys and tokens."""

_LONGEST = 4000


def clean(text: str) -> str:
    """One line without control characters, without passwords in URLs, without tokens and access keys."""
    line = printable(text[: 2 * _LONGEST])
    line = _WORD.sub(_without_password, line)
    line = _HEADER.sub(r"\1***", _SECRET.sub(r"\1***", line))
    line = _KEY.sub("***", line)
    return line if len(line) <= _LONGEST else line[:_LONGEST] + " …"


def printable(text: str) -> str:
    """One line without what a terminal would obey, and what syslog would not take."""
    return _CONTROL.sub(" ", text)


def _without_password(word: re.Match[str]) -> str:
    """A URL without what identifies its user, "http://***@proxy:3128"; other words as they are."""
    scheme, _, rest = word[0].partition("//")
    host = rest.rpartition("@")[2]
    return word[0] if host == rest else f"{scheme}//***@{host}"


class Level(Enum):
    """LifeKeeper's levels; FATAL is never used by a kit of ours so far."""

    FATAL = "FATAL"
    ERROR = "ERROR"
    WARN = "WARN"
    NOTIFY = "NOTIFY"
    INFO = "INFO"


class Message(NamedTuple):
    """
    One entry of the catalogue.

    Attributes:
        text: What is the case, with fields: "no answer from {endpoint}".
        cause: How it comes to that.
        action: What the reader should do; empty where nothing is to be done, as INFO and NOTIFY have it.
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

GROUPS = {
    0: "The action",
    1: "Settings",
    2: "EC2, IMDS and other servers",
    3: "Changes and verdicts",
    4: "Registry and state",
    5: "Hierarchy",
    6: "Checks",
    7: "Installation",
    8: "Migration and verification",
    9: "Pacemaker and keepalived",
}
"""The fourth digit of a code → what such messages are about."""


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
    "Run it again when wanted. A framework's time limit must be longer than EC2_<ACTION>_TIMEOUT.",
)
OVERDUE = _message(
    620006,
    _ERROR,
    "the action did not end by itself within its deadline of {seconds} s and was ended",
    "Something outside the network hung: a disk, a command, the log.",
    "Look for hanging disks (`dmesg`) and commands (ip, ssh) on this server, and at the log's own disk.",
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
    "Nothing, if the newer one was wanted; it is in the log, too.",
)
TAG_INVALID = _message(
    620011,
    _ERROR,
    "{tag} is not a tag: letters, digits, '.', '_' and '-', 1 to 128 of them",
    "The tag names a resource and nothing else.",
    "Give the tag of an existing resource; `ec2kit status` lists them. A framework has it in its configuration.",
)
OTHER_ACTION = _message(
    620012,
    _ERROR,
    "another action on this resource did not end within {seconds} s",
    "Two actions that write wait for one another.",
    "Look in the log, and by `ps`, for the action that is still running, hangs or is stopped; remove lets it end "
    "before its next write.",
)

# -- 1xx: settings -----------------------------------------------------------------------------------------

SETTING_INVALID = _message(
    620101,
    _WARN,
    "{source}: {name}={value} is not {expected}; {default} is used",
    "A tunable is not a number, or out of its range.",
    "Correct the file or variable that the line names; the tunables are listed in the README.",
)
SETTINGS_UNREADABLE = _message(
    620102,
    _ERROR,
    "{path} cannot be read ({reason}); defaults are used",
    "The permissions of the file, or of a folder above it, or a disk in trouble.",
    "Make it readable for the user that runs the actions.",
)
SETTINGS_UNSAFE = _message(
    620103,
    _ERROR,
    "{path} is not used: {reason}",
    "Whoever can write the file decides where AWS is and which credentials are used.",
    "Give it to root (`chown root`) and take write permission from group and others (`chmod go-w`).",
)
CONFIGURATION_INVALID = _message(
    620104,
    _ERROR,
    "the SDK cannot be used as configured: {reason}",
    "A region, an endpoint or a profile that does not exist or cannot be parsed.",
    "Correct AWS_*, EC2_ENDPOINT_URL or the SDK's configuration file.",
)

ENDPOINT_IN_CLEAR = _message(
    620105,
    _WARN,
    "EC2 is asked without encryption at {endpoint}",
    "An http:// endpoint beyond this machine: whoever is on the way can read what is asked and forge the answers.",
    "Set it to https://; EC2 and PrivateLink endpoints have that. For a certificate of your own authority set "
    "AWS_CA_BUNDLE.",
)

# -- 2xx: EC2, IMDS and other servers ----------------------------------------------------------------------

NO_ANSWER = _message(
    620201,
    _ERROR,
    "no answer from EC2 ({endpoint}) to {operation}: {reason}",
    "The endpoint cannot be reached, is silent, slow or broken, or its name cannot be resolved.",
    "Check the network path, DNS, proxy and security groups to the endpoint; any answer to "
    "`curl -sS https://ec2.<region>.amazonaws.com/` on this server will do.",
)
THROTTLED = _message(
    620202,
    _ERROR,
    "EC2 throttles {operation}: {code} (request {request_id})",
    "The account's request rate for this operation is used up, by whatever tool.",
    "Find who calls EC2 that often (CloudTrail); lengthen the intervals of checks. With several resources on a "
    "server lower EC2_WRITE_BURST and EC2_WRITE_RATE.",
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
    "Check proxies and the endpoint URL; the name of a PrivateLink endpoint belongs into NO_PROXY.",
)
CREDENTIALS_MISSING = _message(
    620205,
    _ERROR,
    "no credentials for {operation}: {reason}",
    "No IAM role is attached, IMDS is silent or out of reach, or the configured profile is incomplete.",
    "Attach an instance role with the permissions in etc/iam-policy.json, or complete the profile. If it is "
    "attached, see 620210.",
)
CREDENTIALS_REJECTED = _message(
    620206,
    _ERROR,
    "EC2 does not accept the credentials for {operation}: {code}, {text} (request {request_id})",
    "Wrong, expired or withdrawn keys, or a clock that is wrong.",
    "Prefer an instance role, which keys in the environment or the file hide; check the clock (`chronyc tracking`).",
)
PERMISSION_MISSING = _message(
    620207,
    _ERROR,
    "permission missing for {operation} on {object}: {code} (request {request_id})",
    "The role does not allow the operation, or a permissions boundary or an SCP forbids it.",
    "Add it as in etc/iam-policy.json.",
)
REFUSED = _message(
    620208,
    _ERROR,
    "EC2 refuses {operation} on {object}: {code}, {text} (request {request_id})",
    "The request names something that does not exist or is not allowed.",
    "Check the object named: does it still exist, in this account and region?",
)
RETRYING = _message(620209, _INFO, "{reason}; attempt {attempt} of {operation} follows in {seconds} s")
IMDS_SILENT = _message(
    620210,
    _ERROR,
    "no usable answer from the instance metadata service ({endpoint}): {reason}",
    "IMDS is switched off, its hop limit is too small for a container, or a firewall drops it.",
    "Enable IMDSv2 for the instance, in a container with a hop limit (HttpPutResponseHopLimit) of 2; no firewall may "
    "drop 169.254.169.254, and it must not go through a proxy.",
)
INTERFACE_UNKNOWN = _message(
    620211,
    _ERROR,
    "no network interface {device} of this instance: {reason}",
    "The device does not exist, or its MAC address is not one that EC2 gave to this instance.",
    "Name a device that `ip link` shows and that is an ENI of this instance; is the ENI attached?",
)
REMOTE_SILENT = _message(
    620212,
    _ERROR,
    "{server} cannot be asked: {reason}",
    "The server is down, or EC2_REMOTE_COMMAND does not reach it.",
    "Check by hand, as the user that runs the framework, that the remote command works: no password, no question "
    "about a host key, the server's name as ec2kit knows it, ec2kit at the same path.",
)
REMOTE_REFUSED = _message(
    620213,
    _ERROR,
    "{server} says: {reason}",
    "The other server could not do its part.",
    "Mend there what the reason names (its own log knows more), then run the command again here.",
)
LOCAL_COMMAND = _message(
    620214,
    _ERROR,
    "`{command}` failed: {reason}",
    "A command of this server could not be run.",
    "Run it by hand; is it found in the PATH that the environment or the file sets?",
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
    "Nothing yet: the lines that follow say what the next look found; after the last of them `ec2kit status` does.",
)
CHANGE_FAILED = _message(
    620307,
    _ERROR,
    "{target}: {reason}",
    "This one object could not be changed; the others go on.",
    "Mend what the reason names, then run the action again; what is right already is left alone.",
)
NOT_BROUGHT_HERE = _message(
    620308,
    _ERROR,
    "{done} of {all} are right; not right: {problems}",
    "Some of the objects could not be changed or verified.",
    'See the line of each object above; run restore again when it is mended. "contested": find who else writes '
    '(CloudTrail); "still ...": raise EC2_VERIFY_TIMEOUT; "blackhole": attach the ENI, start its instance.',
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
    "Create the route again if the table's subnets still use the address; until the next restore this is repeated.",
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
    "Switch the check off: EC2 console, or `aws ec2 modify-network-interface-attribute --network-interface-id ENI "
    "--no-source-dest-check`.",
)
SOURCE_DEST_CHECK_UNSEEN = _message(
    620324, _INFO, "could not look at the source/destination check of {network_interface_id}: {reason}"
)
OTHER_INSTANCE = _message(
    620325,
    _ERROR,
    "this is instance {here}, but {server} in resource {tag} is {expected}; nothing is written",
    "The server was cloned from an image or replaced.",
    "A replacement: delete with --local here, then extend. A clone beside the original: give it a name of its own "
    "first. docs/troubleshooting.md has the steps.",
)
IDENTITY_UNSEEN = _message(
    620326,
    _WARN,
    "could not verify which instance this is: {reason}",
    "The instance metadata service does not answer; the action goes on all the same.",
    "See 620210. Until it answers, a cloned or replaced server is not noticed.",
)

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
PERMIT_TOO_OLD = _message(
    620331,
    _WARN,
    "what permits this write was seen more than {seconds} s ago, and counts no longer",
    "The recovery was held up between its look and its write: it was stopped, EC2 is slow, or there are many tables.",
    "Nothing: recover looks and asks again as long as it has time. If it fails for this, see what holds it up.",
)
CHANGE_TO_BE_REPEATED = _message(
    620332,
    _INFO,
    "{target}: {operation} was not carried out ({reason}); the next look shows whether it is tried again",
)
ANSWER_NOT_NEEDED = _message(620333, _INFO, "{target}: it is as wanted, although the answer to {operation} was lost")
OUTCOME_UNKNOWN = _message(
    620334,
    _ERROR,
    "{unknown}; {reason}",
    "The answers to changes were lost, and EC2 could not be looked at again in time.",
    "`ec2kit status` shows where the address is now; run the action again: what is right already is left alone.",
)

# -- 4xx: registry and state -------------------------------------------------------------------------------

TAG_UNKNOWN = _message(
    620401,
    _ERROR,
    "there is no resource {tag} on {server}",
    "It was never made on this server, or was deleted, or the tag is misspelt.",
    "`ec2kit status` lists the resources; `create` and `extend` make them.",
)
REGISTRY_EMPTY = _message(
    620402,
    _ERROR,
    "the registry {path} is missing or empty; whether {tag} exists cannot be said",
    "Nothing was created here yet, or the folder was lost or not mounted.",
    "Mount EC2KIT_STATE_DIR, or restore it from a backup, or create or extend the resource.",
)
REGISTRY_BROKEN = _message(
    620403,
    _ERROR,
    "{path} cannot be used: {reason}",
    "The file was damaged or written by something else.",
    "Restore it from another server's copy (all have the same) or a backup; or remove it and extend again.",
)
STATE_UNUSABLE = _message(
    620404,
    _ERROR,
    "{path} cannot be used: {reason}",
    "The disk is full, read-only or broken, or the folder belongs to somebody else.",
    "Make room, or make the folder writable for the user that runs the actions. A damaged file below EC2KIT_RUN_DIR "
    "may be removed.",
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

STATE_ELSEWHERE = _message(
    620409,
    _WARN,
    "{path} cannot be written: {reason}; the state of {tag} is kept in {spare} until the next boot",
    "The disk of EC2KIT_STATE_DIR is full, read-only or broken, or the folder belongs to somebody else.",
    "Mend it: nothing can be created, extended, changed or deleted here meanwhile. Moving and recovering the address "
    "is not impaired, and nothing that counts is lost by a boot.",
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
    "EC2, a server or a disk failed while something unfinished was being put back.",
    "Put back by hand what the line names.",
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
    "Bring it in service on another server first; if that has it in truth already, run remove on the one named.",
)
LAST_SERVER = _message(
    620510,
    _ERROR,
    "{server} is the only server of resource {tag}",
    "A resource without a server would be known to nobody.",
    "Use delete to remove the resource.",
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
CANCELLED = _message(620516, _NOTIFY, "cancelled; nothing was changed")
ARGUMENT_INVALID = _message(
    620512,
    _ERROR,
    "{name}: {reason}",
    "The value cannot be, or does not go with the others.",
    "Correct it; --help lists the options.",
)

SERVER_GONE = _message(
    620517,
    _WARN,
    "{server} is no server of {tag} any more: LifeKeeper there has no such resource; its definition goes on without",
    "The resource was unextended in LifeKeeper's own GUI, or an extend or unextend was cut off.",
    "Nothing, or run extend on that server again. What a cut-off extend left there is taken away by delete.",
)

PARENTS_STAY = _message(
    620518,
    _WARN,
    "{parents} stays on {server}, where nothing moves its address in AWS any more: {tag} is unextended",
    "LifeKeeper keeps what depended on the resource, and can still bring it in service there: without the route.",
    "Unextend it from that server as well, by LifeKeeper's GUI, or extend the EC2 resource to it again.",
)

# -- 6xx: checks -------------------------------------------------------------------------------------------

CHECK_OK = _message(620601, _INFO, "check {check}: {found}")
CHECK_NOTE = _message(620602, _INFO, "check {check}: {found}; {advice}")
CHECK_WARN = _message(
    620603,
    _WARN,
    "check {check}: {found}; {advice}",
    "The check found something that may hurt at a failover; it stands in the way of nothing.",
    "Do what the end of the line advises.",
)
CHECK_UNSEEN = _message(
    620604,
    _WARN,
    "check {check}: could not look: {found}; {advice}",
    "Usually an optional permission is missing; what could not be looked at stands in the way of nothing.",
    "Do what the end of the line advises.",
)
CHECK_FAILED = _message(
    620605,
    _ERROR,
    "check {check}: {found}; {advice}",
    "The check found what would make a failover fail.",
    "Do what the end of the line advises, then run the command again.",
)
CHECKS_FAILED = _message(
    620606,
    _ERROR,
    "{count} checks failed: {checks}",
    "What failed would make a failover fail.",
    "Nothing was changed. Each 620605 above says what to do; then run it again.",
)

# -- 7xx: installation -------------------------------------------------------------------------------------

KIT_INSTALLED = _message(620701, _NOTIFY, "ec2kit is installed in {root}: {summary}")
KIT_UNINSTALLED = _message(620702, _NOTIFY, "ec2kit is uninstalled from {root}: {summary}")
PLACES_LEFT = _message(
    620703,
    _ERROR,
    "left in {root}, since it is no longer what ec2kit put there: {places}",
    "The file was changed after ec2kit had been installed.",
    "Move it away, then run the same command again.",
)
ROOT_UNUSABLE = _message(
    620704,
    _ERROR,
    "{root} is no folder to work in: {reason}",
    "LifeKeeper, or with --ocf Pacemaker, is not installed there, or the option or variable names another place.",
    "Name LifeKeeper's folder by --lkroot or LKROOT, the one of Pacemaker's agents by --ocf-root or OCF_ROOT.",
)
PLACES_TAKEN = _message(
    620705,
    _ERROR,
    "nothing was changed in {root}, since something else than ec2kit stands there: {places}",
    "Another kit for the same resources, or files of ec2kit that were edited.",
    "With --replace files are kept aside, and uninstall puts them back; what else is named has to be moved by hand.",
)
PLACE_UNUSABLE = _message(
    620706,
    _ERROR,
    "{path} cannot be used: {reason}",
    "The disk is full or read-only, or the user is not the one that the framework's folder belongs to.",
    "Mend it and run the same command again: it goes on where it stopped.",
)
KIT_INCOMPLETE = _message(
    620707,
    _ERROR,
    "ec2kit cannot be installed from {path}: {reason}",
    "The environment of ec2kit is incomplete, or its scripts were edited.",
    "Install ec2kit again with pip, in an environment of its own, and run the command from there.",
)
MANIFEST_DAMAGED = _message(
    620708,
    _ERROR,
    "{path}, the list of what ec2kit installed, cannot be used: {reason}",
    "The file was cut or edited, or a later version of ec2kit wrote it.",
    "Use the ec2kit that wrote it; or move it away, and run install again.",
)
INSTALLATION_RUNS = _message(
    620709,
    _ERROR,
    "another install or uninstall is under way in {root}",
    "Two of them at the same time would undo one another.",
    "Wait until it has ended.",
)
FRAMEWORK_MISSING = _message(
    620710,
    _ERROR,
    "LifeKeeper is not in {lkroot}, and --ocf, for Pacemaker in {ocf_root}, was not given",
    "No option says which framework to work for, and LifeKeeper, which is meant then, is not there.",
    "For LifeKeeper name its folder by --lkroot; for Pacemaker's agents say --ocf.",
)
KIT_CLOSED = _message(
    620713,
    _WARN,
    "{user} cannot run the agents, since others than the owner have no access to {paths}",
    "Pacemaker asks for an agent's meta-data as that user. Without it a change of a parameter restarts the resource.",
    "Install ec2kit, and the Python of its environment, where everybody may read it: not below /root.",
)

RESOURCES_LEFT = _message(
    620711,
    _ERROR,
    "ec2kit stays in {root}: {reason}",
    "Nobody could stop, move or check these resources any more; Pacemaker fences a server where a stop fails.",
    "Delete them while LifeKeeper or the cluster runs (in LifeKeeper unextend does for one server); or say --force.",
)

# -- 8xx: migration and verification -----------------------------------------------------------------------

KEYS_TAKEN_OUT = _message(620801, _NOTIFY, "{tag} ({type}): the stored access key is taken out of its info")
NO_STORED_KEYS = _message(620802, _INFO, "no resource of this server has a stored access key")
KEYS_LEFT = _message(
    620803,
    _ERROR,
    "{tag} ({type}): what is stored of an access key was not taken out of its info: {reason}",
    "Rewriting it might damage the info, or LifeKeeper did not.",
    "Delete the resource and create it again, then withdraw the key in IAM.",
)
STILL_RUNNING = _message(
    620804,
    _ERROR,
    "nothing is migrated: {reasons}",
    "The info of a resource must not change under it while it runs on any server.",
    "Take the resources out of service on all servers, with LifeKeeper running on all; then run it again.",
)
NOT_UNDER_LIFEKEEPER = _message(
    620805,
    _ERROR,
    "there is nothing to migrate on {server}: LifeKeeper is not its framework ({lkroot})",
    "Only LifeKeeper's database has resources with stored keys; ec2kit stores none.",
    "Run it on a LifeKeeper server where the kit is installed, or set LKROOT.",
)
NOT_BY_ROLE = _message(
    620806,
    _ERROR,
    "nothing is migrated: the SDK takes its credentials by {method}, not by the instance's role",
    "Without stored keys a resource depends on the role; other credentials hide whether it is there.",
    "Attach a role, and remove AWS_ACCESS_KEY_ID, profiles and credentials files of the user that runs the actions.",
)
MIGRATION_INCOMPLETE = _message(
    620807,
    _ERROR,
    "{count} of {all} resources still have what is stored of an access key: {tags}",
    "The line of each above says why it was left as it was.",
    "Mend what it names, then run it again; resources that are done are left alone.",
)
IN_SERVICE_TWICE = _message(
    620810,
    _ERROR,
    "resource {tag} is in service on several servers: {servers}; nothing was moved",
    "A server that was given up without remove says so until a reboot.",
    "Find out with `ec2kit status` which one has the address; run remove on the others.",
)
NOT_EXTENDED = _message(
    620811,
    _ERROR,
    "{tags} depends on {tag} and is not on {server}; nothing was moved",
    "It would be out of service while the resource is there.",
    "Extend it to that server.",
)
NOT_WHERE_IT_SHOULD_BE = _message(
    620812,
    _ERROR,
    "resource {tag} is in service on {place} now, and should be on {home}; in AWS its address is on: {holders}",
    "A step of the verification failed, and so did the way back.",
    "See the steps before; run restore where the resource shall be.",
)

# -- 9xx: Pacemaker and keepalived ---------------------------------------------------------------------------

PARAMETERS_WITHOUT_MEANING = _message(620901, _INFO, "{names}: without meaning for ec2kit, ignored")
PARAMETERS_UNKNOWN = _message(
    620902,
    _WARN,
    "{names}: no parameter of {agent}, ignored",
    "A name that is misspelt, or a parameter of another agent.",
    "Correct the resource; its agent's meta-data list every parameter.",
)
ADDRESS_PUT_ON = _message(620903, _INFO, "{device}: {address} put on")
ADDRESS_TAKEN_OFF = _message(620904, _INFO, "{device}: {address} taken off")
ADDRESS_STAYS_ON = _message(
    620905,
    _ERROR,
    "{device}: {address} may still be there: {reason}",
    "The command that takes an address off an interface failed.",
    "Take it off by hand: ip addr del. The cluster fences this server if it cannot stop the resource.",
)
NOT_READY = _message(
    620906,
    _WARN,
    "this server stands by and may not be able to take over: {check}: {found}; {advice}",
    "A check of the standby found something; that is no failure of the resource.",
    "Mend it before the next failover.",
)
REPAIRED = _message(620907, _NOTIFY, "{address} was elsewhere and is in service here again")
NOT_REPAIRED = _message(
    620908,
    _WARN,
    "{address} is not taken back: this server saw it in service here {when}",
    "The server was paused, or EC2 silent; meanwhile the cluster may have moved the resource.",
    "Nothing: the cluster decides where it runs.",
)
EVIDENCE_UNSEEN = _message(
    620909,
    _WARN,
    "could not see whether {device} has {address} ({reason}); what start and stop did last counts",
    "The command `ip` failed.",
    "Run `ip addr show` by hand.",
)
STILL_HERE = _message(
    620910,
    _ERROR,
    "{address} could not be stopped here",
    "The address is still on the interface, or the marker cannot be removed.",
    "See the lines before. The cluster fences this server now.",
)
VRRP_LINE_UNREADABLE = _message(
    620911,
    _WARN,
    "not a notification of keepalived, ignored: {line}",
    "Something else than keepalived writes into the pipe, or its version writes other lines.",
    "Let only keepalived write there; the next line is read as usual.",
)
VRRP_STATE = _message(620912, _NOTIFY, "keepalived says {name} is {state}: {deed} {tags}")
VRRP_DEED_FAILED = _message(
    620913,
    _ERROR,
    "{deed} of {tag} ended with status {status}",
    "The line of that action says why.",
    "See the lines of that action. A restore is tried again by `keepalived check` (track_script), at each interval; "
    "a remove is not: run it by hand.",
)
VRRP_ENDED = _message(620914, _INFO, "no more is read from keepalived: {reason}")
REASSERTED = _message(
    620915,
    _WARN,
    "{address} was held by {holder} and is taken back, since keepalived has this server as MASTER; "
    "{count} of {most} times in {minutes} min",
    "Another server was MASTER for a moment, as at its start, or a person or program moved the address.",
    "If it comes again, look in the log of that server at why it takes the address.",
)
GIVEN_UP = _message(
    620916,
    _ERROR,
    "{address} is held by {holder}, which took it again after it was taken back {count} times in {minutes} min; "
    "this server gives up",
    "Two servers both believe that they are MASTER, or a person or program keeps moving the address.",
    "See whether VRRP passes in both directions (protocol 112, unicast_peer), and what moves the address on the "
    "one named.",
)
RESTORED_AGAIN = _message(
    620917, _NOTIFY, "{address} is in service here now, after a restore that had not ended well was tried again"
)
NOT_RESTORED_AGAIN = _message(
    620918,
    _ERROR,
    "{address} is not in service here, though keepalived has this server as MASTER, and could not be restored: "
    "{reason}",
    "The restore that keepalived's MASTER began has not ended well, and EC2 or this server still has trouble.",
    "See the reason. The check tries again at each interval; to have another server take over, stop keepalived here.",
)
NOT_FOLLOWED = _message(
    620919,
    _ERROR,
    "{tag}: the program of keepalived's notify fifo does not run, so that nobody hears what keepalived says; "
    "the address is neither taken back nor restored",
    'It was killed, or has failed: keepalived logs "vrrp notify fifo script terminated", and starts it again only '
    "when it is reloaded or started anew.",
    "Reload keepalived: with fifo_write_vrrp_states_on_reload the new program is told all states. Without that, "
    "restart keepalived.",
)
ADOPTED = _message(
    620920,
    _NOTIFY,
    "{address} is on {device} and runs here without a start of ec2kit in this boot; from now on it counts as started",
)

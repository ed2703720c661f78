"""
The catalogue holds every message as data.

Codes are ec2kit's own, 620001-620999, in GROUPS of a hundred. A message is never renumbered or given a new meaning.
`japanese.py` has the Japanese words of each message.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from ec2kit.messages.masking import clean


class Level(Enum):
    """LifeKeeper defines these levels; ec2kit uses all of them but FATAL."""

    FATAL = "FATAL"
    ERROR = "ERROR"
    WARN = "WARN"
    NOTIFY = "NOTIFY"
    INFO = "INFO"


class Message(NamedTuple):
    """
    Hold one entry of the catalogue.

    Attributes:
        text: The fact that the message reports, with fields: "no answer from {endpoint}".
        cause: How that comes about.
        action: The reader's next step; empty if there is none, as for INFO and NOTIFY.
    """

    code: int
    level: Level
    text: str
    cause: str = ""
    action: str = ""

    def render(self, **fields: object) -> str:
        """Return the text with its fields filled in, on one line and without secrets."""
        return clean(" ".join(self.text.format(**fields).split()))


Notice = tuple[Message, dict[str, object]]
"""A message with its fields, on its way from where there is no log to where there is one."""

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
"""The fourth digit of a code → the subject of such messages."""


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
    "Fix what those lines name, then run the action again; every action may be repeated.",
)
INTERNAL = _message(
    620004,
    _ERROR,
    "unexpected trouble in ec2kit: {error} (at {place})",
    "A fault in ec2kit or in its installation.",
    "Report the fault with this line. It led to no verdict about the address.",
)
STOPPED = _message(
    620005,
    _ERROR,
    "stopped by signal {signal}",
    "The framework or a person ended the action.",
    "Run the action again if it is still wanted. A framework's time limit must be longer than EC2_<ACTION>_TIMEOUT.",
)
OVERDUE = _message(
    620006,
    _ERROR,
    "the action did not end by itself within its deadline of {seconds} s and was ended",
    "Something outside the network hung: a disk, a command, the log.",
    "Look for hanging disks (`dmesg`) and commands (ip, ssh) on this server, and at the log's own disk.",
)
BUSY = _message(620007, _INFO, "the address was not checked: {busy} is under way here")
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
    "See the lines before; raise EC2_<ACTION>_TIMEOUT if AWS is often that slow.",
)
OVERTAKEN = _message(
    620010,
    _ERROR,
    "overtaken: {newer} meanwhile; nothing more is written",
    "A newer action on the same resource cancels an older one.",
    "Do nothing if the newer action was wanted; it is in the log, too.",
)
TAG_INVALID = _message(
    620011,
    _ERROR,
    "{tag} is not a tag: letters, digits, '.', '_' and '-', 1 to 128 of them",
    "A tag is the name of a resource; no other text can stand in its place.",
    "Give the tag of an existing resource; `ec2kit status` lists them. The tag that a framework gives stands in the "
    "framework's configuration.",
)
OTHER_ACTION = _message(
    620012,
    _ERROR,
    "another action on this resource did not end within {seconds} s",
    "Two actions that write wait for one another.",
    "Find the action that still runs, hangs or is stopped, in the log and with `ps`; remove makes it end before its "
    "next write.",
)

# -- 1xx: settings -----------------------------------------------------------------------------------------

SETTING_INVALID = _message(
    620101,
    _WARN,
    "{source}: {name}={value} is not {expected}; {default} is used",
    "A tunable is not a number, or out of its range.",
    "Correct the file or variable that the line names; docs/reference.md lists the tunables.",
)
SETTINGS_UNREADABLE = _message(
    620102,
    _ERROR,
    "{path} cannot be read ({reason}); defaults are used",
    "The permissions of the file, or of a folder above it, forbid reading, or the disk fails.",
    "Make the file readable for the user that runs the actions.",
)
SETTINGS_UNSAFE = _message(
    620103,
    _ERROR,
    "{path} is not used: {reason}",
    "Any user who can write the file decides which endpoint of AWS and which credentials are used.",
    "Give the file to root (`chown root`) and take write permission from group and others (`chmod go-w`).",
)
CONFIGURATION_INVALID = _message(
    620104,
    _ERROR,
    "the SDK cannot be used as configured: {reason}",
    "A region, an endpoint or a profile does not exist or cannot be parsed.",
    "Correct AWS_*, EC2_ENDPOINT_URL or the SDK's configuration file.",
)

ENDPOINT_IN_CLEAR = _message(
    620105,
    _WARN,
    "{service} is asked without encryption at {endpoint}",
    "The http:// endpoint is beyond this machine: anyone on the way can read the requests and forge the answers. The "
    "answers of STS and SSO contain credentials.",
    "Set the endpoint to https://; AWS's own and PrivateLink endpoints support it. For a certificate of your own "
    "authority set AWS_CA_BUNDLE.",
)
SETTINGS_SKIPPED = _message(
    620106,
    _WARN,
    "{path}: skipped, since only a shell could tell what it sets: {lines}",
    "ec2kit reads the file and executes nothing in it: a command, a condition, a blank beside the `=`, and more than "
    "a name behind `$` are left out.",
    "Write the value itself, as NAME=value, on a line of its own.",
)
PROXY_UNUSED = _message(
    620107,
    _WARN,
    "{name} is set, and the SDK does not use it",
    "The SDK asks https:// endpoints through HTTPS_PROXY only. Other programs use ALL_PROXY for everything.",
    "Set HTTPS_PROXY to the same value if EC2 is reached by that proxy; otherwise take ALL_PROXY out of the "
    "environment of the framework and out of the settings file.",
)

# -- 2xx: EC2, IMDS and other servers ----------------------------------------------------------------------

NO_ANSWER = _message(
    620201,
    _ERROR,
    "no answer from {service} ({endpoint}) to {operation}: {reason}",
    "The endpoint cannot be reached, is silent, slow or broken, or its name cannot be resolved.",
    "Check the network path, DNS, proxy and security groups to the endpoint; any answer to "
    "`curl -sS https://ec2.<region>.amazonaws.com/` on this server will do.",
)
THROTTLED = _message(
    620202,
    _ERROR,
    "{service} throttles {operation}: {code} (request {request_id})",
    "The account's request rate for this operation is used up, by ec2kit or by another tool.",
    "Find in CloudTrail what calls EC2 that often. If it is checks of ec2kit, lengthen their interval or raise "
    "EC2_SNAPSHOT_MAX_AGE. The resources of one server share its EC2_WRITE_BURST and EC2_WRITE_RATE already; lower "
    "them if many servers of the account write at the same time.",
)
SERVER_ERROR = _message(
    620203,
    _ERROR,
    "{service} failed at {operation}: HTTP {status} {code} (request {request_id})",
    "AWS has an internal problem.",
    "See the AWS health page; the kit tries again until its deadline.",
)
GARBLED = _message(
    620204,
    _ERROR,
    "unusable answer from {service} ({endpoint}) to {operation}: {reason}",
    "Something between this server and AWS answers in AWS's place, or the answer was cut.",
    "Check proxies and the endpoint URL; the name of a PrivateLink endpoint belongs in NO_PROXY.",
)
CREDENTIALS_MISSING = _message(
    620205,
    _ERROR,
    "no credentials for {operation}: {reason}",
    "No IAM role is attached, IMDS is silent or out of reach, or the configured profile is incomplete.",
    "Attach an instance role with the permissions in etc/iam-policy.json, or complete the profile. If a role is "
    "attached, see 620210.",
)
CREDENTIALS_REJECTED = _message(
    620206,
    _ERROR,
    "{service} does not accept the credentials for {operation}: {code}, {text} (credentials: {credentials}; "
    "request {request_id})",
    "The keys are wrong, expired or withdrawn, or the clock is wrong.",
    "Prefer an instance role; keys in the environment or in a settings file hide it. Check the clock "
    "(`chronyc tracking`).",
)
PERMISSION_MISSING = _message(
    620207,
    _ERROR,
    "permission missing for {operation} on {object}: {code} (credentials: {credentials}; request {request_id})",
    "The role does not allow the operation, or a permissions boundary or an SCP forbids it.",
    "Add the permission as in etc/iam-policy.json.",
)
REFUSED = _message(
    620208,
    _ERROR,
    "{service} refuses {operation} on {object}: {code}, {text} (request {request_id})",
    "The request names something that does not exist or is not allowed.",
    "Check that the object named still exists, in this account and region.",
)
RETRYING = _message(620209, _INFO, "{reason}; attempt {attempt} of {operation} follows in {seconds} s")
IMDS_SILENT = _message(
    620210,
    _ERROR,
    "no usable answer from the instance metadata service ({endpoint}): {reason}",
    "IMDS is switched off, its hop limit is too small for a container, or a firewall drops it.",
    "Enable IMDSv2 for the instance, in a container with a hop limit (HttpPutResponseHopLimit) of 2. No firewall "
    "may drop packets to 169.254.169.254, and requests to it must not go through a proxy.",
)
INTERFACE_UNKNOWN = _message(
    620211,
    _ERROR,
    "no network interface {device} of this instance: {reason}",
    "The device does not exist, or its MAC address is not one that EC2 gave to this instance.",
    "Name a device that `ip link` shows and that is an ENI of this instance; check that the ENI is attached.",
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
    "Fix on that server what the reason names (its own log says more), then run the command again here.",
)
LOCAL_COMMAND = _message(
    620214,
    _ERROR,
    "`{command}` failed: {reason}",
    "A command of this server could not be run.",
    "Run the command by hand; check that it is found in the PATH that the environment or the settings file sets.",
)

SHARED_UNKNOWN = _message(620215, _INFO, "{reason}")
DRY_RUN_UNKNOWN = _message(
    620217,
    _ERROR,
    "{endpoint} does not know DryRun: it answered {operation} as if it were to be carried out",
    "The endpoint is not EC2, but an emulator that ignores DryRun. The question was asked so that carrying it out "
    "changes nothing, and no further such question is asked.",
    "Use an endpoint that heeds DryRun, as EC2 does; permissions cannot be checked otherwise. For trials use the "
    "sandbox (`ec2kit sandbox`).",
)
ANSWER_UNSHARED = _message(
    620219,
    _WARN,
    "the answer of EC2 about {about} cannot be shared: {reason}",
    "The answer is larger than a state file may be, or EC2KIT_RUN_DIR cannot be used. Each quickCheck of this server "
    "asks EC2 itself.",
    "Fix what the reason names. If the answer is too large, distribute the resources over more servers.",
)
MODEL_UNUSABLE = _message(
    620220,
    _WARN,
    "the EC2 model that comes with ec2kit cannot be used with botocore {version} ({reason}); botocore's own is read "
    "instead",
    "ec2kit was made with another version of botocore, or ec2kit's installation is damaged.",
    "Everything works, but each action takes longer. Install ec2kit again, or another version of botocore.",
)

# Stages before a request leaves: a WARN may pass, an ERROR needs a person.
NAME_UNRESOLVED = _message(
    620231,
    _WARN,
    "the name {name} cannot be resolved, so {operation} is not sent: {reason}",
    "The resolver of this server is out of reach or slow, or it does not know the name.",
    "Check /etc/resolv.conf and `getent hosts {name}` on this server; a VPC answers 1,024 queries a second per ENI.",
)
NOT_CONNECTED = _message(
    620232,
    _WARN,
    "no connection to {address}, so {operation} is not sent: {reason}",
    "No route leads there, a security group, network ACL or firewall drops the packets, or nothing listens.",
    "Check the route to the endpoint, security groups and network ACLs: `curl -sS {address}` on this server.",
)
PROXY_UNUSABLE = _message(
    620233,
    _WARN,
    "no way through the proxy {proxy}, so {operation} is not sent: {reason}",
    "The proxy is down or out of reach, its name cannot be resolved, or it does not reach EC2.",
    "Check the proxy, or except the endpoint in NO_PROXY if it is reached without one.",
)
PROXY_REFUSES = _message(
    620234,
    _ERROR,
    "the proxy {proxy} does not let {operation} through: {reason}",
    "The proxy wants another password or forbids the endpoint, or ec2kit does not speak the proxy's protocol.",
    "Correct HTTPS_PROXY (http://USER:PASSWORD@HOST:PORT; SOCKS is not supported), or have the proxy allow the "
    "endpoint.",
)
TLS_FAILED = _message(
    620235,
    _WARN,
    "no TLS connection to {host}, so {operation} is not sent: {reason}",
    "The endpoint, or a device on the way to it, is slow, breaks the connection, or does not speak TLS.",
    "Check proxies and firewalls that look into TLS, and the scheme of EC2_ENDPOINT_URL.",
)
CERTIFICATE_REFUSED = _message(
    620236,
    _ERROR,
    "the certificate of {host} is not accepted, so {operation} is not sent: {reason}",
    "The certificate authority is not in the bundle, the certificate has expired or is for another name, or the "
    "clock is wrong.",
    "Name a bundle with the certificate authority in AWS_CA_BUNDLE, or correct the endpoint URL or the clock.",
)
FILE_UNUSABLE = _message(
    620237,
    _ERROR,
    "{path}, which {origin} names, cannot be used, so {operation} is not sent: {reason}",
    "The file is missing or damaged, or it may not be read.",
    "Correct the path or the file.",
)
CREDENTIALS_REFUSED = _message(
    620238,
    _ERROR,
    "{service} gives no credentials, so {operation} is not sent: {request}: {reason}",
    "The role may not be assumed by this server, or the session that the profile names has ended.",
    "Correct the trust policy of the role, the permission sts:AssumeRole, or the profile. Permissions for EC2 do not "
    "help.",
)
CREDENTIALS_LATE = _message(
    620239,
    _WARN,
    "{service} gives no credentials yet, so {operation} is not sent: {request}: {reason}",
    "The service or the program that gives the credentials is out of reach, throttles, hangs or fails.",
    "Check the way from this server to that service, or run that program as the user of the action; EC2 itself was "
    "not asked.",
)

# The list of endpoints.
WAY_FAILED = _message(
    620243,
    _WARN,
    "the way to EC2 by {way} leads nowhere: {reason}; {next} comes first from now on",
    "The endpoint or the proxy of this entry of EC2_ENDPOINTS is out of reach, silent or broken.",
    "Fix the way that is named, or take its entry out of EC2_ENDPOINTS; with each way that is dead there is one less "
    "to rely on.",
)
WAY_KEPT = _message(620244, _INFO, "EC2 answers by {way}; the next actions of this boot begin with this way")
ENDPOINT_UNUSABLE = _message(
    620245,
    _WARN,
    "the entry {entry} of {name} is not used: {reason}",
    "The entry is not of the form that the reference describes. The other entries are used.",
    "Correct the entry: an endpoint, and behind it nothing, `direct`, or `via` and the URL of a proxy; a comma "
    "separates two entries.",
)

PATRONI_EVENT = _message(620246, _NOTIFY, "Patroni reports {action} as {role} of {scope}: {deed} {tags}")
PATRONI_FOLLOWED = _message(
    620247,
    _WARN,
    "{tag} does not follow the leader of Patroni on this server: {deed}",
    "The callback of the last event failed, was killed by the next one, or never ran; or another party has moved the "
    "address.",
    "Look for the lines of that callback, and in CloudTrail for what moves the address.",
)
ROLE_REFUSED = _message(
    620248,
    _ERROR,
    "STS does not let this server assume the role {role_arn}, so {operation} is not sent: {reason}",
    "The role does not exist, its trust policy does not name the role of this server or wants another external id, "
    "or the role of this server lacks sts:AssumeRole for it.",
    "Let the trust policy of {role_arn} name the role of this server, and give the resource the external id that the "
    "policy wants (`ec2kit set TAG external_id=…`); permit sts:AssumeRole on that ARN to the role of this server; "
    "see docs/security.md. Permissions for EC2 do not help.",
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
    "Do nothing yet: the lines that follow say what the next look found. If none follows, run `ec2kit status`.",
)
CHANGE_FAILED = _message(
    620307,
    _ERROR,
    "{target}: {reason}",
    "This one object could not be changed; the action goes on with the others.",
    "Fix what the reason names, then run the action again; what is right already is not changed.",
)
NOT_BROUGHT_HERE = _message(
    620308,
    _ERROR,
    "{done} of {all} are right; not right: {problems}",
    "Some of the objects could not be changed or verified.",
    'Fix what the line of each object above names, then run restore again. "contested": find the other writer in '
    'CloudTrail; "still ...": raise EC2_VERIFY_TIMEOUT; "blackhole": attach the ENI, start its instance.',
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
    "The Elastic IP was released, or it belongs to another region or account.",
    "Allocate an Elastic IP again, or correct the resource.",
)
VERIFIED_AFTER = _message(620311, _INFO, "AWS showed the change {seconds} s after it had accepted it")
STATUS_IN = _message(620312, _INFO, "{address} is in service here")
STATUS_OUT = _message(
    620313,
    _ERROR,
    "{address} is out of service here: {reason}",
    "EC2 answered, twice, that the address is not on this server.",
    "Recovery or failover follows; find in CloudTrail (ReplaceRoute, AssociateAddress) who changed the address.",
)
STATUS_UNKNOWN = _message(
    620314,
    _WARN,
    "{address} cannot be judged, taken as in service (no. {count} in a row, for {age} s): {reason}",
    "There was no usable answer; that never counts as a failure.",
    "See the reason. The next check tries again.",
)
STATUS_TROUBLE = _message(
    620315,
    _ERROR,
    "{address} cannot be judged, taken as in service (no. {count} in a row, for {age} s): {reason}",
    "A permission is missing, or this server has trouble of its own.",
    "Fix what the reason names; until then the address is not watched.",
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
    "The route or the route table was deleted.",
    "Create the route again if the table's subnets still use the address. This line is repeated until the next "
    "restore.",
)
TAKEN_OVER = _message(
    620319,
    _ERROR,
    "taken over by {server}: {reason}; nothing is written",
    "Another server of the resource holds the address, and is in service or cannot be asked.",
    "Run restore here if the address belongs on this server.",
)
NOT_IN_SERVICE_HERE = _message(
    620320,
    _ERROR,
    "not in service here: {reason}; recover writes nothing",
    "Recovery repairs a resource that this server runs; it does not start one.",
    "Run restore to bring it in service here.",
)
LEFT_ASSOCIATED = _message(
    620321,
    _ERROR,
    "{address} may still be associated here: {reason}; the next server's restore takes it",
    "AWS was silent or refused. Remove does not fail for that: a failed remove could stop the server needlessly.",
    "Do nothing if another server takes over; otherwise disassociate the address by hand.",
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
    "If the server is a replacement, run delete with --local here, then extend. If it is a clone beside the "
    "original, give it a name of its own first. docs/troubleshooting.md has the steps.",
)
IDENTITY_UNSEEN = _message(
    620326,
    _WARN,
    "could not verify which instance this is: {reason}",
    "The instance metadata service does not answer; the action goes on.",
    "See 620210. Until the service answers, a cloned or replaced server is not noticed.",
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
    "the look that permits this write was more than {seconds} s ago, and counts no longer",
    "The recovery was held up between its look and its write: it was stopped, EC2 is slow, or there are many tables.",
    "Do nothing: recover looks and asks again as long as it has time. If recover fails because of this, find what "
    "holds it up.",
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
    "See with `ec2kit status` where the address is now, and run the action again: what is right already is not "
    "changed.",
)

# Verdicts and plans give these as reasons; a reason is logged under its own code, before the line that it explains.

ROUTE_ELSEWHERE = _message(
    620335,
    _ERROR,
    "{cidr} points at {target}",
    "The route leads to another server, or to an ENI that cannot take packets (blackhole).",
    "Run restore to bring the route here. If no action of this cluster moved it, find the writer in CloudTrail: "
    "ReplaceRoute.",
)
ROUTE_LACKING = _message(
    620336,
    _ERROR,
    "no route {cidr}",
    "A route table that the resource lists does not have the route; the kit creates none.",
    "Create the route in that table, or do not list the table.",
)
NO_TABLE_TAGGED = _message(
    620390,
    _ERROR,
    "no route table of {vpc_id} has the tag {tag}",
    "The resource means the route tables with this tag, and none has it now.",
    "Give the tag to the route tables whose subnets use the address (key and value are case-sensitive), or correct "
    "the resource.",
)
TABLE_JOINED = _message(620391, _INFO, "{route_table_id} has the tag {tag} now; its route {cidr} counts from now on")
TABLE_LEFT = _message(
    620392, _INFO, "{route_table_id} has the tag {tag} no longer, or is gone; its route {cidr} is left as it is"
)
ROUTE_CREATED = _message(
    620393,
    _INFO,
    "{target}: route {cidr} created to {new} in {milliseconds} ms, attempt {attempts}, request {request_id}",
)
ROUTE_DELETED = _message(
    620394,
    _INFO,
    "{target}: route {cidr} to {old}, which create had made, deleted in {milliseconds} ms, attempt {attempts}, "
    "request {request_id}",
)
NOT_CREATED = _message(
    620395,
    _ERROR,
    "routes were not created: {reason}",
    "EC2 refused or did not answer CreateRoute, or does not show the new routes.",
    "The reason names the table and what EC2 says. Create the routes by hand, or grant ec2:CreateRoute; create "
    "undoes what it has made.",
)
NOT_SHOWN = _message(
    620396,
    _ERROR,
    "EC2 does not show it",
    "EC2 accepted the request, and its reads are late.",
    "Run the action again; if EC2 is slow for long, raise EC2_VERIFY_TIMEOUT.",
)
ADDRESS_ELSEWHERE = _message(
    620337,
    _ERROR,
    "{public_ip} is associated with {place}",
    "The Elastic IP is on another network interface or private address, or on none.",
    "Run restore to bring the address here. If no action of this cluster moved it, find the writer in CloudTrail: "
    "AssociateAddress.",
)
LINK_DOWN = _message(
    620338,
    _ERROR,
    "the link of {device} is down",
    "The network device of the resource was set down.",
    "Set the device up (`ip link set DEVICE up`), or set EC2_NOLINKCHECK=1 if another program watches the link.",
)
STILL_ELSEWHERE = _message(
    620339,
    _ERROR,
    "still points at {target}",
    "EC2 accepted the change and does not show it yet.",
    "Run the action again; if EC2 is slow for long, raise EC2_VERIFY_TIMEOUT.",
)
STILL_ASSOCIATED = _message(
    620340,
    _ERROR,
    "still associated with {place}",
    "EC2 accepted the change and does not show it yet.",
    "Run the action again; if EC2 is slow for long, raise EC2_VERIFY_TIMEOUT.",
)
ROUTE_CONTESTED = _message(
    620341,
    _ERROR,
    "contested: another writer points it at {target}",
    "Another writer moved the route after this action had moved it, twice.",
    "Find the other writer in CloudTrail (ReplaceRoute) and stop it, then run the action again.",
)
ADDRESS_CONTESTED = _message(
    620342,
    _ERROR,
    "contested: another writer associates it with {place}",
    "Another writer moved the address after this action had associated it, twice.",
    "Find the other writer in CloudTrail (AssociateAddress) and stop it, then run the action again.",
)
ROUTE_GONE = _message(
    620343,
    _ERROR,
    "the route is gone",
    "The route was deleted while it was moved, or EC2 does not show it yet.",
    "Create the route again if it was deleted, then run the action again.",
)
BLACKHOLE_HERE = _message(
    620344,
    _ERROR,
    "points at {target}: is the ENI attached to a running instance?",
    "The route has the right target, and EC2 calls it a blackhole.",
    "Attach the ENI to this instance, and check that the instance runs.",
)
LINK_STILL_DOWN = _message(
    620345,
    _ERROR,
    "the link is still down",
    "The network device was set up, and its link did not come up.",
    "See the reason with `ip link show DEVICE`; check that the ENI is attached.",
)
UNCHANGED = _message(
    620346,
    _ERROR,
    "unchanged",
    "The object still has to be changed; there was no time left for it, or no further attempt is allowed.",
    "See the lines before; run the action again.",
)
OUTCOME_NOT_KNOWN = _message(
    620347,
    _ERROR,
    "whether EC2 carried out {operation} is not known ({reason})",
    "The answer to the request was lost, and no later look shows whether it was carried out.",
    "See with `ec2kit status` where the address is now, and run the action again.",
)
PROBLEM_AND = _message(
    620348,
    _ERROR,
    "{problem}, and {reason}",
    "One object has two problems.",
    "Check both.",
)
NOT_CHANGED = _message(
    620349,
    _ERROR,
    "{operation}: {code}",
    "EC2 answered the request with this error code.",
    "See the line of this object before this one: it says what the code means and what to do.",
)
WAS_NO_ENI = _message(
    620350,
    _ERROR,
    "it pointed at {target}, which is not an ENI",
    "Before the action the route led to a target to which the kit sets no routes.",
    "Point the route back by hand to where it should lead.",
)
ANOTHER_ACTION = _message(620351, _INFO, "another action is under way")
AND_MORE = _message(620352, _INFO, "{shown} and {count} more")
DEVICE_MISSING = _message(
    620356,
    _ERROR,
    "no device of this server has the MAC address {mac_address} of {network_interface_id}",
    "The ENI of the resource was detached, or its device is in another network namespace.",
    "Attach the ENI again; `ip link` shows the MAC addresses. Set EC2_NOLINKCHECK=1 if the device is out of sight.",
)
ROUTE_OF_ANOTHER = _message(
    620353,
    _WARN,
    "{cidr} leads to {target} by {origin}, which is no static route: another mechanism owns it, and it is left alone",
    "A VPN gateway propagates the route (EnableVgwRoutePropagation), or a VPC Route Server advertises it "
    "(Advertisement), and the table has no static route to the address. Only static routes can be moved; beside a "
    "static route EC2 does not use such a route.",
    "Create a static route to the address in that table if its subnets use the address. Otherwise do nothing.",
)
ROUTE_STATE_UNKNOWN = _message(
    620354,
    _WARN,
    "{cidr} points at {target}, a state that this version of ec2kit does not know",
    "EC2 shows the route with the right target, in a state that is newer than this version of ec2kit.",
    "See the meaning of the state in the EC2 API (Route), and whether there is a newer ec2kit.",
)
ADDRESS_MANAGED = _message(
    620355,
    _ERROR,
    "Elastic IP {public_ip} belongs to {service}: AWS manages it, and ec2kit never takes it",
    "The Elastic IP is in use by a service of AWS: a NAT gateway, a load balancer, a database.",
    "Use another Elastic IP for the resource, or take this one out of the service first.",
)

CHANGE_NOT_SHOWN = _message(
    620359,
    _ERROR,
    "EC2 has made the change and does not show it yet, so it cannot be put back; before, it pointed at {target}",
    "EC2's reads are late by more than the time to undo.",
    "Look at the object in some minutes, and point it at the named target again.",
)

# What an action does now, on a terminal only.
PROGRESS = _message(620360, _INFO, "{left} s left: {doing}")
CHANGES_SO_FAR = _message(620361, _INFO, "{done} of {all} changes made")
AWAITS_TURN = _message(620362, _INFO, "{operation} waits for its turn (AWS's rate)")
AWAITS_SIGHT = _message(620363, _INFO, "waiting until AWS shows the change")
AWAITS_OTHER_ACTION = _message(620364, _INFO, "waiting for another restore or recover on this server")
AWAITS_PEER = _message(620365, _INFO, "waiting for the answer of {server}")
RESOLVES = _message(620366, _INFO, "{operation}: resolving the name {name}")
CONNECTS = _message(620367, _INFO, "{operation}: connecting to {place}")
AWAITS_CREDENTIALS = _message(620368, _INFO, "{operation}: waiting for credentials ({service})")
AWAITS_ANSWER = _message(620369, _INFO, "{operation}: waiting for the answer of {service} ({endpoint})")
# -- this server's own network --

ADDRESS_PUT_BACK = _message(
    620370,
    _WARN,
    "{device}: {address} was taken off by something else ({manager} manages {device}), and is put on again",
    "A program that manages the network takes off what it did not put on: when it restarts or reloads, or when the "
    "link or a lease is lost for a while.",
    "Protect the address: `ec2kit network protect --address ADDRESS --device DEVICE`, or put it on lo "
    "(address_device=lo).",
)
ADDRESS_MISSED = _message(
    620371,
    _ERROR,
    "{device}: {address} is no longer there, although it was put on and nothing stopped the resource; not put on "
    "again: {reason}",
    "Something else took the address off, or removed the device.",
    "See the reason. The cluster now recovers the resource. Protect the address: `ec2kit network protect`.",
)
REPLY_RULE_ON = _message(
    620372, _INFO, "replies from {address} would leave by {by}; they leave by {device} now, by the rule {rule}"
)
REPLY_RULE_BACK = _message(
    620373,
    _WARN,
    "replies from {address} left by {by}; they leave by {device} again, by the rule {rule} ({manager} manages "
    "{device})",
    "A program that manages the network took off the rule or its route.",
    "Let the manager's own files have rule and route: `ec2kit network protect --address ADDRESS --device DEVICE`.",
)
REPLY_RULE_OFF = _message(620374, _INFO, "the rule for replies from {address} taken off")
REPLY_RULE_FAILED = _message(
    620375,
    _ERROR,
    "replies from {address} leave by {by}, not by {device}; no rule can be put on: {reason}",
    "EC2 drops replies that leave by an ENI which does not have the address.",
    "Give the device its private address again; monitor puts the rule on then.",
)
ADDRESS_ON_STANDBY = _message(
    620376,
    _WARN,
    "{device}: {address} is on this server, which has not started it, and AWS says that it is elsewhere",
    "The network configuration of this server has the address, or an administrator put it on.",
    "Take it off by `ip addr del`, and out of the network configuration: only the agent may put it on.",
)
PROTECTION_WRITTEN = _message(620377, _NOTIFY, "{path} written: {manager} keeps {address} on {device}")
PROTECTION_REMOVED = _message(620378, _NOTIFY, "{path} removed")
PROTECTION_FOREIGN = _message(
    620379,
    _ERROR,
    "{path} is not as ec2kit wrote it; it is left as it is",
    "An administrator or another program made or changed the file.",
    "Move the file away if it is not needed, then run the command again.",
)
PROTECTION_IMPOSSIBLE = _message(
    620380,
    _ERROR,
    "{device}: nothing that ec2kit can write protects {address}: {reason}",
    "The manager of the device has no setting by which addresses of others stay, or there is no manager.",
    "Put the address on lo, where no manager looks for it: address_device=lo in Pacemaker's resource.",
)

# -- 4xx: registry and state -------------------------------------------------------------------------------

TAG_UNKNOWN = _message(
    620401,
    _ERROR,
    "there is no resource {tag} on {server}",
    "The resource was never made on this server, or was deleted, or the tag is misspelt.",
    "See `ec2kit status` for the resources; `create` and `extend` make them.",
)
REGISTRY_EMPTY = _message(
    620402,
    _ERROR,
    "the registry {path} is missing or empty; whether {tag} exists is not known",
    "Nothing was created here yet, or the folder was lost or not mounted.",
    "Mount EC2KIT_STATE_DIR, or restore it from a backup, or create or extend the resource.",
)
REGISTRY_BROKEN = _message(
    620403,
    _ERROR,
    "{path} cannot be used: {reason}",
    "The file was damaged, or another program wrote it.",
    "Restore the file from another server's copy (all have the same) or a backup; or remove it and extend again.",
)
STATE_UNUSABLE = _message(
    620404,
    _ERROR,
    "{path} cannot be used: {reason}",
    "The disk is full, read-only or broken, or the folder belongs to another user.",
    "Make room, or make the folder writable for the user that runs the actions. A damaged file below EC2KIT_RUN_DIR "
    "may be removed.",
)
SERVER_UNKNOWN = _message(
    620406,
    _ERROR,
    "{server} is not a server of resource {tag} (they are: {servers})",
    "The resource was not extended to it, or its name has changed.",
    "Set EC2KIT_SERVER if the name changed; otherwise run extend on that server.",
)
REVISION_CHANGED = _message(
    620407,
    _ERROR,
    "resource {tag} was changed by another command meanwhile",
    "Two commands changed one resource at the same time.",
    "Run the command again.",
)

LIFEKEEPER_FAILED = _message(
    620408,
    _ERROR,
    "LifeKeeper's {command} failed: {reason}",
    "LifeKeeper is not running, its database is damaged, or it refuses the command.",
    "Look at lcdstatus and at LifeKeeper's log.",
)

STATE_ELSEWHERE = _message(
    620409,
    _WARN,
    "{path} cannot be written: {reason}; the state of {tag} is kept in {spare} until the next boot",
    "The disk of EC2KIT_STATE_DIR is full, read-only or broken, or the folder belongs to another user.",
    "Fix the disk or the folder: until then no resource can be created, extended, changed or deleted here. Moving "
    "and recovering the address is not impaired, and a boot loses nothing that counts.",
)

CLAIMED = _message(
    620410,
    _ERROR,
    "resource {tag} is being changed by another command, of {server}",
    "Two commands change one resource at the same time, or a command was killed less than a minute ago.",
    "Wait for the end of the other command, or for a minute; look at the resource, and run the command again.",
)
CLAIM_LOST = _message(
    620411,
    _ERROR,
    "this command may no longer change resource {tag} here",
    "The command was held up for more than a minute and another command came in between, or the server was booted.",
    "Look at the resource on all servers, and run the command again.",
)
MISSING_ON = _message(
    620412,
    _ERROR,
    "not done, since these servers have no resource {tag}: {servers}",
    "Another command has just deleted or renamed the resource, or taken the server out of it; or such a command, or "
    "an extend, was cut off.",
    "If a command was cut off, run it again; or take those servers out by unextend, or extend the resource to them.",
)

CLAIM_STAYS = _message(
    620413,
    _INFO,
    "{server} could not be told that the change of {tag} has ended: {reason}; for a minute, {server} lets no other "
    "server change the resource",
)

# -- private addresses -------------------------------------------------------------------------------------------

PRIVATE_ADDRESS_ASSIGNED = _message(
    620431,
    _INFO,
    "{target}: private address moved from {old} to {new} in {milliseconds} ms, attempt {attempts}, "
    "request {request_id}",
)
PRIVATE_ADDRESS_UNASSIGNED = _message(
    620432,
    _INFO,
    "{target}: private address taken off {old} in {milliseconds} ms, attempt {attempts}, request {request_id}",
)
PRIVATE_ADDRESS_ELSEWHERE = _message(
    620433,
    _ERROR,
    "{address} is on {place}",
    "The private address is assigned to another network interface, or to none.",
    "Run restore to bring the address here. If no action of this cluster moved it, find the writer in CloudTrail: "
    "AssignPrivateIpAddresses, UnassignPrivateIpAddresses, AssignIpv6Addresses, UnassignIpv6Addresses.",
)
PRIVATE_ADDRESS_STILL_ELSEWHERE = _message(
    620434,
    _ERROR,
    "still on {place}",
    "EC2 accepted the change and does not show it yet.",
    "Run the action again; if EC2 is slow for long, raise EC2_VERIFY_TIMEOUT.",
)
PRIVATE_ADDRESS_CONTESTED = _message(
    620435,
    _ERROR,
    "contested: another writer puts it on {place}",
    "Another writer moved the address after this action had assigned it, twice.",
    "Find the other writer in CloudTrail (AssignPrivateIpAddresses, AssignIpv6Addresses) and stop it, then run the "
    "action again.",
)
PRIVATE_ADDRESS_PRIMARY = _message(
    620436,
    _ERROR,
    "{address} is the primary address of {place}, which EC2 never moves",
    "EC2 has given the address to a network interface as its primary one, perhaps while no network interface had it.",
    "Delete that network interface or give it another primary address, or choose another address for the resource. "
    "Reserve the address in its subnet (create-subnet-cidr-reservation), so that EC2 gives it to no other interface.",
)
PRIVATE_ADDRESS_MANAGED = _message(
    620437,
    _ERROR,
    "{address} is on {place}, which AWS manages for {service}; ec2kit never takes it from there",
    "EC2 has given the address to a service of AWS, perhaps while no network interface had it.",
    "Choose another address for the resource, or delete what the service uses it for.",
)
PRIVATE_ADDRESS_NOT_EFFECTIVE = _message(
    620438,
    _ERROR,
    "EC2 shows {address} on {network_interface_id}, and the instance metadata do not show it yet",
    "EC2 moves a private address in the background; the move is complete when the metadata of the instance show it.",
    "Run the action again; if EC2 is slow for long, raise EC2_VERIFY_TIMEOUT.",
)
RECORD_CHANGED = _message(
    620440,
    _INFO,
    "{target}: {new} instead of {old}, in {milliseconds} ms, attempt {attempts}, request {request_id}",
)
RECORD_DELETED = _message(
    620441,
    _INFO,
    "{target}: record set deleted, which pointed at {old}, in {milliseconds} ms, attempt {attempts}, "
    "request {request_id}",
)
RECORD_ELSEWHERE = _message(
    620442,
    _ERROR,
    "{record} points at {place}",
    "The record set points at another server, or at what is no server of the resource.",
    "Run restore to let it point here. If no action of this cluster changed it, find the writer in CloudTrail: "
    "ChangeResourceRecordSets.",
)
RECORD_MISSING = _message(
    620443,
    _ERROR,
    "{record} does not exist",
    "The record set was deleted.",
    "Run restore to make it again. If no action of this cluster deleted it, find the writer in CloudTrail: "
    "ChangeResourceRecordSets.",
)
RECORD_STILL_ELSEWHERE = _message(
    620444,
    _ERROR,
    "still points at {place}",
    "Route 53 accepted the change and does not show it yet.",
    "Run the action again.",
)
RECORD_CONTESTED = _message(
    620445,
    _ERROR,
    "contested: another writer lets it point at {place}",
    "Another writer changed the record set after this action had written it, twice.",
    "Find the other writer in CloudTrail (ChangeResourceRecordSets) and stop it, then run the action again.",
)
RECORD_OF_ANOTHER_SHAPE = _message(
    620446,
    _ERROR,
    "{record} is {shape}; ec2kit changes only a record set of simple routing",
    "The record set was replaced by one of another kind: weighted, latency-based, an alias or the like, or by one "
    "with a health check.",
    "Replace it by a record set of simple routing, or choose another name for the resource.",
)
RECORD_NOT_IN_SYNC = _message(
    620447,
    _ERROR,
    "not all DNS servers of Route 53 have the change of {record} yet (PENDING)",
    "Route 53 accepted the change; its DNS servers usually have it within 60 seconds.",
    "Run the action again; it writes nothing if the record set is right. Raise EC2_RESTORE_TIMEOUT if that happens "
    "often, and under Pacemaker the time-out of start.",
)
RECORD_VALUE_LACKING = _message(
    620448,
    _ERROR,
    "{network_interface_id} has no {kind} address at which {record} could point",
    "The instance metadata list no such address of the network interface.",
    "Give the network interface such an address, or make the resource with other values (--points-at).",
)
RECORD_VALUE_NOT_GIVEN = _message(
    620449,
    _ERROR,
    "the definition says nothing about what {record} points at for {server}",
    "The resource was made with a value for each server (--points-at SERVER=VALUE), and none for this one.",
    "Delete the resource and create it with a value for this server as well.",
)
NEIGHBOUR_SPARED = _message(
    620450,
    _WARN,
    "{target}: {thing} stays on the network interface, because resource {tag} protects it",
    "EC2_EIP_EXCLUSIVE=1 takes all other Elastic IPs off the network interface, but none that a resource of this "
    "server protects.",
    "Use another network interface for one of both resources, or switch EC2_EIP_EXCLUSIVE off.",
)
NEIGHBOURS_UNKNOWN = _message(
    620451,
    _WARN,
    "{target}: {thing} stays on the network interface: it is not known whether a resource protects it ({reason})",
    "EC2_EIP_EXCLUSIVE=1 takes all other Elastic IPs off the network interface, but only what no resource protects; "
    "the registry of this server gives no answer.",
    "Remove the cause that the line names; the next restore takes the Elastic IP off.",
)

# -- probes of the way of packets --------------------------------------------------------------------------------

PROBE_REACHED = _message(620460, _INFO, "packets ({way}) to {address} are answered: {servers}")
PROBE_SILENT = _message(
    620461,
    _WARN,
    "AWS says {status} here, and packets ({way}) to {address} are not answered: {servers}; look at {look_at}",
    "AWS has accepted the change, and the way of packets or of their replies is closed; or the address is not on the "
    "device yet, or nothing answers this kind of packet.",
    "Look at these, in this order: the address on the device (`ip addr`); the source/destination check of the ENI; "
    "security groups and network ACLs; the route table of the asking server's subnet; the rule for replies "
    "(`ip rule`) and rp_filter; VPC Block Public Access. Then try again with `ec2kit probe`. No verdict depends on "
    "this line.",
)
PROBE_UNABLE = _message(
    620462,
    _WARN,
    "whether packets ({way}) to {address} arrive is not known: {servers}",
    "A server could not send them: the command of EC2_PROBE is missing there or ends with neither 0 nor 1, ping may "
    "not be used, or the server has another version of ec2kit.",
    "Correct what is named, on that server, and try again with `ec2kit probe`. No verdict depends on this line.",
)
PROBE_UNSEEN = _message(620463, _NOTIFY, "whether packets to {address} arrive was not tried: {servers}")
PROBE_EFFECTIVE = _message(
    620464, _INFO, "a packet to {address} was answered at most {seconds} s after AWS had accepted the last change"
)
PROBE_OVERTAKEN = _message(620465, _INFO, "the probe after the restore counts no longer: {reason}")
PROBE_NOT_BEGUN = _message(
    620466,
    _WARN,
    "the probe after this restore could not be begun: {reason}",
    "This server has no process or no memory left, or a disk hangs. The result of the restore is the same.",
    "Look at the load of this server; try whether packets arrive with `ec2kit probe`.",
)

# -- leaving before AWS does ---------------------------------------------------------------------------------

AWS_ANNOUNCES = _message(620470, _NOTIFY, "AWS announces {what}")
SERVER_LEAVES = _message(620471, _NOTIFY, "this server leaves, because AWS announces {what}: {how}")
SERVER_COMES_BACK = _message(
    620472, _NOTIFY, "this server takes resources again, after {seconds} s without a reason to leave: {how}"
)
ANNOUNCEMENTS_UNKNOWN = _message(
    620473,
    _WARN,
    "no answer to what AWS announces, {count} times in a row; nothing is changed for that: {reason}",
    "The instance metadata service is silent, refuses, or answers something else.",
    "Look at the options of the instance metadata (HttpEndpoint, HttpPutResponseHopLimit) and at what lies between "
    "this program and the service. Until it answers, this server neither leaves nor comes back.",
)
STAYS_AS_LAST = _message(
    620474,
    _WARN,
    "AWS announces {what}, and this server stays: {reason}",
    "No other server can take over what is in service here, or that is not known.",
    "Bring another server into order before AWS interrupts this one; it then leaves by itself. Or reschedule the "
    "event.",
)
COMES_BACK_AS_LAST = _message(
    620475,
    _WARN,
    "this server takes resources again, although AWS announces {what}: {reason}; {how}",
    "The other servers can take the resources no longer, so this one does until AWS interrupts it.",
    "Bring another server into order; this one then leaves again.",
)
LEAVING_FAILED = _message(
    620476,
    _ERROR,
    "{framework} cannot be asked or told whether this server leaves: {reason}",
    "The framework does not run on this server, or its command failed.",
    "Start the framework, or move the resources by hand. The next look tries again.",
)
LEAVING_WITHOUT_EFFECT = _message(
    620477,
    _WARN,
    "{framework} was told that this server leaves, which has no effect: {reason}",
    "The framework is not set up for this, or could not move the resources.",
    "Pacemaker: set the cluster option node-health-strategy. keepalived: name the file in a track_file. LifeKeeper: "
    "see its log.",
)
ANNOUNCEMENTS_KNOWN = _message(
    620478, _INFO, "the metadata service answers again what AWS announces, after {count} looks without an answer"
)

# -- a resource that is handed over ---------------------------------------------------------------------------

PACKETS_OVER = _message(
    620480, _INFO, "{device}: packets to {address} arrive no longer, as seen in {seconds} s: another server has it"
)
PACKETS_STILL_ARRIVE = _message(
    620481,
    _WARN,
    "{device}: packets to {address} still arrive after {seconds} s, although another server has taken it over; it is "
    "taken off all the same",
    "AWS has not made the change effective yet, the other server could not take the address, or a machine of the "
    "subnet sends to this server itself.",
    "Look where the address is (`ec2kit probe`, the route tables); clients that still come here get no answer.",
)
PACKETS_UNSEEN = _message(
    620482,
    _WARN,
    "{device}: whether packets to {address} still arrive is not known; it is taken off in {seconds} s: {reason}",
    "The device is not there, or this process may not open a packet socket.",
    "Name the device of the ENI in `interface`, and run the agents as root.",
)

# -- an address that another program puts on the device --------------------------------------------------------

ADDRESS_GONE = _message(
    620485,
    _WARN,
    "{address} is no longer on {device}, which {manager} manages: something else took it off; {owner} has to put "
    "it back",
    "A program that manages the network takes off what it did not put on: when it restarts or reloads, or when the "
    "link or a lease is lost for a while.",
    "Look whether it is back (`ip addr`): ec2kit does not put on what another program owns. Protect the address: "
    "`ec2kit network protect`.",
)
ADDRESS_NOWHERE = _message(
    620486,
    _WARN,
    "{address} is in service here, and on no device of this server since the last check; {owner} has to put it on",
    "No program has put the address on, or one took it off before the first check.",
    "Put it on: no packet to it is answered. If no device is to have it, as where packets are forwarded, set "
    "EC2_NO_LOCAL_REPAIR_TAG=1.",
)
ADDRESS_AGAIN = _message(620487, _NOTIFY, "{address} is on {device} of this server now")
ADDRESS_UNUSABLE = _message(
    620488,
    _ERROR,
    "{device}: no packet to {address} is accepted after it was put on: {reason}",
    "A program that manages the network takes the address off again, the link is down, or the kernel has not "
    "finished its look for a duplicate of an IPv6 address.",
    "Let the manager of the device keep the address (`ec2kit network show`, `ec2kit network protect`), switch the "
    "link on, or take an IPv6 address out of the network configuration: the agent puts it on without that look.",
)

# -- metrics ---------------------------------------------------------------------------------------------------

METRICS_NOT_WRITTEN = _message(
    620489,
    _WARN,
    "the metrics were not written: {reason}",
    "The folder of EC2_METRICS_DIR is not there, its disk is full, or another user than root can write it.",
    "Make the folder for root, readable for node_exporter (`install -d -m 755`), and name it to node_exporter by "
    "--collector.textfile.directory.",
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
    "EC2, a server or a disk failed while an unfinished command was being undone.",
    "Put back by hand what the line names.",
)
CREATE_RESUMED = _message(620507, _NOTIFY, "an earlier create of {tag} was cut off; its traces are removed")
NOT_FREE = _message(
    620508,
    _ERROR,
    "{what} is taken: {by}",
    "No two resources may share a tag or an address, and no two servers of a resource a priority.",
    "Choose another value, or delete the other resource.",
)
STILL_IN_SERVICE = _message(
    620509,
    _ERROR,
    "resource {tag} is in service on {server}",
    "A server that runs a resource cannot be taken out of it.",
    "Bring the resource in service on another server first. If another server really has it already, run remove on "
    "the server named.",
)
LAST_SERVER = _message(
    620510,
    _ERROR,
    "{server} is the only server of resource {tag}",
    "No server would know a resource that has no server.",
    "Use delete to remove the resource.",
)
SERVERS_SILENT = _message(
    620511,
    _ERROR,
    "not done, since these servers did not do their part: {servers}",
    "Every server keeps the same definition of a resource.",
    "Make the servers reachable. For this server alone use delete --local; for a server that is gone use unextend "
    "--lost.",
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
    "The value is not possible, or does not go with the other values.",
    "Correct the value; --help lists the options.",
)

SERVER_GONE = _message(
    620517,
    _WARN,
    "{server} is no server of {tag} any more: LifeKeeper there has no such resource; the definition no longer names "
    "that server",
    "The resource was unextended in LifeKeeper's own GUI, or an extend or unextend was cut off.",
    "Do nothing, or run extend on that server again. Delete removes there what a cut-off extend left.",
)

PARENTS_STAY = _message(
    620518,
    _WARN,
    "{parents} stays on {server}, where nothing moves its address in AWS any more: {tag} is unextended",
    "LifeKeeper keeps what depended on the resource, and can still bring it in service there, but without the route.",
    "Unextend what depended on it from that server as well, in LifeKeeper's GUI, or extend the EC2 resource to that "
    "server again.",
)

PLAN_CHANGES = _message(620519, _INFO, "{action} of {tag} on {server} would make changes: {count}; none was made now")
PLAN_NOTHING = _message(620520, _INFO, "{action} of {tag} on {server} would change nothing")
PLAN_UNKNOWN = _message(620521, _INFO, "UNKNOWN what {action} of {tag} on {server} would change: {reason}")
PLAN_FAILS = _message(620522, _INFO, "it would fail: {reason}")
PLAN_AS_WANTED = _message(620523, _INFO, "it is as wanted")
PLAN_SHOWN = _message(620524, _INFO, "it shows {old}")
PLAN_REMEMBERED = _message(
    620525, _INFO, "this server saw it earlier in this boot, and writes to it beside the first look"
)
PLAN_RECORDED = _message(620526, _INFO, "{server} notes what is wanted, and how it ended")
PLAN_LEFT = _message(620527, _INFO, "remove leaves it: the restore on the next server takes it")
PLAN_DEFINITION = _message(620528, _INFO, "each server of the resource keeps the same definition")
PLAN_ASKED_FOR = _message(620529, _INFO, "it was asked for")

# -- 6xx: checks -------------------------------------------------------------------------------------------

CHECK_OK = _message(620601, _INFO, "check {check}: {found}")
CHECK_NOTE = _message(620602, _INFO, "check {check}: {found}; {advice}")
CHECK_WARN = _message(
    620603,
    _WARN,
    "check {check}: {found}; {advice}",
    "The check found something that may hurt at a failover; the command goes on.",
    "Do what the end of the line advises.",
)
CHECK_UNSEEN = _message(
    620604,
    _WARN,
    "check {check}: could not look: {found}; {advice}",
    "Usually an optional permission is missing; the command goes on without this check.",
    "Do what the end of the line advises.",
)
CHECK_FAILED = _message(
    620605,
    _ERROR,
    "check {check}: {found}; {advice}",
    "The check found something that would make a failover fail.",
    "Do what the end of the line advises, then run the command again.",
)
CHECKS_FAILED = _message(
    620606,
    _ERROR,
    "{count} checks failed: {checks}",
    "What these checks found would make a failover fail.",
    "Do what each 620605 above says, then run the command again. Nothing was changed.",
)

# -- 7xx: installation -------------------------------------------------------------------------------------

KIT_INSTALLED = _message(620701, _NOTIFY, "ec2kit is installed in {root}: {summary}")
KIT_UNINSTALLED = _message(620702, _NOTIFY, "ec2kit is uninstalled from {root}: {summary}")
PLACES_LEFT = _message(
    620703,
    _ERROR,
    "left in {root}, since it is no longer what ec2kit put there: {places}",
    "The file was changed after ec2kit had been installed.",
    "Move the file away, then run the same command again.",
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
    "nothing was changed in {root}, since these places hold something that is not ec2kit's: {places}",
    "Another kit for the same resources is installed, or files of ec2kit were edited.",
    "Give --replace to have files kept aside until uninstall puts them back; move anything else by hand.",
)
PLACE_UNUSABLE = _message(
    620706,
    _ERROR,
    "{path} cannot be used: {reason}",
    "The disk is full or read-only, or the user is not the one that the framework's folder belongs to.",
    "Fix the cause and run the same command again: it goes on where it stopped.",
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
    "No option names the framework, and LifeKeeper, which is the default, is not there.",
    "For LifeKeeper name its folder by --lkroot; for Pacemaker's agents give --ocf.",
)
KIT_CLOSED = _message(
    620713,
    _WARN,
    "{user} cannot run the agents, since others than the owner have no access to {paths}",
    "Pacemaker asks for an agent's meta-data as that user. Without it a change of a parameter restarts the resource.",
    "Install ec2kit, and the Python of its environment, where every user may read them: not below /root.",
)

RESOURCES_LEFT = _message(
    620711,
    _ERROR,
    "ec2kit stays in {root}: {reason}",
    "Without ec2kit no framework can stop, move or check these resources; Pacemaker fences a server where a stop "
    "fails.",
    "Delete them while LifeKeeper or the cluster runs (in LifeKeeper, unextend is enough for one server), or give "
    "--force.",
)

# -- 8xx: migration and verification -----------------------------------------------------------------------

KEYS_TAKEN_OUT = _message(620801, _NOTIFY, "{tag} ({type}): the stored access key is taken out of its info")
NO_STORED_KEYS = _message(620802, _INFO, "no resource of this server has a stored access key")
KEYS_LEFT = _message(
    620803,
    _ERROR,
    "{tag} ({type}): what is stored of an access key was not taken out of its info: {reason}",
    "Rewriting the info might damage it, or LifeKeeper did not rewrite it.",
    "Delete the resource and create it again, then withdraw the key in IAM.",
)
STILL_RUNNING = _message(
    620804,
    _ERROR,
    "nothing is migrated: {reasons}",
    "The info of a resource must not change while the resource runs on any server.",
    "Take the resources out of service on all servers, with LifeKeeper running on all; then run the command again.",
)
NOT_UNDER_LIFEKEEPER = _message(
    620805,
    _ERROR,
    "there is nothing to migrate on {server}: LifeKeeper is not its framework ({lkroot})",
    "Only LifeKeeper's database has resources with stored keys; ec2kit stores none.",
    "Run the command on a LifeKeeper server where the kit is installed, or set LKROOT.",
)
NOT_BY_ROLE = _message(
    620806,
    _ERROR,
    "nothing is migrated: the SDK takes its credentials from {method}, not from the instance's role",
    "Without stored keys a resource depends on the role; other credentials hide whether the role is there.",
    "Attach a role, and remove AWS_ACCESS_KEY_ID, profiles and credentials files of the user that runs the actions.",
)
MIGRATION_INCOMPLETE = _message(
    620807,
    _ERROR,
    "{count} of {all} resources still have what is stored of an access key: {tags}",
    "The line of each resource above says why it was left as it was.",
    "Fix what those lines name, then run the command again; resources that are done are not changed.",
)
IN_SERVICE_TWICE = _message(
    620810,
    _ERROR,
    "resource {tag} is in service on several servers: {servers}; nothing was moved",
    "A server that was cut off without a remove reports the resource as in service until it is rebooted.",
    "Find with `ec2kit status` which server has the address; run remove on the others.",
)
NOT_EXTENDED = _message(
    620811,
    _ERROR,
    "{tags} depends on {tag} and is not on {server}; nothing was moved",
    "The dependent resource would be out of service while the resource is on that server.",
    "Extend the dependent resource to that server.",
)
NOT_WHERE_IT_SHOULD_BE = _message(
    620812,
    _ERROR,
    "resource {tag} is in service on {place} now, and should be on {home}; in AWS its address is on: {holders}",
    "A step of the verification failed, and so did the way back.",
    "See the steps before; run restore on the server where the resource should be.",
)

# -- 9xx: Pacemaker and keepalived ---------------------------------------------------------------------------

PARAMETERS_WITHOUT_MEANING = _message(620901, _INFO, "{names}: without meaning for ec2kit, ignored")
PARAMETERS_UNKNOWN = _message(
    620902,
    _WARN,
    "{names}: no parameter of {agent}, ignored",
    "The name is misspelt, or the parameter belongs to another agent.",
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
    "Fix what the check found before the next failover.",
)
REPAIRED = _message(620907, _NOTIFY, "{address} was elsewhere and is in service here again")
NOT_REPAIRED = _message(
    620908,
    _WARN,
    "{address} is not taken back: this server saw it in service here {when}",
    "The server was paused, or EC2 was silent; meanwhile the cluster may have moved the resource.",
    "Do nothing: the cluster decides where the resource runs.",
)
EVIDENCE_UNSEEN = _message(
    620909,
    _WARN,
    "could not see whether {device} has {address} ({reason}); the last start or stop counts",
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
    "A program other than keepalived writes into the pipe, or this version of keepalived writes other lines.",
    "Let only keepalived write into the pipe; the next line is read as usual.",
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
    "If this happens again, see in that server's log why it takes the address.",
)
GIVEN_UP = _message(
    620916,
    _ERROR,
    "{address} is held by {holder}, which took it again after it was taken back {count} times in {minutes} min; "
    "this server gives up",
    "Two servers both believe that they are MASTER, or a person or program keeps moving the address.",
    "See whether VRRP passes in both directions (protocol 112, unicast_peer), and what moves the address on the "
    "server named.",
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
    "{tag}: the program of keepalived's notify fifo does not run, so that no state of keepalived arrives; the "
    "address is neither taken back nor restored",
    'The program was killed, or has failed: keepalived logs "vrrp notify fifo script terminated", and starts the '
    "program again only when keepalived itself is reloaded or restarted.",
    "Reload keepalived: with fifo_write_vrrp_states_on_reload it sends all states to the new program. Without that, "
    "restart keepalived.",
)
ADOPTED = _message(
    620920,
    _NOTIFY,
    "{address} is on {device} and runs here without a start of ec2kit in this boot; from now on it counts as started",
)
INTENTIONS_ELSEWHERE = _message(
    620921,
    _WARN,
    "if Python breaks, the agent's script looks in {expected} for what start and stop have written, which is in "
    "{run_dir}",
    "EC2KIT_RUN_DIR is set in a form that the script does not read: for one resource only, with a variable in it, or "
    "with a blank.",
    "Set EC2KIT_RUN_DIR in Pacemaker's environment, or as a plain path in the file with the tunables. Until then, a "
    "monitor whose Python breaks may report a resource as stopped that runs.",
)

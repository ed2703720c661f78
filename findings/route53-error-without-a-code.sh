#!/usr/bin/env bash
# botocore finds neither code nor message in an error of Route 53 that has the documented form of InvalidChangeBatch.
#
# Seen with botocore 1.44.8. ChangeResourceRecordSets documents InvalidChangeBatch as a document of its own, whose root is
# the code, with several messages and no element Error. The parser of the service's protocol (rest-xml) gives a response
# whose error has an empty code and an empty message; the messages stand beside it, under the name of the exception's own
# member. A program that tells refusals by error.response["Error"]["Code"] takes a change that can never succeed for an
# error without a name. The other form, an ErrorResponse, is read as expected.
#
# ec2kit: reads both forms; a change that Route 53 refuses is named with its messages, and is not repeated.
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check botocore==1.44.8
cat >"$place/program.py" <<'PROGRAM'
import botocore
import botocore.session
from botocore.parsers import create_parser

SPACE = 'xmlns="https://route53.amazonaws.com/doc/2013-04-01/"'
OWN = (
    f"<InvalidChangeBatch {SPACE}><Messages><Message>it exists already</Message></Messages>"
    "<RequestId>r-1</RequestId></InvalidChangeBatch>"
)
COMMON = (
    f"<ErrorResponse {SPACE}><Error><Type>Sender</Type><Code>InvalidChangeBatch</Code>"
    "<Message>it exists already</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"
)
model = botocore.session.get_session().get_service_model("route53")
shape = model.operation_model("ChangeResourceRecordSets").output_shape


def code(body):
    answer = {"status_code": 400, "headers": {"content-type": "text/xml"}, "body": body.encode()}
    error = create_parser(model.protocol).parse(answer, shape)["Error"]
    return error.get("Code") or "none"


print("botocore", botocore.__version__)
print(f"its own document: {code(OWN)}; an ErrorResponse: {code(COMMON)}")
PROGRAM
said=$("$place/venv/bin/python" "$place/program.py")
printf '%s\n' "$said"
[ "$(tail -n 1 <<<"$said")" = "its own document: none; an ErrorResponse: InvalidChangeBatch" ] ||
    { echo "this has changed"; exit 1; }
echo "as described"

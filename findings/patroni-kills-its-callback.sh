#!/usr/bin/env bash
# Patroni kills a callback that still runs when the next event comes, by SIGKILL and without a warning; a callback that
# ended badly, or was killed, is not called again, and its exit status is looked at by nobody.
#
# Seen with Patroni 4.1.5: the callback of on_role_change is stopped (SIGSTOP), its children are listed, and it and they
# are killed. A trap or a handler of SIGTERM does not run, so a callback cannot undo, or write down, what it has begun. One
# whose request to a cloud is under way leaves that request behind. A switchover brings on_stop and on_role_change within
# a second, so that the first of the two is usually killed.
#
# ec2kit: its callback writes down what is wanted before it does anything; the next callback, for the other direction,
# cancels it, and one for the same direction finishes it. `patroni check`, run by a timer, repeats what was lost.
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check patroni==4.1.5 psycopg2-binary
cat >"$place/callback" <<'CALLBACK'
#!/bin/sh
trap 'echo "$1: may clean up"; exit' TERM INT HUP
echo "$1: begins"
sleep 5 &
wait
echo "$1: ends with 1"
exit 1
CALLBACK
chmod +x "$place/callback"
cat >"$place/program.py" <<'PROGRAM'
import sys
import time

from patroni.postgresql.callback_executor import CallbackExecutor
from patroni.version import __version__

print("Patroni", __version__, flush=True)
executor = CallbackExecutor()
executor.call([sys.argv[1], "on_stop", "primary", "demo"])
time.sleep(2)
executor.call([sys.argv[1], "on_role_change", "replica", "demo"])
time.sleep(9)
PROGRAM
said=$("$place/venv/bin/python" "$place/program.py" "$place/callback" 2>/dev/null)
printf '%s\n' "$said"
[ "$(tail -n 3 <<<"$said")" = "on_stop: begins
on_role_change: begins
on_role_change: ends with 1" ] || { echo "this has changed"; exit 1; }
echo "as described"

#!/usr/bin/env bash
# A Patroni that was paused in the middle of renewing its lock says for a whole ttl after the pause that it is the leader,
# while another member holds the lock: GET /leader and GET /primary answer 200 on both servers.
#
# Seen with Patroni 4.1.5 and etcd 3.4, in one of fifteen runs in which a leader was stopped by SIGSTOP for longer than the
# ttl. Patroni's REST API counts leadership from the moment when the lock was renewed (Ha.set_is_leader), so that it ends
# even if the loop hangs. But it takes the time *after* the store has answered: what was answered before the pause, and
# is processed after it, counts from the end of the pause. Until the loop has asked the store again (up to loop_wait), a
# callback, HAProxy or a load balancer that asks this server takes it for the leader.
#
# A store that answers at once, and a pause between its answer and Patroni's next line, stand in for the paused server.
#
# ec2kit: its callback asks Patroni right before each write. Where nothing ran on the server for two seconds, a yes counts
# only after Patroni has been at its store twice since (dcs_last_seen).
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check patroni==4.1.5 psycopg2-binary
cat >"$place/program.py" <<'PROGRAM'
import time
from threading import RLock
from types import SimpleNamespace

import patroni.postgresql  # first, because of a circle of imports
from patroni.ha import Ha
from patroni.version import __version__

TTL, PAUSE = 2, 4
renewed = 0.0


class Store:
    ttl = TTL

    def update_leader(self, *_):
        global renewed
        renewed = time.time()  # the store has prolonged the lock, and has answered
        time.sleep(PAUSE)  # the server is paused here
        return True


ha = object.__new__(Ha)
ha.dcs, ha.cluster, ha._failsafe_config = Store(), None, lambda: None
ha._leader_expiry, ha._leader_expiry_lock = 0, RLock()
ha.watchdog = SimpleNamespace(keepalive=lambda: None)
ha.update_lock()
over = time.time() - renewed - TTL
print("Patroni", __version__)
print("the lock has been free for some time:", over > 1)
print("Patroni says that it leads:", ha.is_leader())
PROGRAM
said=$("$place/venv/bin/python" "$place/program.py")
printf '%s\n' "$said"
[ "$(tail -n 2 <<<"$said")" = "the lock has been free for some time: True
Patroni says that it leads: True" ] || { echo "this has changed"; exit 1; }
echo "as described"

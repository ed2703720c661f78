"""Run one command and print its cost; small, since a child's peak of memory counts from its parent's."""

import json
import os
import sys
import time

nothing = os.open(os.devnull, os.O_RDWR)
actions = [(os.POSIX_SPAWN_DUP2, nothing, descriptor) for descriptor in (0, 1, 2)]
at, began = time.time(), time.perf_counter()
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=actions)
_, status, usage = os.wait4(process, 0)
wall = time.perf_counter() - began
cost = {
    "began": at,
    "wall": wall,
    "cpu": usage.ru_utime + usage.ru_stime,
    "memory": usage.ru_maxrss / 1024,
    "status": os.waitstatus_to_exitcode(status),
}
os.write(1, json.dumps(cost).encode())

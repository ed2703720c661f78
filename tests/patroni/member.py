"""A member of Patroni's cluster: what Patroni says of it, and the programs that Patroni runs there."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack

from ..actions.cluster import VIP_TAG, Cluster, Done, finished
from ..scripted_server import Behaviour, answers, scripted

NO_LEADER = answers("{}", 503)


def leader(seen: int) -> Behaviour:
    """Patroni says yes, and when it was at its store last."""
    return answers(f'{{"role": "primary", "dcs_last_seen": {seen}}}', 200)


LEADER = leader(1)


class Member:
    """
    One member.

    Attributes:
        asked: What Patroni's REST API was asked for.
    """

    def __init__(self, cluster: Cluster, server: str, stack: ExitStack) -> None:
        self.cluster = cluster
        self.server = server
        self._patroni = stack.enter_context(scripted(LEADER))

    @property
    def api(self) -> str:
        return self._patroni.url

    @property
    def asked(self) -> list[str]:
        return [f"{each['method']} {each['path']}" for each in self._patroni.asked]

    def says(self, *script: Behaviour) -> Member:
        """Let Patroni answer by a script from now on."""
        self._patroni.script = list(script)
        return self

    def begin(self, event: str, role: str, *words: str, tag: str = VIP_TAG, **settings: str) -> subprocess.Popen[str]:
        """Begin a callback as Patroni does: its own three words come last."""
        given = ["-t", tag, "--api", self.api, *words, event, role, "demo"]
        return self.cluster.start(self.server, "patroni", *given, **settings)

    def callback(self, event: str, role: str, *words: str, tag: str = VIP_TAG, **settings: str) -> Done:
        return finished(self.begin(event, role, *words, tag=tag, **settings))

    def check(self, tag: str = VIP_TAG, **settings: str) -> Done:
        return self.cluster.run(self.server, "patroni", "check", "-t", tag, "--api", self.api, **settings)

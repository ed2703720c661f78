"""
Every kind of address fails over on an embedded EC2; the status is 0 if every expectation held, otherwise 1.

    failover.py       starts the sandbox, plays the story, counts
    story.py          the story, as data: what happens, and what is expected of it
    stage.py          the servers: runs the real action scripts, asks EC2 for the truth
    expectations.py   compares what is expected with what was found
    picture.py        the topology, and the holders of addresses before and after
    narrator.py       prints
"""

from __future__ import annotations

import argparse
import itertools
import os
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import expectations
from botocore.exceptions import BotoCoreError, ClientError
from expectations import Expectation
from narrator import Narrator
from picture import holders, topology
from stage import Done, Stage, Truth, wrote
from story import Act, Event, Move, Scenario, story

from ec2kit.sandbox.client import NoSandbox, started

CHECKOUT = Path(__file__).resolve().parents[1]
TUNABLES = ("EC2_CONFIRM_INTERVAL=1", "EC2_SNAPSHOT_MAX_AGE=0")
ACTION_NAMES = ("create", "extend", "restore", "remove", "quickCheck", "recover")

_OURS = ("AWS", "EC2", "LKROOT", "LKCHECKINTERVAL", "NOBCASTPING", "RESRVRECTIMEOUT")


@dataclass
class Play:
    """The story on its stage: every step is told, done and compared with its expectations."""

    stage: Stage
    narrator: Narrator
    checked: list[Expectation] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)

    def tell(self) -> None:
        """Tell all scenes, with numbers."""
        numbers = itertools.count(1)
        for scenario in story(self.stage.description):
            at_first = self.stage.truth()
            for scene in scenario.scenes:
                self.narrator.headline(f"{next(numbers)}. {scene.title}", scene.prose)
                for step in scene.steps:
                    self._step(step, scenario, at_first)

    def _step(self, step: Act | Event | Move, scenario: Scenario, at_first: Truth) -> None:
        if isinstance(step, Move):
            self._move(step, scenario)
            return
        before = self.stage.truth()
        checked = self._act(step) if isinstance(step, Act) else self._happen(step)
        after = self.stage.truth()
        if before != after or step.shown:
            self.narrator.table(holders(self.stage.description, scenario.places[0], before, after))
        checked += expectations.of_the_world(step.holders, scenario.places, at_first, after)
        self.narrator.verdicts(checked)
        self.checked += checked

    def _act(self, act: Act) -> list[Expectation]:
        self.narrator.command(act.why, f"{act.server}$", f"actions/{act.command}")
        done = self.stage.run(act.server, *act.command.split())
        self.narrator.outcome(done)
        self.done.append(done)
        return expectations.of_an_action(act, done)

    def _move(self, move: Move, scenario: Scenario) -> None:
        """Make the resource behind the scenes, and show its move in one line."""
        first, second = move.servers
        self.stage.run(first, "create", "-t", move.tag, *move.create.split(), "--interface", "eth1")
        self.stage.run(second, "extend", first, move.tag)
        before = self.stage.truth()
        self.narrator.command("", f"{second}$", f"actions/restore -t {move.tag}")
        done = self.stage.run(second, "restore", "-t", move.tag)
        self.done.append(done)
        checked = expectations.of_a_move(move, done, scenario.places, before, self.stage.truth())
        self.narrator.verdicts(checked)
        self.checked += checked

    def _happen(self, event: Event) -> list[Expectation]:
        self.narrator.command(event.why, event.prompt, event.typed)
        event.does(self.stage)
        return []


# -- before and after the play -------------------------------------------------------------------------------


def introduce(narrator: Narrator, stage: Stage, *, seconds: float) -> None:
    """Print where the story happens, how to read it, and a picture."""
    narrator.headline("ec2kit: an address moves between two servers in two Availability Zones")
    narrator.say(
        f"An embedded EC2 on this machine, ready after {seconds:.1f} s; nothing leaves it. The actions are "
        f"processes, run from {stage.actions} in each server's environment; in its /etc/default/LifeKeeper "
        f"stand {TUNABLES[0]} (default: 2 s), so that you wait less, and {TUNABLES[1]} (default: 5 s), so that "
        "each quickCheck asks EC2 itself."
    )
    narrator.say(
        "After every step plain boto3 asks EC2, at an endpoint that no fault disturbs, who holds what; every "
        'other route and address of the account must be as it was at first: "rest untouched".'
    )
    narrator.say()
    narrator.picture(topology(stage.description, stage.truth()))


def conclude(narrator: Narrator, play: Play, *, seconds: float) -> None:
    """Print the counts, and what they are worth."""
    narrator.headline("Summary")
    failed = sum(not each.held for each in play.checked)
    count = f"{len(play.checked)} expectations checked"
    if failed:
        narrator.say(f"✗ {count}, {failed} FAILED: see the lines marked ✗ above", "red")
    else:
        narrator.say(f"✓ {count}, all held", "green")
    for label, figures in _figures(play, seconds=seconds).items():
        narrator.say(f"{label:<14}{figures}", hanging=" " * 14)
    narrator.say(
        "These figures are simulated: the embedded EC2 answers within milliseconds; the real one, and the way to it, "
        "take longer."
    )
    narrator.say()
    narrator.say(f"Play by hand, in {CHECKOUT}:")
    narrator.picture(_by_hand(play.stage))


def _figures(play: Play, *, seconds: float) -> dict[str, str]:
    calls = play.stage.sandbox.calls()
    by_kit = [call for call in calls if call["server"]]
    restores = [each.milliseconds for each in play.done if each.action == "restore"]
    changes, median, slowest = sum(map(wrote, by_kit)), statistics.median(restores), max(restores)
    return {
        "actions": f"{len(play.done)} run, all in all {seconds:.0f} s",
        "requests": f"{len(by_kit)} by ec2kit, {changes} of them changes; {len(calls) - len(by_kit)} by the demo",
        "restore": f"median {median:.0f} ms, slowest {slowest:.0f} ms: {len(restores)} whole processes",
    }


def _by_hand(stage: Stage) -> list[str]:
    kit = Path(sys.executable).with_name("ec2kit")
    kit = kit.relative_to(CHECKOUT) if kit.is_relative_to(CHECKOUT) else kit
    commands = {
        f"{kit} sandbox start --dir /tmp/ec2": "in one terminal; Ctrl-C ends it",
        ". /tmp/ec2/node1.env": "in another: now you are node1",
        f"actions/create --type route-table --vip {stage.description['vip']} --interface eth1": "",
        f"{kit} status": "",
        f"{kit} sandbox fault --dir /tmp/ec2 --server node1 refuse": "",
    }
    widest = max(len(command) for command, remark in commands.items() if remark)
    return [
        f"  {command:<{widest}}  # {remark}" if remark else f"  {command}" for command, remark in commands.items()
    ]


# -- the process ---------------------------------------------------------------------------------------------


def main() -> int:
    """Read the command line and give the performance; nothing is left behind, however it ends."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also if a shell started it in the background
    _forget_the_shell()
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    try:
        return _perform(Narrator(sys.stdout, colour=colour), options.actions.resolve(), tls=options.tls)
    except KeyboardInterrupt:
        sys.stderr.write("\ndemo: stopped; the sandbox and its folder are gone\n")
        return 128 + signal.SIGINT
    except BrokenPipeError:  # `| head`: the reader is gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except (NoSandbox, BotoCoreError, ClientError, OSError) as error:
        sys.stderr.write(f"demo: cannot go on: {error}\n")
        return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Every kind of address fails over on an embedded EC2, told step by step."
    )
    help_text = "folder of the action scripts to play with (default: the checkout's)"
    parser.add_argument("--actions", type=Path, default=CHECKOUT / "actions", metavar="DIR", help=help_text)
    parser.add_argument("--tls", action="store_true", help="let the servers ask EC2 by HTTPS")
    options = parser.parse_args()
    missing = [name for name in ACTION_NAMES if not os.access(options.actions / name, os.X_OK)]
    if missing:
        parser.error(f"no {', '.join(missing)} to execute in {options.actions}")
    return options


def _forget_the_shell() -> None:
    """Remove tunables, credentials, configuration and proxies of the user's shell: they have no part in the demo."""
    for name in [each for each in os.environ if each.startswith(_OURS) or each.lower().endswith("_proxy")]:
        del os.environ[name]
    os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)


def _perform(narrator: Narrator, actions: Path, *, tls: bool) -> int:
    began = time.perf_counter()
    with (
        tempfile.TemporaryDirectory(prefix="ec2kit-demo-", ignore_cleanup_errors=True) as folder,
        started(folder, nodes=3, tls=tls) as sandbox,
    ):
        stage = Stage(sandbox, actions)
        for tunable in TUNABLES:
            stage.tune(tunable)
        introduce(narrator, stage, seconds=time.perf_counter() - began)
        play = Play(stage, narrator)
        play.tell()
        conclude(narrator, play, seconds=time.perf_counter() - began)
    return 0 if all(each.held for each in play.checked) else 1


if __name__ == "__main__":
    sys.exit(main())

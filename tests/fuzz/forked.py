"""
The action scripts' own door, `ec2kit.frameworks.lifekeeper.scripts.main`, in a process for each example.

A Python that has everything loaded forks for each, so that hundreds fit into seconds; each example has its own
environment, exit status and standard error, and is killed where it hangs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..patience import HANGS

_DRIVER = """
import boto3, botocore.config, functools, json, os, signal, sys, time
from botocore.loaders import JSONFileLoader
from ec2kit.ec2 import operations
from ec2kit.checks import frame
from ec2kit.actions import create
from ec2kit.actions import dialogue


from ec2kit.messages import japanese as messages_ja
from ec2kit.host import instance
from ec2kit.peers import agree
from ec2kit.frameworks.lifekeeper import recovery

from ec2kit.frameworks.lifekeeper import scripts as actions
from ec2kit.registry import local

read = functools.lru_cache(maxsize=None)(functools.partial(JSONFileLoader.load_file, JSONFileLoader()))
JSONFileLoader.load_file = lambda _, path: read(path)  # EC2's model is large, and each example would read it anew
boto3.session.Session(region_name="us-east-1").client("ec2")

for line in sys.stdin:
    example = json.loads(line)
    child = os.fork()
    if not child:
        try:
            os.setsid()
            for number, name in ((0, os.devnull), (1, example["stdout"]), (2, example["stderr"])):
                os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), number)
            os.environ.clear()
            os.environ.update(example["environment"])
            actions.main(example["words"])
        finally:
            os._exit(99)
    ends = time.monotonic() + float(sys.argv[1])
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > ends:
            os.killpg(child, signal.SIGKILL)
        time.sleep(0.002)
    print(ended[1], flush=True)
"""


@dataclass(frozen=True)
class Ended:
    """
    How an example ended.

    Attributes:
        status: As the scripts see it; negative where a signal ended it.
    """

    status: int
    stdout: str
    stderr: str
    log: str

    @property
    def codes(self) -> set[str]:
        """The codes of the messages that were logged."""
        return {line.split(":")[7] for line in self.log.splitlines()}

    @property
    def no_traceback(self) -> bool:
        """Whether nothing but whole lines was said, and no fault of ec2kit was met."""
        return "620004" not in self.codes and "Traceback" not in self.stderr + self.stdout and 0 <= self.status != 99


@dataclass
class Forked:
    """One server of files only: nobody answers as EC2, IMDS or another server."""

    folder: Path
    _driver: subprocess.Popen[str] = field(repr=False)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "EC2KIT_DEFAULTS": os.devnull,
            "EC2KIT_SERVER": "server-a",
            "EC2KIT_STATE_DIR": f"{self.folder}/state",
            "EC2KIT_RUN_DIR": f"{self.folder}/run",
            "EC2KIT_NET_DIR": f"{self.folder}/net",
            "EC2KIT_LOG_FILE": f"{self.folder}/log",
            "EC2_ENDPOINT_URL": "http://127.0.0.1:9",
            "EC2_REMOTE_COMMAND": "/bin/false",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            **{f"EC2_{action}_TIMEOUT": "1" for action in ("RESTORE", "REMOVE", "RECOVER", "QUICKCHECK")},
        }

    def run(self, words: Sequence[str], different: Mapping[str, str] | None = None) -> Ended:
        """Run one action, named by the first word, with some variables different."""
        for name in ("log", "stdout", "stderr"):
            (self.folder / name).unlink(missing_ok=True)
        outputs = {name: str(self.folder / name) for name in ("stdout", "stderr")}
        example = {"words": list(words), "environment": {**self.environment, **(different or {})}, **outputs}
        assert self._driver.stdin is not None
        assert self._driver.stdout is not None
        print(json.dumps(example), file=self._driver.stdin, flush=True)
        status = os.waitstatus_to_exitcode(int(self._driver.stdout.readline()))
        said = [(self.folder / name).read_text(errors="replace") for name in ("stdout", "stderr")]
        return Ended(status, *said, log=self._log())

    def _log(self) -> str:
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""


@contextmanager
def forked(folder: Path) -> Iterator[Forked]:
    command = [sys.executable, "-I", "-c", _DRIVER, str(HANGS)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
    ) as driver:
        yield Forked(folder, driver)
        driver.kill()

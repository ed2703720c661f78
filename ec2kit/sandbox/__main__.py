"""`python -m ec2kit.sandbox DIR` runs a sandbox without the command line interface, for programs that start one."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ec2kit.sandbox.process import CannotStart, serve


def main() -> None:
    """Run until SIGTERM, SIGINT or, with --stop-with-stdin, the end of standard input: the parent process is gone."""
    parser = argparse.ArgumentParser(prog="python -m ec2kit.sandbox", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--tables", type=int, default=2)
    parser.add_argument("--zones", type=int, choices=(1, 2), default=2)
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--port", type=int)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--stop-with-stdin", action="store_true")
    told = vars(parser.parse_args())
    try:
        serve(told.pop("folder"), **told)
    except CannotStart as error:
        sys.exit(f"sandbox: {error}")


if __name__ == "__main__":
    main()

"""Starts the command line, as `ec2kit` and as `python -m ec2kit`."""

from __future__ import annotations

import sys

sys.dont_write_bytecode = True  # a full disk would leave half a file, which stops every later import


def main() -> None:
    """Run the command line; does not return."""
    from ec2kit.cli import main as run

    run()


if __name__ == "__main__":
    main()

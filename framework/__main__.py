"""The command line: ``python -m framework``, installed as ``dinputs``."""

import argparse
import sys
from collections.abc import Sequence

from framework.commands import gradients, images, models, spiral

INTERRUPTED = 130  # as shells say it: 128 and the number of the signal


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 130 if it was interrupted."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        status: int = options.command(options)
    except (ValueError, TypeError, OSError, ImportError, FloatingPointError) as error:
        print(f"{parser.prog}: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\n{parser.prog}: interrupted", file=sys.stderr)
        return INTERRUPTED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dinputs", description="Neural networks from scratch in NumPy."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    for module in (spiral, images, models, gradients):
        module.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())

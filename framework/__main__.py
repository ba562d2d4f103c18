"""The command line: ``python -m framework``, installed as ``dinputs``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout

import framework
from framework.training.distributed.communicator import launched_together
from framework.utils.text import printable

PROGRAM = "dinputs"
INTERRUPTED = 130  # as shells say it: 128 and the number of the signal


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 130 if it was interrupted.

    Where ``mpiexec`` has started several processes, the first alone prints; commands that train
    share the work, and an error of one process is raised on all.
    """
    rank = 0
    try:
        options = _parser().parse_args(arguments)
        rank = getattr(launched_together(), "rank", 0)
        with nullcontext() if rank == 0 else _silence():
            status: int = options.command(options)
    except (ValueError, TypeError, OSError, ImportError, FloatingPointError) as error:
        if rank == 0:
            message = printable(str(error), keep="\n")  # it may quote a file
            print(f"{PROGRAM}: error: {message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\n{PROGRAM}: interrupted", file=sys.stderr)
        return INTERRUPTED
    return status


@contextmanager
def _silence() -> Iterator[None]:
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        yield


def _parser() -> argparse.ArgumentParser:
    # They need the package datasets: another's of that name is an error of the command.
    from framework.commands import (
        exercises,
        gradients,
        images,
        models,
        playground,
        spiral,
        train,
    )

    parser = argparse.ArgumentParser(
        prog=PROGRAM, description="Neural networks from scratch in NumPy."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {framework.__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    for module in (spiral, playground, images, train, models, gradients, exercises):
        module.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())

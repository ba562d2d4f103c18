"""Lines on standard output and standard error.

Python's streams have locks of their own, which stay locked in a child that is forked while another
thread writes. So a fork waits until a line is written.
"""

from __future__ import annotations

from threading import RLock
from typing import Any

from framework.utils.forks import hold_while_forking

_writing = RLock()
hold_while_forking(lambda: [_writing])


def print_line(text: str, stream: Any = None, flush: bool = False) -> None:
    """Print ``text`` to ``stream``, standard output if there is none."""
    with _writing:
        print(text, file=stream, flush=flush)

"""The memory for the stacks of threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Bytes. The compiler needs more for deeply nested code than a thread has on some systems.
STACK_SIZE = 64 * 2**20


@contextmanager
def stack_for_compiler() -> Iterator[None]:
    """Give threads that are started in the block enough stack to compile in."""
    before = threading.stack_size(STACK_SIZE)
    try:
        yield
    finally:
        threading.stack_size(before)

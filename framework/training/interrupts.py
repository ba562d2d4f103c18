"""Ctrl-C during training: the first one stops after the current batch, a second one at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from framework.training.state import Training
from framework.utils.warnings import warn_user


@contextmanager
def stopping_on(signals: Sequence[signal.Signals], training: Training) -> Iterator[None]:
    """Let the first of ``signals`` stop ``training`` after its batch, a second one at once.

    Only in the main thread, where Python allows it, and only where Python's own handler is in
    place: a program with a handler of its own keeps it. A training that was interrupted ends with
    a warning.
    """

    def stop(signum: int, frame: Any) -> None:
        if training.interrupted:
            raise KeyboardInterrupt
        training.interrupted = True
        training.stop("interrupted")

    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    in_main_thread = threading.current_thread() is threading.main_thread()
    replaced = {
        number: signal.signal(number, stop)
        for number in signals
        if in_main_thread and signal.getsignal(number) is usual[number]
    }
    try:
        yield
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler)
    if training.interrupted:
        of_batches = "" if training.batches is None else f" of {training.batches}"
        warn_user(
            f"training was interrupted in epoch {training.epoch}, after batch {training.batch}"
            f"{of_batches}; {len(training.history)} of {training.epochs} epochs are complete"
        )

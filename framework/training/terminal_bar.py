"""The progress bar of a training in a terminal, drawn by tqdm."""

from __future__ import annotations

import os
import sys
from threading import RLock
from typing import Any

from framework.utils.forks import after_fork, importing
from framework.utils.lines import print_line

# Where the terminal does not say how wide it is.
USUAL_WIDTH = 80
# A bar of fewer characters is left out, and so is the time where the bar would have fewer.
SHORTEST_BAR = 6


class TerminalBar:
    """One bar for the whole training, below the lines of its epochs; on standard error.

    Metrics that do not fit into the width of the terminal are left out of the bar: the learning
    rate first, then the last ones. If standard error is not a terminal, there are only the lines.

    Args:
        epochs: how many are planned.
        completed: how many are complete already.
    """

    def __init__(self, epochs: int, completed: int) -> None:
        self.stream = sys.stderr
        self.bar: Any = None
        if hasattr(self.stream, "isatty") and self.stream.isatty():
            self.bar = _new_bar(total=epochs, initial=completed, file=self.stream)

    def show(self, completed: float, metrics: list[str]) -> None:
        """Show that ``completed`` epochs are complete, a part of one included."""
        if self.bar is None:
            return
        bar, width = self.bar, _width(self.stream) - 1  # in the last column some terminals wrap
        text = _fitting(metrics, width - SHORTEST_BAR - 1)[:width]
        left = width - len(text) - 1
        time = len(" 00:00:00<00:00:00")
        bar.ncols, bar.n = width, completed
        bar.bar_format = "{desc}"
        if left >= SHORTEST_BAR:
            bar.bar_format += " {bar}"
        if left >= SHORTEST_BAR + time:
            bar.bar_format += " {elapsed}<{remaining}"
        bar.set_description_str(text)

    def add_line(self, metrics: list[str]) -> None:
        """Write a line that stays, above the bar."""
        line = " ".join(metrics)
        if self.bar is None:
            print_line(line, self.stream)
        else:
            self.bar.write(line, file=self.stream)

    def close(self) -> None:
        """Leave the bar as it is, and begin a new line."""
        if self.bar is not None:
            self.bar.close()


def _new_bar(**arguments: Any) -> Any:
    # Imported late, since it imports a good deal itself.
    with importing:
        from tqdm import tqdm

        tqdm.get_lock()  # type: ignore[no-untyped-call] # imports more

    class Bar(tqdm):  # type: ignore[type-arg]
        monitor_interval = 0  # no thread: this bar is drawn when it is told to

    return Bar(bar_format="{desc}", **arguments)


def _fitting(metrics: list[str], width: int) -> str:
    """Return as many of ``metrics`` in one line as fit into ``width``, at least the first."""
    metrics = list(metrics)
    while len(" ".join(metrics)) > width and len(metrics) > 1:
        rate = [metric for metric in metrics if metric.startswith("lr ")]
        metrics.remove(rate[0] if rate else metrics[-1])
    return " ".join(metrics)


def _width(stream: Any) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or USUAL_WIDTH
    except (OSError, ValueError):
        return USUAL_WIDTH


def _renew_lock_of_bars() -> None:
    """Let bars be shown in a forked child, even if another thread was drawing one.

    The child gets a lock for its threads. It does without tqdm's lock for processes: one that a
    thread held at the fork stays locked, in the child and in its parent.
    """
    if "tqdm" in sys.modules:
        from tqdm import tqdm

        tqdm.set_lock(RLock())


after_fork(_renew_lock_of_bars)

"""The progress of a training in a notebook: a bar, and a table that grows."""

from __future__ import annotations

import html
import sys
import time
from typing import Any

SECONDS_BETWEEN_UPDATES = 0.25


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return hasattr(shell, "kernel")


class NotebookTable:
    """A bar for the whole training, and a table of its epochs, in a single output of a cell.

    It is HTML, which needs no widgets: a saved notebook shows it as it was at the end. Where HTML
    is not shown, it is text. Arguments and methods are those of ``TerminalBar``.
    """

    def __init__(self, epochs: int, completed: int) -> None:
        self.epochs, self.completed = epochs, float(completed)
        self.metrics: list[str] = []
        self.rows: list[list[str]] = []
        self._handle: Any = None
        self._updated = 0.0

    def show(self, completed: float, metrics: list[str]) -> None:
        self.completed, self.metrics = completed, metrics
        self._update()

    def add_line(self, metrics: list[str]) -> None:
        self.rows.append(metrics)
        self._update()

    def close(self) -> None:
        """Show the last metrics."""
        self._update(at_once=True)

    def _update(self, at_once: bool = False) -> None:
        now = time.perf_counter()
        if not at_once and now - self._updated < SECONDS_BETWEEN_UPDATES:
            return
        self._updated = now
        data = {"text/html": self._html(), "text/plain": self._text()}
        if self._handle is None:
            from IPython.display import display

            self._handle = display(  # type: ignore[no-untyped-call]
                data, raw=True, display_id=True
            )
        else:
            self._handle.update(data, raw=True)

    def _html(self) -> str:
        lines = [
            f'<progress value="{self.completed:.4g}" max="{self.epochs}"></progress> '
            f"{html.escape(' '.join(self.metrics))}"
        ]
        if self.rows:
            names = [metric.split()[0] for metric in self.rows[0]]
            lines.append(f"<table><tr>{_cells('th', names)}</tr>")
            values = ([metric.split()[-1] for metric in row] for row in self.rows)
            lines += [f"<tr>{_cells('td', row)}</tr>" for row in values]
            lines.append("</table>")
        return "\n".join(lines)

    def _text(self) -> str:
        return "\n".join(map(" ".join, self.rows or [self.metrics]))


def _cells(tag: str, texts: list[str]) -> str:
    return "".join(f"<{tag}>{html.escape(text)}</{tag}>" for text in texts)

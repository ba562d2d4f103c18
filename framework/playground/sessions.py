"""The sessions of all windows: one for each."""

from __future__ import annotations

import time
from collections.abc import Callable

from framework.playground.session import Session
from framework.playground.worker import Worker

MOST_SESSIONS = 20
FORGOTTEN_AFTER = 60.0  # seconds


class Sessions:
    """The sessions of all windows: one for each, forgotten a minute after it was closed.

    Args:
        worker: trains them.
        make: makes a new one.

    Attributes:
        address: of the page.
        given: makes the sessions of models that were given, by the key in their address.
    """

    address = ""

    def __init__(self, worker: Worker, make: Callable[[], Session]) -> None:
        self.worker, self.make = worker, make
        self.given: dict[str, Callable[[], Session]] = {}
        self._sessions: dict[str, Session] = {}
        self._open: dict[str, int] = {}
        self._closed: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def opened(self, window: str, make: Callable[[], Session] | None = None) -> Session:
        """Return the session of a window; a new one if it has none.

        Raises ValueError if there are 20 already.
        """
        self.forget()
        session = self._sessions.get(window)
        if session is None:
            if len(self._sessions) >= MOST_SESSIONS:
                raise ValueError(
                    f"{MOST_SESSIONS} windows are open, more are not possible: close one, and "
                    "try again in a minute"
                )
            session = self._sessions[window] = (make or self.make)()
            self.worker.add(session)
        self._open[window] = self._open.get(window, 0) + 1
        self._closed.pop(window, None)
        return session

    def closed(self, window: str) -> None:
        """Note that a window was closed, or lost its connection."""
        self._open[window] = self._open.get(window, 1) - 1
        if self._open[window] <= 0:
            self._closed[window] = time.monotonic()

    def is_open(self, key: str) -> bool:
        """Whether a window shows the model that was given under ``key``, or did a moment ago."""
        return any(window.endswith(key) for window in self._sessions)

    def forget(self) -> None:
        """Forget the sessions of windows that were closed a minute ago."""
        now = time.monotonic()
        for window, since in list(self._closed.items()):
            if now - since >= FORGOTTEN_AFTER:
                del self._closed[window], self._open[window]
                self.worker.remove(self._sessions.pop(window))

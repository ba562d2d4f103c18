"""One thread that trains all sessions, a slice of each in turn, and does what pages ask for.

Everything that touches a session runs here, so a session needs no locks, and the thread of the page
is never held up. What a page asks for comes before the next slice.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from framework.playground.session import SLICE, Session

Result = TypeVar("Result")
# With many sessions playing, each gets a shorter slice, so that none waits long for its turn.
ROUND, SHORTEST = 0.2, 0.005


class Worker:
    """Runs in a thread of its own from ``start`` to ``stop``."""

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = (
            queue.SimpleQueue()
        )
        self._sessions: list[Session] = []
        self._thread = threading.Thread(target=self._work, name="playground", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """End after what was asked for."""
        self._asked.put(None)
        self._thread.join()

    def add(self, session: Session) -> None:
        """Train ``session`` whenever it is playing."""
        self.ask(lambda: self._sessions.append(session))

    def remove(self, session: Session) -> None:
        """Forget ``session``."""
        self.ask(lambda: self._sessions.remove(session))

    def ask(self, function: Callable[[], Result]) -> Future[Result]:
        """Have ``function`` called soon, and return the future of its result."""
        future: Future[Result] = Future()
        self._asked.put((function, future))
        return future

    def _work(self) -> None:
        turn = 0
        while True:
            playing = [session for session in self._sessions if session.playing]
            try:
                task = self._asked.get(block=not playing)
            except queue.Empty:
                turn = (turn + 1) % len(playing)
                _train(playing[turn], max(SHORTEST, min(SLICE, ROUND / len(playing))))
                continue
            if task is None:
                return
            function, future = task
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function())
                except Exception as error:
                    future.set_exception(error)


def _train(session: Session, seconds: float) -> None:
    try:
        session.slice(seconds)
    except Exception as error:  # of an operation of the user's own: the others go on
        session.playing, session.message = False, f"{type(error).__name__}: {error}"
        session.version += 1

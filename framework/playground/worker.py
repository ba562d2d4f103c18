"""One thread that trains all sessions, a slice of each in turn, and does what pages ask for.

Everything that touches a session runs here, so a session needs no locks, and the thread of the page
is never held up. What a page asks for ends the slice that is going on. Pictures wait for everything
else, and while something is playing, each is followed by a slice: 20 pages that are drawn as often
as they can be leave time for the training.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from framework.playground.session import SLICE, Session

Result = TypeVar("Result")
# With many sessions playing, each gets a shorter slice, so that none waits long for its turn.
ROUND, SHORTEST = 0.2, 0.005

_Tasks = deque[tuple[Callable[[], Any], Future[Any]]]


class Worker:
    """Runs in a thread of its own from ``start`` to ``stop``."""

    def __init__(self) -> None:
        self._actions: _Tasks = deque()
        self._pictures: _Tasks = deque()
        self._asked = threading.Condition()
        self._stopped = False
        self._sessions: list[Session] = []
        self._thread = threading.Thread(target=self._work, name="playground", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """End after what was asked for."""
        with self._asked:
            self._stopped = True
            self._asked.notify()
        self._thread.join()

    def add(self, session: Session) -> None:
        """Train ``session`` whenever it is playing."""
        self.ask(lambda: self._sessions.append(session))

    def remove(self, session: Session) -> None:
        """Forget ``session``."""
        self.ask(lambda: self._sessions.remove(session))

    def ask(self, function: Callable[[], Result]) -> Future[Result]:
        """Have ``function`` called soon, and return the future of its result."""
        return self._put(self._actions, function)

    def draw(self, function: Callable[[], Result]) -> Future[Result]:
        """Have ``function``, which makes a picture, called when nothing else was asked for."""
        return self._put(self._pictures, function)

    def _put(self, tasks: _Tasks, function: Callable[[], Result]) -> Future[Result]:
        future: Future[Result] = Future()
        with self._asked:
            tasks.append((function, future))
            self._asked.notify()
        return future

    def _work(self) -> None:
        turn, has_drawn = 0, False
        while True:
            playing = [session for session in self._sessions if session.playing]
            with self._asked:
                while not (playing or self._actions or self._pictures or self._stopped):
                    self._asked.wait()
                task = None
                if self._actions:
                    task = self._actions.popleft()
                elif self._pictures and not (has_drawn and playing):
                    task, has_drawn = self._pictures.popleft(), True
            if task is not None:
                _call(*task)
            elif self._stopped:
                return
            elif playing:
                turn, has_drawn = (turn + 1) % len(playing), False
                self._train(playing[turn], max(SHORTEST, min(SLICE, ROUND / len(playing))))

    def _train(self, session: Session, seconds: float) -> None:
        waiting = bool(self._pictures)  # they are drawn after a slice of some length

        def interrupted() -> bool:
            return bool(self._actions or (self._pictures and not waiting))

        try:
            session.slice(seconds, interrupted)
        except Exception as error:  # of an operation of the user's own: the others go on
            session.playing, session.message = False, f"{type(error).__name__}: {error}"
            session.version += 1


def _call(function: Callable[[], Any], future: Future[Any]) -> None:
    if future.set_running_or_notify_cancel():
        try:
            future.set_result(function())
        except Exception as error:
            future.set_exception(error)

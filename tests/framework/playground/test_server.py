"""Who may talk to the page, at which port it is, and whose session is whose."""

import asyncio
import socket
from typing import Any

import pytest

from framework.playground import sessions as of_windows
from framework.playground.guard import Guard, free_port
from framework.playground.session import Session
from framework.playground.sessions import MOST_SESSIONS, Sessions
from framework.playground.worker import Worker

NAMES = ("127.0.0.1", "localhost", "::1")


@pytest.mark.parametrize(
    ("host", "origin", "allowed"),
    [
        ("127.0.0.1:8765", None, True),
        ("localhost:8765", "http://localhost:8765", True),
        ("[::1]:8765", None, True),
        ("evil.example", None, False),
        ("127.0.0.1.evil.example:8765", None, False),
        ("127.0.0.1:8765", "http://evil.example", False),
        ("127.0.0.1:8765", "http://127.0.0.1:9999", False),
        ("127.0.0.1:8765", "null", False),
        ("", None, False),
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_only_pages_of_this_address_may_talk_to_it(
    kind: str, host: str, origin: str | None, allowed: bool
) -> None:
    reached, sent = [], []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", host.encode())]
    headers += [(b"origin", origin.encode())] if origin is not None else []
    asyncio.run(Guard(app, NAMES)({"type": kind, "headers": headers}, None, send))
    assert bool(reached) is allowed
    if not allowed:
        assert sent[0].get("status") == 403 or sent[0]["type"] == "websocket.close"


def test_a_port_that_is_taken_is_replaced_by_the_next_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < free_port("127.0.0.1", port) <= port + 50


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def worker() -> Any:
    found = Worker()
    found.start()
    yield found
    found.stop()


def test_a_closed_window_is_forgotten_after_a_minute(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(of_windows, "time", clock)
    found = Sessions(worker, Session)
    one = found.opened("one")
    assert found.opened("other") is not one and len(found) == 2
    found.closed("one")
    clock.now = 59
    found.forget()
    assert found.opened("one") is one
    found.closed("one")
    clock.now = 120
    found.forget()
    assert len(found) == 1
    assert found.opened("one") is not one


def test_there_are_at_most_twenty_sessions(worker: Worker) -> None:
    found = Sessions(worker, Session)
    for window in range(MOST_SESSIONS):
        found.opened(str(window))
    with pytest.raises(ValueError, match="20 windows are open, more are not possible"):
        found.opened("another")
    assert found.opened("3") is not None

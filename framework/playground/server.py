"""Serves the page: on this machine alone, unless it is told otherwise."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable

from framework.playground.guard import Guard, free_port
from framework.playground.session import Session
from framework.playground.sessions import Sessions
from framework.playground.worker import Worker
from framework.utils.optional import required

HOST, PORT = "127.0.0.1", 8765
LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = ("0.0.0.0", "::")


class Server:
    """The page at an address. There is one in a process.

    Args:
        make: makes the session of a new window.
        host, port: where it listens; a port that is taken is replaced by the next free one.

    Attributes:
        address: of the page.

    Raises:
        ImportError: nicegui is not installed (the extra ``[playground]``).
        OSError: there is no free port.
    """

    def __init__(
        self, make: Callable[[], Session] = Session, host: str = HOST, port: int = PORT
    ) -> None:
        required("nicegui", "'dinputs[playground]'")
        self.host, self.port = host, free_port(host, port)
        self.worker = Worker()
        self.sessions = Sessions(self.worker, make)
        shown = "127.0.0.1" if host in EVERYWHERE else f"[{host}]" if ":" in host else host
        self.address = self.sessions.address = f"http://{shown}:{self.port}"

    def run(self, show: bool = False) -> None:
        """Serve the page until Ctrl-C; ``show`` opens it in the browser."""
        from nicegui import app, ui

        from framework.playground.window import add_page

        add_page(self.sessions)
        names = () if self.host in EVERYWHERE else (*LOOPBACK, self.host)
        app.add_middleware(Guard, names=names)
        app.on_startup(self._forget_now_and_then)
        self.worker.start()
        ui.run(
            host=self.host,
            port=self.port,
            title="dinputs playground",
            show=show,
            reload=False,
            show_welcome_message=False,
            language="en-US",
            reconnect_timeout=10,
            message_history_length=50,
            binding_refresh_interval=None,
        )

    def start(self) -> None:
        """Serve the page from a thread of its own, and return when it can be opened."""
        thread = threading.Thread(target=self.run, name="playground page", daemon=True)
        thread.start()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and thread.is_alive():
            with socket.socket() as found:
                if found.connect_ex((self.host, self.port)) == 0:
                    return
            time.sleep(0.05)
        raise OSError(f"the page at {self.address} did not start")

    async def _forget_now_and_then(self) -> None:
        async def forget() -> None:
            while True:
                await asyncio.sleep(5)
                self.sessions.forget()

        self._forgetting = asyncio.create_task(forget())

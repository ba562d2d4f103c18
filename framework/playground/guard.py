"""Who may talk to the page, and at which port it is."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

PORTS_TRIED = 50


class Guard:
    """Refuses requests under another host name, and from pages of other origins.

    Otherwise a page from elsewhere, open in the same browser, could talk to this one.

    Args:
        app: the application behind it (ASGI).
        names: the host names that are allowed, without ports; none allows all.
    """

    def __init__(self, app: Any, names: tuple[str, ...]) -> None:
        self.app, self.names = app, names

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] in ("http", "websocket") and not self.allows(scope):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
                return
            text = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": 403, "headers": text})
            body = b"refused: this page is served under another host name"
            await send({"type": "http.response.body", "body": body})
            return
        await self.app(scope, receive, send)

    def allows(self, scope: Any) -> bool:
        """Whether a request names an allowed host, and comes from a page of the same one."""
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        origin = headers.get(b"origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return False
        return not self.names or _name(host) in self.names


def free_port(host: str, port: int) -> int:
    """Return ``port``, or the next that nobody listens on. Raises OSError if there is none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, min(port + PORTS_TRIED, 65536)):
        with socket.socket(family, socket.SOCK_STREAM) as found:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                found.bind((host, candidate))
            except PermissionError:
                raise
            except OSError:
                continue
            return candidate
    raise OSError(f"no free port at {host} from {port} on: give another --port")


def _name(host: str) -> str:
    """Return the name in a Host header, without the port."""
    return (urlsplit("//" + host).hostname or "").lower()

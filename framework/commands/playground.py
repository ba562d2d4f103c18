"""The command ``playground``: opens the page to build a network and watch every number."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from framework import Model
from framework.commands.options import add_accelerated, add_option, whole_number
from framework.errors import file_errors
from framework.playground.compiler import Compiler
from framework.playground.experiment import Given, given_points
from framework.playground.network import can_be_accelerated
from framework.playground.point_files import LARGEST_FILE, read_points
from framework.playground.points import Points
from framework.playground.server import HOST, LOOPBACK, PORT, Server
from framework.playground.session import Session


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "playground",
        help="build a network in the browser, and watch every number",
        description="Open a page to build a network, watch every number of it, go back, and take "
        "it along. Nothing leaves this machine.",
    )
    parser.set_defaults(command=playground)
    parser.add_argument("--data", metavar="FILE", help="a table: numbers, then the class or value")
    parser.add_argument("--model", metavar="FILE", help="a saved model, with --data")
    add_option(parser, "--host", HOST, "the address to listen on", metavar="NAME")
    add_option(parser, "--port", PORT, "or the next free one", type=whole_number(1, 65535))
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    add_accelerated(parser)


def playground(options: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    points = None if options.data is None else _read(options.data)
    if options.model is not None and points is None:
        raise ValueError("--model needs --data: the points that it is shown with")
    accelerated = can_be_accelerated() if options.accelerated is None else options.accelerated
    compiler = Compiler() if accelerated else None

    def make() -> Session:
        if options.model is None or points is None:
            return Session(own=points, compiler=compiler)
        return Session(given=_given(options.model, points))

    make()  # what does not fit is an error of the command
    server = Server(make, options.host, options.port)
    if server.port != options.port:
        print(f"port {options.port} is taken, so it is {server.port}", file=sys.stderr)
    if options.host not in LOOPBACK:
        print(
            f"warning: the page can be reached by others, at {options.host}: it has no password",
            file=sys.stderr,
        )
    print(f"playground at {server.address} (Ctrl-C ends it)", flush=True)
    server.run(show=not options.no_browser)
    return 0


def _read(name: str) -> Points:
    path = Path(name)
    with file_errors(path):
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError(f"a table can have up to {LARGEST_FILE:,} bytes")
        return read_points(path.read_bytes())


def _given(path: str, points: Points) -> Given:
    model = Model.load(path)
    found, y = given_points(model, points.X, points.y)
    if model.optimizer is None:
        raise ValueError(f"{path} has no optimizer: it cannot be trained on")
    return Given(model, y, found)

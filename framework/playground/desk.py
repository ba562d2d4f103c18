"""What the parts of a page share: the session, its pictures, and a way to do things with it."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

from nicegui import background_tasks, ui
from nicegui.element import Element

from framework.playground.drawings import Changes, Drawings
from framework.playground.experiment import Experiment
from framework.playground.session import Session
from framework.playground.sessions import Sessions

# What is said to whoever asked for something that is not possible.
REFUSALS = (ValueError, TypeError, ImportError, OSError)


class Drawing(Element, component="drawing.js"):
    """A picture as SVG, of which parts can be changed and chosen."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self._props.update(markup="", drawing=False)
        self._props["aria-label"], self._props["role"] = label, "group"
        self.classes("drawing w-full")

    def show(self, markup: str) -> None:
        """Replace the whole picture."""
        self._props["markup"] = markup
        self.update()

    def set_drawing(self, drawing: bool) -> None:
        """Let the pointer draw, or choose."""
        self._props["drawing"] = drawing
        self.update()

    def change(self, changes: Changes) -> None:
        """Change attributes of parts, of other pictures too; the attribute "text" is their text."""
        self.run_method("change", changes)


class Text(Drawing):
    """A text that changes with the pictures, as the part ``name``.

    Whatever else changes of a page makes the browser go through all of it.
    """

    def __init__(self, name: str, text: str = "") -> None:
        super().__init__(name)
        self._props.update(markup=f'<span id="{name}">{text}</span>', role="status")
        self._props["aria-live"] = "off"
        del self._props["aria-label"]
        self.classes(remove="w-full")


class Desk:
    """The base of a page.

    Attributes:
        session: what is shown. It is touched in the worker's thread alone: see ``do``.
        sessions: where it is kept.
        drawings: its pictures, as it was put together last.
        layers: what is above the columns of the diagram.
        diagram, map: the network, and the plane.
    """

    layers: ui.element
    diagram: Drawing
    map: Drawing
    message: ui.label

    def __init__(self, session: Session, sessions: Sessions) -> None:
        self.session, self.sessions = session, sessions
        self.drawings = Drawings(session)
        self.seen: Any = None
        self.structure = -1

    async def ask(self, function: Callable[[], Any]) -> Any:
        """Return the result of a function of the session, called in its thread."""
        future: Future[Any] = self.sessions.worker.ask(function)
        return await asyncio.wrap_future(future)

    async def picture(self, function: Callable[[], Any]) -> Any:
        """The same for what is only to be shown: everything else comes before it."""
        return await asyncio.wrap_future(self.sessions.worker.draw(function))

    async def aside(self, function: Callable[[Experiment], Any]) -> Any:
        """Return what a function makes of a copy of the experiment; it may take its time."""
        made = await self.ask(lambda: copy.deepcopy(self.session.experiment))
        return await asyncio.to_thread(function, made)

    async def do(self, function: Callable[[], Any]) -> bool:
        """Do something with the session. What is not possible is said, and changes nothing."""
        self.say("")
        try:
            await self.ask(function)
        except REFUSALS as error:
            self.say(str(error))
            self.seen, self.structure = None, -1  # the controls show what is
            return False
        return True

    def say(self, text: str) -> None:
        """Say what was not possible, where it is seen and read out."""
        self.message.set_text(text)
        self.message.set_visibility(bool(text))

    def in_background(self, work: Awaitable[Any]) -> None:
        """Let something go on while the page stays usable."""
        background_tasks.create(work, name="playground")

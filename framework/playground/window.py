"""The page of one window: it shows a session, and hands on what is done in it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from nicegui import ui

from framework.playground.controls import TimelineControls, TransportControls, taking_along
from framework.playground.data_controls import DataControls, PenControls
from framework.playground.desk import Desk, Drawing, Text
from framework.playground.drawings import COLUMN, Changes, Drawings
from framework.playground.link import decode
from framework.playground.network_controls import NetworkControls
from framework.playground.numbers_panel import NumbersPanel
from framework.playground.session import Session
from framework.playground.sessions import Sessions

REDRAW = 0.05  # seconds between looks at the session
AHEAD = 2  # pictures that are sent before the browser says that it has drawn them
GIVEN_UP = 2  # seconds after which a picture is no longer waited for
LEGEND_OF_NETWORK = (
    "Each picture is what a neuron computes over the plane: blue above 0, orange below. Each line "
    "is a weight, by sign and size. Click on one to see its numbers."
)
LEGEND_OF_MAP = (
    '<span class="dot round"></span>training <span class="dot"></span>test '
    '<span class="dot round rimmed"></span>predicted wrongly'
)
STYLE = Path(__file__).with_name("style.css").read_text(encoding="utf-8")


class Window(Desk):
    """The page of a session."""

    def __init__(self, session: Session, sessions: Sessions) -> None:
        super().__init__(session, sessions)
        self.sent: list[float] = []  # when pictures were sent that are not drawn yet
        self.looking = False
        self.stopped_by = ""
        self.build()
        self.timer = ui.timer(REDRAW, self.look)

    # Putting it together

    def build(self) -> None:
        """Lay out the page."""
        with ui.header().classes("bar"):
            ui.label("dinputs playground").classes("brand").props("role=heading aria-level=1")
            self.transport = TransportControls(self)
            ui.space()
            taking_along(self)
        self.message = ui.label().classes("message").props("role=alert")
        self.message.set_visibility(False)
        with ui.element("main").classes("rooms"):
            with ui.element("section").classes("room data").props('aria-label="Data"'):
                self.data = DataControls(self)
            with ui.element("section").classes("room network").props('aria-label="Network"'):
                self.network = NetworkControls(self)
                with (
                    ui.element("div").classes("scroll"),
                    ui.element("div").classes("wide") as self.wide,
                ):
                    self.layers = ui.element("div").classes("layers")
                    self.diagram = Drawing("the network")
                self.diagram.on("pick", lambda event: self.pick(event.args))
                ui.label(LEGEND_OF_NETWORK).classes("hint")
                self.timeline = TimelineControls(self)
            with ui.element("section").classes("room output").props('aria-label="Output"'):
                ui.label("Output").classes("title").props("role=heading aria-level=2")
                self.map = Drawing("predictions over the plane").classes("map")
                self.map.on("pick", lambda event: self.pick(event.args))
                self.map.on("drawn", self._drawn)
                self.map.on("places", lambda event: self.draw(event.args))
                ui.html(LEGEND_OF_MAP, sanitize=False).classes("hint")
                self.pen = PenControls(self)
                Text("figures").classes("figures")
                self.curves: dict[str, Drawing] = {}
                for kind in ("loss", "accuracy"):
                    with ui.row().classes("curve-title"):
                        Text(f"{kind}-scale", f"{kind}, from 0 to 1")
                        if kind == "loss":
                            ui.html(
                                '<span class="key solid"></span>training '
                                '<span class="key dashed"></span>test '
                                '<span class="key old"></span>before',
                                sanitize=False,
                            )
                    self.curves[kind] = Drawing(f"curves of the {kind}").classes("curve")
        self.numbers = NumbersPanel(self)

    # Looking at the session

    async def look(self) -> None:
        """Draw what has changed, unless the browser is still busy with the last pictures."""
        now = time.monotonic()
        self.sent = [since for since in self.sent if now - since < GIVEN_UP]
        if self.looking or len(self.sent) >= AHEAD or self.seen == self.state():
            return
        self.looking = True
        try:
            await self.redraw()
        finally:
            self.looking = False

    def state(self) -> tuple[Any, ...]:
        """Return what is another whenever there is something else to draw."""
        return self.session.version, self.session.pace

    async def redraw(self) -> None:
        """Draw the session as it is now."""
        whole, changes, facts = await self.picture(self._picture)
        if whole is not None:
            self.diagram.show(whole["diagram"])
            self.map.show(whole["map"])
            for kind, drawing in self.curves.items():
                drawing.show(whole[kind])
            count, left = max(4, len(self.drawings.columns)), self.drawings.left / COLUMN
            share = left / (left + count)
            self.wide.style(
                f"--columns: {count}; --left: {100 * share:.2f}%; min-width: "
                f"{(left + count) * 84:.0f}px; max-width: {(left + count) * 142:.0f}px"
            )
            self.data.show()
            self.network.show()
            self.pen.show()
        self.sent.append(time.monotonic())
        self.map.change(changes)
        self.show_facts(facts)

    def _picture(self) -> tuple[dict[str, str] | None, Changes, dict[str, Any]]:
        """Return the whole pictures if they are others, what has changed, and a few facts."""
        session, whole = self.session, None
        self.seen = self.state()
        if self.structure != session.structure:
            self.structure = session.structure
            self.drawings = Drawings(session)
            whole = {"diagram": self.drawings.diagram(), "map": self.drawings.map()}
            whole |= {kind: self.drawings.curves(kind) for kind in ("loss", "accuracy")}
        run, timeline = session.experiment.run, session.experiment.timeline
        facts = {
            "playing": session.playing,
            "message": session.message,
            "pace": session.pace,
            "epoch": 0 if run is None else run.epoch,
            "moments": 1 if timeline is None else len(timeline.moments),
            "position": None if timeline is None else timeline.position,
            "training": session.settings.training,
        }
        return whole, self.drawings.changes(), facts

    def show_facts(self, facts: dict[str, Any]) -> None:
        """Show the state of the training."""
        self.transport.show(facts)
        self.timeline.show(facts)
        self.network.show_rate(facts["training"])
        self.network.pace.set_text(facts["pace"])
        if facts["message"] != self.stopped_by:
            self.stopped_by = facts["message"]
            self.say(self.stopped_by)
        self.numbers.session_changed(facts["playing"])

    def _drawn(self) -> None:
        del self.sent[:1]

    # What is done in the pictures

    async def pick(self, part: str) -> None:
        """Open a folded column, or show how something came about."""
        kind, *places = part.split(":")
        if kind == "open":
            await self.do(lambda: self.session.open_column(int(places[0])))
        else:
            await self.numbers.choose(part)

    async def draw(self, places: list[list[float]]) -> None:
        """Draw or erase points at places of the map, as shares of its sides from the top left."""
        found = [(float(x), 1 - float(y)) for x, y in places]
        mode, target = self.pen.mode, self.pen.target()
        if mode == "erase":
            await self.do(lambda: self.session.erase(found))
        elif mode == "draw":
            await self.do(lambda: self.session.draw(found, target))


def add_page(sessions: Sessions) -> None:
    """Declare the page."""

    @ui.page("/", title="dinputs playground", response_timeout=20)
    async def page(setting: str = "", given: str = "") -> None:
        ui.add_css(STYLE)
        ui.colors(primary="#0b5c8f", secondary="#3f4a56", accent="#0b5c8f")
        client = ui.context.client
        await client.connected()
        window = str(client.tab_id) + given
        try:
            make = sessions.given.get(given)
            if given and make is None:
                raise ValueError("this model is not shown any longer")
            if setting:
                settings, own = decode(setting)
                made = sessions.make()
                make = lambda: Session(settings, own, compiler=made.compiler)  # noqa: E731
            session = sessions.opened(window, make)
        except ValueError as error:
            ui.label(str(error)).classes("message").props("role=alert")
            return
        client.on_disconnect(lambda: sessions.closed(window))
        Window(session, sessions)

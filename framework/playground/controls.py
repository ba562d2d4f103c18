"""The controls of the training: play, steps, speed, the timeline, and what is taken along."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from nicegui import ui

from framework.playground import exports
from framework.playground.desk import REFUSALS, Desk, Text
from framework.playground.experiment import Experiment
from framework.playground.link import encode
from framework.playground.script import MOST_WRITTEN, POINTS_FILE, points_file, script_of
from framework.playground.session import SLICE, SPEEDS

# While training goes on, the timeline follows so often.
SECONDS = 0.5
SLOW = ("model.onnx", "training.gif", "picture.png", "picture.svg")


def button(
    icon: str, label: str, on_click: Callable[..., Any], *, text: str = "", flat: bool = True
) -> ui.button:
    """Return a button with a label for those who do not see its icon."""
    made = ui.button(text, icon=icon or None, on_click=on_click)
    made.props(f'aria-label="{label}" no-caps dense {"flat" if flat else "unelevated"}')
    return made.tooltip(label)


def select(
    label: str, options: Any, value: Any, on_change: Callable[..., Any] | None = None
) -> ui.select:
    """Return a labelled choice."""
    made = ui.select(options, value=value, label=label, on_change=on_change)
    return made.props("dense outlined options-dense").classes("choice")


class TransportControls:
    """The buttons that train, how far it has come, and how fast it goes."""

    def __init__(self, desk: Desk) -> None:
        self.desk, session = desk, desk.session
        self.playing = False
        with ui.row().classes("transport"):
            same = lambda: desk.do(session.restart)  # noqa: E731
            button("replay", "start again from the same weights", same)
            new = lambda: desk.do(lambda: session.restart(new=True))  # noqa: E731
            button("casino", "start again from new weights", new)
            self.play = button("play_arrow", "play", self._play_or_pause, flat=False)
            self.play.props("round color=white text-color=primary").classes("play")
            button("arrow_right", "train on one batch", lambda: desk.do(session.one_batch))
            epoch = lambda: desk.do(lambda: session.one_epoch(SLICE))  # noqa: E731
            button("skip_next", "train one epoch", epoch)
            for one in list(ui.context.slot.children):
                if one is not self.play:
                    one.props("color=white")
        with ui.row().classes("count"):
            ui.label("epoch")
            Text("epoch", "0").classes("epoch")
            Text("batch").classes("batch")
        speed = select("speed", list(SPEEDS), session.speed, self._set_speed)
        speed.props("dark").classes("speed")

    def show(self, facts: dict[str, Any]) -> None:
        """Show whether it is playing."""
        if facts["playing"] != self.playing:
            self.playing = facts["playing"]
            self.play.props(f"icon={'pause' if self.playing else 'play_arrow'}")
            self.play.props(f'aria-label="{"pause" if self.playing else "play"}"')

    async def _play_or_pause(self) -> None:
        session = self.desk.session
        await self.desk.do(session.pause if session.playing else session.play)

    def _set_speed(self, event: Any) -> None:
        self.desk.session.speed = event.value


class TimelineControls:
    """The slider over the training so far."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.shown: tuple[int, int] = (-1, -1)
        self.shown_at = self.moved_at = 0.0
        with ui.row().classes("timeline"):
            ui.label("go back").classes("caption")
            self.slider = ui.slider(min=0, max=1, value=1, on_change=self._moved)
            self.slider.props('aria-label="go back in the training" label-always=false dense')
            self.text = ui.label("now").classes("caption moment")

    def show(self, facts: dict[str, Any]) -> None:
        """Show the present moment."""
        now, is_last = time.monotonic(), facts["position"] is None
        if facts["playing"] and now - self.shown_at < SECONDS:
            return
        self.shown_at = now
        last = facts["moments"] - 1
        position = last if is_last else facts["position"]
        # While it is moved, it is ahead of the session, and must not be set back.
        is_moved = now - self.moved_at < SECONDS
        if self.shown != (last, position) and not is_moved:
            self.shown = (last, position)
            self.slider.props(f"max={max(last, 1)}")
            self.slider.set_value(position)
        self.text.set_text("now" if is_last else f"epoch {facts['epoch']:,}")

    async def _moved(self, event: Any) -> None:
        position = int(event.value)
        if position == self.shown[1]:
            return
        self.shown, self.moved_at = (self.shown[0], position), time.monotonic()
        await self.desk.do(lambda: self.desk.session.go_to(position))


def taking_along(desk: Desk) -> None:
    """Add the menu of what can be taken along."""
    session = desk.session
    files: dict[str, tuple[str, Callable[[Experiment], bytes]]] = {
        "experiment.py": ("Python script", lambda one: script_of(one).encode()),
        "model.safetensors": ("model (safetensors)", exports.as_safetensors),
        "model.onnx": ("model (ONNX)", exports.as_onnx),
        "points.csv": ("points (CSV)", exports.points_as_csv),
        "picture.png": (
            "picture (PNG)",
            lambda one: exports.as_picture(one, session.shown, "png"),
        ),
        "picture.svg": (
            "picture (SVG)",
            lambda one: exports.as_picture(one, session.shown, "svg"),
        ),
        "training.gif": (
            "video of the training (GIF)",
            lambda one: exports.as_video(one, session.shown),
        ),
    }
    with (
        ui.button("take along", icon="download").props("flat no-caps dense color=white"),
        ui.menu(),
    ):
        for name, (text, make) in files.items():
            click = lambda name=name, make=make: _download(desk, name, make)  # noqa: E731
            ui.menu_item(text, click)
        ui.menu_item("link to this setting", lambda: _link(desk))


async def _download(desk: Desk, name: str, make: Callable[[Experiment], bytes]) -> None:
    own = desk.session.experiment.own
    desk.say("a moment …" if name in SLOW else "")
    try:
        content = await desk.aside(make)
    except REFUSALS as error:
        desk.say(str(error))
        return
    desk.say("")
    ui.download.content(content, name)
    if name == "experiment.py" and own is not None and len(own) > MOST_WRITTEN:
        ui.download.content(points_file(own), POINTS_FILE)


async def _link(desk: Desk) -> None:
    text = await desk.ask(lambda: encode(desk.session.settings, desk.session.experiment.own))
    ui.run_javascript(f"history.replaceState(null, '', '?setting={text}')")
    await asyncio.sleep(0.1)
    with ui.dialog() as dialog, ui.card():
        ui.label("This address opens the same setting, without weights:")
        address = f"{desk.sessions.address}/?setting={text}"
        ui.input("link", value=address).props("readonly outlined dense").classes("link")
        ui.button("close", on_click=dialog.close).props("flat no-caps")
    dialog.open()

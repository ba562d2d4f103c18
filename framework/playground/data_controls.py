"""The controls of the data: which points, a table of one's own, and the pen that draws points."""

from __future__ import annotations

import asyncio
from typing import Any

from nicegui import events, ui

from framework.playground.controls import button, select
from framework.playground.desk import REFUSALS, Desk
from framework.playground.features import FEATURES
from framework.playground.point_files import LARGEST_FILE, read_points
from framework.playground.sources import SOURCES
from framework.utils.figures import COLOURS

NAMES = {
    "spiral": "spiral", "circle": "circle", "xor": "exclusive or", "gaussian": "Gaussians",
    "moons": "moons", "bands": "vertical bands", "sine": "sine (values)", "plane": "plane (values)",
    "own": "points of your own",
}  # fmt: skip


class DataControls:
    """The column of the data."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.showing = False
        data = desk.session.settings.data
        ui.label("Data").classes("title").props("role=heading aria-level=2")
        change = self._change
        self.source = select("set", NAMES, data.source, lambda e: change(source=e.value))
        self.classes = select(
            "classes", [2, 3, 4, 5, 6], data.classes, lambda e: change(classes=e.value)
        )
        with ui.element("div").classes("w-full") as sliders:
            self.samples = self._slider(
                "points of each class", 10, 500, 10, data.samples, "samples"
            )
            self.noise = self._slider("noise", 0, 0.5, 0.01, data.noise, "noise")
        self.test = self._slider("tested on, percent", 0, 80, 5, data.test_percent, "test_percent")
        with ui.row().classes("line") as seeds:
            self.seed = ui.number("seed", value=data.seed, min=0, precision=0, step=1)
            self.seed.props("dense outlined").classes("choice seed")
            self.seed.on("change", lambda: change(seed=int(self.seed.value or 0)))
            button("refresh", "other points", lambda: change(seed=int(self.seed.value or 0) + 1))
        self.of_generated = (sliders, seeds)
        self.shown = ui.row().classes("line")
        with ui.expansion("a table of your own (CSV)").classes("table").props("dense"):
            ui.label("Each line: the numbers of a point, then its class or value.").classes("hint")
            self.target = select(
                "last column",
                {"auto": "by itself", "class": "class", "value": "value"},
                "auto",
            )
            upload = ui.upload(
                label="choose a file",
                auto_upload=True,
                max_file_size=LARGEST_FILE,
                on_upload=self._uploaded,
                on_rejected=lambda: desk.say("a table can have up to 20 MB"),
            )
            upload.props('accept=".csv,.tsv,.txt" flat bordered aria-label="a table of your own"')
        self.caption = ui.label("inputs of the network").classes("caption")
        with ui.element("div").classes("features") as self.features:
            self.boxes = {
                name: ui.checkbox(name, on_change=lambda e, name=name: self._toggle(name))
                for name in FEATURES
            }
            for box in self.boxes.values():
                box.props("dense")

    def show(self) -> None:
        """Show the present settings."""
        session, self.showing = self.desk.session, True
        data, points = session.settings.data, session.experiment.split.train
        generated = data.source != "own"
        self.source.set_value(data.source)
        self.classes.set_value(data.classes)
        self.classes.set_visibility(generated and SOURCES[data.source].takes_classes)
        self.samples.set_value(data.samples)
        self.noise.set_value(data.noise)
        for control in self.of_generated:
            control.set_visibility(generated)
        self.test.set_value(data.test_percent)
        self.seed.set_value(data.seed)
        in_plane = points.in_plane and session.experiment.given is None
        self.caption.set_visibility(in_plane)
        self.features.set_visibility(in_plane)
        for name, box in self.boxes.items():
            box.set_value(name in session.settings.network.features)
        self._show_columns()
        self.showing = False

    def _show_columns(self) -> None:
        points, session = self.desk.session.experiment.split.train, self.desk.session
        self.shown.clear()
        if points.X.shape[1] < 3:
            return
        names = dict(enumerate(points.columns))

        async def chosen(across: Any, up: Any) -> None:
            await self.desk.do(lambda: session.show_columns(across, up))

        with self.shown:
            x, y = session.shown
            select("across", names, x, lambda e: chosen(e.value, session.shown[1]))
            select("up", names, y, lambda e: chosen(session.shown[0], e.value))

    def _slider(
        self, label: str, low: float, high: float, step: float, value: float, name: str
    ) -> ui.slider:
        with ui.row().classes("caption"):
            ui.label(label)
            shown = ui.label()
        slider = ui.slider(min=low, max=high, step=step, value=value)
        slider.props(f'aria-label="{label}" dense')
        slider.on_value_change(lambda e: shown.set_text(f"{e.value:g}"))
        shown.set_text(f"{value:g}")
        kind = float if isinstance(value, float) else int
        slider.on("change", lambda e: self._change(**{name: kind(e.args)}))
        return slider

    async def _change(self, **changes: Any) -> None:
        data = self.desk.session.settings.data
        if self.showing or all(getattr(data, name) == new for name, new in changes.items()):
            return
        await self.desk.do(lambda: self.desk.session.change_data(**changes))

    async def _toggle(self, name: str) -> None:
        chosen = name in self.desk.session.settings.network.features
        if not self.showing and self.boxes[name].value != chosen:
            await self.desk.do(lambda: self.desk.session.toggle_feature(name))

    async def _uploaded(self, event: events.UploadEventArguments) -> None:
        desk, content, target = self.desk, await event.file.read(), str(self.target.value)
        event.sender.reset()  # type: ignore[attr-defined]
        try:
            points = await asyncio.to_thread(read_points, content, target)
        except REFUSALS as error:
            desk.say(str(error))
            return
        if await desk.do(lambda: desk.session.use_points(points)):
            names, width = points.class_names, points.X.shape[1]
            kind = "values" if names is None else f"{len(names)} classes"
            desk.say(
                f"{event.file.name}: {len(points):,} points, {width} "
                f"column{'s' * (width > 1)}, the last one taken for {kind}"
            )


class PenControls:
    """Whether the pointer shows numbers, draws points or erases them."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        with ui.row().classes("pen"):
            self.toggle = ui.toggle(
                {"look": "look", "draw": "draw", "erase": "erase"},
                value="look",
                on_change=self._changed,
            ).props('dense no-caps unelevated aria-label="what the pointer does"')
            self.row = ui.row().classes("swatches")
            button("delete_sweep", "remove all points", lambda: desk.do(desk.session.clear))
        self.colour = 0
        self.value: ui.number | None = None
        self.classes: tuple[str, ...] | None = ()

    @property
    def mode(self) -> str:
        """What the pointer does: "look", "draw" or "erase"."""
        return str(self.toggle.value)

    def target(self) -> float:
        """Return the class of points that are drawn, or their value."""
        if self.value is not None:
            return float(self.value.value or 0)
        return float(self.colour)

    def show(self) -> None:
        """Show the classes that can be drawn; one more than there are."""
        names = self.desk.session.experiment.split.train.class_names
        if names == self.classes:
            return
        self.classes = names
        self.row.clear()
        self.value = None
        with self.row:
            if names is None:
                self.value = ui.number("value", value=0, step=0.1).props("dense outlined")
                self.value.classes("choice seed")
                return
            for place in range(min(len(names) + 1, len(COLOURS))):
                name = names[place] if place < len(names) else "a new one"
                swatch = ui.button(on_click=lambda _, place=place: self._choose(place))
                swatch.props(f'round dense unelevated size=xs aria-label="draw class {name}"')
                swatch.style(f"background: {COLOURS[place]} !important")
                swatch.tooltip(f"class {name}")

    def _choose(self, place: int) -> None:
        self.colour = place
        self.toggle.set_value("draw")

    def _changed(self) -> None:
        self.desk.map.set_drawing(self.mode != "look")

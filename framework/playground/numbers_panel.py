"""The panel below the pictures: every number of what was chosen, a batch step by step, checks."""

from __future__ import annotations

import html
import time
from collections.abc import Callable

from nicegui import ui

from framework.inspection.diagnosis import diagnose
from framework.inspection.gradient_check import check_gradients
from framework.inspection.probe import probe_of
from framework.inspection.trace_text import Section, section_html
from framework.playground.controls import button
from framework.playground.desk import REFUSALS, Desk
from framework.playground.experiment import NO_POINTS, Experiment
from framework.playground.numbers import Numbers, Panel, Selection

# While training goes on, the numbers follow so often; a check of more parameters takes too long.
SECONDS = 0.5
MOST_CHECKED, CHECKED_SAMPLES = 5000, 8
HINT = "Choose a neuron, a weight, a point or the loss: its arithmetic appears here."


class NumbersPanel:
    """Tabs: the numbers of what was chosen; one batch, step by step; the gradients; the health."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.selection = Selection("loss")
        self.part = "loss"
        self.stage = 0
        self.showing = False
        self.shown_at, self.seen = 0.0, -1
        with ui.element("section").classes("numbers").props('aria-label="Every number"'):
            with ui.row().classes("numbers-bar"):
                ui.label("Every number").classes("title").props("role=heading aria-level=2")
                with ui.tabs().props("dense no-caps align=left inline-label") as self.tabs:
                    chosen = ui.tab("numbers")
                    step = ui.tab("step by step")
                    check = ui.tab("gradient check")
                    health = ui.tab("diagnosis")
                self.tabs.on_value_change(self._refresh)
            with ui.tab_panels(self.tabs, value=chosen).classes("panels").props("animated=false"):
                with ui.tab_panel(chosen):
                    self._build_choice()
                    self.text = ui.html(f'<p class="hint">{HINT}</p>', sanitize=False)
                with ui.tab_panel(step):
                    with ui.row().classes("line steps"):
                        button("chevron_left", "the step before", lambda: self._go(-1))
                        self.place = ui.label().classes("caption")
                        button("chevron_right", "the next step", lambda: self._go(1))
                    self.stages = ui.html("", sanitize=False)
                with ui.tab_panel(check):
                    ui.button(
                        "check the gradients of the whole network", on_click=self._check
                    ).props("no-caps outline")
                    self.report = ui.html("", sanitize=False)
                with ui.tab_panel(health):
                    ui.button("diagnose the network", on_click=self._diagnose).props(
                        "no-caps outline"
                    )
                    self.health = ui.html("", sanitize=False)

    def _build_choice(self) -> None:
        """Add the choice by keyboard: what, in which layer, which neuron, from where."""
        with ui.row().classes("line choose"):
            kinds = ["neuron", "weight", "point", "loss"]
            self.kind = ui.select(kinds, value="loss", label="what").props("dense outlined")
            self.fields = {
                name: ui.number(name, value=1, min=0, precision=0).props("dense outlined")
                for name in ("layer", "neuron", "from", "point")
            }
            for control in (self.kind, *self.fields.values()):
                control.classes("choice")
            self.kind.on_value_change(self._chosen_by_hand)
            for field in self.fields.values():
                field.on("change", self._chosen_by_hand)
        self._show_choice()

    async def choose(self, part: str) -> None:
        """Show what a part of the pictures names: "neuron:1:3" is the fourth of the first layer."""
        kind, *places = part.split(":")
        numbers = [int(place) for place in places]
        self.part = part
        if kind == "neuron":
            self.selection = Selection(kind, *numbers)
        elif kind == "weight":
            self.selection = Selection(kind, numbers[0], numbers[2], numbers[1])
        else:
            self.selection = Selection(kind, point=numbers[0] if numbers else 0)
        self._show_choice()
        self.desk.diagram.run_method("choose", part)
        self.desk.map.run_method("choose", part)
        self.tabs.set_value("numbers")
        await self._refresh()

    def session_changed(self, playing: bool) -> None:
        """Follow the training, but not with every picture."""
        if not playing or time.monotonic() - self.shown_at > SECONDS:
            self.desk.in_background(self._refresh())

    def _show_choice(self) -> None:
        """Let the fields say what was chosen, and take those that do not count away."""
        chosen, self.showing = self.selection, True
        self.kind.set_value(chosen.kind)
        values = {"layer": chosen.column, "neuron": chosen.neuron + 1, "from": chosen.before + 1}
        values["point"] = chosen.point + 1
        counts = {"neuron": ("layer", "neuron"), "weight": ("layer", "neuron", "from")}
        for name, field in self.fields.items():
            field.set_value(values[name])
            field.set_visibility(name in counts.get(chosen.kind, (chosen.kind,)))
        self.showing = False

    async def _chosen_by_hand(self) -> None:
        if self.showing:
            return
        layer, neuron, before, point = (int(one.value or 0) for one in self.fields.values())
        parts = {
            "neuron": f"neuron:{layer}:{max(neuron - 1, 0)}",
            "weight": f"weight:{max(layer, 1)}:{max(before - 1, 0)}:{max(neuron - 1, 0)}",
            "point": f"point:{max(point - 1, 0)}",
            "loss": "loss",
        }
        await self.choose(parts[str(self.kind.value)])

    async def _refresh(self) -> None:
        self.shown_at = time.monotonic()
        session, selection = self.desk.session, self.selection
        point = selection.point if selection.kind == "point" else None

        def look() -> tuple[Panel, list[Section]]:
            numbers = Numbers(session.experiment, point)
            return numbers.panel(selection), numbers.stages()

        try:
            look_up = self.desk.picture if session.playing else self.desk.ask
            panel, stages = await look_up(look)
        except (ValueError, IndexError, NotImplementedError) as error:
            self.text.set_content(f'<p class="hint">{html.escape(str(error))}</p>')
            return
        parts = [
            f"<h3>{html.escape(panel.title)}</h3><p class=hint>{html.escape(panel.remark)}</p>"
        ]
        parts += [_as_html(section) for section in panel.sections]
        self.text.set_content(f'<div class="sheet">{"".join(parts)}</div>')
        self.stage = min(self.stage, len(stages) - 1)
        self.place.set_text(f"{self.stage + 1} of {len(stages)}")
        self.stages.set_content(f'<div class="sheet">{_as_html(stages[self.stage])}</div>')

    async def _go(self, by: int) -> None:
        self.stage = max(0, self.stage + by)
        await self._refresh()

    async def _check(self) -> None:
        self.report.set_content('<p class="hint">checking …</p>')
        self.report.set_content(await self._said_by(_checked))

    async def _diagnose(self) -> None:
        self.health.set_content(await self._said_by(_diagnosed))

    async def _said_by(self, look: Callable[[Experiment], object]) -> str:
        try:
            text = repr(await self.desk.aside(look))
        except (*REFUSALS, NotImplementedError) as error:
            text = str(error)
        return f"<pre>{html.escape(text)}</pre>"


def _checked(experiment: Experiment) -> object:
    if experiment.run is None or experiment.model is None:
        raise ValueError(NO_POINTS)
    if len(experiment.model.parameters) > MOST_CHECKED:
        raise ValueError(
            f"{len(experiment.model.parameters):,} parameters take too long to check one by one, "
            f"up to {MOST_CHECKED:,} are possible"
        )
    X, y = experiment.run.next_batch()
    return check_gradients(probe_of(experiment.model), X[:CHECKED_SAMPLES], y[:CHECKED_SAMPLES])


def _diagnosed(experiment: Experiment) -> object:
    if experiment.run is None or experiment.model is None:
        raise ValueError(NO_POINTS)
    return diagnose(experiment.model, *experiment.run.next_batch())


def _as_html(section: Section) -> str:
    return f"<div class=part><h4>{html.escape(section.heading)}</h4>{section_html(section)}</div>"

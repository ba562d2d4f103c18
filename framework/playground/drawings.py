"""The pictures of the page as SVG: first whole, then only what has changed in them.

A changing picture is never replaced while training goes on, so that what has the focus keeps it.
Each part that changes has an id, each that can be chosen names itself in ``data-part``.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from framework.containers.last_pass import last_pass_kept
from framework.inspection.diagram import (
    NEGATIVE,
    POSITIVE,
    Column,
    columns_of,
    edges_between,
    heights,
    line_opacity,
    line_width,
)
from framework.playground.plane import Plane, background, curve, neuron_pictures, signed
from framework.playground.script import figures
from framework.playground.session import Session
from framework.utils.figures import COLOURS
from optimizers.arrays import Array

# The attributes of a part, by its id.
Changes = dict[str, dict[str, Any]]

COLUMN, TILE, PITCH, MARGIN = 120, 34, 40, 6
LETTER, LONGEST_NAME = 7, 20  # the width of a letter of a name, and how many are shown
SIDE = 400  # of the plane
WIDTH, HEIGHT = 400, 110  # of the curves
MOST_POINTS = 600
LONGEST_CURVE = 300
CURVES = {
    "loss": (("loss", COLOURS[0]), ("val_loss", COLOURS[5])),
    "accuracy": (("accuracy", COLOURS[0]), ("val_accuracy", COLOURS[5])),
}


class Drawings:
    """The three pictures of a session, as it is put together now."""

    def __init__(self, session: Session) -> None:
        self.session, experiment = session, session.experiment
        self.plane: Plane = session.plane
        model = experiment.model
        self.columns: list[Column] = (
            [] if model is None else columns_of(model, opened=session.opened)
        )
        self.edges = [
            [(edge.before, edge.after) for edge in edges_between(*pair)]
            for pair in zip(self.columns, self.columns[1:], strict=False)
        ]
        names = self.neuron_names(0) if self.columns else []
        longest = min(max(map(len, names), default=0), LONGEST_NAME)
        # What is left of the first column, for longer names than there is space for in it.
        self.left = max(0.0, LETTER * longest - (COLUMN - TILE) / 2)
        self.top = 1.0  # of the curves of the loss
        split = experiment.split
        self.points = split.train.and_points(split.test)
        step = max(1, -(-len(self.points) // MOST_POINTS))
        self.rows = range(0, len(self.points), step)
        self._last: Changes = {}

    # Whole

    def diagram(self) -> str:
        """Return the network: a picture for each neuron, a line for each weight."""
        if not self.columns:
            return _svg(COLUMN * 4, 200, "no network yet", [])
        most = max(column.places for column in self.columns)
        width, height = COLUMN * len(self.columns), most * PITCH + 2 * MARGIN
        parts: list[str] = []
        for place in range(1, len(self.columns)):
            parts += self._edges(place, height)
        for place, column in enumerate(self.columns):
            parts += self._neurons(place, column, height)
        label = "the network: its neurons and weights"
        return _svg(width + self.left, height, label, parts, left=self.left)

    def map(self) -> str:
        """Return the plane: what is predicted everywhere, and the points."""
        parts = [
            f'<rect width="{SIDE}" height="{SIDE}" fill="#f3f4f6"/>',
            f'<image id="background" width="{SIDE}" height="{SIDE}" preserveAspectRatio="none"/>',
            '<polyline id="prediction" fill="none" stroke-width="3" '
            f'stroke="{POSITIVE}" points=""/>',
        ]
        places = self._on_map(self.plane.places(self.points))
        trained = len(self.session.experiment.split.train)
        for row, colour in zip(self.rows, self._colours(), strict=True):
            x, y = places[row]
            shape = (
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"'
                if row < trained
                else f'<rect x="{x - 3.6:.1f}" y="{y - 3.6:.1f}" width="7.2" height="7.2"'
            )
            parts.append(
                f'{shape} id="p{row}" data-part="point:{row}" fill="{colour}" stroke="white" '
                'stroke-width="0.8"/>'
            )
        return _svg(SIDE, SIDE, "predictions over the plane, with the points", parts)

    def curves(self, kind: str) -> str:
        """Return the curves of "loss" or "accuracy", empty for now."""
        grid = [
            f'<line x1="0" x2="{WIDTH}" y1="{y}" y2="{y}" stroke="#e5e7eb"/>'
            for y in np.linspace(1, HEIGHT - 1, 4)
        ]
        old = [
            f'<polyline id="{kind}-old{place}" fill="none" stroke="#9ca3af" stroke-width="1.2" '
            'stroke-opacity="0.7" points=""/>'
            for place in range(5)
        ]
        lines = [
            f'<polyline id="{kind}-{name}" fill="none" stroke="{colour}" stroke-width="2" '
            f'stroke-dasharray="{"5 3" if name.startswith("val") else "none"}" points=""/>'
            for name, colour in CURVES[kind]
        ]
        now = f'<line id="{kind}-now" y1="0" y2="{HEIGHT}" stroke="#111827" stroke-opacity="0"/>'
        label = f"curves of the {kind}: training solid, test dashed"
        return _svg(WIDTH, HEIGHT, label, [*grid, *old, *lines, now], stretched=True)

    # What changes

    def changes(self) -> Changes:
        """Return what has changed in the pictures since it was asked for last."""
        found: Changes = {}
        if self.session.experiment.model is not None:
            self._change_network(found)
            self._change_map(found)
        self._change_curves(found)
        self._change_texts(found)
        before, self._last = self._last, found
        return {part: new for part, new in found.items() if before.get(part) != new}

    def _change_network(self, found: Changes) -> None:
        experiment = self.session.experiment
        for place, urls in enumerate(neuron_pictures(experiment, self.plane, self.columns)):
            for neuron, url in enumerate(urls):
                found[f"n{place}-{neuron}"] = {"href": url}
        for place, pairs in enumerate(self.edges, 1):
            weights = self.columns[place].weights
            if weights is None or not pairs:
                continue
            values = np.array([weights[pair] for pair in pairs])
            sizes = np.where(np.isfinite(values), np.abs(values), 0)
            strengths = sizes / (sizes.max() or 1)
            for (before, after), value, strength in zip(pairs, values, strengths, strict=True):
                found[f"w{place}-{before}-{after}"] = {
                    "stroke": POSITIVE if value > 0 else NEGATIVE,
                    "stroke-width": round(line_width(strength), 1),
                    "stroke-opacity": round(line_opacity(strength), 1),
                }

    def _change_map(self, found: Changes) -> None:
        experiment, model = self.session.experiment, self.session.experiment.model
        assert model is not None
        if len(self.plane.axes) == 1 and not self.points.has_classes:
            x, y = curve(experiment, self.plane)
            low, high = self.plane.low, self.plane.high
            places = self._on_map((np.column_stack([x, y]) - low) / (high - low))
            found["prediction"] = {"points": _path(places)}
            return
        found["background"] = {"href": background(experiment, self.plane)}
        if self.points.has_classes and len(self.rows):
            rows = list(self.rows)
            with last_pass_kept(model), np.errstate(all="ignore"):
                predicted = model.predict_classes(experiment.inputs_of(self.points.X[rows]))
            wrong = np.reshape(predicted, len(rows)) != self.points.y[rows]
            for row, is_wrong in zip(rows, wrong, strict=True):
                found[f"p{row}"] = {
                    "stroke": "#111827" if is_wrong else "white",
                    "stroke-width": 1.8 if is_wrong else 0.8,
                }

    def _change_curves(self, found: Changes) -> None:
        timeline, run = self.session.experiment.timeline, self.session.experiment.run
        if timeline is None or run is None:
            return
        for kind, lines in CURVES.items():
            names = [name for name, _ in lines]
            everything = [timeline.curves, *(branch.curves for branch in timeline.branches)]
            values = [np.asarray(one[name], float) for one in everything for name in names]
            epochs = max(max(map(len, values)), 2)
            finite = np.concatenate([*values, [0.0]])
            finite = finite[np.isfinite(finite)]
            top = 1.0 if kind == "accuracy" else float(np.quantile(finite, 0.99)) * 1.1 or 1.0
            self.top = top if kind == "loss" else self.top
            for name in names:
                shown = np.asarray(timeline.curves[name], float)
                found[f"{kind}-{name}"] = {"points": _curve(shown, epochs, top)}
            for place in range(5):
                old = (
                    timeline.branches[place].curves[names[0]]
                    if place < len(timeline.branches)
                    else []
                )
                found[f"{kind}-old{place}"] = {
                    "points": _curve(np.asarray(old, float), epochs, top)
                }
            x = WIDTH * max(0, run.epoch - 1) / (epochs - 1)
            opacity = 0 if timeline.position is None else 0.6
            found[f"{kind}-now"] = {"x1": round(x, 1), "x2": round(x, 1), "stroke-opacity": opacity}

    def _change_texts(self, found: Changes) -> None:
        run = self.session.experiment.run
        text = figures(self.session.experiment).replace("  ", " · ")
        found["figures"] = {"text": text.replace(" · test loss", "\ntest loss")}
        found["epoch"] = {"text": f"{0 if run is None else run.epoch:,}"}
        batch = "" if run is None or not run.batch else f"+ batch {run.batch} of {run.batches}"
        found["batch"] = {"text": batch}
        found["loss-scale"] = {"text": f"loss, from 0 to {self.top:.2g}"}

    # Parts of the diagram

    def _edges(self, place: int, height: float) -> Iterator[str]:
        before, after = self._heights(place - 1, height), self._heights(place, height)
        left, right = _x(place - 1) + TILE / 2, _x(place) - TILE / 2
        for i, j in self.edges[place - 1]:
            ends = f'x1="{left:g}" y1="{before[i]:g}" x2="{right:g}" y2="{after[j]:g}"'
            yield f'<line id="w{place}-{i}-{j}" {ends} pointer-events="none"/>'
            # A wide one that cannot be seen is easily hit.
            part = f"weight:{place}:{i}:{j}"
            yield f'<line {ends} stroke="transparent" stroke-width="7" data-part="{part}"/>'
        if not self.edges[place - 1]:
            yield (
                f'<line x1="{left:g}" y1="{height / 2:g}" x2="{right:g}" y2="{height / 2:g}" '
                'stroke="#9ca3af" stroke-dasharray="4 4"/>'
            )

    def _neurons(self, place: int, column: Column, height: float) -> Iterator[str]:
        names = self.neuron_names(place)
        for neuron, y in zip(column.shown, self._heights(place, height), strict=False):
            x = _x(place) - TILE / 2
            corner = f'x="{x:g}" y="{y - TILE / 2:g}" width="{TILE}" height="{TILE}"'
            label = html.escape(names[neuron], quote=True)
            yield (
                f'<g role="button" tabindex="0" aria-label="{label}" class="neuron" '
                f'data-part="neuron:{place}:{neuron}"><rect {corner} fill="white"/>'
                f'<image id="n{place}-{neuron}" {corner} preserveAspectRatio="none"/>'
                f'<rect {corner} rx="3" fill="none" class="frame"/></g>'
            )
            if not place:
                where = f'x="{x - 5:g}" y="{y + 4:g}" text-anchor="end"'
                name = names[neuron]
                short = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
                yield f'<text {where} class="name">{html.escape(short)}</text>'
        if column.folded:
            y = self._heights(place, height)[-1]
            label = f"show {column.folded} more neurons"
            yield (
                f'<g role="button" tabindex="0" aria-label="{label}" class="neuron" '
                f'data-part="open:{place}"><rect x="{_x(place) - TILE / 2 - 8:g}" '
                f'y="{y - 12:g}" width="{TILE + 16}" height="24" rx="12" class="more"/>'
                f'<text x="{_x(place):g}" y="{y + 4:g}" text-anchor="middle" class="name">'
                f"+ {column.folded:,}</text></g>"
            )

    def neuron_names(self, place: int) -> list[str]:
        """Return what the neurons of a column are called."""
        column, experiment = self.columns[place], self.session.experiment
        if not place:
            features = experiment.features
            known = len(features) == column.neurons
            return list(features) if known else [f"input {n + 1}" for n in range(column.neurons)]
        names = experiment.split.train.class_names
        if place == len(self.columns) - 1 and names is not None and len(names) == column.neurons:
            return [f"output neuron, class {name}" for name in names]
        where = "output" if place == len(self.columns) - 1 else f"layer {place}"
        return [f"neuron {n + 1} of {where}" for n in range(column.neurons)]

    def _heights(self, place: int, height: float) -> list[float]:
        most = max(column.places for column in self.columns)
        inner = height - 2 * MARGIN
        return [round(MARGIN + inner * at, 1) for at in heights(self.columns[place], most)]

    # Parts of the plane

    def _on_map(self, places: Array) -> Array:
        """Return the places on the map of shares of its sides."""
        return np.column_stack([SIDE * places[:, 0], SIDE * (1 - places[:, 1])])

    def _colours(self) -> list[str]:
        if self.points.has_classes:
            return [COLOURS[int(self.points.y[row]) % len(COLOURS)] for row in self.rows]
        if len(self.plane.axes) == 1:
            return [COLOURS[1]] * len(self.rows)
        largest = float(np.abs(self.points.y).max(initial=0)) or 1.0
        colours = signed(self.points.y[list(self.rows), 0], largest)
        return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in colours.tolist()]


def _svg(
    width: float,
    height: float,
    label: str,
    parts: Sequence[str],
    *,
    stretched: bool = False,
    left: float = 0.0,
) -> str:
    shape = 'preserveAspectRatio="none" ' if stretched else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-left:g} 0 {width:g} {height:g}" '
        f'{shape}role="group" aria-label="{html.escape(label, quote=True)}">{"".join(parts)}</svg>'
    )


def _x(place: int) -> float:
    return COLUMN * (place + 0.5)


def _curve(values: Array, epochs: int, top: float) -> str:
    if not len(values):
        return ""
    chosen = np.unique(np.linspace(0, len(values) - 1, LONGEST_CURVE).astype(int))
    chosen = chosen[np.isfinite(values[chosen])]
    x = WIDTH * chosen / (epochs - 1)
    y = 1 + (HEIGHT - 2) * (1 - np.clip(values[chosen] / top, 0, 1))
    return _path(np.column_stack([x, y]))


def _path(places: Array) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places[np.isfinite(places).all(axis=1)].tolist())

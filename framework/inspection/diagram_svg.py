"""The diagram of a network as SVG, for notebooks."""

from __future__ import annotations

import html
from collections.abc import Iterator

from framework.containers.sequential import Sequential
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

# Pixels between columns and between neurons, and for the names below a column.
COLUMN, NEURON, RADIUS, LINE = 110, 26, 9, 14


def network_svg(network: Sequential) -> str:
    """Return the neurons of a network and the weights between them: blue above 0, orange below.

    Raises ValueError if its operations do not fit each other.
    """
    columns = columns_of(network)
    most = max(column.places for column in columns)
    width, height = COLUMN * len(columns), NEURON * most + 10
    names = LINE * max(len(column.names) for column in columns) + LINE
    ys = [[height * at for at in heights(column, most)] for column in columns]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height + names}" '
        f'viewBox="0 0 {width} {height + names}" role="img" aria-label="diagram of the network" '
        'font-family="sans-serif" font-size="11" text-anchor="middle">'
    ]
    for place in range(1, len(columns)):
        parts += _edges(columns, ys, place)
    for place, column in enumerate(columns):
        parts += _neurons(column, _x(place), ys[place])
        parts += _names(column, _x(place), height)
    return "".join([*parts, "</svg>"])


def _x(place: int) -> float:
    return COLUMN * (place + 0.5)


def _edges(columns: list[Column], ys: list[list[float]], place: int) -> Iterator[str]:
    left, right = _x(place - 1) + RADIUS, _x(place) - RADIUS
    for before, after, weight, strength in edges_between(columns[place - 1], columns[place]):
        colour = POSITIVE if weight > 0 else NEGATIVE
        start, end = ys[place - 1][before], ys[place][after]
        yield (
            f'<line x1="{left:g}" y1="{start:.1f}" x2="{right:g}" y2="{end:.1f}" '
            f'stroke="{colour}" stroke-width="{line_width(strength):.2f}" '
            f'stroke-opacity="{line_opacity(strength):.2f}"/>'
        )
    if columns[place].weights is None:
        middle = (min(ys[place - 1]) + max(ys[place - 1])) / 2
        yield (
            f'<line x1="{left:g}" y1="{middle:.1f}" x2="{right:g}" y2="{middle:.1f}" '
            'stroke="#999999" stroke-dasharray="3 3"/>'
        )


def _neurons(column: Column, x: float, ys: list[float]) -> Iterator[str]:
    for y in ys[: len(column.shown)]:
        yield (
            f'<circle cx="{x:g}" cy="{y:.1f}" r="{RADIUS}" fill="white" stroke="#555555" '
            'stroke-width="1.2"/>'
        )
    if column.folded:
        yield f'<text x="{x:g}" y="{ys[-1] + 4:.1f}" fill="#555555">+ {column.folded:,}</text>'


def _names(column: Column, x: float, height: float) -> Iterator[str]:
    sizes = "…" if column.shape is None else " × ".join(map(str, column.shape))
    for row, text in enumerate([sizes, *column.names], 1):
        weight = ' font-weight="bold"' if row == 1 else ""
        yield f'<text x="{x:g}" y="{height + LINE * row - 2:g}"{weight}>{html.escape(text)}</text>'

"""A table of a network's operations: as text, and as HTML with the diagram of the network."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from framework.containers.container import Container, leaves, numbered
from framework.containers.residual import Residual
from framework.containers.sequential import Sequential
from framework.containers.shapes import shapes_along, text_of_shape
from framework.inspection.diagram_svg import network_svg
from framework.operation import Shape, describe
from optimizers.optimizer import parameter_names, trained_names


def summary(network: Sequential) -> str:
    """Return a line for each operation: its output shape and its number of parameters.

    One is marked whose parameters are frozen (see ``Operation.trainable``).
    The operations of a ``Sequential`` or a ``Residual`` follow it, indented. Shapes follow from
    the sizes of the operations, from the data last seen (``network.input_shape``), and from the
    ``output_shape`` of one's own operations.
    """
    rows = list(_rows(network.layers, getattr(network, "input_shape", None)))
    names, shapes, counts = zip(*rows, strict=True) if rows else ((), (), ())
    total = _count(network.layers)
    widths = [max(map(len, column)) for column in (["Operation", *names], ["Output", *shapes])]
    rule = "-" * (sum(widths) + 16)
    lines = [f"{'Operation':{widths[0]}}  {'Output':{widths[1]}}  {'Parameters':>12}", rule]
    for name, shape, count in zip(names, shapes, counts, strict=True):
        lines.append(f"{name:{widths[0]}}  {shape:{widths[1]}}  {count:12,}")
    lines += [rule, f"{'Total':{widths[0]}}  {'':{widths[1]}}  {total:12,}"]
    if frozen := _count(network.layers, frozen_only=True):
        lines.append(f"{'Frozen':{widths[0]}}  {'':{widths[1]}}  {frozen:12,}")
    return "\n".join(lines)


def summary_html(network: Sequential) -> str | None:
    """Return the table of ``summary`` with the diagram of the network beside it, for a notebook.

    None where operations do not fit each other, so that there is no diagram of them.
    """
    try:
        diagram = network_svg(network)
        rows = list(_rows(network.layers, getattr(network, "input_shape", None)))
    except ValueError:
        return None
    total = _count(network.layers)
    body = "".join(
        f'<tr><td style="text-align: left; white-space: pre">{html.escape(name)}</td>'
        f"<td>{html.escape(shape)}</td><td>{count:,}</td></tr>"
        for name, shape, count in rows
    )
    return (
        '<div style="display: flex; flex-wrap: wrap; gap: 2em; align-items: center">'
        "<table><thead><tr><th>Operation</th><th>Output</th><th>Parameters</th></tr></thead>"
        f"<tbody>{body}</tbody><tfoot><tr><th>Total</th><th></th><th>{total:,}</th></tr></tfoot>"
        f"</table><div>{diagram}</div></div>"
    )


def _rows(
    operations: Sequence[Any], input_shape: Shape, indent: str = ""
) -> Iterator[tuple[str, str, int]]:
    received = input_shape
    shapes = shapes_along(operations, input_shape, lambda: "these are the data")
    for operation, shape in zip(operations, shapes, strict=True):
        name = type(operation).__name__ if isinstance(operation, Container) else describe(operation)
        name += " (frozen)" if _is_frozen(operation) else ""
        yield indent + name, text_of_shape(shape), _count([operation])
        if isinstance(operation, Sequential):
            yield from _rows(operation.layers, received, indent + "  ")
        elif isinstance(operation, Residual):
            yield from _rows(operation.operations, received, indent + "  ")
            if operation.shortcut:
                yield f"{indent}  shortcut", text_of_shape(shape), _count(operation.shortcut)
                yield from _rows(operation.shortcut, received, indent + "    ")
        received = shape


def _count(operations: Iterable[Any], *, frozen_only: bool = False) -> int:
    """How many parameters ``operations`` have, those of the operations inside them included."""
    return sum(
        np.size(getattr(leaf, name))
        for _, leaf in leaves(numbered(operations))
        for name in parameter_names(leaf)
        if _is_frozen(leaf) or not frozen_only
    )


def _is_frozen(operation: Any) -> bool:
    """Whether ``operation`` has parameters, and all of them are frozen."""
    owners = [leaf for _, leaf in leaves(numbered([operation])) if parameter_names(leaf)]
    return bool(owners) and not any(map(trained_names, owners))

"""Colours and new axes for pictures. matplotlib is imported when a picture is drawn."""

from typing import TYPE_CHECKING, Any

from framework.utils.display import show_in_the_end
from optimizers.arrays import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, which people with any colour vision can tell apart.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999")
WRONG = COLOURS[5]
# A character is about this wide, in its size.
CHARACTER = 0.62


def new_axes(ax: "Axes | None") -> "Axes":
    """Return ``ax``, or the axes of a new figure."""
    if ax is None:
        import matplotlib.pyplot as plt

        figure, ax = plt.subplots(layout="constrained")
        show_in_the_end(figure)
    return ax


def new_grid(figure: Any, rows: int, columns: int, width: float, height: float) -> Array:
    """Return ``rows`` by ``columns`` axes without ticks, each of that size in inches if new."""
    if figure is None:
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=(width * columns, height * rows), layout="constrained")
        show_in_the_end(figure)
    grid: Array = figure.subplots(rows, columns, squeeze=False)
    for ax in grid.flat:
        ax.set(xticks=[], yticks=[])
    return grid


def room(ax: "Axes") -> tuple[float, float]:
    """The width and height of ``ax`` in points, as they are before texts are laid out."""
    box = ax.get_window_extent()
    points = 72 / ax.figure.dpi
    return box.width * points, box.height * points

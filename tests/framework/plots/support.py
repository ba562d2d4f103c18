"""Reading pictures."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

Data = tuple[np.ndarray, np.ndarray]


def curves(ax: Axes) -> dict[str, np.ndarray]:
    return {
        line.get_label(): line.get_xydata().T for line in ax.lines if line.get_label()[0] != "_"
    }


def overlap(texts: list[Any]) -> bool:
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    return any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])

"""Which value of a metric is better: for callbacks that watch a list of ``History``."""

from __future__ import annotations

import math

from framework.metrics.metric import VALIDATION, mode_of
from framework.training.history import History
from framework.training.state import Training

MODES = ("min", "max")


def check_mode(mode: str | None) -> str | None:
    """Return ``mode``. Raises ValueError unless it is "min", "max" or None."""
    if mode is not None and mode not in MODES:
        raise ValueError(f"mode must be 'min', 'max' or None, received {mode!r}")
    return mode


def chosen_mode(training: Training, monitor: str, mode: str | None) -> str:
    """Return ``mode`` or, for None, the one that suits the metric ``monitor``.

    Accuracies and the scores of ``framework.metrics`` should grow; losses and the errors there
    should shrink.

    Raises ValueError for None and a metric of the user's own.
    """
    if mode is not None:
        return mode
    metric = training.model.metrics.get(monitor.removeprefix(VALIDATION))
    known = None if metric is None else mode_of(metric)
    if known is not None:
        return known
    if "accuracy" in monitor:
        return "max"
    if metric is not None:
        raise ValueError(
            f"whether {monitor!r} should grow or shrink is not known: say mode='max' or mode='min'"
        )
    return "min"


def check_monitor(training: Training, callback: str, monitor: str) -> None:
    """Raise ValueError, naming the class ``callback``, for a metric that is not recorded."""
    available = training.metrics()
    if monitor not in available:
        raise ValueError(
            f"{callback} cannot monitor {monitor!r}: this training records {', '.join(available)}"
        )


def latest(history: History, monitor: str) -> float:
    """Return the value of the metric ``monitor`` in the last epoch."""
    values: list[float] = getattr(history, monitor)
    return values[-1]


def is_better(value: float, best: float | None, mode: str, min_delta: float = 0.0) -> bool:
    """Whether ``value`` is better than ``best``, which may be None, by more than ``min_delta``.

    NaN is never better.
    """
    if math.isnan(value):
        return False
    if best is None or math.isnan(best):
        return True
    gain = value - best if mode == "max" else best - value
    return gain > min_delta

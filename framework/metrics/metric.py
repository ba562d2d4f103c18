"""What a metric is given, how it is named, and whether it should grow."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from framework.metrics import classification, ranking, regression
from optimizers.arrays import Array

# A function of the outputs and the targets of all samples.
Metric: TypeAlias = Callable[..., Any]

GROWING: tuple[Metric, ...] = (
    classification.precision,
    classification.recall,
    classification.f1,
    ranking.roc_auc,
    ranking.top_k,
    regression.r2,
)
SHRINKING: tuple[Metric, ...] = (
    regression.mean_absolute_error,
    regression.mean_squared_error,
    regression.root_mean_squared_error,
)

VALIDATION = "val_"
# The names in a ``History`` that are not those of metrics.
TAKEN = (
    *("epoch", "loss", "data_loss", "regularization_loss", "accuracy", "learning_rate", "seconds"),
    *("stopped", "metrics", "names", "plot", "to_csv", "to_dict"),
)


def check_metrics(metrics: Any) -> dict[str, Metric]:
    """Return ``metrics`` as a dictionary of functions by name.

    Raises:
        TypeError: it is no such dictionary.
        ValueError: a name that is no identifier, begins with ``val_``, or has another meaning.
    """
    if not isinstance(metrics, Mapping):
        raise TypeError(
            f'metrics must be functions by name, such as {{"f1": f1}}, received {metrics!r}'
        )
    for name, metric in metrics.items():
        if not callable(metric) or isinstance(metric, type):
            raise TypeError(
                f"the metric {name!r} must be a function (outputs, targets) -> number, received "
                f"{metric!r}"
            )
        if not isinstance(name, str) or not name.isidentifier() or name.startswith("_"):
            raise ValueError(
                f"a metric's name must be letters, digits and _, such as 'f1', received {name!r}"
            )
        if name in TAKEN or name.startswith(VALIDATION):
            raise ValueError(
                f"a metric cannot be called {name!r}, which has a meaning of its own in History"
            )
    return dict(metrics)


def is_built_in(metric: Metric) -> bool:
    """Whether ``metric`` is a function of ``framework.metrics``, also with arguments of its own."""
    return function_of(metric) in (*GROWING, *SHRINKING)


def function_of(metric: Metric) -> Metric:
    """Return the function that ``metric``, perhaps a ``functools.partial`` of it, calls."""
    return metric.func if isinstance(metric, partial) else metric


def mode_of(metric: Metric) -> str | None:
    """Return "max" for a metric that should grow, "min" for others; None for one of your own."""
    if not is_built_in(metric):
        return None
    return "max" if function_of(metric) in GROWING else "min"


def measured(
    metrics: Mapping[str, Metric],
    outputs: Array,
    targets: Array,
    sample_weight: Array | None,
    known: Mapping[str, Any],
) -> dict[str, float]:
    """Return the number that each of ``metrics`` gives for all samples.

    Weights are given, as ``sample_weight``, to metrics that have an argument of this name. What is
    ``known`` of the outputs is given to metrics of this library that have such arguments, unless
    they have been given one already.

    Raises TypeError for a metric that returns no number, and any error of a metric.
    """
    found = {}
    for name, metric in metrics.items():
        options = {}
        taken = _arguments(metric)
        if sample_weight is not None and "sample_weight" in taken:
            options["sample_weight"] = sample_weight
        if is_built_in(metric):
            given = metric.keywords if isinstance(metric, partial) else {}
            options |= {name: known[name] for name in known if name in taken and name not in given}
        value = metric(outputs, targets, **options)
        if np.ndim(value) or not isinstance(value, (int, float, np.number, np.bool_, np.ndarray)):
            raise TypeError(f"the metric {name!r} must return a number, received {value!r}")
        found[name] = float(value)
    return found


def _arguments(metric: Metric) -> Collection[str]:
    """Return the names of the arguments of ``metric``."""
    try:
        return inspect.signature(metric).parameters
    except ValueError:  # a function written in C
        return ()

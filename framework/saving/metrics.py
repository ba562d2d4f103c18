"""The metrics of a model in a file.

    {"f1": {"function": "framework.metrics.f1"},
     "top2": {"partial": {"function": "framework.metrics.top_k"}, "arguments": {"dict": {"k": 2}}}}

A function of this library has the name by which users import it. One of the user's own, or an
object that is called, is saved as every other object of the user's own: see ``serialization.py``.
What cannot be saved so, such as a lambda, is null. Predicting needs no metrics, so those that a
file cannot give back are left behind.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any

from framework.metrics.metric import GROWING, SHRINKING, Metric, function_of, is_built_in
from framework.saving.serialization import Deserializer, Serializer

BUILT_IN: dict[str, Metric] = {
    f"framework.metrics.{metric.__name__}": metric for metric in (*GROWING, *SHRINKING)
}


def serialize_metrics(metrics: Mapping[str, Metric], serializer: Serializer) -> dict[str, Any]:
    """Return ``metrics`` as JSON."""
    found: dict[str, Any] = {}
    for name, metric in metrics.items():
        arrays, custom = dict(serializer.arrays), dict(serializer.custom)
        try:
            found[name] = _serialize(metric, f"metrics.{name}", serializer)
        except TypeError:
            serializer.arrays, serializer.custom = arrays, custom  # without what a part has added
            found[name] = None
    return found


def deserialize_metrics(
    serialized: Any, deserializer: Deserializer, given: Mapping[str, Metric]
) -> tuple[dict[str, Metric], list[str]]:
    """Return the metrics of ``serialize_metrics``, and the names of those that are left behind.

    ``given`` are metrics of the user's own, which take the place of those of the same names.

    Raises errors of many types for other JSON.
    """
    found, left_behind = dict(given), []
    for name, value in serialized.items():
        if name in given or not _is_known(value, deserializer):
            deserializer.pass_over(f"metrics.{name}")
            left_behind += [name] if name not in given else []
        else:
            found[name] = _deserialize(value, deserializer)
    return found, left_behind


def _is_known(value: Any, deserializer: Deserializer) -> bool:
    """Whether a metric can be made from ``value``; also if it is no JSON of one, which raises."""
    match value:
        case None:
            return False
        case {"partial": inner}:
            return _is_known(inner, deserializer)
        case {"function": str(name)} | {"class": str(name)}:
            return "." in name or deserializer.has(name)
    return True


def _serialize(metric: Metric, name: str, serializer: Serializer) -> dict[str, Any]:
    function = function_of(metric)
    found = (
        serializer.serialize(function, name)
        if not is_built_in(metric)
        else {"function": f"framework.metrics.{function.__name__}"}
    )
    if isinstance(metric, partial):
        if metric.args:
            raise TypeError(f"{name}: {metric!r} cannot be saved: give its arguments by name")
        arguments = serializer.serialize(dict(metric.keywords), name)
        found = {"partial": found, "arguments": arguments}
    return found


def _deserialize(value: Any, deserializer: Deserializer) -> Metric:
    match value:
        case {"partial": inner, "arguments": arguments} if len(value) == 2:
            function, keywords = (
                _deserialize(inner, deserializer),
                deserializer.deserialize(arguments),
            )
            inspect.signature(function).bind_partial(None, None, **keywords)
            return partial(function, **keywords)
        case {"function": str(name)} if name in BUILT_IN and len(value) == 1:
            return BUILT_IN[name]
        case {"class": _}:
            cls, arguments = deserializer.class_and_arguments(value, object)
            return cls(**arguments)
    return deserializer.deserialize(value)

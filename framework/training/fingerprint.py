"""Fingerprints of data and model: whether a training continues the one of a checkpoint.

A fingerprint is made when training begins, written into every checkpoint, and compared when
training is resumed. Arrays are identified by a hash, a model by its serialized form.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np

from framework.containers.supervised import Supervised
from framework.data.batches import ArrayBatches, BatchStream
from framework.saving import model_file
from framework.training.state import Training
from framework.utils.memory_maps import release_pages
from optimizers.arrays import Array


def array_fingerprint(array: Array, rows_at_once: int = 4096) -> str:
    """Return a hash of an array's dtype, shape and values, reading a few rows at a time."""
    digest = hashlib.sha256(f"{array.dtype} {array.shape}".encode())
    array = np.atleast_1d(array)
    for start in range(0, len(array), rows_at_once):
        digest.update(array[start : start + rows_at_once].tobytes())
        release_pages(array)
    return digest.hexdigest()


def data_fingerprint(training: Training) -> dict[str, str]:
    """Return the fingerprints of the training and validation arrays, by name.

    Of a ``BatchStream`` it has dtypes and shapes only, since the first batch may be another each
    time.
    """
    found = {}
    for source, suffix in (
        (training.data, ""),
        (training.validation, " of the validation data"),
    ):
        for attribute in ("X", "y", "sample_weight", "rows"):
            if isinstance(source, BatchStream):
                array = getattr(source.first.source, attribute)
                text = "none" if array is None else f"{array.dtype} {array.shape}"
            else:
                array = getattr(source, attribute, None)
                text = "none" if array is None else array_fingerprint(array)
            found[attribute + suffix] = text
    return found


def settings_of(training: Training) -> dict[str, Any]:
    """Return everything about the batches that must be the same in a resumed training."""
    data = training.data
    settings: dict[str, Any] = {
        "number of ranks with data of their own (sharded=True)": training.shards,
        "batch_size": data.batch_size,
    }
    if isinstance(data, ArrayBatches):
        settings |= {"number of samples": len(data.rows), "shuffle": data.shuffle}
    return {**settings, **training.data_fingerprint}


def check_settings(saved: dict[str, Any], training: Training) -> None:
    """Raise ValueError if ``training`` has other settings than ``saved``, naming the first."""
    settings = settings_of(training)
    if ("shuffle" in settings) != ("shuffle" in saved):
        there, here = "batches that were given", "the arrays X and y"
        if "shuffle" not in settings:
            there, here = here, there
        raise ValueError(f"its training was on {there}, and this one is on {here}")
    for name, value in settings.items():
        found = saved[name]
        if found != value:
            shown = "" if isinstance(value, str) else f": {found!r} there, {value!r} here"
            raise ValueError(f"its training was with another {name}{shown}")


def model_fingerprint(model: Supervised) -> dict[str, Any]:
    """Return the serialized form of ``model``, and hashes of its arrays except the parameters."""
    serialized, arrays = model_file.serialize_model(model)
    names = arrays.keys() - model_file.state_dict(model).keys()
    hashes = {name: array_fingerprint(arrays[name]) for name in sorted(names)}
    # Through JSON, like the one in a file: with lists for tuples.
    found: dict[str, Any] = json.loads(json.dumps({**serialized, "arrays": hashes}))
    return found


def saved_model_fingerprint(serialized: dict[str, Any], arrays: dict[str, Array]) -> dict[str, Any]:
    """Return the ``model_fingerprint`` of the model in a checkpoint, as training left it."""
    names = [name for name in arrays if not name.startswith(("layers.", "training."))]
    return {**serialized, "arrays": {name: array_fingerprint(arrays[name]) for name in names}}


def difference(saved: dict[str, Any], current: dict[str, Any]) -> str | None:
    """Describe the first difference between two model fingerprints; None if there is none."""
    for name in ("dtype", *model_file.PARTS):
        if saved[name] != current[name]:
            return (
                f"its model has another {name}: {as_text(saved[name])} there, "
                f"{as_text(current[name])} here"
            )
    if saved.get("frozen") != current.get("frozen"):
        return "its model has other operations that are frozen"
    theirs, ours = saved.get("metrics", {}), current.get("metrics", {})
    if theirs != ours:
        names = (", ".join(metrics) or "none" for metrics in (theirs, ours))
        return "its model has other metrics: {} there, {} here".format(*names)
    theirs, ours = saved["operations"], current["operations"]
    if len(theirs) != len(ours):
        return f"its model has {len(theirs)} operations, and this one {len(ours)}"
    for position, (one, other) in enumerate(zip(theirs, ours, strict=True), 1):
        if one != other:
            return (
                f"operation {position} of its model is {as_text(one)}, and here it is "
                f"{as_text(other)}"
            )
    for name, fingerprint in current["arrays"].items():
        if saved["arrays"].get(name) != fingerprint:
            return f"its model has another array {name}"
    return None


def as_text(value: Any) -> str:
    """Return a serialized value as a Python expression."""
    if not isinstance(value, dict) or "class" not in value:
        return repr(value)
    arguments = ", ".join(f"{name}={as_text(item)}" for name, item in value["arguments"].items())
    return f"{value['class'].rpartition('.')[2]}({arguments})"

"""Checks that all ranks were given the same training; agrees on values that shards differ in."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from framework.accuracies.accuracy import Accuracy
from framework.data.batches import ArrayBatches, Batches, BatchStream
from framework.data.class_weights import weighed_by_class
from framework.operation import describe
from framework.saving.file_format import checksum
from framework.saving.model_file import PARTS
from framework.saving.serialization import Serializer
from framework.training.arguments import TrainingArguments
from framework.training.distributed.communicator import Communicator
from framework.training.state import Training
from optimizers.arrays import Array


class Fact(NamedTuple):
    """A fact that must be the same on every rank: as text, with a checksum of details."""

    text: str
    checksum: str = ""


def check_alike(
    communicator: Communicator, training: Training, arguments: TrainingArguments
) -> None:
    """Raise ValueError on every rank if one has another training than rank 0."""
    with communicator.agreement():
        facts = dict(_facts(training, arguments))
    found = communicator.all_gather(facts)
    for rank, theirs in enumerate(found):
        for name, first in found[0].items():
            if theirs.get(name) != first:
                raise communicator.agreed(
                    ValueError(
                        f"{communicator.name(rank)} has another {name}, {theirs[name].text}, than "
                        f"rank 0, {first.text}: every rank must be given the same (with "
                        "sharded=True, data of its own)"
                    )
                )


def agree_on_shards(
    communicator: Communicator, training: Training, arguments: TrainingArguments
) -> None:
    """Agree on everything that depends on data which differ from rank to rank."""
    data, validation = training.data, training.validation
    class_weight = arguments.data.class_weight
    if isinstance(data, BatchStream):
        counts = communicator.all_gather(data.batches_per_epoch)
        training.batches = None if None in counts else max(counts)
    else:
        _scale_alike(communicator, data.sample_weight, arguments.data.sample_weight)
        if class_weight is not None:
            data = weighed_by_class(training.model, data, class_weight, communicator.all_reduce)
            training.data = data
        total = sum(communicator.all_gather(len(data.rows)))
        training.batches = math.ceil(total / (arguments.data.batch_size or total))
    given: Any = arguments.data.validation_data
    if given is not None and isinstance(validation, ArrayBatches):
        _scale_alike(communicator, validation.sample_weight, given[-1])
    accuracy = training.model.accuracy
    if isinstance(accuracy, Accuracy):
        # Each rank's accuracy has learned from its own targets.
        vars(accuracy).update(communicator.broadcast(vars(accuracy)))


def _scale_alike(
    communicator: Communicator, sample_weight: Array | None, given: ArrayLike | None
) -> None:
    """Scale checked weights, whose largest is 1 on each rank, as all ranks' weights together."""
    if sample_weight is not None and given is not None:
        largest = float(np.max(given))
        sample_weight *= largest / max(communicator.all_gather(largest))


def _facts(training: Training, arguments: TrainingArguments) -> Iterator[tuple[str, Fact]]:
    """Yield by name the facts that all ranks have in common; later names depend on earlier ones."""
    model, data, validation = training.model, training.data, training.validation
    first = data.first.source if isinstance(data, BatchStream) else data
    facts: dict[str, Any] = {
        "value of sharded": arguments.sharded,
        "number of epochs": training.epochs,
        "batch_size": arguments.data.batch_size,
        "value of shuffle": arguments.data.shuffle,
        "class_weight": arguments.data.class_weight,
        "kind of training data": _kind(data),
        "kind of validation data": _kind(validation),
        "number of operations": len(model.layers),
    }
    yield from ((name, Fact(str(value))) for name, value in facts.items())
    for position, layer in enumerate(model.layers, 1):
        yield f"operation {position}", _fact_of_part(layer)
    for part in PARTS:
        yield part, _fact_of_part(getattr(model, part))
    metrics = [f"{name}={_text(metric)}" for name, metric in model.metrics.items()]
    facts = {
        "set of metrics": ", ".join(metrics) or "none",
        "number of parameters": len(model.parameters),
        "dtype": model.dtype.name,
        "shape of a sample": data.sample.shape,
    }
    if validation is not None:
        facts["shape of a validation sample"] = validation.sample.shape
    if not arguments.sharded:
        facts |= {
            "number of samples": len(first.rows),
            "checksum of X": _checksum(first.X),
            "checksum of y": _checksum(first.y),
        }
        if isinstance(validation, ArrayBatches):
            facts["number of validation samples"] = len(validation.rows)
    yield from ((name, Fact(str(value))) for name, value in facts.items())


def _kind(source: Batches | None) -> str:
    if source is None:
        return "none"
    if isinstance(source, BatchStream):
        return "batches"
    return "arrays" if source.sample_weight is None else "arrays with sample_weight"


def _fact_of_part(part: Any) -> Fact:
    """Return the fact of an operation, the loss, the optimizer or the accuracy."""
    if part is None:
        return Fact("none")
    text = _text(part)
    serializer = Serializer()
    try:
        return Fact(text, checksum(serializer.serialize_object(part, ""), serializer.arrays))
    except TypeError:  # an object of the user's own that cannot be saved
        return Fact(text, type(part).__qualname__)


def _text(part: Any) -> str:
    # Addresses in memory differ from rank to rank.
    return re.sub(r" at 0x[0-9a-fA-F]+", "", describe(part))


def _checksum(array: Array, samples: int = 1000) -> int:
    return zlib.crc32(array[:samples].tobytes())

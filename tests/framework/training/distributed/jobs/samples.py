"""Scenarios: the samples, masks and statistics of several ranks."""

import importlib.util
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import framework
from framework import (
    BatchNormalization,
    Callback,
    Dense,
    Dropout,
    MeanSquaredError,
    Model,
    RegressionAccuracy,
    Tanh,
    Training,
)
from optimizers import SGD
from tests.framework.training.distributed.jobs.network import (
    X,
    classifier,
    weights,
    y,
)


class Remembering(Callback):
    def on_train_begin(self, training: Training) -> None:
        self.masks: list[Any] = []
        self.ranks = [training.rank, training.ranks]

    def on_batch_end(self, training: Training) -> None:
        (dropout,) = [layer for layer in training.model.layers if isinstance(layer, Dropout)]
        self.masks.append(dropout.mask.tolist())


def dropout(together: Any) -> dict[str, Any]:
    found = []
    for _ in range(2):
        model, remembering = classifier(Dropout(0.5)), Remembering()
        options = {"epochs": 2, "shuffle": False, "progress": False, "callbacks": [remembering]}
        model.train(X, y, batch_size=30, communicator=together, **options)
        found.append(model.parameters.weights.tolist())
    return {
        "masks": remembering.masks,
        "parameters": found,
        "ranks": remembering.ranks,
    }


class Noting(Callback):
    """Notes which samples, numbered in their first feature, go through the network."""

    def __init__(self) -> None:
        self.begun = False
        self.numbers: list[float] = []

    def on_train_begin(self, training: Training) -> None:
        self.begun = True

    def transform(self, rows: Any) -> Any:
        if self.begun:
            self.numbers.extend(rows[:, 0].tolist())
        return rows


def _samples_seen(together: Any, own: Any, **options: Any) -> list[float]:
    numbered = X.copy()
    numbered[:, 0] = np.arange(60)
    noting = Noting()
    options |= {"batch_size": 7, "progress": False, "communicator": together}
    options |= {"transform": noting.transform, "callbacks": [noting]}
    classifier().train(numbered[own], y[own], **options)
    return noting.numbers


def samples_of_all(together: Any) -> list[float]:
    return _samples_seen(together, slice(None))


def samples_of_shards(together: Any) -> list[float]:
    return _samples_seen(together, slice(together.rank, None, 3), sharded=True)


def _difference(together: Any, own: dict[str, Any], alone: dict[str, Any]) -> float:
    """Train with one thing each, and on rank 0 with another: how far do the results differ?"""
    model = classifier(BatchNormalization(16, synchronized=True), optimizer=SGD(0.05))
    history = model.train(**own, epochs=3, progress=False, communicator=together)
    if together.rank:
        return 0.0
    single = classifier(BatchNormalization(16), optimizer=SGD(0.05))
    record = single.train(**alone, epochs=3, progress=False)
    some = [*model.stored_arrays(), history.loss, history.accuracy, history.val_loss]
    others = [*single.stored_arrays(), record.loss, record.accuracy, record.val_loss]
    return max(
        float(np.abs(np.subtract(a, b)).max(initial=0.0)) for a, b in zip(some, others, strict=True)
    )


def shards(together: Any, **options: Any) -> float:
    # Of 8, 20 and 32 samples: four batches of 15, each with a quarter of every shard.
    pieces = [range(8), range(8, 28), range(28, 60)]
    own = pieces[together.rank]
    rows = [
        row
        for quarter in range(4)
        for piece in pieces
        for row in piece[quarter * len(piece) // 4 : (quarter + 1) * len(piece) // 4]
    ]

    def given(rows: Any) -> dict[str, Any]:
        return {
            "X": X[rows],
            "y": y[rows],
            "sample_weight": weights[rows],
            "validation_data": (X[rows], y[rows], weights[rows]),
            "shuffle": False,
            "batch_size": 15,
            **options,
        }

    return _difference(together, given(own) | {"sharded": True}, given(rows))


def shards_of_balanced_classes(together: Any) -> float:
    return shards(together, class_weight="balanced")


def balanced_classes(together: Any) -> float:
    options = {"X": X, "y": y, "class_weight": "balanced", "batch_size": 7}
    return _difference(together, options, options)


def compiled(together: Any) -> float | None:
    """How far compiled operations on all ranks are from plain ones on one; None without numba."""
    if importlib.util.find_spec("numba") is None:
        return None

    def run(accelerated: bool, communicator: Any) -> Any:
        framework.seed(1)
        layers = (BatchNormalization(16, synchronized=True), Tanh(), Dense(16, 16))
        model = classifier(*layers, optimizer=SGD(0.1, momentum=0.5, max_gradient_norm=0.1))
        model.finalize(accelerated=accelerated)
        model.train(X, y, epochs=3, batch_size=16, progress=False, communicator=communicator)
        return model.parameters.weights

    found = run(True, together)
    return float(np.abs(found - run(False, None)).max()) if together.rank == 0 else 0.0


def streams(together: Any) -> float:
    # As many batches as the rank's number and one more.
    pieces = [
        [tuple(array[10 * r + b :: 30] for array in (X, y, weights)) for b in range(r + 1)]
        for r in range(3)
    ]
    whole = [[own[b] for own in pieces if b < len(own)] for b in range(3)]
    joined = [tuple(np.concatenate(parts) for parts in zip(*some, strict=True)) for some in whole]
    return _difference(together, {"X": pieces[together.rank], "sharded": True}, {"X": joined})


def a_mapped_file(together: Any) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(together.bcast(folder)) / "X.npy"
        if together.rank == 0:
            np.save(path, X)
        together.barrier()
        options = {"y": y, "batch_size": 16, "validation_split": 0.2}
        mapped = np.load(path, mmap_mode="r")
        return _difference(together, {"X": mapped, **options}, {"X": X, **options})


def one_stream_for_all(together: Any) -> float:
    batches = [(X[a : a + 8], y[a : a + 8], weights[a : a + 8]) for a in range(0, 60, 8)]
    return _difference(together, {"X": batches}, {"X": batches})


def statistics_of_each_rank(together: Any) -> dict[str, Any]:
    layer = BatchNormalization(16, momentum=0.0)
    model = classifier(layer, optimizer=SGD(1e-12))
    first, given = model.layers[0], X[:40]
    model.train(given, y[:40], batch_size=None, progress=False, communicator=together)
    outputs = given @ first.weights + first.biases
    start, stop = [(0, 14), (14, 27), (27, 40)][together.rank]
    return {
        "own": outputs[start:stop].mean(axis=0).tolist(),
        "samples": stop - start,
        "running": layer.running_mean[0].tolist(),
    }


def precision(together: Any) -> Any:
    model = Model([Dense(6, 1)])
    accuracy = RegressionAccuracy()
    model.set(loss=MeanSquaredError(), optimizer=SGD(0.01), accuracy=accuracy)
    model.finalize()
    targets = X[:, :1] * (together.rank + 1)
    model.train(X, targets, progress=False, communicator=together, sharded=True)
    return accuracy.current_precision

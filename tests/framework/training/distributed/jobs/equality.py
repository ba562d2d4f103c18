"""Trains networks on all ranks together, then on rank 0 alone, and prints how far they differ.

The last line of the output is JSON: for each case the largest differences of the parameters, the
optimizer's state and the history, and whether all ranks ended with the same bits.
"""

import json
import zlib
from typing import Any

import numpy as np

import framework
from framework import (
    BatchNormalization,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Conv2D,
    Dense,
    Flatten,
    History,
    LayerNormalization,
    MaxPooling2D,
    Model,
    ReLU,
    Reshape,
    Residual,
    Softmax,
)
from framework.metrics import auc, f1
from framework.utils.rng import generator
from optimizers import SGD, Adam, AdamW
from optimizers.arrays import Array

SAMPLES = 103  # not a multiple of the batch size, nor of the number of ranks


class PlainDescent:
    """An optimizer of the user's own, which knows nothing but the protocol."""

    def __init__(self) -> None:
        self.iterations = 0

    def pre_update_params(self) -> None:
        pass

    def update_params(self, layer: Any) -> None:
        layer.weights -= 0.1 * layer.dweights
        layer.biases -= 0.1 * layer.dbiases

    def post_update_params(self) -> None:
        self.iterations += 1


PENALTIES = dict.fromkeys(("weight_regularizer_l1", "bias_regularizer_l2"), 0.001)


def plain(**penalties: float) -> list[Any]:
    return [Dense(6, 16, **penalties)]


def normalized(**penalties: float) -> list[Any]:
    return [Dense(6, 16, **penalties), BatchNormalization(16, synchronized=True)]


def of_images(**penalties: float) -> list[Any]:
    """Takes six numbers for an image of 2 × 3 pixels, and gives 16."""
    normalization, across = BatchNormalization(8, synchronized=True), Conv2D(4, 8, 1)
    inside = [Conv2D(4, 8, 3, padding="same"), normalization, ReLU(), LayerNormalization(8)]
    return [
        *(Reshape((2, 3, 1)), Conv2D(1, 4, (1, 2), **penalties)),
        *(Residual(inside, shortcut=[across]), MaxPooling2D((1, 2)), Flatten()),
    ]


# Each case: optimizer, the first operations, penalties, and what train is given. Each makes
# 100 steps or more.
CASES: dict[str, tuple[Any, Any, dict[str, float], dict[str, Any]]] = {
    "shuffled": (
        lambda: Adam(0.01, decay=1e-3),
        plain,
        {},
        {"batch_size": 20, "epochs": 20, "validation_split": 0.1},
    ),
    "penalties and a bound on the gradient": (
        lambda: AdamW(0.01, decay_exclude=("biases",), max_gradient_norm=0.1),
        plain,
        PENALTIES,
        {"batch_size": 32, "epochs": 25},
    ),
    "synchronized batch normalization": (
        lambda: SGD(0.05),
        normalized,
        {},
        {"batch_size": 20, "epochs": 17},  # the last one of an epoch has 3 samples
    ),
    "weighted samples, some of weight 0": (
        lambda: SGD(0.05, momentum=0.5),
        normalized,
        PENALTIES,
        {"batch_size": 16, "epochs": 20, "weighted": True, "validation_split": 0.2},
    ),
    "images, convolved and normalized": (
        lambda: SGD(0.05),
        of_images,
        PENALTIES,
        {"batch_size": 20, "epochs": 20, "validation_split": 0.1},
    ),
    "batches smaller than the ranks": (
        lambda: SGD(0.1),
        plain,
        PENALTIES,
        {"batch_size": 2, "epochs": 2},
    ),
    "in order": (lambda: SGD(0.1), plain, {}, {"batch_size": 10, "shuffle": False, "epochs": 10}),
    "all samples at once": (lambda: Adam(0.01), plain, {}, {"batch_size": None, "epochs": 100}),
    "fewer samples than ranks": (
        lambda: SGD(0.1),
        plain,
        PENALTIES,
        {"samples": 3, "batch_size": 2, "epochs": 50},
    ),
    "an optimizer of the user's own": (PlainDescent, plain, {}, {"batch_size": 7, "epochs": 7}),
}


def trained(case: str, dtype: str, seed: int, communicator: Any) -> tuple[Model, History]:
    optimizer, first, penalties, given = CASES[case]
    random = np.random.default_rng(0)
    options = {**given}
    samples = options.pop("samples", SAMPLES)
    X, y = random.normal(size=(samples, 6)), random.integers(0, 3, samples)
    if options.pop("weighted", False):
        options["sample_weight"] = random.random(samples) * (random.random(samples) > 0.1)
    framework.seed(seed)
    model = Model([*first(**penalties), ReLU(), Dense(16, 3), Softmax()], dtype=dtype)
    model.set(
        loss=CategoricalCrossentropy(),
        optimizer=optimizer(),
        accuracy=CategoricalAccuracy(),
        metrics={"f1": f1, "auc": auc},
    )
    model.finalize()
    history = model.train(X, y, progress=False, communicator=communicator, **options)
    return model, history


def optimizer_state(model: Model) -> list[Array]:
    """The arrays of the optimizer's state."""
    if isinstance(model.optimizer, PlainDescent):
        return []
    return list(model.optimizer.state(model.parameters)["weights"].values())


def metrics(history: History) -> list[list[float]]:
    lists = [getattr(history, name) for name in History.names() if name != "seconds"]
    return lists + list(history.metrics.values())


def difference(some: list[Any], others: list[Any]) -> float:
    return max(
        (
            float(np.abs(np.subtract(a, b)).max(initial=0.0))
            for a, b in zip(some, others, strict=True)
        ),
        default=0.0,
    )


def compare(communicator: Any) -> dict[str, dict[str, Any]]:
    report = {}
    for number, case in enumerate(CASES):
        for dtype in ("float32", "float64")[number >= 4 :]:  # the last ones in float64 alone
            # Ranks that begin with other parameters follow those of rank 0.
            model, history = trained(case, dtype, communicator.rank, communicator)
            arrays = [*model.stored_arrays(), *optimizer_state(model)]
            checksums = [zlib.crc32(array.tobytes()) for array in arrays]
            own = (checksums, metrics(history), history.seconds, generator().random())
            found = communicator.allgather(own)
            if communicator.rank == 0:
                alone, record = trained(case, dtype, 0, None)
                report[f"{case}, {dtype}"] = {
                    "parameters": difference(model.stored_arrays(), alone.stored_arrays()),
                    "optimizer": difference(optimizer_state(model), optimizer_state(alone)),
                    "history": difference(metrics(history), metrics(record)),
                    "alike": all(repr(theirs) == repr(own) for theirs in found),
                    "rng_state": generator().random() == own[3],
                    "steps": model.optimizer.iterations,
                }
    return report


if __name__ == "__main__":
    from mpi4py import MPI

    found = compare(MPI.COMM_WORLD)
    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps(found))

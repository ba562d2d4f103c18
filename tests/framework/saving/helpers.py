"""Models, and operations of the user's own, for the tests of saving."""

from pathlib import Path
from typing import Any

import numpy as np

from framework import (
    BatchNormalization,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    Model,
    ReLU,
    SavedFileError,
    Softmax,
)
from optimizers import Adam
from tests.strategies import Array


def classifier(**options: Any) -> Model:
    model = Model(
        [Dense(2, 4), BatchNormalization(4), ReLU(), Dropout(0.2), Dense(4, 3), Softmax()],
        **options,
    )
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam(), accuracy=CategoricalAccuracy())
    model.finalize()
    return model


def finalized(*operations: Any, **parts: Any) -> Model:
    model = Model(operations)
    model.set(**parts)
    model.finalize()
    return model


def there_and_back(model: Model, path: Path, *own: Any) -> Model:
    model.save(path)
    return Model.load(path, custom_operations=own)


def assert_equal(loaded: Model, model: Model) -> None:
    assert repr(loaded) == repr(model)
    for part in ("loss", "optimizer", "accuracy"):
        assert repr(getattr(loaded, part)) == repr(getattr(model, part))
        assert type(getattr(loaded, part)) is type(getattr(model, part))
    assert (loaded.dtype, loaded.input_shape) == (model.dtype, model.input_shape)
    for one, other in zip(loaded.stored_arrays(), model.stored_arrays(), strict=True):
        np.testing.assert_array_equal(one, other, strict=True)


class Gain:
    """An operation that is not derived from Operation."""

    def __init__(self, n_features: int, start: Any = 1.0) -> None:
        self.n_features, self.start = n_features, start
        self.weights = np.full((1, n_features), 1.0) * start
        self.dweights = np.zeros_like(self.weights)

    def forward(self, inputs: Array) -> Array:
        self.inputs = inputs
        self.output = inputs * self.weights
        return self.output

    def backward(self, dvalues: Array) -> Array:
        self.dweights = (dvalues * self.inputs).sum(axis=0, keepdims=True)
        self.dinputs = dvalues * self.weights
        return self.dinputs

    @classmethod
    def stored_shapes(cls, arguments: Any) -> Any:
        return {"weights": (1, arguments["n_features"])}


class Narrowing(Dense):
    """A subclass with other arguments than its base."""

    def __init__(self, n_inputs: int) -> None:
        super().__init__(n_inputs, 2)


def attempt(content: bytes, path: Path) -> bool:
    """Return whether a model is read. Any error but SavedFileError fails the test."""
    path.write_bytes(content)
    try:
        Model.load(path, custom_operations=[Gain])
    except SavedFileError as error:
        assert str(error).startswith(f"{path}: ")
        return False
    return True


# A layer whose parameters would take four terabytes.
HUGE = {"class": "framework.Dense", "arguments": {"n_inputs": 10**6, "n_neurons": 10**6}}


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every dict and list inside ``value``, with each of its keys."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    found = [(value, key) for key in keys]
    for key in keys:
        if isinstance(value[key], (dict, list)):
            found += places(value[key])
    return found


STRANGE = [
    None,
    True,
    -1,
    0,
    1,
    10**12,
    10**400,
    1e308,
    float("nan"),
    "",
    "zeros",
    "framework.Dense",
]
STRANGE += [[], {}, [1], {"array": "layers.0.weights"}, {"tuple": []}, {"dict": {"a": 1}}]
STRANGE += [HUGE, {"class": "Gain", "arguments": {"n_features": 2}}]

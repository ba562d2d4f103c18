"""Data and networks that several of these tests train, plain and accelerated."""

import copy
from typing import Any

import numpy as np

import framework
from framework import (
    BatchNormalization,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    History,
    LeakyReLU,
    MeanSquaredError,
    Model,
    ReLU,
    Scale,
    Softmax,
    Tanh,
)
from optimizers import Adam, RMSprop

random = np.random.default_rng(0)
X = random.normal(size=(430, 4)).astype("float32")
CLASSES = (X[:, 0] > 0).astype(int) + (X[:, 1] * X[:, 2] > 0)
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]
BITS = np.stack([X[:, 0] > 0, X[:, 1] > X[:, 2]], axis=1).astype("float32")
SUM = X.sum(axis=1)
WEIGHTS = random.uniform(0.1, 1, len(X))


def network(*operations: Any, loss: Any, optimizer: Any, accuracy: Any = None) -> Model:
    model = Model(operations)
    model.set(loss=loss, optimizer=copy.deepcopy(optimizer), accuracy=accuracy)
    return model


def classifier(*after_tanh: Any, **options: Any) -> Model:
    framework.seed(5)
    operations = (
        Dense(4, 16, weight_regularizer_l2=1e-3, bias_regularizer_l1=1e-3),
        ReLU(),
        Dropout(0.1),
        Dense(16, 8),
        Tanh(),  # between the two: a bias that is normalized away has nothing but rounding
        *(after_tanh or (BatchNormalization(8),)),
        Dense(8, 3),
        Softmax(),
    )
    options = {
        "loss": CategoricalCrossentropy(),
        "optimizer": Adam(0.01, decay=1e-3),
        "accuracy": CategoricalAccuracy(),
        **options,
    }
    return network(*operations, **options)


def independent(**options: Any) -> Model:
    """A classifier whose samples do not depend on each other, so that threads share them."""
    return classifier(Scale(2), LeakyReLU(), Dropout(0.1), **options)


def regressor(*between: Any) -> Model:
    framework.seed(5)
    layers = [Dense(4, 16), *between, Dense(16, 1)]
    return network(*layers, loss=MeanSquaredError(), optimizer=RMSprop(0.003))


def both(make: Any) -> tuple[Model, Model]:
    """Return two equal models, a plain one and an accelerated one."""
    plain, accelerated = make(), make()
    plain.finalize()
    accelerated.finalize(accelerated=True)
    return plain, accelerated


def train(model: Model, y: Any, **options: Any) -> History:
    framework.seed(7)
    return model.train(X, y, **{"batch_size": 43, "progress": False, "epochs": 10, **options})


def assert_same_history(found: History, expected: History) -> None:
    for name in set(History.names()) - {"seconds"}:
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), 1e-4, 1e-4)
    assert all(type(value) is float for name in History.names() for value in getattr(found, name))


def public_attributes(operation: Any) -> dict[str, Any]:
    """Return the public attributes of an object that are no methods, by name."""
    names = [name for name in dir(operation) if not name.startswith("_") and name != "samplewise"]
    found = {name: getattr(operation, name) for name in names if hasattr(operation, name)}
    return {name: value for name, value in found.items() if not callable(value)}


def assert_same_attributes(found: Any, expected: Any, tolerance: float) -> None:
    """Every public attribute of the one object is on the other too, of equal values and type."""
    attributes, specification = public_attributes(found), public_attributes(expected)
    assert attributes.keys() == specification.keys()
    for name, value in specification.items():
        if isinstance(value, np.ndarray):
            array = attributes[name]
            assert (array.shape, array.dtype) == (value.shape, value.dtype), name
            np.testing.assert_allclose(array, value, tolerance, tolerance, err_msg=name)
        else:
            assert repr(attributes[name]) == repr(value), name

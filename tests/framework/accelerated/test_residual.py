"""A ``Residual`` is accelerated as its branches and their sum, whatever is inside."""

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numba")

import framework
from framework import (
    BatchNormalization,
    CategoricalCrossentropy,
    Conv2D,
    Dense,
    Dropout,
    GlobalAveragePooling2D,
    LayerNormalization,
    MeanSquaredError,
    Model,
    ReLU,
    Residual,
    Scale,
    Sequential,
    Softmax,
    Tanh,
)
from framework.containers.container import Container
from optimizers import SGD
from tests.framework.accelerated.networks import assert_same_attributes

random = np.random.default_rng(0)
X = random.normal(size=(70, 4)).astype("float32")
Y = random.normal(size=(70, 3)).astype("float32")
IMAGES = random.normal(size=(70, 6, 6, 3)).astype("float32")


def all_inside(operations: Any) -> list[Any]:
    """The operations and those inside them, at any depth."""
    found = []
    for operation in operations:
        found.append(operation)
        if isinstance(operation, Container):
            found += all_inside(operation.children().values())
    return found


TOLERANCES = {"float32": (1e-4, 1e-5), "float64": (1e-9, 1e-9)}


def trained(
    operations: list[Any], loss: Any, accelerated: bool, data: Any, y: Any, dtype: str
) -> Model:
    model = Model(copy.deepcopy(operations), dtype=dtype)
    # Not Adam: it would make steps of a gradient that is nothing but rounding.
    model.set(loss=copy.deepcopy(loss), optimizer=SGD(0.01, momentum=0.5))
    model.finalize(accelerated=accelerated)
    assert (model.trainer is not None) == accelerated
    framework.seed(1)
    model.train(data, y, epochs=2, batch_size=20, progress=False)
    return model


def assert_same(
    operations: list[Any], loss: Any = None, data: Any = X, y: Any = Y, dtype: str = "float32"
) -> None:
    """Train both ways, with a smaller last batch, and compare all that is left behind."""
    loss = loss or MeanSquaredError()
    plain, accelerated = (trained(operations, loss, is_, data, y, dtype) for is_ in (False, True))
    pairs = zip(all_inside(accelerated.layers), all_inside(plain.layers), strict=True)
    relative, absolute = TOLERANCES[dtype]
    for found, expected in pairs:
        if not isinstance(found, (Residual, Sequential)):
            assert_same_attributes(found, expected, relative)
            continue
        for name in ("output", "dinputs"):
            assert hasattr(found, name) == hasattr(expected, name), (found, name)
            if hasattr(found, name):
                one, other = getattr(found, name), getattr(expected, name)
                np.testing.assert_allclose(one, other, relative, absolute)
    np.testing.assert_allclose(accelerated.output, plain.output, relative, absolute)


def dense(inputs: int, outputs: int) -> Dense:
    return Dense(inputs, outputs, weight_initializer="glorot_uniform")


def frozen(operation: Any) -> Any:
    operation.trainable = False
    return operation


NETWORKS: dict[str, list[Any]] = {
    "in the middle": [
        *(dense(4, 6), Residual([dense(6, 6), ReLU(), dense(6, 6)]), ReLU(), dense(6, 3)),
    ],
    "first, of the data": [Residual([dense(4, 4), Tanh()]), dense(4, 3)],
    "first, with a shortcut": [
        Residual([dense(4, 5), ReLU()], shortcut=[dense(4, 5), BatchNormalization(5)]),
        dense(5, 3),
    ],
    "last": [dense(4, 3), Residual([Tanh(), dense(3, 3)])],
    "alone": [Residual([dense(4, 3)], shortcut=[dense(4, 3)])],
    "before what is trained": [Residual([Scale(2), Residual([Tanh()])]), dense(4, 3)],
    "trained in the shortcut alone": [
        Tanh(),
        Residual([Scale(2)], shortcut=[dense(4, 4)]),
        dense(4, 3),
    ],
    "two, and two inside": [
        dense(4, 5),
        Residual([Residual([dense(5, 5), Tanh()]), Residual([Tanh()], shortcut=[dense(5, 5)])]),
        Residual([dense(5, 5)], shortcut=[Residual([dense(5, 5)]), Tanh()]),
        dense(5, 3),
    ],
    "sequentials inside": [
        dense(4, 5),
        Residual(
            [Sequential([dense(5, 5), Sequential([Tanh()])])], shortcut=[Sequential([Tanh()])]
        ),
        dense(5, 3),
    ],
    "frozen inside": [
        Residual([frozen(dense(4, 4)), BatchNormalization(4), frozen(dense(4, 4)), ReLU()]),
        *(frozen(dense(4, 5)), frozen(BatchNormalization(5)), dense(5, 3)),
    ],
    "dropout and normalizations": [
        dense(4, 8),
        Residual(
            [BatchNormalization(8), ReLU(), Dropout(0.3), dense(8, 8), LayerNormalization(8)],
            shortcut=[Dropout(0.1)],
        ),
        *(BatchNormalization(8), dense(8, 3)),
    ],
}


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_with_residuals_is_left_as_plain_training_leaves_it(name: str) -> None:
    framework.seed(3)
    assert_same(NETWORKS[name])


@pytest.mark.usefixtures("threads")
def test_a_residual_network_of_images_is_left_as_plain_training_leaves_it() -> None:
    def convolutions(channels: int, filters: int, stride: int) -> list[Any]:
        return [
            *(Conv2D(channels, filters, 3, stride=stride, padding="same", use_bias=False),),
            *(BatchNormalization(filters), ReLU(), Conv2D(filters, filters, 3, padding="same")),
        ]

    framework.seed(3)
    operations = [
        *(Conv2D(3, 4, 3, padding="same"), Residual(convolutions(4, 4, 1)), ReLU()),
        Residual(convolutions(4, 6, 2), shortcut=[Conv2D(4, 6, 1, stride=2)]),
        *(ReLU(), GlobalAveragePooling2D(), Dense(6, 3), Softmax()),
    ]
    labels = random.integers(0, 3, len(IMAGES))
    assert_same(operations, CategoricalCrossentropy(), IMAGES, labels)


@st.composite
def branches(draw: Any, depth: int, least: int) -> list[Any]:
    """Operations that keep the four features."""
    kinds = ["dense", "tanh", "relu", "normalize", "dropout", "frozen", "sequential", "residual"]
    found: list[Any] = []
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=least, max_size=3)):
        if kind in ("sequential", "residual") and not depth:
            kind = "dense"
        found.append(
            {
                "dense": lambda: dense(4, 4),
                "tanh": Tanh,
                "relu": ReLU,
                "normalize": lambda: BatchNormalization(4),
                "dropout": lambda: Dropout(0.2),
                "frozen": lambda: frozen(dense(4, 4)),
                "sequential": lambda: Sequential(draw(branches(depth - 1, 1))),
                "residual": lambda: Residual(
                    draw(branches(depth - 1, 1)), shortcut=draw(branches(depth - 1, 0))
                ),
            }[kind]()
        )
    return found


@settings(max_examples=15)
@given(inside=branches(2, 1), shortcut=branches(1, 0), before=branches(1, 0))
def test_any_residuals_train_as_in_plain_numpy(
    inside: list[Any], shortcut: list[Any], before: list[Any]
) -> None:
    operations = [*before, Residual(inside, shortcut=shortcut), Scale(0.1), dense(4, 3)]
    assert_same(operations, dtype="float64")


def test_what_has_no_kernel_inside_is_named() -> None:
    class Mine(Tanh):
        pass

    model = Model([dense(4, 4), Residual([Tanh()], shortcut=[Mine()])])
    model.set(loss=MeanSquaredError(), optimizer=SGD(0.1))
    with pytest.warns(UserWarning, match=r"plain NumPy: Mine\(\) has no kernel$"):
        model.finalize(accelerated=True)

"""Operations inside a Sequential are accelerated as those in a row."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import framework
from framework import (
    BatchNormalization,
    CategoricalCrossentropy,
    Container,
    Dense,
    Dropout,
    Model,
    ReLU,
    Sequential,
    Softmax,
    Tanh,
)
from optimizers import Adam
from tests.framework.accelerated.networks import (
    CLASSES,
    assert_same_attributes,
    assert_same_history,
    network,
    train,
)


def operations() -> list[Any]:
    framework.seed(5)
    return [Dense(4, 8), ReLU(), BatchNormalization(8), Dropout(0.1), Dense(8, 3), Softmax()]


def arranged(*layers: Any) -> Model:
    return network(*layers, loss=CategoricalCrossentropy(), optimizer=Adam(0.01))


def in_a_row() -> Model:
    return arranged(*operations())


def first_inside() -> Model:
    dense, relu, *others = operations()
    return arranged(Sequential([dense, relu]), *others)


def last_inside() -> Model:
    *others, dense, softmax = operations()
    return arranged(*others, Sequential([dense, Sequential([softmax])]))


def all_inside() -> Model:
    first, second, third, *others = operations()
    return arranged(Sequential([Sequential([first, second]), Sequential([third]), *others]))


def sequentials(layers: list[Any]) -> list[Any]:
    found = [layer for layer in layers if isinstance(layer, Sequential)]
    return [*found, *(inner for one in found for inner in sequentials(one.layers))]


@pytest.mark.parametrize("make", [first_inside, last_inside, all_inside])
def test_a_model_with_sequentials_takes_the_steps_of_one_without(make: Any) -> None:
    row, plain, accelerated = in_a_row(), make(), make()
    row.finalize(accelerated=True)
    plain.finalize()
    accelerated.finalize(accelerated=True)  # a warning would be an error
    assert accelerated.trainer is not None
    histories = [train(model, CLASSES) for model in (row, plain, accelerated)]
    assert histories[2].loss == histories[0].loss
    assert_same_history(histories[2], histories[1])
    for leaf, of_row, of_plain in zip(
        accelerated.leaves(), row.layers, plain.leaves(), strict=True
    ):
        assert_same_attributes(leaf, of_row, 0)
        assert_same_attributes(leaf, of_plain, 1e-3)
    inside, expected = sequentials(accelerated.layers), sequentials(plain.layers)
    assert inside
    for one, other in zip(inside, expected, strict=True):
        assert one.output is one.layers[-1].output
        assert one.dinputs is one.layers[0].dinputs
        np.testing.assert_allclose(one.output, other.output, 1e-3, 1e-3)
        np.testing.assert_allclose(one.dinputs, other.dinputs, 1e-3, 1e-3)


class Passing(Container):
    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def children(self) -> dict[str, Any]:
        return {"inner": self.inner}

    def forward(self, inputs: Any, training: bool = True) -> Any:
        self.output = self.inner.forward(inputs, training)
        return self.output

    def backward(self, dvalues: Any) -> Any:
        self.dinputs = self.inner.backward(dvalues)
        return self.dinputs


@pytest.mark.parametrize(
    "inner", [lambda: Passing(Dense(4, 8)), lambda: Passing(Sequential([Dense(4, 8)]))]
)
def test_a_container_of_ones_own_has_no_kernel_and_is_named_alone(inner: Any) -> None:
    model = arranged(inner(), Tanh())
    with pytest.warns(UserWarning, match=r"plain NumPy: Passing\(\S.* has no kernel$"):
        model.finalize(accelerated=True)
    assert model.trainer is None

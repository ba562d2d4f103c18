"""Which operations a network is made of: changes are noticed, impossible arrangements refused."""

from typing import Any

import numpy as np
import pytest

from datasets import spiral_data
from framework import CategoricalCrossentropy, Dense, Model, ReLU, Sequential, Softmax
from optimizers import SGD

X, Y = spiral_data(samples=10, classes=3, seed=0)


def classifier(*layers: Any) -> Model:
    model = Model([*layers, Dense(4, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD(0.1))
    model.finalize()
    return model


def added(inner: Sequential) -> None:
    inner.add(Dense(4, 4))


def replaced(inner: Sequential) -> None:
    inner.layers[0] = Dense(2, 4)


def removed(inner: Sequential) -> None:
    inner.layers.pop()


@pytest.mark.parametrize("change", [added, replaced, removed])
@pytest.mark.parametrize("around", [lambda it: it, lambda it: Sequential([it])])
def test_a_change_inside_after_finalize_is_noticed_until_the_next(change: Any, around: Any) -> None:
    inner = Sequential([Dense(2, 4), ReLU()])
    model = classifier(around(inner))
    change(inner)
    assert not model.finalized
    with pytest.raises(RuntimeError, match=r"operations changed, so call finalize\(\) again"):
        model.train(X, Y, progress=False)
    model.finalize()
    before = inner.layers[-1 if change is added else 0].weights.copy()
    model.train(X, Y, progress=False)
    assert not np.array_equal(inner.layers[-1 if change is added else 0].weights, before)


def test_equal_operations_are_not_the_same_operation() -> None:
    class Equal(Dense):
        def __eq__(self, other: object) -> bool:
            return isinstance(other, Equal)

        __hash__ = None  # type: ignore[assignment]

    network = Sequential([Equal(2, 3)])
    network.finalize()
    network.layers[0] = Equal(2, 3)
    assert not network.finalized


@pytest.mark.parametrize(
    "layers",
    [[Sequential(), Dense(2, 4)], [Dense(2, 4), Sequential([Sequential()])]],
)
def test_an_empty_sequential_inside_is_refused(layers: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"^Sequential\(\[\]\), inside the model, has no operat"):
        classifier(*layers)


def test_an_operation_that_got_into_two_places_is_refused() -> None:
    inner, shared = Sequential([ReLU()]), Dense(2, 2)
    network = Sequential([inner, shared])
    inner.add(shared)
    message = r"Dense\(2, 2\) is already operation 1\.2 of the sequential"
    with pytest.raises(ValueError, match=message):
        network.finalize()


def test_a_sequential_cannot_contain_itself() -> None:
    for one in (Sequential(), Sequential([ReLU()])):
        with pytest.raises(ValueError, match="the sequential contains itself"):
            one.add(one)
        with pytest.raises(ValueError, match="the sequential contains itself"):
            one.add(Sequential([Sequential([one])]))
        one.layers.append(one)
        assert "Sequential([...])" in repr(one)
        with pytest.raises(ValueError, match="the sequential contains itself"):
            one.finalize()
        with pytest.raises(ValueError, match="the sequential contains itself"):
            classifier(one)

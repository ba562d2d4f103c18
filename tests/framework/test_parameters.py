import copy
import pickle

import numpy as np
import pytest

from framework import Dense, ReLU
from framework.parameters import ParameterVector
from optimizers import SGD


class Scaling:
    """A user's own layer, which binds new arrays whenever it likes, as the book's layers do."""

    def __init__(self) -> None:
        self.weights = np.array([[2.0, 3.0]])

    def forward(self, inputs: np.ndarray) -> None:
        self.inputs = inputs
        self.output = inputs * self.weights

    def backward(self, dvalues: np.ndarray) -> None:
        self.dweights = (dvalues * self.inputs).sum(axis=0, keepdims=True)
        self.dinputs = dvalues * self.weights


def make() -> tuple[ParameterVector, Dense, Scaling, Dense]:
    first, own, last = Dense(3, 2), Scaling(), Dense(2, 1)
    return ParameterVector([first, ReLU(), own, last], np.dtype("float32")), first, own, last


def test_layers_keep_their_values_as_views_of_the_vector() -> None:
    expected = Dense(3, 2)
    weights = expected.weights.copy()
    vector = ParameterVector([expected, Dense(2, 1)], np.dtype("float32"))
    np.testing.assert_array_equal(expected.weights, weights)
    assert len(vector) == 3 * 2 + 2 + 2 * 1 + 1
    assert np.shares_memory(expected.weights, vector.weights)
    assert np.shares_memory(expected.dbiases, vector.dweights)
    vector.weights[:] = 7
    assert (expected.weights == 7).all()


def test_an_update_of_the_vector_updates_every_layer() -> None:
    vector, first, own, last = make()
    before = [first.weights.copy(), own.weights.copy(), last.biases.copy()]
    first.dweights[:], last.dbiases[:] = 1, 2
    own.dweights = np.array([[10.0, 20.0]])
    SGD(0.5).update_params(vector)
    np.testing.assert_allclose(first.weights, before[0] - 0.5)
    np.testing.assert_allclose(own.weights, before[1] - [[5, 10]])
    np.testing.assert_allclose(last.biases, before[2] - 1)


def test_arrays_that_a_layer_binds_anew_are_read_again() -> None:
    vector, _, own, _ = make()
    own.weights = np.array([[5.0, 6.0]])
    assert {5.0, 6.0} <= set(vector.weights.tolist())
    assert np.shares_memory(own.weights, vector.weights)
    own.dweights = np.array([[8.0, 9.0]])
    assert {8.0, 9.0} <= set(vector.dweights.tolist())


def test_arrays_of_a_class_with_slots_are_read_each_time() -> None:
    class Slotted:
        __slots__ = ("dweights", "weights")

    own = Slotted()
    own.weights = np.array([1.0, 2.0])
    vector = ParameterVector([own], np.dtype("float64"))
    own.weights, own.dweights = np.array([3.0, 4.0]), np.array([5.0, 6.0])
    np.testing.assert_array_equal(vector.weights, [3.0, 4.0])
    np.testing.assert_array_equal(vector.dweights, [5.0, 6.0])
    assert np.shares_memory(own.weights, vector.weights)


def test_a_gradient_of_another_shape_is_named() -> None:
    vector, _, own, _ = make()
    own.dweights = np.ones((2, 1))
    with pytest.raises(ValueError, match=r"Scaling.dweights has shape \(1, 2\), received \(2, 1\)"):
        vector.dweights  # noqa: B018


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_copies_have_a_vector_of_their_own(copied: object) -> None:
    vector, first, _, _ = make()
    other, other_first = copied((vector, first))  # type: ignore[operator]
    np.testing.assert_array_equal(other.weights, vector.weights)
    other.weights[:] = 1
    assert (other_first.weights == 1).all()
    assert not (first.weights == 1).any()


def test_a_layer_of_two_vectors_follows_the_one_that_was_asked_last() -> None:
    shared = Dense(2, 2)
    one = ParameterVector([shared], np.dtype("float32"))
    other = ParameterVector([shared], np.dtype("float32"))
    other.weights[:] = 5
    assert (one.weights == 5).all()
    one.weights[:] = 6
    assert (shared.weights == 6).all()


def test_weights_that_are_no_numbers_are_refused() -> None:
    own = Scaling()
    own.weights = np.array(["a"])
    with pytest.raises(TypeError, match="weights must hold real numbers"):
        ParameterVector([own], np.dtype("float32"))

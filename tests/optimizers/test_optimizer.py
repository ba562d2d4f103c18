"""What all optimizers share, seen from outside."""

import copy
import gc
import math
import pickle
import weakref
from typing import Any

import numpy as np
import pytest

from optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from tests.every import OPTIMIZERS

every_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)


class Bowl:
    """Not a layer, only weights: its loss is the sum of squares, lowest at 0."""

    def __init__(self, dtype: type = np.float64) -> None:
        self.weights = np.array([[3.0, -2.0], [1.0, 0.5]], dtype=dtype)
        self.find_gradient()

    def find_gradient(self) -> None:
        self.dweights = 2 * self.weights


def step(optimizer: Optimizer, *layers: Bowl) -> None:
    optimizer.pre_update_params()
    for layer in layers:
        layer.find_gradient()
        optimizer.update_params(layer)
    optimizer.post_update_params()


@every_optimizer
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_anything_with_weights_and_dweights_is_trained(optimizer: Optimizer, dtype: type) -> None:
    optimizer, bowl = copy.deepcopy(optimizer), Bowl(dtype)
    weights = bowl.weights
    for _ in range(300):
        step(optimizer, bowl)
    assert bowl.weights is weights
    assert weights.dtype == dtype
    assert np.abs(weights).max() < 0.05


@every_optimizer
def test_gradients_are_not_written_to(optimizer: Optimizer) -> None:
    optimizer, bowl = copy.deepcopy(optimizer), Bowl()
    optimizer.max_gradient_norm = 0.1
    optimizer.update_params(bowl)
    np.testing.assert_array_equal(bowl.dweights, [[6, -4], [2, 1]])


@every_optimizer
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_a_copy_goes_on_as_the_original_would(optimizer: Optimizer, copied: object) -> None:
    optimizer, bowl = copy.deepcopy(optimizer), Bowl()
    for _ in range(3):
        step(optimizer, bowl)
    other, other_bowl = copied((optimizer, bowl))  # type: ignore[operator]
    for _ in range(3):
        step(optimizer, bowl)
        step(other, other_bowl)
    np.testing.assert_array_equal(other_bowl.weights, bowl.weights)
    assert other_bowl.weights is not bowl.weights


@every_optimizer
def test_layers_do_not_share_their_state(optimizer: Optimizer) -> None:
    together, alone = copy.deepcopy(optimizer), copy.deepcopy(optimizer)
    first, second, reference = Bowl(), Bowl(), Bowl()
    second.weights *= 10
    for _ in range(5):
        step(together, first, second)
        step(alone, reference)
    np.testing.assert_array_equal(first.weights, reference.weights)


def test_a_layer_that_is_forgotten_begins_anew() -> None:
    layer, optimizer = Bowl(), Adam()
    optimizer.update_params(layer)
    assert optimizer.state(layer)
    optimizer.forget(layer)
    assert not optimizer.state(layer)
    optimizer.forget(object())  # which it never knew


def test_a_reset_optimizer_is_as_new_with_the_arguments_it_has_now() -> None:
    optimizer, bowl = Adam(0.1, decay=0.5), Bowl()
    step(optimizer, bowl)
    step(optimizer, bowl)
    optimizer.learning_rate = 0.2
    optimizer.reset()
    assert (optimizer.iterations, optimizer.current_learning_rate) == (0, 0.2)
    assert not optimizer.state(bowl)
    bowl, other = Bowl(), Bowl()
    step(optimizer, bowl)
    step(Adam(0.2, decay=0.5), other)
    np.testing.assert_array_equal(bowl.weights, other.weights)


class Slots:
    """A layer that no weak reference can be made to."""

    __slots__ = ("dweights", "weights")

    def __init__(self) -> None:
        self.weights, self.dweights = np.ones(1000), np.ones(1000)


@pytest.mark.parametrize("cls", [Bowl, Slots])
def test_state_is_kept_for_layers_that_are_alive_and_no_others(cls: Any) -> None:
    optimizer, kept = Adam(0.1), cls()
    optimizer.update_params(kept)
    momentum = optimizer.state(kept)["weights"]["momentum"]
    size = len(pickle.dumps((optimizer, kept)))
    for _ in range(20):
        optimizer.update_params(cls())  # which nobody else has
    assert optimizer.state(kept)["weights"]["momentum"] is momentum
    assert len(pickle.dumps((optimizer, kept))) <= size + 100
    other, copied = copy.deepcopy((optimizer, kept))
    np.testing.assert_array_equal(other.state(copied)["weights"]["momentum"], momentum)


def test_state_of_a_layer_is_freed_with_it() -> None:
    optimizer, layer = Adam(0.1), Bowl()
    optimizer.update_params(layer)
    momentum = weakref.ref(optimizer.state(layer)["weights"]["momentum"])
    del layer
    gc.collect()
    assert momentum() is None


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        (SGD(0.1), 2 - 0.1 * 4),
        (SGD(0.1, momentum=0.9), 2 - 0.1 * 4),
        (Adam(0.1), 1.9),  # the first step of Adam is the learning rate
        (AdamW(0.1, weight_decay=0.01), 2 - 0.1 * 0.01 * 2 - 0.1),
        (Adagrad(0.1), 1.9),  # 4 / √16
        (RMSprop(0.1, rho=0.75), 2 - 0.1 * 4 / 2),  # √(0.25 · 16) = 2
    ],
    ids=repr,
)
def test_a_parameter_without_axes_is_updated_in_place(
    optimizer: Optimizer, expected: float
) -> None:
    class Number:
        weights, dweights = np.array(2.0), np.array(4.0)

    number, weights = Number(), Number.weights
    weights[...] = 2.0
    optimizer.update_params(number)
    assert number.weights is weights
    assert float(weights) == pytest.approx(expected, abs=1e-6)


def test_biases_are_updated_where_there_are_any() -> None:
    layer = Bowl()
    layer.biases, layer.dbiases = np.ones((1, 2)), np.full((1, 2), 2.0)  # type: ignore[attr-defined]
    SGD(0.25).update_params(layer)
    np.testing.assert_array_equal(layer.biases, [[0.5, 0.5]])  # type: ignore[attr-defined]


def test_parameters_of_other_names_are_listed() -> None:
    class Scale:
        parameters = ("scale",)
        scale, dscale = np.ones(2), np.ones(2)
        weights = "not trained"

    SGD(0.5).update_params(Scale())
    np.testing.assert_array_equal(Scale.scale, [0.5, 0.5])


def test_the_rate_decays_with_the_iterations_as_in_the_book() -> None:
    optimizer = SGD(learning_rate=1.0, decay=0.1)
    rates = []
    for _ in range(4):
        optimizer.pre_update_params()
        rates.append(optimizer.current_learning_rate)
        optimizer.post_update_params()
    assert rates == [1.0, 1 / 1.1, 1 / 1.2, 1 / 1.3]
    assert optimizer.iterations == 4


def test_the_rates_of_many_iterations_are_those_of_each() -> None:
    optimizer = SGD(learning_rate=0.0137, decay=1.7e-3)
    rates = optimizer.decayed(optimizer.learning_rate, np.arange(1000))
    for optimizer.iterations, rate in enumerate(rates):
        optimizer.pre_update_params()
        assert optimizer.current_learning_rate == rate


def test_the_rate_may_be_a_function_of_the_iteration() -> None:
    optimizer = SGD(learning_rate=lambda iteration: 1 / (iteration + 2))
    assert optimizer.current_learning_rate == 1 / 2
    step(optimizer, Bowl())
    optimizer.pre_update_params()
    assert optimizer.current_learning_rate == 1 / 3


def test_a_rate_that_is_no_number_is_refused_when_it_appears() -> None:
    with pytest.raises(ValueError, match=r"learning_rate\(0\) must be finite, received nan"):
        SGD(learning_rate=lambda iteration: math.nan)


def test_the_norm_is_clipped_over_all_that_one_call_updates() -> None:
    layer = Bowl()
    layer.biases, layer.dbiases = np.zeros((1, 1)), np.full((1, 1), 7.0)  # type: ignore[attr-defined]
    before = layer.weights.copy()
    norm = math.sqrt(6**2 + 4**2 + 2**2 + 1**2 + 7**2)
    SGD(1.0, max_gradient_norm=2.0).update_params(layer)
    np.testing.assert_allclose(before - layer.weights, layer.dweights * 2 / norm)
    np.testing.assert_allclose(-layer.biases, 7 * 2 / norm)  # type: ignore[attr-defined]


def test_small_gradients_are_left_as_they_are() -> None:
    clipped, free = Bowl(), Bowl()
    SGD(0.1, max_gradient_norm=100).update_params(clipped)
    SGD(0.1).update_params(free)
    np.testing.assert_array_equal(clipped.weights, free.weights)


def test_clipping_does_not_overflow_in_float32() -> None:
    bowl = Bowl(np.float32)
    bowl.dweights = np.full((2, 2), 1e30, dtype=np.float32)
    before = bowl.weights.copy()
    SGD(1.0, max_gradient_norm=1.0).update_params(bowl)
    np.testing.assert_allclose(before - bowl.weights, 0.5, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"dweights": None}, ValueError, "has no gradient dweights: call backward"),
        ({"dweights": np.ones(4)}, ValueError, r"shape \(2, 2\), but its gradient .* \(4,\)"),
        ({"weights": np.ones((2, 2), int)}, TypeError, "floating-point array, received int64"),
        ({"weights": [[1.0]]}, TypeError, "floating-point array, received list"),
    ],
)
def test_what_cannot_be_updated_is_refused(
    change: dict[str, object], error: type[Exception], message: str
) -> None:
    bowl = Bowl()
    vars(bowl).update(change)
    with pytest.raises(error, match=message):
        Adam().update_params(bowl)


def test_read_only_weights_are_refused() -> None:
    bowl = Bowl()
    bowl.weights.flags.writeable = False
    with pytest.raises(TypeError, match="Bowl.weights is read-only"):
        SGD().update_params(bowl)


def test_an_object_without_weights_is_refused() -> None:
    with pytest.raises(TypeError, match="expects an object with weights and dweights"):
        SGD().update_params(object())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(learning_rate=0), "learning_rate must be greater than 0"),
        (lambda: SGD(learning_rate=math.inf), "learning_rate must be finite"),
        (lambda: SGD(decay=-1), "decay must be 0 or greater"),
        (lambda: SGD(max_gradient_norm=0), "max_gradient_norm must be greater than 0"),
    ],
)
def test_arguments_out_of_range_are_refused(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]


@pytest.mark.parametrize("value", ["0.1", None, [0.1, 0.2], 1j])
def test_a_rate_that_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="learning_rate must be a number"):
        SGD(learning_rate=value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("optimizer", "text"),
    [
        (SGD(0.5, momentum=0.9), "SGD(learning_rate=0.5, momentum=0.9)"),
        (Adam(), "Adam()"),
        (AdamW(0.01, weight_decay=0.1), "AdamW(learning_rate=0.01, weight_decay=0.1)"),
    ],
)
def test_repr_shows_what_is_not_the_default(optimizer: Optimizer, text: str) -> None:
    assert repr(optimizer) == text


def test_repr_has_a_gap_where_a_subclass_does_not_keep_an_argument() -> None:
    class Halving(SGD):
        def __init__(self, first_rate: float, momentum: float = 0.0) -> None:
            super().__init__(first_rate / 2, momentum=momentum)

    assert repr(Halving(0.5, momentum=0.9)) == "Halving(…, momentum=0.9)"


def test_a_subclass_must_say_how_it_updates() -> None:
    with pytest.raises(NotImplementedError, match="Optimizer has no update method"):
        Optimizer(0.1).update_params(Bowl())


def test_a_state_that_is_no_array_is_refused_at_once() -> None:
    class Counts(Optimizer):
        def update(self, parameter: Any, gradient: Any, state: Any) -> None:
            state["t"] = 1

    with pytest.raises(TypeError, match=r"state holds arrays, received t=1: .* one element"):
        Counts(0.1).update_params(Bowl())


def test_an_argument_that_is_an_array_is_shown() -> None:
    class Masked(SGD):
        def __init__(self, learning_rate: float, mask: Any = None) -> None:
            super().__init__(learning_rate)
            self.mask = mask

    assert repr(Masked(0.1)) == "Masked(0.1)"
    assert repr(Masked(0.1, np.ones(2))) == "Masked(0.1, mask=array([1., 1.]))"
    assert repr(Masked(0.1, [np.ones(2)])) == "Masked(0.1, mask=[array([1., 1.])])"

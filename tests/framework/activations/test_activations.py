"""What each activation computes, against values known from elsewhere."""

import math

import numpy as np
import pytest
from hypothesis import given

from framework import (
    ELU,
    GELU,
    LeakyReLU,
    Linear,
    Operation,
    ReLU,
    Sigmoid,
    Softmax,
    Softplus,
    Step,
    Swish,
    Tanh,
)
from tests.strategies import Array, batches


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


DEFINITIONS = [
    (Linear(), lambda x: x),
    (Step(), lambda x: float(x >= 0)),
    (Sigmoid(), logistic),
    (Tanh(), math.tanh),
    (ReLU(), lambda x: max(0.0, x)),
    (LeakyReLU(alpha=0.2), lambda x: x if x > 0 else 0.2 * x),
    (ELU(alpha=0.7), lambda x: x if x > 0 else 0.7 * (math.exp(x) - 1)),
    (Softplus(), lambda x: math.log(1 + math.exp(x))),
    (Swish(), lambda x: x * logistic(x)),
]


@pytest.mark.parametrize(("activation", "definition"), DEFINITIONS, ids=repr)
@given(inputs=batches())
def test_it_is_its_definition(activation: Operation, definition: object, inputs: Array) -> None:
    expected = [[definition(float(x)) for x in row] for row in inputs]  # type: ignore[operator]
    np.testing.assert_allclose(activation.forward(inputs), expected, rtol=1e-12, atol=1e-15)


def test_relu_passes_on_what_is_no_number_and_gives_no_negative_zero() -> None:
    inputs = np.array([[np.nan, np.inf, -np.inf, -0.0, -1.0]])
    output = ReLU().forward(inputs)
    np.testing.assert_array_equal(output, [[np.nan, np.inf, 0, 0, 0]])
    assert not np.signbit(output[0, 2:]).any()


def test_gelu_is_close_to_the_exact_one() -> None:
    x = np.linspace(-8, 8, 1601).reshape(-1, 1)
    exact = [[value * 0.5 * (1 + math.erf(value / math.sqrt(2)))] for value in x[:, 0]]
    assert np.abs(GELU().forward(x) - exact).max() < 5e-4


def test_sigmoid_keeps_its_precision_far_to_the_left() -> None:
    np.testing.assert_allclose(Sigmoid().forward([[-700.0]]), math.exp(-700.0), rtol=1e-12)


def test_step_cannot_be_trained() -> None:
    step = Step()
    step.forward([[1.0]])
    with pytest.raises(NotImplementedError, match="cannot be trained by gradients"):
        step.backward([[1.0]])


@given(inputs=batches())
def test_softmax_rows_are_probabilities_in_the_ratio_of_the_exponentials(inputs: Array) -> None:
    output = Softmax().forward(inputs)
    np.testing.assert_allclose(output.sum(axis=1), 1)
    exponentials = np.exp(inputs)
    np.testing.assert_allclose(output, exponentials / exponentials.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("shape", [(3,), (5, 1), (5, 7), (5, 8), (5, 30), (2, 3, 4), (2, 3, 9)])
def test_softmax_is_that_of_the_last_axis_however_long_it_is(shape: tuple[int, ...]) -> None:
    inputs = np.random.default_rng(0).normal(size=shape)
    exponentials = np.exp(inputs)
    expected = exponentials / exponentials.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(Softmax().forward(inputs), expected)


@given(inputs=batches())
def test_softmax_backward_is_the_product_with_the_jacobian_of_each_row(inputs: Array) -> None:
    softmax = Softmax(temperature=1.5)
    output = softmax.forward(inputs)
    dvalues = np.random.default_rng(0).normal(size=output.shape)
    expected = [
        (np.diag(p) - np.outer(p, p)) @ d / 1.5 for p, d in zip(output, dvalues, strict=True)
    ]
    np.testing.assert_allclose(softmax.backward(dvalues), expected, atol=1e-12)


def test_temperature_evens_out_or_sharpens() -> None:
    scores = [[2.0, 1.0, 0.1]]
    hot, usual, cold = (Softmax(t).forward(scores)[0, 0] for t in (10, 1, 0.1))
    assert hot < usual < cold
    np.testing.assert_allclose(Softmax(2).forward(scores), Softmax().forward([[1.0, 0.5, 0.05]]))


def test_softmax_survives_huge_logits() -> None:
    with np.errstate(over="raise", invalid="raise"):
        output = Softmax().forward(np.array([[1e4, -1e4, 1e4]], dtype=np.float32))
    np.testing.assert_array_equal(output, [[0.5, 0.0, 0.5]])


def test_predictions_say_what_the_outputs_mean() -> None:
    assert Softmax().predictions(np.array([[0.1, 0.9], [0.8, 0.2]])).tolist() == [1, 0]
    answers = Sigmoid().predictions(np.array([[0.2, 0.7], [0.5, 1.0]]))
    assert answers.tolist() == [[0, 1], [0, 1]]
    assert answers.dtype.kind == "i"
    values = np.array([[0.3]])
    for activation in (Linear(), Step(), Tanh(), ReLU()):
        assert activation.predictions(values) is values


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: LeakyReLU(alpha=-1), "alpha"),
        (lambda: ELU(alpha=float("inf")), "alpha"),
        (lambda: Softmax(temperature=0), "temperature"),
    ],
)
def test_impossible_arguments_are_refused(make: object, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be"):
        make()  # type: ignore[operator]

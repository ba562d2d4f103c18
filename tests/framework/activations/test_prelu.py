"""PReLU against its formula and PyTorch; its slopes are trained, saved and checked like weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from framework import Dense, MeanSquaredError, Model, PReLU, check_gradients
from optimizers import SGD
from tests.strategies import Array, batches, images

SLOPES = np.array([[-0.5, 0.0, 2.0]])


def prelu(slopes: Array = SLOPES, dtype: str = "float64") -> PReLU:
    operation = PReLU(slopes.size, dtype=dtype)
    operation.weights = slopes
    return operation


@given(inputs=batches())
def test_each_feature_has_a_slope_of_its_own(inputs: Array) -> None:
    slopes = np.linspace(-1, 2, inputs.shape[1])
    expected = [
        [x if x > 0 else slope * x for x, slope in zip(row, slopes, strict=True)] for row in inputs
    ]
    np.testing.assert_array_equal(prelu(slopes.reshape(1, -1)).forward(inputs), expected)


@given(inputs=images())
def test_a_single_slope_is_shared_by_all_features(inputs: Array) -> None:
    operation = prelu(np.array([[0.3]]))
    np.testing.assert_array_equal(
        operation.forward(inputs), np.maximum(inputs, 0) + 0.3 * np.minimum(inputs, 0)
    )
    operation.backward(np.ones_like(inputs))
    assert operation.dweights.item() == pytest.approx(inputs[inputs < 0].sum())
    assert operation.output_shape((3, 2)) == (3, 2)


@given(inputs=images())
def test_a_slope_for_each_channel_gathers_its_gradient_over_the_image(inputs: Array) -> None:
    operation = PReLU(inputs.shape[-1], dtype="float64")
    operation.forward(inputs)
    operation.backward(np.full(inputs.shape, 2.0))
    expected = [2 * channel[channel < 0].sum() for channel in np.moveaxis(inputs, -1, 0)]
    np.testing.assert_allclose(operation.dweights[0], expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("n_features", [1, 3])
def test_the_gradients_of_inputs_and_slopes_agree_with_differences(n_features: int) -> None:
    inputs = np.random.default_rng(0).normal(size=(5, 2, 3))
    report = check_gradients(PReLU(n_features, initial_slope=-0.7), inputs)
    assert report.passed, report
    assert [array.name for array in report.arrays] == ["dinputs", "dweights"]


def test_the_slopes_begin_at_a_quarter_as_in_the_paper_or_where_they_are_told_to() -> None:
    np.testing.assert_array_equal(PReLU(2).weights, [[0.25, 0.25]])
    np.testing.assert_array_equal(PReLU(initial_slope=-1).weights, [[-1]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_far_from_zero_it_neither_overflows_nor_loses_the_slope(dtype: str) -> None:
    operation = PReLU(dtype=dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        output = operation.forward([[-1e4, 0.0, 1e4]])
        dinputs = operation.backward([[1e4, 1e4, 1e4]])
    assert output.dtype == dinputs.dtype == operation.dweights.dtype == dtype
    np.testing.assert_array_equal(output, [[-2500, 0, 1e4]])
    np.testing.assert_array_equal(dinputs, [[2500, 2500, 1e4]])
    np.testing.assert_array_equal(operation.dweights, [[-1e8]])


@pytest.mark.parametrize("slopes", [SLOPES, SLOPES[:, :1]], ids=["each", "shared"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-13)])
def test_outputs_and_gradients_agree_with_pytorch(
    slopes: Array, dtype: str, tolerance: float
) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: no comparison with it")
    x, dvalues = np.random.default_rng(0).normal(size=(2, 40, 3)).astype(dtype)
    inputs, weight = (torch.tensor(a, requires_grad=True) for a in (x, slopes[0].astype(dtype)))
    expected = torch.nn.functional.prelu(inputs, weight)
    expected.backward(torch.tensor(dvalues))
    operation = prelu(slopes, dtype)
    np.testing.assert_allclose(operation.forward(x), expected.detach(), tolerance, tolerance)
    np.testing.assert_allclose(operation.backward(dvalues), inputs.grad, tolerance, tolerance)
    np.testing.assert_allclose(operation.dweights[0], weight.grad, tolerance, tolerance)


def test_a_network_learns_the_slope_of_its_data() -> None:
    X = np.random.default_rng(0).normal(size=(64, 1))
    model = Model([PReLU()])
    model.set(loss=MeanSquaredError(), optimizer=SGD(0.3))
    model.finalize()
    model.train(X, np.where(X > 0, X, -0.4 * X), epochs=100, batch_size=None, progress=False)
    assert model.layers[0].weights.item() == pytest.approx(-0.4, abs=1e-3)


def test_a_saved_network_with_trained_slopes_predicts_the_same(tmp_path: Path) -> None:
    model = Model([Dense(3, 3), prelu(dtype="float32"), Dense(3, 2), PReLU(initial_slope=0.1)])
    model.finalize()
    model.save(tmp_path / "prelu.safetensors")
    X = np.random.default_rng(0).normal(size=(5, 3))
    loaded = Model.load(tmp_path / "prelu.safetensors")
    np.testing.assert_array_equal(loaded.layers[1].weights, SLOPES)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_features": 0}, ValueError, "n_features must be at least 1"),
        ({"n_features": 1.5}, TypeError, "n_features must be a whole number"),
        ({"initial_slope": np.inf}, ValueError, "initial_slope must be finite"),
        ({"dtype": "float16"}, ValueError, "dtype must be"),
    ],
)
def test_arguments_out_of_range_are_refused(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        PReLU(**arguments)


def test_another_number_of_features_is_refused() -> None:
    expected = r"PReLU\(n_features=3\) expects inputs of shape \(samples, ..., 3\), received \("
    with pytest.raises(ValueError, match=expected + r"4, 2\)"):
        PReLU(3).forward(np.ones((4, 2)))
    with pytest.raises(ValueError, match=expected + r"samples, 2\).*Dense\(2, 2\)"):
        Model([Dense(2, 2), PReLU(3)]).finalize()

"""Batch normalization of rows, sequences and images, against its formula and against PyTorch."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from framework import BatchNormalization
from tests.strategies import Array, images


def test_each_feature_has_mean_0_and_variance_1_over_the_batch() -> None:
    inputs = np.random.default_rng(0).normal(5, 3, size=(200, 4))
    output = BatchNormalization(4, epsilon=1e-12, dtype="float64").forward(inputs)
    np.testing.assert_allclose(output.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(output.var(axis=0), 1, rtol=1e-9)


@pytest.mark.parametrize("axes", [(6,), (6, 7), (3, 4, 5)], ids=["steps", "pixels", "voxels"])
@pytest.mark.parametrize("training", [True, False])
def test_every_step_and_every_pixel_counts_as_a_sample(
    axes: tuple[int, ...], training: bool
) -> None:
    generator = np.random.default_rng(0)
    inputs, dvalues = generator.normal(5, 3, size=(2, 10, *axes, 2))
    layer, of_rows = BatchNormalization(2, dtype="float64"), BatchNormalization(2, dtype="float64")
    output = layer.forward(inputs, training)
    np.testing.assert_array_equal(
        output, of_rows.forward(inputs.reshape(-1, 2), training).reshape(inputs.shape)
    )
    if training:
        all_but_last = tuple(range(inputs.ndim - 1))
        np.testing.assert_allclose(output.mean(axis=all_but_last), 0, atol=1e-12)
        np.testing.assert_allclose(output.var(axis=all_but_last), 1, rtol=1e-4)
    dinputs = of_rows.backward(dvalues.reshape(-1, 2))
    np.testing.assert_array_equal(layer.backward(dvalues), dinputs.reshape(inputs.shape))
    for name in ("dweights", "dbiases", "running_mean", "running_variance"):
        np.testing.assert_array_equal(getattr(layer, name), getattr(of_rows, name))


@given(inputs=images(), training=st.booleans())
def test_outputs_and_gradients_of_images_are_those_of_pytorch(
    inputs: Array, training: bool
) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare")
    count, channels = inputs[..., 0].size, inputs.shape[-1]
    assume(count > 1)  # of one value PyTorch refuses to take the variance
    layer = BatchNormalization(channels, dtype="float64")
    layer.weights = np.arange(1.0, channels + 1)[np.newaxis]
    layer.biases = np.full((1, channels), 0.5)
    theirs = torch.tensor(np.moveaxis(inputs, -1, 1).copy(), requires_grad=True)
    weights, biases = (
        torch.tensor(a[0], requires_grad=True) for a in (layer.weights, layer.biases)
    )
    mean, variance = (
        torch.zeros(channels, dtype=torch.float64),
        torch.ones(channels, dtype=torch.float64),
    )
    # PyTorch's momentum is the weight of the batch.
    expected = torch.nn.functional.batch_norm(
        theirs, mean, variance, weights, biases, training, 0.1, 1e-5
    )
    expected.pow(2).sum().backward()
    output = layer.forward(inputs, training)
    close: dict[str, Any] = {"rtol": 1e-12, "atol": 1e-10}
    np.testing.assert_allclose(output, np.moveaxis(expected.detach().numpy(), 1, -1), **close)
    np.testing.assert_allclose(
        layer.backward(2 * output), np.moveaxis(theirs.grad.numpy(), 1, -1), **close
    )
    np.testing.assert_allclose(layer.dweights[0], weights.grad, **close)
    np.testing.assert_allclose(layer.dbiases[0], biases.grad, **close)
    np.testing.assert_allclose(layer.running_mean[0], mean, **close)
    if training:  # PyTorch's running variance is divided by one less than the count
        variance = (variance - 0.9) * (count - 1) / count + 0.9
    np.testing.assert_allclose(layer.running_variance[0], variance, **close)


def test_weights_scale_and_biases_shift() -> None:
    layer = BatchNormalization(1, epsilon=1e-12, dtype="float64")
    layer.weights, layer.biases = [[3.0]], [[10.0]]
    np.testing.assert_allclose(layer.forward([[-1.0], [1.0]]), [[7.0], [13.0]])


def test_running_statistics_move_by_the_momentum_and_serve_when_not_training() -> None:
    layer = BatchNormalization(1, momentum=0.75, epsilon=1e-12, dtype="float64")
    layer.forward([[2.0], [6.0]])  # mean 4, variance 4
    np.testing.assert_allclose(layer.running_mean, [[0.25 * 4]])
    np.testing.assert_allclose(layer.running_variance, [[0.75 * 1 + 0.25 * 4]])
    kept = layer.running_mean.copy(), layer.running_variance.copy()
    expected = (10.0 - 1.0) / np.sqrt(1.75)
    np.testing.assert_allclose(layer.forward([[10.0]], training=False), [[expected]])
    np.testing.assert_array_equal((layer.running_mean, layer.running_variance), kept)


def test_a_single_sample_normalizes_to_the_shift() -> None:
    layer = BatchNormalization(2)
    np.testing.assert_array_equal(layer.forward([[3.0, -4.0]]), [[0.0, 0.0]])
    np.testing.assert_array_equal(layer.backward([[1.0, 1.0]]), [[0.0, 0.0]])


def test_a_single_sample_says_nothing_of_the_running_statistics() -> None:
    layer = BatchNormalization(2)
    layer.forward([[3.0, -4.0]])
    np.testing.assert_array_equal(layer.running_mean, 0)
    np.testing.assert_array_equal(layer.running_variance, 1)


@pytest.mark.parametrize("shape", [(0, 5), (0, 4, 4, 5)])
@pytest.mark.parametrize("training", [True, False])
def test_an_empty_batch_has_empty_results_and_leaves_the_statistics(
    shape: tuple[int, ...], training: bool
) -> None:
    layer = BatchNormalization(5)
    assert layer.forward(np.zeros(shape), training).shape == shape
    assert layer.backward(np.zeros(shape)).shape == shape
    assert not layer.dweights.any()
    assert not layer.running_mean.any()
    assert (layer.running_variance == 1).all()


def test_float32_agrees_with_float64_over_many_values() -> None:
    generator = np.random.default_rng(0)
    images, dvalues = (
        generator.uniform(0, 255, (64, 32, 32, 2)),
        generator.normal(size=(64, 32, 32, 2)),
    )
    narrow, wide = BatchNormalization(2), BatchNormalization(2, dtype="float64")
    np.testing.assert_allclose(narrow.forward(images), wide.forward(images), atol=1e-4)
    np.testing.assert_allclose(narrow.backward(dvalues), wide.backward(dvalues), atol=1e-6)
    np.testing.assert_allclose(narrow.dweights, wide.dweights, rtol=1e-5, atol=1e-2)


@pytest.mark.parametrize("shape", [(5, 4), (5,), (5, 2, 4), (2, 2, 2, 4)])
def test_inputs_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"BatchNormalization\(3\) expects inputs of shape"):
        BatchNormalization(3).forward(np.ones(shape))


def test_channels_first_are_asked_for() -> None:
    with pytest.raises(ValueError) as raised:
        BatchNormalization(3).forward(np.ones((5, 3, 8, 9)))
    assert str(raised.value) == (
        "BatchNormalization(3): the last axis has 9 values; are these channels first? It expects "
        "inputs of shape (samples, …, 3), received (5, 3, 8, 9)"
    )


@pytest.mark.parametrize("options", [{"momentum": 1.0}, {"epsilon": 0}, {"dtype": int}])
def test_impossible_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        BatchNormalization(3, **options)  # type: ignore[arg-type]


def test_shapes_with_other_features_are_refused() -> None:
    layer = BatchNormalization(3)
    assert layer.output_shape((3,)) == (3,)
    assert layer.output_shape((8, 8, 3)) == (8, 8, 3)
    assert layer.output_shape(None) is None
    with pytest.raises(ValueError, match="expects inputs"):
        layer.output_shape((8, 8, 4))

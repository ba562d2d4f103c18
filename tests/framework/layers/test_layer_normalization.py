import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework import Dense, LayerNormalization, Model, check_gradients
from tests.strategies import Array, generator


@st.composite
def inputs(draw: st.DrawFn) -> Array:
    shape = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    return generator(draw).normal(size=shape)


@given(inputs=inputs())
def test_each_row_is_normalized_over_its_features(inputs: Array) -> None:
    layer = LayerNormalization(inputs.shape[-1], epsilon=0.01, dtype="float64")
    layer.weights, layer.biases = np.cos([layer.weights[0]]), np.sin([layer.weights[0]])
    expected = np.empty_like(inputs)
    for place in np.ndindex(*inputs.shape[:-1]):
        row = inputs[place]
        scaled = (row - row.mean()) / np.sqrt(row.var() + 0.01)
        expected[place] = scaled * layer.weights[0] + layer.biases[0]
    np.testing.assert_allclose(layer.forward(inputs), expected, rtol=1e-12, atol=1e-12)


@given(inputs=inputs())
def test_gradients_are_those_of_differences(inputs: Array) -> None:
    layer = LayerNormalization(inputs.shape[-1], epsilon=0.1, dtype="float64")
    layer.weights = 1 + np.arange(layer.n_features)[np.newaxis]
    report = check_gradients(layer, inputs)
    assert report.passed, report


@given(inputs=inputs())
def test_outputs_and_gradients_are_those_of_pytorch(inputs: Array) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare")
    features = inputs.shape[-1]
    layer = LayerNormalization(features, epsilon=0.01, dtype="float64")
    layer.weights, layer.biases = np.cos([np.arange(features)]), np.sin([np.arange(features)])
    module = torch.nn.LayerNorm(features, eps=0.01).double()
    module.load_state_dict(
        {"weight": torch.tensor(layer.weights[0]), "bias": torch.tensor(layer.biases[0])}
    )
    theirs = torch.tensor(inputs, requires_grad=True)
    expected = module(theirs)
    expected.pow(2).sum().backward()
    output = layer.forward(inputs)
    dinputs = layer.backward(2 * output)
    for found, other in (
        (output, expected.detach()),
        (dinputs, theirs.grad),
        (layer.dweights[0], module.weight.grad),
        (layer.dbiases[0], module.bias.grad),
    ):
        np.testing.assert_allclose(found, other, rtol=1e-12, atol=1e-12)


def test_one_sample_alone_gives_what_it_gives_in_a_batch() -> None:
    layer, batch = LayerNormalization(3), np.random.default_rng(0).normal(size=(4, 3))
    for sample, expected in zip(batch, layer.forward(batch), strict=True):
        np.testing.assert_array_equal(layer.forward([sample])[0], expected)


def test_another_number_of_features_is_refused_with_both_neighbours() -> None:
    with pytest.raises(ValueError, match=r"expects inputs of shape \(samples, …, 3\), received"):
        LayerNormalization(3).forward(np.ones((2, 3, 4)))
    with pytest.raises(ValueError, match=r"LayerNormalization\(3\) expects .*Dense\(2, 4\), gives"):
        Model([Dense(2, 4), LayerNormalization(3)]).finalize()

import numpy as np
import pytest

from framework import Conv2D, Dense, Flatten, Model, initializers
from optimizers.optimizer import parameter_names


def test_forward_is_the_sum_over_inputs_times_weights_plus_bias() -> None:
    layer = Dense(3, 2, dtype="float64")
    layer.weights = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    layer.biases = [[0.5, -0.5]]
    # 1·1 + 10·3 + 100·5 + 0.5 and 1·2 + 10·4 + 100·6 - 0.5
    np.testing.assert_array_equal(layer.forward([[1.0, 10.0, 100.0]]), [[531.5, 641.5]])


def test_gradients_of_a_batch_by_hand() -> None:
    layer = Dense(2, 1, dtype="float64")
    layer.weights = [[2.0], [3.0]]
    layer.forward([[1.0, 4.0], [5.0, 6.0]])
    np.testing.assert_array_equal(layer.backward([[1.0], [10.0]]), [[2.0, 3.0], [20.0, 30.0]])
    np.testing.assert_array_equal(layer.dweights, [[1 + 50.0], [4 + 60.0]])
    np.testing.assert_array_equal(layer.dbiases, [[11.0]])


def test_penalties_add_their_gradient_as_in_the_book() -> None:
    layer = Dense(
        1,
        3,
        weight_regularizer_l1=0.1,
        weight_regularizer_l2=0.01,
        bias_regularizer_l1=1.0,
        bias_regularizer_l2=0.5,
        dtype="float64",
    )
    layer.weights = [[-2.0, 0.0, 3.0]]
    layer.biases = [[0.0, -1.0, 1.0]]
    layer.forward([[0.0]])
    layer.backward([[0.0, 0.0, 0.0]])
    # λ₁ sign(w), +1 at 0, plus 2 λ₂ w
    np.testing.assert_allclose(layer.dweights, [[-0.1 - 0.04, 0.1, 0.1 + 0.06]])
    np.testing.assert_allclose(layer.dbiases, [[1.0, -1.0 - 1.0, 1.0 + 1.0]])


def test_inputs_with_more_axes_are_as_many_rows() -> None:
    rows, images = Dense(3, 2, dtype="float64"), Dense(3, 2, dtype="float64")
    images.weights, images.biases = rows.weights, rows.biases
    inputs, dvalues = np.cos(np.arange(120.0)), np.sin(np.arange(80.0))
    output = images.forward(inputs.reshape(2, 4, 5, 3))
    dinputs = images.backward(dvalues.reshape(2, 4, 5, 2))
    np.testing.assert_array_equal(output.reshape(40, 2), rows.forward(inputs.reshape(40, 3)))
    np.testing.assert_array_equal(dinputs.reshape(40, 3), rows.backward(dvalues.reshape(40, 2)))
    np.testing.assert_array_equal(images.dweights, rows.dweights)
    np.testing.assert_array_equal(images.dbiases, rows.dbiases)


def test_inputs_with_more_axes_and_another_width_are_refused() -> None:
    message = r"Dense\(2, 4\) expects inputs of shape \(samples, …, 2\), received \(5, 2, 3\)"
    with pytest.raises(ValueError, match=message):
        Dense(2, 4).forward(np.ones((5, 2, 3)))


def test_without_biases_the_output_is_the_product_alone() -> None:
    layer = Dense(2, 3, use_bias=False, weight_regularizer_l2=0.5, dtype="float64")
    inputs = np.array([[1.0, 2.0], [3.0, 5.0]])
    np.testing.assert_array_equal(layer.forward(inputs), inputs @ layer.weights)
    layer.backward(np.ones((2, 3)))
    # The column sums of the inputs, and 2 · 0.5 times the weights.
    np.testing.assert_allclose(layer.dweights - layer.weights, np.repeat([[4.0], [7.0]], 3, 1))
    assert not hasattr(layer, "biases")
    assert parameter_names(layer) == ("weights",)


def test_what_is_neither_true_nor_false_is_refused() -> None:
    for make in (lambda: Dense(2, 3, use_bias="no"), lambda: Conv2D(3, 8, 3, use_bias="no")):  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="use_bias must be True or False, received 'no'"):
            make()
    assert Dense(2, 3, use_bias=np.bool_(False)).use_bias is False  # type: ignore[arg-type]


def test_biases_that_are_not_there_cannot_be_regularized() -> None:
    with pytest.raises(ValueError, match="without use_bias there are no biases to regularize"):
        Dense(2, 3, use_bias=False, bias_regularizer_l1=0.1)


def test_axes_that_are_not_known_fit_everything() -> None:
    model = Model([Dense(8, 4), Flatten(), Dense(4 * 10, 3)])
    model.finalize()
    assert model.output_shapes((10, 8)) == [(10, 4), (40,), (3,)]
    with pytest.raises(ValueError, match="expects inputs of shape"):
        Model([Dense(8, 4), Dense(5, 3)]).finalize()


def test_parameter_gradients_are_those_of_backward() -> None:
    layer = Dense(3, 2, weight_regularizer_l2=0.1)
    layer.forward(np.arange(12.0).reshape(4, 3))
    dvalues = np.arange(8.0).reshape(4, 2)
    layer.backward(dvalues)
    expected = layer.dweights.copy(), layer.dbiases.copy()
    layer.dweights[:] = layer.dbiases[:] = 0
    layer.parameter_gradients(dvalues)
    np.testing.assert_array_equal(layer.dweights, expected[0])
    np.testing.assert_array_equal(layer.dbiases, expected[1])


def test_assigned_weights_take_effect_and_gradients_are_written_in_place() -> None:
    layer = Dense(2, 2)
    weights, dweights = layer.weights, layer.dweights
    layer.weights = np.eye(2)
    assert layer.weights is weights
    np.testing.assert_array_equal(layer.forward([[3.0, 4.0]]), [[3.0, 4.0]])
    layer.backward([[1.0, 0.0]])
    assert layer.dweights is dweights
    layer.weights -= 1
    np.testing.assert_array_equal(weights, [[0, -1], [-1, 0]])


def test_weights_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Dense.weights has shape \(2, 3\), received \(3, 2\)"):
        Dense(2, 3).weights = np.ones((3, 2))


@pytest.mark.parametrize("dtype", ["float32", "float64", np.float64])
def test_everything_has_the_dtype_of_the_parameters(dtype: object) -> None:
    layer = Dense(2, 3, dtype=dtype)
    output = layer.forward(np.ones((4, 2)))
    dinputs = layer.backward(np.ones((4, 3)))
    arrays = [output, dinputs, layer.weights, layer.biases, layer.dweights, layer.dbiases]
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}
    assert layer.dtype == np.dtype(dtype).name


@pytest.mark.parametrize("inputs", [np.ones((5, 3)), np.ones(2), 1.0])
def test_inputs_of_another_width_are_refused(inputs: object) -> None:
    with pytest.raises(ValueError, match=r"Dense\(2, 4\) expects inputs of shape \(samples, 2\)"):
        Dense(2, 4).forward(inputs)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0, 3), ValueError, "n_inputs must be at least 1, received 0"),
        ((2, 1.5), TypeError, "n_neurons must be a whole number, received 1.5"),
        ((2, True), TypeError, "n_neurons must be a whole number"),
    ],
)
def test_impossible_sizes_are_refused(
    arguments: tuple[int, int], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Dense(*arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight_regularizer_l1": -1}, "weight_regularizer_l1 must be 0 or greater"),
        ({"bias_regularizer_l2": float("nan")}, "bias_regularizer_l2 must be finite"),
        ({"dtype": "float16"}, "dtype must be 'float32' or 'float64', received 'float16'"),
        ({"dtype": "nonsense"}, "dtype must be"),
        ({"weight_initializer": "he_norml"}, "did you mean 'he_normal'?"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        Dense(2, 3, **options)  # type: ignore[arg-type]


def test_initializers_fill_weights_and_biases() -> None:
    layer = Dense(
        2, 3, weight_initializer=initializers.constant(2), bias_initializer=lambda s, g: np.ones(s)
    )
    assert (layer.weights == 2).all()
    assert (layer.biases == 1).all()

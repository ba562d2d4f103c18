"""Properties that hold for every operation, one test each."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import framework
from framework import (
    BatchNormalization,
    Dense,
    Dropout,
    LeakyReLU,
    Operation,
    Sequential,
    Softmax,
    check_gradients,
)
from framework.containers import Container
from optimizers.optimizer import parameter_names
from tests.every import (
    ACTIVATIONS,
    WITHOUT_GRADIENT,
    WITHOUT_PARAMETERS,
    operations_for,
    suitable,
    takes,
)
from tests.strategies import Array, batches, images


@given(inputs=batches(), training=st.booleans())
def test_backward_is_the_derivative_of_forward(inputs: Array, training: bool) -> None:
    for operation in operations_for(inputs.shape[1]):
        if not operation.example_axes:
            report = check_gradients(operation, inputs, training=training)
            assert report.passed, report


@pytest.mark.parametrize(
    "operation", [op for n in (1, 3) for op in operations_for(n) if op.example_axes], ids=repr
)
@pytest.mark.parametrize("samples", [1, 2])
def test_backward_is_the_derivative_of_forward_for_operations_on_images(
    operation: Operation, samples: int
) -> None:
    features = getattr(operation, "n_channels", 2)
    report = check_gradients(operation, suitable(operation, np.ones((samples, features))))
    assert report.passed, report


@given(inputs=images(), training=st.booleans())
def test_backward_is_the_derivative_of_forward_on_images(inputs: Array, training: bool) -> None:
    operations = [op for op in operations_for(inputs.shape[-1]) if takes(op, inputs.shape[1:])]
    assert operations
    for operation in operations:
        report = check_gradients(operation, inputs, training=training)
        assert report.passed, report


@given(inputs=batches())
def test_float32_agrees_with_float64(inputs: Array) -> None:
    for narrow, wide in zip(
        operations_for(inputs.shape[1], "float32"),
        operations_for(inputs.shape[1], "float64"),
        strict=True,
    ):
        if isinstance(narrow, (BatchNormalization, Dropout)):
            continue  # the one divides by differences of inputs, the other draws by dtype
        for name in parameter_names(narrow):
            setattr(wide, name, getattr(narrow, name))
        narrow_inputs = suitable(narrow, inputs).astype(np.float32)
        output = narrow.forward(narrow_inputs)
        expected = wide.forward(narrow_inputs.astype(np.float64))
        dvalues = np.ones_like(output)
        assert output.dtype == np.float32, narrow
        assert expected.dtype == np.float64, wide
        np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-5)
        dinputs = narrow.backward(dvalues)
        assert dinputs.dtype == np.float32, narrow
        np.testing.assert_allclose(dinputs, wide.backward(dvalues), rtol=1e-4, atol=1e-5)


@given(inputs=batches())
def test_what_is_stored_is_what_is_returned_in_the_shape_of_the_inputs(inputs: Array) -> None:
    for operation in operations_for(inputs.shape[1]):
        samples = suitable(operation, inputs)
        output = operation.forward(samples)
        assert operation.output is output
        dinputs = operation.backward(np.ones_like(output))
        assert operation.dinputs is dinputs
        assert dinputs.shape == samples.shape


@given(inputs=batches())
def test_the_output_has_the_shape_that_is_told_before(inputs: Array) -> None:
    for operation in operations_for(inputs.shape[1]):
        samples = suitable(operation, inputs)
        shape = operation.forward(samples).shape
        assert operation.output_shape(samples.shape[1:]) == shape[1:], operation


@given(inputs=batches())
def test_a_kept_output_never_changes_and_neither_do_the_inputs(inputs: Array) -> None:
    for operation in operations_for(inputs.shape[1], "float64"):
        for training in (True, False):
            samples = suitable(operation, inputs)
            given_inputs = samples.copy()
            output = operation.forward(given_inputs, training)
            dvalues = np.ones_like(output)
            dinputs = operation.backward(dvalues)
            kept = output.copy(), dinputs.copy()
            assert not np.shares_memory(output, given_inputs)
            assert not np.shares_memory(dinputs, dvalues)
            np.testing.assert_array_equal(given_inputs, samples)
            np.testing.assert_array_equal(dvalues, 1)
            operation.forward(-samples, training)
            operation.backward(2 * dvalues)
            np.testing.assert_array_equal(output, kept[0])
            np.testing.assert_array_equal(dinputs, kept[1])


@pytest.mark.parametrize("operation", WITHOUT_PARAMETERS, ids=repr)
@pytest.mark.parametrize(
    "given_as",
    [
        lambda array: array.tolist(),
        lambda array: array > 0,
        lambda array: array.astype(np.float16),
        np.asfortranarray,
        lambda array: np.frombuffer(array.tobytes()).reshape(array.shape),
    ],
    ids=["lists", "booleans", "float16", "fortran", "read-only"],
)
def test_any_real_numbers_are_accepted(
    operation: Operation, given_as: Callable[[Array], object]
) -> None:
    inputs = suitable(operation, np.arange(6.0).reshape(3, 2))
    output = operation.forward(given_as(inputs))
    assert output.dtype in (np.float32, np.float64)
    assert operation.backward(np.ones(output.shape)).shape == inputs.shape


@pytest.mark.parametrize(
    "inputs", [[["a", "b"]], [[1j, 2]], [[None, 1]], [[1.0], [1.0, 2.0]]], ids=repr
)
@pytest.mark.parametrize("operation", [*operations_for(2), *WITHOUT_GRADIENT], ids=repr)
def test_anything_else_is_refused(operation: Operation, inputs: object) -> None:
    with pytest.raises((TypeError, ValueError), match="inputs must"):
        operation.forward(inputs)


@pytest.mark.parametrize("operation", operations_for(2), ids=repr)
def test_backward_refuses_dvalues_of_another_shape(operation: Operation) -> None:
    operation.forward(suitable(operation, np.ones((3, 2))))
    with pytest.raises(ValueError, match=r"dvalues must have the shape .* received \(3,\)"):
        operation.backward(np.ones(3))


@pytest.mark.parametrize("operation", operations_for(2), ids=repr)
def test_backward_before_forward_says_so(operation: Operation) -> None:
    with pytest.raises(RuntimeError, match="backward was called before forward"):
        type(operation)(**operation.configuration()).backward(np.ones((1, 2)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "activation", [a for a in ACTIVATIONS if not isinstance(a, Softmax)], ids=repr
)
def test_huge_inputs_neither_overflow_nor_warn(activation: Operation, dtype: type) -> None:
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        output = activation.forward(np.array([[-1e4, 0.0, 1e4]], dtype=dtype))
        dinputs = activation.backward(np.ones_like(output))
    assert np.isfinite(output).all()
    assert np.isfinite(dinputs).all()


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        (Dense(2, 64), "Dense(2, 64)"),
        (Dense(2, 3, weight_regularizer_l2=0.5), "Dense(2, 3, weight_regularizer_l2=0.5)"),
        (Dropout(0.1), "Dropout(0.1)"),
        (LeakyReLU(), "LeakyReLU()"),
        (Softmax(temperature=2), "Softmax(temperature=2.0)"),
        (BatchNormalization(4, dtype="float64"), "BatchNormalization(4, dtype='float64')"),
    ],
)
def test_repr_is_the_call_that_makes_it(operation: Operation, text: str) -> None:
    assert repr(operation) == text
    copied = eval(text, vars(framework))
    assert copied.configuration() == operation.configuration()


def test_shapes_that_cannot_change_are_passed_on() -> None:
    for activation in ACTIVATIONS:
        assert activation.output_shape((3, 2)) == (3, 2)
        assert activation.output_shape(None) is None


def test_every_exported_operation_is_among_those_that_are_tested() -> None:
    tested = {type(operation) for operation in [*operations_for(2), *WITHOUT_GRADIENT]}
    for name in framework.__all__:
        cls = getattr(framework, name)
        if isinstance(cls, type) and issubclass(cls, Operation) and not issubclass(cls, Container):
            abstract = cls.forward is Operation.forward
            assert abstract or issubclass(cls, Sequential) or cls in tested, name


def test_operations_without_a_gradient_say_so() -> None:
    for operation in WITHOUT_GRADIENT:
        operation.forward([[1.0, 2.0]])
        with pytest.raises(NotImplementedError, match="cannot be trained by gradients"):
            operation.backward(np.ones((1, 2)))

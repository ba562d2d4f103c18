"""Data that fit a model, and data that are refused."""

import copy
from typing import Any

import numpy as np
import pytest

from datasets import one_hot_encode
from framework import (
    BinaryAccuracy,
    BinaryCrossentropy,
    Dense,
    MeanSquaredError,
    Model,
    Sigmoid,
)
from optimizers import SGD, Adam
from tests.framework.networks import X, classifier, y


class NeedsGradient:
    """A tensor of PyTorch that requires a gradient."""

    def __array__(self, *arguments: Any, **named: Any) -> Any:
        raise RuntimeError(
            "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
        )


BAD_DATA: list[tuple[Any, Any, type[Exception], str]] = [
    (np.ones((60, 5)), y, ValueError, r"Dense\(2, 8\) expects .*received \(samples, 5\): .*data"),
    (X[:, 0], y, ValueError, r"X must be \(samples, features\)"),
    (X[:10], y, ValueError, "received 10 samples and 60 targets"),
    (X, 1, ValueError, "a single value"),
    (X[:0], y[:0], ValueError, "X is empty"),
    (np.where(np.arange(60)[:, None] == 7, np.nan, X), y, ValueError, "row 7 has NaN or infinity"),
    (np.where(np.arange(60)[:, None] == 9, np.inf, X), y, ValueError, "row 9 has NaN or infinity"),
    (
        np.where(np.arange(60)[:, None] == 3, 1e300, X),
        y,
        ValueError,
        "row 3 has a number too large for float32",
    ),
    (X.astype(str), y, TypeError, "X must hold real numbers, received dtype"),
    (X.astype(object), y, TypeError, "X must hold real numbers, received dtype object"),
    (X + 1j, y, TypeError, "X must hold real numbers, received dtype complex128"),
    ([[1.0, 2.0], [3.0]], [0, 1], ValueError, "X must be an array of numbers, every row as long"),
    (X, y + 1, ValueError, "class numbers from 0 to 2, .* row 40 is 3"),
    (X, y.astype(int) - 1, ValueError, "row 0 is -1"),
    (X, y + 0.5, ValueError, "whole class numbers, but row 0 is 0.5"),
    (X, y.reshape(-1, 1), ValueError, "y must be class indices of shape"),
    (X, one_hot_encode(y, 4), ValueError, r"one-hot rows of shape \(60, 3\)"),
    (X, y.astype(str), TypeError, "y must hold real numbers"),
    (np.ma.masked_less(X, 0), y, TypeError, "masked values"),
    (NeedsGradient(), y, TypeError, r"X cannot be read as an array: .*tensor.detach\(\).numpy\(\)"),
]


@pytest.mark.parametrize(("bad_X", "bad_y", "error", "message"), BAD_DATA)
def test_bad_data_are_refused_and_the_model_is_unchanged(
    bad_X: Any, bad_y: Any, error: type[Exception], message: str
) -> None:
    model = classifier(optimizer=Adam())
    before = model.parameters.weights.copy()
    with pytest.raises(error, match=message):
        model.train(bad_X, bad_y, progress=False)
    with pytest.raises(error, match=message):
        model.evaluate(bad_X, bad_y)
    with pytest.raises(error, match=f"validation_data: .*{message}"):
        model.train(X, y, validation_data=(bad_X, bad_y), progress=False)
    np.testing.assert_array_equal(model.parameters.weights, before)
    assert model.optimizer.iterations == 0


def test_a_real_tensor_that_requires_a_gradient_is_refused_like_that() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    tensor, model = torch.zeros((60, 2), requires_grad=True), classifier()
    for use in (model.predict, model.forward, Dense(2, 3).forward):
        with pytest.raises(TypeError, match=r"\.detach\(\)\.numpy\(\)"):
            use(tensor)
    np.testing.assert_array_equal(model.predict(tensor.detach()), model.predict(np.zeros((60, 2))))


def test_targets_never_broadcast_against_outputs() -> None:
    model = Model([Dense(2, 2)])
    model.set(loss=MeanSquaredError(), optimizer=SGD())
    model.finalize()
    for targets in (np.zeros(60), np.zeros((60, 1)), np.zeros((60, 3))):
        with pytest.raises(ValueError, match=r"shape of the predictions, \(60, 2\)"):
            model.train(X, targets, progress=False)


def test_a_vector_of_targets_is_a_column_for_one_output() -> None:
    model = Model([Dense(2, 1), Sigmoid()])
    model.set(loss=BinaryCrossentropy(), optimizer=Adam(), accuracy=BinaryAccuracy())
    model.finalize()
    labels = (y > 0).astype(int)
    assert model.evaluate(X, labels) == model.evaluate(X, labels.reshape(-1, 1))
    model.train(X, labels, progress=False)


@pytest.mark.parametrize(
    "convert",
    [
        lambda a: a.tolist(),
        lambda a: np.asfortranarray(a),
        lambda a: a.astype(np.float16),
        lambda a: a > 0,
        lambda a: (10 * a).astype(np.int8),
        lambda a: np.frombuffer(a.tobytes()).reshape(a.shape),
    ],
    ids=["lists", "fortran", "float16", "bool", "int8", "read-only"],
)
def test_real_numbers_of_any_kind_are_accepted_and_not_written_to(convert: Any) -> None:
    given = convert(X)
    kept = copy.deepcopy(given)
    model = classifier(accuracy=None)
    expected = model.predict(np.array(given, dtype=np.float32))
    np.testing.assert_allclose(model.predict(given), expected, rtol=1e-3)
    model.train(given, y.tolist(), validation_data=(given, y), progress=False)
    np.testing.assert_array_equal(given, kept)


def test_memory_mapped_data_are_accepted(tmp_path: Any) -> None:
    np.save(tmp_path / "X.npy", (100 * X).astype(np.int16))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    model, other = classifier(), classifier()
    other.set_parameters(model.get_parameters())
    for network, data in ((model, mapped), (other, np.array(mapped))):
        network.train(data, y, shuffle=False, batch_size=None, progress=False)
    np.testing.assert_array_equal(model.parameters.weights, other.parameters.weights)
    np.testing.assert_array_equal(model.predict(mapped), other.predict(np.array(mapped)))

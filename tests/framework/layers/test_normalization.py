import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework import Conv2D, Dense, MeanSquaredError, Model, Normalization
from framework.layers import blocks
from framework.saving.file_format import encode, read
from optimizers import SGD
from tests.strategies import Array, generator


def data(samples: int = 1000) -> Array:
    return np.random.default_rng(0).normal([3.0, -50.0, 1e6], [1.0, 20.0, 0.5], (samples, 3))


def in_batches(X: Array) -> Iterator[Array]:
    yield from np.array_split(X, [10, 10, 700])


def as_batches(X: Array) -> list[Array]:
    return list(in_batches(X))


def as_lists(X: Array) -> list[list[Array]]:
    return [[X[:400], X[:400, :2]], [X[400:], X[400:, 0]]]


def as_similar_pairs(X: Array) -> tuple[tuple[Array, Array], ...]:
    return ((X[:500], 7 * X[:500]), (X[500:], 7 * X[500:]))


def as_pairs(X: Array) -> list[tuple[Array, Array]]:
    return [(X[:400], X[:400, 0]), (X[400:], X[400:, 0])]


class Batches:
    """Batches as a training takes them: each iteration begins anew."""

    def __init__(self, X: Array) -> None:
        self.X = X

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        return iter(as_pairs(self.X))


@pytest.mark.parametrize(
    "given_as",
    [
        lambda X: X,
        lambda X: X.tolist(),
        lambda X: list(map(tuple, X)),
        lambda X: list(X),
        lambda X: [(X[:300].tolist(), [0]), (X[300:].tolist(), [0])],
        in_batches,
        Batches,
        as_batches,
        as_pairs,
        as_lists,
        as_similar_pairs,
    ],
)
def test_statistics_are_those_of_all_data(given_as: Callable[[Array], Any]) -> None:
    X, layer = data(), Normalization(3, dtype="float64")
    layer.adapt(given_as(X))
    np.testing.assert_allclose(layer.mean, X.mean(axis=0, keepdims=True), rtol=1e-13)
    np.testing.assert_allclose(layer.deviation, X.std(axis=0, keepdims=True), rtol=1e-9)
    output = layer.forward(X)
    np.testing.assert_allclose(output.mean(axis=0), 0, atol=1e-8)
    np.testing.assert_allclose(output.std(axis=0), 1, rtol=1e-8)


@given(drawn=st.data(), block=st.integers(1, 200))
def test_any_division_into_blocks_gives_the_same(drawn: Any, block: int) -> None:
    shape = [drawn.draw(st.integers(1, 6)) for _ in range(drawn.draw(st.integers(2, 4)))]
    X = generator(drawn.draw).normal(100, 3, size=shape)
    layer = Normalization(shape[-1], mean=0, deviation=0, dtype="float64")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BYTES_AT_ONCE", 8 * block)
        if X.size == shape[-1]:  # a single value of each feature
            with pytest.warns(UserWarning, match="the same value everywhere in feature"):
                layer.adapt(X)
        else:
            layer.adapt(X)
    axes = tuple(range(X.ndim - 1))
    np.testing.assert_allclose(layer.mean[0], X.mean(axis=axes), rtol=1e-12)
    np.testing.assert_allclose(layer.deviation[0], X.std(axis=axes), rtol=1e-10, atol=1e-12)


def test_data_mapped_from_a_file_are_read_once(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", data())
    layer, expected = Normalization(3), Normalization(3)
    layer.adapt(np.load(tmp_path / "X.npy", mmap_mode="r"))
    expected.adapt(data())
    np.testing.assert_array_equal(layer.mean, expected.mean)
    np.testing.assert_array_equal(layer.deviation, expected.deviation)


def test_the_channels_of_images_in_bytes() -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 4, 5, 3)).astype(np.uint8)
    layer = Normalization(3)
    layer.adapt(images)
    np.testing.assert_allclose(layer.mean[0], images.mean(axis=(0, 1, 2)), rtol=1e-6)
    assert layer.forward(images).dtype == np.float32


def test_constant_features_are_left_at_0_and_named() -> None:
    X = data(7)
    X[:, 1] = 0.1  # whose mean over seven is not 0.1, in floating point
    layer = Normalization(3, dtype="float64")
    with pytest.warns(
        UserWarning, match=r"Normalization\(3, .*: the same value .* in feature 1, left"
    ):
        layer.adapt(X)
    assert layer.mean[0, 1] == 0.1
    output = layer.forward(X + 1)
    np.testing.assert_array_equal(output[:, 1], 0)
    np.testing.assert_array_equal(layer.backward(np.ones_like(output))[:, 1], 0)


def test_many_constant_features_are_counted() -> None:
    with pytest.warns(UserWarning, match="in features 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 90 more"):
        Normalization(100).adapt(np.ones((3, 100)))


def test_statistics_too_large_for_the_dtype_change_nothing() -> None:
    layer = Normalization(2, mean=[1, 2], deviation=4)
    with pytest.raises(ValueError, match="a mean or a .* too large for float32 in feature 0"):
        layer.adapt([[1e39, 1.0], [2e39, 2.0]])
    np.testing.assert_array_equal(layer.mean, [[1, 2]])
    np.testing.assert_array_equal(layer.deviation, [[4, 4]])


@pytest.mark.parametrize("exponents", [[-1015] * 3, [1020] * 3, [-1015, 1020, 0]])
def test_of_tiny_and_huge_numbers_no_square_is_lost(exponents: list[int]) -> None:
    X = np.random.default_rng(0).normal([0.5, 0, 8], size=(1000, 3)) / 4
    X[:300] *= 1e-6  # the first batch is smaller than the others
    X[:100] = 0
    layer, expected = Normalization(3, dtype="float64"), Normalization(3, dtype="float64")
    expected.adapt(as_batches(X))
    layer.adapt(as_batches(np.ldexp(X, exponents)))
    np.testing.assert_allclose(layer.mean, np.ldexp(expected.mean, exponents), rtol=1e-13)
    expected_deviation = np.ldexp(expected.deviation, exponents)
    np.testing.assert_allclose(layer.deviation, expected_deviation, rtol=1e-13)
    np.testing.assert_allclose(layer.forward(np.ldexp(X, exponents)), expected.forward(X))
    np.testing.assert_allclose(expected.deviation[0], X.std(axis=0), rtol=1e-13)


@pytest.mark.parametrize("tiny", [1e-50, 1e-40])
def test_features_that_differ_by_too_little_are_left_at_0_and_named(tiny: float) -> None:
    layer = Normalization(2)
    with pytest.warns(UserWarning, match="a deviation too small for float32 in feature 1, left"):
        layer.adapt([[1.0, tiny], [3.0, -tiny]])
    np.testing.assert_array_equal(layer.forward([[1.0, tiny], [3.0, 1.0]]), [[-1, 0], [1, 0]])
    with pytest.raises(ValueError, match=r"so large that 1 / deviation is finite in float32"):
        Normalization(2, mean=0, deviation=[1, tiny])


def test_a_mean_much_larger_than_the_deviation_is_named() -> None:
    X = np.array([[1.7e9, 1.0], [1.7e9 + 100, 2.0]])
    with pytest.warns(UserWarning, match="much larger than .* in feature 0, whose .* float32"):
        Normalization(2).adapt(X)
    for layer, numbers in ((Normalization(2), X - [1.7e9, 0]), (Normalization(2, dtype=float), X)):
        layer.adapt(numbers)
        np.testing.assert_allclose(layer.forward(numbers), [[-1, -1], [1, 1]], rtol=1e-6)


# With more digits than float32 holds: the means are 1/50 and 1/8 beside a number that it has.
LARGE = np.random.default_rng(1).normal([1e6 + 0.02, 4e6 + 0.125, -1.0], 1.0, (500, 3))
LARGE_32 = LARGE.astype(np.float32)


def normalized(X: Array) -> Array:
    return (X.astype(np.float64) - LARGE.mean(axis=0)) / LARGE.std(axis=0)


def of_large(dtype: str = "float32") -> Normalization:
    layer = Normalization(3, dtype=dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of the values themselves, in float32
        layer.adapt(LARGE)
    return layer


def test_of_large_means_no_digit_is_lost() -> None:
    given = Normalization(3, mean=LARGE.mean(axis=0), deviation=LARGE.std(axis=0))
    for layer in (of_large(), given):
        np.testing.assert_allclose(layer.forward(LARGE_32), normalized(LARGE_32), atol=1e-6)
        np.testing.assert_allclose(layer.forward(LARGE), normalized(LARGE), atol=1e-6)
        assert layer.forward(LARGE).dtype == np.float32
        assert layer.mean_rest[0, 2] == 0  # not more than a rounding error of the output


@pytest.mark.parametrize("dtypes", [("float32", "float64"), ("float64", "float32")])
def test_a_large_mean_keeps_its_digits_in_another_dtype(dtypes: tuple[str, str]) -> None:
    own, requested = dtypes
    layer = of_large(own)
    model = Model([layer], dtype=requested)
    model.finalize()
    X = LARGE_32.astype(requested)
    np.testing.assert_allclose(model.forward(X, training=False), normalized(X), atol=1e-6)


def test_a_mean_that_is_set_is_the_mean() -> None:
    layer = of_large()
    layer.mean, layer.deviation = [[1e6, 2.0, 3.0]], [[1.0, 1.0, 2.0]]
    np.testing.assert_array_equal(layer.forward([[1e6 + 1, 2.0, 7.0]]), [[1, 0, 2]])


def test_a_large_mean_is_saved_and_older_files_without_its_rest_are_read(tmp_path: Path) -> None:
    model = Model([of_large(), Dense(3, 1)])
    model.finalize()
    path = tmp_path / "model.safetensors"
    model.save(path)
    loaded = Model.load(path)
    np.testing.assert_array_equal(loaded.predict(LARGE_32), model.predict(LARGE_32))

    contents, arrays = read(path)
    del arrays["layers.0.mean_rest"]
    path.write_bytes(encode(contents, arrays))
    older = Model.load(path)
    np.testing.assert_array_equal(older.layers[0].mean, model.layers[0].mean)
    assert not older.layers[0].mean_rest.any()


def test_use_before_adapt_says_what_to_do() -> None:
    model = Model([Normalization(3), Dense(3, 1)])
    model.set(loss=MeanSquaredError(), optimizer=SGD())
    model.finalize()
    before = model.parameters.weights.copy()
    with pytest.raises(RuntimeError, match=r"Normalization\(3\) has no mean .*: call adapt\(X\)"):
        model.train(data(), data()[:, :1], progress=False)
    np.testing.assert_array_equal(model.parameters.weights, before)
    model.layers[0].adapt(data())
    assert np.isfinite(model.predict(data())).all()


def test_it_can_be_adapted_before_and_after_the_model_is_finalized() -> None:
    before, after = Normalization(3), Normalization(3)
    before.adapt(data())
    models = [Model([layer, Dense(3, 1)]) for layer in (before, after)]
    for model in models:
        model.finalize()
    after.adapt(data())
    models[1].layers[1].weights = models[0].layers[1].weights
    np.testing.assert_array_equal(models[0].predict(data()), models[1].predict(data()))


def test_statistics_are_saved_and_not_trained(tmp_path: Path) -> None:
    layer = Normalization(3)
    layer.adapt(data())
    model = Model([layer, Dense(3, 1)])
    model.set(loss=MeanSquaredError(), optimizer=SGD(0.01))
    model.finalize()
    mean, deviation = layer.mean.copy(), layer.deviation.copy()
    model.train(data(), data()[:, :1], epochs=2, progress=False)
    np.testing.assert_array_equal(layer.mean, mean)
    np.testing.assert_array_equal(layer.deviation, deviation)
    model.save(tmp_path / "model.safetensors")
    loaded = Model.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.predict(data()), model.predict(data()))
    assert repr(loaded.layers[0]) == "Normalization(3)"


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ones((4, 2)), r"expects X of shape \(samples, …, 3\), received \(4, 2\)"),
        (np.ones(3), r"expects X of shape \(samples, …, 3\), received \(3,\)"),
        (np.empty((0, 3)), "there are no data to adapt to"),
        (iter([]), "there are no data to adapt to"),
        ([[1.0, 2.0, 3.0], [1.0, np.nan, 3.0]], "X must be finite, but row 1 has NaN"),
        (iter([np.ones((2, 3)), np.full((1, 3), np.inf)]), "X of batch 1 must be finite"),
    ],
)
def test_data_that_do_not_fit_change_nothing(X: Any, message: str) -> None:
    layer = Normalization(3, mean=[1, 2, 3], deviation=4)
    with pytest.raises(ValueError, match=message):
        layer.adapt(X)
    np.testing.assert_array_equal(layer.mean, [[1, 2, 3]])
    np.testing.assert_array_equal(layer.deviation, [[4, 4, 4]])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ((np.ones((4, 3)), np.ones((4, 3))), r"not be a tuple of arrays, such as \(X, y\): give X"),
        ([[np.ones((4, 5, 3))] * 2] * 2, r"batch 0 is a list of .* which may be \[X, y\] or sampl"),
        ([[np.ones((4, 5, 3)), np.ones((4, 6, 3))]], r"give a tuple \(X, y\), or the samples in"),
        ("x.npy", r"received a path: load the file, as np.load\(path, mmap_mode='r'\) does"),
        (Path("x.npy"), "received a path: load the file"),
    ],
)
def test_what_may_be_meant_otherwise_is_refused(X: Any, message: str) -> None:
    layer = Normalization(3, mean=1, deviation=4)
    with pytest.raises(TypeError, match=message):
        layer.adapt(X)
    np.testing.assert_array_equal(layer.mean, [[1, 1, 1]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mean": 1}, "give both the mean and the deviation"),
        ({"mean": 1, "deviation": -1}, "deviation must be 0 or greater"),
        ({"mean": [1, 2], "deviation": 1}, r"mean must have shape \(3,\), received \(2,\)"),
        ({"mean": np.nan, "deviation": 1}, "mean must be finite"),
    ],
)
def test_impossible_statistics_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Normalization(3, **options)


def test_before_a_convolution_the_channels_must_fit() -> None:
    layer = Normalization(3, mean=0, deviation=1)
    model = Model([layer, Conv2D(3, 2, 3)])
    model.finalize()
    with pytest.raises(ValueError, match=r"Normalization\(3\) expects .*received \(samples, 8, 8"):
        model.predict(np.ones((2, 8, 8, 1)))

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets import DataError
from datasets.images import Conversion, check_labels

EVERY_BYTE = np.arange(256, dtype=np.uint8).reshape(4, 8, 8)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("scale", [(0, 1), (-1, 1)])
def test_the_range_is_spread_over_the_scale_exactly_at_its_ends(
    scale: tuple[float, float], dtype: str
) -> None:
    low, high = scale
    scaled = Conversion(False, scale, dtype)([EVERY_BYTE])
    assert scaled.dtype == dtype
    assert scaled.min() == low
    assert scaled.max() == high
    expected = low + (high - low) * (np.arange(256) / 255)
    np.testing.assert_allclose(scaled.ravel(), expected, atol=2 * np.finfo(dtype).eps)


@given(low=st.floats(-100, 100), width=st.floats(1e-3, 100))
def test_any_scale_will_do(low: float, width: float) -> None:
    scaled = Conversion(False, (low, low + width), "float64")([EVERY_BYTE])
    expected = np.interp(np.arange(256), [0, 255], [low, low + width])
    np.testing.assert_allclose(scaled.ravel(), expected, atol=1e-12)


def test_scaled_images_are_float32_and_others_stay_bytes() -> None:
    assert Conversion(False, (0, 1), None)([EVERY_BYTE]).dtype == np.float32
    assert Conversion(False, None, None)([EVERY_BYTE]).dtype == np.uint8


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "float16", "float32", float])
def test_unscaled_images_keep_their_values_in_any_dtype_that_holds_them(dtype: Any) -> None:
    images = Conversion(False, None, dtype)([EVERY_BYTE])
    assert images.dtype == dtype
    np.testing.assert_array_equal(images, EVERY_BYTE)


def test_parts_follow_each_other_and_flattened_images_are_rows() -> None:
    parts = [EVERY_BYTE[:1], EVERY_BYTE[1:]]
    np.testing.assert_array_equal(Conversion(False, None, None)(parts), EVERY_BYTE)
    np.testing.assert_array_equal(
        Conversion(True, None, None)(parts), np.arange(256).reshape(4, 64)
    )


def test_the_result_is_contiguous_also_from_transposed_parts() -> None:
    transposed = EVERY_BYTE.transpose(0, 2, 1)
    for scale in (None, (0, 1)):
        images = Conversion(False, scale, None)([transposed, transposed])
        assert images.flags.c_contiguous
        assert images.flags.writeable
    np.testing.assert_array_equal(Conversion(False, None, None)([transposed]), transposed)


@pytest.mark.parametrize(
    ("scale", "dtype", "copies"),
    [(None, None, 0), (None, np.int16, 2), ((0, 1), None, 4), ((-1, 1), np.float64, 8)],
)
def test_converting_makes_no_array_but_the_result(scale: Any, dtype: Any, copies: int) -> None:
    images = np.zeros((1000, 28, 28), dtype=np.uint8)
    convert = Conversion(True, scale, dtype)
    tracemalloc.start()
    try:
        convert([images])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # NumPy converts through buffers of some thousands of items.
    assert peak < copies * images.size + 200_000


@pytest.mark.parametrize(
    ("scale", "dtype", "error", "message"),
    [
        (1, None, TypeError, "scale must be None or a pair of numbers such as (0, 1), received 1"),
        ((0, 1, 2), None, TypeError, "received (0, 1, 2)"),
        (("a", "b"), None, TypeError, "received ('a', 'b')"),
        ("01", None, TypeError, "received '01'"),
        (b"01", None, TypeError, "received b'01'"),
        ((0, 1e6), "float16", ValueError, "must fit into float16, whose largest number is 65504"),
        ((-6e4, 6e4), "float16", ValueError, "must fit into float16"),
        ((0, 1e39), None, ValueError, "must fit into float32"),
        ((-1e308, 1.7e308), "float64", ValueError, "must fit into float64"),
        ((1, 0), None, ValueError, "in ascending order, received (1, 0)"),
        ((0, 0), None, ValueError, "in ascending order"),
        ((0, float("inf")), None, ValueError, "must be finite"),
        ((float("nan"), 1), None, ValueError, "must be finite"),
        ((0, 1), "uint8", ValueError, "need a floating-point dtype, received uint8"),
        ((0, 1), "complex64", ValueError, "need a floating-point dtype"),
        (None, "int8", ValueError, "dtype must hold the numbers 0 to 255, received int8"),
        (None, "bool", ValueError, "received bool"),
        (None, "complex64", ValueError, "received complex64"),
        (None, "U3", ValueError, "received <U3"),
        (None, "floaty", TypeError, "floaty"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    scale: Any, dtype: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as raised:
        Conversion(False, scale, dtype)
    assert message in str(raised.value)


@pytest.mark.parametrize("flatten", ["no", 1, None])
def test_flatten_is_true_or_false(flatten: Any) -> None:
    with pytest.raises(TypeError, match="flatten must be True or False, received"):
        Conversion(flatten, None, None)


def test_a_scale_up_to_the_largest_number_fits() -> None:
    images = Conversion(False, (0, 65504), "float16")([EVERY_BYTE])
    assert images.max() == 65504


def test_a_label_that_is_no_class_is_named() -> None:
    check_labels(np.array([0, 9], dtype=np.uint8), "file", 10)
    with pytest.raises(DataError, match="file: expected labels from 0 to 9, but number 2 is 10"):
        check_labels(np.array([0, 9, 10, 255], dtype=np.uint8), "file", 10)

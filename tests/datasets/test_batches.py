import numpy as np
import pytest

from datasets import batch, one_hot_encode


def test_batches_go_through_everything_in_order_with_a_short_last_one() -> None:
    data, labels = np.arange(14).reshape(7, 2), np.arange(7)
    pieces = list(batch(data, labels, 3))
    assert [len(y) for _, y in pieces] == [3, 3, 1]
    np.testing.assert_array_equal(np.concatenate([x for x, _ in pieces]), data)
    np.testing.assert_array_equal(np.concatenate([y for _, y in pieces]), labels)


def test_a_batch_may_be_larger_than_the_data_and_the_data_empty() -> None:
    assert [len(y) for _, y in batch([[1], [2]], [1, 2], 10)] == [2]
    assert list(batch(np.zeros((0, 2)), [], 10)) == []


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1, 2], [1, 2], 0), ValueError, "batch_size must be at least 1"),
        (([1, 2], [1, 2], 1.5), TypeError, "batch_size must be a whole number"),
        (([1, 2], [1], 1), ValueError, "same number of samples"),
        ((1, 1, 1), ValueError, "same number of samples"),
    ],
)
def test_mistakes_are_found_at_the_call(
    arguments: tuple[object, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        batch(*arguments)  # type: ignore[arg-type]


def test_one_hot_rows_point_at_the_label() -> None:
    labels = np.array([2, 0, 1, 2], dtype=np.uint8)
    encoded = one_hot_encode(labels, 4)
    assert encoded.shape == (4, 4)
    np.testing.assert_array_equal(encoded.sum(axis=1), 1)
    np.testing.assert_array_equal(encoded.argmax(axis=1), labels)
    assert one_hot_encode([], 3).shape == (0, 3)


@pytest.mark.parametrize(
    ("labels", "classes", "error", "message"),
    [
        ([0, 3], 3, ValueError, "from 0 to 2, but row 1 is 3"),
        ([-1], 3, ValueError, "row 0 is -1"),
        ([0.5], 3, ValueError, "row 0 is 0.5"),
        ([np.nan], 3, ValueError, "row 0 is nan"),
        ([[0], [1]], 3, ValueError, r"shape \(samples,\)"),
        (["a"], 3, TypeError, "whole numbers"),
        ([0], 0, ValueError, "num_classes must be at least 1"),
    ],
)
def test_labels_that_are_no_classes_are_refused(
    labels: object, classes: int, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        one_hot_encode(labels, classes)  # type: ignore[arg-type]

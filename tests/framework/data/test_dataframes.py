"""What is wrong in a DataFrame is named by row and column."""

import re
from typing import Any

import numpy as np
import pytest

from framework import CategoricalCrossentropy, Dense, MeanSquaredError, Model, Softmax
from optimizers import SGD

pandas = pytest.importorskip("pandas", reason="pandas is not installed")


def model() -> Model:
    it = Model([Dense(3, 2), Softmax()])
    it.set(loss=CategoricalCrossentropy(), optimizer=SGD())
    it.finalize()
    return it


def table(column: str, row: int, cell: Any, **options: Any) -> Any:
    data = pandas.DataFrame(
        {"height": [1.0, 2.0, 3.0], "age": [4, 5, 6], "of rooms": [True, False, True]}, **options
    ).astype(object if isinstance(cell, str) else float)
    data.iloc[row, data.columns.get_loc(column)] = cell
    return data


@pytest.mark.parametrize(
    ("data", "error", "text"),
    [
        (
            table("age", 1, np.nan),
            ValueError,
            "X must be finite, but row 1, column 'age' is NaN",
        ),
        (table("height", 2, -np.inf), ValueError, "row 2, column 'height' has -inf"),
        (table("height", 0, 1e300), ValueError, "row 0, column 'height' has 1e+300"),
        (
            table("of rooms", 2, "many"),
            TypeError,
            "must hold real numbers, received dtype object: row 2, column 'of rooms' has 'many'",
        ),
        (
            table("age", 1, np.nan, index=["x", "y", "z"]),
            ValueError,
            "row 1 ('y'), column 'age' is NaN",
        ),
        (
            pandas.DataFrame({"a": [1, 2], "b": pandas.array([1, None], "Int64"), "c": [3, 4]}),
            (TypeError, ValueError),  # pandas before 3 makes it an array of objects
            "column 'b'",
        ),
        (
            pandas.DataFrame(
                {"a": [1, 2], "day": pandas.to_datetime(["2020-02-03"] * 2), 7: [3, 4]}
            ),
            TypeError,
            "column 'day'",
        ),
        (
            pandas.DataFrame([[1.0, 2.0, 3.0], [4.0, np.nan, np.nan]]),
            ValueError,
            "row 1, column 1 is NaN",
        ),
        # Two columns of one name, as a careless merge makes them.
        (pandas.DataFrame([[1.0, 2.0, np.nan]], columns=["a", "a", "b"]), ValueError, "column 'b'"),
    ],
)
@pytest.mark.parametrize("verb", ["train", "evaluate", "predict"])
def test_row_and_column_are_named(data: Any, error: Any, text: str, verb: str) -> None:
    y = np.zeros(len(data), int)
    arguments = (data,) if verb == "predict" else (data, y)
    with pytest.raises(error, match=re.escape(text)):
        getattr(model(), verb)(*arguments)


def test_a_dataframe_of_numbers_is_taken() -> None:
    data = table("age", 1, 5.0)
    np.testing.assert_array_equal(
        (it := model()).predict(data), it.predict(np.array([[1, 4, 1], [2, 5, 0], [3, 6, 1.0]]))
    )


def test_columns_with_dtypes_of_pandas_and_categories_of_numbers_are_numbers() -> None:
    data = pandas.DataFrame(
        {
            "rooms": pandas.array([4, 5, 6], dtype="Int64"),
            "area": pandas.array([1.5, 2.0, 3.0], dtype="Float64"),
            "rank": pandas.Categorical([3, 1, 3]),
        }
    )
    plain = np.array([[4, 1.5, 3], [5, 2, 1], [6, 3, 3]])
    y = pandas.Series([1, 0, 1], dtype="Int64")
    trained = []
    for X, targets in ((data, y), (plain, [1, 0, 1]), (data.assign(rank=[True] * 3), y)):
        it = model()
        it.set_parameters([(np.ones((3, 2)), np.zeros((1, 2)))])
        it.train(X, targets, shuffle=False, progress=False)
        trained.append(it.layers[0].weights)
    np.testing.assert_array_equal(trained[0], trained[1])
    assert not np.array_equal(trained[0], trained[2])


@pytest.mark.parametrize(
    ("column", "error", "text"),
    [
        (pandas.array([1, 2, None], "Int64"), ValueError, "row 2, column 'a' is (NaN|missing)"),
        (pandas.array([0.5, None, 1], "Float64"), ValueError, "row 1, column 'a' is (NaN|missing)"),
        (
            pandas.array([True, None, False], "boolean"),
            ValueError,
            "row 1, column 'a' is (NaN|missing)",
        ),
        (pandas.Categorical(["x", "y", "x"]), TypeError, "row 0, column 'a' has 'x'"),
    ],
)
def test_missing_values_and_texts_in_them_are_named(column: Any, error: Any, text: str) -> None:
    data = pandas.DataFrame({"a": column, "b": [1, 2, 3], "c": [0.5, 1, 2]})
    with pytest.raises(error, match=text):
        model().train(data, [0, 1, 0], progress=False)


def test_a_cell_of_the_targets_is_named() -> None:
    two = Model([Dense(1, 2)])
    two.set(loss=MeanSquaredError(), optimizer=SGD(0.1))
    two.finalize()
    y = pandas.DataFrame({"price": [1.0, 2.0], "area": [3.0, np.nan]}, index=["a", "b"])
    with pytest.raises(ValueError, match=r"y must .* row 1 \('b'\), column 'area' is NaN"):
        two.train(np.ones((2, 1)), y, progress=False)

"""What is wrong in a DataFrame is named by row and column."""

import re
from typing import Any

import numpy as np
import pytest

from framework import CategoricalCrossentropy, Dense, Model, Softmax
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
            "X must be finite, but row 1 has nan in column 'age'",
        ),
        (table("height", 2, -np.inf), ValueError, "row 2 has -inf in column 'height'"),
        (table("height", 0, 1e300), ValueError, "row 0 has 1e+300 in column 'height'"),
        (
            table("of rooms", 2, "many"),
            TypeError,
            "must hold real numbers, received dtype object: row 2 has 'many' in column 'of rooms'",
        ),
        (
            table("age", 1, np.nan, index=["x", "y", "z"]),
            ValueError,
            "row 1 ('y') has nan in column 'age'",
        ),
        (
            pandas.DataFrame({"a": [1, 2], "b": pandas.array([1, None], "Int64"), "c": [3, 4]}),
            (TypeError, ValueError),  # pandas before 3 makes it an array of objects
            "in column 'b'",
        ),
        (
            pandas.DataFrame(
                {"a": [1, 2], "day": pandas.to_datetime(["2020-02-03"] * 2), 7: [3, 4]}
            ),
            TypeError,
            "in column 'day'",
        ),
        (
            pandas.DataFrame([[1.0, 2.0, 3.0], [4.0, np.nan, np.nan]]),
            ValueError,
            "row 1 has nan in column 1",
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

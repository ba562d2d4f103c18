import numpy as np
import pytest

from datasets import spiral_data
from framework import nnfs_book as book
from framework.utils.warnings import warn_user


def test_a_warning_points_at_the_line_outside_the_library() -> None:
    with pytest.warns(UserWarning, match="look here") as caught:
        warn_user("look here")
    assert caught[0].filename == __file__


def test_that_holds_however_deep_in_the_library_it_is_raised() -> None:
    model = book.Model()
    model.add(book.Layer_Dense(2, 3))
    model.add(book.Activation_Softmax())
    model.set(
        loss=book.Loss_CategoricalCrossentropy(),
        optimizer=book.Optimizer_SGD(),
        accuracy=book.Accuracy_Categorical(),
    )
    model.finalize()
    X, y = spiral_data(20, 3, seed=0)
    with pytest.warns(UserWarning, match="sorted by class") as caught:
        model.train(X, y, batch_size=10)
    assert caught[0].filename == __file__
    # Its advice is code that works as it stands, and train here has no argument shuffle.
    advice = str(caught[0].message).partition("first: ")[2]
    names = {"np": np, "X": X, "y": y}
    exec(advice, names)
    assert sorted(zip(*names["X"].T, names["y"], strict=True)) == sorted(zip(*X.T, y, strict=True))
    model.train(names["X"], names["y"], batch_size=10)  # without a warning

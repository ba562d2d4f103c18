"""``plots.network``: the diagram of a network."""

from typing import Any

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex

from framework import Dense, Flatten, Model, ReLU, Softmax, plots


def texts(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_network_draws_neurons_weights_and_names() -> None:
    ax = plots.network(Model([Dense(2, 3), ReLU(), Dense(3, 4), Softmax()]))
    circles = [line for line in ax.lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in circles] == [2, 3, 4]
    lines = [found for found in ax.collections if isinstance(found, LineCollection)]
    assert [len(found.get_segments()) for found in lines] == [6, 12]
    assert texts(ax) == ["2\ninputs", "3\nDense\nReLU", "4\nDense\nSoftmax"]


def test_the_colour_of_a_line_is_its_sign_and_its_width_its_size() -> None:
    layer = Dense(2, 1, dtype="float64")
    layer.weights = [[-0.5], [2.0]]
    (lines,) = plots.network(Model([layer])).collections
    assert [to_hex(colour, keep_alpha=False) for colour in lines.get_colors()] == [
        "#e69f00",
        "#0072b2",
    ]
    assert lines.get_linewidths() == pytest.approx([0.3 + 2.7 / 4, 3])
    left, right = lines.get_segments()[1]
    assert left[0] == 0 and right == pytest.approx([1, 0.5])


def test_a_large_layer_is_drawn_up_to_as_many_neurons_as_asked_for() -> None:
    ax = plots.network(Model([Dense(2, 64), Dense(64, 3)]), neurons=5)
    assert "+ 60" in texts(ax)


def test_it_can_be_drawn_on_given_axes_and_next_to_images(fig_axes: Any) -> None:
    model = Model([Flatten(), Dense(12, 2)])
    model.finalize()
    model.predict(np.zeros((1, 2, 2, 3)))
    assert plots.network(model, fig_axes) is fig_axes
    assert texts(fig_axes)[0] == "2 × 2 × 3\ninputs"


@pytest.fixture
def fig_axes() -> Any:
    import matplotlib.pyplot as plt

    return plt.subplots()[1]


@pytest.mark.parametrize(
    ("model", "neurons", "error", "message"),
    [
        (Dense(2, 3), 10, TypeError, "expects a Model or a Sequential, received Dense"),
        (Model([Dense(2, 3)]), 1, ValueError, "neurons must be at least 2"),
        (Model([Dense(2, 3), Dense(4, 1)]), 10, ValueError, "expects inputs of shape"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    model: Any, neurons: int, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        plots.network(model, neurons=neurons)

"""The values of an experiment, and the link that holds them."""

import base64
import json
import zlib
from typing import Any

import numpy as np
import pytest

from framework.playground.link import LONGEST, MOST_POINTS, decode, encode
from framework.playground.points import Points
from framework.playground.settings import (
    ACTIVATIONS,
    OPTIMIZERS,
    DataSettings,
    LayerSettings,
    NetworkSettings,
    Settings,
    TrainingSettings,
)

OTHER = Settings(
    DataSettings("circle", classes=4, noise=0.25, seed=7),
    NetworkSettings(
        ("x", "sin y"), (LayerSettings(5, "gelu", True, 0.25, l2=0.5),), "categorical_crossentropy"
    ),
    TrainingSettings("nadam", 0.5, schedule="cosine", batch_size=7),
)


def test_settings_are_the_same_after_they_were_written() -> None:
    for settings in (Settings(), OTHER):
        text = json.dumps(settings.to_dict())
        assert Settings.from_dict(json.loads(text)) == settings
    assert Settings().to_dict() == {}


def test_every_activation_with_a_gradient_and_every_optimizer_can_be_chosen() -> None:
    assert {"prelu", "selu", "softmax", "gelu"} <= set(ACTIVATIONS)
    assert "step" not in ACTIVATIONS
    assert {"adam", "adamw", "lion", "nadam", "sgd", "rmsprop", "adagrad"} <= set(OPTIMIZERS)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"data": {"source": "../etc"}}, "source must be one of spiral, circle"),
        ({"data": {"noise": -1}}, "noise must be 0 or greater"),
        ({"data": {"noise": float("nan")}}, "noise"),
        ({"data": {"samples": 10**9}}, "samples must be at most 2,000"),
        ({"data": {"classes": "3"}}, "expected int, received '3'"),
        ({"network": {"layers": [{"activation": "os.system"}]}}, "activation must be one of"),
        ({"network": {"layers": 5}}, "expected a list"),
        ({"network": {"features": []}}, "at least one input"),
        ({"network": {"features": ["x", "x"]}}, "once"),
        ({"training": {"learning_rate": 0}}, "learning_rate must be greater than 0"),
        ({"training": {"batch_size": True}}, "expected int"),
        ({"__class__": {}}, "Settings has no '__class__'"),
        ([], "must be values by name"),
    ],
)
def test_what_is_no_setting_is_refused(values: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        Settings.from_dict(values)


def test_a_link_holds_the_whole_setting() -> None:
    for settings in (Settings(), OTHER):
        assert decode(encode(settings)) == (settings, None)
    assert len(encode(OTHER)) < 500


def test_a_link_holds_a_few_points_of_ones_own() -> None:
    own = Points(np.array([[0.5, -1.25], [2.0, 3.0]]), np.array([1, 0]), ("x", "y"), ("a", "b"))
    settings = Settings(DataSettings("own"))
    decoded, found = decode(encode(settings, own))
    assert decoded == settings and found is not None
    np.testing.assert_array_equal(found.X, own.X)
    np.testing.assert_array_equal(found.y, own.y)
    assert found.class_names == ("a", "b")


def test_many_points_are_left_out_of_a_link() -> None:
    count = MOST_POINTS + 1
    many = Points(np.zeros((count, 2)), np.zeros(count, int), ("x", "y"), ("a",))
    decoded, own = decode(encode(Settings(DataSettings("own")), many))
    assert own is None and decoded == Settings()


def packed(content: Any) -> str:
    return base64.urlsafe_b64encode(zlib.compress(json.dumps(content).encode())).decode()


@pytest.mark.parametrize(
    "text",
    [
        "", "???", "x" * (LONGEST + 1), packed([1]), packed({"data": {"source": "own"}}),
        packed({"a": "0" * 10**6}), packed({"points": {"X": [[1, 2, 3]], "y": [0], "names": None}}),
        packed({"points": {"X": [[1, 2]], "y": [5], "names": ["a"]}, "data": {"source": "own"}}),
        packed({"points": {"X": [["a", 2]], "y": [0], "names": ["a"]}}),
        packed({"points": {"X": [[1, 2]], "y": [0], "names": 3}}),
    ],
)  # fmt: skip
def test_a_link_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="link"):
        decode(text)

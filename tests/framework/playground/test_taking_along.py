"""Scripts, files, pictures and numbers of an experiment."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from framework import Model
from framework.inspection.diagram import columns_of
from framework.playground import exports
from framework.playground.numbers import Numbers, Selection
from framework.playground.plane import background, neuron_pictures, plane_of, signed
from framework.playground.point_files import read_points
from framework.playground.script import POINTS_FILE, figures, points_file, script_of
from framework.playground.session import Session
from framework.playground.settings import DataSettings, Settings
from tests.framework.playground.programs import printed_by


def changed_and_back() -> Session:
    session = Session()
    for _ in range(6):
        session.one_epoch()
    session.change_training(learning_rate=0.1)
    for _ in range(4):
        session.one_epoch()
    session.go_to(8)
    session.one_epoch()
    return session


def values_with_everything() -> Session:
    session = Session()
    session.change_data(source="plane", noise=0.1)
    session.toggle_feature("xy")
    session.change_layer(
        0, activation="prelu", dropout=0.2, batch_normalization=True, l1=0.001, initializer="normal"
    )
    session.change_training(optimizer="sgd", momentum=0.9, schedule="cosine", learning_rate=0.05)
    session.one_epoch()
    return session


def drawn() -> Session:
    session = Session(Settings(DataSettings(samples=20)))
    session.draw([(0.0, 0.0), (0.1, 0.2)], 3)
    session.one_epoch()
    return session


def from_a_table() -> Session:
    session = Session()
    rows = "\n".join(f"{i},{i * 7 % 13},{100 + i % 5},{'ab'[i % 2]}" for i in range(60))
    session.use_points(read_points(rows.encode()))
    session.one_epoch()
    return session


def many_points() -> Session:
    session = Session()
    rows = "\n".join(f"{i % 37},{i % 41},{i % 3}" for i in range(2500))
    session.use_points(read_points(rows.encode()))
    session.one_epoch()
    return session


@pytest.mark.parametrize(
    "make", [changed_and_back, values_with_everything, drawn, from_a_table, many_points]
)
def test_the_script_prints_the_figures_of_the_session(make: Any, tmp_path: Path) -> None:
    session = make()
    (tmp_path / "experiment.py").write_text(script_of(session.experiment), encoding="utf-8")
    if session.experiment.own is not None:
        (tmp_path / POINTS_FILE).write_bytes(points_file(session.experiment.own))
    assert printed_by("experiment.py", tmp_path) == figures(session.experiment)


def test_the_model_is_taken_along(tmp_path: Path) -> None:
    session = from_a_table()
    path = tmp_path / "model.safetensors"
    path.write_bytes(exports.as_safetensors(session.experiment))
    X = session.experiment.split.test.X
    expected = session.experiment.model.predict(X)  # type: ignore[union-attr]
    np.testing.assert_array_equal(Model.load(path).predict(X), expected)


def test_the_model_is_taken_along_as_onnx() -> None:
    pytest.importorskip("onnx", reason="onnx is not installed: no export")
    assert len(exports.as_onnx(changed_and_back().experiment)) > 500


def test_the_points_come_back_from_their_table() -> None:
    session = from_a_table()
    points = read_points(exports.points_as_csv(session.experiment))
    split = session.experiment.split
    np.testing.assert_array_equal(points.X, np.vstack([split.train.X, split.test.X]))
    assert points.class_names == split.train.class_names


@pytest.mark.parametrize("make", [changed_and_back, values_with_everything, from_a_table])
def test_pictures_and_a_video_are_taken_along(make: Any, tmp_path: Path) -> None:
    experiment = make().experiment
    before = experiment.model.parameters.weights.copy()
    assert exports.as_picture(experiment, (0, 1), "png")[:4] == b"\x89PNG"
    assert b"<svg" in exports.as_picture(experiment, (0, 1), "svg")
    path = tmp_path / "training.gif"
    path.write_bytes(exports.as_video(experiment, (0, 1)))
    with Image.open(path) as video:
        assert video.n_frames == len(experiment.timeline.moments)
    np.testing.assert_array_equal(experiment.model.parameters.weights, before)


def test_every_neuron_has_its_picture() -> None:
    session = Session()
    session.change_layer(0, neurons=20)
    columns = columns_of(session.experiment.model)  # type: ignore[arg-type]
    plane = session.plane
    pictures = list(neuron_pictures(session.experiment, plane, columns))
    assert [len(column) for column in pictures] == [2, 9, 8, 3]
    assert all(url.startswith("data:image/png;base64,") for column in pictures for url in column)
    assert background(session.experiment, plane).startswith("data:image/png")


def test_colours_go_by_sign_and_size() -> None:
    colours = signed(np.array([[0.0], [2.0], [-2.0], [np.nan]]))[:, 0]
    np.testing.assert_array_equal(colours[0], [255, 255, 255])
    assert colours[1][2] > colours[1][0] and colours[2][0] > colours[2][2]
    np.testing.assert_array_equal(colours[3], [200, 200, 200])


def test_further_columns_are_held_at_their_mean() -> None:
    plane = plane_of(from_a_table().experiment.split.train, (2, 0))
    grid = plane.grid(5)
    assert grid.shape == (25, 3) and np.unique(grid[:, 1]).size == 1
    np.testing.assert_allclose(grid[0, 1], plane.rest[1])


def lines(numbers: Numbers, selection: Selection) -> list[str]:
    return [line for section in numbers.panel(selection).sections for line in section.lines]


def test_a_neuron_is_worked_out_in_one_line_and_back() -> None:
    found = lines(Numbers(changed_and_back().experiment), Selection("neuron", 1, 3))
    assert found[0].startswith("output[0, 3] = max(0, ") and "·x + " in found[0]
    assert any(line.startswith("dweights[0, 3] = ") for line in found)
    assert any(line.startswith("corrected_momentum = ") for line in found)


def test_a_weight_is_followed_to_its_update() -> None:
    session = changed_and_back()
    found = lines(Numbers(session.experiment), Selection("weight", 2, neuron=4, before=1))
    weight = session.experiment.model.layers[2].weights[1, 4]  # type: ignore[union-attr]
    assert found[0] == f"weights[1, 4] = {weight:.4g}"
    assert found[-1].startswith("after: weights[1, 4] = ")


def test_a_point_is_put_into_the_batch() -> None:
    experiment = changed_and_back().experiment
    last = len(experiment.split.train) + len(experiment.split.test) - 1
    numbers = Numbers(experiment, last)
    assert "with this point as its first" in numbers.remark
    np.testing.assert_allclose(
        numbers.trace.operations[0].inputs[0], experiment.split.test.X[-1], rtol=1e-6  # type: ignore[index]
    )  # fmt: skip
    inside = int(experiment.run.next_rows()[5])  # type: ignore[union-attr]
    assert Numbers(experiment, inside).sample == 5
    assert lines(numbers, Selection("point", point=last))
    assert any("mean over" in line for line in lines(numbers, Selection("loss")))


def test_a_batch_is_gone_through_operation_by_operation() -> None:
    stages = [stage.heading.split()[0] for stage in Numbers(changed_and_back().experiment).stages()]
    assert stages == ["forward"] * 5 + ["loss"] + ["back"] * 5 + ["update"] * 6


@pytest.mark.parametrize(
    "selection",
    [Selection("neuron", 9), Selection("neuron", 1, 8), Selection("weight", 0),
     Selection("weight", 1, 0, before=2)],
)  # fmt: skip
def test_what_is_not_in_the_network_is_refused(selection: Selection) -> None:
    with pytest.raises(ValueError, match="no such"):
        Numbers(changed_and_back().experiment).panel(selection)


def test_a_point_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="no such point"):
        Numbers(changed_and_back().experiment, 10**6)

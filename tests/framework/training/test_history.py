"""The metrics that a training records."""

import csv
import io
import os
from pathlib import Path

import numpy as np
import pytest

from datasets import sine_data
from framework import (
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    History,
    MeanSquaredError,
    Model,
    Softmax,
    Tanh,
    metrics,
)
from optimizers import SGD, Adam
from tests.framework.training.classifiers import X, classifier, y


def test_accuracy_and_penalties_are_averaged_by_samples_too() -> None:
    model = Model([Dense(2, 3, weight_regularizer_l2=0.5), Softmax()])
    accuracy = CategoricalAccuracy()
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD(1e-9), accuracy=accuracy)
    model.finalize()
    history = model.train(X, y, batch_size=32, progress=False)
    assert history.accuracy[0] == pytest.approx(accuracy.calculate(model.predict(X), y))
    penalty = 0.5 * float(np.square(model.layers[0].weights).sum())
    assert history.regularization_loss[0] == pytest.approx(penalty, rel=1e-5)
    assert history.data_loss[0] == pytest.approx(model.evaluate(X, y)[0], rel=1e-5)
    assert history.loss[0] == history.data_loss[0] + history.regularization_loss[0]


def test_history_has_one_number_per_epoch_and_prints_as_a_table() -> None:
    history = classifier().train(X, y, epochs=3, validation_data=(X, y), progress=False)
    for name in history.names():
        assert len(getattr(history, name)) == len(history) == 3
    lines = str(history).splitlines()
    assert lines[0].split() == ["epoch", *history.names()]
    assert len(lines) == 4
    assert float(lines[2].split()[1]) == pytest.approx(history.loss[1], rel=1e-5)


def test_the_table_of_many_epochs_has_the_first_and_the_last() -> None:
    losses = [1 / epoch for epoch in range(1, 52)]
    table = str(History(losses[:50])).splitlines()
    assert [line.split()[0] for line in table[1:]] == [str(epoch) for epoch in range(1, 51)]
    table = str(History(losses)).splitlines()
    ends = [*range(1, 11), "…", *range(42, 52)]
    assert [line.split()[0] for line in table[1:]] == list(map(str, ends))


def test_lists_of_metrics_that_are_not_measured_stay_empty() -> None:
    model = Model([Dense(1, 4), Tanh(), Dense(4, 1)])
    model.set(loss=MeanSquaredError(), optimizer=Adam())
    model.finalize()
    history = model.train(*sine_data(40), progress=False)
    assert history.accuracy == history.val_accuracy == history.val_loss == []
    assert "accuracy" not in str(history)


def measured() -> History:
    model = classifier()
    model.set(metrics={"f1": metrics.f1})
    return model.train(X, y, epochs=3, validation_split=0.2, progress=False)


def test_the_measured_lists_are_a_dictionary() -> None:
    history = measured()
    columns = history.to_dict()
    names = ["loss", "data_loss", "regularization_loss", "accuracy", "val_loss", "val_accuracy"]
    assert list(columns) == [*names, "val_f1", "learning_rate", "seconds"]
    assert columns["val_f1"] == history.val_f1
    assert all(len(values) == 3 for values in columns.values())
    columns["loss"].append(0.0)
    assert len(history.loss) == 3
    assert list(History(loss=[1.0], accuracy=[0.5]).to_dict()) == ["loss", "accuracy"]
    assert History().to_dict() == {}
    assert str(history).splitlines()[0].split() == ["epoch", *history.to_dict()]


def test_it_is_a_table_of_pandas() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    history = measured()
    table = pandas.DataFrame(history.to_dict())
    assert table.shape == (3, 9)
    assert table["val_f1"].tolist() == history.val_f1


def test_csv_has_a_line_for_each_epoch_with_every_digit(tmp_path: Path) -> None:
    history = measured()
    text = history.to_csv(tmp_path / "history.csv")
    assert (tmp_path / "history.csv").read_text() == text == history.to_csv()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row.pop("epoch") for row in rows] == ["1", "2", "3"]
    for name, values in history.to_dict().items():
        assert [float(row[name]) for row in rows] == values
    assert History().to_csv() == "epoch\n"
    with pytest.raises(FileNotFoundError, match="does not exist: make it first"):
        history.to_csv(tmp_path / "missing" / "history.csv")
    assert os.listdir(tmp_path) == ["history.csv"]


def test_a_notebook_shows_the_table_of_the_text() -> None:
    history = History(loss=[1 / epoch for epoch in range(1, 61)], stopped="<enough>")
    shown = history._repr_html_()
    assert shown.count("<tr>") == 1 + 10 + 1 + 10
    assert "<tr><th>epoch</th><th>loss</th></tr>" in shown
    assert "<tr><th>3</th><td>0.333333</td></tr>\n<tr><th>4</th><td>0.25</td></tr>" in shown
    assert "<tr><th>10</th><td>0.1</td></tr>\n<tr><th>…</th></tr>\n<tr><th>51</th>" in shown
    assert shown.endswith("</table>\n<p>stopped: &lt;enough&gt;</p>")

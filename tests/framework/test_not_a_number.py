"""NaN is never right and never better, and where it should be a prediction, that is an error."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from framework import (
    Accuracy,
    BinaryAccuracy,
    BinaryCrossentropy,
    Callback,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Checkpoint,
    Dense,
    EarlyStopping,
    History,
    Huber,
    MeanSquaredError,
    Model,
    RegressionAccuracy,
    Sigmoid,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    Training,
    nnfs_book,
    plots,
)
from framework.__main__ import main
from optimizers import SGD

NAN = math.nan


# Accuracies


@pytest.mark.parametrize(
    ("accuracy", "outputs", "y", "right"),
    [
        # A NaN would be the largest for argmax; the row has no class, whichever y says.
        (CategoricalAccuracy(), [[NAN, NAN], [0.1, 0.9], [0.2, NAN], [NAN, 1]], [0, 1, 1, 0], 1),
        (CategoricalAccuracy(), [[NAN, NAN], [0.1, 0.9]], [[1, 0], [0, 1]], 1),
        (CategoricalAccuracy(), [[NAN, NAN], [0.1, 0.9]], [[NAN, NAN], [0, 1]], 1),
        (BinaryAccuracy(), [[NAN], [0.4], [0.6], [NAN]], [0, 0, 1, 1], 2),
        (BinaryAccuracy(), [[NAN, 0.9], [0.1, NAN]], [[0, 1], [0, 0]], 2),
        (RegressionAccuracy(0.5), [[NAN], [1.2], [3.0]], [0, 1, 1], 1),
        (nnfs_book.Accuracy_Categorical(), [[NAN, NAN], [0.1, 0.9]], [0, 1], 1),
        (nnfs_book.Accuracy_Categorical(binary=True), [[NAN], [0.1]], [[0], [0]], 1),
    ],
)
def test_an_output_that_is_nan_is_never_right(
    accuracy: Accuracy, outputs: Any, y: Any, right: int
) -> None:
    outputs = np.array(outputs)
    assert np.count_nonzero(accuracy.compare(outputs, y)) == right
    if hasattr(accuracy, "predictions"):
        assert np.count_nonzero(accuracy.compare(accuracy.predictions(outputs), y)) == right


def test_what_is_predicted_without_nan_stays_as_it_was() -> None:
    outputs = np.array([[0.2, 0.8], [0.5, 0.5]])
    for reader in (Softmax(), CategoricalAccuracy()):
        assert reader.predictions(outputs).tolist() == [1, 0]
    for each in (Sigmoid(), BinaryAccuracy()):
        assert each.predictions(outputs).tolist() == [[0, 1], [0, 0]]


def test_no_label_is_the_class_of_an_output_that_is_nan() -> None:
    # Also where labels are -1 and 1, as for a hinge loss of one's own.
    for y in ([-1, 1], [0, 1]):
        assert not CategoricalAccuracy().compare(np.full((2, 2), NAN), y).any()
    assert CategoricalAccuracy().compare([-1, 1], [-1, -1]).tolist() == [True, False]


def test_the_books_fused_accuracy_reads_the_activation_and_counts_nan_as_wrong() -> None:
    predictions = Softmax().predictions(np.array([[NAN, NAN], [0.1, 0.9]]))
    assert nnfs_book.Accuracy_Categorical().calculate(predictions, [0, 1]) == 0.5
    predictions = Sigmoid().predictions(np.array([[NAN], [0.1]]))
    assert nnfs_book.Accuracy_Categorical(binary=True).calculate(predictions, [[0], [0]]) == 0.5


def test_compiled_training_counts_nan_as_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    from framework.accelerated import accuracies
    from framework.accelerated.accuracies import BINARY, CATEGORICAL, largest, sum_of_correct

    # Parts of compiled code cannot be called from Python, but their source can.
    monkeypatch.setattr(accuracies, "largest", largest.py_func)

    outputs = np.array([[NAN, NAN], [0.1, 0.9], [0.9, NAN]])
    rows = np.array([[1.0, 0], [0, 1], [1, 0]])
    no_labels, labels, weights = np.zeros(0, np.intp), np.array([0, 1, 0]), np.array([1.0, 2, 4])

    def correct(accuracy: int, labels: Any, targets: Any) -> float:
        return sum_of_correct.py_func(accuracy, 0.0, outputs, labels, targets, weights)

    # Each sample's share of correct outputs, times its weight: 0, 1 and 0; or 0, 1 and one half.
    assert correct(CATEGORICAL, labels, rows) == 2
    assert correct(CATEGORICAL, no_labels, rows) == 2
    assert correct(BINARY, no_labels, np.array([[0.0, 0], [0, 1], [1, 0]])) == 2 + 4 / 2


# Models


class GapsWhereNegative:
    """Gives NaN for each sample whose first number is negative."""

    def forward(self, inputs: Any) -> Any:
        self.output = np.where(inputs[:, :1] < 0, np.nan, inputs)
        return self.output

    def backward(self, dvalues: Any) -> Any:
        self.dinputs = dvalues
        return dvalues


X = np.array([[1.0, 2.0], [3.0, 1.0], [-1.0, 0.5], [2.0, -4.0], [-2.0, 0.0]])


def model_of(*last: Any, loss: Any, accuracy: Any = None, outputs: int = 2) -> Model:
    dense = Dense(2, outputs)
    dense.weights = np.eye(2)[:, :outputs]
    model = Model([GapsWhereNegative(), dense, *last])
    model.set(loss=loss, accuracy=accuracy)
    model.finalize()
    return model


# Each with targets that are right for the three rows that have numbers, and for 0 in the others,
# so that all five were right where NaN was read as class 0.
CASES: dict[str, tuple[Callable[[], Model], Any]] = {
    "fused": (
        lambda: model_of(Softmax(), loss=CategoricalCrossentropy(), accuracy=CategoricalAccuracy()),
        [1, 0, 0, 0, 0],
    ),
    "one-hot": (
        lambda: model_of(Softmax(), loss=CategoricalCrossentropy(), accuracy=CategoricalAccuracy()),
        np.eye(2)[[1, 0, 0, 0, 0]],
    ),
    "after logits": (
        lambda: model_of(loss=SoftmaxCategoricalCrossentropy(), accuracy=CategoricalAccuracy()),
        [1, 0, 0, 0, 0],
    ),
    "not fused": (
        lambda: model_of(Softmax(), loss=Huber(), accuracy=CategoricalAccuracy()),
        np.eye(2)[[1, 0, 0, 0, 0]],
    ),
    "sigmoid": (
        lambda: model_of(
            Sigmoid(), loss=BinaryCrossentropy(), accuracy=BinaryAccuracy(), outputs=1
        ),
        [1, 1, 0, 1, 0],
    ),
}
every_case = pytest.mark.parametrize(("make", "y"), CASES.values(), ids=CASES.keys())


@every_case
def test_evaluate_counts_nan_as_wrong_and_returns_its_loss(
    make: Callable[[], Model], y: Any
) -> None:
    model = make()
    loss, accuracy = model.evaluate(X, y)
    assert math.isnan(loss)
    assert accuracy == 3 / 5
    weights = np.array([1.0, 1, 2, 1, 0])
    assert model.evaluate(X, y, sample_weight=weights)[1] == pytest.approx(3 / 5)
    assert model.evaluate(X[[0, 1, 3]], np.asarray(y)[[0, 1, 3]])[1] == 1


def test_numbers_that_are_nan_are_wrong_too() -> None:
    model = model_of(loss=MeanSquaredError(), accuracy=RegressionAccuracy(0.5), outputs=1)
    loss, accuracy = model.evaluate(X, X[:, :1])
    assert math.isnan(loss)
    assert accuracy == 3 / 5


@every_case
def test_predict_classes_names_the_row_and_predict_returns_it(
    make: Callable[[], Model], y: Any
) -> None:
    model = make()
    with pytest.raises(
        ValueError,
        match=r"must be a number, but the output for row 2 is NaN, as for 2 of 5\. .* parameters "
        "are too large for these data, or an operation of your own",
    ):
        model.predict_classes(X)
    assert np.isnan(model.predict(X)).any(axis=1).tolist() == [False, False, True, False, True]
    labels = np.asarray(y).argmax(axis=1) if np.ndim(y) == 2 else np.asarray(y)
    rows = [0, 1, 3]
    assert model.predict_classes(X[rows]).tolist() == labels[rows].tolist()


def test_diverged_parameters_are_told_from_large_ones() -> None:
    model = Model([Dense(2, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy())
    model.finalize()
    model.layers[0].biases[0, 1] = NAN
    with pytest.raises(ValueError, match=r"row 0 .* not finite, as after a training that diverged"):
        model.predict_classes(X)


# The command line


@pytest.mark.parametrize("last", [[Softmax()], [Sigmoid()], []], ids=["softmax", "sigmoid", "none"])
def test_the_command_line_says_which_sample_has_no_prediction(
    last: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Infinite weights make 0 · ∞, which is NaN, of the second sample alone.
    model = Model([Dense(2, 2, dtype="float64"), *last])
    model.finalize()
    model.layers[0].weights = [[1.0, 1.0], [np.inf, 1.0]]
    model.save(tmp_path / "it.safetensors")
    data, written = tmp_path / "data.csv", tmp_path / "out.csv"
    data.write_text("1,-1\n1,0\n")
    command = ["predict", str(tmp_path / "it.safetensors"), str(data), "--output", str(written)]
    with np.errstate(invalid="ignore"):
        assert main(command) == 1
    printed = capsys.readouterr()
    assert not printed.out
    assert "the output for sample 2 is NaN" in printed.err
    assert "not finite" in printed.err
    assert not written.exists()


# Figures


class Scripted(Callback):
    """Puts figures of the test's own into the history."""

    def __init__(self, figures: list[float], name: str) -> None:
        self.figures, self.name = figures, name

    def on_epoch_end(self, training: Training) -> None:
        getattr(training.history, self.name)[-1] = self.figures[training.epoch - 1]


def train(
    figures: list[float], *callbacks: Callback, name: str = "val_loss", **options: Any
) -> Any:
    model = Model([Dense(2, 2), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD(0.1), accuracy=CategoricalAccuracy())
    model.finalize()
    y = [0, 1, 0, 1, 0]
    return model.train(
        X,
        y,
        epochs=len(figures),
        validation_data=(X, y),
        callbacks=[Scripted(figures, name), *callbacks],
        progress=False,
        **options,
    )


@pytest.mark.parametrize(
    ("figures", "epochs", "best", "reason"),
    [
        ([NAN] * 9, 3, None, "val_loss has been NaN for 3 epochs"),
        ([NAN, NAN, 2.0, NAN, NAN, NAN, 1.0], 6, 2.0, "not been better than 2.0000, reached in"),
        ([2.0, NAN, 3.0, NAN, 1.0], 4, 2.0, "reached in epoch 1"),
        ([NAN, 2.0, NAN, 1.0], 4, 1.0, ""),
    ],
)
def test_early_stopping_never_takes_nan_for_better_and_waits_no_longer_for_it(
    figures: list[float], epochs: int, best: float | None, reason: str
) -> None:
    stopping = EarlyStopping(patience=3)
    history = train(figures, stopping)
    assert len(history) == epochs
    assert stopping.best == best
    assert reason in stopping.reason
    assert bool(reason) == bool(history.stopped)


def test_an_accuracy_of_nan_is_not_better_than_one_of_0() -> None:
    stopping = EarlyStopping("val_accuracy", patience=2)
    history = train([0.0, NAN, NAN, 1.0], stopping, name="val_accuracy")
    assert (len(history), stopping.best, stopping.best_epoch) == (3, 0.0, 1)


def test_a_training_that_goes_on_has_waited_through_nan_before(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    train([NAN, NAN], EarlyStopping(patience=3), Checkpoint(path))
    stopping = EarlyStopping(patience=3)
    history = train([NAN] * 9, stopping, Checkpoint(path), resume_from=path)
    assert len(history) == 3
    assert stopping.reason == "val_loss has been NaN for 3 epochs"
    again = EarlyStopping(patience=3)
    assert len(train([NAN] * 9, again, Checkpoint(path), resume_from=path)) == 3


def test_a_checkpoint_of_the_best_is_never_of_nan(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "run.safetensors")
    train([NAN, NAN], checkpoint)
    assert checkpoint.best_value is None
    assert not (tmp_path / "run.best.safetensors").exists()
    train([NAN, 2.0, NAN], checkpoint)
    assert checkpoint.best_value == 2.0
    assert (tmp_path / "run.best.safetensors").exists()


# Pictures


@pytest.mark.parametrize(
    ("labels", "row"), [([0, 1, NAN], 2), ([[0.1, 0.9], [NAN, 0.5], [1, 0]], 1), ([[NAN]] * 3, 0)]
)
def test_pictures_of_classes_name_the_row_that_has_none(labels: Any, row: int) -> None:
    message = rf"must be class numbers or scores, but row {row} has NaN"
    with pytest.raises(ValueError, match="y_pred " + message):
        plots.confusion_matrix([0, 1, 1], labels)
    with pytest.raises(ValueError, match="predictions " + message):
        plots.image_grid(np.zeros((3, 2, 2)), [0, 1, 1], labels)


def test_learning_curves_leave_out_what_is_nan() -> None:
    history = History(loss=[2.0, NAN], accuracy=[NAN, 0.6], val_accuracy=[0.7, NAN])
    right = plots.learning_curves(history).figure.axes[1]
    # From a quarter more below 1 than the smallest: 1 - 1.25 · 0.4.
    assert right.get_ylim()[0] == pytest.approx(0.5)
    plots.learning_curves(History(loss=[NAN], accuracy=[NAN]))


def test_a_decision_boundary_of_nan_is_refused() -> None:
    model = CASES["fused"][0]()
    with pytest.raises(ValueError, match="the output for row 2 is NaN"):
        plots.decision_boundary(model, X, [1, 0, 0, 0, 0])

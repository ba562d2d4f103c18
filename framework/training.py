"""The loop that trains a model, and the record that it leaves."""

import copy
import math
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from framework import randomness
from framework.callbacks import Callback
from framework.checks import check_count, check_fraction
from framework.losses.huber import Huber
from framework.losses.mean_absolute_error import MeanAbsoluteError
from framework.losses.mean_squared_error import MeanSquaredError
from framework.operation import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from framework.model import Model

REGRESSION_LOSSES = (Huber, MeanAbsoluteError, MeanSquaredError)


@dataclass(repr=False)
class History:
    """What each completed epoch came to: one number per epoch in every list.

    ``loss`` is ``data_loss + regularization_loss``; these and ``accuracy`` are means over the
    epoch's samples, each measured before the update that its batch led to. ``val_loss`` has no
    penalties in it. Lists of what was not measured stay empty.

    Attributes:
        seconds: how long each epoch took, evaluation included.
        stopped: why training ended before its last epoch, in words; empty if it did not.
    """

    loss: list[float] = field(default_factory=list)
    data_loss: list[float] = field(default_factory=list)
    regularization_loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    stopped: str = ""

    def __len__(self) -> int:
        return len(self.loss)

    def __repr__(self) -> str:
        columns = {name: getattr(self, name) for name in self.names() if getattr(self, name)}
        lines = ["epoch" + "".join(f"  {name:>19}" for name in columns)]
        for epoch in range(len(self)):
            row = "".join(f"  {values[epoch]:19.6g}" for values in columns.values())
            lines.append(f"{epoch + 1:5}{row}")
        return "\n".join(lines + [f"stopped: {self.stopped}"] * bool(self.stopped))

    @staticmethod
    def names() -> list[str]:
        """The names of the lists."""
        return [f.name for f in fields(History) if f.name != "stopped"]

    def plot(self) -> "Axes":
        """Draw the learning curves and return their axes: see ``plots.learning_curves``."""
        from framework import plots

        return plots.learning_curves(self)


class Training:
    """A training in progress, as callbacks see it.

    Attributes:
        model, history: what is trained, and its record so far.
        epoch, epochs: the current epoch, from 1, and how many are planned.
        batch, batches: the current batch, from 1, and how many make an epoch.
        batch_loss: the loss of the last batch, penalties included.
        batch_data_loss, batch_accuracy: its loss without penalties, and its accuracy.
    """

    def __init__(self, model: "Model", epochs: int, batches: int, validates: bool) -> None:
        self.model = model
        self.history = History()
        self.epoch, self.epochs = 0, epochs
        self.batch, self.batches = 0, batches
        self.batch_loss = self.batch_data_loss = self.batch_accuracy = math.nan
        self.stopped = ""
        self._validates = validates

    def stop(self, reason: str) -> None:
        """End training after the current batch; ``reason`` is kept in ``history.stopped``."""
        self.stopped = reason or "a callback asked for it"

    def figures(self) -> list[str]:
        """The lists of ``history`` that this training fills."""
        missing = set()
        if self.model.accuracy is None:
            missing |= {"accuracy", "val_accuracy"}
        if not self._validates:
            missing |= {"val_loss", "val_accuracy"}
        return [name for name in History.names() if name not in missing]


def train(
    model: "Model",
    X: ArrayLike,
    y: ArrayLike,
    *,
    epochs: int,
    batch_size: int | None,
    validation_data: tuple[ArrayLike, ArrayLike] | None,
    validation_split: float,
    shuffle: bool,
    callbacks: Sequence[Callback],
    progress: bool,
    print_every: int | None,
) -> History:
    """Train ``model``: see ``Model.train``, which documents every argument."""
    epochs = check_count("epochs", epochs)
    if batch_size is not None:
        batch_size = check_count("batch_size", batch_size)
    if print_every is not None:
        print_every = check_count("print_every", print_every)
    if model.loss is None or model.optimizer is None:
        raise RuntimeError("the model cannot be trained yet: call set(loss=..., optimizer=...)")
    if not len(model.parameters):
        raise ValueError(f"{model!r} has no parameters to train")
    X, y = model.check_data(X, y)
    rows, validation = _set_aside(model, X, y, validation_data, validation_split, shuffle)
    size = len(rows) if batch_size is None else min(batch_size, len(rows))
    if not shuffle and size < len(rows) and not isinstance(model.loss, REGRESSION_LOSSES):
        _warn_if_sorted_by_class(y[rows])
    if hasattr(model.accuracy, "init"):
        model.accuracy.init(y[rows])

    training = Training(model, epochs, math.ceil(len(rows) / size), validation is not None)
    reporter = _Reporter(training, progress, print_every)
    restore_point = _RestorePoint(model)
    for callback in callbacks:
        callback.on_train_begin(training)
    # Overflow on the way to an infinite loss is reported once, as what it is.
    with _ctrl_c_stops(training), np.errstate(over="ignore", invalid="ignore"):
        while training.epoch < epochs and not training.stopped:
            restore_point.take()
            try:
                _run_epoch(training, X, y, rows, size, shuffle, validation, callbacks, reporter)
            except FloatingPointError:
                restore_point.restore()
                raise
            finally:
                reporter.close()
    for callback in callbacks:
        callback.on_train_end(training)
    training.history.stopped = training.stopped
    reporter.finish()
    return training.history


def _run_epoch(
    training: Training,
    X: Array,
    y: Array,
    rows: Array,
    size: int,
    shuffle: bool,
    validation: tuple[Array, Array] | None,
    callbacks: Sequence[Callback],
    reporter: "_Reporter",
) -> None:
    model, history = training.model, training.history
    optimizer, measures_accuracy = model.optimizer, model.accuracy is not None
    training.epoch += 1
    started = time.perf_counter()
    order = randomness.generator().permutation(rows) if shuffle else rows
    data_loss = penalties = right = 0.0
    reporter.begin_epoch()
    for start in range(0, len(order), size):
        training.batch = start // size + 1
        chosen = order[start : start + size]
        if shuffle:
            X_batch, y_batch = X.take(chosen, axis=0), y.take(chosen, axis=0)
        else:  # the rows are in order and without a gap, so views will do
            X_batch, y_batch = X[start : start + size], y[start : start + size]
        samples = len(X_batch)
        training.batch_data_loss = model.calculate_loss(X_batch, y_batch)
        batch_penalties = model.regularization_loss()
        training.batch_loss = training.batch_data_loss + batch_penalties
        if not math.isfinite(training.batch_loss):
            raise _diverged(training)
        model.backward(y_batch, all_operations=False)
        optimizer.pre_update_params()
        optimizer.update_params(model.parameters)
        optimizer.post_update_params()

        data_loss += training.batch_data_loss * samples
        penalties += batch_penalties * samples
        if measures_accuracy:
            training.batch_accuracy = model.calculate_accuracy(y_batch)
            right += training.batch_accuracy * samples
        reporter.show(data_loss + penalties, right, start + samples)
        for callback in callbacks:
            callback.on_batch_end(training)
        if training.stopped:
            break
    if training.batch < training.batches:
        return  # the epoch was not completed, so it leaves no figures

    if not np.isfinite(model.parameters.weights).all():
        raise FloatingPointError(
            f"the parameters became NaN or infinite in the last update of epoch "
            f"{training.epoch}, {_where(training)}"
        )
    history.data_loss.append(data_loss / len(order))
    history.regularization_loss.append(penalties / len(order))
    history.loss.append(history.data_loss[-1] + history.regularization_loss[-1])
    history.learning_rate.append(_learning_rate(optimizer))
    if measures_accuracy:
        history.accuracy.append(right / len(order))
    if validation is not None:
        val_loss, val_accuracy = model.evaluate(*validation)
        history.val_loss.append(val_loss)
        if val_accuracy is not None:
            history.val_accuracy.append(val_accuracy)
    history.seconds.append(time.perf_counter() - started)
    reporter.end_epoch()
    for callback in callbacks:
        callback.on_epoch_end(training)


def _set_aside(
    model: "Model",
    X: Array,
    y: Array,
    validation_data: tuple[ArrayLike, ArrayLike] | None,
    validation_split: float,
    shuffle: bool,
) -> tuple[Array, tuple[Array, Array] | None]:
    """Return the rows to train on, and the validation data if there are any."""
    rows = np.arange(len(X))
    split = check_fraction("validation_split", validation_split)
    if validation_data is not None:
        if split:
            raise ValueError("give validation_data or validation_split, not both")
        try:
            X_val, y_val = validation_data
        except (TypeError, ValueError):
            raise ValueError("validation_data must be a pair (X_val, y_val)") from None
        try:
            return rows, model.check_data(X_val, y_val)
        except (TypeError, ValueError) as error:
            raise type(error)(f"validation_data: {error}") from None
    held_back = round(split * len(X))
    if not split:
        return rows, None
    if not 0 < held_back < len(X):
        raise ValueError(
            f"validation_split={validation_split} of {len(X)} samples leaves none to "
            f"{'train on' if held_back else 'validate on'}"
        )
    if shuffle:
        rows = randomness.generator().permutation(rows)
    kept, aside = rows[:-held_back], rows[-held_back:]
    return kept, (X[aside], y[aside])


def _warn_if_sorted_by_class(y: Array) -> None:
    classes = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1)
    count = len(np.unique(classes))
    changes = np.count_nonzero(classes[1:] != classes[:-1])
    if 1 < count == changes + 1 and 2 * count <= len(classes):
        warnings.warn(
            "the labels come sorted by class and shuffle=False: most batches hold a single "
            "class, so the network unlearns one class while it learns the next, and may end at "
            "chance level. Train with shuffle=True, or shuffle the data first.",
            UserWarning,
            stacklevel=4,
        )


def _learning_rate(optimizer: Any) -> float:
    return float(getattr(optimizer, "current_learning_rate", math.nan))


def _where(training: Training) -> str:
    rate = _learning_rate(training.model.optimizer)
    return (
        f"batch {training.batch} of {training.batches}, at learning rate {rate:g}. The "
        "parameters of the last completed epoch were restored. A lower learning rate, "
        "max_gradient_norm, or inputs of a smaller scale may help."
    )


def _diverged(training: Training) -> FloatingPointError:
    model = training.model
    culprit = "the loss itself is the first that is not finite"
    if math.isfinite(training.batch_data_loss):
        culprit = "every output is finite, but the penalties on the parameters are not"
    for position, layer in enumerate(model.layers, 1):
        if not np.isfinite(layer.output).all():
            culprit = f"the first output that is not finite is of operation {position}, {layer!r}"
            break
    return FloatingPointError(
        f"the loss became {training.batch_loss} in epoch {training.epoch}, {culprit}; "
        f"{_where(training)}"
    )


def figures_line(model: "Model", accuracy: float, data_loss: float, penalties: float) -> str:
    """Return the book's line: accuracy (if ``model`` has one), losses and learning rate."""
    measured = "" if model.accuracy is None else f"acc: {accuracy:.3f}, "
    return (
        f"{measured}loss: {data_loss + penalties:.3f} (data_loss: {data_loss:.3f}, "
        f"reg_loss: {penalties:.3f}), lr: {_learning_rate(model.optimizer)}"
    )


class _RestorePoint:
    """A copy of all that an epoch changes in a model: parameters, statistics, optimizer."""

    def __init__(self, model: "Model") -> None:
        self.model = model

    def take(self) -> None:
        self.parameters = self.model.get_parameters()
        self.iterations = getattr(self.model.optimizer, "iterations", 0)
        self.states = copy.deepcopy(self._optimizer_states())

    def restore(self) -> None:
        self.model.set_parameters(self.parameters)
        states = self._optimizer_states()
        states.clear()
        states.update(self.states)
        self.model.optimizer.iterations = self.iterations
        self.model.optimizer.pre_update_params()

    def _optimizer_states(self) -> dict[str, Any]:
        # An optimizer of the user's own may keep its memory elsewhere; then it is left alone.
        states = getattr(self.model.optimizer, "state", None)
        return states(self.model.parameters) if callable(states) else {}


@contextmanager
def _ctrl_c_stops(training: Training) -> Iterator[None]:
    """Let the first Ctrl-C end training after the current batch, and a second one at once."""

    def stop(signum: int, frame: Any) -> None:
        if training.stopped:
            raise KeyboardInterrupt
        training.stop("interrupted")

    replaceable = threading.current_thread() is threading.main_thread()
    if not replaceable or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if training.stopped == "interrupted":
        completed = len(training.history)
        warnings.warn(
            f"training was interrupted in epoch {training.epoch}, after batch {training.batch} "
            f"of {training.batches}; {completed} of {training.epochs} epochs are complete",
            UserWarning,
            stacklevel=5,
        )


class _Reporter:
    """Tells the user how training goes: a bar per epoch, the book's lines, or nothing."""

    def __init__(self, training: Training, progress: bool, print_every: int | None) -> None:
        self.training = training
        self.print_every = print_every
        self.silent = not progress and print_every is None
        self.bar: Any = None
        self._new_bar: Callable[..., Any] | None = None
        if progress and print_every is None:
            # Imported here, since in a notebook it brings a good deal with it.
            from tqdm.auto import tqdm

            self._new_bar = tqdm

    def begin_epoch(self) -> None:
        if self._new_bar is not None:
            training = self.training
            width = len(str(training.epochs))
            self.bar = self._new_bar(
                total=training.batches,
                desc=f"epoch {training.epoch:{width}}/{training.epochs}",
                bar_format="{desc} |{bar:6}|{postfix}",
            )
            self._shown = 0.0

    def show(self, loss: float, right: float, samples: int) -> None:
        if self.bar is None:
            return
        now = time.perf_counter()
        if now - self._shown > 0.1:
            self._shown = now
            self._describe(loss / samples, right / samples)
        self.bar.update()

    def end_epoch(self) -> None:
        training, history = self.training, self.training.history
        accuracy = history.accuracy[-1] if history.accuracy else math.nan
        if self.bar is not None:
            validation = "".join(
                f" {name} {values[-1]:.3f}"
                for name, values in (
                    ("val_loss", history.val_loss),
                    ("val_acc", history.val_accuracy),
                )
                if values
            )
            self._describe(history.loss[-1], accuracy, validation)
            self.close()
        elif self.print_every is not None and training.epoch % self.print_every == 0:
            data_loss, penalties = history.data_loss[-1], history.regularization_loss[-1]
            figures = figures_line(training.model, accuracy, data_loss, penalties)
            print(f"epoch: {training.epoch}, {figures}")

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def finish(self) -> None:
        history = self.training.history
        if history.stopped and history.stopped != "interrupted" and not self.silent:
            print(f"stopped after epoch {self.training.epoch}: {history.stopped}")

    def _describe(self, loss: float, accuracy: float, validation: str = "") -> None:
        measured = "" if self.training.model.accuracy is None else f" acc {accuracy:.3f}"
        rate = _learning_rate(self.training.model.optimizer)
        self.bar.postfix = f"loss {loss:.3f}{measured} lr {rate:.3g}{validation}"

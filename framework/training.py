"""The loop that trains a model, and the record that it leaves."""

import math
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from framework import randomness
from framework.callbacks import Callback
from framework.checks import check_count, check_fraction
from framework.losses.huber import Huber
from framework.losses.mean_absolute_error import MeanAbsoluteError
from framework.losses.mean_squared_error import MeanSquaredError
from framework.operation import Array, describe
from framework.threads import suitable_threads
from optimizers.optimizer import Optimizer, State, parameter_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from framework.model import Model

# Validation data are evaluated in slices of this many rows, which bounds the memory it takes.
EVALUATION_ROWS = 8192

# Data, targets and, if the samples have any, their weights.
ValidationData: TypeAlias = (
    tuple[ArrayLike, ArrayLike] | tuple[ArrayLike, ArrayLike, ArrayLike | None]
)
_Checked: TypeAlias = tuple[Array, Array, Array | None]

REGRESSION_LOSSES = (Huber, MeanAbsoluteError, MeanSquaredError)


@dataclass(repr=False)
class History:
    """What each completed epoch came to: one number per epoch in every list.

    ``loss`` is ``data_loss + regularization_loss``; these and ``accuracy`` are means over the
    epoch's samples (weighted ones, if these have weights), each measured before the update that
    its batch led to. ``val_loss`` has no penalties in it. Lists of what was not measured stay
    empty.

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


class DivergenceError(FloatingPointError):
    """The loss or the parameters became NaN or infinite.

    Attributes:
        history: the ``History`` of the epochs that were completed before.
    """

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


class Training:
    """A training in progress, as callbacks see it.

    Attributes:
        model, history: what is trained, and its record so far.
        epoch, epochs: the current epoch, from 1, and how many are planned.
        batch, batches: the current batch, from 1, and how many make an epoch.
        batch_loss: the loss of the last batch, penalties included.
        interrupted: whether Ctrl-C was pressed.
    """

    def __init__(self, model: "Model", epochs: int, batches: int, validates: bool) -> None:
        self.model = model
        self.history = History()
        self.epoch, self.epochs = 0, epochs
        self.batch, self.batches = 0, batches
        self.batch_loss = math.nan
        self.interrupted = False
        self._validates = validates

    def stop(self, reason: str) -> None:
        """End training after the current batch; ``reason`` is kept in ``history.stopped``."""
        self.history.stopped = reason or "a callback asked for it"

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
    sample_weight: ArrayLike | None,
    validation_data: ValidationData | None,
    validation_split: float,
    shuffle: bool,
    callbacks: Iterable[Callback],
    progress: bool,
    print_every: int | None,
) -> History:
    """Train ``model``: see ``Model.train``, which documents every argument."""
    callbacks = _check_callbacks(callbacks)
    epochs = check_count("epochs", epochs)
    if batch_size is not None:
        batch_size = check_count("batch_size", batch_size)
    if print_every is not None:
        print_every = check_count("print_every", print_every)
    if model.loss is None or model.optimizer is None:
        raise RuntimeError("the model cannot be trained yet: call set(loss=..., optimizer=...)")
    if not len(model.parameters):
        raise ValueError(f"{model!r} has no parameters to train")
    X, y, weights = model.check_weighted_data(X, y, sample_weight)
    rows, validation = _set_aside(model, X, y, weights, validation_data, validation_split, shuffle)
    size = len(rows) if batch_size is None else min(batch_size, len(rows))
    if not shuffle and size < len(rows) and not isinstance(model.loss, REGRESSION_LOSSES):
        _warn_if_sorted_by_class(y[rows])
    if size == len(X):
        shuffle = False  # the order within a single batch makes no difference
    if hasattr(model.accuracy, "init"):
        model.accuracy.init(y[rows])

    training = Training(model, epochs, math.ceil(len(rows) / size), validation is not None)
    reporter = _Reporter(training, progress, print_every)
    restore_point = _RestorePoint(model)
    for callback in callbacks:
        callback.on_train_begin(training)
    # Overflow on the way to an infinite loss is reported once, as what it is.
    parameters = [
        getattr(layer, name) for layer in model.trained_layers for name in parameter_names(layer)
    ]
    with (
        suitable_threads(parameters, size),
        _ctrl_c_stops(training),
        np.errstate(over="ignore", invalid="ignore"),
    ):
        while training.epoch < epochs and not training.history.stopped:
            restore_point.take()
            try:
                _run_epoch(
                    training, X, y, weights, rows, size, shuffle, validation, callbacks, reporter
                )
            except DivergenceError:
                restore_point.restore()
                raise
            finally:
                reporter.close()
    for callback in callbacks:
        callback.on_train_end(training)
    reporter.finish()
    return training.history


def _run_epoch(
    training: Training,
    X: Array,
    y: Array,
    weights: Array | None,
    rows: Array,
    size: int,
    shuffle: bool,
    validation: _Checked | None,
    callbacks: Sequence[Callback],
    reporter: "_Reporter",
) -> None:
    model, history = training.model, training.history
    optimizer, measures_accuracy = model.optimizer, model.accuracy is not None
    training.epoch += 1
    started = time.perf_counter()
    order = randomness.generator().permutation(rows) if shuffle else rows
    data_loss = penalties = right = seen = 0.0
    weight = None
    reporter.begin_epoch()
    for start in range(0, len(order), size):
        training.batch = start // size + 1
        chosen = order[start : start + size]
        if shuffle:
            X_batch, y_batch = X.take(chosen, axis=0), y.take(chosen, axis=0)
        else:  # the rows are in order and without a gap, so views will do
            stop = start + len(chosen)
            X_batch, y_batch = X[start:stop], y[start:stop]
        amount: float = len(X_batch)
        if weights is not None:
            weight = weights[chosen]
            amount = float(weight.sum())
        batch_data_loss = model.calculate_loss(X_batch, y_batch, sample_weight=weight)
        batch_penalties = model.regularization_loss()
        training.batch_loss = batch_data_loss + batch_penalties
        if not math.isfinite(training.batch_loss):
            raise _diverged(training, batch_data_loss)
        model.backward(y_batch, all_operations=False, sample_weight=weight)
        optimizer.pre_update_params()
        if isinstance(optimizer, Optimizer):
            optimizer.update_params(model.parameters)
        else:
            for layer in model.trained_layers:
                optimizer.update_params(layer)
        optimizer.post_update_params()

        seen += amount
        data_loss += batch_data_loss * amount
        penalties += batch_penalties * amount
        if measures_accuracy:
            right += model.calculate_accuracy(y_batch, sample_weight=weight) * amount
        reporter.show(data_loss + penalties, right, seen)
        for callback in callbacks:
            callback.on_batch_end(training)
        if history.stopped:
            break
    if training.batch < training.batches:
        return  # the epoch was not completed, so it leaves no figures

    if not np.isfinite(model.parameters.weights).all():
        raise DivergenceError(
            f"the parameters became NaN or infinite in the last update of epoch "
            f"{training.epoch}, {_where(training)}",
            history,
        )
    history.data_loss.append(data_loss / seen)
    history.regularization_loss.append(penalties / seen)
    history.loss.append(history.data_loss[-1] + history.regularization_loss[-1])
    history.learning_rate.append(_learning_rate(optimizer))
    if measures_accuracy:
        history.accuracy.append(right / seen)
    if validation is not None:
        slices = max(size, EVALUATION_ROWS)
        val_loss, val_accuracy = model.evaluate_checked(*validation, slices)
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
    weights: Array | None,
    validation_data: ValidationData | None,
    validation_split: float,
    shuffle: bool,
) -> tuple[Array, _Checked | None]:
    """Return the rows to train on, and the validation data if there are any."""
    rows = np.arange(len(X))
    split = check_fraction("validation_split", validation_split)
    if validation_data is not None:
        if split:
            raise ValueError("give validation_data or validation_split, not both")
        if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
            raise ValueError(
                "validation_data must be a pair (X_val, y_val), or (X_val, y_val, sample_weight)"
            )
        X_val, y_val = validation_data[:2]
        val_weights = validation_data[2] if len(validation_data) == 3 else None
        try:
            return rows, model.check_weighted_data(X_val, y_val, val_weights)
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
        # The same rows for as many samples: what was trained on must not validate later.
        rows = np.random.default_rng(len(X)).permutation(rows)
    kept, aside = rows[:-held_back], rows[-held_back:]
    return kept, (X[aside], y[aside], None if weights is None else weights[aside])


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


def _diverged(training: Training, data_loss: float) -> DivergenceError:
    model = training.model
    culprit = "the loss itself is the first that is not finite"
    if math.isfinite(data_loss):
        culprit = "every output is finite, but the penalties on the parameters are not"
    for position, layer in enumerate(model.layers, 1):
        if not np.isfinite(layer.output).all():
            culprit = (
                f"the first output that is not finite is of operation {position}, {describe(layer)}"
            )
            break
    return DivergenceError(
        f"the loss became {training.batch_loss} in epoch {training.epoch}, {culprit}; "
        f"{_where(training)}",
        training.history,
    )


class _RestorePoint:
    """A copy of all that an epoch changes in a model: parameters, statistics, optimizer."""

    def __init__(self, model: "Model") -> None:
        self.model = model

    def take(self) -> None:
        self.arrays = [(array, array.copy()) for array in self.model.stored_arrays()]
        self.iterations = getattr(self.model.optimizer, "iterations", 0)
        self.states = _copied(self._optimizer_states())

    def restore(self) -> None:
        for array, copied in self.arrays:
            array[...] = copied
        if isinstance(self.model.optimizer, Optimizer):
            states = self._optimizer_states()
            states.clear()
            states.update(self.states)
            self.model.optimizer.iterations = self.iterations
            self.model.optimizer.pre_update_params()

    def _optimizer_states(self) -> dict[str, State]:
        # What an optimizer of the user's own remembers, and where, is not known.
        optimizer = self.model.optimizer
        return optimizer.state(self.model.parameters) if isinstance(optimizer, Optimizer) else {}


def _copied(states: dict[str, State]) -> dict[str, State]:
    return {
        parameter: State({name: array.copy() for name, array in state.items()})
        for parameter, state in states.items()
    }


def _check_callbacks(callbacks: Iterable[Callback]) -> list[Callback]:
    methods = ("on_train_begin", "on_batch_end", "on_epoch_end", "on_train_end")
    try:
        found = list(callbacks)
    except TypeError:
        raise TypeError(f"callbacks must be a list of callbacks, received {callbacks!r}") from None
    for callback in found:
        if isinstance(callback, type) or not all(hasattr(callback, name) for name in methods):
            raise TypeError(
                f"a callback needs {', '.join(methods)}: derive it from framework.Callback; "
                f"received {callback!r}"
            )
    return found


@contextmanager
def _ctrl_c_stops(training: Training) -> Iterator[None]:
    """Let the first Ctrl-C end training after the current batch, and a second one at once."""

    def stop(signum: int, frame: Any) -> None:
        if training.interrupted:
            raise KeyboardInterrupt
        training.interrupted = True
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
    if training.interrupted:
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
            self.title = f"epoch {training.epoch:{width}}/{training.epochs}"
            self.bar = self._new_bar(
                total=training.batches,
                desc=self.title,
                bar_format="{bar:6} {desc}",
            )
            self._shown = 0.0

    def show(self, loss: float, right: float, seen: float) -> None:
        if self.bar is None:
            return
        now = time.perf_counter()
        if now - self._shown > 0.1:
            self._shown = now
            self._describe(loss / seen, right / seen)
        self.bar.update()

    def end_epoch(self) -> None:
        training, history = self.training, self.training.history
        if self.bar is not None:
            validation = "".join(
                f" {name} {values[-1]:.3f}"
                for name, values in (
                    ("val_loss", history.val_loss),
                    ("val_acc", history.val_accuracy),
                )
                if values
            )
            accuracy = history.accuracy[-1] if history.accuracy else math.nan
            self._describe(history.loss[-1], accuracy, validation)
            self.close()
        elif self.print_every is not None and training.epoch % self.print_every == 0:
            accuracy_text = f"acc: {history.accuracy[-1]:.3f}, " if history.accuracy else ""
            print(
                f"epoch: {training.epoch}, {accuracy_text}loss: {history.loss[-1]:.3f} "
                f"(data_loss: {history.data_loss[-1]:.3f}, "
                f"reg_loss: {history.regularization_loss[-1]:.3f}), "
                f"lr: {history.learning_rate[-1]}"
            )

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def finish(self) -> None:
        history = self.training.history
        if self.print_every is not None and history.val_loss:
            accuracy = f"acc: {history.val_accuracy[-1]:.3f}, " if history.val_accuracy else ""
            print(f"validation, {accuracy}loss: {history.val_loss[-1]:.3f}")
        if history.stopped and not self.training.interrupted and not self.silent:
            print(f"stopped in epoch {self.training.epoch}: {history.stopped}")

    def _describe(self, loss: float, accuracy: float, validation: str = "") -> None:
        measured = "" if self.training.model.accuracy is None else f" acc {accuracy:.3f}"
        rate = _learning_rate(self.training.model.optimizer)
        figures = f"loss {loss:.3f}{measured} lr {rate:.3g}{validation}"
        self.bar.set_description_str(f"{self.title} {figures}", refresh=False)

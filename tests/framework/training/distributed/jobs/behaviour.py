"""What a training of several ranks does beside computing: each function is one story.

Every rank tells its side of each; the last line of the output is JSON, a list of them by story.
"""

import importlib.util
import json
import os
import signal
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import framework
from framework import (
    BatchNormalization,
    Callback,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Checkpoint,
    Dense,
    DivergenceError,
    Dropout,
    EarlyStopping,
    History,
    MeanSquaredError,
    Model,
    RegressionAccuracy,
    ReLU,
    Softmax,
    Tanh,
    Training,
)
from optimizers import SGD, Adam
from tests.framework.training.distributed.jobs.equality import PlainDescent

chance = np.random.default_rng(0)
X, y = chance.normal(size=(60, 6)), chance.integers(0, 3, 60)
weights = chance.random(60) + 0.1


def classifier(*hidden: Any, optimizer: Any = None) -> Model:
    framework.seed(0)
    layers = [Dense(6, 16), *hidden, ReLU(), Dense(16, 3), Softmax()]
    model = Model(layers, dtype="float64")
    model.set(
        loss=CategoricalCrossentropy(),
        optimizer=optimizer or Adam(0.01),
        accuracy=CategoricalAccuracy(),
    )
    model.finalize()
    return model


def told_by(action: Callable[[], Any]) -> str:
    """What a rank is told if something does not fit."""
    try:
        action()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "accepted"


def refused(together: Any, inputs: Any = X, **options: Any) -> str:
    options |= {"progress": False, "communicator": together}
    return told_by(lambda: classifier().train(inputs, y, **options))


class Doing(Callback):
    """Does something once, after a batch."""

    def __init__(self, action: Callable[[Training], Any], batch: int) -> None:
        self.action, self.batch = action, batch

    def on_batch_end(self, training: Training) -> None:
        if training.batch == self.batch and training.epoch == 1:
            self.action(training)


class Remembering(Callback):
    def on_train_begin(self, training: Training) -> None:
        self.masks: list[Any] = []
        self.ranks = [training.rank, training.ranks]

    def on_batch_end(self, training: Training) -> None:
        (dropout,) = [layer for layer in training.model.layers if isinstance(layer, Dropout)]
        self.masks.append(dropout.mask.tolist())


def end(model: Model, history: History) -> dict[str, Any]:
    return {
        "stopped": history.stopped,
        "epochs": len(history),
        "steps": model.optimizer.iterations,
        "parameters": model.parameters.weights.tolist(),
    }


# What does not fit


def _refused_with(together: Any, *hidden: Any, **parts: Any) -> str:
    """How a rank is told that its model, with such parts, is another than that of rank 0."""
    model = classifier(*hidden)
    model.set(**parts)
    return told_by(lambda: model.train(X, y, progress=False, communicator=together))


def another_optimizer_on_one_rank(together: Any) -> str:
    return _refused_with(together, optimizer=Adam(0.01) if together.rank == 1 else SGD(0.1))


def another_learning_rate_on_one_rank(together: Any) -> str:
    return _refused_with(together, optimizer=SGD(0.2 if together.rank == 2 else 0.1))


def an_own_optimizer_on_one_rank(together: Any) -> str:
    return _refused_with(together, optimizer=PlainDescent() if together.rank == 1 else SGD(0.1))


def an_accuracy_on_one_rank_alone(together: Any) -> str:
    model = classifier()
    if together.rank:
        model.accuracy = None
    return told_by(lambda: model.train(X, y, progress=False, communicator=together))


def another_loss_on_one_rank(together: Any) -> str:
    model = classifier()
    model.set(loss=MeanSquaredError() if together.rank == 1 else CategoricalCrossentropy())
    targets = np.eye(3)[y]
    return told_by(lambda: model.train(X, targets, progress=False, communicator=together))


def another_regularizer_on_one_rank(together: Any) -> str:
    penalty = 0.1 * (together.rank == 1)
    return _refused_with(together, Dense(16, 16, weight_regularizer_l2=penalty))


def batch_normalization_synchronized_on_one_rank(together: Any) -> str:
    return _refused_with(together, BatchNormalization(16, synchronized=together.rank == 1))


def other_validation_data_on_one_rank(together: Any) -> str:
    few = slice(30 if together.rank == 1 else 20)
    return refused(together, validation_data=(X[few], y[few]))


def data_of_one_rank_that_are_not_finite(together: Any) -> str:
    spoiled = X.copy()
    spoiled[25] = np.nan  # of 60 samples, the second of three ranks looks at rows 20 to 39
    return refused(together, spoiled)


def an_argument_that_is_wrong_everywhere(together: Any) -> str:
    return refused(together, epochs=0)


def another_batch_size_on_one_rank(together: Any) -> str:
    return refused(together, batch_size=32 if together.rank == 2 else 16)


def other_data_on_one_rank(together: Any) -> str:
    return refused(together, X + (together.rank == 1))


def a_figure_that_is_not_recorded(together: Any) -> str:
    callbacks = [EarlyStopping("val_loss")] if together.rank == 1 else []
    return refused(together, callbacks=callbacks)


def a_communicator_that_is_none(together: Any) -> str:
    return told_by(lambda: classifier().train(X, y, communicator=3))


class Pretending:
    """Looks like a communicator of a single process."""

    size = 1


def something_like_a_communicator(together: Any) -> str:
    return told_by(lambda: classifier().train(X, y, communicator=Pretending())).partition(",")[0]


def a_null_communicator(together: Any) -> list[str]:
    """A rank that is in no group is told so, and the others train."""
    from mpi4py import MPI

    group = together.Split(MPI.UNDEFINED if together.rank == 2 else 0)
    null = [MPI.COMM_NULL, group] if together.rank == 2 else [MPI.COMM_NULL]
    told = [told_by(lambda one=one: classifier().train(X, y, communicator=one)) for one in null]
    if together.rank < 2:
        told.append(told_by(lambda: classifier().train(X, y, progress=False, communicator=group)))
        group.Free()
    return told


def a_communicator_between_groups(together: Any) -> str:
    own = together.Split(together.rank == 0)
    between = own.Create_intercomm(0, together, 0 if together.rank else 1)
    told = told_by(lambda: classifier().train(X, y, communicator=between)).partition(",")[0]
    between.Free()
    own.Free()
    return told


def shards_without_a_communicator(together: Any) -> str:
    return told_by(lambda: classifier().train(X, y, sharded=True))


class Careless(Callback):
    """Looks something up on rank 1 that is not there."""

    def on_train_begin(self, training: Training) -> None:
        if training.rank == 1:
            raise KeyError("mine")


def an_error_of_another_type(together: Any) -> str:
    return refused(together, callbacks=[Careless()])


# How it ends


def divergence(together: Any) -> dict[str, Any]:
    model = classifier(optimizer=SGD(1e200))
    try:
        model.train(X, y, epochs=5, progress=False, communicator=together)
    except DivergenceError as error:
        return {"message": str(error), "parameters": model.parameters.weights.tolist()}
    return {"message": "none"}


def early_stopping(together: Any) -> dict[str, Any]:
    def run(communicator: Any) -> dict[str, Any]:
        model = classifier(optimizer=Adam(0.1))
        callbacks = [EarlyStopping("val_loss", patience=2)]
        options = {"epochs": 50, "validation_split": 0.3, "progress": False}
        history = model.train(X, y, callbacks=callbacks, communicator=communicator, **options)
        return end(model, history)

    return {"together": run(together), "alone": run(None) if together.rank == 0 else None}


def restored_by_one_rank(together: Any) -> list[dict[str, Any]]:
    """How it ends with an early stopping on rank 0, on rank 1 and on all."""
    ends = []
    for stopped in (together.rank == 0, together.rank == 1, True):
        model = classifier(BatchNormalization(16), optimizer=Adam(0.1))
        callbacks = [EarlyStopping("val_loss", patience=2)] * stopped
        options = {"epochs": 50, "validation_split": 0.3, "progress": False}
        history = model.train(X, y, callbacks=callbacks, communicator=together, **options)
        state = model.optimizer.state(model.parameters)["weights"]
        arrays = [*model.stored_arrays()[1:], *state.values()]
        ends.append({**end(model, history), "others": [array.tolist() for array in arrays]})
    return ends


def stopped_by_one_rank(together: Any) -> dict[str, Any]:
    model = classifier()
    callbacks = [Doing(lambda training: training.stop("enough"), 3)] * (together.rank == 1)
    options = {"epochs": 5, "batch_size": 10, "progress": False}
    history = model.train(X, y, callbacks=callbacks, communicator=together, **options)
    return end(model, history)


def _signalled(together: Any, number: int) -> dict[str, Any]:
    model = classifier()
    callbacks = [Doing(lambda training: os.kill(os.getpid(), number), 3)] * (together.rank == 2)
    options = {"epochs": 5, "batch_size": 10, "progress": False}
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        history = model.train(X, y, callbacks=callbacks, communicator=together, **options)
    return {**end(model, history), "warnings": [str(warning.message) for warning in seen]}


def interrupted_on_one_rank(together: Any) -> dict[str, Any]:
    return _signalled(together, signal.SIGINT)


def terminated_on_one_rank(together: Any) -> dict[str, Any]:
    return _signalled(together, signal.SIGTERM)


def printed(together: Any) -> int:
    model = classifier()
    return len(model.train(X, y, epochs=2, print_every=1, communicator=together))


# What goes into it


def dropout(together: Any) -> dict[str, Any]:
    found = []
    for _ in range(2):
        model, remembering = classifier(Dropout(0.5)), Remembering()
        options = {"epochs": 2, "shuffle": False, "progress": False, "callbacks": [remembering]}
        model.train(X, y, batch_size=30, communicator=together, **options)
        found.append(model.parameters.weights.tolist())
    return {
        "masks": remembering.masks,
        "parameters": found,
        "ranks": remembering.ranks,
    }


class Noting(Callback):
    """Notes which samples, numbered in their first feature, go through the network."""

    def __init__(self) -> None:
        self.begun = False
        self.numbers: list[float] = []

    def on_train_begin(self, training: Training) -> None:
        self.begun = True

    def transform(self, rows: Any) -> Any:
        if self.begun:
            self.numbers.extend(rows[:, 0].tolist())
        return rows


def _samples_seen(together: Any, own: Any, **options: Any) -> list[float]:
    numbered = X.copy()
    numbered[:, 0] = np.arange(60)
    noting = Noting()
    options |= {"batch_size": 7, "progress": False, "communicator": together}
    options |= {"transform": noting.transform, "callbacks": [noting]}
    classifier().train(numbered[own], y[own], **options)
    return noting.numbers


def samples_of_all(together: Any) -> list[float]:
    return _samples_seen(together, slice(None))


def samples_of_shards(together: Any) -> list[float]:
    return _samples_seen(together, slice(together.rank, None, 3), sharded=True)


def _difference(together: Any, own: dict[str, Any], alone: dict[str, Any]) -> float:
    """Train with one thing each, and on rank 0 with another: how far do the results differ?"""
    model = classifier(BatchNormalization(16, synchronized=True), optimizer=SGD(0.05))
    history = model.train(**own, epochs=3, progress=False, communicator=together)
    if together.rank:
        return 0.0
    single = classifier(BatchNormalization(16), optimizer=SGD(0.05))
    record = single.train(**alone, epochs=3, progress=False)
    some = [*model.stored_arrays(), history.loss, history.accuracy, history.val_loss]
    others = [*single.stored_arrays(), record.loss, record.accuracy, record.val_loss]
    return max(
        float(np.abs(np.subtract(a, b)).max(initial=0.0)) for a, b in zip(some, others, strict=True)
    )


def shards(together: Any) -> float:
    # Of 10, 20 and 30 samples: four batches, each with a quarter of every shard.
    pieces = [range(10), range(10, 30), range(30, 60)]
    own = pieces[together.rank]
    batches = []
    for batch in range(4):
        ends = [(len(piece) * batch // 4, len(piece) * (batch + 1) // 4) for piece in pieces]
        rows = [row for piece, end in zip(pieces, ends, strict=True) for row in piece[slice(*end)]]
        batches.append((X[rows], y[rows], weights[rows]))
    given = {"X": X[own], "y": y[own], "sample_weight": weights[own], "shuffle": False}
    validation = {"validation_data": (X[own], y[own], weights[own])}
    return _difference(
        together,
        {**given, **validation, "batch_size": 15, "sharded": True},
        {"X": batches, "validation_data": (X, y, weights)},
    )


def _shared_path(together: Any, folder: str) -> Path:
    return Path(together.bcast(folder)) / "run.safetensors"


def _at_once_and_resumed(together: Any, *hidden: Any, **options: Any) -> list[list[float]]:
    """The parameters after training at once, and after an interruption amid an epoch."""
    with tempfile.TemporaryDirectory() as folder:
        path = _shared_path(together, folder)
        options |= {"epochs": 2, "progress": False, "communicator": together}

        def run(*callbacks: Callback) -> list[float]:
            model = classifier(*hidden)
            callbacks = (*callbacks, Checkpoint(path))
            model.train(callbacks=callbacks, resume_from=path, **options)
            return model.parameters.weights.tolist()

        run(Doing(lambda training: training.stop("for now"), 2))
        resumed = run()
        together.barrier()
        if together.rank == 0:
            path.unlink()
        return [run(), resumed]


def interrupted_shards(together: Any) -> list[list[float]]:
    own = slice(together.rank, None, together.size)
    return _at_once_and_resumed(together, X=X[own], y=y[own], batch_size=10, sharded=True)


def interrupted_dropout(together: Any) -> list[list[float]]:
    return _at_once_and_resumed(together, Dropout(0.5), X=X, y=y, batch_size=10)


def shards_of_fewer_ranks(together: Any) -> str:
    """How two ranks are told that three cannot be followed, and what the third is told."""
    with tempfile.TemporaryDirectory() as folder:
        path = _shared_path(together, folder)
        options: dict[str, Any] = {"progress": False, "sharded": True}

        def run(communicator: Any, *callbacks: Callback) -> None:
            own = slice(communicator.rank, None, communicator.size)
            options.update(communicator=communicator, resume_from=path, callbacks=callbacks)
            classifier().train(X[own], y[own], **options)

        run(together, Checkpoint(path))
        two = together.Split(together.rank == 2)
        told = told_by(lambda: run(two))
        two.Free()
        together.barrier()  # until all have read the file
        return told.replace(str(path), "FILE")


def compiled(together: Any) -> float | None:
    """How far compiled operations on all ranks are from plain ones on one; None without numba."""
    if importlib.util.find_spec("numba") is None:
        return None

    def run(accelerated: bool, communicator: Any) -> Any:
        framework.seed(1)
        layers = (BatchNormalization(16, synchronized=True), Tanh(), Dense(16, 16))
        model = classifier(*layers, optimizer=SGD(0.1, momentum=0.5, max_gradient_norm=0.1))
        model.finalize(accelerated=accelerated)
        model.train(X, y, epochs=3, batch_size=16, progress=False, communicator=communicator)
        return model.parameters.weights

    found = run(True, together)
    return float(np.abs(found - run(False, None)).max()) if together.rank == 0 else 0.0


def streams(together: Any) -> float:
    # As many batches as the rank's number and one more.
    pieces = [[(X[10 * r + b :: 30], y[10 * r + b :: 30]) for b in range(r + 1)] for r in range(3)]
    whole = [[own[b] for own in pieces if b < len(own)] for b in range(3)]
    joined = [tuple(np.concatenate(parts) for parts in zip(*some, strict=True)) for some in whole]
    return _difference(together, {"X": pieces[together.rank], "sharded": True}, {"X": joined})


def a_mapped_file(together: Any) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(together.bcast(folder)) / "X.npy"
        if together.rank == 0:
            np.save(path, X)
        together.barrier()
        options = {"y": y, "batch_size": 16, "validation_split": 0.2}
        mapped = np.load(path, mmap_mode="r")
        return _difference(together, {"X": mapped, **options}, {"X": X, **options})


def one_stream_for_all(together: Any) -> float:
    batches = [(X[a : a + 8], y[a : a + 8], weights[a : a + 8]) for a in range(0, 60, 8)]
    return _difference(together, {"X": batches}, {"X": batches})


def a_stream_that_is_shorter_on_one_rank(together: Any) -> str:
    batches = [(X[a : a + 8], y[a : a + 8]) for a in range(0, 60, 8)]
    if together.rank == 1:
        batches.pop()
    return told_by(lambda: classifier().train(batches, progress=False, communicator=together))


def statistics_of_each_rank(together: Any) -> dict[str, Any]:
    layer = BatchNormalization(16, momentum=0.0)
    model = classifier(layer, optimizer=SGD(1e-12))
    first, given = model.layers[0], X[:40]
    model.train(given, y[:40], batch_size=None, progress=False, communicator=together)
    outputs = given @ first.weights + first.biases
    start, stop = [(0, 14), (14, 27), (27, 40)][together.rank]
    return {
        "own": outputs[start:stop].mean(axis=0).tolist(),
        "samples": stop - start,
        "running": layer.running_mean[0].tolist(),
    }


def precision(together: Any) -> Any:
    model = Model([Dense(6, 1)])
    accuracy = RegressionAccuracy()
    model.set(loss=MeanSquaredError(), optimizer=SGD(0.01), accuracy=accuracy)
    model.finalize()
    targets = X[:, :1] * (together.rank + 1)
    model.train(X, targets, progress=False, communicator=together, sharded=True)
    return accuracy.current_precision


STORIES = [
    data_of_one_rank_that_are_not_finite,
    an_argument_that_is_wrong_everywhere,
    another_batch_size_on_one_rank,
    other_data_on_one_rank,
    another_optimizer_on_one_rank,
    another_learning_rate_on_one_rank,
    an_own_optimizer_on_one_rank,
    an_accuracy_on_one_rank_alone,
    another_loss_on_one_rank,
    another_regularizer_on_one_rank,
    batch_normalization_synchronized_on_one_rank,
    other_validation_data_on_one_rank,
    a_figure_that_is_not_recorded,
    a_communicator_that_is_none,
    something_like_a_communicator,
    a_null_communicator,
    a_communicator_between_groups,
    shards_without_a_communicator,
    an_error_of_another_type,
    divergence,
    early_stopping,
    restored_by_one_rank,
    stopped_by_one_rank,
    interrupted_on_one_rank,
    terminated_on_one_rank,
    printed,
    dropout,
    samples_of_all,
    samples_of_shards,
    shards,
    interrupted_shards,
    interrupted_dropout,
    shards_of_fewer_ranks,
    compiled,
    streams,
    a_mapped_file,
    one_stream_for_all,
    a_stream_that_is_shorter_on_one_rank,
    statistics_of_each_rank,
    precision,
]

if __name__ == "__main__":
    from mpi4py import MPI

    told = {story.__name__: MPI.COMM_WORLD.gather(story(MPI.COMM_WORLD)) for story in STORIES}
    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps(told))

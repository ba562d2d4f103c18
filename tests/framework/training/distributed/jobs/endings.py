"""Scenarios: how a training of several ranks ends, and goes on."""

import os
import signal
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from framework import (
    BatchNormalization,
    Callback,
    Checkpoint,
    DivergenceError,
    Dropout,
    EarlyStopping,
)
from framework.utils import rng
from optimizers import SGD, Adam
from tests.framework.training.distributed.jobs.network import (
    Doing,
    X,
    classifier,
    end,
    message_of,
    y,
)


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


class Shuffled:
    """Yields batches in an order that it draws from the generator of the framework."""

    def __iter__(self) -> Iterator[Any]:
        order = rng.generator().permutation(60)
        for start in range(0, 60, 10):
            rows = order[start : start + 10]
            yield X[rows], y[rows]


def interrupted_stream(together: Any) -> list[list[float]]:
    return _at_once_and_resumed(together, X=Shuffled())


def interrupted_dropout(together: Any) -> list[list[float]]:
    return _at_once_and_resumed(together, Dropout(0.5), X=X, y=y, batch_size=10)


def shards_of_fewer_ranks(together: Any) -> str:
    """The errors of two ranks, and of a single one, that resume a training of three."""
    with tempfile.TemporaryDirectory() as folder:
        path = _shared_path(together, folder)
        options: dict[str, Any] = {"progress": False, "sharded": True}

        def run(communicator: Any, *callbacks: Callback) -> None:
            own = slice(communicator.rank, None, communicator.size)
            options.update(communicator=communicator, resume_from=path, callbacks=callbacks)
            classifier().train(X[own], y[own], **options)

        run(together, Checkpoint(path))
        two = together.Split(together.rank == 2)
        message = message_of(lambda: run(two))
        two.Free()
        together.barrier()  # until all have read the file
        return message.replace(str(path), "FILE")

"""A training that writes checkpoints, and goes on from them when it is started again.

    python -m ….jobs.resumed FOLDER [FAULT] [--dropout] [--epochs N]

FAULT is what one rank does in the middle of the fourth epoch: ``kill`` (it is killed), ``raise``,
``diverge`` (it raises the error of a divergence that the others know nothing of) or ``exit``; or,
before training begins, ``early``; or ``endless``, if it does not come to an end by itself. When
training ends, rank 0 writes the parameters and the history as ``end.npz`` into the folder.
"""

import argparse
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np

import framework
from framework import (
    Callback,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Checkpoint,
    Dense,
    DivergenceError,
    Dropout,
    EarlyStopping,
    Model,
    ReLU,
    Softmax,
    Training,
)
from optimizers import Adam

FAULTS = ("kill", "raise", "diverge", "exit", "early", "endless")


class Fault(Callback):
    def __init__(self, kind: str) -> None:
        self.kind = kind

    def on_batch_end(self, training: Training) -> None:
        if (training.rank, training.epoch, training.batch) != (1, 4, 2):
            return
        match self.kind:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "exit":
                os._exit(3)
            case "raise":
                raise OSError("this rank has lost its disk")
            case "diverge":
                raise DivergenceError("this rank alone has had enough", training.history)


def run(folder: Path, fault: str, dropout: bool, communicator: Any, epochs: int = 6) -> None:
    framework.seed(0)
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(90, 6)), generator.integers(0, 3, 90)
    hidden = [ReLU(), Dropout(0.3)] if dropout else [ReLU()]
    model = Model([Dense(6, 16), *hidden, Dense(16, 3), Softmax()], dtype="float64")
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam(0.01), accuracy=CategoricalAccuracy())
    model.finalize()
    # A folder for each rank, as on machines that share no disk: only rank 0 may need its file.
    rank = 0 if communicator is None else communicator.rank
    own = folder / f"rank-{rank}"
    own.mkdir(exist_ok=True)
    path = own / "run.safetensors"
    callbacks: list[Callback] = [Checkpoint(path), EarlyStopping("loss", patience=50)]
    if fault not in ("", "early", "endless"):
        callbacks.append(Fault(fault))
    if fault == "early" and rank == 1:
        raise ValueError("the data of this rank are missing")
    history = model.train(
        X,
        y,
        epochs=10**6 if fault == "endless" else epochs,
        batch_size=20,
        validation_split=0.2,
        callbacks=callbacks,
        progress=False,
        communicator=communicator,
        resume_from=path,
    )
    if rank == 0:
        np.savez(folder / "end.npz", parameters=model.parameters.weights, loss=history.loss)


if __name__ == "__main__":
    from mpi4py import MPI

    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("fault", nargs="?", default="", choices=["", *FAULTS])
    parser.add_argument("--dropout", action="store_true")
    parser.add_argument("--epochs", type=int, default=6)
    options = parser.parse_args()
    run(options.folder, options.fault, options.dropout, MPI.COMM_WORLD, options.epochs)

"""The command ``spiral``: trains a network on the spiral data and draws its decision boundary."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import framework
import optimizers
from datasets import spiral_data
from framework import (
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    EarlyStopping,
    Model,
    Softmax,
    activations,
)
from framework.activations import Activation
from framework.commands.options import (
    add_accelerated,
    add_option,
    add_save,
    check_outputs,
    count,
    finalize,
    fraction,
    non_negative,
    positive,
    seed,
    whole_number,
)
from framework.training.distributed.communicator import in_turn, launched_together
from framework.training.history import History
from framework.utils.exports import exported
from optimizers import SGD, Adagrad, Optimizer
from optimizers.configuration import constructor_arguments
from optimizers.schedules import CosineDecay

ACTIVATIONS: dict[str, type[Activation]] = {
    name: cls for name, cls in exported(activations, Activation).items() if cls.differentiable
}
OPTIMIZERS: dict[str, type[Optimizer]] = exported(optimizers, Optimizer)
# Arguments that suit the spiral. The other optimizers get ten times their default learning rate.
SUITABLE: dict[type[Optimizer], dict[str, float]] = {
    Adagrad: {"learning_rate": 0.1},
    SGD: {"learning_rate": 0.1, "momentum": 0.9},
}


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "spiral",
        help="train a network on the spiral data and draw its decision boundary",
        description="Train a network on the spiral data, print its accuracy on points that it "
        "has not seen, and draw its decision boundary and its learning curves.",
    )
    parser.set_defaults(command=spiral)
    data = parser.add_argument_group("data")
    add_option(data, "--samples", 1000, "points of each class", type=count, metavar="N")
    add_option(data, "--classes", 3, "arms of the spiral", type=whole_number(2, 256), metavar="N")
    add_option(data, "--seed", 0, "decides everything random", type=seed, metavar="N")
    network = parser.add_argument_group("network")
    add_option(network, "--hidden", [64, 64], "hidden sizes", type=count, nargs="*", metavar="N")
    add_option(network, "--activation", "relu", "after each hidden layer", choices=ACTIVATIONS)
    add_option(
        network, "--dropout", 0.0, "share of hidden values dropped", type=fraction, metavar="RATE"
    )
    add_option(
        network, "--l2", 0.0, "penalty on weights and biases", type=non_negative, metavar="λ"
    )
    training = parser.add_argument_group("training")
    add_option(training, "--epochs", 100, "times through the data", type=count, metavar="N")
    add_option(training, "--batch-size", 128, "samples for each update", type=count, metavar="N")
    add_option(training, "--optimizer", "adam", "how weights are updated", choices=OPTIMIZERS)
    rates = ", ".join(
        f"{name} {_suitable(cls)['learning_rate']:g}" for name, cls in OPTIMIZERS.items()
    )
    training.add_argument(
        "--learning-rate", type=positive, metavar="RATE", help=f"of the first step ({rates})"
    )
    training.add_argument(
        "--decay",
        type=non_negative,
        metavar="D",
        help="divide the rate by 1 + D * steps (without it, the rate follows a cosine down to 0)",
    )
    training.add_argument(
        "--patience",
        type=count,
        metavar="N",
        help="stop after N epochs without a better validation loss (without it, never)",
    )
    add_accelerated(training)
    training.add_argument("--quiet", action="store_true", help="show no progress bars")
    add_option(parser, "--output", "spiral.png", "the picture", metavar="FILE")
    add_save(parser)


def spiral(options: argparse.Namespace) -> int:
    """Train a network on the spiral data, print its accuracy, and draw the results."""
    communicator = launched_together()
    first = communicator is None or communicator.rank == 0
    in_turn(communicator, lambda: check_outputs(options) if first else None)
    X, y = spiral_data(options.samples, options.classes, seed=options.seed)
    X_val, y_val = spiral_data(options.samples, options.classes, seed=options.seed + 1)
    framework.seed(options.seed)
    model = _spiral_model(options)
    print(f"Training {options.samples:,} points of each of {options.classes} classes on")
    model.summary()
    history = model.train(
        X,
        y,
        epochs=options.epochs,
        batch_size=options.batch_size,
        validation_data=(X_val, y_val),
        callbacks=[EarlyStopping(patience=options.patience)] if options.patience else (),
        progress=not options.quiet,
        communicator=communicator,
    )
    if not first:
        return 0  # the model is the same on every rank
    _, accuracy = model.evaluate(X, y)
    _, val_accuracy = model.evaluate(X_val, y_val)
    print(f"training accuracy   {accuracy:.3f}")
    print(f"validation accuracy {val_accuracy:.3f}   ({len(X_val):,} points not trained on)")
    _draw(model, history, X_val, y_val, options.output)
    print(f"picture             {options.output}")
    if options.save is not None:
        model.save(options.save)
        print(f"model               {options.save}")
    return 0


def _spiral_model(options: argparse.Namespace) -> Model:
    model = Model()
    width = 2
    for size in options.hidden:
        model.add(
            Dense(
                width,
                size,
                weight_initializer="he_normal",
                weight_regularizer_l2=options.l2,
                bias_regularizer_l2=options.l2,
            )
        )
        model.add(ACTIVATIONS[options.activation].for_features(size))
        if options.dropout:
            model.add(Dropout(options.dropout))
        width = size
    model.add(Dense(width, options.classes))
    model.add(Softmax())
    model.set(
        loss=CategoricalCrossentropy(),
        optimizer=_optimizer(options),
        accuracy=CategoricalAccuracy(),
    )
    finalize(model, options.accelerated)
    return model


def _optimizer(options: argparse.Namespace) -> Optimizer:
    cls = OPTIMIZERS[options.optimizer]
    arguments: dict[str, Any] = _suitable(cls)
    if options.learning_rate is not None:
        arguments["learning_rate"] = options.learning_rate
    if options.decay is not None:
        return cls(**arguments, decay=options.decay)
    batches = -(-options.samples * options.classes // options.batch_size)
    rate = CosineDecay(arguments.pop("learning_rate"), options.epochs * batches)
    return cls(rate, **arguments)


def _suitable(cls: type[Optimizer]) -> dict[str, float]:
    """Return arguments for an optimizer of this class that suit the spiral."""
    usual = constructor_arguments(cls)["learning_rate"].default
    return {"learning_rate": 10 * usual, **SUITABLE.get(cls, {})}


def _draw(
    model: Model, history: History, X_val: np.ndarray, y_val: np.ndarray, output: str
) -> None:
    # A figure without pyplot needs no display and leaves the user's settings alone.
    from matplotlib.figure import Figure

    from framework import plots

    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    plots.decision_boundary(model, X_val, y_val, left)
    left.set_title(f"validation: {left.get_title()}")
    if len(history):
        plots.learning_curves(history, right)
    figure.savefig(output, dpi=120)

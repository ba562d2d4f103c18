"""The command line: ``python -m framework``, installed as ``dinputs``."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import framework
from datasets import spiral_data
from framework import (
    BatchNormalization,
    BinaryCrossentropy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    EarlyStopping,
    Flatten,
    GradientReport,
    Huber,
    MeanAbsoluteError,
    MeanSquaredError,
    Model,
    SigmoidBinaryCrossentropy,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    check_gradients,
)
from framework.training import History
from optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from optimizers.schedules import CosineDecay

ACTIVATIONS = {
    "relu": framework.ReLU,
    "leaky_relu": framework.LeakyReLU,
    "elu": framework.ELU,
    "gelu": framework.GELU,
    "swish": framework.Swish,
    "softplus": framework.Softplus,
    "tanh": framework.Tanh,
    "sigmoid": framework.Sigmoid,
}

# Each with the learning rate that suits the spiral.
OPTIMIZERS: dict[str, tuple[type[Optimizer], float, dict[str, Any]]] = {
    "adam": (Adam, 0.01, {}),
    "adamw": (AdamW, 0.01, {}),
    "rmsprop": (RMSprop, 0.01, {}),
    "adagrad": (Adagrad, 0.1, {}),
    "sgd": (SGD, 0.1, {"momentum": 0.9}),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        status: int = options.command(options)
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"{parser.prog}: error: {error}", file=sys.stderr)
        return 1
    return status


def spiral(options: argparse.Namespace) -> int:
    """Train a network on the spiral data, print its accuracy, and draw what it learned."""
    output = _writable(options.output)
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
    )
    _, accuracy = model.evaluate(X, y)
    _, val_accuracy = model.evaluate(X_val, y_val)
    print(f"training accuracy   {accuracy:.3f}")
    print(f"validation accuracy {val_accuracy:.3f}   ({len(X_val):,} points not trained on)")
    _draw(model, history, X_val, y_val, output)
    print(f"picture             {output}")
    return 0


def check_every_gradient(options: argparse.Namespace) -> int:
    """Check the backward pass of every operation, print a table, and return 1 if one fails."""
    reports = list(_gradient_reports())
    width = max(len(report.subject) for report in reports)
    print(f"{'operation':{width}}  {'gradients':26}  {'largest error':>13}")
    for report in reports:
        names = ", ".join(array.name for array in report.arrays)
        verdict = "" if report.passed else "  FAILED"
        print(f"{report.subject:{width}}  {names:26}  {report.max_relative_error:13.1e}{verdict}")
    failed = sum(not report.passed for report in reports)
    print(
        f"{len(reports) - failed} of {len(reports)} agree with central differences to "
        f"{reports[0].tolerance:g}. Step() has no gradient."
    )
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dinputs", description="Neural networks from scratch in NumPy."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_spiral(commands)
    gradients = commands.add_parser(
        "check-gradients",
        help="check the backward pass of every operation against numerical gradients",
        description="Compare the gradients of every operation with central differences of its "
        "forward pass. Exits with status 1 if one is wrong.",
    )
    gradients.set_defaults(command=check_every_gradient)
    return parser


def _add_spiral(commands: Any) -> None:
    parser = commands.add_parser(
        "spiral",
        help="train a network on the spiral data and draw what it learned",
        description="Train a network on the spiral data, print its accuracy on points that it "
        "has not seen, and draw its decision boundary and its learning curves.",
    )
    parser.set_defaults(command=spiral)
    data = parser.add_argument_group("data")
    _add(data, "--samples", 1000, "points of each class", type=_count, metavar="N")
    _add(data, "--classes", 3, "arms of the spiral", type=_count, metavar="N")
    _add(data, "--seed", 0, "decides everything random", type=_from_zero, metavar="N")
    network = parser.add_argument_group("network")
    _add(network, "--hidden", [64, 64], "hidden sizes", type=_count, nargs="*", metavar="N")
    _add(network, "--activation", "relu", "after each hidden layer", choices=ACTIVATIONS)
    _add(network, "--dropout", 0.0, "share of hidden values dropped", type=float, metavar="RATE")
    _add(network, "--l2", 0.0, "penalty on weights and biases", type=float, metavar="λ")
    training = parser.add_argument_group("training")
    _add(training, "--epochs", 100, "times through the data", type=_count, metavar="N")
    _add(training, "--batch-size", 128, "samples for each update", type=_count, metavar="N")
    _add(training, "--optimizer", "adam", "how weights are updated", choices=OPTIMIZERS)
    rates = ", ".join(f"{name} {rate:g}" for name, (_, rate, _) in OPTIMIZERS.items())
    training.add_argument(
        "--learning-rate", type=float, metavar="RATE", help=f"of the first step ({rates})"
    )
    training.add_argument(
        "--decay",
        type=float,
        metavar="D",
        help="divide the rate by 1 + D * steps (without it, the rate follows a cosine down to 0)",
    )
    training.add_argument(
        "--patience",
        type=_count,
        metavar="N",
        help="stop after N epochs without a better validation loss (without it, never)",
    )
    training.add_argument("--quiet", action="store_true", help="show no progress bars")
    _add(parser, "--output", "spiral.png", "the picture", metavar="FILE")


def _add(group: Any, flag: str, default: Any, text: str, **options: Any) -> None:
    shown = " ".join(map(str, default)) if isinstance(default, list) else default
    group.add_argument(flag, default=default, help=f"{text} ({shown})", **options)


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
        model.add(ACTIVATIONS[options.activation]())
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
    model.finalize()
    return model


def _optimizer(options: argparse.Namespace) -> Optimizer:
    cls, usual_rate, arguments = OPTIMIZERS[options.optimizer]
    rate = usual_rate if options.learning_rate is None else options.learning_rate
    if options.decay is not None:
        return cls(rate, options.decay, **arguments)
    batches = -(-options.samples * options.classes // options.batch_size)
    return cls(CosineDecay(rate, options.epochs * batches), **arguments)


def _draw(
    model: Model, history: History, X_val: np.ndarray, y_val: np.ndarray, output: Path
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


def _gradient_reports() -> list[GradientReport]:
    chance = np.random.default_rng(0)
    inputs = chance.normal(size=(6, 4))
    classes = chance.integers(0, 4, size=6)
    yes_or_no = chance.integers(0, 2, size=(6, 4))
    values = chance.normal(size=(6, 4))
    probabilities = chance.uniform(0.05, 0.95, size=(6, 4))
    operations = [
        Dense(4, 3),
        Dense(4, 3, weight_regularizer_l1=0.01, bias_regularizer_l2=0.02),
        Dropout(0.3),
        Flatten(),
        BatchNormalization(4),
        framework.Linear(),
        *(activation() for activation in ACTIVATIONS.values()),
        Softmax(),
        Softmax(temperature=2.0),
    ]
    compared = [
        (CategoricalCrossentropy(), probabilities, classes),
        (BinaryCrossentropy(), probabilities, yes_or_no),
        (MeanSquaredError(), inputs, values),
        (MeanAbsoluteError(), inputs, values),
        (Huber(), inputs, values),
        (SoftmaxCategoricalCrossentropy(), inputs, classes),
        (SigmoidBinaryCrossentropy(), inputs, yes_or_no),
    ]
    return [
        *(check_gradients(operation, inputs) for operation in operations),
        *(check_gradients(*arguments) for arguments in compared),
    ]


def _writable(path: str) -> Path:
    """Return ``path`` if a picture can be written there, before any work is done for it."""
    from matplotlib.figure import Figure

    output = Path(path)
    known = Figure().canvas.get_supported_filetypes()
    if output.suffix[1:].lower() not in known:
        raise ValueError(f"--output must end with one of .{', .'.join(known)}, received {path!r}")
    target = output if output.exists() else output.absolute().parent
    if output.is_dir() or not os.access(target, os.W_OK):
        raise OSError(f"--output: {path!r} cannot be written")
    return output


def _count(text: str) -> int:
    return _whole_number(text, 1)


def _from_zero(text: str) -> int:
    return _whole_number(text, 0)


def _whole_number(text: str, minimum: int) -> int:
    if not text.isdecimal() or int(text) < minimum:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of {minimum} or more")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())

"""The commands ``mnist``, ``fashion-mnist`` and ``cifar10``: networks that recognise images."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import framework
from datasets import cifar10, class_names, fashion_mnist, mnist
from framework.commands.image_training import targets
from framework.commands.networks import NETWORKS
from framework.commands.options import (
    add_accelerated,
    add_option,
    add_save,
    check_outputs,
    count,
    seed,
)
from framework.training.distributed.communicator import in_turn, launched_together
from framework.training.history import History
from optimizers.arrays import Array

LOADERS: dict[str, Callable[..., Any]] = {
    "mnist": mnist,
    "fashion-mnist": fashion_mnist,
    "cifar10": cifar10,
}
ABOUT = {
    "mnist": "handwritten digits",
    "fashion-mnist": "pictures of clothes",
    "cifar10": "photographs of animals and vehicles",
}
NOTES = {
    "cifar10": " The epochs of the best one suit a sample of some 5,000 images: on the complete "
    "archive of 50,000 it takes ten times as long; --epochs shortens that.",
}


def add(commands: Any) -> None:
    """Declare the three commands."""
    for name, networks in NETWORKS.items():
        parser = commands.add_parser(
            name,
            help=f"train a network on {ABOUT[name]} and draw its results",
            description=f"Train a network on {ABOUT[name]}, print how many of the test images it "
            "recognises, and draw its learning curves, which classes it takes for which, and "
            "some of its predictions. The data are downloaded if they are not there.",
            epilog="Networks: "
            + "; ".join(f"{key}: {network.about}" for key, network in networks.items())
            + "."
            + NOTES.get(name, ""),
        )
        parser.set_defaults(command=recognise, data=name)
        parser.add_argument("--directory", metavar="FOLDER", help="where the data are")
        default = next(iter(networks))
        add_option(parser, "--network", default, "which one, see below", choices=networks)
        parser.add_argument(
            "--epochs", type=count, metavar="N", help="times through the data (the network's own)"
        )
        add_option(parser, "--seed", 0, "decides everything random", type=seed, metavar="N")
        add_accelerated(parser)
        parser.add_argument("--quiet", action="store_true", help="show no progress bars")
        add_option(parser, "--output", f"{name}.png", "the picture", metavar="FILE")
        add_save(parser)


def recognise(options: argparse.Namespace) -> int:
    """Train a network on images, print its accuracy on the test images, and draw the results.

    The test images are evaluated after each epoch for the learning curves, but nothing is selected
    by these results.
    """
    communicator = launched_together()
    first = communicator is None or communicator.rank == 0
    network = NETWORKS[options.data][options.network]
    load = LOADERS[options.data]

    def data() -> Any:
        if first:
            check_outputs(options)
        return load(directory=options.directory, scale=network.scale)

    (X, y), (X_test, y_test) = in_turn(communicator, data)
    framework.seed(options.seed)
    epochs = options.epochs or network.epochs
    model = network.model(len(X), epochs, accelerated=options.accelerated)
    print(f"Training on {len(X):,} images of {options.data}:")
    model.summary()
    history = network.train(
        model,
        X,
        y,
        epochs,
        validation_data=(network.inputs(X_test), targets(model, y_test)),
        progress=not options.quiet,
        communicator=communicator,
    )
    if not first:
        return 0  # the model is the same on every rank
    predictions = model.predict_classes(network.inputs(X_test))
    accuracy = (predictions == y_test).mean()
    print(f"test accuracy {accuracy:.4f}   ({len(X_test):,} images not trained on)")
    names = class_names(load.__name__)
    _draw(history, X_test, y_test, predictions, names, options.output)
    print(f"picture       {options.output}")
    if options.save is not None:
        complete = network.for_images(model, X.shape[1:])
        complete.save(options.save, class_names=names)
        print(f"model         {options.save}")
    return 0


def _draw(
    history: History,
    images: Array,
    labels: Array,
    predictions: Array,
    names: list[str],
    output: str,
) -> None:
    # A figure without pyplot needs no display and leaves the user's settings alone.
    from matplotlib.figure import Figure

    from framework import plots

    figure = Figure(figsize=(20, 6.5), layout="constrained")
    curves, confusion, grid = figure.subfigures(1, 3, squeeze=False)[0]
    if len(history):
        plots.learning_curves(history, curves.subplots())
    plots.confusion_matrix(labels, predictions, names, confusion.subplots())
    plots.image_grid(images, labels, predictions, class_names=names, figure=grid)
    figure.savefig(output, dpi=100)

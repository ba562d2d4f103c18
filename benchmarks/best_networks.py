"""How well the best networks do on real images, and in what time.

    python -m benchmarks.best_networks [mnist] [fashion-mnist] [cifar10] [--cnn] [--validate]

The best of dense layers or, with ``--cnn``, the convolutional one is trained on all training images
and then, once, tested. With ``--validate`` a sixth of the training images is held back, the network
is trained on the others and measured on those, and the test images are left alone: what the
networks are was chosen by that.
"""

import argparse
import time

import framework
from framework.commands.image_training import targets
from framework.commands.images import LOADERS
from framework.commands.networks import NETWORKS

HELD_BACK = 1 / 6


def main() -> None:
    """Train the networks asked for and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    # argparse compares the default of a list with its choices as a whole, so it is left out.
    parser.add_argument("data", nargs="*", help=f"any of {', '.join(LOADERS)} (all)")
    parser.add_argument("--cnn", action="store_true", help="the convolutional networks")
    parser.add_argument("--validate", action="store_true", help="leave the test images alone")
    parser.add_argument("--seed", type=int, default=0, help="decides everything random (0)")
    options = parser.parse_args()
    for name in options.data or LOADERS:
        if name not in LOADERS:
            parser.error(f"there are {', '.join(LOADERS)}, received {name!r}")
    for name in options.data or LOADERS:
        measure(name, options.cnn, options.validate, options.seed)


def measure(name: str, cnn: bool, validate: bool, seed: int) -> None:
    """Train a network on one data set and print what it comes to."""
    network = NETWORKS[name]["cnn" if cnn else "best"]
    (X, y), (X_test, y_test) = LOADERS[name](scale=network.scale)
    if validate:
        kept = round((1 - HELD_BACK) * len(X))
        (X, X_test), (y, y_test) = (X[:kept], X[kept:]), (y[:kept], y[kept:])
    framework.seed(seed)
    model = network.model(len(X), network.epochs, accelerated=None)
    started = time.perf_counter()
    history = network.train(model, X, y, network.epochs)
    seconds = time.perf_counter() - started
    _, accuracy = model.evaluate(network.inputs(X_test), targets(model, y_test))
    print(
        f"{name}: {network.about}\n"
        f"  {'validation' if validate else 'test'} accuracy {accuracy:.4f} "
        f"on {len(X_test):,} images, after {network.epochs} epochs on {len(X):,} in {seconds:.0f} "
        f"seconds (accuracy while it trained {history.accuracy[-1]:.4f})"
    )


if __name__ == "__main__":
    main()

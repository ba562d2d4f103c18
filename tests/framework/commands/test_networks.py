from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import framework
from datasets import cifar10, fashion_mnist, mnist
from framework import (
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Model,
    ReLU,
    Sigmoid,
)
from framework.commands.image_training import Network, targets
from framework.commands.networks import NETWORKS

IMAGES = np.random.default_rng(0).random((40, 6, 8, 3)).astype(np.float32)
ALL = {
    f"{data} {name}": network
    for data, networks in NETWORKS.items()
    for name, network in networks.items()
}
TUNED = {name: network for name, network in ALL.items() if name.endswith(("best", "cnn"))}
BEST = {name: network for name, network in ALL.items() if name.endswith("best")}


def sizes(model: Model) -> list[int]:
    layers = [layer for layer in model.layers if isinstance(layer, Dense)]
    return [layers[0].n_inputs, *(layer.n_neurons for layer in layers)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mnist softmax", [784, 128, 64, 10]),
        ("mnist sigmoid", [784, 64, 10]),
        ("fashion-mnist book", [784, 128, 128, 10]),
        ("cifar10 relu", [3072, 64, 10]),
        ("cifar10 sigmoid", [3072, 64, 10]),
    ],
)
def test_the_networks_have_the_sizes_that_they_are_known_by(name: str, expected: list[int]) -> None:
    model = ALL[name].model(samples=1000, epochs=1)
    assert sizes(model) == expected
    assert isinstance(model.layers[-1], Sigmoid) == (name == "mnist sigmoid")
    assert isinstance(model.layers[1], Sigmoid if name == "cifar10 sigmoid" else ReLU)


@pytest.mark.parametrize("name", ALL)
def test_each_network_learns_a_few_images_by_heart(name: str) -> None:
    network = ALL[name]
    # Patches of four by four pixels, which are still the same if an image is moved a little.
    coarse, patch = ((8, 8, 3), (4, 4, 1)) if name.startswith("cifar10") else ((7, 7), (4, 4))
    generator = np.random.default_rng(0)
    images = np.kron(generator.uniform(*network.scale, (20, *coarse)), np.ones(patch))
    labels = np.arange(20) % 10
    # All at once there is one update in an epoch, so the ten of the smaller ones are too few.
    epochs = max(network.epochs, 60)
    model = network.model(len(images), epochs)
    history = network.train(model, images, labels, epochs, progress=False)
    assert history.loss[-1] < 0.6 * history.loss[0]
    assert (model.predict_classes(network.inputs(images)) == labels).mean() >= 0.9


@pytest.mark.parametrize("network", BEST.values(), ids=list(BEST))
def test_the_best_networks_are_normalized_and_drop_out(network: Network) -> None:
    model = network.model(samples=1000, epochs=2)
    kinds = [type(layer) for layer in model.layers]
    hidden = len(sizes(model)) - 2
    assert kinds[: 4 * hidden] == [Dense, BatchNormalization, ReLU, Dropout] * hidden


@pytest.mark.parametrize(
    ("data", "filters"),
    [
        ("mnist", [16, 32, 64]),
        ("fashion-mnist", [32, 64, 128]),
        ("cifar10", [32, 64, 128, 128, 256]),
    ],
)
def test_convolutional_networks_have_the_filters_that_they_are_known_by(
    data: str, filters: list[int]
) -> None:
    network = NETWORKS[data]["cnn"]
    layers = network.model(samples=1000, epochs=2).layers
    assert [layer.n_filters for layer in layers if isinstance(layer, Conv2D)] == filters
    assert network.takes[-1] == layers[0].n_channels


@pytest.mark.parametrize("network", TUNED.values(), ids=list(TUNED))
def test_the_rate_rises_for_an_epoch_and_then_falls_to_nothing(network: Network) -> None:
    batches, epochs = 5, 4
    assert network.batch_size is not None
    model = network.model(samples=batches * network.batch_size - 1, epochs=epochs)
    rates = []
    for _ in range(batches * epochs):
        model.optimizer.pre_update_params()
        rates.append(model.optimizer.current_learning_rate)
        model.optimizer.post_update_params()
    assert rates[: batches + 1] == sorted(rates[: batches + 1])
    assert rates[batches:] == sorted(rates[batches:], reverse=True)
    assert rates[-1] < rates[batches] / 20


@pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
@pytest.mark.parametrize("network", ALL.values(), ids=list(ALL))
def test_every_network_can_be_trained_by_compiled_code(network: Network) -> None:
    assert network.model(samples=1000, epochs=2, accelerated=True).trainer is not None


def test_labels_are_one_hot_for_sigmoids_and_as_they_are_for_softmax() -> None:
    labels = np.array([3, 0])
    softmax = NETWORKS["mnist"]["softmax"].model(2, 1)
    sigmoid = NETWORKS["mnist"]["sigmoid"].model(2, 1)
    np.testing.assert_array_equal(targets(softmax, labels), labels)
    np.testing.assert_array_equal(targets(sigmoid, labels), np.eye(10)[labels])


# What the networks come to on the real data. Each figure is one that others have published or
# measured for the same network. The best ones take minutes: benchmarks/README.md tells how to
# train them.


def accuracy(network: Network, load: Callable[..., Any]) -> float:
    (X, y), (X_test, y_test) = load(scale=network.scale)
    framework.seed(0)
    model = network.model(len(X), network.epochs)
    network.train(model, X, y, network.epochs, progress=False)
    return float(model.evaluate(network.inputs(X_test), targets(model, y_test))[1])


@pytest.mark.data("mnist")
def test_a_hidden_layer_and_a_sigmoid_for_each_digit_recognise_965_of_1000() -> None:
    assert accuracy(NETWORKS["mnist"]["sigmoid"], mnist) >= 0.965


@pytest.mark.data("mnist")
def test_two_hidden_layers_and_softmax_recognise_975_of_1000_digits() -> None:
    assert accuracy(NETWORKS["mnist"]["softmax"], mnist) >= 0.975


@pytest.mark.data("fashion-mnist")
def test_the_books_network_recognises_87_of_100_clothes() -> None:
    assert accuracy(NETWORKS["fashion-mnist"]["book"], fashion_mnist) >= 0.87


@pytest.mark.long
@pytest.mark.data("mnist")
def test_after_an_epoch_the_convolutional_network_recognises_97_of_100_digits() -> None:
    assert accuracy(replace(NETWORKS["mnist"]["cnn"], epochs=1), mnist) >= 0.97


# Without momentum, full batches at 0.01 bring a network of ReLU about as far as a linear one …
@pytest.mark.data("cifar-10")
def test_full_batch_descent_with_relu_gets_29_of_100_photographs_right() -> None:
    assert abs(accuracy(NETWORKS["cifar10"]["relu"], sample_of_cifar10) - 0.29) <= 0.02


# … and one of sigmoids, whose gradients vanish, hardly past guessing.
@pytest.mark.data("cifar-10")
def test_full_batch_descent_with_sigmoid_gets_17_of_100_photographs_right() -> None:
    assert abs(accuracy(NETWORKS["cifar10"]["sigmoid"], sample_of_cifar10) - 0.17) <= 0.02


def sample_of_cifar10(**options: Any) -> Any:
    """The first 5,000 images to train on and 1,000 to test with."""
    (X, y), (X_test, y_test) = cifar10(**options)
    return (X[:5000], y[:5000]), (X_test[:1000], y_test[:1000])

"""The network that the arguments describe."""

from typing import Any

import numpy as np
import pytest

from framework import (
    BatchNormalization,
    Callback,
    Dense,
    Dropout,
    LeakyReLU,
    Linear,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
    Training,
)
from optimizers import SGD, Adam
from optimizers.schedules import CosineDecay

pytest.importorskip("sklearn", reason="scikit-learn is not installed: no estimators")

from tests.framework.estimators.support import (
    LABELS,
    NUMBERS,
    X,
    classifier,
    parameters_of,
    regressor,
)


def test_the_network_is_what_the_arguments_say() -> None:
    network = classifier(
        hidden_layer_sizes=(6, 5),
        activation=["tanh", LeakyReLU(0.2)],
        dropout=0.25,
        batch_normalization=True,
        l1=0.1,
        l2=0.2,
    ).fit(X, LABELS)
    kinds = [Dense, BatchNormalization, Tanh, Dropout, Dense, BatchNormalization, LeakyReLU]
    assert [type(layer) for layer in network.model_.layers] == [*kinds, Dropout, Dense, Softmax]
    dense = [layer for layer in network.model_.layers if isinstance(layer, Dense)]
    assert [layer.weights.shape for layer in dense] == [(4, 6), (6, 5), (5, 3)]
    for layer in dense:
        assert (layer.weight_regularizer_l1, layer.weight_regularizer_l2) == (0.1, 0.2)
        assert layer.bias_regularizer_l1 == layer.bias_regularizer_l2 == 0
    assert network.model_.layers[3].rate == 0.25
    assert network.model_.layers[6].configuration() == {"alpha": 0.2}
    assert network.model_.layers[6] is not network.activation[1]
    assert (network.n_outputs_, network.n_features_in_) == (3, 4)


@pytest.mark.parametrize(
    ("hidden", "activation", "kinds"),
    [
        ((), "relu", []),
        (3, "logistic", [Sigmoid]),
        ((3, 3), "identity", [Linear, Linear]),
        ([2, 2, 2], ReLU(), [ReLU, ReLU, ReLU]),
    ],
)
def test_one_activation_serves_every_hidden_layer(
    hidden: Any, activation: Any, kinds: list[type]
) -> None:
    network = regressor(hidden_layer_sizes=hidden, activation=activation).fit(X, NUMBERS)
    assert [type(layer) for layer in network.model_.layers[1:-1:2]] == [*kinds]
    assert type(network.model_.layers[-1]) is Linear


def test_the_dtype_is_that_of_the_data_unless_one_is_given() -> None:
    for data, dtype, expected in (
        (X, None, np.float64),
        (X.astype(np.float32), None, np.float32),
        (X.tolist(), None, np.float64),
        (X, "float32", np.float32),
        (X.astype(np.float32), "float64", np.float64),
    ):
        network = regressor(dtype=dtype).fit(data, NUMBERS)
        assert network.model_.dtype == network.predict(data).dtype == expected


def test_an_optimizer_is_chosen_by_name_or_copied() -> None:
    schedule = CosineDecay(0.1, 100)
    own = SGD(0.05, momentum=0.9)
    for optimizer, rate, kind, expected in (
        ("adam", None, Adam, 0.001),
        ("sgd", None, SGD, 0.01),
        ("sgd", 0.3, SGD, 0.3),
        ("adam", schedule, Adam, schedule),
        (own, None, SGD, 0.05),
    ):
        network = regressor(optimizer=optimizer, learning_rate=rate).fit(X, NUMBERS)
        assert type(network.model_.optimizer) is kind
        assert network.model_.optimizer.learning_rate is expected or rate is None
        assert network.model_.optimizer.learning_rate == expected
    assert network.model_.optimizer.momentum == 0.9
    assert own.iterations == 0


def test_an_optimizer_that_has_trained_elsewhere_begins_anew_in_every_fit() -> None:
    used, new = Adam(0.02, decay=0.05), Adam(0.02, decay=0.05)
    layer = Dense(2, 3)
    for _ in range(50):
        used.pre_update_params()
        used.update_params(layer)
        used.post_update_params()
    fitted = [regressor(optimizer=each).fit(X, NUMBERS) for each in (used, new)]
    np.testing.assert_array_equal(parameters_of(fitted[0]), parameters_of(fitted[1]))
    assert used.iterations == 50


@pytest.mark.parametrize(("batch_size", "batches"), [("auto", 2), (90, 3), (1000, 1), (None, 1)])
def test_auto_is_200_samples_or_all_there_are(batch_size: Any, batches: int) -> None:
    class Recorder(Callback):
        def on_batch_end(self, training: Training) -> None:
            self.batches = training.batches

    network = regressor(batch_size=batch_size, epochs=1, callbacks=[Recorder()])
    network.fit(np.tile(X, (3, 1)), np.tile(NUMBERS, 3))
    assert network.callbacks_[0].batches == batches

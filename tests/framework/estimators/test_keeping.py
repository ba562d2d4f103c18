"""Pickles, threads, notebooks, predictions that are NaN."""

import pickle
import threading
import time
from typing import Any

import numpy as np
import pytest

from framework import (
    EarlyStopping,
    ReLU,
)

pytest.importorskip("sklearn", reason="scikit-learn is not installed: no estimators")
import joblib

from tests.framework.estimators.support import (
    LABELS,
    NUMBERS,
    X,
    classifier,
    parameters_of,
    regressor,
)


def test_joblib_keeps_a_network_that_predicts_and_trains_on_as_before(tmp_path: Any) -> None:
    network = classifier(dropout=0.2, batch_size=20, callbacks=[EarlyStopping("loss")])
    network.fit(X, LABELS)
    joblib.dump(network, tmp_path / "network.joblib")
    loaded = joblib.load(tmp_path / "network.joblib")
    np.testing.assert_array_equal(loaded.predict_proba(X), network.predict_proba(X))
    for each in (network, loaded):
        each.partial_fit(X, LABELS)
    np.testing.assert_array_equal(parameters_of(loaded), parameters_of(network))


def test_a_pickle_holds_the_parameters_and_not_the_data() -> None:
    data = np.tile(X, (50, 25))
    network = regressor(batch_size=None, epochs=1).fit(data, np.tile(NUMBERS, 50))
    network.predict(data)
    # Parameters, gradients and Adam's two memories are four vectors of 10,201 numbers.
    assert len(pickle.dumps(network)) < 4 * 8 * 10_201 + 20_000 < data.nbytes / 10


def test_it_shows_itself_in_notebooks() -> None:
    network = classifier(activation=["tanh"])
    for shown in (network._repr_html_(), network.fit(X, LABELS)._repr_html_()):
        assert "NeuralNetworkClassifier" in shown
        assert "tanh" in shown
    assert repr(network) == "NeuralNetworkClassifier(activation=['tanh'], epochs=5, random_state=0)"


def test_threads_can_share_a_network() -> None:
    class Unhurried(ReLU):
        def forward(self, inputs: Any, training: bool = True) -> Any:
            super().forward(inputs, training)
            time.sleep(0.002)  # long enough for the other threads to come in
            return self.output

    network = regressor(activation=Unhurried(), epochs=1).fit(X, NUMBERS)
    parts = np.split(X, 6)
    expected = [network.predict(part) for part in parts]
    results: dict[int, list[np.ndarray]] = {}

    def predict(index: int) -> None:
        results[index] = [network.predict(parts[index]) for _ in range(5)]

    threads = [threading.Thread(target=predict, args=(index,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, values in enumerate(expected):
        for result in results[index]:
            np.testing.assert_array_equal(result, values)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("kind", ["classes", "labels", "numbers"])
def test_a_prediction_that_is_nan_is_an_error_that_names_the_row(kind: str) -> None:
    targets = {"classes": LABELS, "labels": np.stack([NUMBERS > 0, NUMBERS > 1], 1).astype(int)}
    make: Any = regressor if kind == "numbers" else classifier
    network = make(hidden_layer_sizes=()).fit(X, targets.get(kind, NUMBERS))
    network.model_.layers[0].weights[0, -1] = -np.inf  # times 0 it is NaN
    data = np.ones((3, 4))
    data[1, 0] = 0
    with pytest.raises(ValueError, match=r"row 1 is NaN, as for 1 of 3\. .* are not finite"):
        network.predict(data)
    if kind != "numbers":
        assert np.isnan(network.predict_proba(data)).any(axis=1).tolist() == [False, True, False]


def test_where_an_output_is_nan_the_validation_score_is_nan() -> None:
    class Gaps(ReLU):
        def forward(self, inputs: Any, training: bool = True) -> Any:
            output = super().forward(inputs, training)
            return output if training else np.full_like(output, np.nan)

    for network, targets in ((classifier, LABELS), (regressor, NUMBERS)):
        fitted = network(activation=Gaps(), early_stopping=True, patience=2).fit(X, targets)
        assert np.isnan(fitted.validation_scores_).tolist() == [True, True]

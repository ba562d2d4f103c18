"""Checkpoints of format 1, which version 0.1.0 wrote, go on as they did then."""

from pathlib import Path

import numpy as np

from datasets import spiral_data
from framework import (
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    Model,
    ReLU,
    Softmax,
)
from optimizers import Adam

FOLDER = Path(__file__).parents[1] / "fixtures" / "format-1"


def test_a_checkpoint_goes_on_to_the_losses_and_parameters_of_the_version_that_wrote_it() -> None:
    expected = np.load(FOLDER / "expected.npz")
    model = Model([Dense(2, 16, weight_regularizer_l2=1e-4), ReLU(), Dropout(0.1), Dense(16, 3)])
    model.add(Softmax())
    model.set(
        loss=CategoricalCrossentropy(),
        optimizer=Adam(learning_rate=0.02, decay=1e-4),
        accuracy=CategoricalAccuracy(),
    )
    model.finalize()
    X, y = spiral_data(60, 3, seed=0)
    path = FOLDER / "checkpoint.safetensors"
    history = model.train(X, y, epochs=10, batch_size=32, resume_from=path, progress=False)
    np.testing.assert_array_equal(history.loss, expected["checkpoint_loss"])
    np.testing.assert_array_equal(model.parameters.weights, expected["checkpoint_after_10_epochs"])

"""Checkpoints of format 1, which version 0.1.0 wrote, go on as they did then."""

from pathlib import Path

import numpy as np
import pytest

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
from tests.framework.format_1 import FOLDER, has_avx512, run_with_their_kernels
from tests.strategies import Array


@pytest.fixture
def expected() -> dict[str, Array]:
    with np.load(FOLDER / "expected.npz") as file:
        return dict(file)


def resumed() -> tuple[list[float], Array]:
    """Return the losses and the parameters after the checkpoint has gone on to ten epochs."""
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
    return history.loss, model.parameters.weights


def test_a_checkpoint_goes_on_to_the_losses_and_parameters_up_to_the_rounding_of_another_cpu(
    expected: dict[str, Array],
) -> None:
    loss, weights = resumed()
    np.testing.assert_allclose(loss, expected["checkpoint_loss"], rtol=1e-5)
    np.testing.assert_allclose(
        weights, expected["checkpoint_after_10_epochs"], rtol=1e-4, atol=1e-6
    )


@pytest.mark.skipif(not has_avx512(), reason="the files were written on a CPU with AVX-512")
def test_it_goes_on_to_the_same_bits_with_the_blas_kernels_of_the_version_that_wrote_it(
    expected: dict[str, Array], tmp_path: Path
) -> None:
    script = (
        "import numpy as np; from tests.framework.training.test_format_1 import resumed\n"
        "loss, weights = resumed(); np.savez('found.npz', loss=loss, weights=weights)\n"
    )
    run_with_their_kernels(script, tmp_path)
    with np.load(tmp_path / "found.npz") as found:
        np.testing.assert_array_equal(found["loss"], expected["checkpoint_loss"])
        np.testing.assert_array_equal(found["weights"], expected["checkpoint_after_10_epochs"])

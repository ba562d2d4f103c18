"""Files that version 0.1.0 wrote, in format 1, are still read. See ``fixtures/README.md``."""

from pathlib import Path

import numpy as np
import pytest

from framework import Dense, Dropout, Model, ReLU, Softmax
from tests.framework.format_1 import FOLDER, has_avx512, run_with_their_kernels
from tests.framework.saving.helpers import finalized
from tests.strategies import Array

# The models, and their inputs in expected.npz.
MODELS = {"spiral": "inputs", "normalized": "inputs", "regression": "regression_inputs"}


@pytest.fixture(scope="module")
def expected() -> dict[str, Array]:
    with np.load(FOLDER / "expected.npz") as file:
        return dict(file)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_predicts_the_same_up_to_the_rounding_of_another_cpu(
    name: str, expected: dict[str, Array]
) -> None:
    model = Model.load(FOLDER / f"{name}.safetensors")
    outputs = model.predict(expected[MODELS[name]])
    assert outputs.dtype == expected[name].dtype
    np.testing.assert_array_max_ulp(outputs, expected[name], maxulp=8)


@pytest.mark.skipif(not has_avx512(), reason="the files were written on a CPU with AVX-512")
def test_models_predict_the_same_bits_with_the_blas_kernels_that_wrote_them(
    expected: dict[str, Array], tmp_path: Path
) -> None:
    script = (
        f"import numpy as np; from framework import Model; folder = {str(FOLDER)!r}\n"
        "expected = np.load(f'{folder}/expected.npz')\n"
        f"for name, inputs in {MODELS}.items():\n"
        "    model = Model.load(f'{folder}/{name}.safetensors')\n"
        "    np.save(f'{name}.npy', model.predict(expected[inputs]))\n"
    )
    run_with_their_kernels(script, tmp_path)
    for name in MODELS:
        outputs = np.load(tmp_path / f"{name}.npy")
        np.testing.assert_array_equal(outputs, expected[name], strict=True)


def test_parameters_load_into_a_model_of_the_same_operations(expected: dict[str, Array]) -> None:
    operations = Model.load(FOLDER / "spiral.safetensors").layers
    model = finalized(*(type(op)(**op.configuration()) for op in operations))
    model.load_parameters(FOLDER / "spiral-parameters.safetensors")
    np.testing.assert_array_max_ulp(model.predict(expected["inputs"]), expected["spiral"], 8)


def test_a_checkpoint_loads_as_a_model() -> None:
    model = Model.load(FOLDER / "checkpoint.safetensors")
    network = [Dense(2, 16, weight_regularizer_l2=1e-4), ReLU(), Dropout(0.1), Dense(16, 3)]
    assert list(map(repr, model.layers)) == list(map(repr, [*network, Softmax()]))
    assert model.optimizer.learning_rate == 0.02


@pytest.mark.parametrize("name", MODELS)
def test_saving_a_loaded_model_writes_the_same_bytes(name: str, tmp_path: Path) -> None:
    path = FOLDER / f"{name}.safetensors"
    Model.load(path).save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()

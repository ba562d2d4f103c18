"""Compiled code in a process of its own: without numba, and from disk."""

import os
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from tests.framework.accelerated.networks import (
    CLASSES,
    both,
    classifier,
    train,
)

WITHOUT_NUMBA = "import sys; sys.modules['numba'] = None\n"


def in_another_process(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_without_numba_there_is_an_error_that_names_the_extra() -> None:
    printed = in_another_process(
        WITHOUT_NUMBA
        + """
from framework import Dense, Model
model = Model([Dense(2, 3)])
try:
    model.finalize(accelerated=True)
except ImportError as error:
    print(error, model.finalized)
model.finalize()
"""
    )
    assert "numba" in printed
    assert "pip install 'dinputs[fast]'" in printed
    assert printed.strip().endswith("False")


def test_a_pickle_of_an_accelerated_model_runs_without_numba(tmp_path: Any) -> None:
    _, model = both(classifier)
    train(model, CLASSES, epochs=1)
    file = tmp_path / "model.pickle"
    file.write_bytes(pickle.dumps(model))
    code = "import pickle; model = pickle.load(open(sys.argv[1], 'rb'))\n"
    code += "print(model.accelerated, repr(float(model.predict([[1, 2, 3, 4]])[0, 0])))"
    accelerated, output = in_another_process(WITHOUT_NUMBA + code, str(file)).split()
    assert accelerated == "False"
    np.testing.assert_allclose(float(output), model.predict([[1, 2, 3, 4]])[0, 0], 1e-5)


def test_the_process_that_compiles_computes_what_those_after_it_compute(tmp_path: Any) -> None:
    program = """
import numpy as np, framework
from framework import (
    CategoricalCrossentropy,
    Dense,
    Model,
    ReLU,
    Softmax,
)
from optimizers import Adam
framework.seed(0)
X = np.random.default_rng(0).normal(size=(512, 50)).astype("float32")
model = Model([Dense(50, 64), ReLU(), Dense(64, 10), Softmax()])
model.set(loss=CategoricalCrossentropy(), optimizer=Adam())
model.finalize(accelerated=True)
model.train(X, np.arange(512) % 10, epochs=1, batch_size=128, progress=False)
print(model.parameters.weights.tobytes().hex())
"""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    printed = [
        subprocess.run(
            [sys.executable, "-c", program], env=environment, check=True, capture_output=True
        ).stdout
        for _ in range(2)
    ]
    assert printed[0] == printed[1]
    assert len(printed[0]) > 1000
    assert list(tmp_path.rglob("*.nbi"))

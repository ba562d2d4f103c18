"""Processes that are killed while they train and write checkpoints."""

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np

from framework import (
    Model,
)
from framework.saving import file_format

SCRIPT = """
import sys
import numpy as np
from framework import *
from optimizers import Adam

seed(3)
generator = np.random.default_rng(0)
X = generator.normal(size=(96, 2))
y = (X[:, 0] * X[:, 1] > 0).astype(int)
model = Model([Dense(2, 16), BatchNormalization(16), ReLU(), Dropout(0.2), Dense(16, 2), Softmax()])
model.set(loss=CategoricalCrossentropy(), optimizer=Adam(0.01), accuracy=CategoricalAccuracy())
model.finalize()
checkpoint = Checkpoint("run.safetensors", keep=2)
options = {} if "at once" in sys.argv else {
    "callbacks": [checkpoint], "resume_from": "run.safetensors"
}
print("begin", flush=True)
history = model.train(
    X, y, epochs=1500, batch_size=32, validation_split=0.25, progress=False, **options
)
np.savez(sys.argv[1], *model.get_parameters()[0], *model.get_parameters()[1],
         *model.get_parameters()[2], history.loss, history.val_loss, history.accuracy)
"""


def test_thirty_kills_at_random_moments_change_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])}

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SCRIPT, *arguments]
        return subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
        )

    path = tmp_path / "run.safetensors"
    moments = random.Random(0)
    kills, epochs = 0, [0]
    while kills < 30:
        with start("killed") as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "begin\n"
            try:
                process.wait(moments.uniform(0.0, 0.2))
                path.unlink()  # it came to its end, so it begins again
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
        for file in tmp_path.glob("run*"):
            Model.load(file)
        if path.exists():
            epochs.append(len(file_format.read(path)[1]["training.history.loss"]))
    assert max(epochs) > 10
    for arguments in (["resumed"], ["whole", "at once"]):
        with start(*arguments) as process:
            assert process.wait() == 0
    resumed, whole = (np.load(tmp_path / f"{name}.npz") for name in ("resumed", "whole"))
    assert len(whole.files) == 11
    for name in whole.files:
        np.testing.assert_array_equal(resumed[name], whole[name], strict=True)
    names = ["run", "run.best", "run.epoch-1499", "run.epoch-1500"]
    files = {name for name in os.listdir(tmp_path) if "run" in name}
    assert files == {f"{name}.safetensors" for name in names}

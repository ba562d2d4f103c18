"""Children that are forked while other threads are at work: they can do all that their parent can.

Each program runs in a process of its own, with a thread that is always busy, and forks many
children. A child that waits for a lock which nobody is left to release is ended by its alarm.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")

PRELUDE = """
import os, signal, sys, threading, time, warnings
import numpy as np
from threadpoolctl import ThreadpoolController
from framework import *
from framework.utils import rng
from framework.utils.threads import at_most, available, single_thread
from optimizers import Adam

warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, from 3.12 on
blas = ThreadpoolController().select(user_api="blas")
blas.limit(limits=2)
X = np.random.default_rng(0).normal(size=(600, 8)).astype(np.float32)
y = np.arange(600) % 3

def used():
    return {library["num_threads"] for library in blas.info()}

def model():
    it = Model([Dense(8, 32), ReLU(), Dropout(0.3), Dense(32, 3), Softmax()])
    it.set(loss=CategoricalCrossentropy(), optimizer=Adam(), accuracy=CategoricalAccuracy())
    it.finalize()
    return it

def busy(work):
    def forever():
        while True:
            work()

    threading.Thread(target=forever, daemon=True).start()
    time.sleep(0.1)

def status_of_child(work):
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        try:
            work()
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def fork(work, children):
    for i in range(children):
        time.sleep(0.0007 * (i % 11))
        status = status_of_child(work)
        if status:
            end(f"child {i} ended with {status}")
    end("all ended well")

def end(message):
    print(message, flush=True)
    os._exit(0)  # whatever the thread is at
"""

TRAINING = """
def train():
    model().train(X, y, epochs=1, batch_size=300, progress=False)
    assert used() == {2}, used()

busy(train)
fork(train, 60)
"""

# A dropout draws its numbers without the interpreter's lock, so a fork comes in between.
TRAINING_WITH_ITS_OWN_GENERATOR = """
from framework.estimators import NeuralNetworkClassifier

network = NeuralNetworkClassifier((400,), dropout=0.5, random_state=0, batch_size=600)
network.partial_fit(X, y, classes=range(3))
busy(lambda: network.partial_fit(X, y))
fork(lambda: network.partial_fit(X[:100], y[:100]), 40)
"""

DRAWING = """
def draw(count):
    rng.generator().random(count)
    np.random.random(count)
    with rng.use_generator(own):
        rng.generator().random(count)

own = np.random.default_rng(0)
busy(lambda: draw(1_000_000))
fork(lambda: draw(10), 40)
"""

PREDICTING = """
from framework.estimators import NeuralNetworkClassifier

class Unhurried(ReLU):
    def forward(self, inputs, training=True):
        time.sleep(0.002)
        return super().forward(inputs, training)

network = NeuralNetworkClassifier(activation=Unhurried(), epochs=1).fit(X, y)
few = X[:50]
expected = network.predict_proba(few)

def predict():
    np.testing.assert_array_equal(network.predict_proba(few), expected)

busy(predict)
fork(predict, 40)
"""

# Whoever forks within a prediction goes on with it in the child, and with others after it.
PREDICTING_AND_FORKING = """
from framework.estimators import NeuralNetworkClassifier

class Forking(ReLU):
    def forward(self, inputs, training=True):
        super().forward(inputs, training)
        if not training and armed:
            armed.clear()
            statuses.append(os.fork())
        return self.output

armed, statuses = [], []
network = NeuralNetworkClassifier(activation=Forking(), epochs=1).fit(X, y)
expected = network.predict_proba(X)
armed.append(True)
signal.alarm(20)
for _ in range(2):
    np.testing.assert_array_equal(network.predict_proba(X), expected)
if statuses == [0]:
    os._exit(0)
assert os.waitpid(statuses[0], 0)[1] == 0
end("all ended well")
"""

# The first of them also imports what shows it.
PROGRESS = """
def train():
    model().train(X[:10], y[:10], epochs=20, batch_size=10)

busy(train)
fork(train, 40)
"""

ACCELERATED = """
from framework.accelerated import trainer

trainer.available = lambda: 3
trainer.SAMPLES_OF_PART = trainer.WORK_OF_PART = 1

def train():
    it = Model([Dense(8, 32), ReLU(), Dense(32, 3), Softmax()])
    it.set(loss=CategoricalCrossentropy(), optimizer=Adam())
    it.finalize(accelerated=True)
    it.train(X, y, epochs=3, batch_size=60, progress=False)
    assert used() == {2}, used()

train()
busy(train)
fork(train, 40)
"""

COMPILING = """
from framework.accelerated.jit import cached_jit, jit

def compile_and_call():
    @cached_jit
    def add_two(number):
        return add_one(add_one(number))

    @jit
    def add_one(number):
        return number + 1

    assert add_two(1) == 3

compile_and_call()
busy(compile_and_call)
fork(compile_and_call, 8)
"""

LIMITS_OF_OTHERS = """
def hold():
    with at_most(1), single_thread():
        threading.Event().wait()

def look():
    assert used() == {2}, used()
    assert available() == 2
    with single_thread():
        assert used() == {1}, used()
    assert used() == {2}, used()
    assert status_of_child(lambda: None) == 0

threading.Thread(target=hold, daemon=True).start()
while used() != {1}:
    time.sleep(0.001)
fork(look, 3)
"""

LIMIT_OF_AT_MOST = LIMITS_OF_OTHERS.replace("at_most(1), single_thread()", "at_most(1)")

OWN_LIMIT = """
def look():
    assert used() == {1}, used()
    within.__exit__(None, None, None)
    assert used() == {2}, used()

def hold():
    with single_thread():
        begun.set()
        threading.Event().wait()

begun = threading.Event()
threading.Thread(target=hold, daemon=True).start()
begun.wait(20)
within = single_thread()
within.__enter__()
fork(look, 3)
"""

# A callback forks in the middle of a training, and both processes finish it alike.
FORKING_CALLBACK = """
class Fork(Callback):
    def on_epoch_end(self, training):
        if training.epoch == 1:
            pids.append(os.fork())

pids, (reading, writing) = [], os.pipe()
seed(0)
it = model()
signal.alarm(20)
history = it.train(X, y, epochs=3, progress=False, callbacks=[Fork()])
assert used() == {2}, used()
numbers = np.array(history.loss).tobytes()
if pids == [0]:
    os.write(writing, numbers)
    os._exit(0)
assert os.waitpid(pids[0], 0)[1] == 0
assert os.read(reading, 1000) == numbers
end("all ended well")
"""

PROGRAMS = {
    "training": TRAINING,
    "training with its own generator": TRAINING_WITH_ITS_OWN_GENERATOR,
    "drawing": DRAWING,
    "predicting": PREDICTING,
    "predicting and forking": PREDICTING_AND_FORKING,
    "showing progress": PROGRESS,
    "training accelerated": ACCELERATED,
    "compiling": COMPILING,
    "limits of others": LIMITS_OF_OTHERS,
    "limit of at_most": LIMIT_OF_AT_MOST,
    "a limit of one's own": OWN_LIMIT,
    "a callback forks": FORKING_CALLBACK,
}

NEEDS = {"framework.estimators": "sklearn", "framework.accelerated": "numba"}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_children_forked_meanwhile_end_well(program: str) -> None:
    for module, needed in NEEDS.items():
        if module in program:
            pytest.importorskip(needed, reason=f"{needed} is not installed")
    result = subprocess.run(
        [sys.executable, "-c", PRELUDE + program],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert result.stdout.splitlines()[-1:] == ["all ended well"], result.stdout + result.stderr
    assert "Exception ignored" not in result.stderr

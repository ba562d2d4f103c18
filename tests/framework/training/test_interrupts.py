"""Ctrl-C while a model trains."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from framework import (
    Callback,
    Training,
)
from tests.framework.training.classifiers import X, classifier, y


@pytest.fixture
def pythons_ctrl_c() -> Iterator[None]:
    """Python's own handler of Ctrl-C, which a background job starts without."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class InterruptIn(Callback):
    def __init__(self, epoch: int, batch: int) -> None:
        self.at = epoch, batch
        self.after = 0

    def on_batch_end(self, training: Training) -> None:
        if (training.epoch, training.batch) == self.at:
            os.kill(os.getpid(), signal.SIGINT)
        elif (training.epoch, training.batch) > self.at:
            self.after += 1

    def on_train_end(self, training: Training) -> None:
        self.ended = True


@pytest.mark.usefixtures("pythons_ctrl_c")
def test_ctrl_c_ends_training_after_the_batch_and_returns_the_history() -> None:
    interrupt = InterruptIn(2, 1)
    with pytest.warns(UserWarning, match="interrupted in epoch 2, after batch 1 of 3; 1 of 9"):
        history = classifier().train(
            X, y, epochs=9, batch_size=20, callbacks=[interrupt], progress=False
        )
    assert len(history) == 1
    assert interrupt.after == 0
    assert interrupt.ended
    assert history.stopped == "interrupted"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("pythons_ctrl_c")
def test_a_second_ctrl_c_ends_it_at_once() -> None:
    class Twice(Callback):
        def on_batch_end(self, training: Training) -> None:
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        classifier().train(X, y, callbacks=[Twice()], progress=False)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_it_trains_in_a_thread_where_no_signal_can_be_caught() -> None:
    results = []
    thread = threading.Thread(
        target=lambda: results.append(classifier().train(X, y, progress=False))
    )
    thread.start()
    thread.join()
    assert len(results[0]) == 1

"""Steps are compiled beside the page, which trains in plain NumPy until then."""

from threading import Event
from typing import Any

import pytest

from framework.playground import compiler as module
from framework.playground.compiler import Compiler
from framework.playground.session import Session
from framework.playground.settings import DataSettings, Settings
from framework.playground.worker import Worker

pytest.importorskip("numba", reason="numba is missing: nothing is compiled")


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Event:
    """The end of a compilation that takes until the test sets it."""
    done = Event()

    class Step:
        def __init__(self, *arguments: Any) -> None:
            pass

        def advance(self, batches: int) -> None:
            assert batches == 1 and done.wait(60)

    monkeypatch.setattr(module, "Run", Step)
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    return done


def is_accelerated(session: Session) -> bool:
    return session.experiment.is_accelerated


def test_a_training_begins_plain_and_is_compiled_from_its_next_start(compiled: Event) -> None:
    compiler = Compiler()
    session = Session(Settings(DataSettings(samples=30)), compiler=compiler)
    session.one_batch()
    assert not is_accelerated(session) and session.pace.startswith("compiling")
    other = Session(Settings(DataSettings(samples=30)), compiler=compiler)
    compiled.set()
    module.wait(compiler._asked.values(), 60)
    session.one_batch()
    assert not is_accelerated(session) and session.pace == "compiled: start again to train faster"
    session.go_to(0)
    session.play()
    assert not is_accelerated(session)  # it must come to the numbers that it had
    session.restart()
    session.play()
    other.play()
    assert is_accelerated(session) and is_accelerated(other) and not session.pace


def test_a_network_without_kernels_trains_as_it_is(
    compiled: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "accelerate", lambda model: None)
    session = Session(Settings(DataSettings(samples=30)), compiler=Compiler())
    module.wait(session.compiler._asked.values(), 60)  # type: ignore[union-attr]
    session.one_batch()
    assert not is_accelerated(session) and not session.pace


def test_pictures_leave_time_for_the_training() -> None:
    worker, session = Worker(), Session(Settings(DataSettings(samples=30)))
    order: list[str] = []
    worker.add(session)
    worker.ask(session.play)
    session_slice = session.slice

    def noted(*arguments: Any) -> None:
        order.append("slice")
        session_slice(*arguments)

    session.slice = noted  # type: ignore[method-assign]
    drawn = [worker.draw(lambda: order.append("picture")) for _ in range(3)]
    worker.ask(lambda: order.append("action"))
    worker.start()
    for one in drawn:
        one.result(60)
    worker.stop()
    assert order[:6] == ["action", "picture", "slice", "picture", "slice", "picture"]

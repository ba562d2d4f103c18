"""Threads that take steps together, and how many of them there are."""

import os
from threading import Thread
from typing import Any

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

pytest.importorskip("numba")

import numba

import framework
from framework import (
    BatchNormalization,
    Callback,
    Dense,
    Model,
    ReLU,
    SoftmaxCategoricalCrossentropy,
)
from framework.accelerated.thread_team import (
    ThreadTeam,
    barrier,
    chunk,
    make_team,
    own_parts,
    together,
)
from framework.utils.threads import is_numpys
from optimizers import Adam
from tests.framework.accelerated.all_threads import AllThreads
from tests.strategies import Array


@numba.njit(nogil=True)
def add_up(team: Any, thread_id: Any, sums: Any) -> Any:
    """Write into each of ``sums`` what all threads have at that time."""
    for i in range(len(sums)):
        team.sums[thread_id, 0] += thread_id + 1
        if not barrier(team, thread_id):
            return i
        if thread_id == 0:
            sums[i] = team.sums[:, 0].sum()
        if not barrier(team, thread_id):
            return i
    return len(sums)


@numba.njit(nogil=True)
def chunks(count: Any, part: Any, parts: Any) -> Any:
    own = chunk(count, part, parts)
    return own.start, own.stop


@numba.njit
def parts_of(team: Any, thread_id: Any) -> Any:
    return list(own_parts(team, thread_id))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_nobody_goes_on_before_everyone_has_come(threads: int) -> None:
    team, sums = make_team(threads, threads), np.zeros(1000)
    together(team, lambda thread_id: add_up(team, thread_id, sums))
    once = threads * (threads + 1) / 2
    np.testing.assert_array_equal(sums, once * np.arange(1, 1001))


@pytest.mark.parametrize("culprit", [0, 2])
def test_an_error_of_one_thread_ends_the_others_and_is_raised(culprit: int) -> None:
    team, sums = make_team(3, 3), np.zeros(10)
    add_up(make_team(1, 1), 0, sums)
    ended = {}

    def work(thread_id: int) -> None:
        if thread_id == culprit:
            raise ZeroDivisionError
        ended[thread_id] = add_up(team, thread_id, sums)

    with pytest.raises(ZeroDivisionError):
        together(team, work)
    assert ended == {thread_id: 0 for thread_id in range(3) if thread_id != culprit}


def test_a_thread_that_cannot_be_started_ends_those_that_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from framework.accelerated import thread_team as module

    started: list[Thread] = []

    class SecondFails(Thread):
        def start(self) -> None:
            if started:
                raise RuntimeError("can't start new thread")
            super().start()
            started.append(self)

    monkeypatch.setattr(module, "Thread", SecondFails)
    team = make_team(3, 3)
    with pytest.raises(RuntimeError, match="can't start"):
        together(team, lambda thread_id: add_up(team, thread_id, np.zeros(10)))
    assert not started[0].is_alive()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 100])
@pytest.mark.parametrize("parts", [1, 3, 4])
def test_the_chunks_are_everything_once_and_about_the_same(count: int, parts: int) -> None:
    found = [chunks(count, part, parts) for part in range(parts)]
    assert [i for start, stop in found for i in range(start, stop)] == list(range(count))
    assert max(b - a for a, b in found) - min(b - a for a, b in found) <= 1


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_every_part_is_taken_by_one_thread(threads: int) -> None:
    team = make_team(threads, 5)
    found = [part for thread_id in range(threads) for part in parts_of(team, thread_id)]
    assert found == [0, 1, 2, 3, 4]


def numbers_of_parts(
    model: Model, X: Array, monkeypatch: pytest.MonkeyPatch, **options: Any
) -> set[int]:
    """Return into how many parts the steps of a training are cut."""
    from framework.accelerated import trainer

    found = set()

    def seen(threads: int, parts: int) -> ThreadTeam:
        found.add(parts)
        return make_team(threads, parts)

    monkeypatch.setattr(trainer, "make_team", seen)
    model.set(loss=SoftmaxCategoricalCrossentropy(), optimizer=Adam())
    model.finalize(accelerated=True)
    model.train(X, np.zeros(len(X), int), progress=False, **options)
    return found


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processors are Linux's here")
@pytest.mark.parametrize("is_allowed", [True, False])
def test_the_threads_of_a_team_may_use_the_processors_that_they_might_before(
    is_allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: int, processors: set[int]) -> None:
        raise PermissionError

    if not is_allowed:
        monkeypatch.setattr(os, "sched_setaffinity", refuse)
    allowed = {}

    def look(thread_id: int) -> None:
        allowed[thread_id] = os.sched_getaffinity(0)

    together(make_team(2, 2), look)
    assert allowed == dict.fromkeys((0, 1), os.sched_getaffinity(0))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processors are Linux's here")
def test_a_thread_begins_on_another_processor_than_its_caller() -> None:
    if len(os.sched_getaffinity(0)) == 1:
        pytest.skip("a single processor")
    moves = []

    def record(thread: int, processors: set[int]) -> None:
        moves.append(processors)

    together(make_team(1, 2), lambda thread_id: None)
    assert moves == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "sched_setaffinity", record)
        together(make_team(2, 2), lambda thread_id: None)
    others, everything = moves
    assert everything == os.sched_getaffinity(0)
    assert len(everything - others) == 1


X = np.random.default_rng(0).normal(size=(600, 300)).astype("float32")


def wide(*between: Any) -> Model:
    return Model([Dense(300, 256), *between, ReLU(), Dense(256, 3)])


@pytest.mark.parametrize(
    ("model", "batch_size", "limit", "expected"),
    [
        (wide(), 256, 2, 2),
        (wide(), 256, 1, 1),
        (wide(), 16, 2, 1),
        (Model([Dense(300, 3)]), 600, 2, 1),
        (wide(BatchNormalization(256)), 256, 2, 2),
    ],
    ids=[
        "much to do",
        "one allowed",
        "a small batch",
        "a small network",
        "samples that depend on each other",
    ],
)
def test_as_many_parts_as_threads_are_allowed_and_worth_it(
    model: Model, batch_size: int, limit: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadpoolController().limit(limits=limit, user_api="blas"):
        found = numbers_of_parts(model, X, monkeypatch, batch_size=batch_size)
    assert found == {expected}


def test_a_last_batch_has_as_many_as_the_others_also_in_a_call_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Watcher(Callback):
        def on_batch_end(self, training: Any) -> None: ...

    with ThreadpoolController().limit(limits=2, user_api="blas"):
        found = numbers_of_parts(
            wide(), X[:530], monkeypatch, batch_size=256, callbacks=[Watcher()], epochs=2
        )
    assert found == {2}


def test_threads_that_give_up_after_each_step_take_the_same_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from framework.accelerated import trainer

    def tired(threads: int, parts: int) -> ThreadTeam:
        return make_team(threads, parts)._replace(sleeps=np.array([10**6]))

    monkeypatch.setattr(trainer, "ThreadChoice", AllThreads)
    calls, found = [], []
    with ThreadpoolController().limit(limits=2, user_api="blas"):
        for make in (make_team, tired):
            framework.seed(0)
            model = wide()
            model.set(loss=SoftmaxCategoricalCrossentropy(), optimizer=Adam())
            model.finalize(accelerated=True)
            monkeypatch.setattr(trainer, "make_team", make)
            counted: list[int] = []

            def together_counted(team: ThreadTeam, work: Any, counted: Any = counted) -> None:
                counted.append(len(team.arrivals))
                together(team, work)

            monkeypatch.setattr(trainer, "together", together_counted)
            model.train(X, np.zeros(len(X), int), batch_size=150, epochs=2, progress=False)
            calls.append(len(counted))
            found.append((model.optimizer.iterations, model.parameters.weights.copy()))
    assert calls == [4, 8]  # three steps together and the last; each by itself
    assert found[0][0] == found[1][0] == 8
    np.testing.assert_array_equal(found[1][1], found[0][1])


def test_what_ends_a_call_leaves_the_optimizer_where_the_parameters_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from framework.accelerated import trainer

    model = wide()
    model.set(loss=SoftmaxCategoricalCrossentropy(), optimizer=Adam(decay=0.1))
    model.finalize(accelerated=True)
    y = np.zeros(len(X), int)

    def interrupted_at_the_end(team: ThreadTeam, work: Any) -> None:
        together(team, work)
        raise KeyboardInterrupt

    def interrupted_at_once(team: ThreadTeam, work: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(trainer, "ThreadChoice", AllThreads)
    with ThreadpoolController().limit(limits=2, user_api="blas"):
        before = model.parameters.weights.copy()
        for interrupted, steps in ((interrupted_at_once, 0), (interrupted_at_the_end, 3)):
            monkeypatch.setattr(trainer, "together", interrupted)
            with pytest.raises(KeyboardInterrupt):
                model.train(X, y, batch_size=150, progress=False)  # the last step is apart
            assert model.optimizer.iterations == steps
            assert (model.parameters.weights == before).all() == (steps == 0)
    assert model.optimizer.current_learning_rate == pytest.approx(0.001 / 1.2)


def test_during_a_training_with_several_threads_products_use_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    controller = ThreadpoolController().select(user_api="blas")
    seen = set()

    class Watcher(Callback):
        def on_epoch_end(self, training: Any) -> None:
            seen.update(
                library["num_threads"] for library in controller.info() if is_numpys(library)
            )

    with controller.limit(limits=2):
        numbers_of_parts(wide(), X, monkeypatch, batch_size=256, callbacks=[Watcher()])
    assert seen <= {1}  # empty where NumPy has another library

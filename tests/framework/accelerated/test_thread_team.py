"""Threads that take steps together, and how many of them there are."""

from threading import Thread
from typing import Any

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

pytest.importorskip("numba")

import numba

from framework import (
    BatchNormalization,
    Callback,
    Dense,
    Model,
    ReLU,
    SoftmaxCategoricalCrossentropy,
)
from framework.accelerated.team import Team, barrier, share, team_of, together
from framework.utils.threads import is_numpys
from optimizers import Adam
from tests.strategies import Array


@numba.njit(nogil=True)
def add_up(team: Any, member: Any, sums: Any) -> Any:
    """Write into each of ``sums`` what all members have at that time."""
    for i in range(len(sums)):
        team.sums[member, 0] += member + 1
        if not barrier(team, member):
            return i
        if member == 0:
            sums[i] = team.sums[:, 0].sum()
        if not barrier(team, member):
            return i
    return len(sums)


@numba.njit(nogil=True)
def shares(count: Any, team: Any, member: Any) -> Any:
    own = share(count, team, member)
    return own.start, own.stop


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_nobody_goes_on_before_everyone_has_come(threads: int) -> None:
    team, sums = team_of(threads), np.zeros(1000)
    together(team, lambda member: add_up(team, member, sums))
    once = threads * (threads + 1) / 2
    np.testing.assert_array_equal(sums, once * np.arange(1, 1001))


@pytest.mark.parametrize("culprit", [0, 2])
def test_an_error_of_one_member_ends_the_others_and_is_raised(culprit: int) -> None:
    team, sums = team_of(3), np.zeros(10)
    add_up(team_of(1), 0, sums)
    ended = {}

    def work(member: int) -> None:
        if member == culprit:
            raise ZeroDivisionError
        ended[member] = add_up(team, member, sums)

    with pytest.raises(ZeroDivisionError):
        together(team, work)
    assert ended == {member: 0 for member in range(3) if member != culprit}


def test_a_thread_that_cannot_be_started_ends_those_that_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from framework.accelerated import team as module

    started: list[Thread] = []

    class SecondFails(Thread):
        def start(self) -> None:
            if started:
                raise RuntimeError("can't start new thread")
            super().start()
            started.append(self)

    monkeypatch.setattr(module, "Thread", SecondFails)
    team = team_of(3)
    with pytest.raises(RuntimeError, match="can't start"):
        together(team, lambda member: add_up(team, member, np.zeros(10)))
    assert not started[0].is_alive()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 100])
@pytest.mark.parametrize("threads", [1, 3, 4])
def test_the_shares_are_everything_once_and_about_the_same(count: int, threads: int) -> None:
    team = team_of(threads)
    found = [shares(count, team, member) for member in range(threads)]
    assert [i for start, stop in found for i in range(start, stop)] == list(range(count))
    assert max(b - a for a, b in found) - min(b - a for a, b in found) <= 1


def team_sizes(model: Model, X: Array, monkeypatch: pytest.MonkeyPatch, **options: Any) -> set[int]:
    """Return how many threads the steps of a training have."""
    from framework.accelerated import trainer

    sizes = set()

    def seen(threads: int) -> Team:
        sizes.add(threads)
        return team_of(threads)

    monkeypatch.setattr(trainer, "team_of", seen)
    model.set(loss=SoftmaxCategoricalCrossentropy(), optimizer=Adam())
    model.finalize(accelerated=True)
    model.train(X, np.zeros(len(X), int), progress=False, **options)
    return sizes


X = np.random.default_rng(0).normal(size=(600, 300)).astype("float32")


def wide(*between: Any) -> Model:
    return Model([Dense(300, 256), *between, ReLU(), Dense(256, 3)])


@pytest.mark.parametrize(
    ("model", "batch_size", "limit", "expected"),
    [
        (wide(), 256, 2, 2),
        (wide(), 256, 1, 1),
        (wide(), 32, 2, 1),
        (Model([Dense(300, 3)]), 600, 2, 1),
        (wide(BatchNormalization(256)), 256, 2, 1),
    ],
    ids=["much to do", "one allowed", "a small batch", "a small network", "not samplewise"],
)
def test_as_many_threads_as_are_allowed_and_worth_it(
    model: Model, batch_size: int, limit: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadpoolController().limit(limits=limit, user_api="blas"):
        found = team_sizes(model, X, monkeypatch, batch_size=batch_size)
    assert found == {expected}


def test_a_last_batch_has_as_many_as_the_others_also_in_a_call_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Watcher(Callback):
        def on_batch_end(self, training: Any) -> None: ...

    with ThreadpoolController().limit(limits=2, user_api="blas"):
        found = team_sizes(
            wide(), X[:530], monkeypatch, batch_size=256, callbacks=[Watcher()], epochs=2
        )
    assert found == {2}


def test_what_ends_a_call_leaves_the_optimizer_where_the_parameters_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from framework.accelerated import trainer

    model = wide()
    model.set(loss=SoftmaxCategoricalCrossentropy(), optimizer=Adam(decay=0.1))
    model.finalize(accelerated=True)
    y = np.zeros(len(X), int)

    def interrupted_at_the_end(team: Team, work: Any) -> None:
        together(team, work)
        raise KeyboardInterrupt

    def interrupted_at_once(team: Team, work: Any) -> None:
        raise KeyboardInterrupt

    with ThreadpoolController().limit(limits=2, user_api="blas"):
        before = model.parameters.weights.copy()
        for interrupted, steps in ((interrupted_at_once, 0), (interrupted_at_the_end, 3)):
            monkeypatch.setattr(trainer, "together", interrupted)
            with pytest.raises(KeyboardInterrupt):
                model.train(X, y, batch_size=200, progress=False)
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
        team_sizes(wide(), X, monkeypatch, batch_size=256, callbacks=[Watcher()])
    assert seen <= {1}  # empty where NumPy has another library

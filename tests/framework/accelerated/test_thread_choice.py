"""How many threads take the next steps, on machines whose clock is given."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import framework
from framework import (
    BatchNormalization,
    Dense,
    Dropout,
    Model,
    ReLU,
    SoftmaxCategoricalCrossentropy,
)
from framework.accelerated import trainer
from framework.accelerated.thread_choice import ThreadChoice
from optimizers import Adam
from tests.strategies import Array


class Machine:
    """Takes steps in the seconds that ``seconds_of_step(threads, now)`` says."""

    def __init__(self, seconds_of_step: Callable[[int, float], float]) -> None:
        self.seconds_of_step = seconds_of_step
        self.now = 0.0
        self.steps: dict[int, int] = {}

    def take(self, threads: int, count: int) -> tuple[int, bool]:
        for _ in range(count):
            self.now += self.seconds_of_step(threads, self.now)
        self.steps[threads] = self.steps.get(threads, 0) + count
        return count, True

    def choice(self, most: int = 2) -> ThreadChoice:
        return ThreadChoice(most, clock=lambda: self.now)


def test_a_quiet_machine_has_all_threads_take_nearly_all_steps() -> None:
    machine = Machine(lambda threads, now: 400e-6 / threads**0.5)
    choice = machine.choice(most=4)
    choice.run(50_000, machine.take)
    assert choice.threads == 4
    assert machine.steps[4] > 0.96 * 50_000
    assert machine.now < 1.03 * 50_000 * 200e-6


@pytest.mark.parametrize("times_as_long", [1.05, 1.5, 5, 100])
@pytest.mark.parametrize("step", [1e-4, 5e-3, 0.5])
def test_a_busy_machine_costs_little_more_than_one_thread(
    times_as_long: float, step: float
) -> None:
    machine = Machine(lambda threads, now: step * (times_as_long if threads == 2 else 1))
    machine.choice().run(20_000, machine.take)
    assert machine.steps[1] + machine.steps[2] == 20_000
    assert machine.now < 1.05 * 20_000 * step


def test_another_number_is_chosen_when_the_machine_becomes_busy_and_quiet_again() -> None:
    def is_busy(now: float) -> bool:
        return 10 < now < 20

    machine = Machine(
        lambda threads, now: 1e-3 if threads == 1 else (2e-3 if is_busy(now) else 0.6e-3)
    )
    choice = machine.choice()
    chosen = {}
    while machine.now < 30:
        choice.run(100, machine.take)
        chosen[machine.now] = choice.threads
    of_busy = [threads for now, threads in chosen.items() if 11 < now < 20]
    of_quiet = [threads for now, threads in chosen.items() if now < 10 or now > 22]
    assert of_busy.count(1) > 0.9 * len(of_busy)
    assert of_quiet.count(2) > 0.9 * len(of_quiet)


@pytest.mark.parametrize("favoured", [0.0005, 0.01, 0.03])
def test_threads_that_are_fast_only_at_first_are_given_up(favoured: float) -> None:
    since: dict[int, float] = {}

    def seconds(threads: int, now: float) -> float:
        """Those of a scheduler that favours whoever has just begun."""
        if threads == 1:
            since.clear()
            return 1e-4
        return 0.7e-4 if now - since.setdefault(2, now) < favoured else 8e-4

    machine = Machine(seconds)
    machine.choice().run(50_000, machine.take)
    assert machine.now < 1.05 * 50_000 * 1e-4


def test_what_passes_between_two_calls_is_no_reason_to_look_again() -> None:
    machine = Machine(lambda threads, now: 400e-6 / threads)
    choice = machine.choice()
    choice.run(1000, machine.take)
    machine.steps.clear()
    for _ in range(10):
        machine.now += 3600
        choice.run(100, machine.take)
    assert machine.steps == {2: 1000}


def test_threads_that_give_up_are_soon_found_to_be_slower() -> None:
    """After each step of two threads, where another program came to use the machine."""
    is_busy = False
    machine = Machine(lambda threads, now: 1e-3 if threads == 1 else (3e-2 if is_busy else 6e-4))

    def take(threads: int, count: int) -> tuple[int, bool]:
        return machine.take(threads, 1 if threads == 2 and is_busy else count)

    choice = machine.choice()
    choice.run(1000, take)
    assert choice.threads == 2
    is_busy, before = True, machine.now
    machine.steps.clear()
    choice.run(1000, take)
    assert sum(machine.steps.values()) == 1000
    assert machine.steps[2] <= 3
    assert machine.now - before < 1.1


def test_threads_are_not_started_for_what_one_does_sooner() -> None:
    machine = Machine(lambda threads, now: 200e-6 if threads == 1 else 120e-6)
    choice = machine.choice()
    choice.run(2000, machine.take)
    assert choice.threads == 2
    machine.steps.clear()
    choice.run(1, machine.take)
    assert machine.steps == {1: 1}
    machine.steps.clear()
    choice.run(100, machine.take)
    assert machine.steps[2] == 100


def test_no_more_steps_are_taken_once_they_end() -> None:
    calls: list[tuple[int, int]] = []

    def ends_at_once(threads: int, count: int) -> tuple[int, bool]:
        calls.append((threads, count))
        return 0, False

    ThreadChoice(2).run(10, ends_at_once)
    assert calls == [(1, 1)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_choice_changes_no_bit_of_the_result(
    dtype: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the last part, or the last batch, is smaller, and samples depend on each other."""
    monkeypatch.setattr(trainer, "available", lambda: 3)
    monkeypatch.setattr(trainer, "SAMPLES_OF_PART", 1)
    monkeypatch.setattr(trainer, "WORK_OF_PART", 1)
    X = np.random.default_rng(0).normal(size=(430, 70))

    def trained(numbers: list[int]) -> tuple[Array, list[float]]:
        class Scripted(ThreadChoice):
            def run(self, steps: int, take: Callable[[int, int], tuple[int, bool]]) -> None:
                for step in range(steps):
                    take(numbers[step % len(numbers)], 1)

        monkeypatch.setattr(trainer, "ThreadChoice", Scripted)
        framework.seed(3)
        layers = [Dense(70, 64), BatchNormalization(64), ReLU(), Dropout(0.2), Dense(64, 20)]
        model = Model([*layers, ReLU(), Dense(20, 3)], dtype=dtype)
        model.set(
            loss=SoftmaxCategoricalCrossentropy(), optimizer=Adam(0.01, max_gradient_norm=0.1)
        )
        model.finalize(accelerated=True)
        classes = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
        history = model.train(X.astype(dtype), classes, batch_size=43, epochs=5, progress=False)
        return model.parameters.weights.copy(), history.loss

    weights, losses = trained([1])
    for numbers in ([3], [2], [1, 3, 2]):
        found, found_losses = trained(numbers)
        np.testing.assert_array_equal(found, weights)
        assert found_losses == losses

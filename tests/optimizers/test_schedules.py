import math

import pytest

from optimizers import Adam
from optimizers.schedules import CosineDecay, ExponentialDecay, LinearWarmup, StepDecay


def test_step_decay_drops_every_so_many_steps() -> None:
    rate = StepDecay(1.0, every=10, factor=0.5)
    assert [rate(i) for i in (0, 9, 10, 19, 20, 35)] == [1, 1, 0.5, 0.5, 0.25, 0.125]


def test_exponential_decay_passes_through_the_same_points() -> None:
    smooth, stepped = ExponentialDecay(1.0, 10, 0.5), StepDecay(1.0, 10, 0.5)
    for i in (0, 10, 20, 50):
        assert smooth(i) == pytest.approx(stepped(i))
    assert smooth(5) == pytest.approx(math.sqrt(0.5))


def test_cosine_decay_ends_at_the_final_rate_and_stays_there() -> None:
    rate = CosineDecay(1.0, steps=100, final=0.2)
    assert [rate(i) for i in (0, 50, 100, 150)] == pytest.approx([1.0, 0.6, 0.2, 0.2])
    assert rate(25) == pytest.approx(0.2 + 0.8 * (1 + math.cos(math.pi / 4)) / 2)


def test_warmup_rises_evenly_to_what_comes_after() -> None:
    rate = LinearWarmup(steps=4, then=1.0)
    assert [rate(i) for i in range(6)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0])
    after = LinearWarmup(steps=4, then=StepDecay(1.0, every=2, factor=0.5))
    assert [after(i) for i in (3, 4, 5, 6)] == pytest.approx([0.8, 1.0, 1.0, 0.5])


def test_a_schedule_drives_an_optimizer() -> None:
    optimizer = Adam(learning_rate=StepDecay(0.1, every=1, factor=0.1))
    optimizer.post_update_params()
    optimizer.pre_update_params()
    assert optimizer.current_learning_rate == pytest.approx(0.01)


def test_a_schedule_prints_as_the_call_that_makes_it() -> None:
    rate = LinearWarmup(5, then=CosineDecay(0.1, 10))
    assert repr(rate) == "LinearWarmup(5, CosineDecay(0.1, 10))"
    assert eval(repr(rate))(7) == rate(7)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StepDecay(0, 1), "initial must be greater than 0"),
        (lambda: StepDecay(1, 0), "every must be at least 1"),
        (lambda: ExponentialDecay(1, 1, factor=0), "factor must be greater than 0"),
        (lambda: CosineDecay(1, 0), "steps must be at least 1"),
        (lambda: CosineDecay(1, 1, final=-1), "final must be 0 or greater"),
        (lambda: LinearWarmup(0, 1.0), "steps must be at least 1"),
        (lambda: LinearWarmup(1, -1.0), "then must be greater than 0"),
    ],
)
def test_arguments_out_of_range_are_refused(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]

"""The sums of an epoch do not depend on how many batches are added together."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from framework.data.batches import ArrayBatches
from framework.training.epoch_sums import EpochSums

numbers = st.floats(-1e3, 1e3)
batches = st.lists(st.tuples(st.floats(0, 1e3), numbers, numbers, numbers), min_size=1)


@given(first=batches, others=batches)
def test_batches_together_make_the_same_sums_as_one_by_one(first: list, others: list) -> None:
    one_by_one, together = EpochSums(), EpochSums()
    for batch in (*first, *others):
        one_by_one.add(*batch)
    for some in (first, others):
        array = np.array(some)
        together.add_all(array[:, 0], array[:, 1:])
    assert together == one_by_one


@given(
    samples=st.integers(1, 40),
    batch_size=st.integers(1, 10),
    steps=st.integers(1, 5),
    weighted=st.booleans(),
)
def test_the_weights_of_steps_put_together_are_those_of_their_batches(
    samples: int, batch_size: int, steps: int, weighted: bool
) -> None:
    X = np.zeros((samples, 2))
    weights = np.random.default_rng(0).uniform(0.1, 1, samples) if weighted else None
    source = ArrayBatches(X, np.zeros(samples), weights, batch_size=batch_size, shuffle=True)
    for batch in source.epoch(steps):
        assert batch.total_weights() == [step.total_weight for step in batch.steps()]

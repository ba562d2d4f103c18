import copy
import threading

import numpy as np
import pytest

import framework
from datasets import spiral_data
from framework import (
    CategoricalCrossentropy,
    Dense,
    Dropout,
    Model,
    ReLU,
    Softmax,
    seed,
)
from framework.utils import rng
from framework.utils.rng import use_generator
from optimizers import Adam

X, y = spiral_data(30, 3, seed=0)


def trained() -> np.ndarray:
    model = Model([Dense(2, 8), ReLU(), Dropout(0.2), Dense(8, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam())
    model.finalize()
    model.train(X, y, epochs=2, validation_split=0.2, progress=False)
    return model.parameters.weights


def test_a_seed_repeats_weights_masks_and_shuffles() -> None:
    framework.seed(5)
    first, second = trained(), trained()
    framework.seed(5)
    np.testing.assert_array_equal(trained(), first)
    assert (first != second).any()


def test_no_seed_is_a_fresh_start() -> None:
    framework.seed()
    first = trained()
    framework.seed()
    assert (trained() != first).any()


def test_numpys_global_generator_is_neither_read_nor_changed() -> None:
    before = np.random.get_state()
    framework.seed(5)
    first = trained()
    after = np.random.get_state()
    assert after[2] == before[2]  # type: ignore[index]
    np.testing.assert_array_equal(after[1], before[1])  # type: ignore[index]
    np.random.seed(9)
    try:
        framework.seed(5)
        np.testing.assert_array_equal(trained(), first)
    finally:
        np.random.set_state(before)


def test_what_draws_from_a_generator_of_its_own_leaves_the_common_one_alone() -> None:
    framework.seed(5)
    first, second = trained(), trained()
    with use_generator(np.random.default_rng(1)):
        aside = trained()
    framework.seed(5)
    np.testing.assert_array_equal(trained(), first)
    with use_generator(np.random.default_rng(1)):
        np.testing.assert_array_equal(trained(), aside)
    np.testing.assert_array_equal(trained(), second)


def test_two_threads_draw_from_a_generator_each() -> None:
    with use_generator(np.random.default_rng(1)):
        expected = trained()
    results: list[np.ndarray] = []
    both_inside = threading.Barrier(2, timeout=60)

    def train_aside() -> None:
        with use_generator(np.random.default_rng(1)):
            both_inside.wait()
            results.append(trained())
            both_inside.wait()

    threads = [threading.Thread(target=train_aside) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        np.testing.assert_array_equal(result, expected)
    assert len(results) == 2


def test_chance_can_be_put_back_as_it_was() -> None:
    seed(3)
    np.random.seed(3)
    states = rng.rng_state()
    drawn = rng.generator().random(5), np.random.normal(size=3)
    np.random.normal()  # so that one number is left over
    rng.set_rng_state(states)
    np.testing.assert_array_equal(rng.generator().random(5), drawn[0])
    np.testing.assert_array_equal(np.random.normal(size=3), drawn[1])


def test_states_of_other_generators_are_refused_and_nothing_changes() -> None:
    before = rng.rng_state()
    with rng.use_generator(np.random.Generator(np.random.Philox(1))):
        others = rng.rng_state()
        with pytest.raises(ValueError, match="were others, or their states are damaged"):
            rng.set_rng_state(before)
        rng.generator().random()
        rng.set_rng_state(others)
    with pytest.raises(ValueError, match="were others"):
        rng.set_rng_state(others)
    with pytest.raises(ValueError, match="were others"):
        rng.set_rng_state(None)
    wild = copy.deepcopy(before)
    wild["ours"]["state"]["state"] = 2**200
    with pytest.raises(ValueError, match="are damaged"):
        rng.set_rng_state(wild)
    assert rng.rng_state()["ours"] == before["ours"]

from threading import Event, Thread

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

from framework.utils.threads import (
    WORTH_A_THREAD,
    at_most,
    available,
    single_thread,
    suitable_threads,
)

controller = ThreadpoolController().select(user_api="blas")


def threads() -> set[int]:
    return {library["num_threads"] for library in controller.info()}


@pytest.mark.parametrize(("samples", "single"), [(10, True), (WORTH_A_THREAD, False)])
def test_small_products_get_one_thread_and_large_ones_are_left_alone(
    samples: int, single: bool
) -> None:
    with controller.limit(limits=2):
        before = threads()
        with suitable_threads([np.zeros((2, 3)), np.zeros(3)], samples):
            assert threads() == ({1} if single else before)
        assert threads() == before


def test_no_parameters_need_no_threads() -> None:
    with controller.limit(limits=2), suitable_threads([], 1000):
        assert threads() == {1}


def test_what_overlaps_in_threads_leaves_as_many_as_there_were() -> None:
    with controller.limit(limits=2):
        before = threads()
        first, second = (suitable_threads([np.zeros(3)], 10) for _ in range(2))
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert threads() == {1}
        second.__exit__(None, None, None)
        assert threads() == before


def test_a_limit_that_one_thread_sets_another_lifts() -> None:
    begun, may_end, ended, may_die = (Event() for _ in range(4))

    def train() -> None:
        with single_thread():
            begun.set()
            may_end.wait(10)
        ended.set()
        may_die.wait(10)  # as the threads of a pool live on

    with controller.limit(limits=2):
        with single_thread():  # the thread of the test was the first to set one
            pass
        other = Thread(target=train)
        other.start()
        assert begun.wait(10)
        assert threads() == {1}
        with single_thread():
            may_end.set()
            assert ended.wait(10)
            assert threads() == {1}
        assert threads() == {2}
        with controller.limit(limits=1):
            assert threads() == {1}
        may_die.set()
        other.join()


def test_what_is_held_back_here_is_available_still() -> None:
    for limit in (2, 1):
        with controller.limit(limits=limit):
            assert available() == limit
            with single_thread(), suitable_threads([], 10):
                assert threads() == {1}
                assert available() == limit
            assert available() == limit


@pytest.mark.parametrize(("allowed", "used"), [(1, 1), (2, 2), (100, 2)])
def test_a_process_that_shares_the_cores_takes_no_more_threads_than_it_is_left(
    allowed: int, used: int
) -> None:
    with controller.limit(limits=2):
        before = threads()
        with at_most(allowed):
            assert threads() == {used}
        assert threads() == before

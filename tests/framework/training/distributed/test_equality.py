"""Training on several ranks equals the training of a single process."""

import pytest

from tests.framework.training.distributed.launch import needs_mpi, report

pytestmark = needs_mpi


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_several_ranks_equal_a_single_process(ranks: int) -> None:
    for case, found in report(ranks, "equality").items():
        tolerance = 1e-5 if case.endswith("float32") else 1e-12
        assert found["steps"] >= 100, case
        assert found["parameters"] < tolerance, case
        assert found["optimizer"] < tolerance, case
        assert found["history"] < tolerance, case
        assert found["alike"], f"{case}: the ranks differ"
        assert found["rng_state"], f"{case}: another random state than that of a single process"

"""What all tests share."""

import matplotlib
import pytest
from hypothesis import settings

import framework

matplotlib.use("Agg")
# The same examples in every run: a failure is then somebody's change, not somebody's luck.
settings.register_profile("dinputs", deadline=None, max_examples=50, derandomize=True)
settings.load_profile("dinputs")


@pytest.fixture(autouse=True)
def repeatable_chance() -> None:
    framework.seed(0)

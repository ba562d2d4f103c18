"""What all tests share."""

import os
from pathlib import Path

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


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what takes long unless asked for, and what needs real data where there are none."""
    if item.get_closest_marker("long") and not os.environ.get("DINPUTS_LONG"):
        pytest.skip(f"{item.name}: takes long; set DINPUTS_LONG=1 to run it")
    for marker in item.iter_markers("data"):
        (folder,) = marker.args
        root = os.environ.get("DINPUTS_DATA")
        if not root or not (Path(root) / folder).is_dir():
            pytest.skip(f"{item.name}: DINPUTS_DATA names no folder that has {folder} in it")

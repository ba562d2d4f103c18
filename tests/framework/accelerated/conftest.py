"""How many threads share the steps."""

from typing import Any

import pytest


@pytest.fixture(params=[1, 2, 3], ids="{} threads".format)
def threads(request: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many threads share the steps, however little is to be done."""
    from framework.accelerated import trainer
    from tests.framework.accelerated.all_threads import AllThreads

    monkeypatch.setattr(trainer, "available", lambda: request.param)
    monkeypatch.setattr(trainer, "SAMPLES_OF_PART", 1)
    monkeypatch.setattr(trainer, "WORK_OF_PART", 1)
    monkeypatch.setattr(trainer, "ThreadChoice", AllThreads)
    return int(request.param)

"""How many threads share the steps."""

from typing import Any

import pytest


@pytest.fixture(params=[1, 2, 3], ids="{} threads".format)
def threads(request: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many threads share the steps, where operations allow it, however little is to be done."""
    from framework.accelerated import trainer

    monkeypatch.setattr(trainer, "available", lambda: request.param)
    monkeypatch.setattr(trainer, "SAMPLES_OF_THREAD", 1)
    monkeypatch.setattr(trainer, "WORK_OF_THREAD", 1)
    return int(request.param)

"""What a function can be told."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any


def with_training(function: Callable[..., Any], training: bool) -> Callable[..., Any]:
    """Return ``function``, told the mode if it has an argument ``training``."""
    try:
        told = "training" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # some that are written in C do not tell their arguments
        told = False
    return partial(function, training=training) if told else function

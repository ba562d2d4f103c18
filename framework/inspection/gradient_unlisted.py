"""Finds parameters that have a gradient but are in no list, so that nothing trains them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from framework.containers.container import Container
from framework.inspection.gradient_subjects import Subject
from framework.inspection.gradient_watch import same
from framework.operation import describe
from framework.parameters import state_names, stored_names
from optimizers.arrays import Array
from optimizers.optimizer import parameter_names


def unlisted_parameters(
    probe: Subject, untouched: Subject, forward: Callable[[], Array]
) -> list[str]:
    """Return a sentence for each number or array that should be in the list of parameters.

    It has a gradient that ``backward`` stores, under its name with a "d" in front; the output
    depends on it; and ``forward`` does not compute it anew, as it does with what it keeps for
    ``backward``.

    Args:
        probe: has run forward and backward.
        untouched: a copy that has not.
        forward: runs ``probe`` and returns its terms.
    """
    base = forward()
    found = []
    for operation, other in zip(list(probe.operations), untouched.operations, strict=False):
        if isinstance(operation, Container) or not hasattr(operation, "__dict__"):
            continue
        for name in list(_with_gradients(operation, other)):
            if _is_free(operation, name, base, forward):
                parameters = (*parameter_names(operation), name)
                state = (*state_names(operation), name)
                found.append(
                    f"{describe(operation)}: {name} has a gradient, d{name}, but is not among its "
                    f"parameters, so nothing trains it: parameters = {parameters!r}, or "
                    f"state = {state!r} if nothing should"
                )
    return found


def _with_gradients(operation: Any, untouched: Any) -> Iterator[str]:
    """Yield the names of numbers and arrays that are not listed and have a gradient."""
    attributes, before = vars(operation), vars(untouched)
    for name in sorted(attributes.keys() - stored_names(operation)):
        value, gradient, earlier = (
            source.get(key)
            for source, key in ((attributes, name), (attributes, "d" + name), (before, "d" + name))
        )
        if not _is_real(value) or not _is_real(gradient) or np.shape(value) != np.shape(gradient):
            continue
        if not _is_real(earlier) or not same(earlier, gradient):
            yield name


def _is_free(operation: Any, name: str, base: Array, forward: Callable[[], Array]) -> bool:
    attributes = vars(operation)
    own = attributes[name]
    moved = attributes[name] = own + (1e-3 * np.abs(own) + 1e-3)
    expected = np.array(moved)
    try:
        terms = forward()
        return same(attributes[name], expected) and not same(base, terms)
    except Exception:  # it cannot have other values
        return False
    finally:
        attributes[name] = own


def _is_real(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype.kind == "f"
    return isinstance(value, (float, np.floating))

"""Records the calls of operations and losses, and notices when one writes where it must not."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from framework.containers.container import Container
from framework.containers.sequential import Sequential
from framework.containers.supervised import Supervised
from framework.inspection.gradient_subjects import Subject
from framework.operation import describe
from optimizers.arrays import Array
from optimizers.optimizer import parameter_names

# Results may differ by this share of the largest number without being called different.
ROUNDING = 1e-9


class Call(NamedTuple):
    """One call of ``forward`` or ``backward``: copies of the arguments and of the results."""

    part: Any
    method: str
    given: dict[str, Array]
    results: dict[str, Array]


class Watch:
    """Watches the parts of a probe while they run.

    Attributes:
        faults: arrays that were written to and should not be, a sentence each, without repeats.
        calls: the calls since ``begin``.
    """

    def __init__(self, probe: Subject) -> None:
        self.faults: dict[str, None] = {}
        self.calls: list[Call] = []
        # Each once, also where it stands in several places.
        operations = {id(op): op for op in probe.operations if not _only_calls_others(op)}
        self._operations = list(operations.values())
        self._loss = probe.loss
        # The arguments and the results of each part in its last calls.
        self._held: dict[int, dict[str, Any]] = {}

    def begin(self) -> None:
        """Forget the calls so far."""
        self.calls = []

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Watch for a while. The parts themselves are changed for that time."""
        replaced = []
        methods: list[tuple[Any, str, tuple[str, ...]]] = []
        methods += [(op, "forward", ("inputs",)) for op in self._operations]
        methods += [(op, "backward", ("dvalues",)) for op in self._operations]
        for name in ("forward", "outputs_and_losses", "backward"):
            if callable(getattr(self._loss, name, None)):
                methods.append((self._loss, name, ("y_pred", "y_true")))
        for part, name, arguments in methods:
            if hasattr(part, "__dict__"):  # another part cannot be watched
                replaced.append((part, name, vars(part).get(name)))
                vars(part)[name] = self._watched(part, name, arguments)
        try:
            yield
        finally:
            for part, name, own in replaced:
                if own is None:
                    del vars(part)[name]
                else:
                    vars(part)[name] = own

    def _watched(self, part: Any, method: str, names: tuple[str, ...]) -> Callable[..., Any]:
        original = getattr(part, method)

        @functools.wraps(original)
        def watched(*arguments: Any, **options: Any) -> Any:
            given = {
                name: argument
                for name, argument in zip(names, arguments, strict=False)
                if isinstance(argument, np.ndarray)
            }
            held = self._held.setdefault(id(part), {})
            parameters = self._parameters(part)
            before = _copies(given)
            kept = [(text, array, array.copy()) for text, array in held.items()]
            values = _copies(parameters)
            returned = original(*arguments, **options)
            written = [name for name, array in given.items() if not same(array, before[name])]
            for name in written:
                self._add(f"{describe(part)}: {method} writes into {name}, which it was given")
            for text, array, copy in [] if written else kept:
                if not same(array, copy):
                    self._add(
                        f"{describe(part)}: {method} writes into {text}, which others may still use"
                    )
            for name, array in self._parameters(part).items():
                if name in values and not same(array, values[name]):
                    self._add(
                        f"{describe(part)}: {method} changes {name}, which is the optimizer's work"
                    )
            self._keep(part, method, given, returned, before)
            return returned

        return watched

    def _parameters(self, part: Any) -> dict[str, Array]:
        names = () if part is self._loss or isinstance(part, Container) else parameter_names(part)
        arrays = {name: getattr(part, name, None) for name in names}
        return {name: array for name, array in arrays.items() if isinstance(array, np.ndarray)}

    def _keep(
        self, part: Any, method: str, given: dict[str, Array], returned: Any, before: Any
    ) -> None:
        held = self._held[id(part)]
        if method == "backward":
            names = ["dinputs", *("d" + name for name in self._parameters(part))]
            results = {name: getattr(part, name, None) for name in names}
            stored, text = results["dinputs"], "the dinputs of the last backward"
        elif part is self._loss:
            losses = returned[1] if method == "outputs_and_losses" else returned
            results, stored, text = {"losses": losses}, None, ""
        else:
            output = getattr(part, "output", None)
            results = {"output": output if returned is None else returned}
            stored, text = output, "the output of the last forward"
            held["the inputs of the last forward"] = given.get("inputs")
        if isinstance(stored, np.ndarray):
            held[text] = stored
            other = isinstance(returned, np.ndarray) and returned is not stored
            if other and not same(returned, stored):
                name = "dinputs" if method == "backward" else "output"
                self._add(
                    f"{describe(part)}: {method} returns something else than it stores in {name}"
                )
        self._held[id(part)] = {name: array for name, array in held.items() if array is not None}
        arrays = {name: array for name, array in results.items() if array is not None}
        self.calls.append(Call(part, method, before, _copies(arrays)))

    def _add(self, fault: str) -> None:
        self.faults[fault] = None


def first_difference(calls: list[Call], again: list[Call]) -> tuple[Call, str, Array] | None:
    """Return the first call that was given the same again but has another result.

    With it, the name of that result and the result of the second call; None if there is none.
    """
    for one, other in zip(calls, again, strict=False):
        alike = one.given.keys() == other.given.keys() and all(
            same(array, other.given[name]) for name, array in one.given.items()
        )
        if one.part is not other.part or one.method != other.method or not alike:
            return None
        for name, array in one.results.items():
            if name not in other.results or not same(array, other.results[name]):
                return one, name, other.results.get(name, np.array(np.nan))
    return None


def same(one: Any, other: Any) -> bool:
    """Whether two arrays are the same, but for rounding."""
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape:
        return False
    if np.array_equal(one, other) or not one.size:
        return True
    if one.dtype.kind not in "fiub" or other.dtype.kind not in "fiub":
        return False
    size = float(np.nanmax(np.abs(one), initial=0))
    return bool(np.allclose(one, other, rtol=0, atol=ROUNDING * size, equal_nan=True))


def _only_calls_others(operation: Any) -> bool:
    """Whether ``operation`` does nothing but call the operations in it."""
    kind: Any = type(operation)
    inherited = kind.forward, kind.backward
    return isinstance(operation, Supervised) or inherited == (
        Sequential.forward,
        Sequential.backward,
    )


def _copies(arrays: dict[str, Any]) -> dict[str, Array]:
    return {name: np.array(array) for name, array in arrays.items()}

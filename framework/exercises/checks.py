"""Checks of functions, for the tests of exercises."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from framework.exercises.calls import call
from framework.exercises.comparison import compare
from framework.exercises.contract import same
from framework.exercises.report import Check, Report


def check_function(
    mine: Callable[..., Any],
    like: Callable[..., Any],
    *cases: tuple[Any, ...],
    name: str = "",
    mistakes: Mapping[str, Callable[..., Any]] | None = None,
    sizes: Mapping[str, int] | None = None,
) -> Report:
    """Hold a function against a reference, for each of several cases.

    Args:
        mine: the function to check.
        like: the function that it should equal. It returns a number, an array or a tuple of them.
        cases: the arguments of each call.
        name: of the check; that of ``like`` by default.
        mistakes: functions that are wrong, each under the sentence to say where ``mine`` gives
            the same for each case.
        sizes: numbers that may have been divided by: see ``arithmetic.hint``.

    >>> case = (np.array([1.0, 3.0]),)
    >>> check_function(lambda x: 2 * x, lambda x: -2 * x, case, name="f").hints
    ['all with the opposite sign: is a minus missing, or one too many?']
    """
    name = name or like.__name__.strip("_").replace("_", " ")
    wrong = dict(mistakes or {})
    for case in cases:
        given = copy.deepcopy(case)
        received = call(mine, *given)
        expected = like(*copy.deepcopy(case))
        # A mistake has to explain the results so far, the right ones too.
        found = {text: _result(function, case) for text, function in wrong.items()}
        check = _compared(name, received, expected, case, found, sizes or {})
        if check.passed and not _unchanged(given, case):
            message = "an argument is another one after the call"
            hint = "make a new array, or a copy first: an argument is not to be written to"
            check = Check(name, False, check.points, message, hint)
        if not check.passed:
            return Report(name, (check,))
        wrong = {text: wrong[text] for text, result in found.items() if _same(result, received)}
    return Report(name, (Check(name, True, 2),))


def _result(function: Callable[..., Any], case: tuple[Any, ...]) -> Any:
    """Return the result of a wrong function, None where it has none."""
    try:
        with np.errstate(all="ignore"):
            return function(*copy.deepcopy(case))
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return None


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, tuple) and isinstance(second, (tuple, list)):
        return len(first) == len(second) and all(map(same, first, second))
    return same(first, second)


def _at(place: int, result: Any, found: Any) -> bool:
    """Whether one of several results, counted from 1, is ``found``."""
    return isinstance(result, tuple) and same(result[place - 1], found)


def _compared(
    name: str,
    received: Any,
    expected: Any,
    case: tuple[Any, ...],
    mistakes: Mapping[str, Any],
    sizes: Mapping[str, int],
) -> Check:
    several = isinstance(expected, tuple)
    if several and not (isinstance(received, (tuple, list)) and len(received) == len(expected)):
        what = f"expected {len(expected)} results, received {_shown(received)}"
        return Check(name, False, 2, f"{what}, for {_case(case)}", "return them in one line: a, b")
    named = next((text for text, result in mistakes.items() if _same(result, received)), "")
    pairs = zip(received, expected, strict=True) if several else [(received, expected)]
    for place, (found, right) in enumerate(pairs, start=1):
        check = compare(
            name,
            found,
            np.asarray(right, dtype=np.float64),
            points=2,
            sizes=sizes,
            missing="the function has to return its result",
            any_dtype=True,
        )
        if not check.passed:
            which = f"result {place}: " if several else ""
            message = f"{which}{check.message}, for {_case(case)}"
            named = named or next((t for t, r in mistakes.items() if _at(place, r, found)), "")
            return Check(name, False, 2, message, named or check.hint)
    return Check(name, True, 2)


def _unchanged(given: tuple[Any, ...], case: tuple[Any, ...]) -> bool:
    return all(
        np.array_equal(a, b) for a, b in zip(given, case, strict=True) if isinstance(b, np.ndarray)
    )


def _case(case: tuple[Any, ...]) -> str:
    return ", ".join(_shown(argument) for argument in case)


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size > 6:
        return f"an array {value.shape}"
    if callable(value):
        return "a function"
    return " ".join(repr(value).replace("array(", "").replace(")", "").split())[:60]

"""Calls of a learner's code: whatever it raises is told, with its line and what it may mean."""

from __future__ import annotations

import linecache
import os
import re
from collections.abc import Callable
from traceback import walk_tb
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np

import optimizers
from framework.containers.calls import training_argument
from optimizers.arrays import Array

# The folders of code that is not the learner's: ours, NumPy's, and Python's own with all that is
# installed.
LIBRARIES = tuple(
    os.path.join(os.path.dirname(file), "")
    for file in (os.path.dirname(__file__), str(optimizers.__file__), str(np.__file__), os.__file__)
)

# How the names of the code begin that tests an answer.
TESTS = "<tests of"


class Failure(NamedTuple):
    """An exception in words.

    Attributes:
        message: which it was, and where.
        hint: what it may mean, "" if that is not known.
    """

    message: str
    hint: str


class Raised(Exception):
    """A learner's code raised an exception."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def call(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Return ``function(...)``. Raises ``Raised`` for whatever it raises, ``sys.exit`` included."""
    try:
        with np.errstate(all="ignore"):
            return function(*arguments, **named)
    except (Exception, SystemExit) as error:
        raise Raised(described(error)) from error


def forward(operation: Any, inputs: Array, training: bool) -> Any:
    """Return ``operation.forward(...)``, with the mode where it takes one: see ``call``."""
    how = call(training_argument, operation)
    if how == "positional":
        return call(operation.forward, inputs, training)
    return call(operation.forward, inputs, **({"training": training} if how else {}))


def described(error: BaseException) -> Failure:
    """Return what an exception of a learner's code says, where it was raised, and a hint."""
    text = f"{type(error).__name__}: {error}".removesuffix(": ")
    if isinstance(error, SystemExit):
        text = "the program was ended, by sys.exit, exit or quit"
    elif isinstance(error, SyntaxError) and error.filename:
        # Its own file, not the one that imports it.
        text = f"{type(error).__name__}: {error.msg}"
        return Failure(f"{_named_file(error.filename)}line {error.lineno}: {text}", "")
    if isinstance(error, AssertionError) and _file(error).startswith(TESTS):
        # A test of what the answer returns, in the middle of a call.
        message, _, hint = str(error).partition(" → ")
        return Failure(message, hint)
    where = _place(error.__traceback__)
    return Failure(f"{where}{text}", _hint(error))


def _file(error: BaseException) -> str:
    """Return the file of the line that raised ``error``."""
    frames = list(walk_tb(error.__traceback__))
    return frames[-1][0].f_code.co_filename if frames else ""


def _place(trace: TracebackType | None) -> str:
    """Return the line of the learner's that was being run, "" if there is none."""
    frames = [(f.f_code.co_filename, line, f.f_code.co_name) for f, line in walk_tb(trace)]
    own = [frame for frame in frames if not frame[0].startswith((*LIBRARIES, "<frozen", TESTS))]
    if not own:
        return ""
    filename, line, function = own[-1]
    inside = "" if function == "<module>" else f" in {function}"
    source = linecache.getline(filename, line).strip()
    return f"{_named_file(filename)}line {line}{inside}{f' `{source}`' if source else ''}: "


def _named_file(filename: str) -> str:
    # The cells of a notebook have names that nobody has given them.
    return f"{os.path.basename(filename)}, " if os.path.isfile(filename) else ""


def _hint(error: BaseException) -> str:
    text = str(error)
    if isinstance(error, SystemExit):
        return "remove sys.exit(): whatever comes after it is never reached"
    if isinstance(error, EOFError):
        return "remove input(): nobody is there to answer when this is checked"
    if isinstance(error, NotImplementedError):
        return "this is still to be written"
    if isinstance(error, RecursionError):
        return "it calls itself without end: does a method call itself in place of another?"
    if isinstance(error, NameError) and getattr(error, "name", "") == "np":
        return "`import numpy as np` is missing at the top"
    if isinstance(error, UnboundLocalError):
        return "a variable is read before it is set, or `self.` is missing before its name"
    if isinstance(error, NameError):
        return "is the name spelled as where it was set, and is `self.` missing before it?"
    if isinstance(error, AttributeError):
        return _on_attribute(text, getattr(error, "obj", None))
    if isinstance(error, ValueError) and "truth value" in text:
        return (
            "if, and, max and min take one number, and this is an array: compute element by "
            "element, with np.maximum or with a mask, `inputs > 0`"
        )
    if isinstance(error, TypeError) and "scalar index" in text:
        return (
            "the second argument of np.max, np.min and np.sum is the axis: np.maximum(0, inputs) "
            "is what compares element by element"
        )
    if isinstance(error, ValueError) and _lacks_axis(text):
        return "one shape is the other without its last axis: is keepdims=True missing in a sum?"
    if isinstance(error, ValueError) and "matmul" in text:
        return (
            "the inner sizes of a product have to be equal: is one of the two arrays to be "
            "transposed, .T, or are they in the wrong order?"
        )
    if isinstance(error, ValueError) and ("broadcast" in text or "not aligned" in text):
        return (
            "the shapes do not fit each other: is an array transposed, summed over the wrong axis, "
            "or that of another batch, kept from before?"
        )
    if isinstance(error, TypeError) and "ellipsis" in text.lower():
        return "fill the gaps, `...`"
    if isinstance(error, TypeError) and "dtype('O')" in text:
        return "something is no number here: are all gaps, `...`, filled?"
    if isinstance(error, TypeError) and "NoneType" in text:
        return "something is None here: does a function before it return nothing?"
    if isinstance(error, TypeError) and "positional argument" in text:
        return "do the arguments of the method begin with self, and are they those of the text?"
    return ""


def _lacks_axis(text: str) -> bool:
    """Whether two arrays do not broadcast as the last axis of one was summed away."""
    shapes = re.findall(r"\(([\d,]+)\)", text)
    sizes = [tuple(filter(None, shape.split(","))) for shape in shapes]
    return len(sizes) == 2 and any(a[:-1] == b and a for a, b in (sizes, sizes[::-1]))


def _on_attribute(text: str, owner: Any) -> str:
    missing = re.search(r"has no attribute '(\w+)'", text)
    name = missing.group(1) if missing else ""
    if "'NoneType'" in text:
        return "something is None here: does a function before it return nothing?"
    if "'ellipsis'" in text:
        return "fill the gaps, `...`"
    if "'numpy.ndarray'" in text or not name or "module" in text:
        return ""
    if hasattr(owner, "update_params"):
        return f"`self.{name}` is read here, but was not stored before: __init__ has to set it"
    if not hasattr(owner, "forward"):
        return f"`.{name}` is read here, but was not stored before"
    return f"`self.{name}` is read here, but was not stored before: forward has to keep it"

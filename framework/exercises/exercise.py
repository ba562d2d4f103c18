"""An exercise: its text, what to start from, its tests, hints and solution, read from one file.

A file of the folder ``texts`` is Markdown:

    # Title

    Topic: activations
    Minutes: 15
    Define: ReLU

    The text.

    ## Code

    (a block of Python: the solution, with the gaps marked)

    ## Tests

    (a block of Python: functions of which each returns a report or raises AssertionError)

    ## Hints

    1. The first hint.
    2. The second one.

The code is written once. What lies between ``# BEGIN SOLUTION`` and ``# END SOLUTION``, and what
is assigned in a line that ends with ``# SOLUTION``, is the gap: the solution is the code without
these marks, the starting point has ``...`` in their place.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from framework.exercises.calls import TESTS, Raised, described
from framework.exercises.report import Check, Report, joined

BEGIN, END, MARK = "# BEGIN SOLUTION", "# END SOLUTION", "# SOLUTION"
# What an answer is not to be imported from.
PACKAGES = ("framework", "optimizers")
SECTIONS = ("Code", "Tests", "Hints")


@dataclass(frozen=True, repr=False)
class Exercise:
    """One exercise. It prints as its text, in a notebook too.

    Attributes:
        name: what it is called on the command line, such as "relu".
        title: in a few words.
        topic: of several exercises.
        minutes: how long it may take.
        defines: the names that an answer has to define.
        text: what is to be done, in Markdown.
        code: the solution, with the gaps marked: see ``start`` and ``solution``.
        tests: functions that mark an answer.
        hints: to be opened one after the other.
    """

    name: str
    title: str
    topic: str
    minutes: int
    defines: tuple[str, ...]
    text: str
    code: str
    tests: str
    hints: tuple[str, ...]

    @property
    def start(self) -> str:
        """The code to start from, with gaps."""
        block = re.compile(rf"^([ ]*){BEGIN}(?:: (.*))?\n(?:.*\n)*?[ ]*{END}\n", flags=re.MULTILINE)
        code = block.sub(_gap, self.code)
        return re.sub(
            rf"^( *[\w.\[\], ]+ [-+*/]?=|.*\breturn) .*  {MARK}$", r"\1 ...", code, flags=re.M
        )

    @property
    def solution(self) -> str:
        """The code without gaps."""
        lines = self.code.splitlines(keepends=True)
        kept = [line for line in lines if not line.strip().startswith((BEGIN, END))]
        return "".join(kept).replace(f"  {MARK}", "")

    def __repr__(self) -> str:
        return f"{self.title}\n\n{self.text}"

    def _repr_markdown_(self) -> str:
        return f"**{self.title}** ({self.minutes} minutes)\n\n{self.text}"

    def file(self) -> str:
        """Return the file to fill in: the text as a docstring, and the code to start from."""
        text = self.text.replace("\\", "\\\\").replace('"""', "'''")
        raw = f'"""{self.title}.\n\n{text}\n"""'
        return f"# Exercise: {self.name}\n{raw}\n\n{self.start}"

    def check(self, *answers: Any, **named: Any) -> Report:
        """Mark an answer and return the report.

        Args:
            answers: the functions and classes that ``defines`` lists, told apart by their names,
                as in ``exercise.check(ReLU)``.
            named: the same under the names of ``defines``, for those with another name.

        They are run in this process, so an endless loop in them is one here:
        ``framework.exercises.mark`` runs a file in a process of its own.

        Raises:
            TypeError: one of ``defines`` is missing, or there are others.
        """
        found = {getattr(answer, "__name__", repr(answer)): answer for answer in answers} | named
        if set(found) != set(self.defines):
            raise TypeError(
                f"the exercise {self.name} needs {', '.join(self.defines)}, received "
                f"{', '.join(found) or 'nothing'}"
            )
        return self.report(found)

    def report(self, names: Mapping[str, Any]) -> Report:
        """Mark an answer, given everything that it defines by name."""
        missing = [name for name in self.defines if name not in names]
        if missing:
            hint = f"define {', '.join(self.defines)}, under these names"
            return self.failed(f"there is no {', '.join(missing)}", hint)
        for name in self.defines:
            if home := _library(names[name]):
                message = f"{name} is that of this library, {home}"
                return self.failed(message, f"write a {name} of your own, and do not import it")
        mine = Answer({name: names[name] for name in self.defines})
        return joined(
            self.name, [_result(name, test, mine) for name, test in self._tests().items()]
        )

    @cached_property
    def max_points(self) -> int:
        """The points of a right answer."""
        names: dict[str, Any] = {"__name__": f"solution of {self.name}"}
        exec(compile(self.solution, f"<solution of {self.name}>", "exec"), names)
        return self.report(names).max_points

    def failed(self, message: str, hint: str = "") -> Report:
        """Return the report of an answer that could not be marked."""
        return Report(self.name, (Check("your file", False, self.max_points, message, hint),))

    def _tests(self) -> dict[str, Callable[[Any], Any]]:
        """The functions of the tests by their names, in their order; made anew each time."""
        place: dict[str, Any] = {"__name__": f"exercise {self.name}"}
        exec(compile(self.tests, f"{TESTS} {self.name}>", "exec"), place)
        return {
            name: value
            for name, value in place.items()
            if inspect.isfunction(value)
            and value.__module__ == place["__name__"]
            and name[0] != "_"
        }


def _library(found: Any) -> str:
    """Return the module of this library that a class or function is from, "" if from elsewhere."""
    home = found
    if isinstance(found, type):
        # A class that only inherits is what it inherits from.
        home = next(cls for cls in found.__mro__ if any(map(callable, vars(cls).values())))
    module = getattr(home, "__module__", None) or ""
    return module if module.partition(".")[0] in PACKAGES else ""


class Answer:
    """What an answer defines, as attributes."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        vars(self).update(names)


def _gap(match: re.Match[str]) -> str:
    indent, request = match.groups()
    return f"{indent}...  # {request or 'fill in'}\n"


def _result(name: str, test: Callable[[Any], Any], mine: Answer) -> Report:
    """Run one of the tests, which is worth two points unless it returns a report."""
    title = name.replace("_", " ")
    try:
        found = test(mine)
    except (Exception, SystemExit) as error:  # of the answer, which the test has called
        failure = error.failure if isinstance(error, Raised) else described(error)
        return Report(title, (Check(title, False, 2, *failure),))
    return Report(title, found.checks if isinstance(found, Report) else (Check(title, True, 2),))


def parse(name: str, text: str) -> Exercise:
    """Return the exercise that a text is. Raises ValueError if it is malformed."""
    parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    if tuple(sections) != SECTIONS:
        raise ValueError(f"{name}: expected the sections {SECTIONS}, received {tuple(sections)}")
    head = re.match(
        r"# (?P<title>.+)\n\nTopic: (?P<topic>.+)\nMinutes: (?P<minutes>\d+)\n"
        r"Define: (?P<define>.+)\n\n(?P<text>(?:.*\n)+)",
        parts[0],
    )
    if head is None:
        raise ValueError(f"{name}: expected a title, and lines of Topic, Minutes and Define")
    hints = re.split(r"^\d+\. ", sections["Hints"].strip(), flags=re.MULTILINE)[1:]
    return Exercise(
        name,
        head["title"],
        head["topic"],
        int(head["minutes"]),
        tuple(head["define"].split(", ")),
        head["text"].strip(),
        _block(name, sections["Code"]),
        _block(name, sections["Tests"]),
        tuple(" ".join(hint.split()) for hint in hints),
    )


def _block(name: str, section: str) -> str:
    found = re.search(r"^```python\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError(f"{name}: expected a block of Python in each section of code")
    return found[1]

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
these marks, the starting point has ``...`` in their place. Both are run: what the starting point
passes already earns points only together with something that it does not, of the same test.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from framework.exercises.calls import TESTS, Raised, described
from framework.exercises.report import UNJUDGED, Check, Report, joined
from framework.utils import rng

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
        docstring = f'"""{self.title}.\n\n{text}\n"""'
        return f"# Exercise: {self.name}\n{docstring}\n\n{self.start}"

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
        found = self._results(names, self._right)
        if not all(found):
            found = list(map(_earned, found, self._given))
        return joined(self.name, found)

    @cached_property
    def max_points(self) -> int:
        """The points of a right answer."""
        return sum(report.max_points for report in self._right)

    @cached_property
    def _right(self) -> list[Report]:
        """The reports of the solution, one for each test."""
        with rng.preserve_rng():
            return self._results(self._run(self.solution, "solution"))

    @cached_property
    def _given(self) -> list[set[str]]:
        """For each test, the checks that the starting point passes already."""
        with rng.preserve_rng():
            try:
                names = self._run(self.start, "start")
            except Exception:  # it has gaps
                return [set() for _ in self._right]
            reports = self._results(names, self._right)
        return [{check.name for check in report.checks if check.passed} for report in reports]

    def _run(self, code: str, part: str) -> dict[str, Any]:
        names: dict[str, Any] = {"__name__": f"{part} of {self.name}"}
        exec(compile(code, f"<{part} of {self.name}>", "exec"), names)
        return names

    def _results(
        self, names: Mapping[str, Any], right: Sequence[Report] | None = None
    ) -> list[Report]:
        """Run the tests. Each is worth what it is in ``right``, however far it comes."""
        mine = Answer({name: names[name] for name in self.defines})
        tests = self._tests()
        worths: Sequence[Report | None] = right or [None] * len(tests)
        return [
            _result(name, test, mine, worth)
            for (name, test), worth in zip(tests.items(), worths, strict=True)
        ]

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


def _result(name: str, test: Callable[[Any], Any], mine: Answer, right: Report | None) -> Report:
    """Run one of the tests, which is worth two points unless it returns a report.

    It is worth as much as in the report of the solution, ``right``, whatever the answer lacks.
    """
    title = name.replace("_", " ")
    try:
        found = test(mine)
    except (Exception, SystemExit) as error:  # of the answer, which the test has called
        failure = error.failure if isinstance(error, Raised) else described(error)
        return Report(title, (Check(title, False, right.max_points if right else 2, *failure),))
    checks = found.checks if isinstance(found, Report) else (Check(title, True, 2),)
    made = {check.name for check in checks}
    lacking = [check for check in right.checks if check.name not in made] if right else []
    absent = [
        Check(check.name, False, check.points, "not there in this answer") for check in lacking
    ]
    return Report(title, (*checks, *absent))


def _earned(report: Report, given: set[str]) -> Report:
    """Return a report without points, unless they are for more than what was given.

    Checks of one point are of how something is computed, which a wrong answer passes too.
    """
    if any(c.passed and c.points > 1 and c.name not in given for c in report.checks):
        return report
    return Report(
        report.subject,
        tuple(
            replace(check, passed=False, message=UNJUDGED) if check.passed else check
            for check in report.checks
        ),
    )


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

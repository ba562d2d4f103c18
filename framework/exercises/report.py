"""The result of holding an answer against a reference: points, and what is likely wrong."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from framework.exercises.calls import Raised

UNJUDGED = "not judged before anything else is right"
UNREACHED = "not reached"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what was looked at, such as "dinputs".
        passed: whether it is right.
        points: what it is worth.
        message: where it is wrong: what was expected and what was received.
        hint: the likely mistake, "" if none is recognized.
        group: which of several tests of an exercise it belongs to, "" if there is only one.
    """

    name: str
    passed: bool
    points: int
    message: str = ""
    hint: str = ""
    group: str = ""


@dataclass(frozen=True, repr=False)
class Report:
    """What ``check_operation`` and its siblings found. Its truth value is ``passed``.

    It prints as a list of its checks; in a notebook it is a table. In a test, call
    ``assert_passed``.

    Attributes:
        subject: what was checked.
        checks: in the order in which they were made.
    """

    subject: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed, and there was one."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    @property
    def points(self) -> int:
        """The points of the checks that passed."""
        return sum(check.points for check in self.checks if check.passed)

    @property
    def max_points(self) -> int:
        """The points of all checks."""
        return sum(check.points for check in self.checks)

    @property
    def hints(self) -> list[str]:
        """The likely mistakes, the most telling first, each once."""
        found = [check.hint for check in self.checks if check.hint and not check.passed]
        return list(dict.fromkeys(found))

    def assert_passed(self) -> None:
        """Raise AssertionError, with this report, unless everything passed."""
        if not self.passed:
            raise AssertionError(str(self))

    def as_dict(self) -> dict[str, Any]:
        """Return everything as numbers, texts and lists, for JSON."""
        return {
            "subject": self.subject,
            "passed": self.passed,
            "points": self.points,
            "max_points": self.max_points,
            "checks": [
                asdict(check)
                | {"points": check.points if check.passed else 0, "max_points": check.points}
                for check in self.checks
            ],
            "hints": self.hints,
        }

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.subject}: {self._verdict()}"
        width = max((len(check.name) for check in self.checks), default=0)
        group, told = "", set()
        judged = [check for check in self.checks if check.message not in (UNJUDGED, UNREACHED)]
        for check in judged:
            if check.group != group:
                group = check.group
                yield f"  {group}:"
            verdict = "right" if check.passed else "WRONG"
            message = f"  {check.message}" if check.message else ""
            yield f"  {verdict}  {check.name:{width}}{message}".rstrip()
            if check.hint and not check.passed and check.hint not in told:
                told.add(check.hint)
                yield f"  {'':5}  {'':{width}}  → {check.hint}"
        if more := len(self.checks) - len(judged):
            yield f"  {more} more checks once something of this is right"

    def _verdict(self) -> str:
        if not self.checks:
            return "NOTHING CHECKED"
        verdict = "right" if self.passed else "not right yet"
        return f"{verdict}, {self.points} of {self.max_points} points"

    def _repr_html_(self) -> str:
        """Return the table that notebooks show."""
        rows = "".join(
            f"<tr><td>{'✓' if check.passed else '✗'}</td>"
            f"<td>{html.escape(check.name)}</td>"
            f"<td style='text-align: left'>{_html_message(check)}</td>"
            f"<td>{check.points if check.passed else 0} / {check.points}</td></tr>"
            for check in self.checks
        )
        title = html.escape(f"{self.subject}: {self._verdict()}")
        return f"<table><caption style='text-align: left'>{title}</caption>{rows}</table>"


class Marks:
    """Collects the checks of a report, whose points are known from the beginning.

    Args:
        subject: what is checked.
        plan: what each check is worth, by name. Those that are never made count as failed.
        main: the checks without one of which the others say nothing, and count as failed.
    """

    def __init__(self, subject: str, plan: Mapping[str, int], main: tuple[str, ...]) -> None:
        self.subject, self.plan, self.main = subject, plan, main
        self._checks: dict[str, Check] = {}

    def add(self, check: Check) -> None:
        """Note a check. The first one of a name that failed is kept."""
        noted = self._checks.get(check.name)
        if noted is None or noted.passed:
            self._checks[check.name] = check

    def judge(self, name: str, faults: Iterable[tuple[str, str]]) -> None:
        """Note the check ``name``: failed with the first of ``faults``, message and hint."""
        message, hint = next(iter(faults), ("", ""))
        self.add(Check(name, not (message or hint), self.plan[name], message, hint))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Let ``name`` fail if the block raises ``Raised``, and go on after it."""
        try:
            yield
        except Raised as error:
            self.add(Check(name, False, self.plan[name], *error.failure))

    def failed(self, *names: str) -> bool:
        """Whether one of these checks failed, or was not made."""
        return not all(name in self._checks and self._checks[name].passed for name in names)

    def report(self) -> Report:
        """Return the report, its checks in the order of the plan."""
        nothing, reached = all(self.failed(name) for name in self.main), False
        checks = []
        for name, points in self.plan.items():
            check = self._checks.get(name) or Check(name, False, points, UNREACHED)
            reached = reached or name in self.main
            if nothing and (check.passed or reached) and name not in self.main:
                check = Check(name, False, points, UNJUDGED)
            checks.append(check)
        return Report(self.subject, tuple(checks))


def joined(subject: str, reports: Iterable[Report]) -> Report:
    """Return one report with the checks of several, each a group of its own."""
    found = list(reports)
    if len(found) == 1:
        return Report(subject, found[0].checks)
    return Report(
        subject,
        tuple(replace(check, group=report.subject) for report in found for check in report.checks),
    )


def _html_message(check: Check) -> str:
    text = html.escape(check.message)
    if check.hint and not check.passed:
        text += f"{'<br>' if text else ''}<b>→ {html.escape(check.hint)}</b>"
    return text

"""The command ``exercises``: list them, start one, check an answer, open a hint."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from framework import exercises
from framework.commands.options import number
from framework.exercises.marking import TIME_LIMIT
from framework.utils.files import write_atomically
from optimizers.checks import check_positive

NAME = "of the exercise, or a file of your own (.md)"
# How many hints of each exercise are open, beside the answers.
OPENED = Path(".exercises.json")


def add(commands: Any) -> None:
    """Declare the command and those inside it."""
    parser = commands.add_parser(
        "exercises",
        help="exercises that mark themselves",
        description="Exercises from a single neuron to Adam and convolution. start writes a file "
        "to fill in, check marks it, hint opens one hint after the other.",
    )
    inside = parser.add_subparsers(required=True, metavar="action")

    listing = inside.add_parser("list", help="list the exercises")
    listing.set_defaults(command=list_exercises)

    start = inside.add_parser("start", help="write a file to fill in")
    start.add_argument("name", help=NAME)
    start.add_argument("--output", metavar="FILE", help="the file to write (NAME.py)")
    start.add_argument("--force", action="store_true", help="replace a file that is there")
    start.set_defaults(command=start_exercise)

    check = inside.add_parser(
        "check",
        help="mark an answer; exits with 0 if it is right, else with 1",
        description="Mark an answer in a process of its own. Exits with 0 if everything is right, "
        "with 1 if not; with --json, with 2 if it cannot be marked.",
    )
    check.add_argument("file", help="the file that was filled in")
    check.add_argument("--exercise", metavar="NAME", help="where the file does not say it")
    check.add_argument("--json", action="store_true", help="print the report as JSON")
    check.add_argument(
        "--time-limit",
        type=number(check_positive),
        default=TIME_LIMIT,
        metavar="SECONDS",
        help=f"for the answer and its tests ({TIME_LIMIT:g})",
    )
    check.set_defaults(command=check_exercise)

    hint = inside.add_parser("hint", help="open one more hint")
    hint.add_argument("name", help=NAME)
    hint.set_defaults(command=open_hint)

    solution = inside.add_parser("solution", help="print the solution")
    solution.add_argument("name", help=NAME)
    solution.set_defaults(command=print_solution)


def list_exercises(options: argparse.Namespace) -> int:
    """Print the exercises, in their order."""
    found = exercises.all()
    width = max(len(exercise.name) for exercise in found)
    topic = max(len(exercise.topic) for exercise in found)
    for exercise in found:
        print(
            f"{exercise.name:{width}}  {exercise.topic:{topic}}  {exercise.minutes:3} min  "
            f"{exercise.title}"
        )
    return 0


def start_exercise(options: argparse.Namespace) -> int:
    """Write the file of an exercise, and print what to do."""
    exercise = exercises.get(options.name)
    target = Path(options.output or f"{exercise.name}.py")
    if target.exists() and not options.force:
        raise FileExistsError(f"{target} is there already: --force replaces it")
    write_atomically(target, exercise.file().encode())
    print(f"{exercise.title}\n\n{exercise.text}\n")
    print(f"Fill in {target}, then: python -m framework exercises check {target}")
    return 0


def check_exercise(options: argparse.Namespace) -> int:
    """Mark an answer, print the report, and return 1 unless it is right.

    With ``--json``, what cannot be marked is printed as JSON too, and 2 is returned.
    """
    try:
        report, printed = exercises.mark(
            options.file, options.exercise, time_limit=options.time_limit
        )
    except (OSError, ValueError) as error:
        if not options.json:
            raise
        print(json.dumps({"exercise": options.exercise, "error": str(error)}, ensure_ascii=False))
        return 2
    if options.json:
        content = {"exercise": report.subject, **report.as_dict(), "printed": printed}
        print(json.dumps(content, ensure_ascii=False, indent=1))
        return 0 if report else 1
    if printed:
        print(f"Your code printed:\n{printed.rstrip()}\n")
    print(report)
    return 0 if report else 1


def open_hint(options: argparse.Namespace) -> int:
    """Print the next hint, and those before it."""
    exercise = exercises.get(options.name)
    opened = _opened()
    count = min(opened.get(exercise.name, 0) + 1, len(exercise.hints))
    for place, hint in enumerate(exercise.hints[:count], start=1):
        print(f"{place}. {hint}")
    if count == len(exercise.hints):
        print(
            f"That was the last hint. The solution: python -m framework exercises solution "
            f"{exercise.name}"
        )
    content = json.dumps(opened | {exercise.name: count}, indent=1)
    write_atomically(OPENED, content.encode())
    return 0


def print_solution(options: argparse.Namespace) -> int:
    """Print the solution of an exercise."""
    print(exercises.get(options.name).solution, end="")
    return 0


def _opened() -> dict[str, int]:
    """Return how many hints are open; none where the file is damaged."""
    try:
        found = json.loads(OPENED.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: count for name, count in found.items() if isinstance(count, int) and count > 0}

"""How the columns of a table become the numbers that a network takes.

A column of numbers is one feature, a column of categories one feature of 0 and 1 for each category.
``TableColumns`` is learned from the training rows, kept in a model's file, and applied to new rows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from optimizers.arrays import Array

# Texts that stand for a missing value, in lower case: those of pandas, and of spreadsheets, R, SQL
# and SAS.
MISSING = frozenset(
    [
        *("", "?", "-", "--", ".", "..", "na", "n/a", "n.a.", "<na>", "#na", "#n/a", "#n/a n/a"),
        *("nan", "-nan", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan", "nat", "#nv", "none"),
        *("null", "(null)", "<null>", "\\n"),
    ]
)
FILLS = ("mean", "median")
# A column has numbers if so many of its known values do, or seem to.
MOST = 0.9
# What people write into numbers: between thousands, and units.
NOT_OF_NUMBERS = re.compile(r"[\s_,'’%$€£]")


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: its name.
        categories: the texts that occur in it, sorted; None for a column of numbers.
        fill: what takes the place of a missing value, a number or a category; None if nothing does.
        decimal_comma: whether 1.234 was read as 1234 in the training data, and 1,5 as 1.5.
    """

    name: str
    categories: list[str] | None = None
    fill: float | str | None = None
    decimal_comma: bool = False

    @property
    def features(self) -> list[str]:
        """The names of its features."""
        if self.categories is None:
            return [self.name]
        return [f"{self.name}={category}" for category in self.categories]


@dataclass(frozen=True)
class TableColumns:
    """The columns that a network takes, in order, and the one that it predicts.

    Attributes:
        columns: those that it takes.
        target: the name of the column that it predicts.
    """

    columns: list[Column] = field(default_factory=list)
    target: str = ""

    @property
    def features(self) -> list[str]:
        """The names of all features, in the order of the network's inputs."""
        return [feature for column in self.columns for feature in column.features]

    def encode(self, cells: Mapping[str, Sequence[str]]) -> Array:
        """Return the features of each row, ``(rows, features)``, float64.

        ``cells`` are the texts of each column, by its name; the order of the columns is free, and
        further ones are ignored.

        Raises ValueError for a column that is missing, and, naming row and column, for a missing
        value without a ``fill``, a text that is no number, and an unknown category.
        """
        if missing := [one.name for one in self.columns if one.name not in cells]:
            raise ValueError(
                f"it has no column {', '.join(map(repr, missing))}; the model takes "
                f"{', '.join(repr(one.name) for one in self.columns)}"
            )
        parts = [_encoded(column, cells[column.name]) for column in self.columns]
        return np.concatenate(parts, axis=1)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON: see ``from_json``."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any) -> TableColumns:
        """Return the object of which ``to_json`` is ``value``.

        Raises errors of many types if it is something else.
        """
        columns = [Column(**column) for column in value["columns"]]
        for column in columns:
            texts = [column.name, *(column.categories or ())]
            if not all(isinstance(text, str) for text in texts):
                raise ValueError(f"the column {column.name!r} is not valid")
            if not isinstance(column.decimal_comma, bool):
                raise ValueError(f"decimal_comma of the column {column.name!r} is not valid")
            if column.fill is not None:
                _encoded(column, [str(column.fill)])
        if not isinstance(value["target"], str):
            raise ValueError("the name of the target is not valid")
        return cls(columns, value["target"])


def learned_column(
    name: str,
    cells: Sequence[str],
    is_category: bool,
    fill: str | None,
    decimal_comma: bool = False,
) -> Column:
    """Return the column whose values are ``cells``, those of the training rows.

    Args:
        is_category: whether they are categories, and not numbers.
        fill: "mean" or "median" of the numbers takes the place of missing ones, and the most
            frequent category that of missing categories; None fills nothing.
        decimal_comma: whether the numbers had decimal commas before they were read.
    """
    known = [cell for cell in cells if not is_missing(cell)]
    if is_category:
        categories = sorted(set(known))
        frequent = max(categories, key=known.count) if fill and categories else None
        return Column(name, categories, frequent, decimal_comma)
    if fill is None or not known:
        return Column(name, decimal_comma=decimal_comma)
    numbers = np.array(list(map(float, known)))
    middle = float(np.mean(numbers) if fill == "mean" else np.median(numbers))
    return Column(name, None, middle, decimal_comma)


def is_missing(cell: str) -> bool:
    """Whether ``cell`` stands for a missing value."""
    return cell.strip().lower() in MISSING


def is_number(cell: str) -> bool:
    """Whether ``cell`` is a finite number."""
    try:
        return "_" not in cell and math.isfinite(float(cell))
    except ValueError:
        return False


def mostly(answers: Iterable[object]) -> bool:
    """Whether most of ``answers``, or all of none, are true."""
    found = list(map(bool, answers))
    return sum(found) >= MOST * len(found)


def are_mostly_numbers(cells: Iterable[str]) -> bool:
    """Whether most of the known ``cells`` are numbers, or seem to be, as "1,000" and "5 %" do."""
    known = [cell for cell in cells if not is_missing(cell)]
    return mostly(is_number(NOT_OF_NUMBERS.sub("", cell)) for cell in known)


def no_number(name: str, cells: Sequence[str]) -> str | None:
    """Return where in a column there is a text that is no number, None if all known are numbers."""
    rows = [row for row, cell in enumerate(cells, 1) if not (is_missing(cell) or is_number(cell))]
    if not rows:
        return None
    more = f" (and {len(rows) - 1:,} more)" if len(rows) > 1 else ""
    return f"{_wrong_number(rows[0], name, cells[rows[0] - 1])}{more}"


def _encoded(column: Column, cells: Sequence[str]) -> Array:
    if column.fill is not None:
        cells = [str(column.fill) if is_missing(cell) else cell for cell in cells]
    places = _places(column.categories or ())
    for row, cell in enumerate(cells, 1):
        if is_number(cell) if column.categories is None else cell in places:
            continue
        if is_missing(cell):
            raise ValueError(f"row {row}, column {column.name!r} is missing")
        if column.categories is None:
            raise ValueError(_wrong_number(row, column.name, cell))
        raise ValueError(
            f"row {row}, column {column.name!r} has {cell!r:.60}, which is none of its categories: "
            f"{', '.join(map(repr, column.categories)):.200}"
        )
    if column.categories is None:
        return np.array([float(cell) for cell in cells]).reshape(-1, 1)
    return np.eye(len(column.categories))[[places[cell] for cell in cells]]


def _places(categories: Sequence[str]) -> dict[str, int]:
    """Return the place of each category by its texts: 1.0 is 1, as programs write whole numbers."""
    places = {category: place for place, category in enumerate(categories)}
    for place, category in enumerate(categories):
        if is_number(category):
            whole = category.removesuffix(".0")
            places.setdefault(whole, place)
            if "." not in whole:
                places.setdefault(f"{whole}.0", place)
    return places


def _wrong_number(row: int, name: str, cell: str) -> str:
    return f"row {row}, column {name!r} has {cell!r:.60}, which is no number"

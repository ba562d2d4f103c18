"""Docstrings on their way to the site: formulas become mathematics, names become links."""

from __future__ import annotations

import inspect
import re
from functools import cache
from typing import Any

from sphinx.util.inspect import stringify_signature

from docs.extensions import formulas
from docs.extensions.listing import pages

# Behind the first of these, an indented block is no formula.
ARGUMENTS = re.compile(r"(Args|Attributes|Returns|Raises|Yields):$")
LABEL = re.compile(r"^(Shapes|Source):")
LITERAL = re.compile(r"(?<![:`])``([^`]+)``")


def process(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Change the lines of a docstring in place."""
    lines[:] = _inline(_with_blocks(lines), name)


def signature(
    app: Any, what: str, name: str, obj: Any, options: Any, arguments: str, returns: str
) -> tuple[str, str] | None:
    """Return the signature as it is written: ``ArrayLike``, and not the union behind it."""
    try:
        found = inspect.signature(obj)
    except (TypeError, ValueError):
        return None
    parameters = list(found.parameters.values())
    if what == "method" and parameters and parameters[0].name in ("self", "cls"):
        del parameters[0]
    found = found.replace(parameters=parameters)
    if what in ("class", "exception"):
        found = found.replace(return_annotation=inspect.Signature.empty)
    text = stringify_signature(found, unqualified_typehints=True)
    # Full names are links, also where the book has a class of that name; the last part is shown.
    text = re.sub(r"(?<![\w.'\"])[A-Z]\w+", lambda match: links().get(match[0], match[0]), text)
    arguments, arrow, returns = text.rpartition(" -> ")
    return (arguments, returns) if arrow else (text, "")


def _with_blocks(lines: list[str]) -> list[str]:
    """Return the lines with indented blocks turned into mathematics, or into code."""
    found: list[str] = []
    position = 0
    while position < len(lines):
        line = lines[position]
        if ARGUMENTS.match(line):
            return found + _sections(lines[position:])
        begins = line.startswith("    ") and (not found or not found[-1].strip())
        if not begins:
            found.append(LABEL.sub(r"**\1:**", line))
            position += 1
            continue
        end = position
        while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
            end += 1
        while not lines[end - 1].strip():
            end -= 1
        found += _block([text[4:] for text in lines[position:end]])
        position = end
    return found


def _sections(lines: list[str]) -> list[str]:
    """Return the lines behind the text, as napoleon reads them: each name with a line of its own.

    Ours has several names in front of one description, also over two lines.
    """
    text = "\n".join(LABEL.sub(r"**\1:**", line) for line in lines)
    text = re.sub(r"^(    [\w, ]+,)\n\s+(?=\w+(?:, \w+)*: )", r"\1 ", text, flags=re.MULTILINE)
    found: list[str] = []
    section = ""
    for entry in re.split(r"\n(?=\S|    \S)", text):
        if header := ARGUMENTS.match(entry.strip()):
            section = header[1]
        names, _, description = entry.partition(": ")
        several = section == "Attributes" and re.fullmatch(r"    \w+(?:, \w+)+", names)
        if several:
            found += [f"    {name}: {description}" for name in names.strip().split(", ")]
        else:
            found.append(entry)
    return "\n".join(found).split("\n")


def _block(lines: list[str]) -> list[str]:
    try:
        groups = [group.splitlines() for group in "\n".join(lines).split("\n\n")]
        found = []
        for group in groups:
            body = formulas.block(group).splitlines()
            found += [".. math::", "   :no-wrap:", "", r"   \["]
            found += [f"   {line}" for line in body] + [r"   \]", ""]
        return found
    except formulas.NotUnderstood:
        language = "python" if formulas.CODE.match(lines[0].strip()) else "text"
        return [f".. code-block:: {language}", "", *(f"   {line}" for line in lines), ""]


def _inline(lines: list[str], name: str) -> list[str]:
    """Set formulas in the text as mathematics, and link public names."""
    text = "\n".join(lines)

    def replaced(match: re.Match[str]) -> str:
        literal = " ".join(match[1].split())
        try:
            return f":math:`{formulas.inline(literal)}`"
        except formulas.NotUnderstood:
            pass
        target = links().get(literal)
        if target and target != name and not name.startswith(target + "."):
            return f":py:obj:`{literal} <{target}>`"
        return match[0]

    return LITERAL.sub(replaced, text).split("\n")


@cache
def links() -> dict[str, str]:
    """Return the public names as docstrings write them, with what they are called in the API."""
    found: dict[str, str] = {}
    for section, name in pages():
        full = f"{section.module}.{name}"
        found.setdefault(full, full)
        # A word such as "weights" is an array more often than the function of that name.
        is_word = name.islower() and "_" not in name
        if not (is_word or section.module in ("framework.nnfs_book", "framework.initializers")):
            found.setdefault(name, full)
    return found

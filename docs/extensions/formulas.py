"""The formulas of docstrings, as LaTeX.

A docstring is plain text, which ``help`` prints: ``√(variance + epsilon)``, ``Σₖ e^(inputs_k)``,
``weightsᵀ``. Here it is read and set as mathematics: quotients become fractions, indices go down,
names stay as they are in the code. What is no formula, such as "max of the window", stays text.
"""

from __future__ import annotations

import re

GREEK = {
    "alpha": r"\alpha",
    "beta": r"\beta",
    "delta": r"\delta",
    "epsilon": r"\varepsilon",
    "rho": r"\rho",
    "λ": r"\lambda",
    "α": r"\alpha",
    "μ": r"\mu",
    "π": r"\pi",
    "Φ": r"\Phi",
}
# With a name of their own in LaTeX, and without.
KNOWN = {"cos", "exp", "log", "max", "min", "tanh"}
FUNCTIONS = KNOWN | {"abs", "clip", "erf", "mean", "sign"}
BELOW = str.maketrans("₀₁₂₃₄₅₆₇₈₉ₐₑᵢⱼₖₙₜ₊₋", "0123456789aeijknt+-")
ABOVE = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹ᵗᵀ⁺⁻", "0123456789tT+-")
SIGNS = {
    "*": r"\cdot ",
    "·": r"\cdot ",
    "@": r"\,",
    "<=": r"\le ",
    ">=": r"\ge ",
    "…": r"\ldots ",
    "→": r"\to ",
}
TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)"
    r"|(?P<name>[A-Za-zΑ-ΡΤ-Ωα-ω][A-Za-z0-9_]*)(?P<below>[₀-₉ₐₑᵢⱼₖₙₜ₊₋]+)?(?P<prime>'+)?"
    r"|(?P<above>[⁰¹²³⁴-⁹ᵗᵀ⁺⁻]+)"
    r"|(?P<sum>Σ)(?P<over>[₀-₉ᵢⱼₖₙₜ]+)?"
    r"|(?P<index>\[(?:[^\[\]]|\[[^\[\]]*\])*\])"
    r"|(?P<sign><=|>=|[-+*·/^@()|√<>=,…]))"
)
# Words that begin a remark behind a formula.
REMARK = re.compile(
    r"(?:\s{2,}(?=(?:where|elsewhere|otherwise|over|at|with|for|afterwards|in)\b|\(0)"
    r"|(?<=\S)\s{3,}(?![-+*/@\s])|, (?=by the )|\s+(?=\(0 where))"
)
DEFINITION = re.compile(
    r"(?P<left>[A-Za-zΑ-ΡΤ-Ωα-ω][\w₀-₉ᵢⱼₖₙₜ₊]*'?(?:\[[^\]]*\]|\([a-z]\))?)"
    r"\s*(?P<sign>\+?=)\s+(?P<right>\S.*)"
)


# How lines of code begin, or of a terminal.
CODE = re.compile(
    r"(?:def|class|return|import|from|with|python|mpiexec|pip|for) |@|[a-z]\w*\.\w+\("
    r"|\w+ = (?:[a-z]\w*\.)*[A-Za-z]\w*\((?:\[|\"|.*=)|\w+/\w+/"
)


class NotUnderstood(ValueError):
    """What stands there is no formula."""


def block(lines: list[str]) -> str:
    """Return an indented block of formulas as LaTeX. Raises NotUnderstood."""
    if any(CODE.match(line.strip()) for line in lines):
        raise NotUnderstood("code")
    rows: list[tuple[str, list[str]]] = []
    column = 0
    for line in lines:
        indent = len(line) - len(line.lstrip())
        found = DEFINITION.fullmatch(line.strip())
        if found and (not rows or indent < column):
            sign = r"\mathrel{+}=" if found["sign"] == "+=" else "="
            rows.append((f"{formula(found['left'])} &{sign} ", [found["right"]]))
            column = indent + found.start("right")
        elif rows and indent >= column > 0:
            rows[-1][1].append(line.strip())
        elif not rows or not column:
            rows.append(("& ", [line.strip()]))
        else:
            raise NotUnderstood(f"{line!r} begins no formula")
    if not column and len(rows) > 1:
        # No name in front: the cases of something that the text names.
        return _right([text for _, (text,) in rows])
    if not column and not any(c in rows[0][1][0] for c in "=+-*/^√Σ²("):
        raise NotUnderstood("words alone")
    body = " \\\\\n".join(left + _right(right) for left, right in rows)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def inline(text: str) -> str:
    """Return one formula ``name = …`` as LaTeX. Raises NotUnderstood for anything else."""
    found = DEFINITION.fullmatch(text)
    if found is None or "==" in text or text.count(" = ") > 1:
        raise NotUnderstood(f"{text!r} defines nothing")
    return f"{formula(found['left'])} = {formula(found['right'])}"


def _right(lines: list[str]) -> str:
    """Return the right-hand side of a definition, of several lines if it has cases."""
    pairs = [REMARK.split(line, maxsplit=1) for line in lines]
    if len(lines) > 1 and all(len(pair) == 2 for pair in pairs):
        cases = [f"{_or_text(value)} & {_remark(remark)}" for value, remark in pairs]
        return "\\begin{cases}" + " \\\\ ".join(cases) + "\\end{cases}"
    if len(lines) > 1:
        return _or_text(" ".join(lines))
    if len(pairs[0]) == 2:
        return f"{_or_text(pairs[0][0])} \\qquad {_remark(pairs[0][1])}"
    return _or_text(lines[0])


def _or_text(text: str) -> str:
    try:
        return formula(text)
    except NotUnderstood:
        return _words(text)


def _remark(text: str) -> str:
    """Return words such as "where inputs > 0", with what is a formula in them set as one."""
    found = re.fullmatch(r"(where|for|over|over the|at|at the) (.+)", text)
    if found and ("=" in found[2] or re.search(r"[<>|]|^[a-z](, [a-z])*$", found[2])):
        try:
            return rf"\text{{{found[1]} }} {formula(found[2])}"
        except NotUnderstood:
            pass
    return _words(text)


def _words(text: str) -> str:
    escaped = re.sub(r"([_&%#$])", r"\\\1", text)
    return rf"\text{{{escaped}}}"


def formula(text: str) -> str:
    """Return an expression as LaTeX. Raises NotUnderstood."""
    reader = _Reader(text)
    latex = reader.comparison()
    if reader.position < len(reader.tokens):
        raise NotUnderstood(f"{text!r} has more than a formula")
    return latex


class _Reader:
    """Reads an expression from left to right."""

    def __init__(self, text: str) -> None:
        # The kind of each token, its text, what stands below it, and whether a space is before it.
        self.tokens: list[tuple[str, str, str, bool]] = []
        place, text = 0, text.rstrip()
        while place < len(text):
            match = TOKEN.match(text, place)
            if match is None:
                raise NotUnderstood(f"{text[place:]!r} is not understood")
            kind = match.lastgroup or ""
            for kind in ("number", "name", "above", "sum", "index", "sign"):
                if match[kind] is not None:
                    break
            below = match["below"] or match["over"] or ""
            below = below.translate(BELOW) + (match["prime"] or "")
            self.tokens.append((kind, match[kind], below, text[place].isspace()))
            place = match.end()
        self.position = 0
        self.raised = 0  # how many exponents deep

    def comparison(self) -> str:
        parts = [self.sum()]
        while sign := self._take("<", ">", "<=", ">=", "=", ","):
            parts += [SIGNS.get(sign, sign + " "), self.sum()]
        return "".join(parts)

    def sum(self) -> str:
        latex = self.product()
        while sign := self._take("+", "-"):
            latex += f" {sign} {self.product()}"
        return latex

    def product(self) -> str:
        above, below = self.factor(), ""
        while True:
            if self._take("/"):
                divisor = self.factor(bare=not self.raised)
                below = rf"{below} \cdot {divisor}" if below else divisor
            elif sign := self._take("*", "·", "@"):
                above, below = f"{self._quotient(above, below)} {SIGNS[sign]}{self.factor()}", ""
            elif self._begins_term():
                above, below = rf"{self._quotient(above, below)} \,{self.factor()}", ""
            else:
                return self._quotient(above, below)

    def factor(self, bare: bool = False) -> str:
        if self._take("-"):
            return f"-{self.factor()}"
        if self._take("√"):
            return rf"\sqrt{{{self.primary(bare=True)}}}"
        latex = self.primary(bare)
        while True:
            if self._take("^"):
                self.raised += 1
                latex += f"^{{{self.primary(bare=True)}}}"
                self.raised -= 1
            elif self._kind() == "above":
                power = self._next()[1].translate(ABOVE)
                latex += "^{\\top}" if power == "T" else f"^{{{power}}}"
            elif self._kind() == "index":
                index = formula(self._next()[1][1:-1])
                latex = f"{{{latex}}}_{{{index}}}" if "_" in latex else f"{latex}_{{{index}}}"
            else:
                return latex

    def primary(self, bare: bool = False) -> str:
        kind, text, below, _ = self._next()
        if kind == "number":
            mantissa, _, exponent = text.partition("e")
            latex = rf"{mantissa} \cdot 10^{{{exponent}}}" if exponent else text
            return latex + (r"\ldots" if self._take("…") else "")
        if kind == "name":
            return self._named(text, below)
        if kind == "sum":
            return self._series(r"\sum", below)
        if text == "(":
            inner = self.comparison()
            if not self._take(")"):
                raise NotUnderstood("a parenthesis is not closed")
            follows = self._peek() in ("^",) or self._kind() == "above"
            if bare and not follows:
                return inner
            tall = any(sign in inner for sign in (r"\frac", r"\sum", r"\sqrt"))
            return rf"\left({inner}\right)" if tall else f"({inner})"
        if text == "|":
            inner = self.sum()
            if not self._take("|"):
                raise NotUnderstood("a | is missing")
            return rf"\left|{inner}\right|"
        if text == "…":
            return r"\ldots"
        raise NotUnderstood(f"{text!r} begins no term" if text else "the formula has no end")

    def _named(self, text: str, below: str) -> str:
        if text == "mean" and self._peek() == "over":
            return self._series(r"\operatorname{mean}", below)
        if text in FUNCTIONS and self._peek() not in ("", ")", "+", "-", "*", "/", "=", ","):
            if self._peek() == "of" or self._peek() == "over":
                raise NotUnderstood("words")
            power = ""
            if self._kind() == "above":
                power = f"^{{{self._next()[1].translate(ABOVE)}}}"
            latex = rf"\{text}" if text in KNOWN else rf"\operatorname{{{text}}}"
            return f"{latex}{power} {self.primary() if self._peek() == '(' else self.factor()}"
        latex = _name(text, below.replace("'", "")) + "'" * below.count("'")
        if self._peek() == "(" and not self.tokens[self.position][3]:
            latex += self.primary()  # a function of its argument
        return latex

    def _series(self, sign: str, below: str) -> str:
        if self._take("over"):
            words = []
            while self._kind() == "name" and self._peek() != "of":
                words.append(self._next()[1])
            if not self._take("of"):
                raise NotUnderstood("there is no 'of' behind 'over'")
            below = " ".join(words)
            if len(below) > 1:
                below = rf"\text{{{below}}}"
        return f"{sign}{f'_{{{below}}}' if below else ''} {self.product()}"

    def _quotient(self, above: str, below: str) -> str:
        if not below:
            return above
        return f"{above} / {below}" if self.raised else rf"\frac{{{_bare(above)}}}{{{below}}}"

    def _begins_term(self) -> bool:
        kind, text = self._kind(), self._peek()
        return kind in ("number", "name", "sum") or text in ("(", "√", "…")

    def _kind(self) -> str:
        return self.tokens[self.position][0] if self.position < len(self.tokens) else ""

    def _peek(self) -> str:
        return self.tokens[self.position][1] if self.position < len(self.tokens) else ""

    def _next(self) -> tuple[str, str, str, bool]:
        if self.position >= len(self.tokens):
            raise NotUnderstood("the formula has no end")
        self.position += 1
        return self.tokens[self.position - 1]

    def _take(self, *texts: str) -> str:
        text = self._peek()
        if not text or text not in texts:
            return ""
        self.position += 1
        return text


WORDS = {"of", "the", "which", "this", "all", "is", "in", "value", "are", "they", "where", "else"}


def _name(text: str, below: str) -> str:
    """Return a name of the code: Greek letters as such, the index of an element below."""
    if text in WORDS:
        raise NotUnderstood(f"{text!r} is a word")
    stem, _, suffix = text.rpartition("_")
    if stem and (len(suffix) == 1 or suffix in ("pred", "true")):
        inner = suffix if len(suffix) == 1 else rf"\mathrm{{{suffix}}}"
        return f"{_name(stem, '')}_{{{inner}}}"
    if text in GREEK:
        latex = GREEK[text]
    elif len(text) == 1:
        latex = text
    else:
        escaped = text.replace("_", r"\_")
        latex = rf"\mathrm{{{escaped}}}"
    return latex + (f"_{{{below}}}" if below else "")


def _bare(latex: str) -> str:
    """Return ``latex`` without the pair of parentheses around the whole of it."""
    plain = latex.replace(r"\left(", "(").replace(r"\right)", ")")
    depth = 0
    for place, sign in enumerate(plain):
        depth += (sign == "(") - (sign == ")")
        if not depth and (place == 0 or place < len(plain) - 1):
            return latex
    return latex.removeprefix(r"\left").removesuffix(")").removesuffix(r"\right")[1:]

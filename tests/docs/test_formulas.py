"""The formulas of docstrings as LaTeX, and docstrings on their way to the site."""

import pytest

from docs.extensions import formulas
from docs.extensions.formulas import NotUnderstood


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("a + b * c", r"a + b \cdot c"),
        ("2 (y_pred - y_true)", r"2 \,(y_{\mathrm{pred}} - y_{\mathrm{true}})"),
        ("a / b / c", r"\frac{a}{b \cdot c}"),
        ("(a + b) / (c - d)", r"\frac{a + b}{c - d}"),
        ("(a + b) * (c - d) / n", r"\frac{(a + b) \cdot (c - d)}{n}"),
        ("√(variance + epsilon)", r"\sqrt{\mathrm{variance} + \varepsilon}"),
        ("√cache + epsilon", r"\sqrt{\mathrm{cache}} + \varepsilon"),
        ("e^(inputs_k / T)", r"e^{\mathrm{inputs}_{k} / T}"),
        ("e^(a / (b + c))", r"e^{a / (b + c)}"),
        ("dvalues @ weightsᵀ", r"\mathrm{dvalues} \,\mathrm{weights}^{\top}"),
        ("1 - beta_1ᵗ", r"1 - \beta_{1}^{t}"),
        ("Σₖ y_true[s, k]", r"\sum_{k} {y_{\mathrm{true}}}_{s, k}"),
        ("Σ over samples of dvalues", r"\sum_{\text{samples}} \mathrm{dvalues}"),
        ("mean over j of |e|", r"\operatorname{mean}_{j} \left|e\right|"),
        ("max(0, inputs)", r"\max (0, \mathrm{inputs})"),
        ("tanh²(u)", r"\tanh^{2} (u)"),
        ("log y", r"\log y"),
        ("sign(a)", r"\operatorname{sign} (a)"),
        ("f₂(f₁(inputs))", r"f_{2}(f_{1}(\mathrm{inputs}))"),
        ("μₜ₊₁", r"\mu_{t+1}"),
        ("1.0507…", r"1.0507\ldots"),
        ("1e-7", r"1 \cdot 10^{-7}"),
        ("-inputs² / 2", r"\frac{-\mathrm{inputs}^{2}}{2}"),
        ("learning_rate", r"\mathrm{learning\_rate}"),
    ],
)
def test_an_expression(text: str, latex: str) -> None:
    assert formulas.formula(text) == latex


@pytest.mark.parametrize(
    "text", ["max of the window", "a + ", "(a", "|a", "1 where b >= 0, else 0", "a ; b", "a ) b"]
)
def test_what_is_no_formula_is_not_understood(text: str) -> None:
    with pytest.raises(NotUnderstood):
        formulas.formula(text)


def test_definitions_stand_below_each_other() -> None:
    found = formulas.block(["g       = dvalues * weights", "dbiases = Σ dvalues"])
    assert found.splitlines() == [
        r"\begin{aligned}",
        r"g &= \mathrm{dvalues} \cdot \mathrm{weights} \\",
        r"\mathrm{dbiases} &= \sum \mathrm{dvalues}",
        r"\end{aligned}",
    ]


def test_cases_and_remarks() -> None:
    cases = ["dinputs = dvalues  where output > 0", "          0        elsewhere"]
    assert r"\begin{cases}\mathrm{dvalues} & \text{where } \mathrm{output}> 0 \\ 0" in (
        formulas.block(cases)
    )
    remark = ["output  = Σ inputs / n            over the n values of the window"]
    assert r"\qquad \text{over the n values of the window}" in formulas.block(remark)
    words = ["output = max of the window"]
    assert r"\mathrm{output} &= \text{max of the window}" in formulas.block(words)


def test_a_long_formula_goes_on_in_the_next_line() -> None:
    lines = ["look = a * b", "       + c"]
    assert r"\mathrm{look} &= a \cdot b + c" in formulas.block(lines)


@pytest.mark.parametrize(
    "lines",
    [
        ["def forward(self):", "    return 1"],
        ["model.train(X, y)"],
        ["from a import b"],
        ["transform = Compose([RandomShift(2)])"],
        ['data = image_folder("pets", 64)'],
        ["pets/cats/tom.jpg"],
    ],
)
def test_code_is_no_formula(lines: list[str]) -> None:
    with pytest.raises(NotUnderstood):
        formulas.block(lines)


def test_a_formula_in_the_text() -> None:
    assert formulas.inline("s' = s (1 - s)") == r"s' = s \,(1 - s)"
    for text in ("training=False", "layer.weights = W", "a == b", "output"):
        with pytest.raises(NotUnderstood):
            formulas.inline(text)

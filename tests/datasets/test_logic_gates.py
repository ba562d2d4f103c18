import operator

import pytest

from datasets import logic_gate


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("and", operator.and_),
        ("or", operator.or_),
        ("xor", operator.xor),
        ("nand", lambda a, b: 1 - (a & b)),
    ],
)
def test_outputs_are_those_of_the_gate(name: str, function: object) -> None:
    X, y = logic_gate(name)
    assert {tuple(row) for row in X.tolist()} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    for (a, b), output in zip(X.astype(int).tolist(), y.tolist(), strict=True):
        assert output == function(a, b)  # type: ignore[operator]


def test_an_unknown_gate_is_refused() -> None:
    with pytest.raises(ValueError, match="expects one of and, or, nand, xor, received 'nor'"):
        logic_gate("nor")


def test_changing_what_was_returned_changes_nothing_else() -> None:
    X, y = logic_gate("and")
    X[:], y[:] = 9, 9
    assert logic_gate("and")[0].max() == logic_gate("and")[1].max() == 1

"""Named columns of tables: decimal commas, separators, encodings and lines."""

from pathlib import Path

import pytest

from framework.commands.columns import read_columns
from framework.data.table_columns import Column, TableColumns
from framework.errors import FileError


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "table.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("text", "expected", "commas"),
    [
        (
            "a;b;c\n1,5;12.5;x\n2,5;13.25;y\n",
            {"a": ["1.5", "2.5"], "b": ["12.5", "13.25"], "c": ["x", "y"]},
            {"a"},
        ),
        # A text such as 1,2 among others tells nothing of the numbers.
        ("a;b\n1.234;1,2\n2.345;x\n", {"a": ["1.234", "2.345"], "b": ["1,2", "x"]}, set()),
        # Points alone, each with three digits: as the other columns.
        ("a;b\n1.234;1,5\n?;2\n", {"a": ["1234", "?"], "b": ["1.5", "2"]}, {"a", "b"}),
        (
            "a;b;c\n1.234;1,5;0.5\n2;2;1\n",
            {"a": ["1.234", "2"], "b": ["1.5", "2"], "c": ["0.5", "1"]},
            {"b"},
        ),
        ("a;b\n0.125;1,5\n", {"a": ["0.125"], "b": ["1.5"]}, {"b"}),
        ("a;b\n1.234.567;x\n-1.234,5;y\n", {"a": ["1234567", "-1234.5"], "b": ["x", "y"]}, {"a"}),
        ("a;b\n01.02.2020;1,5\n", {"a": ["01.02.2020"], "b": ["1.5"]}, {"b"}),
        ("a;b\n4o;x\n" + 9 * "1,5;x\n", {"a": ["4o", *9 * ["1.5"]], "b": 10 * ["x"]}, {"a"}),
        ("a;b\n1,5;1,x\n12.5;y\n", {"a": ["1,5", "12.5"], "b": ["1,x", "y"]}, set()),
    ],
)
def test_decimal_commas_are_decided_column_by_column(
    text: str, expected: dict[str, list[str]], commas: set[str], tmp_path: Path
) -> None:
    cells, remarks, found = read_columns(written(tmp_path, text))
    assert cells == expected and found == commas
    named = ", ".join(repr(name) for name in expected if name in commas)
    assert any(line.endswith(f"as in 1.234,5: {named}") for line in remarks) == bool(commas)


def test_new_rows_are_read_as_the_training_data_were(tmp_path: Path) -> None:
    columns = [
        Column("a", decimal_comma=True),
        Column("b"),
        Column("c", ["1,5", "x"]),
        Column("d", ["1.5", "2"], decimal_comma=True),
    ]
    path = written(tmp_path, "a;b;c;d\n1.234;1.234;1,5;1,5\n")
    cells = read_columns(path, learned=TableColumns(columns)).cells
    assert cells == {"a": ["1234"], "b": ["1.234"], "c": ["1,5"], "d": ["1.5"]}


def test_a_separator_is_one_that_gives_numbers(tmp_path: Path) -> None:
    for text, expected in (
        ("0,5;1,2;0,3\n1,5;2,2;1,3\n", {"1": ["0.5", "1.5"], "2": ["1.2", "2.2"]}),
        ("a,b\nx;y,1\nz;w,2\n", {"a": ["x;y", "z;w"], "b": ["1", "2"]}),
        ("a\tb\n1,000\tx\n2,000\ty\n", {"a": ["1.000", "2.000"], "b": ["x", "y"]}),
    ):
        cells = read_columns(written(tmp_path, text)).cells
        assert {name: cells[name] for name in expected} == expected


def test_one_short_row_does_not_change_the_separator(tmp_path: Path) -> None:
    path = written(tmp_path, "a;b\n1;x\n2\n3;y\n")
    with pytest.raises(FileError, match="line 3 has 1 values, others have 2"):
        read_columns(path)


def test_only_ends_of_lines_end_rows(tmp_path: Path) -> None:
    path = written(tmp_path, 'a,b\r\n1,x\x85y\u2028z\x0bw\r\n2,"v\r\nu"\r\n')
    assert read_columns(path).cells == {"a": ["1", "2"], "b": ["x\x85y\u2028z\x0bw", "v\r\nu"]}


@pytest.mark.parametrize(
    ("content", "expected"), [(b"a,b\n1,\x80 \xe9\n", "€ é"), (b"a,b\n1,\x81\xe9\n", "\x81é")]
)
def test_text_that_is_not_unicode_is_windows_1252(
    content: bytes, expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    assert read_columns(path).cells["b"] == [expected]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_read_without_its_mark_too(encoding: str, tmp_path: Path) -> None:
    path = written(tmp_path, "a;b\n1;Łódź\n", encoding)
    assert read_columns(path).cells == {"a": ["1"], "b": ["Łódź"]}

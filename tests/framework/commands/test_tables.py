"""Tables of numbers: encodings, headings, and files that are none."""

import os
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from framework import Dense, FileError, Model, Softmax
from framework.__main__ import main
from framework.commands.tables import read_table


def table(path: Path, content: str | bytes, name: str = "a.csv") -> Path:
    path = path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


NUMBERS = [[1.5, -2.0], [3.0, 4e-3]]
ROWS = "1.5,-2\r\n3,4e-3\r\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1", "mac-roman", "cp437"]
)
def test_a_table_in_any_usual_encoding_is_read(encoding: str, tmp_path: Path) -> None:
    path = table(tmp_path, ("Größe,Höhe\r\n" + ROWS).encode(encoding))
    np.testing.assert_array_equal(read_table(path)[0], NUMBERS)


def test_a_heading_in_an_encoding_that_marks_no_bytes_is_named_with_its_file(
    tmp_path: Path,
) -> None:
    path = table(tmp_path, ("größe,b\n" + ROWS).encode("utf-32"))
    with pytest.raises(FileError, match=rf"^{path}: "):
        read_table(path)


def test_separators_and_decimal_commas_are_found_out(tmp_path: Path) -> None:
    for content in (
        "1.5;-2\n3;4e-3\n",
        "1,5;-2\n3;4e-3\n",
        "a;b\n1,5;-2,0\n3,0;0,004\n",
        "1,5\t-2\n3\t4e-3\n",
        "1.5|-2\n3|4e-3\n",
        "sep=;\r\na;b\r\n1,5;-2\r\n3;0,004\r\n",
        "sep=|\n1.5|-2\n3|4e-3\n",
    ):
        np.testing.assert_array_equal(read_table(table(tmp_path, content))[0], NUMBERS)
    thousands = table(tmp_path, "1.234;0,5\n2.345.678;1\n")
    np.testing.assert_array_equal(read_table(thousands)[0], [[1234, 0.5], [2345678, 1]])
    np.testing.assert_array_equal(read_table(table(tmp_path, "1,5;2,5\n"), ";")[0], [[1.5, 2.5]])
    with pytest.raises(FileError, match="line 3 has 'x', which is no number, in column 1"):
        read_table(table(tmp_path, "a;b\n1,5;2\nx;3\n"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1,2\n3,x\n", "line 2 has 'x', which is no number, in column 2"),
        ("a,b\n1,2\n\n3,nan\n", "line 4 has 'nan', which is no number, in column 2"),
        ("1,2\n1e999,2\n", "line 2 has '1e999', which is no number, in column 1"),
        ("1,2\n3\n", "line 2 has 1 values, others have 2"),
        ('1,2\n3,"4\n5",6\n', "line 3 has 3 values, others have 2"),
        ("a,b\n\n", "it has no rows of numbers below its heading"),
        ("\n\n", "it has no rows of numbers"),
        ("sep=;\n1;2\n3;x\n", "line 3 has 'x', which is no number, in column 2"),
        ("1,2\n3,\0\n", "line 2 has a NUL byte: it is no text, or damaged"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(content: str, message: str, tmp_path: Path) -> None:
    path = table(tmp_path, content)
    with pytest.raises(FileError) as raised:
        read_table(path)
    assert str(raised.value) == f"{path}: {message}"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_numbers_have_the_dtype_of_the_model_unless_one_is_too_large(
    dtype: Any, tmp_path: Path
) -> None:
    # Digits of full width are numbers for Python alone.
    for content in (ROWS, ROWS + '"-7",１０\n'):
        read, _ = read_table(table(tmp_path, content), dtype=dtype)
        expected = [*NUMBERS, [-7, 10]][: len(read)]
        np.testing.assert_allclose(read, expected, rtol=1e-7)
    assert read_table(table(tmp_path, ROWS), dtype=dtype)[0].dtype == dtype
    large, _ = read_table(table(tmp_path, "1e300,1\n"), dtype=dtype)
    np.testing.assert_array_equal(large, [[1e300, 1]])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(ROWS,))
    writer.start()
    np.testing.assert_array_equal(read_table(path)[0], NUMBERS)
    writer.join()


def test_values_between_tabs_are_read_from_a_tsv(tmp_path: Path) -> None:
    path = table(tmp_path, "a\tb, c\n1.5\t-2\n3\t4e-3\n", "a.TSV")
    np.testing.assert_array_equal(read_table(path, "\t")[0], NUMBERS)


@pytest.mark.parametrize(
    ("content", "has_heading", "rows"),
    [
        ("1,2\n3,4\n", None, [[1, 2], [3, 4]]),
        ("1,2\n3,4\n", True, [[3, 4]]),
        ("1,2\n3,4\n", False, [[1, 2], [3, 4]]),
        ("a,b\n3,4\n", None, [[3, 4]]),
        ("a,b\n3,4\n", True, [[3, 4]]),
        ("a,1\n3,4\n", True, [[3, 4]]),
    ],
)
def test_the_first_row_is_data_if_a_number_is_in_it_unless_the_option_says_otherwise(
    content: str, has_heading: bool | None, rows: list[list[float]], tmp_path: Path
) -> None:
    read, remark = read_table(table(tmp_path, content), has_heading=has_heading)
    np.testing.assert_array_equal(read, rows)
    assert bool(remark) == (has_heading is None)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    it = Model([Dense(2, 3), Softmax()])
    it.finalize()
    it.save(tmp_path / "it.safetensors")
    return tmp_path / "it.safetensors"


def predict(model: Path, *arguments: Any) -> int:
    return main(["predict", str(model), *map(str, arguments)])


@pytest.mark.parametrize(
    ("content", "option", "samples", "told"),
    [
        ("1,2\n3,4\n", [], 2, "taken for data: 1,2 (--header if it is not)"),
        ("a,b\n3,4\n", [], 1, "taken for a heading: a,b (--no-header if it is not)"),
        ("\x1b[2J,b\n3,4\n", [], 1, "taken for a heading: \\x1b[2J,b (--no-header"),
        ("1,2\n3,4\n", ["--header"], 1, ""),
        ("1,2\n3,4\n", ["--no-header"], 2, ""),
    ],
)
def test_predict_says_for_what_it_took_the_first_row(
    content: str,
    option: list[str],
    samples: int,
    told: str,
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert predict(model, table(tmp_path, content), *option) == 0
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 1 + samples
    assert told in captured.err
    assert bool(told) == bool(captured.err)


def npz(path: Path) -> Path:
    with (path / "a.npy").open("wb") as file:
        np.savez(file, X=np.ones((3, 2)))
    return path / "a.npy"


def archive(path: Path) -> Path:
    with zipfile.ZipFile(path / "a.npy", "w") as file:
        file.writestr("X.txt", "1")
    return path / "a.npy"


def npy(header: bytes) -> Callable[[Path], Path]:
    start = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little")
    return lambda path: table(path, start + header + bytes(48), "a.npy")


def csv(content: str | bytes) -> Callable[[Path], Path]:
    return lambda path: table(path, content)


BROKEN = {
    "npz": npz,
    "zip": archive,
    "PK": lambda path: table(path, b"PK\x03\x04 and nothing else", "a.npy"),
    "header without end": npy(b"{'descr': '<f8', 'shape': (2,"),
    "header of calls": npy(b"{'descr': '<f8', 'fortran_order': False, 'shape': f(2)}\n"),
    "header of nothing": npy(b""),
    "header of zeros": npy(bytes(60)),
    "header of a deep list": npy(b"[" * 9_000),
    "shape of negatives": npy(b"{'descr': '<f8', 'fortran_order': False, 'shape': (-3, 2)}\n"),
    "shape of everything": npy(
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (9" + b"9" * 40 + b", 2)}\n"
    ),
    "dtype of nonsense": npy(b"{'descr': 'zz', 'fortran_order': False, 'shape': (3, 2)}\n"),
    "dtype of a list": npy(b"{'descr': [3], 'fortran_order': False, 'shape': (3, 2)}\n"),
    "long field": csv("1,2\n" + "1" * 131_073 + ",2\n"),
    "number of 200,000 digits": csv("1,2\n" + "1" * 100_000 + ",2\n"),
    "zeros": csv(bytes(1000)),
    "quote without end": csv('1,2\n"3,4\n' * 3),
    "half of UTF-16": csv("1,2\n".encode("utf-16")[:-1]),
    "half a character": csv(b"1,2\n\xf0\x9f,4\n"),
}


@pytest.mark.parametrize("make", BROKEN.values(), ids=BROKEN.keys())
def test_a_file_that_holds_something_else_is_one_line_that_names_it(
    make: Callable[[Path], Path], model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make(tmp_path)
    assert predict(model, path) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"dinputs: error: {path}: ")
    assert captured.err.count("\n") == 1
    assert len(captured.err) < 500


@pytest.mark.parametrize("kind", ["csv", "npy"])
def test_any_changed_bytes_are_data_or_an_error_line(
    kind: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"a.{kind}"
    if kind == "csv":
        path.write_text("a,b\n" + "1.5,-2.25\n" * 5)
    else:
        np.save(path, np.ones((5, 2)))
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    statuses = set()
    for _ in range(200):
        changed = bytearray(whole)
        for position in random.integers(len(whole), size=random.integers(1, 4)):
            changed[position] = random.integers(256)
        path.write_bytes(changed)
        statuses.add(status := predict(model, path))
        captured = capsys.readouterr()
        if status:
            assert captured.err.startswith("dinputs: error: ")
            assert captured.err.count("\n") == 1
    assert statuses == {0, 1}


def test_class_names_with_codes_for_the_terminal_are_printed_escaped(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["\x1b[31mred", "two\nlines", "\u202eright to left"]
    Model.load(model).save(model, class_names=names)
    escaped = ["\\x1b[31mred", "two\\nlines", "\\u202eright to left"]
    assert main(["summary", str(model)]) == 0
    assert f"class_names  {', '.join(escaped)}\n" in capsys.readouterr().out
    rows = np.random.default_rng(0).normal(size=(50, 2))
    np.save(tmp_path / "X.npy", rows)
    assert predict(model, tmp_path / "X.npy") == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    classes = Model.load(model).predict_classes(rows)
    assert set(classes) == {0, 1, 2}
    assert [line[8:-6].strip() for line in lines] == [escaped[label] for label in classes]

"""The command ``train``: from a table to predictions and ONNX, by commands alone."""

import csv
import json
import re
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from framework import Model, SavedFileError
from framework.__main__ import main
from framework.commands.columns import read_columns
from framework.commands.train import _split
from framework.data.table_columns import Column, TableColumns
from framework.errors import FileError
from framework.saving import file_format

random = np.random.default_rng(0)


def write(path: Path, columns: dict[str, list[Any]], separator: str = ",") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def passengers(rows: int = 300) -> dict[str, list[Any]]:
    """A table like that of the Titanic: women and children, and the first class, survive."""
    sex = random.choice(["male", "female"], rows)
    age = random.uniform(1, 70, rows).round(1)
    rank = random.integers(1, 4, rows)
    survived = (sex == "female") | (age < 12) | ((rank == 1) & (age < 30))
    ages = [None if random.random() < 0.1 else a for a in age.tolist()]
    return {
        "PassengerId": list(range(1, rows + 1)),
        "Survived": survived.astype(int).tolist(),
        "Pclass": rank.tolist(),
        "Name": [f"Person {i}, Mr." for i in range(rows)],
        "Sex": sex.tolist(),
        "Age": ages,
    }


def houses(rows: int = 300) -> dict[str, list[Any]]:
    area, town = random.uniform(40, 200, rows), random.choice(["Rom", "Köln", "Łódź"], rows)
    price = 3000 * area + 50_000 * (town == "Köln")
    return {"area": area.round(2).tolist(), "town": town.tolist(), "price": price.round(2).tolist()}


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> int:
    return main([*arguments])


TITANIC = [
    *("train", "titanic.csv", "--target", "Survived", "--categorical", "Pclass"),
    *("--drop", "PassengerId", "Name", "--fill", "median", "--save", "titanic.st"),
    *("--quiet", "--no-accelerated"),
]


def test_a_table_of_passengers_goes_to_onnx_by_commands_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    onnx = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    table = passengers()
    write(Path("titanic.csv"), table)
    assert run(*TITANIC) == 0
    printed = capsys.readouterr().out
    assert "Training 240 rows, 3 columns as 6 features, for the 2 classes of 'Survived'" in printed
    accuracy = float(printed.split("accuracy")[1].split()[0])
    assert accuracy > 0.9
    assert "f1 " in printed and "auc " in printed and Path("training.png").is_file()
    model = Model.load("titanic.st")
    assert model.class_names == ["0", "1"]
    assert model.table.features == [
        "Pclass=1",
        "Pclass=2",
        "Pclass=3",
        "Sex=female",
        "Sex=male",
        "Age",
    ]
    fill = model.table.columns[2].fill
    assert 20 < fill < 50

    # Other columns in another order, one of them missing a value.
    new = {
        "Age": [5.0, "", 60.0],
        "Ticket": "abc",
        "Sex": ["male", "female", "male"],
        "Pclass": [3, 1, 3],
    }
    write(Path("new.csv"), {**new, "Ticket": ["a", "b", "c"]}, ";")
    assert run("predict", "titanic.st", "new.csv", "--output", "predicted.csv") == 0
    rows = list(csv.DictReader(Path("predicted.csv").read_text().splitlines()))
    assert [row["class"] for row in rows] == ["1", "1", "0"]

    assert run("export", "titanic.st", "titanic.onnx") == 0
    session = onnx.InferenceSession("titanic.onnx")
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["features"]) == model.table.features
    assert json.loads(metadata["class_names"]) == ["0", "1"]
    assert json.loads(metadata["target"]) == "Survived"
    encoded = np.array([[0, 0, 1, 0, 1, 5], [1, 0, 0, 1, 0, fill], [0, 0, 1, 0, 1, 60]])
    outputs = session.run(None, {"input": encoded.astype(np.float32)})[0]
    np.testing.assert_allclose(outputs, [[float(r["0"]), float(r["1"])] for r in rows], atol=1e-5)


def test_a_table_of_houses_in_european_form_is_learned(capsys: pytest.CaptureFixture[str]) -> None:
    table = houses()
    german = {
        "": list(range(300)),
        "area": [str(a).replace(".", ",") for a in table["area"]],
        "town": table["town"],
        "price": [
            f"{p:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")
            for p in table["price"]
        ],
    }
    path = write(Path("houses.csv"), german, ";")
    path.write_text(path.read_text(encoding="utf-8"), encoding="utf-16")
    options = ("--target", "price", "--save", "houses.st", "--quiet", "--no-accelerated")
    assert run("train", "houses.csv", *options) == 0
    printed, errors = capsys.readouterr()
    assert "which has no name, was taken for an index" in errors
    assert "for the numbers of 'price'" in printed
    assert float(printed.split("r2 ")[1].split()[0]) > 0.95
    write(Path("new.csv"), {"town": ["Köln", "Rom"], "area": [100, 100]})
    assert run("predict", "houses.st", "new.csv") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["sample", "price"]
    prices = [float(line.split()[1]) for line in lines[1:]]
    assert prices == pytest.approx([350_000, 300_000], rel=0.1)
    assert run("summary", "houses.st") == 0
    assert "columns      area, town" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target", "Fare"], "--target: there is no column 'Fare', only 'PassengerId', 'Surv"),
        (
            ["--target", "Sex"],
            "column 'Name' has 300 different texts, .* leave it out with --drop",
        ),
        (
            ["--target", "Sex", "--drop", "Name"],
            "row .*, column 'Age' is missing: fill such",
        ),
        (["--target", "Age"], "row .*, column 'Age' is missing: it is the target"),
        (["--target", "Name"], "the target 'Name' has 300 different texts"),
        (["--target", "Sex", "--drop", "Sex"], "--drop: 'Sex' is the target"),
        (["--target", "Sex", "--drop", "Nme"], "--drop: there is no column 'Nme'"),
        (["--target", "PassengerId", "--balanced"], "--balanced is for classes, but 'PassengerId'"),
        (
            ["--target", "Sex", "--regression"],
            "--regression: row 1, column 'Sex' has '(fe)?male'",
        ),
        (
            ["--target", "Pclass", "--regression", "--categorical", "Pclass"],
            "--regression: 'Pclass' is --categorical too",
        ),
        (["--target", "Sex", "--validation", "0"], "--validation must be greater than 0"),
    ],
)
def test_what_cannot_be_learned_is_said_in_one_line(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(Path("titanic.csv"), passengers())
    assert run("train", "titanic.csv", *options) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert re.search(message, error), error
    assert not Path("training.png").exists()


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([*range(99), "4o"], "row 100, column 'x' has '4o', which is no number: mend it"),
        ([0, 1, 2, 3, "x"] + [0, 1, 2, 3, 4] * 19, "row 5, column 'x' has 'x', which is no number"),
        (["1,000", "2,013"] * 50, "column 'x' has '1,000', which is no number .and 99 more.: mend"),
        (["1_100"] + [7] * 99, "row 1, column 'x' has '1_100', which is no number: mend it"),
        (["1.5", "inf"] + ["#N/A"] * 18 + [7] * 80, "row 2, column 'x' has 'inf', which is no"),
    ],
)
def test_a_text_among_numbers_is_named(
    column: list[Any], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(Path("data.csv"), {"x": column, "y": [i / 3 for i in range(100)]})
    assert run("train", "data.csv", "--target", "y") == 1
    assert re.search(message, capsys.readouterr().err)
    assert run("train", "data.csv", "--target", "x") == 1
    expected = "it is the target" if "#N/A" in column else message
    assert re.search(expected, capsys.readouterr().err)


def test_new_rows_that_do_not_fit_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    write(Path("titanic.csv"), passengers())
    assert run(*TITANIC, "--epochs", "1") == 0
    for columns, message in (
        (
            {"Sex": ["male"], "Age": [3]},
            "it has no column 'Pclass'; the model takes 'Pclass'",
        ),
        (
            {"Sex": ["x"], "Age": [3], "Pclass": [1]},
            "row 1, column 'Sex' has 'x', which is none",
        ),
        (
            {"Sex": ["male"], "Age": ["old"], "Pclass": [1]},
            "column 'Age' has 'old', which is no",
        ),
    ):
        write(Path("new.csv"), columns)
        assert run("predict", "titanic.st", "new.csv") == 1
        assert message in capsys.readouterr().err


def test_arrays_are_tables_too(capsys: pytest.CaptureFixture[str]) -> None:
    X = random.normal(size=(200, 3))
    np.save("data.npy", np.column_stack([X, X @ [1, 2, 3]]))
    options = ("--target", "4", "--save", "model.st", "--quiet", "--no-accelerated")
    assert run("train", "data.npy", *options) == 0
    np.save("new.npy", [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    capsys.readouterr()
    assert run("predict", "model.st", "new.npy") == 0
    values = [float(line.split()[1]) for line in capsys.readouterr().out.splitlines()[1:]]
    assert values == pytest.approx([6, 0], abs=1)


def test_an_array_and_the_text_of_the_same_table_are_alike(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rank = random.integers(1, 4, 90)
    whole = np.column_stack([rank, rank > 1])
    fields = [("1", "i4"), ("2", "?"), ("3", "S2"), ("4", "f4")]
    np.save("fields.npy", np.array([(1, True, "ä".encode(), 2), (2, False, b"b", np.nan)], fields))
    assert read_columns(Path("fields.npy")).cells == {
        "1": ["1", "2"],
        "2": ["True", "False"],
        "3": ["ä", "b"],
        "4": ["2", ""],
    }
    np.save("whole.npy", whole)
    np.save("float.npy", whole.astype(float))
    np.savetxt("whole.csv", whole, "%d", ",")
    options = ("--target", "2", "--categorical", "1", "--quiet", "--epochs", "1")
    printed = set()
    for name in ("whole.npy", "float.npy", "whole.csv"):
        assert run("train", name, *options, "--save", "m.st", "--no-accelerated") == 0
        model = Model.load("m.st")
        assert model.class_names == ["0", "1"] and model.table.features == ["1=1", "1=2", "1=3"]
        for other in ("whole.npy", "float.npy", "whole.csv"):
            capsys.readouterr()
            assert run("predict", "m.st", other) == 0
            printed.add(capsys.readouterr().out)
    assert len(printed) == 1


def figures(printed: str) -> dict[str, float]:
    found = re.findall(r"^(accuracy|r2|rmse|mae) +(\S+)$", printed, re.MULTILINE)
    return {name: float(value) for name, value in found}


@pytest.mark.parametrize(
    ("factor", "offset", "feature_offset"),
    [(10, 1.7e9, 0), (1e-9, 0, 0), (1e-42, 0, 0), (1e40, 0, 0), (1, 0, 1.7e9)],
)
def test_numbers_of_any_size_are_learned(
    factor: float, offset: float, feature_offset: float, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 300))
    y = offset + factor * (3 * a - b)
    x = a + feature_offset
    rows = {"a": x.tolist(), "b": b.tolist(), "y": y.tolist()}
    write(Path("data.csv"), rows)
    options = ("--target", "y", "--save", "m.st", "--quiet", "--no-accelerated", "--epochs", "60")
    assert run("train", "data.csv", *options) == 0
    found = figures(capsys.readouterr().out)
    model = Model.load("m.st")
    predicted = model.predict(model.table.encode({k: list(map(str, v)) for k, v in rows.items()}))
    validated = np.sort(np.random.default_rng(0).permutation(300)[:60])
    errors = (predicted[:, 0] - y)[validated].astype(float)
    spread = np.std(y[validated])
    rmse = spread * np.sqrt(np.mean((errors / spread) ** 2))
    assert found["rmse"] == pytest.approx(rmse, rel=1e-3, abs=0)
    assert found["mae"] == pytest.approx(np.abs(errors).mean(), rel=1e-3, abs=0)
    assert found["r2"] == pytest.approx(1 - (rmse / spread) ** 2, abs=1e-3)
    assert found["r2"] > 0.98


def test_large_numbers_are_printed_with_the_digits_that_differ(
    capsys: pytest.CaptureFixture[str],
) -> None:
    y = [1.7e9 + i % 50 for i in range(200)]
    write(Path("data.csv"), {"a": [i % 50 for i in range(200)], "y": y})
    options = ("--target", "y", "--save", "m.st", "--quiet", "--no-accelerated")
    assert run("train", "data.csv", *options) == 0
    capsys.readouterr()
    assert run("predict", "m.st", "data.csv") == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [float(line.split()[1]) for line in lines] == pytest.approx(y, rel=0, abs=5)


def test_a_network_that_learned_nothing_is_reported_so(capsys: pytest.CaptureFixture[str]) -> None:
    y = 1.7e9 + 10 * random.normal(size=200)
    write(Path("data.csv"), {"a": random.normal(size=200).tolist(), "y": y.tolist()})
    options = ("--target", "y", "--quiet", "--no-accelerated", "--epochs", "1")
    assert run("train", "data.csv", *options) == 0
    found = figures(capsys.readouterr().out)
    assert found["r2"] < 0.3 and 5 < found["rmse"] < 20


def test_columns_are_named_by_their_kind_and_the_target_can_be_forced(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(Path("titanic.csv"), passengers())
    options = ("titanic.csv", "--drop", "Name", "Age", "--quiet", "--epochs", "1")
    assert run("train", *options, "--target", "Pclass", "--no-accelerated") == 0
    printed = capsys.readouterr().out
    assert "numbers    'PassengerId', 'Survived' (--categorical if they are cat" in printed
    assert "categories 'Sex' (2) (they have texts that are no numbers" in printed
    assert "for the 3 classes of 'Pclass' (--regression if they are numbers)" in printed
    assert "accuracy" in figures(printed)
    assert run("train", *options, "--target", "Pclass", "--no-accelerated", "--regression") == 0
    printed = capsys.readouterr().out
    assert "for the numbers of 'Pclass'\n" in printed and "rmse" in figures(printed)
    columns = passengers() | {"Group": [f"group {i % 60}" for i in range(300)]}
    write(Path("titanic.csv"), columns)
    target = ("--target", "Group", "--classification", "--no-accelerated")
    assert run("train", *options, *target) == 0
    assert "for the 60 classes of 'Group'" in capsys.readouterr().out
    assert run("train", *options, "--target", "PassengerId", "--classification") == 1
    assert "no class has two samples" in capsys.readouterr().err


@pytest.mark.filterwarnings("error")
def test_a_column_of_one_value_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    table = {"a": [1] * 60, "town": ["Rom"] * 60, "b": [*range(60)], "y": [*range(60)]}
    write(Path("data.csv"), table)
    options = ("--target", "y", "--quiet", "--epochs", "1", "--no-accelerated")
    assert run("train", "data.csv", *options) == 0
    error = capsys.readouterr().err
    assert error == "the same value in all rows to train on, so of no use: 'a', 'town=Rom'\n"


def test_each_class_gives_its_share_of_the_rows_to_validate_on() -> None:
    options = Namespace(validation=0.2, seed=3)
    rare = np.repeat([0, 1], [90, 10])
    split = _split(rare, options)
    assert np.bincount(rare[split.validate]).tolist() == [18, 2]
    assert np.union1d(*split).tolist() == list(range(100))
    assert len(_split(np.zeros((100, 1)), options).validate) == 20
    for rows, message in (
        (5, "--validation 0.2 of 5 rows leaves 1 to validate on: there must be two"),
        (1, "the table has too few rows, 1: there must be two to train on"),
    ):
        with pytest.raises(ValueError, match=message):
            _split(np.zeros((rows, 1)), options)


def test_separators_headings_and_commas_are_found_out(tmp_path: Path) -> None:
    for text, expected in (
        ("a,b\n1.5,x\n2,y\n", {"a": ["1.5", "2"], "b": ["x", "y"]}),
        ("a;b\n1,5;x\n2;y\n", {"a": ["1.5", "2"], "b": ["x", "y"]}),
        ("a;b\n1.234,5;x,y\n,5;?\n", {"a": ["1234.5", ".5"], "b": ["x,y", "?"]}),
        ("a\tb\n1.5\tx,y\n", {"a": ["1.5"], "b": ["x,y"]}),
        ('a,b\n"1","x;y"\n', {"a": ["1"], "b": ["x;y"]}),
        ("1,2\n3,4\n", {"1": ["1", "3"], "2": ["2", "4"]}),
        (",b,c\n0,1,x\n1,2,y\n", {"b": ["1", "2"], "c": ["x", "y"]}),
        ("b,c,\n1,x,\n2,y,\n", {"b": ["1", "2"], "c": ["x", "y"]}),
        ("1;2;\n3;4;\n", {"1": ["1", "3"], "2": ["2", "4"]}),
        ("sep=;\na;b\n1,x;2\n", {"a": ["1,x"], "b": ["2"]}),
    ):
        (tmp_path / "table.csv").write_text(text)
        found = read_columns(tmp_path / "table.csv").cells
        assert found == expected, text
    for text, message in (
        ("", "it has no rows"),
        ("a,b\n", "it has no rows below its heading"),
        ("a,b\n1,2\n3\n", "line 3 has 1 values, others have 2"),
        ("sep=,\na,b\n1,2\n3\n", "line 4 has 1 values, others have 2"),
        ("a,b\n1,2\n3,\0\n", "line 3 has a NUL byte"),
        ("a,a\n1,2\n", "it has two columns of the name 'a'"),
        ("a,,b\n1,2,3\n", "column 2 has no name"),
    ):
        (tmp_path / "table.csv").write_text(text)
        with pytest.raises(FileError, match=message):
            read_columns(tmp_path / "table.csv", ",")


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table["columns"].append({"name": "x", "categories": None, "fill": None}),
        lambda table: table["columns"].append(3),
        lambda table: table.update(target=3),
        lambda table: table["columns"][0].update(name=3),
        lambda table: table["columns"][0].update(fill="much"),
        lambda table: table.pop("columns"),
    ],
)
def test_a_table_in_a_file_that_does_not_fit_is_refused(change: Any) -> None:
    write(Path("houses.csv"), houses(60))
    options = ("--target", "price", "--save", "m.st", "--quiet", "--epochs", "1")
    assert run("train", "houses.csv", *options, "--no-accelerated") == 0
    contents, arrays = file_format.read("m.st")
    change(contents["model"]["table"])
    Path("m.st").write_bytes(file_format.encode(contents, arrays))
    with pytest.raises(SavedFileError):
        Model.load("m.st")


def test_features_are_zero_and_one_for_categories() -> None:
    table = TableColumns([Column("a"), Column("b", ["x", "y"], "x")], "c")
    encoded = table.encode({"b": ["y", "?"], "a": ["1", "2.5"], "z": ["", ""]})
    np.testing.assert_array_equal(encoded, [[1, 0, 1], [2.5, 1, 0]])
    assert TableColumns.from_json(json.loads(json.dumps(table.to_json()))) == table
    numbers = TableColumns([Column("a", ["007", "1", "2.0", "3", "3.0"])])
    encoded = numbers.encode({"a": ["1.0", "1", "2", "3", "3.0", "007"]})
    assert encoded.argmax(axis=1).tolist() == [1, 1, 2, 3, 4, 0]
    with pytest.raises(ValueError, match="row 1, column 'a' has '7', which is none of its cat"):
        numbers.encode({"a": ["7"]})
    with pytest.raises(ValueError, match="row 2, column 'a' is missing"):
        table.encode({"a": ["1", "NaN"], "b": ["x", "x"]})

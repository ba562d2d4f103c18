"""Files made to do harm are refused: they run nothing and take no memory."""

import copy
import os
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework import Model, ReLU, SavedFileError
from framework.saving import file_format
from tests.framework.saving.helpers import (
    HUGE,
    STRANGE,
    Gain,
    Narrowing,
    attempt,
    classifier,
    finalized,
    places,
)
from tests.strategies import Array, generator


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    model = classifier()
    model.save(tmp_path / "whole", class_names=["a", "b", "c"])
    return (tmp_path / "whole").read_bytes()


def rewritten(path: Path, change: Callable[[dict[str, Any], dict[str, Array]], None]) -> None:
    """Change the content of a file, and give it the right checksum again."""
    contents, arrays = file_format.read(path)
    change(contents, arrays)
    path.write_bytes(file_format.encode(contents, arrays))


def operation(number: int, **changes: Any) -> Callable[[Any, Any], None]:
    def change(contents: Any, arrays: Any) -> None:
        contents["model"]["operations"][number]["arguments"].update(changes)

    return change


def named(number: int, name: str, **arguments: Any) -> Callable[[Any, Any], None]:
    def change(contents: Any, arrays: Any) -> None:
        new = {"class": name, "arguments": arguments}
        contents["model"]["operations"][number] = new

    return change


def part(name: str, value: Any) -> Callable[[Any, Any], None]:
    return lambda contents, arrays: contents["model"].update({name: value})


def tensor(name: str, values: Any) -> Callable[[Any, Any], None]:
    return lambda contents, arrays: arrays.update({name: np.asarray(values)})


BILLION = {"class": "framework.initializers.constant", "arguments": {"value": 10**4000}}
DENSE = {"class": "framework.Dense", "arguments": {"n_inputs": 4, "n_neurons": 3}}


def containing(*operations: Any) -> Callable[[Any, Any], None]:
    return named(4, "framework.Sequential", operations=list(operations), dtype=None)


HOSTILE: list[tuple[Callable[[Any, Any], None], str]] = [
    (lambda d, a: d.update(version=2), "version 2 of the format, and this release .* version 1"),
    (lambda d, a: d.update(version="1"), "no version"),
    (lambda d, a: d.update(model=None), "must have these keys and no others: dtype, operations"),
    (part("operations", 5), r"content is not valid \(TypeError: 'int' object is not iterable\)"),
    (lambda d, a: d["model"]["operations"][0].pop("class"), "is no serialized object"),
    (lambda d, a: d["model"].pop("dtype"), "must have these keys and no others: dtype, operations"),
    (
        lambda d, a: d["model"].update(code="import os"),
        "must have these keys and no others: dtype, operations",
    ),
    (operation(0, n_neurons=10**12), r"needs weights of shape \(2, 1000000000000\); there is \(2"),
    (operation(0, n_inputs=10**6, n_neurons=10**6), "operation 1, Dense, needs weights"),
    (operation(1, n_features=10**12), "operation 2, BatchNormalization, needs weights of shape"),
    (operation(0, n_inputs="2"), r"needs weights of shape \('2', 4\)"),
    (operation(0, n_inputs=2.0), "n_inputs must be a whole number"),
    (operation(0, n_inputs=None), "needs weights of shape"),
    (operation(0, self=1), "multiple values for argument 'self'"),
    (operation(0, dtype="float16"), "dtype must be"),
    (operation(0, weight_initializer=HUGE), "'framework.Dense' is not the name of a class that"),
    (operation(0, weight_initializer=BILLION), "too large|OverflowError|digits"),
    (operation(0, weight_initializer={"function": "eval"}), "'eval', which is not part of dinputs"),
    (operation(0, weight_initializer={"array": "layers.0.weights"}), "must be the name of an"),
    (operation(0, weight_initializer={"array": "nothing"}), "there is no tensor 'nothing'"),
    (operation(0, weight_initializer={"module": "os"}), "is no serialized value"),
    (
        operation(0, weight_initializer={"class": "framework.initializers.normal"}),
        "is no serialized object",
    ),
    (named(2, "os.system", command="touch pwned"), "'os.system' is not the name of a class"),
    (named(2, "subprocess.Popen", args=["touch", "pwned"]), "is not the name of a class"),
    (
        named(2, "framework.errors.SavedFileError"),
        "is not the name of a class that can stand",
    ),
    (named(2, "framework.Model"), "'framework.Model' is not the name of a class that can stand"),
    (named(2, "framework.np"), "'framework.np' is not the name of a class"),
    (named(2, "optimizers.Adam"), "'optimizers.Adam' is not the name of a class that can stand"),
    (named(2, "framework.initializers.normal"), "is not the name of a class that can stand there"),
    (named(2, "framework.nnfs_book."), "."),
    (named(2, "framework"), "it has 'framework', which is not part of dinputs"),
    (named(2, ""), "it has '', which is not part of dinputs"),
    (
        named(2, "eval"),
        "it has 'eval', which is not part of dinputs: pass that class .* in custom_oper",
    ),
    (named(2, "Operation"), "it has 'Operation', which is not part of dinputs"),
    (named(2, "Gain", n_features=10**13), r"Gain, needs weights of shape \(1, 10000000000000\)"),
    (named(5, "Narrowing", n_inputs=3), "it has no layers.5.biases, layers.5.weights, which the"),
    (named(2, "Narrowing", n_inputs=-4), "n_inputs must be at least 1"),
    (named(0, "framework.ReLU"), "it has layers.0.biases, layers.0.weights, which the model has n"),
    (part("operations", []), "the model has no operations"),
    (part("operations", None), "."),
    (part("operations", [[]]), "is no serialized object"),
    (part("operations", [{"class": 1, "arguments": {}}]), "is no serialized object"),
    (part("loss", HUGE), "'framework.Dense' is not the name of a class that can stand there"),
    (part("loss", {"class": "Gain", "arguments": {"n_features": [1]}}), "."),
    (
        part("optimizer", {"class": "optimizers.Adam", "arguments": {"learning_rate": -1}}),
        "greater",
    ),
    (part("accuracy", {"class": "framework.ReLU", "arguments": {}}), "is not the name of a class"),
    (part("learned_by_accuracy", {"predictions": 1}), "needs the numbers"),
    (part("dtype", "object"), "dtype must be"),
    (part("dtype", "float64"), "is float32 of shape .* in it, and float64"),
    (part("class_names", "abc"), "class_names must be"),
    (part("class_names", ["one"]), "class_names must be 3 names"),
    (part("class_names", 5), "."),
    (part("metrics", ["framework.metrics.f1"]), "."),
    (part("metrics", {"f1": "framework.metrics.f1"}), "the metric 'f1' must be a function"),
    (part("metrics", {"f1": {"function": "framework.metrics.read"}}), "is not part of dinputs"),
    (part("metrics", {"f1": {"function": "os.system"}}), "it has 'os.system', which is not part"),
    (part("metrics", {"f1": HUGE}), "'framework.Dense' is not the name of a class"),
    (
        part("metrics", {"plot": {"function": "framework.metrics.f1"}}),
        "a metric cannot be called 'plot'",
    ),
    (
        part(
            "metrics",
            {
                "f1": {
                    "partial": {"function": "framework.metrics.f1"},
                    "arguments": {"dict": {"shell": True}},
                }
            },
        ),
        "unexpected keyword argument 'shell'",
    ),
    (part("input_shape", [10**12]), "expects inputs of shape"),
    (part("input_shape", "2"), "each number of input_shape"),
    (lambda d, a: a.pop("layers.4.biases"), r"needs biases of shape \(1, 3\); there is none"),
    (containing(HUGE), r"operation 5 contains Dense, which needs weights of shape \(1000000, 1000"),
    (containing(DENSE), r"contains Dense, which needs weights of shape \(4, 3\); there is none"),
    (
        containing({"class": "framework.initializers.zeros", "arguments": {}}),
        "forward and backward",
    ),
    (containing({"class": "framework.Huber", "arguments": {}}), "not the name of a class that can"),
    (containing(5), "an operation needs forward and backward methods, received 5"),
    (operation(0, n_neurons=DENSE), "'framework.Dense' is not the name of a class that can stand"),
    (tensor("layers.9.weights", [1.0]), "it has layers.9.weights, which the model has not"),
    (tensor("more", [1.0]), "nothing in it needs the tensor 'more'"),
    (tensor("layers.0.weights", np.ones((4, 2))), r"needs weights of shape \(2, 4\); there is \(4"),
    (tensor("layers.0.weights", np.ones((2, 4))), "layers.0.weights is float64 of shape"),
    (tensor("layers.0.weights", np.ones((2, 4), dtype=np.int8)), "layers.0.weights is int8"),
]


@pytest.mark.parametrize(("change", "message"), HOSTILE)
def test_a_hostile_file_is_refused_and_takes_no_memory_and_runs_no_code(
    change: Callable[[Any, Any], None],
    message: str,
    content: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "whole"
    rewritten(path, change)
    tracemalloc.start()
    try:
        with pytest.raises(SavedFileError, match=message):
            Model.load(path, custom_operations=[Gain, Narrowing])
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert os.listdir(tmp_path) == ["whole"]


def test_each_array_in_a_container_serves_one_operation(content: bytes, tmp_path: Path) -> None:
    def shared_by_two(contents: Any, arrays: Any) -> None:
        containing(DENSE, DENSE)(contents, arrays)
        for name in ("weights", "biases"):
            arrays[f"layers.4.0.{name}"] = arrays.pop(f"layers.4.{name}")

    rewritten(tmp_path / "whole", shared_by_two)
    with pytest.raises(SavedFileError, match="operation 5 contains Dense, which needs weights"):
        Model.load(tmp_path / "whole")


@settings(max_examples=25)
@given(data=st.data())
def test_scrambled_json_gives_one_type_of_error_or_another_model(
    data: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "scrambled"
    classifier().save(path)
    contents, arrays = file_format.read(path)
    random = generator(data.draw)
    for _ in range(15):
        scrambled = copy.deepcopy(contents)
        for _ in range(random.integers(1, 4)):
            found = places(scrambled)
            container, key = found[random.integers(len(found))]
            if random.random() < 0.2:
                del container[key]
            else:
                container[key] = copy.deepcopy(STRANGE[random.integers(len(STRANGE))])
        attempt(file_format.encode(scrambled, arrays), path)


def calls_while_loading(operations: int, path: Path) -> int:
    """The number of functions that are called, Python's own among them."""
    finalized(*[ReLU() for _ in range(operations)]).save(path)
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        Model.load(path)
    finally:
        sys.setprofile(before)
    return calls


def test_loading_takes_steps_in_proportion_to_the_operations(tmp_path: Path) -> None:
    few, many, most = (calls_while_loading(n, tmp_path / "a") for n in (100, 200, 400))
    assert most - many == pytest.approx(2 * (many - few), rel=0.1)

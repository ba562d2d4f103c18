"""The option ``--accelerated`` of the commands that train."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from framework import CategoricalCrossentropy, Dense, Model, Softmax, Step
from framework.__main__ import main
from framework.commands import options
from framework.commands.options import finalize
from optimizers import SGD


def model_of(*hidden: Any) -> Model:
    model = Model([Dense(2, 4), *hidden, Dense(4, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD(0.1))
    return model


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Model]:
    """The models that commands have trained."""
    models: list[Model] = []
    train = Model.train

    def keep(self: Model, *arguments: Any, **settings: Any) -> Any:
        models.append(self)
        return train(self, *arguments, **settings)

    monkeypatch.setattr(Model, "train", keep)
    return models


@pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
@pytest.mark.parametrize(
    ("option", "compiled"), [([], True), (["--accelerated"], True), (["--no-accelerated"], False)]
)
def test_where_numba_is_installed_compiled_code_trains_unless_told_otherwise(
    option: list[str], compiled: bool, trained: list[Model], tmp_path: Path
) -> None:
    arguments = ["spiral", "--samples", "20", "--epochs", "2", "--hidden", "4", "--quiet"]
    assert main([*arguments, *option, "--output", str(tmp_path / "a.png")]) == 0
    assert (trained[0].trainer is not None) is compiled


def test_without_numba_nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "find_spec", lambda name: None)
    model = model_of()
    finalize(model, None)
    assert not model.accelerated


@pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
def test_a_part_without_a_kernel_is_told_to_those_who_asked_for_compiled_code() -> None:
    finalize(model_of(Step()), None)  # pytest makes an error of a warning
    with pytest.warns(UserWarning, match="Step"):
        finalize(model_of(Step()), True)

"""When ``ReduceLearningRate`` lowers the rate, and by how much."""

from pathlib import Path
from typing import Any

import pytest

from framework import Checkpoint, ReduceLearningRate
from optimizers import SGD
from optimizers.schedules import CosineDecay
from tests.framework.training.checkpoints import (
    StopAt,
    X,
    X_val,
    ask,
    assert_same,
    ctrl_c,
    run,
    y,
    y_val,
)
from tests.framework.training.checkpoints import classifier as resumable
from tests.framework.training.test_callbacks import Scripted, classifier

NAN = float("nan")


def rates(values: list[float], **options: Any) -> list[float]:
    """The learning rate of each epoch, of a training that begins at 1."""
    history = classifier(1.0).train(
        X,
        y,
        epochs=len(values),
        validation_data=(X_val, y_val),
        callbacks=[Scripted(values), ReduceLearningRate(factor=0.5, patience=2, **options)],
        progress=False,
    )
    return history.learning_rate


def test_the_rate_falls_after_so_many_epochs_without_an_improvement() -> None:
    assert rates([3, 2, 2, 2, 2, 2, 1, 2, 2, 2]) == [1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]


def test_small_gains_may_not_count_and_nan_never_does() -> None:
    assert rates([3, 2.95, 2.92, 2.9], min_delta=0.1) == [1, 1, 1, 0.5]
    assert rates([NAN, NAN, 3, NAN, NAN, 4]) == [1, 1, 0.5, 0.5, 0.5, 0.25]


def test_a_score_should_grow() -> None:
    assert rates([1, 2, 3, 3, 3, 3], mode="max") == [1, 1, 1, 1, 1, 0.5]


def test_epochs_of_the_cooldown_are_not_counted() -> None:
    assert rates([2, 2, 2, 2, 2, 2, 2, 2], cooldown=2) == [1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25]


def test_the_rate_stays_above_its_minimum() -> None:
    assert rates([2] * 8, min_learning_rate=0.3)[-3:] == [0.3, 0.3, 0.3]
    assert rates([2] * 4, min_learning_rate=7) == [1, 1, 1, 1]


@pytest.mark.parametrize("how", [ctrl_c, ask])
@pytest.mark.parametrize("stop", [(2, 2), (5, 4), (6, 1)])
def test_it_is_resumed_with_the_rate(stop: tuple[int, int], how: Any, tmp_path: Path) -> None:
    def reducing() -> ReduceLearningRate:
        return ReduceLearningRate("accuracy", 0.5, patience=1, cooldown=1, min_delta=0.05)

    whole = resumable(SGD(0.3))
    history = run(whole, epochs=9, callbacks=[reducing()])
    assert len(set(history.learning_rate)) > 2
    path = tmp_path / "run"
    stopping = [reducing(), StopAt(*stop, how), Checkpoint(path)]
    if how is ctrl_c:
        with pytest.warns(UserWarning, match="training was interrupted"):
            run(resumable(SGD(0.3)), epochs=9, callbacks=stopping)
    else:
        run(resumable(SGD(0.3)), epochs=9, callbacks=stopping)
    model = resumable(SGD(0.3))
    resumed = run(model, epochs=9, callbacks=[reducing(), Checkpoint(path)], resume_from=path)
    assert_same(model, resumed, whole, history)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factor": 1}, "factor must be greater than 0 and less than 1, received 1"),
        ({"factor": 0.0}, "factor must be greater than 0 and less than 1"),
        ({"patience": 0}, "patience must be at least 1"),
        ({"min_delta": -1}, "min_delta must be 0"),
        ({"cooldown": -1}, "cooldown must be at least 0"),
        ({"min_learning_rate": -1}, "min_learning_rate must be 0"),
        ({"mode": "auto"}, "mode must be 'min', 'max' or None"),
    ],
)
def test_arguments_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ReduceLearningRate(**options)


def test_what_it_cannot_do_is_refused_before_the_first_epoch() -> None:
    model = classifier()
    with pytest.raises(ValueError, match="ReduceLearningRate cannot monitor 'val_loss'"):
        model.train(X, y, callbacks=[ReduceLearningRate()], progress=False)
    model.set(optimizer=SGD(CosineDecay(0.1, 10)))
    with pytest.raises(TypeError, match=r"learning_rate is a number, received SGD\(learning_rate="):
        model.train(X, y, callbacks=[ReduceLearningRate("loss")], progress=False)

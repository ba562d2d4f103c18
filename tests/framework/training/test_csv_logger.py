"""The file that ``CSVLogger`` writes."""

from pathlib import Path

import pytest

from framework import Callback, Checkpoint, CSVLogger, Training
from tests.framework.training.checkpoints import Killed, StopAt, classifier, kill, run


def test_the_file_has_the_history_after_each_epoch(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"

    class Reader(Callback):
        def on_epoch_end(self, training: Training) -> None:
            assert path.read_text() == training.history.to_csv()

    logger = CSVLogger(path)
    history = run(classifier(), epochs=4, callbacks=[logger, Reader()])
    assert path.read_text() == history.to_csv()
    assert "val_f1" in history.to_csv()
    again = run(classifier(), epochs=2, callbacks=[logger])
    assert path.read_text() == again.to_csv()


@pytest.mark.parametrize("where", [(1, 2), (3, 1), (4, 2)])
def test_a_resumed_training_goes_on_with_the_file(where: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    checkpoint = Checkpoint(tmp_path / "run", every=2)
    with pytest.raises(Killed):
        run(classifier(), callbacks=[CSVLogger(path), StopAt(*where, kill), checkpoint])
    assert path.exists() == (where[0] > 1)
    for _ in range(2):  # the second time, there is nothing left to do
        history = run(
            classifier(),
            callbacks=[CSVLogger(path), Checkpoint(tmp_path / "run")],
            resume_from=tmp_path / "run",
        )
        assert len(history) == 6
        assert path.read_text() == history.to_csv()
        path.unlink()


def test_a_folder_that_is_missing_is_named_before_the_first_epoch(tmp_path: Path) -> None:
    model = classifier()
    with pytest.raises(FileNotFoundError, match="does not exist: make it first"):
        run(model, callbacks=[CSVLogger(tmp_path / "missing" / "log.csv")])
    assert model.optimizer.iterations == 0

"""A session: what a window of the playground does, without a page."""

from typing import Any

import numpy as np
import pytest

from framework import Dense, MeanSquaredError, Model
from framework.playground.experiment import Given, given_points
from framework.playground.point_files import read_points
from framework.playground.script import figures
from framework.playground.session import Session
from framework.playground.settings import (
    DataSettings,
    LayerSettings,
    NetworkSettings,
    Settings,
    TrainingSettings,
)
from framework.playground.timeline import MOST_MOMENTS
from framework.playground.worker import Worker
from optimizers import SGD

SMALL = Settings(DataSettings(samples=30), NetworkSettings(layers=(LayerSettings(6, dropout=0.1),)))


def trained(session: Session, epochs: int) -> Session:
    for _ in range(epochs):
        session.one_epoch()
    return session


def weights(session: Session) -> np.ndarray:
    model = session.experiment.model
    assert model is not None
    return model.parameters.weights.copy()


def run(session: Session) -> Any:
    assert session.experiment.run is not None
    return session.experiment.run


def timeline(session: Session) -> Any:
    assert session.experiment.timeline is not None
    return session.experiment.timeline


def test_slices_of_any_length_come_to_the_same_numbers() -> None:
    whole, batches, slices = Session(SMALL), Session(SMALL), Session(SMALL)
    trained(whole, 12)
    while run(batches).epoch < 12:
        batches.one_batch()
    slices.speed = "1 batch"
    slices.play()
    while run(slices).epoch < 12:
        slices.slice(0.001)
    for other in (batches, slices):
        assert run(other).history.loss == run(whole).history.loss
        np.testing.assert_array_equal(weights(other), weights(whole))


def test_a_long_epoch_is_played_to_its_end_and_each_request_is_one_more() -> None:
    session, whole = Session(SMALL), trained(Session(SMALL), 3)
    for _ in range(3):
        session.one_epoch(seconds=0)
    assert session.playing and run(session).epoch == 0
    while session.playing:
        session.slice(0.001)
    assert run(session).epoch == 3 and run(session).history.loss == run(whole).history.loss


def test_going_back_and_on_again_gives_the_same_numbers() -> None:
    session = trained(Session(SMALL), 50)
    at_50 = weights(session)
    trained(session, 20)
    at_70, losses = weights(session), list(run(session).history.loss)
    session.go_to(50)
    np.testing.assert_array_equal(weights(session), at_50)
    assert len(timeline(session).curves["loss"]) == 70
    trained(session, 20)
    np.testing.assert_array_equal(weights(session), at_70)
    assert run(session).history.loss == losses


def test_it_goes_on_from_the_middle_of_an_epoch() -> None:
    session = trained(Session(SMALL), 3)
    session.one_batch()
    session.go_to(0)
    session.go_to(4)
    assert (run(session).epoch, run(session).batch) == (3, 1)
    trained(session, 2)
    assert run(session).history.loss == run(trained(Session(SMALL), 5)).history.loss


def test_what_is_left_stays_as_a_curve() -> None:
    session = trained(Session(SMALL), 10)
    losses = list(run(session).history.loss)
    session.go_to(4)
    session.change_training(learning_rate=0.5)
    session.one_epoch()
    (branch,) = timeline(session).branches
    assert branch.start == 4 and list(branch.curves["loss"]) == losses
    assert run(session).history.loss[:4] == losses[:4] != losses[4:]
    session.change_layer(0, activation="tanh")
    assert len(timeline(session).branches) == 2


def test_moments_are_thinned_out_evenly() -> None:
    session = trained(Session(SMALL), 2 * MOST_MOMENTS + 5)
    epochs = [moment.epoch for moment in timeline(session).moments]
    assert len(epochs) <= MOST_MOMENTS + 1 and epochs[0] == 0
    assert set(np.diff(epochs[:-1]).tolist()) == {4}
    session.restart()
    trained(session, 3)
    assert [moment.epoch for moment in timeline(session).moments] == [0, 1, 2, 3]


def test_a_learning_rate_counts_from_the_next_epoch_and_goes_back_as_well() -> None:
    session = trained(Session(SMALL), 4)
    session.change_training(learning_rate=0.5)
    trained(session, 2)
    assert run(session).history.learning_rate == [0.02] * 4 + [0.5] * 2
    session.go_to(2)
    assert session.settings.training.learning_rate == 0.02
    session.one_batch()
    session.change_training(learning_rate=0.25)
    trained(session, 2)
    assert run(session).history.learning_rate == [0.02] * 3 + [0.25]


def test_a_training_that_diverges_stops_with_a_sentence_and_can_go_back() -> None:
    session = Session(
        Settings(
            DataSettings("plane"),
            NetworkSettings(layers=(LayerSettings(8, "linear"),)),
            TrainingSettings("sgd", 0.01),
        )
    )
    trained(session, 2)
    session.change_training(learning_rate=1e30)
    session.play()
    session.slice()
    assert not session.playing and "the loss became" in session.message
    assert run(session).epoch == 2 and np.isfinite(weights(session)).all()
    session.go_to(1)
    session.change_training(learning_rate=0.01)
    session.one_epoch()
    assert not session.message


def test_it_begins_again_from_the_same_start_or_from_a_new_one() -> None:
    session = Session(SMALL)
    start = weights(session)
    trained(session, 3)
    session.restart()
    np.testing.assert_array_equal(weights(session), start)
    assert run(session).epoch == 0
    session.restart(new=True)
    assert (weights(session) != start).any()


def test_layers_are_added_moved_changed_and_removed() -> None:
    session = Session()
    session.add_layer(2)
    session.change_layer(0, neurons=3, activation="gelu", batch_normalization=True)
    session.move_layer(0, 1)
    assert [layer.neurons for layer in session.settings.network.layers] == [8, 3, 8]
    session.remove_layer(2)
    session.toggle_feature("sin y")
    names = [type(layer).__name__ for layer in session.experiment.model.layers]  # type: ignore[union-attr]
    assert names == ["Dense", "ReLU", "Dense", "BatchNormalization", "GELU", "Dense", "Softmax"]
    assert session.experiment.features == ("x", "y", "sin y")


def test_points_are_drawn_and_erased_where_the_pointer_is() -> None:
    session = Session(SMALL)
    plane = session.plane
    places = [(0.0, 1.0), (0.25, 0.5)]
    session.draw(places, 3)
    own = session.own
    assert own is not None and len(own) == 92 and own.class_names == ("0", "1", "2", "3")
    assert session.plane is plane
    np.testing.assert_allclose(plane.places(own)[-2:], places, atol=1e-9)
    np.testing.assert_allclose(own.X[-2], [plane.low[0], plane.high[1]])
    session.erase([(0.0, 1.0)])
    assert len(session.own or ()) == 91
    session.clear()
    assert session.own is not None and session.own.class_names == ("0", "1", "2", "3")
    with pytest.raises(ValueError, match="draw some"):
        session.play()
    session.draw([(0.5, 0.5)], 0)
    session.draw([(0.75, 0.5)], 1)
    assert run(trained(session, 1)).epoch == 1
    session.change_data(source="moons")
    assert session.plane is not plane
    session.change_data(source="own")
    assert len(session.own or ()) == 2
    session.change_data(source="spiral", classes=5)
    session.clear()
    assert session.own is not None and session.own.class_names == ("0", "1")


def test_of_one_column_the_height_is_the_value_and_erasing_takes_what_is_seen() -> None:
    session = Session(SMALL)
    session.change_data(source="sine")
    plane, count = session.plane, len(session.experiment.split.train)
    session.draw([(0.5, 0.25)], 99.0)
    own = session.own
    assert own is not None
    np.testing.assert_allclose([own.X[-1, 0], own.y[-1, 0]], plane.at(np.array([0.5, 0.25])))
    session.erase([(0.5, 0.25)], 1e-6)
    assert session.own is not None and len(session.own) == len(own) - 1 >= count
    session.use_points(
        read_points(b"\n".join(b"%d,%d" % (i % 4, i % 2) for i in range(30)), "class")
    )
    split = session.experiment.split
    places = session.plane.places(split.train.and_points(split.test))
    session.erase([tuple(places[25])], 1e-6)  # one to test on
    left = session.experiment.split
    assert len(left.train) + len(left.test) == 29
    assert left.train.y.sum() + left.test.y.sum() == 15 - split.test.y[25 - len(split.train)]


def test_points_that_it_begins_with_are_ones_own() -> None:
    session = Session(own=read_points(b"1,2,a\n2,1,b\n"))
    assert session.settings.data.source == "own"
    session.change_data(source="moons")
    session.change_data(source="own")
    assert len(session.own or ()) == 2


def test_large_columns_are_scaled_inside_the_network() -> None:
    session = Session(SMALL)
    rows = "\n".join(f"{1000 + i},{i % 7},{i % 2}" for i in range(40))
    session.use_points(read_points(rows.encode()))
    trained(session, 3)
    layers = session.experiment.model.layers  # type: ignore[union-attr]
    assert type(layers[0]).__name__ == "Normalization"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.change_layer(0, neurons=500_000), "3,000,003 parameters is too large: up to"),
        (lambda s: s.change_network(loss="huber"), "does not fit points with classes"),
        (lambda s: s.change_network(loss="binary_crossentropy"), "for 2 classes, these .* 3"),
        (lambda s: s.change_training(learning_rate=-1.0), "greater than 0"),
        (lambda s: s.change_data(source="own"), "no points of your own yet"),
        (lambda s: s.use_points(read_points(b"1,2,a\n2,3,a\n")), "the same class"),
        (lambda s: s.draw([(0.0, 0.0)], 7), "no class 7"),
        (lambda s: s.draw([(0.0, 0.0)] * 3000, 0), "up to 2,000 points"),
    ],
)  # fmt: skip
def test_what_is_not_possible_is_refused_and_changes_nothing(change: Any, message: str) -> None:
    session = trained(Session(SMALL), 2)
    before, state = session.experiment, weights(session)
    with pytest.raises((TypeError, ValueError), match=message):
        change(session)
    assert session.experiment is before
    np.testing.assert_array_equal(weights(session), state)


def test_a_batch_that_takes_too_long_is_refused_with_what_is_possible(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("framework.playground.network.LONGEST_BATCH", 1e-9)
    with pytest.raises(ValueError, match=r"a batch of 32 samples takes about .* a batch of 1, or"):
        Session(SMALL)


def test_a_model_of_ones_own_is_trained_itself() -> None:
    layer = Dense(2, 1)
    model = Model([layer])
    model.set(loss=MeanSquaredError(), optimizer=SGD(0.1))
    model.finalize()
    X = np.random.default_rng(0).normal(size=(40, 2))
    points, y = given_points(model, X, X @ [[1.0], [-2.0]])
    session = Session(given=Given(model, y, points))
    trained(session, 30)
    np.testing.assert_allclose(layer.weights, [[1], [-2]], atol=0.01)
    for change in (lambda: session.add_layer(0), lambda: session.clear()):
        with pytest.raises(ValueError, match="changed in Python"):
            change()
    assert figures(session.experiment).startswith("epoch 30  loss 0.0")  # there is no accuracy
    session.restart()
    assert run(session).epoch == 0


def test_the_worker_trains_all_sessions_and_answers_in_between() -> None:
    worker, sessions = Worker(), [Session(SMALL) for _ in range(4)]
    worker.start()
    try:
        for session in sessions:
            worker.add(session)
            worker.ask(session.play).result(20)
        for session in sessions:
            while worker.ask(lambda session=session: run(session).epoch).result(20) < 3:  # type: ignore[misc]
                pass
        with pytest.raises(ValueError, match="greater than 0"):
            worker.ask(lambda: sessions[0].change_training(learning_rate=0.0)).result(20)
        worker.remove(sessions[0])
    finally:
        worker.stop()

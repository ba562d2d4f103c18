"""Scenarios: ranks that were given something that does not fit."""

from typing import Any

import numpy as np

from framework import (
    BatchNormalization,
    Callback,
    CategoricalCrossentropy,
    Dense,
    EarlyStopping,
    MeanSquaredError,
    Training,
    metrics,
)
from optimizers import SGD, Adam
from tests.framework.training.distributed.jobs.equality import PlainDescent
from tests.framework.training.distributed.jobs.network import X, classifier, message_of, refused, y


def _refused_with(together: Any, *hidden: Any, **parts: Any) -> str:
    """The error of a rank whose model has other parts than that of rank 0."""
    model = classifier(*hidden)
    model.set(**parts)
    return message_of(lambda: model.train(X, y, progress=False, communicator=together))


def another_optimizer_on_one_rank(together: Any) -> str:
    return _refused_with(together, optimizer=Adam(0.01) if together.rank == 1 else SGD(0.1))


def another_learning_rate_on_one_rank(together: Any) -> str:
    return _refused_with(together, optimizer=SGD(0.2 if together.rank == 2 else 0.1))


def an_own_optimizer_on_one_rank(together: Any) -> str:
    return _refused_with(together, optimizer=PlainDescent() if together.rank == 1 else SGD(0.1))


def an_accuracy_on_one_rank_alone(together: Any) -> str:
    model = classifier()
    if together.rank:
        model.accuracy = None
    return message_of(lambda: model.train(X, y, progress=False, communicator=together))


def another_loss_on_one_rank(together: Any) -> str:
    model = classifier()
    model.set(loss=MeanSquaredError() if together.rank == 1 else CategoricalCrossentropy())
    targets = np.eye(3)[y]
    return message_of(lambda: model.train(X, targets, progress=False, communicator=together))


def another_regularizer_on_one_rank(together: Any) -> str:
    penalty = 0.1 * (together.rank == 1)
    return _refused_with(together, Dense(16, 16, weight_regularizer_l2=penalty))


def batch_normalization_synchronized_on_one_rank(together: Any) -> str:
    return _refused_with(together, BatchNormalization(16, synchronized=together.rank == 1))


def other_validation_data_on_one_rank(together: Any) -> str:
    few = slice(30 if together.rank == 1 else 20)
    return refused(together, validation_data=(X[few], y[few]))


def data_of_one_rank_that_are_not_finite(together: Any) -> str:
    spoiled = X.copy()
    spoiled[25] = np.nan  # of 60 samples, the second of three ranks looks at rows 20 to 39
    return refused(together, spoiled)


def an_argument_that_is_wrong_everywhere(together: Any) -> str:
    return refused(together, epochs=0)


def another_metric_on_one_rank(together: Any) -> str:
    metric = metrics.f1 if together.rank else metrics.recall
    return _refused_with(together, metrics={"f1": metric})


def a_metric_that_fails(together: Any) -> str:
    def fails(outputs: Any, targets: Any) -> float:
        raise ValueError(f"{len(outputs)} are too many")

    return _refused_with(together, metrics={"mine": fails})


def other_class_weights_on_one_rank(together: Any) -> str:
    return refused(together, class_weight={0: 2.0 + (together.rank == 1)})


def another_batch_size_on_one_rank(together: Any) -> str:
    return refused(together, batch_size=32 if together.rank == 2 else 16)


def other_data_on_one_rank(together: Any) -> str:
    return refused(together, X + (together.rank == 1))


def a_figure_that_is_not_recorded(together: Any) -> str:
    callbacks = [EarlyStopping("val_loss")] if together.rank == 1 else []
    return refused(together, callbacks=callbacks)


def a_communicator_that_is_none(together: Any) -> str:
    return message_of(lambda: classifier().train(X, y, communicator=3))


class Pretending:
    """Looks like a communicator of a single process."""

    size = 1


def something_like_a_communicator(together: Any) -> str:
    return message_of(lambda: classifier().train(X, y, communicator=Pretending())).partition(",")[0]


def a_null_communicator(together: Any) -> list[str]:
    """A rank that is in no group gets an error, and the others train."""
    from mpi4py import MPI

    def message(communicator: Any) -> str:
        options = {"progress": False, "communicator": communicator}
        return message_of(lambda: classifier().train(X, y, **options))

    group = together.Split(MPI.UNDEFINED if together.rank == 2 else 0)
    null = [MPI.COMM_NULL, group] if together.rank == 2 else [MPI.COMM_NULL]
    messages = [message(one) for one in null]
    if together.rank < 2:
        messages.append(message(group))
        group.Free()
    return messages


def a_communicator_between_groups(together: Any) -> str:
    own = together.Split(together.rank == 0)
    between = own.Create_intercomm(0, together, 0 if together.rank else 1)
    message = message_of(lambda: classifier().train(X, y, communicator=between)).partition(",")[0]
    between.Free()
    own.Free()
    return message


def shards_without_a_communicator(together: Any) -> str:
    return message_of(lambda: classifier().train(X, y, sharded=True))


class Careless(Callback):
    """Looks something up on rank 1 that is not there."""

    def on_train_begin(self, training: Training) -> None:
        if training.rank == 1:
            raise KeyError("mine")


def an_error_of_another_type(together: Any) -> str:
    return refused(together, callbacks=[Careless()])


def a_stream_that_is_shorter_on_one_rank(together: Any) -> str:
    batches = [(X[a : a + 8], y[a : a + 8]) for a in range(0, 60, 8)]
    if together.rank == 1:
        batches.pop()
    return message_of(lambda: classifier().train(batches, progress=False, communicator=together))

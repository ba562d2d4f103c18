"""Makes the ``Training`` that ``Model.train`` was asked for, if everything fits."""

from __future__ import annotations

from framework.containers.supervised import Supervised
from framework.data.batches import BatchStream
from framework.data.checked_batches import training_batches
from framework.data.checks import RowsOf, all_rows
from framework.training.arguments import TrainingArguments
from framework.training.checkpoint import is_checkpoint
from framework.training.state import Training


def set_up(model: Supervised, arguments: TrainingArguments, rows_of: RowsOf = all_rows) -> Training:
    """Return the training of ``model`` with ``arguments``.

    ``rows_of`` gives the rows that this process checks, of arrays that other processes check too.

    Raises:
        RuntimeError: the model has no loss, no optimizer, or is not finalized.
        TypeError, ValueError: arguments or data that do not fit.
    """
    arguments = arguments.checked()
    if model.loss is None or model.optimizer is None:
        raise RuntimeError("the model cannot be trained yet: call set(loss=..., optimizer=...)")
    if not len(model.parameters):
        raise ValueError(f"{model!r} has no parameters to train")
    data, validation = training_batches(
        model,
        arguments.X,
        arguments.y,
        batch_size=arguments.batch_size,
        sample_weight=arguments.sample_weight,
        validation_data=arguments.validation_data,
        validation_split=arguments.validation_split,
        shuffle=arguments.shuffle,
        transform=arguments.transform,
        rows_of=rows_of,
    )
    if hasattr(model.accuracy, "init"):
        first = data.first.source if isinstance(data, BatchStream) else data
        model.accuracy.init(first.targets)
    # A checkpoint has the epoch as all other callbacks leave it, wherever it stands in the list.
    callbacks = sorted(arguments.callbacks, key=is_checkpoint)
    return Training(model, arguments.epochs, data, validation, callbacks)

"""Makes the ``Training`` that ``Model.train`` was asked for, if everything fits."""

from __future__ import annotations

from framework.containers.supervised import Supervised
from framework.data.batches import ArrayBatches, BatchStream
from framework.data.checked_batches import training_batches
from framework.data.checks import RowsOf, all_rows
from framework.data.class_weights import weighed_by_class
from framework.training.arguments import TrainingArguments
from framework.training.checkpoint import is_checkpoint
from framework.training.evaluation import check_built_in_metrics
from framework.training.state import Training
from optimizers.optimizer import Optimizer


def set_up(model: Supervised, arguments: TrainingArguments, rows_of: RowsOf = all_rows) -> Training:
    """Return the training of ``model`` with ``arguments``.

    ``rows_of`` gives the rows that this process checks, of arrays that other processes check too.

    Raises:
        RuntimeError: the model has no loss, no optimizer, or is not finalized; the optimizer has
            trained another model.
        TypeError, ValueError: arguments or data that do not fit.
    """
    arguments = arguments.checked()
    if model.loss is None or model.optimizer is None:
        raise RuntimeError("the model cannot be trained yet: call set(loss=..., optimizer=...)")
    model.check_frozen()
    if not len(model.parameters):
        raise ValueError(f"{model!r} has no parameters to train")
    _check_optimizer(model)
    data, validation, evaluated = training_batches(model, arguments.data, rows_of)
    if hasattr(model.accuracy, "init"):
        first = data.first.source if isinstance(data, BatchStream) else data
        model.accuracy.init(first.targets)
    if arguments.data.class_weight is not None and isinstance(data, ArrayBatches):
        weighed = weighed_by_class(model, data, arguments.data.class_weight)
        data = data if arguments.sharded else weighed  # else ``agree_on_shards`` does it
    if evaluated is not None:
        check_built_in_metrics(model, evaluated)
    # A checkpoint has the epoch as all other callbacks leave it, wherever it stands in the list.
    callbacks = sorted(arguments.callbacks, key=is_checkpoint)
    transform = arguments.data.transform
    return Training(model, arguments.epochs, data, validation, callbacks, evaluated, transform)


def _check_optimizer(model: Supervised) -> None:
    """Raise RuntimeError if the optimizer has trained another model, and not this one."""
    optimizer = model.optimizer
    if model.optimizer_has_trained or not isinstance(optimizer, Optimizer):
        return
    if optimizer.has_trained_only_others([model.parameters, *model.leaves()]):
        raise RuntimeError(
            f"{optimizer!r} has trained another model for {optimizer.iterations:,} steps, and "
            "would go on with that step count, and with the learning rate that follows from it. "
            "Call optimizer.reset() before train, or give this model a new optimizer: "
            "model.set(optimizer=...)"
        )

"""The content of a model file; saving and loading models and parameters.

    tensors     "layers.0.weights", …: the parameters and the running statistics of each operation,
                by its position in ``model.layers`` ("layers.2.0.weights" inside a container);
                and arrays among constructor arguments
    "model"     {"dtype": "float32",
                 "operations": [{"class": "framework.Dense", "arguments": {…}}, …],
                 "loss": …, "optimizer": …, "accuracy": …,        objects like these, or null
                 "learned_by_accuracy": {…},                      see ``accuracy_state``
                 "class_names": […], "input_shape": […],          or null
                 "frozen": ["0", "2.1"],                          those that are, if any
                 "metrics": {…},                                  if there are any: ``metrics.py``
                 "table": {…}}                                    if there is one: ``TableColumns``

A file of parameters alone has no "model". A checkpoint also has "training" and "began" (see
``framework.training.checkpoint``). A model of ``nnfs_book`` has its optimizer's state in
"remembered". ``format_1.py`` has the names in files that are not those of the code.

A file is not trusted: nothing in it is run, and an operation is made only if the file has arrays
of the shapes of its parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import numpy as np

from framework.accuracies.accuracy import Accuracy
from framework.checks import check_class_names, check_count
from framework.containers.container import frozen_paths, leaves
from framework.containers.supervised import Supervised
from framework.data.table_columns import TableColumns
from framework.losses.loss import Loss
from framework.metrics.metric import Metric, check_metrics
from framework.operation import Shape
from framework.parameters import stored_names
from framework.saving.file_format import FilePath, encode, read, saved_file_errors
from framework.saving.format_1 import ACCURACY_STATE, ADDED, OPTIMIZER_STATE
from framework.saving.metrics import deserialize_metrics, serialize_metrics
from framework.saving.operations import OperationLoader
from framework.saving.optimizer_state import (
    accuracy_state,
    check_optimizer_state,
    optimizer_state,
    set_accuracy_state,
    set_optimizer_state,
)
from framework.saving.serialization import Deserializer, Serializer, check_custom
from framework.utils import rng
from framework.utils.files import check_target, write_atomically
from framework.utils.warnings import warn_user
from optimizers.arrays import Array
from optimizers.optimizer import Optimizer

AnyModel = TypeVar("AnyModel", bound=Supervised)

# The parts of a model beside its operations, and the base class of each in this library.
PARTS: dict[str, type] = {"loss": Loss, "optimizer": Optimizer, "accuracy": Accuracy}


# What a model may have that older versions of this library do not know.
OPTIONAL = {"metrics", "frozen", "table"}


def save_model(model: Supervised, path: FilePath, *, with_optimizer_state: bool = False) -> None:
    """Write ``model`` to the file ``path``: see ``Model.save``.

    With ``with_optimizer_state``, training goes on from the file as if the model had never been
    saved. Only an ``Optimizer`` has such a state; that of another class is not saved.
    """
    check_target(path)
    serialized, arrays = serialize_model(model)
    contents = {"model": serialized}
    if with_optimizer_state and isinstance(model.optimizer, Optimizer):
        serializer = Serializer()
        contents[OPTIMIZER_STATE] = serializer.serialize(optimizer_state(model), OPTIMIZER_STATE)
        arrays |= serializer.arrays
    write_atomically(path, encode(contents, arrays))


def load_model(
    path: FilePath,
    model_class: type[AnyModel],
    custom_operations: Iterable[Any] = (),
    metrics: Mapping[str, Metric] | None = None,
) -> AnyModel:
    """Return the model in the file ``path`` as a ``model_class``: see ``Model.load``."""
    custom, given = check_custom(custom_operations), check_metrics(metrics or {})
    with saved_file_errors(path):
        contents, arrays = read(path)
        if "model" not in contents:
            raise ValueError("it has parameters only: make the model, then load_parameters")
        deserializer = Deserializer(arrays, custom)
        model = deserialize_model(model_class, contents["model"], deserializer, given)
        if OPTIMIZER_STATE in contents:
            state = deserializer.deserialize(contents[OPTIMIZER_STATE])
            check_optimizer_state(model, state)
            set_optimizer_state(model, state)
        for name in arrays.keys() - deserializer.used:
            if not name.startswith(("layers.", "training.")):
                raise ValueError(f"nothing in it needs the tensor {name!r}")
        return model


def save_parameters(model: Supervised, path: FilePath) -> None:
    """Write the parameters of ``model`` to the file ``path``: see ``Model.save_parameters``."""
    check_target(path)
    write_atomically(path, encode({}, state_dict(model)))


def load_parameters(model: Supervised, path: FilePath) -> None:
    """Set the parameters of ``model`` to those in the file: see ``Model.load_parameters``."""
    current = state_dict(model)
    with saved_file_errors(path):
        _, arrays = read(path)
        load_state_dict(current, arrays)


def serialize_model(
    model: Supervised, serializer: Serializer | None = None
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the ``"model"`` of a file, and all arrays by name. ``model`` is not changed.

    Raises:
        RuntimeError: the model is not finalized.
        TypeError: a part of it cannot be serialized.
        ValueError: its class names do not fit its outputs, or its input shape its operations.
    """
    arrays = state_dict(model)
    serializer = serializer or Serializer()
    serialized: dict[str, Any] = {
        "dtype": model.dtype.name,
        "operations": [
            serializer.serialize_object(layer, f"operations.{position}")
            for position, layer in enumerate(model.layers)
        ],
    }
    for part in PARTS:
        value = getattr(model, part)
        serialized[part] = None if value is None else serializer.serialize_object(value, part)
    serialized[ACCURACY_STATE] = accuracy_state(model.accuracy)
    input_shape, class_names = _check_data_facts(model, model.input_shape, model.class_names)
    serialized |= {"class_names": class_names, "input_shape": input_shape}
    if model.metrics:  # older versions of this library know of none
        serialized["metrics"] = serialize_metrics(model.metrics, serializer)
    if frozen := frozen_paths(model):
        serialized["frozen"] = frozen
    if model.table is not None:
        serialized["table"] = model.table.to_json()
    return serialized, {**arrays, **serializer.arrays}


def deserialize_model(
    model_class: type[AnyModel],
    serialized: Any,
    deserializer: Deserializer,
    metrics: Mapping[str, Metric],
) -> AnyModel:
    """Return the finalized model that ``serialize_model`` was given, as a ``model_class``.

    ``metrics`` are given by the user. Warns of those that are missing.

    Raises errors of many types if ``serialized`` is something else: use it inside
    ``saved_file_errors``.
    """
    keys = ["dtype", "operations", *PARTS, ACCURACY_STATE, "class_names", "input_shape"]
    if not isinstance(serialized, dict) or serialized.keys() - OPTIONAL != set(keys):
        raise ValueError(f"its model must have these keys and no others: {', '.join(keys)}")
    # Constructors draw initial weights, which are replaced: no random number may be used up, and
    # an initializer with a huge spread may overflow.
    with rng.preserve_rng(), np.errstate(all="ignore"):
        loader = OperationLoader(deserializer)
        operations = [
            loader.load(entry, position) for position, entry in enumerate(serialized["operations"])
        ]
        model = model_class(operations, dtype=serialized["dtype"])
        by_path = dict(leaves(model.children()))
        for path in serialized.get("frozen", []):
            by_path[path].trainable = False
        for part, base in PARTS.items():
            if serialized[part] is not None:
                cls, arguments = deserializer.class_and_arguments(serialized[part], base)
                model.set(**{part: cls(**arguments)})
        saved = serialized.get("metrics", {})
        found, left_behind = deserialize_metrics(saved, deserializer, metrics)
        model.set(metrics=found)
        model.finalize()
    load_state_dict(state_dict(model), deserializer.arrays)
    set_accuracy_state(model.accuracy, serialized[ACCURACY_STATE])
    if serialized.get("table") is not None:
        model.table = TableColumns.from_json(serialized["table"])
        model.output_shapes((len(model.table.features),))  # raises if they do not fit
    model.input_shape, model.class_names = _check_data_facts(
        model, serialized["input_shape"], serialized["class_names"]
    )
    if left_behind:
        first = left_behind[0]
        warn_user(
            f"the metrics {', '.join(left_behind)} are not part of dinputs, and were left behind: "
            f'pass them, Model.load(path, metrics={{"{first}": {first}}}), if you need them'
        )
    return model


def state_dict(model: Supervised) -> dict[str, Array]:
    """Return the parameters and running statistics of ``model`` by name, without copying them.

    Raises RuntimeError if the model is not finalized.
    """
    model.parameters  # noqa: B018 - raises before finalize
    return {
        f"layers.{path}.{name}": getattr(operation, name)
        for path, operation in leaves(model.children())
        for name in stored_names(operation)
    }


def load_state_dict(current: Mapping[str, Array], arrays: Mapping[str, Array]) -> None:
    """Copy the arrays of a file into ``current``, the ``state_dict`` of a model.

    Raises ValueError if an array is missing, left over, or of another shape or dtype. Nothing has
    been changed then.
    """
    found = {name: array for name, array in arrays.items() if name.startswith("layers.")}
    added = {name for name in current if name.rpartition(".")[2] in ADDED}
    if missing := sorted(current.keys() - found.keys() - added):
        raise ValueError(f"it has no {', '.join(missing)}, which the model has")
    if unknown := sorted(found.keys() - current.keys()):
        raise ValueError(f"it has {', '.join(unknown)}, which the model has not")
    for name, array in found.items():
        if (array.shape, array.dtype) != (current[name].shape, current[name].dtype):
            raise ValueError(
                f"{name} is {array.dtype} of shape {array.shape} in it, and {current[name].dtype} "
                f"of shape {current[name].shape} in the model"
            )
    for name in current:
        current[name][...] = found.get(name, 0)


def _check_data_facts(
    model: Supervised, input_shape: Any, class_names: Any
) -> tuple[Shape, list[str] | None]:
    """Return a file's facts about the data of ``model``, if they fit the model's operations.

    Raises TypeError or ValueError if they do not.
    """
    if input_shape is not None:
        input_shape = tuple(check_count("each number of input_shape", n) for n in input_shape)
    outputs = model.output_shapes(input_shape)[-1]
    if class_names is not None:
        class_names = check_class_names(class_names, outputs)
    return input_shape, class_names

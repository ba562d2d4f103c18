"""A model in one file that holds numbers and text, and never code.

It is a safetensors file. Its tensors are the parameters and the running statistics,
``layers.0.weights`` and so on by the place of the operation in ``model.layers``. Its metadata are
one JSON text, under ``dinputs``: the version of the format, a checksum of everything, and the
``model``: each of its parts as ``descriptions`` has it. A file of parameters alone has no
``model``, a checkpoint also has a ``training`` (see ``checkpoint``), and a model of ``nnfs_book``
what its optimizer has ``remembered``.

A file is not trusted: nothing in it is run, and no layer is made whose parameters are not there.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias, TypeVar

import numpy as np

from framework.accuracies.accuracy import Accuracy
from framework.checks import check_count, check_number
from framework.containers.supervised import Supervised
from framework.errors import SavedFileError
from framework.losses.loss import Loss
from framework.operation import Array, Operation, describe
from framework.parameters import stored_names
from framework.saving.serialization import Reader, Writer, check_own
from framework.utils import rng
from framework.utils.files import check_target, write_atomically
from optimizers.optimizer import Optimizer, State

FilePath: TypeAlias = str | os.PathLike[str]
AnyModel = TypeVar("AnyModel", bound=Supervised)

VERSION = 1
METADATA = "dinputs"
# The parts of a model beside its operations, and what each is derived from if it is one of ours.
PARTS: dict[str, type] = {"loss": Loss, "optimizer": Optimizer, "accuracy": Accuracy}


def save_model(model: Supervised, path: FilePath, *, with_memory: bool = False) -> None:
    """Write ``model`` to the file ``path``: see ``Model.save``.

    With ``with_memory=True`` it also has what the optimizer remembers, so that training goes on
    as if the model had never been saved; but not of an optimizer of a class that is not derived
    from ``optimizers.Optimizer``, which does not show it.
    """
    check_target(path)
    description, arrays = described(model)
    parts = {"model": description}
    if with_memory and isinstance(model.optimizer, Optimizer):
        writer = Writer()
        parts["remembered"] = writer.write(remembered(model), "remembered")
        arrays |= writer.arrays
    write_atomically(path, content(parts, arrays))


def load_model(path: FilePath, model_class: type[AnyModel], own: Iterable[Any] = ()) -> AnyModel:
    """Return the model in the file ``path``: see ``Model.load``."""
    classes = check_own(own)
    with errors_naming(path):
        description, arrays = read(path)
        if "model" not in description:
            raise ValueError("it has parameters only: make the model, then load_parameters")
        reader = Reader(arrays, classes)
        model = model_of(model_class, description["model"], reader)
        if "remembered" in description:
            state = reader.read(description["remembered"])
            check_remembered(model, state)
            set_remembered(model, state)
        for name in arrays.keys() - reader.used:
            if not name.startswith(("layers.", "training.")):
                raise ValueError(f"nothing in it needs the tensor {name!r}")
        return model


def save_parameters(model: Supervised, path: FilePath) -> None:
    """Write the parameters of ``model`` to the file ``path``: see ``Model.save_parameters``."""
    check_target(path)
    write_atomically(path, content({}, stored(model)))


def load_parameters(model: Supervised, path: FilePath) -> None:
    """Read the parameters of ``model``: see ``Model.load_parameters``."""
    current = stored(model)
    with errors_naming(path):
        _, arrays = read(path)
        set_stored(current, arrays)


# A model as a description and arrays


def described(
    model: Supervised, writer: Writer | None = None
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return what ``model`` is made of, as ``writer`` writes it, and its arrays by name.

    Raises:
        RuntimeError: it is not finalized.
        TypeError: a part of it cannot be described.
        ValueError: its class names do not fit its outputs.
    """
    arrays = stored(model)
    writer = writer or Writer()
    description: dict[str, Any] = {
        "dtype": model.dtype.name,
        "operations": [
            writer.write_object(layer, f"operations.{position}")
            for position, layer in enumerate(model.layers)
        ],
    }
    for part in PARTS:
        value = getattr(model, part)
        description[part] = None if value is None else writer.write_object(value, part)
    description["learned_by_accuracy"] = learned_by(model.accuracy)
    description["class_names"] = model.class_names
    description["input_shape"] = model.input_shape
    _set_about(model, description)  # which is what can be wrong with them
    return description, {**arrays, **writer.arrays}


def model_of(model_class: type[AnyModel], description: Any, reader: Reader) -> AnyModel:
    """Return the model of a ``description``. Raises errors of many kinds: see ``errors_naming``."""
    about = ["class_names", "input_shape"]
    needed = ["dtype", "operations", *PARTS, "learned_by_accuracy", *about]
    if not isinstance(description, dict) or description.keys() != set(needed):
        raise ValueError(f"its model needs {', '.join(needed)}, no less and no more")
    # New layers draw initial weights, which nobody asked for here; a wild spread of them warns.
    with rng.preserve_rng(), np.errstate(all="ignore"):
        operations = []
        for position, entry in enumerate(description["operations"]):
            cls, arguments = reader.class_and_arguments(entry, Operation)
            _check_shapes(cls, arguments, position, reader.arrays)
            operations.append(cls(**arguments))
        model = model_class(operations, dtype=description["dtype"])
        for part, base in PARTS.items():
            if description[part] is not None:
                cls, arguments = reader.class_and_arguments(description[part], base)
                model.set(**{part: cls(**arguments)})
        model.finalize()
    set_stored(stored(model), reader.arrays)
    set_learned(model.accuracy, description["learned_by_accuracy"])
    _set_about(model, description)
    return model


def _set_about(model: Supervised, description: Mapping[str, Any]) -> None:
    """Set what ``model`` knows about its data, or raise TypeError or ValueError."""
    shape = description["input_shape"]
    if shape is not None:
        shape = tuple(check_count("each number of input_shape", size) for size in shape)
        model.output_shapes(shape)
    model.input_shape = shape
    model.class_names = description["class_names"]


def _check_shapes(
    cls: Any, arguments: Mapping[str, Any], position: int, arrays: Mapping[str, Array]
) -> None:
    """Compare the parameters that an operation would have with those that are there."""
    try:
        shapes = cls.stored_shapes(arguments) if hasattr(cls, "stored_shapes") else {}
    except KeyError:  # a class of the user's own with other arguments than its base
        shapes = {}
    for name, shape in shapes.items():
        tensor = arrays.get(f"layers.{position}.{name}")
        if tensor is None or tensor.shape != shape:
            found = "none" if tensor is None else str(tensor.shape)
            raise ValueError(
                f"operation {position + 1}, {cls.__name__}, needs {name} of shape {shape}; there "
                f"is {found}"
            )


def stored(model: Supervised) -> dict[str, Array]:
    """Return the parameters and running statistics of ``model`` by name, the arrays themselves.

    Raises RuntimeError if it is not finalized.
    """
    model.parameters  # noqa: B018 - raises before finalize
    return {
        f"layers.{position}.{name}": getattr(layer, name)
        for position, layer in enumerate(model.layers)
        for name in stored_names(layer)
    }


def set_stored(current: Mapping[str, Array], arrays: Mapping[str, Array]) -> None:
    """Fill the arrays of ``stored`` with those of a file.

    Raises ValueError if one is missing, not needed or of another shape or dtype; nothing has
    changed then.
    """
    found = {name: array for name, array in arrays.items() if name.startswith("layers.")}
    if missing := sorted(current.keys() - found.keys()):
        raise ValueError(f"it has no {', '.join(missing)}, which the model has")
    if spare := sorted(found.keys() - current.keys()):
        raise ValueError(f"it has {', '.join(spare)}, which the model has not")
    for name, array in found.items():
        if (array.shape, array.dtype) != (current[name].shape, current[name].dtype):
            raise ValueError(
                f"{name} is {array.dtype} of shape {array.shape} in it, and {current[name].dtype} "
                f"of shape {current[name].shape} in the model"
            )
    for name, array in found.items():
        current[name][...] = array


def learned_by(accuracy: Any) -> dict[str, float | None]:
    """Return the numbers that ``accuracy`` has found in the targets (see ``Accuracy.state``)."""
    return {name: getattr(accuracy, name) for name in getattr(accuracy, "state", ())}


def set_learned(accuracy: Any, numbers: Any) -> None:
    """Give ``accuracy`` the numbers of ``learned_by``. Raises ValueError if they are others."""
    names = getattr(accuracy, "state", ())
    if not isinstance(numbers, dict) or numbers.keys() != set(names):
        raise ValueError(f"{describe(accuracy)} needs the numbers {list(names)}, not {numbers!r}")
    for name, number in numbers.items():
        setattr(accuracy, name, None if number is None else check_number(name, number))


def remembered(model: Supervised) -> dict[str, Any]:
    """Return what the ``Optimizer`` of ``model`` has counted, set and remembered by now."""
    optimizer = model.optimizer
    return {
        "iterations": optimizer.iterations,
        "current_learning_rate": optimizer.current_learning_rate,
        "memory": optimizer.state(model.parameters),
    }


def check_remembered(model: Supervised, state: Any) -> None:
    """Raise an error, of many kinds, if ``state`` is not what ``remembered`` returns."""
    if not isinstance(model.optimizer, Optimizer):
        raise ValueError("it has what an optimizer remembers, but no optimizer")
    check_count("iterations", state["iterations"], minimum=0)
    check_number("current_learning_rate", state["current_learning_rate"])
    vector = model.parameters
    # One memory for all parameters; or one for each, as nnfs_book has after nnfs.init().
    shapes = {"weights": vector.weights.shape}
    for place, (_, name, part) in enumerate(vector.split(vector.weights)):
        shapes[f"{name} {place}"] = part.shape
    for name, memory in state["memory"].items():
        for array in memory.values():
            fits = isinstance(array, np.ndarray)
            if fits and name in shapes and array.shape != (1,):  # which may be a number
                right_dtype = array.dtype == vector.dtype or name != "weights"
                fits = array.shape == shapes[name] and array.dtype.kind == "f" and right_dtype
            if not fits:
                raise ValueError("what its optimizer remembers is not of this model")


def set_remembered(model: Supervised, state: Mapping[str, Any]) -> None:
    """Make the optimizer of ``model`` remember what ``check_remembered`` has found right."""
    optimizer = model.optimizer
    memory = optimizer.state(model.parameters)
    memory.clear()
    memory.update({name: State(arrays) for name, arrays in state["memory"].items()})
    optimizer.iterations = state["iterations"]
    optimizer.current_learning_rate = state["current_learning_rate"]


# The file


def content(description: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """Return the file that holds ``description``, which is for JSON, and ``arrays``."""
    from safetensors.numpy import save

    # The library writes the memory as it lies, whatever the strides and the byte order.
    arrays = {
        name: np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")
        for name, array in arrays.items()
    }
    described = {"version": VERSION, **description}
    text = json.dumps({"checksum": checksum_of(described, arrays), **described})
    # One entry, since the library writes several in any order, and files differ for no reason.
    return save(dict(arrays), {METADATA: text})


def read(path: FilePath) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the description and the arrays in the file ``path``.

    Raises OSError if it cannot be read, and other errors, of many kinds, if it is none of ours:
    see ``errors_naming``.
    """
    from safetensors import SafetensorError, safe_open

    with open(path, "rb") as opened:  # which says better than the library why it cannot be opened
        beginning = opened.read(9)
    try:
        whole = safe_open(path, framework="numpy")
    except SafetensorError as error:
        what = "it is no safetensors file, or a damaged one"
        if _looks_like_a_pickle(beginning):
            what = "it is no safetensors file; it looks like a pickle, which is never read"
        raise ValueError(f"{what}: {error}") from None
    with whole as file:
        text = (file.metadata() or {}).get(METADATA)
        if text is None:
            raise ValueError("it is a safetensors file, but not one that dinputs has written")
        try:
            description = json.loads(text)
        except ValueError as error:
            raise ValueError(f"its metadata are not JSON: {error}") from None
        if not isinstance(description, dict) or not isinstance(description.get("version"), int):
            raise ValueError("its metadata have no version of the format")
        if description["version"] != VERSION:
            raise ValueError(
                f"it has version {description['version']} of the format, and this release of "
                f"dinputs reads version {VERSION}"
            )
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    checksum = description.pop("checksum", None)
    if checksum != checksum_of(description, arrays):
        raise ValueError("it is damaged: its content does not have the checksum that it had")
    return description, arrays


def _looks_like_a_pickle(beginning: bytes) -> bool:
    # Both may begin with such a byte and a number; then a safetensors file has its JSON.
    protocol, json_begins = beginning[1:2], beginning[8:9] == b"{"
    return beginning[:1] == b"\x80" and b"\x02" <= protocol <= b"\x05" and not json_begins


@contextmanager
def errors_naming(path: FilePath) -> Iterator[None]:
    """Turn whatever a file can bring about into a ``SavedFileError`` that begins with ``path``.

    That is every Exception, since classes of the user's own are made with arguments from the
    file. Only an OSError stays what it is.
    """
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        message = str(error)
        if isinstance(error, (AttributeError, LookupError, TypeError)):
            # Such messages are made for programmers, and may be no more than a key.
            message = f"it does not hold what it should ({type(error).__name__}: {error})"
        raise SavedFileError(f"{os.fspath(path)}: {message}") from error


def checksum_of(description: Mapping[str, Any], arrays: Mapping[str, Array]) -> str:
    """Return a checksum of a description, which is for JSON, and of the arrays it names."""
    names = sorted(arrays)
    table = [(name, arrays[name].dtype.name, arrays[name].shape) for name in names]
    digest = hashlib.sha256(json.dumps([description, table]).encode())
    for name in names:
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()

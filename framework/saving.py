"""A model in one file that holds numbers and text, and never code.

It is a safetensors file. Its tensors are the parameters: ``layers.0.weights`` and so on, by the
place of the operation in ``model.layers``. The file of a whole model also has what the optimizer
remembers, such as ``optimizer.weights.momentum``. The metadata hold the version of the format
and a checksum over everything and, for a whole model, the class and the constructor arguments of
each of its parts as JSON. Reading makes objects of this framework's classes, looked up by name,
and of no others.

A file is written beside its target and then renamed, so a crash at any moment leaves the old
file or the new one.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

import framework
import optimizers
from framework import initializers, randomness
from framework.parameters import stored_names
from optimizers import State, schedules
from optimizers.configuration import Configurable
from optimizers.optimizer import Array

__all__ = ["SavedFileError", "load_model", "load_parameters", "save_model", "save_parameters"]

FORMAT = "dinputs"
VERSION = 1

FilePath: TypeAlias = str | os.PathLike[str]
ModelType = TypeVar("ModelType", bound=framework.Model)


class SavedFileError(ValueError):
    """A file is damaged, or is not what this module writes."""


def save_parameters(model: framework.Model, path: FilePath) -> None:
    """Write all parameters of ``model``, and its running statistics, to ``path``.

    Raises OSError if that is not possible; what was at ``path`` is still there then.
    """
    _write(path, _stored(model), {})


def load_parameters(model: framework.Model, path: FilePath) -> None:
    """Set all parameters of ``model`` to those that an equal model saved to ``path``.

    Raises:
        OSError: the file cannot be read.
        SavedFileError: it is damaged, or not a file of this module.
        ValueError: its arrays have other names or shapes than the model's.

    The model has not changed then.
    """
    arrays, _ = _read(path)
    _set(model, arrays, path)


def save_model(model: framework.Model, path: FilePath) -> None:
    """Write ``model`` to ``path``: operations, parameters, loss, accuracy and optimizer.

    The optimizer's memory and its number of steps are included, so training can go on.

    Raises:
        RuntimeError: the model is not finalized.
        TypeError: a part of it, or a constructor argument, is a class or a function of your own,
            which a file cannot hold. ``save_parameters`` does not mind.
        OSError: the file cannot be written; what was at ``path`` is still there then.
    """
    arrays = _stored(model)
    description: dict[str, Any] = {
        "dtype": model.parameters.dtype.name,
        "operations": [_encode(operation) for operation in model.layers],
        "loss": _encode(model.loss),
        "accuracy": _encode(model.accuracy),
        "optimizer": _encode(model.optimizer),
    }
    if model.accuracy is not None:
        learned = {name: getattr(model.accuracy, name) for name in model.accuracy.state}
        description["learned by accuracy"] = learned
    if model.optimizer is not None:
        description["iterations"] = model.optimizer.iterations
        for parameter, state in model.optimizer.state(model.parameters).items():
            for name, array in state.items():
                arrays[f"optimizer.{parameter}.{name}"] = array
    _write(path, arrays, {"model": json.dumps(description)})


def load_model(path: FilePath, model_class: type[ModelType]) -> ModelType:
    """Return the model that ``save_model`` wrote to ``path``, finalized.

    Args:
        path: the file.
        model_class: ``Model``, or a class derived from it.

    Raises:
        OSError: the file cannot be read.
        SavedFileError: it is damaged, not a file of this module, or has parameters only.
    """
    arrays, metadata = _read(path)
    if "model" not in metadata:
        raise SavedFileError(f"{path} has parameters only: make the model, then load_parameters")
    try:
        description = json.loads(metadata["model"])
        with _chance_unchanged():
            operations = [_decode(operation) for operation in description["operations"]]
            model = model_class(operations, dtype=description["dtype"])
            parts = ("loss", "accuracy", "optimizer")
            model.set(**{part: _decode(description[part]) for part in parts})
            model.finalize()
        _set(model, arrays, path)
        if model.accuracy is not None:
            for name in model.accuracy.state:
                setattr(model.accuracy, name, description["learned by accuracy"][name])
        if model.optimizer is not None:
            model.optimizer.iterations = description["iterations"]
            model.optimizer.pre_update_params()
            states = model.optimizer.state(model.parameters)
            for name, array in arrays.items():
                if name.startswith("optimizer."):
                    _, parameter, memory = name.split(".")
                    states.setdefault(parameter, State())[memory] = array
    except (LookupError, TypeError, ValueError) as error:
        raise SavedFileError(f"{path} describes a model that cannot be made: {error}") from error
    return model


# Parameters


def _stored(model: framework.Model) -> dict[str, Array]:
    return {
        f"layers.{position}.{name}": getattr(operation, name)
        for position, operation in enumerate(model.layers)
        for name in stored_names(operation)
    }


def _set(model: framework.Model, arrays: dict[str, Array], path: FilePath) -> None:
    current = _stored(model)
    found = {name: array for name, array in arrays.items() if name.startswith("layers.")}
    if missing := sorted(current.keys() - found.keys()):
        raise ValueError(f"{path} has no {', '.join(missing)}, which the model has")
    if surplus := sorted(found.keys() - current.keys()):
        raise ValueError(f"{path} has {', '.join(surplus)}, which the model has not")
    for name, array in found.items():
        if array.shape != current[name].shape:
            raise ValueError(
                f"{name} has shape {array.shape} in {path}, but {current[name].shape} in the model"
            )
    for name, array in found.items():
        current[name][...] = array


# The architecture as JSON


def _classes() -> dict[str, type[Configurable]]:
    """Every class that a file may name, by the package that a user imports it from."""
    from framework import nnfs_book  # which itself imports this module

    packages = (framework, initializers, nnfs_book, optimizers, schedules)
    return {
        f"{package.__name__}.{name}": cls
        for package in packages
        for name, cls in vars(package).items()
        if isinstance(cls, type)
        and issubclass(cls, Configurable)
        and cls.__module__.startswith(package.__name__)
    }


def _encode(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    names = {cls: name for name, cls in _classes().items()}
    if type(value) not in names:
        raise TypeError(
            f"{value!r} is of no class of this framework, so a file cannot hold it: use "
            "save_parameters, and make the model anew before load_parameters"
        )
    arguments = {name: _encode(argument) for name, argument in value.configuration().items()}
    return {"class": names[type(value)], "arguments": arguments}


def _decode(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    name = value["class"]
    classes = _classes()
    if name not in classes:
        raise LookupError(f"this framework has no class {name!r}")
    return classes[name](**{key: _decode(item) for key, item in value["arguments"].items()})


@contextmanager
def _chance_unchanged() -> Iterator[None]:
    """Give back what new layers draw, from either generator, for initial weights."""
    bits = randomness.generator().bit_generator
    own, numpys = bits.state, np.random.get_state()
    try:
        yield
    finally:
        bits.state = own
        np.random.set_state(numpys)


# The file


def _write(path: FilePath, arrays: dict[str, Array], metadata: dict[str, str]) -> None:
    # The library writes the memory as it lies, whatever the strides of an array are.
    arrays = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    metadata = {"format": FORMAT, "version": str(VERSION), **metadata}
    content = save(arrays, {**metadata, "checksum": _checksum(arrays, metadata)})
    path = Path(path)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _read(path: FilePath) -> tuple[dict[str, Array], dict[str, str]]:
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = dict(file.metadata() or {})
            arrays = {name: np.array(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise SavedFileError(f"{path} is damaged, or no safetensors file: {error}") from error
    if metadata.get("format") != FORMAT:
        raise SavedFileError(f"{path} was not written by framework.saving")
    if metadata.get("version") != str(VERSION):
        raise SavedFileError(
            f"{path} has version {metadata.get('version')} of the format; this release of dinputs "
            f"reads version {VERSION}"
        )
    if metadata.pop("checksum", None) != _checksum(arrays, metadata):
        raise SavedFileError(f"{path} is damaged: its content does not match its checksum")
    return arrays, metadata


def _checksum(arrays: dict[str, Array], metadata: dict[str, str]) -> str:
    names = sorted(arrays)
    shapes = [(name, arrays[name].dtype.str, arrays[name].shape) for name in names]
    digest = hashlib.sha256(json.dumps([sorted(metadata.items()), shapes]).encode())
    for name in names:
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()

"""Objects as JSON: their class and their constructor arguments.

    Dropout(0.2)  ->  {"class": "framework.Dropout", "arguments": {"rate": 0.2}}

A class of this library has the name by which users import it (see ``registry``). A class or a
function of the user's own has its bare name, and must be passed again to deserialize it. A name is
looked up in the registry and among those passed, and nowhere else, so that JSON from a file cannot
make anything be imported or run.

An argument can be None, a number, a string, an array, a function, an initializer, a schedule or
another such object, or a list, tuple or dictionary of these; a container's can also be operations.
Arrays are kept outside of the JSON, which refers to them by name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from framework.containers import Container
from framework.operation import Operation
from framework.saving.registry import find_class, is_argument_name, public_name
from optimizers.arrays import Array
from optimizers.configuration import Configurable, constructor_arguments

# Makes an operation from its JSON.
OperationFunction: TypeAlias = Callable[[Any], Any]


class Serializer:
    """Turns objects into JSON.

    Attributes:
        arrays: the arrays in all that was serialized so far, by the names they have in the JSON.
        custom: the user's classes and functions in it, by name, as ``Deserializer`` needs them.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}
        self.custom: dict[str, Any] = {}

    def serialize(self, value: Any, name: str, *, in_container: bool = False) -> Any:
        """Return ``value`` as JSON. ``name`` is where it belongs, such as ``loss.delta``.

        Operations can only stand among the arguments of a container: ``in_container``.

        Raises TypeError, with that name, for a value that cannot be serialized.
        """
        serialize = partial(self.serialize, in_container=in_container)
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, (np.bool_, np.integer, np.floating)):
            if value.itemsize > 8:
                raise TypeError(f"{name}: {value!r} cannot be saved: make it a float")
            return value.item()
        if isinstance(value, np.dtype):
            return value.name
        if isinstance(value, np.ndarray):
            return {"array": self._add_array(value, name)}
        if isinstance(value, list):
            return [serialize(item, f"{name}.{i}") for i, item in enumerate(value)]
        if isinstance(value, tuple):
            return {"tuple": serialize(list(value), name)}
        if isinstance(value, dict):
            if not all(isinstance(key, str) for key in value):
                raise TypeError(f"{name}: {value!r} cannot be saved: its keys must be strings")
            items = {key: serialize(item, f"{name}.{key}") for key, item in value.items()}
            return {"dict": items}
        if inspect.isfunction(value):
            return {"function": self._add_custom(value, name)}
        is_operation = isinstance(value, Operation) and not in_container
        if is_operation or isinstance(value, type) or type(value).__module__ == "builtins":
            raise TypeError(f"{name}: {value!r} cannot be saved")
        return self.serialize_object(value, name)

    def serialize_object(self, value: Any, name: str) -> dict[str, Any]:
        """Return the class and the constructor arguments of ``value``. Raises as ``serialize``."""
        cls, class_name = _class_in_file(type(value))
        if class_name is None:
            class_name = self._add_custom(cls, name)
        arguments = _without_later_defaults(_configuration(value, cls, name), cls)
        in_container = isinstance(value, Container)
        return {
            "class": class_name,
            "arguments": {
                argument: self.serialize(item, f"{name}.{argument}", in_container=in_container)
                for argument, item in arguments.items()
            },
        }

    def _add_array(self, array: Array, name: str) -> str:
        if array.dtype.kind not in "fiub" or array.itemsize > 8:
            raise TypeError(f"{name}: an array of {array.dtype} cannot be saved: convert it first")
        while name in self.arrays:  # {"a.b": …} beside {"a": {"b": …}}
            name += "+"
        self.arrays[name] = array
        return name

    def _add_custom(self, custom: Any, name: str) -> str:
        custom_name: str = custom.__name__
        if not custom_name.isidentifier():
            raise TypeError(f"{name}: {custom!r} cannot be saved, since it has no name: use def")
        if self.custom.setdefault(custom_name, custom) is not custom:
            raise TypeError(f"{name}: {custom!r} cannot be saved beside another {custom_name}")
        return custom_name


class Deserializer:
    """Makes objects from JSON. Its methods raise ValueError for JSON that ``Serializer`` never
    makes.

    Args:
        arrays: the arrays that the JSON may refer to.
        custom: the user's classes and functions that it may name: see ``check_custom``.

    Attributes:
        used: the names of the arrays that the JSON has referred to so far.
    """

    def __init__(self, arrays: Mapping[str, Array], custom: Mapping[str, Any]) -> None:
        self.arrays, self._custom = arrays, custom
        self.used: set[str] = set()

    def deserialize(self, value: Any, load_operation: OperationFunction | None = None) -> Any:
        """Return the value that ``Serializer.serialize`` was given.

        Operations can only be in it with ``load_operation``, which makes each from its JSON.
        """
        deserialize = partial(self.deserialize, load_operation=load_operation)
        if isinstance(value, list):
            return [deserialize(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "class" in value:
            if load_operation is not None and not is_argument_name(value["class"]):
                return load_operation(value)
            cls, arguments = self._class_and_arguments(value, Configurable, is_argument=True)
            return cls(**arguments)
        match list(value.items()):
            case [("array", str(name))]:
                return self._array(name)
            case [("tuple", list(items))]:
                return tuple(deserialize(items))
            case [("dict", dict(items))]:
                return {key: deserialize(item) for key, item in items.items()}
            case [("function", str(name))] if inspect.isfunction(self._find_custom(name)):
                return self._find_custom(name)
        raise ValueError(f"{_shortened(value)} is no serialized value")

    def has(self, name: str) -> bool:
        """Whether there is a class or function of the user's own of this name."""
        return name in self._custom

    def pass_over(self, name: str) -> None:
        """Count the arrays of the part ``name`` as used: it is not made."""
        self.used |= {array for array in self.arrays if array.startswith(name)}

    def class_and_arguments(
        self, value: Any, base: type, load_operation: OperationFunction | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Return the class of a serialized part of a model, and the arguments to call it with.

        A class of this library must be derived from ``base``. A class of the user's own need not
        be, but an operation can only stand where ``base`` is ``Operation``. ``load_operation``
        makes the operations inside a container from their JSON.
        """
        return self._class_and_arguments(value, base, load_operation, is_argument=False)

    def _class_and_arguments(
        self,
        value: Any,
        base: type,
        load_operation: OperationFunction | None = None,
        *,
        is_argument: bool,
    ) -> tuple[Any, dict[str, Any]]:
        match value:
            case {"class": str(name), "arguments": dict(arguments)} if len(value) == 2:
                if "." in name:
                    cls: Any = find_class(name, is_argument=is_argument)
                    fits = cls is not None and issubclass(cls, base)
                else:
                    cls = self._find_custom(name)
                    fits = isinstance(cls, type)
                if not fits or (issubclass(cls, Operation) and base is not Operation):
                    raise ValueError(f"{name!r} is not the name of a class that can stand there")
                if not issubclass(cls, Container):
                    load_operation = None
                deserialize = partial(self.deserialize, load_operation=load_operation)
                return cls, {key: deserialize(item) for key, item in arguments.items()}
        raise ValueError(f"{_shortened(value)} is no serialized object")

    def _array(self, name: str) -> Array:
        if name not in self.arrays:
            raise ValueError(f"there is no tensor {name!r}")
        self.used.add(name)
        return self.arrays[name]

    def _find_custom(self, name: str) -> Any:
        if name not in self._custom:
            raise ValueError(
                f"it has {name!r}, which is not part of dinputs: pass that class or function in "
                "custom_operations"
            )
        return self._custom[name]


def check_custom(custom: Iterable[Any]) -> dict[str, Any]:
    """Return the user's classes and functions by name.

    Raises TypeError for anything else, ValueError for two of the same name.
    """
    found: dict[str, Any] = {}
    for value in custom:
        if not (isinstance(value, type) or inspect.isfunction(value)):
            raise TypeError(f"custom_operations must be classes and functions, received {value!r}")
        if found.setdefault(value.__name__, value) is not value:
            raise ValueError(f"custom_operations has two of the name {value.__name__}")
    return found


def _class_in_file(cls: type) -> tuple[type, str | None]:
    """Return the class that a file names for an object of ``cls``, and its name if it is public.

    A class of this library that is not public is saved as the public class it is derived from.
    """
    for base in cls.__mro__:
        if (name := public_name(base)) is not None:
            return base, name
        if base.__module__.partition(".")[0] not in ("framework", "optimizers"):
            break
    return cls, None


def _configuration(value: Any, cls: Any, name: str) -> dict[str, Any]:
    """Return the arguments that make ``value`` an object of ``cls``."""
    default: Any = Configurable.configuration
    configuration = getattr(cls, "configuration", default)
    try:
        if configuration is not default:
            return dict(configuration(value))
        if cls.__new__ is not object.__new__:
            raise TypeError("it has __new__")
        kinds = {p.kind for p in inspect.signature(cls).parameters.values()}
        if kinds & {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}:
            raise TypeError("its constructor takes * or **")
        return {argument: getattr(value, argument) for argument in constructor_arguments(cls)}
    except (AttributeError, TypeError, ValueError) as error:
        raise TypeError(
            f"{name}: {value!r} cannot be saved: its class has to keep every constructor "
            f"argument in an attribute of that name, or to have configuration(): {error}"
        ) from None


def _without_later_defaults(arguments: dict[str, Any], cls: Any) -> dict[str, Any]:
    """Return ``arguments`` without the defaults that older versions of ``cls`` do not know."""
    later, parameters = getattr(cls, "later_arguments", ()), constructor_arguments(cls)
    return {
        name: value
        for name, value in arguments.items()
        if name not in later or value != parameters[name].default
    }


def _shortened(value: Any) -> str:
    return repr(value)[:100]

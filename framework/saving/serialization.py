"""Objects as JSON: the name of their class, and the arguments they were made with.

    Dropout(0.2)  ->  {"class": "framework.Dropout", "arguments": {"rate": 0.2}}

A class of this library is named as a user imports it; a class or a function of somebody else's by
its bare name, under which it has to be given again when the description is read. Names are looked
up in our own packages and in what was given, and nowhere else, so a description cannot make
anything be imported or run.

Arguments can be None, numbers, texts, arrays, functions, initializers, schedules and other such
objects, and lists, tuples and dictionaries of all these. Arrays are kept apart from the JSON.
"""

import importlib
import inspect
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from framework.operation import Array, Operation
from optimizers.configuration import Configurable, constructor_arguments

# Where our parts of a model are found, and what they are given as arguments.
PACKAGES_OF_PARTS = ("framework", "optimizers", "framework.nnfs_book")
PACKAGES_OF_ARGUMENTS = ("framework.initializers", "optimizers.schedules")


class Writer:
    """Writes descriptions.

    Attributes:
        arrays: every array among the arguments so far, by the name that stands for it.
        own: the classes and functions of the user's own so far, as ``Reader`` needs them.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}
        self.own: dict[str, Any] = {}

    def write(self, value: Any, place: str) -> Any:
        """Return ``value`` in a form that JSON has; ``place`` says where it belongs.

        Raises TypeError for what cannot be described.
        """
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, (np.bool_, np.integer, np.floating)):
            if value.itemsize > 8:
                raise TypeError(f"{place}: {value!r} cannot be saved: make it a float")
            return value.item()
        if isinstance(value, np.dtype):
            return value.name
        if isinstance(value, np.ndarray):
            return {"array": self._name_array(value, place)}
        if isinstance(value, list):
            return [self.write(item, f"{place}.{i}") for i, item in enumerate(value)]
        if isinstance(value, tuple):
            return {"tuple": self.write(list(value), place)}
        if isinstance(value, dict):
            if not all(isinstance(key, str) for key in value):
                raise TypeError(f"{place}: {value!r} cannot be saved: its keys must be texts")
            return {
                "dict": {key: self.write(item, f"{place}.{key}") for key, item in value.items()}
            }
        if inspect.isfunction(value):
            return {"function": self._own_name(value, place)}
        if isinstance(value, (type, Operation)) or type(value).__module__ == "builtins":
            raise TypeError(f"{place}: {value!r} cannot be saved")
        return self.write_object(value, place)

    def write_object(self, value: Any, place: str) -> dict[str, Any]:
        """Return the class and the arguments of ``value``. Raises as ``write``."""
        cls, name = _described_class(type(value))
        if name is None:
            name = self._own_name(cls, place)
        arguments = _configuration(value, cls, place)
        return {
            "class": name,
            "arguments": {
                argument: self.write(given, f"{place}.{argument}")
                for argument, given in arguments.items()
            },
        }

    def _name_array(self, array: Array, place: str) -> str:
        if array.dtype.kind not in "fiub" or array.itemsize > 8:
            raise TypeError(f"{place}: an array of {array.dtype} cannot be saved: convert it first")
        name = place
        while name in self.arrays:  # {"a.b": …} beside {"a": {"b": …}}
            name += "+"
        self.arrays[name] = array
        return name

    def _own_name(self, own: Any, place: str) -> str:
        name: str = own.__name__
        if not name.isidentifier():
            raise TypeError(f"{place}: {own!r} cannot be saved, since it has no name: use def")
        if self.own.setdefault(name, own) is not own:
            raise TypeError(f"{place}: {own!r} cannot be saved beside another {name}")
        return name


class Reader:
    """Makes objects of descriptions. Every method raises ValueError for what is none.

    Args:
        arrays: those that a description may name.
        own: the classes and functions that it may name beside ours: see ``check_own``.

    Attributes:
        used: the names of the arrays that were asked for so far.
    """

    def __init__(self, arrays: Mapping[str, Array], own: Mapping[str, Any]) -> None:
        self.arrays, self._own = arrays, own
        self.used: set[str] = set()

    def read(self, value: Any) -> Any:
        """Return what ``Writer.write`` was given."""
        if isinstance(value, list):
            return [self.read(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "class" in value:
            cls, arguments = self.class_and_arguments(value, Configurable, PACKAGES_OF_ARGUMENTS)
            return cls(**arguments)
        match list(value.items()):
            case [("array", str(name))]:
                return self.array(name)
            case [("tuple", list(items))]:
                return tuple(self.read(items))
            case [("dict", dict(items))]:
                return {key: self.read(item) for key, item in items.items()}
            case [("function", str(name))] if inspect.isfunction(self._found(name)):
                return self._found(name)
        raise ValueError(f"nothing is described by {_shortened(value)}")

    def class_and_arguments(
        self, value: Any, base: type, packages: Iterable[str] = PACKAGES_OF_PARTS
    ) -> tuple[Any, dict[str, Any]]:
        """Return the class that ``value`` names, and the arguments to make it with.

        A class of ours has to be one of ``packages`` and derived from ``base``. An operation has
        to be asked for as one: among the arguments of something else there is none.
        """
        match value:
            case {"class": str(name), "arguments": dict(arguments)} if len(value) == 2:
                if "." in name:
                    cls = _public_class(name, packages)
                    fits = cls is not None and issubclass(cls, base)
                else:
                    cls = self._found(name)
                    fits = isinstance(cls, type)
                if not fits or (issubclass(cls, Operation) and base is not Operation):
                    raise ValueError(f"{name!r} is not the name of a class that can stand there")
                return cls, {key: self.read(item) for key, item in arguments.items()}
        raise ValueError(f"no object is described by {_shortened(value)}")

    def array(self, name: str) -> Array:
        """Return the array called ``name``."""
        if name not in self.arrays:
            raise ValueError(f"there is no tensor {name!r}")
        self.used.add(name)
        return self.arrays[name]

    def _found(self, name: str) -> Any:
        if name not in self._own:
            raise ValueError(
                f"it has {name!r}, which is none of ours: give that class or function in "
                "custom_operations"
            )
        return self._own[name]


def check_own(own: Iterable[Any]) -> dict[str, Any]:
    """Return classes and functions by name. Raises TypeError or ValueError if they are not."""
    found: dict[str, Any] = {}
    for thing in own:
        if not (isinstance(thing, type) or inspect.isfunction(thing)):
            raise TypeError(f"custom_operations must be classes and functions, received {thing!r}")
        if found.setdefault(thing.__name__, thing) is not thing:
            raise ValueError(f"custom_operations has two of the name {thing.__name__}")
    return found


def _described_class(cls: type) -> tuple[type, str | None]:
    """The class that a file names for an object of ``cls``, and its name if it is one of ours.

    Of ours, one that is not public, as a compiled twin, stands for the public one that it is
    derived from.
    """
    for base in cls.__mro__:
        if (name := _public_name(base)) is not None:
            return base, name
        if base.__module__.partition(".")[0] not in ("framework", "optimizers"):
            break
    return cls, None


def _configuration(value: Any, cls: Any, place: str) -> dict[str, Any]:
    """The arguments of ``value`` as an object of ``cls``."""
    usual: Any = Configurable.configuration
    find = getattr(cls, "configuration", usual)
    try:
        if find is not usual:
            return dict(find(value))
        if cls.__new__ is not object.__new__:
            raise TypeError("it has __new__")
        kinds = {p.kind for p in inspect.signature(cls).parameters.values()}
        if kinds & {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}:
            raise TypeError("its constructor takes * or **")
        return {name: getattr(value, name) for name in constructor_arguments(cls)}
    except (AttributeError, TypeError, ValueError) as error:
        raise TypeError(
            f"{place}: {value!r} cannot be saved: its class has to keep every constructor "
            f"argument in an attribute of that name, or to have configuration(): {error}"
        ) from None


def _public_name(cls: type) -> str | None:
    """The name that users import ``cls`` by, if it is one of ours."""
    for package in (*PACKAGES_OF_PARTS, *PACKAGES_OF_ARGUMENTS):
        # A class that is in use has been imported.
        if vars(sys.modules.get(package, object)).get(cls.__name__) is cls:
            return f"{package}.{cls.__name__}"
    return None


def _public_class(name: str, packages: Iterable[str]) -> Any:
    package, _, attribute = name.rpartition(".")
    if package not in packages:
        return None
    found = vars(importlib.import_module(package)).get(attribute)
    # A module also has what it imported from elsewhere.
    return found if isinstance(found, type) and _public_name(found) == name else None


def _shortened(value: Any) -> str:
    return repr(value)[:100]

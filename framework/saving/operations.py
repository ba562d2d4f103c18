"""The operations of a file, each made only if the file has arrays of the shapes it needs.

So a file cannot demand memory for parameters that are not in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from framework.containers import Container
from framework.operation import Operation
from framework.saving.format_1 import ADDED
from framework.saving.serialization import Deserializer

# A function of an operation's position and class, and of the name and shape of one of its arrays.
CheckArray: TypeAlias = Callable[[int, type, str, tuple[int, ...]], None]


class OperationLoader:
    """Makes the operations of a model from their JSON.

    Raises errors of many types for a file that does not fit: use it inside ``saved_file_errors``.
    """

    def __init__(self, deserializer: Deserializer) -> None:
        self._deserializer = deserializer
        self._arrays = deserializer.arrays
        # Arrays that no operation inside a container has needed so far, by the position of the
        # container, their own name and their shape.
        self._inner_arrays: Counter[tuple[str, str, tuple[int, ...]]] = Counter()
        for path, array in self._arrays.items():
            start, _, rest = path.partition(".")
            position, _, inner = rest.partition(".")
            if start == "layers" and "." in inner:
                self._inner_arrays[position, inner.rpartition(".")[2], array.shape] += 1

    def load(self, serialized: Any, position: int) -> Any:
        """Return the operation at this position of the model."""
        return self._load(serialized, position, self._check_array)

    def _load(self, serialized: Any, position: int, check_array: CheckArray) -> Any:
        """Make an operation, after ``check_array`` for each of its arrays."""

        def load_inner(inner: Any) -> Any:
            return self._load(inner, position, self._check_inner_array)

        cls, arguments = self._deserializer.class_and_arguments(serialized, Operation, load_inner)
        for name, shape in _stored_shapes(cls, arguments).items():
            if name not in ADDED:
                check_array(position, cls, name, shape)
        return cls(**arguments)

    def _check_array(self, position: int, cls: type, name: str, shape: tuple[int, ...]) -> None:
        """Raise ValueError unless the operation at this position has such an array."""
        array = self._arrays.get(f"layers.{position}.{name}")
        if array is None or array.shape != shape:
            found = "none" if array is None else str(array.shape)
            raise ValueError(
                f"operation {position + 1}, {cls.__name__}, needs {name} of shape {shape}; "
                f"there is {found}"
            )

    def _check_inner_array(
        self, position: int, cls: type, name: str, shape: tuple[int, ...]
    ) -> None:
        """Raise ValueError unless such an array is left inside the container at this position."""
        key = (str(position), name, shape)
        if not self._inner_arrays[key]:
            raise ValueError(
                f"operation {position + 1} contains {cls.__name__}, which needs {name} of "
                f"shape {shape}; there is none"
            )
        self._inner_arrays[key] -= 1


def _stored_shapes(cls: Any, arguments: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arrays that an object of ``cls`` with these arguments has."""
    if not hasattr(cls, "stored_shapes") or issubclass(cls, Container):
        return {}
    try:
        shapes: dict[str, tuple[int, ...]] = cls.stored_shapes(arguments)
    except KeyError:  # a subclass of the user's own with other arguments than its base
        shapes = {}
    return shapes

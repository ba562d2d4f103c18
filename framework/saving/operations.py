"""The operations of a file, each made only if the file has arrays of the shapes it needs.

So a file cannot demand memory for parameters that are not in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any

from framework.containers import Container
from framework.operation import Operation
from framework.saving.serialization import Deserializer


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
        cls, arguments = self._deserializer.class_and_arguments(
            serialized, Operation, partial(self._load_inner, position)
        )
        for name, shape in _stored_shapes(cls, arguments).items():
            tensor = self._arrays.get(f"layers.{position}.{name}")
            if tensor is None or tensor.shape != shape:
                found = "none" if tensor is None else str(tensor.shape)
                raise ValueError(
                    f"operation {position + 1}, {cls.__name__}, needs {name} of shape {shape}; "
                    f"there is {found}"
                )
        return cls(**arguments)

    def _load_inner(self, position: int, serialized: Any) -> Any:
        """Return an operation inside the container at this position of the model."""
        cls, arguments = self._deserializer.class_and_arguments(
            serialized, Operation, partial(self._load_inner, position)
        )
        for name, shape in _stored_shapes(cls, arguments).items():
            key = (str(position), name, shape)
            if not self._inner_arrays[key]:
                raise ValueError(
                    f"operation {position + 1} contains {cls.__name__}, which needs {name} of "
                    f"shape {shape}; there is none"
                )
            self._inner_arrays[key] -= 1
        return cls(**arguments)


def _stored_shapes(cls: Any, arguments: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arrays that an object of ``cls`` with these arguments has."""
    if not hasattr(cls, "stored_shapes") or issubclass(cls, Container):
        return {}
    try:
        shapes: dict[str, tuple[int, ...]] = cls.stored_shapes(arguments)
    except KeyError:  # a subclass of the user's own with other arguments than its base
        shapes = {}
    return shapes

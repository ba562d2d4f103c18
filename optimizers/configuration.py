"""Objects that can return their constructor arguments.

Layers, losses, optimizers, initializers and schedules keep every constructor argument in an
attribute of the same name. From these attributes come their repr and the configuration that is
saved with a model.
"""

from __future__ import annotations

import inspect
from typing import Any


def constructor_arguments(cls: Any) -> dict[str, inspect.Parameter]:
    """Return the arguments of ``cls(...)`` by name, without ``*args`` and ``**kwargs``."""
    if cls.__init__ is object.__init__:
        return {}
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    return {p.name: p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}


class Configurable:
    """Base class of objects whose constructor arguments are also attributes."""

    def configuration(self) -> dict[str, Any]:
        """Return the constructor arguments by name, with their present values.

        ``type(self)(**self.configuration())`` makes a new object with the same arguments. Raises
        AttributeError for a class that does not keep an argument under the same name.
        """
        return {name: getattr(self, name) for name in constructor_arguments(type(self))}

    def __repr__(self) -> str:
        shown = []
        for name, parameter in constructor_arguments(type(self)).items():
            value = getattr(self, name, parameter.default)
            if value is parameter.empty:  # a subclass that does not keep this argument
                shown.append("…")
            elif parameter.default is parameter.empty:
                shown.append(_text(value))
            elif value is not parameter.default and _differ(value, parameter.default):
                shown.append(f"{name}={_text(value)}")
        return f"{type(self).__name__}({', '.join(shown)})"


def _differ(value: Any, default: Any) -> bool:
    try:
        return bool(value != default)
    except ValueError:  # arrays, which are compared element by element
        return True


def _text(value: Any) -> str:
    return getattr(value, "__name__", None) or repr(value)

"""Attributes that were renamed: the old name goes on working, with a DeprecationWarning."""

from __future__ import annotations

from typing import Any

from framework.utils.warnings import warn_user


class RenamedAttribute:
    """The old name of an attribute. Reading and setting it reach the new one.

    >>> import warnings
    >>> class Circle:
    ...     breadth = RenamedAttribute("width")
    ...     width = 3
    >>> with warnings.catch_warnings(record=True) as shown:
    ...     warnings.simplefilter("always")
    ...     Circle().breadth
    3
    >>> print(shown[0].message)
    Circle.breadth was renamed: use width
    """

    def __init__(self, new: str) -> None:
        self.new = new

    def __set_name__(self, owner: type, old: str) -> None:
        self.message = f"{owner.__name__}.{old} was renamed: use {self.new}"

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        warn_user(self.message, DeprecationWarning)
        return getattr(owner if instance is None else instance, self.new)

    def __set__(self, instance: Any, value: Any) -> None:
        warn_user(self.message, DeprecationWarning)
        setattr(instance, self.new, value)

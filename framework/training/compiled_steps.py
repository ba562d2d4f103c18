"""A model whose steps of training compiled code can take."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from numpy.typing import DTypeLike

from framework.containers.supervised import Supervised
from framework.utils.forks import importing


class CompiledSteps(Supervised):
    """A ``Supervised`` with the ``trainer`` that takes its steps, once it is ``accelerated``.

    ``Model`` derives from it, and documents its arguments.
    """

    def __init__(self, operations: Iterable[Any] = (), *, dtype: DTypeLike | None = None) -> None:
        self.accelerated = False
        self._trainer: tuple[Any, Any] | None = None
        super().__init__(operations, dtype=dtype)

    def finalize(self, *, accelerated: bool | None = None) -> None:
        """See ``Model.finalize``."""
        if accelerated:
            with importing:
                import framework.accelerated  # noqa: F401 - raises where it cannot be had
        self.accelerated = bool(accelerated)
        super().finalize()

    @property
    def trainer(self) -> Any:
        """The object that takes whole steps in one compiled call, or None for plain steps.

        Warns, once for each loss, optimizer and accuracy, if it is None though the model is
        ``accelerated``.
        """
        if not self.accelerated or self.loss is None or self.optimizer is None:
            return None
        parts = (self._fused, self.loss, self.optimizer, self.accuracy)
        if self._trainer is None or self._trainer[0] != parts:
            from framework.accelerated import trainer_of

            self._trainer = (parts, trainer_of(self, self.before_loss, self._fused or self.loss))
        return self._trainer[1]

    def _connect(self) -> None:
        self._trainer = None
        super()._connect()
        self.trainer  # noqa: B018 - warns if a part of the model has no kernel

    def __getstate__(self) -> dict[str, Any]:
        # Compiled steps are prepared anew, where there is numba: a copy runs without it as well.
        left_out = ("_hidden", "_all", "_trainer")
        return {name: value for name, value in self.__dict__.items() if name not in left_out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._trainer = None
        if self.accelerated:
            try:
                import framework.accelerated  # noqa: F401
            except ImportError:
                self.accelerated = False
        if self._parameters is not None:
            self._line_up()

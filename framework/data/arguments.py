"""The arguments of ``Model.train`` that are about data, as one object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from numpy.typing import ArrayLike

from framework.checks import check_count
from framework.data.checks import Transform
from framework.data.class_weights import ClassWeight, check_class_weight

# Data, targets and, if the samples have any, their weights; or an iterable of such batches.
ValidationData: TypeAlias = (
    tuple[ArrayLike, ArrayLike] | tuple[ArrayLike, ArrayLike, ArrayLike | None] | Iterable[Any]
)


@dataclass(frozen=True, kw_only=True, eq=False)
class DataArguments:
    """The arguments that ``training_batches`` takes; ``Model.train`` documents each of them."""

    X: Any
    y: ArrayLike | None
    batch_size: int | None
    sample_weight: ArrayLike | None
    class_weight: ClassWeight
    validation_data: ValidationData | None
    validation_split: float
    shuffle: bool
    transform: Transform | None

    def checked(self) -> DataArguments:
        """Return the arguments with ``batch_size`` as an int, and class weights as floats.

        Data and weights are checked against the model later: see ``training_batches``.

        Raises TypeError or ValueError for an argument that cannot be right for any model.
        """
        batch_size = self.batch_size
        if batch_size is not None:
            batch_size = check_count("batch_size", batch_size)
        transform = self.transform
        if transform is not None and (isinstance(transform, type) or not callable(transform)):
            raise TypeError(f"transform must be a function of a batch's X, received {transform!r}")
        class_weight = check_class_weight(self.class_weight)
        return replace(self, batch_size=batch_size, class_weight=class_weight)

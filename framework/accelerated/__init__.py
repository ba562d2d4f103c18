"""Compiled twins of the operations that matter to speed, for ``Model.finalize(accelerated=True)``.

The NumPy classes are the specification, and what people read and hold. A twin of ``dense.py`` or
``adam.py`` here computes the same in fewer passes over memory, and ``program.py`` runs many of them
in one call. Nothing outside this folder knows numba, and nothing here is imported before it is
asked for.
"""

from framework.utils.optional import required

required("numba", "'dinputs[fast]'")

from framework.accelerated.stretch import stretches  # noqa: E402
from framework.accelerated.trainer import Trainer, trainer_of  # noqa: E402
from framework.accelerated.updater import Updater, updater_of  # noqa: E402

__all__ = ["Trainer", "Updater", "stretches", "trainer_of", "updater_of"]

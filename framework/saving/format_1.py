"""The names in files of format 1 that are not those of the code.

The code's names may change; those in files may not, since older files are read for good. Every
other name in a file is that of the attribute or the argument that it holds.
"""

from __future__ import annotations

# In the model: ``optimizer_state.accuracy_state``.
ACCURACY_STATE = "learned_by_accuracy"

# Beside the model: ``optimizer_state.optimizer_state``, and the arrays in it.
OPTIMIZER_STATE = "remembered"
OPTIMIZER_ARRAYS = "memory"

# In a checkpoint: ``SavedTraining.initial``, ``rng.rng_state`` and ``Checkpoint.best_value``.
INITIAL = "began"
RNG_STATE = "chance"
BEST_VALUE = "best_figure"

# The attributes of ``EpochSums``.
SUMS = {
    "total_weight": "amount",
    "data_loss": "data_loss",
    "penalties": "penalties",
    "correct": "right",
}

# Arrays that older files do not have, and that are 0 there.
ADDED = ("mean_rest",)

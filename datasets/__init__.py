"""Data to learn from: made up, or read from files; and what a training loop needs of data."""

from datasets.batches import batch, one_hot_encode
from datasets.logic_gates import logic_gate
from datasets.synthetic import sine_data, spiral_data, vertical_data

__all__ = [
    "batch",
    "logic_gate",
    "one_hot_encode",
    "sine_data",
    "spiral_data",
    "vertical_data",
]

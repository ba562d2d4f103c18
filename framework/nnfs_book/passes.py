"""Means accumulated over the batches of an epoch."""

from __future__ import annotations


class Passes:
    """Accumulates a mean over the samples since ``new_pass``."""

    accumulated_sum = 0.0
    accumulated_count = 0

    def new_pass(self) -> None:
        """Reset the mean."""
        self.accumulated_sum, self.accumulated_count = 0.0, 0

    def _accumulate(self, mean: float, samples: int) -> None:
        self.accumulated_sum += mean * samples
        self.accumulated_count += samples

    def _accumulated_mean(self) -> float:
        if not self.accumulated_count:
            raise RuntimeError("calculate_accumulated needs a calculate since the last new_pass")
        return self.accumulated_sum / self.accumulated_count

"""Overlaps between replicas of one realisation, q = (1/N) Σ_i S_i^a S_i^b (Edwards and Anderson).

Replicas that were cooled independently share the disorder alone: what they agree on, the disorder
has decided.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glasspipe.kernels import tempering as kernels
from glasspipe.spins.diagnostics import OVERLAP_BINS


@dataclass(frozen=True)
class Overlaps:
    """Overlaps of all pairs of replicas at each temperature, as they are being counted.

    Parameters
    ----------
    counts : float array, shape (steps, bins)
        Histogram of q, equal bins from −1 to 1, each q spread over 2/(N + 1).
    sums : float array, shape (3, steps)
        Sums of q, |q| and q².
    """

    counts: NDArray[np.float64]
    sums: NDArray[np.float64]

    @classmethod
    def none(cls, steps: int) -> "Overlaps":
        """Return a count that has not begun."""
        return cls(np.zeros((steps, OVERLAP_BINS)), np.zeros((3, steps)))

    def add_step(self, S: NDArray[np.float32], size: int, step: int) -> None:
        """Count all replicas as being at one step."""
        here = slice(step, step + 1)
        at = np.arange(len(S))[:, None]
        kernels.count_overlaps(S, size, at, self.counts[here], self.sums[:, here])

    def means(self) -> NDArray[np.float64]:
        """Return ⟨q⟩, ⟨|q|⟩ and ⟨q²⟩, shape (3, steps), NaN where nothing was counted."""
        pairs = self.counts.sum(axis=1)
        return self.sums / np.where(pairs > 0, pairs, np.nan)

"""The tails of the fields, |X|^−(1 + 3/p) where the concentration is so small that there is a tail.

They start far above the typical field and end where the lattice shows, which is at so large a field
that only at small concentrations the two are apart.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glasspipe.statistics import Estimate, tail_exponent

if TYPE_CHECKING:
    from glasspipe.report.expectation import Expectation

FROM = 20.0
"""Of the scale of the dilute limit: its exponent is within 0.005 (B) to 0.08 (J) of 1 + 3/p."""
DENSITY = 1 / 64
"""The x at whose scale a tail ends: that of a defect four neighbour distances away."""
SHORTEST = 3.0
"""Ratio of the ends of a tail that is long enough."""


def exponent(
    values: NDArray[np.float64],
    known: "Expectation",
    x: float,
    rng: np.random.Generator,
    resamples: int,
) -> Estimate:
    """Return the exponent of the tail about the limit's centre, nan if there is none.

    Parameters
    ----------
    values : array (realisations, defects)
        The field, eV.
    known : Expectation
        What theory expects of it.
    x : float
        Realised concentration.
    rng, resamples
        As in :func:`glasspipe.statistics.tail_exponent`.
    """
    lower = FROM * known.scale
    upper = known.scale * (DENSITY / x) ** (1 / known.limit.alpha)
    if not known.coupled or upper < SHORTEST * lower:
        return Estimate(np.nan, np.nan, np.empty(0))
    apart = values - known.limit.mean_centre
    return tail_exponent(apart, rng, lower=lower, upper=upper, resamples=resamples)

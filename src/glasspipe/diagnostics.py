"""How well spins were frozen, and what they show on the way: numbers from the traces alone.

Nothing here knows the ground state, so quality is what can be seen from inside: whether the run
began hot and ended cold, how much the final quench still found to gain, whether replicas agree. The
limits were set by runs known to be poor or good (`docs/freezing.md`); each is exceeded by a run
with a tenth of the sweeps, or ended at four times the temperature.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Data = Mapping[str, NDArray[Any]]

OVERLAP_BINS = 40
"""Equal bins of the overlap q from −1 to 1."""

LOG_BINS = 6
"""Bins of tempered sweeps: the last half, the quarter before it, the eighth before that, …"""


def specific_heat(mean: Array, variance: Array, T: Array, size: int) -> Array:
    """Return C/N = (⟨E²⟩ − ⟨E⟩²)/(N T²) at each temperature.

    The variance over the sweeps at a temperature misses what changes more slowly than they last;
    the variance between replicas has it. Their sum is right however slow the changes are; with one
    replica, and few sweeps at a temperature, the result is too low.

    Parameters
    ----------
    mean, variance : arrays, shape (replicas, steps)
        Of the total energy over the sweeps at each temperature, eV and eV².
    T : array, shape (steps,)
        Temperatures k_B T, eV.
    size : int
        Number of spins.

    Returns
    -------
    array, shape (steps,)
        In units of k_B; NaN where T is 0.
    """
    total = variance.mean(axis=0)
    if len(mean) > 1:
        total = total + mean.var(axis=0, ddof=1)
    return total / (size * np.where(T > 0, T, np.nan) ** 2)


@dataclass(frozen=True)
class Criterion:
    """A limit that a well frozen sample keeps.

    Parameters
    ----------
    name : str
        What is measured.
    least, most : float
        Its limits.
    advice : str
        What to do about it.
    """

    name: str
    advice: str
    least: float = -np.inf
    most: float = np.inf

    def complaint(self, value: float) -> str:
        """Return what is wrong, or nothing."""
        if value < self.least:
            return f"{self.name} is {value:.2g}, below {self.least:g}: {self.advice}"
        if value > self.most:
            return f"{self.name} is {value:.2g}, above {self.most:g}: {self.advice}"
        return ""


CRITERIA = {
    "acceptance_start": Criterion("acceptance at t_start", "raise freeze.t_start", least=0.6),
    "acceptance_end": Criterion("acceptance at t_end", "lower freeze.t_end", most=0.03),
    "quench_gain": Criterion("share of the energy won by the quench", "more sweeps", most=0.015),
    "replica_excess": Criterion(
        "mean excess of the replicas over the lowest", "more sweeps", most=0.007
    ),
    "swap_rate": Criterion("lowest rate of exchanges", "more freeze.steps", least=0.1),
    "drift": Criterion("drift of the energy while measured", "more sweeps", most=0.005),
}
"""What is asked of a run, by the name of the measure; energies are in units of the frozen one."""


def measures(data: Data) -> dict[str, Array]:
    """Return what :data:`CRITERIA` judge, for each realisation.

    Parameters
    ----------
    data : mapping of str to array
        Variables of a frozen file, the first axis being the realisations: ``T``, ``energy``,
        ``acceptance``, ``trace_energy``, ``replica_energy``; from tempering ``swap_rate`` and
        ``log_energy``.

    Returns
    -------
    dict of str to array, shape (realisations,)
        Only what there is: the replicas' disagreement needs two.
    """
    unit = np.where(data["T"][:, 0] > 0, np.abs(data["energy"]), np.nan)
    acceptance, replicas = data["acceptance"].mean(axis=1), data["replica_energy"]
    found = {"acceptance_start": acceptance[:, 0], "acceptance_end": acceptance[:, -1]}
    found = {name: np.where(np.isfinite(unit), value, np.nan) for name, value in found.items()}
    if replicas.shape[1] > 1:
        found["replica_excess"] = (replicas.mean(axis=1) - data["energy"]) / unit
    if "swap_rate" in data:
        found["swap_rate"] = data["swap_rate"].mean(axis=1).min(axis=1)
        late, earlier = data["log_energy"][:, :, 0], data["log_energy"][:, :, 1]
        found["drift"] = np.abs(late - earlier).mean(axis=1).max(axis=1) / unit
    else:
        found["quench_gain"] = (data["trace_energy"][:, :, -1] - replicas).mean(axis=1) / unit
    return found


def complaints(means: Mapping[str, float]) -> list[str]:
    """Return what is poor about a run, given its measures' means over realisations."""
    return [line for name, value in means.items() if (line := CRITERIA[name].complaint(value))]

"""What a realisation costs with U stored and without, in seconds of one core.

The cheaper engine is chosen by it, and a study's forecast is made of it. The times are no better
than the constants, which were measured on one core of one machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from typing import Any

DENSE_MATRICES = 3
"""N × N arrays of float64 that the hungriest job with a stored U holds at once."""
LARGEST_DENSE = 4e9
"""Bytes up to which a whole U is made unasked."""
MOST_DENSE = isqrt(int(LARGEST_DENSE // (8 * DENSE_MATRICES)))
"""Defects up to which it is."""
CRYSTAL, PRINTED = 9.0, 3.0
"""Time of a pair in a cubic medium, and of a coupling as printed, over the usual one."""
SECONDS_PER_PAIR = {"couplings": 1.1e-6, "fields": 1.4e-6, "hamiltonian": 1.4e-6}
OF_WAVES = {"couplings": 0.045, "fields": 0.065, "hamiltonian": 0.065}
"""Of a realisation in a crystal, whose far part has its many waves however few the defects are."""
SECONDS_PER_VISIT, SECONDS_PER_SPIN, CACHED_SPINS = 22e-9, 0.1e-9, 2500
"""Of an attempted flip: its own part, and the row of U, by its length where U is in no cache;
replicas share rows."""
SECONDS_PER_READ, SECONDS_PER_ENTRY = 45e-9, 2.5e-9
"""Of an entry of U: to read it, and in what a replica does in float64, the quench above all."""
_OF_LISTS = {
    False: {"couplings": (0.07, 1.7e-5), "freeze": (0.18, 2.5e-5), "fields": (0.16, 4.5e-5)},
    True: {"couplings": (0.2, 4.3e-4), "freeze": (1.6, 4.0e-4), "fields": (0.45, 1.15e-3)},
}
"""Without a stored U: of a realisation, and of a defect in it; of a crystal where True."""
_SECONDS_PER_SWEEP, _SECONDS_PER_LISTED_FLIP = 2.1e-3, 1.1e-6
"""Of a replica's sweep, for the refreshes of its far field, and of an attempted flip in it."""


@dataclass(frozen=True)
class Engine:
    """How U is applied to N defects, and what that costs.

    Parameters
    ----------
    stored : bool
        Whether U is stored.
    crystal : bool
        Whether the medium is one.
    printed : bool
        Whether couplings are those that the paper prints.
    """

    stored: bool
    crystal: bool
    printed: bool = False

    def summing(self, stage: str, defects: int) -> float:
        """Seconds of the sums of a stage, one of :data:`SECONDS_PER_PAIR`."""
        if not self.stored:
            once, each = _OF_LISTS[self.crystal][stage]
            return once + each * defects
        return self._over_pairs(stage, defects)

    def _over_pairs(self, stage: str, defects: int) -> float:
        """Seconds of a stage's sums over all pairs."""
        slower = (CRYSTAL if self.crystal else 1.0) * (PRINTED if self.printed else 1.0)
        waves = OF_WAVES[stage] if self.crystal else 0.0
        return waves + slower * SECONDS_PER_PAIR[stage] * defects * (defects - 1) / 2

    def freezing(self, defects: int, freeze: Mapping[str, Any]) -> float:
        """Seconds of a freeze with the section ``freeze``, resolved."""
        replicas = freeze["replicas"]
        sweeps = freeze["sweeps"] * replicas
        flips = defects * sweeps
        tempering = freeze["method"] == "tempering"
        if not self.stored and not tempering:
            once, each = _OF_LISTS[self.crystal]["freeze"]
            annealing = _SECONDS_PER_SWEEP * sweeps + _SECONDS_PER_LISTED_FLIP * flips
            return once + each * defects * replicas + annealing
        made = 0.0 if self.stored else self._over_pairs("couplings", defects)
        together = replicas * (freeze["steps"] if tempering else 1)
        row = SECONDS_PER_SPIN * defects / together if defects > CACHED_SPINS else 0.0
        entries = (SECONDS_PER_READ + SECONDS_PER_ENTRY * replicas) * defects**2
        return made + (SECONDS_PER_VISIT + row) * flips + entries

    def whole(self, defects: int, freeze: Mapping[str, Any]) -> float:
        """Seconds of couplings, freeze and fields of a realisation."""
        sums = sum(self.summing(stage, defects) for stage in ("couplings", "fields"))
        return sums + self.freezing(defects, freeze)


def matrices(defects: int) -> float:
    """Bytes of the matrices of a job that works with a whole U."""
    return DENSE_MATRICES * 8.0 * defects**2


def fits(defects: int) -> bool:
    """Whether those matrices are small enough to be made unasked."""
    return matrices(defects) <= LARGEST_DENSE

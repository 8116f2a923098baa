"""How many temperatures parallel tempering needs, known before it runs.

The size of a file and the shares of a study's jobs must not wait for a measurement, and all
realisations of a point need the same number. Two temperatures exchange at the rate erfc(d/2), d
being their distance √⟨(1/T' − 1/T)(E − E')⟩, which for neighbours is √C |ln T − ln T'| with the
heat capacity C of the box. C grows as N, so a range of temperatures has the length √N times a
function of its ends. In units of the median local field that function hardly depends on what the
defects are or how many there are: 1.5 to 1.8 from 10 to 0.05 (`benchmarks/ladder.py`).
"""

from collections.abc import Mapping
from math import ceil, log, sqrt
from statistics import NormalDist
from sys import float_info
from typing import Any

import numpy as np

SWAP_RATE = 0.3
"""Target if one does not say."""

ANNEALED = 100
"""Temperatures of an anneal if one does not say."""

_T = (100, 50, 30, 20, 10, 5, 3, 2, 1, 0.5, 0.3, 0.2, 0.1, 0.05, 0.03, 0.02, 0.01, 0.005)
_LENGTH = (
    *(0, 0.05, 0.09, 0.14, 0.25, 0.41, 0.57, 0.72, 1.03),
    *(1.34, 1.54, 1.67, 1.82, 1.91, 1.97, 2.01, 2.06, 2.11),
)
"""Length/√N from the highest of these temperatures down, measured between close neighbours."""

_WIDE = 1.08
"""Energies are not quite normal: what the distances of wide gaps exceed those of narrow ones by."""


def length(t_start: float, t_end: float) -> float:
    """Return the length of a range of temperatures over √N.

    Parameters
    ----------
    t_start, t_end : float
        Its ends in units of the typical local field. Beyond 0.005 and 100 nothing is added.

    Returns
    -------
    float
        Σ d/√N of neighbours that exchange at rates of 0.2 to 0.5.
    """
    ends = np.interp([-log(t_start), -log(t_end)], -np.log(_T), _LENGTH)
    return _WIDE * float(ends[1] - ends[0])


def temperatures_needed(size: int, *, rate: float, t_start: float, t_end: float) -> int:
    """Return how many temperatures let neighbours exchange at a rate.

    Parameters
    ----------
    size : int
        Number N of spins.
    rate : float
        Wanted share of accepted exchanges, between 0 and 1.
    t_start, t_end : float
        First and last temperature in units of the typical local field.

    Returns
    -------
    int
        At least 2.
    """
    # the d of erfc(d/2) = rate
    distance = -sqrt(2) * NormalDist().inv_cdf(max(rate / 2, float_info.min))
    return 1 + max(1, ceil(sqrt(size) * length(t_start, t_end) / distance))


def resolved(settings: Mapping[str, Any], size: int) -> dict[str, Any]:
    """Return the settings of a run of ``size`` spins as numbers, ``auto`` resolved.

    Parameters
    ----------
    settings : mapping
        The section ``freeze`` of a point.
    size : int
        Number N of spins.

    Returns
    -------
    dict
        The section with the number of ``steps``; of tempering also ``swap_rate`` and, where the
        steps were ``auto``, the ``sweeps`` that give each temperature equally many, rounded up.
    """
    found, automatic = dict(settings), settings["steps"] == "auto"
    if settings["method"] == "annealing":
        return found | ({"steps": ANNEALED} if automatic else {})
    found.setdefault("swap_rate", SWAP_RATE)
    if automatic:
        ends = {name: settings[name] for name in ("t_start", "t_end")}
        steps = temperatures_needed(size, rate=found["swap_rate"], **ends)
        found |= {"steps": steps, "sweeps": -(-settings["sweeps"] // steps) * steps}
    return found

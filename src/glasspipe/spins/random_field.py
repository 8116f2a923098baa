"""What the random fields B do to the frozen spins: follow their own B, or each other.

A spin without neighbours would have S_i = −sgn B_i, and every anneal would end in that one state.
Spins without B, in a glass, end in states of their own. Where between the two a sample is, and
whether that changes with its size, can be seen from frozen spins alone.
"""

from collections.abc import Mapping
from itertools import combinations
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def alignment(S: NDArray[np.int8], B: Array) -> Array:
    """Return −⟨S_i sgn B_i⟩ of each realisation: 1 where every spin follows its own field.

    Parameters
    ----------
    S : array, shape (realisations, N)
        Frozen spins ±1.
    B : array, shape (realisations, N)
        Random fields, eV (29).

    Returns
    -------
    array, shape (realisations,)
        NaN without any field.
    """
    there = B != 0
    with np.errstate(invalid="ignore", divide="ignore"):
        return -np.sum(S * np.sign(B), axis=1) / np.sum(there, axis=1)


def replica_overlap(replica_S: NDArray[np.int8], spins: NDArray[np.bool_]) -> Array:
    """Return the mean |q| of pairs of frozen replicas, q = (1/N) Σ_i S_i^a S_i^b.

    Parameters
    ----------
    replica_S : array, shape (realisations, replicas, N)
        Frozen spins ±1.
    spins : bool array, shape (realisations, N)
        Which defects have an S that feels something; the others do not count.

    Returns
    -------
    array, shape (realisations,)
    """
    pairs, number = combinations(range(replica_S.shape[1]), 2), np.sum(spins, axis=1)
    with np.errstate(invalid="ignore"):
        each = [
            np.sum(replica_S[:, a] * replica_S[:, b] * spins, axis=1) / number for a, b in pairs
        ]
    return np.mean(np.abs(each), axis=0)


def correlation(one: Array, two: Array, spins: NDArray[np.bool_] | None = None) -> Array:
    """Return Spearman's rank correlation of two quantities in each realisation.

    Ranks, since the fields have tails so heavy that Pearson's coefficient is that of a few pairs.

    Parameters
    ----------
    one, two : array, shape (realisations, N)
        The quantities.
    spins : bool array, shape (realisations, N), optional
        Which defects count; all if not given.

    Returns
    -------
    array, shape (realisations,)
        NaN where a quantity does not vary.
    """
    count = np.full(one.shape, True) if spins is None else spins
    rows = zip(one, two, count, strict=True)
    return np.array([_correlation(a[mine], b[mine]) for a, b, mine in rows])


def _ranks(values: Array) -> Array:
    """Rank of each value (N,), the mean where several are equal; NaN where one is."""
    known, group, number = np.unique(values, return_inverse=True, return_counts=True)
    rank = np.cumsum(number) - (number - 1) / 2
    return np.full(len(values), np.nan) if np.isnan(known[-1]) else rank[group]


def _correlation(one: Array, two: Array) -> float:
    if not len(one):
        return nan
    a, b = (ranks - ranks.mean() for ranks in map(_ranks, (one, two)))
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.sum(a * b) / np.sqrt(np.sum(a * a) * np.sum(b * b)))


def measures(data: Mapping[str, NDArray[Any]], spins: NDArray[np.bool_]) -> dict[str, Array]:
    """Return what the random fields do, for each realisation.

    Parameters
    ----------
    data : mapping of str to array
        Variables of a frozen file, the first axis being the realisations: ``S``, ``B``, ``h``,
        ``replica_S`` and, where U was stored, ``U_norm``.
    spins : bool array, shape (realisations, N)
        Which defects have an S that feels something.

    Returns
    -------
    dict of str to array, shape (realisations,)
        ``alignment``; ``B_and_U_S``, the correlation of B_i with Σ_j U_ij S_j; ``size_B_and_U``,
        that of |B_i| with (Σ_j U_ij²)^½; ``overlap`` of the frozen replicas, if there are several.
    """
    B = data["B"]
    found = {
        "alignment": alignment(data["S"], B),
        "B_and_U_S": correlation(B, data["h"] - B, spins),
    }
    if "U_norm" in data:
        found["size_B_and_U"] = correlation(np.abs(B), data["U_norm"], spins)
    if data["replica_S"].shape[1] > 1:
        found["overlap"] = replica_overlap(data["replica_S"], spins)
    return {name: values for name, values in found.items() if np.isfinite(values).any()}

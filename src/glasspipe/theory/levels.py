"""Tunnelling: spins S that the glass leaves free, and the two-level splittings of τ.

A frozen S tunnels where its local field is below D; a free fraction of them is left at any
temperature. Each τ is a two-level system of bias b and tunnelling amplitude Δ,

    H = b τ^z − Δ τ^x,   E = 2 √(b² + Δ²).

Splittings range over decades, so their density is taken on a logarithmic axis, but it is a density
in E: that of the standard tunnelling model is nearly constant.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasspipe.statistics import standard_error
from glasspipe.units import ELECTRON_VOLT, EV_PER_CUBIC_ANGSTROM, GIGAHERTZ, KELVIN

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

EDGES = 10.0 ** np.linspace(-10, 1, 89)
"""Of the bins of E, eV: eight to a decade."""

PER_GIGAHERTZ_AND_CUBIC_MICRON = GIGAHERTZ * 1e4**3
"""1/(eV Å³) in 1/(GHz µm³)."""
PER_JOULE_AND_CUBIC_METRE = EV_PER_CUBIC_ANGSTROM / ELECTRON_VOLT**2
"""1/(eV Å³) in 1/(J m³)."""

LOW = {"1K": KELVIN, "10K": 10 * KELVIN}
"""E below which fractions and mean densities are given, eV: k_B T where glasses are anomalous."""

_WINDOW = 0.1
"""Of the median |h|; within it the density of h is taken as that at 0."""
_QUANTILES = 200


def splitting(b: ArrayLike, Delta: ArrayLike) -> Array:
    """Splitting E = 2 √(b² + Δ²) of two-level systems, in the unit of b and Δ."""
    return 2 * np.hypot(b, Delta)


def free(h: Array, D: Array, spins: Mask) -> Array:
    """Fraction (R,) of the spins of each realisation with |h_i| < D_i.

    All (R, N); defects that are no ``spins`` do not count, and NaN is said where there are none.
    """
    return share_of(np.abs(h) < D, spins)


def share_of(some: Mask, all_of_them: Mask) -> Array:
    """Fraction (R,) of those (R, N) in each realisation that are some of them; NaN of none."""
    with np.errstate(invalid="ignore"):
        return np.sum(some & all_of_them, axis=1) / np.sum(all_of_them, axis=1)


def flat_free(h: Array, D: Array, spins: Mask) -> Array:
    """2 ⟨D δ(h)⟩ (R,) of each realisation: what is free if P(h) is flat below D.

    δ(h) is a density within a tenth of the median |h| of all realisations. All (R, N), as in
    :func:`free`.
    """
    width = _WINDOW * np.median(np.abs(h[spins])) if spins.any() else 0.0
    if width == 0:
        return np.full(len(h), np.nan)
    near = np.where(spins & (np.abs(h) < width), D, 0.0)
    with np.errstate(invalid="ignore"):
        return near.sum(axis=1) / width / spins.sum(axis=1)


def expected_free(cdf: Callable[[Array], Array], D: Array) -> float:
    """Fraction of spins with |h| < D where h has the distribution function ``cdf``; eV."""
    sizes, weight = _sizes(D)
    return float((cdf(sizes) - cdf(-sizes)) @ weight)


def density_of_states(E: Array, volume: float) -> tuple[Array, Array]:
    """Density of two-level systems per energy and volume, and its standard error.

    Parameters
    ----------
    E : array (R, N)
        Splittings of each realisation, eV.
    volume : float
        Of the box, Å³.

    Returns
    -------
    array (bins,), array (bins,)
        Between ``EDGES``, 1/(eV Å³); the error is nan for one realisation.
    """
    counts = np.array([np.histogram(one, EDGES)[0] for one in E])
    unit = volume * np.diff(EDGES)
    return counts.mean(axis=0) / unit, standard_error(counts) / unit


def expected_below(cdf: Callable[[Array], Array], Delta: Array, E: ArrayLike) -> Array:
    """Fraction of two-level systems with a splitting below E (…), eV.

    P(E' < E) = ⟨ F(β) − F(−β) ⟩_Δ with β = √(E²/4 − Δ²), 0 where E < 2Δ.

    Parameters
    ----------
    cdf : callable
        Distribution function F of b, array to array, eV.
    Delta : array
        Tunnelling amplitudes, eV, independent of b.
    E : array (…)
        eV.
    """
    sizes, weight = _sizes(Delta)
    grid = np.concatenate([[0.0], 10.0 ** np.linspace(-14, 1, 301)])
    inside = cdf(grid) - cdf(-grid)
    beta = np.sqrt(np.maximum(np.asarray(E)[..., None] ** 2 / 4 - sizes**2, 0.0))
    return np.interp(beta, grid, inside) @ weight


def _sizes(amplitudes: Array) -> tuple[Array, Array]:
    """Few amplitudes that stand for all, and their shares."""
    quantiles = np.quantile(amplitudes, (np.arange(_QUANTILES) + 0.5) / _QUANTILES)
    sizes, counts = np.unique(quantiles, return_counts=True)
    return sizes, counts / _QUANTILES

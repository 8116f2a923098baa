"""Maximum-likelihood fits of a symmetric stable law, and how well a field follows it.

The values enter through their counts in bins of |X| that are narrow on the scale of the law, so
that the likelihood is a multinomial's. Realisations are independent and their defects are not:
errors and the goodness of fit are those of whole realisations resampled, to first order in the
score, as a new fit to each sample would give them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import log

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import RectBivariateSpline

from glasspipe.theory.stable import cdf

Array = NDArray[np.float64]

INDICES = (0.3, 1.95)
"""Ends of the range of the index α."""
_GRID = np.linspace(*INDICES, 67)
_SIZES = np.linspace(np.log(1e-4), np.log(1e4), 185)
"""ln |X|/c of the table, beyond which the law is linear or a power."""
_EDGES = np.geomspace(1e-3, 1e5, 161)
"""Edges of the bins of |X|, in units of its median."""
_WIDEST = log(1e3)
"""Logarithm of the ratio of the fitted scale to the median of |X|, at most, either way."""
_MOST_STEPS, _LONGEST, _CLOSE = 40, 0.5, 1e-9
"""Of the search, in α and ln c."""
_STEP = 1e-4
FEWEST = 4
"""Realisations whose resampling says how well a law is followed; of two it is one of the two."""
_LEAST = 1e-300


@dataclass(frozen=True)
class StableFit:
    """The symmetric stable law, φ(t) = e^(−|ct|^α), that makes a sample most likely.

    Parameters
    ----------
    index, index_error : float
        α; its error is nan if it was given, or lies at an end of :data:`INDICES`.
    scale, scale_error : float
        c, the unit of the data.
    distance : float
        The largest distance of the distribution functions of |X|, of the sample and of the law, at
        edges of bins (Kolmogorov and Smirnov's).
    p_value : float
        The chance of a larger one if X followed the law; nan below :data:`FEWEST` realisations.
        Errors are nan for one.
    """

    index: float
    index_error: float
    scale: float
    scale_error: float
    distance: float
    p_value: float


def fit_stable(
    values: ArrayLike,
    rng: np.random.Generator,
    *,
    index: float | None = None,
    resamples: int = 200,
) -> StableFit:
    """Fit index and scale of a symmetric stable law to values, or the scale for a given index.

    Parameters
    ----------
    values : array (realisations, defects)
        Any unit; the law of the defects of a realisation may have any correlation.
    rng : numpy.random.Generator
        What the resampling draws from.
    index : float, optional
        α: 1 for Cauchy's law.
    resamples : int
        Number of bootstrap samples.

    Raises
    ------
    ValueError
        If half of the values or more are 0, or α is not within :data:`INDICES`.
    """
    size = np.abs(np.asarray(values, dtype=float))
    median = float(np.median(size))
    if median <= 0:
        raise ValueError("half of the values are 0; they follow no stable law")
    low, high = INDICES if index is None else (index, index)
    if not INDICES[0] <= low <= high <= INDICES[1]:
        raise ValueError(f"the index is {index}; {INDICES[0]} to {INDICES[1]} is allowed")
    counts = _counted(size / median)
    share = counts.sum(axis=0) / size.size
    found = _most_likely(share, low, high)
    free = [0, 1] if low < found[0] < high else [1]
    law, slopes = _law(*found), _slopes(*found)[free]
    distance = _distances(share - law)
    errors, p_value = np.full(2, np.nan), np.nan
    if len(size) > 1:
        score = slopes / law
        moved = _resampled(counts, rng, resamples) - share
        shifts = moved @ np.linalg.solve((score * law) @ score.T, score).T
        errors[free] = shifts.std(axis=0)
        if len(size) >= FEWEST:
            larger = np.count_nonzero(_distances(moved - shifts @ slopes) >= distance)
            p_value = (1 + larger) / (1 + resamples)
    scale = float(np.exp(found[1])) * median
    return StableFit(
        float(found[0]),
        float(errors[0]),
        scale,
        scale * float(errors[1]),
        float(distance),
        p_value,
    )


def _resampled(counts: Array, rng: np.random.Generator, resamples: int) -> Array:
    """Shares (resamples, bins) of the bins in samples of one realisation less."""
    drawn = len(counts) - 1
    weights = rng.multinomial(drawn, np.full(len(counts), 1 / len(counts)), size=resamples)
    return weights @ counts / (drawn * counts[0].sum())


def _distances(apart: Array) -> Array:
    """The largest distance (…) of distribution functions whose bins (…, bins) differ so much."""
    return np.max(np.abs(np.cumsum(apart, axis=-1)[..., :-1]), axis=-1)


def _counted(values: Array) -> Array:
    """Return how many values of each realisation are below the first edge, between two, beyond."""
    bins = len(_EDGES) + 1
    inside = np.searchsorted(_EDGES, values, side="right") + bins * np.arange(len(values))[:, None]
    counts = np.bincount(inside.ravel(), minlength=bins * len(values))
    return counts.reshape(len(values), bins).astype(float)


def _most_likely(share: Array, low: float, high: float) -> Array:
    """Return α and ln c for which the shares of the bins are most likely, by Fisher's scoring."""
    at = np.array([min(max(1.0, low), high), 0.0])
    law = _law(*at)
    for _ in range(_MOST_STEPS):
        score = _slopes(*at) / law
        gain = score @ share
        outwards = at[0] >= high if gain[0] >= 0 else at[0] <= low
        free = [1] if outwards else [0, 1]
        step = np.zeros(2)
        step[free] = np.linalg.solve((score[free] * law) @ score[free].T, gain[free])
        step *= _LONGEST / max(_LONGEST, np.max(np.abs(step)))
        for _ in range(_MOST_STEPS):
            new = np.clip(at + step, (low, -_WIDEST), (high, _WIDEST))
            other = _law(*new)
            if share @ np.log(other / law) >= 0:
                break
            step /= 2
        at, law = new, other
        if np.max(np.abs(step)) < _CLOSE:
            break
    return at


def _law(index: float, log_scale: float) -> Array:
    """Return the probability of each bin."""
    below = _below(index, np.log(_EDGES) - log_scale)
    return np.maximum(np.diff(below, prepend=0.0, append=1.0), _LEAST)


def _slopes(index: float, log_scale: float) -> Array:
    """Derivatives (2, bins) of these probabilities by α and ln c."""
    at = np.clip(index, INDICES[0] + _STEP, INDICES[1] - _STEP)
    by_index = _law(at + _STEP, log_scale) - _law(at - _STEP, log_scale)
    by_scale = _law(index, log_scale + _STEP) - _law(index, log_scale - _STEP)
    return np.stack([by_index, by_scale]) / (2 * _STEP)


def _below(index: float, size: Array) -> Array:
    """P(|X| < c e^size)."""
    inside = np.clip(size, _SIZES[0], _SIZES[-1])
    beyond = size - inside
    logit = _logit()(index, inside)[0] + np.where(beyond > 0, index * beyond, beyond)
    return 1 / (1 + np.exp(-logit))


@cache
def _logit() -> Callable[..., Array]:
    """ln(P/(1 − P)) of P(|X| < c e^size), interpolated in the index and the size."""
    table = np.empty((len(_GRID), len(_SIZES)))
    for row, index in zip(table, _GRID, strict=True):
        above = 2 * cdf(-np.exp(_SIZES), float(index))
        row[:] = np.log1p(-above) - np.log(above)
    return RectBivariateSpline(_GRID, _SIZES, table, s=0)

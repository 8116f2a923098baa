"""Estimators, their errors, histograms and power-law fits.

The fields of one realisation are correlated (a near pair of defects gives two large fields), and
their laws have tails so heavy that the fourth moment, which sets the error of a standard
deviation, is ruled by pairs that may not occur in the sample. So errors are those of whole
realisations resampled, and of a mean square a part that is known to be 0 in the mean can be left
out: a sample without near pairs has too small a width and too small a bootstrap error *together*.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, ndtri, stdtr

Array = NDArray[np.float64]

QUANTILES = {"q05": 0.05, "q25": 0.25, "q75": 0.75, "q95": 0.95}
STATISTICS = ("mean", "std", "median_abs", "quartile_half_width", "q05", "q95", "kurtosis")
UNLIKELY = 0.0027
"""Of a χ², the chance below which it rejects: that of a deviation by three standard errors."""
FEWEST_IN_TAIL = 50
"""Values from which a tail's exponent is estimated."""
_BLOCK_COUNTS = 2_000_000
"""Most numbers in the table of counts by realisation and block (float64)."""


@dataclass(frozen=True)
class Estimate:
    """A statistic, its standard error, and its values in the resampled data.

    Parameters
    ----------
    value, stderr : float
        In the unit of the data; the error is nan for one realisation.
    resampled : array (resamples,)
        The statistic of every bootstrap sample.
    """

    value: float
    stderr: float
    resampled: Array


def describe(
    values: ArrayLike,
    rng: np.random.Generator,
    *,
    resamples: int = 200,
    excess: ArrayLike | None = None,
) -> dict[str, Estimate]:
    """Return every statistic of ``STATISTICS`` with its bootstrap error over realisations.

    The mean, the standard deviation about it (divisor n), median |X|, (q75 − q25)/2, q05, q95 and
    the excess kurtosis ⟨(X − ⟨X⟩)⁴⟩/σ⁴ − 3. **The kurtosis of a heavy-tailed field need not
    converge** with the number of realisations, nor its error mean much.

    A bootstrap sample draws R − 1 of the R realisations with replacement, which makes the
    variance of a mean unbiased (drawing R makes it (R − 1)/R too small).

    Parameters
    ----------
    values : array (realisations, defects)
        Realisations are independent, the defects of one are not. Any unit.
    rng : numpy.random.Generator
        What the resampling draws from.
    resamples : int
        Number of bootstrap samples.
    excess : array (realisations,), optional
        Of the mean square of each realisation a part whose mean over realisations is known to be 0,
        in the unit squared; the standard deviation is made without it.

    Raises
    ------
    ValueError
        If the array has not two dimensions, is empty or holds a number that is not finite.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or values.size == 0:
        raise ValueError(f"values have shape {values.shape}; (realisations, defects) is needed")
    if not np.all(np.isfinite(values)):
        raise ValueError("values hold a number that is not finite")
    known = np.zeros(len(values)) if excess is None else np.asarray(excess, dtype=float)
    whole = np.ones((1, len(values)))
    estimates = _statistics(values, known, whole)
    if len(values) == 1:
        replicas = {name: np.full(resamples, np.nan) for name in STATISTICS}
    else:
        draws = rng.multinomial(
            len(values) - 1, np.full(len(values), 1 / len(values)), size=resamples
        )
        replicas = _statistics(values, known, draws.astype(float))
    return {
        name: Estimate(float(estimates[name][0]), float(np.std(replicas[name])), replicas[name])
        for name in STATISTICS
    }


def _statistics(values: Array, excess: Array, weights: Array) -> dict[str, Array]:
    """Statistics (samples,) of samples that hold realisation r ``weights[sample, r]`` times."""
    found = _moments(values, excess, weights)
    found |= _quantiles(values, weights, QUANTILES)
    found["quartile_half_width"] = (found.pop("q75") - found.pop("q25")) / 2
    return found | _quantiles(np.abs(values), weights, {"median_abs": 0.5})


def _moments(values: Array, excess: Array, weights: Array) -> dict[str, Array]:
    """Mean, standard deviation and excess kurtosis from the power sums of each realisation."""
    centre = values.mean()
    deviation = values - centre
    total = weights.sum(axis=1) * values.shape[1]
    m1, m2, m3, m4 = (weights @ np.sum(deviation**k, axis=1) / total for k in (1, 2, 3, 4))
    variance = np.maximum(m2 - m1**2, 0.0)
    fourth = m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4
    kurtosis = np.full_like(m1, np.nan)
    np.divide(fourth, variance**2, out=kurtosis, where=variance > 0)
    left = np.maximum(variance - weights @ excess / weights.sum(axis=1), 0.0)
    expected = np.where(variance > 0, left, 0.0)  # the excess of a field that is 0 is rounding
    return {"mean": centre + m1, "std": np.sqrt(expected), "kurtosis": kurtosis - 3}


def _quantiles(values: Array, weights: Array, levels: dict[str, float]) -> dict[str, Array]:
    """Quantiles by linear interpolation between order statistics, as numpy.quantile's default."""
    order = np.argsort(values, axis=None)
    ordered = values.ravel()[order]
    owner = np.floor_divide(order, values.shape[1], out=order)
    total = round(weights[0].sum()) * values.shape[1]
    position = np.array(list(levels.values())) * (total - 1)
    lower = np.floor(position).astype(np.int64)
    ranks = np.concatenate([lower, np.minimum(lower + 1, total - 1)])
    low, high = np.split(ordered[_ranked(owner, weights, ranks)], 2, axis=1)
    found = low + (position - lower) * (high - low)
    return dict(zip(levels, found.T, strict=True))


def _ranked(owner: NDArray[np.int64], weights: Array, ranks: NDArray[np.int64]) -> NDArray:
    """Places (samples, ranks) in the sorted data of the order statistics of each sample.

    The sorted data are cut into blocks. How many values of a sample lie below each block is one
    matrix product; then only the block that holds the rank is counted value by value.
    """
    realisations = weights.shape[1]
    blocks = int(np.clip(_BLOCK_COUNTS // realisations, 1, np.sqrt(len(owner))))
    edges = np.linspace(0, len(owner), blocks + 1).astype(np.int64)
    counts = np.empty((realisations, blocks))
    for number, (start, stop) in enumerate(pairwise(edges)):
        counts[:, number] = np.bincount(owner[start:stop], minlength=realisations)
    held = weights @ counts
    below = np.concatenate([np.zeros((len(weights), 1)), np.cumsum(held, axis=1)], axis=1)
    places = np.empty((len(weights), len(ranks)), dtype=np.int64)
    for sample, weight in enumerate(weights):
        for column, b in enumerate(np.searchsorted(below[sample], ranks, side="right") - 1):
            inside = np.cumsum(weight[owner[edges[b] : edges[b + 1]]])
            rest = ranks[column] - below[sample, b]
            places[sample, column] = edges[b] + np.searchsorted(inside, rest, side="right")
    return places


def tail_exponent(
    values: ArrayLike, rng: np.random.Generator, *, lower: float, upper: float, resamples: int = 200
) -> Estimate:
    """Return the power τ of the density ∝ |X|^−τ of the large values.

    Hill's estimate for a tail that is cut off: with τ = 1 + a, the mean of ln(|X|/l) over
    l ≤ |X| < u is 1/a − L/(e^(aL) − 1), L = ln(u/l). The error is that of the bootstrap over
    realisations, as in :func:`describe`.

    Parameters
    ----------
    values : array (realisations, defects)
        Any unit.
    rng : numpy.random.Generator
        What the resampling draws from.
    lower, upper : float
        The thresholds l and u, the same unit; below l the law is no power yet, beyond u no more.
    resamples : int
        Number of bootstrap samples.

    Returns
    -------
    Estimate
        All nan if fewer than :data:`FEWEST_IN_TAIL` values are between the thresholds.

    Raises
    ------
    ValueError
        If the thresholds are not positive and in this order.
    """
    if not 0 < lower < upper:
        raise ValueError(
            f"thresholds of a tail are {lower} and {upper}; 0 < lower < upper is needed"
        )
    size = np.abs(np.asarray(values, dtype=float))
    inside = (size >= lower) & (size < upper)
    number = inside.sum(axis=1)
    total = np.log(np.where(inside, size, lower) / lower).sum(axis=1)
    if number.sum() < FEWEST_IN_TAIL:
        return Estimate(np.nan, np.nan, np.full(resamples, np.nan))
    power = np.linspace(-3.0, 20.0, 4000)  # none of them is 0
    length = np.log(upper / lower)
    mean = 1 / power - length / np.expm1(power * length)

    def solved(mean_log: Array) -> Array:
        return 1 + np.interp(-mean_log, -mean, power)

    found = float(solved(total.sum() / number.sum()))
    if len(size) == 1:
        return Estimate(found, np.nan, np.full(resamples, np.nan))
    draws = rng.multinomial(len(size) - 1, np.full(len(size), 1 / len(size)), size=resamples)
    resampled = solved(draws @ total / np.maximum(draws @ number, 1))
    return Estimate(found, float(np.std(resampled)), resampled)


@dataclass(frozen=True)
class Histogram:
    """Integer counts between edges, and beyond them.

    Parameters
    ----------
    edges : array (bins + 1,)
        Bin k holds edges[k] ≤ X < edges[k + 1]; the data's unit.
    counts : array (bins,)
        Values in each bin.
    underflow, overflow : int
        Values below the first edge, and from the last edge on.
    """

    edges: Array
    counts: NDArray[np.int64]
    underflow: int
    overflow: int

    @property
    def total(self) -> int:
        """Number of values, those beyond the edges included."""
        return int(self.counts.sum()) + self.underflow + self.overflow

    @property
    def density(self) -> Array:
        """Probability per unit of X in each bin, all values counted."""
        return self.counts / (self.total * np.diff(self.edges))


def histogram_edges(
    scale: float, *, linear: int = 20, per_decade: int = 10, decades: int = 7
) -> Array:
    """Edges of bins that are linear near 0 and logarithmic in the tails, symmetric about 0.

    0, s/k, 2s/k, …, s with k = ``linear``, then s·10^(1/m), s·10^(2/m), … with m = ``per_decade``.

    Parameters
    ----------
    scale : float
        Where linear bins end, s: a typical |X|. Any unit.
    linear, per_decade, decades : int
        Linear bins on one side, bins a decade of the tail, decades of the tail.

    Returns
    -------
    array (2 (linear + per_decade · decades) + 1,)

    Raises
    ------
    ValueError
        If the scale is not positive.
    """
    if not scale > 0:
        raise ValueError(f"the scale of a histogram is {scale}; it must be positive")
    near = scale * np.arange(linear + 1) / linear
    tail = scale * 10.0 ** (np.arange(1, per_decade * decades + 1) / per_decade)
    positive = np.concatenate([near, tail])
    return np.concatenate([-positive[:0:-1], positive])


def histogram(values: ArrayLike, edges: Array) -> Histogram:
    """Count values (any shape) between edges (bins + 1,), in one unit."""
    index = np.searchsorted(edges, np.ravel(values), side="right")
    counts = np.bincount(index, minlength=len(edges) + 1)
    return Histogram(edges, counts[1:-1], int(counts[0]), int(counts[-1]))


def chance(chi2: float, degrees_of_freedom: int) -> float:
    """Return the chance of a larger χ²."""
    return float(chdtrc(degrees_of_freedom, chi2))


@dataclass(frozen=True)
class PowerLaw:
    """The fit y = prefactor · x^exponent.

    Parameters
    ----------
    exponent : float
        p of log y = p log x + c.
    stderr : float
        Its error propagated from the errors that weighted the fit.
    bootstrap_stderr : float
        Its error from the resampled y, nan if there were none.
    prefactor : float
        e^c, in the unit of y.
    chi2, degrees_of_freedom : float, int
        Σ (log y − fit)²/σ², see :func:`fit_power_law`, and the number of points less 2.
    """

    exponent: float
    stderr: float
    bootstrap_stderr: float
    prefactor: float
    chi2: float
    degrees_of_freedom: int

    @property
    def p_value(self) -> float:
        """Chance of a larger χ² if y followed a power; nan without degrees of freedom."""
        if self.degrees_of_freedom == 0:
            return float("nan")
        return chance(self.chi2, self.degrees_of_freedom)

    @property
    def error(self) -> float:
        """The larger of the two errors: a sample without rare pairs knows too small a one."""
        return float(np.fmax(self.stderr, self.bootstrap_stderr))

    def __call__(self, x: ArrayLike) -> Array:
        """Return the fitted y at x (any shape)."""
        return self.prefactor * np.asarray(x, dtype=float) ** self.exponent


def fit_power_law(
    x: ArrayLike,
    y: ArrayLike,
    error: ArrayLike,
    *,
    resampled: ArrayLike | None = None,
    realisations: int | None = None,
) -> PowerLaw:
    """Weighted least squares of log y = p log x + c.

    The weights are (y/σ)². The exponent is linear in the log y, p = Σ a_k log y_k, so its error is
    √(Σ a_k² (σ_k/y_k)²), and with resampled y the standard deviation of Σ a_k log y_k.

    A residual over an error that is itself found from R realisations follows Student's t with
    R − 1 degrees of freedom; in χ² stands the normal deviate that is as unlikely.

    Parameters
    ----------
    x, y : array (points,)
        Positive; the points are statistically independent.
    error : array (points,)
        Standard errors σ of y that weight the fit, the unit of y. For an unweighted fit (theory,
        without errors) give y itself; stderr and chi2 then mean nothing.
    resampled : array (points, resamples), optional
        Bootstrap samples of each y; those in which one is not positive are left out, and nothing
        is said of the error where that is half of them.
    realisations : int, optional
        R that each error was found from, two or more; by default the errors are known.

    Raises
    ------
    ValueError
        If there are fewer than two different x, or a number is not positive and finite.
    """
    x, y, error = (np.asarray(a, dtype=float) for a in (x, y, error))
    for name, a in (("x", x), ("y", y), ("error", error)):
        if not (np.all(np.isfinite(a)) and np.all(a > 0)):
            raise ValueError(f"{name} of a power-law fit is {a}; it must be positive and finite")
    if len(np.unique(x)) < 2:
        raise ValueError(f"a power-law fit needs at least two different x, found {x}")
    relative = error / y
    weight = relative**-2 / np.sum(relative**-2)
    log_x, log_y = np.log(x), np.log(y)
    deviation = log_x - weight @ log_x
    influence = weight * deviation / (weight @ deviation**2)
    exponent = influence @ log_y
    constant = weight @ log_y - exponent * (weight @ log_x)
    residual = (log_y - exponent * log_x - constant) / relative
    if realisations is not None:
        residual = as_normal(residual, realisations - 1)
    again = np.zeros((len(x), 1)) if resampled is None else np.asarray(resampled, dtype=float)
    good = np.all(again > 0, axis=0)
    spread = np.std(influence @ np.log(again[:, good])) if good.mean() > 0.5 else np.nan
    return PowerLaw(
        exponent=float(exponent),
        stderr=float(np.sqrt(np.sum((influence * relative) ** 2))),
        bootstrap_stderr=float(spread),
        prefactor=float(np.exp(constant)),
        chi2=float(residual @ residual),
        degrees_of_freedom=len(x) - 2,
    )


def as_normal(t: ArrayLike, degrees_of_freedom: int) -> Array:
    """Return normal deviates as unlikely as values of Student's t, the sign left out."""
    chance = stdtr(degrees_of_freedom, -np.abs(t))
    return np.asarray(np.where(chance > 0, -ndtri(chance), np.abs(t)))


def mean_and_error(values: Array) -> tuple[float, float]:
    """Mean over realisations (R,) and its standard error, NaN for one realisation."""
    return float(np.mean(values)), float(standard_error(values))


def mean_fraction(values: Array, number: ArrayLike) -> tuple[float, float]:
    """Mean of the fractions (R,) of realisations and its standard error.

    That is √(p(1 − p)/n) at least, of n independent trials, p(1 − p) being 1/n at least: what a few
    realisations never or always show is not certain.

    Parameters
    ----------
    values : array (R,)
        NaN of realisations of none.
    number : array (R,)
        Of how many each is the fraction.
    """
    known = np.isfinite(values)
    if not known.any():
        return float("nan"), float("nan")
    mean, error = mean_and_error(values[known])
    trials = float(np.sum(number))
    return mean, float(np.maximum(error, np.sqrt(max(mean * (1 - mean), 1 / trials) / trials)))


def standard_error(values: Array) -> Array:
    """Return the standard error of the mean over realisations, the first axis; NaN for one."""
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)
    return np.asarray(np.std(values, axis=0, ddof=1) / np.sqrt(len(values)))


def spread(resampled: ArrayLike) -> float:
    """Return the standard deviation of what was resampled; NaN if that was nothing.

    NaN, too, where a tenth of the resamplings lack it (no curve crosses, no peak within): what the
    others scatter by would be too little.
    """
    found = np.asarray(resampled)
    known = found[np.isfinite(found)]
    return float(known.std()) if known.size > 0.9 * found.size else float("nan")

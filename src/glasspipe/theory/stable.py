"""Symmetric α-stable laws and quantiles of a law known through its distribution function.

The characteristic function e^(−|ct|^α) is simple, its Fourier integral oscillates without end. On
the imaginary t axis it does not: for α < 0.8

    P(X > x) = (1/π) ∫_0^∞ e^(−xs/c) sin(s^α sin(πα/2)) e^(−s^α cos(πα/2)) ds/s,

and in u = ln s the trapezoidal rule converges exponentially. From α = 0.8 on the path is
t = s e^(iφ) with φ = π/(4α), on which both e^(itx) and e^(−t^α) fall:

    P(X ≤ x) = 1/2 + φ/π + (1/π) Im ∫_0^∞ exp(ixs e^(iφ) − s^α e^(iπ/4)) ds/s,   x > 0.

α = 1 is Cauchy's law and α = 2 a Gaussian.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from math import log, pi

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import BSpline, make_interp_spline
from scipy.optimize import brentq

Array = NDArray[np.float64]

_STEP = 0.05
_NUMBER = 1e-9
"""|X| over a typical one below which it is 0."""
_DAMPED = 42.0
"""The integrals end where the integrand has fallen to e^(−42)."""
_TABLE, _KNOTS = (1e-8, 1e18), 0.05
"""|x| of the table of a mixture, and its knots in ln x; below, a law is flat to 1e-8."""
_RELATIVE = 0.8
"""α below which the path is the imaginary axis, on which tails keep their relative precision."""


def _nodes(alpha: float) -> tuple[Array, Array]:
    """Equidistant in ln s: s, and sin(s^α sin(πα/2)) e^(−s^α cos(πα/2)) there."""
    a, b = np.sin(pi * alpha / 2), np.cos(pi * alpha / 2)
    u = np.arange(-_DAMPED / alpha, np.log(_DAMPED / b) / alpha, _STEP)
    power = np.exp(alpha * u)
    return np.exp(u), np.sin(a * power) * np.exp(-b * power)


def _path(x: Array, alpha: float) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Nodes t on the path from α = 0.8 on, and e^(ixt − t^α) there (…, nodes)."""
    top = np.log(_DAMPED * np.sqrt(2)) / alpha
    u = np.arange(-_DAMPED - np.log1p(np.max(x, initial=0.0)), top, _STEP)
    t = np.exp(u + 0.25j * pi / alpha)
    return t, np.exp(1j * x[..., None] * t - t**alpha)


def _check(alpha: float) -> None:
    if not 0 < alpha <= 2:
        raise ValueError(f"the index of a stable law is {alpha}; 0 < alpha <= 2 is needed")


def cdf(x: ArrayLike, alpha: float) -> Array:
    """Distribution function of the law with characteristic function e^(−|t|^α), x (…).

    Right to 1e-13; for α < 0.8 tails are so relatively.

    Raises
    ------
    ValueError
        If α is not above 0 and at most 2.
    """
    _check(alpha)
    x = np.asarray(x, dtype=float)
    if alpha == 1:
        return 0.5 + np.arctan(x) / pi
    if alpha >= _RELATIVE:
        wave = np.imag(_path(np.abs(x), alpha)[1]).sum(axis=-1)
        return 0.5 + np.sign(x) * (0.25 / alpha + wave * (_STEP / pi))
    s, wave = _nodes(alpha)
    above = np.exp(-np.abs(x)[..., None] * s) @ wave * (_STEP / pi)
    return np.where(x < 0, above, 1 - above)


def density(x: ArrayLike, alpha: float) -> Array:
    """Density of the law with characteristic function e^(−|t|^α), x (…).

    Raises
    ------
    ValueError
        As :func:`cdf`.
    """
    _check(alpha)
    x = np.asarray(x, dtype=float)
    if alpha == 1:
        return 1 / (pi * (1 + x * x))
    if alpha >= _RELATIVE:
        t, above = _path(np.abs(x), alpha)
        return np.real(above @ t) * (_STEP / pi)
    s, wave = _nodes(alpha)
    return np.exp(-np.abs(x)[..., None] * s) @ (s * wave) * (_STEP / pi)


def _above(x: Array, alpha: float) -> Array:
    """P(X > x)."""
    return cdf(-x, alpha)


@cache
def _logarithm(function: Callable[[Array, float], Array], alpha: float) -> BSpline:
    """Of a function of x and α, against ln x, to 1e-11."""
    u = np.arange(log(_TABLE[0]), log(_TABLE[1]), _KNOTS)
    return make_interp_spline(u, np.log(function(np.exp(u), alpha)), k=5)


def _tabulated(function: Callable[[Array, float], Array], x: Array, alpha: float) -> Array:
    """The function at |x| (…), which may be infinite, for α < 0.8."""
    size = np.abs(x)
    found = np.exp(_logarithm(function, alpha)(np.log(np.clip(size, *_TABLE))))
    return np.where(np.isinf(size), 0.0, found)


@dataclass(frozen=True)
class StableLaw:
    """Mixture of symmetric α-stable laws, φ(t) = Σ_a w_a exp(i m_a t − |c_a t|^α).

    Parameters
    ----------
    alpha : float
        Index α.
    scale, centre, weight : array (parts,)
        c_a and m_a, eV, and w_a, which add up to 1. A part with c_a = 0 is the number m_a.
    """

    alpha: float
    scale: Array
    centre: Array
    weight: Array

    @property
    def is_single(self) -> bool:
        """Whether all parts are one law."""
        return all(np.allclose(part, part[0]) for part in (self.scale, self.centre))

    @property
    def mean_centre(self) -> float:
        """Mean of the centres of the parts, eV."""
        return float(self.weight @ self.centre)

    @property
    def scattered(self) -> "StableLaw":
        """Those of its parts that are no numbers, as if they were all."""
        some = self.scale > 0
        weight = self.weight[some] / self.weight[some].sum()
        return StableLaw(self.alpha, self.scale[some], self.centre[some], weight)

    def cdf(self, X: ArrayLike) -> Array:
        """Distribution function at X (…), eV."""
        x = self._reduced(X)
        if self.alpha >= _RELATIVE:
            return cdf(x, self.alpha) @ self.weight
        above = _tabulated(_above, x, self.alpha)
        return np.where(x < 0, above, 1 - above) @ self.weight

    def density(self, X: ArrayLike) -> Array:
        """Density at X (…), eV⁻¹; nan if a part is a number."""
        of_each = partial(_tabulated, density) if self.alpha < _RELATIVE else density
        with np.errstate(divide="ignore", invalid="ignore"):
            return of_each(self._reduced(X), self.alpha) @ (self.weight / self.scale)

    def _reduced(self, X: ArrayLike) -> Array:
        """X less the centre of each part, in units of its scale, (…, parts)."""
        apart = np.asarray(X, dtype=float)[..., None] - self.centre
        fixed = np.where(apart == 0, 0.0, np.copysign(np.inf, apart))
        return np.divide(apart, self.scale, out=fixed, where=self.scale > 0)

    def statistic(self, name: str) -> float:
        """Return median_abs, quartile_half_width, q05 or q95, eV.

        A stable law has no mean (α ≤ 1), no standard deviation and no kurtosis: they are nan.
        """
        return order_statistic(name, self.cdf, float(np.max(self.scale + np.abs(self.centre))))


def order_statistic(name: str, cdf: Callable[[float], Array], scale: float) -> float:
    """Statistic of a law that follows from its distribution function, nan for any other.

    Parameters
    ----------
    name : str
        median_abs (the median of |X|), quartile_half_width, q05 or q95.
    cdf : callable
        F(X), X in eV.
    scale : float
        A typical |X|, eV, from which the search starts; 0 if X is always 0.
    """
    if scale == 0:
        return 0.0
    if name == "median_abs":
        return _solve(lambda X: float(cdf(X) - cdf(-X)) - 0.5, scale)
    if name == "quartile_half_width":
        return (_quantile(cdf, 0.75, scale) - _quantile(cdf, 0.25, scale)) / 2
    levels = {"q05": 0.05, "q95": 0.95}
    return _quantile(cdf, levels[name], scale) if name in levels else float("nan")


def _quantile(cdf: Callable[[float], Array], level: float, scale: float) -> float:
    side = 1.0 if cdf(0.0) < level else -1.0
    return side * _solve(lambda X: side * (float(cdf(side * X)) - level), scale)


def _solve(function: Callable[[float], float], scale: float) -> float:
    """Root X ≥ 0 of a function that rises; 0 if it is not below 0 next to it, X being a number."""
    if function(_NUMBER * scale) >= 0:
        return 0.0
    top = scale
    while function(top) < 0:
        top *= 4
    return float(brentq(function, 0.0, top, xtol=1e-12 * top, rtol=1e-10))

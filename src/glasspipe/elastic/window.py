"""The window w(R) that cuts the near part G w out of a crystal's Green's function.

Ewald's Gaussian screening acts in q space, on |q| alone. In a crystal the far part then has a
direction-dependent limit at q = 0, and the near part an algebraic tail unless the screening is
flat there to high order, which costs reach on both sides. A window in real space has no such
trouble: G w vanishes beyond the cutoff exactly, and G (1 − w) is smooth, with zero weight where
G is singular. What decides the cost is how fast the Fourier transform of G (1 − w) decays; the
integral of a bell of Kaiser's and Bessel's kind is next to the best. With ρ = R/cutoff

    w(ρ) = ∫_ρ^1 φ / ∫_s^1 φ,   φ = F_4,   F_n = tⁿ/n! ₀F₁(n + 1; β²t/4),   t = 1 − (ρ − c)²/h²,

c and h the centre and the half width of (s, 1): w = 1 up to s and 0 from 1 on. F_0 would be
Kaiser's I_0(β√t); dF_n/dt = F_(n−1), so that every derivative of w in use vanishes at both ends.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import ceil, comb, factorial
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray
from scipy.special import hyp0f1

from glasspipe.kernels.near_sums import DEGREE

Array = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)
_BINS, _POWERS = 64, 12


def kaiser_bessel(t: Array, n: int, beta: float) -> Array:
    """F_n at 0 ≤ t ≤ 1."""
    return t**n / factorial(n) * hyp0f1(n + 1, beta**2 / 4 * t)


@dataclass(frozen=True)
class Window:
    """A window of the family above, as a function of ρ.

    Parameters
    ----------
    start : float
        s, where it begins to fall: later costs modes, earlier lets the sharp near field through.
    beta : float
        β: a larger one makes the far part end sooner at small errors, later at large ones.
    """

    start: float
    beta: float

    @property
    def _half(self) -> float:
        return (1 - self.start) / 2

    def _offset(self, rho: Array) -> Array:
        """Return (ρ − c)/h."""
        return (rho - (1 + self.start) / 2) / self._half

    def bell(self, rho: Array, n: int = 4) -> Array:
        """F_n, 0 outside of (s, 1)."""
        return kaiser_bessel(np.clip(1 - self._offset(rho) ** 2, 0, None), n, self.beta)

    def __call__(self, rho: Array) -> Array:
        """The window w at ρ ≥ 0."""
        rho = np.clip(rho, self.start, 1)
        return _integral(self.bell, rho) / self._norm

    @property
    def _norm(self) -> Array:
        return _integral(self.bell, np.array(self.start))

    def ladder(self, rho: Array) -> Array:
        """D_k = ((1/ρ) d/dρ)^k w, k = 0 … 4, at ρ > 0, (…, 5)."""
        norm, half = -self._norm, self._half
        f4, f3, f2, f1 = (self.bell(rho, n) / norm for n in (4, 3, 2, 1))
        y = self._offset(rho)
        D1 = f4 / rho
        D2 = (-2 * y * f3 / half - D1) / rho**2
        D3 = ((4 * y**2 * f2 - 2 * f3) / half**2 - 3 * rho * D2) / rho**3
        w4 = (-8 * y**3 * f1 + 12 * y * f2) / half**3
        D4 = (w4 - 3 * D2 - 6 * rho**2 * D3) / rho**4
        return np.stack([self(rho), D1, D2, D3, D4], axis=-1)

    def screening(self, x: Array) -> Array:
        """Φ(x) = −∫ w′(ρ) cos(xρ) dρ at x (points,)."""
        rho = (1 + self.start) / 2 + self._half * _NODES
        return np.cos(x[:, None] * rho) @ (self.bell(rho) / self._norm * self._half * _WEIGHTS)


SHARP = Window(start=0.3, beta=31.0)
"""For sums to rounding."""


@dataclass(frozen=True)
class Bell:
    """The window of the family above with s = −1, hence t = 1 − ρ²: φ is even in ρ.

    So (1 − w)/R has no singularity at R = 0, which is all that an isotropic medium asks for, and no
    split has a weaker far part. In a crystal there are angular momenta above 0, to which it would
    be singular.

    Parameters
    ----------
    beta : float
        β.
    """

    beta: float

    def _bell(self, t: Array, n: int) -> Array:
        return kaiser_bessel(t, n, self.beta)

    def fall(self, rho: Array) -> Array:
        """φ, not normalised, at 0 ≤ ρ ≤ 1."""
        return self._bell(1 - rho * rho, 4)

    @property
    def _norm(self) -> Array:
        return _integral(self.fall, np.array(0.0))

    def __call__(self, rho: Array) -> Array:
        """The window w at ρ ≥ 0."""
        return _integral(self.fall, np.clip(rho, 0, 1)) / self._norm

    def ladder(self, rho: Array) -> Array:
        """D_k = ((1/ρ) d/dρ)^k w, k = 0 … 5, at ρ > 0, (…, 6).

        D_1 = −φ/ρ is F_4/ρ, and both factors are known under D.
        """
        t = np.clip(1 - rho * rho, 0, None)
        of_bell = [(-2.0) ** k * self._bell(t, 4 - k) for k in range(5)]
        of_inverse = [
            np.prod([-1 - 2 * i for i in range(k)]) / rho ** (1 + 2 * k) for k in range(5)
        ]
        D = [
            sum(comb(k, j) * of_bell[j] * of_inverse[k - j] for j in range(k + 1)) / -self._norm
            for k in range(5)
        ]
        return np.stack([self(rho), *D], axis=-1)

    def smooth(self, t: Array) -> Array:
        """(d/dt)^k [(1 − w)/ρ], k = 0 … 5, at t = ρ² (points,), (points, 6).

        It is ∫_0^1 φ(ρu) du, and φ is a function of 1 − ρ²u² known with its derivatives.
        """
        u = (1 + _NODES) / 2
        inside, weight = 1 - t[:, None] * u**2, _WEIGHTS / 2 / self._norm
        orders = [
            (-1.0) ** k * (self._bell(inside, 4 - k) @ (weight * u ** (2 * k))) for k in range(5)
        ]
        last = -(self.beta**2) / 4 * hyp0f1(2, self.beta**2 / 4 * inside)  # F_−1, from F_0
        return np.stack([*orders, last @ (weight * u**10)], axis=-1)

    def screening(self, x: Array) -> Array:
        """Φ(x) = −∫ w′(ρ) cos(xρ) dρ and Φ − xΦ′/2 at x (points,), (points, 2).

        The far part of 1/R, (1 − w)/R, has the transform 4π Φ/q² and the far part of R, whose
        derivative is 1 − w, has −8π (Φ − xΦ′/2)/q⁴, both at x = q · cutoff.
        """
        rho = (1 + _NODES) / 2
        weight = _WEIGHTS / 2 * self.fall(rho) / self._norm
        phase = x[:, None] * rho
        first = np.cos(phase) @ weight
        return np.stack([first, first + x / 2 * (np.sin(phase) @ (weight * rho))], axis=-1)


SHARP_BELL, BELL_END = Bell(beta=28.0), 38.0
"""For sums to ten digits, and the q · cutoff where their far part has ended."""

AnyWindow = Any
"""A Bell in an isotropic medium, a Window in a crystal."""


def _integral(f: Callable[[Array], Array], low: Array) -> Array:
    """∫ f from ``low`` to 1."""
    half = (1 - low) / 2
    return half * (f(low[..., None] + half[..., None] * (1 + _NODES)) @ _WEIGHTS)


def in_bins(f: Callable[[Array], Array], bins: int, width: float) -> Array:
    """Polynomials (bins, …, powers) of f (points,) → (points, …) in equal bins from 0.

    The variable runs from −½ to ½ across a bin; interpolation at Chebyshev's points.
    """
    angle = np.pi * (np.arange(_POWERS) + 0.5) / _POWERS
    x = (np.arange(bins)[:, None] + 0.5 + np.cos(angle) / 2) * width
    series = 2 / _POWERS * np.cos(np.arange(_POWERS)[:, None] * angle)
    series[0] /= 2
    # by way of Chebyshev's series: Vandermonde's matrix would cost four digits
    to_powers = [chebyshev.cheb2poly(row) for row in np.eye(_POWERS)]
    monomials = np.array([np.pad(row, (0, _POWERS - len(row))) for row in to_powers])
    values = f(x.reshape(-1))
    values = values.reshape(bins, _POWERS, *values.shape[1:])
    coefficients = np.einsum("kn,bn...->b...k", series, values)
    return coefficients @ (monomials * 2.0 ** np.arange(_POWERS))


@cache
def ladder_table(window: AnyWindow = SHARP) -> Array:
    """Polynomials of w and ρ^(2k − 1) D_k in equal bins of ρ, (bins, k, powers), for the loops.

    D_k itself would be singular at ρ = 0 where w falls from there, and close pairs are far inside.
    """

    def regular(rho: Array) -> Array:
        D = window.ladder(rho)
        power = 2 * np.arange(D.shape[-1]) - 1
        power[0] = 0
        return np.asarray(D * rho[..., None] ** power)

    return in_bins(regular, _BINS, 1 / _BINS)


@cache
def smooth_table(window: Bell, degree: int = DEGREE) -> Array:
    """D^k [(1 − w)/R] for a cutoff of 1 as polynomials of 2R² − 1, (6, degree + 1)."""
    angle = np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1)
    values = window.smooth((1 + np.cos(angle)) / 2) * 2.0 ** np.arange(6)
    series = chebyshev.chebfit(np.cos(angle), values, degree)
    return np.array([chebyshev.cheb2poly(column) for column in series.T])


@cache
def screening_table(largest: int, window: AnyWindow) -> Array:
    """The screening as polynomials in bins of width 1 from 0 to ``largest``, (bins, …, powers)."""
    return in_bins(window.screening, largest, 1.0)


def reaching(x: Array) -> int:
    """Return the end of a table that has all of x ≥ 0: a multiple of 32, for few are made."""
    return 32 * ceil(float(np.max(x, initial=0.0)) / 32 + 0.1)


def evaluate(table: Array, x: Array) -> Array:
    """Polynomials in bins of width 1 from 0, table (bins, …, powers), at x (points,)."""
    row = x.astype(np.int64)
    place = (x - row - 0.5).reshape(-1, *(1,) * (table.ndim - 2))
    value = np.zeros((len(x), *table.shape[1:-1]))
    for power in range(table.shape[-1] - 1, -1, -1):
        value = value * place + table[row, ..., power]
    return value

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
from functools import cache
from math import factorial

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray
from scipy.special import hyp0f1

Array = NDArray[np.float64]

START = 0.3
"""Where the window begins to fall: later costs modes, earlier lets the sharp near field through."""
BETA = 31.0
_CENTRE, _HALF = (1 + START) / 2, (1 - START) / 2
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)
_BINS, _POWERS = 64, 12


def _bell(rho: Array, n: int = 4) -> Array:
    """F_n, 0 outside of (s, 1)."""
    t = np.clip(1 - ((rho - _CENTRE) / _HALF) ** 2, 0, None)
    return t**n / factorial(n) * hyp0f1(n + 1, BETA**2 / 4 * t)


def _integral(f: Callable[[Array], Array], low: Array) -> Array:
    """∫ f from ``low`` to 1."""
    half = (1 - low) / 2
    return half * (f(low[..., None] + half[..., None] * (1 + _NODES)) @ _WEIGHTS)


def window(rho: Array) -> Array:
    """The window w at ρ ≥ 0."""
    rho = np.clip(rho, START, 1)
    return _integral(_bell, rho) / _integral(_bell, np.array(START))


def ladder(rho: Array) -> Array:
    """D_k = ((1/ρ) d/dρ)^k w, k = 0 … 4, at ρ > 0, (…, 5)."""
    norm = -_integral(_bell, np.array(START))
    f4, f3, f2, f1 = (_bell(rho, n) / norm for n in (4, 3, 2, 1))
    y = (rho - _CENTRE) / _HALF
    D1 = f4 / rho
    D2 = (-2 * y * f3 / _HALF - D1) / rho**2
    D3 = ((4 * y**2 * f2 - 2 * f3) / _HALF**2 - 3 * rho * D2) / rho**3
    w4 = (-8 * y**3 * f1 + 12 * y * f2) / _HALF**3
    D4 = (w4 - 3 * D2 - 6 * rho**2 * D3) / rho**4
    return np.stack([window(rho), D1, D2, D3, D4], axis=-1)


def _in_bins(f: Callable[[Array], Array], bins: int, width: float) -> Array:
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
def ladder_table() -> Array:
    """D_k as polynomials in equal bins of ρ, (bins, 5, powers), for the compiled loops."""
    return _in_bins(ladder, _BINS, 1 / _BINS)


def transform(x: Array) -> Array:
    """∫_0^1 w(ρ) ρ cos(xρ) dρ at x (points,).

    With it the transform of the near part of G = g(n)/R is the integral over directions
    ∫ dΩ g(n) cutoff² transform(cutoff q·n).
    """
    rho = (1 + _NODES) / 2
    return np.cos(x[:, None] * rho) @ (window(rho) * rho * _WEIGHTS / 2)


@cache
def transform_table(largest: int) -> Array:
    """The transform as polynomials in bins of width 1 from 0 to ``largest``, (bins, powers)."""
    return _in_bins(transform, largest, 1.0)

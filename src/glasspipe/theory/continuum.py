"""Far sites as a continuum, seen by the characteristic function of a field.

A source at R contributes 1 − exp(i t U(R)), where t U may be a million or a millionth. The radial
integral is known in closed form; the angular one depends on t/R_0^p alone, R_0 the distance where
the continuum begins, so one table serves every cut and every concentration.
"""

from dataclasses import dataclass
from functools import cache
from math import pi

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.special import gamma, poch, roots_jacobi, sici

from glasspipe.defects.lattice import Lattice
from glasspipe.theory.lattice_sums import SmoothCut
from glasspipe.theory.pair_fields import PairField, half_sphere, sphere

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

_TABLE = (1e-3, 1e3, 1e13)
"""Ends of the fine and the coarse part of the tables, in units of 1/max |R^p U|."""
_BINS, _FEW_BINS, _ROOT = 2000, 400, 0.25
"""Bins of the distribution of R^p U over directions, and of one that many kinds blur; they are even
in this power of |R^p U|, for strengths may spread over decades."""
_ASYMPTOTIC = 30.0
_AT_ONCE = 4_000
"""Values of H that are worked out together: few enough for a cache, enough for a call to pay."""


def stable_factor(alpha: float) -> float:
    """∫_0^∞ (1 − cos s) s^(−1−α) ds = Γ(1 − α) cos(πα/2)/α, π/2 for α = 1."""
    return pi / 2 if alpha == 1 else gamma(1 - alpha) * np.cos(pi * alpha / 2) / alpha


def radial_integral(z: Array, power: int) -> Complex:
    """H(z) = ∫_1^∞ (1 − exp(iz/s^p)) s² ds, the contribution of all distances s > 1.

    For p = 3 the term iz/s³, which no direction average survives, is left out of the exponential;
    for p > 3 only the real part is given. With α = 3/p and w = s^(−p) it is

        H = (1/p) ∫_0^1 (1 − e^(izw) [+ izw]) w^(−1−α) dw.
    """
    size = np.abs(z)
    if power == 3:
        sine, cosine = sici(np.where(size > 0, size, 1.0))
        cin = np.where(size > 0, np.euler_gamma + np.log(np.where(size > 0, size, 1.0)) - cosine, 0)
        real = np.cos(size) - 1 + size * sine
        imaginary = np.sign(z) * (np.sin(size) - size + size * cin)
        return np.asarray((real + 1j * imaginary) / 3, dtype=complex)
    alpha = 3 / power
    result = np.empty(size.shape)
    near = size < _ASYMPTOTIC
    result[near] = _near_integral(power)(size[near]) * size[near] ** 2
    far = size[~near]
    result[~near] = stable_factor(alpha) * far**alpha - 1 / alpha - _oscillating(far, alpha)
    return np.asarray(result / power, dtype=complex)


def _oscillating(z: Array, alpha: float) -> Array:
    """Re e^(iz) Σ_k (α + 1)_k/(iz)^(k+1), asymptotic: (sin z Σ_even − cos z Σ_odd)/z."""
    terms = poch(alpha + 1, np.arange(12)) * np.repeat((-1.0) ** np.arange(6), 2)
    square = 1 / z**2
    even, odd = (np.polyval(terms[first::2][::-1], square) for first in (0, 1))
    return (np.sin(z) * even - np.cos(z) * odd / z) / z


@cache
def _near_integral(power: int) -> CubicSpline:
    """Re H(z)/z², times p, up to the asymptotic range, to 1e-11."""
    alpha = 3 / power
    z = np.linspace(0, _ASYMPTOTIC, 6001)
    node, weight = roots_jacobi(28, 0.0, 1 - alpha)
    node, weight = (1 + node) / 2, weight / 2 ** (2 - alpha)
    return CubicSpline(z, (np.sinc(z[:, None] * node / (2 * pi)) ** 2 / 2) @ weight)


@dataclass(frozen=True)
class Continuum:
    """Sites as a continuum, −ln φ = n R_0³ [p T_1(τ) + p² T_2(τ)/2] beyond R_0, τ = t/R_0^p.

    From ln(1 − pd) = −pd − p²d²/2 − … with d = 1 − ⟨e^(itU)⟩: T_k is the integral of d^k over
    directions and over R/R_0 > 1. The terms left out are of order p³.

    Parameters
    ----------
    density : float
        Sites per volume n, Å⁻³.
    power : int
        p of the field.
    unit : float
        1/max |R^p U|, the unit of τ in the tables, 1/(eV Å^p).
    first, second : CubicSpline
        T_1 and T_2 over τ²/(1 + τ^(2−α)) against ln τ.
    """

    density: float
    power: int
    unit: float
    first: CubicSpline
    second: CubicSpline

    def log_characteristic(self, t: Array, p: float, cut: SmoothCut) -> Complex:
        """Ln φ of the sites beyond a cut at t (…), 1/eV."""
        radius, share = cut.sharp_cuts()
        tau = t[..., None] / (self.unit * radius**self.power)
        where = np.log(np.maximum(tau, _TABLE[0]))
        table = p * self.first(where) + p * p / 2 * self.second(where)
        return -self.density * (table * _shape(tau, self.power)) @ (share * radius**3)


def _shape(tau: Array, power: int) -> Array:
    """How T depends on τ roughly, from the variance (τ²) to the stable law (τ^α)."""
    return tau**2 / (1 + tau ** (2 - 3 / power))


def continuum(field: PairField, lattice: Lattice) -> Continuum:
    """Tabulate the integrals over directions and distances."""
    unit = 1 / float(np.max(np.abs(field.angular(sphere(23)[0]))))
    tau = np.concatenate([np.geomspace(*_TABLE[:2], 231), np.geomspace(*_TABLE[1:], 48)[1:]])
    first = CubicSpline(np.log(tau), _first_order(field, tau * unit) / _shape(tau, field.power))
    tau = tau[::3]
    second = CubicSpline(np.log(tau), _second_order(field, tau * unit) / _shape(tau, field.power))
    return Continuum(lattice.site_density, field.power, unit, first, second)


def _first_order(field: PairField, tau: Array) -> Complex:
    """∫ d at each τ (points,), 1/(eV Å^p): an average over the distribution of g = R^p U."""
    g, weight = field.over_half_sphere()
    g = np.abs(g) if field.symmetric else g
    return _kept(field, _averaged(g.ravel(), weight.ravel(), tau, field))


def _second_order(field: PairField, tau: Array) -> Complex:
    """∫ d²: (1 − e^ia)(1 − e^ib) = (1 − e^ia) + (1 − e^ib) − (1 − e^i(a+b))."""
    n, solid = half_sphere(17)
    g, weight = field.few_states(field.angular(n))
    pair = (weight[:, None] * weight * solid).reshape(-1, g.shape[1])
    added = (g[:, None] + g).reshape(-1, g.shape[1])
    if field.signed:
        apart = (g[:, None] - g).reshape(-1, g.shape[1])
        added, pair = np.vstack([added, apart]), np.tile(pair, (2, 1)) / 2
    single = _averaged(g.ravel(), (2 * weight * solid).ravel(), tau, field)
    return _kept(field, single - _averaged(added.ravel(), pair.ravel(), tau, field))


def _averaged(g: Array, weight: Array, tau: Array, field: PairField) -> Complex:
    """Σ weight · H(τg) over values g (values,) at each τ (points,), many values in bins."""
    bins = _FEW_BINS if field.blurred else _BINS
    if g.size > bins:
        scale = np.sign(g) * np.abs(g) ** _ROOT
        low, high = np.min(scale), np.max(scale)
        number = np.minimum((bins * (scale - low) / (high - low)).astype(int), bins - 1)
        share = np.bincount(number, weight, minlength=bins).astype(float)
        g = np.bincount(number, weight * g, minlength=bins) / np.maximum(share, 1e-300)
        weight = share
    rows = range(0, len(tau), max(1, _AT_ONCE // g.size))[1:]
    parts = (radial_integral(part[:, None] * g, field.power) for part in np.split(tau, rows))
    return np.concatenate([part @ weight.astype(complex) for part in parts])


def _kept(field: PairField, table: Complex) -> Complex:
    """Both hemispheres: the fields of one are those of the other, or opposite."""
    return np.asarray(4 * pi * (table.real if field.symmetric else table), dtype=complex)

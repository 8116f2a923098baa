"""Kelvin's solution: the Green's function of an isotropic medium, in closed form.

    G_αγ(R) = A ∂_α∂_γ R + C δ_αγ / R,   A = (1/c_l² − 1/c_t²)/(8πρ),   C = 1/(4πρc_t²).

It is made of two radial functions, R and 1/R, so its derivatives are the tensors ∂ⁿf(|x|), and
Ewald's split is the textbook one: Gaussian screening of 1/R, and its integral for R.
"""

from dataclasses import dataclass
from functools import cache
from itertools import product
from math import comb, factorial, log, pi
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from glasspipe.elastic.medium import Medium
from glasspipe.elastic.sharing import Resolution, Spline, share_of
from glasspipe.elastic.window import Bell, evaluate, reaching, screening_table
from glasspipe.kernels import radial
from glasspipe.kernels.mesh import COARSE_ORDER

Array = NDArray[np.float64]


_ERROR_AT_10 = {2: 1.3e-7, 3: 7.1e-7}
"""Error of a mesh of 10 points in the cutoff, by the order of the derivatives."""


@cache
def _entries(order: int) -> tuple[list[tuple[int, ...]], NDArray[np.int64]]:
    """How often the entries that differ have each axis, and which of them every entry is."""
    entries = product(range(3), repeat=order)
    counts = [tuple(entry.count(axis) for axis in range(3)) for entry in entries]
    different = sorted(set(counts))
    return different, np.array([different.index(count) for count in counts])


@cache
def _pairings(count: int) -> tuple[int, ...]:
    """Ways to choose 0, 1, … pairs out of ``count`` indices, h_a^i = a!/(2^i i! (a − 2i)!)."""
    pairs = range(count // 2 + 1)
    return tuple(comb(count, 2 * i) * factorial(2 * i) // (2**i * factorial(i)) for i in pairs)


def radial_derivatives(x: Array, D: Array, order: int) -> Array:
    """Return ∂_a∂_b… f(|x|) of a radial function.

    ∂_x^a ∂_y^b ∂_z^c f = Σ_ijk h_a^i h_b^j h_c^k x^(a−2i) y^(b−2j) z^(c−2k) D_(n−i−j−k).

    Parameters
    ----------
    x : array (…, 3)
        Where.
    D : array (…, order + 1)
        D_k = ((1/R) d/dR)^k f at x.
    order : int
        Number n of derivatives.

    Returns
    -------
    array (…,) + (3,) * order
    """
    different, which = _entries(order)
    power = [x**degree for degree in range(order + 1)]
    made = np.zeros((*x.shape[:-1], len(different)))
    for entry, counts in enumerate(different):
        ways = [_pairings(count) for count in counts]
        for paired in product(*(range(len(way)) for way in ways)):
            term = D[..., order - sum(paired)]
            for axis, i in enumerate(paired):
                term = term * (ways[axis][i] * power[counts[axis] - 2 * i][..., axis])
            made[..., entry] += term
    return made[..., which].reshape((*x.shape[:-1], *(3,) * order))


def isotropic_coefficients(medium: Medium) -> tuple[float, float]:
    """A and C of G = A ∂∂R + C δ/R, Å³/eV."""
    longitudinal, transverse = medium.longitudinal_modulus, medium.transverse_modulus
    return (1 / longitudinal - 1 / transverse) / (8 * pi), 1 / (4 * pi * transverse)


@dataclass(frozen=True)
class Kelvin:
    """Response of an isotropic medium to point forces."""

    medium: Medium
    reach: ClassVar[float] = 5.6
    """αR at the near cutoff and q/2α at the far one: what is left out is below 1e-11."""
    sharpness_2: ClassVar[float] = 4.8
    sharpness_4: ClassVar[float] = 5.5
    """α V^(1/3) at which second and fourth derivatives cost the least."""
    coarse: ClassVar[Resolution] = Resolution(Bell(14.0), points=5.0, sharing=Spline(COARSE_ORDER))
    """Where less than a percent will do."""

    def resolution(self, order: int, error: float) -> Resolution:
        """Where a field of that many derivatives of G is to have that error, rms over rms.

        The error of a mesh falls by e^1.5 with every point in a length of the cutoff. Beyond 10 the
        window sharpens less than the mesh does, for what is left then is aliasing.
        """
        points = 10 + log(_ERROR_AT_10[order] / error) / 1.5
        return Resolution(Bell(min(1.8 * points, 8 + points)), points, share_of(error))

    def derivatives(self, R: Array, order: int) -> Array:
        """∂_β∂_δ… G_αγ(R), (…, 3, 3) + (3,) * order, at R (…, 3) in Å."""
        return self.near(R, order, 0.0)

    def near(self, R: Array, order: int, alpha: float) -> Array:
        """The same of the near part; α = 0 is the whole."""
        r2 = np.sum(R * R, axis=-1)
        g = np.empty((r2.size, order + 2))
        radial.ladders(r2.reshape(-1), alpha, g)
        g = g.reshape(*r2.shape, order + 2)
        A, C = isotropic_coefficients(self.medium)
        of_R = np.concatenate([np.zeros_like(g[..., :1]), g], axis=-1)
        total = A * radial_derivatives(R, of_R, order + 2)
        letters = "cdefgh"[:order]
        total += C * np.einsum(
            f"ab,...{letters}->...ab{letters}", np.eye(3), radial_derivatives(R, g, order)
        )
        return total

    def far(self, q: Array, alpha: float) -> Array:
        """G_αγ(q) of the far part (modes, 3, 3), Å⁵/eV, at q (modes, 3).

        [ q_αq_γ/q⁴ (1/ρc_l² − 1/ρc_t²)(1 + s) + δ_αγ/(ρc_t² q²) ] e^(−s),  s = q²/4α².
        """
        q2 = np.sum(q * q, axis=1)[:, None, None]
        s = q2 / (4 * alpha**2)
        longitudinal, transverse = self.medium.longitudinal_modulus, self.medium.transverse_modulus
        along = q[:, :, None] * q[:, None, :] / q2
        difference = 1 / longitudinal - 1 / transverse
        return np.exp(-s) / q2 * (along * difference * (1 + s) + np.eye(3) / transverse)

    def windowed(self, q: Array, cutoff: float, window: Bell) -> Array:
        """The same where a window takes the place of erfc: near parts w/R and ∫ w dR.

        [ q_αq_γ/q⁴ (1/ρc_l² − 1/ρc_t²)(Φ − xΦ′/2) + δ_αγ Φ/(ρc_t² q²) ],  x = q · cutoff.
        """
        q2 = np.sum(q * q, axis=1)
        x = np.sqrt(q2) * cutoff
        table = screening_table(reaching(x), window)
        of_inverse, of_distance = evaluate(table, x).T[:, :, None, None]
        longitudinal, transverse = self.medium.longitudinal_modulus, self.medium.transverse_modulus
        along = q[:, :, None] * q[:, None, :] / q2[:, None, None]
        difference = 1 / longitudinal - 1 / transverse
        total = along * difference * of_distance + np.eye(3) / transverse * of_inverse
        return total / q2[:, None, None]

    def angular(self, n: Array, order: int) -> Array:
        """Functions (functions, points) of n that R^(order + 1) ∂_β∂_δ… G_αγ is made of.

        It is a polynomial, its monomials of degree order + 2.
        """
        degree = order + 2
        powers = np.ones((degree + 1, 3, len(n)))
        np.cumprod(np.broadcast_to(n.T, (degree, 3, len(n))), axis=0, out=powers[1:])
        found = [(i, j, degree - i - j) for i in range(degree + 1) for j in range(degree + 1 - i)]
        return np.array([powers[i, 0] * powers[j, 1] * powers[k, 2] for i, j, k in found])

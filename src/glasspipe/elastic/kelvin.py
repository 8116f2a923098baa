"""Kelvin's solution: the Green's function of an isotropic medium, in closed form.

    G_αγ(R) = A ∂_α∂_γ R + C δ_αγ / R,   A = (1/c_l² − 1/c_t²)/(8πρ),   C = 1/(4πρc_t²).

It is made of two radial functions, R and 1/R, so its derivatives are the tensors ∂ⁿf(|x|), and
Ewald's split is the textbook one: Gaussian screening of 1/R, and its integral for R.
"""

from dataclasses import dataclass
from functools import cache
from math import ceil, log, pi
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from glasspipe.elastic.medium import Medium
from glasspipe.elastic.window import Bell, Resolution, evaluate, screening_table
from glasspipe.kernels import radial
from glasspipe.kernels.mesh import COARSE_ORDER, FINE_ORDER

Array = NDArray[np.float64]


_ERROR_AT_10 = {2: 1.3e-7, 3: 7.1e-7}
"""Error of a mesh of 10 points in the cutoff, by the order of the derivatives."""


@cache
def _pairings(indices: str) -> list[list[tuple[str, ...]]]:
    """Ways to split index letters into pairs and single letters, by the number of pairs."""
    if not indices:
        return [[()]]
    first, rest = indices[0], indices[1:]
    ways: list[list[tuple[str, ...]]] = [[] for _ in range(len(indices) // 2 + 1)]
    for pairs, splits in enumerate(_pairings(rest)):
        ways[pairs] += [(first, *split) for split in splits]
    for position, partner in enumerate(rest):
        others = rest[:position] + rest[position + 1 :]
        for pairs, splits in enumerate(_pairings(others)):
            ways[pairs + 1] += [(first + partner, *split) for split in splits]
    return ways


def radial_derivatives(x: Array, D: Array, order: int) -> Array:
    """Return ∂_a∂_b… f(|x|) of a radial function.

    ∂ⁿf = Σ_m (δ^m x^(n−2m)) D_(n−m), where (…) is the sum over all distinct index assignments.

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
    letters = "abcdefgh"[:order]
    total = np.zeros((*x.shape[:-1], *(3,) * order))
    for pairs, splits in enumerate(_pairings(letters)):
        for split in splits:
            factors = [np.eye(3) if len(part) == 2 else x for part in split]
            terms = [part if len(part) == 2 else "..." + part for part in split]
            signature = ",".join(["...", *terms]) + "->..." + letters
            total += np.einsum(signature, D[..., order - pairs], *factors)
    return total


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
    coarse: ClassVar[Resolution] = Resolution(Bell(14.0), points=5.0, order=COARSE_ORDER)
    """Where less than a percent will do."""

    def resolution(self, order: int, error: float) -> Resolution:
        """Where a field of that many derivatives of G is to have that error, rms over rms.

        The error of a mesh falls by e^1.5 with every point in a length of the cutoff. Beyond 10 the
        window sharpens less than the mesh does, for what is left then is aliasing.
        """
        points = 10 + log(_ERROR_AT_10[order] / error) / 1.5
        return Resolution(Bell(min(1.8 * points, 8 + points)), points, FINE_ORDER)

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
        table = screening_table(32 * ceil(float(np.max(x, initial=0.0)) / 32 + 0.1), window)
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

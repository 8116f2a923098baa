"""The radial functions of which every Green's function derivative is made.

With D = (1/R) d/dR, the near part of 1/R in Ewald's split is g = erfc(αR)/R and the near part of R
is R erfc(αR) − e^(−α²R²)/(α√π). One ladder serves both, for D of the second is g itself, and α = 0
is the bare kernel.
"""

from math import erfc, exp, pi, sqrt

from numba import njit

_ROOT_PI = sqrt(pi)


@njit(cache=True)
def ladder(r2, alpha, top, g):
    """Fill g[0 … top] with D^k [erfc(αR)/R] at R² = ``r2``.

    D^k g = (−1)^k B_k with B_k = [(2k − 1) B_(k−1) + 2^k α^(2k−1) e^(−α²R²)/√π] / R².
    """
    r = sqrt(r2)
    gauss = exp(-alpha * alpha * r2) / (alpha * _ROOT_PI) if alpha > 0 else 0.0
    inverse = 1.0 / r2
    b = erfc(alpha * r) / r
    g[0] = b
    for k in range(1, top + 1):
        gauss *= 2.0 * alpha * alpha
        b = ((2 * k - 1) * b + gauss) * inverse
        g[k] = -b if k % 2 else b


@njit(cache=True)
def ladders(r2, alpha, g):
    """Fill g (points, top + 1) with the ladder at every R² of ``r2`` (points,)."""
    for point in range(len(r2)):
        ladder(r2[point], alpha, g.shape[1] - 1, g[point])

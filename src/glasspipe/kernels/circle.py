"""The integrand of a crystal's Green's function on the circle perpendicular to R."""

from math import cos, pi, sin

import numpy as np
from numba import njit


@njit(cache=True)
def _christoffel(C, a, b, out):
    """Fill out (3, 3) with C_iajb a_a b_b."""
    for i in range(3):
        for j in range(3):
            out[i, j] = 0.0
            for k in range(3):
                for m in range(3):
                    out[i, j] += C[i, k, j, m] * a[k] * b[m]


@njit(cache=True)
def _invert(K, out):
    """Fill out (3, 3) with the inverse of a symmetric K (3, 3)."""
    for i in range(3):
        for j in range(3):
            a, b, c, d = (i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3
            out[i, j] = K[a, c] * K[b, d] - K[a, d] * K[b, c]
    out /= K[0, 0] * out[0, 0] + K[0, 1] * out[0, 1] + K[0, 2] * out[0, 2]


@njit(cache=True)
def _add_product(a, b, sign, out):
    """Add sign a b to out (3, 3)."""
    for i in range(3):
        for j in range(3):
            for k in range(3):
                out[i, j] += sign * a[i, k] * b[k, j]


@njit(cache=True)
def _inverse_series(C, m, n, work, X):
    """Fill X (degree + 1, 3, 3) with the coefficients of [C qq]⁻¹ in powers of t, q = m + t n.

    With C qq = K_0 + t K_1 + t² K_2: X_0 = K_0⁻¹ and X_j = −X_0 (K_1 X_(j−1) + K_2 X_(j−2)).
    """
    K_0, K_1, K_2, below = work
    _christoffel(C, m, m, K_0)
    _christoffel(C, m, n, below)
    _christoffel(C, n, n, K_2)
    for i in range(3):
        for j in range(3):
            K_1[i, j] = below[i, j] + below[j, i]
    _invert(K_0, X[0])
    for j in range(1, len(X)):
        below[:] = 0.0
        _add_product(K_1, X[j - 1], 1.0, below)
        if j > 1:
            _add_product(K_2, X[j - 2], 1.0, below)
        X[j] = 0.0
        _add_product(X[0], below, -1.0, X[j])


@njit(cache=True)
def add_circle(C, frame, points, monomials, wanted, total):
    """Add to ``total`` (N, monomials − wanted, 9) the sum over the half circle of directions.

    Parameters
    ----------
    C : array (3, 3, 3, 3)
        Stiffness.
    frame : array (N, 3, 3)
        Rows n and two directions perpendicular to it.
    monomials : array (monomials, 3) of int
        Degree k, axis and row of a monomial that times this axis is the monomial; by degree.
    wanted : int
        From which on the coefficients of tᵏ in (monomial of q = m + t n) times G(q) are wanted.
    """
    top = monomials[-1, 0]
    work = np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3))
    matrices, power = np.empty((top + 1, 3, 3)), np.zeros((len(monomials), top + 1))
    X = matrices.reshape(top + 1, 9)
    power[0, 0] = 1.0
    m = np.empty(3)
    for point in range(len(frame)):
        n = frame[point, 0]
        for angle in range(points):
            c, s = cos(pi * angle / points), sin(pi * angle / points)
            for i in range(3):
                m[i] = c * frame[point, 1, i] + s * frame[point, 2, i]
            _inverse_series(C, m, n, work, matrices)
            for row in range(len(monomials)):
                k, axis, lower = monomials[row]
                if row:
                    power[row, 0] = m[axis] * power[lower, 0]
                for j in range(1, k + 1):
                    power[row, j] = m[axis] * power[lower, j] + n[axis] * power[lower, j - 1]
                if row >= wanted:
                    for j in range(k + 1):
                        for i in range(9):
                            total[point, row - wanted, i] += power[row, j] * X[k - j, i]

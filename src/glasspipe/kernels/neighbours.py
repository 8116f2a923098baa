"""What is summed over lists of near pairs of many defects, made by :mod:`glasspipe.kernels.cells`.

A list has both directions of each pair, rows ascending: ``start`` (N + 1,), ``index`` (pairs,).
Values are made for i < j and stored twice; as rows ascend, the other place is soon found.
"""

from math import sqrt

import numpy as np
from numba import njit

from glasspipe.kernels.crystal_pairs import (
    MULTIPLICITY,
    couple,
    couple_gradients,
    strain,
    strain_of_gradient,
)
from glasspipe.kernels.jets import EXPONENTS, LANES, add_near, products, workspace

_OF_2, _OF_4, _OF_3_AND_4 = products(2, 2), products(4, 4), products(3, 4)


@njit(cache=True)
def displace(position, i, j, box, x):
    """Fill x (3,) with the nearest image of r_i − r_j; return its square."""
    total = 0.0
    for axis in range(3):
        d = position[i, axis] - position[j, axis]
        x[axis] = d - box[axis] * round(d / box[axis])
        total += x[axis] * x[axis]
    return total


@njit(cache=True, nogil=True)
def _other(i, j, start, index):
    """Where j has i in the list."""
    return start[j] + np.searchsorted(index[start[j] : start[j + 1]], i)


@njit(cache=True, nogil=True)
def crystal(first, last, position, gamma, P, box, cutoff, window, angular, start, index, U, B):
    """Fill U (pairs,) with the near couplings (16) and add those with P (26) to B (N,).

    Of pairs i < j, i from the first up to the last.
    """
    work, total = workspace(angular), np.empty(len(EXPONENTS) * LANES)
    towards, image = np.empty((3, 3)), np.ones(5)
    for i in range(first, last):
        for k in range(start[i], start[i + 1]):
            j = index[k]
            if j < i:
                continue
            image[3] = displace(position, i, j, box, image)
            total[:] = 0.0
            add_near(image, angular, window, cutoff, 2, _OF_2, work, total)
            total *= MULTIPLICITY
            strain(total, gamma[j], towards)
            U[k] = U[_other(i, j, start, index)] = couple(gamma[i], towards)
            B[j] += couple(P[i], towards)
            strain(total, P[j], towards)
            B[i] += couple(gamma[i], towards)


@njit(cache=True)
def _count(i, J, field, distance, sums):
    """Count J_ij and the field of its near part at i, see :func:`crystal_fields`."""
    size, scaled = abs(J), abs(J) * distance**5
    sums[0, i] += field
    sums[1, i] += size
    sums[2, i] = max(sums[2, i], size)
    sums[3, i] += scaled
    sums[4, i] += scaled * scaled


@njit(cache=True, nogil=True)
def crystal_fields(
    first, last, position, frozen, P, zeta, tau, box, cutoff, window, angular, start, index, b, J
):
    """Add near parts to b (2, N) = b^γ, b^η and sums over near couplings to J (5, N), in a crystal.

    J has the near part of Σ_j J_ij τ_j, and of whole couplings Σ_j |J_ij|, max_j |J_ij|,
    Σ_j |J_ij| R⁵ and Σ_j (J_ij R⁵)². frozen = γ_j S_j and P (N, 3, 3), zeta (N, 3, 3, 3); eqs.
    (60), (68), (72). Of pairs i < j, i from the first up to the last.
    """
    work, total = workspace(angular), np.empty(len(EXPONENTS) * LANES)
    towards, image = np.empty((3, 3)), np.ones(5)
    for i in range(first, last):
        for k in range(start[i], start[i + 1]):
            j = index[k]
            if j < i:
                continue
            image[3] = displace(position, i, j, box, image)
            total[:] = 0.0
            add_near(image, angular, window, 0.0, 4, _OF_4, work, total)
            total *= MULTIPLICITY
            whole = couple_gradients(total, zeta[i], zeta[j])
            total[:] = 0.0
            add_near(image, angular, window, cutoff, 4, _OF_3_AND_4, work, total)
            total *= MULTIPLICITY
            near = couple_gradients(total, zeta[i], zeta[j])
            _count(i, whole, -near * tau[j], sqrt(image[3]), J)
            _count(j, whole, -near * tau[i], sqrt(image[3]), J)
            strain_of_gradient(total, zeta[j], towards)
            b[0, j] -= couple(frozen[i], towards)
            b[1, j] -= couple(P[i], towards)
            strain_of_gradient(total, zeta[i], towards)
            b[0, i] += couple(frozen[j], towards)
            b[1, i] += couple(P[j], towards)


@njit(cache=True)
def add_fields(start, index, U, S, h):
    """Add Σ_j U_ij S_j over the list to h (N,), in float64."""
    for j in range(len(S)):
        if S[j] == 0:
            continue
        for k in range(start[j], start[j + 1]):
            h[index[k]] += np.float64(U[k]) * S[j]

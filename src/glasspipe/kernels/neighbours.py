"""Lists of near pairs of many defects, and what is summed over them.

The defects are sorted by cell, and the cells along a curve that keeps neighbours together, so that
the rows of a list are runs of memory. A list has both directions of each pair, rows ascending:
``start`` (N + 1,), ``index`` (pairs,). Values are made for i < j and stored twice; as rows ascend,
a cursor a row finds the other place.
"""

from math import sqrt

import numpy as np
from numba import njit

from glasspipe.kernels.contractions import dipole_dipole, dipole_with, double_dot, matrix
from glasspipe.kernels.crystal_pairs import MULTIPLICITY, couple, strain
from glasspipe.kernels.jets import EXPONENTS, LANES, add_near, products, windowed_inverse, workspace

_UNIT = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
_UP_TO_2 = products(2, 2)


@njit(cache=True)
def displace(position, i, j, box, x):
    """Fill x (3,) with the nearest image of r_i − r_j; return its square."""
    total = 0.0
    for axis in range(3):
        d = position[i, axis] - position[j, axis]
        x[axis] = d - box[axis] * round(d / box[axis])
        total += x[axis] * x[axis]
    return total


@njit(cache=True)
def _cells_around(place, rank, reach, found):
    """Fill ``found`` with the sorted ranks of the cells around a place; return how many."""
    shape = rank.shape
    count = 0
    for a in range(min(2 * reach + 1, shape[0])):
        for b in range(min(2 * reach + 1, shape[1])):
            for c in range(min(2 * reach + 1, shape[2])):
                found[count] = rank[
                    (place[0] - reach + a) % shape[0],
                    (place[1] - reach + b) % shape[1],
                    (place[2] - reach + c) % shape[2],
                ]
                count += 1
    found[:count].sort()
    return count


@njit(cache=True)
def neighbours(position, box, cutoff, place, rank, first, reach, start, index):
    """Count the neighbours of each defect in start[1:], or list them if ``index`` is not empty.

    place (cells, 3), rank (a, b, c) of each place, first (cells + 1,): first defect of each cell.
    """
    found = np.empty((2 * reach + 1) ** 3, np.int64)
    x = np.empty(3)
    limit = cutoff * cutoff
    listing = len(index) > 0
    for cell in range(len(place)):
        count = _cells_around(place[cell], rank, reach, found)
        for i in range(first[cell], first[cell + 1]):
            total = 0
            for other in found[:count]:
                for j in range(first[other], first[other + 1]):
                    if j != i and displace(position, i, j, box, x) < limit:
                        if listing:
                            index[start[i] + total] = j
                        total += 1
            if not listing:
                start[i + 1] = total


@njit(cache=True)
def isotropic(position, gamma, eta, box, cutoff, window, A, C, start, index, U, B):
    """Fill U (pairs,) with the near couplings (16) and add those of the volumes (26) to B (N,)."""
    cursor = start[:-1].copy()
    g, D, x = np.empty(4), np.empty(5), np.empty(3)
    for i in range(len(position)):
        gamma1 = matrix(gamma[i])
        for k in range(cursor[i], start[i + 1]):
            j = index[k]
            gamma2 = matrix(gamma[j])
            r2 = displace(position, i, j, box, x)
            windowed_inverse(window, cutoff, sqrt(r2), 3, D, g)
            R = x[0], x[1], x[2]
            one, two, unit = dipole_with(gamma1, R), dipole_with(gamma2, R), dipole_with(_UNIT, R)
            U[k] = U[cursor[j]] = dipole_dipole(g, A, C, one, two, double_dot(gamma1, gamma2))
            B[i] += eta[j] * dipole_dipole(g, A, C, one, unit, one[2])
            B[j] += eta[i] * dipole_dipole(g, A, C, two, unit, two[2])
            cursor[j] += 1


@njit(cache=True)
def crystal(position, gamma, eta, box, cutoff, window, angular, start, index, U, B):
    """The same in a crystal, from its tables."""
    cursor = start[:-1].copy()
    work, total = workspace(angular), np.empty(len(EXPONENTS) * LANES)
    towards, unit, image = np.empty((3, 3)), np.eye(3), np.ones(5)
    for i in range(len(position)):
        for k in range(cursor[i], start[i + 1]):
            j = index[k]
            image[3] = displace(position, i, j, box, image)
            total[:] = 0.0
            add_near(image, angular, window, cutoff, 2, _UP_TO_2, work, total)
            total *= MULTIPLICITY
            strain(total, gamma[j], towards)
            U[k] = U[cursor[j]] = couple(gamma[i], towards)
            B[j] += eta[i] * couple(unit, towards)
            strain(total, unit, towards)
            B[i] += eta[j] * couple(gamma[i], towards)
            cursor[j] += 1


@njit(cache=True)
def add_fields(start, index, U, S, h):
    """Add Σ_j U_ij S_j over the list to h (N,), in float64."""
    for i in range(len(S)):
        total = 0.0
        for k in range(start[i], start[i + 1]):
            total += np.float64(U[k]) * S[index[k]]
        h[i] += total


@njit(cache=True)
def strongest(start, U, partner):
    """Fill partner (N,) with the place in the list of each row's largest |U|, −1 in empty rows."""
    for i in range(len(partner)):
        partner[i] = -1
        largest = -1.0
        for k in range(start[i], start[i + 1]):
            if abs(U[k]) > largest:
                largest = abs(U[k])
                partner[i] = k

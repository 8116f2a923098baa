"""Near parts of the pair sums in a crystal: tables summed over images, then contracted once.

A pair's images differ in the displacement alone, so their jets are added first; what a pair pays
once is the contraction of the sum with the tensors of both defects. ``far``, ``cutoff`` and the
results are those of :mod:`glasspipe.kernels.pairs`, the tables those of
:mod:`glasspipe.kernels.jets`.
"""

import numpy as np
from numba import njit

from glasspipe.kernels.images import images, scratch
from glasspipe.kernels.jets import COMPONENT, EXPONENTS, INDEX, LANES, add_near, products, workspace

_UP_TO_2, _OF_3, _OF_3_AND_4 = products(2, 2), products(3, 3), products(3, 4)


def _places(order):
    """Place in a jet of ∂_a∂_b… G_αγ, (3, 3) + (3,) * order, and the factor a! b! c!."""
    place = np.empty((3, 3) + (3,) * order, dtype=np.int64)
    for entry in np.ndindex(place.shape):
        e = [entry[2:].count(axis) for axis in range(3)]
        place[entry] = INDEX[e[0], e[1], e[2]] * LANES + COMPONENT[entry[0], entry[1]]
    return place


_PLACE2, _PLACE3, _PLACE4 = _places(2), _places(3), _places(4)
_FACTORIAL = np.array([1.0, 1.0, 2.0, 6.0, 24.0])
MULTIPLICITY = np.repeat(_FACTORIAL[EXPONENTS].prod(axis=1), LANES)


@njit(cache=True)
def strain(total, gamma, towards):
    """Fill towards[α, β] with γ^γδ ∂_β∂_δ G_αγ, from a jet."""
    for a in range(3):
        for b in range(3):
            value = 0.0
            for c in range(3):
                for d in range(3):
                    value += gamma[c, d] * total[_PLACE2[a, c, b, d]]
            towards[a, b] = value


@njit(cache=True)
def couple(a, b):
    """a_ab b_ab."""
    value = 0.0
    for i in range(3):
        for j in range(3):
            value += a[i, j] * b[i, j]
    return value


@njit(cache=True, nogil=True)
def couplings(first, last, position, gamma, P, box, cutoff, angular, window, far, U, B):
    """Fill U (pairs,), i < j rows first, with U_ij, and add the near part of B (N,).

    position (N, 3), gamma and P (N, 3, 3), box (3,). Eqs. (16), (26), (29).
    """
    axis, weight, image = scratch(box, cutoff)
    work, total = workspace(angular), np.empty(len(EXPONENTS) * LANES)
    towards = np.empty((3, 3))
    pair = first * (2 * len(position) - first - 1) // 2
    for i in range(first, last):
        for j in range(i + 1, len(position)):
            total[:] = 0.0
            for n in range(images(position[i] - position[j], box, cutoff, axis, weight, image)):
                add_near(image[n], angular, window, cutoff, 2, _UP_TO_2, work, total)
            total *= MULTIPLICITY
            strain(total, gamma[j], towards)
            U[pair] = far[i, j] + couple(gamma[i], towards)
            B[j] += couple(P[i], towards)
            strain(total, P[j], towards)
            B[i] += couple(gamma[i], towards)
            pair += 1


@njit(cache=True)
def strain_of_gradient(total, zeta, towards):
    """Fill towards[α, β] with ζ^γδε ∂_β∂_δ∂_ε G_αγ, from a jet."""
    for a in range(3):
        for b in range(3):
            value = 0.0
            for c in range(3):
                for d in range(3):
                    value += zeta[c, d, d] * total[_PLACE3[a, c, b, d, d]]
                    for e in range(d):
                        value += 2.0 * zeta[c, d, e] * total[_PLACE3[a, c, b, d, e]]
            towards[a, b] = value


@njit(cache=True)
def couple_gradients(total, zeta1, zeta2):
    """ζ_1^αβδ ζ_2^γεφ ∂_β∂_δ∂_ε∂_φ G_αγ, from a jet."""
    value = 0.0
    for a in range(3):
        for b in range(3):
            for d in range(b + 1):
                towards = 0.0
                for c in range(3):
                    for e in range(3):
                        towards += zeta2[c, e, e] * total[_PLACE4[a, c, b, d, e, e]]
                        for f in range(e):
                            towards += 2.0 * zeta2[c, e, f] * total[_PLACE4[a, c, b, d, e, f]]
                value += zeta1[a, b, d] * towards * (1.0 if b == d else 2.0)
    return value


@njit(cache=True, nogil=True)
def fields(first, last, position, frozen, P, zeta, box, cutoff, angular, window, J, b_gamma, b_eta):
    """Add the near parts of J_ij to the upper triangle of J (N, N), of b^γ and b^η (N,).

    position (N, 3), frozen = γ_j S_j and P (N, 3, 3), zeta (N, 3, 3, 3). Eqs. (60), (68),
    (72). The odd couplings take R = r_source − r_τ.
    """
    axis, weight, image = scratch(box, cutoff)
    work, total = workspace(angular), np.empty(len(EXPONENTS) * LANES)
    towards = np.empty((3, 3))
    for i in range(first, last):
        for j in range(i + 1, len(position)):
            total[:] = 0.0
            for n in range(images(position[i] - position[j], box, cutoff, axis, weight, image)):
                add_near(image[n], angular, window, cutoff, 4, _OF_3_AND_4, work, total)
            total *= MULTIPLICITY
            J[i, j] -= couple_gradients(total, zeta[i], zeta[j])
            strain_of_gradient(total, zeta[j], towards)
            b_gamma[j] -= couple(frozen[i], towards)
            b_eta[j] -= couple(P[i], towards)
            strain_of_gradient(total, zeta[i], towards)
            b_gamma[i] += couple(frozen[j], towards)
            b_eta[i] += couple(P[j], towards)


@njit(cache=True, nogil=True)
def spin_tau(first, last, position, gamma, zeta, box, cutoff, angular, window, coupling):
    """Add the near parts of U^Sτ_ij to ``coupling`` (N, N), i the site of S and j that of τ.

    position (N, 3), gamma (N, 3, 3), zeta (N, 3, 3, 3). Eq. (36) with R = r_S − r_τ.
    """
    axis, weight, image = scratch(box, cutoff)
    work, total = workspace(angular), np.empty(len(EXPONENTS) * LANES)
    towards = np.empty((3, 3))
    for i in range(first, last):
        for j in range(i + 1, len(position)):
            total[:] = 0.0
            for n in range(images(position[i] - position[j], box, cutoff, axis, weight, image)):
                add_near(image[n], angular, window, cutoff, 3, _OF_3, work, total)
            total *= MULTIPLICITY
            strain_of_gradient(total, zeta[j], towards)
            coupling[i, j] -= couple(gamma[i], towards)
            strain_of_gradient(total, zeta[i], towards)
            coupling[j, i] += couple(gamma[j], towards)

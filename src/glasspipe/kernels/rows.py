"""Near parts of the fields on few defects of all the others in a crystal, image by image."""

import numpy as np
from numba import njit

from glasspipe.kernels.crystal_pairs import (
    MULTIPLICITY,
    couple,
    couple_gradients,
    strain,
    strain_of_gradient,
)
from glasspipe.kernels.images import images, scratch
from glasspipe.kernels.jets import EXPONENTS, LANES, add_near, products, workspace

_UP_TO_2, _OF_3_AND_4 = products(2, 2), products(3, 4)


@njit(cache=True, nogil=True)
def crystal(
    from_row, to_row, which, position, receivers, sources, box, cutoff, angular, window, out
):
    """Add to out (rows,) the near part of the field on the defects ``which``.

    position (N, 3), receivers (rows, 3, 3) their γ, sources (N, 3, 3); the other arguments are
    those of :func:`glasspipe.kernels.crystal_pairs.couplings`.
    """
    axis, weight, image = scratch(box, cutoff)
    work, total = workspace(angular), np.empty(len(EXPONENTS) * LANES)
    towards = np.empty((3, 3))
    for row in range(from_row, to_row):
        i = which[row]
        for j in range(len(position)):
            if j == i:
                continue
            total[:] = 0.0
            for n in range(images(position[i] - position[j], box, cutoff, axis, weight, image)):
                add_near(image[n], angular, window, cutoff, 2, _UP_TO_2, work, total)
            total *= MULTIPLICITY
            strain(total, sources[j], towards)
            out[row] += couple(receivers[row], towards)


@njit(cache=True, nogil=True)
def crystal_tau(
    from_row, to_row, which, position, zeta, frozen, P, of_tau, box, cutoff, angular, window, out
):
    """Add to out (3, rows) the near parts of b^γ, b^η and Σ_j J_ij τ_j on the defects ``which``.

    zeta (rows, 3, 3, 3), frozen = γ_j S_j and P (N, 3, 3), of_tau = ζ_j τ_j (N, 3, 3, 3); the other
    arguments are as above.
    """
    axis, weight, image = scratch(box, cutoff)
    work, total = workspace(angular), np.empty(len(EXPONENTS) * LANES)
    towards = np.empty((3, 3))
    for row in range(from_row, to_row):
        i = which[row]
        for j in range(len(position)):
            if j == i:
                continue
            total[:] = 0.0
            for n in range(images(position[i] - position[j], box, cutoff, axis, weight, image)):
                add_near(image[n], angular, window, cutoff, 4, _OF_3_AND_4, work, total)
            total *= MULTIPLICITY
            strain_of_gradient(total, zeta[row], towards)
            out[0, row] += couple(frozen[j], towards)
            out[1, row] += couple(P[j], towards)
            out[2, row] -= couple_gradients(total, zeta[row], of_tau[j])

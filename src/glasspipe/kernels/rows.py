"""Near parts of the fields on few defects of all the others, image by image."""

import numpy as np
from numba import njit

from glasspipe.kernels.contractions import dipole_dipole, dipole_with, double_dot, matrix, vector
from glasspipe.kernels.crystal_pairs import MULTIPLICITY, couple, strain
from glasspipe.kernels.images import images, scratch
from glasspipe.kernels.jets import EXPONENTS, LANES, add_near, products, workspace
from glasspipe.kernels.radial import ladder

_UP_TO_2 = products(2, 2)


@njit(cache=True)
def isotropic(which, position, receivers, sources, box, alpha, cutoff, A, C, out):
    """Add to out (rows,) the near part of the field on the defects ``which``.

    position (N, 3), receivers (rows, 3, 3) their γ, sources (N, 3, 3); the other arguments are
    those of :func:`glasspipe.kernels.pairs.couplings`.
    """
    axis, weight, image = scratch(box, cutoff)
    g = np.empty(4)
    for row in range(len(which)):
        i = which[row]
        gamma1 = matrix(receivers[row])
        for j in range(len(position)):
            if j == i:
                continue
            gamma2 = matrix(sources[j])
            gamma12 = double_dot(gamma1, gamma2)
            for n in range(images(position[i] - position[j], box, cutoff, axis, weight, image)):
                x = vector(image[n])
                ladder(image[n, 3], alpha, 3, g)
                one, two = dipole_with(gamma1, x), dipole_with(gamma2, x)
                out[row] += image[n, 4] * dipole_dipole(g, A, C, one, two, gamma12)


@njit(cache=True)
def crystal(which, position, receivers, sources, box, cutoff, angular, window, out):
    """The same in a crystal, see :func:`glasspipe.kernels.crystal_pairs.couplings`."""
    axis, weight, image = scratch(box, cutoff)
    work, total = workspace(angular), np.empty(len(EXPONENTS) * LANES)
    towards = np.empty((3, 3))
    for row in range(len(which)):
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

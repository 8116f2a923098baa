"""Near parts of the fields on few defects of all the others, image by image."""

import numpy as np
from numba import njit

from glasspipe.kernels.contractions import (
    cube,
    dipole_dipole,
    dipole_gradient,
    dipole_with,
    double_dot,
    gradient_gradient,
    gradient_with,
    matrix,
    triple_dot,
    vector,
)
from glasspipe.kernels.crystal_pairs import (
    MULTIPLICITY,
    couple,
    couple_gradients,
    strain,
    strain_of_gradient,
)
from glasspipe.kernels.images import images, scratch
from glasspipe.kernels.jets import EXPONENTS, LANES, add_near, products, workspace
from glasspipe.kernels.radial import ladder

_UP_TO_2, _OF_3_AND_4 = products(2, 2), products(3, 4)


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


@njit(cache=True)
def isotropic_tau(
    which, position, zeta, sigma, frozen, P, of_tau, sigma_of_tau, box, alpha, cutoff, A, C, out
):
    """Add to out (3, rows) the near parts of b^γ, b^η and Σ_j J_ij τ_j on the defects ``which``.

    zeta and its symmetric part sigma (rows, 3, 3, 3), frozen = γ_j S_j and P (N, 3, 3), of_tau =
    ζ_j τ_j and its symmetric part (N, 3, 3, 3); the other arguments are as above.
    """
    axis, weight, image = scratch(box, cutoff)
    g = np.empty(6)
    for row in range(len(which)):
        i = which[row]
        sigma1, zeta1 = cube(sigma[row]), cube(zeta[row])
        for j in range(len(position)):
            if j == i:
                continue
            frozen2, P2 = matrix(frozen[j]), matrix(P[j])
            sigma2, zeta2 = cube(sigma_of_tau[j]), cube(of_tau[j])
            coupled = triple_dot(sigma1, sigma2), triple_dot(zeta1, zeta2)
            for n in range(images(position[i] - position[j], box, cutoff, axis, weight, image)):
                x, weigh = vector(image[n]), image[n, 4]
                ladder(image[n, 3], alpha, 5, g)
                one, one_itself = gradient_with(sigma1, x), gradient_with(zeta1, x)
                two, two_itself = gradient_with(sigma2, x), gradient_with(zeta2, x)
                source = dipole_with(frozen2, x)
                out[0, row] += weigh * dipole_gradient(g, A, C, source, one, one_itself)
                source = dipole_with(P2, x)
                out[1, row] += weigh * dipole_gradient(g, A, C, source, one, one_itself)
                pair = one, one_itself, two, two_itself
                out[2, row] -= weigh * gradient_gradient(g, A, C, *pair, *coupled)


@njit(cache=True)
def crystal_tau(which, position, zeta, frozen, P, of_tau, box, cutoff, angular, window, out):
    """The same in a crystal."""
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
                add_near(image[n], angular, window, cutoff, 4, _OF_3_AND_4, work, total)
            total *= MULTIPLICITY
            strain_of_gradient(total, zeta[row], towards)
            out[0, row] += couple(frozen[j], towards)
            out[1, row] += couple(P[j], towards)
            out[2, row] -= couple_gradients(total, zeta[row], of_tau[j])

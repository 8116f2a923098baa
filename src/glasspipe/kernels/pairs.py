"""Near parts of the pair sums, every pair once, both directions of each coupling.

``far`` (N, N) arrives with the far part of the coupling in its upper triangle; the near part is
added on the way out. A ``cutoff`` of 0 with ``alpha`` = 0 is the bare kernel at the nearest image.
"""

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
from glasspipe.kernels.images import images, scratch
from glasspipe.kernels.radial import ladder

_UNIT = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@njit(cache=True)
def couplings(position, gamma, eta, box, alpha, cutoff, A, C, far, U, B):
    """Fill U (pairs,), i < j rows first, with U_ij, and add the near part of B (N,).

    position (N, 3), gamma (N, 3, 3), eta (N,), box (3,). Eqs. (16), (26), (29).
    """
    axis, weight, image = scratch(box, cutoff)
    g = np.empty(4)
    pair = 0
    for i in range(len(position)):
        gamma1 = matrix(gamma[i])
        for j in range(i + 1, len(position)):
            gamma2 = matrix(gamma[j])
            gamma12 = double_dot(gamma1, gamma2)
            total = on_i = on_j = 0.0
            for n in range(images(position[i] - position[j], box, cutoff, axis, weight, image)):
                x = vector(image[n])
                weigh = image[n, 4]
                ladder(image[n, 3], alpha, 3, g)
                one, two, unit = (
                    dipole_with(gamma1, x),
                    dipole_with(gamma2, x),
                    dipole_with(_UNIT, x),
                )
                total += weigh * dipole_dipole(g, A, C, one, two, gamma12)
                on_i += weigh * dipole_dipole(g, A, C, one, unit, one[2])
                on_j += weigh * dipole_dipole(g, A, C, two, unit, two[2])
            U[pair] = far[i, j] + total
            B[i] += eta[j] * on_i
            B[j] += eta[i] * on_j
            pair += 1


@njit(cache=True)
def fields(
    position, frozen, eta, zeta, sigma, symmetric, box, alpha, cutoff, A, C, J, b_gamma, b_eta
):
    """Add the near parts of J_ij to the upper triangle of J (N, N), of b^γ and b^η (N,).

    position (N, 3), frozen = γ_j S_j (N, 3, 3), eta (N,), zeta and its symmetric part sigma
    (N, 3, 3, 3), ``symmetric`` where they are the same. Eqs. (60), (68), (72). The odd couplings
    take R = r_source − r_τ.
    """
    axis, weight, image = scratch(box, cutoff)
    g = np.empty(6)
    for i in range(len(position)):
        frozen1, sigma1, zeta1 = matrix(frozen[i]), cube(sigma[i]), cube(zeta[i])
        for j in range(i + 1, len(position)):
            frozen2, sigma2, zeta2 = matrix(frozen[j]), cube(sigma[j]), cube(zeta[j])
            sigma12, zeta12 = triple_dot(sigma1, sigma2), triple_dot(zeta1, zeta2)
            for n in range(images(position[i] - position[j], box, cutoff, axis, weight, image)):
                x = vector(image[n])
                weigh = image[n, 4]
                ladder(image[n, 3], alpha, 5, g)
                one, two = gradient_with(sigma1, x), gradient_with(sigma2, x)
                one_itself = one if symmetric else gradient_with(zeta1, x)
                two_itself = two if symmetric else gradient_with(zeta2, x)
                unit = dipole_with(_UNIT, x)
                J[i, j] -= weigh * gradient_gradient(
                    g, A, C, one, one_itself, two, two_itself, sigma12, zeta12
                )
                source = dipole_with(frozen1, x)
                b_gamma[j] -= weigh * dipole_gradient(g, A, C, source, two, two_itself)
                b_eta[j] -= weigh * eta[i] * dipole_gradient(g, A, C, unit, two, two_itself)
                source = dipole_with(frozen2, x)
                b_gamma[i] += weigh * dipole_gradient(g, A, C, source, one, one_itself)
                b_eta[i] += weigh * eta[j] * dipole_gradient(g, A, C, unit, one, one_itself)


@njit(cache=True)
def summarise(J, tau, J_abs, J_max, J_tau):
    """Fill Σ_j |J_ij|, max_j |J_ij| and Σ_j J_ij τ_j (N,) from the upper triangle of J (N, N)."""
    for i in range(len(J)):
        for j in range(i + 1, len(J)):
            size = abs(J[i, j])
            J_abs[i] += size
            J_abs[j] += size
            J_max[i] = max(J_max[i], size)
            J_max[j] = max(J_max[j], size)
            J_tau[i] += J[i, j] * tau[j]
            J_tau[j] += J[i, j] * tau[i]

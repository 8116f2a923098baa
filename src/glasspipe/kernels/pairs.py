"""Near parts of the pair sums, every pair once, both directions of each coupling.

P are the force dipoles that S does not change, η δ or more. ``far`` (N, N) arrives with the far
part of the coupling in its upper triangle; the near part is added on the way out. A ``cutoff`` of 0
with ``alpha`` = 0 is the bare kernel at the nearest image.
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


@njit(cache=True, nogil=True)
def couplings(first, last, position, gamma, P, box, alpha, cutoff, A, C, far, U, B):
    """Fill U (pairs,), i < j rows first, with U_ij, and add the near part of B (N,).

    position (N, 3), gamma and P (N, 3, 3), box (3,). Eqs. (16), (26), (29).
    """
    axis, weight, image = scratch(box, cutoff)
    g = np.empty(4)
    pair = first * (2 * len(position) - first - 1) // 2
    for i in range(first, last):
        gamma1, P1 = matrix(gamma[i]), matrix(P[i])
        for j in range(i + 1, len(position)):
            gamma2, P2 = matrix(gamma[j]), matrix(P[j])
            gamma12 = double_dot(gamma1, gamma2)
            gamma1P2, gamma2P1 = double_dot(gamma1, P2), double_dot(gamma2, P1)
            total = on_i = on_j = 0.0
            for n in range(images(position[i] - position[j], box, cutoff, axis, weight, image)):
                x = vector(image[n])
                weigh = image[n, 4]
                ladder(image[n, 3], alpha, 3, g)
                one, two = dipole_with(gamma1, x), dipole_with(gamma2, x)
                total += weigh * dipole_dipole(g, A, C, one, two, gamma12)
                on_i += weigh * dipole_dipole(g, A, C, one, dipole_with(P2, x), gamma1P2)
                on_j += weigh * dipole_dipole(g, A, C, two, dipole_with(P1, x), gamma2P1)
            U[pair] = far[i, j] + total
            B[i] += on_i
            B[j] += on_j
            pair += 1


@njit(cache=True, nogil=True)
def fields(
    first,
    last,
    position,
    frozen,
    P,
    zeta,
    sigma,
    symmetric,
    box,
    alpha,
    cutoff,
    A,
    C,
    J,
    b_gamma,
    b_eta,
):
    """Add the near parts of J_ij to the upper triangle of J (N, N), of b^γ and b^η (N,).

    position (N, 3), frozen = γ_j S_j and P (N, 3, 3), zeta and its symmetric part sigma
    (N, 3, 3, 3), ``symmetric`` where they are the same. Eqs. (60), (68), (72). The odd couplings
    take R = r_source − r_τ.
    """
    axis, weight, image = scratch(box, cutoff)
    g = np.empty(6)
    for i in range(first, last):
        frozen1, sigma1, zeta1 = matrix(frozen[i]), cube(sigma[i]), cube(zeta[i])
        P1 = matrix(P[i])
        for j in range(i + 1, len(position)):
            frozen2, sigma2, zeta2 = matrix(frozen[j]), cube(sigma[j]), cube(zeta[j])
            P2 = matrix(P[j])
            sigma12, zeta12 = triple_dot(sigma1, sigma2), triple_dot(zeta1, zeta2)
            for n in range(images(position[i] - position[j], box, cutoff, axis, weight, image)):
                x = vector(image[n])
                weigh = image[n, 4]
                ladder(image[n, 3], alpha, 5, g)
                one, two = gradient_with(sigma1, x), gradient_with(sigma2, x)
                one_itself = one if symmetric else gradient_with(zeta1, x)
                two_itself = two if symmetric else gradient_with(zeta2, x)
                J[i, j] -= weigh * gradient_gradient(
                    g, A, C, one, one_itself, two, two_itself, sigma12, zeta12
                )
                source = dipole_with(frozen1, x)
                b_gamma[j] -= weigh * dipole_gradient(g, A, C, source, two, two_itself)
                source = dipole_with(P1, x)
                b_eta[j] -= weigh * dipole_gradient(g, A, C, source, two, two_itself)
                source = dipole_with(frozen2, x)
                b_gamma[i] += weigh * dipole_gradient(g, A, C, source, one, one_itself)
                source = dipole_with(P2, x)
                b_eta[i] += weigh * dipole_gradient(g, A, C, source, one, one_itself)


@njit(cache=True, nogil=True)
def spin_tau(first, last, position, gamma, zeta, sigma, symmetric, box, alpha, cutoff, A, C, total):
    """Add the near parts of U^Sτ_ij to ``total`` (N, N), i the site of S and j that of τ.

    position (N, 3), gamma (N, 3, 3), zeta and its symmetric part sigma (N, 3, 3, 3),
    ``symmetric`` where they are the same. Eq. (36) with R = r_S − r_τ.
    """
    axis, weight, image = scratch(box, cutoff)
    g = np.empty(5)
    for i in range(first, last):
        gamma1, sigma1, zeta1 = matrix(gamma[i]), cube(sigma[i]), cube(zeta[i])
        for j in range(i + 1, len(position)):
            gamma2, sigma2, zeta2 = matrix(gamma[j]), cube(sigma[j]), cube(zeta[j])
            for n in range(images(position[i] - position[j], box, cutoff, axis, weight, image)):
                x = vector(image[n])
                weigh = image[n, 4]
                ladder(image[n, 3], alpha, 4, g)
                one, two = gradient_with(sigma1, x), gradient_with(sigma2, x)
                one_itself = one if symmetric else gradient_with(zeta1, x)
                two_itself = two if symmetric else gradient_with(zeta2, x)
                source = dipole_with(gamma1, x)
                total[i, j] -= weigh * dipole_gradient(g, A, C, source, two, two_itself)
                source = dipole_with(gamma2, x)
                total[j, i] += weigh * dipole_gradient(g, A, C, source, one, one_itself)


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

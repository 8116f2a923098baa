"""Fields of the near defects of many in an isotropic medium, without a list of pairs.

A list takes longer to make than the sums over it. So each defect looks for its neighbours in the
cells around it, and sums over those that it finds in vector registers: those loops store nothing,
and the window's radial functions are polynomials of R² once the bare ones are taken out.
"""

from math import sqrt

import numpy as np
from numba import njit

from glasspipe.kernels.contractions import (
    dipole_dipole,
    dipole_gradient,
    dipole_with,
    double_dot,
    gradient_gradient,
    gradient_with,
    symmetric_cube,
    symmetric_matrix,
    triple_dot,
    vector,
)
from glasspipe.kernels.images import images, scratch

DEGREE = 20
"""Of the polynomials, see :func:`glasspipe.elastic.window.smooth_table`."""
_AT_ONCE = 200
"""Defects whose images are listed at once."""
_IN_VECTORS = {"reassoc", "contract", "nsz", "nnan"}
"""Of loops that are inlined by force: compiled on their own besides, they would round in two ways,
and in which one would depend on whether they were just compiled, or read from the cache."""


@njit(cache=True)
def _around(cell, cells, box, cutoff, position, image, index):
    """Fill image (3, most) and ``index`` with the defects in the cells around one.

    ``cells``: place (cells, 3), rank (a, b, c) of each place, first defect of each (cells + 1).
    Returns how many they are, which may be more than there is room for, and which of them is the
    cell's own first one.
    """
    place, rank, first = cells
    shape = np.array(rank.shape)
    reach = np.ceil(cutoff * shape / box - 1e-9).astype(np.int64)
    count = own = 0
    for a in range(-reach[0], reach[0] + 1):
        for b in range(-reach[1], reach[1] + 1):
            for c in range(-reach[2], reach[2] + 1):
                x, y, z = place[cell, 0] + a, place[cell, 1] + b, place[cell, 2] + c
                there = rank[x % shape[0], y % shape[1], z % shape[2]]
                if a == b == c == 0:
                    own = count
                for j in range(first[there], first[there + 1]):
                    if count < len(index):
                        image[0, count] = position[j, 0] + x // shape[0] * box[0]
                        image[1, count] = position[j, 1] + y // shape[1] * box[1]
                        image[2, count] = position[j, 2] + z // shape[2] * box[2]
                        index[count] = j
                    count += 1
    return count, own


@njit(cache=True)
def _room(count):
    """Arrays for so many images: where they are, which defects, and places of the near ones."""
    return np.empty((3, count)), np.empty(count, np.int64), np.empty(count + 1, np.int64)


@njit(cache=True)
def _all_around(cell, cells, box, cutoff, position, room):
    """Return what :func:`_around` does, and arrays with room for it: those given, or larger."""
    count, own = _around(cell, cells, box, cutoff, position, room[0], room[1])
    if count > len(room[1]):
        room = _room(2 * count)
        count, own = _around(cell, cells, box, cutoff, position, room[0], room[1])
    return count, own, room


@njit(cache=True)
def _within(here, limit, itself, image, count, near):
    """Fill ``near`` with the places of the images within √limit, itself apart; return how many."""
    found = 0
    for k in range(count):
        x, y, z = here[0] - image[0, k], here[1] - image[1, k], here[2] - image[2, k]
        near[found] = k
        found += np.int64((x * x + y * y + z * z < limit) & (k != itself))
    return found


@njit(cache=True, forceinline=True, fastmath={"contract"})
def _polynomial(coefficients, s):
    value = coefficients[DEGREE]
    for power in range(DEGREE - 1, -1, -1):
        value = value * s + coefficients[power]
    return value


@njit(cache=True, forceinline=True, fastmath={"contract"})
def _bare(r2):
    """D^k [1/R], k = 1 … 5, D = (1/R) d/dR."""
    inverse = 1.0 / r2
    first = -inverse * sqrt(inverse)
    second = -3.0 * inverse * first
    third = -5.0 * inverse * second
    fourth = -7.0 * inverse * third
    return first, second, third, fourth, -9.0 * inverse * fourth


@njit(cache=True, forceinline=True)
def _bits(value):
    """Bits of a number that is not negative, which are in the order of such numbers.

    Their maximum is one that vector registers have; that of numbers asks what a NaN is to be.
    """
    return np.float64(value).view(np.int64)


@njit(cache=True, forceinline=True)
def _number(bits):
    """What has these bits."""
    return np.int64(bits).view(np.float64)


@njit(cache=True, forceinline=True, error_model="numpy", fastmath=_IN_VECTORS)
def _strain(here, gamma1, P, A, C, smooth, cutoff, image, index, near):
    """Σ_j γ_1^αβ P_j^γδ ∂_β∂_δ G_αγ of the near parts."""
    (x, y, z), scale, total = here, 2.0 / (cutoff * cutoff), 0.0
    first, second, third = smooth[1], smooth[2], smooth[3]
    for n in range(len(near)):
        k = near[n]
        R = x - image[0, k], y - image[1, k], z - image[2, k]
        r2 = R[0] * R[0] + R[1] * R[1] + R[2] * R[2]
        s, bare, P2 = r2 * scale - 1.0, _bare(r2), symmetric_matrix(P[index[k]])
        g = (
            0.0,
            bare[0] - _polynomial(first, s),
            bare[1] - _polynomial(second, s),
            bare[2] - _polynomial(third, s),
        )
        one, two = dipole_with(gamma1, R), dipole_with(P2, R)
        total += dipole_dipole(g, A, C, one, two, double_dot(gamma1, P2))
    return total


@njit(cache=True, nogil=True)
def strains(from_cell, to_cell, position, gamma, P, cells, box, cutoff, A, C, smooth, out):
    """Add to out (N,) the near parts of the fields on γ of force dipoles P (N, 6), eq. (26).

    Of the defects in the cells from one up to another.

    Symmetric tensors come as :func:`glasspipe.kernels.contractions.symmetric_matrix` has them.

    The defects are sorted by cell, ``cells`` as in :func:`_around`; ``smooth`` (6, DEGREE + 1) from
    :func:`glasspipe.elastic.window.smooth_table`.
    """
    room = _room(0)
    first = cells[2]
    for cell in range(from_cell, to_cell):
        count, own, room = _all_around(cell, cells, box, cutoff, position, room)
        image, index, near = room
        for i in range(first[cell], first[cell + 1]):
            here, itself = vector(position[i]), own + i - first[cell]
            found = near[: _within(here, cutoff * cutoff, itself, image, count, near)]
            about = A, C, smooth, cutoff, image, index, found
            out[i] += _strain(here, symmetric_matrix(gamma[i]), P, *about)


@njit(cache=True, forceinline=True)
def _matrices(zeta):
    """Tuple of the matrices of ζ (3, 6)."""
    return symmetric_matrix(zeta[0]), symmetric_matrix(zeta[1]), symmetric_matrix(zeta[2])


@njit(cache=True, forceinline=True, error_model="numpy", fastmath=_IN_VECTORS)
def _on_tau(here, one, frozen, P, sigma, zeta, tau, A, C, smooth, cutoff, image, index, near):
    """The sums of :func:`on_tau` for a defect with σ and ζ of ``one``."""
    (x, y, z), scale = here, 2.0 / (cutoff * cutoff)
    second, third, fourth, fifth = smooth[2], smooth[3], smooth[4], smooth[5]
    b_gamma = b_eta = J_tau = J_abs = scaled = squares = 0.0
    largest = np.int64(0)
    sigma1 = symmetric_cube(one[0])
    zeta1 = sigma1 if zeta is None else _matrices(one[1])
    for n in range(len(near)):
        k = near[n]
        j = index[k]
        R = x - image[0, k], y - image[1, k], z - image[2, k]
        r2 = R[0] * R[0] + R[1] * R[1] + R[2] * R[2]
        s, (_, b2, b3, b4, b5) = r2 * scale - 1.0, _bare(r2)
        bare = 0.0, 0.0, b2, b3, b4, b5
        g = (
            0.0,
            0.0,
            b2 - _polynomial(second, s),
            b3 - _polynomial(third, s),
            b4 - _polynomial(fourth, s),
            b5 - _polynomial(fifth, s),
        )
        sigma2 = symmetric_cube(sigma[j])
        with_1, with_2 = gradient_with(sigma1, R), gradient_with(sigma2, R)
        itself_1, itself_2, of_sigma = with_1, with_2, triple_dot(sigma1, sigma2)
        of_zeta = of_sigma
        if zeta is not None:
            zeta2 = _matrices(zeta[j])
            itself_1, itself_2 = gradient_with(zeta1, R), gradient_with(zeta2, R)
            of_zeta = triple_dot(zeta1, zeta2)
        of_S = dipole_with(symmetric_matrix(frozen[j]), R)
        b_gamma += dipole_gradient(g, A, C, of_S, with_1, itself_1)
        unchanged = dipole_with(symmetric_matrix(P[j]), R)
        b_eta += dipole_gradient(g, A, C, unchanged, with_1, itself_1)
        pair = with_1, itself_1, with_2, itself_2, of_sigma, of_zeta
        J_tau -= gradient_gradient(g, A, C, *pair) * tau[j]
        J = abs(gradient_gradient(bare, A, C, *pair))
        in_units = J * r2 * r2 * sqrt(r2)
        J_abs += J
        largest = max(largest, _bits(J))
        scaled += in_units
        squares += in_units * in_units
    return b_gamma, b_eta, J_tau, J_abs, _number(largest), scaled, squares


@njit(cache=True, nogil=True)
def on_tau(
    from_cell,
    to_cell,
    position,
    frozen,
    P,
    sigma,
    zeta,
    tau,
    cells,
    box,
    cutoff,
    A,
    C,
    smooth,
    out,
    listed,
):
    """Add the near parts of the fields on τ, and sums of near |J_ij|, to out (7, N).

    b^γ, b^η, Σ_j J_ij τ_j; Σ_j |J_ij|, max_j |J_ij|, Σ_j |J_ij| R⁵ and Σ_j (J_ij R⁵)² of whole
    couplings; ``listed`` (N,) gets the numbers of near defects. frozen = γ_j S_j and P (N, 6),
    zeta (N, 3, 6), None if it is its symmetric part sigma (N, 10); else as :func:`strains`;
    (60), (68), (72).
    """
    room = _room(0)
    first = cells[2]
    for cell in range(from_cell, to_cell):
        count, own, room = _all_around(cell, cells, box, cutoff, position, room)
        image, index, near = room
        for i in range(first[cell], first[cell + 1]):
            here, itself = vector(position[i]), own + i - first[cell]
            found = near[: _within(here, cutoff * cutoff, itself, image, count, near)]
            about = A, C, smooth, cutoff, image, index, found
            one = sigma[i], None if zeta is None else zeta[i]
            sums = _on_tau(here, one, frozen, P, sigma, zeta, tau, *about)
            for row, value in enumerate(sums):
                out[row, i] += value
            listed[i] = len(found)


@njit(cache=True)
def _images_of(i, first, last, position, box, cutoff, image, index, room):
    """Fill ``image`` and ``index`` with all images of some defects about defect i, i itself apart.

    The places are those of the images when defect i is at 0. Returns how many there are.
    """
    axis, weight, found = room
    count = 0
    for j in range(first, last):
        if j == i:
            continue
        for n in range(images(position[i] - position[j], box, cutoff, axis, weight, found)):
            image[0, count], image[1, count] = -found[n, 0], -found[n, 1]
            image[2, count], index[count] = -found[n, 2], j
            count += 1
    return count


@njit(cache=True, nogil=True)
def strains_of_all(from_row, to_row, which, position, gamma, P, box, cutoff, A, C, smooth, out):
    """Add to out (rows,) the near parts of the fields on the defects ``which``, of all images.

    From one row up to another. gamma (rows, 6) of those defects; the cutoff may be longer than the
    box; else as :func:`strains`.
    """
    room = scratch(box, cutoff)
    image, index, near = _room(_AT_ONCE * len(room[2]))
    near[:] = np.arange(len(near))
    for row in range(from_row, to_row):
        for first in range(0, len(position), _AT_ONCE):
            some = which[row], first, min(first + _AT_ONCE, len(position))
            count = _images_of(*some, position, box, cutoff, image, index, room)
            about = A, C, smooth, cutoff, image, index, near[:count]
            out[row] += _strain((0.0, 0.0, 0.0), symmetric_matrix(gamma[row]), P, *about)


@njit(cache=True, nogil=True)
def on_tau_of_all(
    from_row,
    to_row,
    which,
    position,
    of_rows,
    frozen,
    P,
    sigma,
    zeta,
    box,
    cutoff,
    A,
    C,
    smooth,
    out,
):
    """Add to out (3, rows) the near parts of b^γ, b^η and Σ_j J_ij τ_j likewise.

    of_rows: σ and ζ of the defects ``which``; sigma and zeta are those of ζ_j τ_j, else as
    :func:`on_tau`.
    """
    room, one = scratch(box, cutoff), np.ones(len(position))
    image, index, near = _room(_AT_ONCE * len(room[2]))
    near[:] = np.arange(len(near))
    for row in range(from_row, to_row):
        receiver = of_rows[0][row], None if zeta is None else of_rows[1][row]
        for first in range(0, len(position), _AT_ONCE):
            some = which[row], first, min(first + _AT_ONCE, len(position))
            count = _images_of(*some, position, box, cutoff, image, index, room)
            about = A, C, smooth, cutoff, image, index, near[:count]
            sums = _on_tau((0.0, 0.0, 0.0), receiver, frozen, P, sigma, zeta, one, *about)
            for field in range(3):
                out[field, row] += sums[field]

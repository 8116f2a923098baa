"""Near parts of fields in an isotropic medium, coupled many at a time, and rows of couplings.

Where one function makes vectors of a fixed number of defects, pairs that are not near have a factor
of 0. A far part is what a window leaves: polynomials in R², for (1 − w)/R is smooth.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from glasspipe.kernels.cells import LANES, apart, around, runs, scales, scratch, which_near

DEGREE, DEGREE_OF_SINGLES = 18, 12
"""Of those polynomials, see :func:`glasspipe.elastic.window.smooth_table`: for errors of 1e-10 at
the sharpest window, and of float32 at that of annealing."""
_FAST = {"contract", "arcp", "afn", "nsz", "reassoc"}
_ONE, _TWO, _THREE, _FOUR, _FIVE = (np.float32(n) for n in (1, 2, 3, 4, 5))


class Rows(NamedTuple):
    """Whole couplings of near defects, and their near parts: a list, or what it is made of.

    Where ``index`` is empty, couplings are made whenever they are needed.

    Parameters
    ----------
    start, index : int64 (N + 1,), int32 (pairs,)
        Where each defect's row starts, and the last ends; neighbours, ascending in each row.
    whole, near : float32 (pairs,)
        Couplings, both directions of each pair.
    place, box, first
        As in :func:`glasspipe.kernels.cells.runs`.
    gamma : float32 (6, N + LANES)
        Components xx, yy, zz, yz, xz, xy.
    cutoff : float
    A, C : float32
    left : float32 (3, DEGREE_OF_SINGLES + 1)
        Polynomials in 2R²/cutoff² − 1 of what the window leaves of D R⁻¹, D² R⁻¹ and D³ R⁻¹.
    """

    start: Any
    index: Any
    whole: Any
    near: Any
    place: Any
    gamma: Any
    box: Any
    cutoff: Any
    first: Any
    A: Any
    C: Any
    left: Any


@njit(cache=True, fastmath=_FAST, error_model="numpy")
def _factors(x, y, z, one, two, A, C):
    """Factors of g_1, g_2 and g_3 in γ_1^αβ γ_2^γδ ∂_β∂_δ G_αγ, eq. (16), of any precision.

    As :func:`glasspipe.kernels.contractions.dipole_dipole`, of components xx, yy, zz, yz, xz, xy.
    """
    xx, yy, zz, yz, xz, xy = one
    vx, vy, vz = xx * x + xy * y + xz * z, xy * x + yy * y + yz * z, xz * x + yz * y + zz * z
    XX, YY, ZZ, YZ, XZ, XY = two
    wx, wy, wz = XX * x + XY * y + XZ * z, XY * x + YY * y + YZ * z, XZ * x + YZ * y + ZZ * z
    both = xx * XX + yy * YY + zz * ZZ + _TWO * (yz * YZ + xz * XZ + xy * XY)
    vw, v, w = vx * wx + vy * wy + vz * wz, vx * x + vy * y + vz * z, wx * x + wy * y + wz * z
    s, t = xx + yy + zz, XX + YY + ZZ
    first, second = s * t + _TWO * both, s * w + t * v + _FOUR * vw
    return A * first + C * both, A * second + C * vw, A * v * w


@njit(cache=True, fastmath=_FAST, error_model="numpy")
def _components(tensors, i):
    xx, yy, zz = tensors[0, i], tensors[1, i], tensors[2, i]
    return xx, yy, zz, tensors[3, i], tensors[4, i], tensors[5, i]


@njit(cache=True, fastmath=_FAST, error_model="numpy")
def _polynomial(coefficients, k, y, degree):
    """Horner's scheme for row k; with a number for ``degree`` in the call there is no loop."""
    total = coefficients[k, degree]
    for power in range(degree - 1, -1, -1):
        total = total * y + coefficients[k, power]
    return total


@njit(cache=True, fastmath=_FAST, error_model="numpy")
def _bare(r2):
    """D R⁻¹, D² R⁻¹ and D³ R⁻¹, see :mod:`glasspipe.kernels.radial`."""
    inverse = _ONE / np.sqrt(r2)
    square = inverse * inverse
    g1 = -square * inverse
    g2 = -_THREE * g1 * square
    return g1, g2, -_FIVE * g2 * square


@njit(cache=True, fastmath=_FAST, error_model="numpy")
def _whole(place, gamma, i, start, stop, scale, limit, A, C, U):
    """Fill U (LANES,) with the couplings of defect i to those from ``start`` on, 0 if not near."""
    one = _components(gamma, i)
    for lane in range(LANES):
        j = np.uint64(start + lane)
        x, y, z, r2 = apart(place, i, j, scale)
        near = (r2 < limit) & (start + lane < stop) & (start + lane != i)
        a1, a2, a3 = _factors(x, y, z, one, _components(gamma, j), A, C)
        g1, g2, g3 = _bare(r2 if near else _ONE)
        value = g1 * a1 + g2 * a2 + g3 * a3
        U[lane] = value if near else np.float32(0)


@njit(cache=True, fastmath=_FAST, error_model="numpy")
def _left(place, gamma, i, start, stop, scale, limit, A, C, left, U):
    """The same of the share of the couplings that the window leaves to the mesh."""
    one, twice = _components(gamma, i), _TWO / limit
    for lane in range(LANES):
        j = np.uint64(start + lane)
        x, y, z, r2 = apart(place, i, j, scale)
        near = (r2 < limit) & (start + lane < stop) & (start + lane != i)
        a1, a2, a3 = _factors(x, y, z, one, _components(gamma, j), A, C)
        s = r2 * twice - _ONE
        g1 = _polynomial(left, 0, s, DEGREE_OF_SINGLES)
        g2 = _polynomial(left, 1, s, DEGREE_OF_SINGLES)
        g3 = _polynomial(left, 2, s, DEGREE_OF_SINGLES)
        value = g1 * a1 + g2 * a2 + g3 * a3
        U[lane] = value if near else np.float32(0)


@njit(cache=True, fastmath=_FAST, error_model="numpy")
def _both(place, gamma, i, start, scale, limit, A, C, left, whole, near):
    """Fill whole and near (LANES,) with couplings and their near parts, whether near or not."""
    one, twice = _components(gamma, i), _TWO / limit
    for lane in range(LANES):
        j = np.uint64(start + lane)
        x, y, z, r2 = apart(place, i, j, scale)
        a1, a2, a3 = _factors(x, y, z, one, _components(gamma, j), A, C)
        g1, g2, g3 = _bare(r2 if r2 > 0 else _ONE)
        value = g1 * a1 + g2 * a2 + g3 * a3
        s = r2 * twice - _ONE
        g1 = _polynomial(left, 0, s, DEGREE_OF_SINGLES)
        g2 = _polynomial(left, 1, s, DEGREE_OF_SINGLES)
        g3 = _polynomial(left, 2, s, DEGREE_OF_SINGLES)
        whole[lane], near[lane] = value, value - (g1 * a1 + g2 * a2 + g3 * a3)


@njit(cache=True)
def workspace(rows):
    """Room for what is made of a row."""
    U = np.empty((2, LANES), np.float32)
    return scratch(rows.box, rows.cutoff, rows.first), np.empty(LANES, np.bool_), U


@njit(cache=True)
def fill(rows):
    """Fill the list with neighbours and couplings; where each row starts is there."""
    room, near, U = workspace(rows)
    found = np.empty(len(rows.start) + LANES, np.int32)
    made = np.empty((2, len(rows.start) + LANES), np.float32)
    pair = scales(rows.box), np.float32(rows.cutoff * rows.cutoff)
    lanes = np.empty(LANES, np.int64)
    for i in range(len(rows.start) - 1):
        total = 0
        for run in range(runs(rows.place, i, rows.box, rows.cutoff, rows.first, room)):
            begin, end = room[2][run]
            for j in range(begin, end, LANES):
                which_near(rows.place, i, j, end, *pair, near)
                about = *pair, rows.A, rows.C, rows.left
                _both(rows.place, rows.gamma, i, j, *about, U[0], U[1])
                hits = 0
                for lane in range(LANES):
                    lanes[hits] = lane
                    hits += near[lane]
                for n in range(hits):
                    lane = lanes[n]
                    found[total] = j + lane
                    made[0, total], made[1, total] = U[0, lane], U[1, lane]
                    total += 1
        row = slice(rows.start[i], rows.start[i + 1])
        rows.index[row], rows.whole[row] = found[:total], made[0, :total]
        rows.near[row] = made[1, :total]


@njit(cache=True)
def _add(start, change, U, h):
    """Add ``change`` times U (LANES,) to h from ``start`` on, as far as it goes."""
    if start + LANES <= len(h):
        for lane in range(LANES):
            h[np.uint64(start + lane)] += change * U[lane]
    else:
        for lane in range(len(h) - start):
            h[start + lane] += change * U[lane]


@njit(cache=True)
def _add_made(rows, i, change, work, h, whole):
    """Add whole couplings, or else what the window leaves of them, that are made now."""
    room, _, U = work
    pair = scales(rows.box), np.float32(rows.cutoff * rows.cutoff), rows.A, rows.C
    for run in range(runs(rows.place, i, rows.box, rows.cutoff, rows.first, room)):
        begin, end = room[2][run]
        for j in range(begin, end, LANES):
            if whole:
                _whole(rows.place, rows.gamma, i, j, end, *pair, U[0])
            else:
                _left(rows.place, rows.gamma, i, j, end, *pair, rows.left, U[0])
            _add(j, change, U[0], h)


@njit(cache=True, inline="always")
def add_row(rows, i, change, work, h):
    """Add ``change`` times the whole couplings of defect i to h (N,)."""
    if len(rows.index) > 0:
        # Unsigned, for an index that may be negative is tested and counted from the end.
        row = slice(rows.start[i], rows.start[i + 1])
        index, U = rows.index[row], rows.whole[row]
        for n in range(len(index)):
            h[np.uint64(np.uint32(index[n]))] += change * U[n]
    else:
        _add_made(rows, i, change, work, h, True)


@njit(cache=True, inline="always")
def add_left(rows, i, change, work, h):
    """The same of what whole couplings have beyond their near parts."""
    if len(rows.index) > 0:
        for n in range(rows.start[i], rows.start[i + 1]):
            h[rows.index[n]] += change * (rows.whole[n] - rows.near[n])
    else:
        _add_made(rows, i, change, work, h, False)


@njit(cache=True)
def _stronger(i, j, U, partner, bond):
    if abs(U) > abs(bond[i]) or partner[i] < 0:
        partner[i], bond[i] = j, U


@njit(cache=True)
def strongest(rows, partner, bond):
    """Fill partner (N,) with each defect's neighbour of largest |U|, −1 if none, and bond (N,)."""
    work = workspace(rows)
    for i in range(len(partner)):
        partner[i], bond[i] = -1, 0.0
    for i in range(len(partner)):
        if len(rows.index) > 0:
            for n in range(rows.start[i], rows.start[i + 1]):
                _stronger(i, rows.index[n], rows.whole[n], partner, bond)
            continue
        room, _, U = work
        pair = scales(rows.box), np.float32(rows.cutoff * rows.cutoff), rows.A, rows.C
        for run in range(runs(rows.place, i, rows.box, rows.cutoff, rows.first, room)):
            begin, end = room[2][run]
            for j in range(begin, end, LANES):
                _whole(rows.place, rows.gamma, i, j, end, *pair, U[0])
                for lane in range(LANES):
                    if U[0, lane] != 0.0:
                        _stronger(i, j + lane, U[0, lane], partner, bond)


@njit(cache=True, fastmath=_FAST, error_model="numpy", inline="always")
def _nine(tensors, i):
    """Components xx, yy, zz, yz, xz, xy of row i of symmetric tensors (N, 9)."""
    xx, yy, zz = tensors[i, 0], tensors[i, 4], tensors[i, 8]
    return xx, yy, zz, tensors[i, 5], tensors[i, 2], tensors[i, 1]


@njit(cache=True, fastmath=_FAST, error_model="numpy")
def _sum(position, gamma, S, i, index, sides, twice, A, C, left):
    """Σ_j of the near parts of couplings of defect i to those of ``index`` times S_j, float64."""
    one, total = _nine(gamma, i), 0.0
    for k in range(len(index)):
        j = np.uint64(np.uint32(index[k]))
        x, y = position[i, 0] - position[j, 0], position[i, 1] - position[j, 1]
        z = position[i, 2] - position[j, 2]
        x -= sides[0] * np.rint(x / sides[0])
        y -= sides[1] * np.rint(y / sides[1])
        z -= sides[2] * np.rint(z / sides[2])
        r2 = x * x + y * y + z * z
        g1, g2, g3 = _bare(r2)
        s = r2 * twice - 1.0
        g1 -= _polynomial(left, 0, s, DEGREE)
        g2 -= _polynomial(left, 1, s, DEGREE)
        g3 -= _polynomial(left, 2, s, DEGREE)
        a1, a2, a3 = _factors(x, y, z, one, _nine(gamma, j), A, C)
        total += S[j] * (g1 * a1 + g2 * a2 + g3 * a3)
    return total


@njit(cache=True)
def sums(rows, position, gamma, A, C, left, S, h):
    """Add Σ_j of the near parts of couplings times S_j to h (N,), in float64, made now.

    position (N, 3), gamma (N, 9), A, C and left (3, DEGREE + 1), see :class:`Rows`, are float64.
    """
    box, cutoff = rows.box, rows.cutoff
    room, near = scratch(box, cutoff, rows.first), np.empty(LANES, np.bool_)
    found = np.empty(len(h) + LANES, np.int32)
    about = (box[0], box[1], box[2]), 2.0 / (cutoff * cutoff), A, C, left
    for i in range(len(h)):
        number = around(rows.place, i, box, cutoff, rows.first, room, near, found)
        h[i] += _sum(position, gamma, S, i, found[:number], *about)


@njit(cache=True)
def sums_of_few(rows, position, gamma, A, C, left, few, S, h):
    """The same where all S but those of ``few`` are 0."""
    box, cutoff = rows.box, rows.cutoff
    room, near = scratch(box, cutoff, rows.first), np.empty(LANES, np.bool_)
    found, itself = np.empty(len(h) + LANES, np.int32), np.empty(1, np.int32)
    about = (box[0], box[1], box[2]), 2.0 / (cutoff * cutoff), A, C, left
    for j in few:
        itself[0] = j
        for k in range(around(rows.place, j, box, cutoff, rows.first, room, near, found)):
            h[found[k]] += _sum(position, gamma, S, found[k], itself, *about)

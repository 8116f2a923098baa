"""Near pairs of many defects, found in cells.

The defects are sorted by the cells of the box, the last axis fastest: so those within the cutoff of
one of them are in a few runs of memory, a run a column of cells, of which the sphere cuts the ends
off. A run is taken ``LANES`` at a time, as compilers make vectors of loops of fixed length; what is
beyond its end or the cutoff is left out in the end.

Places are positions as 32-bit fractions of the box, whose differences wrap as the box does: they
are those of the nearest images, and as exact in a large box as in a small one.
"""

from math import ceil, floor, sqrt

import numpy as np
from numba import njit

LANES = 16
"""Defects taken at a time: arrays of places and of components go on for so many."""
_SLACK = 1e-5  # of a cell, for the rounding of where a defect is
_FRACTION = 2.0**-32


@njit(cache=True)
def _ring(low, count, size):
    """Return where ``count`` cells of a ring start, and how many of them are past its end."""
    low %= size
    return low, max(low + count - size, 0)


@njit(cache=True)
def _columns(place, size, edge, cutoff, column, gap):
    """Fill the columns along an axis in reach, ascending, and their distances; return how many."""
    u, reach = np.uint32(place) * _FRACTION * size, cutoff / edge + _SLACK
    here, low = int(u), floor(u - reach)
    count = min(floor(u + reach) - low + 1, size)
    low, wrapped = _ring(low, count, size)
    for k in range(count):
        column[k] = k if k < wrapped else low + k - wrapped
        away = column[k] - here
        away += size if 2 * away < -size else -size if 2 * away > size else 0
        gap[k] = max(abs(away + 0.5 - u + here) - 0.5 - _SLACK, 0.0) * edge
        if count == size:
            gap[k] = 0.0
    return count


@njit(cache=True)
def scratch(box, cutoff, first):
    """Room for :func:`runs`."""
    n = 1
    for axis in range(2):
        n = max(n, ceil(2 * cutoff * first.shape[axis] / box[axis]) + 2)
    return np.empty((2, n), np.int64), np.empty((2, n)), np.empty((2 * n * n, 2), np.int64)


@njit(cache=True)
def runs(place, i, box, cutoff, first, room):
    """Find the runs of defects around defect i, ascending; return how many.

    Parameters
    ----------
    place : int32 (3, N + LANES)
    box : float64 (3,)
    first : int32 (a, b, c + 1), first defect of each cell, and of what follows a column
    room : from :func:`scratch`; the runs are in its last array
    """
    column, gap, found = room
    a, b, c = first.shape
    in_x = _columns(place[0, i], a, box[0] / a, cutoff, column[0], gap[0])
    in_y = _columns(place[1, i], b, box[1] / b, cutoff, column[1], gap[1])
    size = c - 1
    z, scale, count = np.uint32(place[2, i]) * _FRACTION * size, size / box[2], 0
    for k in range(in_x):
        for n in range(in_y):
            square = cutoff * cutoff - gap[0, k] * gap[0, k] - gap[1, n] * gap[1, n]
            if square <= 0.0:
                continue
            half = sqrt(square) * scale + _SLACK
            low = floor(z - half)
            length = min(floor(z + half) - low + 1, size)
            low, wrapped = _ring(low, length, size)
            starts = first[column[0, k], column[1, n]]
            for begin, end in ((0, wrapped), (low, low + length - wrapped)):
                if starts[end] > starts[begin]:
                    found[count, 0], found[count, 1] = starts[begin], starts[end]
                    count += 1
    return count


@njit(cache=True)
def scales(box):
    """Å in a unit of a place, float32."""
    x, y, z = box[0] * _FRACTION, box[1] * _FRACTION, box[2] * _FRACTION
    return np.float32(x), np.float32(y), np.float32(z)


@njit(cache=True)
def apart(place, i, j, scale):
    """Displacement r_i − r_j and its square, float32, without the liberties that loops may take.

    So a pair is within the cutoff for one loop if it is for another.
    """
    x = np.float32(np.int32(place[0, i] - place[0, j])) * scale[0]
    y = np.float32(np.int32(place[1, i] - place[1, j])) * scale[1]
    z = np.float32(np.int32(place[2, i] - place[2, j])) * scale[2]
    return x, y, z, x * x + y * y + z * z


@njit(cache=True)
def which_near(place, i, start, stop, scale, limit, near):
    """Fill ``near`` (LANES,) with which of the defects from ``start`` on are near defect i."""
    for lane in range(LANES):
        _, _, _, r2 = apart(place, i, np.uint64(start + lane), scale)
        near[lane] = (r2 < limit) & (start + lane < stop) & (start + lane != i)


@njit(cache=True)
def around(place, i, box, cutoff, first, room, near, found):
    """Fill ``found`` with the neighbours of defect i, ascending; return how many."""
    scale, limit, total = scales(box), np.float32(cutoff * cutoff), 0
    for run in range(runs(place, i, box, cutoff, first, room)):
        begin, end = room[2][run]
        for j in range(begin, end, LANES):
            which_near(place, i, j, end, scale, limit, near)
            for lane in range(LANES):
                found[total] = j + lane
                total += near[lane]
    return total


@njit(cache=True)
def count(place, box, cutoff, first, start):
    """Fill start (N + 1,) with where the neighbours of each defect start in a list of all."""
    room, near = scratch(box, cutoff, first), np.empty(LANES, np.bool_)
    scale, limit = scales(box), np.float32(cutoff * cutoff)
    start[0] = 0
    for i in range(len(start) - 1):
        total = start[i]
        for run in range(runs(place, i, box, cutoff, first, room)):
            begin, end = room[2][run]
            for j in range(begin, end, LANES):
                which_near(place, i, j, end, scale, limit, near)
                total += near.sum()
        start[i + 1] = total


@njit(cache=True)
def neighbours(place, box, cutoff, first, start, index):
    """List the neighbours of each defect, ascending in each row, ``start`` from :func:`count`."""
    room, near = scratch(box, cutoff, first), np.empty(LANES, np.bool_)
    found = np.empty(len(start) + LANES, np.int32)
    for i in range(len(start) - 1):
        number = around(place, i, box, cutoff, first, room, near, found)
        index[start[i] : start[i + 1]] = found[:number]

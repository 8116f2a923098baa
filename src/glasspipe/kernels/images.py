"""Periodic images of a displacement, axis by axis."""

import numpy as np
from numba import njit

TIE = 1.0e-6
"""A displacement is half an edge within this fraction of it, as places in float32 can tell."""


@njit(cache=True)
def scratch(box, cutoff):
    """Arrays for :func:`images`: axis, weight, image."""
    reach = max(2, 2 * int(cutoff / box.min() + 0.5) + 1)
    return np.empty((3, reach)), np.empty((3, reach)), np.empty((reach**3, 5))


@njit(cache=True)
def axis_images(d, edge, cutoff, x, weight):
    """Fill ``x`` and ``weight`` with the images of ``d`` along one axis; return how many.

    With a ``cutoff`` above 0: every image nearer than it, weight 1. With 0: the nearest image, or
    both at ±edge/2, weight ½ each.
    """
    d -= edge * round(d / edge)
    if cutoff == 0.0:
        if abs(abs(d) - 0.5 * edge) <= TIE * edge:
            x[0], x[1] = 0.5 * edge, -0.5 * edge
            weight[0] = weight[1] = 0.5
            return 2
        x[0], weight[0] = d, 1.0
        return 1
    reach = int(cutoff / edge + 0.5)
    count = 0
    for n in range(-reach, reach + 1):
        if abs(d + n * edge) < cutoff:
            x[count], weight[count] = d + n * edge, 1.0
            count += 1
    return count


@njit(cache=True)
def images(displacement, box, cutoff, axis, weight, out):
    """Fill ``out`` (images, 5) with x, y, z, R², weight of a displacement; return how many.

    ``axis`` and ``weight`` (3, images along an axis) are scratch.
    """
    nx = axis_images(displacement[0], box[0], cutoff, axis[0], weight[0])
    ny = axis_images(displacement[1], box[1], cutoff, axis[1], weight[1])
    nz = axis_images(displacement[2], box[2], cutoff, axis[2], weight[2])
    limit = cutoff * cutoff if cutoff > 0.0 else 1.0e300
    count = 0
    for i in range(nx):
        x = axis[0, i]
        for j in range(ny):
            y = axis[1, j]
            partial = x * x + y * y
            if partial >= limit:
                continue
            for k in range(nz):
                z = axis[2, k]
                r2 = partial + z * z
                if r2 < limit:
                    row = out[count]
                    row[0], row[1], row[2], row[3] = x, y, z, r2
                    row[4] = weight[0, i] * weight[1, j] * weight[2, k]
                    count += 1
    return count

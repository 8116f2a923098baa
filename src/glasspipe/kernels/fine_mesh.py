"""Force multipoles spread on a mesh and fields gathered from it, the mesh that results come from.

As in :mod:`glasspipe.kernels.mesh`, with the shares of :mod:`glasspipe.elastic.sharing`, 10 or 12
points wide, the loops over runs of mesh points in registers, and all three components of the force
or the displacement for one evaluation of the shares. A run that passes the end of the mesh is made
in a block beside it, in as many cases as the mesh is coarse.
"""

import numpy as np
from numba import njit

from glasspipe.kernels.mesh import wrapped
from glasspipe.kernels.runs import add_runs_of_10, add_runs_of_12, sum_runs_of_10, sum_runs_of_12

BEYOND = 2
"""Numbers beyond the points of a row of these meshes, for the transform to take its place."""


@njit(cache=True)
def _points(mesh):
    """How many points there are along the axes."""
    return mesh.shape[0], mesh.shape[1], mesh.shape[2] - BEYOND


@njit(cache=True)
def _room(width):
    """Arrays for :func:`_place`, the factors of the runs, and a block of runs."""
    runs = width * width
    w, index = np.zeros((3, 3, width)), np.empty((3, width), np.int64)
    return w, index, np.empty(runs, np.int64), np.empty(3 * runs), np.empty(width * runs)


@njit(cache=True, fastmath={"contract"})
def shares(x, table, derivatives, w):
    """Fill w (3, width) with M and so many derivatives at x; return the first mesh point.

    Row d, column k: the d-th derivative in x of M(x − first − k); ``table`` (3, degree + 1, width).
    """
    degree, width = table.shape[1] - 1, table.shape[2]
    below = int(np.floor(x))
    s = x - below - 0.5
    for d in range(derivatives + 1):
        for k in range(width):
            w[d, k] = table[d, degree, k]
        for power in range(degree - 1, -1, -1):
            for k in range(width):
                w[d, k] = w[d, k] * s + table[d, power, k]
    return below - width // 2 + 1


@njit(cache=True)
def _place(position, shape, table, derivatives, w, index, rows):
    """Fill shares, mesh points and where the runs start; return whether none passes the end."""
    width = table.shape[2]
    for axis in range(3):
        first = shares(position[axis], table, derivatives, w[axis])
        wrapped(first, shape[axis], index[axis])
    inside = index[2, 0] + width <= shape[2]
    for a in range(width):
        for b in range(width):
            run = a * width + b
            place = (index[0, a] * shape[1] + index[1, b]) * (shape[2] + BEYOND) + index[2, 0]
            rows[run] = place if inside else run * width
    return inside


@njit(cache=True)
def _reaches(x, width, size, first, last):
    """Whether the share of x reaches a mesh point from one up to another, of ``size`` in all."""
    before = (int(np.floor(x)) - width // 2 + 1 - first) % size
    return before < last - first or before + width > size


@njit(cache=True)
def _keep(first, last, inside, w, index, rows):
    """Keep the runs in the planes from one up to another; return how many planes that are."""
    width, kept = index.shape[1], 0
    for a in range(width):
        if first <= index[0, a] < last:
            index[0, kept] = index[0, a]
            w[0, :, kept] = w[0, :, a]
            if inside:
                for b in range(width):
                    rows[kept * width + b] = rows[a * width + b]
            kept += 1
    return kept


@njit(cache=True, fastmath={"contract"})
def _factors(tensor, scale, w, planes, out):
    """Fill out (3 runs,) with what a derivative makes of each run, by its derivatives along z.

    The runs are those of the first ``planes`` of w[0]. ``tensor`` (3,) of ∂_b, or (3, 3) of ∂_b∂_c,
    times ``scale`` of the same shape.
    """
    width = w.shape[2]
    runs = planes * width
    if tensor.ndim == 1:
        x, y, z = tensor[0] * scale[0], tensor[1] * scale[1], tensor[2] * scale[2]
        for a in range(planes):
            x0, x1 = w[0, 0, a], w[0, 1, a]
            for b in range(width):
                run, y0, y1 = a * width + b, w[1, 0, b], w[1, 1, b]
                out[run] = x * x1 * y0 + y * x0 * y1
                out[runs + run] = z * x0 * y0
                out[2 * runs + run] = 0.0
    else:
        xx, yy, zz = (
            tensor[0, 0] * scale[0, 0],
            tensor[1, 1] * scale[1, 1],
            tensor[2, 2] * scale[2, 2],
        )
        yz = (tensor[1, 2] + tensor[2, 1]) * scale[1, 2]
        xz = (tensor[0, 2] + tensor[2, 0]) * scale[0, 2]
        xy = (tensor[0, 1] + tensor[1, 0]) * scale[0, 1]
        for a in range(planes):
            x0, x1, x2 = w[0, 0, a], w[0, 1, a], w[0, 2, a]
            for b in range(width):
                run, y0, y1, y2 = a * width + b, w[1, 0, b], w[1, 1, b], w[1, 2, b]
                out[run] = xx * x2 * y0 + yy * x0 * y2 + xy * x1 * y1
                out[runs + run] = xz * x1 * y0 + yz * x0 * y1
                out[2 * runs + run] = zz * x0 * y0


@njit(cache=True)
def _add_runs(mesh, rows, factors, runs, weights):
    """Add to runs as long as the share is wide, ``weights`` (3, width)."""
    if weights.shape[1] == 10:
        add_runs_of_10(mesh, rows, factors, runs, weights.reshape(-1))
    else:
        add_runs_of_12(mesh, rows, factors, runs, weights.reshape(-1))


@njit(cache=True)
def _sum_runs(mesh, rows, factors, runs, weights):
    """Sum over runs likewise."""
    if weights.shape[1] == 10:
        return sum_runs_of_10(mesh, rows, factors, runs, weights.reshape(-1))
    return sum_runs_of_12(mesh, rows, factors, runs, weights.reshape(-1))


@njit(cache=True)
def _add_block(block, index, planes, mesh):
    """Add a block of runs to the mesh."""
    k = 0
    for x in index[0, :planes]:
        for y in index[1]:
            for z in index[2]:
                mesh[x, y, z] += block[k]
                k += 1


@njit(cache=True)
def _take_block(mesh, index, block):
    """Fill a block of runs from the mesh."""
    k = 0
    for x in index[0]:
        for y in index[1]:
            for z in index[2]:
                block[k] = mesh[x, y, z]
                k += 1


@njit(cache=True, nogil=True)
def spread(first, last, position, tensors, factor, order, scale, table, forces):
    """Add to ``forces``, three meshes (n, n, n + 2), the density of forces of multipoles.

    Component a is Σ_j f_j t_j^ab… s_b… ∂_b… δ(r − r_j), with derivatives in r_j: position (N, 3) in
    mesh spacings and factor (N,) of the defects in an ``order`` (N,), in which they are visited,
    tensors (N, 3, 3) or (N, 3, 3, 3) of the defects as they are, scale (3,) or (3, 3), symmetric,
    table as in :func:`shares`. Only the planes of mesh points from the first up to the last are
    added to.
    """
    shape, width, derivatives = _points(forces[0]), table.shape[2], tensors.ndim - 2
    w, index, rows, factors, block = _room(width)
    for n, j in enumerate(order):
        if factor[n] == 0.0 or not _reaches(position[n, 0], width, shape[0], first, last):
            continue
        if not np.any(tensors[j]):
            continue
        inside = _place(position[n], shape, table, derivatives, w, index, rows)
        w[2] *= factor[n]
        planes = _keep(first, last, inside, w, index, rows)
        runs = planes * width
        for axis in range(3):
            _factors(tensors[j, axis], scale, w, planes, factors)
            if inside:
                _add_runs(forces[axis].reshape(-1), rows, factors, runs, w[2])
            else:
                block[:] = 0.0
                _add_runs(block, rows, factors, runs, w[2])
                _add_block(block, index, planes, forces[axis])


@njit(cache=True, nogil=True)
def gather(first, last, position, tensors, order, scale, table, displacement, out):
    """Add to out (N,) Σ t_i^ab… s_b… ∂_b… u_a at r_i, ``displacement`` three meshes (n, n, n + 2).

    The other arguments are those of :func:`spread`, but here it is defects of the order that are
    from the first up to the last.
    """
    shape, width, derivatives = _points(displacement[0]), table.shape[2], tensors.ndim - 2
    w, index, rows, factors, block = _room(width)
    for n in range(first, last):
        j = order[n]
        inside = _place(position[n], shape, table, derivatives, w, index, rows)
        for axis in range(3):
            _factors(tensors[j, axis], scale, w, width, factors)
            if inside:
                u = displacement[axis].reshape(-1)
                out[j] += _sum_runs(u, rows, factors, len(rows), w[2])
            else:
                _take_block(displacement[axis], index, block)
                out[j] += _sum_runs(block, rows, factors, len(rows), w[2])

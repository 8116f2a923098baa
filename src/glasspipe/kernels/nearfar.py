"""Sequential Metropolis dynamics where couplings are a list of near ones and a smooth far field.

A flip changes the fields of its near neighbours at once, exactly; the far field is that of the
spins at the last refresh and is gathered from the mesh when a spin is visited, so that a refresh
costs transforms of a coarse mesh and no pass over the defects. What is stale is what few flips far
away have changed; how much that is, is measured at every refresh.

Defects are in the order of :mod:`glasspipe.kernels.neighbours`. Random numbers are those of
:mod:`glasspipe.kernels.freeze`, with the place in that order as the site.
"""

import numpy as np
from numba import njit

from glasspipe.kernels.freeze import (
    BLOCK,
    LARGEST_EXPONENTIAL,
    ROUNDING,
    exponentials,
    random_words,
)
from glasspipe.kernels.mesh import splines, wrapped

ORDER = 4
"""Of the splines of the mesh that annealing uses: four components of four points are 16 lanes."""
LANES = 4
_ROW = ORDER * LANES


@njit(cache=True)
def _weights(position, i, w, points, shape):
    """Fill w (3, 3, ORDER) with the splines of a defect and points (3, ORDER) with mesh points."""
    for axis in range(3):
        wrapped(splines(position[i, axis], ORDER, w[axis]), shape[axis], points[axis])


@njit(cache=True)
def spread_changes(position, dipole, S, spread, mesh):
    """Bring mesh (3, n, n, n), the force density of the spins ``spread``, up to that of S (N,).

    position (N, 3) in mesh spacings, dipole (N, 3, 3): γ per mesh spacing of its second index.
    """
    w, points = np.empty((3, 3, ORDER)), np.empty((3, ORDER), np.int64)
    for i in range(len(S)):
        if S[i] == spread[i]:
            continue
        change = np.float64(S[i]) - np.float64(spread[i])
        spread[i] = S[i]
        _weights(position, i, w, points, mesh.shape[1:])
        for a in range(3):
            vx, vy, vz = -change * dipole[i, a, 0], -change * dipole[i, a, 1], -change * dipole[i, a, 2]
            for x in range(ORDER):
                for y in range(ORDER):
                    flat = vx * w[0, 1, x] * w[1, 0, y] + vy * w[0, 0, x] * w[1, 1, y]
                    steep = vz * w[0, 0, x] * w[1, 0, y]
                    row = mesh[a, points[0, x], points[1, y]]
                    for z in range(ORDER):
                        row[points[2, z]] += flat * w[2, 0, z] + steep * w[2, 1, z]


@njit(cache=True, fastmath={"contract", "reassoc"})
def far_field(position, dipole, i, mesh, uniform, w, points, lanes):
    """Return γ_i^ab (∂_b u_a + uniform_ab) with u on mesh (n, n, n + ORDER − 1, 4).

    The mesh goes on beyond the box along z, so that what a spin needs is contiguous.
    """
    _weights(position, i, w, points, mesh.shape)
    for m in range(_ROW):
        lanes[0, m] = lanes[1, m] = lanes[2, m] = np.float32(0)
    first = points[2, 0] * LANES
    for x in range(ORDER):
        for y in range(ORDER):
            row = mesh[points[0, x], points[1, y]].reshape(-1)[first : first + _ROW]
            along_x = np.float32(w[0, 1, x] * w[1, 0, y])
            along_y = np.float32(w[0, 0, x] * w[1, 1, y])
            along_z = np.float32(w[0, 0, x] * w[1, 0, y])
            for m in range(_ROW):
                lanes[0, m] += along_x * row[m]
                lanes[1, m] += along_y * row[m]
                lanes[2, m] += along_z * row[m]
    total = np.float32(0)
    for a in range(3):
        gx, gy, gz = uniform[a, 0], uniform[a, 1], uniform[a, 2]
        for z in range(ORDER):
            gx += lanes[0, z * LANES + a] * np.float32(w[2, 0, z])
            gy += lanes[1, z * LANES + a] * np.float32(w[2, 0, z])
            gz += lanes[2, z * LANES + a] * np.float32(w[2, 1, z])
        total += dipole[i, a, 0] * gx + dipole[i, a, 1] * gy + dipole[i, a, 2] * gz
    return total


@njit(cache=True)
def far_fields(position, dipole, which, mesh, uniform, out):
    """Fill out with the far field at the defects ``which``."""
    w, points = np.empty((3, 3, ORDER)), np.empty((3, ORDER), np.int64)
    lanes = np.empty((3, _ROW), np.float32)
    for k in range(len(which)):
        out[k] = far_field(position, dipole, which[k], mesh, uniform, w, points, lanes)


@njit(cache=True)
def sweep(
    start,
    index,
    U,
    S,
    h,
    position,
    dipole,
    mesh,
    uniform,
    itself,
    spread,
    T,
    key,
    number,
    block,
    limit,
    flips,
):
    """Visit the spins block by block until ``limit`` net flips since the refresh, or to the end.

    Parameters
    ----------
    start, index, U
        The near list; U float32.
    S : float32 (N,), spins ±1, changed in place
    h : float32 (N,), random field and near field, changed in place
    position, dipole, mesh
        See :func:`far_field`.
    uniform : float32 (3, 3), strain that is not on the mesh, times the spacing of its second index
    itself : float32 (N,), what the far field of a spin itself is at S = 1
    spread : int8 (N,), spins at the refresh
    T : float, temperature
    key : uint64 (1, 4), four random 32-bit words
    number, block : int, sweep and first block to visit
    limit : int, net flips that call for a refresh
    flips : int64 (2,), net flips since the refresh, and all flips, both counted on

    Returns
    -------
    int, float
        Block to go on with, and the change of energy.
    """
    words = np.empty(BLOCK, np.uint32)
    thresholds, far = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    w, points = np.empty((3, 3, ORDER)), np.empty((3, ORDER), np.int64)
    lanes = np.empty((3, _ROW), np.float32)
    scale = np.float32(-0.5 * T)
    lowest = scale * LARGEST_EXPONENTIAL
    energy, size = 0.0, len(S)
    blocks = (size + BLOCK - 1) // BLOCK
    while block < blocks and flips[0] < limit:
        first = block * BLOCK
        count = min(BLOCK, size - first)
        possible = False
        for k in range(count):
            i = first + k
            far[k] = far_field(position, dipole, i, mesh, uniform, w, points, lanes)
            far[k] -= itself[i] * spread[i]
            possible |= S[i] * (h[i] + far[k]) >= lowest
        if possible:
            random_words(key, 0, number, block, words)
            exponentials(words, scale, thresholds)
            for k in range(count):
                i = first + k
                gain = S[i] * (h[i] + far[k])
                if gain >= thresholds[k]:
                    S[i] = -S[i]
                    flips[0] += 1 if S[i] != spread[i] else -1
                    flips[1] += 1
                    energy -= 2.0 * gain
                    change = np.float32(2) * S[i]
                    for n in range(start[i], start[i + 1]):
                        h[index[n]] += change * U[n]
        block += 1
    return block, energy


@njit(cache=True)
def _turn(start, index, U, S, h, i):
    """Flip spin i (float64 fields)."""
    S[i] = -S[i]
    change = 2.0 * S[i]
    for n in range(start[i], start[i + 1]):
        h[index[n]] += change * U[n]


@njit(cache=True)
def quench(start, index, U, partner, S, h):
    """Turn spins (N,), and pairs of a spin and its partner, while that lowers the energy.

    As :func:`glasspipe.kernels.freeze.quench`; the far field is kept. ``partner``: place in the
    list of each spin's strongest coupling, −1 if it has none. Return the number of flips.
    """
    flips = 0
    for _ in range(len(S)):
        before = flips
        for i in range(len(S)):
            if S[i] * h[i] > 0:
                flips += 1
                _turn(start, index, U, S, h, i)
        for i in range(len(S)):
            if partner[i] < 0:
                continue
            p = index[partner[i]]
            bond = 2.0 * U[partner[i]] * S[i] * S[p]
            rounding = ROUNDING * (abs(h[i]) + abs(h[p]) + abs(bond))
            if S[i] * h[i] + S[p] * h[p] - bond > rounding:
                flips += 2
                _turn(start, index, U, S, h, i)
                _turn(start, index, U, S, h, p)
        if flips == before:
            break
    return flips

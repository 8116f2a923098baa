"""Sequential Metropolis dynamics where couplings are a list of near ones and a smooth far field.

A flip changes the fields of its near neighbours at once, by the whole of their couplings; the far
field is that of the spins at the last refresh and is gathered from the mesh when a spin is visited,
so that a refresh costs transforms of a coarse mesh and no pass over the defects. The mesh holds a
share of near couplings, too, as the window cuts: what flips did by it is given back at a refresh.
What is stale is what flips beyond the cutoff have changed; how much that is, is measured then.

Defects are in the order of :mod:`glasspipe.kernels.cells`. Random numbers are those of
:mod:`glasspipe.kernels.freeze`, with the place in that order as the site.
"""

import numpy as np
from numba import njit

from glasspipe.kernels.freeze import (
    BLOCK,
    LARGEST_EXPONENTIAL,
    exponentials,
    random_words,
)
from glasspipe.kernels.mesh import COARSE_ORDER as ORDER
from glasspipe.kernels.mesh import wrapped
from glasspipe.kernels.near import add_left, add_row, workspace
from glasspipe.kernels.vectors import LANES, prefetch

PAIR_GAIN = 1e-3
"""A pair turns for more than this fraction of its energy; its bond is that without images."""
_STRIDE = 4  # from one mesh point to the next: three components, and one for alignment
_SIXTH, _HALF, _TWO, _THREE_HALVES = (np.float32(x) for x in (1 / 6, 1 / 2, 2, 3 / 2))
_TWO_THIRDS = np.float32(2 / 3)


@njit(cache=True, fastmath={"contract"})
def _cubic(x, size):
    """Return the first of the four mesh points around x ≥ 0, cubic splines and their derivatives.

    As :func:`glasspipe.kernels.mesh.splines` of order 4, in closed form.
    """
    below = int(x)
    f = np.float32(x - below)
    g = np.float32(1) - f
    w = (
        _SIXTH * g * g * g,
        _TWO_THIRDS - _HALF * f * f * (_TWO - f),
        _TWO_THIRDS - _HALF * g * g * (_TWO - g),
        _SIXTH * f * f * f,
    )
    d = (
        -_HALF * g * g,
        f * (_THREE_HALVES * f - _TWO),
        -g * (_THREE_HALVES * g - _TWO),
        _HALF * f * f,
    )
    first = below - ORDER + 1
    return first + size if first < 0 else first, w, d


@njit(cache=True, fastmath={"contract"})
def _along_z(mesh, k, w):
    """Return Σ_n mesh_n w_n over four points along z from place k in the flat mesh."""
    total = np.float32(0)
    for n in range(ORDER):
        total += mesh[k + np.uint64(_STRIDE * n)] * w[n]
    return total


@njit(cache=True, fastmath={"contract"})
def _gradient(mesh, k, step_x, step_y, x, y, z):
    """Return the gradient of a component in mesh spacings, from its place k in the flat mesh."""
    gx = gy = gz = np.float32(0)
    for a in range(ORDER):
        flat_y = flat = steep = np.float32(0)
        for b in range(ORDER):
            here = k + np.uint64(a) * step_x + np.uint64(b) * step_y
            value = _along_z(mesh, here, z[1])
            flat += y[1][b] * value
            flat_y += y[2][b] * value
            steep += y[1][b] * _along_z(mesh, here, z[2])
        gx += x[2][a] * flat
        gy += x[1][a] * flat_y
        gz += x[1][a] * steep
    return gx, gy, gz


@njit(cache=True, nogil=True, fastmath={"contract"})
def gather(position, dipole, mesh, uniform, itself, spread, first, stop, step, far):
    """Fill far (N,) at every ``step``-th spin with the far field γ_i^ab (∂_b u_a + uniform_ab).

    Parameters
    ----------
    position : float64 (N, 3), in mesh spacings
    dipole : float32 (N, 3, 3), γ per mesh spacing of its second index
    mesh : float32 (n + 3, n + 3, n + 3, 4), u; it goes on periodically at the end of each axis
    uniform : float32 (3, 3), strain that is not on the mesh, times the spacing of its second index
    itself : float32 (N,), what the far field of a spin itself is at S = 1, taken away
    spread : int8 (N,), the spins that made the mesh
    """
    flat = mesh.reshape(-1)
    size_x, size_y, size_z = mesh.shape[0], mesh.shape[1], mesh.shape[2]
    step_y = np.uint64(_STRIDE * size_z)
    step_x = np.uint64(size_y) * step_y
    for i in range(first, stop, step):
        x = _cubic(position[i, 0], size_x - ORDER + 1)
        y = _cubic(position[i, 1], size_y - ORDER + 1)
        z = _cubic(position[i, 2], size_z - ORDER + 1)
        k = np.uint64(x[0]) * step_x + np.uint64(y[0]) * step_y + np.uint64(_STRIDE * z[0])
        total = -itself[i] * spread[i]
        for a in range(3):
            gx, gy, gz = _gradient(flat, k + np.uint64(a), step_x, step_y, x, y, z)
            total += dipole[i, a, 0] * (gx + uniform[a, 0])
            total += dipole[i, a, 1] * (gy + uniform[a, 1])
            total += dipole[i, a, 2] * (gz + uniform[a, 2])
        far[i] = total


@njit(cache=True, nogil=True)
def interleave(x, y, z, mesh):
    """Fill mesh (n + 3, n + 3, n + 3, 4) with three components (n, n, n), periodically."""
    nx, ny, nz = x.shape
    for a in range(mesh.shape[0]):
        for b in range(mesh.shape[1]):
            rows = x[a % nx, b % ny], y[a % nx, b % ny], z[a % nx, b % ny]
            for c in range(mesh.shape[2]):
                for axis in range(3):
                    mesh[a, b, c, axis] = rows[axis][c % nz]


@njit(cache=True, nogil=True)
def moment(S, dipole):
    """Return Σ_i S_i γ_i, float64 (3, 3); see :func:`gather`."""
    total = np.zeros((3, 3))
    for i in range(len(S)):
        for a in range(3):
            for b in range(3):
                total[a, b] += S[i] * dipole[i, a, b]
    return total


@njit(cache=True, nogil=True)
def give_back(rows, S, spread, h):
    """Leave in h (N,) only near parts of the couplings to spins that are not as in ``spread``.

    Flips changed h by whole couplings, of which the mesh, once it is that of S (N,), has the rest.
    """
    work = workspace(rows)
    for j in range(len(S)):
        if S[j] != spread[j]:
            add_left(rows, j, np.float32(spread[j] - S[j]), work, h)


@njit(cache=True, nogil=True)
def spread_changes(position, dipole, S, spread, mesh):
    """Bring mesh (3, n, n, n), the force density of the spins ``spread``, up to that of S (N,).

    position and dipole as in :func:`gather`.
    """
    _, nx, ny, nz = mesh.shape
    x, y, z = np.empty(ORDER, np.int64), np.empty(ORDER, np.int64), np.empty(ORDER, np.int64)
    for i in range(len(S)):
        if S[i] == spread[i]:
            continue
        change = np.float32(spread[i] - S[i])
        spread[i] = S[i]
        first_x, wx, dx = _cubic(position[i, 0], nx)
        first_y, wy, dy = _cubic(position[i, 1], ny)
        first_z, wz, dz = _cubic(position[i, 2], nz)
        wrapped(first_x, nx, x)
        wrapped(first_y, ny, y)
        wrapped(first_z, nz, z)
        for axis in range(3):
            vx, vy, vz = dipole[i, axis, 0], dipole[i, axis, 1], dipole[i, axis, 2]
            for a in range(ORDER):
                for b in range(ORDER):
                    flat = change * (vx * dx[a] * wy[b] + vy * wx[a] * dy[b])
                    steep = change * vz * wx[a] * wy[b]
                    row = mesh[axis, x[a], y[b]]
                    for c in range(ORDER):
                        row[z[c]] += flat * wz[c] + steep * dz[c]


@njit(cache=True, nogil=True)
def sweep(
    rows,
    S,
    h,
    position,
    dipole,
    mesh,
    uniform,
    itself,
    spread,
    far,
    gathered,
    refresh,
    T,
    key,
    number,
    site,
    limit,
    flips,
):
    """Visit the spins in turn until ``limit`` net flips since the refresh, or to the end.

    Parameters
    ----------
    rows : Rows, see :mod:`glasspipe.kernels.near`
    S : float32 (N,), spins ±1, changed in place
    h : float32 (N,), random field and near field of the spins at the refresh, and what flips did
        since, changed in place
    position, dipole, mesh, uniform, itself, spread, far
        See :func:`gather`; ``far`` changes in place.
    gathered : int64 (blocks,), the refresh after which each block's far field was gathered
    refresh : int, number of the last refresh
    T : float, temperature
    key : uint64 (1, 4), four random 32-bit words
    number, site : int, sweep and first spin to visit
    limit : int, net flips that call for a refresh
    flips : int64 (2,), net flips since the refresh, and all flips; counted on

    Returns
    -------
    int
        Spin to go on with.
    """
    words, work = np.empty(BLOCK, np.uint32), workspace(rows)
    thresholds = np.empty(BLOCK, np.float32)
    scale = np.float32(-0.5 * T)
    lowest = scale * LARGEST_EXPONENTIAL
    while site < len(S) and flips[0] < limit:
        block = site // BLOCK
        first = block * BLOCK
        stop = min(first + BLOCK, len(S))
        if gathered[block] != refresh:
            gather(position, dipole, mesh, uniform, itself, spread, first, stop, 1, far)
            gathered[block] = refresh
        possible = False
        for i in range(site, stop):
            possible |= S[i] * (h[i] + far[i]) >= lowest
        if not possible:
            site = stop
            continue
        random_words(key, 0, number, block, words)
        exponentials(words, scale, thresholds)
        for i in range(site, stop):
            if S[i] * (h[i] + far[i]) >= thresholds[i - first]:
                _ask_for(rows, i)
        while site < stop and flips[0] < limit:
            if S[site] * (h[site] + far[site]) >= thresholds[site - first]:
                _flip(rows, S, h, site, work)
                flips[0] += 1 if S[site] != spread[site] else -1
                flips[1] += 1
            site += 1
    return site


@njit(cache=True, inline="always")
def _ask_for(rows, i):
    """Have the couplings of spin i, which will probably flip, in the cache when it does."""
    if len(rows.index) > 0:
        for n in range(rows.start[i], rows.start[i + 1], LANES):
            prefetch(rows.index, n)
            prefetch(rows.whole, n)


@njit(cache=True, inline="always")
def _flip(rows, S, h, i, work):
    """Flip spin i; near fields follow."""
    S[i] = -S[i]
    add_row(rows, i, np.float32(2) * S[i], work, h)


@njit(cache=True, inline="always")
def _pair_gain(partner, bond, S, h, i):
    """Half of the energy that spin i and its partner, which it has, win if they turn together.

    The other number is the least for which they do.
    """
    p = partner[i]
    both = 2.0 * bond[i] * S[i] * S[p]
    return S[i] * h[i] + S[p] * h[p] - both, PAIR_GAIN * (abs(h[i]) + abs(h[p]) + abs(both))


@njit(cache=True)
def gains(partner, bond, S, h, gain):
    """Fill gain (N,) with the most that a spin wins if it turns, alone or with another.

    Arguments as in :func:`quench`.
    """
    for i in range(len(S)):
        gain[i] = S[i] * h[i]
    for i in range(len(S)):
        if partner[i] >= 0:
            pair, _ = _pair_gain(partner, bond, S, h, i)
            gain[i] = max(gain[i], pair)
            gain[partner[i]] = max(gain[partner[i]], pair)


@njit(cache=True)
def quench(rows, partner, bond, S, h):
    """Turn spins (N,), and pairs of a spin and its partner, while that lowers the energy.

    As :func:`glasspipe.kernels.freeze.quench`, but U is the whole coupling of near defects, and
    fields further away do not change. ``partner`` and ``bond`` are each spin's strongest coupling,
    see :func:`glasspipe.kernels.near.strongest`.
    """
    work = workspace(rows)
    for _ in range(len(S)):
        settled = True
        for i in range(len(S)):
            if S[i] * h[i] > 0:
                settled = False
                _flip(rows, S, h, i, work)
        for i in range(len(S)):
            if partner[i] < 0:
                continue
            gain, least = _pair_gain(partner, bond, S, h, i)
            if gain > least:
                settled = False
                _flip(rows, S, h, i, work)
                _flip(rows, S, h, partner[i], work)
        if settled:
            break

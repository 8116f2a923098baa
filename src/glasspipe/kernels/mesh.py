"""Force multipoles spread on a mesh and fields gathered from it, with B-splines.

A point at x (in mesh spacings along an axis) is shared by ``order`` mesh points g with weights
M(x − g), M the cardinal B-spline. A derivative of δ(r − r_j) is spread with that of the splines,
and a derivative of a field is gathered likewise. Spreading and gathering are then adjoint, which
keeps couplings symmetric, and a field of strains takes three transforms forward and three back.
The mesh that results come from has loops and shares of its own,
:mod:`glasspipe.kernels.fine_mesh`.
"""

import numpy as np
from numba import njit

COARSE_ORDER = 4
"""Of the splines of the mesh that annealing uses, whose kernels have it built in."""
MIDDLE_ORDER = 8
"""Of the splines of the mesh that quenching uses."""


@njit(cache=True, error_model="numpy")
def splines(x, order, w):
    """Fill w (3, order) with M and its first two derivatives at x; return the first mesh point.

    Row d, column k: the d-th derivative in x of M(x − first − k). With c_n(k) = M_n(u + k),
    u = 1 − frac(x): (n − 1) c_n(k) = (u + k) c_(n−1)(k) + (n − u − k) c_(n−1)(k − 1), and a
    derivative is a difference of splines of one order less.
    """
    below = int(np.floor(x))
    u = 1.0 - (x - below)
    c = w[0]
    c[0] = 1.0
    for n in range(2, order + 1):
        c[n - 1] = 0.0
        if n == order - 1:
            w[2, 0] = c[0]
            w[2, 1] = c[1] - 2.0 * c[0]
            for k in range(2, order):
                w[2, k] = (c[k] if k < n else 0.0) - 2.0 * c[k - 1] + c[k - 2]
        if n == order:
            w[1, 0] = -c[0]
            for k in range(1, order):
                w[1, k] = c[k - 1] - c[k]
        inverse = 1.0 / (n - 1)
        for k in range(n - 1, 0, -1):
            c[k] = inverse * ((u + k) * c[k] + (n - u - k) * c[k - 1])
        c[0] *= inverse * u
    return below - order + 1


@njit(cache=True)
def wrapped(first, size, index):
    """Fill ``index`` with the mesh points from ``first`` on, in the periodic box."""
    point = first % size
    for k in range(len(index)):
        index[k] = point
        point += 1
        if point == size:
            point = 0


@njit(cache=True)
def spread(position, vector, order, mesh):
    """Add to mesh (n, n, n) the density Σ_j v_j·∇δ(r − r_j), one component of the force.

    position (N, 3) in mesh spacings, vector (N, 3): v_b = P_ab per spacing, a the component.
    """
    wx, wy, wz = np.empty((3, order)), np.empty((3, order)), np.empty((3, order))
    ix, iy, iz = np.empty(order, np.int64), np.empty(order, np.int64), np.empty(order, np.int64)
    for j in range(len(position)):
        vx, vy, vz = vector[j, 0], vector[j, 1], vector[j, 2]
        if vx == 0.0 and vy == 0.0 and vz == 0.0:
            continue
        wrapped(splines(position[j, 0], order, wx), mesh.shape[0], ix)
        wrapped(splines(position[j, 1], order, wy), mesh.shape[1], iy)
        wrapped(splines(position[j, 2], order, wz), mesh.shape[2], iz)
        for a in range(order):
            for b in range(order):
                flat = -(vx * wx[1, a] * wy[0, b] + vy * wx[0, a] * wy[1, b])
                steep = -vz * wx[0, a] * wy[0, b]
                row = mesh[ix[a], iy[b]]
                for c in range(order):
                    row[iz[c]] += flat * wz[0, c] + steep * wz[1, c]


@njit(cache=True)
def gather(position, vector, order, mesh, out):
    """Add v_i·∇u at r_i to out (N,), u the component on the mesh; see :func:`spread`."""
    wx, wy, wz = np.empty((3, order)), np.empty((3, order)), np.empty((3, order))
    ix, iy, iz = np.empty(order, np.int64), np.empty(order, np.int64), np.empty(order, np.int64)
    for j in range(len(position)):
        wrapped(splines(position[j, 0], order, wx), mesh.shape[0], ix)
        wrapped(splines(position[j, 1], order, wy), mesh.shape[1], iy)
        wrapped(splines(position[j, 2], order, wz), mesh.shape[2], iz)
        dx = dy = dz = 0.0
        for a in range(order):
            for b in range(order):
                row = mesh[ix[a], iy[b]]
                flat = steep = 0.0
                for c in range(order):
                    flat += row[iz[c]] * wz[0, c]
                    steep += row[iz[c]] * wz[1, c]
                dx += wx[1, a] * wy[0, b] * flat
                dy += wx[0, a] * wy[1, b] * flat
                dz += wx[0, a] * wy[0, b] * steep
        out[j] += vector[j, 0] * dx + vector[j, 1] * dy + vector[j, 2] * dz


@njit(cache=True, nogil=True)
def respond(first, last, ux, uy, uz, green, sharpening):
    """Replace the transforms of the forces, (n, n, n/2 + 1), by those of the displacements.

    In the planes from the first up to the last. green (m, m, m, 6): G at q ≥ 0 as xx, yy, zz, yz,
    xz, xy; G_xy ∝ q_x q_y and its kin are odd in two components, everything else is even.
    sharpening (m, m, m): its factor.
    """
    shape = ux.shape
    for x in range(first, last):
        nx, sx = (x, 1.0) if 2 * x <= shape[0] else (shape[0] - x, -1.0)
        for y in range(shape[1]):
            ny, sy = (y, 1.0) if 2 * y <= shape[1] else (shape[1] - y, -1.0)
            for z in range(shape[2]):
                g, factor = green[nx, ny, z], sharpening[nx, ny, z]
                yz, xz, xy = sy * g[3], sx * g[4], sx * sy * g[5]
                fx, fy, fz = factor * ux[x, y, z], factor * uy[x, y, z], factor * uz[x, y, z]
                ux[x, y, z] = g[0] * fx + xy * fy + xz * fz
                uy[x, y, z] = xy * fx + g[1] * fy + yz * fz
                uz[x, y, z] = xz * fx + yz * fy + g[2] * fz

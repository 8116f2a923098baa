"""Taylor coefficients (a jet) of a windowed Green's function, from tables.

The Green's function of a crystal has no closed form, but it is homogeneous and has the symmetry of
the cube: G(R) = g(x/z, y/z)/z, and sorting |x|, |y|, |z| brings every R into 0 ≤ y ≤ x ≤ z, so a
table over a triangle holds it all. Derivatives along z follow from Euler's rule
R·∇f = −(1 + n) f for f = ∂ⁿG, and those of G w are products of two jets.

A jet holds the coefficients of ε_x^a ε_y^b ε_z^c in f(R + ε), that is ∂^(a,b,c) f/(a! b! c!), in
the order of ``EXPONENTS``. Those of G have ``LANES`` columns: xx, yy, zz, yz, xz, xy and two that
are zero, so that a row fills whole vector registers.
"""

from math import sqrt

import numpy as np
from numba import njit

TOP = 4
"""Highest degree of a jet."""
LANES = 8
COMPONENTS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
COMPONENT = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])
EXPONENTS = np.array(
    [(a, b, n - a - b) for n in range(TOP + 1) for a in range(n + 1) for b in range(n - a + 1)]
)
COUNT = np.array([(n + 1) * (n + 2) * (n + 3) // 6 for n in range(TOP + 1)])
"""Coefficients of degree at most n; those of degree n end there."""
INDEX = np.full((TOP + 1,) * 3, -1)
INDEX[tuple(EXPONENTS.T)] = range(len(EXPONENTS))
_ORDERS = np.array([[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])
_PLACES = np.array(
    [
        [
            [INDEX[tuple(e[np.argsort(o)])] * LANES + COMPONENT[o[i], o[j]] for i, j in COMPONENTS]
            for e in EXPONENTS
        ]
        for o in _ORDERS
    ]
)
_SIGNS = np.array(
    [
        [[float(np.prod(s**e) * s[i] * s[j]) for i, j in COMPONENTS] for e in EXPONENTS]
        for s in [1 - 2 * (octant >> np.arange(3) & 1) for octant in range(8)]
    ]
)


def _lowered():
    """Axis of each coefficient's first factor, its exponent, and the coefficients below it."""
    rows = [(0, 0, 0, 0)]
    for e in EXPONENTS[1:]:
        axis = int(np.argmax(e > 0))
        once = e - np.eye(3, dtype=int)[axis]
        twice = once - np.eye(3, dtype=int)[axis]
        rows.append((axis, e[axis], INDEX[tuple(once)], INDEX[tuple(twice)] if e[axis] > 1 else -1))
    return np.array(rows)


_LOWERED = _lowered()


def products(first, last):
    """Recipe (products, 3) of the coefficients of degrees first … last of a product of two jets.

    Rows: place in the product, in one jet, in the other. Sorted by the last, so that neighbours
    add to different places and need not wait for each other.
    """
    rows = [
        (INDEX[tuple(a + b)], i, j)
        for j, b in enumerate(EXPONENTS)
        for i, a in enumerate(EXPONENTS)
        if first <= sum(a + b) <= last
    ]
    return np.array(rows)


@njit(cache=True)
def triangle_side(count):
    """Rows of a triangle of ``count`` entries: count = n(n + 1)/2."""
    return int((sqrt(8.0 * count + 1.0) - 1.0) / 2.0 + 0.5)


@njit(cache=True)
def workspace(angular):
    """Arrays for :func:`add_near`."""
    width = triangle_side(angular.shape[1] // LANES) * LANES
    return (
        np.empty((TOP + 1, width)),
        np.empty((TOP + 1, (TOP + 1) * LANES)),
        np.empty((len(EXPONENTS), LANES)),
        np.empty((len(EXPONENTS), LANES)),
        np.empty(len(EXPONENTS)),
        np.empty(TOP + 1),
    )


@njit(cache=True)
def _multiply_add(a, t, b, count):
    """Multiply a by t and add b, in place."""
    for s in range(count):
        a[s] = a[s] * t + b[s]


@njit(cache=True)
def _shift(cell, degree, du, dv, top, half, out):
    """Fill out[a, b] with the coefficients, a + b ≤ top, of a cell's polynomial about (du, dv).

    cell (terms · LANES,): coefficients of u^a v^b, a + b ≤ degree, by b, then a. Horner's scheme
    along v and then along u; ``half`` (top + 1, (degree + 1) LANES) is scratch.
    """
    half[: top + 1] = 0.0
    out[: top + 1] = 0.0
    start = len(cell)
    for power in range(degree, -1, -1):
        length = (degree + 1 - power) * LANES
        start -= length
        for b in range(min(top, degree - power), 0, -1):
            _multiply_add(half[b], dv, half[b - 1], length)
        _multiply_add(half[0], dv, cell[start:], length)
    for power in range(degree, -1, -1):
        for a in range(min(top, degree - power), 0, -1):
            _multiply_add(out[a], du, out[a - 1], (top + 1 - a) * LANES)
        for b in range(min(top, degree - power) + 1):
            _multiply_add(out[0, b * LANES :], du, half[b, power * LANES :], LANES)


@njit(cache=True)
def _homogeneous(flat, x, y, z, top, jet):
    """Fill the jet of G(x, y, z) = g(x/z, y/z)/z from the coefficients ``flat`` of g."""
    inverse = 1.0 / z
    scale = inverse
    for n in range(top + 1):
        for a in range(n + 1):
            for s in range(LANES):
                jet[INDEX[a, n - a, 0], s] = flat[a, (n - a) * LANES + s] * scale
        scale *= inverse
    for c in range(top):
        for n in range(c, top):
            for a in range(n - c + 1):
                b = n - c - a
                here, there = INDEX[a, b, c], INDEX[a, b, c + 1]
                over_x, over_y = INDEX[a + 1, b, c], INDEX[a, b + 1, c]
                factor = -inverse / (c + 1)
                of_itself, of_x, of_y = factor * (1 + n), factor * x * (a + 1), factor * y * (b + 1)
                for s in range(LANES):
                    jet[there, s] = (
                        of_itself * jet[here, s] + of_x * jet[over_x, s] + of_y * jet[over_y, s]
                    )


@njit(cache=True)
def _window(window, cutoff, r, top, D):
    """Fill D[k] = ((1/R) d/dR)^k w; a ``cutoff`` of 0 means w = 1."""
    D[:] = 0.0
    D[0] = 1.0
    if cutoff == 0.0:
        return
    place = r / cutoff * len(window)
    bin_ = min(int(place), len(window) - 1)
    place -= bin_ + 0.5
    scale = 1.0
    for k in range(top + 1):
        value = 0.0
        for power in range(window.shape[2] - 1, -1, -1):
            value = value * place + window[bin_, k, power]
        D[k] = value * scale
        scale = 1.0 / (cutoff * r) if k == 0 else scale / (r * r)


@njit(cache=True)
def _radial(D, R, top, jet):
    """Fill the jet of f(|R|) from D[k] = ((1/R) d/dR)^k f.

    ∇D^k f = R D^(k+1) f, so the jet of D^k f follows from that of D^(k+1) f, in place.
    """
    for k in range(top, -1, -1):
        for i in range(COUNT[top - k] - 1, 0, -1):
            axis, exponent, once, twice = _LOWERED[i]
            value = R[axis] * jet[once]
            if exponent > 1:
                value += jet[twice]
            jet[i] = value / exponent
        jet[0] = D[k]


@njit(cache=True)
def _sorted_axes(x, y, z):
    """Row of ``_ORDERS`` that puts the sizes in the order middle, least, largest."""
    if z >= x and z >= y:
        return 0 if x >= y else 2
    if y >= x:
        return 1 if x >= z else 4
    return 3 if y >= z else 5


@njit(cache=True)
def add_near(image, angular, window, cutoff, top, recipe, work, total):
    """Add to the jet ``total`` (coefficients · LANES) that of weight · G w at an image.

    Parameters
    ----------
    image : array (5,)
        x, y, z, R² and weight.
    angular : array (cells, terms · LANES)
        Polynomials of g about the centres of equal squares (i, j), j ≤ i, of u = x/z and v = y/z.
    window : array (bins, TOP + 1, powers)
        Those of w and R^(2k − 1) D^k w in R/cutoff; a ``cutoff`` of 0 means w = 1.
    top, recipe
        Highest degree wanted, and the :func:`products` that are.
    """
    half, flat, of_g, product, of_w, D = work
    order = _sorted_axes(abs(image[0]), abs(image[1]), abs(image[2]))
    p, q, m = _ORDERS[order]
    x, y, z = abs(image[p]), abs(image[q]), abs(image[m])
    side, degree = triangle_side(len(angular)), triangle_side(angular.shape[1] // LANES) - 1
    u, v = x / z * side, y / z * side
    i = min(int(u), side - 1)
    j = min(int(v), i)
    cell = angular[i * (i + 1) // 2 + j]
    _shift(cell, degree, (u - i - 0.5) / side, (v - j - 0.5) / side, top, half, flat)
    _homogeneous(flat, x, y, z, top, of_g)
    _window(window, cutoff, sqrt(image[3]), top, D)
    _radial(D, (x, y, z), top, of_w)
    product[:] = 0.0
    for row in range(len(recipe)):
        there, here, factor = recipe[row, 0], recipe[row, 1], of_w[recipe[row, 2]]
        for lane in range(LANES):
            product[there, lane] += factor * of_g[here, lane]
    signs = _SIGNS[(image[p] < 0) + 2 * (image[q] < 0) + 4 * (image[m] < 0)]
    for k in range(recipe[0, 0], COUNT[top]):
        for lane in range(6):
            total[_PLACES[order, k, lane]] += image[4] * signs[k, lane] * product[k, lane]


@njit(cache=True)
def components(n, angular, window, top, recipe, out):
    """Fill out with the coefficients of degree ``top`` of the jets of G at n (points, 3).

    out (coefficients · 6, points): the six components of each coefficient.
    """
    work = workspace(angular)
    total, image = np.empty(len(EXPONENTS) * LANES), np.ones(5)
    for point in range(len(n)):
        image[:3] = n[point]
        total[:] = 0.0
        add_near(image, angular, window, 0.0, top, recipe, work, total)
        row = 0
        for k in range(COUNT[top - 1], COUNT[top]):
            for lane in range(6):
                out[row, point] = total[k * LANES + lane]
                row += 1

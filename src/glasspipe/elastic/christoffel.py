"""The Green's function of a cubic crystal, which has no closed form.

In q space it is the inverse of Christoffel's matrix, G(q) = [C_iajb q_a q_b]⁻¹, homogeneous of
degree −2. The radial part of the Fourier integral can be done, which leaves the circle of the
directions m(ψ) perpendicular to R = R n (J. Lothe's and D. M. Barnett's integral):

    ∂ᵏG(R) = (−1)ᵏ/(8π² R^(k+1)) ∮ dψ dᵏ/dtᵏ [ qᵏ G(q) ] at t = 0,   q = m(ψ) + t n.

Christoffel's matrix is quadratic in t, so the Taylor series of its inverse is a recursion, and any
order costs as little as the first. The integrand is analytic and periodic: see ``quadrature``.
"""

from functools import cache
from math import ceil, pi

import numpy as np
from numpy.typing import NDArray
from scipy.special import comb, factorial

from glasspipe.elastic.medium import AnyMedium
from glasspipe.elastic.quadrature import refined
from glasspipe.kernels import circle
from glasspipe.kernels.jets import COMPONENTS, LANES

Array = NDArray[np.float64]

_FIRST = 32
"""Angles to begin with."""


def christoffel_inverse(q: Array, medium: AnyMedium) -> Array:
    """G(q) = [C_iajb q_a q_b]⁻¹ (…, 3, 3) at q (…, 3)."""
    return np.linalg.inv(np.einsum("iajb,...a,...b->...ij", medium.stiffness, q, q, optimize=True))


def monomials(axes: int, top: int) -> NDArray[np.int64]:
    """Exponents (monomials, 3) of all monomials up to a degree in the first ``axes`` axes."""
    box = [e for e in np.ndindex((top + 1,) * axes) if sum(e) <= top]
    return np.array([(*e, 0, 0)[:3] for e in sorted(box, key=lambda e: (sum(e), e))])


def taylor(R: Array, first: int, top: int, medium: AnyMedium, *, axes: int = 3) -> Array:
    """Coefficients of the Taylor series of G about R, degrees first … top.

    Parameters
    ----------
    R : array (points, 3)
        Å, not zero.
    first, top : int
        Degrees.
    medium : Medium or CubicMedium
        The elastic medium.
    axes : int
        Monomials in the first so many axes are wanted.

    Returns
    -------
    array (points, monomials, 3, 3)
        ∂^(a,b,c) G/(a! b! c!), those of :func:`monomials` with degree ``first`` and more.
    """
    found = monomials(axes, top)
    degree = found.sum(axis=1)
    wanted = int(np.sum(degree < first))
    axis = np.argmax(found > 0, axis=1)
    place = {tuple(e): row for row, e in enumerate(found.tolist())}
    lower = [place.get(tuple(e), 0) for e in (found - np.eye(3, dtype=int)[axis]).tolist()]
    recipe = np.stack([degree, axis, lower], axis=1)
    r = np.linalg.norm(R, axis=1)
    frame = _frame(R / r[:, None])

    def mean(points: int) -> Array:
        total = np.zeros((len(R), len(found) - wanted, 9))
        circle.add_circle(medium.stiffness, frame, points, recipe, wanted, total)
        return total / points

    k = degree[wanted:]
    factor = (-1.0) ** k * factorial(k) / factorial(found[wanted:]).prod(axis=1) / (4 * pi)
    made = refined(mean, _FIRST) * (factor / r[:, None] ** (k + 1))[..., None]
    return made.reshape(*made.shape[:2], 3, 3)


def _frame(n: Array) -> Array:
    """Right-handed rows (…, 3, 3) with n (…, 3) as the first."""
    first = np.cross(n, np.eye(3)[np.argmin(np.abs(n), axis=1)])
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return np.stack([n, first, np.cross(n, first)], axis=1)


def derivatives(R: Array, order: int, medium: AnyMedium) -> Array:
    """∂_β∂_δ… G_αγ(R), (…, 3, 3) + (3,) * order, at R (…, 3) in Å, not zero."""
    made = taylor(R.reshape(-1, 3), order, order, medium)
    place = {tuple(e): row for row, e in enumerate(monomials(3, order).tolist()) if sum(e) == order}
    counts = [tuple(entry.count(axis) for axis in range(3)) for entry in np.ndindex((3,) * order)]
    rows = np.array([place[e] for e in counts]) - min(place.values())
    tensor = made[:, rows] * factorial(counts).prod(axis=1)[:, None, None]
    return np.moveaxis(tensor, 1, -1).reshape(*R.shape[:-1], 3, 3, *(3,) * order)


DEGREE = 12
"""Of the polynomials in a cell of the angular table."""
TABLE_ERROR = 2.5e-10
"""Aim for the fourth derivatives of the table, relative to the largest in their direction."""
_LARGEST = 96


@cache
def angular_table(medium: AnyMedium) -> Array:
    """G on the triangle 0 ≤ v ≤ u ≤ 1 of R = (u, v, 1) as polynomials, see :mod:`kernels.jets`.

    Returns
    -------
    array (cells, terms · LANES)
        Cells (i, j) with j ≤ i, in rows; terms of u^a v^b by b, then a, about the cell's centre.

    Raises
    ------
    ValueError
        If no table of a reasonable size is good enough.
    """
    side = _side(medium)
    if side > _LARGEST:
        raise ValueError(
            f"medium is too anisotropic: a table of {side} cells along an edge; allowed {_LARGEST}"
        )
    found = monomials(2, DEGREE)
    made = taylor(_centres(side), 0, DEGREE, medium, axes=2)
    order = np.lexsort((found[:, 0], found[:, 1]))
    table = np.zeros((len(made), len(found), LANES))
    for lane, (a, b) in enumerate(COMPONENTS):
        table[..., lane] = made[:, order, a, b]
    return table.reshape(len(made), -1)


def _centres(side: int) -> Array:
    """Centres (u, v, 1) of the cells."""
    i, j = np.tril_indices(side)
    return np.stack([(i + 0.5) / side, (j + 0.5) / side, np.ones(len(i))], axis=1)


def _side(medium: AnyMedium) -> int:
    """Cells along an edge: the first term left out of ∂⁴G at a corner is below ``TABLE_ERROR``."""
    found = monomials(2, DEGREE + 1)
    made = np.abs(taylor(_centres(12), 4, DEGREE + 1, medium, axes=2)).max(axis=(2, 3))
    degree, of_fourth = found.sum(axis=1)[found.sum(axis=1) >= 4], comb(found[:, 0], 4)
    kept = made[:, degree == 4].max(axis=1)
    left = made[:, degree > DEGREE] @ of_fourth[found.sum(axis=1) > DEGREE]
    return ceil(((left / kept).max() / TABLE_ERROR) ** (1 / (DEGREE - 3)) / 2)

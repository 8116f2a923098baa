"""Integrals of smooth functions over a circle and over the sphere, to rounding; Gauss's rule.

The trapezoidal rule on a circle and the product rule on a sphere converge geometrically for an
analytic function, but at a rate that the function sets: a soft shear makes the static response
sharp. So the points are doubled until two results agree to half the digits; the finer then has all.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_AGREE = 1.0e-8
_MOST = 4096
_SAME = 1e-7
"""Norm of what is new in a vector of Lanczos's, below which it is rounding."""
_AT_ONCE = 16384
"""Values of which Gauss's rule is made together."""


def refined(evaluate: Callable[[int], Array], points: int) -> Array:
    """Evaluate with ``points``, twice as many, … until two results agree; return the last.

    Raises
    ------
    ValueError
        If they do not within 4096 points.
    """
    coarse = evaluate(points)
    while points < _MOST:
        points *= 2
        fine = evaluate(points)
        if np.abs(fine - coarse).max() <= _AGREE * np.abs(fine).max():
            return fine
        coarse = fine
    raise ValueError(f"medium is too close to instability: {_MOST} angles do not resolve it")


def sphere(points: int) -> tuple[Array, Array]:
    """Unit vectors (n, 3) of a half sphere and weights (n,) that add up to 4π.

    For functions that are even in q: exact for polynomials of degree below 2 ``points``, even.
    """
    u, weight = np.polynomial.legendre.leggauss(2 * (points // 2))
    u, weight = u[u > 0], weight[u > 0]
    phi = np.pi * np.arange(2 * points) / points
    u, phi = (a.reshape(-1) for a in np.meshgrid(u, phi, indexing="ij"))
    across = np.sqrt(1 - u * u)
    n = np.stack([across * np.cos(phi), across * np.sin(phi), u], axis=1)
    return n, np.repeat(weight, 2 * points) * 2 * np.pi / points


def half_interval(points: int) -> tuple[Array, Array]:
    """Nodes (points,) in (0, 1) and weights (points,) for functions that are even in u; L. Fejér's.

    Exact for polynomials of degree below 2 ``points``, which takes twice as many nodes as Gauss's
    rule; but the weights are good to the last digit, and Gauss's lose two from a hundred nodes on.
    """
    theta = (np.arange(points) + 0.5) * np.pi / (2 * points)
    j = np.arange(1, points + 1)
    waves = np.cos(2 * theta[:, None] * j) / (4 * j**2 - 1)
    return np.cos(theta), (1 - 2 * waves.sum(axis=1)) / points


def gauss_rule(values: Array, weight: Array, number: int) -> tuple[Array, Array]:
    """Replace many probable values by few with the same mean of every low power.

    The nodes and weights of Gauss for the discrete measure, from the Jacobi matrix that Lanczos's
    recursion makes: exact for powers below 2 · ``number``.

    Parameters
    ----------
    values : array (states, rows)
        The values of each row; any unit.
    weight : array (states,) or (states, rows)
        Their probabilities.
    number : int
        Values wanted.

    Returns
    -------
    array (number, rows), array (number, rows)
        Values, and their probabilities, some of them 0 where a row has fewer different values.
    """
    scale = np.maximum(np.max(np.abs(values), axis=0), np.finfo(float).tiny)
    share = np.broadcast_to(weight if np.ndim(weight) > 1 else weight[:, None], values.shape)
    total = share.sum(axis=0)
    x, root = values / scale, np.sqrt(share / np.where(total > 0, total, 1.0))
    jacobi = np.zeros((x.shape[1], number, number))
    rows = max(1, _AT_ONCE // len(x))
    for first in range(0, x.shape[1], rows):
        some = slice(first, first + rows)
        _fill_jacobi(jacobi[some], x[:, some], root[:, some])
    nodes, vectors = np.linalg.eigh(jacobi)
    return nodes.T * scale, total * vectors[:, 0, :].T ** 2


def parted_rule(values: Array, weight: Array, parts: int, number: int) -> tuple[Array, Array]:
    """Replace many probable values by few that have about the same distribution function.

    Gauss's rule in each of some parts, between quantiles of the states: in one part the values
    would follow the largest, which rule the high powers, and not the many that are small.

    Parameters
    ----------
    values, weight : array (states, rows), array (states,)
        As in :func:`gauss_rule`.
    parts, number : int
        Parts, and values in each.

    Returns
    -------
    array (parts · number, rows), array (parts · number, rows)
        Values, and their probabilities.
    """
    order = np.argsort(values, axis=0)
    rising, share = np.take_along_axis(values, order, axis=0), weight[order]
    ends = [len(values) * part // parts for part in range(parts + 1)]
    each = (slice(*part) for part in pairwise(ends))
    made = [gauss_rule(rising[part], share[part], number) for part in each]
    nodes, shares = zip(*made, strict=True)
    return np.concatenate(nodes), np.concatenate(shares)


def _fill_jacobi(jacobi: Array, x: Array, root: Array) -> None:
    """Fill in diagonals and what is below them, for values (states, rows) that fit a cache."""
    number = jacobi.shape[1]
    x, vector = np.ascontiguousarray(x), root
    before = np.zeros_like(x)
    norm = np.zeros(x.shape[1])
    for k in range(number):
        product = x * vector
        mean = jacobi[:, k, k] = np.einsum("sr,sr->r", product, vector)
        rest = product - mean * vector - norm * before
        norm = np.sqrt(np.einsum("sr,sr->r", rest, rest))
        norm[norm < _SAME] = 0.0
        if k + 1 < number:
            jacobi[:, k + 1, k] = norm
        vector, before = rest / np.where(norm > 0, norm, np.inf), vector

"""Integrals of smooth functions over a circle and over the sphere, to rounding; Gauss's rule.

The trapezoidal rule on a circle and the product rule on a sphere converge geometrically for an
analytic function, but at a rate that the function sets: a soft shear makes the static response
sharp. So the points are doubled until two results agree to half the digits; the finer then has all.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from glasspipe.kernels.lanczos import jacobi

Array = NDArray[np.float64]

_AGREE = 1.0e-8
_MOST = 4096


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
    weight : array (states,)
        Their probabilities.
    number : int
        Values wanted.

    Returns
    -------
    array (number, rows), array (number, rows)
        Values, and their probabilities, some of them 0 where a row has fewer different values.
    """
    scale = np.maximum(np.max(np.abs(values), axis=0), np.finfo(float).tiny)
    rows = np.ascontiguousarray((values / scale).T)
    matrix = np.zeros((len(rows), number, number))
    diagonal, beside = np.empty((2, len(rows), number))
    jacobi(rows, np.sqrt(weight), diagonal, beside)
    k = np.arange(number)
    matrix[:, k, k] = diagonal
    matrix[:, k[1:], k[:-1]] = beside[:, :-1]
    nodes, vectors = np.linalg.eigh(matrix)
    return nodes.T * scale, vectors[:, 0, :].T ** 2

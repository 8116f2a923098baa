"""Integrals of smooth periodic functions, over a circle and over the sphere, to rounding.

The trapezoidal rule on a circle and the product rule on a sphere converge geometrically for an
analytic function, but at a rate that the function sets: a soft shear makes the static response
sharp. So the points are doubled until two results agree to half the digits; the finer then has all.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

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

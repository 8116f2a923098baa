"""Which fields are zero: sums that cancel by symmetry leave rounding, or the error of a mesh."""

import numpy as np
from numpy.typing import NDArray

from glasspipe.elastic.greens import green_derivatives
from glasspipe.elastic.medium import AnyMedium
from glasspipe.elastic.quadrature import sphere

Array = NDArray[np.float64]

ROUNDING = 1e-10
"""Of a typical term of a sum, what Ewald's split and float64 leave where it vanishes."""


def rms(values: Array) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(values**2)))


def typical_terms(receivers: Array, sources: Array, medium: AnyMedium, box: Array) -> Array:
    """Size of a term of the field on each defect, |m_i| rms|m_j| |∂…G| at the mean distance.

    Parameters
    ----------
    receivers, sources : array (N, 3, 3) or (N, 3, 3, 3)
        Multipoles that feel the field and that make it, eV and eV Å.
    medium, box
        The medium and the edges (3,) of the box, Å.

    Returns
    -------
    array (N,)
        eV.
    """
    number, order = len(receivers), receivers.ndim + sources.ndim - 4
    distance = float(np.prod(box) / number) ** (1 / 3)
    G = green_derivatives(distance * sphere(8)[0], order, medium)
    size_of_G = rms(np.linalg.norm(G.reshape(len(G), -1), axis=1))
    flat = (m.reshape(number, -1) for m in (receivers, sources))
    one, other = (np.sqrt(np.einsum("ic,ic->i", m, m)) for m in flat)
    return np.asarray(one * rms(other) * size_of_G)


def without_rounding(field: Array, terms: Array) -> Array:
    """Return the field (N,) with 0 where it is rounding of finite terms (N,)."""
    rounding = np.isfinite(terms) & (np.abs(field) <= ROUNDING * terms)
    return np.where(rounding, 0.0, field)

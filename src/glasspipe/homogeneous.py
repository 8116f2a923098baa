"""The homogeneous field that a boundary adds to sums over growing spheres.

A 1/R³ field sums conditionally: what lies far away, where defects are a continuum, adds a field
that depends on how the sum is ordered and on nothing else. Couplings of higher order have none, nor
have those whose sources change sign, which leaves B.
"""

import numpy as np
from numpy.typing import NDArray

from glasspipe.greens import zero_mode
from glasspipe.medium import AnyMedium
from glasspipe.pair_fields import pair_coupling
from glasspipe.species import Variants

Array = NDArray[np.float64]

_POINTS = 24


def homogeneous_field(
    field: str,
    receivers: Variants,
    sources: tuple[Variants, Array],
    medium: AnyMedium,
    boundary: str,
) -> Array:
    """Homogeneous field at each kind of receiver (receivers,), eV Å³ for a source per Å³.

        clamped, stress_free   (K_0 − K_0 of the spherical boundary) contracted with γ_r and η·1
        minimum_image          −∫dΩ ⟨g⟩ ln max|n_i|, from the cube around a sphere

    Parameters
    ----------
    field : str
        One of :data:`glasspipe.pair_fields.FIELDS`.
    receivers : Variants
        Kinds of defect that feel it.
    sources : (Variants, array (kinds,))
        Kinds that make it and their probabilities.
    medium : Medium or CubicMedium
        The elastic medium.
    boundary : str
        One of :data:`glasspipe.greens.BOUNDARIES`.
    """
    if field != "B" or boundary == "spherical":
        return np.zeros(len(receivers))
    kinds, weight = sources
    if boundary == "minimum_image":
        n, solid = _cube()
        g = np.einsum("s,rsp->rp", weight, pair_coupling("B", receivers, kinds, n, medium))
        return -g @ (solid * np.log(np.max(np.abs(n), axis=1)))
    difference = zero_mode(medium, 1.0, boundary) - zero_mode(medium, 1.0, "spherical")
    return np.einsum("rab,abcc->r", receivers.gamma, difference) * (weight @ kinds.eta)


def _cube() -> tuple[Array, Array]:
    """Directions (points, 3) through three faces of a cube, and solid angles that add up to 4π."""
    u, weight = np.polynomial.legendre.leggauss(_POINTS)
    face = np.stack([*map(np.ravel, np.meshgrid(u, u)), np.ones(_POINTS**2)], axis=1)
    distance = np.linalg.norm(face, axis=1)
    solid = 2 * np.outer(weight, weight).ravel() / distance**3
    n = face / distance[:, None]
    return np.concatenate([np.roll(n, k, axis=1) for k in range(3)]), np.tile(solid, 3)

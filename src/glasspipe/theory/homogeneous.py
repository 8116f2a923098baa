"""The homogeneous field that a boundary adds to sums over growing spheres.

A 1/R³ field sums conditionally: what lies far away, where defects are a continuum, adds a field
that depends on how the sum is ordered and on nothing else. Couplings of higher order have none, nor
have those whose sources change sign, which leaves B, also where it is part of h.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasspipe.defects.tensors import Tensors
from glasspipe.elastic.greens import zero_mode
from glasspipe.elastic.printed import Interaction, derived
from glasspipe.theory.pair_fields import pair_coupling

Array = NDArray[np.float64]

_POINTS = 24


def homogeneous_field(
    field: str,
    receivers: Tensors,
    sources: tuple[Tensors, Array],
    medium: Interaction,
    boundary: str,
    box: ArrayLike = (1.0, 1.0, 1.0),
) -> Array:
    """Homogeneous field at each kind of receiver (receivers,), eV Å³ for a source per Å³.

        clamped, stress_free   (K_0 − K_0 of the spherical boundary) contracted with γ_r and P_s
        minimum_image          ∫dΩ ⟨g⟩ ln R_box, from the box around a sphere, R_box(n) its surface

    Parameters
    ----------
    field : str
        One of :data:`glasspipe.system.terms.FIELDS`.
    receivers : Tensors
        Kinds of defect that feel it.
    sources : (Tensors, array (kinds,))
        Kinds that make it and their probabilities.
    medium : Medium, CubicMedium or Printed
        The elastic medium; B is as derived.
    boundary : str
        One of :data:`glasspipe.elastic.greens.BOUNDARIES`.
    box : array (3,)
        Edges of the box in any unit, for only their ratios count.
    """
    if field not in ("B", "h") or boundary == "spherical":
        return np.zeros(len(receivers))
    kinds, weight = sources
    if boundary == "minimum_image":
        surface, solid = _surface(np.asarray(box, dtype=float))
        R = np.linalg.norm(surface, axis=1)
        n = surface / R[:, None]
        g = np.einsum("s,rsp->rp", weight, pair_coupling("B", receivers, kinds, n, medium))
        return g @ (solid * np.log(R))
    plain = derived(medium)
    difference = zero_mode(plain, 1.0, boundary) - zero_mode(plain, 1.0, "spherical")
    mean = np.einsum("s,scd->cd", weight, kinds.P)
    return np.einsum("rab,abcd,cd->r", receivers.gamma, difference, mean)


def _surface(box: Array) -> tuple[Array, Array]:
    """Points (points, 3) on three faces of a box around 0, and solid angles that add up to 4π.

    Coordinates along a face are sinh of Gauss's, so that a long box needs no more points.
    """
    u, weight = np.polynomial.legendre.leggauss(_POINTS)
    points, solid = [], []
    for k in range(3):
        height, sides = box[k], np.roll(box, -k)[1:]
        stretch = np.arcsinh(sides / height)[:, None]
        y, z = height * np.sinh(stretch * u)
        step_y, step_z = weight * stretch * height * np.cosh(stretch * u)
        face = np.stack([np.full((_POINTS,) * 2, height), *np.meshgrid(y, z, indexing="ij")])
        points.append(np.roll(face.reshape(3, -1).T, k, axis=1))
        solid.append(2 * height * np.outer(step_y, step_z).ravel())
    surface = np.concatenate(points)
    return surface, np.concatenate(solid) / np.linalg.norm(surface, axis=1) ** 3

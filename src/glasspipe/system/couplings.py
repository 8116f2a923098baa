"""The couplings U_ij of the rotational variables and their random fields B_i.

    U_ij = γ_i^αβ γ_j^γδ ∂_β∂_δ G_αγ(r_i − r_j)                         (16), derived form
    B_i = Σ_{j≠i} η_j γ_i^αβ ∂_β∂_γ G_αγ(r_i − r_j)                     (26), (29)

The volume term is a force dipole P_j = η_j δ that S does not change. Where there is more of it than
that, its field is B_i = Σ_{j≠i} γ_i^αβ P_j^γδ ∂_β∂_δ G_αγ. All fall off as 1/R³, so in the periodic
box they are Ewald sums over all images of j.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasspipe.defects.dipoles import static_dipoles
from glasspipe.elastic import near, reciprocal
from glasspipe.elastic.greens import BOUNDARIES, Ewald, response, zero_mode
from glasspipe.elastic.printed import Interaction, Printed, refuse_static

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Couplings:
    """Couplings and random fields of one realisation.

    Parameters
    ----------
    U : array (N(N−1)/2,)
        U_ij in eV, pairs i < j, rows first (``numpy.triu_indices(N, 1)``).
    B : array (N,)
        Random fields, eV.
    """

    U: Array
    B: Array


def couplings(
    position: ArrayLike,
    gamma: ArrayLike,
    eta: ArrayLike,
    *,
    box: ArrayLike,
    medium: Interaction,
    boundary: str,
    sharpness: float | None = None,
    static: ArrayLike | None = None,
) -> Couplings:
    """Couplings U_ij and random fields B_i of defects in a periodic box.

    Parameters
    ----------
    position : array (N, 3)
        Å.
    gamma : array (N, 3, 3)
        Force dipoles γ of S, eV, symmetric.
    eta : array (N,)
        Volume couplings, eV.
    box : array (3,)
        Edges of the box, Å.
    medium : Medium, CubicMedium or Printed
        The elastic medium.
    boundary : {"clamped", "spherical", "stress_free", "minimum_image"}
        The q = 0 term, see :mod:`glasspipe.elastic.greens`.
    sharpness : float, optional
        α V^(1/3) of Ewald's split; the result does not depend on it. None: what is fastest.
    static : array (N, 3, 3), optional
        Force dipoles that S does not change, beside η δ, eV, symmetric.

    Raises
    ------
    ValueError
        If the boundary is not one of those above, or there are static dipoles in a Printed medium.

    References
    ----------
    Eqs. (16), (26), (29).
    """
    if boundary not in BOUNDARIES:
        raise ValueError(f"boundary is {boundary!r}; allowed are {', '.join(BOUNDARIES)}")
    if isinstance(medium, Printed):
        refuse_static(static)
        part_of = partial(couplings, position, gamma, eta, box=box, sharpness=sharpness)
        parts = medium.parts_of_U(boundary)
        made = [part_of(medium=part, boundary=q0) for _, part, q0 in parts]
        total = sum((part[0] * m.U for part, m in zip(parts, made, strict=True)), np.zeros(()))
        return Couplings(total, made[0].B)
    position = np.ascontiguousarray(position, dtype=float)
    gamma = np.ascontiguousarray(gamma, dtype=float)
    P = static_dipoles(eta, static)
    edges = np.asarray(box, dtype=float)
    number = len(position)
    far, B = np.zeros((number, number)), np.zeros(number)
    alpha = cutoff = 0.0
    if boundary != "minimum_image":
        ewald = Ewald.balanced(medium, edges, sharpness or response(medium).sharpness_2)
        alpha, cutoff = ewald.alpha, ewald.cutoff
        _add_far(position, gamma, P, ewald, far, B)
        _add_zero_mode(gamma, P, zero_mode(medium, ewald.volume, boundary), far, B)
    U = np.empty(number * (number - 1) // 2)
    near.couplings(position, gamma, P, medium, (edges, alpha, cutoff), far, U, B)
    return Couplings(U, B)


def _add_far(position: Array, gamma: Array, P: Array, ewald: Ewald, far: Array, B: Array) -> None:
    waves = reciprocal.Waves(position, ewald)
    dipoles, unchanged = gamma.reshape(-1, 9), P.reshape(-1, 9)
    for block in reciprocal.blocks(ewald):
        weights = block.dipole_weights()
        unit, amplitude = waves.unit(block), dipoles @ weights
        columns = reciprocal.columns(unit, block, amplitude)
        reciprocal.add_products(columns, block.sign, far)
        sources = reciprocal.summed(unit, block, unchanged, weights)
        itself = np.einsum("ic,ic->i", amplitude, unchanged @ weights)
        B -= block.sign * (columns.reshape(len(B), -1) @ sources.reshape(-1) - itself)


def _add_zero_mode(gamma: Array, P: Array, K_0: Array, far: Array, B: Array) -> None:
    dipoles = gamma.reshape(-1, 9)
    towards = dipoles @ K_0.reshape(9, 9)
    far += towards @ dipoles.T
    B += np.einsum("ic,ic->i", towards, (P.sum(axis=0) - P).reshape(-1, 9))

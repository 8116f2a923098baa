"""The couplings U_ij of the rotational variables and their random fields B_i.

    U_ij = γ_i^αβ γ_j^γδ ∂_β∂_δ G_αγ(r_i − r_j)                         (16), derived form
    B_i = Σ_{j≠i} η_j γ_i^αβ ∂_β∂_γ G_αγ(r_i − r_j)                     (26), (29)

The volume term is a force dipole P_j = η_j δ that S does not change. Where there is more of it than
that, its field is B_i = Σ_{j≠i} γ_i^αβ P_j^γδ ∂_β∂_δ G_αγ. All fall off as 1/R³, so in the periodic
box they are Ewald sums over all images of j.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from glasspipe.elastic import near, reciprocal
from glasspipe.elastic.greens import Ewald, response, zero_mode
from glasspipe.elastic.printed import Printed
from glasspipe.system.rounding import typical_terms, without_rounding
from glasspipe.system.system import System

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Couplings:
    """Couplings and random fields of one realisation.

    Parameters
    ----------
    U : array (N(N−1)/2,)
        U_ij in eV, pairs i < j, rows first (``numpy.triu_indices(N, 1)``).
    B : array (N,)
        Random fields, eV; 0 where they cancel by symmetry.
    """

    U: Array
    B: Array


def couplings(system: System, *, sharpness: float | None = None) -> Couplings:
    """Couplings U_ij and random fields B_i of defects in a periodic box.

    Parameters
    ----------
    system : System
        The defects.
    sharpness : float, optional
        α V^(1/3) of Ewald's split; the result does not depend on it. None: what is fastest.

    References
    ----------
    Eqs. (16), (26), (29).
    """
    medium, tensors = system.medium, system.tensors
    if isinstance(medium, Printed):
        parts = medium.parts_of_U(system.boundary)
        made = [
            couplings(replace(system, medium=part, boundary=q0), sharpness=sharpness)
            for _, part, q0 in parts
        ]
        total = sum((part[0] * m.U for part, m in zip(parts, made, strict=True)), np.zeros(()))
        return Couplings(total, made[0].B)
    number, gamma, P = len(system), tensors.gamma, tensors.P
    far, B = np.zeros((number, number)), np.zeros(number)
    sharpness = sharpness or response(medium).sharpness_2
    ewald, split = near.divided(medium, system.box, system.boundary, sharpness)
    if ewald is not None:
        _add_far(system.position, gamma, P, ewald, far, B)
        _add_zero_mode(gamma, P, zero_mode(medium, ewald.volume, system.boundary), far, B)
    U = np.empty(number * (number - 1) // 2)
    near.couplings(system.position, gamma, P, medium, split, far, U, B)
    return Couplings(U, without_rounding(B, typical_terms(gamma, P, medium, system.box)))


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

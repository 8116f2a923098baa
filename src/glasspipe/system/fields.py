"""The random fields b_i and couplings J_ij of the inversion variables τ.

    b_i^γ = −Σ_{j≠i} S_j γ_j^αβ ζ_i^γδε ∂_β∂_δ∂_ε G_αγ(r_j − r_i)          (36), (60)
    b_i^η = −Σ_{j≠i} η_j ζ_i^γδε ∂_α∂_δ∂_ε G_αγ(r_j − r_i)                  (66), (68)
    J_ij = −ζ_i^αβδ ζ_j^γεφ ∂_β∂_δ∂_ε∂_φ G_αγ(r_i − r_j)                   the exact (72)

The fields are odd in R, so the sign of R matters: it runs from the τ site to the source. The
volume term η_j δ may be a force dipole P_j of any form that S does not change. These kernels (1/R⁴,
1/R⁵) have no q = 0 term, so every boundary but ``minimum_image`` gives the same.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasspipe.elastic import near, reciprocal
from glasspipe.elastic.greens import Ewald, response
from glasspipe.elastic.printed import Printed
from glasspipe.kernels.pairs import summarise
from glasspipe.system.rounding import typical_terms, without_rounding
from glasspipe.system.system import System

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Fields:
    """Fields on the inversion variables of one realisation, each (N,) and in eV.

    Parameters
    ----------
    b_gamma, b_eta : array (N,)
        Random fields from the frozen S and from the volume terms; H contains Σ_i b_i τ_i.
    J_abs, J_max, J_tau : array (N,)
        Σ_j |J_ij|, max_j |J_ij| and Σ_j J_ij τ_j.
    """

    b_gamma: Array
    b_eta: Array
    J_abs: Array
    J_max: Array
    J_tau: Array

    @property
    def b(self) -> Array:
        """The whole random field b = b^γ + b^η, eq. (71)."""
        return self.b_gamma + self.b_eta


@dataclass(frozen=True)
class Interactions:
    """Couplings of the inversion variables of one realisation, and the fields on them, eV.

    Parameters
    ----------
    J : array (N, N)
        J_ij, symmetric, 0 on the diagonal.
    b_gamma, b_eta : array (N,)
        Random fields from the frozen S and from the volume terms; 0 where they cancel by symmetry.
    """

    J: Array
    b_gamma: Array
    b_eta: Array


def fields(
    system: System, S: ArrayLike, tau: ArrayLike, *, sharpness: float | None = None
) -> Fields:
    """Random fields b_i and summaries of J_ij of defects with frozen S in a periodic box.

    Parameters
    ----------
    S, tau : array (N,)
        Frozen S and the τ of Σ_j J_ij τ_j, ±1.
    system, sharpness
        As in :func:`interactions`.
    """
    made = interactions(system, S, sharpness=sharpness)
    J_abs, J_max, J_tau = np.zeros((3, len(system)))
    summarise(made.J, np.asarray(tau, dtype=float), J_abs, J_max, J_tau)
    return Fields(made.b_gamma, made.b_eta, J_abs, J_max, J_tau)


def interactions(system: System, S: ArrayLike, *, sharpness: float | None = None) -> Interactions:
    """Every J_ij and random field b_i of defects with frozen S in a periodic box.

    Parameters
    ----------
    system : System
        The defects, with ζ of the frozen state; static dipoles are sources of b^η.
    S : array (N,)
        Frozen S, ±1.
    sharpness : float, optional
        As in :func:`glasspipe.system.couplings.couplings`.

    References
    ----------
    Eqs. (60), (68), (72).
    """
    medium, tensors = system.medium, system.tensors
    if isinstance(medium, Printed):
        parts = printed_parts(system, medium)
        made = [interactions(part, S, sharpness=sharpness) for _, part in parts]
        total = sum(
            (part[0] * m.b_gamma for part, m in zip(parts, made, strict=True)), np.zeros(())
        )
        return replace(made[0], b_gamma=total)
    frozen, P = tensors.gamma * np.asarray(S, dtype=float)[:, None, None], tensors.P
    J, (b_gamma, b_eta) = np.zeros((len(system),) * 2), np.zeros((2, len(system)))
    sharpness = sharpness or response(medium).sharpness_4
    ewald, split = near.divided(medium, system.box, system.boundary, sharpness)
    if ewald is not None:
        _add_far(system.position, frozen, P, tensors.zeta, ewald, J, b_gamma, b_eta)
    near.fields(system.position, frozen, P, tensors.zeta, medium, split, J, b_gamma, b_eta)
    upper = np.triu(J, 1)
    b = [
        without_rounding(field, typical_terms(tensors.zeta, sources, medium, system.box))
        for field, sources in ((b_gamma, frozen), (b_eta, P))
    ]
    return Interactions(upper + upper.T, *b)


def printed_parts(system: System, medium: Printed) -> list[tuple[float, System]]:
    """Factors and systems whose couplings of S and τ add up to the printed one."""
    tensors = system.tensors
    return [
        (factor, replace(system, medium=plain, tensors=replace(tensors, gamma=gamma, zeta=zeta)))
        for factor, plain, gamma, zeta in medium.parts_of_b(tensors.gamma, tensors.zeta)
    ]


def _add_far(
    position: Array,
    frozen: Array,
    P: Array,
    zeta: Array,
    ewald: Ewald,
    J: Array,
    b_gamma: Array,
    b_eta: Array,
) -> None:
    waves = reciprocal.Waves(position, ewald)
    for block in reciprocal.blocks(ewald):
        unit, weights = waves.unit(block), block.dipole_weights()
        amplitude = zeta.reshape(-1, 27) @ block.gradient_weights()
        columns = reciprocal.columns(unit, block, amplitude)
        reciprocal.add_products(columns, block.sign, J)
        for dipoles, b in ((frozen.reshape(-1, 9), b_gamma), (P.reshape(-1, 9), b_eta)):
            cosine, sine = reciprocal.summed(unit, block, dipoles, weights)
            b -= block.sign * (columns[:, 0] @ sine - columns[:, 1] @ cosine)

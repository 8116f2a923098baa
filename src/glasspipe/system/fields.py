"""The random fields b_i and couplings J_ij of the inversion variables τ.

    b_i^γ = −Σ_{j≠i} S_j γ_j^αβ ζ_i^γδε ∂_β∂_δ∂_ε G_αγ(r_j − r_i)          (36), (60)
    b_i^η = −Σ_{j≠i} η_j ζ_i^γδε ∂_α∂_δ∂_ε G_αγ(r_j − r_i)                  (66), (68)
    J_ij = −ζ_i^αβδ ζ_j^γεφ ∂_β∂_δ∂_ε∂_φ G_αγ(r_i − r_j)                   the exact (72)

The fields are odd in R, so the sign of R matters: it runs from the τ site to the source. The
volume term η_j δ may be a force dipole P_j of any form that S does not change. These kernels (1/R⁴,
1/R⁵) have no q = 0 term, so every boundary but ``minimum_image`` gives the same.
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasspipe.defects.dipoles import static_dipoles
from glasspipe.elastic import near, reciprocal
from glasspipe.elastic.greens import BOUNDARIES, Ewald, response
from glasspipe.elastic.printed import Interaction, Printed, refuse_static
from glasspipe.kernels.pairs import summarise

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
        J_ij above the diagonal, 0 elsewhere.
    b_gamma, b_eta : array (N,)
        Random fields from the frozen S and from the volume terms.
    """

    J: Array
    b_gamma: Array
    b_eta: Array


def fields(
    position: ArrayLike,
    gamma: ArrayLike,
    eta: ArrayLike,
    zeta: ArrayLike,
    S: ArrayLike,
    tau: ArrayLike,
    *,
    box: ArrayLike,
    medium: Interaction,
    boundary: str,
    sharpness: float | None = None,
    static: ArrayLike | None = None,
) -> Fields:
    """Random fields b_i and summaries of J_ij of defects with frozen S in a periodic box.

    Parameters
    ----------
    position : array (N, 3)
        Å.
    gamma : array (N, 3, 3)
        Force dipoles γ of S, eV.
    eta : array (N,)
        Volume couplings, eV.
    zeta : array (N, 3, 3, 3)
        Strain-gradient couplings, eV Å, symmetric in the last two indices.
    S, tau : array (N,)
        Frozen S and the τ of Σ_j J_ij τ_j, ±1.
    box, medium, boundary, sharpness, static
        As in :func:`interactions`.
    """
    made = interactions(
        position,
        gamma,
        eta,
        zeta,
        S,
        box=box,
        medium=medium,
        boundary=boundary,
        sharpness=sharpness,
        static=static,
    )
    J_abs, J_max, J_tau = np.zeros((3, len(made.J)))
    summarise(made.J, np.asarray(tau, dtype=float), J_abs, J_max, J_tau)
    return Fields(made.b_gamma, made.b_eta, J_abs, J_max, J_tau)


def interactions(
    position: ArrayLike,
    gamma: ArrayLike,
    eta: ArrayLike,
    zeta: ArrayLike,
    S: ArrayLike,
    *,
    box: ArrayLike,
    medium: Interaction,
    boundary: str,
    sharpness: float | None = None,
    static: ArrayLike | None = None,
) -> Interactions:
    """Every J_ij and random field b_i of defects with frozen S in a periodic box.

    Parameters
    ----------
    position, gamma, eta, zeta, S
        As in :func:`fields`.
    box, medium, boundary, sharpness, static
        As in :func:`glasspipe.system.couplings.couplings`; static dipoles are sources of b^η.

    Raises
    ------
    ValueError
        If the boundary is not allowed, or there are static dipoles in a Printed medium.

    References
    ----------
    Eqs. (60), (68), (72).
    """
    if boundary not in BOUNDARIES:
        raise ValueError(f"boundary is {boundary!r}; allowed are {', '.join(BOUNDARIES)}")
    gamma, zeta = np.asarray(gamma, dtype=float), np.ascontiguousarray(zeta, dtype=float)
    if isinstance(medium, Printed):
        refuse_static(static)
        system = partial(interactions, position, box=box, boundary=boundary, sharpness=sharpness)
        parts = medium.parts_of_b(gamma, zeta)
        made = [system(source, eta, own, S, medium=part) for _, part, source, own in parts]
        total = sum(
            (part[0] * m.b_gamma for part, m in zip(parts, made, strict=True)), np.zeros(())
        )
        return replace(made[0], b_gamma=total)
    position = np.ascontiguousarray(position, dtype=float)
    frozen = gamma * np.asarray(S, dtype=float)[:, None, None]
    P = static_dipoles(eta, static)
    edges = np.asarray(box, dtype=float)
    number = len(position)
    J, b_gamma, b_eta = np.zeros((number, number)), np.zeros(number), np.zeros(number)
    alpha = cutoff = 0.0
    if boundary != "minimum_image":
        ewald = Ewald.balanced(medium, edges, sharpness or response(medium).sharpness_4)
        alpha, cutoff = ewald.alpha, ewald.cutoff
        _add_far(position, frozen, P, zeta, ewald, J, b_gamma, b_eta)
    split = (edges, alpha, cutoff)
    near.fields(position, frozen, P, zeta, medium, split, J, b_gamma, b_eta)
    return Interactions(J, b_gamma, b_eta)


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

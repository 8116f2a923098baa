"""The couplings U^Sτ_ij of the rotational and the inversion variables.

    U^Sτ_ij = −γ_i^αβ ζ_j^γδε ∂_β∂_δ∂_ε G_αγ(r_i − r_j)                     (36)

It is odd in R, so the matrix is not symmetric: i is the site of S and j that of τ. With frozen S
its columns add up to b_j^γ = Σ_i U^Sτ_ij S_i, which then takes its place.
"""

import numpy as np
from numpy.typing import NDArray

from glasspipe.elastic import near, reciprocal
from glasspipe.elastic.greens import Ewald, response
from glasspipe.elastic.printed import Printed
from glasspipe.system.fields import printed_parts
from glasspipe.system.system import System

Array = NDArray[np.float64]


def spin_tau_couplings(system: System, *, sharpness: float | None = None) -> Array:
    """Couplings U^Sτ_ij (N, N) in eV, 0 on the diagonal; i is the site of S, j that of τ.

    Parameters
    ----------
    system : System
        The defects, with ζ of the frozen state where it depends on S.
    sharpness : float, optional
        As in :func:`glasspipe.system.couplings.couplings`.

    References
    ----------
    Eq. (36).
    """
    medium = system.medium
    if isinstance(medium, Printed):
        parts = printed_parts(system, medium)
        made = [factor * spin_tau_couplings(part, sharpness=sharpness) for factor, part in parts]
        return np.sum(made, axis=0)
    tensors, total = system.tensors, np.zeros((len(system),) * 2)
    sharpness = sharpness or response(medium).sharpness_4
    ewald, split = near.divided(medium, system.box, system.boundary, sharpness)
    if ewald is not None:
        _add_far(system, ewald, total)
        np.fill_diagonal(total, 0.0)
    near.spin_tau(system.position, tensors.gamma, tensors.zeta, medium, split, total)
    return total


def _add_far(system: System, ewald: Ewald, total: Array) -> None:
    waves, number = reciprocal.Waves(system.position, ewald), len(system)
    gamma = system.tensors.gamma.reshape(number, -1)
    zeta = system.tensors.zeta.reshape(number, -1)
    for block in reciprocal.blocks(ewald):
        unit = waves.unit(block)
        of_S = reciprocal.columns(unit, block, gamma @ block.dipole_weights())
        of_tau = reciprocal.columns(unit, block, zeta @ block.gradient_weights())
        turned = np.stack([of_S[:, 1], -of_S[:, 0]], axis=1)
        total -= block.sign * (turned.reshape(number, -1) @ of_tau.reshape(number, -1).T)

"""Near parts of the fields of many defects, summed without a list of pairs in isotropic media.

Couplings that are used again, at every flip of an anneal, are worth a list. A field is summed once.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasspipe.elastic import neighbours
from glasspipe.elastic.kelvin import isotropic_coefficients
from glasspipe.elastic.medium import Medium
from glasspipe.elastic.mesh import Split
from glasspipe.elastic.near import packed, packed_zeta, smooth_part
from glasspipe.elastic.neighbours import Cells
from glasspipe.kernels import near_sums as kernel
from glasspipe.threads import cut, each

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]


def near_strains(position: Array, gamma: Array, P: Array, split: Split, order: Numbers) -> Array:
    """Near parts of the fields of force dipoles P on γ (N,), eV: (26), (29).

    Parameters
    ----------
    position : array (N, 3)
        Å.
    gamma, P : array (N, 3, 3)
        eV.
    split : Split
        What is near.
    order : int array (N,)
        The order along the cells, see :class:`glasspipe.elastic.neighbours.Cells`.
    """
    there, back = position[order], np.argsort(order)
    if not isinstance(split.medium, Medium):
        return neighbours.near_random_fields(there, gamma[order], P[order], split)[back]
    B, (cells, *about) = np.zeros(len(position)), _about(there, split, split.medium)
    tensors = packed(gamma, order), packed(P, order)
    each(kernel.strains, cut(len(cells[0])), there, *tensors, cells, *about, B)
    return B[back]


@dataclass(frozen=True)
class NearFields:
    """Near parts of the fields on τ, and what couplings of τ within the cutoff add up to.

    Parameters
    ----------
    listed : array (N,)
        How many j there are.
    b_gamma, b_eta, J_tau : array (N,)
        Near parts of b^γ, b^η and Σ_j J_ij τ_j, eV.
    J_abs, J_max : array (N,)
        Σ_j |J_ij| and max_j |J_ij| of whole couplings, eV.
    scaled, squares : array (N,)
        Σ_j |J_ij| R⁵ and Σ_j (J_ij R⁵)², eV Å⁵ and its square.
    """

    listed: NDArray[np.int64]
    b_gamma: Array
    b_eta: Array
    J_tau: Array
    J_abs: Array
    J_max: Array
    scaled: Array
    squares: Array


def near_fields(
    position: Array,
    frozen: Array,
    P: Array,
    zeta: Array,
    tau: Array,
    split: Split,
    order: Numbers,
) -> NearFields:
    """Near parts of the fields on τ, (60), (68), (72).

    Parameters
    ----------
    position, P, split, order
        As above.
    frozen : array (N, 3, 3)
        γ_j S_j, eV.
    zeta : array (N, 3, 3, 3)
        eV Å, symmetric in the last two indices.
    tau : array (N,)
        ±1.
    """
    there, back = position[order], np.argsort(order)
    if not isinstance(split.medium, Medium):
        sorted_ = frozen[order], P[order], zeta[order], tau[order]
        b, J, listed = neighbours.near_fields(there, *sorted_, split)
        return NearFields(listed[back], *np.concatenate([b, J])[:, back])
    sums, listed = np.zeros((7, len(position))), np.zeros(len(position), np.int64)
    cells, *about = _about(there, split, split.medium)
    tensors = packed(frozen, order), packed(P, order), *packed_zeta(zeta, order), tau[order]
    each(kernel.on_tau, cut(len(cells[0])), there, *tensors, cells, *about, sums, listed)
    return NearFields(listed[back], *sums[:, back])


def _about(
    position: Array, split: Split, medium: Medium
) -> tuple[Any, Array, float, float, float, Array]:
    """What the loops need to know of sorted defects' cells, box, cutoff, medium and window."""
    cells = Cells(split.edges, split.cutoff)
    first = np.searchsorted(cells.of(position), np.arange(len(cells.place) + 1))
    return (
        (cells.place, cells.rank, first),
        split.edges,
        split.cutoff,
        *isotropic_coefficients(medium),
        smooth_part(split.window, split.cutoff),
    )

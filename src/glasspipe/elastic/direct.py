"""Fields on few defects of all the others, by Ewald sums to rounding.

The yardstick of faster sums: cost and memory grow as the number of rows times that of defects.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from glasspipe.elastic import near, reciprocal
from glasspipe.elastic.greens import Ewald, response, zero_mode
from glasspipe.elastic.medium import AnyMedium, Medium
from glasspipe.elastic.window import SHARP_BELL

Array = NDArray[np.float64]
Some = slice | NDArray[np.int64]

_ROWS = 64
"""Rows for which the split of sums over all pairs is the cheapest."""


def direct_fields(
    which: NDArray[np.int64],
    position: Array,
    receivers: Array,
    sources: Array,
    *,
    box: Array,
    medium: AnyMedium,
    boundary: str,
) -> Array:
    """Fields γ_i^αβ Σ_{j≠i} P_j^γδ ∂_β∂_δ G_αγ(r_i − r_j) on some defects, all images of j.

    Parameters
    ----------
    which : array (rows,)
        The defects i.
    position : array (N, 3)
        Å.
    receivers, sources : array (N, 3, 3)
        γ and P, eV.
    box, medium, boundary
        As in :func:`glasspipe.system.couplings.couplings`, ``minimum_image`` apart.

    Returns
    -------
    array (rows,)
        eV.

    References
    ----------
    Eqs. (16), (26).
    """
    ewald = _split(medium, box, response(medium).sharpness_2, len(which))
    rows = np.ascontiguousarray(receivers[which])
    [fields] = _far(which, position, rows, lambda some: [sources[some]], ewald)
    K_0 = zero_mode(medium, ewald.volume, boundary).reshape(9, 9)
    others = sources.sum(axis=0) - sources[which]
    fields += np.einsum("rc,cd,rd->r", rows.reshape(-1, 9), K_0, others.reshape(-1, 9))
    split = (ewald.edges, ewald.alpha, ewald.cutoff)
    near.rows(which, position, rows, sources, medium, split, fields)
    return fields


def direct_fields_on_tau(
    which: NDArray[np.int64],
    position: Array,
    frozen: Array,
    P: Array,
    zeta: Array,
    tau: Array,
    *,
    box: Array,
    medium: AnyMedium,
) -> Array:
    """Fields b^γ, b^η and Σ_j J_ij τ_j on the τ of some defects (3, rows), eV.

    Parameters
    ----------
    frozen, P : array (N, 3, 3)
        γ_j S_j and P_j, eV.
    zeta : array (N, 3, 3, 3)
        eV Å.
    tau : array (N,)
        ±1.
    which, position, box, medium
        As above.

    References
    ----------
    Eqs. (60), (68), (72).
    """
    ewald = _split(medium, box, response(medium).sharpness_4, len(which))
    rows = np.ascontiguousarray(zeta[which])

    def sources(some: Some) -> list[Array]:
        return [frozen[some], P[some], zeta[some] * tau[some, None, None, None]]

    fields = _far(which, position, rows, sources, ewald)
    split = (ewald.edges, ewald.alpha, ewald.cutoff)
    near.rows_of_tau(which, position, rows, (frozen, P, zeta), tau, medium, split, fields)
    return fields


def _split(medium: AnyMedium, box: Array, sharpness: float, rows: int) -> Ewald:
    """Split for which few rows, whose near parts cost little, have few waves.

    No split has less of both than that of a bell, which an isotropic medium allows.
    """
    ewald = Ewald.balanced(medium, box, sharpness * (rows / _ROWS) ** (1 / 6))
    return replace(ewald, window=SHARP_BELL) if isinstance(medium, Medium) else ewald


def _far(
    which: NDArray[np.int64],
    position: Array,
    rows: Array,
    sources: Callable[[Some], list[Array]],
    ewald: Ewald,
) -> Array:
    """Far parts (sources, rows) of the fields of several multipoles on those of ``rows``.

    ``sources`` makes those of some defects. Of a dipole on the next multipole, or the other way
    round, the waves are out of phase.
    """
    blocks, own = reciprocal.blocks(ewald), sources(which)
    ends = np.cumsum([source[0].size for source in own])

    def moments_of(some: slice) -> Array:
        return np.concatenate([each.reshape(len(each), -1) for each in sources(some)], axis=1)

    total = []
    structures = reciprocal.structure_factors(position, moments_of, ewald)
    for block, structure in zip(blocks, structures, strict=True):
        of_each = zip(own, np.split(structure, ends[:-1]), strict=True)
        total.append([block.contracted(one, block.weights(each.ndim)) for each, one in of_each])
    waves, fields = reciprocal.Waves(position[which], ewald), np.zeros((len(own), len(which)))
    for block, of_all in zip(blocks, total, strict=True):
        amplitude = rows.reshape(len(rows), -1) @ block.weights(rows.ndim)
        cosine, sine = reciprocal.columns(waves.unit(block), block, amplitude).transpose(1, 0, 2)
        for field, source, (with_cosine, with_sine) in zip(fields, own, of_all, strict=True):
            if source.ndim == rows.ndim:
                moments = source.reshape(len(which), -1)
                itself = np.einsum("rc,rc->r", amplitude, moments @ block.weights(source.ndim))
                field -= block.sign * (cosine @ with_cosine + sine @ with_sine - itself)
            else:
                field -= block.sign * (cosine @ with_sine - sine @ with_cosine)
    return fields

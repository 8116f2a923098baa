"""Fields on few defects of all the others, by Ewald sums to rounding.

The yardstick of faster sums: cost and memory grow as the number of rows times that of defects.
"""

import numpy as np
from numpy.typing import NDArray

from glasspipe.elastic import near, reciprocal
from glasspipe.elastic.greens import Ewald, response, zero_mode
from glasspipe.elastic.medium import AnyMedium

Array = NDArray[np.float64]

_AT_ONCE = 20_000
"""Sources whose plane waves are held at once."""


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
    ewald = Ewald.balanced(medium, box, response(medium).sharpness_2)
    rows = np.ascontiguousarray(receivers[which])
    fields = _far(which, position, rows, sources, ewald)
    K_0 = zero_mode(medium, ewald.volume, boundary).reshape(9, 9)
    others = sources.sum(axis=0) - sources[which]
    fields += np.einsum("rc,cd,rd->r", rows.reshape(-1, 9), K_0, others.reshape(-1, 9))
    split = (ewald.edges, ewald.alpha, ewald.cutoff)
    near.rows(which, position, rows, sources, medium, split, fields)
    return fields


def _far(
    which: NDArray[np.int64], position: Array, rows: Array, sources: Array, ewald: Ewald
) -> Array:
    fields, blocks = np.zeros(len(which)), reciprocal.blocks(ewald)
    total = [np.zeros((2, len(block.mode))) for block in blocks]
    for first in range(0, len(position), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        waves, dipoles = reciprocal.Waves(position[part], ewald), sources[part].reshape(-1, 9)
        for block, of_all in zip(blocks, total, strict=True):
            of_all += reciprocal.summed(waves.unit(block), block, dipoles, block.dipole_weights())
    waves = reciprocal.Waves(position[which], ewald)
    for block, of_all in zip(blocks, total, strict=True):
        weights = block.dipole_weights()
        amplitude = rows.reshape(-1, 9) @ weights
        columns = reciprocal.columns(waves.unit(block), block, amplitude)
        itself = np.einsum("rc,rc->r", amplitude, sources[which].reshape(-1, 9) @ weights)
        fields -= block.sign * (np.einsum("rpc,pc->r", columns, of_all) - itself)
    return fields

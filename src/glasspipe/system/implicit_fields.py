"""The random fields and couplings of τ of many defects, without a matrix of J_ij.

b falls off as 1/R⁴ and is summed like the strain it is the gradient of, near list and fine mesh. Of
J ∝ 1/R⁵ what matters is near.
"""

import numpy as np
from numpy.typing import ArrayLike

from glasspipe.elastic.neighbours import near_fields
from glasspipe.system.fields import Fields
from glasspipe.system.implicit import NEIGHBOURS, fine_mesh, make_split, sort
from glasspipe.system.system import System


def implicit_fields(
    system: System, S: ArrayLike, tau: ArrayLike, *, neighbours: float = NEIGHBOURS
) -> Fields:
    """Fields on τ with a cost that grows as N, see :func:`glasspipe.system.fields.fields`.

    J_ij ∝ R⁻⁵ counts within the cutoff of the near neighbours, without images.

    Parameters
    ----------
    system, S, tau
        As there, ``minimum_image`` apart.
    neighbours : float
        As in :func:`glasspipe.system.implicit.implicit`.

    Raises
    ------
    ValueError
        If the boundary is not allowed.

    References
    ----------
    Eqs. (60), (68), (72).
    """
    tau = np.asarray(tau, dtype=float)
    split = make_split(system, neighbours)
    order, position, gamma = sort(split, system)
    zeta, P = system.tensors.zeta[order], system.tensors.P[order]
    frozen = gamma * np.asarray(S, dtype=float)[order, None, None]
    b, J = near_fields(position, frozen, P, zeta, tau[order], split)
    mesh = fine_mesh(split, system.boundary)
    for field, sources in zip(b, (frozen, P), strict=True):
        field += mesh.gradient_field(position, zeta, sources)
    back = np.argsort(order)
    return Fields(*b[:, back], *J[:, back])

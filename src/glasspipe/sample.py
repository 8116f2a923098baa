"""Realisations of the disorder: which sites hold a defect, and which kind each defect is.

The number of defects is fixed, N = round(x · sites), so that the arrays of a point are
rectangular; for the distribution of a field that is a correction of relative order 1/N.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glasspipe.lattice import Lattice
from glasspipe.species import Variants, draw


@dataclass(frozen=True)
class Realisation:
    """One realisation of the disorder.

    Parameters
    ----------
    position : array (N, 3)
        Å, 0 ≤ position < box.
    site : array (N, 3) or None
        Integers on the lattice's mesh; None for defects that sit on no lattice.
    defects : Variants
        Tensors γ, η, ζ of the N defects.
    """

    position: NDArray[np.float64]
    site: NDArray[np.int64] | None
    defects: Variants


def realise(
    rng: np.random.Generator,
    lattice: Lattice,
    number: int,
    *,
    species: str,
    axes: str,
    gamma: float,
    eta: float,
    zeta: float,
) -> Realisation:
    """Draw ``number`` defects at distinct random sites.

    Sites are drawn before axes, and neither depends on the strengths.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    lattice : Lattice
        Lattice and box.
    number : int
        Number N of defects.
    species, axes, gamma, eta, zeta
        As in :func:`glasspipe.species.draw`.

    Raises
    ------
    ValueError
        If there are more defects than sites.
    """
    if number > lattice.sites:
        raise ValueError(f"{number} defects do not fit on {lattice.sites} sites")
    site = lattice.site(rng.choice(lattice.sites, size=number, replace=False))
    defects = draw(rng, number, species=species, axes=axes, gamma=gamma, eta=eta, zeta=zeta)
    position = np.asarray(site * lattice.spacing, dtype=np.float64)
    return Realisation(position, site, defects)

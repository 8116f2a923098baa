"""Realisations of the disorder: which sites hold a defect, and which kind each defect is.

The number of defects is fixed, N = round(x · sites), so that the arrays of a point are
rectangular; for the distribution of a field that is a correction of relative order 1/N.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from glasspipe.defects.component import Component
from glasspipe.defects.lattice import Lattice, sublattice_site
from glasspipe.defects.species import Defects, draw


@dataclass(frozen=True)
class Realisation:
    """One realisation of the disorder.

    Parameters
    ----------
    position : array (N, 3)
        Å, 0 ≤ position < box.
    site : array (N, 3)
        Integers on the lattice's mesh.
    defects : Defects
        What sits there.
    """

    position: NDArray[np.float64]
    site: NDArray[np.int64]
    defects: Defects


def realise(
    rng: np.random.Generator,
    lattice: Lattice,
    number: int,
    components: tuple[Component, ...],
) -> Realisation:
    """Draw ``number`` defects at distinct random sites.

    Sites and defects have streams of their own. In rock salt a component has the sites of its
    sublattice, elsewhere all have all.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    lattice : Lattice
        Lattice and box.
    number : int
        Number N of defects.
    components : tuple of Component
        The mixture that the defects are drawn from.

    Raises
    ------
    ValueError
        If there are more defects than sites.
    """
    site_rng, defect_rng = rng.spawn(2)
    defects = draw(defect_rng, number, components)
    if lattice.type == "rock_salt":
        site = _rock_salt_sites(site_rng, lattice, defects.component, components)
    else:
        site = _sites(site_rng, lattice, number)
    position = np.asarray(site * lattice.spacing, dtype=np.float64)
    return Realisation(position, site, defects)


def _sites(rng: np.random.Generator, lattice: Lattice, number: int) -> NDArray[np.int64]:
    if number > lattice.sites:
        raise ValueError(f"{number} defects do not fit on {lattice.sites} sites")
    return lattice.site(rng.choice(lattice.sites, size=number, replace=False))


def _rock_salt_sites(
    rng: np.random.Generator,
    lattice: Lattice,
    component: NDArray[np.int64],
    components: tuple[Component, ...],
) -> NDArray[np.int64]:
    """Sites on the sublattice of each defect's component."""
    names = np.array([each.sublattice for each in components])[component]
    site = np.empty((len(component), 3), dtype=np.int64)
    sublattice = replace(lattice, type="fcc")
    for name, stream in zip(("anion", "cation"), rng.spawn(2), strict=True):
        mine = names == name
        drawn = _sites(stream, sublattice, int(mine.sum()))
        site[mine] = sublattice_site(name, drawn, lattice)
    return site

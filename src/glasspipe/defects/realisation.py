"""Realisations of the disorder: which sites hold a defect, and which kind each defect is.

The number of defects is fixed, N = round(x · sites), so that the arrays of a point are
rectangular; for the distribution of a field that is a correction of relative order 1/N. So are
the numbers of the components of a mixture where its stoichiometry is exact.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glasspipe.defects.component import Component, exact_numbers
from glasspipe.defects.distribution import draw as draw_strength
from glasspipe.defects.lattice import Lattice
from glasspipe.defects.species import unit_kinds
from glasspipe.defects.tensors import Numbers, Tensors, rotations

Array = NDArray[np.float64]

_SCALARS = ("D", "Delta", "E", "epsilon")


@dataclass(frozen=True)
class Defects:
    """The defects of one realisation.

    Parameters
    ----------
    component : array (N,)
        The number of each one's component.
    tensors : Tensors
        γ, η, ζ, and static dipoles where some component has them.
    D, Delta : array (N,)
        Tunnelling amplitudes of S and τ, eV.
    E, epsilon : array (N,)
        Stray fields on S and τ, eV.
    """

    component: Numbers
    tensors: Tensors
    D: Array
    Delta: Array
    E: Array
    epsilon: Array


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
    *,
    stoichiometry: str = "random",
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
    stoichiometry : {"random", "exact"}
        How many are of each component, as in :func:`draw`.

    Raises
    ------
    ValueError
        If there are more defects than sites.
    """
    site_rng, defect_rng = rng.spawn(2)
    defects = draw(defect_rng, number, components, stoichiometry=stoichiometry)
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
    sublattices = lattice.sublattices
    for (name, sites), stream in zip(sublattices.items(), rng.spawn(2), strict=True):
        mine = names == name
        site[mine] = _sites(stream, sites, int(mine.sum()))
    return site


def draw(
    rng: np.random.Generator,
    number: int,
    components: tuple[Component, ...],
    *,
    stoichiometry: str = "random",
) -> Defects:
    """Draw ``number`` defects of a mixture.

    Components, states, frames and strengths have streams of their own, so that none changes when
    another is spread more widely.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    number : int
        Number N of defects.
    components : tuple of Component
        The mixture.
    stoichiometry : {"random", "exact"}
        Whether each defect is of a component with the probability of its share, or as many are as
        :func:`glasspipe.defects.component.exact_numbers` says, whichever these are.

    Raises
    ------
    ValueError
        If a species has no such axes.
    """
    label_rng, *streams = rng.spawn(1 + len(components))
    if stoichiometry == "exact":
        numbers = exact_numbers(number, components)
        label = label_rng.permutation(np.repeat(np.arange(len(components)), numbers))
    else:
        shares = np.array([component.share for component in components])
        label = label_rng.choice(len(components), size=number, p=shares / shares.sum())
    several = any(component.kind.states > 1 for component in components)
    static = any(component.static_dipole != "none" for component in components)
    tensors = Tensors(
        np.empty((number, 3, 3)),
        np.empty(number),
        np.empty((number, 3, 3, 3)),
        np.empty((number, 3, 3, 3)) if several else None,
        np.zeros((number, 3, 3)) if static else None,
    )
    drawn = Defects(label, tensors, *np.empty((len(_SCALARS), number)))
    for index, (component, stream) in enumerate(zip(components, streams, strict=True)):
        _draw_component(stream, np.flatnonzero(label == index), component, drawn)
    return drawn


def _draw_component(
    rng: np.random.Generator, mine: Numbers, component: Component, drawn: Defects
) -> None:
    """Fill the defects numbered ``mine`` with draws of one component."""
    states, frames, strengths = rng.spawn(3)
    names = ("gamma", "eta", "zeta", *_SCALARS)  # a new one goes last, or the others' draws change
    u = dict(zip(names, strengths.random((len(names), len(mine))), strict=True))
    values = {name: draw_strength(getattr(component, name), u[name]) for name in u}
    for name in _SCALARS:
        getattr(drawn, name)[mine] = values[name]
    made = _draw_states(states, len(mine), component)
    if component.frame_spread > 0:
        axis = frames.standard_normal((len(mine), 3))
        axis /= np.linalg.norm(axis, axis=1)[:, None]
        angle = np.radians(component.frame_spread) * frames.standard_normal(len(mine))
        made = made.turned(rotations(axis * angle[:, None]))
    made = made.scaled(values["gamma"], values["eta"], values["zeta"])
    drawn.tensors.gamma[mine], drawn.tensors.eta[mine] = made.gamma, made.eta
    drawn.tensors.zeta[mine] = made.zeta
    if drawn.tensors.zeta_minus is not None:
        drawn.tensors.zeta_minus[mine] = made.zeta if made.zeta_minus is None else made.zeta_minus
    if drawn.tensors.static is not None and made.static is not None:
        drawn.tensors.static[mine] = made.static


def _draw_states(rng: np.random.Generator, number: int, component: Component) -> Tensors:
    continuum = component.continuum
    if continuum is not None:
        return continuum.draw(rng, number)
    kinds = unit_kinds(component.species, component.axes, static_dipole=component.static_dipole)
    return kinds[rng.integers(len(kinds), size=number)]

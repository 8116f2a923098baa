"""The species of defects: what each is made of, declared once.

A defect has a few equivalent states. The species says which tensors belong to a state; the set of
axes says which states a crystal allows. A continuum of kinds is made of random variates, from which
defects are drawn and over which theory takes its averages.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from glasspipe.defects.tensors import Tensors, of_axes, of_normals

Array = NDArray[np.float64]

AXES: dict[str, Array] = {
    "100": np.eye(3),
    "110": np.array(
        [[1, 1, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1], [0, 1, 1], [0, 1, -1]],
    )
    / np.sqrt(2),
    "111": np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3),
}
"""Axes d of each set, one of each pair ±d."""
ISOTROPIC = "isotropic"
"""Axes of any direction."""


@dataclass(frozen=True)
class Continuum:
    """Kinds without number, each made of random variates.

    Parameters
    ----------
    variates : {"direction", "normal"}
        A unit vector of any direction, or independent normal numbers.
    size : int
        How many numbers a kind takes.
    tensors : function
        Tensors of kinds from their variates (kinds, size), for γ_0 = η = 1 eV and ζ_0 = 1 eV Å.
    """

    variates: Literal["direction", "normal"]
    size: int
    tensors: Callable[[Array], Tensors]

    def draw(self, rng: np.random.Generator, number: int) -> Tensors:
        """Draw kinds at random."""
        drawn = rng.standard_normal((number, self.size))
        if self.variates == "direction":
            drawn /= np.linalg.norm(drawn, axis=1)[:, None]
        return self.tensors(drawn)


@dataclass(frozen=True)
class Species:
    """What defects of one species are.

    Parameters
    ----------
    about : str
        In the words of the config's documentation.
    kinds : function or None
        Tensors of all kinds, equally probable, for γ_0 = η = 1 eV and ζ_0 = 1 eV Å, given a set of
        axes and whether they have static dipoles; None where there is only a continuum.
    axes : tuple of str
        Sets from which axes may be drawn; none if there is nothing to choose.
    continua : dict of str to Continuum
        By set of axes, those of infinitely many kinds.
    states : int
        States among which S chooses that have a ζ of their own.
    cubic : bool
        Whether the rotations of the cube take kinds into kinds.
    static_dipole : bool
        Whether there may be a force dipole that S does not change, beside η.
    """

    about: str
    kinds: Callable[[str, bool], Tensors] | None
    axes: tuple[str, ...] = ()
    continua: dict[str, Continuum] = field(default_factory=dict)
    states: int = 1
    cubic: bool = True
    static_dipole: bool = False

    def continuum(self, axes: str) -> Continuum | None:
        """Return what makes infinitely many kinds with a set of axes, or None."""
        return self.continua.get(axes if self.axes else "")


def _aligned(_axes: str, _static: bool) -> Tensors:
    return of_axes(np.array([[0.0, 0.0, 1.0]]))


def _uniaxial(axes: str, _static: bool) -> Tensors:
    return of_axes(AXES[axes])


def _rotor(axes: str, static: bool) -> Tensors:
    d = AXES[axes]
    ordered = [(i, j) for pair in combinations(range(len(d)), 2) for i, j in (pair, pair[::-1])]
    i, j = np.array(ordered).T
    return of_axes(d[i], d[j], static=static)


def _plaquette(_axes: str, static: bool) -> Tensors:
    first, second = AXES["110"][0::2], AXES["110"][1::2]
    d, other = np.concatenate([first, second]), np.concatenate([second, first])
    return of_axes(d, other, static=static)


SPECIES: dict[str, Species] = {
    "aligned": Species("γ = γ₀ẑẑ for all", _aligned, cubic=False),
    "uniaxial": Species(
        "γ = γ₀dd with d drawn from `axes`",
        _uniaxial,
        axes=(*AXES, ISOTROPIC),
        continua={ISOTROPIC: Continuum("direction", 3, of_axes)},
    ),
    "rotor": Species(
        "γ = γ₀(d₁d₁ − d₂d₂)/2, S chooses between two of the axes",
        _rotor,
        axes=tuple(AXES),
        states=2,
        static_dipole=True,
    ),
    "plaquette": Species(
        "γ = γ₀(d₁d₁ − d₂d₂)/2, S chooses between the diagonals of a face of the cube",
        _plaquette,
        states=2,
        static_dipole=True,
    ),
    "gaussian": Species(
        "symmetric random tensors with ⟨γ:γ⟩ = γ₀² and ⟨ζ⋮ζ⟩ = ζ₀²",
        kinds=None,
        continua={"": Continuum("normal", 36, of_normals)},
    ),
}
"""Every species by its name in a config."""


def unit_kinds(species: str, axes: str, *, static_dipole: str = "none") -> Tensors:
    """The kinds of defect of a species, equally probable, for γ_0 = η = 1 eV and ζ_0 = 1 eV Å.

    Raises
    ------
    ValueError
        If the species is unknown, has no such axes, or has infinitely many kinds.
    """
    if species not in SPECIES:
        raise ValueError(f"species is {species!r}; allowed are {', '.join(SPECIES)}")
    found = SPECIES[species]
    if found.kinds is None or found.continuum(axes) is not None:
        raise ValueError(f"species {species} with axes {axes} has no finite set of kinds")
    if found.axes and axes not in found.axes:
        raise ValueError(f"axes {axes!r} are none of {species}; {', '.join(found.axes)} are")
    return found.kinds(axes, static_dipole == "mean")

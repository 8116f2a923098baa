"""Couplings of many defects that are never stored: a list of near ones and a mesh for the rest.

A dense U of 10⁵ defects would take 40 GB. Split by a window, the near part of U is a list whose
length grows as N, and the far part is applied by Fourier transforms, whose cost does. The list is
exact, as the window ends it; so only the mesh decides how good a field is, and the same list
serves a coarse mesh for annealing and a fine one for what is reported.
"""

from dataclasses import dataclass
from functools import cached_property
from math import pi, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasspipe.elastic.direct import direct_fields
from glasspipe.elastic.greens import BOUNDARIES, response
from glasspipe.elastic.mesh import Mesh, Split, mesh_shape
from glasspipe.elastic.neighbours import Cells, NearList, near_couplings, whole_couplings
from glasspipe.elastic.printed import Printed
from glasspipe.kernels.mesh import COARSE_ORDER
from glasspipe.system.system import System
from glasspipe.units import unit_of

Array = NDArray[np.float64]

NEIGHBOURS = 250
"""Mean number of near neighbours: more cost time at each flip, fewer a finer mesh."""
_LARGEST_CUTOFF = 0.4
"""Of the smallest edge of the box."""
_FINE_ORDER = 8


@dataclass(frozen=True)
class Implicit:
    """U and B of one realisation, as a recipe; the defects are sorted by place.

    Parameters
    ----------
    order : int array (N,)
        Which of the defects as given is each of the sorted ones.
    position : array (N, 3)
        Å.
    gamma, B : array (N, 3, 3), (N,)
        In √unit and in unit.
    near : NearList
        Near couplings.
    split : Split
        What is near.
    boundary : str
        The q = 0 term.
    unit : float
        What energies are counted in, eV, a power of four: 1, unless float32 could not hold them.
    """

    order: NDArray[np.int64]
    position: Array
    gamma: Array
    B: Array
    near: NearList
    split: Split
    boundary: str
    unit: float

    @cached_property
    def fine(self) -> Mesh:
        """Mesh of the fields that are reported."""
        return fine_mesh(self.split, self.boundary)

    def coarse(self, refinement: float) -> Mesh:
        """Mesh for annealing, ``refinement`` times as fine as is usual."""
        spacing = self.split.cutoff / (response(self.split.medium).resolution.coarse * refinement)
        shape = mesh_shape(self.split.edges, spacing)
        return Mesh(self.split, self.boundary, shape, COARSE_ORDER, "f4")

    def fields(self, S: NDArray[np.int8], mesh: Mesh) -> Array:
        """Local fields h_i = Σ_{j≠i} U_ij S_j + B_i (N,), the far part on ``mesh``."""
        h = mesh.field(self.position, self.gamma, self.gamma * S[:, None, None])
        self.near.add_fields(S, h)
        return h + self.B

    def whole(self) -> NearList:
        """Couplings of near defects as a whole, near part and far part."""
        return whole_couplings(self.near, self.position, self.gamma, self.split)

    def direct_fields(self, S: NDArray[np.int8], which: NDArray[np.int64]) -> Array:
        """The same of some defects by Ewald sums to rounding, B_i as it is."""
        of_spins = direct_fields(
            which,
            self.position,
            self.gamma,
            self.gamma * S[:, None, None],
            box=self.split.edges,
            medium=self.split.medium,
            boundary=self.boundary,
        )
        return np.asarray(self.B[which] + of_spins)


def implicit(system: System, B: ArrayLike, *, neighbours: float = NEIGHBOURS) -> Implicit:
    """Couplings (16) of defects in a periodic box, without storing all U_ij.

    Parameters
    ----------
    system : System
        The defects; any boundary but ``minimum_image``.
    B : array (N,)
        Random fields, eV, from :func:`random_fields`.
    neighbours : float
        Mean number of near neighbours; results depend on it within their error only.

    Raises
    ------
    ValueError
        If the boundary is not allowed.
    """
    split = make_split(system, neighbours)
    order, position, gamma = sort(split, system)
    B = np.asarray(B, dtype=float)[order]
    unit = unit_of(float(max(np.abs(gamma).max() ** 2, np.abs(B).max())))
    gamma, B = gamma / sqrt(unit), B / unit
    near, _ = near_couplings(position, gamma, np.zeros_like(gamma), split)
    return Implicit(order, position, gamma, B, near, split, system.boundary, unit)


def random_fields(system: System, *, neighbours: float = NEIGHBOURS) -> Array:
    """Random fields B_i (N,) in eV, with a cost that grows as N: (26), (29).

    Parameters
    ----------
    system, neighbours
        As in :func:`implicit`.

    Raises
    ------
    ValueError
        If the boundary is not allowed.
    """
    split = make_split(system, neighbours)
    order, position, gamma = sort(split, system)
    P = system.tensors.P[order]
    _, B = near_couplings(position, gamma, P, split)
    B += fine_mesh(split, system.boundary).field(position, gamma, P)
    return B[np.argsort(order)]


def sort(split: Split, system: System) -> tuple[NDArray[np.int64], Array, Array]:
    """Return the order along the cells, and positions and γ in it."""
    order = np.argsort(Cells(split.edges, split.cutoff).of(system.position), kind="stable")
    return order, system.position[order], system.tensors.gamma[order]


def make_split(system: System, neighbours: float) -> Split:
    """Return the split for a mean number of near neighbours, or raise ValueError."""
    allowed = [name for name in BOUNDARIES if name != "minimum_image"]
    if system.boundary not in allowed:
        raise ValueError(f"boundary is {system.boundary!r}; allowed are {', '.join(allowed)}")
    if isinstance(system.medium, Printed):
        raise ValueError("the medium is Printed; allowed is a medium itself")
    edges = system.box
    wanted = (3 * neighbours * float(np.prod(edges)) / (4 * pi * len(system))) ** (1 / 3)
    cutoff = min(wanted, _LARGEST_CUTOFF * float(edges.min()))
    x, y, z = edges.tolist()
    return Split(system.medium, (x, y, z), cutoff, response(system.medium).resolution.window)


def fine_mesh(split: Split, boundary: str) -> Mesh:
    """Mesh of the fields that are reported."""
    spacing = split.cutoff / response(split.medium).resolution.fine
    return Mesh(split, boundary, mesh_shape(split.edges, spacing), _FINE_ORDER, "f8")

"""Couplings of many defects that are never stored: a list of near ones and a mesh for the rest.

A dense U of 10⁵ defects would take 40 GB. Split by a window, the near part of U is a list whose
length grows as N, and the far part is applied by Fourier transforms, whose cost does. The list is
exact, as the window ends it; so the window and the mesh alone decide how good a field is: for what
is reported they follow from the accuracy asked for, and are looked after by direct sums.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf, pi, sqrt
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasspipe.defects.tensors import Tensors
from glasspipe.elastic.direct import direct_fields
from glasspipe.elastic.greens import BOUNDARIES, response
from glasspipe.elastic.medium import AnyMedium
from glasspipe.elastic.mesh import Mesh, Split, mesh_shape
from glasspipe.elastic.near_sums import near_strains
from glasspipe.elastic.neighbours import (
    Cells,
    NearList,
    NearSums,
    near_couplings,
    near_sums,
)
from glasspipe.elastic.printed import Printed
from glasspipe.elastic.sharing import Resolution, Spline
from glasspipe.kernels.mesh import MIDDLE_ORDER
from glasspipe.kernels.near import Rows, strongest
from glasspipe.system.couplings import couplings
from glasspipe.system.rounding import rms, typical_terms
from glasspipe.system.system import System
from glasspipe.units import unit_of

Array = NDArray[np.float64]
Made = TypeVar("Made")

ACCURACY = 1e-6
"""Root mean square error of a field over its root mean square."""
NEIGHBOURS = 250
"""Mean number of near neighbours: more cost time at each flip, fewer a finer mesh."""
LARGEST_LIST = 4e9
"""Bytes of near couplings that are stored: made at each flip they take three times as long."""
_LARGEST_CUTOFF = 0.4
"""Of the smallest edge of the box."""
_WRONG = 1e-3
"""Error, rms over rms, that cannot be that of a mesh."""
_AIMS = (2.0**-2, 2.0**-4, 2.0**-7, 2.0**-10, 2.0**-14)
"""Of the accuracy asked for, what is aimed at until the direct sums say that it is met."""
_DIRECT_PAIRS, _FEWEST, _MOST = 80_000, 8, 64


@dataclass(frozen=True)
class Sums:
    """What fields are summed with: near couplings and a mesh for the rest."""

    near: NearList | NearSums
    mesh: Mesh


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
    rows : Rows
        Couplings of near defects, as a whole and their near parts for annealing.
    near : NearList or NearSums
        What adds up those near parts.
    split : Split
        What is near there.
    boundary : str
        The q = 0 term.
    unit : float
        What energies are counted in, eV, a power of four: 1, unless float32 could not hold them.
    accuracy : float
        Error of the fields that are reported, rms over rms.
    """

    order: NDArray[np.int64]
    position: Array
    gamma: Array
    B: Array
    rows: Rows
    near: NearList | NearSums
    split: Split
    boundary: str
    unit: float
    accuracy: float

    @cached_property
    def fine(self) -> Sums:
        """Sums for the fields that are reported, which are nearly always accurate enough."""
        return self._of_error(_AIMS[0] * self.accuracy)

    def of_error(self, error: float) -> Sums:
        """Sums whose fields should have that error."""
        usual = error == _AIMS[0] * self.accuracy
        return self.fine if usual else self._of_error(error)

    def _of_error(self, error: float) -> Sums:
        resolution = response(self.split.medium).resolution(2, error)
        split = replace(self.split, window=resolution.window)
        near = near_sums(self.rows, self.position, self.gamma, split)
        return Sums(near, mesh_of(split, self.boundary, resolution))

    def coarse(self, refinement: float) -> Sums:
        """Sums for annealing, of a mesh ``refinement`` times as fine as is usual."""
        usual = response(self.split.medium).coarse
        finer = replace(usual, points=usual.points * refinement)
        return Sums(self.near, mesh_of(self.split, self.boundary, finer, dtype="f4"))

    @cached_property
    def middle(self) -> Sums:
        """Sums for quenching, better than those for annealing with the same near list."""
        usual = response(self.split.medium).coarse
        better = replace(usual, points=1.4 * usual.points, sharing=Spline(MIDDLE_ORDER))
        return Sums(self.near, mesh_of(self.split, self.boundary, better, dtype="f4"))

    def fields(self, S: NDArray[np.int8], sums: Sums) -> Array:
        """Local fields h_i = Σ_{j≠i} U_ij S_j + B_i (N,)."""
        return self.applied(S, sums) + self.B

    def applied(self, S: NDArray[np.int8], sums: Sums) -> Array:
        """Σ_{j≠i} U_ij S_j of any integers S_j (N,), at less cost where most are 0."""
        total = self.far(S, sums)
        sums.near.add_fields(S, total)
        return total

    def far(
        self,
        S: NDArray[np.int8],
        sums: Sums,
        where: NDArray[np.int64] | slice = slice(None),
    ) -> Array:
        """What the mesh has of it, at i = ``where``."""
        mesh, some = sums.mesh, slice(None) if S.all() else np.flatnonzero(S)
        gamma, sources = self.gamma[where], (self.position[some], self.gamma[some])
        field = mesh.field_at(self.position[where], gamma, *sources, S[some].astype(float))
        return field - mesh.of_itself(gamma, gamma) * S[where]

    def among(self, some: NDArray[np.int64]) -> Array:
        """U_ij of some of the defects (M,) with each other (M, M), by Ewald sums to rounding."""
        number, gamma = len(some), self.gamma[some]
        tensors = Tensors(gamma, np.zeros(number), np.zeros((number, 3, 3, 3)))
        box = np.array(self.split.edges)
        system = System(self.position[some], tensors, box, self.split.medium, self.boundary)
        U, upper = np.zeros((number, number)), np.triu_indices(number, 1)
        U[upper] = couplings(system).U
        return U + U.T

    def coupling_sums(self) -> Array:
        """Σ_{j≠i} U_ij (N,), eV, of the defects in the order in which they were given."""
        together = self.applied(np.ones(len(self.B), np.int8), self.fine)
        found = np.empty_like(together)
        found[self.order] = together * self.unit
        return found

    @cached_property
    def strongest(self) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Each defect's neighbour of the strongest coupling, −1 if it has none, and that (N,)."""
        partner, bond = np.empty(len(self.B), np.int32), np.empty(len(self.B), np.float32)
        strongest(self.rows, partner, bond)
        return partner, bond

    def error(self, S: NDArray[np.int8], h: Array) -> float:
        """Error of the local fields h (N,) of S, rms over rms: of some, against Ewald sums."""
        which = sampled(len(S))
        of_spins = direct_fields(
            which,
            self.position,
            self.gamma,
            self.gamma * S[:, None, None],
            box=self.split.edges,
            medium=self.split.medium,
            boundary=self.boundary,
        )
        return relative_error(h, which, self.B[which] + of_spins, 1.0)


def implicit(
    system: System,
    B: ArrayLike,
    *,
    accuracy: float = ACCURACY,
    neighbours: float = NEIGHBOURS,
    largest_list: float = LARGEST_LIST,
) -> Implicit:
    """Couplings (16) of defects in a periodic box, without storing all U_ij.

    Parameters
    ----------
    system : System
        The defects; any boundary but ``minimum_image``.
    B : array (N,)
        Random fields, eV, from :func:`random_fields`.
    accuracy : float
        Error of the fields that are reported, rms over rms.
    neighbours : float
        Mean number of near neighbours; results depend on it within their error only.
    largest_list : float
        Bytes up to which near couplings are stored; in a crystal they always are.

    Raises
    ------
    ValueError
        If the boundary is not allowed.
    """
    split = make_split(system, neighbours, response(medium_of(system)).coarse)
    order = in_cells(split, system)
    position, gamma = system.position[order], system.tensors.gamma[order]
    B = np.asarray(B, dtype=float)[order]
    unit = unit_of(float(max(np.abs(gamma).max() ** 2, np.abs(B).max())))
    gamma, B = gamma / sqrt(unit), B / unit
    rows, near = near_couplings(position, gamma, split, largest=largest_list)
    return Implicit(order, position, gamma, B, rows, near, split, system.boundary, unit, accuracy)


def random_fields(
    system: System, *, accuracy: float = ACCURACY, neighbours: float = NEIGHBOURS
) -> tuple[Array, float]:
    """Random fields B_i (N,) in eV, with a cost that grows as N, and their error: (26), (29).

    Parameters
    ----------
    system, accuracy, neighbours
        As in :func:`implicit`.

    Returns
    -------
    array (N,), float
        Fields, all 0 where they cancel by symmetry, and their error, rms over rms.

    Raises
    ------
    ValueError
        If the boundary is not allowed.
    RuntimeError
        If no mesh is accurate enough.
    """
    medium, gamma, P = medium_of(system), system.tensors.gamma, system.tensors.P
    which, terms = sampled(len(system)), rms(typical_terms(gamma, P, medium, system.box))
    exact = direct_fields(
        which,
        system.position,
        gamma,
        P,
        box=system.box,
        medium=medium,
        boundary=system.boundary,
    )

    def make(aim: float) -> tuple[Array, float]:
        B = _fields_of(system, P, response(medium).resolution(2, aim), neighbours)
        B = without_mesh_error(B, accuracy * terms)
        return B, relative_error(B, which, exact, terms)

    return accurate(make, accuracy)


def _fields_of(system: System, P: Array, resolution: Resolution, neighbours: float) -> Array:
    """Fields on S of force dipoles (N,), eV."""
    split = make_split(system, neighbours, resolution)
    order, gamma = in_cells(split, system), system.tensors.gamma
    B = near_strains(system.position, gamma, P, split, order)
    mesh = mesh_of(split, system.boundary, resolution)
    B += mesh.field(system.position, gamma, P, order=order)
    return B


def accurate(make: Callable[[float], tuple[Made, float]], accuracy: float) -> tuple[Made, float]:
    """Make something with ever smaller errors aimed at until the one found is small enough.

    Where it never is, in boxes of few defects, the best one is returned with its error.

    Raises
    ------
    RuntimeError
        If that is no error of a mesh any more.
    """
    best, least = None, inf
    for aim in _AIMS:
        made, error = make(aim * accuracy)
        if not error > accuracy:  # fields that are not finite are for others to refuse
            return made, error
        if error < least:
            best, least = made, error
    if best is None or least > _WRONG:
        raise RuntimeError(
            f"fields of the mesh deviate from direct sums by {least:.2g} of the field, root mean"
            f" squares compared; at most {_WRONG} is allowed"
        )
    return best, least


def sampled(number: int) -> NDArray[np.int64]:
    """The defects whose fields are compared with direct sums: 64, 8 of 10 000 and more."""
    rows = min(max(_DIRECT_PAIRS // number, _FEWEST), _MOST, number)
    return np.linspace(0, number - 1, rows).astype(np.int64)


def relative_error(field: Array, which: NDArray[np.int64], exact: Array, terms: float) -> float:
    """Error of a field, of the defects ``which``, rms over rms; over ``terms`` where it is 0."""
    return rms(field[which] - exact) / (rms(field) or terms or 1.0)


def without_mesh_error(field: Array, error: float) -> Array:
    """Return 0 in place of a field (N,) that is an error of this size everywhere."""
    return np.zeros_like(field) if rms(field) <= error else field


def in_cells(split: Split, system: System) -> NDArray[np.int64]:
    """Return the order along the cells."""
    return Cells(split.edges, split.cutoff).order(system.position)


def make_split(system: System, neighbours: float, resolution: Resolution) -> Split:
    """Return the split for a mean number of near neighbours."""
    edges = system.box
    wanted = (3 * neighbours * float(np.prod(edges)) / (4 * pi * len(system))) ** (1 / 3)
    cutoff = min(wanted, _LARGEST_CUTOFF * float(edges.min()))
    x, y, z = edges.tolist()
    return Split(medium_of(system), (x, y, z), cutoff, resolution.window)


def medium_of(system: System) -> AnyMedium:
    """The medium of a system that can be summed so, or raise ValueError."""
    allowed = [name for name in BOUNDARIES if name != "minimum_image"]
    if system.boundary not in allowed:
        raise ValueError(f"boundary is {system.boundary!r}; allowed are {', '.join(allowed)}")
    if isinstance(system.medium, Printed):
        raise ValueError("the medium is Printed; allowed is a medium itself")
    return system.medium


def mesh_of(
    split: Split,
    boundary: str,
    resolution: Resolution,
    *,
    dtype: str = "f8",
    ranks: tuple[int, int] = (2, 2),
) -> Mesh:
    """Mesh for the far part of a split."""
    shape = mesh_shape(split.edges, split.cutoff / resolution.points)
    return Mesh(split, boundary, shape, resolution.sharing, dtype, ranks)

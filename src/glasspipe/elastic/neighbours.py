"""Near pairs of many defects: who is within the cutoff of whom, and their near couplings."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasspipe.elastic.christoffel import angular_table
from glasspipe.elastic.kelvin import isotropic_coefficients
from glasspipe.elastic.medium import AnyMedium, Medium
from glasspipe.elastic.mesh import Split
from glasspipe.elastic.near import smooth_part
from glasspipe.elastic.window import ladder_table
from glasspipe.kernels import cells, near
from glasspipe.kernels import neighbours as lists
from glasspipe.threads import PARTS, cut, in_parts

Array = NDArray[np.float64]

CELLS = 2
"""Cells between a defect and the cutoff: more test fewer pairs in vain, but visit more cells."""
SLICES = 4
"""Parts of a cell along the last axis, where a run of defects may end."""
_SIX = np.array([0, 4, 8, 5, 2, 1])
"""Components xx, yy, zz, yz, xz, xy of a symmetric tensor (3, 3)."""
_BYTES_PER_PAIR = 12


@dataclass(frozen=True)
class Cells:
    """Cells of a periodic box, the last axis fastest.

    Parameters
    ----------
    box : array (3,)
        Edges, Å.
    cutoff : float
        Å.
    """

    box: Array
    cutoff: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """Cells along the axes."""
        x, y, z = np.maximum(1, self.box * CELLS // self.cutoff).astype(int).tolist()
        return x, y, z

    @property
    def place(self) -> NDArray[np.int64]:
        """Places (cells, 3) in this order."""
        return np.stack(np.unravel_index(np.arange(np.prod(self.shape)), self.shape), axis=-1)

    @property
    def rank(self) -> NDArray[np.int64]:
        """Number of each place."""
        return np.arange(np.prod(self.shape)).reshape(self.shape)

    def of(self, position: Array, slices: int = 1) -> NDArray[np.int64]:
        """Return the number of each defect's cell, or of ``slices`` of it along the last axis."""
        a, b, c = self.shape
        number = np.zeros(len(position), np.int64)
        for size, places in zip((a, b, slices * c), self.places(position), strict=True):
            place = places[: len(position)].view(np.uint32).astype(np.int64)
            number = number * size + (place * size >> 32)
        return number

    def order(self, position: Array) -> NDArray[np.int64]:
        """Return the order along the cells, and within them along the last axis."""
        return np.argsort(self.of(position, SLICES), kind="stable")

    def places(self, position: Array) -> NDArray[np.int32]:
        """Positions as the kernels want them, int32 (3, N + LANES)."""
        place = np.zeros((3, len(position) + cells.LANES), np.int32)
        for axis in range(3):
            fraction = position[:, axis] / self.box[axis] * 2.0**32
            place[axis, : len(position)] = (
                fraction.astype(np.int64).astype(np.uint32).view(np.int32)
            )
        return place

    def first(self, position: Array) -> NDArray[np.int32]:
        """First of the sorted defects in each slice and after each column, (a, b, c + 1)."""
        a, b, c = self.shape
        c *= SLICES
        edge = np.searchsorted(self.of(position, SLICES), np.arange(a * b * c + 1))
        along = np.arange(a * b)[:, None] * c + np.arange(c + 1)
        return edge.astype(np.int32)[along].reshape(a, b, c + 1)


@dataclass(frozen=True)
class NearList:
    """Near couplings of defects that are sorted by cell, both directions of each pair.

    Parameters
    ----------
    start : int64 array (N + 1,)
        Where each defect's row starts, and the last ends.
    index : int32 array (pairs,)
        Neighbours, ascending in each row.
    U : float32 array (pairs,)
        Near part of U_ij, eV.
    """

    start: NDArray[np.int64]
    index: NDArray[np.int32]
    U: NDArray[np.float32]

    def add_fields(self, S: NDArray[Any], h: Array) -> None:
        """Add Σ_j U_ij S_j to h (N,), in float64."""
        lists.add_fields(self.start, self.index, self.U, S, h)


@dataclass(frozen=True)
class NearSums:
    """Near fields in an isotropic medium, of couplings that are made whenever they are added up.

    Parameters
    ----------
    rows : Rows
        Who is near.
    position : array (N, 3)
        Å, sorted by cell.
    gamma : array (N, 3, 3)
        eV.
    split : Split
        How the near part ends.
    """

    rows: near.Rows
    position: Array
    gamma: Array
    split: Split

    def add_fields(self, S: NDArray[Any], h: Array) -> None:
        """Add Σ_j U_ij S_j to h (N,), in float64."""
        few = np.flatnonzero(S)
        closed = *_closed(self.split.medium), _left(self.split, near.DEGREE)
        about = self.rows, self.position, self.gamma.reshape(-1, 9), *closed
        if 2 * len(few) < len(S):
            near.sums_of_few(*about, few, S, h)
        else:
            near.sums(*about, S, h)


def components(tensors: Array, dtype: str = "f8", beyond: int = 0) -> NDArray[np.floating]:
    """Components xx, yy, zz, yz, xz, xy of symmetric tensors (N, 3, 3), (6, N + ``beyond``)."""
    found = np.zeros((len(_SIX), len(tensors) + beyond), dtype)
    found[:, : len(tensors)] = tensors.reshape(-1, 9).T[_SIX]
    return found


def _closed(medium: AnyMedium) -> tuple[float, float]:
    """A and C of an isotropic medium; a crystal has none."""
    return isotropic_coefficients(medium) if isinstance(medium, Medium) else (0.0, 0.0)


def _left(split: Split, degree: int) -> Array:
    """What the window leaves of D^k R⁻¹, k = 1 … 3, as polynomials in 2R²/cutoff² − 1."""
    if not isinstance(split.medium, Medium):
        return np.zeros((3, degree + 1))
    return np.ascontiguousarray(smooth_part(split.window, split.cutoff, degree)[1:4])


def near_couplings(
    position: Array, gamma: Array, split: Split, *, largest: float
) -> tuple[near.Rows, NearList | NearSums]:
    """Couplings (16) of near defects, whole ones and near parts, and what adds up the latter.

    Parameters
    ----------
    position : array (N, 3)
        Å, sorted by the number of their cell, see :class:`Cells`.
    gamma : array (N, 3, 3)
        eV.
    split : Split
        What is near.
    largest : float
        Bytes up to which they are stored; those of a crystal always are.
    """
    sorted_, cutoff = Cells(split.edges, split.cutoff), split.cutoff
    place, first = sorted_.places(position), sorted_.first(position)
    start = np.empty(len(position) + 1, np.int64)
    cells.count(place, split.edges, cutoff, first, start)
    crystal = not isinstance(split.medium, Medium)
    pairs = start[-1] if crystal or _BYTES_PER_PAIR * start[-1] <= largest else 0
    A, C = _closed(split.medium)
    rows = near.Rows(
        start=start,
        index=np.empty(pairs, np.int32),
        whole=np.empty(pairs, np.float32),
        near=np.empty(pairs, np.float32),
        place=place,
        gamma=components(gamma, "f4", cells.LANES),
        box=split.edges,
        cutoff=cutoff,
        first=first,
        A=np.float32(A),
        C=np.float32(C),
        left=_left(split, near.DEGREE_OF_SINGLES).astype(np.float32),
    )
    if crystal:
        cells.neighbours(place, split.edges, cutoff, first, start, rows.index)
        for U, end in ((rows.whole, 0.0), (rows.near, cutoff)):
            listed = NearList(start, rows.index, U)
            _fill(listed, position, gamma, np.zeros_like(gamma), split, end)
    elif pairs:
        near.fill(rows)
    if crystal or pairs:
        return rows, NearList(start, rows.index, rows.near)
    return rows, NearSums(rows, position, gamma, split)


def near_random_fields(position: Array, gamma: Array, P: Array, split: Split) -> Array:
    """Near parts of the fields (26), (29) of force dipoles P (N, 3, 3) in a crystal, (N,), eV."""
    start, index = _listed(position, Cells(split.edges, split.cutoff), split.cutoff)
    listed = NearList(start, index, np.empty(len(index), np.float32))
    return _fill(listed, position, gamma, P, split, split.cutoff)


def near_sums(rows: near.Rows, position: Array, gamma: Array, split: Split) -> NearList | NearSums:
    """What adds up near parts of fields, of a crystal in a list of the same neighbours."""
    if isinstance(split.medium, Medium):
        return NearSums(rows, position, gamma, split)
    other = NearList(rows.start, rows.index, np.empty_like(rows.near))
    _fill(other, position, gamma, np.zeros_like(gamma), split, split.cutoff)
    return other


def near_fields(
    position: Array,
    frozen: Array,
    P: Array,
    zeta: Array,
    tau: Array,
    split: Split,
) -> tuple[Array, Array, NDArray[np.int64]]:
    """Near parts of the fields on τ in a crystal, and what couplings within the cutoff add up to.

    Parameters
    ----------
    position, P, split
        As in :func:`near_couplings`.
    frozen : array (N, 3, 3)
        γ_j S_j, eV.
    zeta : array (N, 3, 3, 3)
        eV Å, symmetric in the last two indices.
    tau : array (N,)
        ±1.

    Returns
    -------
    array (2, N), array (5, N), array (N,)
        Near parts of b^γ and b^η; that of Σ_j J_ij τ_j, Σ_j |J_ij|, max_j |J_ij|, Σ_j |J_ij| R⁵ and
        Σ_j (J_ij R⁵)²; how many j there are; eV, Å.
    """
    start, index = _listed(position, Cells(split.edges, split.cutoff), split.cutoff)
    tables = ladder_table(split.window), angular_table(split.medium)
    about = position, frozen, P, zeta, tau, split.edges, split.cutoff, *tables, start, index

    def of_rows(first: int, last: int, sums: Array) -> None:
        lists.crystal_fields(first, last, *about, sums[:2], sums[2:])

    parts = in_parts(of_rows, cut(len(position), PARTS), (7, len(position)))
    sums = parts.sum(axis=0)
    sums[4] = parts[:, 4].max(axis=0)
    return sums[:2], sums[2:], np.diff(start)


def pairs_within(
    position: Array, box: Array, cutoff: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Defects i and j (pairs,) that are within a cutoff of each other, in both orders.

    Parameters
    ----------
    position : array (N, 3)
        Å, in any order.
    box : array (3,)
        Edges of the periodic box, Å.
    cutoff : float
        Å, below half of the smallest edge.
    """
    spacing = float(np.prod(box) / len(position)) ** (1 / 3)
    sorted_ = Cells(box, max(cutoff, 2 * spacing))
    order = sorted_.order(position)
    start, index = _listed(position[order], sorted_, cutoff)
    return np.repeat(order, np.diff(start)), order[index]


def _listed(
    position: Array, sorted_: Cells, cutoff: float
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Rows of neighbours: where each starts, and all of them."""
    about = sorted_.places(position), sorted_.box, cutoff, sorted_.first(position)
    start = np.empty(len(position) + 1, np.int64)
    cells.count(*about, start)
    index = np.empty(start[-1], np.int32)
    cells.neighbours(*about, start, index)
    return start, index


def _fill(
    listed: NearList, position: Array, gamma: Array, P: Array, split: Split, cutoff: float
) -> Array:
    """Fill the couplings of a crystal; return fields of P; a ``cutoff`` of 0 is no window."""
    tables = ladder_table(split.window), angular_table(split.medium)
    pairs = position, gamma, P, split.edges, cutoff, *tables, listed.start, listed.index, listed.U
    parts = in_parts(
        lambda first, last, B: lists.crystal(first, last, *pairs, B),
        cut(len(position), PARTS),
        (len(position),),
    )
    return np.asarray(parts.sum(axis=0))

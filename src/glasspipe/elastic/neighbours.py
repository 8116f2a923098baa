"""Near pairs of many defects: who is within the cutoff of whom, and their near couplings."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasspipe.elastic.christoffel import angular_table
from glasspipe.elastic.kelvin import isotropic_coefficients
from glasspipe.elastic.medium import Medium
from glasspipe.elastic.mesh import Split
from glasspipe.elastic.near import symmetric_part
from glasspipe.elastic.window import ladder_table
from glasspipe.kernels import neighbours as kernel

Array = NDArray[np.float64]

CELLS = 2
"""Cells between a defect and the cutoff: more test fewer pairs in vain, but visit more cells."""


@dataclass(frozen=True)
class Cells:
    """Cells of a periodic box, in the order of Morton's curve.

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
    def shape(self) -> tuple[int, ...]:
        """Cells along the axes."""
        return tuple(np.maximum(1, self.box * CELLS // self.cutoff).astype(int).tolist())

    @cached_property
    def place(self) -> NDArray[np.int64]:
        """Places (cells, 3) along the curve."""
        place = np.stack(np.unravel_index(np.arange(np.prod(self.shape)), self.shape), axis=-1)
        return place[np.argsort(_interleaved(place), kind="stable")]

    @cached_property
    def rank(self) -> NDArray[np.int64]:
        """Number along the curve of each place."""
        rank = np.empty(self.shape, np.int64)
        rank[tuple(self.place.T)] = np.arange(len(self.place))
        return rank

    def of(self, position: Array) -> NDArray[np.int64]:
        """Return the number of the cell of each defect."""
        place = (position / self.box * self.shape).astype(np.int64)
        return self.rank[tuple(np.minimum(place, np.array(self.shape) - 1).T)]


def _interleaved(place: NDArray[np.int64]) -> NDArray[np.int64]:
    bits = np.arange(20)
    return ((place[:, :, None] >> bits & 1) << (3 * bits + np.arange(3)[:, None])).sum(axis=(1, 2))


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
        kernel.add_fields(self.start, self.index, self.U, S, h)

    def strongest(self) -> NDArray[np.int64]:
        """Place in the list of each defect's strongest coupling, −1 if it has none."""
        partner = np.empty(len(self.start) - 1, np.int64)
        kernel.strongest(self.start, self.U, partner)
        return partner


def near_couplings(position: Array, gamma: Array, P: Array, split: Split) -> tuple[NearList, Array]:
    """Near parts of the couplings (16) and of the random fields (26), (29).

    Parameters
    ----------
    position : array (N, 3)
        Å, sorted by the number of their cell, see :class:`Cells`.
    gamma : array (N, 3, 3)
        eV.
    P : array (N, 3, 3)
        Force dipoles that S does not change, eV.
    split : Split
        What is near.

    Returns
    -------
    NearList, array (N,)
        Couplings, and near part of B in eV.
    """
    start, index = _listed(position, Cells(split.edges, split.cutoff), split.cutoff)
    near, B = NearList(start, index, np.empty(len(index), np.float32)), np.zeros(len(position))
    _fill(near, position, gamma, P, split, split.cutoff, B)
    return near, B


def near_fields(
    position: Array,
    frozen: Array,
    P: Array,
    zeta: Array,
    tau: Array,
    split: Split,
) -> tuple[Array, Array, NDArray[np.int64]]:
    """Near parts of the fields on τ, and what couplings of τ within the cutoff add up to.

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
    b, J = np.zeros((2, len(position))), np.zeros((5, len(position)))
    about = split.edges, split.cutoff, ladder_table(split.window)
    rows = start, index, b, J
    if isinstance(split.medium, Medium):
        closed, sigma = isotropic_coefficients(split.medium), symmetric_part(zeta)
        kernel.isotropic_fields(position, frozen, P, zeta, sigma, tau, *about, *closed, *rows)
    else:
        angular = angular_table(split.medium)
        kernel.crystal_fields(position, frozen, P, zeta, tau, *about, angular, *rows)
    return b, J, np.diff(start)


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
    cells = Cells(box, max(cutoff, CELLS * spacing))
    order = np.argsort(cells.of(position), kind="stable")
    start, index = _listed(position[order], cells, cutoff)
    return np.repeat(order, np.diff(start)), order[index]


def _listed(
    position: Array, cells: Cells, cutoff: float
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Rows of neighbours: where each starts, and all of them."""
    first = np.searchsorted(cells.of(position), np.arange(len(cells.place) + 1))
    about = position, cells.box, cutoff, cells.place, cells.rank, first, CELLS
    start = np.zeros(len(position) + 1, np.int64)
    kernel.neighbours(*about, start, np.empty(0, np.int32))
    np.cumsum(start, out=start)
    index = np.empty(start[-1], np.int32)
    kernel.neighbours(*about, start, index)
    return start, index


def with_window(
    near: NearList, position: Array, gamma: Array, split: Split, cutoff: float
) -> NearList:
    """Return the same list with couplings of another window; a ``cutoff`` of 0 is none.

    Without a window they are the whole of U_ij, images of j apart.
    """
    other = NearList(near.start, near.index, np.empty_like(near.U))
    nothing = np.zeros_like(gamma)
    _fill(other, position, gamma, nothing, split, cutoff, np.zeros(len(position)))
    return other


def _fill(
    near: NearList,
    position: Array,
    gamma: Array,
    P: Array,
    split: Split,
    cutoff: float,
    B: Array,
) -> None:
    """Fill the couplings and add to B; a ``cutoff`` of 0 is no window."""
    pairs = position, gamma, P, split.edges, cutoff, ladder_table(split.window)
    rows = near.start, near.index, near.U, B
    if isinstance(split.medium, Medium):
        kernel.isotropic(*pairs, *isotropic_coefficients(split.medium), *rows)
    else:
        kernel.crystal(*pairs, angular_table(split.medium), *rows)

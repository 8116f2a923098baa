"""What near pairs add to the mean squares of fields beyond what is to be expected of them.

A near pair makes two large fields, and where defects are few the sample has none or too many. So
the mean square of a field is made of what a pair that is left alone would have, and of the rest:

    ⟨F²⟩ = E[Q] + ⟨F² − Q⟩,   Q_i = Σ_j q(k_i, k_j, r_j − r_i) over the near j.

Q may be any function of the kinds k of two defects and of where they are, for E[Q] needs no more
than that sites are drawn apart from kinds: a defect is at R from another with the probability
1/(sites − 1), whatever they are. Neighbours in the list of defects are any two, and stand for all.
q is the square of the field of j on i in an infinite medium, in the state in which the two would
freeze if they were alone: F² − Q then holds three defects or more, or far ones.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasspipe.defects.lattice import Lattice, half_lattice
from glasspipe.defects.tensors import Tensors
from glasspipe.elastic.greens import green_derivatives
from glasspipe.elastic.neighbours import pairs_within
from glasspipe.elastic.printed import Interaction
from glasspipe.system.parts import parts
from glasspipe.system.system import System
from glasspipe.system.terms import FIELDS, MULTIPOLES, TERMS, Term

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]
Kernels = dict[str, Array]
"""Matrices (places, …, …) between the components of the multipoles of each term."""

_REACH = 5.0
"""Where near ends, in distances of nearest neighbours."""
_NEIGHBOURS = 2.0
"""Mean number of near neighbours at which it ends before: of so many a sample has enough."""
_ROWS = 1000
"""Pairs that stand for all at the distance of nearest neighbours; in proportion R⁻³ beyond."""
_TOGETHER = 20_000
"""Pairs whose fields are made at once."""
_ROUNDING = 1e-9
"""Energies of a pair that differ by less, over the largest, are the same."""
_S = np.array([(1, 1), (1, -1), (-1, 1), (-1, -1)])
"""S of both defects of a pair in each of its states."""


@dataclass(frozen=True)
class Places:
    """Where a near neighbour may be, one of each pair ±R.

    Parameters
    ----------
    mesh : int array (places, 3)
        R on the lattice's mesh.
    elsewhere : array (places,)
        Whether it is on the other sublattice.
    distance : array (places,)
        Å, ascending.
    """

    mesh: Numbers
    elsewhere: NDArray[np.bool_]
    distance: Array


def near_places(lattice: Lattice, defects: int) -> Places:
    """Places within :data:`_REACH`, fewer in small boxes and for many defects."""
    here = next(iter(lattice.sublattices.values()))
    spacing, radius = lattice.spacing, _REACH * lattice.neighbour_distance * (1 + 1e-9)
    seen = [each.seen_from(here) for each in lattice.sublattices.values()]
    mesh = [np.rint(half_lattice(replaced, radius) / spacing).astype(np.int64) for replaced in seen]
    elsewhere = np.repeat([any(each.origin) for each in seen], [len(part) for part in mesh])
    joined = np.concatenate(mesh)
    square = np.sum(joined**2, axis=1)
    order = np.argsort(square, kind="stable")
    square = square[order]
    allowed = _NEIGHBOURS * lattice.sites / max(defects, 1)
    number = 2 * np.searchsorted(square, square, side="right")
    within = (number <= np.maximum(allowed, number[:1])) & (4 * square < lattice.period**2)
    chosen = order[within]
    return Places(joined[chosen], elsewhere[chosen], np.sqrt(square[within]) * spacing)


@dataclass(frozen=True)
class _Kinds:
    """Components of γ and P (rows, 9), and of ζ in each state of S (states, 1, rows, 27)."""

    gamma: Array
    P: Array
    zeta: Array

    @classmethod
    def of(cls, system: System) -> "_Kinds":
        tensors = system.tensors
        states = [z for z in (tensors.zeta, tensors.zeta_minus) if z is not None]
        zeta = np.stack([z.reshape(1, -1, 27) for z in states])
        return cls(tensors.gamma.reshape(-1, 9), tensors.P.reshape(-1, 9), zeta)

    def __getitem__(self, rows: Numbers) -> "_Kinds":
        return _Kinds(self.gamma[rows], self.P[rows], self.zeta[:, :, rows])


def near_excess(
    system: System, site: ArrayLike, sublattice: ArrayLike, lattice: Lattice
) -> dict[str, float]:
    """Mean over the defects of Q less E[Q], eV², of each of :data:`~glasspipe.system.terms.FIELDS`.

    Its own mean over realisations is 0, whatever S are frozen.

    Parameters
    ----------
    system : System
        The defects, with ζ of both states where it depends on S, at random on the sites that they
        may have, and in random order.
    site : int array (N, 3)
        On the lattice's mesh.
    sublattice : int array (N,)
        Number of the sublattice of each; all 0 on a lattice that has one.
    lattice : Lattice
        Lattice and box.
    """
    places = near_places(lattice, len(system))
    if not len(places.mesh):
        return dict.fromkeys(FIELDS, 0.0)
    kinds, R = _Kinds.of(system), places.mesh * lattice.spacing
    kernels = _kernels(system.medium, tuple(map(tuple, R.tolist())))
    found = _of_pairs(kinds, kernels, _pairs(system, np.asarray(site), lattice, places))
    expected = _of_any(kinds, kernels, places, np.asarray(sublattice), lattice)
    return dict(zip(FIELDS, ((found - expected) / len(system)).tolist(), strict=True))


def _of_pairs(kinds: _Kinds, kernels: Kernels, pairs: list[tuple[Numbers, Numbers]]) -> Array:
    """Sum of q over the pairs that there are at each place, (fields,)."""
    total = np.zeros(len(FIELDS))
    for place, (i, j) in enumerate(pairs):
        kernel = {name: each[place : place + 1] for name, each in kernels.items()}
        for start in range(0, len(i), _TOGETHER):
            some = slice(start, start + _TOGETHER)
            total += _squares(kinds[i[some]], kinds[j[some]], kernel).sum(axis=(1, 2))
    return total


def _of_any(
    kinds: _Kinds, kernels: Kernels, places: Places, sublattice: Numbers, lattice: Lattice
) -> Array:
    """The same that is expected: of neighbours in the list, at every place, (fields,)."""
    number, total = len(sublattice), np.zeros(len(FIELDS))
    sites = next(iter(lattice.sublattices.values())).sites
    occupied = number * (number - 1) / np.where(places.elsewhere, sites, sites - 1)
    shells, first = np.unique(places.distance, return_index=True)
    for distance, shell in zip(
        shells, np.split(np.arange(len(places.distance)), first[1:]), strict=True
    ):
        rows = _spread(number, distance / shells[0])
        partner = (rows + 1) % number
        kernel = {name: each[shell] for name, each in kernels.items()}
        squares = _squares(kinds[rows], kinds[partner], kernel)
        apart = sublattice[rows] != sublattice[partner]
        there = apart == places.elsewhere[shell, None]
        total += np.sum(squares * there, axis=2) @ occupied[shell] * 2 / len(rows)
    return total


def _spread(number: int, distance: float) -> Numbers:
    """Defects that stand for all ``number`` at a distance in units of the nearest neighbours'."""
    few = max(1, round(min(number, _ROWS) / distance**3))
    return np.arange(few) * number // few


def _pairs(
    system: System, site: Numbers, lattice: Lattice, places: Places
) -> list[tuple[Numbers, Numbers]]:
    """Defects i that have a neighbour j at ±R, both orders, for each R of the places."""
    cutoff = float(places.distance[-1]) * (1 + 1e-6)
    i, j = pairs_within(system.position, system.box, cutoff)
    half = lattice.period // 2
    apart = (site[j] - site[i] + half) % lattice.period - half
    reach = int(np.abs(places.mesh).max())
    number = np.zeros((2 * reach + 1,) * 3, np.int64)
    for sign in (1, -1):
        number[tuple((sign * places.mesh + reach).T)] = np.arange(len(places.mesh))
    found = number[tuple((apart + reach).T)]
    order = np.argsort(found, kind="stable")
    ends = np.searchsorted(found[order], np.arange(1, len(places.mesh)))
    return list(zip(np.split(i[order], ends), np.split(j[order], ends), strict=True))


@lru_cache(maxsize=4)
def _kernels(medium: Interaction, R: tuple[tuple[float, ...], ...]) -> Kernels:
    """The matrices in an infinite medium, at R (places, 3), Å: couplings of unit tensors."""
    return {name: _kernel(term, np.array(R), medium) for name, term in TERMS.items()}


def _kernel(term: Term, R: Array, medium: Interaction) -> Array:
    signature = term.signature()
    one, two = (_units(MULTIPOLES[name].indices) for name in (term.receiver, term.source))
    total = np.zeros((len(R), len(one), len(two)))
    for part in parts(term.name, one, two, medium, "spherical"):
        tensors = getattr(part.receivers, term.receiver), getattr(part.sources, term.source)
        green = green_derivatives(R, term.order, part.medium)
        made = np.einsum(signature, *tensors, green, optimize=True)
        total += term.sign * part.factor * np.moveaxis(made, -1, 0)
    return total


def _units(indices: int) -> Tensors:
    """Defects that have one component each of γ and P, or of ζ."""
    number = 3**indices
    dipoles, zeta = np.zeros((number, 3, 3)), np.zeros((number, 3, 3, 3))
    (dipoles if indices == 2 else zeta).reshape(number, -1)[:] = np.eye(number)
    return Tensors(dipoles, np.zeros(number), zeta, static=dipoles)


def _squares(one: _Kinds, other: _Kinds, kernel: Kernels) -> Array:
    """Squares of the fields of ``other`` on ``one``, frozen alone, (fields, places, rows)."""
    U = _dot(one.gamma @ kernel["U"], other.gamma)
    B = _dot(one.gamma @ kernel["B"], other.P)
    back = _dot(other.gamma @ kernel["B"], one.P)
    S, S_other = _S.T[:, :, None, None]
    energy = U * S * S_other + B * S + back * S_other
    lowest = energy.min(axis=0) + _ROUNDING * (np.abs(U) + np.abs(B) + np.abs(back))
    weight = np.where(energy <= lowest, 1.0, 0.0)
    weight /= weight.sum(axis=0)
    state, state_other = (_S.T < 0) * (len(one.zeta) - 1)
    of_gamma = _dot(one.zeta @ kernel["U_S_tau"], other.gamma)
    of_P = _dot(one.zeta @ kernel["U_eta_tau"], other.P)
    J = _dot((one.zeta @ kernel["J"])[:, None], other.zeta)
    made = {
        "U": U * S_other,
        "B": B,
        "U_S_tau": of_gamma[state] * S_other,
        "U_eta_tau": of_P[state],
        "J": J[state, state_other],
    }
    fields = (sum(made[name] for name in field.names) for field in FIELDS.values())
    return np.array([np.sum(weight * field**2, axis=0) for field in fields])


def _dot(one: Array, other: Array) -> Array:
    return np.asarray(np.einsum("...c,...c->...", one, other))

"""Exact moments of a field on a lattice: Σ over all sites of powers of the pair field.

The sums converge like Σ R^(2−2p) R² dR, and a sphere cut out of a lattice has a ragged surface. A
smooth cut has none: sites are weighted by w(R) = ½ erfc((R − R_0)/δ), and the rest, 1 − w, varies
so slowly that its sum is its integral up to e^(−(πδ/a)²).
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc, roots_hermite

from glasspipe.defects.lattice import Lattice, half_lattice
from glasspipe.defects.tensors import Tensors
from glasspipe.elastic.greens import periodic_green_derivatives
from glasspipe.elastic.medium import AnyMedium
from glasspipe.elastic.printed import Interaction
from glasspipe.system.parts import Part, parts
from glasspipe.system.terms import FIELDS
from glasspipe.theory.pair_fields import (
    PairField,
    cubic_group,
    sphere,
    sum_parts,
    sum_states,
)

Array = NDArray[np.float64]

_HERMITE = 16
_RADIUS, _WIDTH = 12.0, 2.0
"""The cut of the sums, in distances of nearest neighbours: 10 digits."""
_ANGULAR = 47
"""Degree of the quadrature over directions beyond the cut."""


@dataclass(frozen=True)
class SmoothCut:
    """The weight w(R) = ½ erfc((R − R_0)/δ) of lattice sites, and the continuum beyond.

    ∫(1 − w) f d³R is an average over sharp cuts: Σ_k c_k ∫_{R > R_k} f d³R, with the nodes and
    weights of Gauss and Hermite about R_0.

    Parameters
    ----------
    radius, width : float
        R_0 and δ, Å.
    """

    radius: float
    width: float

    @property
    def reach(self) -> float:
        """Distance beyond which the weight is below 1e-9, Å."""
        return self.radius + 4.3 * self.width

    def weight(self, distance: Array) -> Array:
        """W at distances (…), Å."""
        return erfc((distance - self.radius) / self.width) / 2

    def sharp_cuts(self) -> tuple[Array, Array]:
        """R_k (cuts,), Å, and c_k (cuts,)."""
        node, weight = roots_hermite(_HERMITE)
        return self.radius + self.width * node, weight / sqrt(pi)


@dataclass(frozen=True)
class PowerSums:
    """Sums over the sites R ≠ 0 of products of m_k = ⟨U^k⟩, averages over the source's randomness.

    A site is occupied with probability p, so the cumulants of its field are polynomials in p, and
    those of independent sites add up.

    Parameters
    ----------
    first : float
        Σ m_1, eV.
    second : array (2,)
        Σ m_2 and Σ m_1², eV².
    fourth : array (4,)
        Σ m_4, Σ (4 m_3 m_1 + 3 m_2²), 12 Σ m_2 m_1², 6 Σ m_1⁴, eV⁴.
    """

    first: float
    second: Array
    fourth: Array

    @classmethod
    def over(
        cls,
        values: Array,
        probability: Array,
        weight: Array,
        *,
        signed: bool = False,
        normal: bool = False,
    ) -> "PowerSums":
        """Sums of the fields ``values`` (states, sites) with ``weight`` (sites,).

        If ``signed``, each state also comes with the opposite sign, as often. If ``normal``, the
        field is, with the mean and the variance over the states.
        """
        square = values * values
        m2, m4 = probability @ square, probability @ square**2
        m1, m3 = (
            (probability @ v for v in (values, square * values)) if not signed else (0 * m2,) * 2
        )
        if normal:
            m3, m4 = m1 * (3 * m2 - 2 * m1**2), 3 * m2**2 - 2 * m1**4
        second = [m2, m1**2]
        fourth = [m4, 4 * m3 * m1 + 3 * m2**2, 12 * m2 * m1**2, 6 * m1**4]
        return cls(float(m1 @ weight), np.array(second) @ weight, np.array(fourth) @ weight)

    def __add__(self, other: "PowerSums") -> "PowerSums":
        """Sums over more sites."""
        return PowerSums(
            self.first + other.first, self.second + other.second, self.fourth + other.fourth
        )

    def variance(self, p: float, covariance: float) -> float:
        """Σ (p m_2 − p² m_1²) + c [(Σ m_1)² − Σ m_1²], eV².

        The numbers of defects on two of the sites have the covariance c: −p(1 − p)/(m − 1) for a
        fixed number of defects on m sites.
        """
        variance = self.second @ (p, -p * p) + covariance * (self.first**2 - self.second[1])
        rounding = 1e-12 * p * self.second[0]
        return float(variance) if variance > rounding else 0.0

    def fourth_cumulant(self, p: float) -> float:
        """Σ [p m_4 − p² (4 m_3 m_1 + 3 m_2²) + 12 p³ m_2 m_1² − 6 p⁴ m_1⁴], eV⁴."""
        return float(self.fourth @ (p, -p * p, p**3, -(p**4)))


def infinite_sums(field: PairField, lattice: Lattice) -> PowerSums:
    """Sums over the infinite lattice, conditionally convergent ones over growing spheres.

    Σ m_2 and Σ m_1² are exact to 10 digits (7 for a source of many states): Σ w + n ∫(1 − w), and
    the integral is ∫dΩ ⟨g²⟩ Σ_k c_k R_k^(3−2p)/(2p − 3). Σ m_1 has no such integral, for g has no
    mean over directions; it vanishes in an isotropic medium but not in a crystal.
    """
    unit = lattice.neighbour_distance / (2 if field.many_states or field.normal else 1)
    cut = SmoothCut(_RADIUS * unit, _WIDTH * unit)
    R = half_lattice(lattice, cut.reach)
    weight = 2 * cut.weight(np.sqrt(np.sum(R * R, axis=1)))
    values, probability = field(R), field.weight
    directions, solid = sphere(_ANGULAR)
    angular = field.angular(directions)
    sums = PowerSums.over(values, probability, weight, signed=field.signed, normal=field.normal)
    radii, shares = cut.sharp_cuts()
    radial = shares @ radii ** (3 - 2 * field.power) / (2 * field.power - 3)
    mean = 0.0 if field.signed else solid @ (probability @ angular) ** 2
    tail = [solid @ (probability @ angular**2), mean]
    second = sums.second + 4 * pi * lattice.site_density * radial * np.array(tail)
    negligible = field.symmetric or abs(sums.first) < 1e-9 * sqrt(sums.second[0])
    return PowerSums(0.0 if negligible else sums.first, second, sums.fourth)


def box_sums(
    field: str,
    receivers: Tensors,
    sources: Tensors,
    weight: Array,
    *,
    lattice: Lattice,
    medium: Interaction,
    boundary: str,
    normal: bool = False,
) -> list[PowerSums]:
    """Sums over the sites R ≠ 0 of the box with the box's own kernel, for each receiver.

    f(gR) at a receiver is f(R) at the receiver turned by g⁻¹, with the sources turned too: so the
    kernel is needed at one site of each cubic orbit only.
    """
    row = FIELDS[field]
    states = row.states[:1] if row.signed else row.states
    _, members = _orbits(lattice)

    def green(part: Part) -> Array:
        return _box_green(row.order, lattice, part.medium, part.boundary)

    def kernel(coupling: str, pair: tuple[Tensors, Tensors]) -> Array:
        return sum_parts(coupling, parts(coupling, *pair, medium, boundary), green)

    probability = np.tile(weight, len(states)) / len(states)
    group = cubic_group()
    sums = [PowerSums(0.0, np.zeros(2), np.zeros(4))] * len(receivers)
    for g in group:
        pair = _turned(receivers, g), _turned(sources, g)
        values = sum_states(states, {c: kernel(c, pair) for c in states[0]})
        share = members / len(group)
        turned = [
            PowerSums.over(v, probability, share, signed=row.signed, normal=normal) for v in values
        ]
        sums = [before + more for before, more in zip(sums, turned, strict=True)]
    return sums


@lru_cache(maxsize=8)
def _box_green(order: int, lattice: Lattice, medium: AnyMedium, boundary: str) -> Array:
    """Derivatives of G at one site of each cubic orbit of the box."""
    R, box = _orbits(lattice)[0] * lattice.spacing, [lattice.edge] * 3
    return periodic_green_derivatives(R, order, medium, box, boundary=boundary)


@lru_cache(maxsize=8)
def _orbits(lattice: Lattice) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """One site (orbits, 3) ≠ 0 of each cubic orbit of the box, on the mesh, and their sizes."""
    period = lattice.period
    mesh = lattice.site(np.arange(lattice.sites))
    mesh = mesh[np.any(mesh != 0, axis=1)]
    nearest = (mesh + period // 2) % period - period // 2
    orbit, members = np.unique(np.sort(np.abs(nearest), axis=1), axis=0, return_counts=True)
    return orbit, members


def _turned(kinds: Tensors, g: Array) -> Tensors:
    return replace(kinds, zeta_minus=None).turned(g)

"""Lattices and the periodic box.

Sites are kept as integers on the simple cubic mesh that carries the lattice (spacing a for simple
cubic, a/2 for the others), so that displacements between sites are exact.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

_BASIS = {
    "simple_cubic": (1, [[0, 0, 0]]),
    "bcc": (2, [[0, 0, 0], [1, 1, 1]]),
    "fcc": (2, [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]),
    "rock_salt": (2, np.indices((2, 2, 2)).reshape(3, 8).T.tolist()),
}
_NEIGHBOUR_DISTANCE = {
    "simple_cubic": 1.0,
    "bcc": sqrt(3) / 2,
    "fcc": sqrt(1 / 2),
    "rock_salt": 1 / 2,
}
_SUBLATTICES = {"anion": (1, 0, 0), "cation": (0, 0, 0)}
"""Where the fcc sublattices of rock salt begin, on its mesh."""

LATTICES = tuple(_BASIS)


@dataclass(frozen=True)
class Lattice:
    """Cubic lattice in a periodic cube.

    Parameters
    ----------
    type : {"simple_cubic", "bcc", "fcc", "rock_salt"}
        Bravais lattice, or the two fcc sublattices of rock salt.
    constant : float
        Edge a of the conventional cell, Å.
    size : int
        Conventional cells along an edge of the box.
    origin : three int
        Where its sites begin on the mesh.
    """

    type: str
    constant: float
    size: int
    origin: tuple[int, int, int] = (0, 0, 0)

    def __post_init__(self) -> None:
        """Refuse a lattice that there is not."""
        if self.type not in LATTICES:
            raise ValueError(f"type is {self.type!r}; allowed are {', '.join(LATTICES)}")

    @property
    def mesh_per_cell(self) -> int:
        """Mesh points along a conventional cell: 1 (simple cubic) or 2."""
        return _BASIS[self.type][0]

    @property
    def basis(self) -> NDArray[np.int64]:
        """Sites of the conventional cell on the mesh, (sites per cell, 3)."""
        return np.array(_BASIS[self.type][1], dtype=np.int64) + self.origin

    @property
    def spacing(self) -> float:
        """Mesh spacing, Å."""
        return self.constant / self.mesh_per_cell

    @property
    def edge(self) -> float:
        """Edge L of the box, Å."""
        return self.constant * self.size

    @property
    def period(self) -> int:
        """Edge of the box on the mesh."""
        return self.mesh_per_cell * self.size

    @property
    def sites(self) -> int:
        """Number of sites in the box."""
        return len(self.basis) * self.size**3

    @property
    def others(self) -> int:
        """Number of sites R ≠ 0."""
        return self.sites - (not any(self.origin))

    @property
    def site_density(self) -> float:
        """Sites per volume, Å⁻³."""
        return len(self.basis) / self.constant**3

    @property
    def neighbour_distance(self) -> float:
        """Distance of nearest neighbours, Å."""
        return self.constant * _NEIGHBOUR_DISTANCE[self.type]

    @property
    def sublattices(self) -> dict[str, "Lattice"]:
        """The sites that a component may have, by its sublattice; by "" where all have all."""
        if self.type != "rock_salt":
            return {"": self}
        return {
            name: replace(self, type="fcc", origin=origin) for name, origin in _SUBLATTICES.items()
        }

    def seen_from(self, other: "Lattice") -> "Lattice":
        """The displacements of its sites from a site of another lattice on the same mesh."""
        x, y, z = (
            (a - b) % self.mesh_per_cell for a, b in zip(self.origin, other.origin, strict=True)
        )
        return replace(self, origin=(x, y, z))

    @property
    def coupling_volume(self) -> float:
        """The a³ of U_0 = γ_0²/(4πρc_l²a³), Å³, a being the distance of nearest neighbours.

        In rock salt a is such that x U_0 is what it is on one of its fcc sublattices with as many
        defects in a volume: 1/a³ is the density of sites over √2 on either.
        """
        if self.type == "rock_salt":
            return sqrt(2) / self.site_density
        return self.neighbour_distance**3

    def defects(self, concentration: float) -> int:
        """Return the number of defects in the box, N = round(x · sites)."""
        return round(concentration * self.sites)

    def site(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        """Mesh coordinates (…, 3) of the sites numbered ``index`` (…), 0 ≤ index < sites."""
        cell, member = np.divmod(index, len(self.basis))
        corner = np.stack(np.unravel_index(cell, (self.size,) * 3), axis=-1)
        mesh = corner * self.mesh_per_cell + self.basis[member]
        return mesh % self.period


def smallest_size(type_: str, concentration: float, number: int) -> int:
    """Return the cells along the edge of the smallest box with at least ``number`` defects."""
    per_cell = len(_BASIS[type_][1])
    size = max(1, ceil(((number - 0.5) / (concentration * per_cell)) ** (1 / 3)) - 1)
    while round(concentration * per_cell * size**3) < number:
        size += 1
    return size


@lru_cache(maxsize=16)
def half_lattice(lattice: Lattice, radius: float) -> NDArray[np.float64]:
    """Sites R ≠ 0 of a lattice within ``radius``, one of each pair ±R, (sites, 3), Å."""
    reach = ceil(radius / lattice.constant) + 1
    cells = np.array(list(product(range(-reach, reach + 1), repeat=3)))
    mesh = cells[:, None, :] * lattice.mesh_per_cell + lattice.basis
    R = mesh.reshape(-1, 3) * lattice.spacing
    positive = 1e-10 * lattice.spacing < R @ (1.0, 1e-4, 1e-8)
    return R[positive & (np.sum(R * R, axis=1) <= radius**2)]

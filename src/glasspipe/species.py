"""What a defect is: from the axes of its states to the tensors γ, η, ζ.

A defect has a few equivalent states. The species says which tensors belong to a state; the set of
axes says which states a crystal allows. An axis d and its opposite −d are one state of the strain
coupling (the inversion is what τ = ±1 stands for), so each pair is listed once.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SPECIES = ("aligned", "uniaxial", "rotor")

AXES: dict[str, Array] = {
    "100": np.eye(3),
    "110": np.array(
        [[1, 1, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1], [0, 1, 1], [0, 1, -1]],
    )
    / np.sqrt(2),
    "111": np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3),
}


@dataclass(frozen=True)
class Variants:
    """Tensors of defects, or of the equally probable kinds of defect.

    Parameters
    ----------
    gamma : array (kinds, 3, 3)
        Strain coupling γ of S, eV, symmetric.
    eta : array (kinds,)
        Volume coupling η, eV.
    zeta : array (kinds, 3, 3, 3)
        Strain-gradient coupling ζ of τ, eV Å, symmetric in its last two indices; for rotors that
        of the state S = +1.
    zeta_minus : array (kinds, 3, 3, 3) or None
        For rotors ζ of the state S = −1.
    """

    gamma: Array
    eta: Array
    zeta: Array
    zeta_minus: Array | None = None

    def __len__(self) -> int:
        """Return the number of kinds."""
        return len(self.gamma)

    def __getitem__(self, index: NDArray[np.int64]) -> "Variants":
        """Return the kinds numbered ``index``."""
        minus = None if self.zeta_minus is None else self.zeta_minus[index]
        return Variants(self.gamma[index], self.eta[index], self.zeta[index], minus)


def _dyad(d: Array) -> Array:
    return np.einsum("ka,kb->kab", d, d)


def _triad(d: Array) -> Array:
    return np.einsum("ka,kb,kc->kabc", d, d, d)


def of_axes(first: Array, second: Array | None, gamma: float, eta: float, zeta: float) -> Variants:
    """Defects along given axes.

    γ = γ_0 d dᵀ and ζ = ζ_0 d d d; with a second axis (rotors) γ = γ_0 (d₁d₁ − d₂d₂)/2, and ζ is
    that of d₁ for S = +1 and of d₂ for S = −1.

    Parameters
    ----------
    first, second : array (kinds, 3)
        Unit vectors d₁ = d and, for rotors, d₂.
    gamma, eta, zeta : float
        γ_0 and η in eV, ζ_0 in eV Å.
    """
    volume = np.full(len(first), float(eta))
    if second is None:
        return Variants(gamma * _dyad(first), volume, zeta * _triad(first))
    dipole = gamma * (_dyad(first) - _dyad(second)) / 2
    return Variants(dipole, volume, zeta * _triad(first), zeta * _triad(second))


def kinds(species: str, axes: str, gamma: float, eta: float, zeta: float) -> Variants:
    """The kinds of defect of a species, equally probable.

    Raises
    ------
    ValueError
        If the species has infinitely many kinds (isotropic axes) or is unknown.
    """
    if species == "aligned":
        return of_axes(np.array([[0.0, 0.0, 1.0]]), None, gamma, eta, zeta)
    if axes not in AXES:
        raise ValueError(f"axes {axes!r} have no finite set of kinds; {', '.join(AXES)} have")
    d = AXES[axes]
    if species == "uniaxial":
        return of_axes(d, None, gamma, eta, zeta)
    if species != "rotor":
        raise ValueError(f"species is {species!r}; allowed are {', '.join(SPECIES)}")
    ordered = [(i, j) for pair in combinations(range(len(d)), 2) for i, j in (pair, pair[::-1])]
    i, j = np.array(ordered).T
    return of_axes(d[i], d[j], gamma, eta, zeta)


def draw(
    rng: np.random.Generator,
    number: int,
    *,
    species: str,
    axes: str,
    gamma: float,
    eta: float,
    zeta: float,
) -> Variants:
    """Draw ``number`` defects of a species.

    Raises
    ------
    ValueError
        As :func:`kinds`, but isotropic axes are allowed for uniaxial defects.
    """
    if species == "uniaxial" and axes == "isotropic":
        d = rng.standard_normal((number, 3))
        return of_axes(d / np.linalg.norm(d, axis=1)[:, None], None, gamma, eta, zeta)
    all_kinds = kinds(species, axes, gamma, eta, zeta)
    return all_kinds[rng.integers(len(all_kinds), size=number)]

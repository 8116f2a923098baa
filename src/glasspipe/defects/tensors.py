"""The tensors of defects, γ, η, ζ: made of axes or of normal variates, scaled, turned and joined.

An axis d and its opposite −d are one state of the strain coupling: the inversion is what τ = ±1
stands for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasspipe.defects.dipoles import static_dipoles

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Tensors:
    """Tensors of defects, or of the kinds of defect.

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
    static : array (kinds, 3, 3) or None
        Force dipole that S does not change, beside η δ, eV, symmetric; None: there is none.
    """

    gamma: Array
    eta: Array
    zeta: Array
    zeta_minus: Array | None = None
    static: Array | None = None

    @property
    def P(self) -> Array:
        """All of the force dipole that S does not change (kinds, 3, 3), eV."""
        return static_dipoles(self.eta, self.static)

    def __len__(self) -> int:
        """Return the number of kinds."""
        return len(self.gamma)

    def __getitem__(self, index: Numbers | slice) -> "Tensors":
        """Return the kinds numbered ``index``."""
        minus = None if self.zeta_minus is None else self.zeta_minus[index]
        static = None if self.static is None else self.static[index]
        return Tensors(self.gamma[index], self.eta[index], self.zeta[index], minus, static)

    def scaled(self, gamma: ArrayLike, eta: ArrayLike, zeta: ArrayLike) -> "Tensors":
        """Multiply γ, η and ζ with numbers, or with one for each kind (kinds,); static as γ."""
        gamma, eta, zeta = (np.asarray(strength, dtype=float) for strength in (gamma, eta, zeta))
        on_zeta = zeta[..., None, None, None]
        minus = None if self.zeta_minus is None else on_zeta * self.zeta_minus
        on_gamma = gamma[..., None, None]
        static = None if self.static is None else on_gamma * self.static
        return Tensors(on_gamma * self.gamma, eta * self.eta, on_zeta * self.zeta, minus, static)

    def turned(self, rotation: Array) -> "Tensors":
        """Turn the tensors of each kind by its own matrix (kinds, 3, 3), or all by one (3, 3)."""
        r = np.broadcast_to(rotation, (len(self), 3, 3))
        minus = None if self.zeta_minus is None else _turn(r, self.zeta_minus)
        static = None if self.static is None else _turn_dipole(r, self.static)
        gamma = _turn_dipole(r, self.gamma)
        return Tensors(gamma, self.eta, _turn(r, self.zeta), minus, static)


def joined(parts: Sequence[Tensors]) -> Tensors:
    """All the kinds of several; ζ of S = −1 is left out."""
    names = ("gamma", "eta", "zeta")
    gamma, eta, zeta = (np.concatenate([getattr(p, name) for p in parts]) for name in names)
    if all(part.static is None for part in parts):
        return Tensors(gamma, eta, zeta)
    static = [np.zeros_like(p.gamma) if p.static is None else p.static for p in parts]
    return Tensors(gamma, eta, zeta, static=np.concatenate(static))


def stacked(parts: Sequence[Tensors]) -> Tensors:
    """All the defects of several realisations, which have the same tensors."""

    def of_all(name: str) -> Array | None:
        found = [getattr(part, name) for part in parts]
        return None if found[0] is None else np.concatenate(found)

    return Tensors(*(of_all(field.name) for field in fields(Tensors)))  # type: ignore[arg-type]


def _turn_dipole(rotation: Array, dipole: Array) -> Array:
    return np.einsum("kai,kbj,kij->kab", rotation, rotation, dipole)


def _turn(rotation: Array, zeta: Array) -> Array:
    return np.einsum("kai,kbj,kcl,kijl->kabc", *[rotation] * 3, zeta, optimize=True)


def _dyad(d: Array) -> Array:
    return np.einsum("ka,kb->kab", d, d)


def _triad(d: Array) -> Array:
    return np.einsum("ka,kb,kc->kabc", d, d, d)


def of_axes(first: Array, second: Array | None = None, *, static: bool = False) -> Tensors:
    """Defects along given axes, for γ_0 = η = 1 eV and ζ_0 = 1 eV Å.

    γ = γ_0 d dᵀ and ζ = ζ_0 d d d; with a second axis (rotors) γ = γ_0 (d₁d₁ − d₂d₂)/2, and ζ is
    that of d₁ for S = +1 and of d₂ for S = −1.

    Parameters
    ----------
    first, second : array (kinds, 3)
        Unit vectors d₁ = d and, for rotors, d₂.
    static : bool
        Whether rotors have what γ leaves out of the force dipoles d₁d₁ and d₂d₂ of their states,
        their mean γ_0 (d₁d₁ + d₂d₂)/2.
    """
    if second is None:
        return Tensors(_dyad(first), np.ones(len(first)), _triad(first))
    plus, minus = _dyad(first), _dyad(second)
    mean = (plus + minus) / 2 if static else None
    return Tensors(
        (plus - minus) / 2, np.ones(len(first)), _triad(first), _triad(second), static=mean
    )


def of_normals(normal: Array) -> Tensors:
    """Gaussian tensors from normal variates (kinds, 36), for γ_0 = η = 1 eV and ζ_0 = 1 eV Å.

    Independent components, symmetrised: no direction is preferred. ⟨γ:γ⟩ = γ_0² and ⟨ζ⋮ζ⟩ = ζ_0²,
    as for d d and d d d.
    """
    gamma = normal[:, :9].reshape(-1, 3, 3) / np.sqrt(6)
    zeta = normal[:, 9:].reshape(-1, 3, 3, 3) / np.sqrt(18)
    gamma = (gamma + gamma.transpose(0, 2, 1)) / 2
    return Tensors(gamma, np.ones(len(normal)), (zeta + zeta.transpose(0, 1, 3, 2)) / 2)


def frozen_zeta(zeta: Array, zeta_minus: Array | None, S: ArrayLike) -> Array:
    """ζ of the frozen state: ``zeta`` where S = +1, ``zeta_minus`` (rotors) where S = −1.

    Parameters
    ----------
    zeta, zeta_minus : array (N, 3, 3, 3)
        eV Å.
    S : array (N,)
        ±1.
    """
    if zeta_minus is None:
        return zeta
    return np.where((np.asarray(S) > 0)[:, None, None, None], zeta, zeta_minus)


def rotations(vector: Array) -> Array:
    """Matrices (n, 3, 3) that turn about ``vector`` (n, 3) by its length in radians."""
    angle = np.linalg.norm(vector, axis=1)[:, None, None]
    x, y, z = (vector / np.where(angle > 0, angle, 1.0)[:, :, 0]).T
    zero = np.zeros_like(x)
    cross = np.array([[zero, -z, y], [z, zero, -x], [-y, x, zero]]).transpose(2, 0, 1)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)


def norms(tensor: NDArray[np.float64]) -> Array:
    """Return the norm of each defect's tensor (N, …), or the modulus of its number, (N,)."""
    return np.asarray(np.sqrt(np.sum(tensor.reshape(len(tensor), -1) ** 2, axis=1)))

"""What a defect is: from the axes of its states to the tensors γ, η, ζ.

A defect has a few equivalent states. The species says which tensors belong to a state; the set of
axes says which states a crystal allows. An axis d and its opposite −d are one state of the strain
coupling (the inversion is what τ = ±1 stands for), so each pair is listed once. Around a defect the
crystal may be distorted, which turns its local frame, and several components may be mixed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasspipe.defects.component import Component
from glasspipe.defects.dipoles import static_dipoles
from glasspipe.defects.distribution import draw as draw_strength

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

_SCALARS = ("D", "Delta", "E", "epsilon")

SPECIES = ("aligned", "uniaxial", "rotor", "gaussian")

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

    def __getitem__(self, index: Numbers | slice) -> "Variants":
        """Return the kinds numbered ``index``."""
        minus = None if self.zeta_minus is None else self.zeta_minus[index]
        static = None if self.static is None else self.static[index]
        return Variants(self.gamma[index], self.eta[index], self.zeta[index], minus, static)

    def scaled(self, gamma: ArrayLike, eta: ArrayLike, zeta: ArrayLike) -> "Variants":
        """Multiply γ, η and ζ with numbers, or with one for each kind (kinds,); static as γ."""
        gamma, eta, zeta = (np.asarray(strength, dtype=float) for strength in (gamma, eta, zeta))
        on_zeta = zeta[..., None, None, None]
        minus = None if self.zeta_minus is None else on_zeta * self.zeta_minus
        on_gamma = gamma[..., None, None]
        static = None if self.static is None else on_gamma * self.static
        return Variants(on_gamma * self.gamma, eta * self.eta, on_zeta * self.zeta, minus, static)

    def turned(self, rotation: Array) -> "Variants":
        """Turn the tensors of each kind by its own matrix (kinds, 3, 3), or all by one (3, 3)."""
        r = np.broadcast_to(rotation, (len(self), 3, 3))
        minus = None if self.zeta_minus is None else _turn(r, self.zeta_minus)
        static = None if self.static is None else _turn_dipole(r, self.static)
        gamma = _turn_dipole(r, self.gamma)
        return Variants(gamma, self.eta, _turn(r, self.zeta), minus, static)


@dataclass(frozen=True)
class Defects:
    """The defects of one realisation.

    Parameters
    ----------
    component : array (N,)
        The number of each one's component.
    tensors : Variants
        γ, η, ζ, and static dipoles where some component has them.
    D, Delta : array (N,)
        Tunnelling amplitudes of S and τ, eV.
    E, epsilon : array (N,)
        Stray fields on S and τ, eV.
    """

    component: Numbers
    tensors: Variants
    D: Array
    Delta: Array
    E: Array
    epsilon: Array


def joined(parts: Sequence[Variants]) -> Variants:
    """All the kinds of several; ζ of S = −1 is left out."""
    names = ("gamma", "eta", "zeta")
    gamma, eta, zeta = (np.concatenate([getattr(p, name) for p in parts]) for name in names)
    if all(part.static is None for part in parts):
        return Variants(gamma, eta, zeta)
    static = [np.zeros_like(p.gamma) if p.static is None else p.static for p in parts]
    return Variants(gamma, eta, zeta, static=np.concatenate(static))


def _turn_dipole(rotation: Array, dipole: Array) -> Array:
    return np.einsum("kai,kbj,kij->kab", rotation, rotation, dipole)


def _turn(rotation: Array, zeta: Array) -> Array:
    return np.einsum("kai,kbj,kcl,kijl->kabc", *[rotation] * 3, zeta, optimize=True)


def _dyad(d: Array) -> Array:
    return np.einsum("ka,kb->kab", d, d)


def _triad(d: Array) -> Array:
    return np.einsum("ka,kb,kc->kabc", d, d, d)


def of_axes(first: Array, second: Array | None = None, *, static: bool = False) -> Variants:
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
        return Variants(_dyad(first), np.ones(len(first)), _triad(first))
    plus, minus = _dyad(first), _dyad(second)
    mean = (plus + minus) / 2 if static else None
    return Variants(
        (plus - minus) / 2, np.ones(len(first)), _triad(first), _triad(second), static=mean
    )


def of_normals(normal: Array) -> Variants:
    """Gaussian tensors from normal variates (kinds, 36), for γ_0 = η = 1 eV and ζ_0 = 1 eV Å.

    Independent components, symmetrised: no direction is preferred. ⟨γ:γ⟩ = γ_0² and ⟨ζ⋮ζ⟩ = ζ_0²,
    as for d d and d d d.
    """
    gamma = normal[:, :9].reshape(-1, 3, 3) / np.sqrt(6)
    zeta = normal[:, 9:].reshape(-1, 3, 3, 3) / np.sqrt(18)
    gamma = (gamma + gamma.transpose(0, 2, 1)) / 2
    return Variants(gamma, np.ones(len(normal)), (zeta + zeta.transpose(0, 1, 3, 2)) / 2)


def unit_kinds(species: str, axes: str, *, static_dipole: str = "none") -> Variants:
    """The kinds of defect of a species, equally probable, for γ_0 = η = 1 eV and ζ_0 = 1 eV Å.

    Rotors with the static dipole "mean" have that of :func:`of_axes`.

    Raises
    ------
    ValueError
        If the species has infinitely many kinds (isotropic axes, gaussian) or is unknown.
    """
    if species not in SPECIES:
        raise ValueError(f"species is {species!r}; allowed are {', '.join(SPECIES)}")
    if species == "aligned":
        return of_axes(np.array([[0.0, 0.0, 1.0]]))
    if species == "gaussian":
        raise ValueError("species gaussian has no finite set of kinds")
    if axes not in AXES:
        raise ValueError(f"axes {axes!r} have no finite set of kinds; {', '.join(AXES)} have")
    d = AXES[axes]
    if species == "uniaxial":
        return of_axes(d)
    ordered = [(i, j) for pair in combinations(range(len(d)), 2) for i, j in (pair, pair[::-1])]
    i, j = np.array(ordered).T
    return of_axes(d[i], d[j], static=static_dipole == "mean")


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


def draw(rng: np.random.Generator, number: int, components: tuple[Component, ...]) -> Defects:
    """Draw ``number`` defects of a mixture.

    Components, states, frames and strengths have streams of their own, so that none changes when
    another is spread more widely.

    Raises
    ------
    ValueError
        As :func:`unit_kinds`, but isotropic axes are allowed for uniaxial defects.
    """
    label_rng, *streams = rng.spawn(1 + len(components))
    shares = np.array([component.share for component in components])
    label = label_rng.choice(len(components), size=number, p=shares / shares.sum())
    rotor = any(component.species == "rotor" for component in components)
    static = any(component.static_dipole != "none" for component in components)
    tensors = Variants(
        np.empty((number, 3, 3)),
        np.empty(number),
        np.empty((number, 3, 3, 3)),
        np.empty((number, 3, 3, 3)) if rotor else None,
        np.zeros((number, 3, 3)) if static else None,
    )
    drawn = Defects(label, tensors, *np.empty((len(_SCALARS), number)))
    for index, (component, stream) in enumerate(zip(components, streams, strict=True)):
        _draw_component(stream, np.flatnonzero(label == index), component, drawn)
    return drawn


def _draw_component(
    rng: np.random.Generator, mine: Numbers, component: Component, drawn: Defects
) -> None:
    """Fill the defects numbered ``mine`` with draws of one component."""
    states, frames, strengths = rng.spawn(3)
    names = ("gamma", "eta", "zeta", *_SCALARS)  # a new one goes last, or the others' draws change
    u = dict(zip(names, strengths.random((len(names), len(mine))), strict=True))
    values = {name: draw_strength(getattr(component, name), u[name]) for name in u}
    for name in _SCALARS:
        getattr(drawn, name)[mine] = values[name]
    made = _draw_states(states, len(mine), component)
    if component.frame_spread > 0:
        axis = frames.standard_normal((len(mine), 3))
        axis /= np.linalg.norm(axis, axis=1)[:, None]
        angle = np.radians(component.frame_spread) * frames.standard_normal(len(mine))
        made = made.turned(rotations(axis * angle[:, None]))
    made = made.scaled(values["gamma"], values["eta"], values["zeta"])
    drawn.tensors.gamma[mine], drawn.tensors.eta[mine] = made.gamma, made.eta
    drawn.tensors.zeta[mine] = made.zeta
    if drawn.tensors.zeta_minus is not None:
        drawn.tensors.zeta_minus[mine] = made.zeta if made.zeta_minus is None else made.zeta_minus
    if drawn.tensors.static is not None and made.static is not None:
        drawn.tensors.static[mine] = made.static


def _draw_states(rng: np.random.Generator, number: int, component: Component) -> Variants:
    if component.species == "gaussian":
        return of_normals(rng.standard_normal((number, 36)))
    if component.axis_is_random:
        d = rng.standard_normal((number, 3))
        return of_axes(d / np.linalg.norm(d, axis=1)[:, None])
    kinds = unit_kinds(component.species, component.axes, static_dipole=component.static_dipole)
    return kinds[rng.integers(len(kinds), size=number)]

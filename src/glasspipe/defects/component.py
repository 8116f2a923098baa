"""One component of the defects: what a study says of it, before anything is drawn."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import floor, inf
from typing import Any

from glasspipe.defects.distribution import Distribution, Strength
from glasspipe.defects.species import SPECIES, Continuum, Species

_STRENGTHS = ("gamma", "eta", "zeta", "D", "Delta", "E", "epsilon")


@dataclass(frozen=True)
class Component:
    """Defects of one sort: a species, its strengths, and its share of the defects.

    Parameters
    ----------
    species : str
        What the tensors are made of, of :data:`glasspipe.defects.species.SPECIES`.
    axes : {"100", "110", "111", "isotropic"}
        The set of axes d, for species that draw them.
    gamma, eta, zeta : float or Distribution
        γ_0 and η in eV, ζ_0 in eV Å.
    D, Delta : float or Distribution
        Tunnelling amplitudes D of S and Δ of τ, eV.
    E, epsilon : float or Distribution
        Stray fields E on S and ε on τ, eV.
    frame_spread : float
        Standard deviation, in degrees, of the angle by which local frames are turned about random
        axes.
    static_dipole : {"none", "mean"}
        What S does not change of the force dipole, beside η: of rotors the mean of both states.
    share : float
        Probability that a defect is of this component, or the fraction that is.
    sublattice : {"anion", "cation"}
        Where it sits in rock salt.
    """

    species: str
    axes: str
    gamma: Strength
    eta: Strength
    zeta: Strength
    D: Strength = 0.0
    Delta: Strength = 0.0
    E: Strength = 0.0
    epsilon: Strength = 0.0
    frame_spread: float = 0.0
    share: float = 1.0
    sublattice: str = "anion"
    static_dipole: str = "none"

    @property
    def kind(self) -> Species:
        """What defects of its species are."""
        return SPECIES[self.species]

    @property
    def continuum(self) -> Continuum | None:
        """What makes its kinds, if they are infinitely many; all directions are alike then."""
        return self.kind.continuum(self.axes)

    @property
    def axis_is_random(self) -> bool:
        """Whether its kinds differ in a direction alone, which may be any."""
        return self.continuum is not None and self.continuum.variates == "direction"

    @property
    def tensors_are_normal(self) -> bool:
        """Whether its tensors are made of normal variates, and differ in more than a rotation."""
        return self.continuum is not None and self.continuum.variates == "normal"

    @property
    def has_S(self) -> bool:
        """Whether something acts on its S: γ, or a stray field E."""
        return self.gamma != 0 or self.E != 0

    @property
    def has_tau(self) -> bool:
        """Whether something acts on its τ: ζ, or a stray field ε."""
        return self.zeta != 0 or self.epsilon != 0

    def differs_in(self, strengths: Iterable[str] = ("gamma", "eta", "zeta")) -> bool:
        """Whether one of these strengths differs from defect to defect; those of its tensors."""
        return any(isinstance(getattr(self, name), Distribution) for name in strengths)


def components_from(defects: Mapping[str, Any]) -> tuple[Component, ...]:
    """Components of a config's section ``defects``: one, or those of the mixture.

    What a component of the mixture leaves out is that of the section. They are in the order of
    their names, for that in which a config lists them makes no other study.

    Raises
    ------
    ValueError
        If a strength or a set of axes is not allowed; the message begins with its key.
    """
    if defects["mixture"] == "none":
        return (_component(defects, "defects"),)
    return tuple(
        _component({**defects, **given}, f"defects.mixture.{name}")
        for name, given in sorted(defects["mixture"].items())
    )


def exact_numbers(number: int, components: tuple[Component, ...]) -> tuple[int, ...]:
    """Return how many of ``number`` defects are of each component: its share of them, rounded.

    Numbers are rounded down, and the defects that are left go to the components with the largest
    remainders, of equal ones to the first.
    """
    total = sum(component.share for component in components)
    wanted = [number * (component.share / total) for component in components]
    found = [floor(each) for each in wanted]
    by_remainder = sorted(range(len(found)), key=lambda k: round(found[k] - wanted[k], 9))
    for k in by_remainder[: number - sum(found)]:
        found[k] += 1
    return tuple(found)


def _component(given: Mapping[str, Any], key: str) -> Component:
    strengths: dict[str, Any] = {  # the part of a point does not name those that are off
        name: _strength(given[name], f"{key}.{name}") for name in _STRENGTHS if name in given
    }
    others = {name: given[name] for name in ("species", "axes", "frame_spread", "sublattice")}
    others["static_dipole"] = given.get("static_dipole", "none")
    kind = SPECIES[others["species"]]
    if others["static_dipole"] != "none" and not kind.static_dipole:
        have = " or ".join(name for name, other in SPECIES.items() if other.static_dipole)
        raise ValueError(
            f"{key}.static_dipole: found {others['static_dipole']} with species"
            f" {others['species']}; allowed: none, or species {have}"
        )
    if kind.axes and others["axes"] not in kind.axes:
        sets = ", ".join(f'"{name}"' for name in kind.axes)
        raise ValueError(
            f"{key}.axes: found {others['axes']} with species {others['species']}, which turns"
            f" between axes of a set; allowed: {sets}"
        )
    return Component(**others, **strengths, share=given.get("share", 1.0))


def _strength(value: float | Mapping[str, Any], key: str) -> Strength:
    strength = _distribution(value, key) if isinstance(value, Mapping) else value
    smallest = strength.smallest if isinstance(strength, Distribution) else strength
    if key.endswith((".D", ".Delta")) and smallest < 0:
        raise ValueError(f"{key}: found values down to {smallest:.6g}; allowed: not negative (eV)")
    return strength


def _distribution(value: Mapping[str, Any], key: str) -> Distribution:
    parameters = sorted((str(name), number) for name, number in value["parameters"].items())
    try:
        found = Distribution(value["distribution"], tuple(parameters))
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None
    if not 0 < found.variance < inf:
        raise ValueError(
            f"{key}: found {found.name} with the variance {found.variance};"
            " allowed: a distribution whose variance is finite, and a number for one of none"
        )
    return found

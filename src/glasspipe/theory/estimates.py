"""The paper's estimates of energies, to which measured ones are compared."""

from collections.abc import Sequence
from math import pi

import numpy as np

from glasspipe.defects.component import Component
from glasspipe.defects.distribution import nodes
from glasspipe.defects.lattice import Lattice
from glasspipe.elastic.medium import AnyMedium

_STRENGTHS = 4, 2


def energy_scale(components: Sequence[Component], medium: AnyMedium, lattice: Lattice) -> float:
    """Return U_0 = ⟨γ_0²⟩/(4πρc_l²a³) in eV, a³ being the coupling volume of the lattice (17).

    Parameters
    ----------
    components : sequence of Component
        The average is over the mixture and what its strengths are drawn from.
    medium : IsotropicMedium or CubicMedium
        A cubic one stands for its isotropic average.
    lattice : Lattice
        Its sites.
    """
    return mean_strength(components, "gamma", power=2) * _per_square(medium, lattice)


def field_scale(components: Sequence[Component], medium: AnyMedium, lattice: Lattice) -> float:
    """Return ⟨|γ_0|⟩⟨|η|⟩/(4πρc_l²a³) in eV: the paper's B_0 is x times it, its B̄ √x (after (29)).

    Parameters are those of :func:`energy_scale`.
    """
    strengths = mean_strength(components, "gamma") * mean_strength(components, "eta")
    return strengths * _per_square(medium, lattice)


def mean_strength(components: Sequence[Component], name: str, *, power: int = 1) -> float:
    """Return the mean of a power of the modulus of a strength over the mixture.

    Parameters
    ----------
    components : sequence of Component
        The mixture.
    name : str
        Of the strength: gamma, eta, D, Delta (eV) or zeta (eV Å).
    power : int
        Of the modulus.
    """
    total = 0.0
    for component in components:
        value, weight = nodes(getattr(component, name), *_STRENGTHS)
        total += component.share * float(weight @ np.abs(value) ** power)
    return total


def _per_square(medium: AnyMedium, lattice: Lattice) -> float:
    return 1 / (4 * pi * medium.hill_average.longitudinal_modulus * lattice.coupling_volume)

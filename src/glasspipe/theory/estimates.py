"""The paper's estimates of energies, to which measured ones are compared."""

from collections.abc import Sequence
from math import pi

import numpy as np

from glasspipe.defects.component import Component
from glasspipe.defects.distribution import nodes
from glasspipe.defects.lattice import Lattice
from glasspipe.elastic.medium import AnyMedium, CubicMedium

_STRENGTHS = 6


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
    isotropic = medium.hill_average if isinstance(medium, CubicMedium) else medium
    square = 0.0
    for component in components:
        gamma, weight = nodes(component.gamma, _STRENGTHS)
        square += component.share * float(weight @ np.square(gamma))
    return square / (4 * pi * isotropic.longitudinal_modulus * lattice.coupling_volume)

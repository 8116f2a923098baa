"""One component of the defects: what a study says of it, before anything is drawn."""

from dataclasses import dataclass

from glasspipe.distribution import Strength


@dataclass(frozen=True)
class Component:
    """Defects of one sort: a species, its strengths, and its share of the defects.

    Parameters
    ----------
    species : {"aligned", "uniaxial", "rotor", "gaussian"}
        What the tensors are made of, see :func:`glasspipe.species.unit_kinds`.
    axes : {"100", "110", "111", "isotropic"}
        The set of axes d; aligned and gaussian defects have none.
    gamma, eta, zeta : float or Distribution
        γ_0 and η in eV, ζ_0 in eV Å.
    D, Delta : float or Distribution
        Tunnelling amplitudes D of S and Δ of τ, eV.
    frame_spread : float
        Standard deviation, in degrees, of the angle by which local frames are turned about random
        axes.
    share : float
        Probability that a defect is of this component.
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
    frame_spread: float = 0.0
    share: float = 1.0
    sublattice: str = "anion"

    @property
    def axis_is_random(self) -> bool:
        """Whether there is one axis, of any direction."""
        return self.species == "uniaxial" and self.axes == "isotropic"

    @property
    def isotropic(self) -> bool:
        """Whether all directions are as likely."""
        return self.axis_is_random or self.species == "gaussian"

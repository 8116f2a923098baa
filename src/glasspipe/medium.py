"""Elastic media: what carries the strain between defects.

The medium enters the model through its static Green's function alone, and that through its
elastic moduli alone: for an isotropic medium the two moduli ρc_l² and ρc_t².
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from glasspipe.units import MODULUS


@dataclass(frozen=True)
class Medium:
    """Isotropic elastic medium.

    Parameters
    ----------
    density : float
        Mass density ρ, g/cm³.
    c_l, c_t : float
        Longitudinal and transverse sound velocity (the paper's c_l and c_⊥), km/s.

    Raises
    ------
    ValueError
        If a parameter is not positive, or c_l < c_t.
    """

    density: float
    c_l: float
    c_t: float

    def __post_init__(self) -> None:
        """Refuse what is not an elastic medium."""
        for name in ("density", "c_l", "c_t"):
            if not getattr(self, name) > 0:
                raise ValueError(f"medium.{name} is {getattr(self, name)}; it must be positive")
        if self.c_l < self.c_t:
            raise ValueError(
                f"medium.c_l is {self.c_l} and medium.c_t {self.c_t} km/s; c_l may not be below c_t"
            )

    @property
    def longitudinal_modulus(self) -> float:
        """ρc_l², eV/Å³."""
        return self.density * self.c_l**2 * MODULUS

    @property
    def transverse_modulus(self) -> float:
        """ρc_t² (the shear modulus), eV/Å³."""
        return self.density * self.c_t**2 * MODULUS

    @property
    def bulk_modulus(self) -> float:
        """K = ρ(c_l² − 4c_t²/3), eV/Å³."""
        return self.longitudinal_modulus - 4 / 3 * self.transverse_modulus

    @property
    def warning(self) -> str | None:
        """A line to show the user if the medium is unstable, else None."""
        if self.c_l >= self.c_t * sqrt(4 / 3):
            return None
        return (
            f"medium.c_l = {self.c_l} is below c_t √(4/3) = {self.c_t * sqrt(4 / 3):.4g} km/s:"
            " the bulk modulus is negative"
        )


@dataclass(frozen=True)
class Preset:
    """A named medium and where its numbers come from."""

    medium: Medium
    source: str


_TYPICAL = "typical literature values, check before publishing"

PRESETS: dict[str, Preset] = {
    "KBr": Preset(
        Medium(density=2.75, c_l=3.07, c_t=1.69),
        f"isotropic (Hill) average of C11/C12/C44 = 34.7/5.8/5.07 GPa at 300 K; {_TYPICAL}",
    ),
    "KCl": Preset(
        Medium(density=1.99, c_l=3.94, c_t=2.18),
        f"isotropic (Hill) average of C11/C12/C44 = 40.7/7.1/6.3 GPa at 300 K; {_TYPICAL}",
    ),
    "silica": Preset(Medium(density=2.20, c_l=5.80, c_t=3.80), f"vitreous silica; {_TYPICAL}"),
}


def medium_from(value: str | Mapping[str, float]) -> Medium:
    """Medium of a config value: a preset's name, or its density and velocities.

    Raises
    ------
    ValueError
        If the name is not a preset, or the numbers are not a medium.
    """
    if isinstance(value, str):
        if value not in PRESETS:
            raise ValueError(f"medium is {value!r}; the presets are {', '.join(PRESETS)}")
        return PRESETS[value].medium
    return Medium(**value)

"""Elastic media: what carries the strain between defects.

The medium enters the model through its static Green's function alone, and that through its
elastic moduli alone: for an isotropic medium the two moduli ρc_l² and ρc_t², for a cubic crystal
the three of Voigt, C11, C12 and C44.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasspipe.units import GPA, MODULUS


def cubic_stiffness(c11: float, c12: float, c44: float) -> NDArray[np.float64]:
    """C_ijkl (3, 3, 3, 3) of Voigt's three moduli, in their unit.

    C_ijkl = C12 δ_ij δ_kl + C44 (δ_ik δ_jl + δ_il δ_jk)
             + (C11 − C12 − 2 C44) Σ_m δ_im δ_jm δ_km δ_lm.
    """
    d = np.eye(3)
    pairs = np.einsum("ik,jl->ijkl", d, d) + np.einsum("il,jk->ijkl", d, d)
    along = np.einsum("im,jm,km,lm->ijkl", d, d, d, d)
    return c12 * np.einsum("ij,kl->ijkl", d, d) + c44 * pairs + (c11 - c12 - 2 * c44) * along


@dataclass(frozen=True)
class Medium:
    """Isotropic elastic medium.

    Its bulk modulus may be negative, as it is where c_l = c_t: plane waves need no more than
    positive velocities, and the paper's limit (17) is there.

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
        _check_positive(self, "density", "c_l", "c_t")
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
    def is_mild(self) -> bool:
        """Whether it is near enough to isotropic for any sum, as it is."""
        return True

    @property
    def hill_average(self) -> "Medium":
        """The isotropic medium that stands for it: itself."""
        return self

    @property
    def about(self) -> str:
        """What characterises it beside its constants: nothing."""
        return ""

    @property
    def stiffness(self) -> NDArray[np.float64]:
        """C_ijkl (3, 3, 3, 3), eV/Å³."""
        along, across = self.longitudinal_modulus, self.transverse_modulus
        return cubic_stiffness(along, along - 2 * across, across)


@dataclass(frozen=True)
class CubicMedium:
    """Cubic crystal, its axes those of the box.

    Parameters
    ----------
    density : float
        Mass density ρ, g/cm³ (the static Green's function does not depend on it).
    c11, c12, c44 : float
        Elastic constants in Voigt's notation, GPa.

    Raises
    ------
    ValueError
        If the density is not positive, or a condition of Born for stability fails.
    """

    density: float
    c11: float
    c12: float
    c44: float

    def __post_init__(self) -> None:
        """Refuse what is not an elastic medium."""
        _check_positive(self, "density", "c44")
        if not self.c11 > abs(self.c12):
            raise ValueError(
                f"medium.c11 is {self.c11} and medium.c12 {self.c12} GPa; Born stability needs"
                " c11 > |c12|"
            )
        if not self.c11 + 2 * self.c12 > 0:
            raise ValueError(
                f"medium.c11 is {self.c11} and medium.c12 {self.c12} GPa; Born stability needs"
                " c11 + 2 c12 > 0"
            )

    @property
    def stiffness(self) -> NDArray[np.float64]:
        """C_ijkl (3, 3, 3, 3), eV/Å³."""
        return cubic_stiffness(self.c11, self.c12, self.c44) * GPA

    @property
    def bulk_modulus(self) -> float:
        """K = (C11 + 2 C12)/3, eV/Å³."""
        return (self.c11 + 2 * self.c12) / 3 * GPA

    @property
    def zener_ratio(self) -> float:
        """2 C44/(C11 − C12): 1 where the crystal is isotropic."""
        return 2 * self.c44 / (self.c11 - self.c12)

    @property
    def is_mild(self) -> bool:
        """Whether periodic sums surely end, :func:`glasspipe.elastic.crystal.check_anisotropy`."""
        low, high = MILD_ZENER
        return low <= self.zener_ratio <= high and self.bulk_modulus <= MILD_BULK * self.c44 * GPA

    @property
    def hill_average(self) -> Medium:
        """The isotropic medium of the same bulk modulus and of Hill's shear modulus.

        G = (G_V + G_R)/2 with G_V = (C11 − C12 + 3 C44)/5 and
        G_R = 5 (C11 − C12) C44/(4 C44 + 3 (C11 − C12)); R. Hill, Proc. Phys. Soc. A 65, 349 (1952).
        """
        difference = self.c11 - self.c12
        voigt = (difference + 3 * self.c44) / 5
        reuss = 5 * difference * self.c44 / (4 * self.c44 + 3 * difference)
        shear = (voigt + reuss) / 2 * GPA
        velocity = self.density * MODULUS
        along = self.bulk_modulus + 4 / 3 * shear
        return Medium(self.density, sqrt(along / velocity), sqrt(shear / velocity))

    @property
    def about(self) -> str:
        """Zener's ratio and the Hill average in words."""
        hill = self.hill_average
        return (
            f"Zener's ratio {self.zener_ratio:.4g}, Hill average c_l {hill.c_l:.4g} km/s,"
            f" c_t {hill.c_t:.4g} km/s"
        )


AnyMedium = Medium | CubicMedium

MILD_ZENER, MILD_BULK = (0.25, 5.0), 50.0
"""Zener's ratios and largest K over C44 for which periodic sums of a crystal end."""

LEAST_BULK = 1.0e-6
"""K over C11 (ρc_l²): K is a difference of moduli, and 1/K is good to 9 digits above this."""


def _check_positive(medium: AnyMedium, *names: str) -> None:
    for name in names:
        if not getattr(medium, name) > 0:
            raise ValueError(f"medium.{name} is {getattr(medium, name)}; it must be positive")


@dataclass(frozen=True)
class Preset:
    """A named medium and where its numbers come from."""

    medium: AnyMedium
    source: str


_TYPICAL = "typical literature values, check before publishing"
_KBR = "C11/C12/C44 = 34.7/5.8/5.07 GPa at 300 K"
_KCL = "C11/C12/C44 = 40.7/7.1/6.3 GPa at 300 K"

PRESETS: dict[str, Preset] = {
    "KBr": Preset(
        Medium(density=2.75, c_l=3.07, c_t=1.69), f"isotropic (Hill) average of {_KBR}; {_TYPICAL}"
    ),
    "KCl": Preset(
        Medium(density=1.99, c_l=3.94, c_t=2.18), f"isotropic (Hill) average of {_KCL}; {_TYPICAL}"
    ),
    "silica": Preset(Medium(density=2.20, c_l=5.80, c_t=3.80), f"vitreous silica; {_TYPICAL}"),
    "KBr_cubic": Preset(
        CubicMedium(density=2.75, c11=34.7, c12=5.8, c44=5.07), f"crystal, {_KBR}; {_TYPICAL}"
    ),
    "KCl_cubic": Preset(
        CubicMedium(density=1.99, c11=40.7, c12=7.1, c44=6.3), f"crystal, {_KCL}; {_TYPICAL}"
    ),
}


def medium_from(value: str | Mapping[str, Any]) -> AnyMedium:
    """Medium of a config value: a preset's name, alone or with some numbers changed, or numbers.

    Raises
    ------
    ValueError
        If the name is not a preset, or the numbers are not a stable medium.
    """
    if isinstance(value, str):
        return _preset(value).medium
    if "preset" in value:
        base = asdict(_preset(value["preset"]).medium)
        changed = {key: number for key, number in value.items() if key != "preset"}
        strange = [key for key in changed if key not in base]
        if strange:
            raise ValueError(
                f"medium.{strange[0]}: found with medium.preset {value['preset']};"
                f" allowed: {', '.join(base)}"
            )
        value = base | changed
    if "c11" in value:
        return CubicMedium(**value)
    return Medium(**value)


def check_compliance(medium: AnyMedium) -> None:
    """Refuse a medium whose volume no stress holds: a box without mean stress has no strain then.

    Raises
    ------
    ValueError
        If the bulk modulus K is not positive by :data:`LEAST_BULK`.
    """
    bulk, along = medium.bulk_modulus / GPA, float(medium.stiffness[0, 0, 0, 0]) / GPA
    if not bulk > LEAST_BULK * along:
        raise ValueError(
            f"boundary: found stress_free with a bulk modulus K of {bulk:.6g} GPa; allowed: K >"
            f" {LEAST_BULK * along:.6g} GPa, {LEAST_BULK:g} of C11, or another boundary"
        )


def _preset(name: str) -> Preset:
    if name not in PRESETS:
        raise ValueError(f"medium is {name!r}; the presets are {', '.join(PRESETS)}")
    return PRESETS[name]

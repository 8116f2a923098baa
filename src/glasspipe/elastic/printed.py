"""The couplings as the paper prints them: (16) for U, (58) and (60) for b^γ.

No elastic medium has these couplings. But each is a sum of ordinary ones: those of the medium (M)
and of the degenerate one with c_l = c_t (D), whose G = C δ/R is the second half of Kelvin's
solution, with some multipoles exchanged. So they need no sums of their own. With r = 0.48
(1 − c_t²/c_l²), σ the symmetric part of ζ, s_α = σ_αββ and t = tr γ

    (16)  U = U_M + 3 (U_D − U_M):  A ∂∂R → −2A ∂∂R
    (60)  b = 8.32 b_M[γ, ζ] + b_D[γ, (8π² − 8.32) ζ + r (6σ + (3/2)(δ_αδ s_ε + δ_αε s_δ))]
              + b_D[t 1, r σ]

The last line holds the prefactor of (60), four times too large, its 2π², and F with the
coefficients (58), which is 2.08 F − 0.12 (δG)_10, (δG)_10 summed over the ten ways to choose the
indices of δ. B, b^η and J are not concerned. The derivations are in docs/errata.md.
"""

from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray

from glasspipe.elastic.medium import AnyMedium, Medium

Array = NDArray[np.float64]

_F, _DELTA_G = 4 * 2.08, -4 * 0.12
"""Printed F in terms of F and (δG)_10, with the prefactor of (60) over the right one."""
_G = 4 * 2 * pi**2


@dataclass(frozen=True)
class Printed:
    """An isotropic medium with the couplings that the paper prints for it."""

    medium: Medium

    @property
    def degenerate(self) -> Medium:
        """The medium with both velocities c_t."""
        return Medium(self.medium.density, self.medium.c_t, self.medium.c_t)

    def parts_of_U(self, boundary: str) -> list[tuple[float, Medium, str]]:
        """Factors, media and boundaries of the couplings (16) that add up to the printed one.

        The first is the derived one. A box without mean stress strains as its medium does, whose
        elastic constants are not misprinted: so what the misprint adds is that of a clamped box.
        """
        added = "clamped" if boundary == "stress_free" else boundary
        return [
            (1.0, self.medium, boundary),
            (-3.0, self.medium, added),
            (3.0, self.degenerate, added),
        ]

    def parts_of_b(self, gamma: Array, zeta: Array) -> list[tuple[float, Medium, Array, Array]]:
        """Factors, media, γ (…, 3, 3) and ζ (…, 3, 3, 3) of the fields that add up to (60).

        The first is the derived one but for its factor.
        """
        r = _DELTA_G * ((self.medium.c_t / self.medium.c_l) ** 2 - 1)
        sigma = (zeta + np.swapaxes(zeta, -3, -2) + np.swapaxes(zeta, -3, -1)) / 3
        unit = np.eye(3)
        s = np.einsum("...abb->...a", sigma)
        around = np.einsum("ab,...c->...abc", unit, s) + np.einsum("ac,...b->...abc", unit, s)
        mixed = (_G - _F) * zeta + r * (6 * sigma + 1.5 * around)
        volume = np.trace(gamma, axis1=-2, axis2=-1)[..., None, None] * unit
        return [
            (_F, self.medium, gamma, zeta),
            (1.0, self.degenerate, gamma, mixed),
            (1.0, self.degenerate, volume, r * sigma),
        ]


Interaction = AnyMedium | Printed
"""What couples the defects: a medium, or what the paper prints for one."""


def derived(medium: Interaction) -> AnyMedium:
    """Return the medium, whose couplings are the derived ones."""
    return medium.medium if isinstance(medium, Printed) else medium


def interaction(medium: AnyMedium, formula: str) -> Interaction:
    """Return what couples the defects by the ``derived`` formulas or ``as_printed``.

    Raises
    ------
    ValueError
        If the paper prints no formula for the medium.
    """
    if formula == "derived":
        return medium
    if not isinstance(medium, Medium):
        raise ValueError(
            "formula: found as_printed with a cubic medium, for which the paper prints none;"
            " allowed: derived, or an isotropic medium (density, c_l, c_t)"
        )
    return Printed(medium)

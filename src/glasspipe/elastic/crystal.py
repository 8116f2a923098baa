"""The response of a cubic crystal, split for periodic sums by a window in real space.

The near part G w is an exact Green's function times a window, so its derivatives are products;
the far part, in spherical harmonics, is a matrix for each wave vector, like an isotropic medium's.
Both are exact; only compiled loops and theory take G from a table, whose error is stated.
"""

from dataclasses import dataclass
from functools import cache
from itertools import combinations
from math import log, sqrt
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from glasspipe.elastic.christoffel import angular_table, christoffel_inverse, derivatives
from glasspipe.elastic.harmonics import far_transform
from glasspipe.elastic.kelvin import radial_derivatives
from glasspipe.elastic.medium import MILD_BULK, MILD_ZENER, CubicMedium
from glasspipe.elastic.sharing import Resolution, Spline, share_of
from glasspipe.elastic.window import SHARP, Window, ladder_table
from glasspipe.kernels import jets
from glasspipe.kernels.mesh import COARSE_ORDER
from glasspipe.units import GPA

Array = NDArray[np.float64]

FAR_ERROR = 1.0e-12
"""The far part beyond its cutoff in q, relative to G(q)."""
_LARGEST = 248
"""The far part ends there, for a cutoff of 1, or it is not tried: rounding is left beyond."""
_HOPELESS = (0.05, 30.0)
"""Zener's ratios for which it does not, whatever the bulk modulus."""
_ERROR_AT_24 = {2: 3e-7, 3: 6e-7}
"""Error of a mesh of 24 points in the cutoff, by the order of the derivatives, in KBr."""


@dataclass(frozen=True)
class Crystal:
    """Response of a cubic medium to point forces."""

    medium: CubicMedium
    sharpness_2: ClassVar[float] = 8.0
    sharpness_4: ClassVar[float] = 8.5
    """α V^(1/3) at which second and fourth derivatives cost the least."""
    coarse: ClassVar[Resolution] = Resolution(
        Window(0.1, 4.0), points=7.0, sharing=Spline(COARSE_ORDER)
    )
    """Where less than a percent will do."""

    def resolution(self, order: int, error: float) -> Resolution:
        """Where a field of that many derivatives of G is to have that error, rms over rms.

        The error of a mesh falls by e^0.5 with every point in a length of the cutoff.
        """
        points = 24 + log(_ERROR_AT_24[order] / error) / 0.5
        return Resolution(Window(0.22, 0.75 * points), points, share_of(error))

    @property
    def reach(self) -> float:
        """αR at the near cutoff and q/2α at the far one: what is left out is below FAR_ERROR."""
        return _reach(self.medium)

    def derivatives(self, R: Array, order: int) -> Array:
        """∂_β∂_δ… G_αγ(R), (…, 3, 3) + (3,) * order, at R (…, 3) in Å."""
        return derivatives(R, order, self.medium)

    def near(self, R: Array, order: int, alpha: float) -> Array:
        """The same of the near part G w: the sum over ways to share the derivatives."""
        cutoff = self.reach / alpha
        scale = cutoff ** (-2.0 * np.arange(order + 1))
        D = SHARP.ladder(np.linalg.norm(R, axis=-1) / cutoff)[..., : order + 1] * scale
        of_G = [derivatives(R, k, self.medium) for k in range(order + 1)]
        of_w = [radial_derivatives(R, D[..., : k + 1], k) for k in range(order + 1)]
        letters = "cdefgh"[:order]
        total = np.zeros_like(of_G[order])
        for count in range(order + 1):
            for chosen in combinations(letters, count):
                one = "".join(chosen)
                other = "".join(sorted(set(letters) - set(one)))
                signature = f"...ab{one},...{other}->...ab{letters}"
                total += np.einsum(signature, of_G[count], of_w[order - count])
        return total

    def far(self, q: Array, alpha: float) -> Array:
        """G_αγ(q) of the far part (modes, 3, 3), Å⁵/eV, at q (modes, 3)."""
        return self.windowed(q, self.reach / alpha, SHARP)

    def windowed(self, q: Array, cutoff: float, window: Window) -> Array:
        """The same where the near part is G w with w of a given cutoff in Å."""
        return far_transform(q * cutoff, self.medium, window) * cutoff**2

    def angular(self, n: Array, order: int) -> Array:
        """Functions (functions, points) of n that R^(order + 1) ∂_β∂_δ… G_αγ is made of.

        The components of ∂_β∂_δ… G_αγ at unit vectors n, but for factorials, from the table.
        """
        out = np.empty((6 * (order + 1) * (order + 2) // 2, len(n)))
        recipe = jets.products(order, order)
        jets.components(n, angular_table(self.medium), ladder_table(), order, recipe, out)
        return out


@cache
def check_anisotropy(medium: CubicMedium) -> None:
    """Refuse a crystal whose periodic sums do not end; a mild one is not looked at.

    Where they end depends on the bulk modulus besides Zener's ratio, so it is tried, which takes
    seconds; far beyond it would take minutes, and is not.

    Raises
    ------
    ValueError
        If they do not.
    """
    if medium.is_mild:
        return
    low, high = _HOPELESS
    try:
        if low < medium.zener_ratio < high and _left(medium, _LARGEST) < FAR_ERROR:
            return
    except ValueError:  # the directions are not resolved
        pass
    raise _too_anisotropic(medium)


def _too_anisotropic(medium: CubicMedium) -> ValueError:
    (low, high), K = MILD_ZENER, medium.bulk_modulus / GPA
    return ValueError(
        f"medium: found Zener's ratio 2 c44/(c11 − c12) = {medium.zener_ratio:.4g} and K ="
        f" {K / medium.c44:.4g} c44, for which periodic sums do not end; allowed: a ratio from"
        f" {low:g} to {high:g} with K ≤ {MILD_BULK:g} c44, up to about 12 where K is near c44"
    )


@cache
def _reach(medium: CubicMedium) -> float:
    """√(q_max · cutoff/2) with the first q_max where the far part is negligible.

    Raises
    ------
    ValueError
        If that is too far for any.
    """
    check_anisotropy(medium)
    for largest in range(64, _LARGEST + 1, 4):
        if _left(medium, largest) < FAR_ERROR:
            return sqrt(largest / 2)
    raise _too_anisotropic(medium)


def _left(medium: CubicMedium, largest: int) -> float:
    """Far part near a wave vector of that length, for a cutoff of 1, relative to G(q)."""
    axes = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 1], [0, 1, 2], [1, 1, 2], [1, 2, 3]])
    axes = axes / np.linalg.norm(axes, axis=1, keepdims=True)
    q = np.concatenate([largest * axes, 1.05 * largest * axes])  # not at a node by chance
    far, whole = far_transform(q, medium, SHARP), christoffel_inverse(q, medium)
    return float(np.abs(far).max() / np.abs(whole).max())

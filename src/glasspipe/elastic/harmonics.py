"""A crystal's Green's function in spherical harmonics, and the transform of its far part.

G is homogeneous, G(R) = g(n)/R, and even. About the z axis g_zz has the symmetry of a square and
g_xy that of x y, hence with Q_lm = P_lm/sin^m θ, the harmonics being normalised,

    g_zz(n) = Σ a_lm Q_lm(n_z) Re (n_x + i n_y)^m   with m = 0, 4, 8, …,
    g_xy(n) = Σ b_lm Q_lm(n_z) Im (n_x + i n_y)^m   with m = 2, 6, 10, …,

l even, and all other components are these with the axes turned. Far from instability few degrees
are enough. A plane wave turns a harmonic of n into the same of q, so that the far part G (1 − w)
has the transform 1/q² times the same sums with the factors

    μ_l(q) = −4π (−1)^(l/2) ∫dρ w′(ρ) I_l(qρ),   I_l(z) = ∫_z^∞ s j_l(s) ds.

No digit is lost where the far part is small, as it would be if the near part were taken from G.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from math import ceil, log, pi

import numpy as np
from numpy.polynomial.legendre import legvander
from numpy.typing import NDArray

from glasspipe.elastic.christoffel import derivatives
from glasspipe.elastic.medium import CubicMedium
from glasspipe.elastic.quadrature import half_interval
from glasspipe.elastic.window import Window, evaluate, in_bins, reaching, screening_table
from glasspipe.kernels import harmonics as kernel
from glasspipe.threads import cut, each

Array = NDArray[np.float64]

_FIRST, _LAST = 32, 256
"""Degrees of g: that from which it is seen how many count, and the most."""
_NOTHING, _ENOUGH = 1e-14, 0.9
"""Coefficients of g that do not count, relative to the largest, and the fraction of the degrees
beyond which none may."""
_SLOWEST = 0.01
"""Rate at which they fall, at least."""
_MARGIN = 64
"""Nodes for an average over u beyond its degree and the largest phase."""


@dataclass(frozen=True)
class Harmonics:
    """The coefficients of g, and the recursion of its harmonics.

    Q_(l+2)m = (A n_z² − B) Q_lm − C Q_(l−2)m.

    Parameters
    ----------
    terms : array (terms, 4)
        A, B, C and a_lm or b_lm in Å eV⁻¹, for m = 0, 2, … and for each l = m, m + 2, ….
    start : array (orders,)
        Q_mm.
    """

    terms: Array
    start: Array

    @property
    def degree(self) -> int:
        """The largest l."""
        return 2 * len(self.start) - 2


def far_transform(q: Array, medium: CubicMedium, window: Window) -> Array:
    """Transform of G (1 − w), (modes, 3, 3), at q (modes, 3) for a cutoff of 1.

    Raises
    ------
    ValueError
        If the medium is so near to instability that the directions of g are not resolved.
    """
    found = harmonics(medium)
    radial = _radial_table(reaching(np.linalg.norm(q, axis=1)), found.degree, window)
    out = np.zeros((len(q), 3, 3))
    each(kernel.add_far, cut(len(q)), q, found.terms, found.start, radial, out)
    return out


@cache
def harmonics(medium: CubicMedium) -> Harmonics:
    """Expand G at unit vectors, as far as its coefficients count: they fall geometrically.

    Raises
    ------
    ValueError
        If too many do.
    """
    degree = _FIRST
    while degree <= _LAST:
        recursion, start = _recursion(degree)
        coefficients = _coefficients(medium, degree, recursion, start)
        of_term = np.concatenate([np.arange(m, degree + 1, 2) for m in range(0, degree + 1, 2)])
        size = np.abs(coefficients) / np.abs(coefficients).max()
        last = int(of_term[size > _NOTHING].max())
        if last < _ENOUGH * degree:
            terms = np.column_stack([recursion, coefficients])[of_term <= last]
            return Harmonics(terms, start[: last // 2 + 1])
        middle, end = (size[of_term == one].max() for one in (degree // 2, last))
        rate = max(log(middle / end) / (last - degree // 2), _SLOWEST)
        needed = (last + log(end / _NOTHING) / rate) / _ENOUGH
        degree = 4 * ceil(max(needed, degree + 1) / 4)
    raise ValueError(f"medium is too close to instability: {_LAST} degrees do not resolve it")


def _recursion(degree: int) -> tuple[Array, Array]:
    """Return A, B, C (terms, 3) and Q_mm (orders,) of :class:`Harmonics`."""
    rows, start = [], []
    for m in range(0, degree + 1, 2):
        l2 = np.arange(m, degree + 3.0) ** 2
        a = np.sqrt((4 * l2[1:] - 1) / (l2[1:] - m**2))  # of l + 1
        b = np.sqrt((l2 - m**2) / np.maximum(4 * l2 - 1, 1.0))  # of l + 1
        inverse = np.append(0.0, 1 / a)  # of l
        for k in range(0, degree + 1 - m, 2):
            B = a[k + 1] * (a[k] * b[k] * inverse[k] + b[k + 1])
            C = a[k + 1] * a[k] * b[k] * b[k - 1] if k else 0.0
            rows.append((a[k + 1] * a[k], B, C))
        odd = np.arange(1, m + 1)
        start.append(np.sqrt((2 * m + 1) / (4 * pi) * np.prod((2 * odd - 1) / (2 * odd))))
    return np.array(rows), np.array(start)


def _coefficients(medium: CubicMedium, degree: int, recursion: Array, start: Array) -> Array:
    """Project g_zz and g_xy (terms,): exact if they have no more than so many degrees."""
    u, weight = half_interval(degree + 1)
    steps = degree // 4 + 1
    phi = (np.arange(steps) + 0.5) * pi / (4 * steps)
    across = np.sqrt(1 - u**2)
    n = np.stack(
        [
            across[:, None] * np.cos(phi),
            across[:, None] * np.sin(phi),
            np.broadcast_to(u[:, None], (len(u), steps)),
        ],
        axis=-1,
    )
    g = derivatives(n, 0, medium)
    waves = np.arange(0, degree + 1, 2)[:, None] * phi
    solid = 16 * weight[:, None] * pi / (4 * steps)
    of_waves = np.where(
        np.arange(len(start))[:, None] % 2,
        np.sin(waves) @ (solid * g[..., 0, 1]).T,
        np.cos(waves) @ (solid * g[..., 2, 2]).T,
    )
    of_waves[1:] *= 2
    found, term = [], 0
    for order, first in enumerate(start):
        before, P = np.zeros(len(u)), first * across ** (2 * order)
        for _ in range(order, len(start)):
            found.append(of_waves[order] @ P)
            A, B, C = recursion[term]
            before, P = P, (A * u**2 - B) * P - C * before
            term += 1
    return np.array(found)


@lru_cache(maxsize=16)
def _radial_table(largest: int, degree: int, window: Window) -> Array:
    """μ_l as polynomials in bins of width 1 from 0 to ``largest``, (bins, powers, degrees).

    Averages over ρ of j_l are integrals of P_l(u) times the transform of w′. With K_l = ∫_z^∞ j_l,

        (l + 1) K_(l+1) = l K_(l−1) + (2l + 1) j_l,   I_(l+1) = (2l + 1) K_l − I_(l−1),

    and K_1 = j_0, I_0 = cos z.
    """
    u, weight = half_interval(largest + degree + _MARGIN)
    projection = weight[:, None] * legvander(u, degree)[:, ::2]
    table = screening_table(largest, window)
    sign = (-1.0) ** np.arange(degree // 2 + 1)

    def radial(x: Array) -> Array:
        waves = evaluate(table, (x[:, None] * u).ravel()).reshape(len(x), -1)
        of_j = waves @ projection * sign
        made = np.empty_like(of_j)
        made[:, 0], K = window.screening(x), of_j[:, 0]
        for row in range(1, degree // 2 + 1):
            made[:, row] = (4 * row - 1) * K - made[:, row - 1]
            K = (2 * row * K + (4 * row + 1) * of_j[:, row]) / (2 * row + 1)
        return 4 * pi * made * sign

    return np.ascontiguousarray(in_bins(radial, largest, 1.0).transpose(0, 2, 1))

"""The static elastic Green's function and its derivatives of any order up to 4.

Every coupling of the model is a derivative of one object, Kelvin's solution

    G_αγ(R) = A ∂_α∂_γ R + C δ_αγ / R,   A = (1/c_l² − 1/c_t²)/(8πρ),   C = 1/(4πρc_t²).

In a periodic box its second derivatives sum conditionally (1/R³). Ewald's split makes the sum
absolute and leaves one choice, the term at q = 0, which is named by ``boundary``.
"""

from dataclasses import dataclass
from functools import cache
from itertools import product
from math import ceil, pi

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasspipe.kernels import radial
from glasspipe.kernels.images import TIE
from glasspipe.medium import Medium

Array = NDArray[np.float64]

BOUNDARIES = ("clamped", "spherical", "minimum_image")
MAX_ORDER = 4
REACH = 5.6
"""αR at the near cutoff and q/2α at the far one: what is left out is below 1e-11 of the kernel."""


@cache
def _pairings(indices: str) -> list[list[tuple[str, ...]]]:
    """Ways to split index letters into pairs and single letters, by the number of pairs."""
    if not indices:
        return [[()]]
    first, rest = indices[0], indices[1:]
    ways: list[list[tuple[str, ...]]] = [[] for _ in range(len(indices) // 2 + 1)]
    for pairs, splits in enumerate(_pairings(rest)):
        ways[pairs] += [(first, *split) for split in splits]
    for position, partner in enumerate(rest):
        others = rest[:position] + rest[position + 1 :]
        for pairs, splits in enumerate(_pairings(others)):
            ways[pairs + 1] += [(first + partner, *split) for split in splits]
    return ways


def radial_derivatives(x: Array, D: Array, order: int) -> Array:
    """Return ∂_a∂_b… f(|x|) of a radial function.

    ∂ⁿf = Σ_m (δ^m x^(n−2m)) D_(n−m), where (…) is the sum over all distinct index assignments.

    Parameters
    ----------
    x : array (…, 3)
        Where.
    D : array (…, order + 1)
        D_k = ((1/R) d/dR)^k f at x.
    order : int
        Number n of derivatives.

    Returns
    -------
    array (…,) + (3,) * order
    """
    letters = "abcdefgh"[:order]
    total = np.zeros((*x.shape[:-1], *(3,) * order))
    for pairs, splits in enumerate(_pairings(letters)):
        for split in splits:
            factors = [np.eye(3) if len(part) == 2 else x for part in split]
            terms = [part if len(part) == 2 else "..." + part for part in split]
            signature = ",".join(["...", *terms]) + "->..." + letters
            total += np.einsum(signature, D[..., order - pairs], *factors)
    return total


def isotropic_coefficients(medium: Medium) -> tuple[float, float]:
    """A and C of G = A ∂∂R + C δ/R, Å³/eV."""
    longitudinal, transverse = medium.longitudinal_modulus, medium.transverse_modulus
    return (1 / longitudinal - 1 / transverse) / (8 * pi), 1 / (4 * pi * transverse)


def green_derivatives(R: ArrayLike, order: int, medium: Medium, *, alpha: float = 0.0) -> Array:
    """Derivatives ∂_β∂_δ… G_αγ(R) in the infinite medium.

    Parameters
    ----------
    R : array (…, 3)
        Displacement from the source, Å; not zero.
    order : int
        Number of derivatives, 0 to 4.
    medium : Medium
        The elastic medium.
    alpha : float
        Ewald's α, Å⁻¹: above 0 the near part alone.

    Returns
    -------
    array (…, 3, 3) + (3,) * order
        Axes α, γ, then the derivatives; Å^(2−order)/eV.

    Raises
    ------
    ValueError
        If the order is out of range or a displacement is zero.

    References
    ----------
    Kelvin's solution; eqs. (16), (26), (36), (66), (72) are contractions of it.
    """
    if order not in range(MAX_ORDER + 1):
        raise ValueError(f"order is {order}; derivatives of order 0 to {MAX_ORDER} are available")
    x = np.asarray(R, dtype=float)
    r2 = np.sum(x * x, axis=-1)
    if not np.all(r2 > 0):
        raise ValueError("R holds a zero displacement; the Green's function is singular there")
    g = np.empty((r2.size, order + 2))
    radial.ladders(r2.reshape(-1), alpha, g)
    g = g.reshape(*r2.shape, order + 2)
    A, C = isotropic_coefficients(medium)
    of_R = np.concatenate([np.zeros_like(g[..., :1]), g], axis=-1)
    total = A * radial_derivatives(x, of_R, order + 2)
    letters = "cdefgh"[:order]
    total += C * np.einsum(
        f"ab,...{letters}->...ab{letters}", np.eye(3), radial_derivatives(x, g, order)
    )
    return total


@dataclass(frozen=True)
class Ewald:
    """Ewald's split of a periodic sum.

    Parameters
    ----------
    box : array (3,)
        Edges of the periodic box, Å.
    alpha : float
        Where the near part ends and the far part begins, Å⁻¹.
    """

    box: Array
    alpha: float

    @classmethod
    def balanced(cls, box: ArrayLike, sharpness: float) -> "Ewald":
        """Split with α = sharpness / V^(1/3)."""
        edges = np.asarray(box, dtype=float)
        return cls(edges, sharpness / float(np.prod(edges)) ** (1 / 3))

    @property
    def volume(self) -> float:
        """Volume of the box, Å³."""
        return float(np.prod(self.box))

    @property
    def cutoff(self) -> float:
        """Radius of the near part, Å."""
        return REACH / self.alpha

    def modes(self) -> NDArray[np.int64]:
        """Integers n (modes, 3) of half of the wave vectors q = 2πn/L ≠ 0 of the far part."""
        top = 2 * self.alpha * REACH
        limit = [ceil(top * edge / (2 * pi)) for edge in self.box]
        n = np.array(list(product(*(range(-m, m + 1) for m in limit))), dtype=np.int64)
        half = n[len(n) // 2 + 1 :]
        q2 = np.sum((2 * pi * half / self.box) ** 2, axis=1)
        return half[q2 <= top**2]

    def far_green(self, n: NDArray[np.int64], medium: Medium) -> Array:
        """G_αγ(q) of the far part (modes, 3, 3), Å⁵/eV.

        [ q_αq_γ/q⁴ (1/ρc_l² − 1/ρc_t²)(1 + s) + δ_αγ/(ρc_t² q²) ] e^(−s),  s = q²/4α².
        """
        q = 2 * pi * n / self.box
        q2 = np.sum(q * q, axis=1)[:, None, None]
        s = q2 / (4 * self.alpha**2)
        longitudinal, transverse = medium.longitudinal_modulus, medium.transverse_modulus
        along = q[:, :, None] * q[:, None, :] / q2
        difference = 1 / longitudinal - 1 / transverse
        return np.exp(-s) / q2 * (along * difference * (1 + s) + np.eye(3) / transverse)


def zero_mode(medium: Medium, volume: float, boundary: str) -> Array:
    """Interaction K_0 of two force dipoles through the q = 0 term, (3, 3, 3, 3), Å⁰/eV per Å³.

    Added to γ_1^αβ γ_2^γδ ∂_β∂_δ G_αγ of the clamped box, axes α, β, γ, δ. For ``spherical``

        K_0 = −(1/V) ⟨q̂_β q̂_δ G_αγ(q̂)⟩
            = −(1/ρV) [ (1/c_l² − 1/c_t²)(δ_αβ δ_γδ + δ_αγ δ_βδ + δ_αδ δ_βγ)/15
                        + δ_αγ δ_βδ/(3c_t²) ].
    """
    if boundary != "spherical":
        return np.zeros((3,) * 4)
    d = np.eye(3)
    same, crossed = np.einsum("ac,bd->abcd", d, d), np.einsum("ad,bc->abcd", d, d)
    longitudinal, transverse = medium.longitudinal_modulus, medium.transverse_modulus
    difference = 1 / longitudinal - 1 / transverse
    bracket = np.einsum("ab,cd->abcd", d, d) + same + crossed
    return -(difference * bracket / 15 + same / (3 * transverse)) / volume


def nearest_images(R: ArrayLike, box: ArrayLike) -> tuple[Array, Array]:
    """Nearest images of displacements, those that tie listed with equal weights.

    Parameters
    ----------
    R : array (points, 3)
        Displacements, Å.
    box : array (3,)
        Edges of the box, Å.

    Returns
    -------
    images : array (points, 8, 3)
    weights : array (points, 8)
        They add up to 1 for each point.
    """
    edges = np.asarray(box, dtype=float)
    nearest = np.asarray(R, dtype=float)
    nearest = nearest - edges * np.round(nearest / edges)
    tied = np.abs(np.abs(nearest) - edges / 2) <= TIE * edges
    sides = np.array(list(product((1.0, -1.0), repeat=3)))
    images = np.where(tied[:, None, :], sides * edges / 2, nearest[:, None, :])
    weights = np.prod(np.where(tied[:, None, :], 0.5, sides > 0), axis=-1)
    return images, weights


def periodic_green_derivatives(
    R: ArrayLike,
    order: int,
    medium: Medium,
    box: ArrayLike,
    *,
    boundary: str,
    sharpness: float = 5.0,
) -> Array:
    """Derivatives ∂_β∂_δ… G_αγ(R) in a periodic box.

    Parameters
    ----------
    R : array (points, 3)
        Displacements, Å; not zero, nor zero up to periods.
    order : int
        Number of derivatives, 2 to 4 (lower ones have no periodic sum).
    medium, box
        The medium and the edges (3,) of the box, Å.
    boundary : {"clamped", "spherical", "minimum_image"}
        The q = 0 term of order 2: none, its average over directions, or the bare kernel at the
        nearest image.
    sharpness : float
        α V^(1/3); the result does not depend on it.

    Returns
    -------
    array (points, 3, 3) + (3,) * order

    Raises
    ------
    ValueError
        If the order or the boundary is not one of those above.
    """
    if order not in range(2, MAX_ORDER + 1):
        raise ValueError(f"order is {order}; periodic derivatives have order 2 to {MAX_ORDER}")
    if boundary not in BOUNDARIES:
        raise ValueError(f"boundary is {boundary!r}; allowed are {', '.join(BOUNDARIES)}")
    x = np.atleast_2d(np.asarray(R, dtype=float))
    if boundary == "minimum_image":
        images, weights = nearest_images(x, box)
        bare = green_derivatives(images, order, medium)
        return np.einsum("pi,pi...->p...", weights, bare)
    ewald = Ewald.balanced(box, sharpness)
    total = _near_sum(x, order, medium, ewald) + _far_sum(x, order, medium, ewald)
    if order == 2:
        total += zero_mode(medium, ewald.volume, boundary).transpose(0, 2, 1, 3)
    return total


def _near_sum(R: Array, order: int, medium: Medium, ewald: Ewald) -> Array:
    total = np.zeros((len(R), *(3,) * (order + 2)))
    nearest = R - ewald.box * np.round(R / ewald.box)
    limit = [ceil(ewald.cutoff / edge + 0.5) for edge in ewald.box]
    for n in product(*(range(-m, m + 1) for m in limit)):
        image = nearest + np.array(n) * ewald.box
        inside = np.sum(image * image, axis=1) <= ewald.cutoff**2
        if inside.any():
            total[inside] += green_derivatives(image[inside], order, medium, alpha=ewald.alpha)
    return total


def _far_sum(R: Array, order: int, medium: Medium, ewald: Ewald) -> Array:
    n = ewald.modes()
    q = 2 * pi * n / ewald.box
    tensor = 2 / ewald.volume * ewald.far_green(n, medium)
    for _ in range(order):
        tensor = tensor[..., None] * q.reshape(len(q), *(1,) * (tensor.ndim - 1), 3)
    phase = R @ q.T
    wave = (np.cos(phase), -np.sin(phase), -np.cos(phase), np.sin(phase))[order % 4]
    return np.tensordot(wave, tensor, axes=(1, 0))

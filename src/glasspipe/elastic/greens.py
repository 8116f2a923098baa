"""The static elastic Green's function and its derivatives of any order up to 4.

Every coupling of the model is a derivative of one object. Where it is known depends on the medium:
:mod:`glasspipe.elastic.kelvin` has the isotropic one in closed form,
:mod:`glasspipe.elastic.crystal` that of a cubic crystal. In a periodic box its second derivatives
sum conditionally (1/R³). Ewald's split makes the sum absolute and leaves one choice, the term at
q = 0, which is named by ``boundary``.
"""

from dataclasses import dataclass
from functools import cache
from itertools import product
from math import ceil, pi, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasspipe.elastic.christoffel import christoffel_inverse
from glasspipe.elastic.crystal import Crystal
from glasspipe.elastic.kelvin import Kelvin
from glasspipe.elastic.medium import AnyMedium, Medium, check_compliance
from glasspipe.elastic.quadrature import refined, sphere
from glasspipe.elastic.window import BELL_END, AnyWindow
from glasspipe.kernels.images import TIE

Array = NDArray[np.float64]

BOUNDARIES = ("clamped", "spherical", "stress_free", "minimum_image")
MAX_ORDER = 4


def response(medium: AnyMedium) -> Kelvin | Crystal:
    """Return the response to point forces of a medium."""
    return Kelvin(medium) if isinstance(medium, Medium) else Crystal(medium)


def green_derivatives(R: ArrayLike, order: int, medium: AnyMedium) -> Array:
    """Derivatives ∂_β∂_δ… G_αγ(R) in the infinite medium.

    Parameters
    ----------
    R : array (…, 3)
        Displacement from the source, Å; not zero.
    order : int
        Number of derivatives, 0 to 4.
    medium : Medium or CubicMedium
        The elastic medium.

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
    Eqs. (16), (26), (36), (66), (72) are contractions of it.
    """
    if order not in range(MAX_ORDER + 1):
        raise ValueError(f"order is {order}; derivatives of order 0 to {MAX_ORDER} are available")
    x = np.asarray(R, dtype=float)
    if not np.all(np.sum(x * x, axis=-1) > 0):
        raise ValueError("R holds a zero displacement; the Green's function is singular there")
    return response(medium).derivatives(x, order)


@dataclass(frozen=True)
class Ewald:
    """Ewald's split of a periodic sum.

    Parameters
    ----------
    medium : Medium or CubicMedium
        The elastic medium.
    box : tuple of 3 floats
        Edges of the periodic box, Å.
    alpha : float
        Where the near part ends and the far part begins, Å⁻¹; 0: there is no far part, and the
        near part is the bare kernel at the nearest image.
    window : Bell, optional
        Of an isotropic medium: what ends the near part, in place of its Gaussian.
    """

    medium: AnyMedium
    box: tuple[float, float, float]
    alpha: float
    window: AnyWindow = None

    @classmethod
    def balanced(cls, medium: AnyMedium, box: ArrayLike, sharpness: float) -> "Ewald":
        """Split with α = sharpness / V^(1/3)."""
        x, y, z = np.broadcast_to(np.asarray(box, dtype=float), 3).tolist()
        return cls(medium, (x, y, z), sharpness / (x * y * z) ** (1 / 3))

    @property
    def edges(self) -> Array:
        """The box as an array (3,), Å."""
        return np.array(self.box)

    @property
    def volume(self) -> float:
        """Volume of the box, Å³."""
        return float(np.prod(self.box))

    @property
    def reach(self) -> float:
        """αR at the near cutoff and q/2α at the far one."""
        return response(self.medium).reach if self.window is None else sqrt(BELL_END / 2)

    @property
    def cutoff(self) -> float:
        """Radius of the near part, Å."""
        return self.reach / self.alpha

    def modes(self) -> NDArray[np.int64]:
        """Integers n (modes, 3) of half of the wave vectors q = 2πn/L ≠ 0 of the far part."""
        top = 2 * self.alpha * self.reach
        limit = [ceil(top * edge / (2 * pi)) for edge in self.box]
        n = np.array(list(product(*(range(-m, m + 1) for m in limit))), dtype=np.int64)
        half = n[len(n) // 2 + 1 :]
        q2 = np.sum((2 * pi * half / self.edges) ** 2, axis=1)
        return half[q2 <= top**2]

    def far_green(self, n: NDArray[np.int64]) -> Array:
        """G_αγ(q) of the far part (modes, 3, 3) at q = 2πn/L, Å⁵/eV."""
        q, of_medium = 2 * pi * n / self.edges, response(self.medium)
        if self.window is None:
            return of_medium.far(q, self.alpha)
        return of_medium.windowed(q, self.cutoff, self.window)


def zero_mode(medium: AnyMedium, volume: float, boundary: str) -> Array:
    """Interaction K_0 of two force dipoles through the q = 0 term, (3, 3, 3, 3), 1/eV.

    Added to γ_1^αβ γ_2^γδ ∂_β∂_δ G_αγ of the clamped box, axes α, β, γ, δ:

        spherical      K_0 = −(1/V) ⟨q̂_β q̂_δ G_αγ(q̂)⟩, the average over directions
        stress_free    K_0 = −(1/V) C⁻¹_αβγδ, the compliance

    Any other boundary has none.

    Raises
    ------
    ValueError
        If the boundary is stress_free and the bulk modulus is not positive.
    """
    if boundary == "spherical":
        return -_mean_over_directions(medium) / volume
    if boundary == "stress_free":
        return -_compliance(medium) / volume
    return np.zeros((3,) * 4)


@cache
def _mean_over_directions(medium: AnyMedium) -> Array:
    """⟨q̂_β q̂_δ G_αγ(q̂)⟩, axes α, β, γ, δ."""

    def mean(points: int) -> Array:
        q, weight = sphere(points)
        G = christoffel_inverse(q, medium)
        return np.einsum("q,qac,qb,qd->abcd", weight / (4 * pi), G, q, q, optimize=True)

    return refined(mean, 16)


@cache
def _compliance(medium: AnyMedium) -> Array:
    """S with C_αβγδ S_γδεφ = (δ_αε δ_βφ + δ_αφ δ_βε)/2: C inverted on symmetric tensors.

    Rotations cost no energy, so on all tensors C is singular; its pseudo-inverse is S. It would
    leave out a volume that costs none either, without a word: so that is refused.
    """
    check_compliance(medium)
    return np.asarray(np.linalg.pinv(medium.stiffness.reshape(9, 9)), float).reshape((3,) * 4)


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
    medium: AnyMedium,
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
    boundary : {"clamped", "spherical", "stress_free", "minimum_image"}
        The q = 0 term of order 2: none, its average over directions, that of a box without mean
        stress, or the bare kernel at the nearest image.
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
    ewald = Ewald.balanced(medium, box, sharpness)
    total = _near_sum(x, order, ewald) + _far_sum(x, order, ewald)
    if order == 2:
        total += zero_mode(medium, ewald.volume, boundary).transpose(0, 2, 1, 3)
    return total


def _near_sum(R: Array, order: int, ewald: Ewald) -> Array:
    total = np.zeros((len(R), *(3,) * (order + 2)))
    nearest = R - ewald.edges * np.round(R / ewald.edges)
    limit = [ceil(ewald.cutoff / edge + 0.5) for edge in ewald.box]
    for n in product(*(range(-m, m + 1) for m in limit)):
        image = nearest + np.array(n) * ewald.edges
        inside = np.sum(image * image, axis=1) <= ewald.cutoff**2
        if inside.any():
            total[inside] += response(ewald.medium).near(image[inside], order, ewald.alpha)
    return total


def _far_sum(R: Array, order: int, ewald: Ewald) -> Array:
    n = ewald.modes()
    q = 2 * pi * n / ewald.edges
    tensor = 2 / ewald.volume * ewald.far_green(n)
    for _ in range(order):
        tensor = tensor[..., None] * q.reshape(len(q), *(1,) * (tensor.ndim - 1), 3)
    phase = R @ q.T
    wave = (np.cos(phase), -np.sin(phase), -np.cos(phase), np.sin(phase))[order % 4]
    return np.tensordot(wave, tensor, axes=(1, 0))

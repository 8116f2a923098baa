"""The field that one defect makes at another, as a function of direction and distance.

Theory wants the field of every kind of defect at 10⁵ directions, and a fourth derivative of G has
729 components at each. But R^p times the field is made of at most 90 functions of the direction,
in an isotropic medium the monomials of degree order + 2: some directions determine how, and the
rest is one matrix product.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache, reduce
from itertools import permutations, product
from math import pi

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import lebedev_rule
from scipy.special import roots_legendre

from glasspipe.defects.tensors import Tensors
from glasspipe.elastic.greens import green_derivatives, periodic_green_derivatives, response
from glasspipe.elastic.medium import AnyMedium
from glasspipe.elastic.printed import Interaction, derived
from glasspipe.elastic.quadrature import gauss_rule, parted_rule
from glasspipe.system.parts import Part, parts
from glasspipe.system.terms import FIELDS, TERMS

Array = NDArray[np.float64]

_SAMPLED, _INDEPENDENT = 29, 1e-7
"""Degree of the directions that determine a field, and the fraction below which nothing counts."""
_STATES, _FEW, _PARTS = 30, 24, (12, 2)
"""A source of more states than the first number is replaced by one with the second number, and one
of a continuum if it has more than that: so many parts of about equal probability, and values of
each. Sixteen of Gauss's in one part follow the largest fields: with a log-normal γ (s = 0.7) of
isotropic axes the quartiles of b^γ came out 16 % too large, its 95 % quantile by a half."""
_FINE, _COARSE = 160, 40
"""Resolution of the sphere, 51 200 directions, and where many kinds blur their kinks, 3200."""
_RECEIVERS = 16
"""Receivers above which each is one of many."""
_NORMAL = 12
"""Positive values that stand for a normal one, with all its moments up to the 23rd."""


def pair_kernel(coupling: str, receivers: Tensors, sources: Tensors, green: Array) -> Array:
    """Contract derivatives of the Green's function with the tensors of two defects.

        U         + γ_r^αβ γ_s^γδ  ∂_β∂_δ G_αγ          (16)
        B         + γ_r^αβ P_s^γδ  ∂_β∂_δ G_αγ          (26) with P = η δ
        U_S_tau   − γ_s^αβ ζ_r^γδε ∂_β∂_δ∂_ε G_αγ       (36)
        U_eta_tau − P_s^αβ ζ_r^γδε ∂_β∂_δ∂_ε G_αγ       (66) with P = η δ
        J         − ζ_r^αβδ ζ_s^γεφ ∂_β∂_δ∂_ε∂_φ G_αγ   (72)

    Parameters
    ----------
    coupling : str
        One of ``TERMS``.
    receivers, sources : Tensors
        The defects whose variable (S or τ) feels the field, and those that make it.
    green : array (points, 3, 3) + (3,) * order
        Derivatives of order the coupling's order at R = r_source − r_receiver, from
        :func:`glasspipe.elastic.greens.green_derivatives` or its periodic kin; Å^(2−order)/eV.

    Returns
    -------
    array (receivers, sources, points)
        eV.
    """
    term = TERMS[coupling]
    tensors = getattr(receivers, term.receiver), getattr(sources, term.source)
    return term.sign * np.einsum(term.signature(), *tensors, green, optimize=True)


def pair_coupling(
    coupling: str,
    receivers: Tensors,
    sources: Tensors,
    R: ArrayLike,
    medium: Interaction,
    *,
    box: ArrayLike | None = None,
    boundary: str = "spherical",
) -> Array:
    """Coupling of two defects at R = r_source − r_receiver, see :func:`pair_kernel`.

    Parameters
    ----------
    R : array (points, 3)
        Å; not zero.
    medium : Medium, CubicMedium or Printed
        The elastic medium.
    box : array (3,), optional
        Edges of the periodic box, Å; without it the medium is infinite.

    Returns
    -------
    array (receivers, sources, points)
        eV.
    """
    order = TERMS[coupling].order

    def green(part: Part) -> Array:
        if box is None:
            return green_derivatives(R, order, part.medium)
        return periodic_green_derivatives(R, order, part.medium, box, boundary=part.boundary)

    return sum_parts(coupling, parts(coupling, receivers, sources, medium, boundary), green)


def sum_parts(coupling: str, made_of: list[Part], green: Callable[[Part], Array]) -> Array:
    """Σ factor · :func:`pair_kernel` over the parts of a coupling, (receivers, sources, points).

    Parameters
    ----------
    made_of : list of Part
        From :func:`glasspipe.system.parts.parts`.
    green : function
        Derivatives of the Green's function for a part.
    """
    kernels = (
        part.factor * pair_kernel(coupling, part.receivers, part.sources, green(part))
        for part in made_of
    )
    return reduce(np.add, kernels)


@cache
def cubic_group() -> Array:
    """The 48 rotations and reflections of the cube, (48, 3, 3)."""
    signed = product(permutations(range(3)), product((1.0, -1.0), repeat=3))
    return np.array([np.diag(signs)[list(order)] for order, signs in signed])


def sphere(degree: int) -> tuple[Array, Array]:
    """Directions (points, 3) of Lebedev's quadrature and weights (points,) that add up to 1."""
    points, weights = lebedev_rule(degree)
    return points.T, weights / np.sum(weights)


def half_sphere(degree: int) -> tuple[Array, Array]:
    """One of each pair ±n of the directions of :func:`sphere`; the weights add up to 1."""
    n, weight = sphere(degree)
    half = [tuple(row) > (0.0, 0.0, 0.0) for row in np.round(n, 9)]
    return n[half], 2 * weight[half]


@cache
def _normal_values(positive: bool) -> tuple[Array, Array]:
    """Values of a standard normal variable, or of its modulus, and their probabilities.

    Gauss's rule of each half, for |z|^α has its kink at 0.
    """
    fine, weight = roots_legendre(200)
    fine = 5 * (1 + fine)
    share = weight * np.exp(-(fine**2) / 2)
    z, share = (a[:, 0] for a in gauss_rule(fine[:, None], share / share.sum(), _NORMAL))
    return (z, share) if positive else (np.append(z, -z), np.tile(share / 2, 2))


@cache
def fine_half_sphere(points: int = _FINE) -> tuple[Array, Array]:
    """2 · points² directions over half of the sphere, and weights that add up to 1.

    For |g(n)|^α, which has kinks on the lines g = 0: the error falls as the square of the spacing
    (1e-6 for α = 1) unless a line runs along the grid, so the grid's axis is tilted.
    """
    z, weight = roots_legendre(points)
    z, angle = (1 + z[:, None]) / 2, pi * (np.arange(2 * points) + 0.5) / points
    radius = np.sqrt(1 - z * z)
    n = np.stack([radius * np.cos(angle), radius * np.sin(angle), z + 0 * angle], axis=-1)
    tilt, _ = np.linalg.qr([[1.0, 2.0, 3.0], [4.0, -1.0, 2.0], [1.0, 5.0, -2.0]])
    return n.reshape(-1, 3) @ tilt, np.repeat(weight, 2 * points) / (4 * points)


@dataclass(frozen=True)
class PairField:
    """Field of one defect, of random kind and sign, at a defect of one kind.

    v = R^(−p) Σ_k c_k f_k(n) for each state of the source, f_k the angular functions of the medium
    and n = R/|R| the direction from the receiver to the source.

    Parameters
    ----------
    power : int
        p, from 3 to 5; fields of even p are odd in R.
    medium : Medium or CubicMedium
        The elastic medium, with f in ``angular`` of its response.
    coefficients : array (states, functions)
        c, eV Å^p per unit of f.
    weight : array (states,)
        Probabilities.
    signed : bool
        Whether each state also comes with the opposite sign, as often.
    continuous : bool
        Whether the states stand for a continuum, as those of distributed strengths do.
    normal : bool
        Whether the field is normal, with the mean and the variance that it has over the states.
    one_of_many : bool
        Whether the law is an average over many such receivers.
    """

    power: int
    medium: AnyMedium
    coefficients: Array
    weight: Array
    signed: bool
    continuous: bool = False
    normal: bool = False
    one_of_many: bool = False

    @property
    def odd(self) -> bool:
        """Whether the field changes sign with R."""
        return self.power % 2 == 0

    @property
    def coupled(self) -> bool:
        """Whether there is a field at all."""
        return bool(np.any(self.coefficients))

    @property
    def one(self) -> bool:
        """Whether every source makes the same field."""
        return len(self.weight) == 1 and not self.signed and not self.normal

    @property
    def active(self) -> tuple[float, "PairField"]:
        """Probability that a source makes any field, and the field of those that do."""
        some = np.any(self.coefficients, axis=1)
        if self.normal or np.all(some) or not np.any(some):
            return 1.0, self
        share = self.weight[some].sum()
        made = replace(self, coefficients=self.coefficients[some], weight=self.weight[some] / share)
        return float(share), made

    @property
    def symmetric(self) -> bool:
        """Whether for every source there is one, as probable, that makes the opposite field."""
        return self.signed or self.odd

    @property
    def many_states(self) -> bool:
        """Whether the source has more states than are worth carrying along."""
        most = _FEW if self.continuous else _STATES
        return len(self.weight) > most and not self.normal

    @property
    def blurred(self) -> bool:
        """Whether what one state or one receiver shows is lost among many."""
        return self.many_states or self.normal or self.one_of_many

    def over_half_sphere(self) -> tuple[Array, Array]:
        """R^p times the field (states, points), eV Å^p, and weights of each that add up to 1.

        In directions that resolve averages of |g|^α; many kinds blur the kinks of each other.
        """
        points = _COARSE if self.blurred else _FINE
        solid = fine_half_sphere(points)[1]
        g = self.coefficients @ _fine_functions(self.medium, self.power - 1, points)
        if not self.normal:
            return g, np.outer(self.weight, solid)
        g, weight = self.few_states(g)
        return g, weight * solid

    def mean_and_spread(self, values: Array) -> tuple[Array, Array]:
        """Mean and standard deviation (rows,) of a normal field, from its states (states, rows)."""
        square = self.weight @ values**2
        mean = 0 * square if self.signed else self.weight @ values
        return mean, np.sqrt(np.maximum(square - mean**2, 0.0))

    def few_states(self, values: Array) -> tuple[Array, Array]:
        """Values (states, rows) of this field and their weights, both with few states.

        The many axes of an isotropic source are replaced by values with the same low moments; a
        signed field is a function of its square.
        """
        if self.normal:
            mean, spread = self.mean_and_spread(values)
            z, weight = _normal_values(self.signed)
            made = mean + z[:, None] * spread
            return made, np.broadcast_to(weight[:, None], made.shape)
        if not self.many_states:
            return values, np.broadcast_to(self.weight[:, None], values.shape)
        if not self.signed:
            return parted_rule(values, self.weight, *_PARTS)
        square, weight = parted_rule(values**2, self.weight, *_PARTS)
        return np.sqrt(np.maximum(square, 0.0)), weight

    def angular(self, n: Array) -> Array:
        """R^p times the field (states, points) in directions n (points, 3), eV Å^p."""
        return self.coefficients @ response(self.medium).angular(n, self.power - 1)

    def __call__(self, R: Array) -> Array:
        """Field (states, points) of a source at R (points, 3), Å; eV."""
        distance = np.sqrt(np.sum(R * R, axis=1))
        return self.angular(R / distance[:, None]) / distance**self.power


def pair_fields(
    field: str,
    receivers: Tensors,
    sources: Tensors,
    weight: Array,
    medium: Interaction,
    *,
    continuous: bool = False,
    normal: bool = False,
) -> list[PairField]:
    """Field of one random source at each kind of receiver.

    Parameters
    ----------
    field : str
        One of ``FIELDS``.
    receivers, sources : Tensors
        Kinds of defect.
    weight : array (sources,)
        Probabilities of the sources.
    medium : Medium, CubicMedium or Printed
        The elastic medium.
    continuous : bool
        Whether the sources stand for a continuum.
    normal : bool
        Whether their tensors are normal, with the mean and the covariance that the kinds have.

    Raises
    ------
    ValueError
        If the field is not made of the angular functions of the medium.
    """
    row = FIELDS[field]
    states = row.states[:1] if row.signed else row.states
    parts = {c: _coefficients(c, receivers, sources, medium) for c in row.names}
    coefficients = sum_states(states, parts)
    share = np.tile(weight, len(states)) / len(states)
    what = row.signed, continuous, normal, len(coefficients) > _RECEIVERS
    plain = derived(medium)
    return [
        PairField(row.order + 1, plain, *_merged(made, share, row.signed), *what)
        for made in coefficients
    ]


def sum_states(states: tuple[dict[str, int], ...], parts: dict[str, Array]) -> Array:
    """Σ sign · coupling for each state, (receivers, states · sources, …).

    Parameters
    ----------
    states : tuple of dict
        The sign of each coupling in each state, from :attr:`glasspipe.system.terms.Field.states`.
    parts : dict of array (receivers, sources, …)
        The couplings.
    """
    sums = [reduce(np.add, (sign * parts[c] for c, sign in state.items())) for state in states]
    return np.concatenate(sums, axis=1)


def _coefficients(
    coupling: str, receivers: Tensors, sources: Tensors, medium: Interaction
) -> Array:
    """Coefficients (receivers, sources, functions) of the angular functions, eV Å^p.

    A crystal's functions are not independent, for its forces are balanced; the least coefficients
    are taken, and differences below the error of its table mean nothing.
    """
    order = TERMS[coupling].order
    made_of = parts(coupling, receivers, sources, medium, "spherical")
    kernel = sum_parts(coupling, made_of, lambda part: _sampled_green(part.medium, order))
    basis, inverse = _sampled_functions(derived(medium), order)
    found = kernel @ inverse
    if np.max(np.abs(found @ basis - kernel)) > _INDEPENDENT * np.max(np.abs(kernel)):
        raise ValueError(f"{coupling} is not made of the angular functions of {medium}")
    return found


@lru_cache(maxsize=16)
def _sampled_green(medium: AnyMedium, order: int) -> Array:
    """Derivatives of G in the directions that determine a field."""
    return green_derivatives(sphere(_SAMPLED)[0], order, medium)


@lru_cache(maxsize=16)
def _sampled_functions(medium: AnyMedium, order: int) -> tuple[Array, Array]:
    """The angular functions (functions, points) in those directions, and their pseudo-inverse."""
    basis = response(medium).angular(sphere(_SAMPLED)[0], order)
    return basis, np.asarray(np.linalg.pinv(basis, rcond=_INDEPENDENT), dtype=float)


@lru_cache(maxsize=1)
def _fine_functions(medium: AnyMedium, order: int, points: int) -> Array:
    """The angular functions (functions, directions) over half of the sphere."""
    return response(medium).angular(fine_half_sphere(points)[0], order)


def _merged(states: Array, weight: Array, signed: bool) -> tuple[Array, Array]:
    """Equal states as one, with the sum of their probabilities."""
    scale = np.max(np.abs(states)) or 1.0
    rounded = np.round(states / scale, 9)
    if signed:
        leading = np.argmax(rounded != 0, axis=1)
        sign = np.sign(np.take_along_axis(rounded, leading[:, None], axis=1))
        rounded = rounded * np.where(sign == 0, 1.0, sign)
    _, first, number = np.unique(rounded + 0.0, axis=0, return_index=True, return_inverse=True)
    return states[first], total(number, weight)


def total(number: NDArray[np.int64], weight: Array, groups: int = 0) -> Array:
    """Sum of the weights (items,) of each group; ``number`` (items,) says which group."""
    return np.bincount(number, weight, groups).astype(float)

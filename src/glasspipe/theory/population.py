"""A mixture of defects as theory sees it: finitely many kinds, and how probable each is.

Averages over a continuous property are sums over few kinds that have the same low moments: a
Gauss rule for a strength, quadratures over axes and over the turns of local frames. Only Gaussian
tensors, of 24 independent components, are sampled; the sample is made to have their covariance, so
that widths are exact. As sources of one strength they need no sample: their fields are normal.
Where all that makes too many kinds, they are thinned out, up to the orientations that the symmetry
of the defects on their lattice makes equivalent.
"""

from dataclasses import dataclass, replace
from functools import cache, lru_cache
from math import log2, sqrt

import numpy as np
from numpy.typing import NDArray

from glasspipe.defects.component import Component
from glasspipe.defects.distribution import Distribution, Strength, nodes
from glasspipe.defects.species import unit_kinds
from glasspipe.defects.tensors import Tensors, joined, rotations
from glasspipe.elastic.quadrature import gauss_rule
from glasspipe.system.terms import FIELDS
from glasspipe.theory.pair_fields import cubic_group, half_sphere, sphere, total
from glasspipe.theory.scaled_kinds import ONE, ScaledKinds
from glasspipe.theory.thinning import orbits, thinned

Array = NDArray[np.float64]
Kinds = tuple[Tensors, Array]

_SOURCE_AXES, _RECEIVER_AXES = 23, 29
"""Degrees of the quadratures over isotropic axes; their weights are positive (not so of 13, 25)."""
_TURN_AXES, _FAR = (9, 15), np.radians(25.0)
"""Degrees over the axes about which frames turn, of spreads up to an angle and beyond: ⟨γγ⟩ is
exact, ⟨ζζ⟩ to 1e-4 at 25° and 1e-3 at 60°."""
_VALUES, _FACTORS = (4, 2), (3, 64)
"""Values that stand for a distributed strength in each part of its distribution, and those parts;
more of one that is a factor of a field, for a law is steep where receivers are weak."""
_KEPT = 0.01
"""Error of the fourth moment of a strength, of itself, up to which its values have it."""
_BLOCKS = {"gamma": slice(0, 6), "zeta": slice(6, 24)}
"""Independent components of the tensors."""
_SAMPLE = 1024
"""Gaussian tensors that are thinned out."""
_MOST, _MOST_OF_AXES = {"sources": 128, "receivers": 96, "principal": 18}, 2000
"""Kinds of a component above which they are thinned out, but sources of isotropic axes with every
strength: thinned, they would leave the 95 % quantile to within a tenth …"""
_MOST_JOINED = {"sources": 2400, "receivers": 128, "principal": 18}
"""… and kinds of a mixture."""
_STRATA = 8
"""Parts of equal probability into which receivers are cut, for quantiles want more than moments."""


@dataclass(frozen=True)
class Population:
    """Defects drawn from a mixture, as :func:`glasspipe.defects.realisation.draw` does.

    Parameters
    ----------
    components : tuple of Component
        The mixture.
    stoichiometry : {"random", "exact"}
        Whether defects are of its components independently, or in exact numbers.
    sublattice : str
        Where those sit that are meant, with probabilities that add up to their share; all if "".
    among : tuple of Component, optional
        The whole mixture, where these are some of it: symmetry is that of all.
    """

    components: tuple[Component, ...]
    stoichiometry: str = "random"
    sublattice: str = ""
    among: tuple[Component, ...] = ()

    def on(self, sublattice: str) -> "Population":
        """Those of its defects that sit on a sublattice."""
        return replace(self, sublattice=sublattice)

    @property
    def meant(self) -> tuple[Component, ...]:
        """Its components on the sublattice."""
        return tuple(c for c in self.components if self.sublattice in ("", c.sublattice))

    @property
    def share(self) -> float:
        """Fraction of all defects that sit on the sublattice."""
        return sum(c.share for c in self.meant) / sum(c.share for c in self.components)

    @property
    def low_moments_only(self) -> bool:
        """Whether its kinds stand for very many others, whose fourth moments they do not keep."""
        return any(
            c.frame_spread > 0 or c.tensors_are_normal or (c.axis_is_random and c.differs_in())
            for c in self.meant
        )

    def keeps_fourth_moments(self, field: str) -> bool:
        """Whether its kinds have the fourth moments of a field, of which kurtosis is made.

        Few values of a strength miss that of a long tail, which may have none.
        """
        names = FIELDS[field].receivers | FIELDS[field].sources
        strengths = {getattr(c, name) for c in self.meant for name in _strengths_of(c, names)}
        return not self.low_moments_only and all(map(_keeps_fourth_moment, strengths))

    @property
    def widths_only(self) -> bool:
        """Whether its kinds stand for so many others that no more than their widths is exact.

        Of tensors that differ in more than a direction, of distributed strengths, thinned kinds
        make scales of dilute limits that are up to 8 % too small.
        """
        return any(c.tensors_are_normal and c.differs_in() for c in self.meant)

    @property
    def alike(self) -> bool:
        """Whether the defects that feel a field differ in a rotation and a strength alone.

        All rotations are as probable.
        """
        one, *others = self.meant
        turned = all(component.continuum is not None for component in self._all)
        return not others and one.axis_is_random and turned

    def continuous(self, field: str) -> bool:
        """Whether the sources of a field differ by a continuous property."""
        names = FIELDS[field].sources
        return any(
            c.differs_in(_strengths_of(c, names))
            or ((c.continuum or c.frame_spread > 0) and _is_oriented(c, names))
            for c in self.meant
        )

    def alone(self, component: Component) -> "Population":
        """Those of its defects that are of one component."""
        return Population((replace(component, share=1.0),), among=self._all)

    @property
    def _all(self) -> tuple[Component, ...]:
        return self.among or self.components

    @property
    def _cubic(self) -> bool:
        """Whether the mixture is the same in all directions that a cubic crystal has equivalent."""
        return all(component.kind.cubic for component in self._all)

    def kinds(self, field: str) -> Kinds:
        """Every kind of defect and its probability (kinds,), in all that makes or feels a field."""
        return self._found(FIELDS[field].receivers | FIELDS[field].sources, "sources")

    def normal(self, field: str) -> bool:
        """Whether the tensors that make a field, all but P, are normal and of one strength."""
        one, *others = self.meant
        names = FIELDS[field].sources
        same = not one.differs_in(_strengths_of(one, names))
        return one.tensors_are_normal and same and not others and names != {"P"}

    def principal(self, field: str) -> Kinds:
        """Kinds whose mean and covariance are those of normal tensors, and their weights."""
        return self._found(FIELDS[field].sources, "principal")

    def sources(self, field: str) -> Kinds:
        """Every kind of defect that makes a field, and its probability (kinds,).

        Of axes or tensors that come with their opposites only one is there: they make opposite τ
        couplings, or S couplings, which come with a random sign.
        """
        names = FIELDS[field].sources
        return _distinct(self._found(names, "sources"), names)

    def receivers(self, field: str) -> ScaledKinds:
        """Defects that feel a field, by classes that symmetry makes equivalent.

        On a lattice even isotropic axes are not all equivalent: they stand for a quadrature over
        the sphere, one axis of each orbit.
        """
        return self._scaled(FIELDS[field].receivers, "receivers")

    def scaled_sources(self, field: str) -> ScaledKinds:
        """Defects that make a field, in all orientations, with their strengths apart from them."""
        return self._scaled(FIELDS[field].sources, "sources")

    def _scaled(self, names: frozenset[str], role: str) -> ScaledKinds:
        group, number = _rotations(self._cubic), len(self.meant)
        parts = [
            _component_kinds(c, names, role, self._cubic, factor=_factor(c, names))
            for c in self.meant
        ]
        if role == "sources":
            parts = [_distinct(part, names) for part in parts]
        if sum(len(weight) for _, weight in parts) > _MOST_JOINED[role]:
            parts = [
                _thinned(part, names, role, group, parts=number)
                if len(part[1]) > _MOST_JOINED[role] // number
                else part
                for part in parts
            ]
        strengths = [_strengths(c, names) for c in self.meant]
        each = zip(parts, strengths, strict=True)
        return ScaledKinds.joined([ScaledKinds.of(*kinds, values) for kinds, values in each])

    def _found(self, names: frozenset[str], role: str) -> Kinds:
        found = _joined([_component_kinds(c, names, role, self._cubic) for c in self.meant])
        if len(found[1]) <= _MOST_JOINED[role]:
            return found
        return _thinned(found, names, role, _rotations(self._cubic))


@lru_cache(maxsize=64)
def _component_kinds(
    component: Component, names: frozenset[str], role: str, cubic: bool, *, factor: str = ""
) -> Kinds:
    """Kinds of a component and their probabilities, which add up to its share.

    ``names`` are the tensors that matter, γ, ζ or P; the strengths of the others stay 1, and so
    does ``factor``. Sources come in all orientations, of receivers there is one of each class that
    the lattice makes equivalent.
    """
    group = _rotations(cubic)
    once = role == "receivers"
    kinds, weight = _unit_kinds(component, role, names)
    if once and not component.tensors_are_normal:
        kinds, weight = _inequivalent(kinds, weight, group)
    if component.frame_spread > 0 and component.continuum is None:
        kinds, weight = _turned(kinds, weight, np.radians(component.frame_spread))
        if once:
            kinds, weight = _inequivalent(kinds, weight, group)
    many, most = False, _MOST[role]
    if role == "sources" and component.axis_is_random:
        most = _MOST_OF_AXES
    for name in (None, *_strengths_of(component, names)):
        if name not in (None, factor):
            value = nodes(getattr(component, name), *_VALUES)
            kinds, weight = _with_strength(kinds, weight, name, value)
        if len(kinds) > most:
            many = True
            strata = _STRATA if once else 1
            kinds, weight = thinned((kinds, weight), names, role, group, strata=strata)
    if many and role == "sources":
        kinds, weight = _thinned((kinds, weight), names, role, group)
    return kinds, component.share * weight


def _factor(component: Component, names: frozenset[str]) -> str:
    """The strength to which all that matters is proportional, if it differs; else ""."""
    found = _strengths_of(component, names)
    return found[0] if len(found) == 1 and component.differs_in(found) else ""


def _strengths(component: Component, names: frozenset[str]) -> tuple[Array, Array]:
    """Values that multiply the kinds of a component, and their probabilities.

    Normal tensors are as probable as their opposites, and few kinds of them need not be.
    """
    name = _factor(component, names)
    value, share = nodes(getattr(component, name), *_FACTORS) if name else ONE
    if component.tensors_are_normal:
        return np.concatenate([value, -value]), np.tile(share / 2, 2)
    return value, share


def _thinned(
    found: Kinds, names: frozenset[str], role: str, group: Array, *, parts: int = 1
) -> Kinds:
    """Few of the kinds of a mixture, or of one of so many parts of it."""
    if role == "sources":
        return orbits(thinned(found, names, role, group), group)
    strata = 2 ** max(0, int(log2(_STRATA / parts))) if role == "receivers" else 1
    return thinned(found, names, role, group, strata=strata)


def _is_oriented(component: Component, names: frozenset[str]) -> bool:
    """Whether the tensors that matter have directions: P has none but for static dipoles."""
    return names != {"P"} or component.static_dipole != "none"


def _strengths_of(component: Component, names: frozenset[str]) -> list[str]:
    """Strengths that make the tensors that matter: P has η, and γ_0 where there is more of it."""
    found = set(names - {"P"})
    if "P" in names:
        found |= {"eta"} if component.static_dipole == "none" else {"eta", "gamma"}
    return sorted(found)


def _keeps_fourth_moment(strength: Strength) -> bool:
    """Whether the values that stand for a strength have its fourth moment."""
    if not isinstance(strength, Distribution):
        return True
    value, share = nodes(strength, *_VALUES)
    return bool(abs(share @ value**4 / strength.fourth_moment - 1) < _KEPT)


@cache
def _rotations(cubic: bool) -> Array:
    """Rotations of the cube, or those of them that leave the z axis as it is."""
    group = cubic_group()
    keeps = np.linalg.det(group) > 0
    return group[keeps] if cubic else group[keeps & (np.abs(group[:, 2, 2]) > 0.5)]


def _unit_kinds(component: Component, role: str, names: frozenset[str]) -> Kinds:
    continuum = component.continuum
    if continuum is not None and role == "principal":
        block = _tensor_components()[:, _BLOCKS["zeta" if "zeta" in names else "gamma"]]
        made, number = continuum.tensors(sqrt(block.shape[1]) * block.T), block.shape[1]
        return made, np.full(number, 1 / number)
    if continuum is not None and component.axis_is_random:
        d, weight = half_sphere(_SOURCE_AXES) if role == "sources" else sphere(_RECEIVER_AXES)
        return continuum.tensors(d), weight
    if continuum is not None:
        made = continuum.tensors(_normals(_SAMPLE))
    else:
        made = unit_kinds(component.species, component.axes, static_dipole=component.static_dipole)
    return made, np.full(len(made), 1 / len(made))


def _normals(number: int) -> Array:
    """Quasi-random normal variates (number, 36) such that γ and ζ have their exact covariance."""
    from scipy.special import ndtri
    from scipy.stats import qmc

    x = ndtri(qmc.Sobol(36, rng=np.random.default_rng(0)).random(number))
    blocks = _tensor_components()
    coordinates = x @ blocks
    for mine in _BLOCKS.values():
        part = coordinates[:, mine]
        part -= part.mean(axis=0)
        factor = np.linalg.cholesky(part.T @ part / number)
        coordinates[:, mine] = np.linalg.solve(factor, part.T).T
    return coordinates @ blocks.T


def _tensor_components() -> Array:
    """Orthonormal basis (36, 24) of symmetric γ, then of ζ symmetric in its last two indices."""
    pairs = [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]
    symmetric = np.zeros((9, 6))
    for column, (a, b) in enumerate(pairs):
        symmetric[[3 * a + b, 3 * b + a], column] = 1.0 if a == b else np.sqrt(0.5)
    basis = np.zeros((36, 24))
    for block in range(4):
        basis[9 * block : 9 * block + 9, 6 * block : 6 * block + 6] = symmetric
    return basis


def _turned(kinds: Tensors, weight: Array, spread: float) -> Kinds:
    """Every kind in every turn, with normal angles of that standard deviation.

    Even functions of an angle are polynomials in its cosine, of degree 4 for ⟨γγ⟩ and 6 for ⟨ζζ⟩:
    four points have all of them, whatever the spread.
    """
    axis, solid = half_sphere(_TURN_AXES[int(spread > _FAR)])
    normal, share = np.polynomial.hermite_e.hermegauss(100)
    cosine, share = gauss_rule(np.cos(spread * normal)[:, None], share / share.sum(), 4)
    angle = np.arccos(np.clip(cosine[:, 0], -1, 1))
    vector = np.concatenate([angle, -angle])[:, None, None] * axis
    turn = rotations(vector.reshape(-1, 3))
    probability = np.outer(np.tile(share[:, 0], 2) / 2, solid).ravel()
    index = np.repeat(np.arange(len(kinds)), len(turn))
    turned = kinds[index].turned(np.tile(turn, (len(kinds), 1, 1)))
    return turned, np.outer(weight, probability).ravel()


def _with_strength(
    kinds: Tensors, weight: Array, name: str, strength: tuple[Array, Array]
) -> Kinds:
    """Every kind with every value that stands for one of its strengths, of a probability each."""
    value, probability = strength
    index = np.repeat(np.arange(len(kinds)), len(value))
    factors = {"gamma": 1.0, "eta": 1.0, "zeta": 1.0} | {name: np.tile(value, len(kinds))}
    return kinds[index].scaled(**factors), np.outer(weight, probability).ravel()


def _joined(parts: list[Kinds]) -> Kinds:
    """Kinds of several components as one list; ζ of S = −1 is left out, as τ feels either."""
    if len(parts) == 1:
        return parts[0]
    return joined([kinds for kinds, _ in parts]), np.concatenate([w for _, w in parts])


def of_defects(tensors: Tensors, names: frozenset[str], most: int) -> Kinds:
    """Kinds of given defects and their shares: all that differ, or ``most`` of the defects.

    Parameters
    ----------
    tensors : Tensors
        The defects.
    names : frozenset of str
        The tensors that matter, out of gamma, P and zeta.
    most : int
        Of more kinds than that, one is drawn from each of as many parts of equal probability, from
        the weakest to the strongest; the same in every run.
    """
    found = _distinct((tensors, np.full(len(tensors), 1 / len(tensors))), names)
    if len(found[1]) <= most:
        return found
    size = sum(
        np.sum(rows**2, axis=1) / (np.mean(rows**2) or 1.0) for rows in _rows(tensors, names)
    )
    place = (np.arange(most) + np.random.default_rng(0).random(most)) / most
    chosen = np.argsort(size, kind="stable")[(place * len(tensors)).astype(int)]
    return tensors[chosen], np.full(most, 1 / most)


def _rows(kinds: Tensors, names: frozenset[str]) -> list[Array]:
    """Components of each tensor that matters (kinds, components)."""
    return [getattr(kinds, name).reshape(len(kinds), -1) for name in sorted(names)]


def _distinct(found: Kinds, names: frozenset[str]) -> Kinds:
    """Kinds that are equal in the tensors that matter as one."""
    kinds, weight = found
    rows = np.hstack(_rows(kinds, names))
    scale = np.abs(rows).max() or 1.0
    _, first, number = np.unique(
        np.round(rows / scale, 12) + 0.0, axis=0, return_index=True, return_inverse=True
    )
    return kinds[first], total(number, weight)


def _inequivalent(kinds: Tensors, weight: Array, group: Array) -> Kinds:
    """One of each class of equivalent kinds, and its probability.

    Kinds are equivalent if an element of the group takes one into the other, up to the sign of ζ.
    """
    gamma = np.einsum("gai,gbj,kij->gkab", group, group, kinds.gamma)
    zeta = np.einsum("gai,gbj,gcl,kijl->gkabc", group, group, group, kinds.zeta, optimize=True)
    overlaps = (
        (np.einsum("gkab,lab->gkl", gamma, kinds.gamma), kinds.gamma),
        (np.abs(np.einsum("gkabc,labc->gkl", zeta, kinds.zeta, optimize=True)), kinds.zeta),
    )
    same = np.ones(overlaps[0][0].shape, dtype=bool)
    for overlap, tensor in overlaps:
        same &= overlap >= (1 - 1e-9) * np.sum(tensor.reshape(len(kinds), -1) ** 2, axis=1)
    _, first, number = np.unique(
        np.argmax(same.any(axis=0), axis=1), return_index=True, return_inverse=True
    )
    return kinds[first], total(number, weight)

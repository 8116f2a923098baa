"""How strong two defects couple at a distance: pairs of a study, taken shell by shell.

A field is a sum over all sources, so the couplings behind it are seen nowhere, and near pairs are
so rare that a random sample of pairs has none. So the same number of pairs is taken from every
shell of distances, and their couplings are summed over the periodic images one pair at a time,
which factorises as in :mod:`glasspipe.elastic.reciprocal` but needs no other pair.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import log, nan, pi, prod, sqrt

import numpy as np
from numpy.typing import NDArray

from glasspipe.defects.tensors import Tensors, joined
from glasspipe.elastic import near, reciprocal
from glasspipe.elastic.greens import Ewald, response, zero_mode
from glasspipe.elastic.medium import AnyMedium
from glasspipe.elastic.printed import Interaction
from glasspipe.system.parts import parts
from glasspipe.system.terms import TERMS
from glasspipe.theory.pair_fields import fine_half_sphere, pair_coupling, total
from glasspipe.theory.population import Population
from glasspipe.theory.scaled_kinds import Group, ScaledKinds
from glasspipe.theory.tables import table

Array = NDArray[np.float64]

SHELLS = 2.0 ** (np.arange(0, 49) / 4)
"""Edges of the shells, Å: four to an octave, alike for all points of all studies."""
MIDDLES = np.sqrt(SHELLS[1:] * SHELLS[:-1])

PROBABILITIES = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
"""At which the distribution of a coupling is given."""

_MOST_DISTANCES = 250_000
"""Pairs of a realisation whose distance is looked at."""
_SHARPNESS = 0.4
"""Times the reach of the medium, α V^(1/3): near parts are compiled, so waves are to be few."""
_BATCH = 256
_POINTS, _VALUES = (8, 40), 1e5
"""Least and largest resolution of the sphere, and the values of a coupling that are wanted, …"""
_STEP, _LEVELS = 8.0, 3
"""… of the most probable kinds most: those of so many levels, a factor apart, at a time."""
_BINS, _BIN = 40_000, 5e-4
"""Bins of ln |U|, down from the largest."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of defects.

    Parameters
    ----------
    R : array (pairs, 3)
        r_source − r_receiver, the nearest image, Å.
    receivers, sources : Tensors
        The defect that feels each coupling, and the one that makes it.
    """

    R: Array
    receivers: Tensors
    sources: Tensors

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.R)

    def __getitem__(self, index: NDArray[np.int64] | slice) -> "Pairs":
        """Return the pairs numbered ``index``."""
        return Pairs(self.R[index], self.receivers[index], self.sources[index])

    @property
    def distance(self) -> Array:
        """Distances (pairs,), Å."""
        return np.sqrt(np.sum(self.R * self.R, axis=1))

    @property
    def shell(self) -> NDArray[np.int64]:
        """Number of the shell of each pair; −1 or the number of shells: in none."""
        return np.searchsorted(SHELLS, self.distance, side="right") - 1

    @staticmethod
    def joined(parts: Sequence["Pairs"]) -> "Pairs":
        """Return the pairs of all parts."""
        R = np.concatenate([part.R for part in parts])
        receivers = joined([part.receivers for part in parts])
        return Pairs(R, receivers, joined([part.sources for part in parts]))


def take(
    rng: np.random.Generator, position: Array, defects: Tensors, box: Array, most: int
) -> Pairs:
    """Take pairs of one realisation, at most ``most`` at random from each shell within L/2.

    Either defect of a pair may be the receiver, and no pair comes twice.

    Parameters
    ----------
    rng : numpy.random.Generator
        What the choice draws from.
    position : array (N, 3)
        Å.
    defects : Tensors
        Their tensors, with ζ of the frozen state.
    box : array (3,)
        Edges of the periodic box, Å.
    most : int
        Pairs wanted of each shell.
    """
    order = rng.permutation(len(position))
    i, j = _once(len(order), max(1, _MOST_DISTANCES // len(order)))
    there = position[order]
    R = there[j] - there[i]
    R -= box * np.round(R / box)
    squared = np.einsum("pa,pa->p", R, R)
    mixed = rng.permutation(np.flatnonzero(squared < (np.min(box) / 2) ** 2))
    shell = np.searchsorted(SHELLS**2, squared[mixed], side="right").astype(np.int8)
    chosen = mixed[np.flatnonzero(_rank_within(shell) < most)]
    return Pairs(R[chosen], defects[order[i[chosen]]], defects[order[j[chosen]]])


@lru_cache(maxsize=1)
def _once(number: int, receivers: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every pair i < j of ``number`` defects of which i is one of the first ``receivers``."""
    return np.triu_indices(receivers, 1, number)


def thin(pairs: Pairs, most: int, rng: np.random.Generator) -> Pairs:
    """Leave at most ``most`` pairs of each shell, at random."""
    shuffled = pairs[rng.permutation(len(pairs))]
    return shuffled[np.flatnonzero(_rank_within(shuffled.shell) < most)]


def _rank_within(group: NDArray[np.integer]) -> NDArray[np.int64]:
    """Number the members of each group from 0 in the order in which they stand."""
    order = np.argsort(group, kind="stable")
    _, first, size = np.unique(group[order], return_index=True, return_counts=True)
    rank = np.empty(len(group), dtype=np.int64)
    rank[order] = np.arange(len(group)) - np.repeat(first, size)
    return rank


def couplings(
    coupling: str, pairs: Pairs, medium: Interaction, *, box: Array, boundary: str
) -> Array:
    """Coupling of each pair in the periodic box, see `glasspipe.theory.pair_fields.pair_kernel`.

    Parameters
    ----------
    coupling : str
        One of ``TERMS``.
    pairs : Pairs
        Nearer than half of the box.
    medium : Medium, CubicMedium or Printed
        What couples them.
    box : array (3,)
        Edges of the periodic box, Å.
    boundary : {"clamped", "spherical", "stress_free", "minimum_image"}
        The q = 0 term, see :mod:`glasspipe.elastic.greens`.

    Returns
    -------
    array (pairs,)
        eV.
    """
    made_of = parts(coupling, pairs.receivers, pairs.sources, medium, boundary)
    found = np.zeros(len(pairs))
    for part in made_of:
        own = Pairs(pairs.R, part.receivers, part.sources)
        found += part.factor * _ordinary(coupling, own, part.medium, box, part.boundary)
    return found


def _ordinary(coupling: str, pairs: Pairs, medium: AnyMedium, box: Array, boundary: str) -> Array:
    sharpness = _SHARPNESS * response(medium).reach
    ewald, split = near.divided(medium, box, boundary, sharpness)
    found = _near(coupling, pairs, medium, split)
    if ewald is not None:
        found += _zero(coupling, pairs, ewald, boundary)
        for start in range(0, len(pairs), _BATCH):
            batch = slice(start, start + _BATCH)
            found[batch] += _far(coupling, pairs[batch], ewald)
    return found


def _near(coupling: str, pairs: Pairs, medium: AnyMedium, split: near.Split) -> Array:
    """Near parts (pairs,), of each pair as the two defects of a box, the receiver first."""
    receivers, sources = _tensors(coupling, pairs)
    place = np.zeros((len(pairs), 2, 3))
    place[:, 1] = pairs.R
    each = zip(place, _as_first(receivers), _as_second(sources), strict=True)
    nothing, no_dipoles = np.zeros((2, 2)), np.zeros((2, 3, 3))
    found = np.zeros((len(pairs), 2))
    if receivers.ndim == 3:
        for k, (position, gamma, P) in enumerate(each):
            near.couplings(position, gamma, P, medium, split, nothing, np.empty(1), found[k])
        return found[:, 0]
    if sources.ndim == 3:
        for k, (position, zeta, frozen) in enumerate(each):
            fields = np.zeros((2, 2)), found[k], np.zeros(2)
            near.fields(position, frozen, no_dipoles, zeta, medium, split, *fields)
        return found[:, 0]
    J = np.zeros((len(pairs), 2, 2))
    for k, (position, zeta, other) in enumerate(each):
        fields = J[k], np.zeros(2), np.zeros(2)
        near.fields(position, no_dipoles, no_dipoles, zeta + other, medium, split, *fields)
    return J[:, 0, 1]


def _as_first(tensors: Array) -> Array:
    """Tensors (pairs, 2, …) of two defects of which the second has none."""
    return np.stack([tensors, np.zeros_like(tensors)], axis=1)


def _as_second(tensors: Array) -> Array:
    return np.stack([np.zeros_like(tensors), tensors], axis=1)


def _zero(coupling: str, pairs: Pairs, ewald: Ewald, boundary: str) -> Array:
    if TERMS[coupling].order > 2:
        return np.zeros(len(pairs))
    receivers, sources = _tensors(coupling, pairs)
    K_0 = zero_mode(ewald.medium, ewald.volume, boundary)
    return TERMS[coupling].sign * np.einsum("pab,abcd,pcd->p", receivers, K_0, sources)


def _tensors(coupling: str, pairs: Pairs) -> tuple[Array, Array]:
    """Tensors of each pair that a coupling couples, the receiver's and the source's."""
    term = TERMS[coupling]
    return getattr(pairs.receivers, term.receiver), getattr(pairs.sources, term.source)


def _far(coupling: str, pairs: Pairs, ewald: Ewald) -> Array:
    """−Σ_q a_receiver a_source cos q·R, sin for the odd couplings, a the amplitudes of a block."""
    wave = np.sin if TERMS[coupling].odd else np.cos
    receivers, sources = _tensors(coupling, pairs)
    total = np.zeros(len(pairs))
    for block in reciprocal.blocks(ewald):
        one, two = _amplitude(receivers, block), _amplitude(sources, block)
        phase = pairs.R @ (2 * pi * block.n / ewald.edges).T
        total -= block.sign * np.sum(one * two * wave(phase)[:, block.mode], axis=1)
    return total


def _amplitude(tensors: Array, block: reciprocal.Block) -> Array:
    """Amplitudes (pairs, channels) of γ, P or ζ."""
    flat = tensors.reshape(len(tensors), -1)
    weights = block.dipole_weights() if tensors.ndim == 3 else block.gradient_weights()
    return flat @ weights


@dataclass(frozen=True)
class ByShell:
    """Couplings by distance, taken to the middle of each shell with the power that is expected.

    A shell is 19 % wide, so this cannot make a power; without it, a shell's width would add up to
    6 % to the size of J.

    Parameters
    ----------
    number : array (shells,)
        Pairs.
    rms, median : array (shells,)
        Of the moduli, eV; nan where there are no pairs.
    quantile : array (shells, 5)
        Of the couplings with their signs, at ``PROBABILITIES``, eV.
    """

    number: NDArray[np.int64]
    rms: Array
    median: Array
    quantile: Array


def by_shell(coupling: str, values: Array, pairs: Pairs) -> ByShell:
    """Distribution of the couplings ``values`` (pairs,) of each shell."""
    shell, shells = pairs.shell, len(MIDDLES)
    within = (shell >= 0) & (shell < shells)
    shell, distance, values = shell[within], pairs.distance[within], values[within]
    reduced = values * (distance / MIDDLES[shell]) ** TERMS[coupling].power
    rms, median = np.full((2, shells), np.nan)
    quantile = np.full((shells, len(PROBABILITIES)), np.nan)
    for k in np.unique(shell):
        some = reduced[shell == k]
        rms[k], median[k] = np.sqrt(np.mean(some**2)), np.median(np.abs(some))
        quantile[k] = np.quantile(some, PROBABILITIES)
    return ByShell(np.bincount(shell, minlength=shells), rms, median, quantile)


@dataclass(frozen=True)
class Magnitude:
    """Distribution of R^p times a coupling over directions and kinds of defect, p = order + 1.

    Parameters
    ----------
    rms, median : float
        Of the modulus, eV Å^p.
    quantile : array (5,)
        With its sign, at ``PROBABILITIES``, eV Å^p.
    spread : float
        Relative standard error of the root mean square of a single pair, to be divided by √number.
        That of a sample will not do as a weight: small values would come with small errors.
    """

    rms: float
    median: float
    quantile: Array
    spread: float


@table(32)
def drawn_magnitude(
    coupling: str, field: str, population: Population, medium: Interaction
) -> Magnitude:
    """Distribution of a coupling that makes a field, of the defects that a config describes."""
    members = population.receivers(field), population.scaled_sources(field)
    return magnitude(coupling, *members, medium)


def magnitude(
    coupling: str, receivers: ScaledKinds, sources: ScaledKinds, medium: Interaction
) -> Magnitude:
    """Distribution of a coupling in the infinite medium.

    Its rms is exact. Median and quantiles are within 0.6 %, of Gaussian tensors and turned frames,
    of which few kinds are taken, within 5 %.

    Parameters
    ----------
    coupling : str
        One of ``TERMS``.
    receivers, sources : ScaledKinds
        Those that feel it and those that make it.
    medium : Medium, CubicMedium or Printed
        What couples them.
    """
    blocks = [
        _Block.of(coupling, receivers, sources, some, others, medium)
        for some, others in product(_levels(receivers), _levels(sources))
    ]
    both = receivers.weight.sum() * sources.weight.sum()
    square, fourth = (sum(block.moment(k) for block in blocks) / both for k in (2, 4))
    spread = sqrt(fourth / square**2 - 1) / 2 if square > 0 else nan
    largest = max(np.max(np.abs(block.values)) for block in blocks) or 1.0
    strongest = [np.max(np.abs(each.strength)) or 1.0 for each in (receivers, sources)]
    sizes = np.zeros((2, _BINS))
    for felt, made in product(receivers.groups, sources.groups):
        found = np.sum([block.sizes(felt, made, largest) for block in blocks], axis=0)
        for group, factor in zip((felt, made), strongest, strict=True):
            found = _times(found, group.strength / factor, group.share)
        sizes += found / both
    median, quantile = _quantiles(sizes)
    unit = largest * strongest[0] * strongest[1]
    return Magnitude(sqrt(square), unit * median, unit * quantile, spread)


@dataclass(frozen=True)
class _Block:
    """R^p times the coupling of some receivers and some sources in directions n.

    Parameters
    ----------
    receivers, sources : ScaledKinds
        All that there are.
    some, others : array of int
        The numbers of the kinds that are in the block.
    values : array (receivers, sources, n)
        eV Å^p, of strength 1.
    solid : array (n,)
        Shares of the directions.
    """

    receivers: ScaledKinds
    sources: ScaledKinds
    some: NDArray[np.int64]
    others: NDArray[np.int64]
    values: Array
    solid: Array

    @classmethod
    def of(
        cls,
        coupling: str,
        receivers: ScaledKinds,
        sources: ScaledKinds,
        some: NDArray[np.int64],
        others: NDArray[np.int64],
        medium: Interaction,
    ) -> "_Block":
        """The couplings in as many directions as the most probable pair deserves."""
        share = [
            np.max(each.moment(0)[which]) / each.weight.sum()
            for each, which in ((receivers, some), (sources, others))
        ]
        half, solid = fine_half_sphere(int(np.clip(sqrt(_VALUES * prod(share)) / 2, *_POINTS)))
        n, solid = np.concatenate([half, -half]), np.tile(solid / 2, 2)
        kinds = receivers.kinds[some], sources.kinds[others]
        return cls(
            receivers, sources, some, others, pair_coupling(coupling, *kinds, n, medium), solid
        )

    def moment(self, power: int) -> float:
        """Σ over its pairs of their probability times a mean power, eV Å^p to that power."""
        felt, made = self.receivers.moment(power), self.sources.moment(power)
        means = [(one**power @ self.solid) @ made[self.others] for one in self.values]
        return float(felt[self.some] @ means)

    def sizes(self, felt: Group, made: Group, largest: float) -> Array:
        """Those of :func:`_sizes` of the pairs of two groups that are in the block."""
        found = np.zeros((2, _BINS))
        _, mine, theirs = np.intersect1d(self.others, made.which, return_indices=True)
        share = made.weight[theirs][:, None] * self.solid
        for row, kind in enumerate(self.some):
            for weight in felt.weight[felt.which == kind]:
                found += weight * _sizes(self.values[row, mine] / largest, share)
        return found


def _levels(kinds: ScaledKinds) -> list[NDArray[np.int64]]:
    """Numbers of the kinds, those of about equal probability together."""
    weight = kinds.moment(0)
    with np.errstate(divide="ignore"):
        depth = np.log(weight.max() / weight) / log(_STEP)
    level = np.minimum(depth, _LEVELS - 1).astype(int)
    return [np.flatnonzero(level == k) for k in np.unique(level)]


def _sizes(values: Array, share: Array) -> Array:
    """Probabilities (2, bins) of negative and positive values of at most 1, by ln |value|."""
    with np.errstate(divide="ignore"):
        depth = np.floor(-np.log(np.abs(values)) / _BIN)
    there = depth < _BINS
    place = depth[there].astype(int) + _BINS * (values[there] > 0)
    return total(place, share[there], 2 * _BINS).reshape(2, _BINS)


def _times(sizes: Array, factor: Array, share: Array) -> Array:
    """The same of values times random factors of at most 1, of a probability each (factors,)."""
    made = np.zeros_like(sizes)
    with np.errstate(divide="ignore"):
        depth = np.round(-np.log(np.abs(factor)) / _BIN)
    for moved, sign, part in zip(np.minimum(depth, _BINS).astype(int), factor, share, strict=True):
        made[:, moved:] += part * sizes[:: 1 if sign > 0 else -1, : _BINS - moved]
    return made


def _quantiles(sizes: Array) -> tuple[float, Array]:
    """Median of the modulus, and quantiles at ``PROBABILITIES``."""
    value = np.exp(-_BIN * (np.arange(_BINS) + 0.5))
    negative, positive = sizes
    zero = [max(0.0, 1 - sizes.sum())]
    modulus = np.append(0.0, value[::-1]), np.append(zero, (negative + positive)[::-1])
    signed = (
        np.concatenate([-value, [0.0], value[::-1]]),
        np.concatenate([negative, zero, positive[::-1]]),
    )
    (median,), quantile = (
        values[np.searchsorted(np.cumsum(share), np.array(wanted) * share.sum())]
        for (values, share), wanted in ((modulus, [0.5]), (signed, PROBABILITIES))
    )
    return float(median), quantile

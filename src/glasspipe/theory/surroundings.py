"""The sites around a receiver: near ones in shells, the rest as a continuum.

Of all of them together it knows φ(t) = Π_(R ≠ 0) [1 − p + p ⟨exp(i t U(R))⟩].
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from glasspipe.defects.lattice import Lattice, half_lattice
from glasspipe.kernels import phases
from glasspipe.theory.continuum import Continuum
from glasspipe.theory.lattice_sums import SmoothCut
from glasspipe.theory.pair_fields import PairField, total
from glasspipe.theory.panels import NODES, Panels

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Phase = tuple[Array, Array]
"""Cosine and sine."""

_RADII, _REACH, _WIDTH = (7.0, 17.0), 0.16, 1.2
"""The cut between sites and continuum, in neighbour distances: 0.16 times the power of the field
times p^(−1/3), within bounds; half the smallest if many kinds average anyway."""
_FAR, _BLUR, _RARE = 3.0, 0.1, 0.05
"""Fields above 3 times the largest X asked for are blurred, by this part of themselves, where less
than so many sources make one; or if a continuous property of the sources blurs them anyway."""
_DEAD = 4.5
"""Blurred phases (standard deviation) of which nothing is left: e^(−10)."""
_DOUBLINGS = 16
"""Of a phase, before it is made anew."""
_SAME = 1e-12
_CACHE = 2**16
"""Phases of a shell across a panel that are held at a time."""


@dataclass(frozen=True)
class Shell:
    """Near sites, few enough that their phases across a panel stay in the cache.

    Parameters
    ----------
    values : array (states, rows)
        The field of a source at the sites, eV; sites with equal fields share a row.
    weight, spread : array (states, rows)
        Their probabilities, and the standard deviations of normal ones about the values, eV.
    count : array (rows,)
        Sites in each row, weighted by the cut.
    """

    values: Array
    weight: Array
    spread: Array
    count: Array

    def log_characteristic(
        self, field: PairField, panels: Panels, p: float, blur_above: float
    ) -> Complex:
        """Σ ln(1 − p + p ⟨e^(itU)⟩), (panels, nodes), fields above ``blur_above`` (eV) blurred."""
        spread = np.where(np.abs(self.values) > blur_above, _BLUR * self.values, self.spread)
        exponent = np.empty(panels.t.shape, dtype=complex)
        for k, (first, turn) in enumerate(self._phases(panels)):
            alive = np.abs(spread) * panels.start[k] <= _DEAD
            share = np.where(alive, self.weight, 0.0)
            if np.any(spread[alive]):
                smear = np.minimum(np.abs(panels.t[k][:, None] * spread[:, None]), _DEAD)
                blur = np.exp(-(smear**2) / 2)
                turn = turn[0] * blur, turn[1] * blur
            with np.errstate(divide="ignore"):
                exponent[k] = self._log_product(field, first, turn, share, p)
        return exponent

    def _phases(self, panels: Panels) -> Iterator[tuple[Phase, Phase]]:
        """Phases at the start of each panel, (states, 1, rows), and from there to its nodes.

        Twice as wide a panel doubles the phase, and a panel that begins where the last one ends
        begins with its phase: which spares nearly all cosines. Doubling doubles errors, too.
        """
        width, end, doubled = np.nan, np.nan, 0
        first, turn, whole = ((np.empty(0), np.empty(0)),) * 3
        for start, wider in zip(panels.start, panels.width, strict=True):
            if abs(start - end) <= _SAME * start:
                first = _turned(first, whole)
            else:
                first = _phase(start * self.values[:, None])
            if wider == 2 * width and doubled < _DOUBLINGS:
                phases.double(*turn)
                phases.double(*whole)
                doubled += 1
            elif wider != width:
                doubled = 0
                turn = _phase(wider * panels.offset[:, None] * self.values[:, None])
                whole = _phase(wider * self.values[:, None])
            width, end = wider, start + wider
            yield first, turn

    def _log_product(
        self, field: PairField, first: Phase, turn: Phase, share: Array, p: float
    ) -> Complex:
        """Σ ln(1 − p + p ⟨e^(itU)⟩) over near sites at the nodes of a panel, (nodes,).

        Parameters
        ----------
        field : PairField
            The field of a source.
        first, turn : two arrays each
            cos and sin of the phases of a panel, see :meth:`_phases`.
        share : array (states, rows)
            Probability of each state.
        p : float
            Concentration.
        """
        cos, sin = (p * share * part[:, 0] for part in first)
        real = np.full(turn[0].shape[1:], 1 - p)
        if field.signed:
            phases.add_real(*turn, cos, sin, real)
            return np.log(np.abs(real)) @ self.count + 0j
        imag = np.zeros_like(real)
        phases.add(*turn, cos, sin, real, imag)
        modulus = np.log(real**2 + imag**2) @ self.count / 2
        if field.odd:
            return modulus + 0j
        return modulus + 1j * (np.arctan2(imag, real) @ self.count)


def _phase(angle: Array) -> Phase:
    return np.cos(angle), np.sin(angle)


def _turned(one: Phase, by: Phase) -> Phase:
    """The phase of a sum of angles."""
    return one[0] * by[0] - one[1] * by[1], one[1] * by[0] + one[0] * by[1]


@dataclass(frozen=True)
class Surroundings:
    """All sites of a sublattice around one kind of receiver: near ones in shells, and the rest.

    Parameters
    ----------
    p : float
        Probability that a site holds a source, above 0 and below 1.
    field : PairField
        The field of a source.
    shells : sequence of Shell
        Near sites.
    cut : SmoothCut
        Between those and the others.
    far : Continuum
        The others.
    """

    p: float
    field: PairField
    shells: Sequence[Shell]
    cut: SmoothCut
    far: Continuum

    @property
    def strongest(self) -> float:
        """Largest |field| of a source, eV."""
        return max(float(np.max(np.abs(one.values) + one.spread)) for one in self.shells)

    @property
    def first(self) -> float:
        """Σ ⟨U⟩ over growing spheres, eV, which in a crystal need not vanish."""
        if self.field.symmetric:
            return 0.0
        sums = [np.sum(shell.weight * shell.values, axis=0) @ shell.count for shell in self.shells]
        return float(sum(sums))

    def blur_above(self, largest: float) -> float:
        """Fields (eV) that are blurred, where ``largest`` is the largest |X| asked for."""
        far = _FAR * largest
        blurred = self.field.continuous or self._number_above(far) < _RARE
        return min(far, self.strongest) if blurred else self.strongest

    def _number_above(self, limit: float) -> float:
        """Mean number of sources of a field above a limit, eV."""
        found = (
            np.sum(one.weight * (np.abs(one.values) > limit), axis=0) @ one.count
            for one in self.shells
        )
        return self.p * float(sum(found))

    def characteristic(self, panels: Panels, largest: float) -> Complex:
        """φ (panels, nodes) of the field less its mean, see :meth:`blur_above`.

        A constant field of more than half of the sites is minus that of the empty ones.
        """
        if self.p > 0.5 and self.field.one:
            return np.conj(replace(self, p=1 - self.p).characteristic(panels, largest))
        exponent = self.far.log_characteristic(panels.t, self.p, self.cut)
        exponent -= 1j * self.p * self.first * panels.t
        limit = self.blur_above(largest)
        for shell in self.shells:
            exponent += shell.log_characteristic(self.field, panels, self.p, limit)
        return np.exp(exponent)


def sharp_radius(power: int, p: float) -> float:
    """Where sites end for a field ∝ R^(−power) that nothing blurs, neighbour distances."""
    return float(np.clip(np.ceil(_REACH * power * p ** (-1 / 3)), *_RADII))


def cut_between(field: PairField, lattice: Lattice, sharp: float) -> SmoothCut:
    """Return the cut between sites and continuum, at :func:`sharp_radius` if nothing blurs it."""
    radius, width = (_RADII[0] / 2, _WIDTH / 2) if field.blurred else (sharp, _WIDTH)
    return SmoothCut(radius * lattice.neighbour_distance, width * lattice.neighbour_distance)


def near_shells(field: PairField, lattice: Lattice, cut: SmoothCut) -> list[Shell]:
    """Sites around a receiver within a cut; the lattice is infinite."""
    R = half_lattice(lattice, cut.reach)
    count = 2 * cut.weight(np.sqrt(np.sum(R * R, axis=1)))
    values, weight, spread, count = _merged_sites(field, field(R), count)
    order = np.argsort(-np.max(np.abs(values) + spread, axis=0))
    blocks = -(-values.size * NODES // _CACHE)
    rows = np.array_split(order, blocks)
    return [Shell(values[:, r], weight[:, r], spread[:, r], count[r]) for r in rows]


def _merged_sites(
    field: PairField, values: Array, count: Array
) -> tuple[Array, Array, Array, Array]:
    """Values, weights, spreads (states, rows), counts (rows,); equal sites as one row."""
    if field.signed:
        values = np.abs(values)
    elif field.odd:
        values = values * np.where(values[0] < 0, -1.0, 1.0)
    if field.normal:
        values, spread = (part[None] for part in field.mean_and_spread(values))
        weight = np.ones_like(values)
    else:
        values, weight = field.few_states(values)
        spread = np.zeros_like(values)
    if np.ptp(field.weight) < 1e-12 and not field.many_states:
        values = np.sort(values, axis=0)
    scale = np.max(np.abs(values) + spread)
    key = np.round(np.vstack([values / scale, spread / scale, weight]), 13)
    _, first, number = np.unique(key, axis=1, return_index=True, return_inverse=True)
    return values[:, first], weight[:, first], spread[:, first], total(number, count)

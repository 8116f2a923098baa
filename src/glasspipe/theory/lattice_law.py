"""The exact law of a field of defects on a lattice, at any concentration.

Sites are independent, so the characteristic function is a product over all of them,

    φ(t) = Π_(R ≠ 0) [1 − p + p ⟨exp(i t U(R))⟩],

and F(X) follows from one Fourier integral. The difficulty is the range of scales: at p = 1e-6 the
phases t U(R) that matter run over twelve decades. Sites beyond a few defect distances become a
continuum, whose radial integral is known in closed form and whose angular integral depends on
t/R^p alone, so that one table serves every concentration. Sites so near that their fields lie far
outside the quantiles asked for make φ oscillate faster than any grid resolves: these fields are
blurred by a tenth, which stills the oscillation and hardly moves F where it is asked for.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from math import pi, sqrt

import numpy as np
from numpy.polynomial.legendre import legvander
from numpy.typing import ArrayLike, NDArray
from scipy.special import roots_legendre

from glasspipe.defects.lattice import Lattice, half_lattice
from glasspipe.theory.continuum import Continuum
from glasspipe.theory.lattice_sums import SmoothCut
from glasspipe.theory.pair_fields import PairField, total
from glasspipe.theory.population import Group, ScaledKinds

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

_RADII, _REACH, _WIDTH = (7.0, 17.0), 0.16, 1.2
"""The cut between sites and continuum, in neighbour distances: 0.16 times the power of the field
times p^(−1/3), within bounds; half the smallest if many kinds average anyway."""
_FAR, _BLUR, _RARE = 3.0, 0.1, 0.05
"""Fields above 3 times the largest X asked for are blurred, by this part of themselves, where less
than so many sources make one; or if a continuous property of the sources blurs them anyway."""
_DEAD = 4.5
"""Blurred phases (standard deviation) of which nothing is left: e^(−10)."""
_SMALLEST = 1e-5
"""|φ|, times the probability of the receiver, at which the Fourier integral ends."""
_NODES, _PHASE = 16, 16.0
"""Nodes of a panel of the integral, and the largest phase across it."""
_CACHE = 2**16
"""Phases of a shell across a panel that are held at a time."""


@dataclass(frozen=True)
class Panels:
    """Nodes of Gauss and Legendre in intervals of t.

    Parameters
    ----------
    start, width : array (panels,)
        1/eV.
    nodes : int
        Nodes in a panel.
    """

    start: Array
    width: Array
    nodes: int

    @property
    def offset(self) -> Array:
        """Nodes (nodes,) of an interval of width 1."""
        return (1 + _legendre(self.nodes)[0]) / 2

    @property
    def t(self) -> Array:
        """(panels, nodes), 1/eV."""
        return self.start[:, None] + self.width[:, None] * self.offset

    @property
    def step(self) -> Array:
        """Weights (panels, nodes) of the integral over t, 1/eV."""
        return self.width[:, None] * _legendre(self.nodes)[1] / 2

    @classmethod
    def doubling(cls, first: float, panel: float, last: float, nodes: int) -> "Panels":
        """From 0 to ``last``, the widths doubled from about ``first`` up to ``panel``."""
        widths = panel / 2.0 ** np.arange(max(0, np.ceil(np.log2(panel / first))), 0, -1)
        steady = np.full(int(np.ceil(max(last / panel, 1))), panel)
        width = np.concatenate([widths[:1], widths, steady])
        return cls(np.cumsum(width) - width, width, nodes)


@cache
def _legendre(nodes: int) -> tuple[Array, Array]:
    return roots_legendre(nodes)


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
        for k, (start, turn) in enumerate(zip(panels.start, self._turns(panels), strict=True)):
            alive = np.abs(spread) * start <= _DEAD
            share = np.where(alive, self.weight, 0.0)
            if np.any(spread[alive]):
                smear = np.minimum(np.abs(panels.t[k][:, None] * spread[:, None]), _DEAD)
                blur = np.exp(-(smear**2) / 2)
                turn = turn[0] * blur, turn[1] * blur
            with np.errstate(divide="ignore"):
                exponent[k] = self._log_product(field, start, turn, share, p)
        return exponent

    def _turns(self, panels: Panels) -> Iterator[tuple[Array, Array]]:
        """Cos and sin of the phase from the start of each panel to its nodes.

        (states, nodes, rows) each. Twice as wide a panel doubles the phase.
        """
        width, cos, sin = np.nan, np.empty(0), np.empty(0)
        for wider in panels.width:
            if wider == 2 * width:
                cos, sin = cos**2 - sin**2, 2 * cos * sin
            elif wider != width:
                phase = wider * panels.offset[:, None] * self.values[:, None]
                cos, sin = np.cos(phase), np.sin(phase)
            width = wider
            yield cos, sin

    def _log_product(
        self, field: PairField, start: float, turn: tuple[Array, Array], share: Array, p: float
    ) -> Complex:
        """Σ ln(1 − p + p ⟨e^(itU)⟩) over near sites at the nodes of a panel, (nodes,).

        e^(itU) is turned from the start of the panel to each node, which spares most cosines.

        Parameters
        ----------
        field : PairField
            The field of a source.
        start : float
            Start of the panel, 1/eV.
        turn : two arrays (states, nodes, rows)
            cos and sin of the phase from the start to the node.
        share : array (states, rows)
            Probability of each state.
        p : float
            Concentration.
        """
        cos, sin = share * np.cos(start * self.values), share * np.sin(start * self.values)
        rows = "skr,sr->kr"
        real = np.einsum(rows, turn[0], cos) - np.einsum(rows, turn[1], sin)
        real = 1 - p + p * real
        if field.signed:
            return np.log(np.abs(real)) @ self.count + 0j
        imag = p * (np.einsum(rows, turn[0], sin) + np.einsum(rows, turn[1], cos))
        modulus = np.log(real**2 + imag**2) @ self.count / 2
        if field.odd:
            return modulus + 0j
        return modulus + 1j * (np.arctan2(imag, real) @ self.count)


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
        if self.p > 0.5 and len(self.field.weight) == 1 and not self.field.signed:
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
    blocks = -(-values.size * _NODES // _CACHE)
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


@dataclass(frozen=True)
class LatticeLaw:
    """Law of a field given by nodes of the Fourier integral of its characteristic function.

    F(X) = ½ − Im Σ_k a_k e^(−i t_k X) + ½ Σ_m w_m sgn(X − X_m), a_k = (Δt/πt) φ at t_k. The
    receivers that feel no source have no field but their X_m.

    Parameters
    ----------
    t : array (nodes,)
        1/eV.
    amplitude : array (nodes,)
        a.
    weight, fixed : array (parts,)
        w_m, and X_m in eV.
    """

    t: Array
    amplitude: Complex
    weight: Array
    fixed: Array

    def cdf(self, X: ArrayLike) -> Array:
        """Distribution function at X (…), eV, |X| up to twice the largest asked for."""
        at = np.asarray(X, dtype=float)[..., None]
        step = np.sign(at - self.fixed) @ self.weight
        return 0.5 - (np.exp(-1j * at * self.t) @ self.amplitude).imag + 0.5 * step

    def density(self, X: ArrayLike) -> Array:
        """Density at X (…), eV⁻¹, less the parts that are numbers; X as in :meth:`cdf`."""
        wave = np.exp(-1j * np.asarray(X, dtype=float)[..., None] * self.t)
        return (wave @ (self.t * self.amplitude)).real


@dataclass(frozen=True)
class Table:
    """A function φ(t) = φ*(−t) as polynomials in panels, 0 beyond.

    Parameters
    ----------
    panels : Panels
        From 0 on, 1/eV.
    coefficient : array (panels, nodes)
        Of Legendre's polynomials in each.
    """

    panels: Panels
    coefficient: Complex

    @classmethod
    def of(cls, values: Complex, panels: Panels) -> "Table":
        """Of values (panels, nodes)."""
        node, weight = _legendre(panels.nodes)
        degree = np.arange(panels.nodes)
        return cls(panels, values * weight @ (legvander(node, degree[-1]) * (degree + 0.5)))

    def stretched(self, factor: float, panels: Panels) -> Complex:
        """φ(factor · t) at the nodes of panels (panels, nodes)."""
        size = abs(factor) * panels.t
        panel = np.searchsorted(self.panels.start, size, side="right") - 1
        x = 2 * (size - self.panels.start[panel]) / self.panels.width[panel] - 1
        there = x <= 1
        wave = legvander(np.where(there, x, 0.0), self.panels.nodes - 1)
        found = np.where(there, np.sum(wave * self.coefficient[panel], axis=-1), 0.0)
        return np.conj(found) if factor < 0 else found


@dataclass(frozen=True)
class Felt:
    """The field at receivers of one kind and strength, less its mean.

    Parameters
    ----------
    weight, shift : float
        Their probability, and their mean field less that of all, eV.
    strongest, unblurred : float
        Largest |field| of a source, and the largest that is not blurred, eV.
    characteristic : callable
        φ (panels, nodes).
    """

    weight: float
    shift: float
    strongest: float
    unblurred: float
    characteristic: Callable[[Panels], Complex]

    def part(self, panels: Panels) -> Complex:
        """Its part (panels, nodes) of φ of the mixture, less the mean of that."""
        return self.weight * self.characteristic(panels) * np.exp(1j * self.shift * panels.t)

    def reach(self, largest: float) -> float:
        """T beyond which φ does not count, 1/eV, where ``largest`` is the largest |X| asked for."""
        probe = np.geomspace(1, 1e4, 25) / largest
        alive = np.abs(self.characteristic(Panels(probe, probe, 2)))
        needed = np.flatnonzero(self.weight * np.max(alive, axis=1) > _SMALLEST)
        return float(1.5 * probe[max(needed, default=0)])


def lattice_law(
    around: Sequence[Sequence[Surroundings]], receivers: ScaledKinds, shift: Array, largest: float
) -> LatticeLaw:
    """Law of a field, less its mean, over a mixture of receivers.

    Against finer parameters the median and the quartiles are good to 2e-4 (to 2e-3 for b and J_tau
    where p < 1e-4, as the lattice is resolved only up to 17 neighbour distances; to 1e-3 for
    isotropic axes), q05 and q95 to 1e-3 of themselves, or 2e-4 in F where the law has gaps. Where
    receivers were thinned out (:mod:`glasspipe.theory.thinning`), F is within 0.003 of that of
    drawn ones, or 0.01 if their frames are turned.

    Parameters
    ----------
    around : sequence of sequence of Surroundings
        What is around each kind of receiver, on all sublattices; nothing if it feels no source.
    receivers : ScaledKinds
        Kinds, strengths and probabilities.
    shift : array (receivers,)
        Their mean fields less the mean of all, eV.
    largest : float
        Largest |X| asked for, eV: about the 95 % quantile.
    """
    feels = np.array([bool(there) for there in around])
    felt = [
        one
        for group in receivers.groups
        if np.any(feels[group.which])
        for one in _felt_by(group[feels[group.which]], around, shift, largest)
    ]
    strongest = max(one.strongest for one in felt) or largest
    panels = np.array([_PHASE / max(2 * largest, one.unblurred) for one in felt])
    widest = panels.max()
    panels = widest / 2.0 ** np.ceil(np.log2(widest / panels))
    found = [
        _amplitudes(
            [
                _share_of(one, largest, first=0.1 / strongest, panel=panel)
                for one, own in zip(felt, panels, strict=True)
                if own == panel
            ]
        )
        for panel in np.unique(panels)
    ]
    t, amplitude = map(np.concatenate, zip(*found, strict=True))
    fixed = ~feels[receivers.which]
    return LatticeLaw(t, amplitude, receivers.weight[fixed], shift[fixed])


def _felt(around: Sequence[Surroundings], weight: float, shift: float, largest: float) -> Felt:
    """The field at receivers of one kind and strength."""
    return Felt(
        weight,
        shift,
        max(one.strongest for one in around),
        max(one.blur_above(largest) for one in around),
        lambda panels: np.prod([one.characteristic(panels, largest) for one in around], axis=0),
    )


def _felt_by(
    group: Group, around: Sequence[Sequence[Surroundings]], shift: Array, largest: float
) -> list[Felt]:
    """The fields at the members of a group; the other arguments are those of the law.

    Where φ(t) is that of the strength 1, φ(gt) is that of g: one table serves them all.
    """
    there, shift = [around[k] for k in group.which], shift[group.members]
    if np.all(np.abs(group.strength) == 1):
        each = zip(there, group.weight, shift, strict=True)
        return [_of_signs(group, _felt(one, w, moved[0], largest), moved) for one, w, moved in each]
    strength, share = group.strength, group.weight / group.weight.sum()
    largest /= sqrt(group.share @ strength**2)
    common, longest = share @ shift, np.argmax(np.abs(strength))
    apart = (shift - common)[:, longest] / strength[longest]
    kinds = [_felt(*one, largest) for one in zip(there, share, apart, strict=True)]
    strongest, unblurred = (
        max(getattr(one, name) for one in kinds) for name in ("strongest", "unblurred")
    )
    panels = Panels.doubling(
        0.1 / (strongest or largest),
        _PHASE / 2 / max(2 * largest, unblurred),
        max(one.reach(largest) for one in kinds),
        _NODES,
    )
    table = Table.of(np.sum([one.part(panels) for one in kinds], axis=0), panels)
    return [
        Felt(w, moved, abs(g) * strongest, abs(g) * unblurred, partial(table.stretched, g))
        for g, w, moved in zip(strength, group.weight.sum() * group.share, common, strict=True)
    ]


def _of_signs(group: Group, one: Felt, shift: Array) -> Felt:
    """The field at receivers of one kind whose strengths are 1, or 1 and −1: φ(−t) is φ*(t)."""
    if len(group.share) == 1:
        return one

    def characteristic(panels: Panels) -> Complex:
        found = one.characteristic(panels)
        parts = zip(group.share, group.strength, shift, strict=True)
        return sum(
            share * np.exp(1j * (moved - one.shift) * panels.t) * (found if g > 0 else found.conj())
            for share, g, moved in parts
        )

    return replace(one, characteristic=characteristic)


def _amplitudes(shares: list[tuple[Array, Complex]]) -> tuple[Array, Complex]:
    """Nodes of receivers whose panels are alike, and their amplitudes together."""
    t, _ = max(shares, key=lambda share: len(share[0]))
    amplitude = np.zeros(len(t), dtype=complex)
    for _, own in shares:
        amplitude[: len(own)] += own
    return t, amplitude


def _share_of(felt: Felt, largest: float, *, first: float, panel: float) -> tuple[Array, Complex]:
    """Nodes t and amplitudes (nodes,) of one field, as many as its own φ needs.

    They begin alike for all of the same panel, so that their amplitudes add up.
    """
    panels = Panels.doubling(first, panel, felt.reach(largest), _NODES)
    amplitude = felt.part(panels) * panels.step / (pi * panels.t)
    return panels.t.ravel(), amplitude.ravel()

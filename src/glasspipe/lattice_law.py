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

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline
from scipy.special import gamma, poch, roots_jacobi, roots_legendre, sici

from glasspipe.lattice import Lattice
from glasspipe.lattice_sums import SmoothCut, half_lattice
from glasspipe.pair_fields import PairField, fine_half_sphere, half_sphere, sphere

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

_RADII, _REACH, _WIDTH = (7.0, 17.0), 0.16, 1.2
"""The cut between sites and continuum, in neighbour distances: 0.16 times the power of the field
times p^(−1/3), within bounds."""
_FAR, _BLUR = 3.0, 0.1
"""Fields above 3 times the largest X asked for are blurred, by this part of themselves …"""
_DILUTE = 0.004
"""… below this concentration: in a dense lattice they are no rare events."""
_DEAD = 4.5
"""Blurred phases (standard deviation) of which nothing is left: e^(−10)."""
_SMALLEST = 1e-5
"""|φ| at which the Fourier integral ends."""
_NODES = 16
_PHASE = 16.0
"""Nodes of a panel of the integral, and the largest phase across it."""
_TABLE = (1e-3, 1e3, 1e13)
"""Ends of the fine and the coarse part of the tables, in units of 1/max |R^p U|."""
_BINS = 2000
"""Bins of the distribution of R^p U over directions."""
_ASYMPTOTIC = 30.0


def stable_factor(alpha: float) -> float:
    """∫_0^∞ (1 − cos s) s^(−1−α) ds = Γ(1 − α) cos(πα/2)/α, π/2 for α = 1."""
    return pi / 2 if alpha == 1 else gamma(1 - alpha) * np.cos(pi * alpha / 2) / alpha


def radial_integral(z: Array, power: int) -> Complex:
    """H(z) = ∫_1^∞ (1 − exp(iz/s^p)) s² ds, the contribution of all distances s > 1.

    For p = 3 the term iz/s³, which no direction average survives, is left out of the exponential;
    for p > 3 only the real part is given. With α = 3/p and w = s^(−p) it is

        H = (1/p) ∫_0^1 (1 − e^(izw) [+ izw]) w^(−1−α) dw.
    """
    size = np.abs(z)
    if power == 3:
        sine, cosine = sici(np.where(size > 0, size, 1.0))
        cin = np.where(size > 0, np.euler_gamma + np.log(np.where(size > 0, size, 1.0)) - cosine, 0)
        real = np.cos(size) - 1 + size * sine
        return (real + 1j * np.sign(z) * (np.sin(size) - size + size * cin)) / 3
    alpha = 3 / power
    result = np.empty(size.shape)
    near = size < _ASYMPTOTIC
    node, weight = roots_jacobi(28, 0.0, 1 - alpha)
    node, weight = (1 + node) / 2, weight / 2 ** (2 - alpha)
    result[near] = (2 * np.sin(size[near][..., None] * node / 2) ** 2 / node**2) @ weight
    far = 1j * size[~near]
    series = sum(poch(alpha + 1, k) / far**k for k in range(12))
    oscillating = -(np.exp(far) / far * series).real
    result[~near] = stable_factor(alpha) * size[~near] ** alpha - 1 / alpha + oscillating
    return result / power + 0j


@dataclass(frozen=True)
class Continuum:
    """Sites as a continuum, −ln φ = n R_0³ [p T_1(τ) + p² T_2(τ)/2] beyond R_0, τ = t/R_0^p.

    From ln(1 − pd) = −pd − p²d²/2 − … with d = 1 − ⟨e^(itU)⟩: T_k is the integral of d^k over
    directions and over R/R_0 > 1. The terms left out are of order p³.

    Parameters
    ----------
    density : float
        Sites per volume n, Å⁻³.
    power : int
        p of the field.
    unit : float
        1/max |R^p U|, the unit of τ in the tables, 1/(eV Å^p).
    first, second : CubicSpline
        T_1 and T_2 over τ²/(1 + τ^(2−α)) against ln τ.
    """

    density: float
    power: int
    unit: float
    first: CubicSpline
    second: CubicSpline

    def log_characteristic(self, t: Array, p: float, cut: SmoothCut) -> Complex:
        """Ln φ of the sites beyond a cut at t (…), 1/eV."""
        radius, share = cut.sharp_cuts()
        tau = t[..., None] / (self.unit * radius**self.power)
        where = np.log(np.maximum(tau, _TABLE[0]))
        table = p * self.first(where) + p * p / 2 * self.second(where)
        return -self.density * (table * _shape(tau, self.power)) @ (share * radius**3)


def _shape(tau: Array, power: int) -> Array:
    """How T depends on τ roughly, from the variance (τ²) to the stable law (τ^α)."""
    return tau**2 / (1 + tau ** (2 - 3 / power))


def continuum(field: PairField, lattice: Lattice) -> Continuum:
    """Tabulate the integrals over directions and distances."""
    unit = 1 / float(np.max(np.abs(field.angular(sphere(23)[0]))))
    tau = np.concatenate([np.geomspace(*_TABLE[:2], 231), np.geomspace(*_TABLE[1:], 48)[1:]])
    first = CubicSpline(np.log(tau), _first_order(field, tau * unit) / _shape(tau, field.power))
    tau = tau[::3]
    second = CubicSpline(np.log(tau), _second_order(field, tau * unit) / _shape(tau, field.power))
    return Continuum(lattice.site_density, field.power, unit, first, second)


def _first_order(field: PairField, tau: Array) -> Complex:
    """∫ d at each τ (points,), 1/(eV Å^p): an average over the distribution of g = R^p U."""
    n, solid = fine_half_sphere()
    g = field.angular(n)
    g = np.abs(g) if field.symmetric else g
    low, high = np.min(g), np.max(g)
    number = np.minimum((_BINS * (g - low) / (high - low)).astype(int), _BINS - 1).ravel()
    weight = np.outer(field.weight, solid).ravel()
    share = np.bincount(number, weight, minlength=_BINS)
    mean = np.bincount(number, weight * g.ravel(), minlength=_BINS) / np.maximum(share, 1e-300)
    return _kept(field, np.array([radial_integral(k * mean, field.power) @ share for k in tau]))


def _second_order(field: PairField, tau: Array) -> Complex:
    """∫ d²: (1 − e^ia)(1 − e^ib) = (1 − e^ia) + (1 − e^ib) − (1 − e^i(a+b))."""
    n, solid = half_sphere(17)
    g = field.angular(n)
    pair = np.outer(field.weight, field.weight).ravel()
    added = (g[:, None] + g[None, :]).reshape(-1, g.shape[1])
    if field.signed:
        apart = (g[:, None] - g[None, :]).reshape(-1, g.shape[1])
        added, pair = np.vstack([added, apart]), np.tile(pair, 2) / 2
    table = [
        2 * field.weight @ radial_integral(k * g, field.power) @ solid
        - pair @ radial_integral(k * added, field.power) @ solid
        for k in tau
    ]
    return _kept(field, np.array(table))


def _kept(field: PairField, table: Complex) -> Complex:
    """Both hemispheres: the fields of one are those of the other, or opposite."""
    return 4 * pi * (table.real if field.symmetric else table).astype(complex)


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
        return (1 + roots_legendre(self.nodes)[0]) / 2

    @property
    def t(self) -> Array:
        """(panels, nodes), 1/eV."""
        return self.start[:, None] + self.width[:, None] * self.offset

    @property
    def step(self) -> Array:
        """Weights (panels, nodes) of the integral over t, 1/eV."""
        return self.width[:, None] * roots_legendre(self.nodes)[1] / 2

    @classmethod
    def doubling(cls, first: float, panel: float, last: float, nodes: int) -> "Panels":
        """From 0 to ``last``, the widths doubled from about ``first`` up to ``panel``."""
        widths = panel / 2.0 ** np.arange(max(0, np.ceil(np.log2(panel / first))), 0, -1)
        steady = np.full(int(np.ceil(max(last / panel, 1))), panel)
        width = np.concatenate([widths[:1], widths, steady])
        return cls(np.cumsum(width) - width, width, nodes)


@dataclass(frozen=True)
class Surroundings:
    """All sites around one kind of receiver.

    Parameters
    ----------
    field : PairField
        The field of a source.
    cut : SmoothCut
        Where the continuum begins.
    values : array (states, rows)
        The field at near sites, eV; sites with equal fields share a row.
    count : array (rows,)
        Sites in each row, weighted by the cut.
    far : Continuum
        The other sites.
    """

    field: PairField
    cut: SmoothCut
    values: Array
    count: Array
    far: Continuum

    def characteristic(self, panels: Panels, p: float, blur_above: float) -> Complex:
        """φ (panels, nodes), with fields above ``blur_above`` (eV) blurred.

        A constant field of more than half of the sites is minus that of the empty ones.
        """
        if p > 0.5 and len(self.field.weight) == 1 and not self.field.signed:
            return np.conj(self.characteristic(panels, 1 - p, blur_above))
        exponent = self.far.log_characteristic(panels.t, p, self.cut)
        weight = np.broadcast_to(self.field.weight[:, None], self.values.shape)
        spread = np.where(np.abs(self.values) > blur_above, _BLUR * self.values, 0.0)
        width = np.nan
        for k, start in enumerate(panels.start):
            if panels.width[k] == 2 * width:
                turn = turn[0] ** 2 - turn[1] ** 2, 2 * turn[0] * turn[1]
            elif panels.width[k] != width:
                phase = panels.width[k] * panels.offset[:, None] * self.values[:, None]
                turn = np.cos(phase), np.sin(phase)
            width = panels.width[k]
            part, share = turn, weight
            if _BLUR * blur_above * start > _DEAD:
                share = np.where(spread == 0, weight, 0.0)
            elif spread.any():
                smear = np.minimum(np.abs(panels.t[k][:, None] * spread[:, None]), _DEAD)
                blur = np.exp(-(smear**2) / 2)
                part = turn[0] * blur, turn[1] * blur
            exponent[k] += self._log_product(start, part, share, p)
        return np.exp(exponent)

    def _log_product(
        self, start: float, turn: tuple[Array, Array], share: Array, p: float
    ) -> Complex:
        """Σ ln(1 − p + p ⟨e^(itU)⟩) over near sites at the nodes of a panel, (nodes,).

        e^(itU) is turned from the start of the panel to each node, which spares most cosines.

        Parameters
        ----------
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
        if self.field.signed:
            return np.log(np.abs(real)) @ self.count + 0j
        imag = p * (np.einsum(rows, turn[0], sin) + np.einsum(rows, turn[1], cos))
        modulus = np.log(real**2 + imag**2) @ self.count / 2
        if self.field.odd:
            return modulus + 0j
        return modulus + 1j * (np.arctan2(imag, real) @ self.count)


def surroundings(field: PairField, lattice: Lattice, far: Continuum, p: float) -> Surroundings:
    """Sites and continuum around a receiver on an infinite lattice."""
    unit = lattice.neighbour_distance
    radius = float(np.clip(np.ceil(_REACH * field.power * p ** (-1 / 3)), *_RADII))
    cut = SmoothCut(radius * unit, _WIDTH * unit)
    R = half_lattice(lattice, cut.reach)
    count = 2 * cut.weight(np.sqrt(np.sum(R * R, axis=1)))
    values = field(R)
    if field.signed:
        values = np.abs(values)
    elif field.odd:
        values = values * np.where(values[0] < 0, -1.0, 1.0)
    if np.ptp(field.weight) < 1e-12:
        values = np.sort(values, axis=0)
    key = np.round(values / np.max(np.abs(values)), 13)
    _, first, number = np.unique(key, axis=1, return_index=True, return_inverse=True)
    return Surroundings(field, cut, values[:, first], np.bincount(number, count), far)


@dataclass(frozen=True)
class LatticeLaw:
    """Law of a field given by nodes of the Fourier integral of its characteristic function.

    F(X) = ½ − Im Σ_k a_k e^(−i t_k X), a_k = (Δt/πt) φ at t_k.

    Parameters
    ----------
    t : array (nodes,)
        1/eV.
    amplitude : array (nodes,)
        a.
    """

    t: Array
    amplitude: Complex

    def cdf(self, X: ArrayLike) -> Array:
        """Distribution function at X (…), eV, |X| up to twice the largest asked for."""
        wave = np.exp(-1j * np.asarray(X, dtype=float)[..., None] * self.t)
        return 0.5 - (wave @ self.amplitude).imag

    def density(self, X: ArrayLike) -> Array:
        """Density at X (…), eV⁻¹; X as in :meth:`cdf`."""
        wave = np.exp(-1j * np.asarray(X, dtype=float)[..., None] * self.t)
        return (wave @ (self.t * self.amplitude)).real


def lattice_law(
    receivers: Sequence[Surroundings], weight: Array, p: float, largest: float
) -> LatticeLaw:
    """Law of a field over a mixture of receivers.

    Parameters
    ----------
    receivers : sequence of Surroundings
        The kinds of receiver.
    weight : array (receivers,)
        Their probabilities.
    p : float
        Probability that a site holds a source, above 0 and below 1.
    largest : float
        Largest |X| asked for, eV: about the 95 % quantile.
    """
    strongest = max(float(np.max(np.abs(r.values))) for r in receivers)
    blur_above = min(_FAR * largest, strongest) if p < _DILUTE else strongest

    def characteristic(panels: Panels) -> Complex:
        parts = [r.characteristic(panels, p, blur_above) for r in receivers]
        return np.tensordot(weight, parts, axes=1)

    probe = np.geomspace(1, 1e4, 25) / largest
    alive = np.abs(characteristic(Panels(probe, probe, 2)))
    last = 1.5 * probe[np.flatnonzero(np.max(alive, axis=1) > _SMALLEST)[-1]]
    panel = _PHASE / max(2 * largest, blur_above)
    panels = Panels.doubling(0.1 / strongest, panel, last, _NODES)
    amplitude = characteristic(panels) * panels.step / (pi * panels.t)
    return LatticeLaw(panels.t.ravel(), amplitude.ravel())

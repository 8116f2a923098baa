"""What theory says of the field of random defects: its exact moments, its law, its dilute limit.

The standard deviation of a field and its typical value are two different numbers ruled by
different pairs: the width by near pairs, however rare, and ∝ √x; the median by defects at the
distance x^(−1/3), and ∝ x^(p/3) for a field of range 1/R^p, but only where that distance is many
lattice constants. So moments are exact lattice sums, quantiles come from the exact law at that
concentration, and the dilute limit stands beside them.
"""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import pi, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

from glasspipe.defects.component import Component
from glasspipe.defects.lattice import Lattice
from glasspipe.defects.tensors import Tensors
from glasspipe.elastic.printed import Interaction
from glasspipe.statistics import STATISTICS
from glasspipe.theory.continuum import stable_factor
from glasspipe.theory.homogeneous import homogeneous_field
from glasspipe.theory.lattice_law import LatticeLaw, lattice_law
from glasspipe.theory.lattice_sums import PowerSums
from glasspipe.theory.neighbours import Neighbours, Setting
from glasspipe.theory.pair_fields import pair_fields
from glasspipe.theory.population import Population
from glasspipe.theory.scaled_kinds import ScaledKinds
from glasspipe.theory.stable import StableLaw, order_statistic
from glasspipe.theory.stoichiometry import exact_moments, mixed
from glasspipe.theory.tables import table

Array = NDArray[np.float64]

_ROUNDING = 1e-9
"""A mean or a width below this fraction of the dilute limit's q95 is none."""
_ORDERS = [[1], [2], [4]]
"""With which powers of the receiver's strength its moments go."""
_ENDS = {"q05": [1], "median_abs": [1, -1], "quartile_half_width": [1, -1], "q95": [1]}
"""Where the quantiles are, over the numbers that stand for them."""


def dilute_law(
    field: str,
    receivers: tuple[Tensors, Array],
    sources: tuple[Tensors, Array],
    medium: Interaction,
    density: float,
    *,
    boundary: str = "spherical",
    box: ArrayLike = (1.0, 1.0, 1.0),
    normal: bool = False,
) -> StableLaw:
    """Law of a field as the concentration goes to 0: α-stable with α = 3/p for each receiver.

        c^α = (n/3) Γ(1 − α) cos(πα/2) ∫dΩ ⟨|g|^α⟩,   g = R^p U(R),

    with π/2 for the Γ cos at α = 1, where the law of B (whose sources have one sign) is centred at
    −(n/3) ∫dΩ ⟨g ln|g|⟩ + the boundary's homogeneous field. The average is over sources, and the
    law a mixture over receivers.

    Parameters
    ----------
    field : str
        One of ``FIELDS``.
    receivers, sources : (Tensors, array (kinds,))
        Kinds of defect and their probabilities.
    medium : Medium, CubicMedium or Printed
        The elastic medium.
    density : float
        Defects per volume n, Å⁻³.
    boundary : str
        One of :data:`glasspipe.elastic.greens.BOUNDARIES`.
    box : array (3,)
        Edges of the box in any unit.
    normal : bool
        Whether the sources are normal, with the mean and the covariance of those kinds.

    Returns
    -------
    StableLaw
        In eV. Random signs S_j, τ_j are independent.
    """
    scale = []
    centre = density * homogeneous_field(field, receivers[0], sources, medium, boundary, box)
    pairs = pair_fields(field, receivers[0], *sources, medium, normal=normal)
    for number, pair in enumerate(pairs):
        g, weight = pair.over_half_sphere()
        alpha = 3 / pair.power
        moment = 4 * pi * np.sum(weight * np.abs(g) ** alpha)
        scale.append((density / 3 * alpha * stable_factor(alpha) * moment) ** (1 / alpha))
        if not pair.symmetric:
            centre[number] -= density / 3 * 4 * pi * np.sum(weight * xlogy(g, np.abs(g)))
    return StableLaw(alpha, np.array(scale), centre, receivers[1])


@dataclass(frozen=True)
class FieldLaw:
    """Theory of one field of the defects of a periodic box, N of them at random on M sites.

    A site other than one's own is occupied with p = (N − 1)/(M − 1), or if components have
    sublattices of their own as :class:`~glasspipe.theory.neighbours.Neighbours` says. Mean and
    standard deviation are exact for the box, on one sublattice also of exact numbers of each
    component. The kurtosis, and the quantiles (of the infinite lattice), are those of independent
    sites and components: what is left out is of relative order 1/N. Where receivers have different
    mean fields, the kurtosis leaves out the product of those with the third cumulant.

    Parameters
    ----------
    setting : Setting
        Field, defects and medium.
    lattice : Lattice
        Lattice and box.
    defects : int
        N.
    boundary : str
        One of :data:`glasspipe.elastic.greens.BOUNDARIES`.
    """

    setting: Setting
    lattice: Lattice
    defects: int
    boundary: str = "spherical"

    @property
    def p(self) -> float:
        """Probability that another site holds a defect."""
        return (self.defects - 1) / max(self.lattice.sites - 1, 1)

    @cached_property
    def dilute(self) -> StableLaw:
        """The limit of small concentration, with the density of defects of this box."""
        return self._dilute(self.setting)

    def dilute_at(self, component: Component) -> StableLaw:
        """That limit at the defects of one component."""
        everyone = self.setting.population
        some = replace(self.setting, population=everyone.alone(component), others=everyone)
        return self._dilute(some)

    def _dilute(self, setting: Setting) -> StableLaw:
        unit, density = (
            _unit_dilute_law(setting, self.boundary),
            self.p * self.lattice.site_density,
        )
        scale = unit.scale * density ** (1 / unit.alpha)
        return StableLaw(unit.alpha, scale, unit.centre * density, unit.weight)

    @cached_property
    def _neighbours(self) -> list[list[Neighbours]]:
        """For the receivers of each sublattice, the defects of all sublattices around them."""
        there = {
            name: sites
            for name, sites in self.lattice.sublattices.items()
            if self.setting.population.on(name).share > 0
        }
        return [
            [
                Neighbours(
                    replace(self.setting, receivers_on=here, sources_on=name),
                    sites.seen_from(there[here]),
                    self.defects - 1,
                    self.boundary,
                )
                for name, sites in there.items()
            ]
            for here in there
        ]

    @cached_property
    def _receivers(self) -> ScaledKinds:
        """Those of all sublattices, whose probabilities add up to 1."""
        found = ScaledKinds.joined([around[0].setting.receivers for around in self._neighbours])
        return replace(found, weight=found.weight / found.weight.sum())

    @cached_property
    def _moments(self) -> Array:
        """Mean, variance and fourth cumulant of the field of each receiver, (3, receivers)."""
        unit = np.hstack([_moments(around) for around in self._neighbours])
        return unit[:, self._receivers.which] * self._receivers.strength ** np.array(_ORDERS)

    @property
    def _means(self) -> Array:
        """Mean field at each receiver (receivers,), eV."""
        return self._moments[0]

    @cached_property
    def _mixture(self) -> tuple[float, float]:
        """Mean, eV, and variance, eV², of the fields at all receivers."""
        population = self.setting.population
        if population.stoichiometry == "random" or len(self._neighbours) > 1:
            return mixed(self._receivers.weight, *self._moments[:2])
        return exact_moments(
            population.components, self.defects, self.lattice.sites, self._sums_between
        )

    def _sums_between(
        self, receivers: Population, sources: Population
    ) -> tuple[ScaledKinds, list[PowerSums]]:
        [[around]] = self._neighbours
        setting = replace(self.setting, population=receivers, others=sources)
        return setting.receivers, replace(around, setting=setting).sums

    @cached_property
    def mean(self) -> float:
        """Mean field, eV: of B, in a crystal or with a boundary that is not spherical; else 0."""
        mean = self._mixture[0]
        return mean if abs(mean) > _ROUNDING * self._typical else 0.0

    @cached_property
    def std(self) -> float:
        """Standard deviation, eV; 0 where symmetry leaves nothing but rounding."""
        std = sqrt(max(self._mixture[1], 0.0))
        return std if std > _ROUNDING * self._typical else 0.0

    @cached_property
    def kurtosis(self) -> float:
        """Excess kurtosis, nan for a field that does not vary."""
        if self.std == 0:
            return float("nan")
        means, variance, fourth = self._moments
        mean, independent = mixed(self._receivers.weight, means, variance)
        shift = (means - mean) ** 2
        fourth = fourth + 3 * variance**2 + 6 * variance * shift + shift**2
        return float(self._receivers.weight @ fourth) / independent**2 - 3

    @cached_property
    def _typical(self) -> float:
        """The 95 % quantile, eV, of the dilute limit at receivers that feel sources; 0: none do."""
        felt = self.dilute.scattered
        return felt.statistic("q95") if len(felt.scale) else 0.0

    @cached_property
    def _largest(self) -> float:
        felt = self.dilute.weight @ (self.dilute.scale > 0)
        return 1.3 * min(self._typical, 1.645 * self.std / sqrt(felt))

    @cached_property
    def law(self) -> LatticeLaw:
        """The law of the field less its mean, on the infinite lattice.

        Raises
        ------
        ValueError
            If the field does not vary.
        """
        if self.std == 0:
            raise ValueError(f"{self.setting.field} does not vary; it has no law to invert")
        around = [
            [one for one in there if one is not None]
            for neighbours in self._neighbours
            for there in zip(*(one.surroundings for one in neighbours), strict=True)
        ]
        return lattice_law(around, self._receivers, self._means - self.mean, self._largest)

    @property
    def reach(self) -> float:
        """Largest distance from the mean at which the law is known, eV; 0 if it does not vary."""
        return 2 * self._largest if self.std > 0 else 0.0

    def cdf(self, X: ArrayLike) -> Array:
        """Distribution function at X (…), eV, within :attr:`reach` of the mean."""
        return self.law.cdf(np.asarray(X, dtype=float) - self.mean)

    def density(self, X: ArrayLike) -> Array:
        """Density at X (…), eV⁻¹; X as in :meth:`cdf`."""
        return self.law.density(np.asarray(X, dtype=float) - self.mean)

    def statistic(self, name: str) -> float:
        """Theory for a statistic of :data:`glasspipe.statistics.STATISTICS`, eV (kurtosis: 1).

        Raises
        ------
        ValueError
            If there is no such statistic.
        """
        if name not in STATISTICS:
            raise ValueError(f"statistic is {name!r}; allowed are {', '.join(STATISTICS)}")
        if name in ("mean", "std", "kurtosis"):
            return float(getattr(self, name))
        if self.std == 0:
            fixed = {"median_abs": abs(self.mean), "quartile_half_width": 0.0}
            return fixed.get(name, self.mean)
        return self._quantiles[name]

    @cached_property
    def _quantiles(self) -> dict[str, float]:
        return {name: order_statistic(name, self.cdf, self._largest / 5) for name in _ENDS}

    def in_gap(self, name: str) -> bool:
        """Whether a quantile lies in or next to a gap of the law, between shells of neighbours.

        There a little probability moves it far, and so does chance a sample's. It does if between
        it and 5/4 or 4/5 of it lies less than half of what does in the dilute limit.
        """
        if name not in _ENDS or self.std == 0:
            return False
        limit = self.dilute.statistic(name)
        if limit == 0:
            return False
        found, expected = (
            self._beside(law, name, value)
            for law, value in ((self, self.statistic(name)), (self.dilute, limit))
        )
        return bool(np.any(found < expected / 2))

    def _beside(self, law: "FieldLaw | StableLaw", name: str, value: float) -> Array:
        """Probability just below and just above a quantile of a law."""
        centre = self.mean if name == "quartile_half_width" else 0.0
        ends = centre + np.outer(_ENDS[name], [4 / 5, 1, 5 / 4]) * value
        return np.abs(np.diff(law.cdf(ends), axis=1)).sum(axis=0)


@lru_cache(maxsize=256)
def field_law(
    field: str,
    *,
    population: Population,
    medium: Interaction,
    lattice: Lattice,
    defects: int,
    boundary: str = "spherical",
) -> FieldLaw:
    """Theory of one field at one point, computed once; arguments as in :class:`FieldLaw`."""
    return FieldLaw(Setting(field, population, medium), lattice, defects, boundary)


def _moments(around: list[Neighbours]) -> Array:
    """Mean, variance and fourth cumulant at each kind of receiver of a sublattice, (3, kinds).

    The sublattices add up, but for what one has the others lack.
    """
    p = np.array([one.p for one in around])
    across = np.array(
        [
            [0.0 if one is other else one.covariance_with(other) for other in around]
            for one in around
        ]
    )
    found = []
    for sums in zip(*(one.sums for one in around), strict=True):
        first = np.array([s.first for s in sums])
        variance = sum(
            s.variance(one.p, one.covariance) for s, one in zip(sums, around, strict=True)
        )
        fourth = sum(s.fourth_cumulant(one.p) for s, one in zip(sums, around, strict=True))
        found.append([p @ first, variance + first @ across @ first, fourth])
    return np.array(found).T


@table(32)
def _unit_dilute_law(setting: Setting, boundary: str) -> StableLaw:
    """The dilute law at one defect per Å³; c ∝ n^(1/α), the centre ∝ n."""
    receivers = setting.receivers.of_first_kind if setting.alike else setting.receivers
    number = len(receivers.kinds)
    unit = dilute_law(
        setting.field,
        (receivers.kinds, np.full(number, 1 / number)),
        setting.sources,
        setting.medium,
        1.0,
        boundary=boundary,
        normal=setting.normal,
    )
    scale, centre = unit.scale[receivers.which], unit.centre[receivers.which]
    strength = receivers.strength
    return StableLaw(unit.alpha, scale * np.abs(strength), centre * strength, receivers.weight)

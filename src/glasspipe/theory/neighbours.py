"""The defects around a defect: where they may be, how probable each is, and the field they make.

Defects on two sublattices see two sets of sites, which other kinds occupy with other probabilities.
Each set is symmetric about every defect, so each is treated as a lattice of its own. What depends
on neither concentration nor box is computed once for all points that share it.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from glasspipe.defects.component import exact_numbers
from glasspipe.defects.lattice import Lattice
from glasspipe.elastic.medium import CubicMedium
from glasspipe.elastic.printed import Interaction
from glasspipe.theory.continuum import Continuum, continuum
from glasspipe.theory.homogeneous import homogeneous_field
from glasspipe.theory.lattice_sums import PowerSums, box_sums, infinite_sums
from glasspipe.theory.pair_fields import PairField, pair_fields
from glasspipe.theory.population import Kinds, Population
from glasspipe.theory.scaled_kinds import ScaledKinds
from glasspipe.theory.surroundings import (
    Shell,
    Surroundings,
    cut_between,
    near_shells,
    sharp_radius,
)
from glasspipe.theory.tables import table

Array = NDArray[np.float64]

_FULL = 1e-9
"""Up to this a site is occupied."""
_LARGE = 3.0e4
"""Sites to the power (2p − 3)/3 above which a box counts as infinite."""


@dataclass(frozen=True)
class Setting:
    """What a field's law depends on besides concentration and box.

    Parameters
    ----------
    field : str
        One of ``FIELDS``: B, U_S (Σ_j U_ij S_j), h (their sum), b_gamma, b_eta, b or J_tau
        (Σ_j J_ij τ_j), with independent random signs S_j, τ_j.
    population : Population
        The defects.
    medium : Medium, CubicMedium or Printed
        The elastic medium.
    receivers_on, sources_on : str
        Sublattices of those that feel the field and of those that make it; "" for all.
    others : Population, optional
        The defects that make the field, where these are not those that feel it.
    """

    field: str
    population: Population
    medium: Interaction
    receivers_on: str = ""
    sources_on: str = ""
    others: Population | None = None

    @property
    def makers(self) -> Population:
        """The defects that make the field."""
        return (self.others or self.population).on(self.sources_on)

    @property
    def alike(self) -> bool:
        """Whether far sources are the same to all receivers, no direction being preferred."""
        receivers = self.population.on(self.receivers_on)
        return receivers.alike and not isinstance(self.medium, CubicMedium)

    @property
    def receivers(self) -> ScaledKinds:
        """Those that feel the field, and their probabilities among all defects."""
        return self.population.on(self.receivers_on).receivers(self.field)

    @property
    def normal(self) -> bool:
        """Whether the tensors of those that make it are normal, all of one strength."""
        return self.makers.normal(self.field)

    @property
    def sources(self) -> Kinds:
        """Kinds that make the field, and their probabilities, which add up to 1.

        Of normal tensors, as many as have their mean and their covariance.
        """
        made = self.makers.principal(self.field) if self.normal else self.makers.sources(self.field)
        kinds, weight = made
        return kinds, weight / weight.sum()


@dataclass(frozen=True)
class Neighbours:
    """Defects of one sublattice around those of the same one or of another.

    Of the other N − 1 defects each is of the sublattice with probability q; or, of a mixture in
    exact numbers, as many as it has there. With n of them on m sites a site is occupied with
    p = n/m.

    Parameters
    ----------
    setting : Setting
        Field, defects and medium.
    sites : Lattice
        Their sites as seen from a receiver, which is at 0.
    others : int
        N − 1.
    boundary : str
        One of :data:`glasspipe.elastic.greens.BOUNDARIES`.
    """

    setting: Setting
    sites: Lattice
    others: int
    boundary: str

    @property
    def share(self) -> float:
        """Probability q that a defect is of the sublattice."""
        return self.setting.makers.share

    @property
    def is_exact(self) -> bool:
        """Whether it is known how many of the others are of the sublattice."""
        return self.setting.makers.stoichiometry == "exact"

    @property
    def number(self) -> float:
        """Mean number n of the others that are of the sublattice."""
        makers = self.setting.makers
        if not self.is_exact:
            return self.others * self.share
        numbers = exact_numbers(self.others + 1, makers.components)
        there = zip(makers.components, numbers, strict=True)
        number = sum(n for component, n in there if component in makers.meant)
        return number - (self.setting.receivers_on == self.setting.sources_on)

    @property
    def p(self) -> float:
        """Probability that a site is occupied."""
        return self.number / max(self.sites.others, 1)

    @property
    def covariance(self) -> float:
        """Of the numbers of defects on two of the sites, −p(q − p)/(m − 1), q = 1 if n is exact."""
        share = 1.0 if self.is_exact else self.share
        return -self.p * (share - self.p) / max(self.sites.others - 1, 1)

    def covariance_with(self, elsewhere: "Neighbours") -> float:
        """Of the numbers on one of the sites and on one of another sublattice.

        −pp'/(N − 1), and 0 if both are exact.
        """
        return 0.0 if self.is_exact else -self.p * elsewhere.p / max(self.others, 1)

    @property
    def crystal(self) -> Lattice:
        """The sites without their box, so that boxes of all sizes share tables."""
        return replace(self.sites, size=1)

    @property
    def sums(self) -> list[PowerSums]:
        """Sums over the sites for each kind of receiver."""
        return _power_sums(self.setting, self.sites, self.boundary)

    @property
    def surroundings(self) -> list[Surroundings | None]:
        """What each kind of receiver has around it; None if that makes no field, or but one."""
        active, crystal = _active(self.setting), self.crystal
        sharp = sharp_radius(active[0][1].power, self.p * max(share for share, _ in active))
        near = _shells(self.setting, crystal, sharp)
        each = zip(active, near, _continua(self.setting, crystal), strict=True)
        return [
            None
            if far is None or (pair.one and self.p * share > 1 - _FULL)
            else Surroundings(self.p * share, pair, shells, cut_between(pair, crystal, sharp), far)
            for (share, pair), shells, far in each
        ]


@table(64)
def _pair_fields(setting: Setting) -> list[PairField]:
    continuous = setting.makers.continuous(setting.field)
    return pair_fields(
        setting.field,
        setting.receivers.kinds,
        *setting.sources,
        setting.medium,
        continuous=continuous,
        normal=setting.normal,
    )


def _active(setting: Setting) -> list[tuple[float, PairField]]:
    """Probability that a source makes a field at a kind, and the field of those that do."""
    return [pair.active for pair in _pair_fields(setting)]


@table(64)
def _continua(setting: Setting, crystal: Lattice) -> list[Continuum | None]:
    """The continuum around each coupled kind: one for all if no direction is preferred."""
    pairs = [pair for _, pair in _active(setting)]
    if setting.alike and pairs[0].coupled:
        return [continuum(pairs[0], crystal)] * len(pairs)
    return [continuum(pair, crystal) if pair.coupled else None for pair in pairs]


@table(64)
def _shells(setting: Setting, crystal: Lattice, sharp: float) -> list[list[Shell]]:
    """The sites around each kind of receiver, none around one that is not coupled."""
    return [
        near_shells(pair, crystal, cut_between(pair, crystal, sharp)) if pair.coupled else []
        for _, pair in _active(setting)
    ]


@table(64)
def _infinite_sums(setting: Setting, crystal: Lattice) -> list[PowerSums]:
    return [infinite_sums(pair, crystal) for pair in _pair_fields(setting)]


@table(64)
def _power_sums(setting: Setting, lattice: Lattice, boundary: str) -> list[PowerSums]:
    """Sums over the box, or over the infinite lattice where that is the same.

    The box's images change Σ U² by about M^(−(2p−3)/3), 1/M for B: the box's own kernel is used
    up to M = 30 000 for p = 3 and 480 for p = 4, and 3e-5 (relative) is neglected beyond, times a
    factor of up to 20 where nearest neighbours do not couple.
    """
    receivers = setting.receivers.kinds
    power = _pair_fields(setting)[0].power
    if lattice.sites ** ((2 * power - 3) / 3) < _LARGE:
        return box_sums(
            setting.field,
            receivers,
            *setting.sources,
            lattice=lattice,
            medium=setting.medium,
            boundary=boundary,
            normal=setting.normal,
        )
    shift = homogeneous_field(setting.field, receivers, setting.sources, setting.medium, boundary)
    shift *= lattice.others / lattice.edge**3
    sums = zip(_infinite_sums(setting, replace(lattice, size=1)), shift, strict=True)
    return [replace(s, first=s.first + float(more)) for s, more in sums]

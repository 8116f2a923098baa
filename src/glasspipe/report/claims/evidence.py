"""The numbers of a study on which claims rest, out of its result files alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from glasspipe.files import results
from glasspipe.report.claims.rules import Exponent, Measured
from glasspipe.report.observable import Results
from glasspipe.report.presentation import find_fit, pick, ratio
from glasspipe.settings.model import Model
from glasspipe.statistics import fit_power_law
from glasspipe.theory.estimates import field_scale, mean_strength

Statistic = tuple[str, str]


@dataclass(frozen=True)
class Place:
    """A point of a study.

    Parameters
    ----------
    name, series : str
        Its name, and what tells its series from others, empty if there is one only.
    x : float
        Realised concentration.
    swept : dict
        Its swept values.
    model : Model or None
        What its config describes; None where the study does not say.
    """

    name: str
    series: str
    x: float
    swept: dict[str, Any]
    model: Model | None

    @property
    def where(self) -> str:
        """Where in the study it is, as text."""
        return ", ".join(filter(None, [f"x = {self.x:.4g}", self.series]))

    def strength(self, name: str) -> float:
        """Mean modulus of a strength (gamma, eta, zeta, D) over the mixture; nan if unknown."""
        if self.model is None or self.model.source_file is not None:
            return nan
        return mean_strength(self.model.mixture, name)

    @property
    def boundary(self) -> str:
        """Boundary of its box, "" if unknown."""
        return "" if self.model is None else self.model.boundary

    @property
    def spacing(self) -> float:
        """Length a of U_0, Å."""
        return nan if self.model is None else self.model.lattice.coupling_volume ** (1 / 3)

    @property
    def field_scale(self) -> float:
        """The paper's B_0/x, γη/(4πρc_l²a³), eV; nan if unknown."""
        if self.model is None or self.model.source_file is not None:
            return nan
        return field_scale(self.model.mixture, self.model.medium, self.model.lattice)

    @property
    def stiffness(self) -> float:
        """Longitudinal modulus ρc_l² of its medium, of a crystal that of its average, eV/Å³."""
        return nan if self.model is None else self.model.medium.hill_average.longitudinal_modulus

    @property
    def density(self) -> float:
        """Defects per volume, Å⁻³."""
        return nan if self.model is None else self.x * self.model.lattice.site_density


def as_it_is(_: Place) -> float:
    """Return 1, the unit of what needs none."""
    return 1.0


@dataclass(frozen=True)
class Evidence:
    """What a study found.

    Parameters
    ----------
    summary, fits : DataFrame
        Its statistics and power laws.
    places : tuple of Place
        Its points.
    realisations : int
        Of each point.
    """

    summary: pd.DataFrame
    fits: pd.DataFrame
    places: tuple[Place, ...]
    realisations: int

    @property
    def series(self) -> list[tuple[Place, ...]]:
        """Points that differ in x alone, in rising x."""
        found: dict[str, list[Place]] = {}
        for place in self.places:
            found.setdefault(place.series, []).append(place)
        return [tuple(sorted(members, key=lambda place: place.x)) for members in found.values()]

    def known(self, what: Statistic, places: tuple[Place, ...]) -> pd.DataFrame:
        """Return ``estimate``, ``stderr`` and ``theory`` at places, nan where there is none."""
        return pick(self.summary, *what, [place.name for place in places])

    def ratios(
        self,
        above: Statistic,
        below: Statistic,
        places: tuple[Place, ...],
        unit: Callable[[Place], float] = as_it_is,
    ) -> list[Measured]:
        """Return ratios of two statistics in a unit that depends on the place."""
        table = ratio(self.known(above, places), self.known(below, places))
        return [
            Measured(float(value), float(error), place.where).over(unit(place))
            for place, value, error in zip(places, table["estimate"], table["stderr"], strict=True)
        ]

    def values(
        self, what: Statistic, places: tuple[Place, ...], unit: float = 1.0
    ) -> list[Measured]:
        """Return a statistic at places, in a unit."""
        table = self.known(what, places)
        return [
            Measured(float(value), float(error), place.where).over(unit)
            for place, value, error in zip(places, table["estimate"], table["stderr"], strict=True)
        ]

    def fit(self, what: Statistic, against: str, places: tuple[Place, ...]) -> Exponent | None:
        """Return what the study fitted to a statistic of a series."""
        shared = {k: v for k, v in places[0].swept.items() if k != results.CONCENTRATION}
        row = find_fit(self.fits, *what, against, shared)
        if row is None:
            return None
        smallest, _, largest = str(row["range"]).split(" <= ")
        return Exponent(
            float(row["exponent"]),
            float(row["stderr"]),
            float(row["prediction"]),
            float(row["p_value"]),
            int(row["points"]),
            float(smallest),
            float(largest),
        )

    def energy_scale(self, place: Place) -> float:
        """Return U_0 of a place, eV."""
        return float(self.known(("T_G", "x_U_0"), (place,))["estimate"].iloc[0]) / place.x

    def pairs(self, alike: Callable[[Place], Any]) -> Iterator[tuple[Place, Place]]:
        """Yield pairs of places for which a function returns the same."""
        first: dict[Any, Place] = {}
        for place in self.places:
            key = alike(place)
            if key is not None and first.setdefault(key, place) is not place:
                yield first[key], place


def power_law(x: list[float], y: list[Measured], realisations: int) -> Exponent | None:
    """Fit a power to numbers from so many realisations; None where fewer than two can be fitted."""
    good = [
        (a, m.estimate, m.stderr)
        for a, m in zip(x, y, strict=True)
        if a > 0 and m.known and m.estimate > 0 and m.stderr > 0
    ]
    if len({a for a, _, _ in good}) < 2:
        return None
    a, estimate, error = np.array(good).T
    made = fit_power_law(a, estimate, error, realisations=realisations)
    return Exponent(
        made.exponent, made.stderr, nan, made.p_value, len(a), float(a.min()), float(a.max())
    )


def read(found: Results) -> Evidence:
    """Return what a study found; points with stray fields or static dipoles are left out.

    Statements are about the fields of γ, η and ζ.

    Raises
    ------
    DataError
        If one of them is missing or cannot be used.
    """
    summary = found.summary
    keys = results.swept_keys(summary, results.SUMMARY_COLUMNS)
    models = {files.name: files.point.model for files in found.study.points}
    points = summary.drop_duplicates("point")
    about = found.curves(results.LOW_ENERGY)
    apart = set(about["point"].values[about["other_fields"].values > 0])
    others = [k for k in keys if k != results.CONCENTRATION and points[k].nunique() > 1]
    places = tuple(
        Place(
            row["point"],
            ", ".join(f"{key} = {row[key]}" for key in others),
            float(row["x"]),
            {key: row[key] for key in keys},
            models.get(row["point"]),
        )
        for row in points.to_dict("records")
        if row["point"] not in apart
    )
    return Evidence(summary, found.fits, places, int(found.config.get("realisations", 0)))

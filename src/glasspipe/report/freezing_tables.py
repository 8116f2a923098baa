"""Tables and headlines of how spins froze: T_G, quality, and how many sweeps are enough."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glasspipe.files import results
from glasspipe.report.freezing_results import (
    DECOUPLED,
    ENERGY,
    FIELD,
    FIELD_HALF,
    GAP,
    HALF,
    HEAT,
    PEAK,
    QUALITY,
    SCALE,
    T_G,
)
from glasspipe.report.presentation import Axis, Series, pick, plus_minus, points_of
from glasspipe.spins.diagnostics import CRITERIA, ERRORS, complaints

SWEEPS = "freeze.sweeps"
ACCURACIES = (0.01, 0.005, 0.002)
"""Wanted excess of the energy over its limit, in units of it."""

LIMIT = "limit of E/N (eV)"
"""The column of E_∞/N."""
BOUND = "<="
"""Before a number of sweeps that is the fewest measured, and more than enough."""
_MOST_DIGITS = 2
_NOT_JUDGED = ("unstable", "swap_rate", *ERRORS)
_FEWEST = 3
"""Numbers of sweeps that tell a limit."""
_MEASURES = {
    "alignment with B": ("−⟨S sgn B⟩", "1 where every spin follows its own field"),
    "overlap of frozen replicas": ("|q| of frozen replicas", "1 where all end in one state"),
}
_CORRELATIONS = ("correlation of B and U_S", "correlation of |B| and U_norm")
"""Columns of what the random fields do, with their titles in the headlines and remarks."""
_EXPONENT = 0.2
"""Above the lowest energies known, annealed ones fall as sweeps^−0.17 to −0.25."""
Array = NDArray[np.float64]


def freezing(summary: pd.DataFrame) -> pd.DataFrame:
    """Return E/N, T_G, the exponent of the gap and the quality, a row a point.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    """
    points = points_of(summary)
    wanted = {
        "E/N (eV)": (ENERGY, "frozen"),
        "T_G of the overlap (eV)": (T_G, HALF),
        "T_G of the heat (eV)": (T_G, PEAK),
        "T_G of B alone (eV)": (T_G, FIELD_HALF),
        "T of the heat of decoupled spins (eV)": (T_G, DECOUPLED),
        "largest heat (k_B)": (HEAT, "peak"),
        "largest heat of decoupled spins (k_B)": (HEAT, "decoupled_peak"),
        "exponent of the gap": (GAP, "exponent"),
        "alignment with B": (FIELD, "alignment"),
        "correlation of B and U_S": (FIELD, "B_and_U_S"),
        "correlation of |B| and U_norm": (FIELD, "size_B_and_U"),
        "overlap of frozen replicas": (FIELD, "overlap"),
        **{name: (QUALITY, name) for name in (*_NOT_JUDGED, *CRITERIA)},
    }
    for column, (quantity, statistic) in wanted.items():
        picked = pick(summary, quantity, statistic)
        points[column] = picked["estimate"].to_numpy()
        points[f"{column} stderr"] = picked["stderr"].to_numpy()
    points["xU_0 (eV)"] = pick(summary, T_G, SCALE)["estimate"].to_numpy()
    poor = _complaints(summary, points["point"])
    points["quality"] = ["; ".join(found) or "good" for found in poor]
    return points


def _complaints(summary: pd.DataFrame, names: Iterable[str]) -> list[list[str]]:
    found = {name: pick(summary, QUALITY, name)["estimate"] for name in CRITERIA}
    return [complaints({name: values[point] for name, values in found.items()}) for point in names]


@dataclass(frozen=True)
class Convergence:
    """E(s)/N = limit + amplitude · s^−0.2 after s sweeps, eV, and the worst residual of the fit."""

    limit: float
    amplitude: float
    residual: float

    def energy(self, sweeps: Array) -> Array:
        """Return E/N after some sweeps."""
        return self.limit + self.amplitude * sweeps**-_EXPONENT

    def sweeps(self, accuracy: float) -> float:
        """Return how many sweeps bring the energy within a fraction ``accuracy`` of its limit."""
        return float((self.amplitude / (accuracy * abs(self.limit))) ** (1 / _EXPONENT))


def converge(sweeps: Array, energy: Array) -> Convergence | None:
    """Fit the limit of mean energies of the same samples after more and more sweeps.

    The exponent is given: what a few energies say about limit and exponent together is too little.

    Parameters
    ----------
    sweeps, energy : arrays
        Sweeps and mean energies per spin, eV.

    Returns
    -------
    Convergence or None
        None with fewer than three different numbers of sweeps, or without convergence.
    """
    if len(np.unique(sweeps)) < _FEWEST:
        return None
    design = np.stack([np.ones(len(sweeps)), sweeps**-_EXPONENT], axis=1)
    (limit, amplitude), *_ = np.linalg.lstsq(design, energy)
    residual = np.abs(design @ (limit, amplitude) - energy).max()
    if not amplitude > 0 > limit:
        return None
    return Convergence(float(limit), float(amplitude), float(residual))


@dataclass(frozen=True)
class Annealing:
    """Energies of the same samples after more and more sweeps.

    Parameters
    ----------
    shared : dict
        The other swept values.
    sweeps, energy, error : arrays
        Sweeps in rising order, E/N and its standard error, eV.
    fit : Convergence or None
        Its limit, if there is one.
    """

    shared: dict[str, Any]
    sweeps: Array
    energy: Array
    error: Array
    fit: Convergence | None

    def needed(self, accuracy: float) -> float:
        """Return the sweeps for a fraction ``accuracy`` of the limit, at least the fewest measured.

        What the fit has below them is a guess, and beyond the most measured an extrapolation. NaN
        without a fit, or where its residuals exceed what is asked for.
        """
        if self.fit is None or self.fit.residual > accuracy * abs(self.fit.limit):
            return float("nan")
        number = float(f"{self.fit.sweeps(accuracy):.{_MOST_DIGITS}g}")
        return max(number, float(self.sweeps.min()))

    def bound(self, accuracy: float) -> str:
        """Return :data:`BOUND` where the fewest measured are enough, else nothing."""
        return BOUND if self.needed(accuracy) <= self.sweeps.min() else ""

    def shown(self, accuracy: float) -> str:
        """Return the sweeps needed as text, ``3100`` or ``<= 20``, empty if they are not known."""
        number = self.needed(accuracy)
        return f"{self.bound(accuracy)} {number:.10g}".lstrip() if np.isfinite(number) else ""


def annealings(summary: pd.DataFrame) -> list[Annealing]:
    """Return the energies against sweeps, one for all other swept values, where sweeps are swept.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    """
    keys = results.swept_keys(summary, results.SUMMARY_COLUMNS)
    if SWEEPS not in keys:
        return []
    others = [key for key in keys if key != SWEEPS]
    energies = summary[(summary["quantity"] == ENERGY) & (summary["statistic"] == "frozen")]
    found = []
    for values, group in energies.groupby(others, sort=False) if others else [((), energies)]:
        ordered = group.sort_values(SWEEPS, kind="stable")
        sweeps, energy, error = (
            ordered[name].to_numpy(float) for name in (SWEEPS, "estimate", "stderr")
        )
        shared = dict(zip(others, values, strict=True))
        found.append(Annealing(shared, sweeps, energy, error, converge(sweeps, energy)))
    return found


def sweeps_needed(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the sweeps for several accuracies of the energy, a row each, where sweeps are swept.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    """
    keys = results.swept_keys(summary, results.SUMMARY_COLUMNS)
    others = [key for key in keys if key != SWEEPS]
    columns = [*others, "accuracy", "bound", "sweeps", LIMIT]
    rows = [
        {
            **annealing.shared,
            "accuracy": accuracy,
            "bound": annealing.bound(accuracy),
            "sweeps": annealing.needed(accuracy),
            LIMIT: annealing.fit.limit if annealing.fit else np.nan,
        }
        for annealing in annealings(summary)
        if len(np.unique(annealing.sweeps)) >= _FEWEST
        for accuracy in ACCURACIES
    ]
    return pd.DataFrame(rows, columns=columns)


def study_headlines(summary: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Return name, value and remark of what is said of all points: the poor ones, and the sweeps.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    """
    table = freezing(summary)
    poor = table[table["quality"] != "good"]
    found = []
    if len(poor):
        first = poor.iloc[0]
        number = f"{len(poor)} of {len(table)} points"
        found.append(("poorly frozen", number, f"such as {first['point']}: {first['quality']}"))
    for annealing in annealings(summary):
        number = annealing.shown(ACCURACIES[0])
        if annealing.fit is not None and number:
            about = f"of the limit for ever slower annealing, {annealing.fit.limit:.5g} eV"
            where = ", ".join(f"{key} = {value}" for key, value in annealing.shared.items())
            name = f"sweeps for E within {100 * ACCURACIES[0]:g} %"
            found.append((f"{name}, {where}" if where else name, number, about))
    return found


def headlines(summary: pd.DataFrame, series: Series, axis: Axis) -> list[tuple[str, str, str]]:
    """Return name, value and remark of what a reader of the study must know about its freezing.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    series : Series
        Which of its points.
    axis : Axis
        What they are along.
    """
    table = freezing(summary).set_index("point").loc[series.points]
    places = [axis.at(position) for position in series.position]
    found = [
        line
        for (_, point), where in zip(table.iterrows(), places, strict=True)
        for line in _temperature(point, where)
    ]
    for number in sorted({0, len(places) - 1}):
        found += _in_fields(table.iloc[number], places[number])
    return found


def _temperature(point: pd.Series, where: str) -> list[tuple[str, str, str]]:
    """The lines on T_G by its definitions, and beside each what spins without couplings have."""
    scale = point["xU_0 (eV)"]
    if not scale > 0:
        return []

    def shown(name: str) -> str:
        value, error = point[name] / scale, point[f"{name} stderr"] / scale
        return plus_minus(value, error) if np.isfinite(value) else ""

    half, heat = shown("T_G of the overlap (eV)"), shown("T_G of the heat (eV)")
    alone = shown("T_G of B alone (eV)")
    decoupled = shown("T of the heat of decoupled spins (eV)")
    title, lines = f"T_G/xU_0 at {where}", []
    if half:
        remark = "replicas overlap by one half"
        lines.append((title, half, f"{remark}; by B alone at {alone}" if alone else remark))
    if heat:
        several = np.isfinite(point["overlap of frozen replicas"])
        nowhere = "; replicas nowhere overlap by one half" if several and not half else ""
        beside = f"; of spins decoupled in their final fields at {decoupled}" if decoupled else ""
        name = f"T_C/xU_0 at {where}" if half else title
        lines.append((name, heat, f"largest dE/dT{beside}{nowhere}"))
    return lines


def _in_fields(point: pd.Series, where: str) -> list[tuple[str, str, str]]:
    """The lines on what the random fields do to the frozen spins."""
    measured = {
        name: plus_minus(point[name], point[f"{name} stderr"])
        for name in (*_MEASURES, *_CORRELATIONS)
        if np.isfinite(point[name])
    }
    correlated = [f"{name} {measured[name]}" for name in _CORRELATIONS if name in measured]
    lines = []
    for name, (title, remark) in _MEASURES.items():
        remarks = [remark, *(correlated if name == "alignment with B" else [])]
        if name in measured:
            lines.append((f"{title} at {where}", measured[name], "; ".join(remarks)))
    return lines

"""Tables and headlines of how spins froze: T_G, quality, and how many sweeps are enough."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glasspipe import results
from glasspipe.diagnostics import CRITERIA, complaints
from glasspipe.freezing_results import ENERGY, FIELD_HALF, GAP, HALF, PEAK, QUALITY, SCALE, T_G
from glasspipe.presentation import Series, pick, plus_minus

SWEEPS = "freeze.sweeps"
ACCURACIES = (0.01, 0.005, 0.002)
"""Wanted excess of the energy over its limit, in units of it."""

_MOST_DIGITS = 2
_EXPONENTS = np.linspace(0.05, 2.0, 391)
Array = NDArray[np.float64]


def freezing(summary: pd.DataFrame) -> pd.DataFrame:
    """Return E/N, T_G, the exponent of the gap and the quality, a row a point.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    """
    keys = results.swept_keys(summary, results.SUMMARY_COLUMNS)
    points = summary.drop_duplicates("point")[["point", *keys, "x"]].reset_index(drop=True)
    names = points["point"].tolist()
    wanted = {
        "E/N (eV)": (ENERGY, "frozen"),
        "T_G of the overlap (eV)": (T_G, HALF),
        "T_G of the heat (eV)": (T_G, PEAK),
        "T_G of B alone (eV)": (T_G, FIELD_HALF),
        "exponent of the gap": (GAP, "exponent"),
        **{name: (QUALITY, name) for name in ("unstable", *CRITERIA)},
    }
    for column, (quantity, statistic) in wanted.items():
        picked = pick(summary, quantity, statistic, names)
        points[column] = picked["estimate"].to_numpy()
        points[f"{column} stderr"] = picked["stderr"].to_numpy()
    points["xU_0 (eV)"] = pick(summary, T_G, SCALE, names)["estimate"].to_numpy()
    points["quality"] = ["; ".join(poor) or "good" for poor in _complaints(summary, names)]
    return points


def _complaints(summary: pd.DataFrame, names: list[str]) -> list[list[str]]:
    found = {name: pick(summary, QUALITY, name, names)["estimate"] for name in CRITERIA}
    return [complaints({name: values[point] for name, values in found.items()}) for point in names]


@dataclass(frozen=True)
class Convergence:
    """E(s)/N = limit + amplitude · s^(−exponent) after s sweeps.

    Parameters
    ----------
    limit, amplitude : float
        eV.
    exponent : float
        How fast it converges.
    """

    limit: float
    amplitude: float
    exponent: float

    def sweeps(self, accuracy: float) -> float:
        """Return how many sweeps bring the energy within a fraction ``accuracy`` of its limit."""
        return float((self.amplitude / (accuracy * abs(self.limit))) ** (1 / self.exponent))


def converge(sweeps: Array, energy: Array) -> Convergence | None:
    """Fit a power law with a limit to mean energies of the same samples, by least squares.

    Parameters
    ----------
    sweeps, energy : arrays
        Sweeps and mean energies per spin, eV.

    Returns
    -------
    Convergence or None
        None with fewer than four different numbers of sweeps, or without convergence.
    """
    if len(np.unique(sweeps)) < 4:
        return None
    best, least = None, np.inf
    for exponent in _EXPONENTS:
        design = np.stack([np.ones(len(sweeps)), sweeps**-exponent], axis=1)
        (limit, amplitude), *_ = np.linalg.lstsq(design, energy)
        error = float(np.sum((design @ (limit, amplitude) - energy) ** 2))
        if error < least:
            best, least = Convergence(float(limit), float(amplitude), float(exponent)), error
    return best if best and best.amplitude > 0 and best.limit < 0 else None


def sweeps_needed(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the sweeps for several accuracies of the energy, a row each, where sweeps are swept.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    """
    keys = results.swept_keys(summary, results.SUMMARY_COLUMNS)
    others = [key for key in keys if key != SWEEPS]
    columns = [*others, "accuracy", "sweeps", "limit of E/N (eV)", "exponent"]
    rows: list[dict[str, Any]] = []
    energies = summary[(summary["quantity"] == ENERGY) & (summary["statistic"] == "frozen")]
    if SWEEPS not in keys:
        energies = energies.iloc[:0]
    for values, group in energies.groupby(others, sort=False) if others else [((), energies)]:
        if SWEEPS not in group or group.empty:
            continue
        fit = converge(group[SWEEPS].to_numpy(float), group["estimate"].to_numpy(float))
        if fit is None:
            continue
        for accuracy in ACCURACIES:
            needed = float(f"{fit.sweeps(accuracy):.{_MOST_DIGITS}g}")
            about = {"accuracy": accuracy, "sweeps": needed}
            known = {"limit of E/N (eV)": fit.limit, "exponent": fit.exponent}
            rows.append({**dict(zip(others, values, strict=True)), **about, **known})
    return pd.DataFrame(rows, columns=columns)


def headlines(summary: pd.DataFrame, series: Series) -> list[tuple[str, str, str]]:
    """Return name, value and remark of what a reader of the study must know about its freezing.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    series : Series
        Which of its points.
    """
    table = freezing(summary).set_index("point").loc[series.points]
    found = []
    for _, point in table.iterrows():
        where = f"x = {point['x']:.4g}"
        half, error = point["T_G of the overlap (eV)"], point["T_G of the overlap (eV) stderr"]
        scale = point["xU_0 (eV)"]
        if np.isfinite(half) and np.isfinite(scale):
            value = plus_minus(half / scale, error / scale)
            found.append((f"T_G/xU_0 at {where}", value, "replicas overlap by one half"))
    poor = table["quality"][table["quality"] != "good"].tolist()
    if poor:
        number = f"{len(poor)} of {len(table)} points"
        found.append(("poorly frozen", number, f"such as: {poor[0]}"))
    needed = sweeps_needed(summary[summary["point"].isin(series.points)])
    if len(needed):
        chosen = needed[needed["accuracy"] == ACCURACIES[0]].iloc[0]
        percent = f"{100 * ACCURACIES[0]:g} %"
        about = f"extrapolated with the exponent {chosen['exponent']:.2f}"
        found.append((f"sweeps for E within {percent}", f"{chosen['sweeps']:g}", about))
    return found

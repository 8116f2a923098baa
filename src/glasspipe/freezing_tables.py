"""Tables and headlines of how spins froze: T_G, quality, and how many sweeps are enough."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glasspipe import results
from glasspipe.diagnostics import CRITERIA, complaints
from glasspipe.freezing_results import (
    ENERGY,
    FIELD,
    FIELD_HALF,
    GAP,
    HALF,
    PEAK,
    QUALITY,
    SCALE,
    T_G,
)
from glasspipe.presentation import Series, pick, plus_minus

SWEEPS = "freeze.sweeps"
ACCURACIES = (0.01, 0.005, 0.002)
"""Wanted excess of the energy over its limit, in units of it."""

_MOST_DIGITS = 2
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
    keys = results.swept_keys(summary, results.SUMMARY_COLUMNS)
    points = summary.drop_duplicates("point")[["point", *keys, "x"]].reset_index(drop=True)
    names = points["point"].tolist()
    wanted = {
        "E/N (eV)": (ENERGY, "frozen"),
        "T_G of the overlap (eV)": (T_G, HALF),
        "T_G of the heat (eV)": (T_G, PEAK),
        "T_G of B alone (eV)": (T_G, FIELD_HALF),
        "exponent of the gap": (GAP, "exponent"),
        "alignment with B": (FIELD, "alignment"),
        "correlation of B and U_S": (FIELD, "B_and_U_S"),
        "correlation of |B| and U_norm": (FIELD, "size_B_and_U"),
        "overlap of frozen replicas": (FIELD, "overlap"),
        **{name: (QUALITY, name) for name in ("unstable", "swap_rate", *CRITERIA)},
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
    """E(s)/N = limit + amplitude · s^−0.2 after s sweeps, eV."""

    limit: float
    amplitude: float

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
    if len(np.unique(sweeps)) < 3:
        return None
    design = np.stack([np.ones(len(sweeps)), sweeps**-_EXPONENT], axis=1)
    (limit, amplitude), *_ = np.linalg.lstsq(design, energy)
    return Convergence(float(limit), float(amplitude)) if amplitude > 0 > limit else None


def sweeps_needed(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the sweeps for several accuracies of the energy, a row each, where sweeps are swept.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    """
    keys = results.swept_keys(summary, results.SUMMARY_COLUMNS)
    others = [key for key in keys if key != SWEEPS]
    columns = [*others, "accuracy", "sweeps", "limit of E/N (eV)"]
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
            known = {"limit of E/N (eV)": fit.limit}
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
        about = f"of the limit for ever slower annealing, {chosen['limit of E/N (eV)']:.5g} eV"
        found.append((f"sweeps for E within {percent}", f"{chosen['sweeps']:g}", about))
    return found

"""How well the spins were frozen, judged from inside."""

from collections.abc import Sequence

import pandas as pd

from glasspipe.report.observable import Line, Measured, Observable, Results, Row
from glasspipe.report.point_data import PointData
from glasspipe.report.presentation import pick, points_of
from glasspipe.spins import diagnostics
from glasspipe.spins.diagnostics import CRITERIA, ERRORS, complaints

QUALITY = "quality"
"""Quantity of the summary's rows."""
JUDGED = ("unstable", "swap_rate", *ERRORS, *CRITERIA)
"""Statistics of its rows."""


def measure(point: PointData) -> Measured:
    """Return what spoils a frozen state, and what would show that it is poor."""
    found = diagnostics.measures(
        point.frozen, swap_rate=point.model.freeze.get("swap_rate", float("nan"))
    )
    values = {"unstable": point.frozen["unstable"], **found}
    rows = [Row.mean(QUALITY, name, each) for name, each in values.items()]
    return Measured([row for row in rows if row.known])


def verdicts(summary: pd.DataFrame) -> list[str]:
    """Return "good", or what is poor, of every point."""
    names = points_of(summary)["point"]
    return ["; ".join(found) or "good" for found in _complaints(summary, names)]


def _complaints(summary: pd.DataFrame, names: Sequence[str]) -> list[list[str]]:
    found = {name: pick(summary, QUALITY, name)["estimate"] for name in CRITERIA}
    return [complaints({name: values[point] for name, values in found.items()}) for point in names]


def overall(found: Results) -> list[Line]:
    """Return how many points are poorly frozen, if any are."""
    names, told = points_of(found.summary)["point"], verdicts(found.summary)
    poor = [
        f"such as {name}: {why}" for name, why in zip(names, told, strict=True) if why != "good"
    ]
    return [("poorly frozen", f"{len(poor)} of {len(told)} points", poor[0])] if poor else []


OBSERVABLE = Observable(name="quality", measure=measure, overall=overall)

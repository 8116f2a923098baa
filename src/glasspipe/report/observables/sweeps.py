"""The energy of the frozen state, and how many sweeps are enough for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glasspipe.files import results
from glasspipe.report import layout
from glasspipe.report.drawing import COLOURS
from glasspipe.report.latex import NONE, asked, key_columns, numbers, tabular, words
from glasspipe.report.observable import Figure, Line, Measured, Observable, Results, Row, Table
from glasspipe.report.point_data import PointData
from glasspipe.report.presentation import decade, powered, series_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

Array = NDArray[np.float64]

ENERGY = "E/N"
"""Quantity of the summary's row."""
SWEEPS = "freeze.sweeps"
ACCURACIES = (0.01, 0.005, 0.002)
"""Wanted excess of the energy over its limit, in units of it."""

LIMIT = "limit of E/N (eV)"
"""The column of E_∞/N."""
BOUND = "<="
"""Before a number of sweeps that is the fewest measured, and more than enough."""
_MOST_DIGITS = 2
_FEWEST = 3
"""Numbers of sweeps that tell a limit."""
_EXPONENT = 0.2
"""Above the lowest energies known, annealed ones fall as sweeps^−0.17 to −0.25."""
_DASHES = ("--", "-.", ":")
_BEYOND = 3.0
"""How far beyond the most sweeps the fit is drawn."""


def measure(point: PointData) -> Measured:
    """Return the mean energy of the frozen state per spin."""
    return Measured([Row.mean(ENERGY, "frozen", point.frozen["energy"] / point.number_of_spins)])


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
    label : str
        What tells them from others.
    shared : dict
        The other swept values.
    sweeps, energy, error : arrays
        Sweeps in rising order, E/N and its standard error, eV.
    fit : Convergence or None
        Its limit, if there is one.
    """

    label: str
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
    """Return the energies against sweeps, one for all other swept values, if sweeps are swept."""
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
        label = series_label(shared, ordered["point"].iloc[0])
        found.append(Annealing(label, shared, sweeps, energy, error, converge(sweeps, energy)))
    return found


def sweeps_needed(found: Results) -> pd.DataFrame:
    """Return the sweeps for several accuracies of the energy, a row each, if sweeps are swept."""
    summary = found.summary
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


def overall(found: Results) -> list[Line]:
    """Return how many sweeps are enough, for every series of sweeps."""
    lines = []
    for annealing in annealings(found.summary):
        number = annealing.shown(ACCURACIES[0])
        if annealing.fit is not None and number:
            about = f"of the limit for ever slower annealing, {annealing.fit.limit:.5g} eV"
            where = ", ".join(f"{key} = {value}" for key, value in annealing.shared.items())
            name = f"sweeps for E within {100 * ACCURACIES[0]:g} %"
            lines.append((f"{name}, {where}" if where else name, number, about))
    return lines


def energy_sweeps(found: Results) -> Drawing:
    """E/N against the sweeps with the fit of its limit, and how many are enough."""
    curves = annealings(found.summary)
    figure, [panels] = layout.grid(found.style, 1, max(1, len(curves)), height=2.8, sharey=False)
    for axes in panels:
        axes.set(xscale="log", xlabel="sweeps")
    for axes, annealing in zip(panels, curves, strict=False):
        _draw_annealing(axes, annealing, *found.style.energy)
        axes.set_title(annealing.label)
    if not curves:
        panels[0].set_ylabel("$E/N$")
    layout.note_if_empty(panels[0], f"{SWEEPS}\nis not swept")
    return figure


def _draw_annealing(axes: Axes, annealing: Annealing, unit: float, name: str) -> None:
    power = decade(annealing.energy / unit)
    name, unit = powered(power, name), unit * 10.0**power
    sweeps = annealing.sweeps
    axes.errorbar(
        sweeps,
        annealing.energy / unit,
        annealing.error / unit,
        linestyle="none",
        marker="o",
        color=COLOURS[0],
    )
    axes.set(ylabel=f"$E/N$ ({name})", xlim=(sweeps.min() / 1.6, _BEYOND * sweeps.max()))
    fit = annealing.fit
    if fit is None:
        return
    s = np.geomspace(sweeps.min(), _BEYOND * sweeps.max(), 100)
    axes.plot(s, fit.energy(s) / unit, color=COLOURS[0])
    axes.axhline(fit.limit / unit, color="grey", linewidth=0.8)
    entries = [layout.key("limit", color="grey")]
    for accuracy, dashes in zip(ACCURACIES, _DASHES, strict=True):
        style: dict[str, Any] = {"color": "black", "linestyle": dashes, "linewidth": 0.8}
        number = annealing.shown(accuracy)
        entries.append(layout.key(f"{100 * accuracy:g} %: {number or '--'}", **style))
        needed = annealing.needed(accuracy)
        if number and needed <= axes.get_xlim()[1]:
            axes.axvline(needed, **style)
    layout.legend(axes, entries, title="sweeps to be within", loc="upper right")


def sweeps_latex(found: Results) -> str:
    """Return the table of the sweeps for several accuracies in LaTeX."""
    table = sweeps_needed(found)
    fixed = ("accuracy", "bound", "sweeps", LIMIT)
    labels = key_columns(table, [key for key in table.columns if key not in fixed])
    needed = zip(table["bound"], table["sweeps"], strict=True)
    columns = [
        asked("accuracy", table["accuracy"]),
        words("sweeps", [_cell(bound, sweeps) for bound, sweeps in needed]),
        numbers(r"$E_\infty/N$", table[LIMIT], found.style.energy),
    ]
    return tabular(labels, columns, r"Accuracy: of $E_\infty$.")


def _cell(bound: str, sweeps: float) -> str:
    shown = rf"\le {sweeps:.0f}" if bound else f"{sweeps:.0f}"
    return f"${shown}$" if np.isfinite(sweeps) else NONE


OBSERVABLE = Observable(
    name="sweeps",
    measure=measure,
    overall=overall,
    figures=(
        Figure(
            name="energy_sweeps",
            caption=r"""
            The energy per spin against the sweeps of annealing, where they are swept,
            with the fit :math:`E_\infty+A\,\mathrm{sweeps}^{-0.2}`, its limit (grey),
            and the sweeps that come within 1, 0.5 and 0.2 % of it. Bars are the errors
            of the samples, which all points share: differences between points are
            known better.
            """,
            needs=(SWEEPS,),
            draw=energy_sweeps,
        ),
    ),
    tables=(Table(name="sweeps", needs=(SWEEPS,), values=sweeps_needed, latex=sweeps_latex),),
)

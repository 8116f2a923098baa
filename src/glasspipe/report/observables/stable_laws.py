"""Which stable law the fields follow: of a free index, and of the limit's (Cauchy's for B).

Few defects make B a Cauchy variable, b one of the stable law of index 3/4 and Σ_j J_ij τ_j of that
of 3/5. On a lattice fields have a largest value, so that at higher concentrations none of these is
their law, which the goodness of the fit tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from glasspipe.report import drawing, layout
from glasspipe.report.drawing import COLOURS
from glasspipe.report.kinds import LIMIT, LIMIT_OF_SIGNS, SIGNS
from glasspipe.report.latex import measured, numbers, point_columns, tabular
from glasspipe.report.observable import Figure, Measured, Observable, Results, Row, Table
from glasspipe.report.observables.fields import ASYMPTOTIC
from glasspipe.report.point_data import PointData
from glasspipe.report.presentation import SYMBOLS, arrange, joined, pick, points_of
from glasspipe.theory.stable_fit import StableFit, fit_stable

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

if TYPE_CHECKING:
    from glasspipe.report.expectation import Expectation

INDEX, SCALE, DISTANCE, CHANCE = "stable_index", "stable_scale", "stable_distance", "stable_p"
"""Statistics of the law of a free index."""
LIMIT_SCALE, LIMIT_DISTANCE, LIMIT_CHANCE = "limit_scale", "limit_distance", "limit_p"
"""Those of the law of the limit's index."""
_ROUNDING = 1e-9
"""Of a typical field: what scatters less does not."""
_REJECTED = 0.01
"""Chance below which the law is not the field's; 200 resamples resolve no less than 0.005."""
_SHOWN = ("B", "b", "J_tau")
_STYLES: dict[str, dict[str, Any]] = {
    name: {"color": colour, "marker": marker}
    for name, colour, marker in zip(_SHOWN, COLOURS, ("o", "s", "^"), strict=False)
}


def measure(point: PointData) -> Measured:
    """Return the stable laws that fit the fields, and how well they do."""
    rows = []
    for number, quantity in enumerate(ASYMPTOTIC):
        known, rng = point.known[quantity], point.rng("stable_laws", number)
        values = point.values[quantity]
        typical = np.median(np.abs(values))
        values = values - (known.limit.mean_centre if known.has_limit else np.median(values))
        if np.median(np.abs(values)) > _ROUNDING * typical > 0:
            free = fit_stable(values, rng, resamples=point.bootstrap)
            fixed = fit_stable(values, rng, index=known.limit.alpha, resamples=point.bootstrap)
            rows += _rows(quantity, free, fixed, known)
    return Measured([row for row in rows if row.known])


def _rows(quantity: str, free: StableFit, fixed: StableFit, known: Expectation) -> list[Row]:
    """Return the rows of a field; where its limit is a mixture there is no index or scale of it."""
    kind = LIMIT_OF_SIGNS if SIGNS in known.kind else LIMIT
    single = known.coupled and known.limit.is_single
    index, scale = (known.limit.alpha, known.scale) if single else (np.nan, np.nan)
    return [
        Row(quantity, INDEX, free.index, free.index_error, index, kind),
        Row(quantity, SCALE, free.scale, free.scale_error, scale, kind),
        Row(quantity, DISTANCE, free.distance),
        Row(quantity, CHANCE, free.p_value),
        Row(quantity, LIMIT_SCALE, fixed.scale, fixed.scale_error, scale, kind),
        Row(quantity, LIMIT_DISTANCE, fixed.distance),
        Row(quantity, LIMIT_CHANCE, fixed.p_value),
    ]


def stable_index(found: Results) -> Drawing:
    """The fitted index along the axis, and how far the law is from the field's, a column a series.

    Open marks are of the law with the index of the limit.
    """
    summary = found.summary
    arrangement = arrange(summary)
    figure, grid = layout.grid(found.style, 2, len(arrangement.series), height=4.2, sharex=True)
    for (top, bottom), series in zip(grid.T, arrangement.series, strict=False):
        drawing.set_axis([top, bottom], arrangement)
        top.set_title(series.label)
        bottom.set_yscale("log")
        for name, style in _STYLES.items():
            index = pick(summary, name, INDEX, series.points)
            drawing.estimates(top, series, index, style, LIMIT)
            for statistic, fill in ((DISTANCE, style["color"]), (LIMIT_DISTANCE, "white")):
                apart = pick(summary, name, statistic, series.points)
                drawing.estimates(bottom, series, apart, style | {"markerfacecolor": fill})
        layout.note_if_empty(top, "no fields")
    layout.label_rows(grid, r"stable index $\alpha$", "largest distance\nof distributions")
    entries = [layout.key(f"${SYMBOLS[name]}$", ls="", **_STYLES[name]) for name in _SHOWN]
    entries.append(layout.key("few defects", color="black", **drawing.bars(LIMIT)))
    free = layout.key("index of few defects", ls="", color="grey", marker="o", mfc="white")
    layout.legend(figure, layout.drawn(figure, [*entries, free]))
    return figure


def values(found: Results) -> pd.DataFrame:
    """Return the fits of all fields, a row a point; scales in eV."""
    summary = found.summary
    table = points_of(summary)
    for name in ASYMPTOTIC:
        for statistic in (INDEX, SCALE, LIMIT_SCALE):
            unit = "" if statistic == INDEX else " (eV)"
            table = joined(table, {f"{name} {statistic}": pick(summary, name, statistic)}, unit)
        for statistic in (DISTANCE, CHANCE, LIMIT_DISTANCE, LIMIT_CHANCE):
            table[f"{name} {statistic}"] = pick(summary, name, statistic)["estimate"].to_numpy()
    return table


def latex(found: Results) -> str:
    """Return indices, scales and chances of the shown fields in LaTeX."""
    summary = found.summary
    columns = []
    for name in _SHOWN:
        symbol = f"${SYMBOLS[name]}$"
        columns += [
            measured(rf"$\alpha$ of {symbol}", pick(summary, name, INDEX)),
            numbers("$p$", pick(summary, name, CHANCE)["estimate"]),
            measured(f"$c$ of {symbol}", pick(summary, name, LIMIT_SCALE), found.style.energy),
            numbers("$p$", pick(summary, name, LIMIT_CHANCE)["estimate"]),
        ]
    note = (
        r"Symmetric stable laws $e^{-|ct|^\alpha}$ of maximum likelihood: the index $\alpha$,"
        r" and the scale $c$ for the index of few defects (1, 3/4, 3/5). $p$: chance of a larger"
        rf" distance if the field followed the law; below {_REJECTED} it does not."
    )
    return tabular(point_columns(points_of(summary)), columns, note)


OBSERVABLE = Observable(
    name="stable_laws",
    measure=measure,
    figures=(
        Figure(
            name="stable_index",
            caption=r"""
            The index :math:`\alpha` of the symmetric stable law that fits
            :math:`B`, :math:`b` and :math:`\sum_j J_{ij}\tau_j` best, with that
            of few defects (bars: 1, 3/4 and 3/5), and the largest distance
            between the distribution functions of the modulus and of the law;
            open: of the law that has the index of few defects.
            """,
            draw=stable_index,
        ),
    ),
    tables=(Table(name="stable_laws", values=values, latex=latex),),
)

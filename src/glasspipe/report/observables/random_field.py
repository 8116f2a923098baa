"""What the random fields B do to the frozen spins: follow their own B, or each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from glasspipe.report import drawing, layout
from glasspipe.report.observable import Figure, Line, Measured, Observable, Results, Row
from glasspipe.report.point_data import PointData
from glasspipe.report.presentation import Axis, Series, arrange, pick, plus_minus
from glasspipe.spins import random_field as measures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

FIELD = "random_field"
"""Quantity of the summary's rows."""

_IN_FIELDS = (
    ("overlap of\nfrozen replicas", {"overlap": ("o", "")}),
    (r"$-\langle S_i\,\mathrm{sgn}\,B_i\rangle$", {"alignment": ("o", "")}),
    (
        "rank correlation",
        {
            "B_and_U_S": ("o", r"$B_i$ and $\Sigma_jU_{ij}S_j$"),
            "size_B_and_U": ("s", r"$|B_i|$ and $(\Sigma_jU_{ij}^2)^{1/2}$"),
        },
    ),
)
"""Measures of the random fields, panel by panel, with their marks."""

_MEASURES = {
    "alignment": ("−⟨S sgn B⟩", "1 where every spin follows its own field"),
    "overlap": ("|q| of frozen replicas", "1 where all end in one state"),
}
_CORRELATIONS = {
    "B_and_U_S": "correlation of B and U_S",
    "size_B_and_U": "correlation of |B| and U_norm",
}
"""Statistics with their titles in the headlines and remarks."""


def measure(point: PointData) -> Measured:
    """Return means over realisations of the frozen spins."""
    found = measures.measures(point.frozen, point.spins)
    return Measured([Row.mean(FIELD, name, values) for name, values in found.items()])


def random_field(found: Results) -> Drawing:
    """What the random fields do to the frozen spins, along the axis, one colour a series."""
    summary = found.summary
    arrangement = arrange(summary)
    replicas = pick(summary, FIELD, "overlap")["estimate"].notna().any()
    parts = _IN_FIELDS if replicas else _IN_FIELDS[1:]
    figure, panels = layout.grid(found.style, len(parts), 1, height=1.73 * len(parts), sharex=True)
    panels = panels[:, 0]
    drawing.set_axis(panels, arrangement)
    single = len(arrangement.series) == 1
    coloured = zip(arrangement.series, drawing.distinct(len(arrangement.series)), strict=True)
    for series, colour in coloured:
        for axes, (_, shown) in zip(panels, parts, strict=True):
            for name, (marker, _) in shown.items():
                picked = pick(summary, FIELD, name, series.points).assign(theory=np.nan)
                fill = colour if marker == "o" else "white"
                style = {"color": colour, "marker": marker, "markerfacecolor": fill}
                drawing.estimates(axes, series, picked, style)
                if not arrangement.axis.names:
                    axes.plot(series.position, picked["estimate"], color=colour, linewidth=0.5)
    for axes, (label, _) in zip(panels, parts, strict=True):
        axes.set_ylabel(label, multialignment="center")
        layout.note_if_empty(axes, "$B=0$")
    for axes in panels[:-1]:
        axes.set_ylim(min(0.0, axes.get_ylim()[0]), 1.08)
    panels[-1].axhline(0, color="grey", linewidth=0.5)
    _explain_correlations(panels[-1])
    if not single:
        drawing.explain_series(figure, arrangement)
    return figure


def _explain_correlations(axes: Axes) -> None:
    entries = [
        layout.key(label, ls="", marker=marker, color="grey", markerfacecolor=fill)
        for (marker, label), fill in zip(_IN_FIELDS[2][1].values(), ("grey", "white"), strict=True)
    ]
    layout.legend(axes, entries, loc="upper left", labelspacing=0.2)


def headlines(found: Results, series: Series, axis: Axis) -> list[Line]:
    """Return what the random fields do to the frozen spins at the ends of the axis."""
    names = (*_MEASURES, *_CORRELATIONS)
    table = {name: pick(found.summary, FIELD, name, series.points) for name in names}
    return [
        line
        for number in sorted({0, len(series.points) - 1})
        for line in _at(table, number, axis.at(series.position[number]))
    ]


def _at(table: dict[str, pd.DataFrame], number: int, where: str) -> list[Line]:
    rows = {name: picked.iloc[number] for name, picked in table.items()}
    shown = {
        name: plus_minus(row["estimate"], row["stderr"])
        for name, row in rows.items()
        if np.isfinite(row["estimate"])
    }
    known = [f"{title} {shown[name]}" for name, title in _CORRELATIONS.items() if name in shown]
    lines = []
    for name, (title, remark) in _MEASURES.items():
        if name in shown:
            remarks = [remark, *(known if name == "alignment" else [])]
            lines.append((f"{title} at {where}", shown[name], "; ".join(remarks)))
    return lines


OBSERVABLE = Observable(
    name="random_field",
    measure=measure,
    headlines=headlines,
    figures=(
        Figure(
            name="random_field",
            caption="""
            What the random fields do to the frozen spins: the overlap of frozen
            replicas where there are some, how many more spins follow their own field
            than oppose it, and the rank correlations of the field with that of the
            neighbours, and of its size with that of the couplings.
            """,
            draw=random_field,
        ),
    ),
)

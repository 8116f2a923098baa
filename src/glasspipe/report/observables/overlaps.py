"""The distribution P(q) of the overlap of replicas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from glasspipe.files import results
from glasspipe.report import drawing, layout
from glasspipe.report.observable import Figure, Observable, Results
from glasspipe.report.observables.freezing import freezing_point
from glasspipe.report.presentation import arrange

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

_WIDEST, _THINNEST = 2.0, 0.7
"""Lines of points, drawn one on the other: all are seen where they coincide."""


def overlap_distribution(found: Results) -> Drawing:
    """P(q) of replicas at the lowest temperature and around T_G, one column a series.

    T_G is where |q| is one half or, where it never is, where the specific heat is largest.
    """
    summary, data = found.summary, found.curves(results.FREEZING)
    arrangement = arrange(summary)
    figure, grid = layout.grid(found.style, 2, len(arrangement.series), height=4.4, sharex=True)
    curves = drawing.curves(arrangement)
    for (lowest, around), (series, colours) in zip(grid.T, curves, strict=False):
        frozen = freezing_point(summary, series.points)
        nested = np.linspace(_WIDEST, _THINNEST, len(colours))
        for name, T, colour, width in zip(series.points, frozen, colours, nested, strict=True):
            point, style = data.sel(point=name), {"color": colour, "linewidth": width}
            _draw_overlaps(lowest, point, 0.0, style)
            _draw_overlaps(around, point, T, style)
        lowest.set_title(series.label)
        around.set(xlabel="overlap $q$", xlim=(-1, 1))
        layout.note_if_empty(lowest, drawing.ONE_REPLICA)
        layout.note_if_empty(around, "no $T_G$" if lowest.lines else drawing.ONE_REPLICA)
    layout.label_rows(grid, "$P(q)$, lowest $T$", "$P(q)$, $T$ near $T_G$")
    for axes in grid[:, 0]:
        axes.set_ylim(bottom=0)
    drawing.explain_curves(figure, arrangement)
    return figure


def _draw_overlaps(axes: Axes, point: xr.Dataset, T: float, style: dict[str, Any]) -> None:
    """Draw the density of q at the temperature next to T, a step for every bin."""
    if "overlap_count" not in point or not np.isfinite(T):
        return
    temperatures = point["freezing_T"].to_numpy()
    count = point["overlap_count"].to_numpy()
    known = np.flatnonzero((temperatures > 0) & (count.sum(axis=1) > 0))
    if not len(known):
        return
    there = known[np.argmin(np.abs(np.log(temperatures[known]) - np.log(max(T, 1e-300))))]
    density = count[there] / count[there].sum() * len(count[there]) / 2
    edges = np.linspace(-1, 1, len(density) + 1)
    axes.plot(edges, [density[0], *density], drawstyle="steps-pre", **style)


OBSERVABLE = Observable(
    name="overlaps",
    figures=(
        Figure(
            name="overlap_distribution",
            caption="""
            The distribution :math:`P(q)` of the overlap of independently frozen
            replicas: above at the lowest temperature, below at the one next to the
            freezing temperature, where :math:`|q|` is one half on average or, where it
            never is, where the specific heat is largest.
            """,
            replicas=2,
            draw=overlap_distribution,
        ),
    ),
)

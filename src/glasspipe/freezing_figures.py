"""How the spins freeze, drawn from the aggregate files alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glasspipe import drawing
from glasspipe.drawing import COLOURS
from glasspipe.freezing_results import FIELD_HALF, HALF, PEAK, SCALE, T_G
from glasspipe.presentation import Arrangement, arrange, energy_unit, pick

_MARKS = {
    HALF: ("o", COLOURS[0], r"overlap $|q|=1/2$"),
    PEAK: ("s", COLOURS[1], "largest specific heat"),
    FIELD_HALF: ("^", COLOURS[2], "overlap 1/2 by $B$ alone"),
}
_FEWEST = 1e-4
"""Density of |h| below which bins hold a field or none."""


def freezing(summary: pd.DataFrame, data: xr.Dataset) -> Figure:
    """Overlap of replicas and specific heat against temperature, and the density of |h|.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study, for its points.
    data : Dataset
        How its points froze.
    """
    arrangement = arrange(summary)
    known = bool(np.isfinite(data["x_U_0"]).all() and (data["x_U_0"] > 0).all())
    columns = len(arrangement.series)
    figure, grid = drawing.grid(3, columns, height=5.8, sharey="row")
    curves = zip(arrangement.series, drawing.shades(arrangement), strict=True)
    for panels, (series, colours) in zip(grid.T, curves, strict=False):
        for name, colour in zip(series.points, colours, strict=True):
            point = data.sel(point=name)
            _draw_curves(panels[:2], point, point["x_U_0"] if known else 1.0, colour)
            _draw_gap(panels[2], point, colour)
        panels[0].set_title(series.label)
        unit = "$k_BT/xU_0$" if known else "$k_BT$ (eV)"
        for axes in panels[:2]:
            axes.set(xscale="log", xlabel=f"temperature {unit}")
        panels[0].set_ylim(0, 1)
        panels[2].set(xscale="log", yscale="log", xlabel=r"$|h|/\mathrm{median}\,|h|$")
        drawing.note_if_empty(panels[0], "one replica:\nno overlap")
        drawing.note_if_empty(panels[1], "no couplings")
    for axes, label in zip(grid[:, 0], ("overlap $|q|$", "$C/Nk_B$", "density"), strict=True):
        axes.set_ylabel(label)
    grid[0, 0].axhline(0.5, color="grey", linewidth=0.5)
    grid[1, 0].set_ylim(bottom=0)
    _explain_lines(grid[0, 0], "of replicas", "by $B$ alone")
    _explain_lines(grid[1, 0], "$dE/dT$", "fluctuations")
    drawing.explain_shades(figure, arrangement)
    return figure


def _explain_lines(axes: Axes, solid: str, dotted: str) -> None:
    entries = [drawing.key(solid, color="black")]
    entries.append(drawing.key(dotted, color="black", linestyle=":"))
    drawing.legend(axes, entries, loc="upper right", labelspacing=0.2)


def _draw_curves(panels: Sequence[Axes], point: xr.Dataset, unit: Any, colour: Any) -> None:
    """Draw the overlap, where it was measured, with that of spins in B alone, and the heat."""
    overlaps, heats = panels
    if "freezing_T" not in point:
        return
    T = point["freezing_T"] / unit
    if "overlap_abs" in point and np.isfinite(point["overlap_abs"]).any():
        _band(overlaps, T, point, "overlap_abs", colour)
        overlaps.plot(T, point["field_overlap"], color=colour, linestyle=":")
    _band(heats, T, point, "heat_slope", colour)
    heats.plot(T, point["specific_heat"], color=colour, linestyle=":")


def _band(axes: Axes, T: xr.DataArray, point: xr.Dataset, name: str, colour: Any) -> None:
    value, error = point[name], point[f"{name}_stderr"]
    axes.plot(T, value, color=colour)
    axes.fill_between(T, value - error, value + error, color=colour, alpha=0.3, linewidth=0)


def _draw_gap(axes: Axes, point: xr.Dataset, colour: Any) -> None:
    edges, density = point["h_edges"].to_numpy(), point["h_density"].to_numpy()
    middle = np.sqrt(edges[1:] * edges[:-1])
    axes.plot(middle, np.where(density > _FEWEST, density, np.nan), color=colour)


def freezing_temperature(summary: pd.DataFrame) -> Figure:
    """T_G along the axis by its definitions, and xU_0, one column a series.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    """
    arrangement = arrange(summary)
    figure, [panels] = drawing.grid(1, len(arrangement.series), height=3.4, sharey=True)
    values = summary["estimate"][(summary["quantity"] == T_G) & (summary["statistic"] != SCALE)]
    unit, unit_name = energy_unit(values)
    drawing.set_energies(panels, arrangement.axis, values)
    for axes, series in zip(panels, arrangement.series, strict=False):
        drawing.set_axis([axes], arrangement)
        axes.set_title(series.label)
        for statistic, (marker, colour, _) in _MARKS.items():
            picked = pick(summary, T_G, statistic, series.points) / unit
            style = {"marker": marker, "color": colour}
            drawing.estimates(axes, series, picked.assign(theory=np.nan), style)
        drawing.note_if_empty(axes, "not available")
        scale = pick(summary, T_G, SCALE, series.points)["estimate"] / unit
        axes.plot(series.position, scale, color="grey")
    panels[0].set_ylabel(f"freezing temperature $k_BT_G$ ({unit_name})")
    _explain(figure, arrangement)
    return figure


def _explain(figure: Figure, arrangement: Arrangement) -> None:
    entries = [
        drawing.key(label, ls="", marker=marker, color=colour)
        for marker, colour, label in _MARKS.values()
    ]
    entries.append(drawing.key("$xU_0$", color="grey"))
    drawing.legend(figure, entries, ncols=2 if len(arrangement.series) == 1 else 4)

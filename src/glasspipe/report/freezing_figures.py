"""How the spins freeze, drawn from the aggregate files alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glasspipe.report import drawing
from glasspipe.report.drawing import COLOURS
from glasspipe.report.freezing_results import FIELD, FIELD_HALF, HALF, PEAK, SCALE, T_G
from glasspipe.report.freezing_tables import ACCURACIES, SWEEPS, Annealing, annealings
from glasspipe.report.presentation import Arrangement, arrange, energy_unit, pick, value_label

_MARKS = {
    HALF: ("o", COLOURS[0], r"overlap $|q|=1/2$"),
    PEAK: ("s", COLOURS[1], "largest specific heat"),
    FIELD_HALF: ("^", COLOURS[2], "overlap 1/2 by $B$ alone"),
}
_FEWEST = 1e-4
"""Density of |h| below which bins hold a field or none."""
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
_ONE_REPLICA = "one replica:\nno overlap"
_DASHES = ("--", "-.", ":")
_HEADROOM = 0.7
"""Of the height of a panel, for its legend."""
_BEYOND = 3.0
"""How far beyond the most sweeps the fit is drawn."""


def figures(summary: pd.DataFrame, data: xr.Dataset) -> drawing.Drawings:
    """Return what draws each figure of this module.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    data : Dataset
        How its points froze.
    """
    return {
        "freezing": lambda: freezing(summary, data),
        "freezing_temperature": lambda: freezing_temperature(summary),
        "overlap_distribution": lambda: overlap_distribution(summary, data),
        "random_field": lambda: random_field(summary),
        "energy_sweeps": lambda: energy_sweeps(summary),
    }


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
        froze = "freezing_T" in data and np.isfinite(data["freezing_T"].sel(point=series.points))
        drawing.note_if_empty(panels[0], _ONE_REPLICA if np.any(froze) else "no couplings")
        drawing.note_if_empty(panels[1], "no couplings")
        drawing.note_if_empty(panels[2], "no local fields")
    for axes, label in zip(grid[:, 0], ("overlap $|q|$", "$C/Nk_B$", "density"), strict=True):
        axes.set_ylabel(label)
    grid[0, 0].axhline(0.5, color="grey", linewidth=0.5)
    grid[1, 0].set_ylim(bottom=0)
    _explain_lines(grid[0, 0], "of replicas", "by $B$ alone", loc="upper right")
    _explain_lines(grid[1, 0], "$dE/dT$", "fluctuations", loc="upper left")
    drawing.explain_shades(figure, arrangement)
    return figure


def _explain_lines(axes: Axes, solid: str, dotted: str, *, loc: str) -> None:
    entries = [drawing.key(solid, color="black")]
    entries.append(drawing.key(dotted, color="black", linestyle=":"))
    drawing.legend(axes, entries, loc=loc, labelspacing=0.2)


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
    middle, shown = np.sqrt(edges[1:] * edges[:-1]), density > _FEWEST
    if shown.any():
        axes.plot(middle, np.where(shown, density, np.nan), color=colour)


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
        axes.plot(series.position, scale.where(scale > 0), color="grey")
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


def overlap_distribution(summary: pd.DataFrame, data: xr.Dataset) -> Figure:
    """P(q) of replicas at the lowest temperature and around T_G, one column a series.

    T_G is where |q| is one half or, where it never is, where the specific heat is largest.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study, for its points and their T_G.
    data : Dataset
        How its points froze.
    """
    arrangement = arrange(summary)
    figure, grid = drawing.grid(2, len(arrangement.series), height=4.4, sharex=True, sharey="row")
    curves = zip(arrangement.series, drawing.shades(arrangement), strict=True)
    for (lowest, around), (series, colours) in zip(grid.T, curves, strict=False):
        half, heat = (pick(summary, T_G, name, series.points)["estimate"] for name in (HALF, PEAK))
        for name, T, colour in zip(series.points, half.fillna(heat), colours, strict=True):
            point = data.sel(point=name)
            _draw_overlaps(lowest, point, 0.0, colour)
            _draw_overlaps(around, point, T, colour)
        lowest.set_title(series.label)
        around.set(xlabel="overlap $q$", xlim=(-1, 1))
        drawing.note_if_empty(lowest, _ONE_REPLICA)
        drawing.note_if_empty(around, "no $T_G$" if lowest.lines else _ONE_REPLICA)
    for axes, where in zip(grid[:, 0], ("lowest $T$", "$T$ near $T_G$"), strict=True):
        axes.set(ylabel=f"$P(q)$, {where}", ylim=(0, None))
    drawing.explain_shades(figure, arrangement)
    return figure


def _draw_overlaps(axes: Axes, point: xr.Dataset, T: float, colour: Any) -> None:
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
    axes.plot(edges, [density[0], *density], color=colour, drawstyle="steps-pre")


def random_field(summary: pd.DataFrame) -> Figure:
    """What the random fields do to the frozen spins, along the axis, one colour a series.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    """
    arrangement = arrange(summary)
    figure = Figure(figsize=(drawing.COLUMN_WIDTH, 5.2), layout="constrained")
    panels = figure.subplots(3, 1, sharex=True)
    drawing.set_axis(panels, arrangement)
    single = len(arrangement.series) == 1
    coloured = zip(arrangement.series, drawing.series_colours(arrangement), strict=False)
    for series, colour in coloured:
        for axes, (_, measures) in zip(panels, _IN_FIELDS, strict=True):
            for name, (marker, _) in measures.items():
                picked = pick(summary, FIELD, name, series.points).assign(theory=np.nan)
                fill = colour if marker == "o" else "white"
                style = {"color": colour, "marker": marker, "markerfacecolor": fill}
                drawing.estimates(axes, series, picked, style)
                if not arrangement.axis.names:
                    axes.plot(series.position, picked["estimate"], color=colour, linewidth=0.5)
    for axes, (label, _) in zip(panels, _IN_FIELDS, strict=True):
        axes.set_ylabel(label, multialignment="center")
    for axes, note in zip(panels, (_ONE_REPLICA, "$B=0$", "$B=0$"), strict=True):
        drawing.note_if_empty(axes, note)
    for axes in panels[:2]:
        axes.set_ylim(min(0.0, axes.get_ylim()[0]), 1)
    panels[2].axhline(0, color="grey", linewidth=0.5)
    _explain_correlations(panels[2])
    if not single:
        drawing.explain_series(figure, arrangement)
    return figure


def _explain_correlations(axes: Axes) -> None:
    entries = [
        drawing.key(label, ls="", marker=marker, color="grey", markerfacecolor=fill)
        for (marker, label), fill in zip(_IN_FIELDS[2][1].values(), ("grey", "white"), strict=True)
    ]
    axes.margins(y=0.4)
    drawing.legend(axes, entries, loc="best", labelspacing=0.2)


def energy_sweeps(summary: pd.DataFrame) -> Figure:
    """E/N against the sweeps with the fit of its limit, and how many are enough.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    """
    found = annealings(summary)
    figure, [panels] = drawing.grid(1, max(1, len(found)), height=3.2)
    for axes in panels:
        axes.set(xscale="log", xlabel="sweeps")
    for axes, annealing in zip(panels, found, strict=False):
        _draw_annealing(axes, annealing)
        shared = annealing.shared.items()
        axes.set_title(", ".join(value_label(name, value) for name, value in shared))
    if not found:
        panels[0].set_ylabel("$E/N$")
    drawing.note_if_empty(panels[0], f"{SWEEPS}\nis not swept")
    return figure


def _draw_annealing(axes: Axes, annealing: Annealing) -> None:
    unit, name = energy_unit(annealing.energy)
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
    entries = [drawing.key("limit", color="grey")]
    for accuracy, dashes in zip(ACCURACIES, _DASHES, strict=True):
        style: dict[str, Any] = {"color": "black", "linestyle": dashes, "linewidth": 0.8}
        number = annealing.shown(accuracy)
        entries.append(drawing.key(f"{100 * accuracy:g} %: {number or '--'}", **style))
        needed = annealing.needed(accuracy)
        if number and needed <= axes.get_xlim()[1]:
            axes.axvline(needed, **style)
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom, top + _HEADROOM * (top - bottom))
    drawing.legend(
        axes,
        entries,
        title="sweeps to be within",
        loc="upper right",
        frameon=True,
        framealpha=1.0,
        edgecolor="none",
    )

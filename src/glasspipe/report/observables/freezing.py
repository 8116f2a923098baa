"""How the spins freeze: curves against temperature, T_G, and what of it spins without U have too.

Realisations have temperatures of their own, in units of their own local fields or where tempering
put them. So each curve is brought to common temperatures before it is averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from glasspipe.files import results
from glasspipe.files.variables import Variable
from glasspipe.report import drawing, layout
from glasspipe.report.drawing import COLOURS
from glasspipe.report.kinds import PAPER
from glasspipe.report.latex import measured, point_columns, tabular, words
from glasspipe.report.observable import Figure, Line, Measured, Observable, Results, Row, Table
from glasspipe.report.observables import gap
from glasspipe.report.observables.gap import GAP
from glasspipe.report.observables.quality import JUDGED, QUALITY, verdicts
from glasspipe.report.observables.random_field import FIELD
from glasspipe.report.observables.sweeps import ENERGY
from glasspipe.report.point_data import PointData
from glasspipe.report.presentation import (
    Axis,
    Series,
    arrange,
    pick,
    plus_minus,
    points_of,
)
from glasspipe.spins import diagnostics
from glasspipe.stages.freeze import OVERLAPS
from glasspipe.statistics import spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

Array = NDArray[np.float64]

T_G, HEAT = "T_G", "heat"
"""Quantities of the summary's rows."""

HALF, PEAK, FIELD_HALF, SCALE = "overlap_half", "heat_peak", "field_overlap_half", "x_U_0"
DECOUPLED = "decoupled_heat_peak"
"""Statistics of T_G: where |q| is one half, where C is largest, where B alone makes the overlap one
half, where C of spins decoupled in their final fields is largest; xU_0."""

_DECOUPLED = np.geomspace(5.0, 0.05, 200)
"""Temperatures over the median |h|."""
_MARKS = {
    HALF: ("o", COLOURS[0], r"overlap $|q|=1/2$"),
    PEAK: ("s", COLOURS[1], "largest specific heat"),
    FIELD_HALF: ("^", COLOURS[2], "overlap 1/2 by $B$ alone"),
}
_COLUMNS = {
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
    **{name: (QUALITY, name) for name in JUDGED},
}


def measure(point: PointData) -> Measured:
    """Return the curves of a point against temperature, and T_G from them."""
    rows = [Row(T_G, SCALE, point.x * point.U_0)]
    curves: dict[str, Any] = {"x_U_0": point.x * point.U_0}
    if point.froze.any():
        T, each = _curves(point)
        curves |= _averages(point, T, each)
        rows += _temperatures(point, T, each)
    return Measured([row for row in rows if row.known], curves)


def _curves(point: PointData) -> tuple[Array, dict[str, Array]]:
    """Return common temperatures, and the curves (R, steps) of what froze against them."""
    froze, data = point.froze, point.frozen
    own = data["T"][froze]
    T = np.exp(np.log(own).mean(axis=0))
    names = ("specific_heat", *(OVERLAPS if "overlap_abs" in data else ()))
    each = {name: _at(T, own, data[name][froze]) for name in names}
    energy = data["trace_energy"].mean(axis=1) / point.number_of_spins[:, None]
    each["heat_slope"] = diagnostics.heat_slope(_at(T, own, energy[froze]), T)
    fields = list(compress(point.of_spins(data["B"]), froze))
    each["field_overlap"] = np.array([diagnostics.overlap_in_field(B, T) for B in fields])
    return T, each


def _averages(point: PointData, T: Array, each: dict[str, Array]) -> dict[str, Any]:
    curves: dict[str, Any] = {"freezing_step": np.arange(len(T)), "freezing_T": T}
    for name, values in each.items():
        curves[name] = values.mean(axis=0)
        means = point.resampled_means(values)
        spreads = means.std(axis=0) if len(means) else np.nan
        curves[f"{name}_stderr"] = np.broadcast_to(spreads, T.shape)
    if "overlap_abs" in each:
        curves["overlap_count"] = point.total("overlap_count")
    return curves


def _temperatures(point: PointData, T: Array, each: dict[str, Array]) -> list[Row]:
    """Return T_G by its definitions and the heat at its maximum, of the spins and without U."""
    scale = point.x * point.U_0
    h = list(compress(point.of_spins(point.frozen["h"]), point.froze))
    grid = float(np.median(np.abs(np.concatenate(h)))) * _DECOUPLED
    decoupled = np.array([diagnostics.heat_in_fields(row, grid) for row in h])
    rows = [_temperature(point, PEAK, diagnostics.peak, T, each["heat_slope"], scale)]
    if "overlap_abs" in each:
        half = (T, each["overlap_abs"], scale)
        rows.append(_temperature(point, HALF, diagnostics.crossing, *half))
    alone = (T, each["field_overlap"], np.nan)
    return [
        *rows,
        _temperature(point, DECOUPLED, diagnostics.peak, grid, decoupled, np.nan),
        Row.mean(HEAT, "peak", _at_peak(each["heat_slope"])),
        Row.mean(HEAT, "decoupled_peak", _at_peak(decoupled)),
        _temperature(point, FIELD_HALF, diagnostics.crossing, *alone),
    ]


def _at_peak(values: Array) -> Array:
    """Values where their mean is largest: the largest of each noisy curve would lie too high."""
    return values[:, values.mean(axis=0).argmax()]


def _at(T: Array, own: Array, values: Array) -> Array:
    """Bring the curves (realisations, steps) from temperatures of their own to common ones."""
    return np.array(
        [np.interp(-np.log(T), -np.log(t), v) for t, v in zip(own, values, strict=True)]
    )


def _temperature(
    point: PointData, statistic: str, find: Any, T: Array, values: Array, theory: float
) -> Row:
    found = find(T, values.mean(axis=0))
    resampled = find(T, point.resampled_means(values))
    return Row(T_G, statistic, float(found), spread(resampled), theory, PAPER)


def freezing(found: Results) -> Drawing:
    """Specific heat against temperature, the density of |h|, and the overlap of replicas if any."""
    summary, data = found.summary, found.curves(results.FREEZING)
    arrangement = arrange(summary)
    known = bool(np.isfinite(data["x_U_0"]).all() and (data["x_U_0"] > 0).all())
    overlaps = "overlap_abs" in data and bool(np.isfinite(data["overlap_abs"]).any())
    rows = 3 if overlaps else 2
    energy, energy_name = found.style.energy
    figure, grid = layout.grid(found.style, rows, len(arrangement.series), height=1.93 * rows)
    for panels, (series, colours) in zip(grid.T, drawing.curves(arrangement), strict=False):
        for name, colour in zip(series.points, colours, strict=True):
            point = data.sel(point=name)
            _draw_curves(panels[:-1], point, point["x_U_0"] if known else energy, colour)
            gap.draw(panels[-1], point, colour)
        panels[0].set_title(series.label)
        unit = "$k_BT/xU_0$" if known else f"$k_BT$ ({energy_name})"
        for axes in panels[:-1]:
            axes.set(xscale="log", xlabel=f"temperature {unit}")
        panels[-1].set(xscale="log", yscale="log", xlabel=r"$|h|/\mathrm{median}\,|h|$")
        froze = "freezing_T" in data and np.isfinite(data["freezing_T"].sel(point=series.points))
        if overlaps:
            panels[0].set_ylim(0, 1)
            note = drawing.ONE_REPLICA if np.any(froze) else "no couplings"
            layout.note_if_empty(panels[0], note)
            panels[0].axhline(0.5, color="grey", linewidth=0.5)
        layout.note_if_empty(panels[-2], "no couplings")
        layout.note_if_empty(panels[-1], "no local fields")
    layout.label_rows(grid, *["overlap $|q|$"][: rows - 2], "$C/Nk_B$", "density")
    grid[-2, 0].set_ylim(bottom=0)
    of_q = ("$|q|$ of replicas, ", "$|q|$ by $B$ alone, ") if overlaps else ("", "")
    drawing.explain_curves(
        figure,
        arrangement,
        layout.key(f"{of_q[0]}$C$ from $dE/dT$", color="black"),
        layout.key(f"{of_q[1]}$C$ from fluctuations", color="black", linestyle=":"),
    )
    return figure


def _draw_curves(panels: Sequence[Axes], point: xr.Dataset, unit: Any, colour: Any) -> None:
    """Draw the heat, and the overlap, where it was measured, with that of spins in B alone."""
    *overlaps, heats = panels
    if "freezing_T" not in point:
        return
    T = point["freezing_T"] / unit
    for axes in overlaps:
        if np.isfinite(point["overlap_abs"]).any():
            _band(axes, T, point, "overlap_abs", colour)
            axes.plot(T, point["field_overlap"], color=colour, linestyle=":")
    _band(heats, T, point, "heat_slope", colour)
    heats.plot(T, point["specific_heat"], color=colour, linestyle=":")


def _band(axes: Axes, T: xr.DataArray, point: xr.Dataset, name: str, colour: Any) -> None:
    value, error = point[name], point[f"{name}_stderr"]
    axes.plot(T, value, color=colour)
    axes.fill_between(T, value - error, value + error, color=colour, alpha=0.3, linewidth=0)


def freezing_temperature(found: Results) -> Drawing:
    """T_G along the axis by its definitions, xU_0, and their ratio, one column a series."""
    summary = found.summary
    arrangement = arrange(summary)
    figure, grid = layout.grid(
        found.style, 2, len(arrangement.series), height=4.0, ratios=(2, 1), sharex=True
    )
    values = summary["estimate"][(summary["quantity"] == T_G) & (summary["statistic"] != SCALE)]
    unit, unit_name = found.style.energy
    drawing.set_energies(grid[0], arrangement.axis, values)
    # before there are data, by which the panels that share an axis are scaled
    for panels in grid.T:
        drawing.set_axis(panels, arrangement)
    for (top, bottom), series in zip(grid.T, arrangement.series, strict=False):
        top.set_title(series.label)
        scale = pick(summary, T_G, SCALE, series.points)["estimate"]
        scale = scale.where(scale > 0)
        for statistic, (marker, colour, _) in _MARKS.items():
            picked = pick(summary, T_G, statistic, series.points).assign(theory=np.nan)
            style = {"marker": marker, "color": colour}
            drawing.estimates(top, series, picked / unit, style)
            drawing.estimates(bottom, series, picked.div(scale, axis=0), style)
        layout.note_if_empty(top, "not available")
        layout.note_if_empty(bottom, "not available")
        if scale.notna().any():
            bottom.axhline(1.0, color="grey", linewidth=0.6)
        drawing.level(top, arrangement.axis, series, scale / unit, color="grey")
        D = pick(summary, "free_S", "D", series.points)["estimate"] / unit
        drawing.level(
            top, arrangement.axis, series, D.where(D > 0), color="black", **drawing.DASHED
        )
    layout.label_rows(grid, f"freezing temperature\n$k_BT_G$ ({unit_name})", "$k_BT_G/xU_0$")
    grid[1, 0].set_ylim(bottom=0)
    _explain(figure)
    return figure


def _explain(figure: Drawing) -> None:
    entries = [
        layout.key(label, ls="", marker=marker, color=colour)
        for marker, colour, label in _MARKS.values()
    ]
    entries.append(layout.key("$xU_0$", color="grey"))
    entries.append(layout.key("$D$", color="black", **drawing.DASHED))
    layout.legend(figure, layout.drawn(figure, entries))


def values(found: Results) -> pd.DataFrame:
    """Return E/N, T_G, the exponent of the gap, the random fields and the quality of each point."""
    points = points_of(found.summary)
    for column, (quantity, statistic) in _COLUMNS.items():
        picked = pick(found.summary, quantity, statistic)
        points[column] = picked["estimate"].to_numpy()
        points[f"{column} stderr"] = picked["stderr"].to_numpy()
    points["xU_0 (eV)"] = pick(found.summary, T_G, SCALE)["estimate"].to_numpy()
    points["quality"] = verdicts(found.summary)
    return points


def latex(found: Results) -> str:
    """Return the essential of them in LaTeX."""
    summary = found.summary
    unit = found.style.energy
    energies_of = {
        "E/N": (ENERGY, "frozen"),
        "k_BT_G^q": (T_G, HALF),
        "k_BT_G^C": (T_G, PEAK),
        "k_BT_G^B": (T_G, FIELD_HALF),
        "xU_0": (T_G, SCALE),
    }
    numbers_of = {
        r"\theta": (GAP, "exponent"),
        r"-\langle S\,\mathrm{sgn}\,B\rangle": (FIELD, "alignment"),
        "|q|": (FIELD, "overlap"),
    }
    columns = [measured(f"${s}$", pick(summary, *what), unit) for s, what in energies_of.items()]
    columns += [measured(f"${s}$", pick(summary, *what)) for s, what in numbers_of.items()]
    good = ["good" if one == "good" else "poor" for one in verdicts(summary)]
    note = (
        "$T_G^q$: overlap of replicas one half; $T_G^C$: largest $dE/dT$;"
        " $T_G^B$: overlap by $B$ alone one half; $\\theta$: exponent of the gap."
    )
    return tabular(point_columns(points_of(summary)), [*columns, words("quality", good)], note)


def headlines(found: Results, series: Series, axis: Axis) -> list[Line]:
    """Return T_G and T_C over xU_0 at every point of a series."""
    table = values(found).set_index("point").loc[series.points]
    places = [axis.at(position) for position in series.position]
    return [
        line
        for (_, point), where in zip(table.iterrows(), places, strict=True)
        for line in _lines(point, where)
    ]


def freezing_point(summary: pd.DataFrame, points: Sequence[str]) -> pd.Series:
    """Return T_G in eV where replicas overlap by one half, else of the largest heat, or NaN."""
    half, heat = (pick(summary, T_G, name, points)["estimate"] for name in (HALF, PEAK))
    return half.fillna(heat)


def _lines(point: pd.Series, where: str) -> list[Line]:
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


def _with_errors(**meanings: str) -> dict[str, Variable]:
    """Return the curves of those meanings and their errors."""
    curves = {}
    for name, meaning in meanings.items():
        curves[name] = Variable("freezing_step", "1", meaning, "model")
        curves[f"{name}_stderr"] = Variable("freezing_step", "1", "its standard error", "model")
    return curves


OBSERVABLE = Observable(
    name="freezing",
    file=results.FREEZING,
    coordinates={"freezing_step": Variable("freezing_step", "1", "step of the annealing", "model")},
    variables={
        "x_U_0": Variable("", "eV", "xU_0", "eq. (17)"),
        "freezing_T": Variable("freezing_step", "eV", "common temperature k_B T", "model"),
        **_with_errors(
            specific_heat="heat per spin over k_B, from fluctuations",
            overlap="mean overlap q of two replicas",
            overlap_abs="mean |q|",
            overlap_squared="mean of q squared",
            heat_slope="heat per spin over k_B, dE/dT",
            field_overlap="overlap of spins in B alone",
        ),
        "overlap_count": Variable(
            "freezing_step overlap_bin",
            "1",
            "pairs with q in equal bins from -1 to 1, each q spread over 2/(N + 1)",
            "model",
        ),
    },
    measure=measure,
    headlines=headlines,
    figures=(
        Figure(
            name="freezing",
            caption="""
            How the spins freeze. Above, where there are replicas, the overlap of
            independently frozen ones against the temperature (lines), and that of
            spins that follow their random fields alone (dotted); then the specific
            heat, from the slope of the energy (lines) and from its fluctuations
            (dotted); below the density of local fields, whose slope at small fields is
            the exponent of the gap.
            """,
            draw=freezing,
        ),
        Figure(
            name="freezing_temperature",
            caption=r"""
            The freezing temperature: where the overlap of two replicas, if there
            are, reaches one half, where the specific heat is largest, and where
            random fields alone would bring the overlap to one half; below, the
            same in units of xU\ :sub:`0`, the grey line, with U\ :sub:`0` = γ\
            :sub:`0`\ ²/(4πρc\ :sub:`l`\ ²a³), where sites and strengths are known.
            Below D (dashed) S tunnels, and S = ±1 is no more than a model.
            """,
            draw=freezing_temperature,
        ),
    ),
    tables=(Table(name="freezing", values=values, latex=latex),),
)

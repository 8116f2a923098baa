"""Marks, colours and axes that the figures have in common.

A logarithmic axis cannot show a field that vanishes, and one point spans no range: what cannot be
drawn is left out here, so that the figures need not ask.
"""

from collections.abc import Iterable, Sequence
from math import ceil, floor, log10
from textwrap import wrap
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import Formatter, LogFormatter

from glasspipe.report.kinds import EXACT
from glasspipe.report.presentation import Arrangement, Axis, Series, literal

COLUMN_WIDTH = 3.4
"""Of a journal, inches."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's, which the colour-blind can tell apart."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")

MOST_COLUMNS = 6
"""Series that are drawn side by side; the figure says if there are more."""

MOST_LABELS = 10
"""Entries of a legend; it says if there are more."""

ONE_REPLICA = "one replica:\nno overlap"
"""Note where overlaps would be."""

BARS: dict[str, Any] = {"linestyle": "none", "marker": "_", "markersize": 11}
"""Marks of theory at single points. Between them lines would be chords: laws on a lattice bend."""
_PALE = 0.4
"""Opacity of the bars of what is no exact theory."""

DASHED: dict[str, Any] = {"linestyle": "--", "linewidth": 0.8}
"""Line of the limit of few defects."""

_NARROW = 2.4
_NEAR = 1e-6
_SHORT = 4.0
"""Ratio of the ends of an axis up to which all its ticks are labelled."""
_MOST_PLAIN = 2
_PLAIN = (1e-3, 2e4)
"""Where so few powers of ten, or none, are written out."""
_TIMES = r"\times"
_SHADES = LinearSegmentedColormap.from_list(
    "shades", mpl.colormaps["viridis"](np.linspace(0.0, 0.88, 64))
)

STYLE: dict[str, Any] = {
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "font.size": 9,
    "axes.labelsize": 9,
    "axes.titlesize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.title_fontsize": 8,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "axes.linewidth": 0.6,
    "axes.formatter.limits": (-2, 4),
    "axes.formatter.use_mathtext": True,
    "lines.linewidth": 1.0,
    "lines.markersize": 4,
    "errorbar.capsize": 1.5,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "pdf.fonttype": 42,
    "savefig.dpi": 300,
}
"""Matplotlib's settings for figures that are printed at their own size."""


def grid(rows: int, wanted: int, *, height: float, **options: Any) -> tuple[Figure, Any]:
    """Return a figure and its axes (rows, columns), at most :data:`MOST_COLUMNS` of ``wanted``."""
    shown = min(wanted, MOST_COLUMNS)
    width = COLUMN_WIDTH if shown == 1 else _NARROW * shown
    figure = Figure(figsize=(width, height), layout="constrained")
    if shown < wanted:
        figure.supxlabel(f"the first {shown} of {wanted} series", fontsize=8)
    return figure, figure.subplots(rows, shown, squeeze=False, **options)


def set_axis(panels: Sequence[Axes], arrangement: Arrangement) -> None:
    """Scale panels along the axis; the last one carries its label."""
    axis, positions = arrangement.axis, arrangement.positions
    low, high = positions[0], positions[-1]
    margin = 0.05 * (high - low) or 0.5 * abs(low) or 1.0
    for axes in panels:
        if axis.log:
            axes.set(xscale="log", xlim=(low / 1.6, high * 1.6))
        elif axis.names:
            axes.set(
                xticks=positions, xticklabels=map(literal, axis.names), xlim=(low - 0.5, high + 0.5)
            )
        else:
            axes.set_xlim(low - margin, high + margin)
    panels[-1].set_xlabel(axis.label)


def set_energies(panels: Sequence[Axes], axis: Axis, values: pd.Series) -> None:
    """Scale panels for fields: logarithmic, unless all vanish or the axis is linear."""
    if (axis.log or axis.names) and (values > 0).any():
        for axes in panels:
            axes.set_yscale("log")


def bars(kind: str) -> dict[str, Any]:
    """Return the marks of a kind of theory: pale unless it is exact."""
    return BARS | {"alpha": 1.0 if kind == EXACT else _PALE}


def kind_keys(kinds: Iterable[str]) -> list[Line2D]:
    """Return an entry of a legend for each kind of theory that there is."""
    there = [kind for kind in dict.fromkeys(kinds) if kind]
    return [key(f"theory ({kind})", color="black", **bars(kind)) for kind in there]


def estimates(
    axes: Axes, series: Series, picked: pd.DataFrame, style: dict[str, Any], kind: str = EXACT
) -> None:
    """Draw estimates with their errors, and their theory as bars: it is known at the points."""
    shown = picked.where(picked > 0) if axes.get_yscale() == "log" else picked
    axes.plot(series.position, shown["theory"], color=style["color"], zorder=2, **bars(kind))
    axes.errorbar(
        series.position, shown["estimate"], picked["stderr"], linestyle="none", zorder=3, **style
    )


def limit(
    axes: Axes, arrangement: Arrangement, series: Series, data: xr.Dataset, style: dict[str, Any]
) -> None:
    """Draw the typical value of few defects against x, a power law, as a dashed line."""
    values = data["limit_typical"].sel(point=series.points).to_numpy()
    if arrangement.rises and np.all(values > 0):
        axes.plot(series.position, values, color=style["color"], zorder=1, **DASHED)


def residuals(axes: Axes, series: Series, picked: pd.DataFrame, style: dict[str, Any]) -> None:
    """Draw by how many per cent estimates differ from theory, with their errors."""
    theory = picked["theory"].where(picked["theory"] > 0)
    percent = 100 * (picked[["estimate", "stderr"]].div(theory, axis=0))
    axes.errorbar(
        series.position, percent["estimate"] - 100, percent["stderr"], linestyle="none", **style
    )


def key(label: str, **style: Any) -> Line2D:
    """Return an entry of a legend."""
    return Line2D([], [], label=label, **style)


def legend(owner: Axes | Figure, entries: Sequence[Line2D], **options: Any) -> None:
    """Make a legend: that of a panel where it is in nobody's way, that of a figure above it."""
    shown = list(entries[:MOST_LABELS])
    if len(entries) > len(shown):
        shown.append(key(f"and {len(entries) - len(shown)} more", linestyle="none"))
    if isinstance(owner, Figure):
        options = {"loc": "outside upper center", "ncols": min(3, len(shown)), **options}
    owner.legend(handles=shown, **options)


def distinct(number: int) -> list[Any]:
    """Return so many colours: shades where there are too few distinct ones."""
    few = number <= len(COLOURS)
    return list(COLOURS[:number] if few else _SHADES(np.linspace(0, 1, number)))


def series_colours(arrangement: Arrangement) -> list[Any]:
    """Return a colour for each series."""
    return distinct(len(arrangement.series))


def explain_series(figure: Figure, arrangement: Arrangement) -> None:
    """Say above the panels which colour is which series."""
    coloured = zip(arrangement.series, series_colours(arrangement), strict=False)
    entries = [key(series.label, color=colour, linewidth=3) for series, colour in coloured]
    figure.set_figheight(figure.get_figheight() + 0.1 * min(len(entries), MOST_LABELS))
    legend(figure, entries, ncols=2)


def shades(arrangement: Arrangement) -> list[list[Any]]:
    """Return the colour of each point of each series: sequential along an axis of numbers."""
    if arrangement.axis.names:
        return [distinct(len(arrangement.axis.names))]
    mappable = _mappable(arrangement)
    return [list(mappable.to_rgba(series.position)) for series in arrangement.series]


def explain_shades(figure: Figure, arrangement: Arrangement) -> None:
    """Say above the panels which shade is which point."""
    if arrangement.axis.names:
        [colours] = shades(arrangement)
        names = map(literal, arrangement.axis.names)
        legend(figure, [key(n, color=c) for n, c in zip(names, colours, strict=True)])
    elif len(arrangement.positions) > 1:
        panels, width = figure.axes, figure.get_figwidth()
        mappable = _mappable(arrangement)
        bar = figure.colorbar(mappable, ax=panels, location="top", aspect=15 * width, pad=0.01)
        bar.set_label(arrangement.axis.label)
        bar.ax.tick_params(which="both", bottom=False)
        bar.ax.vlines(arrangement.positions, 0, 1, color="white", linewidth=0.8)


def _mappable(arrangement: Arrangement) -> ScalarMappable:
    low, high = arrangement.positions[[0, -1]]
    # realised concentrations just miss the decades that label the ends
    normalise = LogNorm(low / 1.01, high * 1.01) if arrangement.axis.log else Normalize(low, high)
    return ScalarMappable(normalise, _SHADES)


def notice(text: str) -> Figure:
    """Return a figure that shows a text alone."""
    figure = Figure(figsize=(COLUMN_WIDTH, 1.5), layout="constrained")
    figure.text(0.5, 0.5, "\n".join(wrap(text, 55)), ha="center", va="center")
    return figure


def straighten(figure: Figure) -> None:
    """Make logarithmic axes linear where no panel that shares them shows anything positive."""
    for panel in figure.axes:
        for name, shared in (("x", panel.get_shared_x_axes()), ("y", panel.get_shared_y_axes())):
            lines = [line for other in shared.get_siblings(panel) for line in other.lines]
            drawn = [np.asarray(line.get_data()["xy".index(name)], dtype=float) for line in lines]
            if drawn and not any((values[np.isfinite(values)] > 0).any() for values in drawn):
                panel.set(**{f"{name}scale": "linear"})


def thin_labels(figure: Figure) -> None:
    """Label logarithmic axes as sparsely as they can be read, where their labels are not set."""
    for panel in figure.axes:
        for axis in (panel.xaxis, panel.yaxis):
            for ticks in (axis.major, axis.minor):
                if axis.get_scale() == "log" and isinstance(ticks.formatter, LogFormatter):
                    ticks.formatter = _FewLabels()
                    ticks.formatter.set_axis(axis)


class _FewLabels(Formatter):
    """Powers of ten alone where there are two or more; else 2 and 5 too, on a short axis all."""

    def __call__(self, x: float, pos: int | None = None) -> str:  # noqa: ARG002
        if self.axis is None or not x > 0:
            return ""
        low, high = sorted(self.axis.get_view_interval())
        powers = floor(log10(high * (1 + _NEAR))) - ceil(log10(low * (1 - _NEAR))) + 1
        power = floor(log10(x * (1 + _NEAR)))
        digits = f"{x / 10.0**power:.6g}"
        if high > _SHORT * low and digits not in (("1",) if powers > 1 else ("1", "2", "5")):
            return ""
        if powers <= _MOST_PLAIN and _PLAIN[0] <= low and high <= _PLAIN[1]:
            return f"{x:.6g}"
        return rf"${'' if digits == '1' else digits + _TIMES}10^{{{power}}}$"


def note_if_empty(axes: Axes, note: str) -> None:
    """Write a note where nothing could be drawn."""
    if not any(np.isfinite(line.get_xydata()).all(axis=1).any() for line in axes.lines):
        axes.text(0.5, 0.7, note, transform=axes.transAxes, ha="center", va="center")

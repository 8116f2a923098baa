"""Marks, colours and axes that the figures have in common.

A logarithmic axis cannot show a field that vanishes, and one point spans no range: what cannot be
drawn is left out here, so that the figures need not ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from glasspipe.report.kinds import EXACT
from glasspipe.report.layout import key, legend
from glasspipe.report.presentation import Arrangement, Axis, Series, literal, shortened, value_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's, which the colour-blind can tell apart."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")

ONE_REPLICA = "one replica:\nno overlap"
"""Note where overlaps would be."""

BARS: dict[str, Any] = {"linestyle": "none", "marker": "_", "markersize": 11}
"""Marks of theory at single points. Between them lines would be chords: laws on a lattice bend."""
_LENGTH = 200.0
"""Points of length that all bars along an axis share, where they would meet."""
_MANY, _SMALL = 20, 2.0
"""Estimates along an axis from which on their marks are small, and their size."""
MOST_CURVES = 8
"""Points whose curves are drawn in a panel; the colour bar says if there are more."""
_MOST_NAMES = 8
_FEW = 5
"""Points up to which a legend explains their colours, and no colour bar."""
_PALE = 0.4
"""Opacity of the bars of what is no exact theory."""

DASHED: dict[str, Any] = {"linestyle": "--", "linewidth": 0.8}
"""Line of the limit of few defects."""


def set_axis(panels: Sequence[Axes], arrangement: Arrangement) -> None:
    """Scale panels along the axis; the last one carries its label."""
    axis, positions = arrangement.axis, arrangement.positions
    low, high = positions[0], positions[-1]
    margin = 0.05 * (high - low) or 0.5 * abs(low) or 1.0
    for axes in panels:
        if axis.log:
            axes.set(xscale="log", xlim=(low / 1.6, high * 1.6))
        elif axis.names:
            names = [literal(shortened(name)) for name in axis.names]
            axes.set(xticks=positions, xticklabels=names, xlim=(low - 0.5, high + 0.5))
        else:
            axes.set_xlim(low - margin, high + margin)
    panels[-1].set_xlabel(axis.label)


def set_energies(panels: Sequence[Axes], axis: Axis, values: pd.Series) -> None:
    """Scale panels for fields: logarithmic, unless all vanish or the axis is linear."""
    if (axis.log or axis.names) and (values > 0).any():
        for axes in panels:
            axes.set_yscale("log")


def bars(kind: str, points: int = 1) -> dict[str, Any]:
    """Return the marks of a kind of theory: pale unless it is exact, short where there are many."""
    length = min(BARS["markersize"], max(_LENGTH / points, _SMALL))
    return BARS | {"alpha": 1.0 if kind == EXACT else _PALE, "markersize": length}


def kind_keys(kinds: Iterable[str]) -> list[Line2D]:
    """Return an entry of a legend for each kind of theory that there is."""
    there = [kind for kind in dict.fromkeys(kinds) if kind]
    return [key(f"theory ({kind})", color="black", **bars(kind)) for kind in there]


def estimates(
    axes: Axes, series: Series, picked: pd.DataFrame, style: dict[str, Any], kind: str = EXACT
) -> None:
    """Draw estimates with their errors, and their theory as bars: it is known at the points."""
    shown = picked.where(picked > 0) if axes.get_yscale() == "log" else picked
    law = bars(kind, len(series.points))
    axes.plot(series.position, shown["theory"], color=style["color"], zorder=2, **law)
    marks(axes, series, shown["estimate"], picked["stderr"], style)


def marks(
    axes: Axes, series: Series, values: pd.Series, errors: pd.Series, style: dict[str, Any]
) -> None:
    """Draw values with their errors, small where there are many."""
    many = {"markersize": _SMALL, "capsize": 0.0} if len(series.points) > _MANY else {}
    axes.errorbar(series.position, values, errors, linestyle="none", zorder=3, **style | many)


def limit(
    axes: Axes,
    arrangement: Arrangement,
    series: Series,
    data: xr.Dataset,
    style: dict[str, Any],
    *,
    unit: float,
) -> None:
    """Draw the typical value of few defects against x, a power law, dashed; unit in eV."""
    values = data["limit_typical"].sel(point=series.points).to_numpy() / unit
    if arrangement.rises and np.all(values > 0):
        axes.plot(series.position, values, color=style["color"], zorder=1, **DASHED)


def level(axes: Axes, axis: Axis, series: Series, values: pd.Series, **style: Any) -> None:
    """Draw a line through the points, or bars where they have no order; of one from end to end."""
    if len(series.points) == 1:
        axes.axhline(values.item(), **style)
    elif axis.names:
        axes.hlines(values, series.position - 0.4, series.position + 0.4, **style)
    else:
        axes.plot(series.position, values, **style)


def residuals(axes: Axes, series: Series, picked: pd.DataFrame, style: dict[str, Any]) -> None:
    """Draw by how many per cent estimates differ from theory, with their errors."""
    theory = picked["theory"].where(picked["theory"] > 0)
    percent = 100 * (picked[["estimate", "stderr"]].div(theory, axis=0))
    marks(axes, series, percent["estimate"] - 100, percent["stderr"], style)


def distinct(number: int) -> list[Any]:
    """Return so many colours: shades where there are too few distinct ones."""
    few = number <= len(COLOURS)
    return list(COLOURS[:number] if few else _shades()(np.linspace(0, 1, number)))


def explain_series(figure: Figure, arrangement: Arrangement) -> None:
    """Say above the panels which colour is which series."""
    explain_colours(figure, [series.label for series in arrangement.series])


def explain_colours(figure: Figure, labels: Sequence[str], *more: Line2D) -> None:
    """Say above the panels what each of the distinct colours stands for."""
    coloured = zip(labels, distinct(len(labels)), strict=True)
    legend(figure, [*(key(label, color=colour, linewidth=3) for label, colour in coloured), *more])


def curves(arrangement: Arrangement) -> list[tuple[Series, list[Any]]]:
    """Return the series with those of their points that are drawn, and a colour for each of these.

    Along an axis of numbers, curves of more points than can be told apart are evenly left out.
    """
    names = arrangement.axis.names
    if names:
        [series] = arrangement.series
        return [(_some(series, slice(_MOST_NAMES)), distinct(len(names))[:_MOST_NAMES])]
    mappable = _mappable(arrangement)
    thinned = [_some(series, _evenly(len(series.points))) for series in arrangement.series]
    return [(series, list(mappable.to_rgba(series.position))) for series in thinned]


def _evenly(number: int) -> Any:
    return np.unique(np.linspace(0, number - 1, min(number, MOST_CURVES)).round().astype(int))


def _some(series: Series, chosen: Any) -> Series:
    points = np.array(series.points)[chosen].tolist()
    return replace(series, points=points, position=series.position[chosen])


def explain_curves(figure: Figure, arrangement: Arrangement, *more: Line2D) -> None:
    """Say above the panels which colour is which point, and what ``more`` there is."""
    axis, positions = arrangement.axis, arrangement.positions
    drawn = curves(arrangement)
    shown = np.unique(np.concatenate([series.position for series, _ in drawn]))
    labels: list[str] = []
    if axis.names:
        labels = [literal(shortened(name)) for name in axis.names[:_MOST_NAMES]]
        colours = drawn[0][1]
    elif 1 < len(positions) <= _FEW:
        labels = [value_label(axis.key, float(f"{at:.4g}")) for at in positions]
        colours = list(_mappable(arrangement).to_rgba(positions))
    if labels:
        coloured = zip(labels, colours, strict=True)
        entries = [key(label, color=colour, linewidth=3) for label, colour in coloured]
        left = len(axis.names) - len(labels)
        more = (*entries, *([key(f"and {left} more", ls="none")] if left > 0 else []), *more)
    elif len(positions) > 1:
        width = figure.get_figwidth()
        bar = figure.colorbar(
            _mappable(arrangement), ax=figure.axes, location="top", aspect=15 * width, pad=0.01
        )
        some = f" ({len(shown)} of {len(positions)} points)" if len(shown) < len(positions) else ""
        bar.set_label(f"{axis.label}{some}")
        bar.ax.tick_params(which="both", bottom=False)
        bar.ax.vlines(shown, 0, 1, color="white", linewidth=0.8)
    if more:
        legend(figure, more)


@cache
def _shades() -> Colormap:
    """Viridis without the yellow that is lost on paper."""
    from matplotlib import colormaps
    from matplotlib.colors import LinearSegmentedColormap

    seen = colormaps["viridis"](np.linspace(0.0, 0.88, 64))
    return LinearSegmentedColormap.from_list("shades", seen)


def _mappable(arrangement: Arrangement) -> ScalarMappable:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm, Normalize

    low, high = arrangement.positions[[0, -1]]
    # realised concentrations just miss the decades that label the ends
    normalise = LogNorm(low / 1.01, high * 1.01) if arrangement.axis.log else Normalize(low, high)
    return ScalarMappable(normalise, _shades())

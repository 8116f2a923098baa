"""A frozen realisation in three dimensions, to be turned."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from glasspipe.files import results
from glasspipe.report.observable import Results
from glasspipe.report.page.explorer import point_labels
from glasspipe.report.presentation import evenly
from glasspipe.report.realisation import mean_distance

MOST_POINTS = 6
_COLOURS = {1: "#1f77b4", -1: "#d62728"}
_SIZES = (4.0, 14.0)
_LENGTH = 0.35
"""Of half an axis, in units of the mean distance."""

Array = NDArray[np.float64]


def frozen(found: Results) -> go.Figure:
    """Draw the first realisation of some points: sites, axes, S and the local fields h."""
    labels = point_labels(found.points)
    data = found.curves(results.FREEZING)
    figure = go.Figure()
    titles, owner = [], []
    for number, name in enumerate(evenly(found.points["point"].tolist(), MOST_POINTS)):
        traces = _point(data.sel(point=name).dropna("defect", subset=["first_h"]))
        for trace in traces:
            trace.visible = number == 0
        figure.add_traces(traces)
        titles.append(labels[name])
        owner += [number] * len(traces)
    buttons = [
        {
            "label": title,
            "method": "update",
            "args": [{"visible": [mine == number for mine in owner]}],
        }
        for number, title in enumerate(titles)
    ]
    menu = {"buttons": buttons, "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"}
    axis = {"backgroundcolor": "white", "gridcolor": "#ddd"}
    figure.update_layout(
        updatemenus=[menu],
        template="simple_white",
        height=640,
        margin={"l": 0, "r": 0, "t": 60, "b": 0},
        scene={
            "aspectmode": "data",
            **{f"{name}axis": axis | {"title": {"text": f"{name} (Å)"}} for name in "xyz"},
        },
    )
    return figure


def _point(data: xr.Dataset) -> list[go.Scatter3d]:
    """Return what is drawn of a point."""
    position, S = (data[name].to_numpy() for name in ("first_position", "first_S"))
    box = data["first_box"].to_numpy()
    axes = _LENGTH * mean_distance(position, box) * data["first_axis"].to_numpy()
    about = pd.DataFrame({name: data[f"first_{name}"].to_numpy() for name in ("B", "h", "b")})
    size = np.abs(about["h"].to_numpy())
    size = np.clip(_SIZES[0] * np.sqrt(size / (np.median(size) or 1.0)) + 1, *_SIZES)
    traces = [_edges(box)]
    for sign, colour in _COLOURS.items():
        mine = sign == S
        traces += [
            _lines(position[mine], axes[mine], colour),
            _marks(position[mine], about[mine], size[mine], sign),
        ]
    return traces


def _marks(position: Array, about: pd.DataFrame, size: Array, sign: int) -> go.Scatter3d:
    return go.Scatter3d(
        **dict(zip("xyz", position.T.round(3), strict=True)),
        mode="markers",
        name=f"S = {sign:+d}",
        marker={"size": size.round(2), "color": _COLOURS[sign], "line": {"width": 0}},
        customdata=about.map(lambda value: float(f"{value:.4g}")),
        hovertemplate=(
            "B = %{customdata[0]} eV<br>h = %{customdata[1]} eV<br>b = %{customdata[2]} eV"
            "<extra>%{fullData.name}</extra>"
        ),
    )


def _lines(position: Array, axes: Array, colour: str) -> go.Scatter3d:
    """Return the axes of defects as short lines."""
    ends = np.stack([position - axes, position + axes, np.full_like(position, np.nan)], axis=1)
    return go.Scatter3d(
        **dict(zip("xyz", ends.reshape(-1, 3).T.round(3), strict=True)),
        mode="lines",
        line={"color": colour, "width": 4},
        hoverinfo="skip",
        showlegend=False,
    )


def _edges(box: Array) -> go.Scatter3d:
    """Return the edges of the box."""
    corners = np.array([(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)], dtype=float)
    lines = [
        (one * box, two * box, [np.nan] * 3)
        for one in corners
        for two in corners
        if np.sum(two - one) == 1 and np.abs(two - one).sum() == 1
    ]
    return go.Scatter3d(
        **dict(zip("xyz", np.array(lines).reshape(-1, 3).T, strict=True)),
        mode="lines",
        line={"color": "#999", "width": 1},
        hoverinfo="skip",
        showlegend=False,
    )

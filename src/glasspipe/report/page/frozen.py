"""A frozen realisation in three dimensions, to be turned."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from glasspipe.report.contents import REALISATION, pictured
from glasspipe.report.observable import Results
from glasspipe.report.page.explorer import point_labels
from glasspipe.stages.study_files import PointFiles, StudyFiles

MOST_DEFECTS = 1000
"""Of a large box those next to its centre are shown."""
_COLOURS = {1: "#1f77b4", -1: "#d62728"}
_TIE = 1e-9
_SIZES = (4.0, 14.0)

Array = NDArray[np.float64]


def frozen(found: Results) -> go.Figure:
    """Draw the first realisation of some points: sites, axes, S and the random fields B.

    Raises
    ------
    DataError
        If a file of a stage is missing or cannot be used.
    """
    labels = point_labels(found.points)
    figure = go.Figure()
    titles, owner = [], []
    for number, point in enumerate(pictured(found.study.points)):
        traces, title = _point(point)
        for trace in traces:
            trace.visible = number == 0
        figure.add_traces(traces)
        titles.append(f"{labels[point.name]}: {title}")
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


def has_files(study: StudyFiles) -> bool:
    """Whether the files are there from which the pictures are made."""
    points = pictured(study.points)
    return all(point.files[stage.name][0].is_file() for point in points for stage in REALISATION)


def _point(point: PointFiles) -> tuple[list[go.Scatter3d], str]:
    """Return what is drawn of a point, and what it is."""
    sample, freeze = REALISATION
    with point.opened(sample, point.files[sample.name][0]) as reader:
        number = reader.realisations[0]
        box = np.asarray(reader.whole("box"), dtype=float)
        position, gamma = reader.row(0, "position", "gamma")
    with point.opened(freeze, point.files[freeze.name][0]) as reader:
        S, B, h = reader.row(0, "S", "B", "h")
    nearest = np.argsort(np.abs(position - box / 2).max(axis=1), kind="stable")[:MOST_DEFECTS]
    shown = np.sort(nearest)
    length = 0.35 * (np.prod(box) / len(S)) ** (1 / 3)
    axes = principal_axes(S[shown, None, None] * gamma[shown]) * length
    about = pd.DataFrame({"defect": shown, "S": S[shown], "B": B[shown], "h": h[shown]})
    traces = [_edges(box)] if len(shown) == len(S) else []
    typical = float(np.median(np.abs(B))) or 1.0
    size = np.clip(_SIZES[0] * np.sqrt(np.abs(B[shown]) / typical) + 1, *_SIZES)
    for sign, colour in _COLOURS.items():
        mine = S[shown] == sign
        traces += [
            _lines(position[shown][mine], axes[mine], colour),
            _marks(position[shown][mine], about[mine], size[mine], sign),
        ]
    part = "" if len(shown) == len(S) else f", the {len(shown)} next to the centre"
    return traces, f"realisation {number}, {len(S)} defects{part}"


def principal_axes(tensors: Array) -> Array:
    """Return the unit eigenvector (N, 3) of the largest modulus of an eigenvalue of each tensor.

    Of ±w that is the eigenvector of +w, so that a defect that S turns points where it is.

    Parameters
    ----------
    tensors : array (N, 3, 3)
        Symmetric, such as S γ, eV.
    """
    values, vectors = np.linalg.eigh(tensors)
    largest = np.abs(values).max(axis=1, keepdims=True)
    order = np.where(np.abs(values) >= largest * (1 - _TIE), values, -np.inf)
    return np.take_along_axis(vectors, order.argmax(axis=1)[:, None, None], axis=2)[:, :, 0]


def _marks(position: Array, about: pd.DataFrame, size: Array, sign: int) -> go.Scatter3d:
    return go.Scatter3d(
        **dict(zip("xyz", position.T.round(3), strict=True)),
        mode="markers",
        name=f"S = {sign:+d}",
        marker={"size": size.round(2), "color": _COLOURS[sign], "line": {"width": 0}},
        customdata=about.round({"B": 9, "h": 9}),
        hovertemplate=(
            "defect %{customdata[0]}<br>B = %{customdata[2]:.4g} eV<br>"
            "h = %{customdata[3]:.4g} eV<extra>%{fullData.name}</extra>"
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

"""The distributions of all fields, to be looked at point by point and field by field."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray
from plotly.colors import qualitative
from plotly.subplots import make_subplots

from glasspipe.files import results
from glasspipe.files.results import CONCENTRATION
from glasspipe.report.observable import Results
from glasspipe.report.observables.fields import above, known_part, merged
from glasspipe.report.presentation import SYMBOLS, evenly, pick, shortened

MOST_POINTS = 100
"""Points of a study that the page holds, evenly chosen; all are in its files."""
_CORE = 8.0
"""Values over the scale that are in sight at first; twice as many can be."""
_DIGITS = 4
_QUANTILES = {
    "q05": "5 %",
    "median_abs": "median of |·|",
    "quartile_half_width": "quartile half-width",
    "q95": "95 %",
}
_DASHES = ("dot", "dash")

Array = NDArray[np.float64]

_PANELS = ("core", "law", "limit", "tail", "law tail", "limit tail", "quantiles", "theory")
"""The curves of a field: the sample, the law on the lattice and the limit, twice; quantiles."""
_CURVES = ("density", "lattice_density", "limit_density")


def explorer(found: Results) -> go.Figure:
    """Draw the density, the tails and the quantiles of every field, with a slider for the point.

    All are in units of the scale of the field's dilute limit at that point. A click in the legend
    shows a field or hides it.
    """
    data = found.curves(results.DISTRIBUTIONS)
    names = evenly(found.points["point"].tolist(), MOST_POINTS)
    labels = point_labels(found.points)
    quantiles = _quantiles(found.summary, data["quantity"].to_numpy(), names)
    columns = [_point(quantiles, data.sel(point=name), name) for name in names]
    figure = make_subplots(
        cols=3,
        column_widths=[0.38, 0.34, 0.28],
        horizontal_spacing=0.07,
        subplot_titles=("density", "probability above", "quantiles"),
    )
    for trace, panel in _traces(data, columns[0]):
        figure.add_trace(trace, row=1, col=panel)
    steps = [
        {
            "label": labels[name],
            "method": "restyle",
            "args": [{"y": column["y"], "error_y.array": column["error"]}],
        }
        for name, column in zip(names, columns, strict=True)
    ]
    figure.update_layout(
        sliders=[{"steps": steps, "currentvalue": {"prefix": ""}, "pad": {"t": 50}}],
        template="simple_white",
        height=520,
        legend={"title": {"text": "field"}},
        margin={"l": 50, "r": 20, "t": 40, "b": 20},
    )
    figure.update_xaxes(title="value / scale", range=[-_CORE, _CORE], col=1)
    figure.update_xaxes(title="|value| / scale", type="log", dtick=2, exponentformat="power", col=2)
    figure.update_yaxes(type="log", dtick=1, exponentformat="power", range=[-6, 0.1], col=2)
    return figure


def point_labels(points: pd.DataFrame) -> dict[str, str]:
    """Return what tells each point from the others, as text of HTML."""
    keys = [key for key in points.columns if key not in ("point", "x")]
    varied = [key for key in keys if points[key].nunique() > 1] or ["x"]
    short = {key: "x" if key == CONCENTRATION else key.rpartition(".")[2] for key in varied}
    if len(set(short.values())) < len(short):
        short = {key: key for key in varied}
    return {
        row["point"]: escape(", ".join(f"{short[key]} = {_shown(row[key])}" for key in varied))
        for _, row in points.iterrows()
    }


def _shown(value: Any) -> str:
    return shortened(value) if isinstance(value, str) else f"{value:.4g}"


def _traces(data: xr.Dataset, first: dict[str, list[Any]]) -> list[tuple[go.Scatter, int]]:
    """Return the curves of every field, in the order of :data:`_PANELS`, and their panels."""
    edges = data["edges"].to_numpy()
    middles = _rounded(_core(edges, np.zeros(len(edges) - 1))[0])
    tail = _rounded(edges[len(edges) // 2 + 1 :])
    places = [middles] * 3 + [tail] * 3 + [list(_QUANTILES.values())] * 2
    x = dict(zip(_PANELS, places, strict=True))
    dotted, dashed = ({"mode": "lines", "line": {"dash": how, "width": 1}} for how in _DASHES)
    style: dict[str, dict[str, Any]] = {
        "core": {"mode": "lines", "line": {"shape": "hvh"}, "showlegend": True},
        "law": dotted,
        "limit": dashed,
        "tail": {"mode": "lines"},
        "law tail": dotted,
        "limit tail": dashed,
        "quantiles": {"mode": "markers"},
        "theory": {"mode": "markers", "marker": {"symbol": "line-ew-open", "size": 16}},
    }
    said = {"limit": "dilute limit", "law": "law on the lattice", "theory": "theory"}
    made = []
    for number, quantity in enumerate(data["quantity"].to_numpy()):
        for place, panel in enumerate(_PANELS):
            own = {"showlegend": False} | style[panel]
            colour = qualitative.D3[number % len(qualitative.D3)]
            kind = "line" if own["mode"] == "lines" else "marker"
            own[kind] = {"color": colour} | own.get(kind, {})
            trace = go.Scatter(
                x=x[panel],
                y=first["y"][len(_PANELS) * number + place],
                name=_symbol(quantity),
                hovertext=said.get(panel.removesuffix(" tail"), "sampled"),
                legendgroup=str(quantity),
                visible=True if number == 0 else "legendonly",
                **own,
            )
            if panel == "quantiles":
                trace.error_y = {"array": first["error"][len(_PANELS) * number + place]}
            made.append((trace, place // len(_CURVES) + 1))
    return made


def _core(edges: Array, density: Array) -> tuple[Array, Array]:
    """Return the middles of the bins that are shown, and a density there, NaN where unknown."""
    borders, _ = merged(edges, np.zeros(len(edges) - 1))
    middles = (borders[1:] + borders[:-1]) / 2
    shown = np.abs(middles) < 2 * _CORE
    kept, known = merged(*known_part(edges, density))
    inside = (kept[:-1] >= borders[:-1, None]) & (kept[1:] <= borders[1:, None])
    found = np.where(inside.any(axis=1), inside @ known, np.nan)
    return middles[shown], found[shown]


def _tail(edges: Array, density: Array) -> Array:
    """Return the probability to be above each edge on either side, NaN where it is not known."""
    known = above(*known_part(edges, density))[1]
    return np.concatenate([known, np.full(len(density) // 2 - len(known), np.nan)])


def _symbol(quantity: str) -> str:
    """Return the symbol of a field as Plotly shows it, ``b<sup>γ</sup>``."""
    text = re.sub(r"\\([A-Za-z]+)", _greek, SYMBOLS[quantity])
    text = re.sub(r"\^(\{[^}]*\}|.)", r"<sup>\1</sup>", text)
    return re.sub(r"_(\{[^}]*\}|.)", r"<sub>\1</sub>", text).translate({ord(c): "" for c in "{}"})


def _greek(command: re.Match[str]) -> str:
    size = "CAPITAL" if command[1][0].isupper() else "SMALL"
    return unicodedata.lookup(f"GREEK {size} LETTER {command[1].upper()}")


def _quantiles(
    summary: pd.DataFrame, quantities: Iterable[str], names: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """Return the quantiles of each field at the points, with the rows (quantile, point)."""
    return {
        quantity: pd.concat({each: pick(summary, quantity, each, names) for each in _QUANTILES})
        for quantity in quantities
    }


def _point(
    quantiles: Mapping[str, pd.DataFrame], data: xr.Dataset, name: str
) -> dict[str, list[Any]]:
    """Return the ordinates of all curves at a point, and the errors of those that have them."""
    y: list[Any] = []
    error: list[Any] = []
    edges = data["edges"].to_numpy()
    for quantity in data["quantity"].to_numpy():
        field = data.sel(quantity=quantity)
        curves = [field[name].to_numpy() for name in _CURVES]
        y += [_rounded(_core(edges, curve)[1]) for curve in curves]
        y += [_rounded(_tail(edges, curve)) for curve in curves]
        picked = quantiles[quantity].xs(name, level="point") / float(field["scale"])
        y += [_rounded(picked["estimate"]), _rounded(picked["theory"])]
        error += [None] * 2 * len(_CURVES) + [_rounded(picked["stderr"]), None]
    return {"y": y, "error": error}


def _rounded(values: Array | pd.Series) -> list[float | None]:
    """Return numbers of a few digits, for the page to be short; nothing where there is none."""
    return [float(f"{v:.{_DIGITS}g}") if np.isfinite(v) else None for v in values]

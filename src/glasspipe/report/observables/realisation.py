"""The first realisation of a point as it froze: where its defects sit, their axes, S and fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from glasspipe.files import results
from glasspipe.files.variables import Variable
from glasspipe.report import layout
from glasspipe.report.drawing import COLOURS
from glasspipe.report.observable import Figure, Measured, Observable, Results
from glasspipe.report.point_data import PointData
from glasspipe.report.presentation import arrange
from glasspipe.report.realisation import frozen, mean_distance

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

_MOST = 1000
"""Defects that are kept, those nearest to the middle of the box."""
_LENGTH = 0.6
"""Of an axis, in units of the mean distance (V/N)^(1/3)."""
_AREA, _LARGEST = 4.0, 40.0
"""Of a mark where |h| is its median, and at most, square points."""
_PAD = -6.0
"""Points between labels and axes, which matplotlib sets wide apart."""
_S = {1: COLOURS[1], -1: COLOURS[0]}
_VIEW: dict[str, Any] = {"elev": 18.0, "azim": -62.0}


def measure(point: PointData) -> Measured:
    """Return the first realisation."""
    first = frozen(point.files, int(point.realisations[0]))
    away = np.linalg.norm(first.position - first.box / 2, axis=1)
    kept = np.sort(np.argsort(away, kind="stable")[:_MOST])
    curves: dict[str, Any] = {
        "position": first.position,
        "axis": first.axis,
        "S": first.S,
        **first.fields,
    }
    named = {f"first_{name}": values[kept] for name, values in curves.items()}
    return Measured(curves={"first_box": first.box, **named})


def realisation(found: Results) -> Drawing:
    """The first realisation of the point at the end of the axis, in three dimensions."""
    arrangement = arrange(found.summary)
    series = arrangement.series[0]
    data = found.curves(results.FREEZING).sel(point=series.points[-1])
    size = found.style.journal.column
    figure = layout.figure(size, size)
    axes = figure.add_subplot(projection="3d", computed_zorder=False)
    _draw(axes, data.dropna("defect", subset=["first_h"]))
    where = [arrangement.axis.at(series.position[-1])] if len(found.points) > 1 else []
    axes.set_title(", ".join(filter(None, [series.label, *where])))
    keys = [
        layout.key(f"$S={sign:+d}$", ls="", marker="o", color=colour) for sign, colour in _S.items()
    ]
    keys.append(layout.key(r"area $\propto|h|$", ls="", marker="o", color="grey"))
    layout.legend(figure, keys)
    return figure


def _draw(axes: Any, data: xr.Dataset) -> None:
    """Draw every defect as a mark on its axis."""
    from mpl_toolkits.mplot3d.art3d import Line3DCollection

    position, along = data["first_position"].to_numpy(), data["first_axis"].to_numpy()
    colours = [_S[sign] for sign in data["first_S"].to_numpy()]
    size = np.abs(data["first_h"].to_numpy())
    area = np.minimum(_AREA * size / (np.median(size) or 1.0), _LARGEST)
    box = data["first_box"].to_numpy()
    half = _LENGTH / 2 * mean_distance(position, box) * along
    ends = np.stack([position - half, position + half], axis=1)
    axes.add_collection3d(Line3DCollection(ends, colors=colours, linewidths=0.6))
    axes.scatter(*position.T, s=area, c=colours, linewidths=0)
    for axis, name, edge in zip((axes.xaxis, axes.yaxis, axes.zaxis), "xyz", box, strict=True):
        axis.set_label_text(f"${name}$ (Å)")
        axis.labelpad = _PAD
        axes.set(**{f"{name}lim": (0, edge)})
    axes.tick_params(pad=_PAD / 2)
    axes.locator_params(nbins=4)
    axes.grid(visible=False)
    axes.set_box_aspect(tuple(box), zoom=0.95)  # of an array it would scale the data
    axes.view_init(**_VIEW)


_OF_DEFECTS = {
    "B": ("eV", "random field on S", "eqs. (26), (29)"),
    "h": ("eV", "local field", "eq. (29)"),
    "b": ("eV", "random field on tau", "eq. (71)"),
}

OBSERVABLE = Observable(
    name="realisation",
    file=results.FREEZING,
    variables={
        "first_box": Variable("axis", "angstrom", "box of the first realisation", "model"),
        "first_position": Variable(
            "defect axis",
            "angstrom",
            f"positions of its defects, of the {_MOST} next to the middle if there are more",
            "model",
        ),
        "first_axis": Variable("defect axis", "1", "where their S gamma is largest", "eq. (7)"),
        "first_S": Variable("defect", "1", "their S", "eq. (29)"),
        **{
            f"first_{name}": Variable("defect", unit, f"their {meaning}", reference)
            for name, (unit, meaning, reference) in _OF_DEFECTS.items()
        },
    },
    measure=measure,
    figures=(
        Figure(
            name="realisation",
            caption=r"""
            A frozen realisation of the point at the end of the axis: every defect of the
            box, or the 1000 nearest to its middle, with the axis along which
            :math:`S_i\gamma` is largest. The colour is :math:`S_i`, the area of a mark the
            local field :math:`|h_i|` over its median. `glasspipe export` writes it for OVITO
            and ParaView.
            """,
            draw=realisation,
        ),
    ),
)

"""The density of the local fields |h| over their median: where it may vanish as h → 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from glasspipe.files import results
from glasspipe.files.variables import Variable
from glasspipe.report.observable import Measured, Observable, Row
from glasspipe.report.point_data import PointData
from glasspipe.spins import diagnostics
from glasspipe.statistics import spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GAP = "gap"
"""Quantity of the summary's row."""

_EDGES = np.geomspace(1e-4, 1e2, 61)
_FEWEST = 1e-4
"""Density of |h| below which bins hold a field or none."""


def measure(point: PointData) -> Measured:
    """Return the exponent of P(h) at small h, resampling whole realisations, and the density."""
    h, spins = point.frozen["h"], point.spins
    resampled = [diagnostics.gap_exponent(h[rows][spins[rows]]) for rows in point.resampled(len(h))]
    exponent = Row(GAP, "exponent", diagnostics.gap_exponent(h[spins]), spread(resampled))
    magnitude = np.abs(np.concatenate(point.of_spins(h)))
    unit = float(np.median(magnitude)) or 1.0
    counts, _ = np.histogram(magnitude / unit, _EDGES)
    density = counts / (magnitude.size * np.diff(_EDGES))
    curves = {"h_edges": _EDGES, "h_unit": unit, "h_density": density}
    return Measured([exponent] if exponent.known else [], curves)


def draw(axes: Axes, point: xr.Dataset, colour: Any) -> None:
    """Draw the density of a point."""
    edges, density = point["h_edges"].to_numpy(), point["h_density"].to_numpy()
    middle, shown = np.sqrt(edges[1:] * edges[:-1]), density > _FEWEST
    if shown.any():
        axes.plot(middle, np.where(shown, density, np.nan), color=colour)


OBSERVABLE = Observable(
    name="gap",
    file=results.FREEZING,
    coordinates={"h_edges": Variable("h_edge", "1", "edges of the bins of |h|/h_unit", "model")},
    variables={
        "h_unit": Variable("", "eV", "median |h|", "eq. (29)"),
        "h_density": Variable("h_bin", "1", "density of |h|/h_unit", "model"),
    },
    measure=measure,
)

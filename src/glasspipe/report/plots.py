"""Results drawn on axes of one's own, in one's own style."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from glasspipe.errors import DataError
from glasspipe.files import results
from glasspipe.report import drawing
from glasspipe.report.observables.fields import merged
from glasspipe.report.presentation import SYMBOLS, alternatives, arrange, pick
from glasspipe.report.study import OpenStudy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_statistic(
    study: OpenStudy,
    quantity: str,
    statistic: str,
    *,
    ax: Axes,
    unit: float = 1.0,
    theory: bool = True,
    **style: Any,
) -> None:
    """Draw a statistic of the summary against what the study sweeps, a call for all its series.

    Parameters
    ----------
    study : OpenStudy
        From :func:`glasspipe.open_study`.
    quantity, statistic : str
        As in the summary, such as ``"B"`` and ``"std"``.
    ax : Axes
        Where to; the scale of its x axis is set, and its label where there is none yet.
    unit : float
        Unit of the numbers in eV, 1e-3 for meV.
    theory : bool
        Whether theory stands beside them, as bars at the points; pale unless it is exact.
    **style
        Of :meth:`matplotlib.axes.Axes.errorbar`: ``color``, ``marker``, ``label`` and so on. The
        default label is that of the series, or of a single one the symbol.

    Raises
    ------
    DataError
        If the study has no such statistic.
    """
    summary = study.results.summary
    mine = summary[(summary["quantity"] == quantity) & (summary["statistic"] == statistic)]
    if mine.empty:
        known = summary.loc[summary["quantity"] == quantity, "statistic"].unique()
        what, found, allowed = "statistic", statistic, known
        if not len(known):
            what, found, allowed = "quantity", quantity, summary["quantity"].unique()
        raise DataError(f"{what}: found {found!r}; allowed: {', '.join(allowed)}")
    arrangement = arrange(summary)
    for series in arrangement.series:
        picked = pick(summary, quantity, statistic, series.points) / unit
        default = series.label or f"${SYMBOLS.get(quantity, quantity)}$"
        chosen = {"linestyle": "none", "marker": "o", "label": default} | style
        drawn = ax.errorbar(series.position, picked["estimate"], picked["stderr"], **chosen)
        if theory:
            kinds = mine[mine["point"].isin(series.points)]["theory_kind"]
            marks = drawing.bars(alternatives(kinds))
            ax.plot(series.position, picked["theory"], color=drawn.lines[0].get_color(), **marks)
    if arrangement.axis.names:
        ax.set_xticks(arrangement.positions, arrangement.axis.names)
    elif arrangement.axis.log:
        ax.set_xscale("log")
    if not ax.get_xlabel():
        ax.set_xlabel(arrangement.axis.label)


def plot_distribution(
    study: OpenStudy,
    quantity: str,
    points: Iterable[str] | None = None,
    *,
    ax: Axes,
    limit: bool = True,
    **style: Any,
) -> None:
    """Draw the density of a field over the scale of its dilute limit, a curve a point.

    Parameters
    ----------
    study : OpenStudy
        From :func:`glasspipe.open_study`.
    quantity : str
        Field, such as ``"B"``.
    points : iterable of str, optional
        Names of points, by default all.
    ax : Axes
        Where to.
    limit : bool
        Whether the limit is drawn, dashed.
    **style
        Of :meth:`matplotlib.axes.Axes.plot`. The default label says where in the sweep a point is.

    Raises
    ------
    DataError
        If the study has no such field or point.
    """
    data = study.curves(results.DISTRIBUTIONS)
    names = list(data["point"].to_numpy() if points is None else points)
    for what, wanted in (("quantity", [quantity]), ("point", names)):
        known = data[what].to_numpy().tolist()
        for one in set(wanted) - set(known):
            raise DataError(f"{what}: found {one!r}; allowed: {', '.join(known)}")
    edges, labels = data["edges"].to_numpy(), _labels(study)
    for name in names:
        field = data.sel(point=name, quantity=quantity)
        kept, density = merged(edges, field["density"].to_numpy())
        middle = (kept[1:] + kept[:-1]) / 2
        [line] = ax.plot(middle, density, **{"label": labels[name]} | style)
        if limit:
            dashed = merged(edges, field["limit_density"].to_numpy())[1]
            ax.plot(middle, np.asarray(dashed), color=line.get_color(), **drawing.DASHED)
    if not ax.get_xlabel():
        ax.set_xlabel(f"${SYMBOLS[quantity]}$ / scale")


def _labels(study: OpenStudy) -> dict[str, str]:
    """Return where in the sweep each point is."""
    arrangement = arrange(study.results.summary)
    return {
        name: ", ".join(filter(None, [arrangement.axis.at(position), series.label]))
        for series in arrangement.series
        for name, position in zip(series.points, series.position, strict=True)
    }

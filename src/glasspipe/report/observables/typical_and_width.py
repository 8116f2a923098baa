"""The typical field B_0 against the width B̄ of B: ∝ x and ∝ √x (after (29))."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glasspipe.defects.distribution import Distribution
from glasspipe.files import results
from glasspipe.report import drawing, layout
from glasspipe.report.drawing import COLOURS
from glasspipe.report.latex import measured, point_columns, tabular, theory
from glasspipe.report.observable import Figure, Line, Measured, Observable, Results, Row, Table
from glasspipe.report.point_data import PointData
from glasspipe.report.presentation import (
    TYPICAL,
    WIDTH,
    Arrangement,
    Axis,
    Series,
    arrange,
    compact,
    find_fit,
    joined,
    pick,
    plus_minus,
    points_of,
    ratio,
    theory_kind,
    told,
)
from glasspipe.statistics import UNLIKELY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

Array = NDArray[np.float64]

SCALES = "paper"
"""Quantity of the paper's estimates: U_0, and γη/(4πρc_l²a³), its B_0/x and B̄/√x."""
_DENSE = 200
"""Points of a curve."""
_MEASURABLE = 0.25
"""Relative error above which a width is not measured: its sampling distribution is that of a few
pairs, to which ± does no justice."""
_UNAVAILABLE = "not available"
_KURTOSIS = (
    "The kurtosis need not converge: the rare near pairs that rule it may be missing in a sample."
)


def measure(point: PointData) -> Measured:
    """Return the paper's scales of energy."""
    rows = [Row(SCALES, "U_0", point.U_0), Row(SCALES, "B_0/x", point.B_scale)]
    return Measured([row for row in rows if row.known])


@dataclass(frozen=True)
class _Law:
    """A statistic of B, its symbol, what it is a power of, and how it is drawn."""

    statistic: str
    symbol: str
    against: str
    base: str
    colour: str
    marker: str

    @property
    def style(self) -> dict[str, Any]:
        """Filled circles lie on top of open squares, so that both are seen where they meet."""
        fill = self.colour if self.marker == "o" else "white"
        return {"color": self.colour, "marker": self.marker, "markerfacecolor": fill}

    def power(self, fits: pd.DataFrame, series: Series) -> str:
        """Return the fitted power law, or nothing if there is none."""
        fit = find_fit(fits, "B", self.statistic, self.against, series.shared)
        if fit is None:
            return ""
        exponent = compact(fit["exponent"], fit["stderr"])
        return rf"{self.symbol}\propto {self.base}^p,\ p={exponent}"


_LAWS = (
    _Law(WIDTH, r"\bar{B}", "x(1-x)", "[x(1-x)]", COLOURS[1], "s"),
    _Law(TYPICAL, "B_0", "x", "x", COLOURS[0], "o"),
)


def typical_and_width(found: Results) -> Drawing:
    """B_0 and B̄ along the axis with theory, and how far they are from it, one column a series."""
    summary, fits = found.summary, found.fits
    histograms = found.curves(results.DISTRIBUTIONS).sel(quantity="B")
    arrangement, kind = arrange(summary), theory_kind(summary, "B")
    unit, unit_name = found.style.energy
    figure, grid = layout.grid(
        found.style, 2, len(arrangement.series), height=3.4, ratios=(2.6, 1), sharex=True
    )
    shown = summary["estimate"][summary["quantity"] == "B"]
    drawing.set_energies(grid[0], arrangement.axis, shown)
    for (top, bottom), series in zip(grid.T, arrangement.series, strict=False):
        drawing.set_axis([top, bottom], arrangement)
        top.set_title(series.label)
        for law in _LAWS:
            picked = pick(summary, "B", law.statistic, series.points) / unit
            drawing.estimates(top, series, picked, law.style, kind)
            drawing.residuals(bottom, series, picked, law.style)
            if law.statistic == WIDTH:
                stray = _stray_widths(found, series) / unit
                _draw_widths(top, arrangement, series, (picked["theory"], stray), law.colour)
            else:
                drawing.limit(top, arrangement, series, histograms, law.style, unit=unit)
        layout.note_if_empty(top, "$B=0$")
        layout.note_if_empty(bottom, "no theory")
        bottom.axhline(0.0, color="black", linewidth=0.6, zorder=1)
    layout.label_rows(grid, f"random field on $S$ ({unit_name})", "deviation from\ntheory (%)")
    [first, *others] = arrangement.series
    _explain_laws(figure, fits, None if others else first, kind)
    return figure


def _draw_widths(
    axes: Axes,
    arrangement: Arrangement,
    series: Series,
    widths: tuple[pd.Series, Array],
    colour: Any,
) -> None:
    """Draw the exact width against x, given it and that of the stray fields at the points.

    Its square, less that of the stray fields, over x is linear in x, so the curve is known.
    """
    x, known, stray = series.position, widths[0].to_numpy(), widths[1]
    if arrangement.rises and np.all(known > stray):
        dense = np.geomspace(x[0], x[-1], _DENSE)
        of_defects = dense * np.interp(dense, x, (known**2 - stray**2) / x)
        width = np.sqrt(of_defects + np.interp(dense, x, stray**2))
        axes.plot(dense, width, color=colour, zorder=1)


def _stray_widths(found: Results, series: Series) -> Array:
    """Width of the stray fields on S at each point, which all defects draw alike, in eV."""
    strengths = [found.study.point(name).point.model.components[0].E for name in series.points]
    variances = [one.variance if isinstance(one, Distribution) else 0.0 for one in strengths]
    return np.sqrt(variances)


def _explain_laws(figure: Drawing, fits: pd.DataFrame, series: Series | None, kind: str) -> None:
    """Explain the marks of the statistics; of a single series with its power laws."""
    entries = []
    for law in _LAWS:
        power = law.power(fits, series) if series else ""
        entries.append(layout.key(f"${power or law.symbol}$", ls="", **law.style))
    few = layout.key("few defects", color="black", **drawing.DASHED)
    laws = layout.drawn(figure, [*drawing.kind_keys([kind]), few])
    layout.legend(figure, [*entries, *laws])


def values(found: Results) -> pd.DataFrame:
    """Return B_0, B̄, B̄/B_0, the mean and the kurtosis of B, a row a point, energies in eV."""
    summary = found.summary
    B = {name: pick(summary, "B", name) for name in (TYPICAL, WIDTH, "mean", "kurtosis")}
    in_eV = {"B_0": B[TYPICAL], "B_std": B[WIDTH], "B_mean": B["mean"]}
    numbers = {
        "B_std/B_0": ratio(B[WIDTH], B[TYPICAL]),
        "B_kurtosis": B["kurtosis"],
        **_over_paper(summary, B),
    }
    return joined(joined(points_of(summary), in_eV, " (eV)"), numbers)


def _over_paper(summary: pd.DataFrame, B: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return B_0 and B̄ over the paper's xγη/(4πρc_l²a³) and √x γη/(4πρc_l²a³)."""
    scale = pick(summary, SCALES, "B_0/x")["estimate"]
    x = points_of(summary).set_index("point")["x"]
    unit = scale.where(scale > 0)
    return {
        "B_0/paper": B[TYPICAL].div(unit * x, axis=0),
        "B_std/paper": B[WIDTH].div(unit * np.sqrt(x), axis=0),
    }


def latex(found: Results) -> str:
    """Return them in LaTeX."""
    summary = found.summary
    unit, columns = found.style.energy, []
    for statistic, symbol in {TYPICAL: "B_0", WIDTH: r"\bar{B}"}.items():
        picked = pick(summary, "B", statistic)
        columns.append(measured(f"${symbol}$", picked, unit))
        columns.append(theory(rf"${symbol}^\mathrm{{th}}$", picked, unit))
    width, typical = (pick(summary, "B", name) for name in (WIDTH, TYPICAL))
    columns.append(measured(r"$\bar{B}/B_0$", ratio(width, typical)))
    columns.append(measured(r"$\langle B\rangle$", pick(summary, "B", "mean"), unit))
    columns.append(measured("kurtosis", pick(summary, "B", "kurtosis")))
    note = f"{_KURTOSIS} Theory (th) is {theory_kind(summary, 'B') or 'not known'}."
    return tabular(point_columns(points_of(summary)), columns, note)


def headlines(found: Results, series: Series, axis: Axis) -> list[Line]:
    """Return the exponents of B_0 and B̄, and their ratio."""
    return [
        _exponent("exponent of B_0 against x", found.fits, (TYPICAL, "x"), series),
        _exponent("exponent of B̄ against x(1 - x)", found.fits, (WIDTH, "x(1-x)"), series),
        _ratio(found.summary, series, axis),
        *_scales(found.summary, series, axis),
    ]


def _scales(summary: pd.DataFrame, series: Series, axis: Axis) -> list[Line]:
    """B_0 over the paper's estimate at the first point, and U_0 beside the paper's 1 eV."""
    B = {name: pick(summary, "B", name) for name in (TYPICAL, WIDTH)}
    first = series.points[0]
    found = _over_paper(summary, B)["B_0/paper"].loc[first]
    U_0 = pick(summary, SCALES, "U_0", [first])["estimate"].item()
    lines = []
    if isfinite(found["estimate"]):
        value = plus_minus(found["estimate"], found["stderr"])
        remark = told(found["theory"], theory_kind(summary, "B", [first]))
        where = axis.at(series.position[0])
        lines.append((f"B_0/(xγη/4πρc_l²a³) at {where}", value, remark))
    if isfinite(U_0):
        lines.append(("U_0 = γ_0²/(4πρc_l²a³)", f"{U_0:.3g} eV", "the paper has about 1 eV"))
    return lines


def _exponent(name: str, fits: pd.DataFrame, what: tuple[str, str], series: Series) -> Line:
    statistic, against = what
    fit = find_fit(fits, "B", statistic, against, series.shared)
    if fit is None:
        return name, _UNAVAILABLE, "no power law can be fitted in this study"
    remarks = [f"fitted over {fit['range']}"]
    if isfinite(fit["p_value"]):
        rejected = ", no power law: an effective exponent" if fit["p_value"] < UNLIKELY else ""
        chance = f"p = {fit['p_value']:.2g}{rejected}"
        remarks.append(f"χ² = {fit['chi2']:.3g} of {fit['points']} points ({chance})")
    if isfinite(fit["prediction"]):
        remarks.append(f"theory on the same points {fit['prediction']:.4f}")
    return name, plus_minus(fit["exponent"], fit["stderr"]), "; ".join(remarks)


def _ratio(statistics: pd.DataFrame, series: Series, axis: Axis) -> Line:
    """B̄/B_0 at the first point along the axis where there is such a ratio."""
    width, typical = (pick(statistics, "B", name, series.points) for name in (WIDTH, TYPICAL))
    found = ratio(width, typical)
    known = np.flatnonzero(found["estimate"].notna())
    if not len(known):
        return "B̄/B_0", _UNAVAILABLE, "B vanishes in this study"
    first = found.iloc[known[0]]
    where = axis.at(series.position[known[0]])
    remark = told(first["theory"], theory_kind(statistics, "B", [series.points[known[0]]]))
    if first["stderr"] > _MEASURABLE * first["estimate"]:
        exact = f"; exactly B̄ = {width['theory'].iloc[known[0]]:.4g} eV" if remark else ""
        remark = f"too few near pairs in the sample for B̄{exact}; {remark}".removesuffix("; ")
    return f"B̄/B_0 at {where}", plus_minus(first["estimate"], first["stderr"]), remark


OBSERVABLE = Observable(
    name="typical_and_width",
    measure=measure,
    headlines=headlines,
    figures=(
        Figure(
            name="typical_and_width",
            caption=r"""
            The typical random field :math:`B_0` (quartile half-width) and the width
            :math:`\bar B` (standard deviation) against the concentration, or what
            else varies, and their residuals. Bars are what theory says at the points.
            Against the concentration the width's line is what it says between them,
            too; :math:`B_0` has the limit of few defects (dashed) beside it, for its
            law on a lattice bends between the points.
            """,
            draw=typical_and_width,
        ),
    ),
    tables=(Table(name="summary", values=values, latex=latex),),
)

"""Σ_j U_ij beside B_i: the paper expects |B_i| ~ |Σ_j U_ij| η/γ (after (29)).

Both are sums of R⁻³ over the same defects, so their typical values have one scale. Whether they are
large at the same defects is another question, which the rank correlation answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from glasspipe.report import drawing, layout
from glasspipe.report.drawing import COLOURS
from glasspipe.report.latex import measured, point_columns, tabular
from glasspipe.report.observable import Figure, Measured, Observable, Results, Row, Table
from glasspipe.report.point_data import PointData
from glasspipe.report.presentation import TYPICAL, arrange, joined, pick, points_of, ratio
from glasspipe.spins.random_field import correlation
from glasspipe.statistics import describe

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

SUM, SCALED = "U_sum", "U_sum_eta_over_gamma"
"""Quantities of the summary's rows: Σ_j U_ij, and that times η/γ."""
_SYMBOLS = {"B": "B", SCALED: r"\Sigma_j U_{ij}\,\eta/\gamma"}
_STYLES = {
    "B": {"color": COLOURS[0], "marker": "o"},
    SCALED: {"color": COLOURS[1], "marker": "s", "markerfacecolor": "white"},
}


def measure(point: PointData) -> Measured:
    """Return how Σ_j U_ij is distributed, and how |Σ_j U_ij| and |B_i| go together."""
    total, B = point.frozen["U_sum"], point.frozen["B"]
    eta, gamma = point.strengths["eta"], point.strengths["gamma"]
    scaled = total * (eta / gamma if gamma > 0 else 0.0)
    found = []
    for quantity, values in ((SUM, total), (SCALED, scaled)):
        rng = point.rng("coupling_sums")
        described = describe(values, rng, resamples=point.bootstrap)
        found += [Row(quantity, name, one.value, one.stderr) for name, one in described.items()]
    together = correlation(np.abs(B), np.abs(total), point.spins)
    found.append(Row.mean(SUM, "rank_correlation_with_B", together))
    return Measured([row for row in found if row.known])


def coupling_sums(found: Results) -> Drawing:
    """Typical |B| and |Σ_j U_ij| η/γ along the axis, and their ratio, one column a series."""
    summary = found.summary
    arrangement = arrange(summary)
    unit, unit_name = found.style.energy
    figure, grid = layout.grid(
        found.style, 2, len(arrangement.series), height=4.2, ratios=(2, 1), sharex=True
    )
    shown = summary["quantity"].isin(_STYLES) & (summary["statistic"] == TYPICAL)
    drawing.set_energies(grid[0], arrangement.axis, summary["estimate"][shown])
    for (top, bottom), series in zip(grid.T, arrangement.series, strict=False):
        drawing.set_axis([top, bottom], arrangement)
        top.set_title(series.label)
        typical = {name: pick(summary, name, TYPICAL, series.points) for name in _STYLES}
        for name, style in _STYLES.items():
            picked = typical[name].assign(theory=np.nan) / unit
            drawing.estimates(top, series, picked, style)
        quotient = ratio(typical["B"], typical[SCALED]).assign(theory=np.nan)
        drawing.estimates(bottom, series, quotient, {"color": "black", "marker": "o"})
        bottom.axhline(1.0, color="grey", linewidth=0.6)
        layout.note_if_empty(top, "not available")
    layout.label_rows(grid, f"typical value ({unit_name})", "ratio")
    entries = [layout.key(f"${_SYMBOLS[n]}$", ls="", **style) for n, style in _STYLES.items()]
    layout.legend(figure, entries)
    return figure


def values(found: Results) -> pd.DataFrame:
    """Return typical |B| and |Σ_j U_ij| η/γ, their ratio and correlation, a row a point."""
    summary = found.summary
    typical = {name: pick(summary, name, TYPICAL) for name in ("B", SUM, SCALED)}
    numbers = {
        f"B/{SCALED}": ratio(typical["B"], typical[SCALED]),
        "rank correlation": pick(summary, SUM, "rank_correlation_with_B"),
    }
    return joined(joined(points_of(summary), typical, " (eV)"), numbers)


def latex(found: Results) -> str:
    """Return them in LaTeX."""
    summary = found.summary
    typical = {name: pick(summary, name, TYPICAL) for name in _STYLES}
    unit = found.style.energy
    columns = [measured(f"${_SYMBOLS[name]}$", one, unit) for name, one in typical.items()]
    columns.append(measured("ratio", ratio(typical["B"], typical[SCALED])))
    columns.append(measured("$r$", pick(summary, SUM, "rank_correlation_with_B")))
    note = r"Quartile half-widths; $r$: rank correlation of $|B_i|$ and $|\Sigma_j U_{ij}|$."
    return tabular(point_columns(points_of(summary)), columns, note)


OBSERVABLE = Observable(
    name="coupling_sums",
    measure=measure,
    figures=(
        Figure(
            name="coupling_sums",
            caption="""
            Typical values (quartile half-widths) of the random field B and of the sum
            of all couplings of a spin times η/γ, and their ratio, which the paper
            expects to be about 1 (after (29)). η/γ is the mean modulus of η over
            that of γ, of a user's file over the mean norm of γ.
            """,
            draw=coupling_sums,
        ),
    ),
    tables=(Table(name="coupling_sums", values=values, latex=latex),),
)

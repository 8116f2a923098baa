"""Typical fields side by side: the order of strength in (74), and what their ratios follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glasspipe.files import results
from glasspipe.files.variables import Variable
from glasspipe.report import drawing, layout
from glasspipe.report.drawing import COLOURS, MARKERS
from glasspipe.report.latex import measured, point_columns, tabular
from glasspipe.report.observable import Figure, Measured, Observable, Results, Table
from glasspipe.report.point_data import PointData
from glasspipe.report.presentation import (
    PAPERS_ORDER,
    SYMBOLS,
    TYPICAL,
    Arrangement,
    arrange,
    compact,
    find_fit,
    fraction,
    joined,
    kinds,
    pick,
    points_of,
    ratio,
    theory_kind,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

Array = NDArray[np.float64]

_STYLES = {
    quantity: {"color": colour, "marker": marker}
    for quantity, colour, marker in zip(
        ("B", "U_S", "b_gamma", "b_eta", "J_tau"), COLOURS, MARKERS, strict=False
    )
}
"""Of the fields whose typical values are shown together."""
_MOST_VALUES, _APART = 7, 0.13
_DIGITS = 3
"""Significant digits of values that are taken for the same."""
_STEPS = (
    *zip(PAPERS_ORDER[1:], PAPERS_ORDER[:-1], strict=True),
    ("J_tau", "b"),
    ("b_gamma", "b_eta"),
)
"""Pairs of terms whose ratio is of interest."""
_TERMS = {
    "U_S": SYMBOLS["U_S"],
    "B": "B",
    "b_gamma": r"\Sigma_j U^{S\tau}_{ij}S_j",
    "b_eta": SYMBOLS["b_eta"],
    "J_tau": SYMBOLS["J_tau"],
    "b": "b",
}


def measure(point: PointData) -> Measured:
    """Return the mean γ_0 and η (eV) and ζ_0 (eV Å), and whether they make all fields."""
    sizes = {f"size_{name}": size for name, size in point.strengths.items()}
    return Measured(curves={**sizes, "other_fields": int(point.has_other_fields)})


def fields_against_x(found: Results) -> Drawing:
    """Typical values of all fields along the axis with their theory, one column a series."""
    summary, histograms = found.summary, found.curves(results.DISTRIBUTIONS)
    arrangement = arrange(summary)
    figure, [panels] = layout.grid(found.style, 1, len(arrangement.series), height=3.2)
    unit, unit_name = found.style.energy
    shown = summary["quantity"].isin(_STYLES) & (summary["statistic"] == TYPICAL)
    drawing.set_energies(panels, arrangement.axis, summary["estimate"][shown])
    for axes, series in zip(panels, arrangement.series, strict=False):
        drawing.set_axis([axes], arrangement)
        axes.set_title(series.label)
        for quantity, style in _STYLES.items():
            picked = pick(summary, quantity, TYPICAL, series.points) / unit
            drawing.estimates(axes, series, picked, style, theory_kind(summary, quantity))
            few = histograms.sel(quantity=quantity)
            drawing.limit(axes, arrangement, series, few, style, unit=unit)
    layout.label_rows([panels], f"typical field ({unit_name})")
    _explain_fields(figure, arrangement, summary, found.fits)
    return figure


def _explain_fields(
    figure: Drawing, arrangement: Arrangement, summary: pd.DataFrame, fits: pd.DataFrame
) -> None:
    """Explain the marks of the fields; of a single series with their exponents."""
    [first, *others] = arrangement.series
    typical = summary[summary["statistic"] == TYPICAL].groupby("quantity")["estimate"].max()
    entries, title = [], None
    for quantity, style in _STYLES.items():
        label = f"${SYMBOLS[quantity]}{'=0' if typical.get(quantity) == 0 else ''}$"
        fit = None if others else find_fit(fits, quantity, TYPICAL, "x", first.shared)
        if fit is not None:
            title = "exponent (dilute limit)"
            label += f": {_exponents(fit)}"
        entries.append(layout.key(label, ls="", **style))
    kinds = drawing.kind_keys(theory_kind(summary, quantity) for quantity in _STYLES)
    few = layout.key("few defects", color="black", **drawing.DASHED)
    laws = layout.drawn(figure, [*kinds, few])
    layout.legend(figure, [*entries, *laws], title=title, labelspacing=0.3)


def _exponents(fit: Mapping[str, Any]) -> str:
    """The fitted exponent, and the one of the dilute limit, a fraction."""
    fitted = compact(fit["exponent"], fit["stderr"])
    limit = fit["asymptotic"]
    return f"${fitted}$" + (f" ({fraction(limit)})" if np.isfinite(limit) else "")


def tau_ratios(found: Results) -> Drawing:
    """b^γ/b^η against γ/η and J/b against ζ/γ, with lines of proportionality."""
    summary, data = found.summary, found.curves(results.LOW_ENERGY)
    points = data["point"].values.tolist()
    sizes = {name: data[f"size_{name}"].to_numpy() for name in ("gamma", "eta", "zeta")}
    x = _rounded(data["x"].to_numpy())
    mixing = _quotient(sizes["gamma"], sizes["eta"])
    figure, [[left, right]] = layout.grid(found.style, 1, 2, height=2.7, sharey=False)
    typical = {name: pick(summary, name, TYPICAL, points) for name in SYMBOLS}
    groups = pd.DataFrame({"x": x, "mixing": _rounded(mixing)})
    values = np.unique(x)
    colours = dict(zip(values, drawing.distinct(len(values)), strict=True))
    proportional = False
    for axes, abscissa, ratios, keys in (
        (left, mixing, ratio(typical["b_gamma"], typical["b_eta"]), ["x"]),
        (
            right,
            _quotient(sizes["zeta"], sizes["gamma"]),
            ratio(typical["J_tau"], typical["b"]),
            ["x", "mixing"],
        ),
    ):
        axes.set(xscale="log", yscale="log")
        for _, group in groups.groupby(keys):
            number = group.index.to_numpy()
            colour = colours[groups["x"][number[0]]]
            proportional |= _draw_proportional(axes, abscissa[number], ratios.iloc[number], colour)
        if np.any(abscissa > 0):
            positive = abscissa[abscissa > 0]
            axes.set_xlim(np.nanmin(positive) / 2, np.nanmax(positive) * 2)
            _label_values(axes, abscissa)
        layout.note_if_empty(axes, "no such fields")
    left.set(
        xlabel=r"$\gamma/\eta$", ylabel=rf"typical ${SYMBOLS['b_gamma']}$ / ${SYMBOLS['b_eta']}$"
    )
    right.set(xlabel=r"$\zeta/\gamma$ (Å)", ylabel=rf"typical ${SYMBOLS['J_tau']}$ / $b$")
    line = [layout.key("proportional", color="grey")] if proportional else []
    drawing.explain_colours(figure, [f"$x={value:g}$" for value in values], *line)
    return figure


def _label_values(axes: Axes, abscissa: Array) -> None:
    """Label the axis at the values themselves, if they are few, where labels do not meet."""
    values = np.unique(_rounded(abscissa[abscissa > 0]))
    if len(values) > _MOST_VALUES:
        return
    low, high = axes.get_xlim()
    place, labels, last = np.log(values / low) / np.log(high / low), [], -1.0
    for value, here in zip(values, place, strict=True):
        free = here - last >= _APART
        labels.append(f"{value:g}" if free else "")
        last = here if free else last
    axes.set_xticks(values, labels)
    axes.set_xticks([], minor=True)


def _draw_proportional(axes: Axes, abscissa: Array, found: pd.DataFrame, colour: Any) -> bool:
    """Draw points and, if there are several, the line; return whether it was drawn."""
    y, error = found["estimate"].to_numpy(), found["stderr"].to_numpy()
    good = (y > 0) & (abscissa > 0)
    if not good.any():
        return False
    abscissa, y, error = abscissa[good], y[good], error[good]
    axes.errorbar(abscissa, y, error, linestyle="none", marker="o", color=colour, zorder=3)
    if len(np.unique(_rounded(abscissa))) < 2:
        return False
    span = np.array([abscissa.min() / 1.2, abscissa.max() * 1.2])
    axes.plot(span, span * np.exp(np.mean(np.log(y / abscissa))), color=colour, linewidth=0.8)
    return True


def _quotient(above: Array, below: Array) -> Array:
    return np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)


def _rounded(values: Array) -> Array:
    """Values to a few significant digits, so that equal ones are."""
    return np.array([float(f"{value:.{_DIGITS}g}") for value in values])


def typical_fields(found: Results) -> pd.DataFrame:
    """Return the quartile half-width of every field, a row a point, in eV."""
    summary = found.summary
    columns = {f"{q}_0": pick(summary, q, TYPICAL) for q in _quantities(summary)}
    return joined(points_of(summary), columns, " (eV)")


def _quantities(summary: pd.DataFrame) -> list[str]:
    return [quantity for quantity in SYMBOLS if (summary["quantity"] == quantity).any()]


def typical_fields_latex(found: Results) -> str:
    """Return the table of :func:`typical_fields` in LaTeX, with their ratios to theory."""
    summary = found.summary
    columns, ratios = [], []
    for quantity in _quantities(summary):
        picked, symbol = pick(summary, quantity, TYPICAL), SYMBOLS[quantity]
        theory = picked["theory"].where(picked["theory"] > 0)
        columns.append(measured(f"${symbol}$", picked, found.style.energy))
        ratios.append(measured(f"${symbol}$/theory", picked.div(theory, axis=0)))
    kinds_of_theory = kinds(summary, _quantities(summary)) or "none"
    note = f"Quartile half-widths, and these over theory ({kinds_of_theory})."
    return tabular(point_columns(points_of(summary)), [*columns, *ratios], note)


def strengths(found: Results) -> pd.DataFrame:
    """Return the typical value of each term of (74) in eV, and the ratios of successive ones."""
    summary = found.summary
    typical = _typical(summary)
    values = {name: typical[name] for name in PAPERS_ORDER}
    return joined(joined(points_of(summary), values, " (eV)"), _steps(typical))


def _typical(summary: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {name: pick(summary, name, TYPICAL) for name in (*PAPERS_ORDER, "b")}


def _steps(typical: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {f"{one}/{other}": ratio(typical[one], typical[other]) for one, other in _STEPS}


def strengths_latex(found: Results) -> str:
    """Return the table of :func:`strengths` in LaTeX."""
    summary = found.summary
    typical = _typical(summary)
    columns = [
        measured(f"${_TERMS[name]}$", typical[name], found.style.energy) for name in PAPERS_ORDER
    ]
    columns.append(measured("$b$", typical["b"], found.style.energy))
    columns += [
        measured(f"${_TERMS[one]}$/${_TERMS[other]}$", ratio(typical[one], typical[other]))
        for one, other in _STEPS
    ]
    note = "Quartile half-widths in the order of the paper's (74), and their ratios."
    return tabular(point_columns(points_of(summary)), columns, note)


OBSERVABLE = Observable(
    name="strengths",
    file=results.LOW_ENERGY,
    variables={
        "size_gamma": Variable(
            "", "eV", "mean modulus of gamma, of a user's file mean norm", "eq. (7)"
        ),
        "size_eta": Variable("", "eV", "mean modulus of eta", "eq. (7)"),
        "size_zeta": Variable(
            "", "eV angstrom", "mean modulus of zeta, of a user's file mean norm", "eq. (8)"
        ),
        "other_fields": Variable(
            "", "1", "whether there are stray fields or static dipoles", "eqs. (2), (3)"
        ),
    },
    measure=measure,
    figures=(
        Figure(
            name="fields_against_x",
            caption=r"""
            Typical values of the fields on :math:`S` and :math:`\tau` against the
            concentration, or what else varies, with theory at the points (bars) and,
            against the concentration, the limit of few defects (dashed).
            """,
            draw=fields_against_x,
        ),
        Figure(
            name="tau_ratios",
            caption=r"""
            The typical :math:`b^\gamma` over :math:`b^\eta` against
            :math:`\gamma/\eta`, and the typical field of the couplings :math:`J_{ij}`
            over :math:`b` against :math:`\zeta/\gamma`, with lines of proportionality.
            """,
            needs=("defects.gamma", "defects.eta", "defects.zeta"),
            draw=tau_ratios,
        ),
    ),
    tables=(
        Table(name="fields", values=typical_fields, latex=typical_fields_latex),
        Table(name="strengths", values=strengths, latex=strengths_latex),
    ),
)

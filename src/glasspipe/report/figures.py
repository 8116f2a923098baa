"""Figures for papers, drawn from the aggregate files alone.

The bytes of a figure depend on its data only: the user's own matplotlib settings and the date are
left out.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.style
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from glasspipe.files import results
from glasspipe.files.dataset import replacing
from glasspipe.report import drawing, freezing_figures, low_energy_figures
from glasspipe.report.drawing import COLOURS, MARKERS
from glasspipe.report.presentation import (
    SYMBOLS,
    TYPICAL,
    WIDTH,
    Arrangement,
    Series,
    arrange,
    compact,
    find_fit,
    fraction,
    literal,
    pick,
)

Array = NDArray[np.float64]

FIELDS = ("B", "U_S", "b_gamma", "b_eta", "J_tau")
"""The quantities whose typical values are shown together."""

_FIELD_STYLES = {
    quantity: {"color": colour, "marker": marker}
    for quantity, colour, marker in zip(FIELDS, COLOURS, MARKERS, strict=False)
}

_METADATA: dict[str, dict[str, str | None]] = {
    "pdf": {"CreationDate": None},
    "png": {"Software": None},
}
_CORE = 5.0
"""Half width of the linear panel of a distribution, in units of its scale."""
_NARROWEST = 0.2
"""Width of the bins in its middle."""
_HIGHEST = 0.8
"""Density that is shown, about twice that of the limits; it cuts off dense points only."""
_ROUNDING = 1e-9
"""Probabilities below it are rounding errors, of a sample and of a law within its edges."""


def write(folder: Path, names: Sequence[str]) -> None:
    """Draw figures of a study into ``figures/``, as PDF and PNG.

    Parameters
    ----------
    folder : Path
        The study's folder, with the files of the aggregate stage.
    names : sequence of str
        Those wanted, see :mod:`glasspipe.report.contents`.

    Raises
    ------
    DataError
        If one of those files is missing or cannot be used.
    """
    summary, fits = results.read_summary(folder), results.read_fits(folder)
    histograms, traces = (
        results.read_merged(folder, results.DISTRIBUTIONS),
        results.read_merged(folder, results.TRACES),
    )
    freezing, low_energy = (
        results.read_merged(folder, results.FREEZING),
        results.read_merged(folder, results.LOW_ENERGY),
    )
    figures: drawing.Drawings = {
        "typical_and_width": lambda: typical_and_width(summary, fits),
        "distribution_B": lambda: distribution(summary, histograms, ["B"]),
        "distribution_b_tau": lambda: distribution(summary, histograms, ["b_gamma", "b_eta", "b"]),
        "energy_temperature": lambda: energy_temperature(summary, histograms, traces),
        "fields_against_x": lambda: fields_against_x(summary, fits),
        **freezing_figures.figures(summary, freezing),
        **low_energy_figures.figures(summary, fits, low_energy),
    }
    with matplotlib.style.context(drawing.STYLE, after_reset=True):
        for name in names:
            _write_one(figures[name], name, folder / "figures")


def _write_one(draw: Callable[[], Figure], name: str, folder: Path) -> None:
    """Draw and write a figure; where that fails, one that says so, for the others to be made."""
    try:
        save(draw(), folder / name)
    except Exception as error:
        why = f"the figure {name} could not be drawn: {type(error).__name__}: {error}"
        print(f"glasspipe report: {' '.join(why.split())}", file=sys.stderr)
        save(drawing.notice(literal(why)), folder / name)


def save(figure: Figure, stem: Path) -> None:
    """Write a figure as PDF and as PNG, ``stem`` being the path without the suffix."""
    drawing.straighten(figure)
    drawing.thin_labels(figure)
    for kind, metadata in _METADATA.items():
        with replacing(stem.with_name(f"{stem.name}.{kind}")) as temporary:
            figure.savefig(temporary, format=kind, metadata=metadata)


@dataclass(frozen=True)
class _Law:
    """A statistic of B, its symbol, what it is a power of, and how it is drawn."""

    statistic: str
    symbol: str
    against: str
    base: str
    colour: str
    marker: str

    def style(self, colour: str) -> dict[str, Any]:
        """Filled circles lie on top of open squares, so that both are seen where they meet."""
        fill = colour if self.marker == "o" else "white"
        return {"color": colour, "marker": self.marker, "markerfacecolor": fill}

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


def typical_and_width(summary: pd.DataFrame, fits: pd.DataFrame) -> Figure:
    """B_0 and B̄ along the axis with their theory, and how far they are from it.

    Parameters
    ----------
    summary, fits : DataFrame
        Statistics and fits of the study.
    """
    arrangement = arrange(summary)
    figure = Figure(figsize=(drawing.COLUMN_WIDTH, 4.0), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(2.6, 1))
    drawing.set_axis([top, bottom], arrangement)
    drawing.set_energies([top], arrangement.axis, summary["estimate"][summary["quantity"] == "B"])
    single = len(arrangement.series) == 1
    colours = drawing.series_colours(arrangement)
    for series, shared in zip(arrangement.series, colours, strict=False):
        for law in _LAWS:
            picked = pick(summary, "B", law.statistic, series.points)
            style = law.style(law.colour if single else shared)
            drawing.estimates(top, series, picked, style)
            drawing.residuals(bottom, series, picked, style)
    drawing.note_if_empty(bottom, "no theory")
    bottom.axhline(0.0, color="black", linewidth=0.6, zorder=1)
    top.set_ylabel("random field on $S$ (eV)")
    bottom.set_ylabel("deviation from\ntheory (%)")
    if single:
        _explain_laws(top if arrangement.rises else figure, fits, arrangement.series[0])
    else:
        _explain_laws(top, fits, None)
        drawing.explain_series(figure, arrangement)
    return figure


def _explain_laws(owner: Axes | Figure, fits: pd.DataFrame, series: Series | None) -> None:
    """Explain the marks of the statistics; of a single series with its power laws."""
    entries = []
    for law in _LAWS:
        power = law.power(fits, series) if series else ""
        colour = law.colour if series else "grey"
        entries.append(drawing.key(f"${power or law.symbol}$", ls="", **law.style(colour)))
    drawing.legend(owner, [*entries, drawing.key("theory", color="grey")])


def fields_against_x(summary: pd.DataFrame, fits: pd.DataFrame) -> Figure:
    """Typical values of all fields along the axis with their theory, one column a series.

    Parameters
    ----------
    summary, fits : DataFrame
        Statistics and fits of the study.
    """
    arrangement = arrange(summary)
    figure, [panels] = drawing.grid(1, len(arrangement.series), height=3.6, sharey=True)
    shown = summary["quantity"].isin(FIELDS) & (summary["statistic"] == TYPICAL)
    drawing.set_energies(panels, arrangement.axis, summary["estimate"][shown])
    for axes, series in zip(panels, arrangement.series, strict=False):
        drawing.set_axis([axes], arrangement)
        axes.set_title(series.label)
        for quantity, style in _FIELD_STYLES.items():
            picked = pick(summary, quantity, TYPICAL, series.points)
            drawing.estimates(axes, series, picked, style)
    panels[0].set_ylabel("typical field (eV)")
    _explain_fields(figure, arrangement, summary, fits)
    return figure


def _explain_fields(
    figure: Figure, arrangement: Arrangement, summary: pd.DataFrame, fits: pd.DataFrame
) -> None:
    """Explain the marks of the fields; of a single series with their exponents."""
    [first, *others] = arrangement.series
    typical = summary[summary["statistic"] == TYPICAL].groupby("quantity")["estimate"].max()
    entries, title = [], None
    for quantity, style in _FIELD_STYLES.items():
        label = f"${SYMBOLS[quantity]}{'=0' if typical.get(quantity) == 0 else ''}$"
        fit = None if others else find_fit(fits, quantity, TYPICAL, "x", first.shared)
        if fit is not None:
            title = "exponent (dilute limit)"
            label += f": {_exponents(fit)}"
        entries.append(drawing.key(label, ls="", **style))
    inside = arrangement.rises and not others
    owner = figure.axes[0] if inside else figure
    entries.append(drawing.key(r"theory, random $S$ and $\tau$", color="grey"))
    drawing.legend(owner, entries, title=title, labelspacing=0.3)


def _exponents(fit: Mapping[str, Any]) -> str:
    """The fitted exponent, and the one of the dilute limit, a fraction."""
    fitted = compact(fit["exponent"], fit["stderr"])
    limit = fit["asymptotic"]
    return f"${fitted}$" + (f" ({fraction(limit)})" if np.isfinite(limit) else "")


def distribution(
    summary: pd.DataFrame, histograms: xr.Dataset, quantities: Sequence[str]
) -> Figure:
    """Distributions over the scale of their dilute limit: the core's density, and the tails.

    Beyond the core a lattice's shells of neighbours make a density of spikes; the probability to
    be above a value is smooth, and compared with the limit there.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study, for its points.
    histograms : Dataset
        The study's distributions.
    quantities : sequence of str
        One column each; of several series only the last quantity is shown, one column a series.
    """
    arrangement = arrange(summary)
    quantities = quantities[-1:] if len(arrangement.series) > 1 else quantities
    curves = zip(arrangement.series, drawing.shades(arrangement), strict=True)
    panels = [(quantity, *curve) for curve in curves for quantity in quantities]
    figure, grid = drawing.grid(2, len(panels), height=4.8, sharey="row")
    for (core, tail), (quantity, series, colours) in zip(grid.T, panels, strict=False):
        core.set_title(series.label)
        data = histograms.sel(quantity=quantity, point=series.points)
        for number, colour in enumerate(colours):
            _draw_density(core, tail, data.isel(point=number), colour)
        _draw_limits(core, tail, data, colours)
        _label_density(core, tail, quantity)
    grid[0, 0].set_ylabel(f"density ${_unit_of(quantities[0])}\\,P$")
    grid[0, 0].set_ylim(0, min(grid[0, 0].get_ylim()[1], _HIGHEST))
    grid[1, 0].set_ylabel("probability above")
    drawing.explain_shades(figure, arrangement)
    return figure


def _draw_density(core: Axes, tail: Axes, data: xr.Dataset, colour: Any) -> None:
    """Draw one point's density, unless all values are in the innermost bins: they are 0."""
    middle = len(data["edges"]) // 2
    if not np.delete(data["count"].to_numpy(), [middle - 1, middle]).any():
        return
    edges, density = _merged(data["edges"].to_numpy(), data["density"].to_numpy())
    core.plot((edges[1:] + edges[:-1]) / 2, density, color=colour)
    tail.plot(*_above(data["edges"].to_numpy(), data["density"].to_numpy()), color=colour)


def _draw_limits(core: Axes, tail: Axes, data: xr.Dataset, colours: Sequence[Any]) -> None:
    """Draw the limit, or those of all points if they differ, as far as there are data."""
    if not tail.lines:
        drawing.note_if_empty(core, "the field vanishes")
        return
    drawn = np.vstack([np.asarray(line.get_xydata(), dtype=float) for line in tail.lines])
    reach = np.max(drawn[drawn[:, 1] > 0, 0])
    alpha = float(data["alpha"])
    style: dict[str, Any] = {"linestyle": "--", "linewidth": 0.8}
    limits = np.atleast_2d(data["limit_density"].to_numpy())
    known = np.flatnonzero(np.isfinite(limits).all(axis=1))
    alike = np.allclose(limits[known], limits[known[:1]], rtol=1e-3)
    for i in known[:1] if alike else known:
        colour = "black" if alike else colours[i]
        edges, density = _merged(data["edges"].to_numpy(), limits[i])
        core.plot((edges[1:] + edges[:-1]) / 2, density, color=colour, **style)
        u, above = _above(data["edges"].to_numpy(), limits[i])
        tail.plot(u[u <= reach], above[u <= reach], color=colour, **style)
    if not len(known):
        return
    label = "Cauchy" if alpha == 1 else f"stable,\n$\\alpha={fraction(alpha)}$"
    drawing.legend(core, [drawing.key(label, color="black", **style)], loc="upper right")


def _merged(edges: Array, density: Array) -> tuple[Array, Array]:
    """Merge the narrowest bins of a symmetric histogram, whose counts are noisy."""
    positive = edges[len(edges) // 2 :]
    _, first = np.unique(np.floor(positive / _NARROWEST + 1e-9), return_index=True)
    kept = np.concatenate([-positive[first][:0:-1], positive[first]])
    below = np.concatenate([[0.0], np.cumsum(density * np.diff(edges))])
    return kept, np.diff(np.interp(kept, edges, below)) / np.diff(kept)


def _above(edges: Array, density: Array) -> tuple[Array, Array]:
    """Return u > 0 and the probability to be above ±u, NaN where nothing is."""
    middle = len(edges) // 2
    inside = density * np.diff(edges)
    above = 1 - np.cumsum(inside[middle:] + inside[middle - 1 :: -1])
    return edges[middle + 1 :], np.where(above > _ROUNDING, above, np.nan)


def _label_density(core: Axes, tail: Axes, quantity: str) -> None:
    symbol, unit = SYMBOLS[quantity], _unit_of(quantity)
    core.set(xlabel=f"${symbol}/{unit}$", xlim=(-_CORE, _CORE))
    tail.set(xlabel=f"$|{symbol}|/{unit}$", xscale="log", yscale="log")


def _unit_of(quantity: str) -> str:
    return r"\Gamma" if quantity == "B" else "c"


def energy_temperature(summary: pd.DataFrame, histograms: xr.Dataset, traces: xr.Dataset) -> Figure:
    """Energy of the annealing, its excess over the last one, and acceptance against temperature.

    In units of Γ_U, the half width of Σ_j U_ij S_j for random S in the dilute limit, which is
    proportional to xU_0. The energy itself is ruled by the rare near pairs, whose number differs
    between realisations; they are frozen all along, and the excess is free of them.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study, for its points.
    histograms : Dataset
        The study's distributions, for Γ_U.
    traces : Dataset
        The study's annealing traces.
    """
    arrangement = arrange(summary)
    figure, grid = drawing.grid(
        3, len(arrangement.series), height=5.0, sharex="col", sharey="row", height_ratios=(3, 2, 2)
    )
    units = histograms["scale"].sel(quantity="U_S")
    curves = zip(arrangement.series, drawing.shades(arrangement), strict=True)
    for panels, (series, colours) in zip(grid.T, curves, strict=False):
        for point, colour in zip(series.points, colours, strict=True):
            _draw_trace(panels, traces.sel(point=point), units.sel(point=point), colour)
        panels[0].set_title(series.label)
        panels[2].set(xscale="log", xlabel=r"temperature $k_BT/\Gamma_U$", ylim=(0, 1))
        drawing.note_if_empty(panels[0], "no couplings")
    labels = (r"energy $E/N\Gamma_U$", r"$(E-E_\mathrm{end})/N\Gamma_U$", "acceptance")
    for axes, label in zip(grid[:, 0], labels, strict=True):
        axes.set_ylabel(label)
    drawing.explain_shades(figure, arrangement)
    return figure


def _draw_trace(panels: Sequence[Axes], trace: xr.Dataset, unit: xr.DataArray, colour: Any) -> None:
    """Draw one point's trace, with a band of one standard error; without couplings T is 0."""
    if not (trace["T"] > 0).any():
        return
    energies, excess, acceptances = panels
    trace = trace.dropna("step", subset=["T"])
    T, energy, error = (trace[name] / unit for name in ("T", "energy", "energy_stderr"))
    energies.plot(T, energy, color=colour)
    energies.fill_between(T, energy - error, energy + error, color=colour, alpha=0.3, linewidth=0)
    excess.plot(T, energy - energy[-1], color=colour)
    acceptances.plot(T, trace["acceptance"], color=colour)

"""Figures of the low-energy Hamiltonian: couplings by distance, ratios, free spins, splittings."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from glasspipe.report import drawing
from glasspipe.report.drawing import COLOURS, MARKERS
from glasspipe.report.presentation import (
    COUPLING_SYMBOLS,
    SYMBOLS,
    TYPICAL,
    Series,
    arrange,
    compact,
    find_fit,
    pick,
    ratio,
)
from glasspipe.theory.levels import GIGAHERTZ

Array = NDArray[np.float64]

_STYLES = {
    coupling: {"color": colour, "marker": marker}
    for coupling, colour, marker in zip(COUPLING_SYMBOLS, COLOURS, MARKERS, strict=False)
}
_FREE = {
    "fraction": ("found", {"color": COLOURS[0], "marker": "o"}),
    "flat": (r"$2\langle D\rangle P(h=0)$", {"color": COLOURS[1], "marker": "s"}),
    "paper": (r"$D_0/xU_0$", {"color": COLOURS[2], "marker": "^"}),
}
_ROUNDING = 1e-9
"""Of the infinite medium's coupling: what is smaller would be 0 but for rounding."""
_MOST_VALUES = 7
_DILUTE: dict[str, Any] = {"linestyle": "--", "linewidth": 0.8}
"""Line of the limit of few defects."""
_DIGITS = 3
"""Significant digits of values that are taken for the same."""


def figures(summary: pd.DataFrame, fits: pd.DataFrame, data: xr.Dataset) -> drawing.Drawings:
    """Return what draws each figure of this module.

    Parameters
    ----------
    summary, fits : DataFrame
        Statistics and fits of the study.
    data : Dataset
        Its couplings by distance and splittings.
    """
    return {
        "couplings_distance": lambda: couplings_distance(summary, fits, data),
        "tau_ratios": lambda: tau_ratios(summary, data),
        "free_spins": lambda: free_spins(summary),
        "levels": lambda: level_density(summary, data),
    }


def couplings_distance(summary: pd.DataFrame, fits: pd.DataFrame, data: xr.Dataset) -> Figure:
    """Root mean square couplings against distance with their powers, one column a series."""
    arrangement = arrange(summary)
    figure, [panels] = drawing.grid(1, len(arrangement.series), height=4.2, sharey=True)
    for axes, series in zip(panels, arrangement.series, strict=False):
        axes.set(xscale="log", yscale="log", xlabel="distance $R$ (Å)", title=series.label)
        found = data.sel(point=series.points)
        for coupling, style in _STYLES.items():
            _draw_coupling(axes, found.sel(coupling=coupling), style)
        drawing.note_if_empty(axes, "no couplings")
    panels[0].set_ylabel("rms coupling (eV)")
    [first, *others] = arrangement.series
    entries = [
        drawing.key(_coupling_label(c, None if others else first, fits), ls="", **style)
        for c, style in _STYLES.items()
    ]
    entries.append(drawing.key("infinite medium", color="grey"))
    drawing.legend(figure, entries, ncols=2)
    return figure


def _draw_coupling(axes: Axes, found: xr.Dataset, style: dict[str, Any]) -> None:
    """Draw every point's shells, open where no power is fitted, and the infinite medium's law."""
    R = found["distance"].to_numpy()
    rms, error = (found[name].to_numpy() for name in ("rms", "rms_error"))
    fitted = np.broadcast_to(found["fitted"].to_numpy(), rms.shape)
    law = found["strength_rms"].to_numpy()[:, None] / R ** float(found["power"])
    shown = rms > _ROUNDING * law
    for chosen, fill in ((shown & ~fitted, "white"), (shown & fitted, style["color"])):
        _, shell = np.nonzero(chosen)
        axes.errorbar(
            R[shell],
            rms[chosen],
            error[chosen],
            linestyle="none",
            markersize=3,
            markerfacecolor=fill,
            elinewidth=0.6,
            markeredgewidth=0.6,
            **style,
        )
    if shown.any():
        first, *_, last = np.flatnonzero(shown.any(axis=0)).repeat(2)
        span = slice(first, last + 1)
        axes.plot(R[span], law[0, span], color=style["color"], linewidth=0.8)


def _coupling_label(coupling: str, series: Series | None, fits: pd.DataFrame) -> str:
    symbol = COUPLING_SYMBOLS[coupling]
    fit = find_fit(fits, coupling, "rms", "R", series.shared) if series else None
    if fit is None:
        return f"${symbol}$"
    return rf"${symbol}\propto R^p,\ p={compact(fit['exponent'], fit['stderr'])}$"


def tau_ratios(summary: pd.DataFrame, data: xr.Dataset) -> Figure:
    """b^γ/b^η against γ/η and J/b against ζ/γ, with lines of proportionality."""
    points = data["point"].values.tolist()
    sizes = {name: data[f"size_{name}"].to_numpy() for name in ("gamma", "eta", "zeta")}
    x = _rounded(data["x"].to_numpy())
    mixing = _quotient(sizes["gamma"], sizes["eta"])
    figure = Figure(figsize=(2 * drawing.COLUMN_WIDTH, 2.9), layout="constrained")
    left, right = figure.subplots(1, 2)
    typical = {name: pick(summary, name, TYPICAL, points) for name in SYMBOLS}
    groups = pd.DataFrame({"x": x, "mixing": _rounded(mixing)})
    values = np.unique(x)
    colours = dict(zip(values, drawing.distinct(len(values)), strict=True))
    proportional = False
    for axes, abscissa, found, keys in (
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
            proportional |= _draw_proportional(axes, abscissa[number], found.iloc[number], colour)
        if np.any(abscissa > 0):
            positive = abscissa[abscissa > 0]
            axes.set_xlim(np.nanmin(positive) / 2, np.nanmax(positive) * 2)
            _label_values(axes, abscissa)
        drawing.note_if_empty(axes, "no such fields")
    left.set(
        xlabel=r"$\gamma/\eta$", ylabel=rf"typical ${SYMBOLS['b_gamma']}$ / ${SYMBOLS['b_eta']}$"
    )
    right.set(xlabel=r"$\zeta/\gamma$ (Å)", ylabel=rf"typical ${SYMBOLS['J_tau']}$ / $b$")
    entries = [
        drawing.key(f"$x={value:g}$", ls="", marker="o", color=colour)
        for value, colour in colours.items()
    ]
    if proportional:
        entries.append(drawing.key("proportional", color="grey"))
    drawing.legend(figure, entries, ncols=5)
    return figure


def _label_values(axes: Axes, abscissa: Array) -> None:
    """Label the axis at the values themselves, if they are few."""
    values = np.unique(_rounded(abscissa[abscissa > 0]))
    if len(values) <= _MOST_VALUES:
        axes.set_xticks(values, [f"{value:g}" for value in values])
        axes.xaxis.set_minor_locator(NullLocator())


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


def free_spins(summary: pd.DataFrame) -> Figure:
    """Fraction of S with |h| < D along the axis with its estimates, one column a series."""
    arrangement = arrange(summary)
    figure, [panels] = drawing.grid(1, len(arrangement.series), height=3.2, sharey=True)
    free = summary["estimate"][summary["quantity"] == "free_S"]
    drawing.set_energies(panels, arrangement.axis, free)
    for axes, series in zip(panels, arrangement.series, strict=False):
        drawing.set_axis([axes], arrangement)
        axes.set_title(series.label)
        for name, (_, style) in _FREE.items():
            drawing.estimates(axes, series, pick(summary, "free_S", name, series.points), style)
        drawing.note_if_empty(axes, "$D=0$: none is free")
    panels[0].set_ylabel(r"fraction of $S$ with $|h|<D$")
    entries = [drawing.key(label, ls="", **style) for label, style in _FREE.values()]
    drawing.legend(figure, [*entries, drawing.key("random $S$", color=COLOURS[0])], ncols=2)
    return figure


def level_density(summary: pd.DataFrame, data: xr.Dataset) -> Figure:
    """Density of two-level systems against their splitting, one column a series."""
    arrangement = arrange(summary)
    figure, [panels] = drawing.grid(1, len(arrangement.series), height=4.0, sharey=True)
    edges = data["E"].to_numpy()
    curves = zip(arrangement.series, drawing.shades(arrangement), strict=True)
    for axes, (series, colours) in zip(panels, curves, strict=False):
        axes.set(xscale="log", yscale="log", xlabel="splitting $E$ (eV)")
        axes.set_title(series.label)
        for point, colour in zip(series.points, colours, strict=True):
            _draw_levels(axes, edges, data.sel(point=point), colour)
        drawing.note_if_empty(axes, "no splittings")
        above = axes.secondary_xaxis("top", functions=(_to_gigahertz, _from_gigahertz))
        above.set_xlabel("$E/h$ (GHz)")
    panels[0].set_ylabel("$P(E)$ (1/(eV Å$^3$))")
    lines = [line for axes in panels for line in axes.lines if np.isfinite(line.get_ydata()).any()]
    if lines:
        drawn = [drawing.key("found", color="black")]
        drawn.append(drawing.key("stable law of $b$", color="black", **_DILUTE))
        drawing.legend(panels[0], drawn, loc="lower left")
    drawing.explain_shades(figure, arrangement)
    return figure


def _to_gigahertz(E: Array) -> Array:
    return E / GIGAHERTZ


def _from_gigahertz(frequency: Array) -> Array:
    return frequency * GIGAHERTZ


def _draw_levels(axes: Axes, edges: Array, found: Mapping[Any, Any], colour: Any) -> None:
    P, theory = found["P"].to_numpy(), found["P_theory"].to_numpy()
    occupied = np.flatnonzero(P > 0)
    if not len(occupied):
        return
    span = slice(occupied[0], occupied[-1] + 1)
    axes.stairs(
        np.where(P > 0, P, np.nan)[span],
        edges[span.start : span.stop + 1],
        baseline=None,
        color=colour,
    )
    middle = np.sqrt(edges[1:] * edges[:-1])[span]
    shown = np.where(theory[span] > 0, theory[span], np.nan)
    axes.plot(middle, shown, color=colour, **_DILUTE)

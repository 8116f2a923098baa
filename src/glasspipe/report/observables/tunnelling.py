"""S and τ that tunnel: the S that are free, |h| < D, and the splittings of τ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glasspipe.files import results
from glasspipe.files.variables import Variable
from glasspipe.report import drawing, layout
from glasspipe.report.drawing import COLOURS
from glasspipe.report.kinds import LIMIT_OF_SIGNS
from glasspipe.report.latex import measured, numbers, point_columns, tabular, theory
from glasspipe.report.observable import Figure, Line, Measured, Observable, Results, Row, Table
from glasspipe.report.observables.freezing import freezing_point
from glasspipe.report.point_data import PointData
from glasspipe.report.presentation import (
    TYPICAL,
    Axis,
    Series,
    arrange,
    joined,
    pick,
    points_of,
    ratio,
)
from glasspipe.report.style import ENERGIES
from glasspipe.statistics import mean_fraction, spread, standard_error
from glasspipe.theory import levels
from glasspipe.theory.levels import (
    LOW,
    PER_GIGAHERTZ_AND_CUBIC_MICRON,
    PER_JOULE_AND_CUBIC_METRE,
)
from glasspipe.units import GIGAHERTZ

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

Array = NDArray[np.float64]
Law = Callable[[Array], Array]

FREE, LEVELS = "free_S", "levels"
"""Quantities of the summary's rows."""

_FREE = {
    "fraction": ("found", {"color": COLOURS[0], "marker": "o"}),
    "flat": (r"$2\langle D\,\delta(h)\rangle$", {"color": COLOURS[1], "marker": "s"}),
    "paper": (r"$D_0/xU_0$", {"color": COLOURS[2], "marker": "^"}),
}
"""Statistics of the free S: as found, if P(h) were flat below D, and the paper's D_0/(xU_0)."""


def measure(point: PointData) -> Measured:
    """Return the free fraction of S, the low splittings of τ, and the density P(E)."""
    D, Delta = point.tunnelling
    E = np.where(point.two_level_systems, levels.splitting(point.values["b"], Delta), np.inf)
    rows = [*_free_rows(point, D), *_level_rows(point, E, Delta)]
    return Measured(rows, _density(point, E, Delta))


def _free_rows(point: PointData, D: Array) -> list[Row]:
    """The theory of the free fraction is that of random S."""
    h, scale, spins = point.frozen["h"], point.x * point.U_0, point.spins
    if not spins.any():
        return []
    random = float(_expected(point, "h", spins, D, levels.expected_free))
    own = point.of_spins(np.abs(h))
    fraction = mean_fraction(levels.free(h, D, spins), spins.sum(axis=1))
    amplitude = float(np.mean(D[spins]))
    unit = amplitude if amplitude > 0 else np.nan
    resampled = [_median(own[row] for row in rows) / unit for rows in point.resampled(len(own))]
    return [
        Row(FREE, "D", amplitude),
        Row(FREE, "h_over_D", _median(own) / unit, spread(resampled)),
        Row(FREE, "fraction", *fraction, random, LIMIT_OF_SIGNS),
        Row.mean(FREE, "flat", levels.flat_free(h, D, spins)),
        Row(FREE, "paper", amplitude / scale if scale > 0 else np.nan),
    ]


def _median(parts: Iterable[Array]) -> float:
    joint = np.concatenate(list(parts))
    return float(np.median(joint)) if joint.size else np.nan


def _level_rows(point: PointData, E: Array, Delta: Array) -> list[Row]:
    """Fraction of τ with a splitting below each k_B T, and their mean density, 1/(eV Å³)."""
    rows, there = [], point.two_level_systems
    if not there.any():
        return []
    for name, low in LOW.items():
        value, error = mean_fraction(levels.share_of(low > E, there), there.sum(axis=1))
        below = partial(levels.expected_below, E=low)
        random = float(_expected(point, "b", there, Delta, below))
        unit = point.defects * float(np.mean(there)) / point.volume / low
        of_numbers = standard_error(np.sum(low > E, axis=1)) / point.volume / low
        rows += [
            Row(LEVELS, f"below_{name}", value, error, random, LIMIT_OF_SIGNS),
            Row(
                LEVELS,
                f"density_{name}",
                value * unit,
                float(np.maximum(error * unit, of_numbers)),
                random * unit,
                LIMIT_OF_SIGNS,
            ),
        ]
    return rows


def _density(point: PointData, E: Array, Delta: Array) -> dict[str, Any]:
    density, error = levels.density_of_states(E, point.volume)
    defects, there = point.defects / point.volume, point.two_level_systems
    expected = np.full(len(density), np.nan)
    if there.any():
        of = partial(levels.expected_below, E=levels.EDGES)
        below = np.broadcast_to(_expected(point, "b", there, Delta, of), levels.EDGES.shape)
        expected = defects * np.mean(there) * np.diff(below) / np.diff(levels.EDGES)
    return {
        "E": levels.EDGES,
        "P": density,
        "P_error": error,
        "P_theory": expected,
        "defect_density": defects,
    }


def _expected(
    point: PointData,
    field: str,
    there: NDArray[np.bool_],
    amplitude: Array,
    of: Callable[[Law, Array], Array | float],
) -> Array:
    """Average over laws of a field and amplitudes (R, N), eV, of those that are ``there`` (R, N).

    A component's defects have them independently, and a user's are taken to. NaN where theory has
    no law of the field at all of them.
    """
    found, total = np.zeros(()), np.count_nonzero(there)
    for defects, limit in point.limits(field):
        mine = there & defects
        if not mine.any():
            continue
        known = point.known[field].has_limit and np.all(limit.scale > 0)
        if not known:
            return np.full((), np.nan)
        found = found + np.count_nonzero(mine) / total * np.asarray(of(limit.cdf, amplitude[mine]))
    return found


def classical(summary: pd.DataFrame, points: Sequence[str]) -> pd.DataFrame:
    """Return by how much k_BT_G and the median |h| of points exceed D, NaN where D = 0.

    S = ±1 is right where both are large: else S tunnels, and what frozen S give is an upper bound.
    """
    D = pick(summary, FREE, "D", points)["estimate"]
    frozen = freezing_point(summary, points) / D.where(D > 0)
    field = pick(summary, FREE, "h_over_D", points)["estimate"]
    return pd.DataFrame({"T_G/D": frozen, "h/D": field})


def headlines(found: Results, series: Series, axis: Axis) -> list[Line]:
    """Return where S is classical, and what P(E) leaves out."""
    known = classical(found.summary, series.points).reset_index(drop=True)
    places = [axis.at(position) for position in series.position]
    lines = []
    if known["h/D"].notna().any():
        doubtful = known.index[(known < 1).any(axis=1)]
        number = f"{len(known) - len(doubtful)} of {len(known)} points"
        lines.append(("S classical", number, _doubts(known, doubtful, places)))
    typical = {name: pick(found.summary, name, TYPICAL, series.points) for name in ("J_tau", "b")}
    J = ratio(typical["J_tau"], typical["b"])["estimate"].to_numpy()
    if np.isfinite(J).any():
        largest = int(np.nanargmax(J))
        lines.append((f"J/b at {places[largest]}", f"{J[largest]:.2g}", "P(E) leaves J out"))
    return lines


def _doubts(known: pd.DataFrame, doubtful: pd.Index, places: Sequence[str]) -> str:
    if not len(doubtful):
        names = {"T_G/D": "k_BT_G", "h/D": "the median |h|"}
        compared = [title for name, title in names.items() if known[name].notna().all()]
        return f"D is below {' and '.join(compared)}"
    worst = known.min(axis=1).idxmin()
    ratios = known.loc[worst].dropna()
    numbers = ", ".join(f"{name} = {value:.2g}" for name, value in ratios.items())
    return f"at {places[worst]} {numbers}: S tunnels there, and frozen S make b^γ too large"


def free_spins(found: Results) -> Drawing:
    """Fraction of S with |h| < D along the axis with its estimates, one column a series."""
    summary = found.summary
    arrangement = arrange(summary)
    figure, [panels] = layout.grid(found.style, 1, len(arrangement.series), height=3.0)
    free = summary["estimate"][summary["quantity"] == FREE]
    drawing.set_energies(panels, arrangement.axis, free)
    for axes, series in zip(panels, arrangement.series, strict=False):
        drawing.set_axis([axes], arrangement)
        axes.set_title(series.label)
        for name, (_, style) in _FREE.items():
            found_here = pick(summary, FREE, name, series.points)
            drawing.estimates(axes, series, found_here, style, LIMIT_OF_SIGNS)
        layout.note_if_empty(axes, "$D=0$: none is free")
    layout.label_rows([panels], r"fraction of $S$ with $|h|<D$")
    entries = [layout.key(label, ls="", **style) for label, style in _FREE.values()]
    if pick(summary, FREE, "fraction")["theory"].notna().any():
        law = drawing.bars(LIMIT_OF_SIGNS)
        entries.append(layout.key("few defects, random $S$", color=COLOURS[0], **law))
    layout.legend(figure, layout.drawn(figure, entries))
    return figure


def level_density(found: Results) -> Drawing:
    """Density of two-level systems per GHz and µm³ against splitting, one column a series."""
    data = found.curves(results.LOW_ENERGY)
    arrangement = arrange(found.summary)
    figure, [panels] = layout.grid(found.style, 1, len(arrangement.series), height=3.4)
    edges = data["E"].to_numpy() / GIGAHERTZ
    unit, name = next(one for one in (found.style.energy, ENERGIES["K"]) if one[1] != "GHz")
    curves = drawing.curves(arrangement)
    for axes, (series, colours) in zip(panels, curves, strict=False):
        axes.set(xscale="log", yscale="log", xlabel="splitting $E/h$ (GHz)", title=series.label)
        for point, colour in zip(series.points, colours, strict=True):
            _draw_levels(axes, edges, data.sel(point=point), colour)
        layout.note_if_empty(axes, "no splittings")
        scale = (partial(np.multiply, GIGAHERTZ / unit), partial(np.multiply, unit / GIGAHERTZ))
        axes.tick_params(which="both", top=False)
        axes.secondary_xaxis("top", functions=scale).set_xlabel(f"$E$ ({name})")
    layout.label_rows([panels], "$P(E)$ (1/(GHz µm$^3$))")
    lines = [line for axes in panels for line in axes.lines if np.isfinite(line.get_ydata()).any()]
    law = layout.key("stable law of $b$", color="black", **drawing.DASHED)
    drawn = [layout.key("found", color="black"), law] if lines else []
    drawing.explain_curves(figure, arrangement, *drawn)
    return figure


def _draw_levels(axes: Axes, edges: Array, found: Mapping[Any, Any], colour: Any) -> None:
    P, theory = (
        found[name].to_numpy() * PER_GIGAHERTZ_AND_CUBIC_MICRON for name in ("P", "P_theory")
    )
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
    axes.plot(middle, shown, color=colour, **drawing.DASHED)


def values(found: Results) -> pd.DataFrame:
    """Return the free fraction of S with its estimates, and the density of low splittings of τ."""
    summary = found.summary
    columns = {f"free S {name}": pick(summary, FREE, name) for name in _FREE}
    columns["median |h|/D"] = pick(summary, FREE, "h_over_D")
    for T in LOW:
        density = pick(summary, "levels", f"density_{T}")
        columns |= {
            f"tau below {T}": pick(summary, "levels", f"below_{T}"),
            f"P {T} (1/(eV angstrom3))": density,
            f"P {T} (1/(J m3))": density * PER_JOULE_AND_CUBIC_METRE,
            f"P {T} (1/(GHz um3))": density * PER_GIGAHERTZ_AND_CUBIC_MICRON,
        }
    return joined(points_of(summary), columns)


def latex(found: Results) -> str:
    """Return the essential of them in LaTeX."""
    summary = found.summary
    fraction, flat, paper = (pick(summary, FREE, name) for name in _FREE)
    columns = [
        measured("$|h|<D$", fraction),
        theory("random $S$", fraction),
        measured(r"$2\langle D\,\delta(h)\rangle$", flat),
        numbers("$D_0/xU_0$", paper["estimate"]),
    ]
    for T in LOW:
        density = pick(summary, "levels", f"density_{T}") * PER_GIGAHERTZ_AND_CUBIC_MICRON
        columns.append(measured(f"$E<$ {T}", pick(summary, "levels", f"below_{T}")))
        columns.append(measured(f"$P$ {T}", density, (1.0, "1/(GHz µm³)")))
    note = (
        r"Fractions of $S$ that are free and of $\tau$ with a splitting below $k_BT$, and the mean"
        r" density $P$ of the latter."
    )
    return tabular(point_columns(points_of(summary)), columns, note)


_DENSITY = "eV-1 angstrom-3"

OBSERVABLE = Observable(
    name="tunnelling",
    file=results.LOW_ENERGY,
    coordinates={"E": Variable("energy_edge", "eV", "edges of the splittings", "model")},
    variables={
        "P": Variable("energy_bin", _DENSITY, "density of two-level systems", "model"),
        "P_error": Variable("energy_bin", _DENSITY, "its standard error", "model"),
        "P_theory": Variable("energy_bin", _DENSITY, "that of the stable law of b", "theory"),
        "defect_density": Variable("", "angstrom-3", "defects per volume", "model"),
    },
    measure=measure,
    headlines=headlines,
    figures=(
        Figure(
            name="free_spins",
            caption="""
            The fraction of :math:`S` that the glass leaves free to tunnel,
            :math:`|h_i|<D_i`, with that of random :math:`S`, with what a flat density
            of :math:`h` would leave, and with the paper's estimate.
            """,
            draw=free_spins,
        ),
        Figure(
            name="levels",
            caption=r"""
            The density of two-level systems :math:`P(E)` of the splittings
            :math:`E=2\sqrt{b^2+\Delta^2}` of :math:`\tau`, per GHz of
            :math:`E/h` and µm³. Dashed: the stable law of :math:`b` in the
            dilute limit, with the same :math:`\Delta`. The couplings J of τ are
            left out; the table `strengths` has their size beside b.
            """,
            draw=level_density,
        ),
    ),
    tables=(Table(name="tunnelling", values=values, latex=latex),),
)

"""The annealing itself: energy and acceptance against temperature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import xarray as xr

from glasspipe.files import results
from glasspipe.files.variables import Variable
from glasspipe.report import drawing, layout
from glasspipe.report.observable import Figure, Measured, Observable, Results
from glasspipe.report.point_data import PointData
from glasspipe.report.presentation import arrange
from glasspipe.statistics import standard_error

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing


def measure(point: PointData) -> Measured:
    """Means over what froze and over replicas against the temperature step, per spin."""
    froze = point.froze if point.froze.any() else slice(None)
    energy = (point.frozen["trace_energy"].mean(axis=1) / point.number_of_spins[:, None])[froze]
    curves = {
        "T": point.frozen["T"][froze].mean(axis=0),
        "energy": energy.mean(axis=0),
        "energy_stderr": standard_error(energy),
        "acceptance": point.frozen["acceptance"][froze].mean(axis=(0, 1)),
    }
    return Measured(curves=curves)


def energy_temperature(found: Results) -> Drawing:
    """Energy of the annealing, its excess over the last one, and acceptance against temperature.

    In units of Γ_U, the half width of Σ_j U_ij S_j for random S in the dilute limit, which is
    proportional to xU_0. The energy itself is ruled by the rare near pairs, whose number differs
    between realisations; they are frozen all along, and the excess is free of them.
    """
    traces, histograms = found.curves(results.TRACES), found.curves(results.DISTRIBUTIONS)
    arrangement = arrange(found.summary)
    figure, grid = layout.grid(
        found.style, 3, len(arrangement.series), height=5.0, ratios=(3, 2, 2), sharex=True
    )
    units = histograms["scale"].sel(quantity="U_S")
    for panels, (series, colours) in zip(grid.T, drawing.curves(arrangement), strict=False):
        for point, colour in zip(series.points, colours, strict=True):
            _draw_trace(panels, traces.sel(point=point), units.sel(point=point), colour)
        panels[0].set_title(series.label)
        panels[2].set(xscale="log", xlabel=r"temperature $k_BT/\Gamma_U$", ylim=(0, 1))
        layout.note_if_empty(panels[0], "no couplings")
    excess = r"$(E-E_\mathrm{end})/N\Gamma_U$"
    layout.label_rows(grid, r"energy $E/N\Gamma_U$", excess, "acceptance")
    drawing.explain_curves(figure, arrangement)
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


OBSERVABLE = Observable(
    name="annealing",
    file=results.TRACES,
    variables={
        "T": Variable("step", "eV", "temperature k_B T", "model"),
        "energy": Variable("step", "eV", "energy per spin", "eq. (29)"),
        "energy_stderr": Variable("step", "eV", "its standard error", "model"),
        "acceptance": Variable("step", "1", "accepted share of the attempted flips", "model"),
    },
    measure=measure,
    figures=(
        Figure(
            name="energy_temperature",
            caption="""
            The energy per spin against the temperature, of annealing or of the states of
            tempering, averaged over realisations, the same above its last value, and
            the share of accepted flips.
            """,
            draw=energy_temperature,
        ),
    ),
)

"""Every coupling of two defects against their distance, and its power.

A power is fitted only where a coupling is one: below a few neighbour distances a lattice allows few
directions, and beyond a quarter of the box the images change the coupling by more than the errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from glasspipe.defects.tensors import Tensors
from glasspipe.files import results
from glasspipe.files.variables import Variable
from glasspipe.report import drawing, layout
from glasspipe.report.drawing import COLOURS, MARKERS
from glasspipe.report.observable import Figure, Measured, Member, Observable, Results
from glasspipe.report.point_data import PointData
from glasspipe.report.presentation import COUPLING_SYMBOLS, Series, arrange, compact, find_fit
from glasspipe.settings.model import Model
from glasspipe.stages.fields import FIELDS
from glasspipe.stages.sample import SAMPLE
from glasspipe.statistics import fit_power_law
from glasspipe.system.terms import TERMS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

if TYPE_CHECKING:
    from glasspipe.theory.pair_distances import Pairs

Array = NDArray[np.float64]

_NEAREST = 4.0
"""Neighbour distances from which on a power is fitted."""
_FARTHEST = 0.25
"""Of the box, up to which it is fitted."""
_FEWEST = 20
"""Pairs of a shell that are enough for a fit."""
_ROUNDING = 1e-9
"""Of the infinite medium's coupling: what is smaller would be 0 but for rounding."""
_STYLES = {
    coupling: {"color": colour, "marker": marker}
    for coupling, colour, marker in zip(COUPLING_SYMBOLS, COLOURS, MARKERS, strict=False)
}


def measure(point: PointData) -> Measured:
    """Return rms, median and quantiles of every coupling of pairs, shell by shell of distances."""
    from glasspipe.report.expectation import pair_magnitude
    from glasspipe.theory import pair_distances

    pairs, model = _sample(point), point.model
    found = []
    for coupling in TERMS:
        values = pair_distances.couplings(
            coupling, pairs, model.interaction, box=point.box, boundary=model.boundary
        )
        found.append(pair_distances.by_shell(coupling, values, pairs))
    known = [pair_magnitude(model, coupling, point.tensors) for coupling in TERMS]
    error = [
        k.spread * one.rms / np.sqrt(np.maximum(one.number, 1))
        for k, one in zip(known, found, strict=True)
    ]
    curves = {
        "coupling": [f"{coupling}_ij" for coupling in TERMS],
        "distance": pair_distances.MIDDLES,
        "probability": pair_distances.PROBABILITIES,
        "power": [term.power for term in TERMS.values()],
        "rms": [one.rms for one in found],
        "rms_error": error,
        "median": [one.median for one in found],
        "quantile": [one.quantile for one in found],
        "pairs": found[0].number,
        "fitted": _fitted(model, point.box, pairs.distance),
        "strength_rms": [one.rms for one in known],
        "strength_median": [one.median for one in known],
        "strength_quantile": [one.quantile for one in known],
    }
    return Measured(curves=curves)


def _sample(point: PointData) -> Pairs:
    """Pairs of all realisations, at most ``point.pairs`` of each shell."""
    from glasspipe.theory import pair_distances

    files, rng = point.files, point.rng("low_energy")
    each = max(1, -(-2 * point.pairs // files.point.realisations))
    found = []
    for sampled, fields in zip(files.files["sample"], files.files["fields"], strict=True):
        with files.opened(SAMPLE, sampled) as source, files.opened(FIELDS, fields) as made:
            for row in range(len(source.realisations)):
                position, gamma, eta = source.row(row, "position", "gamma", "eta")
                static = source.optional(row, "static")
                (zeta,) = made.row(row, "zeta")
                defects = Tensors(gamma, eta, zeta, static=static)
                found.append(pair_distances.take(rng, position, defects, point.box, each))
    return pair_distances.thin(pair_distances.Pairs.joined(found), point.pairs, rng)


def _fitted(model: Model, box: Array, distances: Array) -> NDArray[np.bool_]:
    """Whether powers are fitted to a shell; the nearest of a user's defects are those found."""
    from glasspipe.theory.pair_distances import SHELLS

    on_lattice = model.source_file is None
    nearest = model.lattice.neighbour_distance if on_lattice else np.min(distances, initial=np.inf)
    return (SHELLS[:-1] >= _NEAREST * nearest) & (SHELLS[1:] <= _FARTHEST * np.min(box))


def fits(members: Sequence[Member], _: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the power of each coupling against distance.

    All shells of all points at once, since a coupling does not know the concentration.
    """
    rows = (_power_fit(number, coupling, members) for number, coupling in enumerate(TERMS))
    return [row for row in rows if row is not None]


def _power_fit(number: int, coupling: str, members: Sequence[Member]) -> dict[str, Any] | None:
    columns: list[Array] = []
    for member in members:
        one = member.data
        chosen = one["fitted"] & (one["pairs"] >= _FEWEST)
        values = (one["distance"], one["rms"][number], one["rms_error"][number])
        columns.append(np.array(values)[:, chosen & (values[1] > 0) & (values[2] > 0)])
    R, rms, error = np.concatenate(columns, axis=1)
    if len(np.unique(R)) < 2:
        return None
    fit = fit_power_law(R, rms, error)
    exact = -float(TERMS[coupling].power)
    return {
        "quantity": f"{coupling}_ij",
        "statistic": "rms",
        "against": "R",
        "range": f"{R.min():.4g} <= R <= {R.max():.4g}",
        "points": len(R),
        "exponent": fit.exponent,
        "stderr": fit.stderr,
        "prediction": exact,
        "asymptotic": exact,
        "chi2": fit.chi2,
        "p_value": fit.p_value,
    }


def couplings_distance(found: Results) -> Drawing:
    """Root mean square couplings against distance with their powers.

    Of one series a panel a coupling and a colour a point, of several a panel a series.
    """
    fits, data = found.fits, found.curves(results.LOW_ENERGY)
    arrangement = arrange(found.summary)
    [first, *others] = arrangement.series
    there = [name for name in _STYLES if (data["rms"].sel(coupling=name) > 0).any()]
    unit, unit_name = found.style.energy
    law = layout.key("infinite medium", color="grey")
    if others or not there:
        figure, [panels] = layout.grid(found.style, 1, len(arrangement.series), height=3.2)
        for axes, series in zip(panels, arrangement.series, strict=False):
            axes.set_title(series.label)
            for coupling in there:
                members = data.sel(point=series.points, coupling=coupling)
                _draw_coupling(axes, members, _STYLES[coupling], unit)
            layout.note_if_empty(axes, "no couplings")
        keys = [layout.key(_coupling_label(c, None, fits), ls="", **_STYLES[c]) for c in there]
        layout.legend(figure, [*keys, law])
    else:
        figure, [panels] = layout.grid(found.style, 1, len(there), height=2.4)
        [(series, colours)] = drawing.curves(arrangement)
        for axes, coupling in zip(panels, there, strict=True):
            axes.set_title(_coupling_label(coupling, first, fits))
            for name, colour in zip(series.points, colours, strict=True):
                one = data.sel(point=[name], coupling=coupling)
                _draw_coupling(axes, one, {"color": colour, "marker": "o"}, unit)
        drawing.explain_curves(figure, arrangement, law)
    for axes in panels:
        axes.set(xscale="log", yscale="log", xlabel="distance $R$ (Å)")
    layout.label_rows([panels], f"rms coupling ({unit_name})")
    return figure


def _draw_coupling(axes: Axes, found: xr.Dataset, style: dict[str, Any], unit: float) -> None:
    """Draw every point's shells, open where no power is fitted, and the infinite medium's laws."""
    R = found["distance"].to_numpy()
    rms, error = (found[name].to_numpy() / unit for name in ("rms", "rms_error"))
    fitted = np.broadcast_to(found["fitted"].to_numpy(), rms.shape)
    law = found["strength_rms"].to_numpy()[:, None] / R ** float(found["power"]) / unit
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
        _, one_of_each = np.unique(np.round(np.log(law[:, 0]), 6), return_index=True)
        axes.plot(R[span], law[one_of_each, span].T, color=style["color"], linewidth=0.8)


def _coupling_label(coupling: str, series: Series | None, fits: pd.DataFrame) -> str:
    symbol = COUPLING_SYMBOLS[coupling]
    fit = find_fit(fits, coupling, "rms", "R", series.shared) if series else None
    if fit is None:
        return f"${symbol}$"
    return rf"${symbol}\propto R^p,\ p={compact(fit['exponent'], fit['stderr'])}$"


_EACH = "coupling shell"

OBSERVABLE = Observable(
    name="couplings",
    file=results.LOW_ENERGY,
    coordinates={
        "coupling": Variable("coupling", "1", "coupling of two defects", "eq. (74)"),
        "distance": Variable("shell", "angstrom", "middle of the shell", "model"),
        "probability": Variable("probability", "1", "of the quantiles", "model"),
        "power": Variable("coupling", "1", "p of the decay R^-p", "eq. (74)"),
    },
    variables={
        "pairs": Variable("shell", "1", "pairs measured", "model"),
        "fitted": Variable("shell", "1", "whether the powers are fitted to the shell", "model"),
        "rms": Variable(_EACH, "eV", "root mean square of the coupling", "eq. (74)"),
        "rms_error": Variable(_EACH, "eV", "its standard error", "theory"),
        "median": Variable(_EACH, "eV", "median of its modulus", "eq. (74)"),
        "quantile": Variable(f"{_EACH} probability", "eV", "quantiles, signs kept", "eq. (74)"),
        "strength_rms": Variable(
            "coupling", "eV angstrom^power", "rms of R^power times it, infinite medium", "theory"
        ),
        "strength_median": Variable(
            "coupling", "eV angstrom^power", "median of its modulus", "theory"
        ),
        "strength_quantile": Variable(
            "coupling probability", "eV angstrom^power", "its quantiles", "theory"
        ),
    },
    measure=measure,
    fits=fits,
    figures=(
        Figure(
            name="couplings_distance",
            caption=r"""
            :math:`\sqrt{\langle U_{ij}^2\rangle}` and its like of every
            coupling against distance, of pairs taken shell by shell within half
            of the box: of one series a panel a coupling and a colour a point,
            of several a panel a series. Filled marks enter the fitted powers
            :math:`p`: from four neighbour distances on, where a lattice has
            directions enough, to a quarter of the box, where its images begin
            to count. Lines are the infinite medium.
            """,
            draw=couplings_distance,
        ),
    ),
)

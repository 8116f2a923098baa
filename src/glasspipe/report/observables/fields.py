"""Distributions of the fields: typical values, widths, tails, and what theory says of them.

The tails are so heavy that a sample's width can miss the rare near pairs that rule it, and its
error with it. So the width of drawn defects has as many near pairs as are to be expected, not those
of the sample (:mod:`glasspipe.system.near_pairs`), and every estimate stands beside its exact value
or limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from glasspipe.files import results
from glasspipe.files.variables import Variable
from glasspipe.report import drawing, layout, tails
from glasspipe.report.kinds import LIMIT
from glasspipe.report.observable import Figure, Measured, Member, Observable, Results, Row
from glasspipe.report.point_data import PointData
from glasspipe.report.presentation import SYMBOLS, TYPICAL, WIDTH, arrange, fraction
from glasspipe.statistics import (
    STATISTICS,
    Estimate,
    describe,
    fit_power_law,
    histogram,
    histogram_edges,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

if TYPE_CHECKING:
    from glasspipe.report.expectation import Expectation

Array = NDArray[np.float64]

ASYMPTOTIC = {
    "B": 1,
    "h": 1,
    "U_S": 1,
    "b_gamma": 4 / 3,
    "b_eta": 4 / 3,
    "b": 4 / 3,
    "J_tau": 5 / 3,
}
"""The fields, U_S = Σ_j U_ij S_j = h − B, and the exponents of their typical values as x → 0."""

_CONSTANT_SOURCES = ("B", "b_eta")
"""Fields of sources that are all alike, whose variance is ∝ x(1 − x)."""

_EDGES = histogram_edges(4.0, linear=40, per_decade=10, decades=8)
"""In units of the scale of the dilute limit."""

_CORE = 5.0
"""Half width of the linear panel of a distribution, in units of its scale."""
_NARROWEST = 0.2
"""Width of the bins in its middle."""
_HIGHEST = 0.8
"""Density that is shown, about twice that of the limits; it cuts off dense points only."""
_LIMIT: dict[str, Any] = {"linestyle": "--", "linewidth": 0.8}
_LATTICE: dict[str, Any] = {"linestyle": ":", "linewidth": 1.2}
_ROUNDING = 1e-9
"""Probabilities below it are rounding errors, of a sample and of a law within its edges."""


def measure(point: PointData) -> Measured:
    """Return estimates, errors and theory of every field, and its histogram."""
    rows, columns = [], []
    for number, quantity in enumerate(ASYMPTOTIC):
        values, known = point.values[quantity], point.known[quantity]
        rng, excess = point.rng("aggregate", number), point.excess.get(quantity)
        found = describe(values, rng, resamples=point.bootstrap, excess=excess)
        rows += [
            Row(
                quantity,
                name,
                one.value,
                _error(name, one, values.size),
                known.statistics[name],
                known.kind_of(name),
            )
            for name, one in found.items()
        ]
        tail = tails.exponent(values, known, point.x, rng, point.bootstrap)
        if np.isfinite(tail.value):
            exact = 1 + known.limit.alpha
            rows.append(Row(quantity, "tail_exponent", tail.value, tail.stderr, exact, LIMIT))
        columns.append(_histogram(values, known) | _for_fits(found, known))
    stacked = {name: [column[name] for column in columns] for name in columns[0]}
    coordinates = {"quantity": list(ASYMPTOTIC), "statistic": list(STATISTICS), "edges": _EDGES}
    return Measured(
        [row for row in rows if row.known or row.statistic in STATISTICS], coordinates | stacked
    )


def _error(name: str, one: Estimate, number: int) -> float:
    """Error of a statistic; of a width not below that of ``number`` independent normal values.

    As rare as near pairs are triples of near defects, which add that much in the mean square.
    """
    least = one.value / sqrt(2 * number) if name == WIDTH else 0.0
    return float(np.maximum(one.stderr, least))


def _histogram(values: Array, known: Expectation) -> dict[str, Any]:
    counted = histogram(values / known.scale, _EDGES)
    return {
        "scale": known.scale,
        "limit_typical": known.limit_typical,
        "alpha": known.limit.alpha,
        "count": counted.counts,
        "below": counted.underflow,
        "above": counted.overflow,
        "density": counted.density,
        "limit_density": known.limit_density(_EDGES),
        "lattice_density": known.lattice_density(_EDGES),
    }


def _for_fits(found: Mapping[str, Estimate], known: Expectation) -> dict[str, Any]:
    return {
        "resampled": [found[name].resampled for name in STATISTICS],
        "has_limit": known.has_limit,
    }


def fits(members: Sequence[Member], config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the power laws of typical values, where x is small, and of widths."""
    below, number = config["aggregate"]["fit_below"], config["realisations"]
    dilute = [member for member in members if _nearly(member.data) <= below]
    rows = []
    for quantity, asymptotic in ASYMPTOTIC.items():
        against = "x(1-x)" if quantity in _CONSTANT_SOURCES else "x"
        rows += [
            _fit(dilute, quantity, TYPICAL, "x", asymptotic=asymptotic, realisations=number),
            _fit(members, quantity, WIDTH, against, asymptotic=0.5, realisations=number),
        ]
    return [row for row in rows if row is not None]


def _nearly(data: Mapping[str, NDArray[Any]]) -> float:
    """Return the smallest concentration that rounds to the realised number of defects."""
    return float(data["x"] * (1 - 0.5 / data["defects"]))


def _fit(
    members: Sequence[Member],
    quantity: str,
    statistic: str,
    against: str,
    *,
    asymptotic: float,
    realisations: int,
) -> dict[str, Any] | None:
    """Return a row of the fits, or None where fewer than two points can be fitted."""
    number, which = list(ASYMPTOTIC).index(quantity), STATISTICS.index(statistic)
    data = [one.data for one in members]
    table = [one.rows[quantity, statistic] for one in members]
    has_limit = all(bool(one["has_limit"][number]) for one in data)
    x = np.array([float(one.data["x"]) for one in members])
    abscissa = x * (1 - x) if against == "x(1-x)" else x
    y, error, known = (
        np.array([float(getattr(row, name)) for row in table])
        for name in ("estimate", "stderr", "theory")
    )
    good = (abscissa > 0) & (y > 0) & np.isfinite(error) & (error > 0)
    if len(np.unique(abscissa[good])) < 2:
        return None
    resampled = np.array([one["resampled"][number, which] for one in data])[good]
    abscissa, y, error, known = (values[good] for values in (abscissa, y, error, known))
    fit = fit_power_law(abscissa, y, error, resampled=resampled, realisations=realisations)
    prediction = np.nan
    if np.all(known > 0):
        prediction = fit_power_law(abscissa, known, error / y * known).exponent
    return {
        "quantity": quantity,
        "statistic": statistic,
        "against": against,
        "range": f"{x[good].min():.4g} <= x <= {x[good].max():.4g}",
        "points": int(good.sum()),
        "exponent": fit.exponent,
        "stderr": fit.error,
        "prediction": prediction,
        "asymptotic": asymptotic if has_limit else np.nan,
        "chi2": fit.chi2,
        "p_value": fit.p_value,
    }


def distribution(found: Results, *quantities: str) -> Drawing:
    """Distributions over the scale of their dilute limit: the core's density, and the tails.

    Beyond the core a lattice's shells of neighbours make a density of spikes; the probability to
    be above a value is smooth, and compared with the limit there. One column a quantity; of several
    series only the last quantity is shown, one column a series.
    """
    histograms = found.curves(results.DISTRIBUTIONS)
    arrangement = arrange(found.summary)
    quantities = quantities[-1:] if len(arrangement.series) > 1 else quantities
    curves = drawing.curves(arrangement)
    panels = [(quantity, *curve) for curve in curves for quantity in quantities]
    figure, grid = layout.grid(found.style, 2, len(panels), height=4.6)
    for (core, tail), (quantity, series, colours) in zip(grid.T, panels, strict=False):
        core.set_title(series.label)
        data = histograms.sel(quantity=quantity, point=series.points)
        for number, colour in enumerate(colours):
            _draw_density(core, tail, data.isel(point=number), colour)
        _draw_limits(core, tail, data, colours)
        _label_density(core, tail, quantity)
    layout.label_rows(grid, f"density ${_unit_of(quantities[0])}\\,P$", "probability above")
    grid[0, 0].set_ylim(0, min(grid[0, 0].get_ylim()[1], _HIGHEST))
    alpha = float(histograms["alpha"].sel(quantity=quantities[0]))
    law = "Cauchy" if alpha == 1 else rf"stable, $\alpha={fraction(alpha)}$"
    styles = {f"few defects: {law}": _LIMIT, "law on the lattice": _LATTICE}
    keys = [layout.key(label, color="black", **style) for label, style in styles.items()]
    drawing.explain_curves(figure, arrangement, *layout.drawn(figure, keys))
    return figure


def _draw_density(core: Axes, tail: Axes, data: xr.Dataset, colour: Any) -> None:
    """Draw one point's density, unless all values are in the innermost bins: they are 0."""
    middle = len(data["edges"]) // 2
    if not np.delete(data["count"].to_numpy(), [middle - 1, middle]).any():
        return
    edges, density = merged(data["edges"].to_numpy(), data["density"].to_numpy())
    core.plot((edges[1:] + edges[:-1]) / 2, density, color=colour)
    tail.plot(*above(data["edges"].to_numpy(), data["density"].to_numpy()), color=colour)


def _draw_limits(core: Axes, tail: Axes, data: xr.Dataset, colours: Sequence[Any]) -> None:
    """Draw the law on the lattice of each point, and the limit, or those of all if they differ."""
    if not tail.lines:
        layout.note_if_empty(core, "the field vanishes")
        return
    drawn = np.vstack([np.asarray(line.get_xydata(), dtype=float) for line in tail.lines])
    reach = np.max(drawn[drawn[:, 1] > 0, 0])
    edges = data["edges"].to_numpy()
    for density, colour in zip(data["lattice_density"].to_numpy(), colours, strict=True):
        _draw_law(core, tail, edges, density, reach, color=colour, **_LATTICE)
    limits = data["limit_density"].to_numpy()
    known = np.flatnonzero(np.isfinite(limits).all(axis=1))
    alike = np.allclose(limits[known], limits[known[:1]], rtol=1e-3)
    for i in known[:1] if alike else known:
        colour = "black" if alike else colours[i]
        _draw_law(core, tail, edges, limits[i], reach, color=colour, **_LIMIT)


def _draw_law(
    core: Axes, tail: Axes, edges: Array, density: Array, reach: float, **style: Any
) -> None:
    """Draw a law as far as it is known on both sides, and in the tail as far as there are data."""
    edges, density = known_part(edges, density)
    if not len(density):
        return
    kept, smooth = merged(edges, density)
    core.plot((kept[1:] + kept[:-1]) / 2, smooth, **style)
    u, share = above(edges, density)
    tail.plot(u[u <= reach], share[u <= reach], **style)


def known_part(edges: Array, density: Array) -> tuple[Array, Array]:
    """Return the innermost bins of a symmetric histogram in which a law is known on both sides."""
    middle = len(density) // 2
    both = np.isfinite(density[middle:]) & np.isfinite(density[middle - 1 :: -1])
    bins = int(np.logical_and.accumulate(both).sum())
    return edges[middle - bins : middle + bins + 1], density[middle - bins : middle + bins]


def merged(edges: Array, density: Array) -> tuple[Array, Array]:
    """Merge the narrowest bins of a symmetric histogram, whose counts are noisy."""
    positive = edges[len(edges) // 2 :]
    _, first = np.unique(np.floor(positive / _NARROWEST + 1e-9), return_index=True)
    kept = np.concatenate([-positive[first][:0:-1], positive[first]])
    below = np.concatenate([[0.0], np.cumsum(density * np.diff(edges))])
    return kept, np.diff(np.interp(kept, edges, below)) / np.diff(kept)


def above(edges: Array, density: Array) -> tuple[Array, Array]:
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


OBSERVABLE = Observable(
    name="fields",
    file=results.DISTRIBUTIONS,
    coordinates={
        "quantity": Variable("quantity", "1", "field", "model"),
        "statistic": Variable("statistic", "1", "statistic of the summary", "model"),
        "edges": Variable("edge", "1", "edges of the bins of value/scale", "model"),
        "alpha": Variable("quantity", "1", "exponent of the limiting stable law", "theory"),
    },
    variables={
        "scale": Variable("quantity", "eV", "scale of the dilute limit", "physics"),
        "limit_typical": Variable("quantity", "eV", "quartile half-width of that limit", "theory"),
        "count": Variable("quantity bin", "1", "values in each bin", "model"),
        "below": Variable("quantity", "1", "values below the first edge", "model"),
        "above": Variable("quantity", "1", "values above the last edge", "model"),
        "density": Variable("quantity bin", "1", "density of value/scale", "model"),
        "limit_density": Variable("quantity bin", "1", "that of the limiting stable law", "theory"),
        "lattice_density": Variable("quantity bin", "1", "that on the lattice", "theory"),
    },
    for_fits={
        "resampled": Variable("quantity statistic resample", "eV", "resampled statistics", "model"),
        "has_limit": Variable("quantity", "1", "whether the limit is the field's law", "theory"),
    },
    measure=measure,
    fits=fits,
    figures=(
        Figure(
            name="distribution_B",
            caption=r"""
            The distribution of :math:`B/\Gamma` at each point, on the Cauchy
            law of few defects (dashed), whose half width is :math:`\Gamma`.
            Dotted: the law on the lattice, as far as it is known. Above the
            density, below the probability that the modulus is larger.
            """,
            draw=lambda found: distribution(found, "B"),
        ),
        Figure(
            name="distribution_b_tau",
            caption=r"""
            The distributions of :math:`b^\gamma`, :math:`b^\eta` and their sum
            :math:`b` at each point, of several series that of :math:`b` alone,
            in units of the scale :math:`c` of the stable law of index 3/4 of
            few defects (dashed). Dotted: the law on the lattice, as far as it is
            known, for random :math:`S` where the field depends on :math:`S`.
            Above the density, below the probability that the modulus is larger.
            """,
            draw=lambda found: distribution(found, "b_gamma", "b_eta", "b"),
        ),
        Figure(
            name="distribution_h",
            caption=r"""
            The distributions at each point of :math:`\sum_j U_{ij}S_j` of the
            frozen spins and of the local field
            :math:`h_i=\sum_j U_{ij}S_j+B_i`, of several series that of
            :math:`h` alone, in units of the scale of the limit of few defects
            with random :math:`S` (dashed). Dotted: the law of
            :math:`\sum_j U_{ij}S_j` on the lattice, with random :math:`S`, as
            far as it is known. Above the density, below the probability that
            the modulus is larger.
            """,
            draw=lambda found: distribution(found, "U_S", "h"),
        ),
        Figure(
            name="distribution_J",
            caption=r"""
            The distribution of :math:`\sum_j J_{ij}\tau_j` with random
            :math:`\tau` at each point, in units of the scale of the stable law
            of index 3/5 of few defects (dashed). Dotted: the law on the
            lattice, as far as it is known. Above the density, below the
            probability that the modulus is larger.
            """,
            draw=lambda found: distribution(found, "J_tau"),
        ),
    ),
)

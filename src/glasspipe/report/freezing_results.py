"""What the freezing of a point shows: curves against temperature, T_G, the gap, the quality.

Realisations have temperatures of their own, in units of their own local fields or where tempering
put them. So each curve is brought to common temperatures before it is averaged.
"""

from dataclasses import dataclass
from math import pi
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from glasspipe.defects.distribution import nodes
from glasspipe.elastic.medium import CubicMedium
from glasspipe.report.expectation import PAPER, theory_kinds
from glasspipe.settings.model import Model
from glasspipe.spins import diagnostics, random_field
from glasspipe.stages.freeze import FREEZE, OVERLAPS
from glasspipe.stages.study_files import PointFiles
from glasspipe.theory.levels import mean_and_error

Array = NDArray[np.float64]

T_G, HEAT, ENERGY = "T_G", "heat", "E/N"
GAP, QUALITY, FIELD = "gap", "quality", "random_field"
"""Quantities of the summary's rows."""

HALF, PEAK, FIELD_HALF, SCALE = "overlap_half", "heat_peak", "field_overlap_half", "x_U_0"
DECOUPLED = "decoupled_heat_peak"
"""Statistics of T_G: where |q| is one half, where C is largest, where B alone makes the overlap one
half, where C of spins decoupled in their final fields is largest; xU_0."""

_T = "freezing_T"
_SCALARS = ("x_U_0", "h_unit")
_DIMENSIONS = ("freezing_step", "freezing_row", "overlap_bin", "h_bin", "h_edge")
_STRENGTHS = 6
_DECOUPLED = np.geomspace(5.0, 0.05, 200)
"""Temperatures over the median |h|."""
_GAP_EDGES = np.geomspace(1e-4, 1e2, 61)
_READ = (
    *("B", "S", "h", "T", "energy", "acceptance"),
    *("trace_energy", "replica_energy", "replica_S", "unstable"),
)
_IF_THERE = (
    "specific_heat",
    "U_norm",
    "swap_rate",
    "log_energy",
    "round_trips",
    *OVERLAPS,
    "overlap_count",
    *diagnostics.ERRORS,
)


def energy_scale(model: Model) -> float:
    """Return U_0 = ⟨γ_0²⟩/(4πρc_l²a³) in eV, a³ being the coupling volume of the lattice.

    The average is over the mixture and what its strengths are drawn from; a cubic medium stands for
    its isotropic average. NaN where the defects come from a file, whose γ the config does not know.
    """
    if model.source_file is not None:
        return float("nan")
    medium = model.medium.hill_average if isinstance(model.medium, CubicMedium) else model.medium
    square = 0.0
    for component in model.components:
        gamma, weight = nodes(component.gamma, _STRENGTHS)
        square += component.share * float(weight @ gamma**2)
    return square / (4 * pi * medium.longitudinal_modulus * model.lattice.coupling_volume)


@dataclass(frozen=True)
class Row:
    """A row of the summary: an estimate and its error, and what theory says, if anything."""

    quantity: str
    statistic: str
    estimate: float
    stderr: float
    theory: float = float("nan")


def statistics(
    files: PointFiles, *, x: float, resamples: int, rng: np.random.Generator
) -> xr.Dataset:
    """Return the curves of a point and the rows of its summary.

    Parameters
    ----------
    files : PointFiles
        The point.
    x : float
        Its realised concentration.
    resamples : int
        Resamplings of the realisations behind each error.
    rng : Generator
        For those.

    Returns
    -------
    Dataset
        Curves against ``freezing_step``, the histogram of |h| against ``h_bin``, and the rows
        against ``freezing_row``.
    """
    model, data = files.point.model, _read(files)
    chosen = _resampled(len(data["T"]), resamples, rng)
    scale = x * energy_scale(model)
    curves, found = _curves(data, chosen, scale)
    found.append(Row(T_G, SCALE, scale, np.nan))
    found += [_mean(ENERGY, "frozen", data["energy"] / data["h"].shape[1])]
    found += [_mean(QUALITY, "unstable", data["unstable"])]
    quality = diagnostics.measures(data, swap_rate=model.freeze.get("swap_rate", np.nan))
    found += [_mean(QUALITY, name, values) for name, values in quality.items()]
    found += [_mean(FIELD, name, v) for name, v in random_field.measures(data).items()]
    found.append(_exponent(data["h"], chosen))
    found = [row for row in found if np.isfinite(row.estimate)]
    columns = {
        f"freezing_{name}": ("freezing_row", [getattr(row, name) for row in found])
        for name in ("quantity", "statistic", "estimate", "stderr", "theory")
    }
    steps = {"freezing_step": np.arange(data["T"].shape[1])}
    return xr.Dataset({**curves, **_gap(data["h"]), **columns, "x_U_0": scale}, steps)


def split(data: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Return the file of a point without what `statistics` made, and its curves."""
    rest = data.drop_vars(_SCALARS).drop_dims(_DIMENSIONS, errors="ignore")
    mine = [name for name in data.data_vars if name not in rest]
    return rest, data[mine].drop_dims("freezing_row")


def summary(data: xr.Dataset) -> pd.DataFrame:
    """Return the rows of the summary that `statistics` made."""
    names = ("quantity", "statistic", "estimate", "stderr", "theory")
    found = pd.DataFrame({name: data[f"freezing_{name}"].to_numpy() for name in names})
    return found.assign(theory_kind=theory_kinds(found["theory"], PAPER))


def _read(files: PointFiles) -> dict[str, NDArray[Any]]:
    chunks: list[dict[str, NDArray[Any]]] = []
    for path in files.files[FREEZE.name]:
        with files.opened(FREEZE, path) as reader:
            names = [*_READ, *(name for name in _IF_THERE if name in reader)]
            chunks.append({name: reader.whole(name) for name in names})
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}


def _curves(
    data: dict[str, NDArray[Any]], chosen: NDArray[np.int64], scale: float
) -> tuple[dict[str, Any], list[Row]]:
    """Return the curves against temperature, and T_G from them."""
    if not (data["T"] > 0).all():
        return {}, []
    T = np.exp(np.log(data["T"]).mean(axis=0))
    several = "overlap_abs" in data
    names = ("specific_heat", *(OVERLAPS if several else ()))
    each = {name: _at(T, data["T"], data[name]) for name in names}
    energy = _at(T, data["T"], data["trace_energy"].mean(axis=1)) / data["B"].shape[1]
    each["heat_slope"] = diagnostics.heat_slope(energy, T)
    each["field_overlap"] = np.array([diagnostics.overlap_in_field(B, T) for B in data["B"]])
    curves: dict[str, Any] = {_T: ("freezing_step", T, {"units": "eV"})}
    for name, values in each.items():
        curves[name] = ("freezing_step", values.mean(axis=0))
        spread = np.full(len(T), np.nan)
        if len(chosen):
            spread = values[chosen].mean(axis=1).std(axis=0)
        curves[f"{name}_stderr"] = ("freezing_step", spread)
    found = [_temperature(PEAK, diagnostics.peak, T, each["heat_slope"], chosen, scale)]
    if several:
        half = (T, each["overlap_abs"], chosen, scale)
        found.append(_temperature(HALF, diagnostics.crossing, *half))
        counts = data["overlap_count"].sum(axis=0)
        curves["overlap_count"] = (("freezing_step", "overlap_bin"), counts)
    grid = float(np.median(np.abs(data["h"]))) * _DECOUPLED
    decoupled = np.array([diagnostics.heat_in_fields(h, grid) for h in data["h"]])
    found.append(_temperature(DECOUPLED, diagnostics.peak, grid, decoupled, chosen, np.nan))
    found += [
        _mean(HEAT, "peak", _at_peak(each["heat_slope"])),
        _mean(HEAT, "decoupled_peak", _at_peak(decoupled)),
    ]
    alone = (T, each["field_overlap"], chosen, np.nan)
    found.append(_temperature(FIELD_HALF, diagnostics.crossing, *alone))
    return curves, found


def _at_peak(values: Array) -> Array:
    """Values where their mean is largest: the largest of each noisy curve would lie too high."""
    return values[:, values.mean(axis=0).argmax()]


def _at(T: Array, own: Array, values: Array) -> Array:
    """Bring the curves (realisations, steps) from temperatures of their own to common ones."""
    return np.array(
        [np.interp(-np.log(T), -np.log(t), v) for t, v in zip(own, values, strict=True)]
    )


def _temperature(
    statistic: str, find: Any, T: Array, values: Array, chosen: NDArray[np.int64], theory: float
) -> Row:
    found = find(T, values.mean(axis=0))
    resampled = find(T, values[chosen].mean(axis=1))
    return Row(T_G, statistic, float(found), _spread(resampled), theory)


def _resampled(number: int, resamples: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return realisations drawn again and again; none of a single one.

    One less than there are, as in :func:`glasspipe.statistics.describe`.
    """
    if number == 1:
        return np.empty((0, 1), np.int64)
    return rng.integers(number, size=(resamples, number - 1))


def _spread(resampled: ArrayLike) -> float:
    """Return the standard deviation of what was resampled; NaN if that was nothing.

    NaN, too, where a tenth of the resamplings lack it (no curve crosses, no peak within): what the
    others scatter by would be too little.
    """
    found = np.asarray(resampled)
    known = found[np.isfinite(found)]
    return float(known.std()) if known.size > 0.9 * found.size else float("nan")


def _mean(quantity: str, statistic: str, values: Array) -> Row:
    known = values[np.isfinite(values)]
    if not known.size:
        return Row(quantity, statistic, np.nan, np.nan)
    return Row(quantity, statistic, *mean_and_error(known))


def _exponent(h: Array, chosen: NDArray[np.int64]) -> Row:
    """Return the exponent of the gap; the fields of a realisation are not independent."""
    resampled = [diagnostics.gap_exponent(h[rows]) for rows in chosen]
    return Row(GAP, "exponent", diagnostics.gap_exponent(h), _spread(resampled))


def _gap(h: Array) -> dict[str, Any]:
    """The density of |h| over its median, where it may vanish."""
    magnitude = np.abs(h)
    unit = float(np.median(magnitude)) or 1.0
    counts, _ = np.histogram(magnitude / unit, _GAP_EDGES)
    return {
        "h_edges": ("h_edge", _GAP_EDGES),
        "h_unit": unit,
        "h_density": ("h_bin", counts / (magnitude.size * np.diff(_GAP_EDGES))),
    }

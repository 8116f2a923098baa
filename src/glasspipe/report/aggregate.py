"""From chunks to a point, from points to the study: distributions and what theory says of them.

The tails of the fields are so heavy that a sample's width can miss the rare near pairs that rule
it, and its error with it. So every estimate stands beside its exact value or limit, and the fits of
widths are weighted by the error that theory predicts rather than by the one of the sample.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from glasspipe.defects.tensors import Tensors
from glasspipe.files import dataset, results
from glasspipe.report import freezing_results, low_energy
from glasspipe.report.expectation import Expectation, expectations
from glasspipe.report.merging import side_by_side
from glasspipe.settings.seeds import seed_sequence
from glasspipe.stages.fields import FIELDS
from glasspipe.stages.freeze import FREEZE
from glasspipe.stages.sample import SAMPLE
from glasspipe.stages.study_files import PointFiles, StudyFiles, load
from glasspipe.statistics import (
    STATISTICS,
    Estimate,
    describe,
    fit_power_law,
    histogram,
    histogram_edges,
)

Array = NDArray[np.float64]

QUANTITIES = ("B", "h", "U_S", "b_gamma", "b_eta", "b", "J_tau")
"""The fields whose distributions are wanted; U_S = Σ_j U_ij S_j = h − B."""

ASYMPTOTIC = {
    "B": 1,
    "h": 1,
    "U_S": 1,
    "b_gamma": 4 / 3,
    "b_eta": 4 / 3,
    "b": 4 / 3,
    "J_tau": 5 / 3,
}
"""Exponents of the typical values against x as x → 0."""

_CONSTANT_SOURCES = ("B", "b_eta")
"""Fields of sources that are all alike, whose variance is ∝ x(1 − x)."""

_TRACE = ("T", "trace_energy", "acceptance")

_EDGES = histogram_edges(4.0, linear=40, per_decade=10, decades=8)
"""In units of the scale of the dilute limit."""


def point(folder: Path, name: str) -> None:
    """Merge the chunks of one point: its rows of ``defects.parquet``, and its statistics.

    Raises
    ------
    ConfigError
        If the folder is not a study's, or has no such point.
    DataError
        If a file of the point cannot be used.
    """
    study = load(folder)
    files = study.point(name)
    merged = _Merged.read(files)
    point_hash = files.point.hash
    table = merged.table(_swept(study)[name])
    results.write_defects(folder, name, table, point_hash=point_hash)
    froze = freezing_results.statistics(
        files,
        x=merged.x,
        resamples=study.config["aggregate"]["bootstrap"],
        rng=np.random.default_rng(seed_sequence(files.point.model, "freezing", 0)),
    )
    statistics = xr.merge([_statistics(study, files, merged), froze])
    results.write_point(folder, name, statistics, point_hash=point_hash)


def study(folder: Path) -> None:
    """Merge the points of a study: summary, fits, distributions and traces.

    Raises
    ------
    ConfigError
        If the folder is not a study's.
    DataError
        If a point has not been merged.
    """
    files = load(folder)
    swept = _swept(files)
    names = list(swept)
    points = [
        results.read_point(folder, one.name, point_hash=one.point.hash) for one in files.points
    ]
    results.write_summary(folder, _summary(files, points))
    results.write_fits(folder, _fits(files, points))
    keys = {
        key: ("point", [row[key] for row in swept.values()]) for key in files.points[0].point.swept
    }
    labels = {"point": names, **keys}
    fields, froze = zip(*map(freezing_results.split, points), strict=True)
    merged, curves = (side_by_side(data).assign_coords(labels) for data in (fields, froze))
    results.write_merged(folder, results.FREEZING, curves)
    results.write_merged(folder, results.DISTRIBUTIONS, _distributions(merged))
    results.write_merged(
        folder, results.TRACES, merged[["x", "T", "energy", "energy_stderr", "acceptance"]]
    )
    results.write_merged(folder, results.LOW_ENERGY, low_energy.merged(merged))
    results.remove_other_points(folder, names)


@dataclass(frozen=True)
class _Merged:
    """All realisations of a point.

    Parameters
    ----------
    realisations : array (R,)
        Realisation numbers.
    values : dict of str to array (R, N)
        Every per-defect variable.
    trace : dict of str to array (R, replicas, steps)
        The annealing.
    x : float
        Realised concentration.
    box : array (3,)
        Edges of the box, Å.
    tensors : Tensors
        The defects of the first realisation.
    stray : tuple of str
        The stray fields that the defects have.
    """

    realisations: NDArray[np.int64]
    values: dict[str, Array]
    trace: dict[str, Array]
    x: float
    box: Array
    tensors: Tensors
    stray: tuple[str, ...]

    @classmethod
    def read(cls, files: PointFiles) -> "_Merged":
        """Read the chunks in the order of their realisations."""
        numbers: list[int] = []
        chunks: list[dict[str, Array]] = []
        for frozen, fields in zip(files.files["freeze"], files.files["fields"], strict=True):
            with (
                files.opened(FREEZE, frozen) as spins,
                files.opened(FIELDS, fields) as made,
            ):
                dataset.check_same_realisations(spins, made)
                numbers += spins.realisations
                chunk = {name: spins.whole(name) for name in ("S", "B", "h", *_TRACE)}
                names = ("b_gamma", "b_eta", "b", "J_abs", "J_tau")
                chunks.append(chunk | {name: made.whole(name) for name in names})
        values = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
        trace = {name: values.pop(name) for name in _TRACE}
        values["U_S"] = values["h"] - values["B"]
        with files.opened(SAMPLE, files.files["sample"][0]) as sampled:
            box = np.asarray(sampled.whole("box"), dtype=float)
            nominal = float(np.prod(box)) * files.point.model.lattice.site_density
            sites = sampled.attributes.get("sites", nominal)
            x = sampled.size("defect") / float(sites)
            tensors = low_energy.first_tensors(sampled)
            stray = tuple(name for name in ("E", "epsilon") if name in sampled)
        return cls(np.array(numbers), values, trace, x, box, tensors, stray)

    @property
    def defects(self) -> int:
        """Number N of defects in the box."""
        return self.values["B"].shape[1]

    def table(self, swept: dict[str, Any]) -> pd.DataFrame:
        """Return a row for each defect, with the swept values of the point."""
        rows = len(self.realisations) * self.defects
        names = ("S", "B", "h", "b_gamma", "b_eta", "b", "J_abs", "J_tau")
        return pd.DataFrame(
            {
                **{key: np.repeat(value, rows) for key, value in swept.items()},
                "realisation": np.repeat(self.realisations, self.defects).astype(np.int32),
                "defect": np.tile(np.arange(self.defects, dtype=np.int32), len(self.realisations)),
                **{name: self.values[name].ravel() for name in names},
            }
        )


def _statistics(study: StudyFiles, files: PointFiles, merged: _Merged) -> xr.Dataset:
    """Return estimates, errors, theory and histograms of every quantity, and the mean trace."""
    model, wanted = files.point.model, study.config["aggregate"]
    known = expectations(
        model,
        merged.tensors,
        box=merged.box,
        values=merged.values["B"].size,
        stray=merged.stray,
    )
    blocks = []
    for number, quantity in enumerate(QUANTITIES):
        values = merged.values[quantity]
        rng = np.random.default_rng(seed_sequence(model, "aggregate", number))
        estimates = describe(values, rng, resamples=wanted["bootstrap"])
        blocks.append(_quantity(values, estimates, known[quantity]))
    quantities = xr.concat(blocks, "quantity").assign_coords(
        quantity=list(QUANTITIES), statistic=list(STATISTICS), edges=("edge", _EDGES)
    )
    low = low_energy.statistics(
        files,
        known,
        box=merged.box,
        tensors=merged.tensors,
        h=merged.values["h"],
        b=merged.values["b"],
        x=merged.x,
        pairs=wanted["pairs"],
        rng=np.random.default_rng(seed_sequence(model, "low_energy", 0)),
    )
    return quantities.assign(x=merged.x, defects=merged.defects, **_trace(merged), **low)


def _quantity(values: Array, estimates: dict[str, Estimate], known: Expectation) -> xr.Dataset:
    counted = histogram(values / known.scale, _EDGES)
    ordered = [estimates[name] for name in STATISTICS]
    return xr.Dataset(
        {
            "estimate": ("statistic", [found.value for found in ordered]),
            "stderr": ("statistic", [found.stderr for found in ordered]),
            "resampled": (("statistic", "resample"), [found.resampled for found in ordered]),
            "theory": ("statistic", [known.statistics[name] for name in STATISTICS]),
            "std_error": known.std_error,
            "scale": known.scale,
            "alpha": known.limit.alpha,
            "has_limit": known.has_limit,
            "count": ("bin", counted.counts),
            "below": counted.underflow,
            "above": counted.overflow,
            "density": ("bin", counted.density),
            "limit_density": ("bin", known.limit_density(_EDGES)),
        }
    )


def _trace(merged: _Merged) -> dict[str, Any]:
    """Means over realisations and replicas against the temperature step, per spin."""
    energy = merged.trace["trace_energy"].mean(axis=1) / merged.defects
    realisations = len(energy)
    error = energy.std(axis=0, ddof=1) / np.sqrt(realisations) if realisations > 1 else np.nan
    return {
        "T": ("step", merged.trace["T"].mean(axis=0), {"units": "eV"}),
        "energy": ("step", energy.mean(axis=0), {"units": "eV", "long_name": "energy per spin"}),
        "energy_stderr": ("step", np.broadcast_to(error, energy.shape[1:]), {"units": "eV"}),
        "acceptance": ("step", merged.trace["acceptance"].mean(axis=(0, 1)), {"units": "1"}),
    }


def _swept(files: StudyFiles) -> dict[str, dict[str, Any]]:
    """Return the swept values of every point, each key as one type in the whole study."""
    keys = list(files.points[0].point.swept)
    columns = [results.plain(one.point.swept[key] for one in files.points) for key in keys]
    rows = zip(*columns, strict=True) if keys else [()] * len(files.points)
    return {
        point.name: dict(zip(keys, row, strict=True))
        for point, row in zip(files.points, rows, strict=True)
    }


def _distributions(merged: xr.Dataset) -> xr.Dataset:
    names = ["x", "scale", "count", "below", "above", "density", "limit_density", "alpha"]
    found = merged[names].assign(edges=merged["edges"])
    found["alpha"] = found["alpha"].isel(point=0)
    return found.assign_attrs(long_name="histograms of value/scale; limit_density: stable law")


def _summary(files: StudyFiles, points: list[xr.Dataset]) -> pd.DataFrame:
    """Return the long table of estimates."""
    tables = []
    for (name, swept), data in zip(_swept(files).items(), points, strict=True):
        fields = data[["estimate", "stderr", "theory"]].to_dataframe().reset_index()
        others = [low_energy.summary_rows(data), freezing_results.summary(data)]
        table = pd.concat([fields, *others], ignore_index=True)
        tables.append(table.assign(point=name, x=float(data["x"]), **swept))
    keys = list(files.points[0].point.swept)
    order = ["point", *keys, "x", "quantity", "statistic", "estimate", "stderr", "theory"]
    return pd.concat(tables, ignore_index=True)[order]


def _fits(files: StudyFiles, points: list[xr.Dataset]) -> pd.DataFrame:
    """Return the power laws of each series: the points that differ in x alone."""
    rows: list[dict[str, Any]] = []
    keys = [key for key in files.points[0].point.swept if key != results.CONCENTRATION]
    for series, members in _series(files, points, keys):
        for quantity in QUANTITIES:
            for fit in _FITS:
                row = fit(quantity, members, files.config["aggregate"]["fit_below"])
                if row is not None:
                    rows.append({**series, **row})
        rows += [{**series, **row} for row in low_energy.power_fits(members)]
    return pd.DataFrame(rows, columns=[*keys, *results.FITS_COLUMNS])


def _series(
    files: StudyFiles, points: list[xr.Dataset], keys: list[str]
) -> Iterator[tuple[dict[str, Any], list[xr.Dataset]]]:
    found: dict[str, tuple[dict[str, Any], list[xr.Dataset]]] = {}
    for swept, data in zip(_swept(files).values(), points, strict=True):
        series = {key: swept[key] for key in keys}
        found.setdefault(str(series), (series, []))[1].append(data)
    return iter(found.values())


def _typical_fit(quantity: str, members: list[xr.Dataset], below: float) -> dict[str, Any] | None:
    chosen = [data for data in members if _nearly(data) <= below]
    return _fit(
        chosen, quantity, "quartile_half_width", "x", "stderr", asymptotic=ASYMPTOTIC[quantity]
    )


def _nearly(data: xr.Dataset) -> float:
    """Return the smallest concentration that rounds to the realised number of defects."""
    return float(data["x"] * (1 - 0.5 / data["defects"]))


def _width_fit(quantity: str, members: list[xr.Dataset], _: float) -> dict[str, Any] | None:
    against = "x(1-x)" if quantity in _CONSTANT_SOURCES else "x"
    return _fit(members, quantity, "std", against, "std_error", asymptotic=0.5)


_FITS = (_typical_fit, _width_fit)


def _fit(
    members: list[xr.Dataset],
    quantity: str,
    statistic: str,
    against: str,
    weighted_by: str,
    *,
    asymptotic: float,
) -> dict[str, Any] | None:
    """Return a row of the fits, or None where fewer than two points can be fitted."""
    data = [member.sel(quantity=quantity, statistic=statistic) for member in members]
    has_limit = all(bool(d["has_limit"]) for d in data)
    x = np.array([float(member["x"]) for member in data])
    abscissa = x * (1 - x) if against == "x(1-x)" else x
    y, error = (np.array([float(d[name]) for d in data]) for name in ("estimate", "stderr"))
    known, predicted = (
        np.array([float(d[name]) for d in data]) for name in ("theory", "std_error")
    )
    if weighted_by == "std_error":
        error = np.where(np.isfinite(predicted), predicted, error)
    good = (abscissa > 0) & (y > 0) & np.isfinite(error) & (error > 0)
    if len(np.unique(abscissa[good])) < 2:
        return None
    resampled = np.array([d["resampled"].values for d in data])[good]
    abscissa, y, error, known = (values[good] for values in (abscissa, y, error, known))
    fit = fit_power_law(abscissa, y, error, resampled=resampled)
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
        "stderr": fit.bootstrap_stderr if np.isfinite(fit.bootstrap_stderr) else fit.stderr,
        "prediction": prediction,
        "asymptotic": asymptotic if has_limit else np.nan,
        "chi2": fit.chi2,
    }

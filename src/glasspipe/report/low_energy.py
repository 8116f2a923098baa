"""What a study says of its low-energy Hamiltonian: couplings by distance, tunnelling, splittings.

The numbers of a point go into its statistics, those of the study into one file and into the rows
that the summary and the fits get from here. A power is fitted only where a coupling is one: below a
few neighbour distances a lattice allows few directions, and beyond a quarter of the box the images
change the coupling by more than the errors.
"""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from glasspipe.defects.tensors import Tensors
from glasspipe.files import dataset
from glasspipe.report.expectation import (
    LIMIT_OF_SIGNS,
    Expectation,
    pair_magnitude,
    theory_kinds,
)
from glasspipe.report.freezing_results import energy_scale
from glasspipe.settings.model import Model
from glasspipe.stages.fields import FIELDS
from glasspipe.stages.sample import SAMPLE
from glasspipe.stages.study_files import PointFiles
from glasspipe.statistics import fit_power_law
from glasspipe.system.terms import TERMS
from glasspipe.theory import levels, pair_distances
from glasspipe.theory.pair_distances import MIDDLES, PROBABILITIES, SHELLS, Pairs

Array = NDArray[np.float64]

NUMBERS = (
    ("free_S", "fraction"),
    ("free_S", "flat"),
    ("free_S", "paper"),
    *(("levels", f"{name}_{T}") for T in levels.LOW for name in ("below", "density")),
)
"""Quantity and statistic, in the summary, of each number on tunnelling."""

VARIABLES = (
    *("coupling", "distance", "rms", "rms_error", "median", "quantile", "pairs", "fitted"),
    *("probability", "strength_rms", "strength_median", "strength_quantile", "power"),
    *("size_gamma", "size_eta", "size_zeta"),
    *("E", "P", "P_error", "P_theory", "defect_density"),
)
"""What the study's file holds of every point."""

COUPLINGS = tuple(TERMS)

_NEAREST = 4.0
"""Neighbour distances from which on a power is fitted."""
_FARTHEST = 0.25
"""Of the box, up to which it is fitted."""
_FEWEST = 20
"""Pairs of a shell that are enough for a fit."""


def statistics(
    files: PointFiles,
    known: dict[str, Expectation],
    *,
    box: Array,
    tensors: Tensors,
    h: Array,
    b: Array,
    x: float,
    pairs: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Statistics of a point, as variables of its dataset.

    Parameters
    ----------
    files : PointFiles
        The point.
    known : dict of Expectation
        What theory expects of its fields.
    box : array (3,)
        Its edges, Å.
    tensors : Tensors
        Its defects in the first realisation.
    h, b : array (R, N)
        Local fields on S and random fields on τ, eV.
    x : float
        Realised concentration.
    pairs : int
        Pairs wanted in each shell of distances.
    rng : numpy.random.Generator
        What the choice of pairs draws from.
    """
    D, Delta = _tunnelling(files)
    sizes, volume = _sizes(tensors), float(np.prod(box))
    numbers = [
        *_free(files.point.model, h, D, x, known["h"]),
        *_low_levels(b, Delta, volume, known["b"]),
    ]
    named = zip(("estimate", "stderr", "theory"), zip(*numbers, strict=True), strict=True)
    return {
        **sizes,
        **_by_distance(files.point.model, _sample(files, box, pairs, rng), tensors, box),
        **_levels(b, Delta, volume, known["b"]),
        **{f"number_{name}": ("number", list(values)) for name, values in named},
    }


def _tunnelling(files: PointFiles) -> tuple[Array, Array]:
    """D and Δ (R, N), eV."""
    chunks = []
    for path in files.files["sample"]:
        with files.opened(SAMPLE, path) as source:
            chunks.append((source.whole("D"), source.whole("Delta")))
    D, Delta = zip(*chunks, strict=True)
    return np.concatenate(D), np.concatenate(Delta)


def first_tensors(source: dataset.Reader) -> Tensors:
    """Return the tensors of the first realisation of a sample file."""
    gamma, eta, zeta = source.row(0, "gamma", "eta", "zeta")
    others = {name: source.optional(0, name) for name in ("zeta_minus", "static")}
    return Tensors(gamma, eta, zeta, **others)


def _sizes(tensors: Tensors) -> dict[str, float]:
    """Mean norms of γ and η (eV) and of ζ (eV Å)."""

    def mean(tensor: Array) -> float:
        return float(np.mean(np.sqrt(np.sum(tensor.reshape(len(tensor), -1) ** 2, axis=1))))

    return {f"size_{name}": mean(getattr(tensors, name)) for name in ("gamma", "eta", "zeta")}


def _sample(files: PointFiles, box: Array, most: int, rng: np.random.Generator) -> Pairs:
    """Pairs of all realisations, at most ``most`` of each shell."""
    each = max(1, -(-2 * most // files.point.realisations))
    found = []
    for sampled, fields in zip(files.files["sample"], files.files["fields"], strict=True):
        with (
            files.opened(SAMPLE, sampled) as source,
            files.opened(FIELDS, fields) as made,
        ):
            for row in range(len(source.realisations)):
                position, gamma, eta = source.row(row, "position", "gamma", "eta")
                static = source.optional(row, "static")
                (zeta,) = made.row(row, "zeta")
                defects = Tensors(gamma, eta, zeta, static=static)
                found.append(pair_distances.take(rng, position, defects, box, each))
    return pair_distances.thin(Pairs.joined(found), most, rng)


def _by_distance(model: Model, pairs: Pairs, tensors: Tensors, box: Array) -> dict[str, Any]:
    found = []
    for coupling in COUPLINGS:
        values = pair_distances.couplings(
            coupling, pairs, model.interaction, box=box, boundary=model.boundary
        )
        found.append(pair_distances.by_shell(coupling, values, pairs))
    known = [pair_magnitude(model, coupling, tensors) for coupling in COUPLINGS]
    each = ("coupling", "shell")
    error = [
        k.spread * one.rms / np.sqrt(np.maximum(one.number, 1))
        for k, one in zip(known, found, strict=True)
    ]
    return {
        "coupling": ("coupling", [f"{coupling}_ij" for coupling in COUPLINGS]),
        "distance": ("shell", MIDDLES, {"units": "angstrom"}),
        "rms": (each, [one.rms for one in found], {"units": "eV"}),
        "rms_error": (each, error, {"units": "eV"}),
        "median": (each, [one.median for one in found], {"units": "eV"}),
        "probability": ("probability", PROBABILITIES),
        "quantile": ((*each, "probability"), [one.quantile for one in found], {"units": "eV"}),
        "pairs": ("shell", found[0].number),
        "fitted": ("shell", _fitted(model, box)),
        "strength_rms": ("coupling", [one.rms for one in known]),
        "strength_median": ("coupling", [one.median for one in known]),
        "strength_quantile": (("coupling", "probability"), [one.quantile for one in known]),
        "power": ("coupling", [TERMS[coupling].power for coupling in COUPLINGS]),
    }


def _fitted(model: Model, box: Array) -> NDArray[np.bool_]:
    """Whether powers are fitted to a shell."""
    on_lattice = model.source_file is None
    nearest = _NEAREST * model.lattice.neighbour_distance if on_lattice else 0.0
    return (SHELLS[:-1] >= nearest) & (SHELLS[1:] <= _FARTHEST * np.min(box))


def _free(
    model: Model, h: Array, D: Array, x: float, known: Expectation
) -> list[tuple[float, float, float]]:
    """Fraction of S that is free: as found, if P(h) were flat below D, and the paper's D_0/(xU_0).

    The theory of the first is that of random S.
    """
    U_0 = energy_scale(model)
    random = levels.expected_free(known.limit.cdf, D) if known.coupled else np.nan
    paper = float(np.mean(D)) / (x * U_0) if U_0 > 0 else np.nan
    return [
        (*levels.mean_and_error(levels.free(h, D)), random),
        (*levels.mean_and_error(levels.flat_free(h, D)), np.nan),
        (paper, np.nan, np.nan),
    ]


def _low_levels(
    b: Array, Delta: Array, volume: float, known: Expectation
) -> list[tuple[float, float, float]]:
    """Fraction of τ with a splitting below each k_B T, and their mean density, 1/(eV Å³)."""
    E, numbers = levels.splitting(b, Delta), []
    for low in levels.LOW.values():
        value, error = levels.mean_and_error(np.mean(low > E, axis=1))
        random = np.nan
        if known.coupled:
            random = float(levels.expected_below(known.limit.cdf, Delta, low))
        unit = b.shape[1] / volume / low
        numbers += [(value, error, random), (value * unit, error * unit, random * unit)]
    return numbers


def _levels(b: Array, Delta: Array, volume: float, known: Expectation) -> dict[str, Any]:
    density, error = levels.density_of_states(levels.splitting(b, Delta), volume)
    defects = b.shape[1] / volume
    expected = np.full(len(density), np.nan)
    if known.coupled:
        below = levels.expected_below(known.limit.cdf, Delta, levels.EDGES)
        expected = defects * np.diff(below) / np.diff(levels.EDGES)
    units = {"units": "eV-1 angstrom-3"}
    return {
        "E": ("energy_edge", levels.EDGES, {"units": "eV"}),
        "P": ("energy", density, units),
        "P_error": ("energy", error, units),
        "P_theory": ("energy", expected, units),
        "defect_density": ((), defects, {"units": "angstrom-3"}),
    }


def merged(points: xr.Dataset) -> xr.Dataset:
    """Return what the study's file holds, of the points concatenated."""
    found = points[["x", *VARIABLES]]
    alike = ("distance", "power", "probability", "E")
    return found.assign({name: points[name].isel(point=0, missing_dims="ignore") for name in alike})


def summary_rows(data: xr.Dataset) -> pd.DataFrame:
    """Return the rows of the summary of one point, its name and swept values left out."""
    quantities, names = zip(*NUMBERS, strict=True)
    columns = {name: data[f"number_{name}"].values for name in ("estimate", "stderr", "theory")}
    kinds = theory_kinds(columns["theory"], LIMIT_OF_SIGNS)
    return pd.DataFrame(
        {"quantity": quantities, "statistic": names, **columns, "theory_kind": kinds}
    )


def power_fits(members: list[xr.Dataset]) -> list[dict[str, Any]]:
    """Return the rows of the fits of a series: the power of each coupling against distance.

    All shells of all points at once, since a coupling does not know the concentration.
    """
    rows = (_power_fit(number, coupling, members) for number, coupling in enumerate(COUPLINGS))
    return [row for row in rows if row is not None]


def _power_fit(number: int, coupling: str, members: list[xr.Dataset]) -> dict[str, Any] | None:
    columns: list[Array] = []
    for data in members:
        one = data.isel(coupling=number)
        chosen = data["fitted"].values & (data["pairs"].values >= _FEWEST)
        values = (one["distance"].values, one["rms"].values, one["rms_error"].values)
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
    }

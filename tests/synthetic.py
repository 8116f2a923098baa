"""Aggregate files of a study that never ran: fields drawn from truncated stable laws.

X = Y/√(1 + (Y/k)²), Y stable of scale c ∝ x^(1/α) and k the field of a nearest neighbour: typical
values that follow x^(1/α) and widths that follow √x, as in the model. For Cauchy's law the width is
exactly k √(c/(k + c)).
"""

import json
from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import xarray as xr

from glasspipe.files import results
from glasspipe.report.observable import Results
from glasspipe.report.observables import OBSERVABLES
from glasspipe.settings.point import point_from
from glasspipe.statistics import fit_power_law, histogram, histogram_edges
from glasspipe.theory import stable
from glasspipe.theory.levels import EDGES as LEVELS
from glasspipe.theory.levels import LOW
from glasspipe.theory.pair_distances import MIDDLES, PROBABILITIES

ALPHA = {
    "B": 1.0,
    "h": 1.0,
    "U_S": 1.0,
    "b_gamma": 0.75,
    "b_eta": 0.75,
    "b": 0.75,
    "J_tau": 0.6,
}
STRENGTH = {
    "B": 0.02,
    "h": 0.04,
    "U_S": 0.03,
    "b_gamma": 0.01,
    "b_eta": 0.006,
    "b": 0.012,
    "J_tau": 0.004,
}
"""The scale c at x = 1, eV."""
CONCENTRATIONS = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1]
X = "defects.concentration"
EDGES = histogram_edges(1.0)
POWERS = {"U_ij": 3.0, "B_ij": 3.0, "U_S_tau_ij": 4.0, "U_eta_tau_ij": 4.0, "J_ij": 5.0}
POWER_STRENGTH = 0.5
"""Of R^p |coupling|, eV Å^p."""
_BATCHES = 20
_STEPS = 50


def write(
    folder,
    sweep=None,
    *,
    zipped=False,
    vanish=(),
    theory=True,
    fits=True,
    samples=2000,
    report=None,
):
    """Write the aggregate files of a study.

    Parameters
    ----------
    folder : Path
        The study's folder.
    sweep : dict
        Swept keys and their values; the default is a sweep of the concentration.
    zipped : bool
        Whether the keys vary in step.
    vanish : sequence of str
        Quantities that are 0; they have no theory, and their scale is 1 eV.
    theory, fits : bool
        Whether there are any.
    samples : int
        Values of each quantity at each point.
    report : dict
        That section of the config.
    """
    sweep = {X: CONCENTRATIONS} if sweep is None else sweep
    rows = list(zip(*sweep.values(), strict=True) if zipped else product(*sweep.values()))
    points = [dict(zip(sweep, row, strict=True)) for row in rows]
    config = {
        "study": folder.name,
        "sweep": {key: {"values": values} for key, values in sweep.items()},
        "freeze": {"replicas": 2},
        "report": report or {},
    }
    folder.mkdir(parents=True, exist_ok=True)
    known = point_from({"defects": {"concentration": 0.01}}).model.resolved
    entries = [
        {"name": f"p{i}", "point": known, "swept": swept, "files": {}}
        for i, swept in enumerate(points)
    ]
    record = {"config": config, "chunks": [], "points": entries}
    (folder / "study.json").write_text(json.dumps(record), "utf-8")
    summary = _summary(points, vanish, theory, samples)
    results.write_summary(folder, summary)
    results.write_fits(folder, _fits(summary, list(sweep)) if fits else _no_fits())
    results.write_merged(folder, results.DISTRIBUTIONS, _distributions(points, vanish, samples))
    results.write_merged(folder, results.TRACES, _traces(points, vanish))
    results.write_merged(folder, results.FREEZING, _freezing(points, vanish))
    results.write_merged(folder, results.LOW_ENERGY, low_energy(points, vanish))


def but(found, *, summary=None, **curves):
    """Return results with another summary, or other curves, by the stem of their file."""
    changed = Results(found.folder)
    if summary is not None:
        vars(changed)["summary"] = summary
    changed._read.update({f"{stem}.nc": data for stem, data in curves.items()})
    return changed


def concentration(point):
    return point.get(X, 0.01)


def scale(point, quantity):
    return STRENGTH[quantity] * concentration(point) ** (1 / ALPHA[quantity])


def width(point, quantity):
    """Exact standard deviation where α = 1."""
    c, k = scale(point, quantity), STRENGTH[quantity]
    return k * np.sqrt(c / (k + c))


def stable_numbers(generator, alpha, shape):
    """Symmetric stable numbers of scale 1 by the method of Chambers, Mallows and Stuck."""
    angle, waiting = np.pi * (generator.random(shape) - 0.5), generator.exponential(size=shape)
    drawn = np.sin(alpha * angle) / np.cos(angle) ** (1 / alpha)
    return drawn * (np.cos((1 - alpha) * angle) / waiting) ** ((1 - alpha) / alpha)


def values(number, point, quantity, samples):
    """Field values."""
    rng = np.random.default_rng([number, list(ALPHA).index(quantity)])
    Y = scale(point, quantity) * stable_numbers(rng, ALPHA[quantity], samples)
    return Y / np.sqrt(1 + (Y / STRENGTH[quantity]) ** 2)


_STATISTICS = {
    "mean": np.mean,
    "std": np.std,
    "median_abs": lambda v: np.median(np.abs(v)),
    "quartile_half_width": lambda v: np.subtract(*np.quantile(v, [0.75, 0.25])) / 2,
    "q05": lambda v: np.quantile(v, 0.05),
    "q95": lambda v: np.quantile(v, 0.95),
    "kurtosis": lambda v: np.mean((v - v.mean()) ** 4) / np.var(v) ** 2 if v.any() else np.nan,
}


@cache
def _quartile(alpha):
    law = stable.StableLaw(alpha, np.ones(1), np.zeros(1), np.ones(1))
    return law.statistic("quartile_half_width")


def _theory(point, quantity, statistic):
    if statistic == "quartile_half_width":
        return scale(point, quantity) * _quartile(ALPHA[quantity])
    if statistic == "std" and ALPHA[quantity] == 1:
        return width(point, quantity)
    return 0.0 if statistic == "mean" else np.nan


def _summary(points, vanish, theory, samples):
    rows = []
    for number, point in enumerate(points):
        for quantity in ALPHA:
            drawn = values(number, point, quantity, samples) * (quantity not in vanish)
            for statistic, function in _STATISTICS.items():
                batches = [function(batch) for batch in np.split(drawn, _BATCHES)]
                known = theory and quantity not in vanish
                rows.append(
                    {
                        "point": f"p{number}",
                        **point,
                        "x": concentration(point),
                        "quantity": quantity,
                        "statistic": statistic,
                        "estimate": function(drawn),
                        "stderr": np.std(batches) / np.sqrt(_BATCHES),
                        "theory": _theory(point, quantity, statistic) if known else np.nan,
                    }
                )
        rows += _frozen(number, point, vanish)
        about = {"point": f"p{number}", **point, "x": concentration(point)}
        measured = {
            (quantity, statistic): value
            for quantity in ALPHA
            if quantity not in vanish
            for statistic, value in stable_fit(point, quantity).items()
        }
        for (quantity, statistic), value in {**measured, **tunnelling(point, vanish)}.items():
            known = statistic in _WITH_THEORY or statistic.startswith(("fraction", "below"))
            one = {"quantity": quantity, "statistic": statistic, "estimate": value}
            error = np.nan if statistic.endswith(("distance", "_p")) else value / 10
            rows.append({**about, **one, "stderr": error, "theory": value if known else np.nan})
    found = pd.DataFrame(rows)
    return found.assign(theory_kind=np.where(found["theory"].notna(), "exact", ""))


_WITH_THEORY = ("stable_index", "stable_scale", "limit_scale")


def stable_fit(point, quantity):
    """Statistics of the stable laws of a field."""
    size, x = scale(point, quantity), concentration(point)
    return {
        "stable_index": ALPHA[quantity],
        "stable_scale": size,
        "stable_distance": 0.05 * x**0.5,
        "stable_p": 0.3,
        "limit_scale": size,
        "limit_distance": 0.1 * x**0.5,
        "limit_p": 0.1,
    }


def energy_scale(point):
    """xU_0 in eV."""
    return 0.005 * concentration(point)


def _frozen(number, point, vanish):
    """Rows of freezing: T_G of the overlap is 4 xU_0, and the acceptance at t_end 1 %."""
    scale = energy_scale(point)
    sweeps = point.get("freeze.sweeps", np.inf)
    energy = -8 * scale * (1 - 0.05 * sweeps**-0.2)
    known = {("quality", "acceptance_end"): 0.01, ("E/N", "frozen"): energy}
    known |= in_fields(point, vanish)
    if "U_S" not in vanish:
        halves = {"overlap_half": 4.0, "heat_peak": 2.0, "field_overlap_half": 8.0, "x_U_0": 1.0}
        known |= {("T_G", name): factor * scale for name, factor in halves.items()}
    return [
        {
            "point": f"p{number}",
            **point,
            "x": concentration(point),
            "quantity": quantity,
            "statistic": statistic,
            "estimate": value,
            "stderr": abs(value) / 20,
            "theory": scale if quantity == "T_G" else np.nan,
        }
        for (quantity, statistic), value in known.items()
    ]


def in_fields(point, vanish=()):
    """What random fields do; without B replicas hardly overlap."""
    found = {("random_field", "overlap"): 0.1 if "B" in vanish else 0.8}
    if "B" not in vanish:
        found["random_field", "alignment"] = 0.6 - concentration(point)
        found["random_field", "B_and_U_S"] = 0.1
        found["random_field", "size_B_and_U"] = 0.4 + concentration(point)
    return found


def tunnelling(point, vanish=()):
    """Free fractions and low splittings, of D = 1e-6 eV."""
    free = 0.0 if "h" in vanish else 1e-6 / scale(point, "h")
    below = 1e-5 / (1e-5 + scale(point, "b"))
    found = {"fraction": free, "flat": 0.9 * free, "paper": 20 * free, "D": 1e-6}
    found["h_over_D"] = 1e6 * scale(point, "h") * ("h" not in vanish)
    rows = {("free_S", name): value for name, value in found.items()}
    for T in LOW:
        rows["levels", f"below_{T}"] = below
        rows["levels", f"density_{T}"] = below * concentration(point)
    return rows


COMMON = {name: about for one in OBSERVABLES for name, about in one.coordinates.items()}
OWN = {name: about for one in OBSERVABLES for name, about in one.variables.items()}


def _dataset(points, curves):
    """Curves of all points with the dimensions that their observables declare."""
    dimensions = {name: about.dimensions.split() for name, about in COMMON.items()}
    dimensions |= {name: ["point", *about.dimensions.split()] for name, about in OWN.items()}
    data = {name: (dimensions[name], values) for name, values in curves.items()}
    swept = {key: ("point", results.plain(p[key] for p in points)) for key in points[0]}
    data |= {"x": ("point", [concentration(p) for p in points]), **swept}
    return xr.Dataset(data, {"point": [f"p{i}" for i in range(len(points))]})


def low_energy(points, vanish=()):
    """Couplings that follow their power to 5 %, and flat densities of states."""
    R, names = MIDDLES[8:28], list(POWERS)
    shells = (len(points), len(R))
    law = np.array([POWER_STRENGTH * R ** -POWERS[name] for name in names])
    noise = np.random.default_rng(1).standard_normal((len(points), *law.shape))
    rms = law * (1 + 0.05 * noise) * ("U_S" not in vanish)
    P = np.array([np.full(len(LEVELS) - 1, 10.0 * concentration(point)) for point in points])
    P[:, :40] = P[:, 70:] = 0.0
    P *= "b" not in vanish
    strength = np.full((len(points), len(names)), POWER_STRENGTH)
    sizes = {
        f"size_{name}": [point.get(f"defects.{name}", 1.0) for point in points]
        for name in ("gamma", "eta", "zeta")
    }
    curves = {
        "coupling": names,
        "distance": R,
        "rms": rms,
        "rms_error": 0.05 * rms,
        "median": 0.7 * rms,
        "probability": PROBABILITIES,
        "quantile": rms[..., None] * np.linspace(-1, 1, 5),
        "pairs": np.full(shells, 100),
        "fitted": np.broadcast_to(np.arange(len(R)) > 4, shells),
        "strength_rms": strength,
        "strength_median": 0.7 * strength,
        "strength_quantile": strength[..., None] * np.linspace(-1, 1, 5),
        "power": list(POWERS.values()),
        "E": LEVELS,
        "P": P,
        "P_error": P / 10,
        "P_theory": P,
        "defect_density": [0.01 * concentration(point) for point in points],
        "other_fields": np.zeros(len(points)),
        **sizes,
    }
    return _dataset(points, curves)


def _no_fits():
    return pd.DataFrame(columns=results.FITS_COLUMNS)


def _fits(summary, keys):
    others = [key for key in keys if key != X]
    rows = []
    shown = summary[summary["statistic"].isin(["std", "quartile_half_width"])]
    for group, table in shown.groupby([*others, "quantity", "statistic"], sort=False):
        *shared, quantity, statistic = group
        typical = statistic != "std"
        table = table[(table["estimate"] > 0) & ((table["x"] <= 0.03) | (not typical))]
        if len(table) < 2:
            continue
        x = table["x"] if typical else table["x"] * (1 - table["x"])
        fit = fit_power_law(x, table["estimate"], table["stderr"])
        known = table["theory"].notna().all()
        predicted = fit_power_law(x, table["theory"], table["theory"]).exponent if known else np.nan
        rows.append(
            {
                **dict(zip(others, shared, strict=True)),
                "quantity": quantity,
                "statistic": statistic,
                "against": "x" if typical else "x(1-x)",
                "range": f"{table['x'].min():g} <= x <= {table['x'].max():g}",
                "points": len(table),
                "exponent": fit.exponent,
                "stderr": fit.stderr,
                "prediction": predicted,
                "asymptotic": 1 / ALPHA[quantity] if typical else 0.5,
                "chi2": fit.chi2,
                "p_value": fit.p_value,
            }
        )
    return pd.DataFrame(rows) if rows else _no_fits()


def _distributions(points, vanish, samples):
    shape = (len(points), len(ALPHA))
    scales = np.array([[1.0 if q in vanish else scale(p, q) for q in ALPHA] for p in points])
    count = np.zeros((*shape, len(EDGES) - 1), dtype=int)
    density, limits = np.zeros(count.shape), np.full(count.shape, np.nan)
    below, above = np.zeros(shape, dtype=int), np.zeros(shape, dtype=int)
    for (i, j), unit in np.ndenumerate(scales):
        quantity = list(ALPHA)[j]
        drawn = values(i, points[i], quantity, samples) * (quantity not in vanish)
        made = histogram(drawn / unit, EDGES)
        count[i, j], density[i, j] = made.counts, made.density
        below[i, j], above[i, j] = made.underflow, made.overflow
        if quantity not in vanish:
            limits[i, j] = _limit(ALPHA[quantity])
    curves = {
        "quantity": list(ALPHA),
        "edges": EDGES,
        "scale": scales,
        "limit_typical": scales * [_quartile(alpha) for alpha in ALPHA.values()],
        "count": count,
        "below": below,
        "above": above,
        "density": density,
        "limit_density": limits,
        "lattice_density": np.where(np.abs(EDGES[1:]) < 9, limits, np.nan),
        "alpha": list(ALPHA.values()),
    }
    return _dataset(points, curves)


@cache
def _limit(alpha):
    return np.diff(stable.cdf(EDGES, alpha)) / np.diff(EDGES)


def _traces(points, vanish):
    coupled = float("U_S" not in vanish)
    T = np.array([coupled * scale(p, "U_S") * np.geomspace(20, 0.1, _STEPS) for p in points])
    unit = np.array([[scale(p, "U_S")] for p in points])
    tempered = np.array([[1 + 0.2 * np.log10(concentration(p))] for p in points])
    energy = -(1 + 0.1 * tempered) * unit * np.tanh(unit / np.where(T > 0, T, 1)) * coupled
    T[0, -5:] = energy[0, -5:] = np.nan
    data = {
        "T": T,
        "energy": energy,
        "energy_stderr": np.abs(energy) / 50,
        "acceptance": T / (T + unit),
    }
    return _dataset(points, data)


def overlap_count(points):
    """Histograms of q on cooling: all in the four bins in the middle, then all in the last."""
    counts = np.zeros((points, _STEPS, 40))
    share = np.linspace(0, 1, _STEPS)
    counts[:, :, 18:22] = 250 * (1 - share)[:, None]
    counts[:, :, -1] = 1000 * share
    return counts


def _freezing(points, vanish):
    scale = np.array([energy_scale(p) for p in points])
    edges = np.geomspace(1e-4, 1e2, 61)
    middle = np.sqrt(edges[1:] * edges[:-1])
    data = {
        "x_U_0": scale,
        "h_unit": 10 * scale,
        "h_edges": edges,
        "h_density": np.tile(np.exp(-middle), (len(points), 1)),
    }
    if "U_S" not in vanish:
        T = scale[:, None] * np.geomspace(100, 0.5, _STEPS)
        ratio = T / scale[:, None]
        curves = {
            "overlap_abs": 1 / (1 + ratio / 4),
            "field_overlap": 1 / (1 + ratio / 8),
            "heat_slope": ratio / (4 + ratio**2),
            "specific_heat": 0.9 * ratio / (4 + ratio**2),
        }
        data["overlap_count"] = overlap_count(len(points))
        data["freezing_T"] = T
        data |= curves | {f"{name}_stderr": values / 30 for name, values in curves.items()}
    return _dataset(points, data | _seen(len(points), vanish))


def _seen(points, vanish):
    """Frozen defects; the first point has fewer than the others."""
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((points, 30, 3))
    h = rng.standard_normal((points, 30)) * ("h" not in vanish)
    h[0, -5:] = np.nan
    return {
        "first_box": np.full((points, 3), 50.0),
        "first_position": 50 * rng.random((points, 30, 3)),
        "first_axis": vectors / np.linalg.norm(vectors, axis=2, keepdims=True),
        "first_S": rng.choice([-1, 1], (points, 30)),
        **dict.fromkeys(("first_B", "first_h", "first_b"), h),
    }

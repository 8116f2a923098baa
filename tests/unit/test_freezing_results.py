"""Curves and rows of a point, made again from its frozen files by plain code of its own.

The files are two chunks of boxes of one size whose temperatures differ, so that whatever is
averaged must be brought to common ones.
"""

import math
from itertools import pairwise

import numpy as np
import pytest
from workbench import froze, part, stages

from glasspipe.files import dataset
from glasspipe.settings.point import point_from
from glasspipe.theory.estimates import energy_scale

POINT = {
    "seed": 7,
    "defects": {"number": 60, "concentration": 0.03},
    "realisations": 7,
}
FREEZE = {
    "annealing": {"sweeps": 150, "steps": 30, "replicas": 3},
    "tempering": {"method": "tempering", "sweeps": 60_000, "steps": 30, "replicas": 2},
    "one replica": {"sweeps": 300, "steps": 30, "replicas": 1},
}
X = 0.0297
RESAMPLES = 40


class Case:
    """A frozen point: its variables, all realisations together, and what is made of them."""

    def __init__(self, folder, chunks, settings):
        self.point = point_from({**POINT, "freeze": settings})
        files = []
        for number, couplings in enumerate(chunks):
            files.append(folder / f"frozen{number}.nc")
            stages.freeze(self.point, couplings, files[-1])
        self.data = {}
        for file in files:
            with dataset.stage_file(file, part(self.point, "freeze")) as reader:
                for name in NAMES:
                    if name in reader:
                        self.data.setdefault(name, []).append(reader.whole(name))
        self.data = {name: np.concatenate(parts) for name, parts in self.data.items()}
        merged, rows, self.found = froze(self.point, files, x=X, bootstrap=RESAMPLES)
        self.rows = {(row.quantity, row.statistic): row for row in rows.itertuples()}
        number = len(self.data["T"])
        self.chosen = merged.resampled(number)
        assert self.chosen.shape == (RESAMPLES, number - 1)
        self.T = [math.exp(sum(map(math.log, column)) / number) for column in self.data["T"].T]

    def common(self, values):
        """The curves of all realisations at the common temperatures."""
        pairs = zip(self.data["T"], values, strict=True)
        return np.array([[interpolated(t, T, curve) for t in self.T] for T, curve in pairs])

    def resampled(self, function):
        """A function of rows of realisations, of all of them and for each resampling."""
        return function(range(len(self.data["T"]))), [function(rows) for rows in self.chosen]


NAMES = (
    *("S", "h", "B", "energy", "T", "trace_energy", "trace_energy_variance", "acceptance"),
    *("specific_heat", "replica_S", "replica_energy", "unstable", "U_norm"),
    *("overlap", "overlap_abs", "overlap_squared", "overlap_count"),
    *("swap_rate", "round_trips", "log_energy"),
)


def interpolated(t, T, curve):
    """Linear in ln T between the two temperatures around t, constant beyond the ends."""
    if t >= T[0]:
        return curve[0]
    for n in range(len(T) - 1):
        if T[n] >= t >= T[n + 1]:
            share = math.log(T[n] / t) / math.log(T[n] / T[n + 1])
            return (1 - share) * curve[n] + share * curve[n + 1]
    return curve[-1]


def half_of(T, curve):
    """Where a curve first reaches one half on cooling."""
    for n in range(1, len(T)):
        if curve[n - 1] < 0.5 <= curve[n]:
            share = (0.5 - curve[n - 1]) / (curve[n] - curve[n - 1])
            return T[n - 1] * (T[n] / T[n - 1]) ** share
    return math.nan


def peak_of(T, curve):
    """Top of the parabola through the largest mean of five neighbours, unless at an end."""
    means = [sum(curve[n - 2 : n + 3]) / 5 for n in range(2, len(T) - 2)]
    best = max(range(len(means)), key=means.__getitem__)
    if best in (0, len(means) - 1):
        return math.nan
    log_T = [math.log(math.prod(T[n : n + 5])) / 5 for n in range(best - 1, best + 2)]
    a, b, _ = np.polyfit(np.array(log_T) - log_T[1], means[best - 1 : best + 2], 2)
    return math.exp(log_T[1] - b / (2 * a))


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("frozen")
    point = point_from(POINT)
    chunks = []
    for first, count in ((0, 5), (5, 2)):
        sample, couplings = folder / f"sample{first}.nc", folder / f"couplings{first}.nc"
        stages.sample(point, sample, first=first, count=count)
        stages.couplings(point, sample, couplings)
        chunks.append(couplings)
    made = {}
    for name, settings in FREEZE.items():
        (folder / name).mkdir()
        made[name] = Case(folder / name, chunks, settings)
    made["chunks"] = chunks
    return made


@pytest.fixture(params=FREEZE)
def case(request, cases):
    return cases[request.param]


def test_temperatures_differ_so_that_bringing_them_together_matters(case):
    assert (np.ptp(np.log(case.data["T"][:, 5])) > 2 * np.abs(np.diff(np.log(case.T)))).any()
    np.testing.assert_allclose(case.found["freezing_T"], case.T, rtol=1e-12)


def test_curves_are_means_at_common_temperatures(case):
    data = case.data
    N = data["S"].shape[1]
    names = ["specific_heat"]
    if data["replica_S"].shape[1] > 1:
        names += ["overlap", "overlap_abs", "overlap_squared"]
    wanted = {name: case.common(data[name]) for name in names}
    wanted["heat_slope"] = slopes(case)
    wanted["field_overlap"] = np.array(
        [[sum(math.tanh(b / t) ** 2 for b in B) / N for t in case.T] for B in data["B"]]
    )
    for name, values in wanted.items():
        np.testing.assert_allclose(case.found[name], values.mean(axis=0), rtol=1e-9, atol=1e-14)
        spread = np.std([values[rows].mean(axis=0) for rows in case.chosen], axis=0)
        np.testing.assert_allclose(case.found[f"{name}_stderr"], spread, rtol=1e-9, atol=1e-14)
    assert ("overlap_abs" in case.found) == (data["replica_S"].shape[1] > 1)
    if "overlap_count" in data:
        np.testing.assert_allclose(case.found["overlap_count"], data["overlap_count"].sum(0))


def slopes(case):
    """dE/dT per spin: parabolas through three neighbours, straight at the ends."""
    energy = case.common(case.data["trace_energy"].mean(axis=1)) / case.data["S"].shape[1]
    found = np.empty_like(energy)
    for row, E in enumerate(energy):
        for n, T in enumerate(case.T):
            around = slice(max(n - 1, 0), n + 2)
            fit = np.polyfit(np.array(case.T[around]) - T, E[around], len(E[around]) - 1)
            found[row, n] = fit[-2]
    return found


def test_freezing_temperatures(case):
    scale = X * energy_scale(
        case.point.model.components, case.point.model.medium, case.point.model.lattice
    )
    several = case.data["replica_S"].shape[1] > 1
    curves = {"heat_peak": (peak_of, slopes(case), scale)}
    if several:
        curves["overlap_half"] = (half_of, case.common(case.data["overlap_abs"]), scale)
    alone = np.array([[np.mean(np.tanh(B / t) ** 2) for t in case.T] for B in case.data["B"]])
    curves["field_overlap_half"] = (half_of, alone, math.nan)
    known = 0
    for name, (find, values, theory) in curves.items():
        mean, resampled = case.resampled(
            lambda rows, find=find, values=values: find(case.T, values[list(rows)].mean(axis=0))
        )
        row = case.rows.get(("T_G", name))
        assert (row is None) == math.isnan(mean)
        if row:
            known += 1
            assert row.estimate == pytest.approx(mean, rel=1e-9)
            enough = np.isfinite(resampled).sum() > 0.9 * RESAMPLES
            error = np.nanstd(resampled) if enough else math.nan
            assert row.stderr == pytest.approx(error, rel=1e-6, nan_ok=True)
            assert row.theory == pytest.approx(theory, rel=1e-12, nan_ok=True)
    assert known >= 1 + several
    assert (("T_G", "overlap_half") in case.rows) == several
    row = case.rows["T_G", "x_U_0"]
    assert (row.estimate, math.isnan(row.stderr)) == (pytest.approx(scale, rel=1e-12), True)
    assert float(case.found["x_U_0"]) == pytest.approx(scale, rel=1e-12)


def test_the_peak_of_the_heat_is_that_of_the_slope(cases):
    """The fluctuations have another, or the test above could not tell."""
    others = 0
    for name in FREEZE:
        case = cases[name]
        fluctuations = peak_of(case.T, case.common(case.data["specific_heat"]).mean(axis=0))
        row = case.rows.get(("T_G", "heat_peak"))
        others += row is not None and row.estimate != pytest.approx(fluctuations, rel=1e-3)
    assert others


def test_energy_gap_and_quality(case):
    data = case.data
    N = data["S"].shape[1]
    energy = [sum(data["h"][r] * data["S"][r] + data["B"][r] * data["S"][r]) / 2 for r in range(7)]
    trace, replicas = data["trace_energy"], data["replica_energy"]
    size = np.abs(data["energy"])
    acceptance = data["acceptance"].mean(axis=1)
    wanted = {
        ("E/N", "frozen"): np.array(energy) / N,
        ("quality", "unstable"): np.sum(data["S"] * data["h"] > 0, axis=1),
        ("quality", "acceptance_start"): acceptance[:, 0],
        ("quality", "acceptance_end"): acceptance[:, -1],
    }
    if replicas.shape[1] > 1:
        spread = [np.sqrt(sum((e - e.mean()) ** 2) / (len(e) - 1)) for e in replicas]
        wanted["quality", "replica_spread"] = np.array(spread) / size
    if "swap_rate" in data:
        rates = [[np.mean(gap) for gap in rates.T] for rates in data["swap_rate"]]
        wanted["quality", "swap_rate"] = [min(each) for each in rates]
        wanted["quality", "swap_rate_reached"] = [min(each) / 0.3 for each in rates]
        drift = data["log_energy"][:, :, 0] - data["log_energy"][:, :, 1]
        wanted["quality", "drift"] = drift.mean(axis=(1, 2)) / size
        wanted["quality", "round_trips"] = [min(trips) for trips in data["round_trips"]]
    else:
        gain = [np.mean(t[:, -1] - e) for t, e in zip(trace, replicas, strict=True)]
        wanted["quality", "quench_gain"] = np.array(gain) / size
    for key, listed in wanted.items():
        values = np.asarray(listed, float)
        assert case.rows[key].estimate == pytest.approx(values.mean(), rel=1e-6), key
        error = np.sqrt(sum((values - values.mean()) ** 2) / (len(values) - 1) / len(values))
        assert case.rows[key].stderr == pytest.approx(error, rel=1e-5, abs=1e-15), key
    assert {key for key in case.rows if key[0] in ("E/N", "quality")} == set(wanted)


def test_the_exponent_of_the_gap_is_that_of_hill(case):
    """(k − 1)/Σ ln(h_k/h_i) − 1 of the k smallest; its error is from whole realisations."""

    def theta(rows):
        fields = sorted(abs(h) for row in rows for h in case.data["h"][row])
        small = fields[: int(0.05 * len(fields))]
        return (len(small) - 2) / sum(math.log(small[-1] / h) for h in small[:-1]) - 1

    mean, resampled = case.resampled(theta)
    row = case.rows["gap", "exponent"]
    assert row.estimate == pytest.approx(mean, rel=1e-9)
    assert row.stderr == pytest.approx(np.std(resampled), rel=1e-9)


def test_the_density_of_small_fields(case):
    fields = np.abs(case.data["h"]).ravel()
    unit = np.sort(fields)[[(fields.size - 1) // 2, fields.size // 2]].mean()
    assert float(case.found["h_unit"]) == pytest.approx(unit)
    edges = case.found["h_edges"].to_numpy()
    np.testing.assert_allclose(edges, 10 ** np.linspace(-4, 2, 61))
    scaled = fields / unit
    inside = [np.sum((scaled >= low) & (scaled < high)) for low, high in pairwise(edges)]
    assert sum(inside) == fields.size
    np.testing.assert_allclose(case.found["h_density"], inside / np.diff(edges) / fields.size)


def test_U_norm_is_the_root_of_the_sum_of_squares(cases):
    found = cases["annealing"].data["U_norm"]
    row = 0
    for file in cases["chunks"]:
        with dataset.stage_file(file, part(cases["annealing"].point, "couplings")) as reader:
            pairs, i, j = (reader.whole(name) for name in ("U", "i", "j"))
        for U in pairs:
            squares = np.zeros(found.shape[1])
            np.add.at(squares, i, U**2)
            np.add.at(squares, j, U**2)
            np.testing.assert_allclose(found[row], np.sqrt(squares), rtol=1e-6)
            row += 1
    assert row == len(found)

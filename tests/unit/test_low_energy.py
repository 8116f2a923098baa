"""Couplings by distance, strengths and tunnelling in the files, tables and figures of a study."""

import matplotlib.style
import numpy as np
import pandas as pd
import pytest
import synthetic
import xarray as xr
from matplotlib.colors import to_hex
from workbench import run

from glasspipe.files import results
from glasspipe.report.observable import Results
from glasspipe.report.observables import couplings, strengths, tunnelling
from glasspipe.report.point_data import PointData
from glasspipe.report.presentation import TYPICAL, arrange, pick
from glasspipe.report.style import Style
from glasspipe.stages import study_files
from glasspipe.theory import levels

SWEEP = {
    "defects.gamma": [0.5, 1.0, 2.0],
    "defects.zeta": [0.1, 1.0],
}
CONFIG = {
    "study": "small",
    "realisations": 6,
    "realisations_per_job": 4,
    "defects": {"number": 60, "concentration": 0.001, "D": 1e-5, "Delta": 1e-5},
    "freeze": {"sweeps": 20, "steps": 10},
    "aggregate": {"bootstrap": 10, "pairs": 40},
    "sweep": {"defects.gamma": {"values": [1.0, 2.0]}},
}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    return folder, run(folder, CONFIG)


@pytest.fixture(scope="module")
def synthesised(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthesised")
    synthetic.write(folder, SWEEP, samples=400)
    return folder


def test_numbers_on_tunnelling_are_those_of_the_defects(small):
    folder, study = small
    summary = results.read_summary(folder)
    table = pd.read_parquet(folder / results.DEFECTS)
    for point in study.points:
        mine = table[table["defects_gamma"] == point.swept["defects.gamma"]]
        rows = summary[summary["point"] == point.name]
        found = rows.set_index(["quantity", "statistic"])["estimate"]
        assert found["free_S", "fraction"] == pytest.approx((mine["h"].abs() < 1e-5).mean())
        E = 2 * np.hypot(mine["b"], 1e-5)
        for T, low in levels.LOW.items():
            assert found["levels", f"below_{T}"] == pytest.approx((low > E).mean())
            density = (low > E).mean() * point.model.defects / point.model.lattice.edge**3 / low
            assert found["levels", f"density_{T}"] == pytest.approx(density)
        stiffness = (
            point.model.medium.longitudinal_modulus * point.model.lattice.neighbour_distance**3
        )
        U_0 = point.swept["defects.gamma"] ** 2 / (4 * np.pi * stiffness)
        x = point.model.defects / point.model.lattice.sites
        assert found["free_S", "paper"] == pytest.approx(1e-5 / (x * U_0))


def test_the_density_of_states_counts_every_defect(small):
    folder, study = small
    data = results.read_merged(folder, results.LOW_ENERGY)
    width = np.diff(data["E"])
    for point in study.points:
        one = data.sel(point=point.name)
        volume = point.model.lattice.edge**3
        assert one["P"].to_numpy() @ width == pytest.approx(point.model.defects / volume, rel=1e-12)
        assert not one["P"].to_numpy()[: np.searchsorted(levels.EDGES, 2e-5) - 1].any()


def test_the_strengths_of_the_couplings_stand_beside_the_infinite_medium(small):
    """Twice γ: U ∝ γ², U^{Sτ} and B ∝ γ, J and U^{ητ} do not know it."""
    folder, study = small
    data = results.read_merged(folder, results.LOW_ENERGY)
    one, two = (data.sel(point=point.name) for point in study.points)
    ratio = (two["strength_rms"] / one["strength_rms"]).to_numpy()
    assert ratio == pytest.approx([4, 2, 2, 1, 1], rel=1e-9)
    assert (two["size_gamma"] / one["size_gamma"]).item() == pytest.approx(2)
    full = one["fitted"].to_numpy() & (one["pairs"].to_numpy() >= 20)
    law = one["strength_rms"] / one["distance"] ** one["power"]
    off = ((one["rms"] - law) / one["rms_error"]).to_numpy()[:, full]
    assert off.size >= 5
    assert np.abs(off).max() < 6


def test_the_table_of_strengths_is_made_of_typical_values(synthesised):
    found = Results(synthesised)
    summary = found.summary
    table = strengths.strengths(found).set_index("point")
    typical = {q: pick(summary, q, TYPICAL, list(table.index))["estimate"] for q in synthetic.ALPHA}
    assert table["J_tau (eV)"].tolist() == typical["J_tau"].tolist()
    for one, other in (("B", "U_S"), ("b_gamma", "B"), ("b_eta", "b_gamma"), ("J_tau", "b")):
        expected = (typical[one] / typical[other]).tolist()
        assert table[f"{one}/{other}"].tolist() == pytest.approx(expected)
    latex = strengths.strengths_latex(found)
    parts = latex.count(r"\begin{tabular}")
    assert parts > 1
    assert latex.count(r" \\") == parts * (2 + 6)


def test_S_is_classical_where_T_G_and_the_fields_exceed_D(tmp_path):
    """The fields of the synthetic study fall with x, and T_G is 4 x 0.005 eV."""
    synthetic.write(tmp_path, {synthetic.X: [1e-4, 1e-3, 1e-2]}, samples=200)
    found = Results(tmp_path)
    changed = found.summary["statistic"].eq("D")
    assert changed.sum() == 3
    found.summary.loc[changed, "estimate"] = 1e-5
    known = tunnelling.classical(found.summary, ["p0", "p1", "p2"])
    assert known["T_G/D"].tolist() == pytest.approx([0.2, 2.0, 20.0])
    [series] = arrange(found.summary).series
    [line, J] = tunnelling.headlines(found, series, arrange(found.summary).axis)
    assert line[:2] == ("S classical", "2 of 3 points")
    assert line[2].startswith("at x = 0.0001 T_G/D = 0.2, h/D = ")
    typical = [pick(found.summary, name, TYPICAL)["estimate"] for name in ("J_tau", "b")]
    largest = (typical[0] / typical[1]).max()
    assert ("J/b at x = 0.01", f"{largest:.2g}", "P(E) leaves J out") == J
    found.summary.loc[changed, "estimate"] = 1e-9
    assert tunnelling.headlines(found, series, arrange(found.summary).axis)[0][1] == "3 of 3 points"


def test_densities_are_given_in_the_units_of_the_field(synthesised):
    table = tunnelling.values(Results(synthesised))
    for T in levels.LOW:
        density = table[f"P {T} (1/(eV angstrom3))"]
        assert (table[f"P {T} (1/(J m3))"] / density).tolist() == pytest.approx([6.241509e48] * 6)
        assert (table[f"P {T} (1/(GHz um3))"] / density).tolist() == pytest.approx([4.135667e6] * 6)


def draw(folder):
    with matplotlib.style.context(Style().matplotlib, after_reset=True):
        shown = (couplings, strengths, tunnelling)
        figures = [figure for one in shown for figure in one.OBSERVABLE.figures]
        return {figure.name: figure.draw(Results(folder)) for figure in figures}


def test_filled_marks_are_those_that_were_fitted(tmp_path):
    synthetic.write(tmp_path, {synthetic.X: [0.001, 0.01]}, samples=400)
    data = results.read_merged(tmp_path, results.LOW_ENERGY)
    panels = draw(tmp_path)["couplings_distance"].axes
    for axes, coupling in zip(panels, synthetic.POWERS, strict=True):
        marks = [container[0] for container in axes.containers]
        assert len(marks) == 4
        for number in range(2):
            point = data.isel(point=number).sel(coupling=coupling)
            rms, fitted = point["rms"].to_numpy(), point["fitted"].to_numpy()
            hollow, filled = marks[2 * number : 2 * number + 2]
            assert hollow.get_markerfacecolor() == "white"
            assert to_hex(filled.get_markerfacecolor()) != "#ffffff"
            assert np.array_equal(hollow.get_ydata(), rms[~fitted])
            assert np.array_equal(filled.get_ydata(), rms[fitted])


def test_ratios_are_drawn_against_the_strengths(synthesised):
    figure = draw(synthesised)["tau_ratios"]
    left, right = figure.axes
    x = np.concatenate([container[0].get_xdata() for container in left.containers])
    assert sorted(x) == sorted([0.5, 1.0, 2.0] * 2)
    x = np.concatenate([container[0].get_xdata() for container in right.containers])
    assert sorted(x) == pytest.approx(sorted([0.2, 0.1, 0.05, 2.0, 1.0, 0.5]))
    for axes, number in ((left, 1), (right, 3)):
        slopes = [
            np.polyfit(*np.log(np.transpose(line.get_xydata())), 1)[0]
            for line in axes.lines
            if len(line.get_xdata()) == 2 and line.get_marker() == "None"
        ]
        assert slopes == pytest.approx([1.0] * number)


@pytest.mark.parametrize("vanish", [(), ("U_S", "h"), ("b", "b_gamma", "b_eta", "J_tau")])
@pytest.mark.parametrize("sweep", [None, SWEEP, {"defects.species": ["aligned", "rotor"]}])
def test_figures_are_drawn_of_any_study(tmp_path, vanish, sweep):
    synthetic.write(tmp_path, sweep, samples=400, vanish=vanish)
    figures = draw(tmp_path)
    for figure in figures.values():
        figure.canvas.draw()
    notes = {
        name: [text.get_text() for axes in figure.axes for text in axes.texts]
        for name, figure in figures.items()
    }
    assert ("no couplings" in notes["couplings_distance"]) == ("U_S" in vanish)
    assert ("no splittings" in notes["levels"]) == ("b" in vanish)


def point_data(folder, study):
    files = study_files.load(folder)
    return [PointData(files.point(point.name), 10, 10) for point in study.points]


def test_volumes_are_no_spins_and_no_two_level_systems(tmp_path):
    """A component of η alone: what is counted is the others, and P(E) adds up to them."""
    mixture = {
        "both": {"share": 0.4, "species": "uniaxial"},
        "volumes": {"share": 0.6, "species": "uniaxial", "gamma": 0.0, "zeta": 0.0},
    }
    config = {
        "study": "volumes",
        "realisations": 4,
        "defects": {"number": 60, "D": 1e-4, "Delta": 1e-9, "mixture": mixture},
        "freeze": {"sweeps": 50, "steps": 10, "replicas": 2},
        "aggregate": {"bootstrap": 10},
    }
    [point] = point_data(tmp_path, run(tmp_path, config))
    spins = point.spins
    np.testing.assert_array_equal(spins, point.two_level_systems)
    assert 0.2 < spins.mean() < 0.6
    assert not point.values["h"][~spins].any()
    assert (point.values["b"][spins] != 0).all()
    assert not point.has_other_fields
    found = {(row.quantity, row.statistic): row for row in tunnelling.measure(point).rows}
    rows = list(zip(point.values["h"], point.values["b"], spins, strict=True))
    free = np.mean([np.mean(np.abs(h[mine]) < 1e-4) for h, _, mine in rows])
    below = np.mean([np.mean(2 * np.abs(b[mine]) < 10 * levels.KELVIN) for _, b, mine in rows])
    assert found["free_S", "fraction"].estimate == pytest.approx(free)
    assert found["levels", "below_10K"].estimate == pytest.approx(below)
    curves = tunnelling.measure(point).curves
    counted = np.sum(curves["P"] * np.diff(curves["E"])) * point.volume
    assert counted == pytest.approx(spins.sum(axis=1).mean(), rel=0.02)


def test_amplitudes_go_with_the_fields_of_their_component(tmp_path):
    """What has a small ζ has a large Δ here: no field of its own is met by the other's Δ."""
    strong = {"gamma": 1.0, "zeta": 1.0, "D": 1e-3, "Delta": 1e-8}
    weak = {"gamma": 0.05, "zeta": 0.02, "D": 1e-6, "Delta": 1e-3}
    config = {
        "study": "apart",
        "realisations": 12,
        "defects": {
            "number": 80,
            "concentration": 0.03,
            "mixture": {"a": {"share": 0.5, **strong}, "b": {"share": 0.5, **weak}},
        },
        "freeze": {"sweeps": 100, "steps": 10},
        "aggregate": {"bootstrap": 10},
    }
    [point] = point_data(tmp_path, run(tmp_path, config))
    found = tunnelling.measure(point)
    rows = {(row.quantity, row.statistic): row for row in found.rows}
    for below in ("below_1K", "below_10K"):
        row = rows["levels", below]
        assert abs(row.estimate - row.theory) < 4 * row.stderr
    assert rows["levels", "below_1K"].theory < 0.06  # 0.22 if either had the other's Δ
    assert rows["free_S", "flat"].estimate < 2 * rows["free_S", "fraction"].estimate
    edges, P = found.curves["E"], found.curves["P_theory"]
    assert np.sum(P * np.diff(edges)) * point.volume == pytest.approx(point.defects, rel=0.01)


@pytest.mark.parametrize("E", [0.0, 1e-3])
def test_stray_fields_of_a_file_are_seen(tmp_path, E):
    """Where the config has none: the statements of the paper are not about such points."""
    plain = {key: value for key, value in CONFIG.items() if key != "sweep"} | {"realisations": 2}
    drawn = {**plain, "study": "drawn", "defects": {**CONFIG["defects"], "E": 2e-3}}
    [point] = point_data(tmp_path / "drawn", run(tmp_path / "drawn", drawn))
    assert point.has_other_fields
    [path] = point.files.files["sample"]
    with xr.open_dataset(path, engine="h5netcdf") as given:
        mine = given[["position", "box", "gamma", "eta", "zeta"]].load()
    mine["E"] = ("realisation", "defect"), np.full(mine["eta"].shape, E)
    mine.drop_vars("realisation", errors="ignore").to_netcdf(tmp_path / "m.nc", engine="h5netcdf")
    file = {**plain, "study": "file", "sample": {"source": {"file": str(tmp_path / "m.nc")}}}
    [point] = point_data(tmp_path / "file", run(tmp_path / "file", file))
    assert point.has_other_fields == (E != 0)

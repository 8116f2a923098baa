"""Measures of freezing, each against its definition, and judgements in both directions."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import synthetic
from workbench import froze, part, stages

from glasspipe.files import dataset
from glasspipe.report.observable import Results
from glasspipe.report.observables.freezing import values
from glasspipe.report.observables.sweeps import SWEEPS, Annealing, converge, sweeps_needed
from glasspipe.settings.point import point_from
from glasspipe.settings.reading import read_mapping
from glasspipe.spins import diagnostics
from glasspipe.spins.annealing import freeze
from glasspipe.spins.diagnostics import CRITERIA, complaints, crossing, gap_exponent, peak
from glasspipe.theory.estimates import energy_scale, field_scale

T = np.geomspace(10.0, 0.1, 201)


def test_specific_heat_of_independent_spins():
    """C/N = (B/T)²/cosh²(B/T), from the fluctuations and from the slope."""
    exact = (1 / T) ** 2 / np.cosh(1 / T) ** 2
    variance = 50 / np.cosh(1 / T) ** 2
    fluctuations = diagnostics.specific_heat(np.stack([variance, variance]), T, 50)
    np.testing.assert_allclose(fluctuations, exact, rtol=1e-12)
    slope = diagnostics.heat_slope(-np.tanh(1 / T), T)
    np.testing.assert_allclose(slope[1:-1], exact[1:-1], atol=1e-3)
    even = np.linspace(10.0, 0.1, 100)
    assert diagnostics.heat_slope(-np.tanh(1 / even), even).max() == pytest.approx(
        np.max(exact), rel=0.02
    )
    # Schottky's anomaly: tanh(1/T) = T
    assert peak(T, slope) == pytest.approx(0.8336, rel=0.03)
    assert np.isnan(peak(T, -np.log(T)))
    bent = np.log(T) ** 2 * np.array([[1e-12], [-1e-12]])  # whose vertices are far away
    assert np.isnan(peak(T, np.log(T) + bent)).all()
    assert np.isnan(diagnostics.specific_heat(variance[None], np.zeros(201), 50)).all()


def test_fluctuations_of_few_correlated_sweeps_are_unbiased():
    """The variance about the mean of ten sweeps is a quarter too small here."""
    rng, correlation = np.random.default_rng(1), 0.5
    energies = np.empty((200_000, 10))
    energies[:, 0] = rng.normal(size=len(energies))
    for t in range(1, 10):
        noise = rng.normal(size=len(energies)) * np.sqrt(1 - correlation**2)
        energies[:, t] = correlation * energies[:, t - 1] + noise
    found = diagnostics.fluctuation(energies)
    assert found.mean() == pytest.approx(1 - (correlation**5 + correlation**6) / 2, abs=0.01)
    assert energies.var(axis=1).mean() == pytest.approx(0.74, abs=0.01)
    assert np.isnan(diagnostics.fluctuation(energies[:, :1])).all()


def test_the_start_from_random_spins_does_not_count():
    energies = np.ones((2, 3, 10))
    energies[:, 0, :5] = 100.0
    found = diagnostics.traces(energies)
    np.testing.assert_array_equal(found["trace_energy"], 1.0)
    np.testing.assert_array_equal(found["trace_energy_variance"], 0.0)


def test_heat_of_free_spins_with_ten_sweeps_a_temperature():
    """C/N = ⟨(B/T)² sech²(B/T)⟩ at every step but the first sweeps of an anneal."""
    rng = np.random.default_rng(5)
    B = rng.normal(size=400)
    about = {"schedule": "geometric", "t_start": 5.0, "t_end": 0.1}
    frozen = freeze(np.zeros((400, 400)), B, key=2, sweeps=300, steps=30, replicas=256, **about)
    found = diagnostics.specific_heat(frozen.trace_energy_variance, frozen.T, 400)
    exact = [np.mean((B / T) ** 2 / np.cosh(B / T) ** 2) for T in frozen.T]
    assert np.mean(found / exact) == pytest.approx(1.0, abs=0.02)


def test_heat_of_decoupled_spins_is_schottkys():
    T = np.geomspace(5.0, 0.05, 200)
    heat = diagnostics.heat_in_fields(np.array([1.0, -1.0, 0.0, 1.0]), T)
    np.testing.assert_allclose(heat, 0.75 / T**2 / np.cosh(1 / T) ** 2, rtol=1e-12)
    assert peak(T, heat) == pytest.approx(0.8336, rel=0.02)


def test_overlap_of_spins_in_fields_alone():
    B = np.array([0.5, -2.0])
    found = diagnostics.overlap_in_field(B, np.array([1.0, 4.0]))
    expected = [np.mean(np.tanh(B) ** 2), np.mean(np.tanh(B / 4) ** 2)]
    np.testing.assert_allclose(found, expected)


def test_crossing():
    curves = np.stack([1 / (1 + T / 2), 1 / (1 + T / 0.5), 0.4 / (1 + T), np.full_like(T, 0.9)])
    found = crossing(T, curves)
    np.testing.assert_allclose(found[:2], [2.0, 0.5], rtol=1e-3)
    assert np.isnan(found[2:]).all()
    assert crossing(T, 1 / (1 + T), 0.2) == pytest.approx(4.0, rel=1e-3)


@pytest.mark.parametrize("theta", [0.0, 0.5, 1.0, 2.0])
def test_gap_exponent(theta):
    h = np.random.default_rng(2).random(100_000) ** (1 / (1 + theta))
    assert gap_exponent(np.where(np.arange(100_000) % 2, h, -h)) == pytest.approx(theta, abs=0.08)


@pytest.mark.parametrize("theta", [0.0, 1.0])
def test_the_gap_exponent_of_few_fields_is_unbiased(theta):
    rng = np.random.default_rng(3)
    found = [gap_exponent(rng.random(240) ** (1 / (1 + theta))) for _ in range(2000)]
    assert abs(np.mean(found) - theta) < 4 * np.std(found) / np.sqrt(2000)


def test_no_gap_exponent_without_fields():
    assert np.isnan(gap_exponent(np.zeros(1000)))
    assert np.isnan(gap_exponent(np.ones(100)))


def test_energy_scale():
    """γ = 1 eV in KBr gives 0.005 eV with c_l; a mixture has its mean γ²."""

    def scale(point):
        return energy_scale(point.model.components, point.model.medium, point.model.lattice)

    aligned = {"species": "aligned", "gamma": 2.0}
    by_hand = 1.602176634e-19 / (4 * np.pi * 2750 * 3070**2 * (4.6563e-10) ** 3)
    assert scale(point_from({})) == pytest.approx(by_hand, rel=1e-4)
    assert scale(point_from({"defects": aligned})) == pytest.approx(4 * scale(point_from({})))
    parts = {"one": {"share": 0.25, "gamma": 2.0}, "other": {"share": 0.75, "gamma": 0.0}}
    mixed = point_from({"defects": {"mixture": parts}})
    assert scale(mixed) == pytest.approx(scale(point_from({})))
    model = point_from({"defects": {**aligned, "eta": -3.0}}).model
    of_fields = field_scale(model.components, model.medium, model.lattice)
    assert of_fields == pytest.approx(6 * by_hand, rel=1e-4)
    uniform = {"distribution": "uniform", "parameters": {"scale": 3**0.5}}
    assert scale(point_from({"defects": {"gamma": uniform}})) == pytest.approx(
        scale(point_from({}))
    )
    assert scale(point_from({"medium": "KBr_cubic"})) == pytest.approx(0.00487, rel=0.02)


def test_as_many_defects_in_a_volume_have_one_scale_on_one_sublattice_or_two():
    def x_U_0(x, **defects):
        config = {"lattice": {"type": "rock_salt"}, "defects": {"concentration": x, **defects}}
        model = point_from(config).model
        return x * energy_scale(model.components, model.medium, model.lattice)

    parts = {"a": {"share": 0.5}, "b": {"share": 0.5, "sublattice": "cation"}}
    assert x_U_0(0.01, mixture=parts) == pytest.approx(x_U_0(0.02))


def results_of(summary):
    """The results of a study that has only a summary."""
    return synthetic.but(Results(Path()), summary=summary)


# ---- quality


def test_each_limit_is_kept_and_broken():
    for name, criterion in CRITERIA.items():
        at_least = np.isfinite(criterion.least)
        limit = criterion.least if at_least else criterion.most
        worse = 0.9 if at_least == (limit > 0) else 1.1
        assert complaints({name: limit}) == []
        assert complaints({name: np.nan}) == []
        [line] = complaints({name: worse * limit})
        assert line.startswith(criterion.name)
        assert line.endswith(criterion.advice)


POINT = {"defects": {"number": 150, "concentration": 0.1}, "realisations": 4, "seed": 3}
GOOD = {"sweeps": 20_000, "replicas": 2}


@pytest.fixture(scope="module")
def hamiltonians(tmp_path_factory):
    folder = tmp_path_factory.mktemp("poor")
    point = point_from(POINT)
    stages.sample(point, folder / "sample.nc")
    stages.couplings(point, folder / "sample.nc", folder / "couplings.nc")
    return folder


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({}, None),
        ({"replicas": 1}, None),
        ({"t_end": 0.5}, "acceptance at t_end is .*: lower freeze.t_end"),
        ({"t_start": 1.0}, "acceptance at t_start is .*: raise freeze.t_start"),
        ({"sweeps": 10, "steps": 10}, "won by the quench is .* above 0.015: more sweeps"),
        (
            {"sweeps": 10, "steps": 10, "replicas": 8},
            "spread of the replicas' energies is .* above 0.007: more",
        ),
        ({"method": "tempering", "sweeps": 300_000, "t_end": 0.12}, None),
        ({"method": "tempering", "sweeps": 50_000, "steps": 5}, "lowest rate of exchanges"),
        ({"method": "tempering", "sweeps": 4000}, "fewest round trips .* below 1: more sweeps"),
        ({"method": "tempering", "sweeps": 400, "steps": 20}, "drift of the energies"),
    ],
)
def test_a_poor_run_says_so_and_a_good_one_does_not(hamiltonians, capsys, changed, says):
    settings = {**POINT, "freeze": {**GOOD, **changed}}
    (hamiltonians / "point.json").write_text(json.dumps(settings), "utf-8")
    point = point_from(read_mapping(hamiltonians / "point.json"))
    stages.freeze(point, hamiltonians / "couplings.nc", hamiltonians / "frozen.nc")
    said = capsys.readouterr().err
    if says is None:
        assert said == ""
    else:
        assert said.count("\n") == 1
        assert re.search(f"poor quality: .*{says}", said)
    _, rows, _ = froze(point, [hamiltonians / "frozen.nc"], x=0.1, bootstrap=20)
    table = values(results_of(rows.assign(point="p", x=0.1)))
    assert table["unstable"].tolist() == [0]
    assert (table["quality"] == "good").all() == (says is None)
    if says:
        assert re.search(says, table["quality"][0])


# ---- sweeps


def test_errors_of_fields_are_rows_where_U_is_not_stored(tmp_path):
    point = point_from(POINT | {"couplings": {"store": "implicit"}, "freeze": {"sweeps": 100}})
    stages.sample(point, tmp_path / "sample.nc")
    stages.couplings(point, tmp_path / "sample.nc", tmp_path / "couplings.nc")
    stages.freeze(point, tmp_path / "couplings.nc", tmp_path / "frozen.nc")
    _, found, _ = froze(point, [tmp_path / "frozen.nc"], x=0.1, bootstrap=10)
    rows = found.set_index("statistic")["estimate"]
    with dataset.stage_file(tmp_path / "frozen.nc", part(point, "freeze")) as reader:
        for name in ("anneal_error", "field_error", "staleness"):
            assert rows[name] == pytest.approx(reader.whole(name).mean(), rel=1e-12)
    assert rows["field_error"] <= 1e-6 < rows["anneal_error"] < 3e-3


def test_sweeps_needed():
    sweeps = np.array([100, 300, 1000, 3000, 10000])
    energy = -2.0 + 0.1 * sweeps**-0.2
    fit = converge(sweeps, energy)
    assert fit.limit == pytest.approx(-2.0)
    assert fit.sweeps(0.01) == pytest.approx((0.1 / 0.02) ** 5)
    assert converge(sweeps[:2], energy[:2]) is None
    assert converge(sweeps, -energy) is None
    rows = pd.DataFrame(
        {
            "point": [f"p{n}" for n in range(5)],
            SWEEPS: sweeps,
            "x": 0.01,
            "quantity": "E/N",
            "statistic": "frozen",
            "estimate": energy,
            "stderr": 0.1,
            "theory": np.nan,
        }
    )
    table = sweeps_needed(results_of(rows))
    assert table["accuracy"].tolist() == [0.01, 0.005, 0.002]
    assert table["sweeps"].tolist() == [3100, 100_000, 9_800_000]
    assert table["bound"].tolist() == ["", "", ""]
    assert sweeps_needed(results_of(rows.drop(columns=SWEEPS))).empty


def annealing(sweeps, energy):
    sweeps, energy = np.asarray(sweeps, float), np.asarray(energy)
    return Annealing("", {}, sweeps, energy, np.full(len(sweeps), 0.1), converge(sweeps, energy))


def test_fewer_sweeps_than_measured_are_never_recommended():
    """0.5 % after 0.32 sweeps, by the fit alone; 0.2 % after 31."""
    sweeps = [20, 100, 300, 1000]
    found = annealing(sweeps, -2.0 + 0.008 * np.array(sweeps) ** -0.2)
    assert found.fit.sweeps(0.005) == pytest.approx(0.8**5)
    assert [found.needed(a) for a in (0.005, 0.002)] == [20, 32]
    assert [found.shown(a) for a in (0.005, 0.002)] == ["<= 20", "32"]


def test_a_bad_fit_recommends_nothing():
    """Residuals of some 0.4 % of the limit cannot tell 0.2 %, and leave its number empty."""
    sweeps = np.array([20, 100, 300, 1000, 3000])
    energy = -2.0 + 0.1 * sweeps**-0.2 + 0.01 * np.array([1, -1, 1, -1, 1])
    found = annealing(sweeps, energy)
    assert 0.002 * 2 < found.fit.residual < 0.01 * 2
    assert np.isnan(found.needed(0.002))
    assert found.shown(0.002) == found.bound(0.002) == ""
    assert found.needed(0.01) > 100
    assert annealing(sweeps, -energy).shown(0.01) == ""

"""Terms that the paper's studies leave out: stray fields and static dipoles."""

import json

import h5netcdf
import numpy as np
import pandas as pd
import pytest
from arrays import couplings, fields
from numpy.testing import assert_allclose, assert_array_equal
from workbench import part, run, stages

from glasspipe.errors import ConfigError, DataError
from glasspipe.files import dataset, results
from glasspipe.report.expectation import _with_stray, expectations
from glasspipe.settings.point import point_from
from glasspipe.statistics import STATISTICS

POINT = {
    "defects": {"concentration": 0.05, "number": 40, "species": "rotor"},
    "realisations": 2,
    "freeze": {"sweeps": 20, "steps": 10},
}
SPREAD = {"distribution": "norm", "parameters": {"loc": 0.02, "scale": 0.01}}
STRAY = {"E": SPREAD, "epsilon": -0.003}
STATIC = {"static_dipole": "mean", "gamma": {"distribution": "norm"}, "eta": 0.2}
STORES = ("float64", "implicit")


def point(store="float64", **defects):
    return point_from(
        {**POINT, "defects": {**POINT["defects"], **defects}, "couplings": {"store": store}}
    )


def variables(path, *names):
    with dataset.opened(path) as file:
        return [file.whole(name) for name in names]


def all_stages(folder, chosen):
    path = {name: folder / f"{name}.nc" for name in ("sample", "couplings", "freeze", "fields")}
    stages.sample(chosen, path["sample"])
    stages.couplings(chosen, path["sample"], path["couplings"])
    stages.freeze(chosen, path["couplings"], path["freeze"])
    stages.fields(chosen, path["sample"], path["freeze"], path["fields"])
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Files of every stage, by store and term."""
    made = {}
    for store in STORES:
        for name, defects in (("none", {}), ("stray", STRAY), ("static", STATIC)):
            folder = tmp_path_factory.mktemp(f"{store}-{name}")
            made[store, name] = all_stages(folder, point(store, **defects))
    return made


def test_terms_that_are_off_may_be_written():
    plain, written = point(), point(E=0, epsilon=0.0, static_dipole="none")
    assert plain.hash == written.hash
    for on in ({"E": 0.1}, {"static_dipole": "mean"}):
        assert part(plain, "sample").hash != part(point(**on), "sample").hash


def test_the_disorder_does_not_change(files):
    with (
        h5netcdf.File(files["float64", "none"]["sample"]) as plain,
        h5netcdf.File(files["float64", "stray"]["sample"]) as stray,
    ):
        assert set(stray.variables) - set(plain.variables) == {"E", "epsilon"}
        for name in plain.variables:
            assert_array_equal(plain[name][...], stray[name][...])


def test_they_are_drawn_from_their_distributions(tmp_path):
    stages.sample(point(number=5000, **STRAY), tmp_path / "sample.nc")
    E, epsilon, D = variables(tmp_path / "sample.nc", "E", "epsilon", "D")
    assert_allclose([E.mean(), E.std()], [0.02, 0.01], rtol=0.05)
    assert_array_equal(epsilon, np.full_like(epsilon, -0.003))
    assert len(np.unique(E)) == E.size
    assert_array_equal(D, np.full_like(D, 1e-4))


@pytest.mark.parametrize("store", STORES)
def test_they_are_added_to_the_random_fields(files, store):
    plain, stray = files[store, "none"], files[store, "stray"]
    E, epsilon = variables(stray["sample"], "E", "epsilon")
    (without,), (B,) = variables(plain["couplings"], "B"), variables(stray["couplings"], "B")
    assert_allclose(B - E, without, atol=1e-15)
    S, h, energy, kept = variables(stray["freeze"], "S", "h", "energy", "B")
    assert_array_equal(kept, B)
    assert_allclose(energy, 0.5 * np.sum((h + B) * S, axis=1), rtol=1e-6)
    assert (S * h <= 0).all()
    b, b_gamma, b_eta = variables(stray["fields"], "b", "b_gamma", "b_eta")
    assert_allclose(b - epsilon, b_gamma + b_eta, atol=1e-15)


@pytest.mark.parametrize("store", STORES)
def test_a_strong_one_aligns_the_spins(tmp_path, store):
    """H contains + Σ E S: the ground state has S against E."""
    path = all_stages(tmp_path, point(store, E={"distribution": "norm"}))
    (E,), (S,) = variables(path["sample"], "E"), variables(path["freeze"], "S")
    assert np.mean(-np.sign(E) == S) > 0.9


def test_they_are_in_the_stored_hamiltonian(files, tmp_path):
    path = files["float64", "stray"]
    chosen = point_from(
        {**json.loads(json.dumps(point(**STRAY).sections)), "hamiltonian": {"store": "dense"}}
    )
    inputs = (path[name] for name in ("sample", "couplings", "freeze"))
    stages.hamiltonian(chosen, *inputs, tmp_path / "hamiltonian.nc")
    for name, file in (("B", "couplings"), ("b", "fields")):
        (found,), (wanted,) = (
            variables(tmp_path / "hamiltonian.nc", name),
            variables(path[file], name),
        )
        assert_allclose(found, wanted, rtol=1e-12)


def test_those_of_components_and_of_a_file(tmp_path):
    chosen = point(mixture={"A": {"share": 0.5, "E": 0.1}, "B": {"share": 0.5}}, epsilon=0.2)
    stages.sample(chosen, tmp_path / "mine.nc")
    component, E, epsilon = variables(tmp_path / "mine.nc", "component", "E", "epsilon")
    assert_array_equal(E, np.where(component == 0, 0.1, 0.0))
    assert_array_equal(epsilon, np.full_like(epsilon, 0.2))
    source = {"source": {"file": str(tmp_path / "mine.nc")}}
    stages.sample(point_from({**POINT, "sample": source}), tmp_path / "sample.nc")
    assert_array_equal(variables(tmp_path / "sample.nc", "E")[0], E)


def test_static_dipoles_are_sources_of_both_random_fields(files):
    path = files["float64", "static"]
    names = ("position", "gamma", "eta", "zeta", "static")
    position, gamma, eta, zeta, static = (a[0] for a in variables(path["sample"], *names))
    (box,), (S,) = variables(path["sample"], "box"), variables(path["freeze"], "S")
    about = {"box": box, "medium": point().model.medium, "boundary": "spherical"}
    made = couplings(position, gamma, eta, **about, static=static)
    assert_allclose(variables(path["couplings"], "B")[0][0], made.B, rtol=1e-12)
    assert np.abs(made.B - couplings(position, gamma, eta, **about).B).max() > np.std(made.B) / 2
    (zeta,), tau = variables(path["fields"], "zeta"), np.ones(len(eta))
    wanted = fields(position, gamma, eta, zeta[0], S[0], tau, **about, static=static)
    found = variables(path["fields"], "b_gamma", "b_eta", "b")
    for values, name in zip(found, ("b_gamma", "b_eta", "b"), strict=True):
        assert_allclose(values[0], getattr(wanted, name), rtol=1e-12)


def test_static_dipoles_are_drawn_with_the_same_disorder(files, tmp_path):
    stages.sample(point(**{**STATIC, "static_dipole": "none"}), tmp_path / "sample.nc")
    with (
        h5netcdf.File(tmp_path / "sample.nc") as plain,
        h5netcdf.File(files["float64", "static"]["sample"]) as static,
    ):
        assert set(static.variables) - set(plain.variables) == {"static"}
        for name in plain.variables:
            assert_array_equal(plain[name][...], static[name][...])


def test_the_same_without_a_matrix(files):
    stored, implicit = files["float64", "static"], files["implicit", "static"]
    (one,), (two,) = (variables(path["couplings"], "B") for path in (stored, implicit))
    assert_allclose(two, one, atol=1e-4 * np.std(one))


def test_static_dipoles_are_in_the_stored_hamiltonian(files, tmp_path):
    path = files["float64", "static"]
    config = {**point(**STATIC).sections, "hamiltonian": {"store": "dense"}}
    inputs = (path[name] for name in ("sample", "couplings", "freeze"))
    stages.hamiltonian(point_from(config), *inputs, tmp_path / "hamiltonian.nc")
    (found,), (wanted,) = (
        variables(tmp_path / "hamiltonian.nc", "b"),
        variables(path["fields"], "b"),
    )
    assert_allclose(found, wanted, rtol=1e-12)


def test_what_static_dipoles_cannot_be_with(files, tmp_path):
    refused = {
        "defects.static_dipole: found mean with species uniaxial; allowed: none, or": {
            "species": "uniaxial"
        },
        "defects.mixture.A.static_dipole: found mean with species aligned; allowed: none, or": {
            "mixture": {"A": {"share": 1, "species": "aligned"}}
        },
    }
    for message, defects in refused.items():
        with pytest.raises(ConfigError, match=f"^{message}"):
            point(static_dipole="mean", **defects)
    rotors = {**POINT, "defects": {**POINT["defects"], "static_dipole": "mean"}}
    with pytest.raises(
        ConfigError, match=r"^formula: found as_printed with defects\.static_dipole"
    ):
        point_from({**rotors, "formula": "as_printed"})
    own = {"sample": {"source": {"file": str(files["float64", "static"]["sample"])}}}
    with pytest.raises(
        ConfigError, match=r"^defects\.static_dipole: found mean with sample\.source"
    ):
        point_from({**rotors, **own})
    printed = point_from({**POINT, **own, "formula": "as_printed"})
    stages.sample(printed, tmp_path / "sample.nc")
    assert_array_equal(
        *(
            variables(p, "static")[0]
            for p in (tmp_path / "sample.nc", files["float64", "static"]["sample"])
        )
    )
    with pytest.raises(DataError, match="holds static dipoles, whose couplings the paper does not"):
        stages.couplings(printed, tmp_path / "sample.nc", tmp_path / "couplings.nc")


STUDY = {
    "study": "stray",
    "realisations": 60,
    "defects": {"number": 60, "species": "aligned"},
    "freeze": {"sweeps": 10, "steps": 10},
    "aggregate": {"bootstrap": 50},
    "sweep": {
        "defects.concentration": {"values": [0.1, 0.3]},
        "defects.E": {
            "values": [0.0, 0.02, {"distribution": "uniform", "parameters": {"scale": 0.05}}]
        },
    },
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    run(folder, STUDY)
    return results.read_summary(folder), results.read_fits(folder), folder


class TestTheory:
    def cells(self, study, E, quantity):
        """Estimate, error and theory of each statistic at x = 0.1."""
        summary = study[0]
        value = summary["defects.E"].astype(str)
        here = value.str.contains("uniform") if E == "uniform" else value == E
        rows = summary[here & (summary["defects.concentration"] == 0.1)]
        rows = rows[rows["quantity"] == quantity].set_index("statistic")
        return rows.loc[list(STATISTICS), ["estimate", "stderr", "theory"]]

    def test_a_number_shifts_the_law_of_B(self, study):
        plain, found = self.cells(study, "0.0", "B"), self.cells(study, "0.02", "B")
        moved = found["theory"] - plain["theory"]
        for name in ("mean", "q05", "q95"):
            assert moved[name] == pytest.approx(0.02)
        for name in ("std", "quartile_half_width", "kurtosis"):
            assert moved[name] == 0
        assert np.isnan(found["theory"]["median_abs"])

    def test_a_number_shifts_the_law_and_its_gaps(self):
        model = point_from({"defects": {"concentration": 0.1, "number": 30}}).model
        [plain] = [expectations(model, None, box=np.ones(3), defects=1)["B"]]
        moved = _with_stray(plain, 2 * plain.scale)
        edges = np.linspace(-1, 1, 5)
        np.testing.assert_allclose(moved.lattice_density(edges + 2), plain.lattice_density(edges))
        assert [moved.kind_of(name) for name in STATISTICS] == [
            plain.kind_of(name) for name in STATISTICS
        ]

    def test_defects_that_feel_nothing_are_in_the_bin_of_0(self):
        """As a histogram counts them: in that which begins there."""
        mixture = {"felt": {"share": 0.4}, "dead": {"share": 0.6, "gamma": 0.0, "zeta": 0.0}}
        given = {"concentration": 0.1, "number": 30, "mixture": mixture}
        model = point_from({"defects": given}).model
        known = expectations(model, None, box=np.ones(3), defects=1)["B"]
        share = known.lattice_density(np.linspace(-0.1, 0.1, 5)) * 0.05
        assert share[2] == pytest.approx(0.6, abs=0.03)
        assert share[[0, 1, 3]].max() < 0.03

    def test_what_theory_says_is_found(self, study):
        for E in ("0.02", "uniform"):
            cells = self.cells(study, E, "B").dropna()
            cells = cells.drop("kurtosis", errors="ignore")
            assert len(cells) == (5 if E == "0.02" else 2)
            assert (abs(cells["estimate"] - cells["theory"]) < 5 * cells["stderr"]).all()

    def test_what_it_does_not_know_is_empty(self, study):
        theory = self.cells(study, "uniform", "B")["theory"]
        assert set(theory.dropna().index) == {"mean", "std"}
        assert theory["mean"] == pytest.approx(0.025, abs=1e-3)
        fits = study[1]
        spread = fits[fits["defects.E"].astype(str).str.contains("uniform")].set_index("quantity")
        assert np.isnan(spread.loc[["B", "h"], "asymptotic"]).all()
        assert np.isfinite(spread.loc[["U_S", "b"], "asymptotic"]).all()

    def test_other_fields_have_theirs(self, study):
        for quantity in ("U_S", "b_gamma", "b_eta", "b", "J_tau"):
            plain, found = (self.cells(study, E, quantity)["theory"] for E in ("0.0", "uniform"))
            pd.testing.assert_series_equal(plain, found)

"""Boxes of which few defects, or none, have an S."""

import numpy as np
import pytest
from workbench import part, run, stages

from glasspipe.files import dataset, results
from glasspipe.settings.point import point_from

SHORT = {"freeze": {"sweeps": 400, "steps": 40, "replicas": 2}, "aggregate": {"bootstrap": 20}}
WITHOUT = {"gamma": 0.0, "zeta": 0.0}


def study(folder, mixture, *, number, realisations, **defects):
    """The summary of a study of one point."""
    given = {"number": number, "concentration": 0.05, "mixture": mixture, **defects}
    run(folder, {**SHORT, "study": "few", "defects": given, "realisations": realisations})
    return results.read_summary(folder).set_index(["quantity", "statistic"])


def test_a_component_that_rounds_to_no_defect(tmp_path):
    """Whose number the others' do not move up to."""
    mixture = {
        "a": {"share": 0.001},
        "b": {"share": 0.4995, **WITHOUT},
        "c": {"share": 0.4995},
    }
    found = study(tmp_path, mixture, number=40, realisations=2, stoichiometry="exact")
    assert found.loc[("free_S", "fraction"), "estimate"] >= 0


def test_realisations_without_spins_are_left_out(tmp_path):
    mixture = {"a": {"share": 0.3}, "b": {"share": 0.7, **WITHOUT}}
    found = study(tmp_path, mixture, number=4, realisations=20)
    some = ["fraction", "flat", "h_over_D"]
    assert found.loc[[("free_S", name) for name in some], "estimate"].notna().all()
    assert found.loc[("levels", "below_1K"), "estimate"] >= 0
    assert found.loc[("heat", "peak"), "estimate"] > 0
    curves = results.read_merged(tmp_path, results.FREEZING)
    assert np.isfinite(curves["heat_slope"]).all()
    traces = results.read_merged(tmp_path, results.TRACES)
    assert np.isfinite(traces["energy"]).all()


def test_energy_and_heat_are_those_of_a_spin(tmp_path):
    """The slope of the energy is the heat."""
    mixture = {"a": {"share": 0.25}, "b": {"share": 0.75, **WITHOUT}}
    study(tmp_path, mixture, number=80, realisations=3, stoichiometry="exact")
    trace = results.read_merged(tmp_path, results.TRACES).isel(point=0)
    heat = results.read_merged(tmp_path, results.FREEZING)["heat_slope"].isel(point=0)
    slope = np.gradient(trace["energy"].to_numpy(), trace["T"].to_numpy())
    assert heat.max().item() == pytest.approx(slope.max(), rel=0.35)


@pytest.mark.parametrize("store", ["float64", "implicit"])
def test_a_single_spin_follows_its_field(tmp_path, store):
    mixture = {"a": {"share": 0.25}, "b": {"share": 0.75, **WITHOUT}}
    defects = {"number": 4, "concentration": 0.05, "mixture": mixture, "stoichiometry": "exact"}
    given = {**SHORT, "defects": defects, "couplings": {"store": store}, "realisations": 3}
    point = point_from({key: value for key, value in given.items() if key != "aggregate"})
    sample, couplings, froze = (tmp_path / f"{name}.nc" for name in ("a", "b", "c"))
    stages.sample(point, sample)
    stages.couplings(point, sample, couplings)
    stages.freeze(point, couplings, froze)
    with dataset.stage_file(froze, part(point, "freeze")) as file:
        h, S = file.whole("h"), file.whole("S")
        acceptance, overlap = file.whole("acceptance"), file.whole("overlap_abs")
    assert (np.count_nonzero(h, axis=1) == 1).all()
    assert (S[h != 0] == -np.sign(h[h != 0])).all()
    assert acceptance[..., -1].max() < 0.1
    assert overlap[:, -1].min() > 0.9


def test_automatic_temperatures_are_those_of_the_spins():
    def steps(**defects):
        given = {"freeze": {"method": "tempering", "steps": "auto"}, "defects": defects}
        return point_from(given).model.freeze["steps"]

    mixture = {"a": {"share": 0.1}, "b": {"share": 0.9, **WITHOUT}}
    assert steps(number=200, mixture=mixture) < 0.5 * steps(number=200)
    assert steps(number=200, mixture=mixture) == steps(number=20)

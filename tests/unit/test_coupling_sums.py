"""Σ_j U_ij beside B_i, against sums by hand and numbers that are known."""

import numpy as np
import pytest
from workbench import part, run, stages

from glasspipe.files import dataset
from glasspipe.report.observable import Results
from glasspipe.report.observables import coupling_sums
from glasspipe.report.observables.coupling_sums import SCALED, SUM
from glasspipe.report.point_data import PointData
from glasspipe.report.presentation import TYPICAL, pick
from glasspipe.settings.point import point_from
from glasspipe.stages import study_files

CONFIG = {
    "study": "sums",
    "realisations": 3,
    "defects": {"number": 30, "gamma": 2.0, "eta": 0.5},
    "freeze": {"sweeps": 20, "steps": 10},
    "aggregate": {"bootstrap": 10},
}


def test_the_sum_is_over_all_pairs_of_a_defect(tmp_path):
    point = point_from({**CONFIG, "realisations": 1})
    files = [tmp_path / f"{name}.nc" for name in ("sample", "couplings", "frozen")]
    stages.sample(point, files[0])
    stages.couplings(point, *files[:2])
    stages.freeze(point, *files[1:])
    with dataset.stage_file(files[1], part(point, "couplings")) as source:
        i, j, U = (source.whole(name) for name in ("i", "j", "U"))
    with dataset.stage_file(files[2], part(point, "freeze")) as source:
        found = source.whole("U_sum")[0]
    for defect, value in enumerate(found):
        mine = U[0][(i == defect) | (j == defect)]
        assert value == pytest.approx(mine.sum(), rel=1e-12, abs=1e-18)


def test_without_a_matrix_the_sums_are_the_same(tmp_path):
    """Sums over a mesh, whose error is 1e-6 of their rms."""
    found = []
    for store in ("float64", "implicit"):
        point = point_from({**CONFIG, "realisations": 1, "couplings": {"store": store}})
        files = [tmp_path / f"{store}_{name}.nc" for name in ("sample", "couplings", "frozen")]
        stages.sample(point, files[0])
        stages.couplings(point, *files[:2])
        stages.freeze(point, *files[1:])
        with dataset.stage_file(files[2], part(point, "freeze")) as source:
            found.append(source.whole("U_sum")[0])
    assert found[1] == pytest.approx(found[0], abs=1e-5 * np.sqrt(np.mean(found[0] ** 2)))
    assert np.abs(found[0]).max() > 0


def test_sums_are_scaled_by_the_strengths_and_shown(tmp_path):
    run(tmp_path, CONFIG)
    found = Results(tmp_path)
    names = ("B", SUM, SCALED)
    typical = {name: pick(found.summary, name, TYPICAL)["estimate"].item() for name in names}
    assert typical[SCALED] == pytest.approx(typical[SUM] * 0.5 / 2.0)
    table = coupling_sums.values(found)
    B = typical["B"]
    assert table[f"B/{SCALED}"].item() == pytest.approx(B / typical[SCALED])
    assert 0.1 < table[f"B/{SCALED}"].item() < 10
    top, bottom = coupling_sums.coupling_sums(found).axes
    drawn = [container[0].get_ydata().item() for container in top.containers]
    assert drawn == pytest.approx([B, typical[SCALED]])
    assert bottom.containers[0][0].get_ydata().item() == pytest.approx(B / typical[SCALED])
    assert "ratio" in coupling_sums.latex(found)


def test_strengths_are_those_of_the_config_or_of_all_that_a_file_has(tmp_path):
    """A few log-normal ones, as a realisation has, are up to twice as strong as the mean."""
    spread = {"distribution": "lognorm", "parameters": {"s": 1.0}}
    config = {**CONFIG, "defects": {**CONFIG["defects"], "number": 12, "gamma": spread}}
    drawn = run(tmp_path / "drawn", config)
    [point] = point_data(tmp_path / "drawn", drawn)
    wanted = {"gamma": np.exp(0.5), "eta": 0.5, "zeta": point.model.mixture[0].zeta}
    assert point.strengths == pytest.approx(wanted, rel=1e-4)
    typical = pick_typical(tmp_path / "drawn")
    assert typical[SCALED] == pytest.approx(typical[SUM] * 0.5 / np.exp(0.5), rel=1e-4)
    [path] = point.files.files["sample"]
    given = run(tmp_path / "given", {**config, "sample": {"source": {"file": str(path)}}})
    [point] = point_data(tmp_path / "given", given)
    with dataset.stage_file(path, part(drawn.points[0], "sample")) as source:
        norms = np.linalg.norm(source.whole("gamma"), axis=(2, 3))
    assert np.ptp(norms.mean(axis=1)) > 0.1
    assert point.strengths["gamma"] == pytest.approx(norms.mean(), rel=1e-12)
    assert len(point.tensors.eta) == norms.size


def point_data(folder, study):
    files = study_files.load(folder)
    return [PointData(files.point(point.name), 10, 10) for point in study.points]


def pick_typical(folder):
    summary = Results(folder).summary
    return {name: pick(summary, name, TYPICAL)["estimate"].item() for name in (SUM, SCALED)}

"""Σ_j U_ij beside B_i, against sums by hand and numbers that are known."""

import numpy as np
import pytest
from workbench import part, run, stages

from glasspipe.defects.tensors import Tensors
from glasspipe.files import dataset
from glasspipe.report.observable import Results
from glasspipe.report.observables import coupling_sums
from glasspipe.report.observables.coupling_sums import SCALED, SUM
from glasspipe.report.presentation import TYPICAL, pick
from glasspipe.settings.point import point_from

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


def test_strengths_are_those_of_the_tensors():
    gamma = np.array([np.diag([3.0, 0.0, 4.0]), np.zeros((3, 3))])
    tensors = Tensors(gamma, np.array([-1.0, 0.5]), np.zeros((2, 3, 3, 3)))
    assert coupling_sums.eta_over_gamma(tensors) == pytest.approx(0.75 / 2.5)
    alone = Tensors(0 * gamma, tensors.eta, tensors.zeta)
    assert coupling_sums.eta_over_gamma(alone) == 0.0

"""The studies that come with the project."""

from pathlib import Path

import pytest

from glasspipe.settings.study import load_study
from glasspipe.stages import plan

CONFIG = Path(__file__).parents[2] / "config"
STUDIES = sorted((CONFIG / "studies").glob("*.yaml"))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_study_can_be_run_and_is_called_like_its_file(path):
    study = load_study(path)
    assert study.name == path.stem
    assert plan.describe(study)


def test_the_default_study_covers_what_was_asked_for():
    study = load_study(CONFIG / "config.yaml")
    assert study.name == "default"
    x = [point.sections["defects"]["concentration"] for point in study.points]
    assert len(x) >= 8
    assert (min(x), max(x)) == (1e-4, 0.3)
    assert all(point.model.defects >= 500 for point in study.points)

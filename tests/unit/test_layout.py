"""Where files are: named by what they depend on, listed once for those who read them."""

import json

import pytest

from glasspipe.errors import ConfigError
from glasspipe.files import layout
from glasspipe.settings.config import STAGES, load_point, study_from

STUDY = {
    "study": "tiny",
    "defects": {"number": 30},
    "realisations": 5,
    "realisations_per_job": 2,
    "sweep": {
        "defects.concentration": {"values": [0.01, 0.1]},
        "freeze.sweeps": {"values": [100, 200, 300]},
    },
}


@pytest.fixture
def study():
    return study_from(STUDY)


def test_points_share_what_they_agree_in(study):
    assert {stage: len(layout.parts(study, stage)) for stage in STAGES} == {
        "sample": 2,
        "couplings": 2,
        "freeze": 6,
        "fields": 6,
    }


def test_a_part_finds_the_earlier_part_it_builds_on(study):
    for part in layout.parts(study, "fields").values():
        earlier = part.of("sample")
        assert earlier.name in layout.parts(study, "sample")
        assert earlier.point.part("sample") == part.point.part("sample")


def test_realisations_fall_into_chunks(study):
    assert layout.chunks(study) == {
        "r000000-000001": (0, 2),
        "r000002-000003": (2, 2),
        "r000004-000004": (4, 1),
    }


def test_a_stage_can_read_its_part_as_a_point(study, tmp_path):
    layout.write(study, tmp_path)
    for stage in STAGES:
        for part in layout.parts(study, stage).values():
            point = load_point(tmp_path / part.point_file)
            assert point.part(stage) == part.point.part(stage)
            assert point.part_hash(stage) == part.point.part_hash(stage)


@pytest.mark.parametrize("store", ["none", "dense", "pairs"])
def test_hamiltonians_are_listed_if_they_are_stored(tmp_path, store):
    study = study_from({**STUDY, "hamiltonian": {"store": store}})
    layout.write(study, tmp_path)
    stored = store != "none"
    assert study.stages == (*STAGES, *["hamiltonian"] * stored)
    assert len(list(tmp_path.glob("data/hamiltonian/*/point.json"))) == 6 * stored
    listed = [
        str(file.relative_to(tmp_path))
        for point in layout.load(tmp_path).points
        for file in point.files.get("hamiltonian", ())
    ]
    assert listed == layout.hamiltonian_files(study)
    assert len(listed) == 6 * 3 * stored


def test_a_file_that_is_right_is_left_alone(study, tmp_path):
    layout.write(study, tmp_path)
    files = sorted(tmp_path.rglob("*.json"))
    damaged = files[0]
    damaged.write_text("{", "utf-8")
    before = {file: file.stat().st_mtime_ns for file in files}
    layout.write(study, tmp_path)
    assert {file for file in files if file.stat().st_mtime_ns != before[file]} == {damaged}
    assert json.loads(damaged.read_text("utf-8"))


def test_a_study_can_be_read_from_its_folder(study, tmp_path):
    layout.write(study, tmp_path)
    files = layout.load(tmp_path)
    assert files.config == study.data
    assert files.name == "tiny"
    assert [point.name for point in files.points] == [point.name for point in study.points]
    first, point = files.points[0], study.points[0]
    assert first.swept == {"defects.concentration": 0.01, "freeze.sweeps": 100}
    assert first.point.part("fields") == point.part("fields")
    assert first.point.realisations == 5
    assert set(first.files) == {"sample", "freeze", "fields"}
    assert first.files["sample"][2] == (
        tmp_path / "data" / "sample" / point.part_name("sample") / "r000004-000004.nc"
    )
    assert files.point(first.name) is first


def test_a_crystal_comes_with_its_ratio_and_average():
    swept = {"medium": {"values": ["KBr", "KBr_cubic"]}}
    isotropic, crystal = layout.study_record(study_from({"study": "s", "sweep": swept}))["points"]
    assert "zener_ratio" not in isotropic
    assert crystal["zener_ratio"] == pytest.approx(2 * 5.07 / (34.7 - 5.8))
    assert crystal["hill_average"] == pytest.approx(
        {"density": 2.75, "c_l": 3.07, "c_t": 1.69}, rel=2e-3
    )


def test_a_point_that_is_not_there(study, tmp_path):
    layout.write(study, tmp_path)
    with pytest.raises(ConfigError, match="point: found 'other'; allowed: concentration-"):
        layout.load(tmp_path).point("other")


@pytest.mark.parametrize("text", [None, "[]", "{}", '{"config": {}, "points": [{}]}'])
def test_a_folder_that_is_no_study(tmp_path, text):
    if text is not None:
        (tmp_path / layout.STUDY_FILE).write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=str(tmp_path)):
        layout.load(tmp_path)


def test_merged_files_depend_on_errors_and_columns():
    def settings(bootstrap=10, **sizes):
        config = {"study": "sizes", "sweep": {"lattice.size": sizes}}
        study = study_from({**config, "aggregate": {"bootstrap": bootstrap}})
        return next(iter(layout.merge_settings(study).values()))

    reference = settings(values=[10, 12])
    assert settings(values=[10, 14]) == reference
    assert settings(values=[10, "auto"]) != reference
    assert settings(values=[10, 12], bootstrap=11) != reference


def test_what_killed_jobs_left_is_removed(tmp_path):
    kept, left = tmp_path / "a.nc", tmp_path / "data" / ".a.nc.123.part"
    left.parent.mkdir()
    kept.touch()
    left.touch()
    layout.remove_unfinished(tmp_path)
    assert kept.exists()
    assert not left.exists()


def test_larger_boxes_ask_for_more():
    small, large = (
        layout.parts(study_from({"study": "one", "defects": {"number": number}}), "freeze")
        for number in (100, 10_000)
    )
    (small,), (large,) = small.values(), large.values()
    assert large.megabytes > small.megabytes + 2000
    assert large.minutes > small.minutes

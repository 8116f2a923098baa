"""Where files are: named by what they depend on, listed once for those who read them."""

import json
from pathlib import Path

import pytest

from glasspipe.errors import ConfigError
from glasspipe.files import dataset
from glasspipe.settings.study import load_study, study_from
from glasspipe.stages import STAGES, stages_of, study_files
from glasspipe.stages.forecast import megabytes, minutes
from glasspipe.stages.hamiltonian import HAMILTONIAN
from glasspipe.stages.sample import SAMPLE
from glasspipe.stages.work import chunks, works

ROOT = Path(__file__).parents[2]
STUDIES = ["studies/mixture.yaml", "studies/tau.yaml", "studies/paper.yaml"]

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
    found = works(study, stages_of(study))
    assert {stage: len(parts) for stage, parts in found.items()} == {
        "sample": 2,
        "couplings": 2,
        "freeze": 6,
        "fields": 6,
    }


def test_a_part_finds_the_earlier_part_it_builds_on(study):
    found = works(study, stages_of(study))
    for work in found["fields"].values():
        assert work.upstream(SAMPLE) == found["sample"][work.upstream(SAMPLE).name]


def test_realisations_fall_into_chunks(study):
    assert chunks(study) == {
        "r000000-000001": range(2),
        "r000002-000003": range(2, 4),
        "r000004-000004": range(4, 5),
    }


def test_more_chunks_than_can_be_planned_are_refused():
    config = {"study": "many", "realisations": 10_000_000, "realisations_per_job": 1}
    message = "^realisations_per_job: found 1, which makes 10000000 jobs .* allowed: at least 10,"
    with pytest.raises(ConfigError, match=message):
        chunks(study_from(config))
    assert len(chunks(study_from({**config, "realisations_per_job": 1000}))) == 10_000


def test_a_stage_reads_its_part_back(study, tmp_path):
    study_files.write(study, tmp_path)
    for name, parts in works(study, stages_of(study)).items():
        for work in parts.values():
            assert STAGES[name].load_part(tmp_path / work.point_file) == work.part


def test_a_stage_reads_its_part_of_that_of_a_later_one(study, tmp_path):
    study_files.write(study, tmp_path)
    found = works(study, stages_of(study))
    for work in found["fields"].values():
        assert SAMPLE.load_part(tmp_path / work.point_file) == work.upstream(SAMPLE).part
    early = next(iter(found["sample"].values()))
    with pytest.raises(ConfigError, match=r"^medium: missing; allowed: the point of"):
        STAGES["fields"].load_part(tmp_path / early.point_file)


def test_nothing_of_a_part_is_filled_in_again(study, tmp_path):
    study_files.write(study, tmp_path)
    work = next(iter(works(study, [SAMPLE])["sample"].values()))
    path = tmp_path / work.point_file
    for text, message in (
        (work.part.text.replace('"realisations": 5,', ""), "^realisations: missing"),
        (work.part.text.replace('"seed"', '"sead"'), "^seed: missing"),
        (
            work.part.text.replace('"constant": 6.585', '"constant": "large"'),
            "^lattice.constant: found",
        ),
    ):
        path.write_text(text, "utf-8")
        with pytest.raises(ConfigError, match=message):
            SAMPLE.load_part(path)


@pytest.mark.parametrize("wanted", [12, 101])
def test_a_part_knows_how_many_realisations_are_wanted(tmp_path, wanted):
    study = study_from({**STUDY, "defects": {"number": 2}, "realisations": wanted})
    study_files.write(study, tmp_path)
    work = next(iter(works(study, [SAMPLE])["sample"].values()))
    part = SAMPLE.load_part(tmp_path / work.point_file)
    SAMPLE.run(part, tmp_path / "all.nc")
    with dataset.stage_file(tmp_path / "all.nc", part) as reader:
        assert reader.realisations == list(range(wanted))


@pytest.mark.parametrize("store", ["none", "dense", "pairs"])
def test_hamiltonians_are_listed_if_they_are_stored(tmp_path, store):
    study = study_from({**STUDY, "hamiltonian": {"store": store}})
    study_files.write(study, tmp_path)
    stored = store != "none"
    assert (HAMILTONIAN in stages_of(study)) == stored
    assert len(list(tmp_path.glob("data/hamiltonian/*/point.json"))) == 6 * stored
    listed = [
        str(file.relative_to(tmp_path))
        for point in study_files.load(tmp_path).points
        for file in point.files.get("hamiltonian", ())
    ]
    kept = study_files.kept_files(study)
    assert listed == [file for file in kept if file.startswith("data/hamiltonian/")]
    for stage in stages_of(study):
        made = [file for file in kept if file.startswith(f"data/{stage.name}/")]
        assert bool(made) == (not stage.temporary)
    assert len(listed) == 6 * 3 * stored


def test_a_file_that_is_right_is_left_alone(study, tmp_path):
    study_files.write(study, tmp_path)
    files = sorted(tmp_path.rglob("*.json"))
    damaged = files[0]
    damaged.write_text("{", "utf-8")
    before = {file: file.stat().st_mtime_ns for file in files}
    study_files.write(study, tmp_path)
    assert {file for file in files if file.stat().st_mtime_ns != before[file]} == {damaged}
    assert json.loads(damaged.read_text("utf-8"))


def test_a_study_can_be_read_from_its_folder(study, tmp_path):
    study_files.write(study, tmp_path)
    files = study_files.load(tmp_path)
    assert files.config == study.config
    assert files.name == "tiny"
    assert [point.name for point in files.points] == [point.name for point in study.points]
    first, point = files.points[0], study.points[0]
    assert first.point.swept == {"defects.concentration": 0.01, "freeze.sweeps": 100}
    assert STAGES["fields"].part(first.point) == STAGES["fields"].part(point)
    assert first.point.realisations == 5
    assert set(first.files) == {"sample", "freeze", "fields"}
    assert first.files["sample"][2] == (
        tmp_path / "data" / "sample" / SAMPLE.part(point).name / "r000004-000004.nc"
    )
    assert files.point(first.name) is first


def test_a_crystal_comes_with_its_ratio_and_average():
    swept = {"medium": {"values": ["KBr", "KBr_cubic"]}}
    isotropic, crystal = study_files.study_record(study_from({"study": "s", "sweep": swept}))[
        "points"
    ]
    assert "zener_ratio" not in isotropic
    assert crystal["zener_ratio"] == pytest.approx(2 * 5.07 / (34.7 - 5.8))
    assert crystal["hill_average"] == pytest.approx(
        {"density": 2.75, "c_l": 3.07, "c_t": 1.69}, rel=2e-3
    )


def test_a_point_that_is_not_there(study, tmp_path):
    study_files.write(study, tmp_path)
    with pytest.raises(ConfigError, match="point: found 'other'; allowed: concentration-"):
        study_files.load(tmp_path).point("other")


@pytest.mark.parametrize("text", [None, "[]", "{}", '{"config": {}, "points": [{}]}'])
def test_a_folder_that_is_no_study(tmp_path, text):
    if text is not None:
        (tmp_path / study_files.STUDY_FILE).write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=str(tmp_path)):
        study_files.load(tmp_path)


@pytest.mark.parametrize("name", ["../../escaped", "/tmp/escaped", ""])
@pytest.mark.parametrize("where", ["name", "files"])
def test_a_study_of_somebody_else_stays_in_its_folder(study, tmp_path, name, where):
    study_files.write(study, tmp_path)
    path = tmp_path / study_files.STUDY_FILE
    record = json.loads(path.read_text("utf-8"))
    if where == "name":
        record["points"][0]["name"] = name
    elif name:
        record["points"][0]["files"]["sample"][0] = name
    path.write_text(json.dumps(record), "utf-8")
    if where == "name" or name:
        with pytest.raises(ConfigError, match=r"study\.json: not written by glasspipe"):
            study_files.load(tmp_path)


def test_merged_files_depend_on_errors_and_columns():
    def settings(bootstrap=10, **sizes):
        config = {"study": "sizes", "sweep": {"lattice.size": sizes}}
        study = study_from({**config, "aggregate": {"bootstrap": bootstrap}})
        return next(iter(study_files.merge_settings(study).values()))

    reference = settings(values=[10, 12])
    assert settings(values=[10, 14]) == reference
    assert settings(values=[10, "auto"]) != reference
    assert settings(values=[10, 12], bootstrap=11) != reference


def test_how_a_study_is_printed_and_split_is_in_no_hash(tmp_path):
    hashes = set()
    for more in ({}, {"report": {"journal": "nature", "energy": "K"}}, {"realisations_per_job": 1}):
        study = study_from({"study": "one", "defects": {"number": 20}, **more})
        parts = works(study, stages_of(study)).values()
        names = tuple(sorted(name for part in parts for name in part))
        study_files.write(study, tmp_path)
        about = study_files.load(tmp_path).about
        hashes.add((names, about["config_hash"], about["config"], study.points[0].hash))
    assert len(hashes) == 1
    other = study_from({"study": "one", "defects": {"number": 20}, "aggregate": {"bootstrap": 3}})
    study_files.write(other, tmp_path)
    assert study_files.load(tmp_path).about["config_hash"] != about["config_hash"]


def test_what_killed_jobs_left_is_removed(tmp_path):
    kept, left = tmp_path / "a.nc", tmp_path / "data" / ".a.nc.123.part"
    left.parent.mkdir()
    kept.touch()
    left.touch()
    study_files.remove_unfinished(tmp_path)
    assert kept.exists()
    assert not left.exists()


def test_larger_boxes_ask_for_more():
    stored = {"couplings": {"store": "float64"}}
    small, large = (
        works(study_from({"study": "one", **stored, "defects": {"number": n}}), [STAGES["freeze"]])
        for n in (100, 10_000)
    )
    (small,), (large,) = small["freeze"].values(), large["freeze"].values()
    assert megabytes(large.load(10)) > megabytes(small.load(10)) + 2000
    assert minutes(large.load(10)) > minutes(small.load(10))


@pytest.mark.parametrize("path", ["config.yaml", *STUDIES])
def test_a_study_is_known_from_its_folder(tmp_path, path):
    study = load_study(ROOT / "config" / path)
    study_files.write(study, tmp_path)
    found = study_files.load(tmp_path).study
    assert [point.hash for point in found.points] == [point.hash for point in study.points]
    assert chunks(found) == chunks(study)


def test_a_study_of_one_point_is_known_from_its_folder(tmp_path):
    study = study_from({"study": "one", "defects": {"number": 20}, "realisations_per_job": "all"})
    study_files.write(study, tmp_path)
    found = study_files.load(tmp_path).study
    assert found.points[0].name == study.points[0].name
    assert chunks(found) == chunks(study)

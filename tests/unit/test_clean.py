"""What a study that was edited leaves behind: listed, and removed when asked."""

import subprocess
import sys

import pytest
import yaml

from glasspipe.cli import main
from glasspipe.files.lock import locked
from glasspipe.settings.study import study_from
from glasspipe.stages import forecast, stages_of, study_files
from glasspipe.stages.work import works

CONFIG = {
    "study": "edited",
    "realisations": 4,
    "realisations_per_job": 2,
    "defects": {"number": 20},
    "sweep": {"freeze.sweeps": {"values": [100, 300]}},
}


def files_of(study):
    """Every file that the stages and the merging of points write, in the study's folder."""
    merged = {
        f"{folder}/{point.name}{suffix}"
        for point in study.points
        for folder, suffix in (
            ("defects.parquet", ".parquet"),
            ("points", ".nc"),
            ("logs/aggregate_point", ".log"),
        )
    }
    data = {
        work.chunk_file(chunk)
        for parts in works(study, stages_of(study)).values()
        for work in parts.values()
        for chunk in study_files.chunks(study)
    }
    logs = {name.replace("data/", "logs/").replace(".nc", ".log") for name in data}
    return merged | data | logs | {file for file, _ in forecast.loads(study)}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of a study that was run."""
    monkeypatch.chdir(tmp_path)
    found = tmp_path / "results" / "edited"
    study = study_from(CONFIG)
    study_files.write(study, found)
    for name in files_of(study):
        (found / name).parent.mkdir(parents=True, exist_ok=True)
        (found / name).write_text("found")
    return found


def edited(tmp_path, **changes):
    path = tmp_path / "edited.yaml"
    path.write_text(yaml.safe_dump({**CONFIG, **changes}))
    return str(path)


def there(folder):
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return {name for name in files if not name.endswith((".lock", "study.json", "point.json"))}


def test_nothing_is_left_over_of_a_study_as_it_was_run(folder, tmp_path, capsys):
    for study in (str(folder), edited(tmp_path)):
        assert main(["clean", study, "--delete"]) == 0
        assert capsys.readouterr().out == "nothing left over\n"
    assert there(folder) == files_of(study_from(CONFIG))


@pytest.mark.parametrize(
    "changes",
    [
        {"sweep": {"freeze.sweeps": {"values": [300]}}},
        {"seed": 7},
        {"realisations": 3},
        {"realisations_per_job": 4},
        {"realisations": 8},
    ],
)
def test_what_an_edit_leaves_is_listed_and_then_removed(folder, tmp_path, capsys, changes):
    config = edited(tmp_path, **changes)
    mine = files_of(study_from({**CONFIG, **changes}))
    mine |= {f"benchmarks/{name}.json" for name in ("aggregate", "report")}
    before = there(folder)
    assert main(["clean", config]) == 0
    assert there(folder) == before
    listed = capsys.readouterr().out.splitlines()
    assert main(["clean", config, "--delete"]) == 0
    assert there(folder) == before & mine
    assert capsys.readouterr().out.splitlines()[:-1] == listed[:-1]
    assert main(["clean", config]) == 0
    assert capsys.readouterr().out == "nothing left over\n"


def test_what_is_not_of_the_stages_is_left_alone(folder, tmp_path):
    (outside := tmp_path / "outside").mkdir()
    (outside / "mine.nc").write_text("mine")
    kept = [folder / "notes.txt", folder / "data" / "notes.txt", folder / "figures" / "a.pdf"]
    part = next((folder / "data" / "freeze").iterdir())
    kept += [folder / "data" / "other" / "a.nc", part / "mine.nc"]
    for path in kept:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    unfinished = part / ".r000008-000009.nc.checkpoint"
    unfinished.write_text("")
    (folder / "data" / "freeze" / "linked").symlink_to(outside)
    assert main(["clean", str(folder), "--delete"]) == 0
    assert all(path.is_file() for path in kept)
    assert not unfinished.exists()
    assert not (folder / "data" / "freeze" / "linked").is_symlink()
    assert (outside / "mine.nc").is_file()


def test_a_study_that_runs_is_not_touched(folder, tmp_path):
    config = edited(tmp_path, seed=7)
    before = there(folder)
    with locked(folder):  # a process does not shut itself out
        command = [sys.executable, "-m", "glasspipe", "clean", config, "--delete"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, "runs this study" in done.stderr) == (2, True)
        assert main(["clean", config]) == 0
    assert there(folder) == before


def test_a_study_that_was_never_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["clean", edited(tmp_path), "--delete"]) == 2
    assert "no such folder" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()

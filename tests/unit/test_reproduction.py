"""A file says what makes it anew, which gives the same bytes, or other ones and that is said."""

import shutil

import h5netcdf
import pytest
from workbench import run, stages

from glasspipe.cli import main
from glasspipe.files.seal import seal
from glasspipe.settings.point import point_from
from glasspipe.settings.reading import read_mapping
from glasspipe.settings.study import load_study
from glasspipe.stages.study_files import study_folder

STUDY = {
    "study": "again",
    "defects": {"number": 12, "concentration": 0.1},
    "realisations": 3,
    "realisations_per_job": 2,
    "freeze": {"sweeps": 20, "steps": 10},
    "aggregate": {"bootstrap": 5},
    "sweep": {"seed": {"values": [2, 1]}, "lattice.constant": {"values": [6.0]}},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a finished study; not to be changed."""
    folder = tmp_path_factory.mktemp("made") / "again"
    run(folder, STUDY)
    return folder


@pytest.mark.parametrize(
    "file",
    [
        "data/fields/*seed-1*/r000002-000002.nc",
        "points/*seed-1*.nc",
        "defects.parquet/*seed-2*.parquet",
        "summary.parquet",
    ],
)
def test_the_same_bytes(made, tmp_path, capsys, file):
    (found,) = made.glob(file)
    if file.startswith(("data", "summary")):  # which say themselves what made them
        found = shutil.copy(found, tmp_path)
    assert main(["reproduce", str(found), "--run"]) == 0
    assert capsys.readouterr().out == f"{found}: the same bytes\n"


def test_what_is_written_makes_a_file_of_a_stage(made, tmp_path, monkeypatch):
    found = sorted(made.glob("data/freeze/*/r000002-000002.nc"))[0]
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", str(found), "-o", "made.yaml"]) == 0
    lines = (tmp_path / "made.yaml").read_text("utf-8").splitlines()
    commands = [line.split()[2:] for line in lines if line.startswith("# glasspipe")]
    assert [command[0] for command in commands] == ["sample", "couplings", "freeze"]
    for command in commands:
        assert main(command) == 0
    assert (tmp_path / "freeze.nc").read_bytes() == found.read_bytes()


def test_what_is_written_is_the_study(made, tmp_path):
    written = tmp_path / "made.yaml"
    assert main(["reproduce", str(made / "fits.csv"), "-o", str(written)]) == 0
    study = load_study(written)
    assert [point.swept["seed"] for point in study.points] == [2, 1]
    target = f"{study_folder(study)}/fits.csv"
    assert f"snakemake --cores 2 --configfile made.yaml {target}" in written.read_text("utf-8")


def edited(path, change):
    with h5netcdf.File(path, "a") as file:
        change(file)
    seal(path)


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        (lambda file: file["h"].__setitem__((0, 0), 0.0), 1, "other data: h of "),
        (
            lambda file: file.attrs.__setitem__("git_revision", "abc"),
            0,
            "the same data, made by other code (git_revision abc there, ",
        ),
    ],
)
def test_what_differs_is_said(made, tmp_path, capsys, change, status, says):
    path = tmp_path / "freeze.nc"
    shutil.copy(sorted(made.glob("data/freeze/*/r000002-000002.nc"))[0], path)
    edited(path, change)
    capsys.readouterr()
    assert main(["reproduce", str(path), "--run"]) == status
    assert says in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("study.json", "found study.json, which is no data; allowed: files of stages, in def"),
        ("points/other.nc", "no such file"),
        ("renamed.csv", "found renamed.csv, which is no data"),
        ("../fits.csv", "in the folder of no study, and does not say of which it is"),
        ("text.nc", "truncated, changed or not written by glasspipe"),
        ("defects.parquet/other.parquet", "the study again has no such point"),
    ],
)
def test_what_cannot_be_made_is_refused_in_one_line(made, tmp_path, capsys, file, says):
    folder = shutil.copytree(made, tmp_path / "again")
    for path in ("renamed.csv", "../fits.csv", "text.nc", "defects.parquet/other.parquet"):
        (folder / path).write_text("text", "utf-8")
    assert main(["reproduce", str(folder / file)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line


def test_the_order_of_components_is_that_of_their_names(tmp_path):
    """A hash does not know in what order a config lists them, so neither may a file."""
    parts = {"b": {"share": 0.3, "gamma": 2.0}, "a": {"share": 0.7}}
    for name, mixture in (("one", parts), ("two", dict(sorted(parts.items())))):
        defects = {"number": 20, "concentration": 0.1, "mixture": mixture}
        stages.sample(point_from({"realisations": 1, "defects": defects}), tmp_path / f"{name}.nc")
    assert (tmp_path / "one.nc").read_bytes() == (tmp_path / "two.nc").read_bytes()
    text = tmp_path / "made.yaml"
    assert main(["reproduce", str(tmp_path / "one.nc"), "-o", str(text), "--run"]) == 0
    assert list(read_mapping(text)["defects"]["mixture"]) == ["a", "b"]

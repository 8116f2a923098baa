"""What a file says of itself."""

import numpy as np
import pandas as pd
import pytest
import synthetic
import xarray as xr

from glasspipe import cli
from glasspipe.files import dataset, results
from glasspipe.files.dataset import made_by, versions
from glasspipe.report.info import info
from glasspipe.settings.point import point_from
from glasspipe.stages import STAGES
from glasspipe.stages.study_files import load


def words(text):
    return " ".join(text.split())


def test_a_file_of_a_stage(tmp_path):
    freeze = STAGES["freeze"]
    part = freeze.part(point_from({"seed": 17}))
    chosen = {name: freeze.variables[name] for name in ("S", "h")}
    path = tmp_path / "f.nc"
    sizes = {"defect": 5}
    with dataset.create(path, part, variables=chosen, sizes=sizes, realisations=[3, 4, 5]):
        pass
    text = words(info(path))
    for said in (
        f"file of the stage freeze ({freeze.about})",
        "seed = 17",
        f"point hash {part.hash}",
        "realisations 3, 3 to 5",
        "h(realisation, defect) [eV]",
        f"git revision {made_by()['git_revision']}",
        "glasspipe 0.1.0, h5netcdf",
    ):
        assert said in text
    assert len(info(path).splitlines()) < 25
    assert "numpy" in versions()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "study"
    synthetic.write(folder, {synthetic.X: [1e-3, 1e-2]}, samples=200)
    return folder


def test_files_of_a_study(folder):
    about = load(folder).about
    results.write_merged(
        folder, results.TRACES, results.read_merged(folder, results.TRACES).assign_attrs(about)
    )
    table = results.read_summary(folder)
    table.attrs = about
    results.write_summary(folder, table)
    for name in (results.TRACES, results.SUMMARY):
        text = words(info(folder / name))
        assert f"results of a study, {name}" in text
        assert "study study" in text
        assert f"config hash {about['config_hash']}" in text
        assert about["git_revision"] in text
    assert f"rows {len(table)}" in text
    csv = words(info(folder / "summary.csv"))
    assert "CSV, which has no place for what made it" in csv
    assert "study study, in whose folder it is" in csv
    assert f"rows {len(table)}" in csv


def test_the_defects_of_a_point_have_units(folder):
    table = pd.DataFrame({"lattice.constant": [6.6], "S": [1], "B": [0.1]})
    table = table.assign(position_x=2.0, splitting=0.3)
    table.attrs = {"point": '{"seed": 3}', "point_hash": "abc", **made_by()}
    results.write_defects(folder, "p0", table.take, rows=len(table), about=table.attrs)
    text = words(info(folder / results.DEFECTS / "p0.parquet"))
    assert "merged defects or statistics of one point" in text
    assert "point seed = 3 point hash abc" in text
    assert "lattice_constant [Å], S [1], B [eV], position_x [angstrom], splitting [eV]" in text


def test_a_file_of_somebody_else_is_not_called_ours(tmp_path):
    xr.Dataset({"a": ("n", np.ones(2), {"units": "m"})}).to_netcdf(
        tmp_path / "a.nc", engine="h5netcdf"
    )
    text = words(info(tmp_path / "a.nc"))
    assert "not written by a stage or a study of glasspipe" in text
    assert "a(n) [m]" in text
    assert "made by" not in text


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.nc", b"\x89HDF\r\n\x1a\nrest", "a.nc: "),
        ("a.parquet", b"PAR1 and no more", "a.parquet: damaged; a Parquet file was expected"),
        ("a.txt", b"text", "a.txt: found another kind of file; allowed: NetCDF, Parquet or CSV"),
        ("a.csv", b"", "a.csv: found another kind of file"),
        ("absent", None, "absent: no such file; allowed: a NetCDF, Parquet or CSV file"),
    ],
)
def test_what_is_no_such_file_is_refused_in_one_line(tmp_path, capsys, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert cli.main(["info", str(tmp_path / name)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert "Traceback" not in error

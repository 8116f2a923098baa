"""A stage refuses, in one line, what was not made for its point."""

import json
import os
import subprocess
import sys

import pytest

from glasspipe.cli import main

POINT = {
    "defects": {"number": 8, "concentration": 0.1},
    "realisations": 2,
    "freeze": {"sweeps": 10, "steps": 10},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    (folder / "point.json").write_text(json.dumps(POINT), "utf-8")
    (folder / "other.json").write_text(json.dumps({**POINT, "medium": "KCl"}), "utf-8")
    (folder / "seed.json").write_text(json.dumps({**POINT, "seed": 1}), "utf-8")
    run = Runner(folder)
    assert run("sample", "point.json", "-o", "r.nc") == 0
    assert run("sample", "point.json", "--count", "1", "-o", "one.nc") == 0
    assert run("couplings", "point.json", "r.nc", "-o", "h.nc") == 0
    assert run("freeze", "point.json", "h.nc", "-o", "f.nc") == 0
    whole = (folder / "r.nc").read_bytes()
    (folder / "truncated.nc").write_bytes(whole[: len(whole) // 2])
    (folder / "text.nc").write_text("not NetCDF", "utf-8")
    return run


class Runner:
    """Runs commands on the files of one folder."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, command, *arguments):
        files = (".json", ".nc")
        paths = (str(self.folder / a) if a.endswith(files) else a for a in arguments)
        return main([command, *paths])


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "two"])
def test_a_number_of_threads_is_one_or_more(made, capsys, number):
    with pytest.raises(SystemExit, match="2"):
        made("couplings", "point.json", "r.nc", "-o", "never.nc", f"--threads={number}")
    assert f"--threads: found {number}; allowed: 1 or more" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("freeze", "other.json", "h.nc"), "h.nc: made for another point; medium.c_l is "),
        (("couplings", "seed.json", "r.nc"), "r.nc: made for another point; seed is 2008 there"),
        (("fields", "point.json", "one.nc", "f.nc"), "f.nc: holds the realisations 0 to 1;"),
        (("couplings", "point.json", "truncated.nc"), "truncated.nc: truncated, changed or not"),
        (("couplings", "point.json", "text.nc"), "text.nc: truncated, changed or not"),
        (("couplings", "point.json", "absent.nc"), "absent.nc: no such file"),
        (("couplings", "point.json", "h.nc"), "h.nc: a file of the stage 'couplings'"),
        (("couplings", "absent.json", "r.nc"), "absent.json: cannot be read"),
        (("couplings", "text.nc", "r.nc"), "text.nc: found a str"),
    ],
)
def test_a_stage_refuses_what_is_not_its_point(made, capsys, arguments, message):
    before = sorted(made.folder.iterdir())
    assert made(*arguments, "-o", "never.nc") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"glasspipe {arguments[0]}: ")
    assert message in line
    assert sorted(made.folder.iterdir()) == before


def test_an_error_of_the_file_library_is_one_line(made, capsys, monkeypatch):
    """HDF5's own errors carry a text of several lines and no error number."""

    def fail(*_):
        raise OSError("Can't write data\n  (no space left)")

    monkeypatch.setattr("glasspipe.stages.couplings._write_stored", fail)
    assert made("couplings", "point.json", "r.nc", "-o", "never.nc") == 2
    line = "glasspipe couplings: Can't write data (no space left)\n"
    assert capsys.readouterr().err == line


def test_a_reader_that_leaves_is_no_error():
    """As in ``glasspipe materials | head -1``."""
    reads, writes = os.pipe()
    os.close(reads)
    command = [sys.executable, "-m", "glasspipe", "materials"]
    done = subprocess.run(command, stdout=writes, stderr=subprocess.PIPE, check=False)
    os.close(writes)
    assert (done.returncode, done.stderr) == (1, b"")

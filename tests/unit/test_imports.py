"""What a job imports: not what takes longer to import than a small job to compute."""

import subprocess
import sys

import pytest

SLOW = ("scipy.stats", "pandas", "pyarrow", "xarray", "matplotlib", "plotly", "snakemake")
POINT = '{"defects": {"number": 4, "concentration": 0.1}, "realisations": 1}'


def imported(*arguments):
    """Return which slow libraries a command has imported."""
    run = f"import sys, glasspipe.cli as cli; assert not cli.main({arguments!r});"
    said = f"print(*(name for name in {SLOW!r} if name in sys.modules), sep=chr(10))"
    command = [sys.executable, "-c", f"{run} {said}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@pytest.fixture(scope="module")
def point(tmp_path_factory):
    path = tmp_path_factory.mktemp("imports") / "point.json"
    path.write_text(POINT)
    return path


def test_stages_import_what_they_need(point):
    folder = point.parent
    files = {name: str(folder / f"{name}.nc") for name in ("sample", "couplings", "freeze")}
    assert imported("sample", str(point), "-o", files["sample"]) == []
    assert imported("couplings", str(point), files["sample"], "-o", files["couplings"]) == []
    assert imported("freeze", str(point), files["couplings"], "-o", files["freeze"]) == []
    inputs = (files["sample"], files["freeze"])
    assert imported("fields", str(point), *inputs, "-o", str(folder / "fields.nc")) == []


def test_planning_and_merging_draw_nothing():
    """Every job of a cluster plans, twice."""
    run = "import sys, glasspipe.report.aggregate, glasspipe.report.contents;"
    said = subprocess.check_output(
        [sys.executable, "-c", f"{run} print('matplotlib' in sys.modules)"]
    )
    assert said.strip() == b"False"

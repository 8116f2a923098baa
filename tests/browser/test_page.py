"""The page in a real browser: it draws, it reacts, and names that look like HTML stay text."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from workbench import TINY, run

from glasspipe.files import results
from glasspipe.report.contents import figures_of
from glasspipe.report.study import open_study
from glasspipe.report.writing import report

PROBE = Path(__file__).with_name("probe.js").read_text("utf-8")
NAMES = ("a&lt;img src=x onerror=alert(1)&gt;.nc", "b&lt;script&gt;alert(2)&lt;script&gt;.nc")
COMMAND = (
    *("chromium", "--headless=new", "--no-sandbox", "--enable-logging=stderr", "--dump-dom"),
    *("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--virtual-time-budget=60000"),
)


def defects(path, seed):
    """Write a file of defects of one's own."""
    rng = np.random.default_rng(seed)
    number = 30
    d = rng.normal(size=(2, number, 3))
    d /= np.linalg.norm(d, axis=-1, keepdims=True)
    data = xr.Dataset(
        {
            "position": (("realisation", "defect", "axis"), rng.uniform(0, 60, (2, number, 3))),
            "gamma": (("realisation", "defect", "axis", "axis2"), np.einsum("rni,rnj->rnij", d, d)),
            "eta": (("realisation", "defect"), np.ones((2, number))),
            "zeta": (
                ("realisation", "defect", "axis", "axis2", "axis3"),
                np.einsum("rni,rnj,rnk->rnijk", d, d, d),
            ),
            "box": ("axis", np.full(3, 60.0)),
        }
    )
    data.to_netcdf(path, engine="h5netcdf")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The folder of a study whose points are told apart by names of files that look like HTML."""
    folder = tmp_path_factory.mktemp("study")
    for seed, name in enumerate(NAMES):
        defects(folder / name, seed)
    files = [str(folder / name) for name in NAMES]
    own = {"sample": {"source": {"file": files[0]}}, "realisations": 2}
    run(folder, {**TINY, **own, "sweep": {"sample.source.file": {"values": files}}})
    report(folder)
    return folder


@pytest.fixture(scope="module")
def seen(study, tmp_path_factory):
    """What the probe found in the page, and what the browser complained of."""
    folder = tmp_path_factory.mktemp("browser")
    text = (study / results.PAGE).read_text("utf-8")
    page = folder / "page.html"
    page.write_text(text.replace("<head>", f"<head><script>{PROBE}</script>", 1), "utf-8")
    command = [*COMMAND, f"--user-data-dir={folder / 'profile'}", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    found = re.search(
        r'<script type="application/json" id="probe">(.*?)</script>', done.stdout, re.S
    )
    assert found, re.findall("<title>(.*?)</title>", done.stdout)
    complaints = re.findall(r"(?:ERROR|WARNING|SEVERE):CONSOLE.*", done.stderr)
    return json.loads(found[1]), complaints


def test_nothing_went_wrong(seen):
    found, complaints = seen
    assert found["mistakes"] == []
    assert complaints == []
    assert found["outside"] == []


def test_every_figure_is_seen(study, seen):
    pictures = dict(seen[0]["pictures"])
    assert set(pictures) == {figure.name for figure in figures_of(open_study(study).config)}
    assert all(pictures.values())
    assert seen[0]["mathematics"] > 10


def test_the_explorer_reacts(seen):
    found, _ = seen
    assert found["first"] != found["last"]
    assert found["fieldsBefore"].count(True) == 8
    assert found["fieldsAfter"].count(True) == 16


def test_another_realisation_can_be_chosen(seen):
    before, after = seen[0]["pointBefore"], seen[0]["pointAfter"]
    assert before[0]
    assert not before[-1]
    assert after == [not shown for shown in before]


def test_tables_filter(seen):
    rows = seen[0]["undecided"]
    assert rows
    assert all("not decided" in row for row in rows)


def test_names_stay_text(seen):
    found, _ = seen
    assert found["alerts"] == []
    assert all(any(name[-14:] in text for text in found["labels"]) for name in NAMES)

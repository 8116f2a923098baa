"""The studies of the project and of its docs, shrunk: whatever a user may copy is really run."""

import re
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
import yaml

from glasspipe.settings.study import study_from

ROOT = Path(__file__).parents[2]
STUDIES = [ROOT / "config/config.yaml", *sorted((ROOT / "config/studies").glob("*.yaml"))]


def shrunk(config):
    """A study of few and small points, each swept key with two values."""
    small = {**config, "realisations": 2}
    small["aggregate"] = {**config.get("aggregate", {}), "bootstrap": 5, "pairs": 3}
    freeze = {**config.get("freeze", {}), "sweeps": 20, "steps": 10}
    small["freeze"] = freeze | ({"sweeps": 200, "steps": 5} if "swap_rate" in freeze else {})
    small["defects"] = {**config.get("defects", {}), "number": 24}
    small["sweep"] = {
        key: {"values": two(how, key)} for key, how in config.get("sweep", {}).items()
    }
    return {key: value for key, value in small.items() if value} | {"sweep_mode": "zip"}


SIZES = {"freeze.sweeps": [20, 40], "defects.number": [20, 30], "lattice.size": [6, 7]}


def two(how, key):
    if key in SIZES:
        return SIZES[key]
    [(kind, given)] = how.items()
    values = given if kind == "values" else [given["start"], given["stop"]]
    return [values[0], values[-1]] if len(values) > 1 else values


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_every_shipped_study(whole, path):
    config = yaml.safe_load(path.read_text("utf-8"))
    found = whole(shrunk(config))
    assert found["point"].nunique() == 2


PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), ROOT / "config/README.md"]


def blocks(language):
    """The code of each page that has some."""
    fence = re.compile(rf"```{language}\n(.*?)```", re.DOTALL)
    found = {str(page.relative_to(ROOT)): fence.findall(page.read_text("utf-8")) for page in PAGES}
    return [pytest.param(texts, id=page) for page, texts in found.items() if texts]


@pytest.mark.parametrize("texts", blocks("yaml"))
def test_every_config_of_the_docs(whole, texts):
    """Whole studies run, sections of one are planned."""
    for text in texts:
        config = yaml.safe_load(text)
        study_from({"study": "example", **config})
        if "study" in config:
            whole(shrunk(config))


@pytest.mark.parametrize("texts", blocks("python"))
def test_all_python_of_the_docs(copied, monkeypatch, texts):
    """As a reader would run it, the blocks of a page one after the other."""
    mpl.use("agg")
    copied.results.rename(copied.results.with_name("default"))
    monkeypatch.chdir(copied.cwd)
    found = {}
    for number, text in enumerate(texts):
        exec(compile(text, f"block {number}", "exec"), found)
    plt.close("all")


def test_code_of_the_docs_is_fenced():
    """For what is only indented is not run."""
    for page in PAGES:
        indented = "\n".join(re.findall(r"^    (.*)$", page.read_text("utf-8"), re.MULTILINE))
        assert not re.search(
            r"^(import |from \w+ import|study:|defects:|sweep:)", indented, re.MULTILINE
        )

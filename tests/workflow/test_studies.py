"""The studies of the project and of its docs, shrunk: whatever a user may copy is really run."""

import re
from pathlib import Path

import pytest
import yaml

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


INDENTED = r"\n\n((?:    (?:study|material):.*\n)(?:    .*\n|\n(?=    ))*)"
"""A block of YAML in Markdown that begins as a study does."""


def examples():
    for page in [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), ROOT / "config/README.md"]:
        text = page.read_text("utf-8")
        fenced = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
        blocks = fenced or re.findall(INDENTED, text)
        for number, block in enumerate(blocks):
            yield pytest.param(block, id=f"{page.relative_to(ROOT)}-{number}")


@pytest.mark.parametrize("text", list(examples()))
def test_every_example_of_the_docs(whole, text):
    whole(shrunk({"study": "example", **yaml.safe_load(text)}))

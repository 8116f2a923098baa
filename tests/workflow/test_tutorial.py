"""The tutorial runs from its first cell to its last, as its reader would run it."""

from pathlib import Path

import matplotlib as mpl
import nbformat
import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "tutorial.ipynb"


@pytest.fixture
def cells():
    book = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(book)
    return [cell.source for cell in book.cells if cell.cell_type == "code"]


def test_the_tutorial(cells, copied, monkeypatch):
    mpl.use("agg")
    (copied.results).rename(copied.results.with_name("default"))
    monkeypatch.chdir(copied.cwd)
    found = {}
    for number, cell in enumerate(cells):
        exec(compile(cell, f"cell {number}", "exec"), found)
    assert (copied.cwd / "typical_and_width.pdf").stat().st_size > 5000
    assert found["table"].shape == (2, 5)
    assert found["table"]["width (meV)"].str.contains(r"\(\d").all()
    assert set(found["claims"]["verdict"]) <= {"supported", "refuted", "not decided"}
    found["plt"].close("all")

"""Benches of the tests, one finished study shared by those that only look."""

import re
import shutil

import numpy as np
import pytest
from workbench import TINY, Bench, run

from glasspipe.files import results
from glasspipe.report.contents import figures_of, tables_of
from glasspipe.report.drawing import STYLE
from glasspipe.report.summary import summary
from glasspipe.report.writing import report


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The tiny study, finished; not to be changed."""
    bench = Bench(tmp_path_factory.mktemp("finished"))
    bench.configure(TINY)
    bench.run_well()
    return bench


@pytest.fixture
def copied(finished, tmp_path):
    """A copy of the finished study."""
    shutil.copytree(finished.cwd, tmp_path, dirs_exist_ok=True)
    return Bench(tmp_path)


@pytest.fixture
def whole(tmp_path, capsys, monkeypatch):
    """Run a study to its end, look at all that it made, and return its summary.

    Figures are drawn as coarse PNG alone, which is half of the time of a small study.
    """
    monkeypatch.setattr("glasspipe.report.figures._METADATA", {"png": {}})
    monkeypatch.setitem(STYLE, "savefig.dpi", 50)

    def whole(config):
        study = run(tmp_path, config)
        report(tmp_path)
        told = summary(tmp_path)
        assert "could not be" not in capsys.readouterr().err
        assert "nan" not in re.sub(r"\S+-[0-9a-f]{10}", "", told).lower().split()
        for kind, pages, suffixes in (
            ("figures", figures_of(study.config), ("png", "rst")),
            ("tables", tables_of(study.config), ("csv", "tex")),
        ):
            wanted = {f"{page.name}.{suffix}" for page in pages for suffix in suffixes}
            made = {path.name: path.stat().st_size for path in (tmp_path / kind).iterdir()}
            assert set(made) == wanted
            assert min(made.values()) > 0
        found = results.read_summary(tmp_path)
        numbers = found[["estimate", "stderr", "theory"]].to_numpy(dtype=float)
        assert not np.isinf(numbers).any()
        assert np.abs(numbers[np.isfinite(numbers)]).max() < 1e12
        assert set(found["point"]) == {point.name for point in study.points}
        return found

    return whole

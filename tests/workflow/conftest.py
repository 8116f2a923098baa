"""Benches of the tests, one finished study shared by those that only look."""

import shutil
from functools import partial

import pytest
from workbench import TINY, Bench, look_at_all

from glasspipe.report.style import VECTORS


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
def coarse(monkeypatch):
    """Figures as coarse PNG alone, which is half of the time of a small study."""
    monkeypatch.setattr("glasspipe.report.style.VECTORS", dict.fromkeys(VECTORS, ()))
    monkeypatch.setattr("glasspipe.report.figures._PIXELS", 50)


@pytest.fixture
def whole(tmp_path, coarse):  # noqa: ARG001
    """Run a study to its end, look at all that it made, and return its summary."""
    return partial(look_at_all, tmp_path)

"""Benches of the tests, one finished study shared by those that only look."""

import shutil

import pytest
from workbench import TINY, Bench


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

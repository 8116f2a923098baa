"""BLAS has one thread, as in every command: two workers of the tests would stand in its way.

Tables of theory are kept for one session of all workers, apart from those of whoever runs it.
"""

import os

import pytest

import glasspipe.cli  # noqa: F401
from glasspipe.files.tables import VARIABLE


@pytest.fixture(scope="session", autouse=True)
def _tables(tmp_path_factory):
    own = tmp_path_factory.getbasetemp()
    session = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    os.environ[VARIABLE] = str(session / "tables")

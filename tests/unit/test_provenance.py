"""What a stage's results depend on in the code."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import glasspipe
from glasspipe import kernels
from glasspipe.files import provenance
from glasspipe.kernels import cache_folder

STAGES = ("sample", "couplings", "freeze", "fields", "hamiltonian", "aggregate", "report")


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package that may be edited."""
    copy = tmp_path / "glasspipe"
    shutil.copytree(Path(glasspipe.__file__).parent, copy)
    monkeypatch.setattr(provenance, "_PACKAGE", copy)
    provenance.code_hash.cache_clear()
    yield copy
    provenance.code_hash.cache_clear()


def hashes():
    provenance.code_hash.cache_clear()
    return {stage: provenance.code_hash(stage) for stage in STAGES}


@pytest.mark.parametrize(
    ("file", "stages"),
    [
        ("species.py", {"sample", "aggregate"}),
        ("couplings.py", {"couplings"}),
        ("kernels/pairs.py", {"couplings", "freeze", "fields", "hamiltonian"}),
        ("kernels/freeze.py", {"freeze"}),
        ("tempering.py", {"freeze"}),
        ("spins/nearfar.py", {"freeze"}),
        ("elastic/implicit.py", {"couplings", "freeze", "fields"}),
        ("fields.py", {"fields", "hamiltonian"}),
        ("hamiltonian.py", {"hamiltonian"}),
        ("greens.py", {"couplings", "freeze", "fields", "hamiltonian", "aggregate"}),
        ("medium.py", set(STAGES)),
        ("elastic/parts.py", {"aggregate"}),
        ("dataset.py", set(STAGES)),
        ("statistics.py", {"aggregate"}),
        ("figures.py", {"report"}),
        ("cli.py", set()),
        ("plan.py", {"aggregate"}),
        ("settings/config_docs.py", set()),
    ],
)
def test_an_edit_concerns_the_stages_that_import_the_file(package, file, stages):
    before = hashes()
    with (package / file).open("a") as module:
        module.write("# edited\n")
    after = hashes()
    assert {stage for stage in STAGES if after[stage] != before[stage]} == stages


def test_a_hash_is_that_of_the_text_not_of_the_time(package):
    before = hashes()
    for file in package.rglob("*.py"):
        file.touch()
    assert hashes() == before


def test_compiled_kernels_are_kept_apart_by_all_their_sources(tmp_path):
    """Numba would run a loop compiled with the old form of a function from another file."""
    (tmp_path / "one.py").write_text("a = 1\n")
    (tmp_path / "two.py").write_text("b = 2\n")
    before = cache_folder(tmp_path)
    assert cache_folder(tmp_path) == before
    (tmp_path / "two.py").write_text("b = 3\n")
    assert cache_folder(tmp_path) != before
    (tmp_path / "two.py").write_text("b = 2\n")
    assert cache_folder(tmp_path) == before
    source = "import glasspipe.kernels, numba; print(numba.config.CACHE_DIR)"
    environment = {name: value for name, value in os.environ.items() if name[:5] != "NUMBA"}
    run = [sys.executable, "-c", source]
    found = subprocess.run(run, env=environment, check=True, capture_output=True, text=True).stdout
    assert found.strip() == str(cache_folder(Path(kernels.__file__).parent))

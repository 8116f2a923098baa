"""What a stage's results depend on in the code."""

import ast
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
from glasspipe.stages import STAGES


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package that may be edited."""
    copy = tmp_path / "glasspipe"
    shutil.copytree(
        Path(glasspipe.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__")
    )
    monkeypatch.setattr(provenance, "_PACKAGE", copy)
    forget()
    yield copy
    forget()


def forget():
    """Let sources be read anew."""
    provenance.code_hash.cache_clear()


MODULES = {name: f"glasspipe.stages.{name}" for name in STAGES}
MODULES |= {"aggregate": "glasspipe.report.aggregate", "report": "glasspipe.report.writing"}
REPORTS = ("aggregate", "report")
PHYSICS = {"couplings", "freeze", "fields", "hamiltonian"}


def hashes():
    forget()
    return {stage: provenance.code_hash(module) for stage, module in MODULES.items()}


def test_imports_are_found_as_python_finds_them():
    folder = Path(glasspipe.__file__).parent
    for path in folder.rglob("*.py"):
        text = path.read_text("utf-8")
        parsed = set(provenance._imported(ast.parse(text).body))
        assert {name for name in provenance._all_imports(text) if name in parsed} == parsed, path


@pytest.mark.parametrize(
    ("file", "stages"),
    [
        ("defects/species.py", {"sample", *REPORTS}),
        ("defects/tensors.py", {"sample", *PHYSICS, *REPORTS}),
        ("defects/realisation.py", {"sample"}),
        ("kernels/crystal_pairs.py", {*PHYSICS, *REPORTS}),
        ("kernels/pairs.py", {*PHYSICS, *REPORTS}),
        ("kernels/freeze.py", {"freeze"}),
        ("spins/tempering.py", {"freeze"}),
        ("spins/nearfar.py", {"freeze"}),
        ("elastic/greens.py", {*PHYSICS, *REPORTS}),
        ("elastic/medium.py", {*PHYSICS, *REPORTS}),
        ("files/dataset.py", set(MODULES)),
        ("settings/sweep.py", set()),
        ("settings/checks.py", set()),
        ("settings/config_docs.py", set()),
        ("statistics.py", set(REPORTS)),
        ("stages/sample.py", {"sample"}),
        ("stages/freeze.py", {"freeze"}),
        ("stages/cost.py", set()),
        ("stages/plan.py", set()),
        ("cli.py", set()),
    ],
)
def test_an_edit_concerns_the_stages_that_run_the_file(package, file, stages):
    before = hashes()
    with (package / file).open("a") as module:
        module.write("# edited\n")
    after = hashes()
    assert {stage for stage in MODULES if after[stage] != before[stage]} == stages


@pytest.mark.parametrize(
    ("stage", "floors"),
    [
        ("sample", {"kernels", "spins", "system", "theory", "report"}),
        ("couplings", {"spins", "theory", "report"}),
        ("freeze", {"theory", "report"}),
        ("fields", {"spins", "theory", "report"}),
        ("hamiltonian", {"spins", "theory", "report"}),
        ("aggregate", {"stages", "cli"}),
    ],
)
def test_a_stage_does_not_depend_on_what_it_does_not_run(stage, floors):
    files = provenance.source_files(MODULES[stage])
    found = {path.relative_to(provenance._PACKAGE).parts[0] for path in files}
    assert not floors & found


def test_how_a_users_file_is_read_is_part_of_a_sample():
    """Units and packed numbers are made numbers of ours there."""
    files = {path.name for path in provenance.source_files(MODULES["sample"])}
    assert {"user_defects.py", "foreign.py", "units.py"} <= files


def edited(package, file, old, new):
    before, path = hashes(), package / file
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    after = hashes()
    return {stage for stage in MODULES if after[stage] != before[stage]}


def test_a_figure_merges_nothing_anew_and_what_it_shows_does(package):
    freezing, fields = (f"report/observables/{name}.py" for name in ("freezing", "fields"))
    assert edited(package, freezing, r"freezing temperature\n$k_BT_G$", "T_G") == {"report"}
    assert edited(package, "report/drawing.py", "_FEW = 5", "_FEW = 6") == {"report"}
    assert edited(package, fields, "_CORE = 5.0", "_CORE = 6.0") == {"report"}
    assert edited(package, fields, "histogram_edges(4.0", "histogram_edges(5.0") == set(REPORTS)
    assert edited(package, freezing, "np.geomspace(5.0, 0.05", "np.geomspace(6.0, 0.05") == set(
        REPORTS
    )


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

"""What a wheel holds is enough: a folder, and a workflow that runs in it."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from workbench import RULES, SNAKEFILE, TINY, Bench

ROOT = SNAKEFILE.parent
BUILD = "import setuptools.build_meta as build; build.build_wheel('.')"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with what a wheel of the checkout holds."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for name in ("src", "workflow", "config", "profiles"):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=ignored)
    for name in ("Snakefile", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    subprocess.run([sys.executable, "-c", BUILD], cwd=source, check=True, capture_output=True)
    [wheel] = source.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(target)
    shutil.rmtree(source)
    return target


@pytest.mark.parametrize("moved", [False, True])
def test_the_environment_of_a_moved_checkout_is_made_anew(tmp_path, moved):
    """Its commands name the Python of the old place."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / ".venv").mkdir()
    for name in ("requirements.lock", "pyproject.toml", ".venv/.setup"):
        (tmp_path / name).touch()
    place = tmp_path / "before" if moved else tmp_path
    (tmp_path / ".venv" / ".setup").write_text(f"{place.resolve()}\n", "utf-8")
    make = ["make", "--dry-run", "run"]
    done = subprocess.run(make, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (" -m venv .venv" in done.stdout) == moved


def test_a_wheel_holds_the_package_and_the_workflow(installed):
    def held(package):
        return {
            str(Path(where, name).relative_to(package))
            for where, folders, names in os.walk(package, followlinks=True)
            for name in names
            if "__pycache__" not in where
        }

    assert held(installed / "glasspipe") == held(ROOT / "src" / "glasspipe")


def test_a_study_runs_in_a_folder_of_the_installed(installed, tmp_path):
    there = {"PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    init = Bench(tmp_path).execute([sys.executable, "-m", "glasspipe", "init", "mine"], there)
    assert init.returncode == 0, init.stderr
    folder = Bench(tmp_path / "mine")
    folder.configure(TINY)
    options = {"environment": there, "snakefile": "Snakefile"}
    assert set(folder.planned(config="config/config.yaml", **options)) == set(RULES)
    folder.run_well("--until", "sample", **options)
    assert len(list(folder.results.glob("data/sample/*/*.nc"))) == 2

"""A folder to run studies in: whole, or not there."""

import os
import shutil
from pathlib import Path

import pytest

from glasspipe.cli import main
from glasspipe.files import template

ROOT = Path(__file__).parents[2]


def contents(folder):
    paths = (Path(where, name) for where, _, names in os.walk(folder) for name in names)
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_the_folder_has_what_the_repository_has(tmp_path, capsys):
    folder = tmp_path / "some" / "where"
    assert main(["init", str(folder)]) == 0
    expected = {
        f"{name}/{file}": data
        for name in ("config", "profiles")
        for file, data in contents(ROOT / name).items()
    }
    assert contents(folder) == {"Snakefile": (ROOT / "Snakefile").read_bytes(), **expected}
    assert not any(path.is_symlink() for path in folder.rglob("*"))
    assert str(folder) in capsys.readouterr().out


def test_an_empty_folder_may_be_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["init", "."]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"Snakefile", "config", "profiles"}


def full(folder):
    folder.mkdir()
    (folder / "notes").write_text("mine")


def file(path):
    path.write_text("mine")


def dangling(path):
    path.symlink_to("nowhere")


@pytest.mark.parametrize(
    ("make", "found"), [(full, "is not empty"), (file, "is no folder"), (dangling, "is no folder")]
)
def test_what_is_there_is_refused(tmp_path, capsys, make, found):
    path = tmp_path / "taken"
    make(path)
    before = path.lstat().st_mtime_ns, sorted(tmp_path.rglob("*"))
    assert main(["init", str(path)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert f"{path}: {found}" in line
    assert (path.lstat().st_mtime_ns, sorted(tmp_path.rglob("*"))) == before


@pytest.mark.parametrize("new", [True, False])
def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch, capsys, new):
    def fails(source, target):
        if source.name == "README.md":
            raise OSError(28, "No space left on device", str(target))
        return shutil.copyfile(source, target)

    monkeypatch.setattr(template, "copyfile", fails)
    folder = tmp_path / "study"
    if not new:
        folder.mkdir()
    assert main(["init", str(folder)]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert list(tmp_path.rglob("*")) == ([] if new else [folder])


def test_read_only_originals_give_files_that_can_be_edited(tmp_path, monkeypatch):
    package = tmp_path / "package"
    shutil.copytree(ROOT / "config", package / "template" / "config")
    for path in [*package.rglob("*"), package]:
        path.chmod(path.stat().st_mode & ~0o222)
    monkeypatch.setattr(template, "files", lambda _: package)
    template.write_template(tmp_path / "mine")
    assert all(path.stat().st_mode & 0o200 for path in (tmp_path / "mine").rglob("*"))

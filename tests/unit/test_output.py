"""Files are written where it was asked, never over what was read; every terminal shows text."""

import os
import subprocess
import sys
import threading

import pytest
from workbench import stages

from glasspipe import cli
from glasspipe.files.dataset import replacing
from glasspipe.settings.point import point_from

POINT = {"defects": {"number": 20}, "realisations": 1}


@pytest.fixture
def mine(tmp_path):
    """A user's file of defects, and a point that takes them from it."""
    stages.sample(point_from(POINT), tmp_path / "mine.nc")
    (tmp_path / "m.yaml").write_text(
        f"{{realisations: 1, sample: {{source: {{file: '{tmp_path}/mine.nc'}}}}}}"
    )
    return tmp_path


@pytest.mark.parametrize("through", ["itself", "symbolic link", "hard link"])
def test_an_output_is_not_an_input(mine, capsys, through):
    output, before = mine / "mine.nc", (mine / "mine.nc").read_bytes()
    if through == "symbolic link":
        output = mine / "link.nc"
        output.symlink_to("mine.nc")
    elif through == "hard link":
        output = mine / "hard.nc"
        os.link(mine / "mine.nc", output)
    assert cli.main(["sample", str(mine / "m.yaml"), "-o", str(output)]) == 2
    assert "is the input" in capsys.readouterr().err
    assert (mine / "mine.nc").read_bytes() == before


def test_nor_the_point_nor_what_a_stage_reads(mine, capsys):
    point, sampled = str(mine / "m.yaml"), str(mine / "r.nc")
    assert cli.main(["sample", point, "-o", sampled]) == 0
    for output in (point, sampled):
        before = (mine / output).read_bytes()
        assert cli.main(["couplings", point, sampled, "-o", output]) == 2
        assert "is the input" in capsys.readouterr().err
        assert (mine / output).read_bytes() == before
    assert cli.main(["export", sampled, "-o", sampled]) == 2
    assert "is the input" in capsys.readouterr().err


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "link").symlink_to("folder/target")
    (tmp_path / "folder").mkdir()
    with replacing(tmp_path / "link") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder/target").read_text() == "new"
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["target"]


def test_a_pipe_gets_the_bytes(mine):
    os.mkfifo(mine / "pipe")
    read = []
    reader = threading.Thread(target=lambda: read.append((mine / "pipe").read_bytes()))
    reader.start()
    assert cli.main(["sample", str(mine / "m.yaml"), "-o", str(mine / "pipe")]) == 0
    reader.join(timeout=20)
    assert cli.main(["sample", str(mine / "m.yaml"), "-o", str(mine / "file.nc")]) == 0
    assert read == [(mine / "file.nc").read_bytes()]
    assert (mine / "pipe").is_fifo()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
@pytest.mark.parametrize("command", [["materials"], ["check", "study.yaml"], ["check", "bad.yaml"]])
def test_every_encoding_shows_something(tmp_path, encoding, command):
    (tmp_path / "study.yaml").write_text("{study: s, defects: {number: 20}}")
    (tmp_path / "bad.yaml").write_text("{study: s, lattice: {constant: -1}}")
    done = subprocess.run(
        [sys.executable, "-m", "glasspipe", *command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    text = (done.stdout + done.stderr).decode(encoding)
    assert done.returncode == (2 if "bad.yaml" in command else 0), text
    assert "Traceback" not in text
    shown = {"materials": "g/cm", "study.yaml": "10", "bad.yaml": "a number > 0 ("}[command[-1]]
    assert shown in text
    if encoding == "ascii" and "bad.yaml" in command:
        assert text.strip().endswith("allowed: a number > 0 (A)")


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out.startswith("glasspipe 0.")

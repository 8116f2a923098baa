"""Stopped at any time and started again, the freeze stage ends in the same bytes."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time

import h5netcdf
import pytest
from workbench import part, stages

from glasspipe.files.checkpoint import Checkpoint, Owner, StoppedError, path_of
from glasspipe.files.seal import seal
from glasspipe.kernels import freeze as kernels
from glasspipe.settings.point import point_from
from glasspipe.settings.reading import read_mapping
from glasspipe.stages import display, study_files

ANNEALING = {"sweeps": 200_000, "steps": 10, "replicas": 2}
TEMPERING = {"method": "tempering", "sweeps": 200_000, "steps": 10, "replicas": 2}
PATIENCE = 60


def point_of(freeze):
    return {
        "defects": {"number": 20, "concentration": 0.1},
        "realisations": 3,
        "freeze": freeze,
    }


def made(folder, freeze):
    """Write a point and the couplings of its realisations."""
    (folder / "point.json").write_text(json.dumps(point_of(freeze)), "utf-8")
    point = point_from(read_mapping(folder / "point.json"))
    stages.sample(point, folder / "sample.nc")
    stages.couplings(point, folder / "sample.nc", folder / "couplings.nc")
    return point


def start(folder, seconds="0.1"):
    command = [sys.executable, "-m", "glasspipe", "freeze", "point.json", "couplings.nc"]
    return subprocess.Popen(
        [*command, "-o", "out.nc", "--checkpoint", seconds],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(path, running):
    for _ in range(100 * PATIENCE):
        if path.exists():
            return
        assert running.poll() is None, running.stderr.read()
        time.sleep(0.01)
    pytest.fail(f"no {path}")


@pytest.mark.parametrize(
    ("freeze", "how"),
    [
        (ANNEALING, signal.SIGTERM),
        (ANNEALING, signal.SIGKILL),
        (TEMPERING, signal.SIGKILL),
        (TEMPERING, signal.SIGINT),
    ],
    ids=["annealing-term", "annealing-kill", "tempering-kill", "tempering-int"],
)
def test_stopped_and_started_again(tmp_path, freeze, how):
    point = made(tmp_path, freeze)
    stages.freeze(point, tmp_path / "couplings.nc", tmp_path / "whole.nc")
    output = tmp_path / "out.nc"
    kept = path_of(output)
    running = start(tmp_path)
    wait_for(kept, running)
    running.send_signal(how)
    said = running.communicate()[1]
    assert not output.exists()
    assert kept.exists()
    if how == signal.SIGKILL:
        assert running.returncode == -how
    else:
        assert running.returncode == 128 + how
        assert f"stopped by {how.name}" in said
        assert said.count("\n") == 1
    running = start(tmp_path)
    assert "goes on from" in running.communicate()[1]
    assert running.returncode == 0
    assert output.read_bytes() == (tmp_path / "whole.nc").read_bytes()
    assert not kept.exists()


# ---- without a process of its own

SHORT = {"sweeps": 2000, "steps": 10, "replicas": 2}


@pytest.fixture
def stopped(tmp_path, monkeypatch):
    """A run that was told to stop in its second realisation; its folder and point."""
    point = made(tmp_path, SHORT)
    calls = iter(range(100))
    keep = Checkpoint.keep

    def told(self, state):
        if next(calls) == 16:
            os.kill(os.getpid(), signal.SIGTERM)
        keep(self, state)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "keep", told)
        with pytest.raises(StoppedError, match="stopped by SIGTERM"):
            stages.freeze(point, tmp_path / "couplings.nc", tmp_path / "out.nc")
    return tmp_path, point


def again(folder, point, name="out.nc"):
    stages.freeze(point, folder / "couplings.nc", folder / name)
    return (folder / name).read_bytes()


def test_the_rest_is_done_and_no_more(stopped, monkeypatch):
    folder, point = stopped
    owner = Owner(part(point, "freeze"), "glasspipe.stages.freeze", folder / "couplings.nc")
    checkpoint = Checkpoint(folder / "out.nc", owner, 1)
    state, about = checkpoint.load()
    assert "goes on from" in about
    assert len(checkpoint.rows) == 1
    assert 0 < state["done"] < 2000
    whole = again(folder, point, "whole.nc")
    swept = []
    kernel = kernels.anneal
    monkeypatch.setattr(kernels, "anneal", lambda *a: (swept.append(len(a[3])), kernel(*a)))
    assert again(folder, point) == whole
    assert sum(swept) == 3 * 2000 - 2000 - state["done"]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def other_input(folder):
    with h5netcdf.File(folder / "couplings.nc", "a") as file:
        file["B"][0, 0] *= 1 + 1e-12
    seal(folder / "couplings.nc")


def other_point(folder):
    text = (folder / "point.json").read_text("utf-8").replace("2000", "1000")
    (folder / "point.json").write_text(text, "utf-8")


def half(folder):
    path = path_of(folder / "out.nc")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(folder):
    """In the name of an array, which a ZIP file has in two places."""
    path = path_of(folder / "out.nc")
    path.write_bytes(path.read_bytes().replace(b"state/done", b"state/dole"))


def text(folder):
    path_of(folder / "out.nc").write_text("not a checkpoint", "utf-8")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (other_input, "of another run, not used"),
        (other_point, "of another run, not used"),
        (half, "damaged, not used"),
        (flipped, "damaged, not used"),
        (text, "damaged, not used"),
    ],
)
def test_what_belongs_elsewhere_is_not_used(stopped, capsys, change, says):
    folder, _ = stopped
    change(folder)
    point = point_from(read_mapping(folder / "point.json"))
    capsys.readouterr()
    found = again(folder, point)
    assert says in capsys.readouterr().err
    assert found == again(folder, point, "whole.nc")
    assert not path_of(folder / "out.nc").exists()


def test_only_what_is_of_no_more_use_is_removed(stopped):
    folder, _ = stopped
    kept = path_of(folder / "out.nc")
    (folder / ".out.nc.123.part").touch()
    study_files.remove_unfinished(folder)
    assert kept.exists()
    assert not (folder / ".out.nc.123.part").exists()
    (folder / "out.nc").touch()
    study_files.remove_unfinished(folder)
    assert not kept.exists()


# ---- what is shown


class Stream(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.isatty = lambda: terminal


def shown(monkeypatch, terminal, seconds, calls):
    """Return what a run of so many seconds shows."""
    clock = {"now": 0.0}
    monkeypatch.setattr(display.time, "monotonic", lambda: clock["now"])
    stream = Stream(terminal)
    one = display.Display("freeze", 4, stream)
    for n in range(calls):
        clock["now"] = seconds * n / calls
        one.show(n * 4 // calls, (n * 4 / calls) % 1, -0.0125, 0.25)
    one.clear()
    return stream.getvalue()


def test_a_short_run_is_silent_in_a_log_and_a_long_one_is_not(monkeypatch):
    assert shown(monkeypatch, False, 59, 100) == ""
    lines = shown(monkeypatch, False, 3600, 1000).splitlines()
    assert len(lines) == 6
    assert lines[0].startswith("glasspipe freeze: realisation 1 of 4, 2 %: E/N = -0.0125 eV, acc")


def test_a_terminal_has_a_bar(monkeypatch):
    text = shown(monkeypatch, True, 10, 100)
    assert re.search(r"freeze \[#{12}\.{12}\] realisation 3 of 4, 5\d %: E/N = -0.0125 eV", text)
    assert "acceptance 0.250" in text
    assert text.endswith("\r\x1b[K")
    assert "\n" not in text


def test_a_log_that_nobody_reads_any_more_does_not_end_the_run(monkeypatch):
    stream = Stream(False)
    monkeypatch.setattr(stream, "write", lambda _: (_ for _ in ()).throw(BrokenPipeError))
    display.Display("freeze", 1, stream).line("text")

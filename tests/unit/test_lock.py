"""A study is locked by a process that lives, and by no other."""

import errno
import fcntl
import subprocess
import sys

import pytest

from glasspipe.errors import DataError
from glasspipe.files import lock
from glasspipe.files.lock import is_locked, locked

HOLDER = """
import subprocess, sys, time
from pathlib import Path
from glasspipe.files.lock import locked
with locked(Path(sys.argv[1])):
    print(subprocess.Popen(["sleep", "60"]).pid, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that has locked the folder, and its child, which outlives it."""
    command = [sys.executable, "-c", HOLDER, tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        child = int(process.stdout.readline())
        yield process
        process.kill()
    subprocess.run(["kill", str(child)], check=True)


def test_a_living_run_is_respected_and_a_killed_one_is_not(tmp_path, holder):
    message = f"process {holder.pid} on .* runs this study; allowed: one run at a time"
    for _ in range(2):  # a refusal leaves all as it was
        with pytest.raises(DataError, match=message), locked(tmp_path):
            pass
    assert is_locked(tmp_path)
    holder.kill()
    holder.wait()
    assert not is_locked(tmp_path)
    with locked(tmp_path) as held:
        assert held


def test_who_only_asks_is_waited_for(tmp_path, monkeypatch, holder):
    def wait(_):
        holder.kill()
        holder.wait()

    monkeypatch.setattr(lock.time, "sleep", wait)
    with locked(tmp_path) as held:
        assert held


def test_what_was_never_run_is_not_locked(tmp_path):
    assert not is_locked(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_file_system_without_locks(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", refuse)
    with locked(tmp_path) as held:
        assert not held
    assert not is_locked(tmp_path)

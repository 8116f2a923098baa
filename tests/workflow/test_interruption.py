"""After kill -9 nothing under a final name is partial; the same command ends in the same bytes."""

import os
import re
import signal
import subprocess
import time

import h5netcdf
import pytest
from workbench import TINY, Bench

SLOW = {
    **TINY,
    "freeze": {"sweeps": 400_000, "steps": 10},
    "sweep": {"defects.concentration": {"values": [0.01]}},
}
UNTIL = ("--until", "fields")
PATIENCE = 60


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    bench = Bench(tmp_path_factory.mktemp("uninterrupted"))
    bench.configure(SLOW)
    bench.run_well(*UNTIL)
    return data(bench)


def data(bench):
    """Return the bytes of the data files that stay."""
    return {path.relative_to(bench.cwd): path.read_bytes() for path in bench.cwd.rglob("*.nc")}


def wait_for(bench, pattern):
    """Return the file of the study that appears."""
    for _ in range(100 * PATIENCE):
        if found := list(bench.results.glob(pattern)):
            return found[0]
        time.sleep(0.01)
    pytest.fail(f"no {pattern}")


def wait_for_a_job_that_writes(bench):
    """Return its number."""
    return int(wait_for(bench, "data/freeze/*/.*.nc.*.part").suffixes[-2].removeprefix("."))


def test_a_running_study_is_left_alone(bench, uninterrupted):
    """By another run of it, which is refused, and by the plan of another study of that name."""
    bench.configure(SLOW)
    running = subprocess.Popen(bench.command(*UNTIL), cwd=bench.cwd, stderr=subprocess.DEVNULL)
    wait_for_a_job_that_writes(bench)
    running.send_signal(signal.SIGSTOP)  # or it might have ended before the others begin
    record = (bench.results / "study.json").read_bytes()
    bench.configure({**SLOW, "realisations": 2})
    refused = bench.run(*UNTIL)
    assert refused.returncode == 1
    (line,) = [line for line in refused.stderr.splitlines() if line.startswith("glasspipe")]
    assert f"results/tiny: process {running.pid} on " in line
    assert line.endswith(" runs this study; allowed: one run at a time")
    assert "unlock" not in refused.stderr
    bench.run_well("--dry-run", *UNTIL)
    assert (bench.results / "study.json").read_bytes() == record
    running.send_signal(signal.SIGCONT)
    assert running.wait() == 0
    assert data(bench) == uninterrupted


@pytest.mark.parametrize("orphans_live", [True, False])
def test_killed_and_resumed_ends_in_the_same_bytes(bench, uninterrupted, orphans_live):
    bench.configure(SLOW)
    running = subprocess.Popen(
        bench.command(*UNTIL), cwd=bench.cwd, stderr=subprocess.DEVNULL, start_new_session=True
    )
    wait_for_a_job_that_writes(bench)
    if orphans_live:
        running.kill()
    else:
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    for path, content in data(bench).items():
        h5netcdf.File(bench.cwd / path).close()
        assert content == uninterrupted.get(path, content)
    bench.run_well(*UNTIL)
    assert data(bench) == uninterrupted
    assert list(bench.results.rglob(".*.part")) == []


def test_a_job_that_is_killed_is_told_and_made_again(bench, uninterrupted):
    """As where memory is short: it cannot say anything itself."""
    bench.configure(SLOW)
    running = subprocess.Popen(
        bench.command("--keep-going", *UNTIL), cwd=bench.cwd, stderr=subprocess.PIPE, text=True
    )
    os.kill(wait_for_a_job_that_writes(bench), signal.SIGKILL)
    said = running.communicate()[1]
    assert running.returncode == 1
    assert "Killed" in said
    assert re.search(
        r"jobs done, 1 failed, nothing runs, .*\n\nfailed:\nfreeze: \S+\.log", said, re.S
    )
    bench.run_well(*UNTIL)
    assert data(bench) == uninterrupted


def test_a_time_limit_costs_nothing(bench, uninterrupted):
    """SIGTERM to every process, as from a cluster: Snakemake deletes no checkpoint."""
    bench.configure(SLOW)
    running = subprocess.Popen(
        bench.command(*UNTIL), cwd=bench.cwd, stderr=subprocess.DEVNULL, start_new_session=True
    )
    wait_for_a_job_that_writes(bench)
    os.killpg(running.pid, signal.SIGTERM)
    running.wait()
    checkpoint = wait_for(bench, "data/freeze/*/.*.nc.checkpoint")  # the job may outlive Snakemake
    assert not list(bench.results.glob("data/freeze/*/*.nc"))
    done = bench.run_well(*UNTIL)
    assert "goes on from" in done.stderr
    assert data(bench) == uninterrupted
    assert not checkpoint.exists()

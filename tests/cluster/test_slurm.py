"""A study on a real Slurm ends in the bytes of a local run, by either profile."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from loopback import slurm, wait_for
from workbench import TINY, Bench

PROFILES = Path(__file__).parents[2] / "profiles"
STUDY = {**TINY, "realisations": 4, "realisations_per_job": 2}
SLOW = {
    **TINY,
    "realisations": 2,
    "realisations_per_job": 1,
    "freeze": {"sweeps": 1_000_000, "steps": 10},
    "sweep": {"defects.concentration": {"values": [0.01]}},
}
SLURM = (
    *("--slurm-no-account", "--slurm-status-command", "squeue"),
    *("--slurm-init-seconds-before-status-checks", "1"),
)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    with slurm(tmp_path_factory.mktemp("slurm")) as environment:
        yield environment


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    return study(tmp_path_factory.mktemp("local"))


def study(folder, *arguments, **options):
    """Run the study in a folder."""
    bench = Bench(folder)
    bench.configure(STUDY)
    bench.run_well(*arguments, **options)
    return bench


def profile(name):
    return ("--profile", str(PROFILES / name), "--latency-wait", "5")


def data(bench):
    return {path.relative_to(bench.cwd): path.read_bytes() for path in bench.cwd.rglob("*.nc")}


def test_a_study_of_points_and_chunks(tmp_path, environment, local):
    remote = study(tmp_path, *profile("slurm"), *SLURM, environment=environment)
    assert remote.merged() == local.merged()
    assert data(remote) == data(local)


def test_a_cancelled_job_is_told_while_others_go_on(tmp_path, environment):
    """And the same command ends in the bytes of a run that nothing disturbed."""
    until = ("--until", "freeze")
    bench, undisturbed = (Bench(tmp_path / name) for name in ("cancelled", "undisturbed"))
    for each in (bench, undisturbed):
        each.cwd.mkdir()
        each.configure(SLOW)
    running = subprocess.Popen(
        bench.command(*profile("slurm"), *SLURM, "--keep-going", "--retries", "0", *until),
        cwd=bench.cwd,
        env={**os.environ, **environment},
        stderr=subprocess.DEVNULL,
    )
    wait_for(
        lambda: list(bench.results.glob("data/freeze/*/.*.part")), "job", tmp_path, patience=300
    )
    queue = ["squeue", "--noheader", "--states=running", "--format=%i"]
    [job, *_] = bench.execute(queue, environment).stdout.split()
    bench.execute(["scancel", job], environment)
    watch = [sys.executable, "-m", "glasspipe", "watch", "study.json"]
    told = bench.execute(watch).stdout
    assert running.wait() == 1
    assert re.search(
        r" 3 failed, nothing runs, .*\n\nfailed:\n(\w+: \S+\.log: .*\n){3}", told, re.S
    )
    bench.run_well(*until)
    undisturbed.run_well(*until)
    assert data(bench) == data(undisturbed)


def test_a_scheduler_by_its_commands(tmp_path, environment, local):
    until = ("--until", "sample")
    remote = study(tmp_path, *profile("generic"), *until, environment=environment)
    made = data(remote)
    assert len(made) == 4
    assert made.items() <= data(local).items()

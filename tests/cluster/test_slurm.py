"""A study on a real Slurm ends in the bytes of a local run, by either profile."""

from pathlib import Path

import pytest
from loopback import slurm
from workbench import TINY, Bench

PROFILES = Path(__file__).parents[2] / "profiles"
STUDY = {**TINY, "realisations": 4, "realisations_per_job": 2}
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


def test_a_scheduler_by_its_commands(tmp_path, environment, local):
    until = ("--until", "sample")
    remote = study(tmp_path, *profile("generic"), *until, environment=environment)
    made = data(remote)
    assert len(made) == 4
    assert made.items() <= data(local).items()

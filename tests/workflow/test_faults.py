"""A disk that is really full, in a mount namespace of the command's own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from workbench import stages

from glasspipe.settings.point import point_from

NAMESPACE = ("unshare", "--map-root-user", "--mount", "sh", "-ec")
FULL = 'mount -t tmpfs -o size="$1" none "$2"; cp -a "$3"/. "$2"; '
LOOK = 'diff -r "$2" "$3" >&2; exit $status'

POINT = {
    "defects": {"number": 60, "concentration": 0.1},
    "realisations": 12,
    "freeze": {"sweeps": 20, "steps": 10},
}
INPUTS = {
    "sample": (),
    "couplings": ("sample",),
    "freeze": ("couplings",),
    "fields": ("sample", "freeze"),
}


def isolated(script, *arguments):
    """Run a shell script that may mount what it likes."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        [*NAMESPACE, script, "sh", *map(str, arguments)],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module", autouse=True)
def namespaces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mounted")
    if isolated('mount -t tmpfs none "$1"', folder).returncode:
        pytest.skip("the system lets nobody mount in a namespace")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A point and the files of its stages; not to be changed."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "point.json").write_text(json.dumps(POINT), "utf-8")
    point = point_from(POINT)
    for stage, reads in INPUTS.items():
        inputs = [folder / f"{name}.nc" for name in reads]
        getattr(stages, stage)(point, *inputs, folder / f"{stage}.nc")
    return folder


def command(made, stage, output):
    inputs = " ".join(f"{made}/{name}.nc" for name in INPUTS[stage])
    return f"glasspipe {stage} {made}/point.json {inputs} --output {output}"


def refused(done, message):
    (line,) = done.stderr.splitlines()
    assert line.startswith("glasspipe ")
    assert message in line
    assert done.returncode == 2


@pytest.mark.parametrize("stage", INPUTS)
def test_a_full_disk_ends_a_stage_in_one_line(made, tmp_path, stage):
    """HDF5 would end in a crash, after hundreds of lines."""
    folder, nothing = tmp_path / "small", tmp_path / "nothing"
    folder.mkdir()
    nothing.mkdir()
    script = f"{FULL}status=0; {command(made, stage, folder / 'out.nc')} || status=$?; {LOOK}"
    refused(isolated(script, "16k", folder, nothing), "out.nc: No space left on device")

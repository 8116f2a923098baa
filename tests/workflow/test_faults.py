"""What a machine may do to a run: full disks, folders that nobody may write, damaged caches.

Each fault is real, in a mount namespace of the command's own.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import pytest
from workbench import TINY, stages

import glasspipe
from glasspipe.kernels import cache_folder
from glasspipe.settings.point import point_from

PACKAGE = Path(glasspipe.__file__).parent
COMPILED = cache_folder(PACKAGE / "kernels")
NAMESPACE = ("unshare", "--map-root-user", "--mount", "sh", "-ec")
FULL = 'mount -t tmpfs -o size="$1" none "$2"; cp -a "$3"/. "$2"; '
LOOK = 'rm -f "$2/filler"; diff -r "$2" "$3" >&2; exit $status'
READ_ONLY = 'for path; do mount --bind "$path" "$path"; mount -o remount,bind,ro "$path"; done'

POINT = {
    "defects": {"number": 60, "concentration": 0.1},
    "realisations": 12,
    "freeze": {"sweeps": 20, "steps": 10},
    "hamiltonian": {"store": "dense"},
}
INPUTS = {
    "sample": (),
    "couplings": ("sample",),
    "freeze": ("couplings",),
    "fields": ("sample", "freeze"),
    "hamiltonian": ("sample", "couplings", "freeze"),
}


def isolated(script, *arguments, **environment):
    """Run a shell script that may mount what it likes."""
    outside = {name: value for name, value in os.environ.items() if name[:5] != "NUMBA"}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    inside = {name: str(value) for name, value in environment.items()}
    return subprocess.run(
        [*NAMESPACE, script, "sh", *map(str, arguments)],
        env={**outside, "PATH": path, **inside},
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
        if stage != "hamiltonian":
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


@pytest.mark.parametrize("what", ["aggregate --point", "aggregate", "report"])
def test_a_full_disk_takes_no_result(finished, tmp_path, what):
    """20 kB are left, enough for the first of the report's files."""
    folder = tmp_path / finished.results.name
    folder.mkdir()
    name = next((finished.results / "points").iterdir()).stem if "--point" in what else ""
    run = f'glasspipe {what} {name} "$2" || status=$?'
    fill = 'cat /dev/zero >"$2/filler" 2>/dev/null || truncate --size=-20k "$2/filler"; '
    done = isolated(f"{FULL}{fill}status=0; {run}; {LOOK}", "64m", folder, finished.results)
    refused(done, "No space left on device")


def test_an_installation_that_is_read_only(made, tmp_path):
    """Compiled loops go to the user's cache; where that is read-only too, it is said."""
    home = tmp_path / "home"
    shutil.copytree(COMPILED, home / ".cache" / "glasspipe" / COMPILED.name)
    output = tmp_path / "out.nc"
    run = f'{READ_ONLY}; export HOME="$home"; {command(made, "freeze", output)}'
    done = isolated(run, PACKAGE, home=home, XDG_CACHE_HOME="")
    assert done.returncode == 0, done.stderr
    assert output.read_bytes() == (made / "freeze.nc").read_bytes()
    done = isolated(run, PACKAGE, home, home=home, XDG_CACHE_HOME="")
    refused(done, "no compiled loop can be written there; set NUMBA_CACHE_DIR to a folder for them")


def workflow(bench, *arguments):
    """Return the command that runs a bench's study, and what nobody may write there."""
    return f'cd "$folder"; {READ_ONLY}; {shlex.join(bench.command(*arguments))}'


def test_results_that_are_read_only(finished):
    run = workflow(finished, "--forcerun", "report")
    done = isolated(run, finished.cwd / "results", folder=finished.cwd)
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert line == "glasspipe: results/tiny/.lock: Read-only file system"


def test_a_home_that_is_read_only(bench, tmp_path):
    """Snakemake and numba have their caches elsewhere, as the docs say."""
    home, cache = tmp_path / "home", tmp_path / "cache"
    for folder in (home, cache):
        folder.mkdir()
    bench.configure(TINY)
    run = workflow(bench, "--until", "sample")
    done = isolated(run, home, folder=bench.cwd, HOME=home, XDG_CACHE_HOME=cache)
    assert done.returncode == 0, done.stderr
    assert len(list(bench.results.glob("data/sample/*/*.nc"))) == 2
    assert list(home.iterdir()) == []


def flipped(content, place):
    """Bytes of which one bit is another."""
    changed = bytearray(content)
    changed[place] ^= 4
    return bytes(changed)


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize(
    "damaged",
    [
        lambda _: b"",
        lambda content: content[:30],
        lambda content: content[:-1],
        lambda content: flipped(content, len(content) // 2),
        lambda content: flipped(content, -1),
    ],
)
def test_a_damaged_cache_heals_itself(tmp_path, monkeypatch, suffix, damaged):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))

    def compiled():
        def increased(number):
            return number + 1

        return numba.njit(cache=True)(increased)

    first = compiled()
    assert first(1) == 2
    (file,) = tmp_path.rglob(f"*{suffix}")
    file.write_bytes(damaged(file.read_bytes()))
    healed = compiled()
    assert healed(1) == 2
    assert sum(healed.stats.cache_misses.values()) == 1
    again = compiled()
    assert again(1) == 2
    assert sum(again.stats.cache_hits.values()) == 1

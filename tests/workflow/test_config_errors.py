"""A bad config ends in one line before anything is written, and never in a shell."""

import json

import pytest
from workbench import TINY, stages

from glasspipe.settings.point import point_from

NASTY = "$(touch pwned); \"quoted\" 'file' `touch pwned`.nc"


def with_(**sections):
    return {**TINY, **sections}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (with_(medum="KBr"), "medum: unknown key; did you mean medium?"),
        (with_(study="x; touch pwned"), "study: found the text 'x; touch pwned'; allowed: letters"),
        (
            with_(lattice={"type": "$(touch pwned)"}),
            "lattice.type: found the text '$(touch pwned)'",
        ),
        ('study: tiny\nseed: "1e-3"', "seed: found the text '1e-3'"),
        ("study: tiny\nseed: 1\nseed: 2", "line 3: the key 'seed' is there twice"),
        (
            with_(medium={"density": 2, "c_l": 2, "c_t": 2}, boundary="stress_free"),
            "boundary: found stress_free with a bulk modulus K of -2.66667 GPa; allowed: K > ",
        ),
        (
            with_(sample={"source": {"file": "study.json"}}),
            "study.json: damaged or not a NetCDF4 file",
        ),
        (with_(sample={"source": {"file": "a<b>.nc"}}), "sample.source.file: found 'a<b>.nc'"),
    ],
)
def test_a_bad_config_ends_in_one_line(bench, config, message):
    bench.configure(config)
    (bench.cwd / "a<b>.nc").touch()
    before = set(bench.cwd.iterdir())
    done = bench.run()
    assert done.returncode != 0
    (line,) = (line for line in done.stderr.splitlines() if "specific profile" not in line)
    assert line.startswith("glasspipe: ")
    assert message in line
    assert {path.name for path in set(bench.cwd.iterdir()) - before} <= {".snakemake"}


def test_a_path_is_not_code(bench):
    point = point_from({"defects": {"number": 10, "concentration": 0.1}, "realisations": 1})
    stages.sample(point, bench.cwd / NASTY)
    source = {"source": {"file": NASTY}}
    bench.configure({"study": "tiny", "sample": source, "realisations": 1})
    bench.run_well("--until", "sample")
    assert not (bench.cwd / "pwned").exists()
    (made,) = bench.results.glob("data/sample/*/*.nc")
    assert json.loads((made.parent / "point.json").read_text())["sample"] == source


def test_the_config_in_the_working_directory_is_the_default(bench):
    (bench.cwd / "config").mkdir()
    (bench.cwd / "config" / "config.yaml").write_text("study: elsewhere\n", "utf-8")
    command = bench.command("--summary")
    del command[command.index("--configfile") : command.index("--cores")]
    done = bench.execute(command)
    assert done.returncode == 0
    assert "results/elsewhere/" in done.stdout
    assert not (bench.cwd / "results").exists()

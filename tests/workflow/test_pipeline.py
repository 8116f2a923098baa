"""A whole study: its files, and what a second run, another split or a change makes again."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import h5netcdf
import pandas as pd
import pytest
from workbench import RULES, SNAKEFILE, TINY, part

import glasspipe
from glasspipe.files.export import load
from glasspipe.files.record import has_failed, read_record
from glasspipe.files.variables import REALISATION
from glasspipe.report.costs import costs
from glasspipe.stages import STAGES, study_files

GLOBAL_ATTRIBUTES = {"stage", "point", "point_hash", "versions", "git_revision"}

MODULE = """
module glasspipe:
    snakefile: "{}"
    config: config
use rule * from glasspipe
"""
DOCUMENTED = re.search(
    "```snakemake\n(.*?)```", (SNAKEFILE.parent / "config/README.md").read_text("utf-8"), re.DOTALL
)[1]

DEFECT_COLUMNS = [
    *("position_x", "position_y", "position_z", "S", "B", "h", "b_gamma", "b_eta", "b"),
    *("J_abs", "J_tau", "D", "Delta", "splitting"),
]


def test_a_prefix_of_a_module_is_refused(bench):
    """Commands and records would not have it."""
    own = MODULE.format(SNAKEFILE).replace("config: config", 'config: config\n    prefix: "else"')
    (bench.cwd / "Snakefile").write_text(own, "utf-8")
    bench.configure(TINY)
    done = bench.run("--dry-run", snakefile=bench.cwd / "Snakefile")
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1].startswith("glasspipe: prefix: found one that makes else/")


def test_a_study_makes_the_documented_files(finished):
    made = {path.relative_to(finished.results).parts[0] for path in finished.results.rglob("*")}
    assert made - {".lock"} == {
        *(
            "benchmarks",
            "claims.csv",
            "claims.md",
            "data",
            "defects.parquet",
            "distributions.nc",
            "figures",
            "fits.csv",
        ),
        *("freezing.nc", "logs", "low_energy.nc", "points", "study.json", "summary.csv"),
        *("report.html", "summary.parquet", "tables", "traces.nc"),
    }
    assert {path.suffix for path in (finished.results / "tables").iterdir()} == {".csv", ".tex"}
    kinds = {path.suffix for path in (finished.results / "figures").iterdir()}
    assert kinds == {".pdf", ".png", ".rst"}


def test_U_is_deleted_after_use(finished):
    assert list(finished.results.glob("data/couplings/*/*.nc")) == []


@pytest.mark.parametrize("stage", ["sample", "freeze", "fields"])
def test_data_files_are_as_documented(finished, stage):
    study = study_files.load(finished.results)
    assert len(study.points) == 2
    tempered = {"swap_rate", "round_trips", "round_trip_time", "log_energy"}
    implicit = {"staleness", "near_neighbours", "anneal_mesh"}
    implicit |= {name for name in STAGES[stage].variables if name.endswith("_error")}
    absent = {"zeta_minus", "E", "epsilon", "static"} | tempered | implicit
    variables = {"realisation": REALISATION, **STAGES[stage].variables}
    for point in study.points:
        for path in point.files[stage]:
            with h5netcdf.File(path) as file:
                assert set(file.attrs) >= GLOBAL_ATTRIBUTES
                assert file.attrs["stage"] == stage
                assert file.attrs["point_hash"] == part(point.point, stage).hash
                assert json.loads(file.attrs["point"]) == part(point.point, stage).sections
                assert list(file.variables["realisation"]) == [0, 1, 2]
                assert set(file.variables) == set(variables) - absent
                for name, variable in file.variables.items():
                    about = variables[name]
                    assert variable.dimensions == tuple(about.dimensions.split())
                    assert variable.dtype == about.dtype
                    assert set(variable.attrs) >= {"units", "long_name", "reference"}


def test_every_defect_has_a_row(finished):
    table = pd.read_parquet(finished.results / "defects.parquet")
    assert [c for c in table.columns if c != "defects_concentration"] == [
        *("realisation", "defect"),
        *DEFECT_COLUMNS,
    ]
    counts = table.groupby("defects_concentration").size()
    numbers = [point.point.model.defects * 3 for point in study_files.load(finished.results).points]
    assert dict(counts) == dict(zip([0.01, 0.1], numbers, strict=True))


def test_each_job_has_a_log_and_a_record(finished):
    jobs = {"sample": 2, "couplings": 2, "freeze": 2, "fields": 2}
    jobs["aggregate_point"] = 2
    made = []
    for folder, suffix in (("logs", ".log"), ("benchmarks", ".json")):
        inside = finished.results / folder
        files = [path.relative_to(inside) for path in inside.rglob(f"*{suffix}")]
        for rule, number in jobs.items():
            assert len([path for path in files if path.parts[0] == rule]) == number
        made.append({path.with_suffix("") for path in files})
    assert made[0] == made[1]
    assert len(made[0]) == sum(jobs.values()) + 2
    assert costs(finished.results)["jobs"].sum() == 12


def test_hamiltonians_are_stored_on_request(copied):
    copied.configure({**TINY, "hamiltonian": {"store": "pairs"}})
    copied.run_well("--until", "hamiltonian")
    made = list(copied.results.glob("data/hamiltonian/*/*.nc"))
    assert len(made) == 2
    assert not list(copied.results.glob("data/couplings/*/*.nc"))
    for path in made:
        assert load(path, spins="S", realisation=2).about["U_dropped"] > 0


def test_a_second_run_does_nothing(copied):
    before = copied.state()
    assert "Nothing to be done" in copied.run_well().stderr
    after = copied.state()
    lock = copied.results / ".lock"
    assert after.pop(lock) > before.pop(lock)
    assert after == before


def test_a_run_that_fails_tells_where(copied):
    """And what earlier runs said of the job that failed does not pass for its success."""
    (copied.results / "report.html").unlink()
    summary = copied.results / "summary.parquet"
    before = summary.stat()
    summary.write_bytes(b"damaged")
    os.utime(summary, ns=(before.st_atime_ns, before.st_mtime_ns))
    done = copied.run()
    assert done.returncode == 1
    assert "study tiny: 11 of 12 jobs done" in done.stderr
    _, _, told = done.stderr.partition("\n\nfailed:\n")
    log = "results/tiny/logs/report.log"
    assert told.startswith(f"report: {log}: glasspipe report: ")
    assert (copied.cwd / log).read_text().strip() in told
    record = copied.results / "benchmarks" / "report.json"
    assert has_failed(record)
    assert read_record(record) is None


def test_the_split_does_not_change_a_byte(finished, bench):
    bench.configure({**TINY, "realisations_per_job": 2})
    bench.run_well("--until", "aggregate", cores=1)
    made, expected = bench.merged(), finished.merged()
    assert {"summary.parquet", "distributions.nc"} <= set(made)
    assert made == {name: expected[name] for name in made}


def test_the_summary_is_printed(finished):
    done = finished.execute([sys.executable, "-m", "glasspipe", "summary", "results/tiny"])
    assert done.returncode == 0
    assert " = " in done.stdout
    assert "±" in done.stdout
    assert "results/tiny" in done.stdout


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"freeze": {"sweeps": 100, "steps": 10, "replicas": 2}}, RULES[1:]),
        ({"boundary": "clamped"}, RULES[1:]),
        ({"aggregate": {"bootstrap": 11}}, RULES[4:]),
        ({"aggregate": {"bootstrap": 10, "fit_below": 0.1}}, RULES[5:]),
        ({"defects": {"number": 60}}, RULES),
    ],
)
def test_a_change_repeats_only_what_depends_on_it(copied, change, again):
    copied.configure({**TINY, **change})
    assert set(copied.planned()) == set(again)


def test_a_new_point_leaves_the_others_alone(copied):
    copied.configure({**TINY, "sweep": {"defects.concentration": {"values": [0.01, 0.05, 0.1]}}})
    assert copied.planned() == dict.fromkeys(RULES, 1)


@pytest.mark.parametrize(
    ("deleted", "again"),
    [
        ("fits.csv", RULES[5:]),
        ("points/*.nc", RULES[4:]),
        ("defects.parquet/*.parquet", RULES[4:]),
        ("figures/freezing.pdf", RULES[6:]),
        ("data/sample/*/*.nc", RULES),
        ("data/freeze/*/*.nc", RULES[1:]),
        ("data/fields/*/*.nc", RULES[3:]),
    ],
)
def test_any_result_that_is_missing_is_made_again(copied, deleted, again):
    next(copied.results.glob(deleted)).unlink()
    assert copied.planned() == dict.fromkeys(again, 1)


@pytest.mark.parametrize(
    ("module", "again"),
    [
        ("defects/species.py", RULES),
        ("kernels/freeze.py", RULES[1:]),
        ("system/fields.py", RULES[3:]),
        ("statistics.py", RULES[4:]),
        ("report/figures.py", RULES[6:]),
        ("cli.py", ()),
    ],
)
def test_an_edited_module_repeats_only_what_depends_on_it(copied, tmp_path, module, again):
    package = tmp_path / "edited" / "glasspipe"
    shutil.copytree(Path(glasspipe.__file__).parent, package)
    with (package / module).open("a") as file:
        file.write("# edited\n")
    planned = copied.planned(environment={"PYTHONPATH": str(package.parent)})
    assert set(planned) == set(again)


def test_a_point_can_be_rerun_by_hand(copied):
    (made, *_) = sorted(copied.results.glob("data/sample/*/*.nc"))
    command = [sys.executable, "-m", "glasspipe", "sample", made.parent / "point.json"]
    subprocess.run([*command, "--count", "3", "-o", copied.cwd / "again.nc"], check=True)
    assert (copied.cwd / "again.nc").read_bytes() == made.read_bytes()


@pytest.mark.parametrize("module", [False, True])
def test_the_workflow_has_a_default_target_elsewhere(bench, module):
    bench.configure(TINY)
    snakefile = SNAKEFILE.parent / "workflow" / "Snakefile"
    if module:
        theirs = bench.cwd / "Snakefile"
        theirs.write_text(MODULE.format(snakefile), "utf-8")
        snakefile = theirs
    assert set(bench.planned(snakefile=snakefile)) == set(RULES)


def test_the_documented_module_needs_no_other_config(bench):
    (bench.cwd / "Snakefile").write_text(DOCUMENTED, "utf-8")
    done = bench.execute([sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run"])
    assert done.returncode == 0, done.stderr
    words = (line.split() for line in done.stdout.splitlines())
    planned = {line[0] for line in words if line[1:] == ["1"]}
    assert {"lines", *(f"small_{rule}" for rule in RULES)} <= planned


def test_the_workflow_has_no_lint(bench):
    bench.configure(TINY)
    done = bench.run_well("--lint")
    assert "in a good condition" in done.stdout + done.stderr

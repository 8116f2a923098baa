"""A study run by Snakemake in a folder, or stage by stage without it."""

import json
import os
import re
import subprocess
import sys
from contextlib import redirect_stderr
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import xarray as xr

from glasspipe.files import dataset, results
from glasspipe.report import aggregate
from glasspipe.report.contents import figures_of, tables_of
from glasspipe.report.observables import freezing, gap, quality, random_field, sweeps
from glasspipe.report.point_data import PointData
from glasspipe.report.summary import summary
from glasspipe.report.writing import report
from glasspipe.settings.study import study_from
from glasspipe.stages import STAGES, stages_of, study_files
from glasspipe.stages.study_files import PointFiles
from glasspipe.stages.work import chunks, works

SNAKEFILE = Path(__file__).parents[1] / "Snakefile"

TINY = {
    "study": "tiny",
    "defects": {"number": 30},
    "realisations": 3,
    "freeze": {"sweeps": 50, "steps": 10, "replicas": 2},
    "aggregate": {"bootstrap": 10},
    "sweep": {"defects.concentration": {"values": [0.01, 0.1]}},
}

RULES = ("sample", "couplings", "freeze", "fields", "aggregate_point", "aggregate", "report")


@dataclass(frozen=True)
class Bench:
    """A working directory with one config file."""

    cwd: Path

    @property
    def results(self):
        return self.cwd / "results" / "tiny"

    def command(self, *arguments, config="study.json", cores=2, snakefile=SNAKEFILE):
        return [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(snakefile)),
            *("--configfile", config, "--cores", str(cores), *arguments),
        ]

    def configure(self, config):
        text = config if isinstance(config, str) else json.dumps(config)
        (self.cwd / "study.json").write_text(text, "utf-8")

    def run(self, *arguments, environment=None, **options):
        return self.execute(self.command(*arguments, **options), environment)

    def execute(self, command, environment=None):
        return subprocess.run(
            command,
            cwd=self.cwd,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )

    def run_well(self, *arguments, **options):
        done = self.run(*arguments, **options)
        assert done.returncode == 0, done.stderr
        return done

    def planned(self, *arguments, **options):
        """Return the number of jobs that each rule would run, which are planned without a trace."""
        before = self.state()
        done = self.run_well("--dry-run", *arguments, **options)
        assert self.state() == before
        words = [line.split() for line in done.stdout.splitlines()]
        return {line[0]: int(line[1]) for line in words if len(line) == 2 and line[0] in RULES}

    def state(self):
        """Return the time of every file of the study."""
        return {path: path.stat().st_mtime_ns for path in self.results.rglob("*")}

    def merged(self):
        """Return the bytes of every result that does not depend on how the work was split."""
        split = {"data", "logs", "benchmarks", "study.json", ".lock", "report.html"}
        files = (path.relative_to(self.results) for path in self.results.rglob("*"))
        return {
            str(file): (self.results / file).read_bytes()
            for file in files
            if file.parts[0] not in split and (self.results / file).is_file()
        }


def part(point, stage):
    """The part of a point that a stage depends on."""
    return STAGES[stage].part(point)


def _runner(stage):
    return lambda point, *paths, **options: stage.run(stage.part(point), *paths, **options)


stages = SimpleNamespace(**{name: _runner(stage) for name, stage in STAGES.items()})
"""Every stage as a function of a point and of files."""


def run(folder, config):
    """Every stage of every point, without the workflow."""
    study = study_from(config)
    study_files.write(study, folder)
    for name, parts in works(study, stages_of(study)).items():
        for work in parts.values():
            for chunk, numbers in chunks(study).items():
                run_stage(folder, STAGES[name], work, chunk, numbers)
    for point in study.points:
        aggregate.point(folder, point.name)
    aggregate.study(folder)
    return study


def run_stage(folder, stage, work, chunk, numbers):
    inputs = [folder / work.upstream(read).chunk_file(chunk) for read in stage.reads]
    options = {} if stage.reads else {"first": numbers.start, "count": len(numbers)}
    stage.run(work.part, *inputs, folder / work.chunk_file(chunk), **options)


def look_at_all(folder, config):
    """Run a study to its end, look at all that it made, and return its summary."""
    folder = Path(folder)
    study = run(folder, config)
    with redirect_stderr(StringIO()) as errors:
        report(folder)
        told = summary(folder)
    complaints = errors.getvalue()
    assert "could not be" not in complaints, complaints
    assert "nan" not in re.sub(r"\S+-[0-9a-f]{10}", "", told).lower().split()
    for kind, pages, suffixes in (
        ("figures", figures_of(study.config), ("png", "rst")),
        ("tables", tables_of(study.config), ("csv", "tex")),
    ):
        wanted = {f"{page.name}.{suffix}" for page in pages for suffix in suffixes}
        made = {path.name: path.stat().st_size for path in (folder / kind).iterdir()}
        assert set(made) == wanted
        assert min(made.values()) > 0
    found = results.read_summary(folder)
    numbers = found[["estimate", "stderr", "theory"]].to_numpy(dtype=float)
    assert not np.isinf(numbers).any()
    assert np.abs(numbers[np.isfinite(numbers)]).max() < 1e12
    assert set(found["point"]) == {point.name for point in study.points}
    return found


def froze(point, files, *, x, bootstrap):
    """What frozen files alone show: the data of the point, the rows of the summary, the curves."""
    chunks = []
    for file in files:
        with dataset.stage_file(file, part(point, "freeze")) as reader:
            chunks.append(reader.realisations)
            defects = range(reader.whole("B").shape[1])
    files = PointFiles("", point, {"freeze": tuple(files)}, tuple(chunks))
    data = PointData(files, bootstrap=bootstrap, pairs=0)
    vars(data)["_first"] = (None, len(defects) / x, len(defects), ())
    rows, curves = [], []
    for module in (freezing, random_field, gap, quality, sweeps):
        found = module.measure(data)
        rows += map(asdict, found.rows)
        curves.append(module.OBSERVABLE.dataset(found.curves))
    return data, pd.DataFrame(rows), xr.merge(curves)

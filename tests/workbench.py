"""A study run by Snakemake in a folder, or stage by stage without it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from glasspipe.files import layout
from glasspipe.report import aggregate
from glasspipe.settings.config import study_from
from glasspipe.stages import run as stages

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

    def command(self, *arguments, config="study.json", cores=2):
        return [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(SNAKEFILE)),
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
        """Return the number of jobs that each rule would run."""
        done = self.run_well("--dry-run", *arguments, **options)
        words = [line.split() for line in done.stdout.splitlines()]
        return {line[0]: int(line[1]) for line in words if len(line) == 2 and line[0] in RULES}

    def merged(self):
        """Return the bytes of every result that does not depend on how the work was split."""
        split = {"data", "logs", "benchmarks", "study.json"}
        files = (path.relative_to(self.results) for path in self.results.rglob("*"))
        return {
            str(file): (self.results / file).read_bytes()
            for file in files
            if file.parts[0] not in split and (self.results / file).is_file()
        }


def run(folder, config):
    """Every stage of every point, without the workflow."""
    study = study_from(config)
    layout.write(study, folder)
    for stage in ("sample", "couplings", "freeze", "fields"):
        for part in layout.parts(study, stage).values():
            for chunk, (first, count) in layout.chunks(study).items():
                run_stage(folder, part, chunk, first, count)
    for point in study.points:
        aggregate.point(folder, point.name)
    aggregate.study(folder)
    return study


def run_stage(folder, part, chunk, first, count):
    def file(stage):
        return folder / part.of(stage).chunk_file(chunk)

    if part.stage == "sample":
        stages.sample(part.point, file("sample"), first=first, count=count)
    elif part.stage == "couplings":
        stages.couplings(part.point, file("sample"), file("couplings"))
    elif part.stage == "freeze":
        stages.freeze(part.point, file("couplings"), file("freeze"))
    else:
        stages.fields(part.point, file("sample"), file("freeze"), file("fields"))

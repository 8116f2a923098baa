"""What a study costs beside its kernels, what two cores save, and what planning many jobs costs.

    python benchmarks/pipeline.py [CONFIG] [--cores 1 2] [--jobs 1000 3000 10000] [--points 1000]
                                  [--small 2000] [--large]

The study runs once with each number of cores. CPU is that of the whole run, Snakemake and report
included; kernels, that of the stages by the records of their jobs, less what as many jobs take for
a realisation of few defects: the start of a process. Their ratio is the overhead. A plan is a dry
run, with a bare --quiet, of one point in chunks of one realisation; it should grow as the number of
jobs. A large one is that of 10⁶ realisations of each of 100 points, 10⁴ a job. Many points are
those of a sweep of the seed, merged in one process, of which the last two jobs of a study are
timed. A study of many small jobs runs to its end: what it takes is the jobs' own, of few defects
each.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import yaml

from glasspipe.report import aggregate
from glasspipe.settings.study import Study, study_from
from glasspipe.stages import stages_of, study_files
from glasspipe.stages.work import chunks, works

ROOT = Path(__file__).parents[1]
STAGES = ("sample", "couplings", "freeze", "fields")
FEW = {"number": 2}
PLAN = ("--dry-run", "--quiet", "--cores", "1")
QUICK = {"freeze": {"sweeps": 2, "steps": 2}, "aggregate": {"bootstrap": 10}}


def snakemake(config: dict, folder: Path, *options: str) -> tuple[float, float, float]:
    """Wall time and CPU, s, and memory, MB, of a run of the workflow."""
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config), "utf-8")
    command = ["snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--workflow-profile", str(ROOT / "profiles/default")]
    return process(
        [*command, "--directory", str(folder), "--configfile", str(path), *options], folder
    )


def process(command: list[str], folder: Path) -> tuple[float, float, float]:
    """Wall time and CPU, s, and memory, MB, of a module and what it starts."""
    command = [sys.executable, "-m", *command]
    started = time.perf_counter()
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit((folder / "log").read_text())
    wall = time.perf_counter() - started
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6


def stages(folder: Path) -> dict[str, list[float]]:
    """CPU of the jobs of each stage, s."""
    records = {name: folder.glob(f"results/*/benchmarks/{name}/*/*.json") for name in STAGES}
    return {
        name: [json.loads(path.read_text("utf-8"))["cpu_s"] for path in paths]
        for name, paths in records.items()
    }


def overhead(config: dict, cores: list[int]) -> None:
    """Print what the study costs with each number of cores."""
    small = {**config, "realisations": 1, "defects": {**config.get("defects", {}), **FEW}}
    with TemporaryDirectory() as folder:
        snakemake(small, Path(folder), "--cores", "1", "--until", STAGES[-1])
        start = {name: np.mean(found) for name, found in stages(Path(folder)).items()}
    print("| cores | wall (s) | CPU (s) | kernels (s) | overhead |\n|---|---|---|---|---|")
    for number in cores:
        with TemporaryDirectory() as folder:
            wall, cpu, _ = snakemake(config, Path(folder), "--cores", str(number))
            taken = stages(Path(folder))
        kernels = sum(sum(found) - len(found) * start[name] for name, found in taken.items())
        print(f"| {number} | {wall:.1f} | {cpu:.1f} | {kernels:.1f} | {cpu / kernels:.2f} |")


def plans(numbers: list[int]) -> None:
    """Print what dry runs cost, and how they grow."""
    print("\n| jobs | CPU (s) | memory (MB) |\n|---|---|---|")
    found = []
    for jobs in numbers:
        chunks = jobs // len(STAGES)
        config = {"study": "plan", "realisations": chunks, "realisations_per_job": 1}
        with TemporaryDirectory() as folder:
            _, cpu, memory = snakemake(config, Path(folder), *PLAN)
        found.append(cpu)
        print(f"| {jobs} | {cpu:.1f} | {memory:.0f} |")
    if len(numbers) > 1:
        # between the two largest: the start of Snakemake is no growth
        power = np.log(found[-1] / found[-2]) / np.log(numbers[-1] / numbers[-2])
        print(f"\ngrows as the number of jobs to the power {power:.2f} at its end")


def large_plan() -> None:
    """Print what a dry run of 10⁶ realisations of 100 points costs."""
    config = {"study": "large", "realisations": 1_000_000, "realisations_per_job": 10_000}
    config["sweep"] = {"seed": {"values": list(range(100))}}
    with TemporaryDirectory() as folder:
        _, cpu, memory = snakemake(config, Path(folder), *PLAN)
    print(f"\nplan of 10^6 realisations x 100 points, 10^4 a job: {cpu:.0f} s, {memory:.0f} MB")


def merged(number: int) -> None:
    """Print what it takes to make a study of merged points, and its report."""
    config = {"study": "merged", "realisations": 2, "defects": FEW, **QUICK}
    study = study_from({**config, "sweep": {"seed": {"values": list(range(number))}}})
    with TemporaryDirectory() as name:
        folder = Path(name)
        study_files.write(study, folder)
        run_stages(study, folder)
        before = time.process_time()
        for point in study.points:
            aggregate.point(folder, point.name)
        each = (time.process_time() - before) / number
        print(f"\n| {number} points | CPU (s) | memory (MB) | ms a point |\n|---|---|---|---|")
        print(f"| aggregate_point, in one process | {each * number:.1f} | | {1e3 * each:.0f} |")
        for command in ("aggregate", "report"):
            _, cpu, memory = process(["glasspipe", command, name], folder)
            print(f"| {command} | {cpu:.1f} | {memory:.0f} | {1e3 * cpu / number:.1f} |")


def run_stages(study: Study, folder: Path) -> None:
    """Make the data files of a study, all stages in this process."""
    parts = works(study, stages_of(study))
    for stage in stages_of(study):
        for work in parts[stage.name].values():
            for chunk, numbers in chunks(study).items():
                inputs = [folder / work.upstream(read).chunk_file(chunk) for read in stage.reads]
                chosen = {} if stage.reads else {"first": numbers.start, "count": len(numbers)}
                stage.run(work.part, *inputs, folder / work.chunk_file(chunk), **chosen)


def many_jobs(number: int) -> None:
    """Print what a study of so many small jobs takes, from nothing to its report."""
    realisations = number // len(STAGES)
    config = {"study": "small", "defects": {"number": 10}, **QUICK}
    config |= {"realisations": realisations, "realisations_per_job": 1}
    with TemporaryDirectory() as folder:
        wall, cpu, memory = snakemake(config, Path(folder), "--cores", str(os.cpu_count()))
        taken = sum(map(sum, stages(Path(folder)).values()))
    print(
        f"\n{number} jobs of 10 defects: {wall:.0f} s of wall time, {cpu:.0f} s of CPU, of which",
        end="",
    )
    print(f" {taken:.0f} s in the jobs; {memory:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path, nargs="?", default=ROOT / "config/config.yaml")
    parser.add_argument("--cores", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--jobs", type=int, nargs="*", default=[1000, 3000, 10000])
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--small", type=int, default=2000)
    parser.add_argument("--large", action="store_true")
    options = parser.parse_args()
    if options.cores:
        overhead(yaml.safe_load(options.config.read_text("utf-8")), options.cores)
    if options.jobs:
        plans(options.jobs)
    if options.large:
        large_plan()
    if options.points:
        merged(options.points)
    if options.small:
        many_jobs(options.small)


if __name__ == "__main__":
    main()

"""What a study costs beside its kernels, what two cores save, and what planning many jobs costs.

    python benchmarks/pipeline.py [CONFIG] [--cores 1 2] [--jobs 1000 3000 10000]

The study runs once with each number of cores. CPU is that of the whole run, Snakemake and report
included; kernels, that of the stages by the records of their jobs, less what as many jobs take for
a realisation of few defects: the start of a process. Their ratio is the overhead. A plan is a dry
run of one point in chunks of one realisation; it should grow as the number of jobs.
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

ROOT = Path(__file__).parents[1]
STAGES = ("sample", "couplings", "freeze", "fields")
FEW = {"number": 2}


def snakemake(config: dict, folder: Path, *options: str) -> tuple[float, float, float]:
    """Wall time and CPU, s, and memory, MB, of a run of the workflow."""
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config), "utf-8")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--workflow-profile", str(ROOT / "profiles/default")]
    command += ["--directory", str(folder), "--configfile", str(path), *options]
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
            _, cpu, memory = snakemake(config, Path(folder), "--dry-run", "--cores", "1")
        found.append(cpu)
        print(f"| {jobs} | {cpu:.1f} | {memory:.0f} |")
    if len(numbers) > 1:
        # between the two largest: the start of Snakemake is no growth
        power = np.log(found[-1] / found[-2]) / np.log(numbers[-1] / numbers[-2])
        print(f"\ngrows as the number of jobs to the power {power:.2f} at its end")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path, nargs="?", default=ROOT / "config/config.yaml")
    parser.add_argument("--cores", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--jobs", type=int, nargs="*", default=[1000, 3000, 10000])
    options = parser.parse_args()
    if options.cores:
        overhead(yaml.safe_load(options.config.read_text("utf-8")), options.cores)
    plans(options.jobs)


if __name__ == "__main__":
    main()

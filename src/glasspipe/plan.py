"""What a study will cost, told before anything runs.

The estimates are no better than the constants below, measured on one core of one machine; work
shared between points (the same sample under several annealing settings) is counted once.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from glasspipe.config import STAGES, Point, Study

CORES = 2
SECONDS_PER_PROCESS = 0.8
SECONDS_PER_PAIR = {"couplings": 0.5e-6, "fields": 1.0e-6}
SECONDS_PER_FLIP = 40e-9
"""Of an attempted flip."""

BYTES_OF_PROCESS = 0.25e9
MATRICES = 3
"""N × N arrays of float64 that the hungriest job holds at once."""

BYTES_PER_DEFECT = {"sample": 344, "couplings": 0, "freeze": 9, "fields": 264}
"""Kept per defect and realisation, in position, site, γ, η and ζ; S and h; b and J and their ζ."""
BYTES_OF_ZETA = 216
BYTES_OF_ROW = 80
"""Per defect and realisation in the Parquet table."""

SHOWN_POINTS = 40


@dataclass(frozen=True)
class Job:
    """All realisations of one point in one stage."""

    stage: str
    point: Point

    @property
    def pairs(self) -> int:
        """Pairs of defects in all realisations."""
        N = self.point.defects
        return N * (N - 1) // 2 * self.point.realisations

    @property
    def seconds(self) -> float:
        """Estimated computing time, processes apart."""
        if self.stage == "freeze":
            freeze = self.point.data["freeze"]
            flips = self.point.defects * freeze["sweeps"] * freeze["replicas"]
            return SECONDS_PER_FLIP * flips * self.point.realisations
        return SECONDS_PER_PAIR.get(self.stage, 0.0) * self.pairs

    @property
    def bytes_kept(self) -> int:
        """Size of the stage's file, of `hamiltonian.nc` (deleted after use) none."""
        per_defect = BYTES_PER_DEFECT[self.stage]
        replicas = self.point.data["freeze"]["replicas"]
        if self.stage == "sample" and self.point.data["defects"]["species"] == "rotor":
            per_defect += BYTES_OF_ZETA
        if self.stage == "freeze" and replicas > 1:
            per_defect += replicas
        return per_defect * self.point.defects * self.point.realisations

    @property
    def bytes_of_hamiltonian(self) -> int:
        """Size of the point's couplings."""
        width = {"float64": 8, "float32": 4}[self.point.data["couplings"]["store"]]
        return width * self.pairs

    @property
    def memory(self) -> float:
        """Peak memory of one of the jobs, bytes."""
        return BYTES_OF_PROCESS + MATRICES * 8.0 * self.point.defects**2


def describe(study: Study) -> str:
    """Return what `glasspipe check` prints: the points, jobs, memory, data and time of a study."""
    sampled = [point for point in study.points if point.source_file is None]
    jobs = {stage: _jobs(stage, sampled) for stage in STAGES}
    blocks = [_headline(study), _point_table(study), _rule_table(study, jobs)]
    if sampled:
        blocks.append(_estimate(study, jobs))
    if len(sampled) < len(study.points):
        blocks.append("points whose defects come from a file are not in the estimates")
    warnings = [*study.warnings, *_memory_warning(jobs["couplings"])]
    return "\n\n".join([*blocks, *(f"warning: {line}" for line in warnings)])


def _jobs(stage: str, points: Iterable[Point]) -> list[Job]:
    """Return the work of a stage, each distinct part once."""
    distinct = {point.part_name(stage): point for point in points}
    return [Job(stage, point) for point in distinct.values()]


def _headline(study: Study) -> str:
    swept = f", sweeping {' and '.join(study.sweep_keys)}" if study.sweep_keys else ""
    return (
        f"study {study.name}: {_count(len(study.points), 'point')}{swept};"
        f" {_count(study.realisations, 'realisation')} of each"
        f" in {_count(len(study.chunks), 'chunk')}"
    )


def _point_table(study: Study) -> str:
    rows = [("point", "x", "cells", "sites", "defects", "CPU")]
    for point in study.points[:SHOWN_POINTS]:
        if point.source_file is not None:
            rows.append((point.name, "from file", "", "", "", ""))
            continue
        sites, N = point.lattice.sites, point.defects
        seconds = sum(Job(stage, point).seconds for stage in STAGES)
        rows.append(
            (point.name, f"{N / sites:.6g}", f"{point.lattice.size}³", f"{sites}", f"{N}",
             _time(seconds))
        )  # fmt: skip
    hidden = len(study.points) - SHOWN_POINTS
    return _aligned(rows) + (f"\n… and {hidden} more" if hidden > 0 else "")


def _rule_table(study: Study, jobs: dict[str, list[Job]]) -> str:
    chunks = len(study.chunks)
    rows = [("rule", "jobs", "CPU")]
    for stage in STAGES:
        number = chunks * len({point.part_name(stage) for point in study.points})
        rows.append((stage, str(number), _time(_seconds(jobs[stage], chunks))))
    return _aligned(rows)


def _estimate(study: Study, jobs: dict[str, list[Job]]) -> str:
    everything = [job for stage in STAGES for job in jobs[stage]]
    hungriest = max(everything, key=lambda job: job.memory)
    kept = sum(job.bytes_kept for job in everything)
    rows = sum(BYTES_OF_ROW * p.defects * p.realisations for p in study.points)
    temporary = max(job.bytes_of_hamiltonian for job in jobs["couplings"])
    total = _seconds(everything, len(study.chunks))
    # A point's stages follow one another, so one chunk of the slowest point bounds the time.
    chain = max(_seconds([Job(s, job.point) for s in STAGES], 1) for job in jobs["fields"])
    wall = max(total / CORES, chain / len(study.chunks))
    return "\n".join(
        [
            f"memory: at most {_size(hungriest.memory)} for a job",
            f"data: {_size(kept + rows)} kept; hamiltonian.nc, deleted after use,"
            f" {_size(temporary)} for the largest point",
            f"time: about {_time(total)} of CPU, {_time(wall)} on {CORES} cores",
        ]
    )


def _seconds(jobs: list[Job], chunks: int) -> float:
    return sum(job.seconds + SECONDS_PER_PROCESS * chunks for job in jobs)


def _memory_warning(jobs: list[Job]) -> list[str]:
    installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return [
        f"a job of {job.point.name} needs {_size(job.memory)} of memory for U and its like;"
        f" this machine has {_size(installed)}"
        for job in jobs
        if job.memory > installed
    ][:1]


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    """Lay out a table, its first column to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in rows
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _size(bytes_: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if bytes_ < 1000:
            return f"{bytes_:.3g} {unit}"
        bytes_ /= 1000
    return f"{bytes_:.3g} TB"


def _time(seconds: float) -> str:
    for unit, length, most in (("s", 1, 120), ("min", 60, 120), ("h", 3600, 48)):
        if seconds < most * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds / 86400:.3g} days"

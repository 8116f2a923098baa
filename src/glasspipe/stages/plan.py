"""What a study will cost, told before anything runs.

The times are no better than the constants below, measured on one core of one machine. Work that
points share (the same sample under several annealing settings) is counted once, as it is done once.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from glasspipe.elastic.medium import CubicMedium
from glasspipe.elastic.printed import Printed
from glasspipe.errors import ConfigError
from glasspipe.settings.config import DENSE_MATRICES, Point, Study

CORES = 2
SECONDS_PER_PROCESS = 0.8
SECONDS_PER_PAIR = {"couplings": 0.8e-6, "fields": 1.25e-6, "hamiltonian": 1.25e-6}
CRYSTAL = 9.0
"""Time of a pair in a cubic medium over that in an isotropic one."""
PRINTED = 3.0
"""Sums that a printed coupling is made of, over the one of a derived coupling."""
SECONDS_PER_VISIT, SECONDS_PER_SPIN, CACHED_SPINS = 10e-9, 0.1e-9, 700
"""Of an attempted flip: its own part, and the row of U, by its length where U is in no near cache;
replicas share rows."""
SECONDS_PER_ENTRY = 15e-9
"""Of an entry of U in what is done in float64, the quench above all."""

BYTES_OF_PROCESS = 0.25e9
BYTES_OF_THEORY = 0.5e9
"""Beyond the process, for any mixture of species in any medium."""
BYTES_PER_SAMPLED = 1500.0
"""Of a defect while it is drawn."""

SECONDS_PER_DEFECT = 1e-4
SECONDS_PER_LISTED_FLIP = 0.6e-6
"""Without a stored U: of a defect apart from annealing, and of an attempted flip."""
BYTES_PER_DEFECT = {"isotropic": 5500.0, "crystal": 9000.0}
BYTES_PER_CHAIN = 150.0

SHOWN_POINTS = 40


@dataclass(frozen=True)
class Work:
    """All realisations of one point in one stage.

    Parameters
    ----------
    stage : str
        The stage.
    point : Point
        The point, or one of those that share this work.
    defects : int
        Number N of defects in a realisation.
    """

    stage: str
    point: Point
    defects: int

    @property
    def pairs(self) -> int:
        """Pairs of defects in a realisation."""
        return self.defects * (self.defects - 1) // 2

    @property
    def seconds(self) -> float:
        """Estimated computing time, processes apart."""
        realisations = self.point.realisations
        if self._implicit:
            return realisations * self._seconds_implicit
        if self.stage == "freeze":
            return realisations * self._seconds_dense
        slower = CRYSTAL if isinstance(self.point.medium, CubicMedium) else 1.0
        slower *= PRINTED if isinstance(self.point.interaction, Printed) else 1.0
        return slower * SECONDS_PER_PAIR.get(self.stage, 0.0) * self.pairs * realisations

    @property
    def _implicit(self) -> bool:
        return self.stage != "sample" and self.point.store == "implicit"

    @property
    def _seconds_dense(self) -> float:
        """Of freezing one realisation whose U is stored."""
        freeze = self.point.freeze
        replicas = freeze["replicas"]
        together = replicas * (freeze["steps"] if freeze["method"] == "tempering" else 1)
        row = SECONDS_PER_SPIN * self.defects / together if self.defects > CACHED_SPINS else 0.0
        flips = self.defects * freeze["sweeps"] * replicas
        return (SECONDS_PER_VISIT + row) * flips + SECONDS_PER_ENTRY * self.defects**2 * replicas

    @property
    def _seconds_implicit(self) -> float:
        """Of one realisation whose U is not stored."""
        freeze, slower = self.point.freeze, isinstance(self.point.medium, CubicMedium)
        seconds = SECONDS_PER_DEFECT * (CRYSTAL if slower else 1.0)
        if self.stage == "freeze":
            seconds += SECONDS_PER_LISTED_FLIP * freeze["sweeps"] * freeze["replicas"]
        return seconds * self.defects

    @property
    def bytes_written(self) -> int:
        """Size of the stage's file before compression, at most where it holds strong pairs only."""
        import numpy as np

        from glasspipe.files.variables import ALL_PAIRS, EXTRAS, STRONG_PAIRS, VARIABLES
        from glasspipe.stages import frozen_file

        freeze = self.point.freeze
        sizes = {
            "realisation": self.point.realisations,
            "defect": self.defects,
            "pair": self.pairs,
            **frozen_file.sizes(freeze),
            **dict.fromkeys(("axis", "axis2", "axis3"), 3),
        }
        sizes |= dict.fromkeys(("U_pair", "J_pair"), sizes["realisation"] * sizes["pair"])
        store = self.point.store
        dtypes = {"U": store} if self.stage == "couplings" and store != "implicit" else {}
        absent = set(VARIABLES["freeze"]) - {"realisation", *frozen_file.names(freeze, store)}
        if self.stage == "couplings":
            absent = {"i", "j", "U"} if store == "implicit" else {"position", "box", "gamma"}
        absent |= set(EXTRAS) - set(self.point.extras)
        if self.stage == "hamiltonian":
            dense = self.point.data["hamiltonian"]["store"] == "dense"
            absent |= set(STRONG_PAIRS if dense else ALL_PAIRS)
        return sum(
            np.dtype(dtypes.get(name, about.dtype)).itemsize
            * prod(sizes[dimension] for dimension in about.dimensions.split())
            for name, about in VARIABLES[self.stage].items()
            if name not in absent
        )

    @property
    def memory(self) -> float:
        """Peak memory of one of its jobs, bytes."""
        if self._implicit:
            crystal = isinstance(self.point.medium, CubicMedium)
            replicas = self.point.freeze["replicas"] if self.stage == "freeze" else 0
            held = BYTES_PER_DEFECT["crystal" if crystal else "isotropic"]
            return BYTES_OF_PROCESS + (held + BYTES_PER_CHAIN * replicas) * self.defects
        if self.stage == "sample":
            return BYTES_OF_PROCESS + BYTES_PER_SAMPLED * self.defects
        return BYTES_OF_PROCESS + DENSE_MATRICES * 8.0 * self.defects**2


def describe(study: Study) -> str:
    """Return what `glasspipe check` prints: the points, jobs, memory, data and time of a study.

    Raises
    ------
    ConfigError
        If a file of defects holds fewer realisations than wanted.
    DataError
        If a file of defects cannot be used.
    """
    defects = [defects_of(point) for point in study.points]
    work = {stage: _work(stage, study, defects) for stage in study.stages}
    return "\n\n".join(
        [
            _headline(study),
            *_crystals(study),
            _point_table(study, defects),
            _rule_table(study, work),
            _estimate(study, work),
            *_memory_warning(work["couplings"]),
        ]
    )


def defects_of(point: Point) -> int:
    """Return the number of defects in a realisation, looked up where they come from a file."""
    if point.source_file is None:
        return point.defects
    from glasspipe.files.sources import user_defects

    with user_defects(point.source_file) as defects:
        if point.realisations > defects.realisations:
            raise ConfigError(
                f"realisations: found {point.realisations} with sample.source.file"
                f" '{point.source_file}'; allowed: at most {defects.realisations}, all it holds"
            )
        return defects.number


def _work(stage: str, study: Study, defects: list[int]) -> list[Work]:
    """Return the work of a stage, each distinct part once."""
    pairs = zip(study.points, defects, strict=True)
    return list({point.part_name(stage): Work(stage, point, N) for point, N in pairs}.values())


def _headline(study: Study) -> str:
    swept = f", sweeping {' and '.join(study.sweep_keys)}" if study.sweep_keys else ""
    return (
        f"study {study.name}: {_count(len(study.points), 'point')}{swept};"
        f" {_count(study.realisations, 'realisation')} of each"
        f" in {_count(len(study.chunks), 'job')} a stage"
    )


def _crystals(study: Study) -> list[str]:
    """Return what characterises each cubic medium of a study, in one paragraph or none."""
    media = dict.fromkeys(point.medium for point in study.points)
    lines = [
        f"crystal c11 {m.c11:g}, c12 {m.c12:g}, c44 {m.c44:g} GPa: {m.about}"
        for m in media
        if isinstance(m, CubicMedium)
    ]
    hidden = len(lines) - SHOWN_POINTS
    more = [f"… and {hidden} more"] if hidden > 0 else []
    return ["\n".join([*lines[:SHOWN_POINTS], *more])] if lines else []


def _point_table(study: Study, defects: list[int]) -> str:
    tempered = any(point.freeze["method"] == "tempering" for point in study.points)
    extra = ("temperatures",) if tempered else ()
    rows = [("point", "x", "cells", "sites", "defects", *extra, "CPU")]
    shown = list(zip(study.points, defects, strict=True))[:SHOWN_POINTS]
    for point, N in shown:
        size, sites = point.lattice.size, point.lattice.sites
        box = (f"{N / sites:.6g}", f"{size}³", str(sites))
        if point.source_file is not None:
            box = ("from file", "", "")
        seconds = sum(Work(stage, point, N).seconds for stage in study.stages)
        steps = (str(point.freeze["steps"]),) if tempered else ()
        rows.append((point.name, *box, str(N), *steps, _time(seconds)))
    hidden = len(study.points) - len(shown)
    return _aligned(rows) + (f"\n… and {hidden} more" if hidden else "")


def _rule_table(study: Study, work: dict[str, list[Work]]) -> str:
    chunks = len(study.chunks)
    rows = [("rule", "jobs", "CPU")]
    for stage, items in work.items():
        rows.append((stage, str(chunks * len(items)), _time(_seconds(items, chunks))))
    return _aligned(rows)


def _estimate(study: Study, work: dict[str, list[Work]]) -> str:
    everything = [item for items in work.values() for item in items]
    kept = sum(item.bytes_written for item in everything if item.stage != "couplings")
    temporary = max(item.bytes_written for item in work["couplings"])
    total = _seconds(everything, len(study.chunks))
    # A point's stages follow one another, so one chunk of the slowest point bounds the time.
    chains = [
        _seconds(
            [Work(stage, last.point, last.defects) for stage in study.stages], len(study.chunks)
        )
        for last in work["fields"]
    ]
    wall = max(total / CORES, max(chains) / len(study.chunks))
    memory = max(item.memory for item in everything)
    return (
        f"memory: at most {_size(memory)} for a job\n"
        f"data: {_size(kept)} before compression; the couplings, deleted after use,"
        f" {_size(temporary)} for the largest point\n"
        f"time: about {_time(total)} of CPU, {_time(wall)} on {CORES} cores,"
        " aggregation and report apart"
    )


def _seconds(work: Sequence[Work], chunks: int) -> float:
    return sum(item.seconds + SECONDS_PER_PROCESS * chunks for item in work)


def _memory_warning(work: list[Work]) -> list[str]:
    installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    largest = max(work, key=lambda item: item.memory)
    if largest.memory <= installed:
        return []
    return [
        f"warning: a job of {largest.point.name} needs {_size(largest.memory)} of memory;"
        f" this machine has {_size(installed)}"
    ]


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    """Lay out a table, its first column to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in rows
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _size(number: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number / 1e3:.3g} kB"


def _time(seconds: float) -> str:
    for unit, length, most in (("s", 1, 120), ("min", 60, 120), ("h", 3600, 48)):
        if seconds < most * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds / 86400:.3g} days"

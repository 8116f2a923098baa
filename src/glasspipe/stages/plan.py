"""What a study will cost, told before anything runs.

Work that points share (the same sample under several annealing settings) is counted once, as it is
done once.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from glasspipe.elastic.medium import CubicMedium
from glasspipe.settings.point import Point
from glasspipe.settings.study import Study
from glasspipe.stages import stages_of
from glasspipe.stages.forecast import loads, merging, threads
from glasspipe.stages.rates import Load, rates
from glasspipe.stages.work import Work, chunks, works

CORES = 2

SHOWN_POINTS = 40


def describe(study: Study) -> str:
    """Return what `glasspipe check` prints: the points, jobs, memory, data and time of a study.

    Raises
    ------
    ConfigError
        If a file of defects holds fewer realisations than wanted.
    DataError
        If a file of defects cannot be used.
    """
    _check_files(study)
    named = works(study, stages_of(study))
    jobs = [load for _, load in loads(study)]
    return "\n\n".join(
        [
            _headline(study),
            *_crystals(study),
            *_unstable(study),
            _point_table(study, named),
            _engines(study),
            _rule_table(jobs),
            _estimate(study, named, jobs),
            *_memory_warning(jobs),
        ]
    )


def _check_files(study: Study) -> None:
    """Read all that the study will take from users' files, as sampling will."""
    from glasspipe.files.user_defects import user_defects

    for file in dict.fromkeys(filter(None, (p.model.source_file for p in study.points))):
        with user_defects(file) as defects:
            for number in range(min(study.realisations, defects.realisations)):
                defects.realisation(number)


def _headline(study: Study) -> str:
    swept = f", sweeping {' and '.join(study.sweep_keys)}" if study.sweep_keys else ""
    seed = "" if "seed" in study.sweep_keys else f"; seed {study.config['seed']}"
    return (
        f"study {study.name}: {counted(len(study.points), 'point')}{swept};"
        f" {counted(study.realisations, 'realisation')} of each"
        f" in {counted(len(chunks(study)), 'job')} a stage{seed}"
    )


def _crystals(study: Study) -> list[str]:
    """Return what characterises each cubic medium of a study, in one paragraph or none."""
    media = dict.fromkeys(point.model.medium for point in study.points)
    lines = [
        f"crystal c11 {m.c11:g}, c12 {m.c12:g}, c44 {m.c44:g} GPa: {m.about}"
        for m in media
        if isinstance(m, CubicMedium)
    ]
    hidden = len(lines) - SHOWN_POINTS
    more = [f"… and {hidden} more"] if hidden > 0 else []
    return ["\n".join([*lines[:SHOWN_POINTS], *more])] if lines else []


def _unstable(study: Study) -> list[str]:
    """Return a warning about media that no stress holds at their volume."""
    media = dict.fromkeys(point.model.medium for point in study.points)
    found = [medium for medium in media if not medium.bulk_modulus > 0]
    if not found:
        return []
    return [
        f"warning: {counted(len(found), 'medium')} without a positive bulk modulus, such as"
        f" {found[0]}: plane waves are stable, and (17) is such a limit, but no solid is"
    ]


def _point_table(study: Study, named: Mapping[str, Mapping[str, Work]]) -> str:
    tempered = any(p.model.freeze["method"] == "tempering" for p in study.points)
    extra = ("temperatures",) if tempered else ()
    rows = [("point", "x", "cells", "sites", "defects", *extra, "CPU")]
    lengths = [len(numbers) for numbers in chunks(study).values()]
    for point in study.points[:SHOWN_POINTS]:
        model = point.model
        N = named["sample"][stages_of(study)[0].part(point).name].defects
        cells, sites = model.lattice.size, model.lattice.sites
        box = (f"{N / sites:.6g}", f"{cells}³", str(sites))
        if model.source_file is not None:
            box = ("from file", "", "")
        seconds = sum(map(_seconds, _of_point(study, named, point, lengths)))
        steps = (str(model.freeze["steps"]),) if tempered else ()
        rows.append((point.name, *box, str(N), *steps, duration(seconds)))
    hidden = len(study.points) - SHOWN_POINTS
    return aligned(rows) + (f"\n… and {hidden} more" if hidden > 0 else "")


def _engines(study: Study) -> str:
    """Return how U is stored at each point and why, points of one reason together."""
    found: dict[str, list[str]] = {}
    for point in study.points:
        model = point.model
        how = "not stored" if model.store == "implicit" else f"stored as {model.store}"
        found.setdefault(f"U {how}, {model.store_reason}", []).append(point.name)
    lines = [
        f"{reason}: {names[0]}" + (f" and {len(names) - 1} more" if names[1:] else "")
        for reason, names in found.items()
    ]
    hidden = len(lines) - SHOWN_POINTS
    return "\n".join(lines[:SHOWN_POINTS]) + (f"\n… and {hidden} more" if hidden > 0 else "")


def _of_point(
    study: Study, named: Mapping[str, Mapping[str, Work]], point: Point, lengths: Iterable[int]
) -> Iterator[Load]:
    """Yield what is to be done for a point that shares nothing, in chunks of these lengths."""
    for stage in stages_of(study):
        yield from map(named[stage.name][stage.part(point).name].load, lengths)
    yield merging(study, point)


def _rule_table(jobs: Sequence[Load]) -> str:
    found: dict[str, list[Load]] = {}
    for load in jobs:
        found.setdefault(load.rule, []).append(load)
    rows = [("rule", "jobs", "CPU", "memory")]
    for rule, mine in found.items():
        memory = max(map(_bytes, mine))
        rows.append((rule, str(len(mine)), duration(sum(map(_seconds, mine))), size(memory)))
    return aligned(rows)


def _estimate(study: Study, named: Mapping[str, Mapping[str, Work]], jobs: Sequence[Load]) -> str:
    everything = [item for parts in named.values() for item in parts.values()]
    kept = sum(item.bytes_written for item in everything if not item.stage.temporary)
    temporary = max(item.bytes_written for item in everything if item.stage.temporary)
    total = sum(map(_seconds, jobs))
    return (
        f"memory: at most {size(max(map(_bytes, jobs)))} for a job\n"
        f"data: {size(kept)} before compression; the couplings, deleted after use,"
        f" {size(temporary)} for the largest point\n"
        f"time: about {duration(total)} of CPU,"
        f" {duration(max(total / CORES, _longest(study, named)))} on {CORES} cores"
    )


def _longest(study: Study, named: Mapping[str, Mapping[str, Work]]) -> float:
    """Return the time of what must follow one another: a chunk, its point, all points.

    What a job computes is shared by its threads, the start of its process is not.
    """

    def wall(load: Load) -> float:
        rate = rates()[load.rule]
        return rate.start + rate.work_seconds(load) / threads(study, load, CORES)

    *_, aggregate, report = (load for _, load in loads(study))
    length = max(map(len, chunks(study).values()))
    chains = (
        [*_of_point(study, named, point, [length]), aggregate, report] for point in study.points
    )
    return max(sum(map(wall, chain)) for chain in chains)


def _seconds(load: Load) -> float:
    return rates()[load.rule].seconds(load)


def _bytes(load: Load) -> float:
    return 1e6 * rates()[load.rule].megabytes(load)


def _memory_warning(jobs: Sequence[Load]) -> list[str]:
    installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    largest = max(jobs, key=_bytes)
    if _bytes(largest) <= installed:
        return []
    return [
        f"warning: a job of {largest.rule} needs {size(_bytes(largest))} of memory;"
        f" this machine has {size(installed)}"
    ]


def aligned(rows: Sequence[tuple[str, ...]]) -> str:
    """Lay out a table, its first column to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in rows
    )


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, ``1 point`` or ``2 points``."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def size(number: float) -> str:
    """Return a number of bytes with its unit."""
    for unit, least in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if number >= least:
            return f"{number / least:.3g} {unit}"
    return f"{number / 1e3:.3g} kB"


def duration(seconds: float) -> str:
    """Return a time with its unit."""
    for unit, length, most in (("s", 1, 120), ("min", 60, 120), ("h", 3600, 48)):
        if seconds < most * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds / 86400:.3g} days"

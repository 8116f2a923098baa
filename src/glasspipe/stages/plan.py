"""What a study will cost, told before anything runs.

Work that points share (the same sample under several annealing settings) is counted once, as it is
done once.
"""

import os
from collections.abc import Iterable, Mapping, Sequence

from glasspipe.elastic.medium import CubicMedium
from glasspipe.settings.study import Study
from glasspipe.stages import stages_of
from glasspipe.stages.work import Work, works

CORES = 2
SECONDS_PER_PROCESS = 0.8

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
    work = {name: list(parts.values()) for name, parts in named.items()}
    return "\n\n".join(
        [
            _headline(study),
            *_crystals(study),
            *_unstable(study),
            _point_table(study, named),
            _engines(study),
            _rule_table(study, work),
            _estimate(study, work),
            *_memory_warning([item for items in work.values() for item in items]),
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
    return (
        f"study {study.name}: {_count(len(study.points), 'point')}{swept};"
        f" {_count(study.realisations, 'realisation')} of each"
        f" in {_count(len(study.chunks), 'job')} a stage; seed {study.config['seed']}"
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
        f"warning: {_count(len(found), 'medium')} without a positive bulk modulus, such as"
        f" {found[0]}: plane waves are stable, and (17) is such a limit, but no solid is"
    ]


def _point_table(study: Study, named: Mapping[str, Mapping[str, Work]]) -> str:
    tempered = any(p.model.freeze["method"] == "tempering" for p in study.points)
    extra = ("temperatures",) if tempered else ()
    rows = [("point", "x", "cells", "sites", "defects", *extra, "CPU")]
    for point in study.points[:SHOWN_POINTS]:
        model = point.model
        mine = [named[stage.name][stage.part(point).name] for stage in stages_of(study)]
        N = mine[0].defects
        size, sites = model.lattice.size, model.lattice.sites
        box = (f"{N / sites:.6g}", f"{size}³", str(sites))
        if model.source_file is not None:
            box = ("from file", "", "")
        seconds = sum(item.seconds for item in mine)
        steps = (str(model.freeze["steps"]),) if tempered else ()
        rows.append((point.name, *box, str(N), *steps, _time(seconds)))
    hidden = len(study.points) - SHOWN_POINTS
    return _aligned(rows) + (f"\n… and {hidden} more" if hidden > 0 else "")


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


def _rule_table(study: Study, work: dict[str, list[Work]]) -> str:
    chunks = len(study.chunks)
    rows = [("rule", "jobs", "CPU")]
    for stage, items in work.items():
        rows.append((stage, str(chunks * len(items)), _time(_seconds(items, chunks))))
    return _aligned(rows)


def _estimate(study: Study, work: dict[str, list[Work]]) -> str:
    everything = [item for items in work.values() for item in items]
    chunks = len(study.chunks)
    kept = sum(item.bytes_written for item in everything if not item.stage.temporary)
    temporary = max(item.bytes_written for item in everything if item.stage.temporary)
    total = _seconds(everything, chunks)
    # A point's stages follow one another, so one chunk of the slowest point bounds the time.
    chains = [
        _seconds([last.upstream(stage) for stage in stages_of(study)], chunks)
        for last in work[stages_of(study)[-1].name]
    ]
    wall = max(total / CORES, max(chains) / chunks)
    memory = max(item.cost.bytes for item in everything)
    return (
        f"memory: at most {_size(memory)} for a job\n"
        f"data: {_size(kept)} before compression; the couplings, deleted after use,"
        f" {_size(temporary)} for the largest point\n"
        f"time: about {_time(total)} of CPU, {_time(wall)} on {CORES} cores,"
        " aggregation and report apart"
    )


def _seconds(work: Iterable[Work], chunks: int) -> float:
    return sum(item.seconds + SECONDS_PER_PROCESS * chunks for item in work)


def _memory_warning(work: list[Work]) -> list[str]:
    installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    largest = max(work, key=lambda item: item.cost.bytes)
    if largest.cost.bytes <= installed:
        return []
    return [
        f"warning: a job of {largest.name} needs {_size(largest.cost.bytes)} of memory;"
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

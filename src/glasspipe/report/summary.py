"""The headline numbers of a study and where its results are."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path

from glasspipe.files import results
from glasspipe.report.claims import writing as claims
from glasspipe.report.contents import undecided
from glasspipe.report.observable import Line, Results
from glasspipe.report.observables import OBSERVABLES
from glasspipe.report.presentation import arrange

_MOST_SERIES = 8
_DATA = (
    results.SUMMARY_TEXT,
    results.FITS,
    *dict.fromkeys(one.file for one in OBSERVABLES if one.file),
    results.DEFECTS,
)


def summary(folder: Path) -> str:
    """Return where the results of a study are, and its headline numbers with their errors.

    Parameters
    ----------
    folder : Path
        The study's folder, with the files of the aggregate stage.

    Raises
    ------
    DataError
        If one of those files is missing or cannot be used.
    """
    found = Results(folder)
    lines = [
        f"study    {found.study.name}",
        f"report   {folder}/{results.PAGE}",
        f"tables   {folder}/tables",
        f"figures  {folder}/figures",
        f"data     {folder}/: {', '.join(_DATA)}",
    ]
    told = headlines(found, claims.judge(found))
    for shared, numbers in told[: _MOST_SERIES + 1]:
        lines += ["", *filter(None, [shared]), *_aligned(numbers)]
    left = len(told) - _MOST_SERIES - 1
    if left > 0:
        lines += ["", f"and {left} more series: see {folder}/tables"]
    absent = undecided(found.config)
    lines += ["", *(f"no figure {name}: it needs {needs}" for name, needs in absent.items())]
    return "\n".join(lines).rstrip()


def headlines(found: Results, judged: Sequence[claims.Judged]) -> list[tuple[str, list[Line]]]:
    """Return the headline numbers: of the whole study, then of each series with what it shares."""
    counts = claims.headline(judged)
    overall = [line for one in OBSERVABLES if one.overall for line in one.overall(found)]
    told = [("", [("statements of the paper", counts, "claims.md"), *overall])]
    arrangement = arrange(found.summary)
    for series in arrangement.series:
        shared = ", ".join(f"{key} = {value}" for key, value in series.shared.items())
        numbers = [
            line
            for one in OBSERVABLES
            if one.headlines
            for line in one.headlines(found, series, arrangement.axis)
        ]
        told.append((shared, numbers))
    return told


def _aligned(rows: Sequence[Line]) -> list[str]:
    name_width, value_width = (max(_width(row[column]) for row in rows) for column in (0, 1))
    return [
        f"{_padded(name, name_width)} = {_padded(value, value_width)}  {remark}".rstrip()
        for name, value, remark in rows
    ]


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    """Columns of a terminal that a text takes; a combining mark takes none."""
    return sum(not unicodedata.combining(character) for character in text)

"""The report of a study: figures, tables and headline numbers, from the aggregate files alone."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path

from glasspipe.files import results
from glasspipe.report import figures, tables
from glasspipe.report.claims import writing as claims
from glasspipe.report.contents import figures_of, tables_of, undecided
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


def report(folder: Path) -> None:
    """Draw the figures and write the tables of a study.

    Parameters
    ----------
    folder : Path
        The study's folder, with the files of the aggregate stage; ``figures/`` and ``tables/``
        are written in it.

    Raises
    ------
    DataError
        If one of those files is missing or cannot be used.
    """
    found = Results(folder)
    config = found.config
    claims.write(found)
    figures.write(found, figures_of(config))
    tables.write(found, tables_of(config))


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
    arrangement = arrange(found.summary)
    lines = [
        f"study    {folder.resolve().name}",
        f"tables   {folder}/tables",
        f"figures  {folder}/figures",
        f"data     {folder}/: {', '.join(_DATA)}",
    ]
    overall = [line for one in OBSERVABLES if one.overall for line in one.overall(found)]
    counts = claims.headline(claims.judge(found))
    lines += ["", *_aligned([("statements of the paper", counts, "claims.md"), *overall])]
    for series in arrangement.series[:_MOST_SERIES]:
        shared = ", ".join(f"{key} = {value}" for key, value in series.shared.items())
        told = [
            line
            for one in OBSERVABLES
            if one.headlines
            for line in one.headlines(found, series, arrangement.axis)
        ]
        lines += ["", *filter(None, [shared]), *_aligned(told)]
    left = len(arrangement.series) - _MOST_SERIES
    if left > 0:
        lines += ["", f"and {left} more series: see {folder}/tables"]
    absent = undecided(found.config)
    lines += ["", *(f"no figure {name}: it needs {needs}" for name, needs in absent.items())]
    return "\n".join(lines).rstrip()


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

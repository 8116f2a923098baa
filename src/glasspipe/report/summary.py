"""The report of a study: figures, tables and headline numbers, from the aggregate files alone."""

import unicodedata
from collections.abc import Sequence
from math import isfinite
from pathlib import Path

import numpy as np
import pandas as pd

from glasspipe.files import results
from glasspipe.report import figures, freezing_tables, tables
from glasspipe.report.contents import figures_of, tables_of, undecided
from glasspipe.report.presentation import (
    TYPICAL,
    WIDTH,
    Axis,
    Series,
    arrange,
    find_fit,
    pick,
    plus_minus,
    ratio,
)
from glasspipe.stages.study_files import load

_MOST_SERIES = 8
_UNAVAILABLE = "not available"
_DATA = (
    results.SUMMARY_TEXT,
    results.FITS,
    results.DISTRIBUTIONS,
    results.TRACES,
    results.FREEZING,
    results.LOW_ENERGY,
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
    config = load(folder).config
    figures.write(folder, figures_of(config))
    tables.write(folder, tables_of(config))


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
    statistics, fits = results.read_summary(folder), results.read_fits(folder)
    arrangement = arrange(statistics)
    lines = [
        f"study    {folder.resolve().name}",
        f"tables   {folder}/tables",
        f"figures  {folder}/figures",
        f"data     {folder}/: {', '.join(_DATA)}",
    ]
    overall = freezing_tables.study_headlines(statistics)
    lines += ["", *_aligned(overall)] if overall else []
    for series in arrangement.series[:_MOST_SERIES]:
        shared = ", ".join(f"{key} = {value}" for key, value in series.shared.items())
        found = _headlines(statistics, fits, series, arrangement.axis)
        lines += ["", *filter(None, [shared]), *_aligned(found)]
    left = len(arrangement.series) - _MOST_SERIES
    if left > 0:
        lines += ["", f"and {left} more series: see {folder}/tables"]
    absent = undecided(load(folder).config)
    lines += ["", *(f"no figure {name}: it needs {needs}" for name, needs in absent.items())]
    return "\n".join(lines).rstrip()


def _headlines(
    statistics: pd.DataFrame, fits: pd.DataFrame, series: Series, axis: Axis
) -> list[tuple[str, str, str]]:
    """Name, value and remark of each headline number of a series."""
    return [
        _exponent("exponent of B_0 against x", fits, (TYPICAL, "x"), series),
        _exponent("exponent of B̄ against x(1 - x)", fits, (WIDTH, "x(1-x)"), series),
        _ratio(statistics, series, axis),
        *freezing_tables.headlines(statistics, series, axis),
    ]


def _exponent(
    name: str, fits: pd.DataFrame, what: tuple[str, str], series: Series
) -> tuple[str, str, str]:
    statistic, against = what
    fit = find_fit(fits, "B", statistic, against, series.shared)
    if fit is None:
        return name, _UNAVAILABLE, "no power law can be fitted in this study"
    remarks = [f"fitted over {fit['range']}"]
    if isfinite(fit["prediction"]):
        remarks.append(f"theory on the same points {fit['prediction']:.4f}")
    return name, plus_minus(fit["exponent"], fit["stderr"]), "; ".join(remarks)


def _ratio(statistics: pd.DataFrame, series: Series, axis: Axis) -> tuple[str, str, str]:
    """B̄/B_0 at the first point along the axis where there is such a ratio."""
    width, typical = (pick(statistics, "B", name, series.points) for name in (WIDTH, TYPICAL))
    found = ratio(width, typical)
    known = np.flatnonzero(found["estimate"].notna())
    if not len(known):
        return "B̄/B_0", _UNAVAILABLE, "B vanishes in this study"
    first = found.iloc[known[0]]
    where = axis.at(series.position[known[0]])
    remark = f"theory {first['theory']:.4g}" if isfinite(first["theory"]) else ""
    return f"B̄/B_0 at {where}", plus_minus(first["estimate"], first["stderr"]), remark


def _aligned(rows: Sequence[tuple[str, str, str]]) -> list[str]:
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

"""A table of the user's own: which points are its rows, which statistics its columns.

What a user asks for by name may not be there, or not tell rows apart; both are said, never guessed.
"""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from glasspipe.errors import ConfigError
from glasspipe.files.results import plain_names, plainly_named
from glasspipe.report import latex
from glasspipe.report.presentation import (
    SYMBOLS,
    alternatives,
    pick,
    points_of,
)

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
_CONDITION = re.compile(rf"(.*?)\s*({'|'.join(_COMPARISONS)})\s*(.*)")
_PARTS = ("stderr", "theory", "theory_kind")


@dataclass(frozen=True)
class Selection:
    """Rows and columns of the summary of a study.

    Parameters
    ----------
    labels : DataFrame
        What tells the rows apart: ``point``, ``x`` or swept keys.
    picked : dict of str to DataFrame
        ``estimate``, ``stderr``, ``theory`` and ``theory_kind`` of each column, row by row.
    """

    labels: pd.DataFrame
    picked: dict[str, pd.DataFrame]


def select(
    summary: pd.DataFrame,
    columns: Sequence[str],
    *,
    rows: Sequence[str] = (),
    where: Sequence[str] = (),
) -> Selection:
    """Take points and statistics out of a summary.

    Parameters
    ----------
    summary : DataFrame
        The statistics of the study.
    columns : sequence of str
        Pairs of a quantity and a statistic, ``B:std``.
    rows : sequence of str
        What tells the rows apart, ``point``, ``x`` or swept keys, as in the config or as in the
        files; by default all swept keys.
    where : sequence of str
        Conditions that a point must meet, ``defects.concentration<=0.01``.

    Raises
    ------
    ConfigError
        If a name is not there, no point is left, or the rows are not told apart.
    """
    points = points_of(summary)
    rows = [_key(points, name) for name in rows] or list(points.columns[1:-1]) or ["point"]
    for name in rows:
        _check("rows", name, points.columns)
    for condition in where:
        points = points[_meets(points, condition)]
        if points.empty:
            raise ConfigError(f"where: found no point with {' and '.join(where)}")
    twins = points[points.duplicated(rows, keep=False)]
    if len(twins):
        shared = twins.groupby(rows)
        others = [
            name for name in points if name not in rows and (shared[name].nunique() > 1).any()
        ]
        raise ConfigError(
            f"rows: found {' and '.join(rows)}, which {twins['point'].iloc[0]} and other points"
            f" share; allowed: with {' or '.join(others)} besides, or fewer points by --where"
        )
    names = points["point"].tolist()
    picked = {column: _pick(summary, column, names) for column in columns}
    return Selection(points[rows].reset_index(drop=True), picked)


def _key(points: pd.DataFrame, name: str) -> str:
    """Return the swept key of which a name is that of its column in the files, or the name."""
    keys = {column: key for key, column in plain_names(points.columns).items()}
    return keys.get(name, name)


def _check(option: str, name: str, allowed: Sequence[str]) -> None:
    if name not in allowed:
        raise ConfigError(f"{option}: found {name!r}; allowed: {', '.join(allowed)}")


def _pick(summary: pd.DataFrame, column: str, points: Sequence[str]) -> pd.DataFrame:
    quantity, colon, statistic = column.rpartition(":")
    if not colon:
        raise ConfigError(f"columns: found {column!r}; allowed: quantity:statistic, as B:std")
    _check("columns", quantity, summary["quantity"].unique())
    mine = summary[summary["quantity"] == quantity]
    _check(f"columns of {quantity}", statistic, mine["statistic"].unique())
    kinds = mine[mine["statistic"] == statistic].set_index("point")["theory_kind"]
    found = pick(summary, quantity, statistic, points)
    return found.assign(theory_kind=kinds.reindex(points).fillna("")).reset_index(drop=True)


def _meets(points: pd.DataFrame, condition: str) -> pd.Series:
    """Return which points meet a condition."""
    found = _CONDITION.fullmatch(condition)
    if found is None:
        raise ConfigError(
            f"where: found {condition!r}; allowed: a key, one of {' '.join(_COMPARISONS)}, a value"
        )
    key, sign, value = found.groups()
    key = _key(points, key)
    _check("where", key, points.columns)
    if not pd.api.types.is_numeric_dtype(points[key]):
        if sign not in ("=", "!="):
            raise ConfigError(f"where: found {sign} for {key}, which is text; allowed: = or !=")
        return _COMPARISONS[sign](points[key], value)
    try:
        return _COMPARISONS[sign](points[key], float(value))
    except ValueError:
        raise ConfigError(f"where: found {key} {sign} {value!r}; allowed: a number") from None


def as_csv(chosen: Selection, *, errors: bool, theory: bool) -> str:
    """Return a selection as CSV: every digit, energies in eV."""
    parts = [part for part in _PARTS if (errors if part == "stderr" else theory)]
    table = chosen.labels.copy()
    for name, picked in chosen.picked.items():
        table[name] = picked["estimate"]
        for part in parts:
            table[f"{name} {part}"] = picked[part]
    return plainly_named(table).to_csv(index=False, lineterminator="\n")


def as_latex(chosen: Selection, *, errors: bool, theory: bool) -> str:
    """Return a selection as a ``tabular`` for booktabs and siunitx, energies in eV."""
    labels = latex.key_columns(chosen.labels, list(chosen.labels))
    columns = _columns(chosen, latex.escaped, errors=errors, theory=theory)
    return latex.tabular(labels, columns, latex.escaped(_note(chosen, theory=theory)))


def as_markdown(chosen: Selection, *, errors: bool, theory: bool) -> str:
    """Return a selection as a Markdown table, its numbers as in LaTeX."""
    columns = [
        *latex.key_columns(chosen.labels, list(chosen.labels), _plain),
        *_columns(chosen, _plain, errors=errors, theory=theory),
    ]
    titles = [f"{column.title} {column.scale(_plain)}".rstrip() for column in columns]
    sides = ["--:" if column.numeric else "---" for column in columns]
    rows = zip(*(column.cells for column in columns), strict=True)
    table = "".join(f"| {' | '.join(cells)} |\n" for cells in (titles, sides, *rows))
    return f"{table}\n{_plain(_note(chosen, theory=theory))}\n"


FORMATS = {"csv": as_csv, "latex": as_latex, "markdown": as_markdown}


def _plain(text: str) -> str:
    """Return a user's text such that Markdown shows it as it is."""
    shown = "".join(sign if sign.isprintable() else "?" for sign in text)
    return re.sub(r"([\\`*_{}\[\]<>|$#~])", r"\\\1", shown)


def _columns(
    chosen: Selection, text: Callable[[str], str], *, errors: bool, theory: bool
) -> list[latex.Column]:
    """Columns of what was chosen."""
    columns = []
    for name, picked in chosen.picked.items():
        title = _title(name, text)
        columns.append(
            latex.measured(title, picked) if errors else latex.numbers(title, picked["estimate"])
        )
        if theory:
            columns.append(latex.theory(f"{title}, theory", picked))
    return columns


def _title(column: str, text: Callable[[str], str]) -> str:
    quantity, _, statistic = column.rpartition(":")
    symbol = f"${SYMBOLS[quantity]}$" if quantity in SYMBOLS else text(quantity)
    return f"{symbol} {text(statistic.replace('_', ' '))}"


def _note(chosen: Selection, *, theory: bool) -> str:
    """Return what is said beneath a table: the unit, and what kind of theory each column has."""
    note = "Energies in eV."
    if theory:
        for name, picked in chosen.picked.items():
            note += f" Theory of {name}: {alternatives(picked['theory_kind']) or 'none'}."
    return note

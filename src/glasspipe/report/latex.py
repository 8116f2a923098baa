"""What tables in LaTeX are made of: titles, cells of numbers with their errors, rows and rules."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from glasspipe.files.dataset import replacing
from glasspipe.files.results import CONCENTRATION
from glasspipe.report.presentation import compact, energy_unit, key_label, key_unit

_TEXT = {
    "\\": r"\textbackslash{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "Å": r"\AA{}",
    "µ": r"$\mu$",
    "²": "$^2$",
    "³": "$^3$",
}


def escaped(text: str) -> str:
    """Return plain text as LaTeX."""
    return "".join(_TEXT.get(character, character) for character in text)


def point_columns(points: pd.DataFrame) -> dict[str, list[str]]:
    """The columns that say which point a row is about; x stands for its nominal value."""
    keys = [key for key in points.columns if key not in ("point", "x", CONCENTRATION)]
    return {**key_columns(points, keys), "$x$": numbers(points["x"])}


def key_columns(table: pd.DataFrame, keys: Sequence[str]) -> dict[str, list[str]]:
    """The columns of swept keys."""
    columns = {}
    for key in keys:
        unit = key_unit(key)
        numeric = pd.api.types.is_numeric_dtype(table[key])
        cells = numbers(table[key]) if numeric else [escaped(str(name)) for name in table[key]]
        columns[key_label(key) + (f" ({escaped(unit)})" if unit else "")] = cells
    return columns


def header(symbol: str, unit: str = "") -> str:
    """Return a symbol and its unit as the title of a column."""
    return f"${symbol}$" + (f" ({escaped(unit)})" if unit else "")


def energies(symbol: str, picked: pd.DataFrame) -> dict[str, list[str]]:
    """One column of energies with their errors: its title, with the unit of the largest."""
    factor, unit = energy_unit(picked["estimate"])
    return {header(symbol, unit): measured(picked / factor)}


def measured(picked: pd.DataFrame) -> list[str]:
    """Cells of numbers with their errors."""
    pairs = zip(picked["estimate"].astype(float), picked["stderr"].astype(float), strict=True)
    return [f"${compact(*pair)}$" if np.isfinite(pair[0]) else "--" for pair in pairs]


def numbers(values: pd.Series, digits: int = 4) -> list[str]:
    """Cells of numbers without errors."""
    return [f"${power(f'{v:.{digits}g}')}$" if np.isfinite(v) else "--" for v in values]


def power(text: str) -> str:
    """Write Python's powers of ten in text as TeX does."""
    return re.sub(r"e([+-]\d+)", lambda found: rf"\times10^{{{int(found[1])}}}", text)


def rows(columns: dict[str, list[str]]) -> list[tuple[str, ...]]:
    """Return the rows of columns of cells."""
    return list(zip(*columns.values(), strict=True))


def tabular(titles: list[str], blocks: Sequence[list[tuple[str, ...]]], note: str) -> str:
    """A ``tabular`` of blocks of rows with rules between them, and a note beneath."""
    lines = [f"\\begin{{tabular}}{{{'l' * len(titles)}}}", r"\toprule", _line(titles)]
    for block in blocks:
        lines += [r"\midrule", *map(_line, block)]
    note = rf"\multicolumn{{{len(titles)}}}{{l}}{{\footnotesize {note}}} \\"
    return "\n".join([*lines, r"\bottomrule", note, r"\end{tabular}", ""])


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def write_text(path: Path, text: str) -> None:
    """Write the text of a table."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")

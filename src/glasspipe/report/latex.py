"""What tables in LaTeX are made of: columns with their heads, and tabulars no wider than a page.

A column of numbers has one power of ten, which stands in its head with the unit, and is aligned at
the decimal point by the package siunitx. Columns that do not fit side by side, and rows that do not
fit below one another, make further tabulars.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor, log10
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pandas as pd

from glasspipe.files.dataset import replacing
from glasspipe.files.results import CONCENTRATION
from glasspipe.report.presentation import (
    decade,
    has_error,
    key_label,
    key_unit,
    places,
    rounded,
    shortened,
)

Text = Callable[[str], str]

Unit = tuple[float, str]
"""Its size, and its name as plain text."""
_ONE: Unit = (1.0, "")

NONE = "--"
"""A number that there is not."""
_TEXT = {
    "\\": r"\textbackslash{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",  # which a row may not begin with, nor with a star
    "*": "{*}",
    "Å": r"\AA{}",
    "…": r"\dots{}",
    "µ": r"$\mu$",
    "²": "$^2$",
    "³": "$^3$",
}
_LETTERS = set(map(chr, range(0xC0, 0x100))) - set("ÐÞ×ðþ÷")
"""Those beyond ASCII of which every font of LaTeX is made."""

_PAGE = 500.0
"""Points; the text of a page in two columns of REVTeX has 510."""
_LETTER, _DIGIT, _SIGNS, _GAP = 5.3, 5.6, 3.9, 10.0
"""Widths at 10 points: letters, digits in threes, each of points, brackets and signs, and between
columns."""
_MOST_ROWS = 45
_DIGITS = 4
_ASKED, _PLAIN = 8, (1e-4, 1e6)
"""Digits of values as they were asked for, and the sizes of those that need no power of ten."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    title : str
        Its head, in LaTeX.
    cells : tuple of str
        Numbers as siunitx reads them, ``1.23(4)``, or LaTeX; :data:`NONE` where there is none.
    unit : str
        Unit of the numbers, plain text.
    power : int
        Power of ten that they are times of.
    numeric : bool
        Whether its cells are numbers.
    """

    title: str
    cells: tuple[str, ...]
    unit: str = ""
    power: int = 0
    numeric: bool = True

    def scale(self, text: Text) -> str:
        """Return power of ten and unit, ``(10^{-5} eV)``, empty where there is neither."""
        times = rf"$10^{{{self.power}}}$" if self.power else ""
        both = " ".join(filter(None, [times, text(self.unit)]))
        return f"({both})" if both else ""

    @property
    def _digits(self) -> tuple[int, int, int, bool]:
        """Most digits before and behind the point and in brackets, and whether there are signs."""
        found = [re.fullmatch(r"(-?)(\d+)\.?(\d*)(?:\((\d+)\))?", cell) for cell in self.cells]
        parts = [one.groups(default="") for one in found if one]
        before, behind, error = (
            max((len(part[number]) for part in parts), default=1 if number == 1 else 0)
            for number in (1, 2, 3)
        )
        return before, behind, error, any(part[0] for part in parts)

    @property
    def kind(self) -> str:
        """What ``tabular`` is told of the column."""
        if not self.numeric:
            return "l"
        before, behind, error, signed = self._digits
        brackets = f"({error})" if error else ""
        return f"S[table-format={'-' * signed}{before}.{behind}{brackets}]"

    @property
    def width(self) -> float:
        """Width in points, not less than it is."""
        heads = [_letters(self.title), _letters(self.scale(str))]
        if not self.numeric:
            return _GAP + _LETTER * max([*heads, *map(_letters, self.cells)])
        before, behind, error, signed = self._digits
        signs = (behind > 0) + 2 * (error > 0) + 2 * signed
        return _GAP + max(_LETTER * max(heads), _DIGIT * (before + behind + error) + _SIGNS * signs)

    def shown(self, row: int) -> str:
        """Return a cell, in braces where siunitx would look for a number and there is none."""
        cell = self.cells[row]
        return f"{{{cell}}}" if self.numeric and cell == NONE else cell


def escaped(text: str) -> str:
    """Return plain text as LaTeX, a sign that its fonts may lack as the letter beneath or as ?."""
    return re.sub("-(?=-)", "-{}", "".join(map(_sign, text)))


def _sign(character: str) -> str:
    if character in _TEXT:
        return _TEXT[character]
    if (character.isascii() and character.isprintable()) or character in _LETTERS:
        return character
    plain = normalize("NFKD", character).encode("ascii", "ignore").decode()
    return "".join(_TEXT.get(sign, sign) for sign in plain if sign.isprintable()) or "?"


def _cell(text: str) -> str:
    """Return a user's text for a cell, which is narrow."""
    return escaped(shortened(text))


def point_columns(points: pd.DataFrame) -> list[Column]:
    """The columns that say which point a row is about, x as it was asked for if it was."""
    keys = [key for key in points.columns if key not in ("point", "x", CONCENTRATION)]
    swept = CONCENTRATION in points
    x = points[CONCENTRATION] if swept else points["x"].map(lambda x: float(f"{x:.{_DIGITS}g}"))
    return [*key_columns(points, keys), asked("$x$", x)]


def key_columns(table: pd.DataFrame, keys: Sequence[str], text: Text = _cell) -> list[Column]:
    """The columns of swept keys, users' text made harmless by ``text``."""
    titles, columns = [key_label(key, text) for key in keys], []
    for key, label in zip(keys, titles, strict=True):
        title = label if titles.count(label) == 1 else text(key)
        if pd.api.types.is_numeric_dtype(table[key]):
            columns.append(asked(title, table[key], (1.0, key_unit(key))))
        else:
            columns.append(words(title, [text(str(value)) for value in table[key]]))
    return columns


def words(title: str, cells: Sequence[str]) -> Column:
    """Return a column of LaTeX."""
    return Column(title, tuple(cells), numeric=False)


def measured(title: str, picked: pd.DataFrame, unit: Unit = _ONE) -> Column:
    """Return a column of estimates with their errors, in a unit: its size, and its name."""
    return _column(title, picked["estimate"], picked["stderr"], unit, _DIGITS)


def theory(title: str, picked: pd.DataFrame, unit: Unit = _ONE) -> Column:
    """Return a column of what theory says."""
    return numbers(title, picked["theory"], unit)


def numbers(title: str, values: pd.Series, unit: Unit = _ONE) -> Column:
    """Return a column of numbers without errors."""
    return _column(title, values, pd.Series(np.nan, values.index), unit, _DIGITS)


def asked(title: str, values: pd.Series, unit: Unit = _ONE) -> Column:
    """Return a column of numbers as a config has them, a power of ten only where it must be."""
    largest = float(values.abs().max())
    power = 0 if _PLAIN[0] <= largest < _PLAIN[1] else decade(values)
    cells = tuple(_number(value, np.nan, _ASKED) for value in values / 10.0**power)
    return Column(title, cells, unit[1], power)


def _column(title: str, values: pd.Series, errors: pd.Series, unit: Unit, digits: int) -> Column:
    size, name = unit
    power = decade(pd.concat([values, errors]).astype(float) / size)
    scaled = (column.astype(float) / (size * 10.0**power) for column in (values, errors))
    cells = tuple(_number(value, error, digits) for value, error in zip(*scaled, strict=True))
    return Column(title, cells, name, power)


def _number(value: float, error: float, digits: int) -> str:
    """Return ``1.23(4)``, the error in units of the last digit, or as many digits as it has."""
    if not np.isfinite(value):
        return NONE
    if not has_error(value, error):
        most = 0 if value == 0 else max(digits - 1 - floor(log10(abs(value))), 0)
        text = f"{rounded(value, most):.{most}f}"
        short = text.rstrip("0").rstrip(".") if most else text
        return short if float(short) == float(f"{value:.12g}") else text
    decimals = places(error)
    shown = rounded(error, decimals) * 10.0 ** max(decimals, 0)
    return f"{rounded(value, decimals):.{max(decimals, 0)}f}({shown:.0f})"


def tabular(labels: Sequence[Column], columns: Sequence[Column], note: str) -> str:
    """Return tabulars that have the labels' columns each, and what is said beneath them."""
    rows = len((*labels, *columns)[0].cells)
    parts = [
        _tabular([*labels, *part], range(first, min(first + _MOST_ROWS, rows)))
        for part in _side_by_side(labels, columns)
        for first in range(0, max(rows, 1), _MOST_ROWS)
    ]
    parts.append(rf"\parbox{{\linewidth}}{{\footnotesize\raggedright {note}}}")
    text = "".join(f"\\noindent\n{part}\\par\\medskip\n" for part in parts)
    return f"\\begingroup\\tabcolsep={_GAP / 2:g}pt\n{text}\\endgroup\n"


def _side_by_side(labels: Sequence[Column], columns: Sequence[Column]) -> list[list[Column]]:
    """Return parts of the columns that fit a page beside the labels, about equally wide."""
    room = _PAGE - sum(column.width for column in labels)
    parts = _parts(columns, room)
    widest = max((column.width for column in columns), default=0.0)
    while room > widest:
        room -= _LETTER
        narrower = _parts(columns, room)
        if len(narrower) > len(parts):
            break
        parts = narrower
    return parts


def _parts(columns: Sequence[Column], room: float) -> list[list[Column]]:
    parts: list[list[Column]] = [[]]
    for column in columns:
        if parts[-1] and sum(one.width for one in (*parts[-1], column)) > room:
            parts.append([])
        parts[-1].append(column)
    return parts


def _tabular(columns: Sequence[Column], rows: range) -> str:
    kinds = "".join(column.kind for column in columns)
    heads = [[column.title for column in columns]]
    scales = [column.scale(escaped) for column in columns]
    heads += [scales] if any(scales) else []
    return "\n".join(
        [
            rf"\begin{{tabular}}{{{kinds}}}",
            r"\toprule",
            *(_line([f"{{{title}}}" for title in head]) for head in heads),
            r"\midrule",
            *(_line([column.shown(row) for column in columns]) for row in rows),
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )


def _letters(latex: str) -> int:
    """Return about how many letters LaTeX has in print."""
    return len(re.sub(r"[${}^_\s]|\\[,;]", "", re.sub(r"\\[A-Za-z]+", "x", latex))) + latex.count(
        " "
    )


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def write_text(path: Path, text: str) -> None:
    """Write the text of a table."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")

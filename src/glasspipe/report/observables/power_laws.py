"""The power laws of all observables in one table."""

import re

import numpy as np

from glasspipe.files import results
from glasspipe.report.latex import (
    NONE,
    asked,
    escaped,
    key_columns,
    measured,
    numbers,
    tabular,
    words,
)
from glasspipe.report.observable import Observable, Results, Table
from glasspipe.report.presentation import COUPLING_SYMBOLS, SYMBOLS, TYPICAL, WIDTH, fraction

_STATISTICS = {TYPICAL: "typical", WIDTH: "width"}


def latex(found: Results) -> str:
    """Return the table of the fits in LaTeX."""
    fits = found.fits
    symbols = SYMBOLS | COUPLING_SYMBOLS
    ranges = fits["range"].str.replace("<=", r"\le", regex=False)
    statistics = [_STATISTICS.get(name, name) for name in fits["statistic"]]
    limits = [fraction(v) if np.isfinite(v) else NONE for v in fits["asymptotic"]]
    labels = [
        *key_columns(fits, results.swept_keys(fits, results.FITS_COLUMNS)),
        words("quantity", [f"${symbols.get(q, escaped(q))}$" for q in fits["quantity"]]),
        words("statistic", [escaped(name) for name in statistics]),
        words("against", [f"${text}$" for text in fits["against"]]),
    ]
    columns = [
        words("range", [f"${_power(text)}$" for text in ranges]),
        asked("points", fits["points"]),
        measured("exponent", fits.rename(columns={"exponent": "estimate"})),
        numbers("theory", fits["prediction"]),
        words("limit", limits),
        numbers(r"$\chi^2$", fits["chi2"].where(fits["points"] > 2)),
    ]
    note = "Theory: the exponent of the theory's values at the same points."
    return tabular(labels, columns, note)


def _power(text: str) -> str:
    """Write Python's powers of ten in text as TeX does."""
    return re.sub(r"e([+-]\d+)", lambda found: rf"\times10^{{{int(found[1])}}}", text)


OBSERVABLE = Observable(
    name="power_laws",
    tables=(Table(name="fits", values=lambda found: found.fits, latex=latex),),
)

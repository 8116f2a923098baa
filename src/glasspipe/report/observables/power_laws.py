"""The power laws of all observables in one table."""

import numpy as np

from glasspipe.files import results
from glasspipe.report.latex import escaped, key_columns, measured, numbers, power, rows, tabular
from glasspipe.report.observable import Observable, Results, Table
from glasspipe.report.presentation import COUPLING_SYMBOLS, SYMBOLS, TYPICAL, WIDTH, fraction

_STATISTICS = {TYPICAL: "typical", WIDTH: "width"}


def latex(found: Results) -> str:
    """Return the table of the fits in LaTeX."""
    fits = found.fits
    columns = key_columns(fits, results.swept_keys(fits, results.FITS_COLUMNS))
    symbols = SYMBOLS | COUPLING_SYMBOLS
    columns["quantity"] = [f"${symbols.get(name, escaped(name))}$" for name in fits["quantity"]]
    columns["statistic"] = [escaped(_STATISTICS.get(name, name)) for name in fits["statistic"]]
    columns["against"] = [f"${text}$" for text in fits["against"]]
    ranges = fits["range"].str.replace("<=", r"\le", regex=False)
    columns["range"] = [f"${power(text)}$" for text in ranges]
    columns["points"] = [str(number) for number in fits["points"]]
    columns["exponent"] = measured(fits.rename(columns={"exponent": "estimate"}))
    columns["theory"] = numbers(fits["prediction"])
    columns["limit"] = [fraction(v) if np.isfinite(v) else "--" for v in fits["asymptotic"]]
    columns[r"$\chi^2$"] = numbers(fits["chi2"].where(fits["points"] > 2), digits=3)
    note = "Theory: the exponent of the theory's values at the same points."
    return tabular(list(columns), [rows(columns)], note)


OBSERVABLE = Observable(
    name="power_laws",
    tables=(Table(name="fits", values=lambda found: found.fits, latex=latex),),
)

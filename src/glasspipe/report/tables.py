r"""Tables for papers: CSV with every digit in eV, LaTeX with what is significant.

The LaTeX needs the package booktabs and nothing else; a file holds one ``tabular``, to be set with
``\input``. A column of energies has one unit, in its header, so that its numbers can be compared.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from glasspipe.files import results
from glasspipe.report import freezing_tables, low_energy_tables
from glasspipe.report.latex import (
    energies,
    escaped,
    header,
    key_columns,
    measured,
    numbers,
    point_columns,
    power,
    rows,
    tabular,
    write_text,
)
from glasspipe.report.presentation import (
    COUPLING_SYMBOLS,
    SYMBOLS,
    TYPICAL,
    WIDTH,
    energy_unit,
    fraction,
    joined,
    pick,
    points_of,
    ratio,
)

_STATISTICS = {TYPICAL: "typical", WIDTH: "width"}
_KURTOSIS = (
    "The kurtosis need not converge: the rare near pairs that rule it may be missing in a sample."
)


def write(folder: Path, names: Sequence[str]) -> None:
    """Write tables of a study into ``tables/``, as CSV and LaTeX.

    Parameters
    ----------
    folder : Path
        The study's folder, with the files of the aggregate stage.
    names : sequence of str
        Those wanted, see :mod:`glasspipe.report.contents`.

    Raises
    ------
    DataError
        If one of those files is missing or cannot be used.
    """
    summary, fits = results.read_summary(folder), results.read_fits(folder)
    for name in names:
        values, latex = _TABLES[name]
        source = fits if name == "fits" else summary
        results.write_csv(folder / "tables" / f"{name}.csv", values(source))
        write_text(folder / "tables" / f"{name}.tex", latex(source))


def random_field(summary: pd.DataFrame) -> pd.DataFrame:
    """Return B_0, B̄, B̄/B_0, the mean and the kurtosis of B, a row a point, energies in eV.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    """
    B = {name: pick(summary, "B", name) for name in (TYPICAL, WIDTH, "mean", "kurtosis")}
    in_eV = {"B_0": B[TYPICAL], "B_std": B[WIDTH], "B_mean": B["mean"]}
    ratios = {"B_std/B_0": ratio(B[WIDTH], B[TYPICAL]), "B_kurtosis": B["kurtosis"]}
    return joined(joined(points_of(summary), in_eV, " (eV)"), ratios)


def typical_fields(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the quartile half-width of every field, a row a point, in eV.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    """
    columns = {f"{q}_0": pick(summary, q, TYPICAL) for q in _quantities(summary)}
    return joined(points_of(summary), columns, " (eV)")


def _quantities(summary: pd.DataFrame) -> list[str]:
    return [quantity for quantity in SYMBOLS if (summary["quantity"] == quantity).any()]


def random_field_latex(summary: pd.DataFrame) -> str:
    """Return the table of :func:`random_field` in LaTeX.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    """
    columns = point_columns(points_of(summary))
    for statistic, symbol in {TYPICAL: "B_0", WIDTH: r"\bar{B}"}.items():
        picked = pick(summary, "B", statistic)
        factor, unit = energy_unit(picked["estimate"])
        columns[header(symbol, unit)] = measured(picked / factor)
        columns[header(rf"{symbol}^\mathrm{{theory}}", unit)] = numbers(picked["theory"] / factor)
    width, typical = (pick(summary, "B", name) for name in (WIDTH, TYPICAL))
    columns[header(r"\bar{B}/B_0")] = measured(ratio(width, typical))
    mean = pick(summary, "B", "mean")
    factor, unit = energy_unit(mean["stderr"])
    columns[header(r"\langle B\rangle", unit)] = measured(mean / factor)
    columns["kurtosis"] = measured(pick(summary, "B", "kurtosis"))
    return tabular(list(columns), [rows(columns)], _KURTOSIS)


def typical_fields_latex(summary: pd.DataFrame) -> str:
    """Return the table of :func:`typical_fields` in LaTeX, below it their ratios to theory.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    """
    points = points_of(summary)
    columns, ratios = point_columns(points), point_columns(points)
    for quantity in _quantities(summary):
        picked = pick(summary, quantity, TYPICAL)
        column = energies(SYMBOLS[quantity], picked)
        theory = picked["theory"].where(picked["theory"] > 0)
        columns |= column
        ratios |= dict.fromkeys(column, measured(picked.div(theory, axis=0)))
    note = (
        "Quartile half-widths; below the rule, in units of their theory"
        r" with independent $S_j$ and $\tau_j$."
    )
    return tabular(list(columns), [rows(columns), rows(ratios)], note)


def fits_latex(fits: pd.DataFrame) -> str:
    """Return the table of the fits in LaTeX.

    Parameters
    ----------
    fits : DataFrame
        Power-law fits of the study.
    """
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


def freezing_latex(summary: pd.DataFrame) -> str:
    """Return E/N, T_G, the gap, the random fields and the quality in LaTeX.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    """
    columns = point_columns(points_of(summary))
    temperatures = {
        "T_G^{q}": freezing_tables.HALF,
        "T_G^{C}": freezing_tables.PEAK,
        "T_G^{B}": freezing_tables.FIELD_HALF,
        "xU_0": freezing_tables.SCALE,
    }
    columns |= energies("E/N", pick(summary, freezing_tables.ENERGY, "frozen"))
    for symbol, name in temperatures.items():
        columns |= energies(symbol, pick(summary, freezing_tables.T_G, name))
    numbers_of = {
        r"\theta": (freezing_tables.GAP, "exponent"),
        r"-\langle S\,\mathrm{sgn}\,B\rangle": (freezing_tables.FIELD, "alignment"),
        "|q|": (freezing_tables.FIELD, "overlap"),
    }
    for symbol, what in numbers_of.items():
        columns[header(symbol)] = measured(pick(summary, *what))
    quality = freezing_tables.freezing(summary)["quality"]
    columns["quality"] = ["good" if found == "good" else "poor" for found in quality]
    note = (
        "$T_G^q$: overlap of replicas one half; $T_G^C$: largest $dE/dT$;"
        " $T_G^B$: overlap by $B$ alone one half."
    )
    return tabular(list(columns), [rows(columns)], note)


def sweeps_latex(summary: pd.DataFrame) -> str:
    """Return the table of the sweeps for several accuracies in LaTeX.

    Parameters
    ----------
    summary : DataFrame
        Statistics of the study.
    """
    table = freezing_tables.sweeps_needed(summary)
    fixed = ("accuracy", "bound", "sweeps", freezing_tables.LIMIT)
    columns = key_columns(table, [key for key in table.columns if key not in fixed])
    columns["accuracy"] = numbers(table["accuracy"])
    shown = zip(table["bound"], numbers(table["sweeps"], digits=10), strict=True)
    columns["sweeps"] = [cell.replace("$", r"$\le ", 1) if bound else cell for bound, cell in shown]
    factor, unit = energy_unit(table[freezing_tables.LIMIT])
    columns[header(r"E_\infty/N", unit)] = numbers(table[freezing_tables.LIMIT] / factor)
    return tabular(list(columns), [rows(columns)], r"Accuracy: of $E_\infty$.")


_TABLES: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], Callable[[pd.DataFrame], str]]] = {
    "summary": (random_field, random_field_latex),
    "fields": (typical_fields, typical_fields_latex),
    "fits": (lambda fits: fits, fits_latex),
    "freezing": (freezing_tables.freezing, freezing_latex),
    "sweeps": (freezing_tables.sweeps_needed, sweeps_latex),
    "strengths": (low_energy_tables.strengths, low_energy_tables.strengths_latex),
    "tunnelling": (low_energy_tables.tunnelling, low_energy_tables.tunnelling_latex),
}
"""Each table with every digit, and in LaTeX."""

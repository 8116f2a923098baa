import re

import numpy as np
import pandas as pd
import pytest
import synthetic

from glasspipe.files import results
from glasspipe.report import contents, tables
from glasspipe.report.latex import escaped, measured, numbers, tabular, words
from glasspipe.report.observable import Results
from glasspipe.report.observables import power_laws, sweeps, typical_and_width
from glasspipe.report.style import ENERGIES, Style

TABLES = tuple(contents.TABLES.values())


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    sweep = {synthetic.X: [1e-4, 1e-3, 1e-2], "defects.species": ["simple_a", "b"]}
    synthetic.write(folder, sweep)
    tables.write(Results(folder), TABLES)
    return folder


def parsed(text):
    """The columns of all tabulars: by title, the unit with its power, and the cells."""
    found = {}
    for part in text.split(r"\begin{tabular}")[1:]:
        body = part.partition("\\toprule\n")[2].partition("\\bottomrule\n")[0]
        head, rows = (block.splitlines() for block in body.split("\\midrule\n"))
        titles, *units = [[cell[1:-1] for cell in line_cells(line)] for line in head]
        units = units[0] if units else [""] * len(titles)
        columns = zip(*map(line_cells, rows), strict=True) if rows else [()] * len(titles)
        for title, unit, cells in zip(titles, units, columns, strict=True):
            found[title] = (unit, list(cells))
    return found


def line_cells(line):
    assert line.endswith(r" \\")
    return line.removesuffix(r" \\").split(" & ")


def power(unit):
    """What a unit is of eV, or of 1."""
    [exponent] = re.findall(r"10\^\{(-?\d+)\}", unit) or [0]
    return 10.0 ** int(exponent)


def number(cell):
    """Value and error of a cell."""
    if cell == "{--}":
        return np.nan, np.nan
    value, error = re.fullmatch(r"(-?\d+\.?\d*)(?:\((\d+)\))?", cell).groups()
    decimals = len(value.partition(".")[2])
    return float(value), np.nan if error is None else float(error) * 10.0**-decimals


@pytest.mark.parametrize("name", ["summary", "fields", "fits", "freezing"])
def test_latex_is_booktabs_tabulars_with_equal_rows(study, name):
    text = (study / "tables" / f"{name}.tex").read_text()
    for part in text.split(r"\begin{tabular}")[1:]:
        kinds = re.match(r"\{((?:l|S\[[^]]*\])+)\}", part)[1]
        columns = len(re.findall(r"l|S\[[^]]*\]", kinds))
        lines = [line for line in part.splitlines() if line.endswith(r"\\")]
        assert {line.count(" & ") + 1 for line in lines} == {columns}
    assert text.count("$") % 2 == 0
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}")
    assert text.isascii()


def test_numbers_are_of_the_form_that_their_column_says(study):
    text = (study / "tables" / "fields.tex").read_text()
    checked = 0
    for part in text.split(r"\begin{tabular}")[1:]:
        kinds = part.partition("\n")[0]
        forms = re.findall(r"l|S\[table-format=(-?)(\d)\.(\d)(?:\((\d)\))?\]", kinds)
        rows = part.partition("\\midrule\n")[2].partition("\\bottomrule")[0].splitlines()
        for row in rows:
            for (sign, before, behind, error), cell in zip(forms, line_cells(row), strict=True):
                if before and cell != "{--}":
                    checked += 1
                    form = r"(-?)(\d+)\.?(\d*)(?:\((\d+)\))?"
                    own = re.fullmatch(form, cell).groups(default="")
                    assert len(own[0]) <= len(sign)
                    most = (int(before), int(behind), int(error or 0))
                    assert all(len(o) <= m for o, m in zip(own[1:], most, strict=True))
    assert checked > 50


def test_latex_and_csv_hold_the_same_numbers(study):
    csv = pd.read_csv(study / "tables" / "summary.csv")
    columns = parsed((study / "tables" / "summary.tex").read_text())
    names = {"$B_0$": "B_0", r"$\bar{B}$": "B_std", r"$\langle B\rangle$": "B_mean"}
    for title, name in names.items():
        unit, cells = columns[title]
        assert unit.endswith(" eV)")
        for cell, (_, exact) in zip(cells, csv.iterrows(), strict=True):
            value, error = (v * power(unit) for v in number(cell))
            assert value == pytest.approx(exact[f"{name}_eV"], abs=0.51 * error)
            assert error == pytest.approx(exact[f"{name}_stderr_eV"], rel=0.25)


def test_energies_are_in_the_unit_of_the_study(study):
    latex = typical_and_width.latex(Results(study))
    kelvin = Results(study)
    vars(kelvin)["style"] = Style(energy=ENERGIES["K"])
    (unit, cells), (other, same) = (
        parsed(text)["$B_0$"] for text in (latex, typical_and_width.latex(kelvin))
    )
    assert other.endswith("K)")
    for one, two in zip(cells, same, strict=True):
        (eV, _), (K, error) = number(one), number(two)
        assert K * power(other) == pytest.approx(
            eV * power(unit) / 8.617333e-5, abs=1.1 * error * power(other)
        )


def test_csv_holds_the_summary_to_the_last_bit(study):
    found = Results(study)
    summary, made = found.summary, typical_and_width.values(found)
    wanted = summary.query("quantity == 'B' and statistic == 'kurtosis'")
    assert made["B_kurtosis"].tolist() == wanted["estimate"].tolist()
    assert made["defects.species"].tolist() == ["simple_a", "b"] * 3
    written = (study / "tables" / "summary.csv").read_text().splitlines()
    assert [repr(float(value)) for value in made["B_0 (eV)"]] == [
        line.split(",")[list(made).index("B_0 (eV)")] for line in written[1:]
    ]


def test_swept_names_are_escaped_and_x_is_as_it_was_asked_for(study):
    columns = parsed((study / "tables" / "summary.tex").read_text())
    assert list(columns)[:3] == ["species", "$x$", "$B_0$"]
    assert columns["species"][1] == [r"simple\_a", "b"] * 3
    assert columns["$x$"] == ("", ["0.0001", "0.0001", "0.001", "0.001", "0.01", "0.01"])


def test_realised_x_stands_where_none_was_asked_for(tmp_path):
    synthetic.write(tmp_path, {"defects.eta": [0.5, 1.0]}, samples=200, fits=False)
    found = Results(tmp_path)
    found.summary["x"] = 0.0123456789
    assert parsed(typical_and_width.latex(found))["$x$"][1] == ["0.01235"] * 2


def test_fields_stand_beside_their_ratios_to_theory(study):
    columns = parsed((study / "tables" / "fields.tex").read_text())
    ratios = [cells for title, (_, cells) in columns.items() if title.endswith("/theory")]
    assert len(ratios) == 7
    for value, error in (number(cell) for cells in ratios for cell in cells):
        assert value == pytest.approx(1.0, abs=5 * error)
        assert 0 < error < 0.2


def test_fits_show_their_law(study):
    columns = parsed((study / "tables" / "fits.tex").read_text())
    rows = zip(*(cells for _, cells in columns.values()), strict=True)
    shown = [dict(zip(columns, row, strict=True)) for row in rows]
    [B] = [
        r for r in shown if (r["species"], r["quantity"], r["statistic"]) == ("b", "$B$", "typical")
    ]
    assert B["range"] == r"$0.0001 \le x \le 0.01$"
    assert B["against"] == "$x$"
    assert B["limit"] == "1"
    [fit] = results.read_fits(study).query(
        "quantity == 'B' and statistic != 'std' and `defects.species` == 'b'"
    )["exponent"]
    value, error = number(B["exponent"])
    assert value == pytest.approx(fit, abs=0.51 * error)


def test_freezing_in_latex_holds_the_numbers_of_the_csv(study):
    csv = pd.read_csv(study / "tables" / "freezing.csv")
    columns = parsed((study / "tables" / "freezing.tex").read_text())
    names = {
        "$E/N$": "E/N (eV)",
        "$k_BT_G^q$": "T_G of the overlap (eV)",
        "$k_BT_G^C$": "T_G of the heat (eV)",
        "$k_BT_G^B$": "T_G of B alone (eV)",
        "$xU_0$": "xU_0 (eV)",
        r"$-\langle S\,\mathrm{sgn}\,B\rangle$": "alignment with B",
        "$|q|$": "overlap of frozen replicas",
    }
    for title, name in names.items():
        unit, cells = columns[title]
        for cell, exact in zip(cells, csv[results.plain_names([name])[name]], strict=True):
            value, error = (v * power(unit) for v in number(cell))
            assert value == pytest.approx(exact, abs=0.51 * error)
    assert columns["quality"][1] == ["good"] * 6


def test_sweeps_in_latex(tmp_path):
    """The fit of the synthetic energies asks for 3125 sweeps at 1 %: fewer than are measured."""
    synthetic.write(tmp_path, {"freeze.sweeps": [5000, 10000, 20000]}, samples=200, fits=False)
    columns = parsed(sweeps.sweeps_latex(Results(tmp_path)))
    assert list(columns) == ["accuracy", "sweeps", r"$E_\infty/N$"]
    assert columns["accuracy"][1][:2] == ["0.01", "0.005"]
    assert columns["sweeps"][1][:2] == [r"$\le 5000$", "$100000$"]
    assert columns[r"$E_\infty/N$"] == ("($10^{-4}$ eV)", ["-4"] * 3)


def test_small_concentrations_are_powers_of_ten(tmp_path):
    fits = pd.DataFrame([dict.fromkeys(results.FITS_COLUMNS, 1.0)])
    fits = fits.assign(quantity="b_eta", statistic="std", against="x", range="1e-06 <= x <= 0.03")
    results.write_fits(tmp_path, fits)
    columns = parsed(power_laws.latex(Results(tmp_path)))
    assert columns["range"][1] == [r"$1\times10^{-6} \le x \le 0.03$"]
    assert columns[r"$\chi^2$"][1] == ["{--}"]


NUMBERS = {
    "as many digits as the error has": ([1.23456, 0.05], [0.012, 0.003], 0, "1.235(12) 0.050(3)"),
    "errors above 1": ([1234.5, 250.0], [50.0, 1.2], 0, "1230(50) 250.0(12)"),
    "one power": ([2.5e-5, -1e-9], [1e-6, 3e-10], -5, "2.50(10) -0.00010(3)"),
    "large ones": ([2.5e7, 1e4], [1e6, 5e3], 7, "2.50(10) 0.0010(5)"),
    "no error": ([0.5, 123.456, 0.0, 1e3], [np.nan] * 4, 0, "0.5 123.5 0 1000"),
    "none": ([np.nan, np.inf], [1.0, 1.0], 0, "-- --"),
    "no negative zero": ([-1e-4], [0.2], 0, "0.0(2)"),
}


@pytest.mark.parametrize(("values", "errors", "exponent", "cells"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_of_a_column_have_one_power(values, errors, exponent, cells):
    column = measured("x", pd.DataFrame({"estimate": values, "stderr": errors}))
    assert " ".join(column.cells) == cells
    assert column.power == exponent


def test_columns_that_do_not_fit_a_page_make_further_tabulars():
    labels = [words("name", ["a", "b"])]
    wide = [numbers(f"$X_{i}$", pd.Series([123456.5, 0.25]) + i) for i in range(26)]
    text = tabular(labels, wide, "note")
    parts = text.split(r"\begin{tabular}")[1:]
    assert len(parts) > 1
    assert all(len(re.findall("{name}", part)) == 1 for part in parts)
    assert list(parsed(text)) == ["name", *(f"$X_{i}$" for i in range(26))]
    sizes = [part.count("S[") for part in parts]
    assert max(sizes) - min(sizes) <= 2


def test_names_wider_than_a_page_are_shortened(tmp_path):
    """Columns beside labels for which there is no room at all once made an endless loop."""
    name = "/a/very/long/way/" * 20
    synthetic.write(tmp_path, {"sample.source.file": [f"{name}one.nc", f"{name}two.nc"]})
    tables.write(Results(tmp_path), TABLES)
    cells = parsed((tmp_path / "tables" / "summary.tex").read_text("utf-8"))["file"][1]
    assert cells[0].startswith("/a/very/long/")
    assert r"\dots{}" in cells[0]
    assert [cell[-6:] for cell in cells] == ["one.nc", "two.nc"]
    wide = words("label", ["x" * 400])
    parts = tabular([wide], [words(f"c{i}", ["1"]) for i in range(3)], "").count("tabular}{")
    assert parts == 3


def test_rows_that_do_not_fit_a_page_make_further_tabulars():
    text = tabular([], [numbers("$x$", pd.Series(np.arange(100.0)))], "note")
    parts = text.split("\\midrule\n")[1:]
    assert [part.partition("\\bottomrule")[0].count("\n") for part in parts] == [45, 45, 10]


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("simple_cubic", r"simple\_cubic"),
        ("50 %", r"50 \%"),
        ("{a^2}~\\", r"\{a\textasciicircum{}2\}\textasciitilde{}\textbackslash{}"),
        ("µeV Å", r"$\mu$eV \AA{}"),
        ("a<b&c#$", r"a\textless{}b\&c\#\$"),
        (r"\input{x}.nc", r"\textbackslash{}input\{x\}.nc"),
        ("[1]*|---", r"{[}1]{*}\textbar{}-{}-{}-"),
        ("Å é ½ ş ＼ 中\n", r"\AA{} é 12 s \textbackslash{} ??"),
    ],
)
def test_text_is_escaped(text, latex):
    assert escaped(text) == latex


@pytest.mark.parametrize(
    "options",
    [
        {"sweep": {}, "fits": False},
        {"sweep": {synthetic.X: [0.01, 0.1]}, "vanish": ("B", "b_eta")},
        {"sweep": {"defects.eta": [0.0, 1.0]}, "theory": False, "fits": False},
    ],
    ids=["a single point", "no random field", "no theory"],
)
def test_numbers_that_do_not_exist_are_dashes(tmp_path, options):
    synthetic.write(tmp_path, samples=200, **options)
    tables.write(Results(tmp_path), TABLES)
    for name in ("summary", "fields", "fits", "freezing", "sweeps"):
        text = (tmp_path / "tables" / f"{name}.tex").read_text()
        cells = [cell for _, column in parsed(text).values() for cell in column]
        assert not any("nan" in cell or "inf" in cell for cell in cells)
    assert len(pd.read_csv(tmp_path / "tables" / "fields.csv")) >= 1


def test_a_field_that_vanishes_has_no_ratio(tmp_path):
    synthetic.write(tmp_path, {synthetic.X: [0.01]}, vanish=("B",), samples=200)
    columns = parsed(typical_and_width.latex(Results(tmp_path)))
    assert columns["$B_0$"] == ("(eV)", ["0"])
    assert columns[r"$\bar{B}/B_0$"][1] == ["{--}"]

import re

import numpy as np
import pandas as pd
import pytest
import synthetic

from glasspipe.files import results
from glasspipe.report import contents, tables
from glasspipe.report.latex import escaped
from glasspipe.report.observable import Results
from glasspipe.report.observables import power_laws, sweeps, typical_and_width

UNITS = {"(eV)": 1.0, "(meV)": 1e-3, r"($\mu$eV)": 1e-6, "(neV)": 1e-9}


TABLES = tuple(contents.TABLES.values())


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    sweep = {synthetic.X: [1e-4, 1e-3, 1e-2], "defects.species": ["simple_a", "b"]}
    synthetic.write(folder, sweep)
    tables.write(Results(folder), TABLES)
    return folder


def parsed(text):
    """Header and blocks of rows of a tabular."""
    assert text.startswith(r"\begin{tabular}{")
    assert text.endswith("\\end{tabular}\n")
    body = text.partition("\\toprule\n")[2].partition("\\bottomrule\n")[0]
    header, *blocks = body.split("\\midrule\n")
    rows = [[line_cells(line) for line in block.splitlines()] for block in blocks]
    return line_cells(header.strip()), rows


def line_cells(line):
    assert line.endswith(r" \\")
    return line.removesuffix(r" \\").split(" & ")


def number(cell):
    """Value and error of a cell."""
    if cell == "--":
        return np.nan, np.nan
    pattern = r"\$(-?[\d.]+)(?:\(([\d.]+)\))?(?:\\times10\^\{(-?\d+)\})?\$"
    value, error, power = re.fullmatch(pattern, cell).groups()
    decimals = len(value.partition(".")[2])
    scale = 10.0 ** int(power or 0)
    if error is None:
        return float(value) * scale, np.nan
    error = float(error) * (1 if "." in error else 10.0**-decimals)
    return float(value) * scale, error * scale


@pytest.mark.parametrize("name", ["summary", "fields", "fits", "freezing"])
def test_latex_is_a_booktabs_tabular_with_equal_rows(study, name):
    text = (study / "tables" / f"{name}.tex").read_text()
    header, blocks = parsed(text)
    [columns] = re.findall(r"\\begin\{tabular\}\{(l+)\}", text)
    assert {len(columns), len(header)} == {len(row) for rows in blocks for row in rows}
    assert text.count("$") % 2 == 0
    assert rf"\multicolumn{{{len(header)}}}{{l}}" in text
    assert text.isascii()


def test_latex_and_csv_hold_the_same_numbers(study):
    csv = pd.read_csv(study / "tables" / "summary.csv")
    header, [rows] = parsed((study / "tables" / "summary.tex").read_text())
    names = {"$B_0$": "B_0", r"$\bar{B}$": "B_std", r"$\langle B\rangle$": "B_mean"}
    found = 0
    for column, title in enumerate(header):
        symbol, _, unit = title.rpartition(" ")
        if symbol in names:
            found += 1
            for row, (_, exact) in zip(rows, csv.iterrows(), strict=True):
                value, error = (v * UNITS[unit] for v in number(row[column]))
                assert value == pytest.approx(exact[f"{names[symbol]} (eV)"], abs=0.51 * error)
                assert error == pytest.approx(exact[f"{names[symbol]} stderr (eV)"], rel=0.25)
    assert found == 3


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


def test_swept_names_are_escaped_and_the_nominal_concentration_left_out(study):
    header, [rows] = parsed((study / "tables" / "summary.tex").read_text())
    assert header[:3] == ["species", "$x$", "$B_0$ ($\\mu$eV)"]
    assert rows[0][:2] == [r"simple\_a", "$0.0001$"]


def test_fields_stand_above_their_ratios_to_theory(study):
    _, [estimates, ratios] = parsed((study / "tables" / "fields.tex").read_text())
    assert len(estimates) == len(ratios) == 6
    for row in ratios:
        for value, error in map(number, row[2:]):
            assert value == pytest.approx(1.0, abs=5 * error)
            assert 0 < error < 0.2


def test_fits_show_their_law(study):
    header, [rows] = parsed((study / "tables" / "fits.tex").read_text())
    shown = [dict(zip(header, row, strict=True)) for row in rows]
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
    header, [rows] = parsed((study / "tables" / "freezing.tex").read_text())
    names = {
        "$E/N$": "E/N (eV)",
        "$T_G^{q}$": "T_G of the overlap (eV)",
        "$T_G^{C}$": "T_G of the heat (eV)",
        "$T_G^{B}$": "T_G of B alone (eV)",
        "$xU_0$": "xU_0 (eV)",
        r"$-\langle S\,\mathrm{sgn}\,B\rangle$": "alignment with B",
        "$|q|$": "overlap of frozen replicas",
    }
    found = 0
    for column, title in enumerate(header):
        symbol, _, unit = title.rpartition(" ")
        symbol, factor = (symbol, UNITS[unit]) if unit in UNITS else (title, 1.0)
        if symbol in names:
            found += 1
            for row, exact in zip(rows, csv[names[symbol]], strict=True):
                value, error = (v * factor for v in number(row[column]))
                assert value == pytest.approx(exact, abs=0.51 * error)
    assert found == len(names)
    assert [row[header.index("quality")] for row in rows] == ["good"] * 6


def test_sweeps_in_latex(tmp_path):
    """The fit of the synthetic energies asks for 3125 sweeps at 1 %: fewer than are measured."""
    synthetic.write(tmp_path, {"freeze.sweeps": [5000, 10000, 20000]}, samples=200, fits=False)
    header, [rows] = parsed(sweeps.sweeps_latex(Results(tmp_path)))
    assert header == ["accuracy", "sweeps", r"$E_\infty/N$ ($\mu$eV)"]
    assert rows[0] == ["$0.01$", r"$\le 5000$", "$-400$"]
    assert rows[1][:2] == ["$0.005$", "$100000$"]


def test_small_concentrations_are_powers_of_ten(tmp_path):
    fits = pd.DataFrame([dict.fromkeys(results.FITS_COLUMNS, 1.0)])
    fits = fits.assign(quantity="b_eta", statistic="std", against="x", range="1e-06 <= x <= 0.03")
    results.write_fits(tmp_path, fits)
    _, [[row]] = parsed(power_laws.latex(Results(tmp_path)))
    assert r"$1\times10^{-6} \le x \le 0.03$" in row
    assert row[-1] == "--"


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("simple_cubic", r"simple\_cubic"),
        ("50 %", r"50 \%"),
        ("{a^2}~\\", r"\{a\textasciicircum{}2\}\textasciitilde{}\textbackslash{}"),
        ("µeV Å", r"$\mu$eV \AA{}"),
        ("a<b&c#$", r"a\textless{}b\&c\#\$"),
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
        header, blocks = parsed((tmp_path / "tables" / f"{name}.tex").read_text())
        assert all(len(row) == len(header) for rows in blocks for row in rows)
        assert not any(
            "nan" in cell or "inf" in cell for rows in blocks for r in rows for cell in r
        )
    assert len(pd.read_csv(tmp_path / "tables" / "fields.csv")) >= 1


def test_a_field_that_vanishes_has_no_ratio(tmp_path):
    synthetic.write(tmp_path, {synthetic.X: [0.01]}, vanish=("B",), samples=200)
    header, [[row]] = parsed(typical_and_width.latex(Results(tmp_path)))
    cells = dict(zip(header, row, strict=True))
    assert cells["$B_0$ (eV)"] == "$0$"
    assert cells[r"$\bar{B}/B_0$"] == "--"

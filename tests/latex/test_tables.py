"""Every table of a study, and tables of one's own, fit a page of REVTeX in two columns."""

import re
import subprocess

import pytest
import synthetic

from glasspipe.report import contents, tables
from glasspipe.report.observable import Results
from glasspipe.report.selection import FORMATS, select

SWEEPS = {
    "a point": {},
    "concentrations": {synthetic.X: [1e-6, *synthetic.CONCENTRATIONS]},
    "sweeps": {"freeze.sweeps": [100, 300, 1000, 30000]},
    "series": {
        "sample.source.file": ["a$b_c%", "<x>\\y^z", "~{#}&"],
        "defects.mixture.C_N.share": [0.25, 0.75],
    },
}


ACTIVE = [
    "[1].nc",
    "*.nc",
    r"\input{x}.nc",
    r"\end{tabular}",
    "%",
    "^^5c",
    "é中ﬁ½Þ¿\u200b\x07",
    "`|\"'",
]
"""Names of files: what TeX takes for a command, an option or a sign that it has not."""


def compiled(folder, body):
    """Compile a document, and return what LaTeX says."""
    (folder / "page.tex").write_text(
        "\\documentclass[prb,twocolumn]{revtex4-2}\n\\usepackage{booktabs,siunitx}\n"
        f"\\begin{{document}}\n{body}\n\\end{{document}}\n",
        encoding="utf-8",
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    log = (folder / "page.log").read_text("utf-8", errors="replace")
    assert re.search(r"\d+ pages?", log)
    return log


@pytest.mark.parametrize("sweep", SWEEPS.values(), ids=SWEEPS)
def test_no_table_is_wider_than_the_text(tmp_path, sweep):
    synthetic.write(tmp_path, sweep, samples=200, fits=synthetic.X in sweep)
    found = Results(tmp_path)
    tables.write(found, tuple(contents.TABLES.values()))
    chosen = select(found.summary, ["B:std", "b:quartile_half_width", "B:kurtosis"])
    (tmp_path / "tables" / "own.tex").write_text(FORMATS["latex"](chosen, errors=True, theory=True))
    names = sorted(path.stem for path in (tmp_path / "tables").glob("*.tex"))
    assert len(names) == len(contents.TABLES) + 1
    inputs = "\n\\clearpage\n".join(rf"\input{{tables/{name}}}" for name in names)
    log = compiled(tmp_path, f"\\onecolumngrid\n{inputs}")
    assert "Overfull" not in log


def test_names_of_files_are_text(tmp_path):
    synthetic.write(tmp_path, {"sample.source.file": ACTIVE}, samples=200, fits=False)
    found = Results(tmp_path)
    tables.write(found, tuple(contents.TABLES.values()))
    names = sorted(path.stem for path in (tmp_path / "tables").glob("*.tex"))
    compiled(tmp_path, "\n\\clearpage\n".join(rf"\input{{tables/{name}}}" for name in names))
    text = subprocess.run(
        ["pdftotext", "page.pdf", "-"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    for name in ("[1].nc", "*.nc", r"\input{x}.nc", r"\end{tabular}"):
        assert name in text


def test_a_table_that_is_too_wide_is_noticed(tmp_path):
    rows = " & ".join(["1234567890123456"] * 7)
    table = rf"\begin{{tabular}}{{{'l' * 7}}}{rows}\end{{tabular}}"
    assert "Overfull" in compiled(tmp_path, f"\\onecolumngrid\\noindent\n{table}")


def test_a_table_of_eight_points_is_a_float(tmp_path):
    synthetic.write(tmp_path, samples=200)
    (tmp_path / "table.tex").write_text(contents.TABLES["fields"].latex(Results(tmp_path)))
    body = r"\begin{table*}\caption{Fields.}\input{table}\end{table*}"
    log = compiled(tmp_path, body)
    assert "Overfull" not in log
    assert "Float too large" not in log

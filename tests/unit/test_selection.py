"""A table of one's own: what is chosen, how it is written, what is refused."""

from io import StringIO

import pandas as pd
import pytest
import synthetic

from glasspipe import cli
from glasspipe.errors import ConfigError
from glasspipe.files import results
from glasspipe.report.selection import FORMATS, select

SWEEP = {synthetic.X: [1e-3, 1e-2], "defects.axes": ["1|1", "a_b"]}
COLUMNS = ["B:std", "b:kurtosis"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work") / "study"
    synthetic.write(folder, SWEEP, samples=200)
    return folder


@pytest.fixture(scope="module")
def summary(folder):
    return results.read_summary(folder)


def test_csv_has_every_digit_of_what_was_chosen(folder, summary, capsys):
    options = ["--where", "defects_axes=a_b", "--rows", synthetic.X, "--errors", "--theory"]
    assert cli.main(["table", str(folder), "--columns", *COLUMNS, *options]) == 0
    found = pd.read_csv(StringIO(capsys.readouterr().out), dtype=str)
    assert found[synthetic.X.replace(".", "_")].map(float).tolist() == [1e-3, 1e-2]
    mine = summary[(summary["defects.axes"] == "a_b") & (summary["quantity"] == "B")]
    wanted = mine[mine["statistic"] == "std"]
    for part in ("stderr", "theory"):
        assert found[f"B_std_{part}"].map(float).tolist() == wanted[part].tolist()
    assert found["B_std"].map(float).tolist() == wanted["estimate"].tolist()
    assert found["B_std_theory_kind"].tolist() == ["exact", "exact"]


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ("defects.concentration=0.01", ["p2", "p3"]),
        ("defects.concentration!=0.01", ["p0", "p1"]),
        ("defects.concentration<=0.001", ["p0", "p1"]),
        ("defects.concentration >= 0.001", ["p0", "p1", "p2", "p3"]),
        ("defects.concentration<0.01", ["p0", "p1"]),
        ("x>1e-3", ["p2", "p3"]),
        ("defects.axes!=a_b", ["p0", "p2"]),
        ("point=p3", ["p3"]),
    ],
)
def test_conditions(summary, condition, left):
    chosen = select(summary, COLUMNS, rows=["point"], where=[condition])
    assert chosen.labels["point"].tolist() == left


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": ["B"]}, "columns: found 'B'; allowed: quantity:statistic"),
        ({"columns": ["C:std"]}, "columns: found 'C'; allowed: B, h"),
        ({"columns": ["B:sd"]}, "columns of B: found 'sd'; allowed: mean, std"),
        ({"rows": ["gamma"]}, "rows: found 'gamma'; allowed: point, defects.concentration"),
        ({"rows": ["x"]}, "rows: found x, which p0 and other .*with point or defects.axes besides"),
        ({"where": ["x"]}, "where: found 'x'; allowed: a key, one of <= >= != < > ="),
        ({"where": ["y=1"]}, "where: found 'y'; allowed: point, "),
        ({"where": ["x=a"]}, "where: found x = 'a'; allowed: a number"),
        (
            {"where": ["defects.axes<a"]},
            "found < for defects.axes, which is text; allowed: = or !=",
        ),
        ({"where": ["x>1"]}, "where: found no point with x>1"),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(summary, options, message):
    with pytest.raises(ConfigError, match=message):
        select(summary, **{"columns": COLUMNS, **options})


@pytest.mark.parametrize("form", ["latex", "markdown"])
def test_numbers_stand_with_their_errors_and_users_text_stays_text(summary, form):
    chosen = select(summary, COLUMNS, where=["x=0.01"])
    text = FORMATS[form](chosen, errors=True, theory=True)
    picked = chosen.picked["B:std"].iloc[0]
    assert f"{1e3 * picked['estimate']:.1f}(" in text
    assert r"a\_b" in text
    assert "Energies in eV. Theory of B:std: exact. " in text
    users = r"a\_b", r"1\|1", r"1\textbar{}1"
    rows = [line for line in text.splitlines() if any(name in line for name in users)]
    assert len(rows) == 2
    if form == "markdown":
        assert r"1\|1" in text
    else:
        assert text.count(r"\begin{tabular}") == 1
        assert all(line.count(" & ") == 5 for line in rows)

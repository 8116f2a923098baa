"""Two studies: what differs in their configs and beyond the errors of their results."""

import json

import numpy as np
import pandas as pd
import pytest
import synthetic

from glasspipe import cli
from glasspipe.files import results
from glasspipe.report.comparison import _chances, _text
from glasspipe.stages.study_files import STUDY_FILE


def write(folder, sweep, shift=0.0, **config):
    """A study whose B:std at its first point is off by so many errors."""
    synthetic.write(folder, sweep, samples=200)
    record = json.loads((folder / STUDY_FILE).read_text())
    record["config"] |= {"realisations": 100, **config}
    (folder / STUDY_FILE).write_text(json.dumps(record))
    table = results.read_summary(folder)
    first = (table["quantity"] == "B") & (table["statistic"] == "std") & (table["point"] == "p0")
    table.loc[first, "estimate"] += shift * table.loc[first, "stderr"]
    results.write_summary(folder, table)
    return str(folder)


SWEEP = {synthetic.X: [1e-3, 1e-2]}


@pytest.mark.parametrize(("shift", "status"), [(0.0, 0), (3.0, 0), (12.0, 1)])
def test_the_status_says_whether_results_differ(tmp_path, capsys, shift, status):
    one, two = write(tmp_path / "one", SWEEP), write(tmp_path / "two", SWEEP, shift, seed=7)
    assert cli.main(["compare", one, two]) == status
    printed = capsys.readouterr().out
    assert 'config   2 keys differ\n  seed: - | 7\n  study: "one" | "two"\n' in printed
    assert f" {status} differ, " in printed
    assert ("B:std: " in printed) == bool(status)
    assert ("defects.concentration = 0.001" in printed) == bool(status)


def test_points_are_matched_by_their_values(tmp_path, capsys):
    one = write(tmp_path / "one", {**SWEEP, "defects.gamma": [1, 2]})
    two = write(tmp_path / "two", {synthetic.X: [1e-2, 1e-1]}, defects={"gamma": 1.0})
    cli.main(["compare", one, two])
    printed = capsys.readouterr().out
    assert f"points   3 only in {one}\npoints   1 only in {two}\n" in printed


def test_a_column_of_numbers_and_text_has_the_same_numbers():
    assert _text("4") == _text(4) == _text(4.0) != _text("auto")
    assert _text({"a": 1}) == '{"a": 1}'


@pytest.mark.parametrize(
    ("sweep", "options", "message"),
    [
        ({synthetic.X: [0.1]}, [], "has no point of .*; allowed: studies that share values of"),
        (SWEEP, ["--significance", "1"], "significance: found 1; allowed: between 0 and 1"),
    ],
)
def test_what_cannot_be_compared_is_a_mistake(tmp_path, capsys, sweep, options, message):
    one, two = write(tmp_path / "one", SWEEP), write(tmp_path / "two", sweep)
    assert cli.main(["compare", one, two, *options]) == 2
    assert pd.Series([capsys.readouterr().err]).str.contains(message).all()


def test_a_study_of_one_realisation_is_refused(tmp_path, capsys):
    one, two = write(tmp_path / "one", SWEEP), write(tmp_path / "two", SWEEP, 1.0, realisations=1)
    table = results.read_summary(tmp_path / "two").assign(stderr=np.nan)
    results.write_summary(tmp_path / "two", table)
    assert cli.main(["compare", one, two]) == 2
    assert f"{two}: has one realisation, and so no errors" in capsys.readouterr().err


def test_false_alarms_are_as_often_as_is_stated():
    rng = np.random.default_rng(1)
    sides = {}
    for side, (number, spread) in {"one": (4, 1.0), "two": (9, 3.0)}.items():
        drawn = spread * rng.standard_normal((20000, number))
        sides[f"estimate_{side}"] = drawn.mean(axis=1)
        sides[f"stderr_{side}"] = drawn.std(axis=1, ddof=1) / np.sqrt(number)
    p = _chances(pd.DataFrame(sides), (4, 9))
    for level in (0.1, 0.01):
        assert np.mean(p < level) == pytest.approx(level, rel=0.25)


def test_numbers_without_errors():
    rows = {"estimate_one": [1.0, 1.0, 1.0, 1.0], "estimate_two": [1.0, 2.0, 1.0, 2.0]}
    rows |= {"stderr_one": [np.nan, np.nan, 0.0, 0.0], "stderr_two": [np.nan, 1.0, 0.0, 0.0]}
    np.testing.assert_equal(_chances(pd.DataFrame(rows), (5, 5)), [1.0, np.nan, 1.0, np.nan])

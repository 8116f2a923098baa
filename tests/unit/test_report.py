import re

import numpy as np
import pandas as pd
import pytest
import synthetic
from workbench import run

from glasspipe import cli
from glasspipe.files import results
from glasspipe.report import contents
from glasspipe.report.claims import writing
from glasspipe.report.observable import Results
from glasspipe.report.presentation import pick
from glasspipe.report.summary import summary
from glasspipe.report.writing import report

SWEEP = {synthetic.X: [1e-3, 1e-2, 3e-2, 0.3]}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work") / "name_of_study"
    synthetic.write(folder, SWEEP)
    return folder


def headlines(text):
    """Value, error and remark of each headline number, by name."""
    pattern = r"(.*\S) += (\S+) ± (\S+) *(.*)"
    found = (re.fullmatch(pattern, line) for line in text.splitlines())
    return {m[1]: (float(m[2]), float(m[3]), m[4]) for m in found if m}


def test_the_report_is_figures_and_tables(study, monkeypatch):
    drawn = []

    def write(found, figures):
        drawn.append((found.folder, {figure.name for figure in figures}))

    monkeypatch.setattr("glasspipe.report.writing.figures.write", write)
    monkeypatch.setattr("glasspipe.report.writing.page.write", lambda found, _: drawn.append(found))
    report(study)
    (folder, names), found = drawn
    assert found.folder == study
    assert folder == study
    assert {"typical_and_width", "overlap_distribution"} <= names
    assert not {"energy_sweeps", "tau_ratios"} & names
    assert {path.name for path in (study / "tables").iterdir()} == {
        f"{name}.{kind}" for name in contents.TABLES if name != "sweeps" for kind in ("csv", "tex")
    }
    assert not list(study.rglob("*.part"))


def test_the_headline_numbers_are_those_of_the_files(study):
    found = headlines(summary(study))
    fits = results.read_fits(study).query("quantity == 'B'").set_index("against")
    for name, against in (("B_0 against x", "x"), ("B̄ against x(1 - x)", "x(1-x)")):
        value, error, remark = found[f"exponent of {name}"]
        fit = fits.loc[against]
        assert value == pytest.approx(fit["exponent"], abs=0.51 * 10 ** np.floor(np.log10(error)))
        assert error == pytest.approx(fit["stderr"], rel=0.25)
        assert fit["range"] in remark
        assert f"theory on the same points {fit['prediction']:.4f}" in remark


def test_the_ratio_is_taken_at_the_smallest_x_with_its_error(study):
    value, error, remark = headlines(summary(study))["B̄/B_0 at x = 0.001"]
    data = results.read_summary(study)
    above, below = (
        pick(data, "B", name, ["p0"]).loc["p0"] for name in ("std", "quartile_half_width")
    )
    exact = above["estimate"] / below["estimate"]
    relative = np.hypot(above["stderr"] / above["estimate"], below["stderr"] / below["estimate"])
    assert value == pytest.approx(exact, rel=0.02)
    assert error == pytest.approx(exact * relative, rel=0.25)
    assert remark == f"theory (exact) {above['theory'] / below['theory']:.4g}"


def test_a_power_that_the_data_reject_is_an_effective_exponent(tmp_path):
    synthetic.write(tmp_path, SWEEP, samples=200)
    fits = results.read_fits(tmp_path)
    for p_value, said in ((0.002, True), (0.003, False)):
        results.write_fits(tmp_path, fits.assign(p_value=p_value))
        assert summary(tmp_path).count("no power law: an effective exponent") == 2 * said


@pytest.mark.parametrize(("error", "said"), [(0.24, False), (0.27, True)])
def test_a_width_of_too_few_pairs_is_said_to_be_none(tmp_path, error, said):
    def uncertain(table):
        width = (table["quantity"] == "B") & (table["statistic"] == "std")
        typical = (table["quantity"] == "B") & (table["statistic"] == "quartile_half_width")
        table.loc[width, "stderr"] = error * table.loc[width, "estimate"]
        table.loc[typical, "stderr"] = 0.0
        return table

    text = changed(tmp_path, SWEEP, uncertain)
    exact = pick(results.read_summary(tmp_path), "B", "std", ["p0"])["theory"].iloc[0]
    few = f"too few near pairs in the sample for B̄; exactly B̄ = {exact:.4g} eV; theory "
    assert (few in text) == said


def test_the_statements_are_counted(study):
    [line] = [line for line in summary(study).splitlines() if line.startswith("statements of")]
    counts = {v: int(n) for n, v in re.findall(r"(\d+) (supported|refuted|not decided)", line)}
    verdicts = writing.table(writing.judge(Results(study)))["verdict"].value_counts()
    assert {verdict: number for verdict, number in counts.items() if number} == verdicts.to_dict()


def test_the_summary_says_where_everything_is(study, monkeypatch, capsys):
    monkeypatch.chdir(study.parent)
    assert cli.main(["summary", "name_of_study"]) == 0
    printed = capsys.readouterr().out
    for line in (
        "study    name_of_study",
        "tables   name_of_study/tables",
        "figures  name_of_study/figures",
    ):
        assert line in printed.splitlines()
    files = ["summary.csv", "fits.csv", "distributions.nc", "low_energy.nc"]
    assert ", ".join([*files, "traces.nc", "freezing.nc", "defects.parquet"]) in printed
    assert str(study.parent) not in printed


def test_freezing_is_judged(study, tmp_path):
    text = summary(study)
    assert headlines(text)["T_G/xU_0 at x = 0.001"][:2] == (4.0, 0.2)
    assert "poorly frozen" not in text
    synthetic.write(tmp_path, SWEEP)
    table = results.read_summary(tmp_path)
    poor = (table["statistic"] == "acceptance_end") & (table["point"].isin(["p0", "p3"]))
    table.loc[poor, "estimate"] = 0.05
    results.write_summary(tmp_path, table)
    text = summary(tmp_path)
    assert "poorly frozen" in text
    assert "2 of 4 points" in text
    assert "such as p0: acceptance at t_end is 0.05, above 0.03: lower freeze.t_end" in text


def test_poor_points_beyond_the_series_shown_are_counted(tmp_path):
    gammas = [float(i) for i in range(1, 11)]
    synthetic.write(tmp_path, {"defects.gamma": gammas, synthetic.X: [1e-3, 1e-2]}, samples=200)
    table = results.read_summary(tmp_path)
    poor = (table["statistic"] == "acceptance_end") & (table["point"] == "p19")
    table.loc[poor, "estimate"] = 0.05
    results.write_summary(tmp_path, table)
    [line] = [line for line in summary(tmp_path).splitlines() if line.startswith("poorly frozen")]
    assert re.search("= 1 of 20 points  +such as p19: acceptance at t_end is 0.05", line)


def changed(folder, sweep, change, **options):
    """The summary of a study whose table was changed."""
    synthetic.write(folder, sweep, samples=200, **options)
    results.write_summary(folder, change(results.read_summary(folder)))
    return summary(folder)


def test_freezing_temperatures_are_called_by_the_axis(tmp_path):
    sweep = {"freeze.method": ["annealing", "tempering"]}
    synthetic.write(tmp_path, sweep, samples=200, fits=False)
    found = headlines(summary(tmp_path))
    for method in ("annealing", "tempering"):
        value, error, remark = found[f"T_G/xU_0 at freeze.method = {method}"]
        assert (value, error) == (4.0, 0.2)
        assert remark.startswith("replicas overlap by one half; by B alone at ")
        value, error, remark = found[f"T_C/xU_0 at freeze.method = {method}"]
        assert (value, error, remark) == (2.0, 0.1, "largest dE/dT")
        assert f"|q| of frozen replicas at freeze.method = {method}" in found


@pytest.mark.parametrize(
    ("missing", "remark"),
    [
        (["overlap_half"], "largest dE/dT; replicas nowhere overlap by one half"),
        (["overlap_half", "overlap"], "largest dE/dT"),
    ],
)
def test_the_peak_of_the_heat_stands_in_for_an_overlap_that_is_not_reached(
    tmp_path, missing, remark
):
    text = changed(tmp_path, SWEEP, lambda table: table[~table["statistic"].isin(missing)])
    assert headlines(text)["T_G/xU_0 at x = 0.01"] == (2.0, 0.1, remark)


def test_no_temperature_is_said_where_none_was_found(tmp_path):
    text = changed(tmp_path, SWEEP, lambda table: table[table["quantity"] != "T_G"])
    assert "T_G" not in text


def test_what_random_fields_do_is_said_at_both_ends_of_the_axis(tmp_path):
    sweep = {"defects.number": [100, 300, 900], "defects.eta": [0.5, 1.0]}
    synthetic.write(tmp_path, sweep, samples=200, fits=False)
    text = summary(tmp_path)
    found = headlines(text)
    for number in (100, 900):
        value, error, remark = found[f"−⟨S sgn B⟩ at defects.number = {number}"]
        assert (value, error) == (0.59, 0.03)
        assert "correlation of B and U_S 0.100 ± 0.005" in remark
        assert "correlation of |B| and U_norm 0.41 ± 0.02" in remark
        q = found[f"|q| of frozen replicas at defects.number = {number}"]
        assert q[:2] == (0.8, 0.04)
    assert "B⟩ at defects.number = 300" not in text
    assert text.count("|q| of frozen replicas at defects.number = 900") == 2


def test_without_random_fields_nothing_is_said_of_their_alignment(tmp_path):
    synthetic.write(tmp_path, SWEEP, samples=200, vanish=("B",))
    text = summary(tmp_path)
    assert "sgn B" not in text
    assert headlines(text)["|q| of frozen replicas at x = 0.001"][:2] == (0.1, 0.005)


def test_sweeps_that_are_needed_are_said_for_every_other_value(tmp_path):
    sweep = {"freeze.sweeps": [100, 300, 1000, 3000], synthetic.X: [0.01, 0.1]}
    synthetic.write(tmp_path, sweep, samples=200, fits=False)
    lines = [line for line in summary(tmp_path).splitlines() if line.startswith("sweeps for E")]
    assert [
        "within 1 %, defects.concentration = 0.1 = 3100" in " ".join(line.split()) for line in lines
    ] == [False, True]


def test_names_and_values_are_aligned_where_a_mark_takes_no_column(study):
    lines = [line.replace("\u0304", "") for line in summary(study).splitlines() if "±" in line]
    assert len({re.search(r"= \S+ ±", line).start() for line in lines}) == 1


def test_each_series_has_its_own_numbers(tmp_path):
    synthetic.write(tmp_path, {synthetic.X: [1e-3, 1e-2], "defects.gamma": [1.0, 2.5]})
    text = summary(tmp_path)
    assert "\n\ndefects.gamma = 1.0\nexponent" in text
    assert "\n\ndefects.gamma = 2.5\nexponent" in text
    assert text.count("B̄/B_0 at x = 0.001") == 2


def test_many_series_are_left_to_the_tables(tmp_path):
    gammas = [float(i) for i in range(1, 12)]
    synthetic.write(tmp_path, {synthetic.X: [1e-3, 1e-2], "defects.gamma": gammas}, samples=200)
    text = summary(tmp_path)
    assert text.count("exponent of B_0") == 8
    assert f"\nand 3 more series: see {tmp_path}/tables\n" in text


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ({"sweep": {}, "fits": False}, ["exponent of B_0", "exponent of B̄"]),
        ({"sweep": SWEEP, "vanish": ("B",)}, ["exponent of B_0", "exponent of B̄", "B̄/B_0"]),
        ({"sweep": {"defects.eta": [0.5, 1.0]}, "fits": False}, ["exponent of B_0"]),
    ],
    ids=["a single point", "no random field", "no concentrations"],
)
def test_a_number_that_is_not_in_the_study_is_said_to_be_missing(tmp_path, options, missing):
    synthetic.write(tmp_path, samples=200, **options)
    lines = summary(tmp_path).splitlines()
    for name in missing:
        [line] = [line for line in lines if line.startswith(name)]
        assert "= not available" in line
    assert "nan" not in "\n".join(lines)


def test_a_study_that_was_not_aggregated_ends_in_one_line(tmp_path, capsys):
    assert cli.main(["report", str(tmp_path)]) == 2
    assert "holds no study.json; allowed: the folder of a study" in capsys.readouterr().err
    synthetic.write(tmp_path)
    (tmp_path / "summary.parquet").unlink()
    before = sorted(tmp_path.iterdir())
    for command in ("report", "summary"):
        assert cli.main([command, str(tmp_path)]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert "summary.parquet: no such file; `glasspipe aggregate` makes it" in error
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("gamma", [1.0, 0.0])
def test_a_single_realisation_is_enough(tmp_path, gamma):
    """Nothing has an error bar then, without γ nothing freezes, and everything is drawn."""
    config = {
        "study": "one",
        "realisations": 1,
        "defects": {"number": 60, "gamma": gamma},
        "freeze": {"replicas": 2, "sweeps": 200},
        "sweep": {"defects.concentration": {"values": [0.01, 0.1]}},
    }
    run(tmp_path, config)
    report(tmp_path)
    assert len(list((tmp_path / "figures").glob("*.png"))) == 17
    assert ("T_G/xU_0" in summary(tmp_path)) == (gamma > 0)
    froze = pd.read_csv(tmp_path / "tables" / "freezing.csv")
    assert froze.filter(like="stderr").isna().all(axis=None)
    if gamma > 0:
        curves = results.read_merged(tmp_path, results.FREEZING)
        assert curves["overlap_abs_stderr"].isnull().all()

import numpy as np
import pandas as pd
import pytest

from glasspipe.report.presentation import (
    alternatives,
    arrange,
    compact,
    decade,
    find_fit,
    fraction,
    key_label,
    literal,
    pick,
    plus_minus,
    ratio,
    series_label,
    shortened,
    theory_kind,
)

X = "defects.concentration"


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [
        (1.2345, 0.0049, "1.234(5)"),
        (1.2345, 0.0994, "1.23(10)"),
        (1.2345, 0.0996, "1.23(10)"),
        (1.2345, 0.0949, "1.23(9)"),
        (0.5, 0.0149, "0.500(15)"),
        (0.5, 0.0196, "0.50(2)"),
        (12.34, 1.2, "12.3(1.2)"),
        (12.34, 2.0, "12(2)"),
        (12.34, 9.96, "12(10)"),
        (1234.0, 31.0, "1230(30)"),
        (99.96, 0.13, "99.96(13)"),
        (-0.0001, 0.02, "0.00(2)"),
        (-3.25, 0.02, "-3.25(2)"),
        (3.5e-6, 2e-8, r"3.50(2)\times10^{-6}"),
        (2e-9, 3.1e-8, r"0(3)\times10^{-8}"),
        (1e7, 3e5, r"1.00(3)\times10^{7}"),
        (12345.678, 0.0, "12350"),
        (2e-7, np.nan, r"2\times10^{-7}"),
        (0.0, 0.0, "0"),
        (5.0, np.inf, "5"),
        (np.nan, 1.0, "-"),
        (0.3559046627316288, 3e-17, "0.3559"),
    ],
)
def test_compact_numbers(value, error, shown):
    assert compact(value, error) == shown


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [
        (0.97123, 0.00412, "0.971 ± 0.004"),
        (0.97123, 0.0996, "0.97 ± 0.10"),
        (109.6, 16.4, "110 ± 16"),
        (-0.001, 0.02, "0.00 ± 0.02"),
        (1234.0, 290.0, "1200 ± 300"),
        (0.5, np.nan, "0.5"),
        (0.3559046627316288, 3e-17, "0.3559"),
    ],
)
def test_plain_numbers(value, error, shown):
    assert plus_minus(value, error) == shown


def test_compact_numbers_are_within_their_rounding():
    rng = np.random.default_rng(1)
    for value, error in zip(rng.normal(0, 30, 300), 10 ** rng.uniform(-2.9, 1, 300), strict=True):
        number, _, rest = compact(value, error).partition("(")
        digits = rest.rstrip(")")
        decimals = len(number.partition(".")[2])
        shown = float(digits) if "." in digits else float(digits) * 10.0**-decimals
        assert shown == pytest.approx(error, rel=0.25)
        assert abs(float(number) - value) <= 0.5001 * 10.0**-decimals * (10 if shown >= 10 else 1)


@pytest.mark.parametrize(
    ("largest", "power"),
    [(2.0, 0), (9999.0, 0), (1e4, 4), (0.1, 0), (0.05, -2), (3.2e-9, -9), (0.0, 0), (np.nan, 0)],
)
def test_numbers_of_a_column_have_the_power_of_the_largest(largest, power):
    assert decade([np.nan, -largest, largest / 7]) == power


def test_a_users_text_is_shown_as_it_is_and_not_too_long():
    assert literal(shortened("a$b")) == r"a\$b"
    long = "a" * 30 + "end.nc"
    assert len(shortened(long)) == 28
    assert shortened(long).endswith("end.nc")


def test_keys_of_components_say_whose_they_are():
    assert key_label("defects.mixture.C_N.share") == "share of C_N"
    assert key_label("defects.mixture.C_N.gamma", str.upper) == r"$\gamma_0$ of C_N"
    assert key_label("defects.mixture.c_n.gamma", str.upper) == r"$\gamma_0$ of C_N"


@pytest.mark.parametrize(
    ("value", "shown"), [(1.0, "1"), (4 / 3, "4/3"), (5 / 3, "5/3"), (0.5, "1/2")]
)
def test_fractions(value, shown):
    assert fraction(value) == shown


def test_the_kind_of_theory_is_that_of_the_fields_and_not_of_their_tails():
    table = points(x=[0.1, 0.2])
    table["theory_kind"] = ["exact", "dilute limit"]
    assert theory_kind(table, "B") == "exact or dilute limit"
    assert theory_kind(table, "B", ["p1"]) == "dilute limit"
    tail = table.assign(statistic="tail_exponent", theory_kind="another")
    assert theory_kind(pd.concat([table, tail]), "B", ["p0"]) == "exact"
    assert theory_kind(table, "h") == ""


def test_kinds_that_differ_by_a_gap_are_one():
    assert alternatives(["exact", "", "dilute limit", "exact"]) == "exact or dilute limit"
    assert alternatives(["exact, in a gap"]) == "exact, in a gap"
    assert alternatives(["exact", "exact, in a gap"]) == "exact, some in a gap"
    assert (
        alternatives(["exact, in a gap", "dilute limit"]) == "exact or dilute limit, some in a gap"
    )
    assert alternatives(["", ""]) == ""


def points(**columns):
    table = pd.DataFrame(columns)
    table.insert(0, "point", [f"p{i}" for i in range(len(table))])
    fixed = {"quantity": "B", "statistic": "std", "estimate": 1.0, "stderr": 0.1, "theory": 2.0}
    fixed["theory_kind"] = "exact"
    table = table.assign(**fixed)
    return table if "x" in table else table.assign(x=table.get(X, 0.01))


def shape(arrangement):
    """Label of the axis; label and points of each series."""
    return arrangement.axis.label, [(s.label, "".join(s.points)) for s in arrangement.series]


def test_concentration_is_the_axis_wherever_it_is_swept():
    table = points(**{"defects.gamma": [1, 1, 2, 2], X: [0.1, 0.01, 0.1, 0.01]})
    label, series = shape(arrange(table))
    assert label == "concentration $x$"
    assert series == [(r"$\gamma_0$ = 1 eV", "p1p0"), (r"$\gamma_0$ = 2 eV", "p3p2")]
    assert arrange(table).rises


def test_series_of_many_keys_are_told_by_their_first_point():
    shared = {f"defects.k{n}": "a" for n in range(5)}
    assert series_label(shared, "k0-a-etc-01234abcde") == "k0 = a, k1 = a, k2 = a, …01234abcde"
    del shared["defects.k4"]
    assert series_label(shared, "k0-a-etc-01234abcde") == "k0 = a, k1 = a, k2 = a, k3 = a"


def test_points_lie_at_the_realised_concentration():
    table = points(**{X: [0.01, 0.1], "x": [0.0101, 0.0998]})
    assert arrange(table).series[0].position.tolist() == [0.0101, 0.0998]


def test_a_realised_concentration_that_varies_makes_no_series():
    table = points(**{"lattice.size": [4, 8], "x": [0.0101, 0.0998]})
    label, series = shape(arrange(table))
    assert (label, len(series)) == ("box edge (conventional cells)", 1)


def test_without_concentration_the_first_number_is_the_axis():
    table = points(**{"boundary": ["a", "a", "b", "b"], "defects.eta": [0.0, 1.0, 0.0, 1.0]})
    arrangement = arrange(table)
    assert shape(arrangement) == (
        r"$\eta$ (eV)",
        [("boundary = a", "p0p1"), ("boundary = b", "p2p3")],
    )
    assert not arrangement.axis.log
    assert not arrangement.rises


@pytest.mark.parametrize(("values", "log"), [([1, 10], True), ([1, 9], False), ([-1, 10], False)])
def test_a_range_of_a_decade_is_logarithmic(values, log):
    assert arrange(points(**{"freeze.sweeps": values})).axis.log == log


def test_names_stand_side_by_side():
    table = points(**{"defects.species": ["aligned", "rotor"], "defects.axes": ["111", "100"]})
    arrangement = arrange(table)
    assert shape(arrangement) == ("species, axes", [("", "p0p1")])
    assert arrangement.axis.names == ("aligned, 111", "rotor, 100")


@pytest.mark.parametrize(
    ("columns", "places"),
    [
        ({X: [0.01, 0.1]}, ["x = 0.01", "x = 0.1"]),
        (
            {"defects.number": [100, 2000], "x": 0.01},
            ["defects.number = 100", "defects.number = 2000"],
        ),
        (
            {"freeze.method": ["annealing", "tempering"]},
            ["freeze.method = annealing", "freeze.method = tempering"],
        ),
    ],
)
def test_points_are_called_by_the_axis(columns, places):
    arrangement = arrange(points(**columns))
    [series] = arrangement.series
    assert [arrangement.axis.at(position) for position in series.position] == places


def test_a_single_point():
    arrangement = arrange(points(**{X: [0.01]}))
    assert shape(arrangement) == ("concentration $x$", [("", "p0")])
    assert not arrangement.rises
    assert arrange(points(x=[0.01])).series[0].position.tolist() == [0.01]


def test_keys_that_follow_the_axis_make_no_series():
    table = points(**{X: [0.1, 0.01], "defects.number": [500, 900], "boundary": ["a", "b"]})
    assert shape(arrange(table)) == ("concentration $x$", [("", "p1p0")])


def test_picks_are_in_the_order_of_the_points_with_gaps():
    table = points(x=[0.1, 0.2]).assign(estimate=[3.0, 4.0])
    picked = pick(table, "B", "std", ["p1", "p9", "p0"])
    assert picked["estimate"].tolist()[::2] == [4.0, 3.0]
    assert np.isnan(picked.loc["p9"]).all()


def test_a_ratio_carries_both_errors():
    columns = ["estimate", "stderr", "theory"]
    above = pd.DataFrame([[6.0, 0.3, 5.0], [1.0, 0.1, 1.0]], columns=columns)
    below = pd.DataFrame([[2.0, 0.2, 4.0], [0.0, 0.0, np.nan]], columns=columns)
    found = ratio(above, below)
    assert found.loc[0].tolist() == pytest.approx([3.0, 3 * np.hypot(0.05, 0.1), 1.25])
    assert np.isnan(found.loc[1]).all()


def test_fits_are_found_by_their_series():
    fits = pd.DataFrame(
        {
            "defects.axes": [111, 111, 100],
            "quantity": "B",
            "statistic": "std",
            "against": ["x", "x(1-x)", "x"],
            "exponent": [1.0, 2.0, np.nan],
        }
    )
    assert find_fit(fits, "B", "std", "x(1-x)", {"defects.axes": "111"})["exponent"] == 2.0
    assert find_fit(fits, "B", "std", "x", {"defects.axes": "100"}) is None
    assert find_fit(fits, "b", "std", "x", {}) is None

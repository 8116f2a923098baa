"""Fits of stable laws against numbers drawn from them, and the fields' rows and pages of them."""

import numpy as np
import pytest
from synthetic import stable_numbers
from workbench import run

from glasspipe.report.observable import Results
from glasspipe.report.observables import stable_laws
from glasspipe.report.presentation import pick
from glasspipe.theory.stable_fit import INDICES, fit_stable


def rng(seed=0):
    return np.random.default_rng(seed)


def fits(alpha, shape=(24, 40), samples=60, draw=stable_numbers, **options):
    """Fits of samples of scale 3."""
    numbers = (3 * draw(rng(seed), alpha, shape) for seed in range(samples))
    return [fit_stable(values, rng(seed), **options) for seed, values in enumerate(numbers)]


@pytest.mark.parametrize("alpha", [0.6, 0.75, 1.0, 1.5])
def test_index_and_scale_and_their_errors(alpha):
    """Means within four errors; deviations over errors scatter as Student's t of 23 degrees."""
    found = fits(alpha)
    for name, exact in (("index", alpha), ("scale", 3.0)):
        value = np.array([getattr(one, name) for one in found])
        error = np.array([getattr(one, f"{name}_error") for one in found])
        assert np.mean(value) == pytest.approx(exact, abs=4 * np.std(value) / np.sqrt(len(found)))
        assert np.std((value - exact) / error) == pytest.approx(1.05, abs=0.25)
        assert np.mean(error) < 0.1 * exact


@pytest.mark.parametrize("index", [None, 0.75])
def test_the_goodness_of_fit_of_the_law_itself_is_uniform(index):
    found = np.array([one.p_value for one in fits(0.75, index=index)])
    assert np.mean(found) == pytest.approx(0.5, abs=4 * np.sqrt(1 / 12 / len(found)))
    assert np.mean(found < 0.1) < 0.25


def test_twins_count_as_one():
    """Each number twice in its realisation: the chance is what it is of one of each."""

    def twins(generator, alpha, shape):
        return np.tile(stable_numbers(generator, alpha, (shape[0], shape[1] // 2)), 2)

    found = np.array([one.p_value for one in fits(1.0, draw=twins, index=1.0)])
    assert np.mean(found) == pytest.approx(0.5, abs=4 * np.sqrt(1 / 12 / len(found)))


@pytest.mark.parametrize("wrong", [0.75, 1.3])
def test_another_law_is_rejected(wrong):
    found = fits(wrong, shape=(24, 200), samples=5, index=1.0)
    assert max(one.p_value for one in found) < 0.01
    assert min(one.distance for one in found) > 0.02
    free = fits(wrong, shape=(24, 200), samples=5)
    assert np.mean([one.index for one in free]) == pytest.approx(wrong, abs=0.05)


def test_a_law_that_is_cut_off_is_not_stable():
    """As fields on a lattice are."""
    numbers = stable_numbers(rng(1), 1.0, (50, 400))
    found = fit_stable(numbers / np.sqrt(1 + (numbers / 3) ** 2), rng(2))
    assert found.p_value < 0.01
    assert found.index > 1.1


def test_the_unit_does_not_matter():
    numbers = stable_numbers(rng(3), 0.75, (12, 50))
    one, other = (fit_stable(unit * numbers, rng(4)) for unit in (1.0, 1e-12))
    assert other.scale == pytest.approx(1e-12 * one.scale)
    assert (other.index, other.p_value) == pytest.approx((one.index, one.p_value))


def test_an_index_at_the_end_of_its_range_has_no_error():
    found = fit_stable(rng(5).uniform(-1, 1, (12, 100)), rng(6))
    assert found.index == INDICES[1]
    assert np.isnan(found.index_error)
    assert found.scale_error > 0


def test_one_realisation_has_no_errors():
    found = fit_stable(stable_numbers(rng(7), 1.0, (1, 500)), rng(8))
    assert found.index == pytest.approx(1.0, abs=0.2)
    assert np.isnan([found.index_error, found.scale_error, found.p_value]).all()


@pytest.mark.parametrize("number", [2, 3])
def test_too_few_realisations_do_not_say_how_well_a_law_is_followed(number):
    assert np.isnan(fit_stable(stable_numbers(rng(7), 1.0, (number, 500)), rng(8)).p_value)


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(ValueError, match=r"0\.3 to 1\.95"):
        fit_stable(np.ones((2, 2)), rng(), index=2.0)
    with pytest.raises(ValueError, match="half of the values are 0"):
        fit_stable(np.zeros((2, 2)), rng())


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Two points: B at 1e-4 is a Cauchy variable, at 0.3 not nearly; all else vanishes at one."""
    folder = tmp_path_factory.mktemp("stable")
    run(
        folder,
        {
            "study": "stable",
            "realisations": 40,
            "defects": {"number": 40, "gamma": 2.0, "zeta": 0.0},
            "freeze": {"sweeps": 20, "steps": 10},
            "aggregate": {"bootstrap": 100, "pairs": 5},
            "sweep": {"defects.concentration": {"values": [1e-4, 0.3]}},
        },
    )
    return Results(folder)


def test_random_fields_follow_cauchys_law_where_defects_are_few(found):
    index = pick(found.summary, "B", stable_laws.INDEX)
    scale = pick(found.summary, "B", stable_laws.LIMIT_SCALE)
    few, many = index.iloc[0], index.iloc[1]
    assert few["theory"] == 1.0
    assert few["estimate"] == pytest.approx(1.0, abs=3.5 * few["stderr"])
    assert scale.iloc[0]["estimate"] / scale.iloc[0]["theory"] == pytest.approx(1, abs=0.2)
    assert many["estimate"] > 1.5
    chance = pick(found.summary, "B", stable_laws.LIMIT_CHANCE)["estimate"]
    assert chance.iloc[0] > 0.01 > chance.iloc[1]


def test_fields_that_vanish_have_no_law(found):
    quantities = found.summary[found.summary["statistic"] == stable_laws.INDEX]["quantity"]
    assert set(quantities) == {"B", "h", "U_S"}


def test_pages_of_the_laws(found):
    table = stable_laws.values(found)
    assert table["B limit_p"].tolist() == pytest.approx(
        pick(found.summary, "B", stable_laws.LIMIT_CHANCE)["estimate"].tolist()
    )
    assert r"$\alpha$ of $B$" in stable_laws.latex(found)
    top, bottom = stable_laws.stable_index(found).axes
    drawn = top.containers[0][0].get_ydata()
    assert drawn == pytest.approx(pick(found.summary, "B", stable_laws.INDEX)["estimate"].tolist())
    assert bottom.get_yscale() == "log"

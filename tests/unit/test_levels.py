"""Free spins and two-level splittings: exact laws, normalisations, units."""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from glasspipe.statistics import mean_and_error
from glasspipe.theory import levels
from glasspipe.theory.levels import EDGES

WIDTH = 3e-5
CAUCHY = stats.cauchy(scale=WIDTH)


def test_the_splitting_is_that_of_the_matrix():
    for b, Delta in ((0.3, 0.4), (-1.0, 0.0), (0.0, 2.0)):
        low, high = np.linalg.eigvalsh([[b, -Delta], [-Delta, -b]])
        assert levels.splitting(b, Delta) == pytest.approx(high - low)


def test_a_spin_is_free_below_its_own_D():
    h = np.array([[0.1, -0.2, 0.3], [0.0, 0.5, -0.5]])
    D = np.array([[0.2, 0.1, 0.31], [0.0, 0.6, 0.4]])
    every = np.full(h.shape, True)
    assert levels.free(h, D, every) == pytest.approx([2 / 3, 1 / 3])
    assert mean_and_error(levels.free(h, D, every)) == pytest.approx((1 / 2, 1 / 6))
    some = np.array([[True, True, False], [False, False, False]])
    np.testing.assert_array_equal(levels.free(h, D, some), [0.5, np.nan])
    assert np.isnan(mean_and_error(np.array([0.5]))[1])


def test_a_flat_density_frees_two_D_P():
    h = np.random.default_rng(1).uniform(-1, 1, (50, 4000))
    D = np.full(h.shape, 0.03)
    value, error = mean_and_error(levels.flat_free(h, D, np.full(h.shape, True)))
    assert abs(value - 0.03) < 4 * error < 0.003
    assert np.isnan(levels.flat_free(np.zeros((2, 3)), D[:2, :3], np.full((2, 3), True))).all()
    some = np.arange(4000) % 4 == 0
    mixed = np.where(some, h, 0.0), D, np.tile(some, (50, 1))
    value, error = mean_and_error(levels.flat_free(*mixed))
    assert abs(value - 0.03) < 4 * error


@pytest.mark.parametrize("spread", [0.0, 1e-5])
def test_random_spins_are_free_by_their_law(spread):
    D = 2e-5 + spread * np.linspace(-1, 1, 10_001)
    found = levels.expected_free(CAUCHY.cdf, D)

    def inside(d):
        return 2 / np.pi * np.arctan(d / WIDTH)

    if spread == 0:
        assert found == pytest.approx(inside(2e-5), rel=1e-12)
    else:
        exact = quad(inside, 1e-5, 3e-5)[0] / 2e-5
        assert found == pytest.approx(exact, rel=1e-4)


def test_the_fraction_below_an_energy_is_that_of_the_law():
    Delta = np.full(10, 4e-5)
    E = np.array([1e-5, 7.9e-5, 1e-4, 1e-3])
    beta = np.sqrt(np.maximum(E**2 / 4 - 1.6e-9, 0))
    expected = 2 / np.pi * np.arctan(beta / WIDTH)
    found = levels.expected_below(CAUCHY.cdf, Delta, E)
    assert found == pytest.approx(expected, rel=2e-3)
    assert found[:2].tolist() == [0.0, 0.0]


def test_sampled_levels_follow_the_law():
    rng = np.random.default_rng(2)
    b = CAUCHY.rvs((20, 5000), random_state=rng)
    Delta = rng.uniform(0, 5e-5, b.shape)
    E = levels.splitting(b, Delta)
    volume = 1e7
    density, error = levels.density_of_states(E, volume)
    below = levels.expected_below(CAUCHY.cdf, Delta, EDGES)
    expected = 5000 / volume * np.diff(below) / np.diff(EDGES)
    full = density * np.diff(EDGES) * volume > 20
    assert full.sum() > 15
    assert np.all(np.abs(density - expected)[full] < 5 * error[full])
    assert density @ np.diff(EDGES) == pytest.approx(5000 / volume, rel=1e-3)
    for low in levels.LOW.values():
        expected = levels.expected_below(CAUCHY.cdf, Delta, low)
        assert np.mean(low > E) == pytest.approx(expected, abs=0.007)


def test_units():
    assert pytest.approx(4.135667e6, rel=1e-6) == levels.PER_GIGAHERTZ_AND_CUBIC_MICRON
    assert pytest.approx(1e30 / 1.602176634e-19) == levels.PER_JOULE_AND_CUBIC_METRE
    assert pytest.approx({"1K": 8.617333e-5, "10K": 8.617333e-4}, rel=1e-6) == levels.LOW

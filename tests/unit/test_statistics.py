"""Estimators, their errors, histograms and power-law fits."""

import numpy as np
import pytest
from synthetic import stable_numbers

from glasspipe.statistics import (
    STATISTICS,
    as_normal,
    chance,
    describe,
    fit_power_law,
    histogram,
    histogram_edges,
    mean_fraction,
    tail_exponent,
)
from glasspipe.theory.stable import StableLaw


def rng(seed=1):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("shape", [(1, 7), (3, 40), (50, 11)])
def test_estimates_are_numpys(shape):
    X = rng().standard_cauchy(shape)
    found = describe(X, rng())
    q05, q25, q75, q95 = np.quantile(X, [0.05, 0.25, 0.75, 0.95])
    deviation = X - X.mean()
    wanted = {
        "mean": X.mean(),
        "std": X.std(),
        "median_abs": np.median(np.abs(X)),
        "quartile_half_width": (q75 - q25) / 2,
        "q05": q05,
        "q95": q95,
        "kurtosis": np.mean(deviation**4) / X.var() ** 2 - 3,
    }
    assert tuple(wanted) == STATISTICS
    for name, value in wanted.items():
        assert found[name].value == pytest.approx(value, rel=1e-10), name


def test_a_known_excess_of_the_mean_square_is_left_out_of_the_width():
    """With its error: of what is left, sample by sample; other statistics stay as they are."""
    X, excess = rng(2).standard_normal((12, 30)), rng(4).normal(scale=0.1, size=12)
    plain, found = (describe(X, rng(3), resamples=25, excess=e) for e in (None, excess))
    assert found["std"].value == pytest.approx(np.sqrt(X.var() - excess.mean()), rel=1e-12)
    draws = rng(3).multinomial(11, np.full(12, 1 / 12), size=25)
    left = plain["std"].resampled ** 2 - draws @ excess / 11
    assert found["std"].resampled == pytest.approx(np.sqrt(left), rel=1e-12)
    for name in set(STATISTICS) - {"std"}:
        assert found[name].value == plain[name].value
    assert describe(0 * X, rng(), excess=excess)["std"].value == 0
    assert describe(X, rng(), excess=excess + 5)["std"].value == 0


def test_resampled_statistics_are_those_of_the_resampled_data():
    """The fast bootstrap against one that builds every sample: the same draws, the same numbers."""
    X = rng(2).standard_cauchy((12, 30))
    found = describe(X, rng(3), resamples=25)
    draws = rng(3).multinomial(11, np.full(12, 1 / 12), size=25)
    for sample, counts in enumerate(draws):
        Y = np.repeat(X, counts, axis=0)
        q25, q75 = np.quantile(Y, [0.25, 0.75])
        wanted = {
            "mean": Y.mean(),
            "std": Y.std(),
            "median_abs": np.median(np.abs(Y)),
            "quartile_half_width": (q75 - q25) / 2,
        }
        for name, value in wanted.items():
            assert found[name].resampled[sample] == pytest.approx(value, rel=1e-9, abs=1e-12)
    for name in STATISTICS:
        assert found[name].stderr == pytest.approx(np.std(found[name].resampled))


def test_error_counts_realisations_and_not_defects():
    """Defects of a realisation that are all alike add no information."""
    alone = rng(4).normal(size=(200, 1))
    found = describe(np.repeat(alone, 50, axis=1), rng(5), resamples=2000)
    assert found["mean"].stderr == pytest.approx(alone.std(ddof=1) / np.sqrt(200), rel=0.08)


def test_error_of_the_quartile_half_width():
    """Cauchy: the standard error is (π/2)/√n, measured here over 100 samples, within 10 %."""
    errors = [
        describe(rng(seed).standard_cauchy((60, 50)), rng(seed + 1000))[
            "quartile_half_width"
        ].stderr
        for seed in range(100)
    ]
    assert np.mean(errors) == pytest.approx(np.pi / 2 / np.sqrt(3000), rel=0.1)


@pytest.mark.parametrize("alpha", [1.0, 0.75])
@pytest.mark.parametrize(("shape", "covered"), [((2, 200), 0.705), ((24, 20), 0.942)])
def test_two_errors_cover_the_quantiles_of_heavy_tails(alpha, shape, covered):
    """As often as Student's t of R − 1 degrees, 95 % for many realisations; 800 intervals."""
    law = StableLaw(alpha, np.ones(1), np.zeros(1), np.ones(1))
    names, hits = ("median_abs", "quartile_half_width", "q05", "q95"), []
    exact = np.array([law.statistic(name) for name in names])
    for seed in range(200):
        X = stable_numbers(rng(seed), alpha, shape)
        found = describe(X, rng(seed + 1000), resamples=100)
        value, error = np.array([(found[name].value, found[name].stderr) for name in names]).T
        hits.append(np.abs(value - exact) < 2 * error)
    assert np.mean(hits) == pytest.approx(covered, abs=0.04)


class TestTail:
    def pareto(self, seed, a, length, shape):
        """|X| from 1 on with a density ∝ |X|^−(1 + a), cut off at e^length; random signs."""
        generator = rng(seed)
        share = generator.random(shape) * -np.expm1(-a * length)
        return (1 - share) ** (-1 / a) * generator.choice((-1, 1), size=shape)

    @pytest.mark.parametrize("a", [0.6, 0.75, 1.0])
    @pytest.mark.parametrize("length", [1.5, 5.0])
    def test_the_exponent_and_its_error(self, a, length):
        """Over 40 samples: the mean is right, and errors are as large as the scatter."""
        found = []
        for seed in range(40):
            X = self.pareto(seed, a, length, (20, 100))
            one = tail_exponent(X, rng(seed), lower=1.0, upper=np.exp(length))
            found.append((one.value, one.stderr))
        value, error = np.array(found).T
        assert np.mean(value) == pytest.approx(1 + a, abs=4 * np.std(value) / np.sqrt(40))
        assert np.std(value) / np.mean(error) == pytest.approx(1, abs=0.3)
        assert np.mean(error) < 0.2

    def test_what_is_not_between_the_thresholds_does_not_count(self):
        X = self.pareto(1, 0.75, 3.0, (20, 100))
        around = np.concatenate([X, np.full((20, 50), 0.9), np.full((20, 50), 30.0)], axis=1)
        one, two = (tail_exponent(v, rng(1), lower=1.0, upper=20.0) for v in (X, around))
        assert one.value == two.value

    def test_cauchys_tail(self):
        X = rng(2).standard_cauchy((50, 4000))
        found = tail_exponent(X, rng(3), lower=20.0, upper=200.0)
        assert found.value == pytest.approx(2.0, abs=3 * found.stderr)
        assert found.stderr < 0.03

    def test_too_few_values(self):
        found = tail_exponent(np.full((3, 10), 2.0), rng(), lower=1.0, upper=9.0)
        assert np.isnan([found.value, found.stderr]).all()

    def test_a_single_realisation(self):
        found = tail_exponent(self.pareto(4, 1.0, 3.0, (1, 500)), rng(), lower=1.0, upper=20.0)
        assert np.isnan(found.stderr)
        assert found.value == pytest.approx(2.0, abs=0.3)

    @pytest.mark.parametrize(("lower", "upper"), [(0.0, 1.0), (2.0, 1.0)])
    def test_thresholds(self, lower, upper):
        with pytest.raises(ValueError, match="0 < lower < upper is needed"):
            tail_exponent(np.ones((2, 2)), rng(), lower=lower, upper=upper)


def test_one_realisation_has_no_error():
    found = describe(np.arange(5.0)[None], rng())
    assert all(np.isnan(found[name].stderr) for name in STATISTICS)


def test_constant_data():
    found = describe(np.full((3, 4), 2.0), rng())
    assert found["mean"].value == 2
    assert found["std"].value == 0
    assert np.isnan(found["kurtosis"].value)


@pytest.mark.parametrize("X", [np.zeros(3), np.zeros((0, 3)), [[1.0, np.nan]]])
def test_what_cannot_be_described(X):
    with pytest.raises(ValueError, match=r"values (have|hold)"):
        describe(X, rng())


class TestHistogram:
    edges = histogram_edges(2.0, linear=4, per_decade=5, decades=2)

    def test_edges(self):
        assert np.all(np.diff(self.edges) > 0)
        np.testing.assert_allclose(self.edges, -self.edges[::-1], atol=0)
        middle = len(self.edges) // 2
        np.testing.assert_allclose(self.edges[middle : middle + 5], [0, 0.5, 1, 1.5, 2])
        ratio = self.edges[middle + 5 :] / self.edges[middle + 4 : -1]
        np.testing.assert_allclose(ratio, 10**0.2)
        assert self.edges[-1] == pytest.approx(200)

    def test_every_value_is_counted_once(self):
        X = 50 * rng(6).standard_cauchy(10_000)
        found = histogram(X, self.edges)
        assert found.total == 10_000
        assert found.underflow == np.sum(self.edges[0] > X)
        assert found.overflow == np.sum(self.edges[-1] <= X)
        inside = np.sum(found.density * np.diff(self.edges))
        assert inside == pytest.approx(found.counts.sum() / 10_000)
        np.testing.assert_array_equal(found.counts, np.histogram(X, self.edges)[0])

    def test_an_edge_belongs_to_the_bin_above(self):
        found = histogram([0.0, 0.5, -200.0, 200.0], self.edges)
        assert found.counts[len(found.counts) // 2] == 1
        assert found.counts[len(found.counts) // 2 + 1] == 1
        assert found.counts[0] == 1
        assert found.overflow == 1

    def test_scale(self):
        with pytest.raises(ValueError, match=r"scale of a histogram is 0.0; it must be positive"):
            histogram_edges(0.0)


class TestPowerLaw:
    x = np.array([1e-4, 1e-3, 1e-2, 1e-1])

    def test_exact_power(self):
        fit = fit_power_law(self.x, 3 * self.x**0.7, self.x)
        assert fit.exponent == pytest.approx(0.7, rel=1e-12)
        assert fit.prefactor == pytest.approx(3, rel=1e-12)
        assert fit.chi2 == pytest.approx(0, abs=1e-20)
        np.testing.assert_allclose(fit(self.x), 3 * self.x**0.7)

    def test_errors_cover_the_truth(self):
        """Unequal errors: the pulls have unit variance, and chi² its number of degrees."""
        relative = np.array([0.2, 0.05, 0.02, 0.01])
        generator, pulls, chi2 = rng(8), [], []
        for _ in range(2000):
            y = self.x**0.5 * np.exp(relative * generator.normal(size=4))
            fit = fit_power_law(self.x, y, relative * y)
            pulls.append((fit.exponent - 0.5) / fit.stderr)
            chi2.append(fit.chi2)
        assert np.std(pulls) == pytest.approx(1, abs=0.06)
        assert abs(np.mean(pulls)) < 0.09
        assert np.mean(chi2) == pytest.approx(fit.degrees_of_freedom, abs=0.2)

    def test_the_p_value_is_as_likely_anywhere(self):
        generator, found = rng(11), []
        for _ in range(1000):
            y = self.x**0.5 * np.exp(0.02 * generator.normal(size=4))
            found.append(fit_power_law(self.x, y, 0.02 * y).p_value)
        np.testing.assert_allclose(np.quantile(found, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.05)
        bent = self.x**0.5 * (1 + 30 * self.x)
        assert fit_power_law(self.x, bent, 0.02 * bent).p_value < 1e-10
        assert np.isnan(fit_power_law(self.x[:2], self.x[:2], self.x[:2]).p_value)

    @pytest.mark.parametrize("number", [2, 4, 12])
    def test_errors_from_few_realisations_reject_no_more_often(self, number):
        """As if they were known they would in 48, 12 and 1.8 % of the fits, not in 0.27 %."""
        rng, found = np.random.default_rng(6), []
        for _ in range(2000):
            each = self.x * (1 + 0.02 * rng.standard_normal((number, len(self.x))))
            y, error = each.mean(axis=0), each.std(axis=0, ddof=1) / np.sqrt(number)
            found.append(fit_power_law(self.x, y, error, realisations=number).p_value)
        assert np.mean(np.array(found) < 0.0027) < 0.012
        assert np.mean(np.array(found) < 0.5) == pytest.approx(0.46, abs=0.06)

    def test_the_larger_error_counts(self):
        y = self.x**0.5
        few, many = (rng(12).normal(size=(4, 100)) * size for size in (0.001, 0.1))
        for resampled, wanted in ((few, "stderr"), (many, "bootstrap_stderr"), (None, "stderr")):
            varied = None if resampled is None else y[:, None] * np.exp(resampled)
            fit = fit_power_law(self.x, y, 0.02 * y, resampled=varied)
            assert fit.error == getattr(fit, wanted)

    def test_bootstrap_error_is_the_propagated_one(self):
        y, generator = self.x**1.5, rng(9)
        resampled = y[:, None] * np.exp(0.03 * generator.normal(size=(4, 4000)))
        fit = fit_power_law(self.x, y, 0.03 * y, resampled=resampled)
        assert fit.bootstrap_stderr == pytest.approx(fit.stderr, rel=0.05)
        assert np.isnan(fit_power_law(self.x, y, y).bootstrap_stderr)
        some = resampled.copy()
        some[0, ::4] = 0.0
        left = fit_power_law(self.x, y, 0.03 * y, resampled=np.delete(some, np.s_[::4], axis=1))
        fit = fit_power_law(self.x, y, 0.03 * y, resampled=some)
        assert fit.bootstrap_stderr == left.bootstrap_stderr > 0
        some[0, 1::2] = 0.0
        assert np.isnan(fit_power_law(self.x, y, 0.03 * y, resampled=some).bootstrap_stderr)

    def test_weights_of_the_sample_bias_the_width_of_rare_events(self):
        """Few rare pairs give a small width and a small error together; true weights do not."""
        generator, own, true = rng(10), [], []
        expected = np.array([4.0, 40.0, 400.0, 4000.0])
        for _ in range(500):
            pairs = np.maximum(generator.poisson(expected), 1)
            y = np.sqrt(pairs / expected * self.x)
            own.append(fit_power_law(self.x, y, 1 / np.sqrt(pairs) * y**3).exponent)
            true.append(fit_power_law(self.x, y, y / (2 * np.sqrt(expected))).exponent)
        error = np.std(true) / np.sqrt(500)
        assert abs(np.mean(true) - 0.5) < 4 * error
        assert abs(np.mean(own) - 0.5) > 8 * error

    @pytest.mark.parametrize(
        ("x", "y", "error", "message"),
        [
            ([1.0, 2.0], [1.0, -1.0], [1.0, 1.0], "y of a power-law fit"),
            ([1.0, 2.0], [1.0, 1.0], [1.0, 0.0], "error of a power-law fit"),
            ([1.0, np.inf], [1.0, 1.0], [1.0, 1.0], "x of a power-law fit"),
            ([2.0, 2.0], [1.0, 1.0], [1.0, 1.0], "at least two different x"),
        ],
    )
    def test_what_cannot_be_fitted(self, x, y, error, message):
        with pytest.raises(ValueError, match=message):
            fit_power_law(x, y, error)


def test_normal_deviates_of_students_t():
    t = np.array([0.0, -2.0, 60.0])
    assert as_normal(t, 10**9) == pytest.approx(np.abs(t), rel=1e-6)
    assert chance(float(as_normal(3.18245, 3)) ** 2, 1) == pytest.approx(0.05, rel=1e-4)


def test_a_fraction_of_few_is_not_certain():
    """Nothing found among 40 is 0 ± 1/40, and so is everything."""
    for value in (0.0, 1.0):
        assert mean_fraction(np.full(4, value), np.full(4, 10)) == pytest.approx((value, 1 / 40))
    mean, error = mean_fraction(np.array([0.5, np.nan, 0.5]), np.array([10, 0, 10]))
    assert (mean, error) == pytest.approx((0.5, np.sqrt(0.25 / 20)))
    assert np.isnan(mean_fraction(np.array([0.5]), np.array([10]))[1])
    assert np.isnan(mean_fraction(np.array([np.nan]), np.array([0]))).all()
    p, covered = 0.03, []
    rng = np.random.default_rng(4)
    for _ in range(1000):
        counts = rng.binomial(200, p, 3)
        mean, error = mean_fraction(counts / 200, np.full(3, 200))
        covered.append(abs(mean - p) < 2 * error)
    assert np.mean(covered) > 0.93

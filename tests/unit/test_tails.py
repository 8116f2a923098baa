"""The exponents of the fields' tails, where there are tails."""

import numpy as np
import pytest

from glasspipe.report import tails
from glasspipe.report.expectation import Expectation
from glasspipe.theory.stable import StableLaw


def known(alpha=1.0, scale=2.0, centre=0.0, **more):
    limit = StableLaw(alpha, np.array([scale]), np.array([centre]), np.ones(1))
    return Expectation(limit, {}, "exact", **more)


def exponent(expected, x, added=0.0):
    """Of Cauchy's law with the scale 2."""
    rng = np.random.default_rng(1)
    values = 2 * rng.standard_cauchy((50, 2000)) + added
    return tails.exponent(values, expected, x, rng, 100)


def test_the_thresholds_go_with_the_scale_and_the_concentration():
    """From 20 scales to (1/(64 x))^(1/α) scales."""
    found = exponent(known(), 1e-5)
    assert found.value == pytest.approx(2.0, abs=4 * found.stderr)
    assert found.stderr < 0.05
    assert np.isfinite(exponent(known(), 1 / (64 * 60.1)).value)
    assert np.isnan(exponent(known(), 1 / (64 * 59.9)).value)
    assert np.isfinite(exponent(known(alpha=0.75), 1 / (64 * 60.1**0.75)).value)
    assert np.isnan(exponent(known(alpha=0.75), 1 / (64 * 59.9**0.75)).value)


def test_a_stray_field_moves_the_tail_and_leaves_its_exponent():
    assert exponent(known(centre=500.0), 1e-5, 500.0).value == pytest.approx(
        exponent(known(), 1e-5).value, abs=1e-9
    )


@pytest.mark.parametrize("expected", [known(has_limit=False), known(scale=0.0)])
def test_a_field_without_a_limit_has_no_tail(expected):
    assert np.isnan(exponent(expected, 1e-5).value)

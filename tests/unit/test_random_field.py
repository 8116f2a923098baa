"""What random fields do to frozen spins, on spins of which it is known."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from glasspipe.spins import random_field

RNG = np.random.default_rng(5)


def test_spins_without_neighbours_follow_their_field():
    B = RNG.standard_cauchy((3, 400))
    S = -np.sign(B).astype(np.int8)
    np.testing.assert_array_equal(random_field.alignment(S, B), 1)
    np.testing.assert_array_equal(random_field.alignment(-S, B), -1)


def test_random_spins_do_not():
    B = RNG.standard_cauchy((50, 400))
    S = RNG.choice(np.array([-1, 1], np.int8), size=B.shape)
    assert abs(random_field.alignment(S, B).mean()) < 5 / np.sqrt(50 * 400)


def test_without_fields_there_is_no_alignment():
    S = np.ones((2, 10), np.int8)
    data = {"S": S, "B": np.zeros((2, 10)), "h": -RNG.random((2, 10)), "replica_S": S[:, None]}
    assert random_field.measures(data, np.full((2, 10), True)) == {}


def test_overlap_of_replicas():
    """q = 1/3 of two pairs and −1 of the third; the sign of all spins together does not count."""
    one = np.array([1, 1, 1, 1, 1, 1])
    two = np.array([1, 1, 1, 1, -1, -1])
    replicas = np.array([[one, two, -two]], np.int8)
    every = np.full((1, 6), True)
    assert random_field.replica_overlap(replicas, every) == pytest.approx((1 / 3 + 1 / 3 + 1) / 3)
    some = np.array([[True, True, True, True, False, False]])
    assert random_field.replica_overlap(replicas, some) == pytest.approx(1.0)


def test_rank_correlation():
    one = RNG.standard_cauchy((4, 60))
    two = np.round(one + RNG.standard_cauchy((4, 60)))  # with ties
    known = [spearmanr(a, b).statistic for a, b in zip(one, two, strict=True)]
    np.testing.assert_allclose(random_field.correlation(one, two), known, rtol=1e-12)
    np.testing.assert_allclose(random_field.correlation(one, -(one**3)), -1, rtol=1e-12)
    some = RNG.random(one.shape) < 0.5
    known = [spearmanr(a[m], b[m]).statistic for a, b, m in zip(one, two, some, strict=True)]
    np.testing.assert_allclose(random_field.correlation(one, two, some), known, rtol=1e-12)
    one[2, 5] = np.nan
    np.testing.assert_array_equal(np.isnan(random_field.correlation(one, two)), np.arange(4) == 2)


def test_measures_of_a_sample():
    B, U_S = RNG.standard_cauchy((2, 3, 500))
    S = -np.sign(B + U_S).astype(np.int8)
    data = {"S": S, "B": B, "h": B + U_S, "U_norm": np.abs(B) ** 2}
    found = random_field.measures(
        data | {"replica_S": np.stack([S, S], axis=1)}, np.full(S.shape, True)
    )
    assert (found["alignment"] > 0.3).all()
    assert np.abs(found["B_and_U_S"]).max() < 5 / np.sqrt(500)
    np.testing.assert_allclose(found["size_B_and_U"], 1)
    np.testing.assert_allclose(found["overlap"], 1)

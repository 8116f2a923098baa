"""The two loops that are written in LLVM's language, against what they stand for."""

import numpy as np
import pytest
from numba import njit

from glasspipe.kernels import vectors

RNG = np.random.default_rng(3)


@njit
def add(h, first, U, place, stride, rows, coefficients, start, count):
    vectors.add_rows(h, first, U, place, stride, rows, coefficients, start, count)


@njit
def visit(S, spin, h, field, thresholds, U, place, turns, rows, coefficients, start):
    return vectors.try_block(
        S, spin, h, field, thresholds, U, place, turns, rows, coefficients, start
    )


@njit
def ask(array, place):
    vectors.prefetch(array, place)


@pytest.mark.parametrize("count", [0, 1, 2, 17])
def test_add_rows(count):
    """Every field, no other, and in the order of the rows: float32 sums agree to the last bit."""
    U, h = (RNG.normal(size=n).astype(np.float32) for n in (30 * 200 + 7, 300))
    rows = RNG.permutation(20)
    coefficients = RNG.choice(np.array([-2, 2], np.float32), 20)
    expected = h.copy()
    for k in range(3, 3 + count):
        row = 7 + 200 * rows[k] + 31
        expected[11 : 11 + 128] += coefficients[k] * U[row : row + 128]
    add(h, 11, U, 7 + 31, 200, rows, coefficients, 3, count)
    np.testing.assert_array_equal(h, expected)


def test_try_block():
    """Against one spin after the other, for thresholds that accept few, half and all flips."""
    shares = []
    for level in (2.0, 0.0, -50.0):
        U = RNG.normal(size=(64, 64)).astype(np.float32)
        np.fill_diagonal(U, 0)
        S = RNG.choice(np.array([-1, 1], np.float32), 70)
        h = RNG.normal(size=80).astype(np.float32)
        thresholds = (level + RNG.normal(size=64)).astype(np.float32)
        rows, coefficients = np.full(70, -1), np.zeros(70, np.float32)
        spins, fields, flipped, energy = S.copy(), h.copy(), [], 0.0
        for i in range(64):
            gain = spins[4 + i] * fields[9 + i]
            if gain >= thresholds[i]:
                energy += float(gain)
                flipped.append(i)
                fields[9 : 9 + 64] -= 2 * spins[4 + i] * U[i]
                spins[4 + i] *= -1
        flat = np.concatenate([np.zeros(5, np.float32), U.ravel()])
        before, turns = h.copy(), np.empty(64, np.float32)
        number, found = visit(S, 4, h, 9, thresholds, flat, 5, turns, rows, coefficients, 2)
        assert number == len(flipped)
        assert found == pytest.approx(energy, rel=1e-13)
        np.testing.assert_array_equal(S, spins)
        np.testing.assert_array_equal(h, before)
        np.testing.assert_array_equal(rows[2 : 2 + number], flipped)
        np.testing.assert_array_equal(coefficients[2 : 2 + number], 2 * spins[4:][flipped])
        assert (rows[[0, 1, *range(2 + number, 70)]] == -1).all()
        shares.append(number / 64)
    assert shares[0] < 0.45 < 0.95 < shares[2]


def test_no_spin_flips_where_the_field_is_minus_infinity():
    S, h = np.ones(64, np.float32), np.full(64, -np.inf, np.float32)
    h[10] = 1.0
    thresholds, turns, coefficients = (np.zeros(64, np.float32) for _ in range(3))
    U, rows = np.zeros(64 * 64, np.float32), np.zeros(64, np.int64)
    assert visit(S, 0, h, 0, thresholds, U, 0, turns, rows, coefficients, 0) == (1, 1.0)
    assert rows[0] == 10


def test_prefetch_changes_nothing_and_may_miss_the_array():
    array = RNG.normal(size=64).astype(np.float32)
    before = array.copy()
    for place in (0, 63, 10**6, -(10**6)):
        ask(array, place)
    np.testing.assert_array_equal(array, before)

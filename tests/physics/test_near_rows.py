"""Couplings of near defects, listed and made when they are needed, against each other and alone."""

import numpy as np
import pytest
from arrays import MEDIA, Defects
from numpy.testing import assert_allclose, assert_array_equal

from glasspipe.elastic.greens import green_derivatives
from glasspipe.elastic.neighbours import NearList, NearSums
from glasspipe.elastic.window import Bell, smooth_table
from glasspipe.kernels import near as kernel
from glasspipe.spins.nearfar import freeze_implicit

OPTIONS = {"sweeps": 60, "steps": 20, "schedule": "geometric", "t_start": 10.0, "t_end": 0.1}


@pytest.fixture(scope="module")
def defects():
    return Defects()


@pytest.fixture(scope="module")
def both(defects):
    """The same defects with couplings in a list, and made when they are needed."""
    return defects.implicit(), defects.implicit(largest_list=0.0)


def rows_of(H):
    """Whole couplings, and what the window leaves of them, (2, N, N)."""
    work, size = kernel.workspace(H.rows), len(H.B)
    found = np.zeros((2, size, size), np.float32)
    for i in range(size):
        for add, to in zip((kernel.add_row, kernel.add_left), found, strict=True):
            add(H.rows, i, np.float32(1), work, to[i])
    return found


def test_couplings_made_are_those_listed(both):
    listed, made = both
    assert isinstance(listed.near, NearList)
    assert isinstance(made.near, NearSums)
    assert not len(made.rows.index)
    for one, other in zip(rows_of(listed), rows_of(made), strict=True):
        assert np.count_nonzero(one) == len(listed.rows.index)
        assert_allclose(one, other, rtol=0, atol=3e-6 * np.abs(one).max())
    for one, other in zip(listed.strongest, made.strongest, strict=True):
        assert_allclose(one, other, rtol=1e-5)


def test_whole_couplings_are_the_derivatives_of_greens_function(both):
    H, i = both[1], 7
    R = H.position[i] - H.position
    R -= H.split.edges * np.round(R / H.split.edges)
    near = np.linalg.norm(R, axis=1) < H.split.cutoff
    near[i] = False
    G = green_derivatives(R[near], 2, MEDIA["KBr"])
    U = np.einsum("ab,pcd,pacbd->p", H.gamma[i], H.gamma[near], G, optimize=True)
    found = rows_of(H)[0, i]
    assert_array_equal(np.flatnonzero(found), np.flatnonzero(near))
    assert_allclose(found[near], U, rtol=0, atol=1e-5 * np.abs(U).max())


def test_near_parts_and_what_is_left_add_up(both):
    """In float64 for sums, of all and of few sources, and in float32 in the list."""
    listed, _ = both
    whole, left = rows_of(listed).astype(float)
    sums = NearSums(listed.rows, listed.position, listed.gamma, listed.split)
    for few in (1, 40, 300):
        S = np.zeros(len(listed.B), np.int8)
        S[:few] = np.random.default_rng(few).choice([-1, 1], few)
        h, other = np.zeros((2, len(S)))
        sums.add_fields(S, h)
        listed.near.add_fields(S, other)
        assert_allclose(h, S @ (whole - left), rtol=0, atol=1e-5 * np.abs(h).max())
        assert_allclose(h, other, rtol=0, atol=1e-5 * np.abs(h).max())


def test_fields_of_what_has_turned_are_added(defects, both):
    H = both[0]
    S, other = defects.S.copy(), defects.S.copy()
    other[:9] *= -1
    change = H.applied(other - S, H.fine)
    assert_allclose(H.fields(S, H.fine) + change, H.fields(other, H.fine), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("beta", [14.0, 20.0])
def test_what_a_window_leaves(beta):
    bell, rho = Bell(beta), np.linspace(0.1, 1, 30)
    w, D1, D2, D3 = bell.ladder(rho)[:, :4].T
    near = [
        D1 / rho - w / rho**3,
        D2 / rho - 2 * D1 / rho**3 + 3 * w / rho**5,
        D3 / rho - 3 * D2 / rho**3 + 9 * D1 / rho**5 - 15 * w / rho**7,
    ]
    bare = [-1 / rho**3, 3 / rho**5, -15 / rho**7]
    left = [
        np.polynomial.polynomial.polyval(2 * rho**2 - 1, row)
        for row in smooth_table(bell, kernel.DEGREE)[1:4]
    ]
    for one, other, wanted in zip(bare, near, left, strict=True):
        assert_allclose(one - other, wanted, rtol=0, atol=1e-8 * np.abs(one).max())


def test_freezing_with_couplings_that_are_made(defects, both):
    frozen, accuracy = freeze_implicit(both[1], key=7, replicas=1, **OPTIONS)
    exact = defects.U @ frozen.S + defects.B
    assert (frozen.S * exact <= 0).all()
    assert_allclose(frozen.h, exact, rtol=0, atol=1e-5 * np.abs(exact).max())
    whole, _ = freeze_implicit(both[0], key=7, replicas=1, **OPTIONS)
    assert_allclose(frozen.trace_energy[:, :3], whole.trace_energy[:, :3], rtol=1e-3)
    assert accuracy.near_neighbours > 50

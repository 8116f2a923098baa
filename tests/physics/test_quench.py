"""The quench where couplings are not stored: how low it ends, and what it sums on the way."""

import numpy as np
from arrays import MEDIA, NUMBER, Defects, implicit

from glasspipe.kernels import nearfar as kernel
from glasspipe.spins import dense, nearfar
from glasspipe.spins.nearfar import settled
from glasspipe.system.implicit import Implicit

MANY, EDGE = 4000, 43
"""Defects, of which not all are told of what turns far away; edge of their box in lattice units."""


def random_spins(rng, *shape):
    return rng.choice(np.array([-1, 1], np.int8), shape)


def test_it_ends_as_low_as_spin_after_spin_in_all_couplings():
    defects, S = Defects(), random_spins(np.random.default_rng(1), 20, NUMBER)
    H, alone = defects.implicit(), S.copy()
    (S, h), _ = settled(H, S)
    exact = dense.quench(defects.U[np.ix_(H.order, H.order)], H.B, alone)
    one, other = dense.energies(H.B, S, h), dense.energies(H.B, alone, exact)
    spread = np.std(one - other) / np.sqrt(len(S))
    assert spread < 0.01 * abs(other.mean())
    assert abs(np.mean(one - other)) < 4 * spread


def test_the_fine_mesh_is_summed_once_and_then_for_what_turned(monkeypatch):
    rng, fine = np.random.default_rng(2), []
    sites = np.unravel_index(rng.permutation(EDGE**3)[:MANY], (EDGE,) * 3)
    d = np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]) / 3**0.5
    axes = d[rng.integers(0, 4, MANY)]
    about = {"box": np.full(3, 4.0 * EDGE), "medium": MEDIA["KBr"], "boundary": "clamped"}
    gamma = np.einsum("ia,ib->iab", axes, axes)
    H = implicit(4.0 * np.stack(sites, axis=-1), gamma, np.zeros(MANY), **about)
    applied = Implicit.applied

    def counted(H, S, sums):
        fine.append(np.count_nonzero(S))
        return applied(H, S, sums)

    monkeypatch.setattr(Implicit, "applied", counted)
    (S, h), _ = settled(H, random_spins(rng, 1, MANY))
    assert (S * h <= 0).all()
    assert fine[0] == MANY
    assert fine == sorted(fine, reverse=True)
    assert len(fine) <= 3


def test_couplings_of_some_are_those_of_all():
    defects = Defects()
    H, some = defects.implicit(), np.array([7, 3, 200, 41])
    exact = defects.U[np.ix_(H.order[some], H.order[some])]
    assert np.allclose(H.among(some), exact, rtol=1e-9, atol=1e-9 * np.abs(exact).max())


def test_the_last_to_turn_end_where_no_two_of_them_gain(monkeypatch):
    """Whatever turns by near couplings alone is not used then: so a wrong one is of no harm."""
    H, S = Defects().implicit(), random_spins(np.random.default_rng(3), 1, NUMBER)
    monkeypatch.setattr(nearfar, "_FEW", NUMBER)
    monkeypatch.setattr(nearfar, "_TOLD", NUMBER)
    (S, h), _ = settled(H, S)
    U, before = H.among(np.arange(NUMBER)), S.copy()
    dense.quench(U, H.B, S)
    assert np.array_equal(S, before)
    assert np.allclose(h[0], U @ S[0] + H.B, atol=1e-5 * np.abs(h).max())


def test_what_a_spin_wins_alone_or_with_its_partner():
    """A free spin, and two that hold each other against their fields."""
    S = np.array([1, 1, -1], np.int8)
    h, bond = np.array([0.5, -2.0, 3.0]), np.array([0.0, 4.0, 4.0], np.float32)
    partner, gain = np.array([-1, 2, 1], np.int32), np.empty(3)
    kernel.gains(partner, bond, S, h, gain)
    together = -2.0 - 3.0 + 2 * 4.0
    assert gain.tolist() == [0.5, together, together]

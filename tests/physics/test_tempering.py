"""Parallel tempering against the sum over states, detailed balance included."""

from itertools import product

import h5netcdf
import numpy as np
import pytest
from arrays import couplings
from scipy.special import erfc
from scipy.stats import chisquare
from workbench import stages

from glasspipe.defects.realisation import realise
from glasspipe.kernels import freeze as freeze_kernels
from glasspipe.kernels import tempering as kernels
from glasspipe.settings.point import point_from
from glasspipe.settings.seeds import seed_sequence
from glasspipe.spins import dense, tempering
from glasspipe.spins.annealing import freeze
from glasspipe.spins.diagnostics import LOG_BINS
from glasspipe.spins.ladder import length, temperatures_needed
from glasspipe.spins.tempering import equal_distances, placements, temper

OPTIONS = {"schedule": "geometric", "t_start": 10.0, "t_end": 0.1}


def states(N):
    return np.array(list(product([-1, 1], repeat=N)), dtype=np.int8)


def energies(U, B, S):
    return 0.5 * np.einsum("ki,ij,kj->k", S, U, S, optimize=True) + S @ B


def hamiltonian(N, seed, strength=0.5):
    random = np.random.default_rng(seed)
    U = np.triu(random.normal(size=(N, N)), 1)
    return U + U.T, strength * random.normal(size=N)


@pytest.mark.parametrize("seed", range(12))
def test_finds_every_ground_state(seed):
    N = 2 + seed % 12
    U, B = hamiltonian(N, seed)
    frozen = temper(U, B, key=seed, sweeps=800, steps=8, replicas=1, **OPTIONS).frozen
    exact = energies(U, B, states(N))
    assert frozen.energy == pytest.approx(exact.min(), rel=1e-12)
    assert (frozen.S * frozen.h <= 0).all()


def test_boltzmann_averages_at_every_temperature():
    """Energy, specific heat and overlap Σ⟨S_i⟩²/N of 32 sets against the sum over 2¹² states."""
    N, sets = 12, 32
    U, B = hamiltonian(N, seed=4)
    tempered = temper(U, B, key=1, sweeps=48_000, steps=8, replicas=sets, **OPTIONS)
    frozen = tempered.frozen
    S = states(N)
    E = energies(U, B, S)
    weights = np.exp(-(E - E.min()) / frozen.T[:, None])
    weights /= weights.sum(axis=1, keepdims=True)
    mean = weights @ E
    heat = (weights @ E**2 - mean**2) / frozen.T**2
    overlap = ((weights @ S) ** 2).mean(axis=1)
    for found, exact in (
        (frozen.trace_energy, mean),
        (frozen.trace_energy_variance / frozen.T**2, heat),
        (tempered.log_energy[:, 0], mean),
    ):
        error = found.std(axis=0, ddof=1) / np.sqrt(sets)
        assert (error < 0.02 * np.abs(exact).max()).all()
        assert (np.abs(found.mean(axis=0) - exact) < 4.5 * error + 1e-9).all()
    np.testing.assert_allclose(frozen.overlap[0], overlap, atol=0.02)
    assert overlap[-1] - overlap[0] > 0.5


U3 = np.array([[0, 1.0, -0.7], [1.0, 0, 0.4], [-0.7, 0.4, 0]])
B3 = np.array([0.3, -0.5, 0.2])


def joint_p_value(T, exchange_T, rounds=20, chains=20_000):
    """Sample pairs of states at two temperatures; return p of the product of their weights."""
    sites = [3, 9, 40]
    couplings, fields = np.zeros((64, 64)), np.full((2 * chains, 64), -np.inf)
    couplings[np.ix_(sites, sites)] = U3
    fields[:, sites] = U3.sum(axis=1) + B3
    couplings = dense.rows(couplings)
    within = freeze_kernels.diagonal_blocks(couplings)
    S, h = dense.padded(np.ones((2 * chains, 64), np.int8), fields)
    at = np.arange(2 * chains).reshape(chains, 2)
    energy = np.full(2 * chains, energies(U3, B3, np.ones((1, 3)))[0])
    keys = np.random.default_rng(5).integers(0, 2**32, (3 * chains, 4), dtype=np.uint64)
    work = freeze_kernels.workspace(2 * chains)
    change, flips = np.empty(2 * chains), np.empty(2 * chains, np.int64)
    temperature, swaps = np.empty(2 * chains), np.zeros(1, np.int64)
    for sweep in range(1, rounds + 1):
        temperature[at] = T
        freeze_kernels.sweep_once(
            couplings, within, S, h, temperature, keys, sweep, change, flips, work
        )
        energy += change
        for m in range(chains):
            kernels.exchange(exchange_T, energy, at[m], keys, 2 * chains + m, sweep, swaps)
    assert 0.1 < swaps[0] / (chains * rounds / 2) < 0.99
    number = (S[:, sites] > 0) @ [4, 2, 1]
    counts = np.bincount(8 * number[at[:, 0]] + number[at[:, 1]], minlength=64)
    E = energies(U3, B3, states(3))
    weights = np.exp(-E[:, None] / T[0] - E / T[1]).ravel()
    return chisquare(counts, counts.sum() * weights / weights.sum()).pvalue


def test_exchanges_keep_detailed_balance():
    """The joint distribution of two temperatures; exchanges by a wrong rule do not keep it."""
    T = np.array([3.0, 0.9])
    assert joint_p_value(T, T) > 1e-3
    for wrong in (T[::-1].copy(), np.array([3.0, 1.1]), np.array([1.5, 0.45])):
        assert joint_p_value(T, wrong) < 1e-6


def test_temperatures_exchange_equally_often():
    U, B = hamiltonian(60, seed=2)
    options = {"key": 1, "sweeps": 60_000, "steps": 12, "replicas": 2}
    tempered = temper(U, B, **options, **OPTIONS)
    rate = tempered.swap_rate.mean(axis=0)
    assert rate.min() > 0.25
    assert rate.max() - rate.min() < 0.2
    assert (tempered.round_trips > 5).all()
    np.testing.assert_allclose(tempered.round_trip_time, 12 * 2500 / tempered.round_trips)
    late, earlier = tempered.log_energy[:, 0].mean(axis=0), tempered.log_energy[:, 1].mean(axis=0)
    np.testing.assert_allclose(late, earlier, atol=0.02 * np.abs(late).max())
    start = np.geomspace(tempered.frozen.T[0], tempered.frozen.T[-1], 12)
    assert np.abs(np.log(tempered.frozen.T / start)).max() > 0.1


def test_equal_distances_of_normal_energies():
    """With a constant specific heat C the temperatures are geometric, at the rate erfc(d/2)."""
    C, random = 40.0, np.random.default_rng(1)
    T = np.array([2.0, 1.9, 1.5, 1.3, 1.1, 1.0])
    for _ in range(3):
        T = equal_distances(T, C * T + np.sqrt(C) * T * random.normal(size=(100_000, 6)))
    np.testing.assert_allclose(T, np.geomspace(2.0, 1.0, 6), rtol=0.01)
    E = C * T + np.sqrt(C) * T * random.normal(size=(10**6, 6))
    rate = np.minimum(1, np.exp(np.diff(1 / T) * np.diff(E, axis=1))).mean(axis=0)
    d = np.sqrt(-np.diff(1 / T) * np.diff(E.mean(axis=0)))
    np.testing.assert_allclose(rate, erfc(d / 2), rtol=0.02)


# ---- how many temperatures, and where


def box(x, number):
    """U and B of a box of the default study."""
    point = point_from({"defects": {"concentration": x, "number": number}})
    rng = np.random.default_rng(seed_sequence(point.model, "sample", 0))
    model = point.model
    made = realise(rng, model.lattice, model.defects, model.components)
    tensors = made.defects.tensors
    about = {
        "box": [model.lattice.edge] * 3,
        "medium": model.medium,
        "boundary": "spherical",
    }
    found = couplings(made.position, tensors.gamma, tensors.eta, **about)
    U = np.zeros((model.defects, model.defects))
    U[np.triu_indices(model.defects, 1)] = found.U
    return U + U.T, found.B


@pytest.mark.parametrize(
    ("x", "number", "rate", "ends"),
    [
        (0.01, 60, 0.3, (10.0, 0.05)),
        (0.1, 150, 0.3, (10.0, 0.05)),
        (0.0001, 150, 0.45, (10.0, 0.05)),
        (0.1, 150, 0.2, (5.0, 0.1)),
        (0.0001, 100, 0.3, (30.0, 0.03)),
    ],
)
def test_the_wanted_rate_is_met(x, number, rate, ends):
    U, B = box(x, number)
    ends = dict(zip(("t_start", "t_end"), ends, strict=True))
    steps = temperatures_needed(len(B), rate=rate, **ends)
    options = {"sweeps": 8000 * steps, "steps": steps, "schedule": "geometric", **ends}
    found = temper(U, B, key=1, replicas=2, **options).swap_rate.mean(axis=0)
    assert found.mean() == pytest.approx(rate, abs=0.07)
    assert found.min() > 0.5 * rate


def test_temperatures_needed():
    ends = {"t_start": 10.0, "t_end": 0.05}
    some = [temperatures_needed(N, rate=0.3, **ends) - 1 for N in (100, 400, 1600)]
    assert some[0] < some[1] < some[2]
    assert some[2] == pytest.approx(4 * some[0], abs=4)
    by_rate = [temperatures_needed(500, rate=r, **ends) for r in (1e-320, 0.1, 0.3, 0.6, 0.99)]
    assert by_rate == sorted(by_rate)
    assert by_rate[0] >= 2
    assert temperatures_needed(2, rate=0.1, t_start=1.0, t_end=0.99) == 2
    assert length(30.0, 0.02) == pytest.approx(length(30.0, 1.0) + length(1.0, 0.02))
    assert length(1e9, 200.0) == 0


def test_a_placement_rests_on_many_sweeps():
    assert placements(0) == placements(500) == {}
    assert placements(1000) == {750: 375}
    for burn_in in (1250, 5000, 20_000, 10**6):
        found = placements(burn_in)
        assert len(found) == 5 or burn_in < 20_000
        for end, first in found.items():
            assert end - first >= 300
            assert all(other <= first for other in found if other < end)
            assert end < burn_in


def test_a_short_run_keeps_the_temperatures_it_begins_with():
    """After few sweeps rates mislead: placed by them, neighbours may hardly exchange at all."""
    U, B = box(0.01, 150)
    steps = temperatures_needed(len(B), rate=0.3, t_start=10.0, t_end=0.1)
    options = {"key": 1, "steps": steps, "replicas": 1, **OPTIONS}
    short = temper(U, B, sweeps=100 * steps, **options)
    np.testing.assert_allclose(
        short.frozen.T, np.geomspace(short.frozen.T[0], short.frozen.T[-1], steps)
    )
    longer = temper(U, B, sweeps=4000 * steps, **options)
    assert np.abs(np.log(longer.frozen.T / short.frozen.T)).max() > 0.05


# ---- the pieces


def test_a_round_trip_is_from_the_last_temperature_to_the_first_and_back():
    going = np.zeros(3, np.int8)
    arrived = []
    for at in ([0, 1, 2], [0, 2, 1], [2, 0, 1], [0, 2, 1], [0, 1, 2], [1, 0, 2], [0, 2, 1]):
        arrived.append(kernels._arrivals(np.array(at), going))
    assert arrived == [0, 0, 0, 0, 1, 0, 1]


def test_overlaps_are_those_of_the_spins():
    random = np.random.default_rng(3)
    S = random.choice([-1.0, 1.0], (6, 64)).astype(np.float32)
    at = np.array([[0, 1], [2, 3], [5, 4]])
    counts, sums = np.zeros((2, 40)), np.zeros((3, 2))
    kernels.count_overlaps(S, 50, at, counts, sums)
    for k in range(2):
        own = S[at[:, k], :50].astype(float)
        q = [own[a] @ own[b] / 50 for a, b in ((0, 1), (0, 2), (1, 2))]
        np.testing.assert_allclose(sums[:, k], [np.sum(q), np.abs(q).sum(), np.square(q).sum()])
        assert counts[k].sum() == pytest.approx(3)
        edges = np.linspace(-1, 1, 41)
        wide = np.array(q)[:, None] * 50 / 51 + [-1 / 51, 1 / 51]
        inside = np.minimum(edges[1:], wide[:, 1:]) - np.maximum(edges[:-1], wide[:, :1])
        known = np.maximum(inside, 0).sum(axis=0) * 51 / 2
        np.testing.assert_allclose(counts[k], known, atol=1e-12)


@pytest.mark.parametrize("size", [1, 2, 20, 39, 40, 60, 500])
def test_values_of_the_overlap_fill_its_bins_evenly(size):
    """Each of them once is a flat histogram."""
    counts, sums = np.zeros((1, 40)), np.zeros((3, 1))
    for same in range(size + 1):
        S = np.ones((2, size), np.float32)
        S[1, same:] = -1
        kernels.count_overlaps(S, size, np.array([[0], [1]]), counts, sums)
    np.testing.assert_allclose(counts[0], (size + 1) / 40, rtol=1e-12)


def test_attempts_are_counted():
    """Without couplings everything is exchanged, so rates are 1 for odd and even sweeps."""
    tempered = temper(
        np.zeros((4, 4)), np.full(4, 1e-9), key=1, sweeps=35, steps=5, replicas=2, **OPTIONS
    )
    assert tempered.swap_rate.shape == (2, 4)
    assert (tempered.swap_rate <= 1).all()
    assert tempered.log_energy.shape == (2, LOG_BINS, 5)


def test_no_fields_at_all():
    tempered = temper(
        np.zeros((3, 3)), np.zeros(3), key=1, sweeps=40, steps=4, replicas=2, **OPTIONS
    )
    assert tempered.frozen.energy == 0
    assert (tempered.frozen.T == 0).all()
    assert (tempered.swap_rate == 0).all()


def same(one, other):
    for name, value in vars(one).items():
        np.testing.assert_array_equal(value, getattr(other, name), err_msg=name)


def kept_states(run, **options):
    """Return the result, and a copy of every state on the way."""
    seen = []

    def observe(progress):
        assert len(seen) < 1000
        seen.append({name: array.copy() for name, array in progress.state.items()})

    return run(observe=observe, **options), seen


@pytest.mark.parametrize("refresh", [500, 7])
@pytest.mark.parametrize("method", [freeze, temper])
def test_continued_from_any_state_it_ends_in_the_same_bits(monkeypatch, method, refresh):
    monkeypatch.setattr(dense, "SWEEPS_PER_REFRESH", refresh)
    monkeypatch.setattr(tempering, "_FEWEST", 1)
    U, B = hamiltonian(70, seed=6)
    options = {"key": 3, "sweeps": 160, "steps": 4, "replicas": 2, **OPTIONS}
    whole = method(U, B, **options)
    monkeypatch.setattr(dense, "_ATTEMPTS_PER_PIECE", 11 * 128 * (2 if method is freeze else 8))
    pieces, seen = kept_states(lambda **more: method(U, B, **options, **more))
    assert len(seen) > 4
    for result in (pieces, *(method(U, B, resume=state, **options) for state in seen)):
        if method is temper:
            same(result.frozen, whole.frozen)
            same_but = {k: v for k, v in vars(result).items() if k != "frozen"}
            for name, value in same_but.items():
                np.testing.assert_array_equal(value, getattr(whole, name), err_msg=name)
        else:
            same(result, whole)


def test_sets_are_independent():
    U, B = hamiltonian(130, seed=7)
    frozen = temper(U, B, key=3, sweeps=80, steps=4, replicas=3, **OPTIONS).frozen
    assert len(np.unique(frozen.trace_energy[:, 0])) == 3
    assert abs(frozen.overlap[0, 0]) < 0.3


def test_where_u_is_not_stored_it_is_made(tmp_path):
    """The same spins at the same temperatures, and B within its error."""
    about = {"defects": {"number": 30, "concentration": 0.1}, "realisations": 2}
    freeze = {"method": "tempering", "sweeps": 1000, "steps": 10, "replicas": 2}
    found = {}
    for store in ("float64", "implicit"):
        point = point_from({**about, "freeze": freeze, "couplings": {"store": store}})
        sample, U, frozen, b = (tmp_path / f"{store} {name}" for name in "rufb")
        stages.sample(point, sample)
        stages.couplings(point, sample, U)
        stages.freeze(point, U, frozen)
        stages.fields(point, sample, frozen, b)
        with h5netcdf.File(U) as file:
            assert ("U" in file.variables) == (store == "float64")
        with h5netcdf.File(frozen) as file:
            found[store] = {name: variable[...] for name, variable in file.variables.items()}
    stored, made = found["float64"], found["implicit"]
    assert set(made) == {*stored, "B_error"}
    for name in ("S", "replica_S", "swap_rate", "U_sum", "U_norm"):
        np.testing.assert_array_equal(made[name], stored[name])
    assert (made["B"] != stored["B"]).any()
    for name in ("B", "h", "T", "energy", "trace_energy"):
        size = np.abs(stored[name]).max()
        np.testing.assert_allclose(made[name], stored[name], rtol=0, atol=1e-5 * size)

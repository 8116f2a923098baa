"""The pieces of the annealer, each against its definition."""

import numpy as np
import pytest
from workbench import part, stages

from glasspipe.files import dataset
from glasspipe.kernels import freeze as kernels
from glasspipe.settings.point import point_from
from glasspipe.settings.seeds import seed_sequence
from glasspipe.spins import annealing as module
from glasspipe.spins import dense
from glasspipe.spins.annealing import field_scale, freeze, temperatures

SCHEDULE = {"schedule": "geometric", "t_start": 10.0, "t_end": 0.05}
SHORT = {"key": 7, "sweeps": 60, "steps": 20, "replicas": 2, **SCHEDULE}


def hamiltonian(N, seed):
    random = np.random.default_rng(seed)
    U = np.triu(random.normal(size=(N, N)), 1)
    return U + U.T, random.normal(size=N)


def pair_sum(U, B, S):
    S = S.astype(float)
    return np.triu(U, 1).dot(S).dot(S) + B.dot(S)


# ---- random numbers


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ([0, 0, 0, 0], [0, 0], [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_random_words_are_philox(counter, key, expected):
    """The known answers of Random123 for philox4x32 with 10 rounds."""
    words = np.zeros(64, np.uint32)
    block, j = divmod(counter[0], 16)
    kernels.random_words(np.array([[*key, *counter[2:]]], np.uint64), 0, counter[1], block, words)
    assert words[j::16].tolist() == expected


def test_exponentials():
    random = np.random.default_rng(3)
    edges = [0, 1, 2, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1]
    words = np.concatenate([edges, random.integers(0, 2**32, 10**5)]).astype(np.uint32)
    out = np.empty(len(words), np.float32)
    kernels.exponentials(words, np.float32(1), out)
    expected = -np.log((words.astype(float) + 0.5) / 2**32)
    np.testing.assert_allclose(out, expected, rtol=3e-7, atol=3e-7)
    assert 0.99 * kernels.LARGEST_EXPONENTIAL < out[0] < kernels.LARGEST_EXPONENTIAL


def test_replicas_and_keys_have_their_own_numbers():
    S = np.empty((4, 4096), np.int8)
    kernels.random_spins(np.concatenate([dense.replica_keys(k, 2) for k in (1, 1 << 64)]), S)
    overlap = S.astype(float) @ S.T / 4096
    assert np.abs(overlap - np.eye(4)).max() < 5 / 64
    assert np.abs(S.mean(axis=1)).max() < 5 / 64


# ---- the chain


def reference_chain(U, B, S, T, keys, r):
    """Sequential Metropolis in float64, one spin after the other, with the same numbers."""
    S, h = S.astype(float), U @ S + B
    energies, flips = [], []
    words, e = np.empty(64, np.uint32), np.empty(64, np.float32)
    for sweep, temperature in enumerate(T):
        flips.append(0)
        for i in range(len(S)):
            if i % 64 == 0:
                kernels.random_words(keys, r, sweep + 1, i // 64, words)
                kernels.exponentials(words, np.float32(1), e)
            if -2 * S[i] * h[i] <= temperature * e[i % 64]:
                h -= 2 * S[i] * U[i]
                S[i] = -S[i]
                flips[-1] += 1
        energies.append(pair_sum(U, B, S))
    return S, energies, flips


@pytest.mark.parametrize("t_end", [5.0, 0.3, 0.003])
def test_chain_is_sequential_metropolis(t_end):
    """Blocks, delayed updates, skipped numbers and float32 do not change the chain."""
    U, B = hamiltonian(700, seed=1)
    keys = dense.replica_keys(11, 2)
    T = np.geomspace(50.0, t_end * 50, 12)
    S, energies, flips, _ = module._anneal(U, B, keys, T)
    for r in range(2):
        start = dense.random_spins(keys, 700)[r]
        S_expected, expected, flips_expected = reference_chain(U, B, start, T, keys, r)
        assert flips[r].tolist() == flips_expected
        assert S[r].tolist() == S_expected.tolist()
        np.testing.assert_allclose(energies[r], expected, rtol=0, atol=1e-6 * np.abs(U).sum())


def test_refresh_does_not_change_the_chain(monkeypatch):
    U, B = hamiltonian(90, seed=2)
    expected = freeze(U, B, **SHORT)
    monkeypatch.setattr(dense, "SWEEPS_PER_REFRESH", 7)
    frozen = freeze(U, B, **SHORT)
    assert frozen.replica_S.tolist() == expected.replica_S.tolist()
    np.testing.assert_allclose(frozen.trace_energy, expected.trace_energy, rtol=1e-5)


def test_result_does_not_depend_on_the_number_of_replicas():
    U, B = hamiltonian(130, seed=3)
    four, eight = (freeze(U, B, **{**SHORT, "replicas": n}) for n in (4, 8))
    for name in ("replica_S", "replica_energy", "trace_energy", "acceptance"):
        assert np.array_equal(getattr(four, name), getattr(eight, name)[:4])
    assert len(np.unique(eight.trace_energy[:, 0])) == 8


def test_same_key_same_bits():
    U, B = hamiltonian(130, seed=4)
    once, again, pair, other = (
        freeze(U, B, **{**SHORT, "key": key}) for key in (5, 5, (5, 0), (5, 1))
    )
    for name in vars(once):
        assert np.array_equal(getattr(once, name), getattr(again, name))
        assert np.array_equal(getattr(once, name), getattr(pair, name))
    assert not np.array_equal(once.trace_energy, other.trace_energy)


# ---- what is handed back


@pytest.mark.parametrize("N", [1, 2, 63, 64, 65, 200])
def test_frozen_state(N):
    U, B = hamiltonian(N, seed=N)
    frozen = freeze(U, B, **{**SHORT, "replicas": 3})
    assert set(np.unique(frozen.replica_S)) <= {-1, 1}
    assert frozen.replica_S.shape == (3, N)
    best = [pair_sum(U, B, S) for S in frozen.replica_S]
    np.testing.assert_allclose(frozen.replica_energy, best, rtol=1e-12)
    assert frozen.energy == min(frozen.replica_energy)
    assert np.array_equal(frozen.S, frozen.replica_S[np.argmin(best)])
    np.testing.assert_allclose(frozen.h, U @ frozen.S + B, rtol=0, atol=1e-12 * N)
    for S in frozen.replica_S:
        assert (S * (U @ S + B) <= 1e-12 * N).all()
    assert (frozen.S * frozen.h <= 0).all()
    for name in ("trace_energy", "trace_energy_variance", "acceptance"):
        assert getattr(frozen, name).shape == (3, 20)


def test_quench_is_needed_and_settles():
    U, B = hamiltonian(300, seed=5)
    S = dense.random_spins(dense.replica_keys(1, 3), 300)
    before = [pair_sum(U, B, s) for s in S]
    assert (S * (S @ U + B) > 0).any(axis=1).all()
    h = dense.quench(U, B, S)
    assert (S * h <= 0).all()
    np.testing.assert_allclose(h, S @ U + B, rtol=0, atol=1e-10)
    assert all(pair_sum(U, B, s) < energy for s, energy in zip(S, before, strict=True))


def test_trace_at_one_temperature():
    """Mean, variance and acceptance of a step, from those of its sweeps."""
    U, B = hamiltonian(40, seed=6)
    single = freeze(U, B, **{**SHORT, "sweeps": 12, "steps": 12})
    coarse = freeze(U, B, **{**SHORT, "sweeps": 12, "steps": 1})
    assert np.isnan(single.trace_energy_variance).all()
    assert (coarse.trace_energy_variance > 0).all()
    T = np.repeat(coarse.T, 12)
    _, energies, flips, _ = module._anneal(U, B, dense.replica_keys(7, 2), T)
    late = energies[:, 6:]
    np.testing.assert_allclose(coarse.trace_energy[:, 0], late.mean(axis=1))
    apart = [((late[:, k:] - late[:, : 6 - k]) ** 2).mean(axis=1) / 2 for k in (3, 4)]
    np.testing.assert_allclose(coarse.trace_energy_variance[:, 0], np.mean(apart, axis=0))
    np.testing.assert_allclose(coarse.acceptance[:, 0], flips.mean(axis=1) / 40)


def test_no_couplings():
    B = np.array([1.0, -2.0, 3.0, -4.0])
    frozen = freeze(np.zeros((4, 4)), B, **SHORT)
    assert frozen.S.tolist() == [-1, 1, -1, 1]
    assert frozen.energy == -10


def test_no_fields_at_all():
    frozen = freeze(np.zeros((3, 3)), np.zeros(3), **SHORT)
    assert frozen.energy == 0
    assert (frozen.T == 0).all()
    assert (np.abs(frozen.S) == 1).all()


# ---- scale and temperatures


def test_field_scale():
    assert field_scale([[0, 3.0], [3.0, 0]], [0, 0], key=1) == 3.0
    assert field_scale(np.zeros((5, 5)), [1.0, -2, 7, 0, 0], key=1) == 2.0
    assert field_scale(np.zeros((2, 2)), [0, 0], key=1) == 0.0
    U, B = hamiltonian(400, seed=8)
    S = np.random.default_rng(1).choice([-1, 1], (400, 300))
    expected = np.median(np.abs(U @ S + B[:, None]))
    assert field_scale(U, B, key=1) == pytest.approx(expected, rel=0.1)


def test_temperatures():
    options = {"t_start": 8.0, "t_end": 0.5, "steps": 5}
    np.testing.assert_allclose(
        temperatures(2.0, schedule="geometric", **options), [16, 8, 4, 2, 1], rtol=1e-14
    )
    np.testing.assert_allclose(
        temperatures(2.0, schedule="linear", **options), [16, 12.25, 8.5, 4.75, 1], rtol=1e-14
    )


def test_temperatures_are_in_units_of_the_field():
    U, B = hamiltonian(50, seed=9)
    frozen, doubled = freeze(U, B, **SHORT), freeze(2 * U, 2 * B, **SHORT)
    assert frozen.T[0] == pytest.approx(10 * field_scale(U, B, key=7))
    assert doubled.replica_S.tolist() == frozen.replica_S.tolist()
    np.testing.assert_allclose(doubled.T, 2 * frozen.T)


# ---- what is refused


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sweeps": 61}, r"sweeps is 61; it must be a multiple of steps, here 20"),
        ({"sweeps": 0}, r"sweeps is 0; it must be a positive integer"),
        ({"sweeps": 2**32, "steps": 1}, r"sweeps is 4294967296; it must be below 2³²"),
        ({"steps": -2}, r"steps is -2"),
        ({"replicas": 0}, r"replicas is 0"),
        ({"replicas": True}, r"replicas is True"),
        ({"schedule": "cubic"}, r"schedule is 'cubic'; it must be 'geometric' or 'linear'"),
        ({"t_end": 10.0}, r"t_start is 10.0 and t_end 10.0; .* t_start > t_end > 0"),
        ({"t_end": 0.0}, r"t_end 0.0"),
        ({"t_start": np.inf}, r"t_start is inf"),
        ({"key": -1}, r"key is -1"),
        ({"key": 2**128}, r"key is 340282366920938463463374607431768211456"),
        ({"key": (0, 2**64)}, r"key is \(0, 18446744073709551616\)"),
        ({"key": (1, 2, 3)}, r"key is \(1, 2, 3\)"),
        ({"U": np.zeros((2, 3))}, r"U has shape \(2, 3\); it must be \(N, N\)"),
        ({"U": np.zeros((0, 0)), "B": []}, r"U has shape \(0, 0\)"),
        ({"U": [[0, 1], [2, 0]]}, r"U differs from its transpose by 1"),
        ({"U": [[0, 1], [1, 3]]}, r"U\[1, 1\] is 3.0; the diagonal must be zero"),
        ({"U": [[0, np.nan], [np.nan, 0]]}, r"U has values that are not finite"),
        ({"B": [0, np.inf]}, r"B has values that are not finite"),
        ({"B": [1.0]}, r"B has shape \(1,\); with this U it must be \(2,\)"),
    ],
)
def test_refused(changed, message):
    arguments = {"U": [[0, 1.0], [1.0, 0]], "B": [0.0, 0.0], **SHORT, **changed}
    with pytest.raises(ValueError, match=message) as caught:
        freeze(arguments.pop("U"), arguments.pop("B"), **arguments)
    assert "\n" not in str(caught.value)


def test_scale_is_refused():
    with pytest.raises(ValueError, match="scale is -1"):
        temperatures(-1.0, steps=3, **SCHEDULE)


@pytest.mark.parametrize(
    ("kernel", "broken", "message"),
    [
        ("pair_energy", lambda *_: 1.0, "energy from the fields is .* from the pairs 1.0 eV"),
        ("quench", lambda *_: None, "the quench does not settle"),
        (
            "anneal",
            lambda *a: (a[-2].fill(1.0), a[-1].fill(0)),
            "let the energy drift .* times",
        ),
    ],
)
def test_a_wrong_result_is_not_handed_back(monkeypatch, kernel, broken, message):
    U, B = hamiltonian(100, seed=10)
    monkeypatch.setattr(kernels, kernel, broken)
    with pytest.raises(RuntimeError, match=message):
        freeze(U, B, **{**SHORT, "sweeps": 1, "steps": 1})


def test_a_bound_pair_is_turned_as_one():
    """Two spins bound by U = 10 in fields that want both turned: no single flip lowers E."""
    U, B = np.array([[0.0, -10.0], [-10.0, 0.0]]), np.array([1.0, 0.5])
    S = np.array([[1, 1]], np.int8)
    h = dense.local_fields(U, B, S)
    assert (S * h < 0).all()
    h = dense.quench(U, B, S)
    assert S.tolist() == [[-1, -1]]
    np.testing.assert_array_equal(h, dense.local_fields(U, B, S))


def test_no_pair_of_nearest_spins_can_lower_the_energy():
    rng = np.random.default_rng(5)
    U = rng.standard_cauchy((60, 60)) ** 3
    U = np.triu(U, 1) + np.triu(U, 1).T
    B = rng.standard_cauchy(60)
    S = rng.choice(np.array([-1, 1], np.int8), size=(3, 60))
    h = dense.quench(U, B, S)
    partner = np.abs(U).argmax(axis=1)
    i = np.arange(60)
    for spins, field in zip(S, h, strict=True):
        bond = 2 * U[i, partner] * spins * spins[partner]
        gain = spins * field + spins[partner] * field[partner] - bond
        assert (gain <= 1e-9 * np.abs(field)).all()
        assert (spins * field <= 0).all()


def test_pairs_that_would_turn_back_for_ever_are_ended(tmp_path):
    """In a small clamped box a pair gains by its near coupling what it loses by the rest."""
    parts = {
        "quad": {"share": 0.35, "species": "plaquette", "gamma": 0.8},
        "stick": {
            "share": 0.65,
            "species": "uniaxial",
            "axes": "110",
            "sublattice": "cation",
            "eta": 0.4,
        },
    }
    point = point_from(
        {
            "medium": {"density": 2.3, "c_l": 4.9, "c_t": 2.7},
            "lattice": {"type": "rock_salt", "constant": 6.1},
            "defects": {
                "concentration": 0.04,
                "number": 44,
                "stoichiometry": "exact",
                "mixture": parts,
            },
            "boundary": "clamped",
            "couplings": {"store": "implicit"},
            "freeze": {"sweeps": 120, "steps": 12, "replicas": 3},
        }
    )
    sample, couplings, frozen = (tmp_path / name for name in ("s.nc", "c.nc", "f.nc"))
    stages.sample(point, sample, first=15, count=1)
    stages.couplings(point, sample, couplings)
    stages.freeze(point, couplings, frozen)
    with dataset.stage_file(frozen, part(point, "freeze")) as reader:
        S, h, error = (reader.whole(name)[0] for name in ("S", "h", "field_error"))
    assert (S * h <= 0).all()
    assert error < 1e-6


@pytest.mark.parametrize("store", ["float64", "implicit"])
def test_defects_without_couplings_have_no_say(tmp_path, store):
    """Volume defects make fields, and have no S: what froze is what would have without them."""
    mixture = {
        "spins": {"share": 0.4, "species": "uniaxial"},
        "volumes": {"share": 0.6, "species": "uniaxial", "gamma": 0.0, "zeta": 0.0, "eta": -1.5},
    }
    point = point_from(
        {
            "realisations": 1,
            "defects": {"number": 120, "concentration": 0.05, "mixture": mixture},
            "couplings": {"store": store},
            "freeze": {"sweeps": 200, "steps": 20, "replicas": 3},
        }
    )
    files = [tmp_path / f"{name}.nc" for name in ("sample", "couplings", "frozen")]
    stages.sample(point, files[0])
    stages.couplings(point, *files[:2])
    stages.freeze(point, *files[1:])
    with dataset.stage_file(files[0], part(point, "sample")) as source:
        spins = source.whole("gamma")[0].any(axis=(1, 2))
    with dataset.stage_file(files[2], part(point, "freeze")) as source:
        names = ("S", "h", "B", "replica_S", "T", "acceptance", "overlap_abs", "U_sum")
        S, h, B, replica_S, T, acceptance, overlap, U_sum = (source.whole(n)[0] for n in names)
    assert 20 < spins.sum() < 100
    assert not h[~spins].any()
    assert not U_sum[~spins].any()
    assert (S[spins] * h[spins] < 0).all()
    assert 0 < np.mean(S[~spins] > 0) < 1
    assert set(np.unique(replica_S)) == {-1, 1}
    assert acceptance[:, -1].max() < 0.05 < 0.6 < acceptance[:, 0].min()
    agree = np.abs(np.mean(replica_S[0, spins] * replica_S[1, spins]))
    assert agree > 0.5
    assert overlap[-1] > 0.5
    if store == "float64":
        with dataset.stage_file(files[1], part(point, "couplings")) as source:
            upper, U = np.triu_indices(len(S), 1), np.zeros((len(S), len(S)))
            U[upper] = source.whole("U")[0]
        U = (U + U.T)[np.ix_(spins, spins)]
        assert T[0] == pytest.approx(10 * field_scale(U, B[spins], key=key_of(point)))


def key_of(point):
    seed = seed_sequence(point.model, "freeze", 0)
    return [int(word) for word in seed.generate_state(2, np.uint64)]

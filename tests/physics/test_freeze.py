"""The annealer against exact statistical mechanics and exact ground states."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import chisquare

from glasspipe.kernels import freeze as kernels
from glasspipe.spins import dense
from glasspipe.spins.annealing import freeze
from glasspipe.spins.tempering import temper

ANNEAL = {"schedule": "geometric", "t_start": 10.0, "t_end": 0.05}


def states(N):
    return np.array(list(product([-1, 1], repeat=N)), dtype=np.int8)


def energies(U, B, S):
    return 0.5 * np.einsum("ki,ij,kj->k", S, U, S, optimize=True) + S @ B


def dipoles(N, seed):
    """Return U ∝ (3cos²θ − 1)/R³ and random fields of N defects on 125 sites."""
    random = np.random.default_rng(seed)
    sites = np.stack(np.unravel_index(random.permutation(125)[:N], (5, 5, 5)), axis=-1)
    R = sites[:, None] - sites
    R2 = (R**2).sum(axis=-1) + np.eye(N)
    U = (3 * R[..., 2] ** 2 / R2 - 1) / R2**1.5
    np.fill_diagonal(U, 0)
    return U, 0.3 * random.normal(size=N)


@pytest.mark.parametrize("seed", range(50))
def test_finds_every_ground_state(seed):
    N = 2 + seed % 15
    U, B = dipoles(N, seed)
    frozen = freeze(U, B, key=seed, sweeps=400, steps=100, replicas=8, **ANNEAL)
    exact = energies(U, B, states(N))
    assert frozen.energy == pytest.approx(exact.min(), rel=1e-12)


@pytest.mark.parametrize("method", [freeze, temper])
def test_finds_the_ground_state_of_twenty_spins(method):
    """Of all 2²⁰ states, split into those of 10 spins and 10 others."""
    U, B = dipoles(20, 1)
    half = states(10).astype(float)
    one, other = (energies(U[n, n], B[n], half) for n in (slice(0, 10), slice(10, 20)))
    exact = one[:, None] + other + half @ U[:10, 10:] @ half.T
    frozen = method(U, B, key=1, sweeps=4000, steps=20, replicas=8, **ANNEAL)
    energy = frozen.energy if method is freeze else frozen.frozen.energy
    assert energy == pytest.approx(exact.min(), rel=1e-12)


def sampled_states(sites, U, B, T):
    """Return how often 20 000 independent chains of 3 spins on ``sites`` end in each state."""
    chains, sweeps = 20_000, 40
    every_U, fields = np.zeros((192, 192)), np.full((chains, 192), -np.inf)
    every_U[np.ix_(sites, sites)] = U
    fields[:, sites] = U.sum(axis=1) + B
    spins = dense.padded(np.ones((chains, 192), np.int8), fields)
    changes, flips = np.empty((chains, sweeps)), np.empty((chains, sweeps), np.int64)
    keys = np.random.default_rng(9).integers(0, 2**32, (chains, 4), dtype=np.uint64)
    kernels.anneal(dense.rows(every_U), *spins, np.full(sweeps, T), keys, 1, changes, flips)
    S, h = (array.reshape(chains, -1) for array in (spins[0], spins[1].swapaxes(0, 1)))
    np.testing.assert_allclose(h[:, sites], S[:, sites] @ U + B, atol=1e-4)
    return np.bincount((S[:, sites] > 0) @ [4, 2, 1], minlength=8)


@pytest.mark.parametrize("sites", [[3, 9, 40], [5, 80, 190]], ids=["one block", "three blocks"])
def test_samples_the_boltzmann_distribution(sites):
    """Immediate and delayed updates; a chain with twice or half of ΔE would not pass."""
    U = np.array([[0, 1.0, -0.7], [1.0, 0, 0.4], [-0.7, 0.4, 0]])
    B = np.array([0.3, -0.5, 0.2])
    T = 1.3
    counts = sampled_states(sites, U, B, T)
    E = energies(U, B, states(3))

    def p_value(factor):
        weights = np.exp(-factor * E / T)
        return chisquare(counts, counts.sum() * weights / weights.sum()).pvalue

    assert p_value(1.0) > 1e-3
    assert p_value(1.03) < 1e-3
    assert p_value(2.0) < 1e-100
    assert p_value(0.5) < 1e-100


def test_energy_and_specific_heat_in_equilibrium():
    """The trace of a slow anneal at its last step against the sum over states."""
    N = 12
    random = np.random.default_rng(4)
    U = np.triu(random.normal(size=(N, N)), 1)
    U, B = U + U.T, random.normal(size=N)
    frozen = freeze(
        U,
        B,
        key=3,
        sweeps=8000,
        steps=2,
        replicas=48,
        schedule="linear",
        t_start=1.2,
        t_end=1.0,
    )
    E = energies(U, B, states(N))
    p = np.exp(-E / frozen.T[1])
    p /= p.sum()
    mean, variance = p @ E, p @ (E - p @ E) ** 2
    for trace, exact in (
        (frozen.trace_energy[:, 1], mean),
        (frozen.trace_energy_variance[:, 1], variance),
    ):
        error = trace.std(ddof=1) / np.sqrt(len(trace))
        assert error < 0.01 * abs(exact)
        assert abs(trace.mean() - exact) < 4 * error


def crystal(L, images):
    """Return U_ij = (3cos²θ − 1)/R³ of a full simple cubic box of edge L and its images."""
    x = np.arange(L)
    n = np.arange(-images, images + 1) * L
    distance = x[:, None] + n
    X, Y, Z = np.broadcast_arrays(
        distance[:, None, None, :, None, None],
        distance[None, :, None, None, :, None],
        distance[None, None, :, None, None, :],
    )
    R2 = (X**2 + Y**2 + Z**2).astype(float)
    R2[R2 == 0] = np.inf
    kernel = ((3 * Z**2 / R2 - 1) / R2**1.5).sum(axis=(3, 4, 5))
    kernel[0, 0, 0] = 0
    sites = np.stack(np.meshgrid(x, x, x, indexing="ij"), axis=-1).reshape(-1, 3)
    difference = (sites[:, None] - sites) % L
    return sites, kernel, kernel[tuple(np.moveaxis(difference, -1, 0))]


def test_full_aligned_crystal_freezes_into_alternating_planes():
    """x = 1, γ = ẑẑ, c_l = c_t, η = 0: E/N = −4.84372 γ²/(4πρc²a³) in the infinite crystal."""
    sites, kernel, U = crystal(L=4, images=8)
    U = (U + U.T) / 2
    B = np.zeros(len(sites))
    frozen = freeze(U, B, key=1, sweeps=2000, steps=200, replicas=8, **ANNEAL)
    planes = (-1) ** sites[:, 2]
    planes_energy = 0.5 * planes @ U @ planes
    lowest = 0.5 * len(sites) * np.fft.fftn(kernel).real.min()
    assert planes_energy == pytest.approx(lowest, rel=1e-3)
    assert planes_energy / len(sites) == pytest.approx(-4.84372, rel=0.01)
    assert frozen.energy == pytest.approx(planes_energy, rel=1e-12)
    assert abs(frozen.S @ planes) == len(sites)

"""Annealing of dense couplings against dwave-samplers and openjij, on one thread.

    python -m venv VENV && VENV/bin/pip install -r benchmarks/requirements.lock
    PYTHONPATH=src VENV/bin/python benchmarks/freeze.py [--sizes 500 2000 8000]

Every code gets the same couplings and the same geometric schedule and runs sequential Metropolis.
Timed is the compiled loop alone; as that of dwave-samplers also converts the couplings, the time of
a run of one sweep is subtracted, for all. The codes take turns; what is printed is the median. At
equal CPU each code gets the number of sweeps that it does in the same time, and every final state
the same quench.

"U read / bandwidth": one row of U for each flip, over what one core reads from an array as large;
above 1, replicas share rows. "Frozen" is T = 0.1 median |h| alone, after the anneal, over a plain
scan: one random number of numpy and one comparison an attempt, one row read a flip.
"""

import argparse
import os
from time import process_time

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

import glasspipe.kernels  # noqa: F401 (before numba, whose vectors it widens)

# isort: split
import numpy as np
from dwave.samplers.sa.simulated_annealing import simulated_annealing
from numba import njit
from openjij import cxxjij

from glasspipe.defects.component import Component
from glasspipe.defects.lattice import Lattice, smallest_size
from glasspipe.defects.realisation import realise
from glasspipe.elastic.medium import PRESETS
from glasspipe.kernels import freeze as kernels
from glasspipe.spins import dense
from glasspipe.system.couplings import couplings
from glasspipe.system.system import System

T_START, T_END = 10.0, 0.1
CONCENTRATION = 0.05
REPLICAS = 64
# Sweeps of a timed run, and of openjij in the comparison at equal CPU.
SWEEPS = {500: 500, 2000: 100, 8000: 40}
CPU_SWEEPS = {500: 60, 2000: 60, 8000: 30}
SEEDS = {500: 64, 2000: 16, 8000: 6}


def hamiltonian(N):
    """Return U (N, N) and B of uniaxial ⟨111⟩ dipoles on fcc sites of KBr."""
    lattice = Lattice("fcc", 6.585, smallest_size("fcc", CONCENTRATION, N))
    components = (Component("uniaxial", "111", 1.0, 1.0, 1.0),)
    made = realise(np.random.default_rng(0), lattice, N, components)
    box, medium = np.full(3, lattice.edge), PRESETS["KBr"].medium
    found = couplings(System(made.position, made.defects.tensors, box, medium, "spherical"))
    U = np.zeros((N, N))
    U[np.triu_indices(N, 1)] = found.U
    return U + U.T, found.B


# ---- each code: its couplings once, then run(T, seed) -> (CPU seconds, spins (R, N))


def ours(U, B, replicas):
    def run(T, seed):
        keys = dense.replica_keys(seed, replicas)
        states = dense.Replicas.at_random(U, B, keys)
        states.refresh()
        energy = np.empty((replicas, len(T)))
        flips = np.empty(energy.shape, np.int64)
        start = process_time()
        kernels.anneal(states.couplings, states.spins, states.fields, T, keys, 1, energy, flips)
        return process_time() - start, states.S

    return run


def dwave_samplers(U, B):
    i, j = (index.astype(np.intc) for index in np.triu_indices(len(B), 1))
    couplings = U[i, j]

    def run(T, seed):
        S = np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), (1, len(B)))
        start = process_time()
        S, _ = simulated_annealing(
            1, B, i, j, couplings, 1, 1 / T, seed, S, False, "Metropolis", None
        )
        return process_time() - start, S

    return run


def openjij_dense(U, B):
    N = len(B)
    matrix = np.zeros((N + 1, N + 1))
    matrix[:N, :N] = U
    matrix[N, :N] = matrix[:N, N] = B
    matrix[N, N] = 1
    graph = cxxjij.graph.Dense(N)
    graph.set_interaction_matrix(matrix)

    def run(T, seed):
        S = np.random.default_rng(seed).choice([-1, 1], N)
        system = cxxjij.system.make_classical_ising(S.tolist(), graph)
        schedule = [(1 / t, 1) for t in T]
        start = process_time()
        cxxjij.algorithm.Algorithm_SingleSpinFlip_run(system, seed, schedule)
        return process_time() - start, np.array(system.spin)[None, :N].astype(np.int8)

    return run


# ---- measurements


def rate(run, T, seed):
    """Return attempted flips a second: a run less a run of one sweep."""
    one, _ = run(T[:1], seed)
    all_, S = run(T, seed)
    return S.size * (len(T) - 1) / (all_ - one)


def equal_cpu(run, U, B, scale, sweeps, seeds):
    """Return mean and error of E/(N · field scale) after ``sweeps`` sweeps and a quench."""
    T = scale * np.geomspace(T_START, T_END, sweeps)
    S = np.concatenate([run(T, seed)[1] for seed in range(seeds)])
    energy = dense.energies(B, S, dense.quench(U, B, S)) / (len(B) * scale)
    return energy.mean(), energy.std() / np.sqrt(len(energy) - 1)


@njit(fastmath=True)
def _read(array):
    total = np.float32(0)
    for i in range(len(array)):
        total += array[i]
    return total


def bandwidth(N):
    """Return bytes a second at which one core reads float32 couplings."""
    array = np.ones(N * N, np.float32)
    repeats = 1 + 10**8 // array.nbytes
    _read(array)
    seconds = []
    for _ in range(5):
        start = process_time()
        for _ in range(repeats):
            _read(array)
        seconds.append(process_time() - start)
    return repeats * array.nbytes / np.median(seconds)


def acceptance(U, B, T):
    """Return the accepted share of the flips of every sweep."""
    keys = dense.replica_keys(1, 1)
    states = dense.Replicas.at_random(U, B, keys)
    states.refresh()
    energy, flips = np.empty((1, len(T))), np.empty((1, len(T)), np.int64)
    kernels.anneal(states.couplings, states.spins, states.fields, T, keys, 1, energy, flips)
    return flips[0] / len(B)


@njit
def _compare(S, h, u):
    found = 0
    for i in range(len(S)):
        found += np.int32(S[i] * h[i] >= u[i])
    return found


def scan_rate(N, accepted, read):
    """Return attempts a second of a scan: draw a number, compare, read a row for each flip."""
    S, h = np.ones(N, np.float32), np.full(N, -1, np.float32)
    u, random = np.empty(N, np.float32), np.random.Generator(np.random.SFC64(0))
    _compare(S, h, u)
    start = process_time()
    for _ in range(1 + 10**7 // N):
        random.random(out=u, dtype=np.float32)
        _compare(S, h, u)
    each = (process_time() - start) / ((1 + 10**7 // N) * N)
    return 1 / (each + accepted * 4 * N / read)


def measure(N, repeats):
    """Print the rows of one size; return attempts a second of glasspipe, in all and frozen."""
    U, B = hamiltonian(N)
    scale = dense.typical_field(U, B, 0)
    T = scale * np.geomspace(T_START, T_END, SWEEPS[N])
    codes = {
        "glasspipe, 1 replica": ours(U, B, 1),
        f"glasspipe, {REPLICAS} replicas": ours(U, B, REPLICAS),
        "dwave-samplers": dwave_samplers(U, B),
        "openjij, dense": openjij_dense(U, B),
    }
    for run in codes.values():
        run(T[:2], 0)
    rates = np.array([[rate(run, T, s) for run in codes.values()] for s in range(repeats)])
    median = np.median(rates, axis=0)
    ratios = np.median(rates[:, :, None] / rates[:, None, -2:], axis=0)
    cold = np.concatenate([T, np.full(SWEEPS[N], T_END * scale)])
    accepted, read = acceptance(U, B, cold), bandwidth(N)
    traffic = 4 * N * accepted[1 : len(T)].mean() / read
    for (name, run), r, (dwave, openjij) in zip(codes.items(), median, ratios, strict=True):
        sweeps = max(2, round(CPU_SWEEPS[N] * r / median[-1]))
        seeds = 2 if f"{REPLICAS}" in name else SEEDS[N]
        energy, error = equal_cpu(run, U, B, scale, sweeps, seeds)
        print(
            f"| {N} | {name} | {r / 1e6:.2f} | {dwave:.1f} | {openjij:.1f} | {r * traffic:.2f} "
            f"| {sweeps} | {energy:.4f} ± {error:.4f} |",
            flush=True,
        )
    scan = scan_rate(N, accepted[len(T) :].mean(), read)
    return median[:2], [frozen_rate(U, B, r, T, cold) for r in (1, REPLICAS)], scan


def frozen_rate(U, B, replicas, T, cold):
    """Return attempts a second at ``T_END`` alone, after the anneal ``T``."""
    run = ours(U, B, replicas)
    seconds = np.median([run(cold, s)[0] - run(T, s)[0] for s in range(5)])
    return replicas * len(B) * (len(cold) - len(T)) / seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="*", choices=SWEEPS, default=list(SWEEPS))
    parser.add_argument("--repeats", type=int, default=5, help="timed runs of each code")
    options = parser.parse_args()
    sizes = options.sizes
    print(f"T from {T_START} to {T_END} median |h|, x = {CONCENTRATION}, one thread")
    print(
        "| N | code | 10⁶ attempts/s | / dwave-samplers | / openjij | U read / bandwidth "
        "| sweeps, equal CPU | E/(N median h) |\n|---|---|---|---|---|---|---|---|"
    )
    results = [measure(N, options.repeats) for N in sizes]
    for k, name in enumerate(["1 replica", f"{REPLICAS} replicas"]):
        rates = np.array([result[0][k] for result in results])
        exponent = np.polyfit(np.log(sizes), np.log(1 / rates), 1)[0]
        frozen = ", ".join(
            f"{rate[k] / 1e6:.0f} ({rate[k] / scan:.1f})" for _, rate, scan in results
        )
        print(
            f"{name}: cost of an attempt ∝ N^{exponent:.2f}; "
            f"frozen {frozen} × 10⁶ attempts/s (over a plain scan)"
        )


if __name__ == "__main__":
    main()

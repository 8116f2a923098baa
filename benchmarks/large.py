"""Annealing with couplings that are not stored: time, errors and memory from 10⁴ to 10⁷ defects.

    python benchmarks/large.py [--sizes 100000 1000000] [--made] [--direct 100000] [--dense 10000]
        [--fields 10000 100000]

The case of `benchmarks/freeze.py`: uniaxial ⟨111⟩ dipoles on a fraction of 0.05 of a simple cubic
lattice, c_l = 1.8 c_t, T falling geometrically from 10 to 0.1 median |h|, a temperature a sweep.
``--direct`` anneals that many defects with whole rows of couplings computed at each flip (nearest
images), ``--dense`` with a stored U; both states get the quench of the first and are compared in
the same Hamiltonian. ``--fields`` times B, b and J of that many defects and prints their errors
against direct sums. With ``--made`` near couplings are not listed, as they are not where a list
would be too long. Of several sizes the exponents in N are fitted. One process, one thread; seconds
are of CPU, and the memory is the most that the process has had until then.
"""

import argparse
import os
import resource

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

from dataclasses import replace
from time import process_time

import numpy as np
from numba import njit

from glasspipe.defects.tensors import Tensors
from glasspipe.elastic.kelvin import isotropic_coefficients
from glasspipe.elastic.medium import PRESETS, Medium
from glasspipe.spins import annealing as freeze
from glasspipe.spins import chain, dense, nearfar
from glasspipe.system.couplings import couplings
from glasspipe.system.implicit import LARGEST_LIST, implicit, random_fields
from glasspipe.system.implicit_fields import implicit_fields
from glasspipe.system.system import System
from glasspipe.units import MODULUS

CONCENTRATION, T_START, T_END = 0.05, 10.0, 0.1
AXES = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)
MEDIA = {"isotropic": Medium(1 / MODULUS, 1.8, 1.0), "KBr_cubic": PRESETS["KBr_cubic"].medium}


class Case:
    """Defects, their Hamiltonian, and what it took to make it."""

    def __init__(self, N, medium, largest_list=LARGEST_LIST):
        random = np.random.default_rng(0)
        L = round((N / CONCENTRATION) ** (1 / 3))
        sites = np.stack(np.unravel_index(random.permutation(L**3)[:N], (L, L, L)), axis=-1)
        d = AXES[random.integers(0, 4, N)]
        self.position, self.gamma = sites.astype(float), np.einsum("ia,ib->iab", d, d)
        tensors = Tensors(self.gamma, np.ones(N), np.zeros((N, 3, 3, 3)))
        self.system = System(self.position, tensors, np.full(3, float(L)), medium, "spherical")
        start = process_time()
        B, _ = random_fields(self.system)
        middle = process_time()
        self.hamiltonian = implicit(self.system, B, largest_list=largest_list)
        self.seconds = {"B": middle - start, "near couplings": process_time() - middle}

    def anneal(self, sweeps, seed):
        """Return spins, seconds and flips of an anneal, and its temperatures."""
        H, keys = self.hamiltonian, dense.replica_keys(seed, 1)
        S = dense.spins_of_scale(seed, len(H.B))[0, H.order]
        h = H.fields(S, H.fine)
        T = np.median(np.abs(h)) * np.geomspace(T_START, T_END, sweeps)
        self.coarse, self.error = nearfar.coarse_sums(H, S, h)
        start = process_time()
        replica = chain.Chain(chain.constants_of(H, self.coarse, T[0] / T_START), keys, H)
        flips = sum(replica.sweep_at(t)[1] for t in T)
        self.lag = replica.lag
        return replica.S.astype(np.int8), process_time() - start, flips, T

    def energy(self, S):
        """Quench and return E/(N · median |h| of random spins); count the seconds."""
        start = process_time()
        (S, h), _ = nearfar.settled(self.hamiltonian, S[None])
        self.quench = process_time() - start
        return dense.energies(self.hamiltonian.B, S, h)[0] / len(h[0])


ONE, TWO, THREE, FOUR, FIFTEEN = (np.float32(n) for n in (1, 2, 3, 4, 15))


@njit(fastmath=True)
def add_row(place, gamma, trace, i, box, A, C, factor, h):
    """Add ``factor`` times the nearest-image couplings of defect i, eq. (16), to h."""
    xx, yy, zz, yz, xz, xy = (
        gamma[0, i], gamma[1, i], gamma[2, i], gamma[3, i], gamma[4, i], gamma[5, i],
    )  # fmt: skip
    edge_x, edge_y, edge_z = box[0], box[1], box[2]
    own = h[i]
    for j in range(len(h)):
        x, y, z = place[0, i] - place[0, j], place[1, i] - place[1, j], place[2, i] - place[2, j]
        x -= edge_x * np.rint(x / edge_x)
        y -= edge_y * np.rint(y / edge_y)
        z -= edge_z * np.rint(z / edge_z)
        square = x * x + y * y + z * z
        inverse = ONE / (square if square > 0 else ONE)
        cube = inverse * np.sqrt(inverse)
        g1, g2, g3 = -cube, THREE * cube * inverse, -FIFTEEN * cube * inverse * inverse
        XX, YY, ZZ, YZ, XZ, XY = (
            gamma[0, j], gamma[1, j], gamma[2, j], gamma[3, j], gamma[4, j], gamma[5, j],
        )  # fmt: skip
        vx, vy, vz = xx * x + xy * y + xz * z, xy * x + yy * y + yz * z, xz * x + yz * y + zz * z
        wx, wy, wz = XX * x + XY * y + XZ * z, XY * x + YY * y + YZ * z, XZ * x + YZ * y + ZZ * z
        both = xx * XX + yy * YY + zz * ZZ + TWO * (yz * YZ + xz * XZ + xy * XY)
        vw = vx * wx + vy * wy + vz * wz
        v, w = vx * x + vy * y + vz * z, wx * x + wy * y + wz * z
        s, t = trace[i], trace[j]
        rank4 = g1 * (s * t + TWO * both) + g2 * (s * w + t * v + FOUR * vw) + g3 * v * w
        h[j] += factor * (A * rank4 + C * (g1 * both + g2 * vw))
    h[i] = own


@njit
def direct_rows(place, gamma, trace, box, A, C, S, h, T, random):
    """Metropolis with rows of nearest-image couplings; return the flips."""
    flips = 0
    for sweep in range(len(T)):
        for i in range(len(S)):
            if 2.0 * S[i] * h[i] < T[sweep] * np.log(random.random()):
                continue
            flips += 1
            S[i] = -S[i]
            add_row(place, gamma, trace, i, box, A, C, TWO * S[i], h)
    return flips


def on_tau(N, medium):
    """Print the row of the fields of one size: seconds, and the errors found."""
    case, random = Case(N, medium), np.random.default_rng(1)
    d = np.linalg.eigh(case.gamma)[1][:, :, 2]
    tensors = Tensors(case.gamma, np.ones(N), np.einsum("ia,ib,ic->iabc", d, d, d))
    system, signs = replace(case.system, tensors=tensors), random.choice((-1.0, 1.0), (2, N))
    start = process_time()
    _, of_B = random_fields(system)
    middle = process_time()
    _, errors = implicit_fields(system, *signs)
    end = process_time()
    found = (of_B, *vars(errors).values())
    print(
        f"| {N} | {middle - start:.1f} | {end - middle:.1f} | "
        + " | ".join(f"{error:.1e}" for error in found)
        + " |",
        flush=True,
    )


def large(N, sweeps, medium, name, replicas, largest_list=LARGEST_LIST):
    """Print the row of one size; return the case and its mean energy."""
    case = Case(N, medium, largest_list)
    found = [case.anneal(sweeps, seed) for seed in range(replicas)]
    _, seconds, flips, T = found[0]
    unit = T[0] / T_START
    energies = [case.energy(S) / unit for S, *_ in found]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"| {name} | {N} | {sweeps} | {case.seconds['B']:.1f} "
        f"| {case.seconds['near couplings']:.1f} | {seconds:.1f} "
        f"| {seconds / flips * 1e6:.2f} | {seconds / (N * sweeps) * 1e6:.2f} | {case.quench:.1f} "
        f"| {case.error:.2%} | {case.lag:.2f} | {np.mean(energies):.5f} | {memory:.1f} |",
        flush=True,
    )
    case.times = {"N": N, **case.seconds, "anneal": seconds, "quench": case.quench}
    return case, energies, unit


def exponents(times):
    """Print how the seconds of several sizes grow with N."""
    rows = {name: np.array([each[name] for each in times]) for name in times[0]}
    logarithm = np.log(rows.pop("N"))
    rows["all"] = sum(rows.values())
    found = [f"{name} {np.polyfit(logarithm, np.log(t), 1)[0]:.2f}" for name, t in rows.items()]
    print(f"exponents in N: {', '.join(found)}", flush=True)


def compare(label, ours, theirs, seconds, flips):
    difference = np.mean(ours) / np.mean(theirs) - 1
    error = np.hypot(np.std(ours), np.std(theirs)) / np.sqrt(max(len(ours) - 1, 1))
    print(
        f"{label}: {seconds:.1f} s, {seconds / flips * 1e6:.2f} µs a flip, "
        f"E/(N median h) = {np.mean(theirs):.5f}; near/far is {difference:+.3%} of it"
        + (f" ± {error / abs(np.mean(theirs)):.3%}" if len(ours) > 1 else ""),
        flush=True,
    )


def against_direct(N, sweeps):
    case, ours, unit = large(N, sweeps, MEDIA["isotropic"], "isotropic", 1)
    H = case.hamiltonian
    T = unit * np.geomspace(T_START, T_END, sweeps)
    S = chain.random_state(H, dense.replica_keys(0, 1)).astype(np.float32)
    h, random = H.fields(S, H.fine), np.random.default_rng(0)
    medium = isotropic_coefficients(H.split.medium)
    about = H.position.T, H.gamma.reshape(-1, 9).T[[0, 4, 8, 5, 2, 1]], np.trace(H.gamma.T)
    about = [np.ascontiguousarray(a, np.float32) for a in (*about, H.split.edges)]
    about += [np.float32(value) for value in medium]
    h = h.astype(np.float32)
    direct_rows(*about, S.copy(), h.copy(), T[:0], random)
    start = process_time()
    flips = direct_rows(*about, S, h, T, random)
    seconds = process_time() - start
    compare(f"direct rows, N = {N}", ours, [case.energy(S.astype(np.int8)) / unit], seconds, flips)


def against_dense(N, sweeps, replicas):
    case, ours, unit = large(N, sweeps, MEDIA["isotropic"], "isotropic", replicas)
    made, U = couplings(case.system), np.zeros((N, N))
    U[np.triu_indices(N, 1)] = made.U
    U += U.T
    T = unit * np.geomspace(T_START, T_END, sweeps)
    start = process_time()
    S, _, accepted, _ = freeze._anneal(U, made.B, dense.replica_keys(0, replicas), T)
    seconds = process_time() - start
    theirs = [case.energy(row[case.hamiltonian.order]) / unit for row in S]
    compare(f"stored U, N = {N}", ours, theirs, seconds, accepted.sum())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--sweeps", type=int, default=60)
    parser.add_argument("--medium", choices=MEDIA, default="isotropic")
    parser.add_argument("--made", action="store_true", help="no list of near couplings")
    parser.add_argument("--fields", type=int, nargs="*", help="time B, b and J of that many")
    parser.add_argument("--direct", type=int, help="compare with direct rows: minutes at 100000")
    parser.add_argument("--dense", type=int, help="compare with a stored U: 4 GB at 10000")
    parser.add_argument("--replicas", type=int, default=8, help="anneals of that comparison")
    options = parser.parse_args()
    print(
        "| medium | N | sweeps | B, s | near couplings, s | anneal, s | µs a flip "
        "| µs an attempt | quench, s | field error | staleness / T | E/(N median h) | peak GB |\n"
        + "|---" * 13
        + "|"
    )
    large(2000, 2, MEDIA[options.medium], "(compiles)", 1)
    if options.fields:
        print(
            "| N | B, s | b and J, s | error of B | of b_gamma | of b_eta | of J_tau | of J_abs |"
        )
        print("|---" * 8 + "|")
        for N in (2000, *options.fields):
            on_tau(N, MEDIA[options.medium])
    largest = 0.0 if options.made else LARGEST_LIST
    times = []
    for N in options.sizes:
        name = options.medium
        case, _, _ = large(N, options.sweeps, MEDIA[name], name, 1, largest)
        times.append(case.times)
        del case
    if len(times) > 1:
        exponents(times)
    if options.direct:
        against_direct(options.direct, options.sweeps)
    if options.dense:
        against_dense(options.dense, options.sweeps, options.replicas)


if __name__ == "__main__":
    main()

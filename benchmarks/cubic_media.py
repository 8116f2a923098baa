"""What a pair costs in a cubic crystal, and why a window.

python benchmarks/cubic_media.py
"""

import os

for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_variable] = "1"

from math import factorial
from time import process_time

import numpy as np

from glasspipe.defects.tensors import Tensors
from glasspipe.elastic.christoffel import christoffel_inverse
from glasspipe.elastic.greens import green_derivatives
from glasspipe.elastic.medium import PRESETS
from glasspipe.elastic.quadrature import sphere
from glasspipe.system.couplings import couplings
from glasspipe.system.fields import fields
from glasspipe.system.system import System

AXES = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)


def screening(reach: float = 8.0) -> None:
    """Print near over bare ∂∂G at αR = ``reach`` in KBr, screened by F_m = e^(−s) Σ_k≤m s^k/k!."""
    medium = PRESETS["KBr_cubic"].medium
    n, weight = sphere(160)
    tensor = np.einsum("q,qac,qb,qd->qacbd", weight, christoffel_inverse(n, medium), n, n)
    x, step = np.polynomial.legendre.leggauss(600)
    x, step = 4 * (1 + x), 4 * step  # q/2α
    for m in (0, 1, 8, 12):
        F = np.exp(-x * x) * sum(x ** (2 * k) / factorial(k) for k in range(m + 1))
        left = []
        for axis in np.array([[0, 0, 1], [0, 1, 1], [1, 1, 1], [1, 2, 3]]):
            R = reach * axis / np.linalg.norm(axis)
            radial = 8 * np.cos(2 * (n @ R)[:, None] * x) @ (step * x * x * F)
            far = -np.tensordot(radial, tensor, axes=1) / (2 * np.pi) ** 3
            bare = green_derivatives(R, 2, medium)
            left.append(np.abs(bare - far).max() / np.abs(bare).max())
        print(f"m = {m}: 001, 011, 111, 123:", *(f"{value:.1e}" for value in left))


def cost(number: int = 500) -> None:
    """Print the CPU time of a pair."""
    rng = np.random.default_rng(0)
    edge = 24 * 6.585
    position, d = rng.random((number, 3)) * edge, AXES[rng.integers(4, size=number)]
    gamma, zeta = np.einsum("na,nb->nab", d, d), np.einsum("na,nb,nc->nabc", d, d, d)
    eta, S = np.ones(number), rng.choice([-1, 1], number)
    for name in ("KBr", "KBr_cubic"):
        medium, tensors = PRESETS[name].medium, Tensors(gamma, eta, zeta)
        system = System(position, tensors, np.full(3, edge), medium, "spherical")
        for stage in ("couplings", "fields"):
            times = []
            for _ in range(4):
                start = process_time()
                if stage == "couplings":
                    couplings(system)
                else:
                    fields(system, S, S)
                times.append((process_time() - start) / (number * (number - 1) / 2) * 1e6)
            print(f"{name} {stage}: {min(times[1:]):.2f} µs a pair, first {times[0]:.2f}")


if __name__ == "__main__":
    screening()
    cost()

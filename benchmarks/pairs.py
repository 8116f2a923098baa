"""Pair sums: cost of a pair, against the plain route and against the machine, and its growth.

    python benchmarks/pairs.py

One process, one thread; every ratio is of medians taken in turn in this run. The plain route
contracts the full derivative tensor of the same Ewald sum in numpy.
"""

import os

for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_variable] = "1"

from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np

from glasspipe.defects.lattice import Lattice
from glasspipe.defects.species import unit_kinds
from glasspipe.elastic import reciprocal
from glasspipe.elastic.greens import Ewald, periodic_green_derivatives, response
from glasspipe.elastic.medium import PRESETS
from glasspipe.system.couplings import couplings
from glasspipe.system.fields import fields
from glasspipe.system.spin_tau import spin_tau_couplings
from glasspipe.system.system import System

MEDIUM = PRESETS["KBr"].medium
LATTICE = Lattice("fcc", 6.585, 50)
BOX = np.full(3, LATTICE.edge)
RUNS = 5


class Defects:
    """Uniaxial ⟨111⟩ defects at random sites."""

    def __init__(self, number: int) -> None:
        rng = np.random.default_rng(number)
        site = LATTICE.site(rng.choice(LATTICE.sites, number, replace=False))
        self.position = site * LATTICE.spacing
        kinds = unit_kinds("uniaxial", "111")
        self.tensors = kinds[rng.integers(len(kinds), size=number)]
        self.system = System(self.position, self.tensors, BOX, MEDIUM, "spherical")
        self.S, self.tau = rng.choice((-1, 1), size=(2, number))
        self.pairs = number * (number - 1) // 2

    def couplings(self) -> None:
        """U and B of the realisation."""
        couplings(self.system)

    def fields(self) -> None:
        """Random fields b and couplings J of the realisation."""
        fields(self.system, self.S, self.tau)

    def spin_tau(self) -> None:
        """Couplings U^Sτ of the realisation."""
        spin_tau_couplings(self.system)

    def plain(self, order: int) -> None:
        """The derivative tensor of every pair, contracted."""
        i, j = np.triu_indices(len(self.position), 1)
        R = self.position[i] - self.position[j]
        G = periodic_green_derivatives(R, order, MEDIUM, BOX, boundary="spherical")
        if order == 2:
            gamma = self.tensors.gamma
            np.einsum("pab,pcd,pacbd->p", gamma[i], gamma[j], G, optimize=True)
        else:
            zeta = self.tensors.zeta
            np.einsum("pabd,pcef,pacbdef->p", zeta[i], zeta[j], G, optimize=True)


def interleaved(*commands: Callable[[], None]) -> list[float]:
    """Median seconds of each command, run in turn."""
    for command in commands:
        command()
    times: list[list[float]] = [[] for _ in commands]
    for _ in range(RUNS):
        for command, found in zip(commands, times, strict=True):
            start = perf_counter()
            command()
            found.append(perf_counter() - start)
    return [median(found) for found in times]


def exponent(numbers: list[int], seconds: list[float]) -> float:
    """Slope of log seconds against log N."""
    return float(np.polyfit(np.log(numbers), np.log(seconds), 1)[0])


def main() -> None:
    """Print the tables."""
    small = Defects(60)
    plain_U, plain_J, fast_U, fast_J = interleaved(
        lambda: small.plain(2), lambda: small.plain(4), small.couplings, small.fields
    )
    print("against the plain route (N = 60)")
    print(f"  U, B     {plain_U / fast_U:8.1f} x faster")
    print(f"  b, J     {plain_J / fast_J:8.1f} x faster")

    numbers = [250, 500, 1000, 2000]
    systems = [Defects(number) for number in numbers]
    U = interleaved(*(system.couplings for system in systems))
    J = interleaved(*(system.fields for system in systems))
    print("growth with N")
    print("      N   U, B: µs a pair   b, J: µs a pair")
    for system, number, u, j in zip(systems, numbers, U, J, strict=True):
        print(f"  {number:5d} {u / system.pairs * 1e6:15.2f} {j / system.pairs * 1e6:17.2f}")
    print(f"  exponent {exponent(numbers, U):12.2f} {exponent(numbers, J):17.2f}")

    far_against_machine(systems[2])


def far_against_machine(system: Defects) -> None:
    """Rate of the far part's products over that of one large matrix product."""
    ewald = Ewald.balanced(MEDIUM, BOX, response(MEDIUM).sharpness_2)
    waves, dipoles = reciprocal.Waves(system.position, ewald), system.tensors.gamma.reshape(-1, 9)
    number, total = len(system.position), np.zeros((len(system.position),) * 2)
    made = [
        reciprocal.columns(waves.unit(block), block, dipoles @ block.dipole_weights())
        for block in reciprocal.blocks(ewald)
    ]
    width = sum(columns.shape[1] * columns.shape[2] for columns in made)
    one, two = np.random.default_rng(0).random((2, number, 2 * number))

    def products() -> None:
        for columns in made:
            reciprocal.add_products(columns, 1.0, total)

    symmetric, general = interleaved(products, lambda: one @ two.T)
    rate, limit = number**2 * width / symmetric, 4 * number**3 / general
    print("far part, symmetric products")
    print(
        f"  {rate / limit:.2f} of the rate of a general matrix product, {limit / 1e9:.0f} Gflop/s"
    )


if __name__ == "__main__":
    main()

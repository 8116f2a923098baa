"""What B, b^γ and b^η cost: with a stored U, without, as plain numpy, and the transforms alone.

    python benchmarks/fields.py [--sizes 1000 10000 100000 1000000] [--medium KBr]
        [--concentration 0.1] [--pairs 4000] [--threads 2]

Uniaxial ⟨111⟩ dipoles at random fcc sites. ``stored`` sums over all pairs (U and B; b, and J
besides), ``without`` over near defects and a mesh, checked by direct sums (B; b, and Σ J τ
besides), ``numpy`` is what one would write in an hour: the formulas of an isotropic medium,
nearest images, rows in blocks. The first and the last are timed up to ``--pairs`` defects.
``transforms`` are those of the meshes that ``without`` uses, three components forth and back for
each field. One process, one thread; seconds of CPU; an exponent is that of N. Last, how many times
as fast ``without`` is by the clock with ``--threads``, the best of runs that take turns.
"""

import argparse
import os

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

from collections.abc import Callable
from math import pi
from time import perf_counter, process_time

import numpy as np
import scipy.fft

from glasspipe.defects.lattice import Lattice
from glasspipe.defects.species import unit_kinds
from glasspipe.elastic.greens import response
from glasspipe.elastic.medium import PRESETS, Medium
from glasspipe.system.couplings import couplings
from glasspipe.system.fields import fields
from glasspipe.system.implicit import ACCURACY, NEIGHBOURS, make_split, mesh_of, random_fields
from glasspipe.system.implicit_fields import implicit_fields
from glasspipe.system.system import System
from glasspipe.threads import threads

ROWS, TURNS = 40, 3
WAYS = ("stored", "without", "numpy", "transforms")


class Case:
    """Defects, and B and b of them in every way."""

    def __init__(self, number: int, options: argparse.Namespace) -> None:
        random = np.random.default_rng(number)
        lattice = Lattice("fcc", 6.585, round((number / options.concentration / 4) ** (1 / 3)))
        site = lattice.site(random.choice(lattice.sites, number, replace=False))
        kinds, medium = unit_kinds("uniaxial", "111"), PRESETS[options.medium].medium
        tensors, box = kinds[random.integers(len(kinds), size=number)], np.full(3, lattice.edge)
        self.system = System(site * lattice.spacing, tensors, box, medium, "spherical")
        self.S, self.tau = random.choice((-1.0, 1.0), size=(2, number))

    def ways(self, options: argparse.Namespace) -> dict[str, tuple[Callable, Callable]]:
        """What makes B and what makes b, by the way."""
        system, signs = self.system, (self.S, self.tau)
        found: dict[str, tuple[Callable, Callable]] = {
            "without": (lambda: random_fields(system), lambda: implicit_fields(system, *signs)),
            "transforms": (lambda: self.transforms(2, 1), lambda: self.transforms(3, 3)),
        }
        if len(system) <= options.pairs:
            found["stored"] = lambda: couplings(system), lambda: fields(system, *signs)
            if isinstance(system.medium, Medium):
                found["numpy"] = self.plain_B, self.plain_b
        return found

    def transforms(self, order: int, number: int) -> None:
        """Transforms of ``number`` fields on their mesh, forth and back."""
        resolution = response(self.system.medium).resolution(order, ACCURACY / 4)
        split = make_split(self.system, NEIGHBOURS, resolution)
        mesh = np.random.default_rng(0).random(mesh_of(split, "spherical", resolution).shape)
        for _ in range(3 * number):
            scipy.fft.irfftn(scipy.fft.rfftn(mesh), mesh.shape, overwrite_x=True)

    def blocks(self):
        """Rows i, and r_i − r_j and R of the nearest images, infinite where j = i."""
        position, box = self.system.position, self.system.box
        for first in range(0, len(position), ROWS):
            i = np.arange(first, min(first + ROWS, len(position)))
            x = position[i, None] - position
            x -= box * np.round(x / box)
            R = np.linalg.norm(x, axis=2)
            R[i - first, i] = np.inf
            yield i, x, R

    def plain_B(self) -> np.ndarray:
        """Eq. (29): B_i = Σ_j η_j γ_i^αβ (3 n_α n_β − δ_αβ)/(4πρc_l²R³)."""
        gamma, eta = self.system.tensors.gamma, self.system.tensors.eta
        trace, B = np.trace(gamma, axis1=1, axis2=2), np.empty(len(eta))
        for i, x, R in self.blocks():
            along = np.einsum("ija,iab,ijb->ij", x, gamma[i], x, optimize=True)
            B[i] = ((3 * along / R**5) - trace[i, None] / R**3) @ eta
        return B / (4 * pi * self.system.medium.longitudinal_modulus)

    def plain_b(self) -> np.ndarray:
        """Eqs. (60), (68) of ζ symmetric in all indices, (2, N)."""
        tensors, medium = self.system.tensors, self.system.medium
        long, trans = medium.longitudinal_modulus, medium.transverse_modulus
        A, C = (1 / long - 1 / trans) / (8 * pi), 1 / (4 * pi * trans)
        gamma, b = tensors.gamma * self.S[:, None, None], np.empty((2, len(self.S)))
        trace = np.trace(gamma, axis1=1, axis2=2)
        for i, x, R in self.blocks():
            zeta = tensors.zeta[i]
            s = np.einsum("iabb->ia", zeta)
            M = np.einsum("iabc,ijc->ijab", zeta, x)
            p = np.einsum("ijab,ijb->ija", M, x)
            w, sx = np.einsum("ija,ija->ij", p, x), np.einsum("ia,ija->ij", s, x)
            v = np.einsum("jab,ijb->ija", gamma, x)
            q = np.einsum("ija,ija->ij", v, x)
            gM, vs = np.einsum("jab,ijab->ij", gamma, M), np.einsum("ija,ia->ij", v, s)
            vp = np.einsum("ija,ija->ij", v, p)
            g2, g3, g4 = 3 / R**5, -15 / R**7, 105 / R**9
            of_R = g2 * (3 * trace * sx + 6 * vs + 6 * gM) + g4 * q * w
            of_R += g3 * (trace * w + 6 * vp + 3 * q * sx)
            b[0, i] = (A * of_R + C * (g2 * (2 * gM + vs) + g3 * vp)).sum(axis=1)
            b[1, i] = (3 * g2 * sx + g3 * w) @ tensors.eta / (4 * pi * long)
        return b


def seconds(command: Callable) -> float:
    start = process_time()
    command()
    return process_time() - start


def gain(command: Callable, number: int) -> float:
    """How many times as fast a command is with so many threads."""
    best = {1: float("inf"), number: float("inf")}
    for each in [1, number] * TURNS:
        with threads(each):
            start = perf_counter()
            command()
            best[each] = min(best[each], perf_counter() - start)
    return best[1] / best[number]


def exponent(measured: dict[int, float]) -> str:
    """Slope of log seconds against log N."""
    if len(measured) < 2:
        return ""
    return f"{np.polyfit(np.log(list(measured)), np.log(list(measured.values())), 1)[0]:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="*", default=[1000, 4000, 10_000, 100_000])
    parser.add_argument("--medium", choices=("KBr", "KBr_cubic"), default="KBr")
    parser.add_argument("--concentration", type=float, default=0.1)
    parser.add_argument("--pairs", type=int, default=4000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    for command in (*Case(200, options).ways(options).values(),):  # compiles
        [each() for each in command]
    names = [f"{field}, {way}" for field in ("B", "b") for way in WAYS]
    ratios = ("B: without/transforms", "b: the same")
    gains = [f"{field}: gain of {options.threads} threads" for field in "Bb"]
    print("| N | " + " | ".join((*names, *ratios, *gains)) + " |")
    print("|---" * (len(names) + len(ratios) + len(gains) + 1) + "|")
    measured: dict[str, dict[int, float]] = {name: {} for name in names}
    for number in options.sizes:
        ways = Case(number, options).ways(options)
        for name, found in measured.items():
            field, way = name.split(", ")
            if way in ways:
                found[number] = seconds(ways[way]["Bb".index(field)])
        cells = [f"{found[number]:.3g}" if number in found else "" for found in measured.values()]
        for field in "Bb":
            ratio = measured[f"{field}, without"][number] / measured[f"{field}, transforms"][number]
            cells.append(f"{ratio:.1f}")
        cells += [f"{gain(command, options.threads):.2f}" for command in ways["without"]]
        print(f"| {number} | {' | '.join(cells)} |", flush=True)
    print(f"| exponent | {' | '.join(map(exponent, measured.values()))} | | | | |")


if __name__ == "__main__":
    main()

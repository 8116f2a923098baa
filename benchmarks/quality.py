"""How far annealing ends above the lowest energy found, for the boxes of the default study.

    python benchmarks/quality.py

Energies per spin in units of the median local field of random spins. The lowest energy is that of
all runs of a box, of which the longest have 8 replicas of 20 000 sweeps.
"""

import os

for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_variable] = "1"

import numpy as np

from glasspipe.config import point_from, seed_sequence
from glasspipe.couplings import couplings
from glasspipe.freeze import field_scale, freeze
from glasspipe.sample import realise

BOXES, REPLICAS = 4, 16
SWEEPS = (100, 1000, 10_000)
ANNEAL = {"steps": 100, "schedule": "geometric", "t_start": 10.0, "t_end": 0.05}


def box(concentration, number):
    """U (N, N) and B (N,) of a box of the default study."""
    point = point_from({"defects": {"concentration": concentration}})
    rng = np.random.default_rng(seed_sequence(point, "sample", number))
    made = realise(rng, point.lattice, point.defects, point.components)
    tensors = made.defects.tensors
    system = {"box": [point.lattice.edge] * 3, "medium": point.medium, "boundary": "spherical"}
    found = couplings(made.position, tensors.gamma, tensors.eta, **system)
    U = np.zeros((point.defects, point.defects))
    U[np.triu_indices(point.defects, 1)] = found.U
    return U + U.T, found.B


def main():
    """Print the table."""
    print("      x   lowest E/N   mean above it after " + "  ".join(f"{s:6d}" for s in SWEEPS))
    for x in (1e-4, 1e-3, 0.01, 0.1):
        lowest, above = [], []
        for number in range(BOXES):
            U, B = box(x, number)
            unit = len(B) * field_scale(U, B, key=number)
            runs = [
                freeze(U, B, key=number, sweeps=s, replicas=REPLICAS, **ANNEAL).replica_energy
                for s in SWEEPS
            ]
            long = freeze(U, B, key=number, sweeps=20_000, replicas=8, **ANNEAL).energy
            best = min(long, *(run.min() for run in runs))
            lowest.append(best / unit)
            above.append([(run.mean() - best) / unit for run in runs])
        mean = "  ".join(f"{value:6.4f}" for value in np.mean(above, axis=0))
        print(f"  {x:6g}   {np.mean(lowest):9.4f}  {'':18s}  {mean}")


if __name__ == "__main__":
    main()

"""How far annealing ends above the lowest energy found, for the boxes of the default study.

    python benchmarks/quality.py

Energies per spin in units of the median local field of random spins. The lowest energy is that of
all runs of a box; the longest are 2 sets of tempered states with 400 000 sweeps each. "agree" is
in how many boxes both sets met the same lowest state.
"""

import os

for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_variable] = "1"

import numpy as np
from boxes import box

from glasspipe.spins.annealing import field_scale, freeze
from glasspipe.spins.tempering import temper

BOXES, REPLICAS = 4, 16
SWEEPS = (100, 1000, 10_000)
TEMPERED = (10_000, 100_000, 400_000)
RANGE = {"schedule": "geometric", "t_start": 10.0, "t_end": 0.05}


def runs(U, B, key):
    """Energies of the replicas of every run, by its column."""
    found = {}
    for sweeps in SWEEPS:
        annealed = freeze(U, B, key=key, sweeps=sweeps, steps=100, replicas=REPLICAS, **RANGE)
        found[f"{sweeps} annealed"] = annealed.replica_energy
    for sweeps in TEMPERED:
        options = {"sweeps": sweeps, "steps": 40, "replicas": 2}
        found[f"{sweeps} tempered"] = temper(
            U, B, key=key, **options, **RANGE
        ).frozen.replica_energy
    return found


def main():
    """Print the table."""
    columns = [f"{n} annealed" for n in SWEEPS] + [f"{n} tempered" for n in TEMPERED]
    print("      x   lowest E/N   mean above it: " + "  ".join(columns) + "   agree")
    for x in (1e-4, 1e-3, 0.01, 0.1):
        lowest, above, agree = [], [], 0
        for number in range(BOXES):
            U, B = box({"concentration": x}, number)
            unit = len(B) * field_scale(U, B, key=number)
            found = runs(U, B, number)
            best = min(energies.min() for energies in found.values())
            lowest.append(best / unit)
            above.append([(found[name].mean() - best) / unit for name in columns])
            agree += np.ptp(found[columns[-1]]) < 1e-9 * abs(best)
        cells = [f"{v:{len(n)}.4f}" for v, n in zip(np.mean(above, axis=0), columns, strict=True)]
        print(f"  {x:6g}   {np.mean(lowest):9.4f} {'':17s} {'  '.join(cells)}   {agree}/{BOXES}")


if __name__ == "__main__":
    main()

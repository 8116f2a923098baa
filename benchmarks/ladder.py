"""How many temperatures tempering needs: the length of a range, and how well a target is met.

    python benchmarks/ladder.py

First the lengths d/√N from 10 down (and up) to several temperatures, of neighbours that exchange
often, for defects of several kinds; `glasspipe.spins.ladder` holds their mean. Then, for boxes of
the default study, the temperatures chosen for a target and the rates that they gave (2 sets).
"""

import os

for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_variable] = "1"

import numpy as np
from boxes import box
from scipy.special import erfcinv

from glasspipe.spins.annealing import field_scale
from glasspipe.spins.ladder import temperatures_needed
from glasspipe.spins.tempering import temper

KINDS = ({}, {"species": "aligned"}, {"species": "rotor"}, {"eta": 0.0}, {"eta": 5.0})
SHOWN = np.array([100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.05, 0.02])
DEFAULT, OTHERS = (10.0, 0.05), ((30.0, 0.02), (5.0, 0.2))
TARGETS = [
    *((x, N, rate, DEFAULT) for x in (1e-4, 0.01, 0.1) for N in (60, 150, 500) for rate in (0.3,)),
    *((x, 1000, 0.3, DEFAULT) for x in (1e-4, 0.1)),
    *((0.01, 500, rate, DEFAULT) for rate in (0.15, 0.5)),
    *((x, 150, 0.3, ends) for x in (1e-4, 0.1) for ends in OTHERS),
]


def lengths(defects):
    """d/√N from T = 10 to each of the temperatures shown."""
    U, B = box(defects, 0)
    steps = int(30 * np.sqrt(len(B) / 125))
    options = {"steps": steps, "schedule": "geometric", "t_start": 100.0, "t_end": 0.01}
    made = temper(U, B, key=0, sweeps=4000 * steps, replicas=1, **options)
    distance = 2 * erfcinv(np.clip(made.swap_rate[0], 1e-3, 0.99))
    along = np.concatenate([[0], distance.cumsum()]) / np.sqrt(len(B))
    T = np.log(made.frozen.T / field_scale(U, B, key=0))
    at = np.interp(-np.log(SHOWN), -T, along)
    return at - at[SHOWN == 10.0]


def rates(x, number, rate, ends):
    """Number of spins and of temperatures, mean and lowest rate; means over boxes."""
    found = []
    for n in range(2 if number > 200 else 4):
        U, B = box({"concentration": x, "number": number}, n)
        ends_ = dict(zip(("t_start", "t_end"), ends, strict=True))
        steps = temperatures_needed(len(B), rate=rate, **ends_)
        options = {"steps": steps, "schedule": "geometric", "replicas": 2, **ends_}
        measured = temper(U, B, key=n, sweeps=8000 * steps, **options).swap_rate.mean(axis=0)
        found.append((len(B), steps, measured.mean(), measured.min()))
    return np.mean(found, axis=0)


def main():
    """Print both tables."""
    print("T from 10 to " + "".join(f"{T:8g}" for T in SHOWN))
    for kind in KINDS:
        for x in (1e-3, 0.1):
            row = lengths({"concentration": x, "number": 500, **kind})
            print("".join(f"{v:8.2f}" for v in row) + f"  x = {x:g} {kind or ''}", flush=True)
    print("| x | N | T | target | temperatures | mean rate | lowest |")
    for x, number, rate, ends in TARGETS:
        N, steps, mean, lowest = rates(x, number, rate, ends)
        about = f"| {x:g} | {N:.0f} | {ends[0]:g} to {ends[1]:g} | {rate:g} | {steps:.0f}"
        print(f"{about} | {mean:.2f} | {lowest:.2f} |", flush=True)


if __name__ == "__main__":
    main()

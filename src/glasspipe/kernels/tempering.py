"""Parallel tempering: sweeps at every temperature, exchanges of neighbours, and what is measured.

An exchange of the states at T and T' keeps exp(−E/T − E'/T') if it is accepted with probability
min(1, exp[(1/T − 1/T')(E − E')]). Temperatures move between replicas, not spins, so that an
exchange costs nothing. Pairs (0, 1), (2, 3), … and (1, 2), (3, 4), … take turns: each round keeps
the distribution, and a state moves on faster than by random pairs.
"""

import numpy as np
from numba import njit

from glasspipe.kernels.freeze import BLOCK, diagonal_blocks, random_words, sweep_once, workspace

_WORDS = 2.0**32


@njit(cache=True)
def temper(
    U,
    S,
    h,
    T,
    keys,
    first,
    size,
    at,
    energy,
    going,
    energies,
    flips,
    swaps,
    trips,
    lowest,
    overlaps,
):
    """Sweep all replicas and let neighbouring temperatures exchange, once after each sweep.

    Parameters
    ----------
    U, S, h : couplings, spins of R = sets × K replicas and their fields, as in
        :func:`glasspipe.kernels.freeze.anneal`; S and h change in place
    T : float64 (K,), temperatures
    keys : uint64 (R + sets, 4), random words for the replicas and for the exchanges of each set
    first : int, number of the first sweep
    size : int, number N of spins
    at : int64 (sets, K), which replica is at each temperature, changed in place
    energy : float64 (R,), total energies, changed in place
    going : int8 (R,), end of the temperatures met last: 1 the first, −1 the last, changed in place
    energies : float64 (sweeps, sets, K), out: total energy after each sweep, before the exchange
    flips : int64 (sets, K), added to: accepted flips
    swaps : int64 (sets, K − 1), added to: accepted exchanges of temperature k and k + 1
    trips : int64 (sets,), added to: ways from the last temperature to the first and back
    lowest : (float64 (sets,), int8 (sets, N)), lowest energies after a sweep and their states
    overlaps : what :func:`count_overlaps` adds to after each sweep
    """
    replicas = len(S)
    sets, steps = at.shape
    within, work = diagonal_blocks(U), workspace(replicas)
    temperature, change = np.empty(replicas), np.empty(replicas)
    accepted = np.empty(replicas, np.int64)
    for n in range(len(energies)):
        for m in range(sets):
            for k in range(steps):
                temperature[at[m, k]] = T[k]
        sweep_once(U, within, S, h, temperature, keys, first + n, change, accepted, work)
        for m in range(sets):
            for k in range(steps):
                r = at[m, k]
                energy[r] += change[r]
                energies[n, m, k] = energy[r]
                flips[m, k] += accepted[r]
                if energy[r] < lowest[0][m]:
                    lowest[0][m] = energy[r]
                    for i in range(size):
                        lowest[1][m, i] = np.int8(S[r, i])
        count_overlaps(S, size, at, overlaps[0], overlaps[1])
        for m in range(sets):
            exchange(T, energy, at[m], keys, replicas + m, first + n, swaps[m])
            trips[m] += _arrivals(at[m], going)


# without couplings all temperatures are 0, the gain is not a number, and nothing is exchanged
@njit(cache=True, error_model="numpy")
def exchange(T, energy, at, keys, row, sweep, swaps):
    """Let neighbours exchange in one set: ``at`` (K,), ``swaps`` (K − 1,); every second pair."""
    words = np.empty(BLOCK, np.uint32)
    for k in range(len(T) - 1):
        if k % BLOCK == 0:
            random_words(keys, row, sweep, k // BLOCK, words)
        if (k + sweep) % 2 == 0:
            gain = (1.0 / T[k] - 1.0 / T[k + 1]) * (energy[at[k]] - energy[at[k + 1]])
            if np.log((words[k % BLOCK] + 0.5) / _WORDS) < gain:
                at[k], at[k + 1] = at[k + 1], at[k]
                swaps[k] += 1


@njit(cache=True)
def _arrivals(at, going):
    """Note who is at the ends; return how many came back to the last by way of the first."""
    first, last = at[0], at[-1]
    arrived = 1 if going[last] == 1 else 0
    if going[first] == -1:
        going[first] = 1
    going[last] = -1
    return arrived


@njit(cache=True)
def count_overlaps(S, size, at, counts, sums):
    """Add the overlaps q = (1/N) Σ_i S_i^a S_i^b of different sets at each temperature.

    q has N + 1 values: each is spread over that part of the interval from −1 to 1, or bins that
    hold one value more than others would stand out, and q = 0 would be positive.

    Parameters
    ----------
    S : float32 or int8 (R, M), spins, of which the first ``size`` count
    size : int, number N of spins
    at : int64 (sets, K), which replica is at each temperature
    counts : float64 (K, bins), added to: histogram of q, equal bins from −1 to 1
    sums : float64 (3, K), added to: q, |q|, q²
    """
    sets, steps = at.shape
    bins = counts.shape[1]
    for k in range(steps):
        for m in range(sets):
            one = S[at[m, k]]
            for n in range(m):
                other = S[at[n, k]]
                same = 0
                for i in range(size):
                    same += np.int32(one[i] == other[i])
                q = (2.0 * same - size) / size
                left, width = bins * same / (size + 1.0), bins / (size + 1.0)
                for b in range(int(left), min(int(left + width) + 1, bins)):
                    counts[k, b] += (min(b + 1.0, left + width) - max(b, left)) / width
                sums[0, k] += q
                sums[1, k] += abs(q)
                sums[2, k] += q * q

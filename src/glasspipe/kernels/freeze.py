"""Sequential Metropolis dynamics of spins with dense couplings, several replicas at once.

The cost of annealing is the accepted flip, which changes the local field of every spin: one row
of U has to be read. Two things keep that cheap without changing the chain. Updates are delayed:
while a block of 64 consecutive spins is visited only its own fields are kept up to date, then the
flips of all replicas are added to the other fields tile by tile, so that a tile of U is read once
for all. And attempts are tested many at a time: with u uniform in (0, 1], a flip is accepted if
S_i h_i ≥ (T/2) ln u, so the right-hand sides of a block can be made ahead; they are not made at
all where no flip is possible for the smallest u there is.

Random numbers are counter-based (Philox4x32-10, Salmon et al., SC11): a number is a function of
(key, sweep, site), so a chain does not know what else is computed, nor in which order.
"""

import numpy as np
from numba import njit

BLOCK = 64
GROUP = 16
TILE = 512
# The smallest u is 2⁻³³, where −ln u = 22.88.
LARGEST_EXPONENTIAL = np.float32(23.0)

_LANES = 4
_COUNTERS = BLOCK // _LANES
_LOW = np.uint64(0xFFFFFFFF)
_HALF_WORD = np.uint64(32)
_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint64(0x9E3779B9)
_WEYL_1 = np.uint64(0xBB67AE85)
_LN_2 = np.float32(np.log(2))
_SQRT_2 = np.float32(np.sqrt(2))


@njit(cache=True)
def random_words(key, sweep, block, words):
    """Fill ``words`` (64,) uint32 with the random words of a block of sites.

    Site i of the block has lane i // 16 of counter i % 16, so that the stores are contiguous.
    """
    for j in range(_COUNTERS):
        a = np.uint64(block * _COUNTERS + j)
        b = np.uint64(sweep)
        c = key[2]
        d = key[3]
        k = key[0]
        m = key[1]
        for _ in range(10):
            p = a * _MULTIPLIER_0
            q = c * _MULTIPLIER_1
            a = (q >> _HALF_WORD) ^ b ^ k
            c = (p >> _HALF_WORD) ^ d ^ m
            b = q & _LOW
            d = p & _LOW
            k = (k + _WEYL_0) & _LOW
            m = (m + _WEYL_1) & _LOW
        words[j] = a
        words[_COUNTERS + j] = b
        words[2 * _COUNTERS + j] = c
        words[3 * _COUNTERS + j] = d


@njit(cache=True)
def exponentials(words, out):
    """Fill ``out`` float32 with −ln u of u = (word + 1/2) / 2³², to 3e-7.

    With u = 2^e m, 1 ≤ m < 2: ln m = ln √2 + 2 artanh s, s = (m − √2)/(m + √2), |s| < 0.172.
    """
    for j in range(len(words)):
        bits = np.float32(np.float32(words[j]) + np.float32(0.5)).view(np.int32)
        m = np.int32((bits & 0x7FFFFF) | 0x3F800000).view(np.float32)
        s = (m - _SQRT_2) / (m + _SQRT_2)
        z = s * s
        series = np.float32(1 / 7) * z + np.float32(1 / 5)
        series = (series * z + np.float32(1 / 3)) * z + np.float32(1)
        octaves = np.float32(158.5) - np.float32(bits >> 23)
        out[j] = octaves * _LN_2 - np.float32(2) * s * series


@njit(cache=True)
def _possible(S, h, lowest):
    """Return whether any spin has S_i h_i ≥ ``lowest``."""
    count = np.int32(0)
    for i in range(BLOCK):
        count |= np.int32(S[i] * h[i] >= lowest)
    return count != 0


@njit(cache=True)
def _visit_block(U, S, h, thresholds, first, rows, changes):
    """Try every spin of a block in order; return the number of flips and the change of energy.

    ``rows`` and ``changes`` get the flipped sites and the changes of their spins.
    """
    flips = 0
    energy = 0.0
    for group in range(0, BLOCK, GROUP):
        any_flip = np.int32(0)
        for i in range(GROUP):
            any_flip |= np.int32(S[group + i] * h[group + i] >= thresholds[group + i])
        if any_flip == 0:
            continue
        for i in range(group, group + GROUP):
            gain = S[i] * h[i]
            if gain >= thresholds[i]:
                change = np.float32(-2) * S[i]
                S[i] = -S[i]
                for j in range(BLOCK):
                    h[j] += change * U[i, j]
                rows[flips] = first + i
                changes[flips] = change
                flips += 1
                energy -= 2.0 * np.float64(gain)
    return flips, energy


@njit(cache=True)
def _add_rows(U, rows, changes, flips, start, stop, h):
    """Add ``changes`` · ``U[rows]`` to the fields h[start:stop], in the order of the flips."""
    field = h[start:stop]
    k = 0
    while k + 4 <= flips:
        u0 = U[rows[k], start:stop]
        u1 = U[rows[k + 1], start:stop]
        u2 = U[rows[k + 2], start:stop]
        u3 = U[rows[k + 3], start:stop]
        c0, c1, c2, c3 = changes[k], changes[k + 1], changes[k + 2], changes[k + 3]
        for j in range(stop - start):
            field[j] = field[j] + c0 * u0[j] + c1 * u1[j] + c2 * u2[j] + c3 * u3[j]
        k += 4
    while k < flips:
        u0 = U[rows[k], start:stop]
        c0 = changes[k]
        for j in range(stop - start):
            field[j] += c0 * u0[j]
        k += 1


@njit(cache=True)
def anneal(U, S, h, T, keys, first, energy, accepted):
    """Sweep all replicas through the temperatures ``T``, one sweep each.

    Parameters
    ----------
    U : float32 (M, M), couplings; M a multiple of 64
    S : float32 (R, M), spins ±1, changed in place
    h : float32 (R, M), local fields, changed in place; −inf (with S = 1) where there is no spin
    T : float64 (sweeps,), temperature of each sweep
    keys : uint64 (R, 4), four random 32-bit words for each replica
    first : int, number of the first sweep, for the random numbers
    energy : float64 (R, sweeps), out: the change of energy in each sweep
    accepted : int64 (R, sweeps), out: the flips in each sweep
    """
    replicas, size = h.shape
    words = np.empty(BLOCK, np.uint32)
    thresholds = np.empty(BLOCK, np.float32)
    rows = np.empty((replicas, BLOCK), np.int64)
    changes = np.empty((replicas, BLOCK), np.float32)
    flips = np.empty(replicas, np.int64)
    for sweep in range(len(T)):
        scale = np.float32(-0.5 * T[sweep])
        energy[:, sweep] = 0.0
        accepted[:, sweep] = 0
        for block in range(size // BLOCK):
            start = block * BLOCK
            stop = start + BLOCK
            u = U[start:stop, start:stop]
            for r in range(replicas):
                flips[r] = 0
                s_block = S[r, start:stop]
                h_block = h[r, start:stop]
                if _possible(s_block, h_block, scale * LARGEST_EXPONENTIAL):
                    random_words(keys[r], first + sweep, block, words)
                    exponentials(words, thresholds)
                    for i in range(BLOCK):
                        thresholds[i] *= scale
                    flips[r], change = _visit_block(
                        u, s_block, h_block, thresholds, start, rows[r], changes[r]
                    )
                    energy[r, sweep] += change
                    accepted[r, sweep] += flips[r]
            for tile in range(0, start, TILE):
                end = min(tile + TILE, start)
                for r in range(replicas):
                    _add_rows(U, rows[r], changes[r], flips[r], tile, end, h[r])
            for tile in range(stop, size, TILE):
                end = min(tile + TILE, size)
                for r in range(replicas):
                    _add_rows(U, rows[r], changes[r], flips[r], tile, end, h[r])


@njit(cache=True)
def random_spins(keys, S):
    """Fill ``S`` (R, N) int8 with ±1 from the numbers of sweep 0, which no chain uses."""
    replicas, size = S.shape
    words = np.empty(BLOCK, np.uint32)
    for r in range(replicas):
        for block in range((size + BLOCK - 1) // BLOCK):
            random_words(keys[r], 0, block, words)
            start = block * BLOCK
            for i in range(min(BLOCK, size - start)):
                S[r, start + i] = 1 if words[i] & np.uint32(1) else -1


@njit(cache=True)
def local_fields(U, B, S, h):
    """Fill ``h`` (R, N) with B_i + Σ_j U_ij S_j, added in the order of j, in float64."""
    replicas, size = S.shape
    for r in range(replicas):
        h[r] = B
    for start in range(0, size, TILE):
        stop = min(start + TILE, size)
        for j in range(size):
            u = U[j, start:stop]
            for r in range(replicas):
                field = h[r, start:stop]
                s = np.float64(S[r, j])
                for i in range(stop - start):
                    field[i] += s * u[i]


@njit(cache=True)
def quench(U, S, h):
    """Flip the spins (N,) with S_i h_i > 0 in turn, in float64, until a round finds none."""
    size = len(S)
    settled = False
    while not settled:
        settled = True
        for i in range(size):
            if S[i] * h[i] > 0:
                settled = False
                change = -2.0 * S[i]
                S[i] = -S[i]
                for j in range(size):
                    h[j] += change * U[i, j]


@njit(cache=True)
def pair_energy(U, B, S):
    """Return Σ_{i<j} U_ij S_i S_j + Σ_i B_i S_i."""
    total = 0.0
    for i in range(len(S)):
        row = B[i]
        for j in range(i):
            row += U[i, j] * S[j]
        total += S[i] * row
    return total

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
TILE = 1024
# The smallest u is 2⁻³³, where −ln u = 22.88.
LARGEST_EXPONENTIAL = np.float32(23.0)

ROUNDING = 1e-12
"""Energies of a pair that differ by less than this fraction are equal."""

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
def random_words(keys, r, sweep, block, words):
    """Fill ``words`` (64,) uint32 with the random words of replica r for a block of sites.

    Site i of the block has lane i // 16 of counter i % 16, so that the stores are contiguous.
    """
    for j in range(_COUNTERS):
        a = np.uint64(block * _COUNTERS + j)
        b = np.uint64(sweep)
        c = keys[r, 2]
        d = keys[r, 3]
        k = keys[r, 0]
        m = keys[r, 1]
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


@njit(cache=True, error_model="numpy")
def exponentials(words, scale, out):
    """Fill ``out`` float32 with −``scale`` ln u of u = (word + 1/2) / 2³², to 3e-7.

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
        out[j] = scale * (octaves * _LN_2 - np.float32(2) * s * series)


@njit(cache=True)
def _flip_possible(S, h, r, start, lowest):
    """Return whether any spin of a block of replica r has S_i h_i ≥ ``lowest``."""
    spins = S[r, start : start + BLOCK]
    fields = h[r, start : start + BLOCK]
    found = np.int32(0)
    for i in range(BLOCK):
        found |= np.int32(spins[i] * fields[i] >= lowest)
    return found != 0


# A product with ±2 is exact, so contraction to fused multiply-adds changes no bit; it makes the
# two loops over rows of U up to 1.4 times faster.
@njit(cache=True, fastmath={"contract"})
def _visit_block(within, S, h, r, block, thresholds, field, rows):
    """Try to flip every spin of a block of replica r in turn; return flips and energy change.

    The fields are kept up to date in a copy, ``field``; ``rows[r]`` gets the flipped sites.
    """
    start = block * BLOCK
    U = within[block]
    spins = S[r, start : start + BLOCK]
    fields = h[r, start : start + BLOCK]
    flipped = rows[r]
    flips = 0
    energy = 0.0
    for i in range(BLOCK):
        field[i] = fields[i]
    for group in range(0, BLOCK, GROUP):
        found = np.int32(0)
        for i in range(group, group + GROUP):
            found |= np.int32(spins[i] * field[i] >= thresholds[i])
        if found == 0:
            continue
        for i in range(group, group + GROUP):
            gain = spins[i] * field[i]
            if gain >= thresholds[i]:
                spins[i] = -spins[i]
                change = np.float32(2) * spins[i]
                for j in range(BLOCK):
                    field[j] += change * U[i, j]
                flipped[flips] = start + i
                flips += 1
                energy -= 2.0 * np.float64(gain)
    return flips, energy


@njit(cache=True, fastmath={"contract"})
def _add_rows(U, S, h, r, start, stop, rows, flips):
    """Add Σ_i 2 S_i U_ij of the flipped spins i of replica r, in order, to h_j, start ≤ j < stop.

    Eight rows at a time, so that the fields are read and written an eighth as often.
    """
    fields = h[r, start:stop]
    two = np.float32(2)
    k = 0
    while k + 8 <= flips:
        i0, i1, i2, i3 = rows[r, k], rows[r, k + 1], rows[r, k + 2], rows[r, k + 3]
        i4, i5, i6, i7 = rows[r, k + 4], rows[r, k + 5], rows[r, k + 6], rows[r, k + 7]
        u0, u1, u2, u3 = U[i0, start:stop], U[i1, start:stop], U[i2, start:stop], U[i3, start:stop]
        u4, u5, u6, u7 = U[i4, start:stop], U[i5, start:stop], U[i6, start:stop], U[i7, start:stop]
        c0, c1, c2, c3 = two * S[r, i0], two * S[r, i1], two * S[r, i2], two * S[r, i3]
        c4, c5, c6, c7 = two * S[r, i4], two * S[r, i5], two * S[r, i6], two * S[r, i7]
        for j in range(stop - start):
            first = fields[j] + c0 * u0[j] + c1 * u1[j] + c2 * u2[j] + c3 * u3[j]
            fields[j] = first + c4 * u4[j] + c5 * u5[j] + c6 * u6[j] + c7 * u7[j]
        k += 8
    while k + 4 <= flips:
        i0, i1, i2, i3 = rows[r, k], rows[r, k + 1], rows[r, k + 2], rows[r, k + 3]
        u0, u1, u2, u3 = U[i0, start:stop], U[i1, start:stop], U[i2, start:stop], U[i3, start:stop]
        c0, c1, c2, c3 = two * S[r, i0], two * S[r, i1], two * S[r, i2], two * S[r, i3]
        for j in range(stop - start):
            fields[j] = fields[j] + c0 * u0[j] + c1 * u1[j] + c2 * u2[j] + c3 * u3[j]
        k += 4
    while k < flips:
        i = rows[r, k]
        u = U[i, start:stop]
        c = two * S[r, i]
        for j in range(stop - start):
            fields[j] += c * u[j]
        k += 1


@njit(cache=True)
def anneal(U, S, h, T, keys, first, energy, accepted):
    """Sweep all replicas through the temperatures ``T``, one sweep each.

    Parameters
    ----------
    U : float32 (M, M), couplings; M a multiple of 64, rows aligned to 64 bytes for speed
    S : float32 (R, M), spins ±1, changed in place
    h : float32 (R, M), local fields, changed in place; −inf (with S = 1) where there is no spin
    T : float64 (sweeps,), temperature of each sweep
    keys : uint64 (R, 4), four random 32-bit words for each replica
    first : int, number of the first sweep, for the random numbers
    energy : float64 (R, sweeps), out: the change of energy in each sweep
    accepted : int64 (R, sweeps), out: the flips in each sweep
    """
    within, work = diagonal_blocks(U), workspace(len(S))
    temperature = np.empty(len(S))
    change = np.empty(len(S))
    flips = np.empty(len(S), np.int64)
    for sweep in range(len(T)):
        temperature[:] = T[sweep]
        sweep_once(U, within, S, h, temperature, keys, first + sweep, change, flips, work)
        energy[:, sweep] = change
        accepted[:, sweep] = flips


@njit(cache=True)
def sweep_once(U, within, S, h, T, keys, sweep, energy, accepted, work):
    """Sweep each replica once at its own temperature.

    Parameters as in :func:`anneal`, but ``T``, ``energy`` and ``accepted`` are (R,); ``within`` are
    the couplings within each block, ``work`` is a :func:`workspace`.
    """
    replicas, size = S.shape
    words, thresholds, field, rows, flips = work
    energy[:] = 0.0
    accepted[:] = 0
    for block in range(size // BLOCK):
        start = block * BLOCK
        flipped = 0
        for r in range(replicas):
            flips[r] = 0
            scale = np.float32(-0.5 * T[r])
            if _flip_possible(S, h, r, start, scale * LARGEST_EXPONENTIAL):
                random_words(keys, r, sweep, block, words)
                exponentials(words, scale, thresholds)
                flips[r], change = _visit_block(within, S, h, r, block, thresholds, field, rows)
                energy[r] += change
                accepted[r] += flips[r]
                flipped += flips[r]
        if flipped > 0:
            _update_fields(U, S, h, rows, flips)


@njit(cache=True)
def workspace(replicas):
    """Return arrays for :func:`sweep_once`, which is too short to allocate its own."""
    return (
        np.empty(BLOCK, np.uint32),
        np.empty(BLOCK, np.float32),
        np.empty(BLOCK, np.float32),
        np.empty((replicas, BLOCK), np.int64),
        np.empty(replicas, np.int64),
    )


@njit(cache=True)
def diagonal_blocks(U):
    """Return the couplings within each block, contiguous: strided rows would share cache sets."""
    blocks = len(U) // BLOCK
    within = np.empty((blocks, BLOCK, BLOCK), np.float32)
    for block in range(blocks):
        start = block * BLOCK
        within[block] = U[start : start + BLOCK, start : start + BLOCK]
    return within


@njit(cache=True)
def _update_fields(U, S, h, rows, flips):
    """Add the flips of all replicas in one block to their fields, tile by tile."""
    replicas, size = S.shape
    for start in range(0, size, TILE):
        stop = min(start + TILE, size)
        for r in range(replicas):
            if flips[r] > 0:
                _add_rows(U, S, h, r, start, stop, rows, flips[r])


@njit(cache=True)
def random_spins(keys, S):
    """Fill ``S`` (R, N) int8 with ±1 from the numbers of sweep 0, which no chain uses."""
    replicas, size = S.shape
    words = np.empty(BLOCK, np.uint32)
    for r in range(replicas):
        for block in range((size + BLOCK - 1) // BLOCK):
            random_words(keys, r, 0, block, words)
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
def _turn(U, S, h, i):
    """Flip spin i (float64 fields)."""
    change = -2.0 * S[i]
    S[i] = -S[i]
    for j in range(len(S)):
        h[j] += change * U[i, j]


@njit(cache=True)
def quench(U, partner, S, h):
    """Turn spins (N,), and pairs of a spin and its partner (N,), while that lowers the energy.

    Spin i alone: S_i h_i > 0. With its partner p: S_i h_i + S_p h_p − 2 U_ip S_i S_p > 0, by more
    than rounding. Rounding could let it go on for ever where fields vanish: N rounds at most.
    """
    for _ in range(len(S)):
        settled = True
        for i in range(len(S)):
            if S[i] * h[i] > 0:
                settled = False
                _turn(U, S, h, i)
        for i in range(len(S)):
            p = partner[i]
            bond = 2.0 * U[i, p] * S[i] * S[p]
            rounding = ROUNDING * (abs(h[i]) + abs(h[p]) + abs(bond))
            if p != i and S[i] * h[i] + S[p] * h[p] - bond > rounding:
                settled = False
                _turn(U, S, h, i)
                _turn(U, S, h, p)
        if settled:
            break


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

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

from glasspipe.kernels.vectors import (
    COLUMNS,
    LANES,
    add_rows,
    prefetch,
    try_block,
)

BLOCK = 64
TILE = 1024
# The smallest u is 2⁻³³, where −ln u = 22.88.
LARGEST_EXPONENTIAL = np.float32(23.0)

ROUNDING = 1e-12
"""Energies of a pair that differ by less than this fraction are equal."""

_WORDS_OF_COUNTER = 4
_LINES = COLUMNS // LANES
_COUNTERS = BLOCK // _WORDS_OF_COUNTER
_LOW = np.uint64(0xFFFFFFFF)
_HALF_WORD = np.uint64(32)
_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint64(0x9E3779B9)
_WEYL_1 = np.uint64(0xBB67AE85)
# As many couplings stay in the cache that they would be brought to.
_CACHED = 1 << 19
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
def _flip_possible(S, spin, h, field, lowest):
    """Return whether any of 64 spins, from places ``spin`` and ``field`` on, has S h ≥ lowest."""
    found = np.int32(0)
    for i in range(BLOCK):
        found |= np.int32(S[spin + i] * h[field + i] >= lowest)
    return found != 0


@njit(cache=True, nogil=True)
def anneal(U, S, h, T, keys, first, energy, accepted):
    """Sweep all replicas through the temperatures ``T``, one sweep each.

    Parameters
    ----------
    U : float32 (M, W), couplings of M spins, M a multiple of 64; zero beyond, W > 128 tiles
    S : float32 (R, M), spins ±1, changed in place
    h : float32 (tiles, R, 128), local fields, changed in place; −inf (with S = 1) where no spin is
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
    the :func:`diagonal_blocks`, ``work`` is a :func:`workspace`.
    """
    couplings, spins, fields = U.reshape(-1), S.reshape(-1), h.reshape(-1)
    stride = U.shape[1]
    replicas, size = S.shape
    words, thresholds, turns, rows, coefficients, flips, needed = work
    energy[:] = 0.0
    accepted[:] = 0
    for block in range(size // BLOCK):
        first, busy = block * BLOCK, 0
        for r in range(replicas):
            flips[r] = 0
            scale = np.float32(-0.5 * T[r])
            spin = r * size + first
            field = (first // COLUMNS * replicas + r) * COLUMNS + first % COLUMNS
            if _flip_possible(spins, spin, fields, field, scale * LARGEST_EXPONENTIAL):
                random_words(keys, r, sweep, block, words)
                exponentials(words, scale, thresholds)
                flips[r], gain = try_block(
                    spins,
                    spin,
                    fields,
                    field,
                    thresholds,
                    within,
                    first * BLOCK,
                    turns,
                    rows,
                    coefficients,
                    r * BLOCK,
                )
                energy[r] -= 2.0 * gain
                accepted[r] += flips[r]
                busy += np.int64(flips[r] > 0)
        if busy > 0:
            lines = 0
            if busy > 1 and size * size > _CACHED:
                lines = _list_rows(rows, flips, needed) * _LINES
            share = (lines + busy - 1) // busy
            place = first * stride
            _update_fields(
                couplings, place, stride, fields, rows, coefficients, flips, needed, lines, share
            )


@njit(cache=True)
def workspace(replicas):
    """Return arrays for :func:`sweep_once`, which is too short to allocate its own."""
    return (
        np.empty(BLOCK, np.uint32),
        np.empty(BLOCK, np.float32),
        np.empty(BLOCK, np.float32),
        np.empty(replicas * BLOCK, np.int64),
        np.empty(replicas * BLOCK, np.float32),
        np.empty(replicas, np.int64),
        np.empty(BLOCK, np.int64),
    )


@njit(cache=True)
def diagonal_blocks(U):
    """Return the couplings within each block of 64 spins, flat: row after row, 64 each."""
    within = np.empty((len(U), BLOCK), np.float32)
    for i in range(len(U)):
        first = i - i % BLOCK
        within[i] = U[i, first : first + BLOCK]
    return within.reshape(-1)


@njit(cache=True)
def _update_fields(U, place, stride, h, rows, coefficients, flips, needed, lines, share):
    """Add the flips of all replicas in one block to their fields, 128 columns after the other.

    U and h are flat; the rows of the block start at ``place`` of U. Meanwhile ``lines`` cache lines
    of the next columns of the rows ``needed`` are asked for, a ``share`` with each replica.
    """
    replicas = len(flips)
    for tile in range(len(h) // (replicas * COLUMNS)):
        line = 0
        for r in range(replicas):
            if flips[r] > 0:
                for _ in range(min(share, lines - line)):
                    ahead = COLUMNS + line % _LINES * LANES
                    prefetch(U, place + needed[line // _LINES] * stride + ahead)
                    line += 1
                field = (tile * replicas + r) * COLUMNS
                add_rows(h, field, U, place, stride, rows, coefficients, r * BLOCK, flips[r])
        place += COLUMNS


@njit(cache=True)
def _list_rows(rows, flips, needed):
    """List in ``needed`` the rows of a block that any replica has flipped; return their number."""
    for i in range(BLOCK):
        needed[i] = 0
    for r in range(len(flips)):
        for k in range(r * BLOCK, r * BLOCK + flips[r]):
            needed[rows[k]] = 1
    number = 0
    for i in range(BLOCK):
        if needed[i]:
            needed[number] = i
            number += 1
    return number


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


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
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

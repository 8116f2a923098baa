"""Plane waves at the defects, from powers of one factor an axis instead of a sine a mode."""

import numpy as np
from numba import njit


@njit(cache=True)
def powers(phase, wave):
    """Fill wave (N, 3, 2m + 1) with e^(i k φ), k = −m … m, for the phases φ (N, 3)."""
    top = wave.shape[2] // 2
    for i in range(wave.shape[0]):
        for axis in range(3):
            factor = complex(np.cos(phase[i, axis]), np.sin(phase[i, axis]))
            wave[i, axis, top] = 1.0
            for k in range(1, top + 1):
                wave[i, axis, top + k] = wave[i, axis, top + k - 1] * factor
                wave[i, axis, top - k] = wave[i, axis, top + k].conjugate()


@njit(cache=True)
def modulate(wave, n, amplitude, out):
    """Fill out (N, 2, channels) with amplitude cos q·r and amplitude sin q·r.

    n (channels, 3) are the integers of q = 2πn/L, amplitude (N, channels). A wave is made once
    for the channels that follow each other with the same n.
    """
    top = wave.shape[2] // 2
    new = np.empty(len(n), dtype=np.bool_)
    for c in range(len(n)):
        new[c] = c == 0 or not np.array_equal(n[c], n[c - 1])
    for i in range(len(amplitude)):
        z = 0j
        for c in range(len(n)):
            if new[c]:
                x, y = wave[i, 0, top + n[c, 0]], wave[i, 1, top + n[c, 1]]
                z = x * y * wave[i, 2, top + n[c, 2]]
            out[i, 0, c] = amplitude[i, c] * z.real
            out[i, 1, c] = amplitude[i, c] * z.imag

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
def unit_waves(wave, n, out):
    """Fill out (N, 2, modes) with cos q·r and sin q·r of the modes n (modes, 3) of q = 2πn/L."""
    top = wave.shape[2] // 2
    for i in range(len(wave)):
        for m in range(len(n)):
            x, y = wave[i, 0, top + n[m, 0]], wave[i, 1, top + n[m, 1]]
            z = x * y * wave[i, 2, top + n[m, 2]]
            out[i, 0, m] = z.real
            out[i, 1, m] = z.imag


@njit(cache=True)
def modulate(unit, mode, amplitude, out):
    """Fill out (N, 2, channels) with amplitude (N, channels) times unit (N, 2, modes)."""
    for i in range(len(amplitude)):
        for part in range(2):
            for c in range(len(mode)):
                out[i, part, c] = amplitude[i, c] * unit[i, part, mode[c]]

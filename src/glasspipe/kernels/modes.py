"""Plane waves at the defects, from powers of one factor an axis instead of a sine a mode."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def powers(first, last, phase, wave):
    """Fill wave (N, 3, 2m + 1) with e^(i k φ), k = −m … m, for the phases φ (N, 3).

    As below, of the defects from the first up to the last.
    """
    top = wave.shape[2] // 2
    for i in range(first, last):
        for axis in range(3):
            factor = complex(np.cos(phase[i, axis]), np.sin(phase[i, axis]))
            wave[i, axis, top] = 1.0
            for k in range(1, top + 1):
                wave[i, axis, top + k] = wave[i, axis, top + k - 1] * factor
                wave[i, axis, top - k] = wave[i, axis, top + k].conjugate()


@njit(cache=True, nogil=True)
def unit_waves(first, last, wave, n, out):
    """Fill out (N, 2, modes) with cos q·r and sin q·r of the modes n (modes, 3) of q = 2πn/L."""
    top = wave.shape[2] // 2
    for i in range(first, last):
        xy = 0j
        for m in range(len(n)):
            if m == 0 or n[m, 0] != n[m - 1, 0] or n[m, 1] != n[m - 1, 1]:
                xy = wave[i, 0, top + n[m, 0]] * wave[i, 1, top + n[m, 1]]
            z = xy * wave[i, 2, top + n[m, 2]]
            out[i, 0, m] = z.real
            out[i, 1, m] = z.imag


@njit(cache=True, nogil=True)
def powers_of_many(phase, wave):
    """Fill wave (3, m + 1, 2, N) with cos kφ and sin kφ, k = 0 … m, for the phases φ (N, 3)."""
    for axis in range(3):
        wave[axis, 0, 0], wave[axis, 0, 1] = 1.0, 0.0
        for i in range(len(phase)):
            factor = complex(np.cos(phase[i, axis]), np.sin(phase[i, axis]))
            power = complex(1.0, 0.0)
            for k in range(1, wave.shape[1]):
                power *= factor
                wave[axis, k, 0, i], wave[axis, k, 1, i] = power.real, power.imag


@njit(cache=True, nogil=True, fastmath={"contract"})
def unit_waves_of_many(wave, n, out):
    """Fill out (modes, 2, N) as :func:`unit_waves`; here defects are side by side in memory."""
    for m in range(len(n)):
        x, y, z = wave[0, abs(n[m, 0])], wave[1, abs(n[m, 1])], wave[2, abs(n[m, 2])]
        a, b, c = np.sign(n[m, 0]), np.sign(n[m, 1]), np.sign(n[m, 2])
        for i in range(wave.shape[3]):
            real = x[0, i] * y[0, i] - a * b * x[1, i] * y[1, i]
            imaginary = a * x[1, i] * y[0, i] + b * x[0, i] * y[1, i]
            out[m, 0, i] = real * z[0, i] - c * imaginary * z[1, i]
            out[m, 1, i] = c * real * z[1, i] + imaginary * z[0, i]


@njit(cache=True, nogil=True)
def modulate(first, last, unit, mode, amplitude, out):
    """Fill out (N, 2, channels) with amplitude (N, channels) times unit (N, 2, modes)."""
    for i in range(first, last):
        for part in range(2):
            for c in range(len(mode)):
                out[i, part, c] = amplitude[i, c] * unit[i, part, mode[c]]

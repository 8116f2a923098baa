"""Freezing: low-energy states of the S spins by simulated annealing.

H = Σ_{i<j} U_ij S_i S_j + Σ_i B_i S_i (29) has many low-lying minima, and the frozen S decide the
random fields b^γ. So the dynamics is plain sequential Metropolis, which is exact at every
temperature; what is approximate (float32 fields between refreshes) is compared with float64
sums, and the state handed back is stable against every single flip in float64.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import index
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasspipe.kernels import freeze as kernels

Schedule = Literal["geometric", "linear"]

_SCALE_FIELDS = 2000
_SWEEPS_PER_REFRESH = 500
_QUENCHES = 100
# Largest ratio of the energy's error to Σ|h_i|: of float32 between refreshes, and of float64.
_DRIFT = 1e-4
_ROUNDING = 1e-11


@dataclass(frozen=True)
class Frozen:
    """Frozen spins of one realisation, with the trace of every replica.

    Parameters
    ----------
    S : int8 array, shape (N,)
        Spins ±1 of the replica with the lowest energy (the first of equals).
    h : float array, shape (N,)
        Its local fields h_i = Σ_{j≠i} U_ij S_j + B_i, eV; S_i h_i ≤ 0 for every i.
    energy : float
        Its energy Σ_{i<j} U_ij S_i S_j + Σ_i B_i S_i, eV, total (29).
    T : float array, shape (steps,)
        Temperatures, eV.
    trace_energy : float array, shape (replicas, steps)
        Total energy, eV: mean of its values after each sweep at that temperature.
    trace_energy_variance : float array, shape (replicas, steps)
        Variance of the same values, eV², 0 with one sweep a step; over T² it is the specific heat.
    acceptance : float array, shape (replicas, steps)
        Accepted over attempted flips.
    replica_S : int8 array, shape (replicas, N)
        Frozen spins of each replica.
    replica_energy : float array, shape (replicas,)
        Their energies, eV, total.
    """

    S: NDArray[np.int8]
    h: NDArray[np.float64]
    energy: float
    T: NDArray[np.float64]
    trace_energy: NDArray[np.float64]
    trace_energy_variance: NDArray[np.float64]
    acceptance: NDArray[np.float64]
    replica_S: NDArray[np.int8]
    replica_energy: NDArray[np.float64]


def field_scale(U: ArrayLike, B: ArrayLike, *, key: int | Sequence[int]) -> float:
    """Return the typical local field, median |Σ_j U_ij S_j + B_i| over i and random S.

    The unit of ``t_start`` and ``t_end``. Fields that vanish do not count.

    Parameters
    ----------
    U : array, shape (N, N)
        Couplings, eV, symmetric with zero diagonal (16).
    B : array, shape (N,)
        Random fields, eV (29).
    key : int or pair of ints
        Seed of this realisation, 0 ≤ key < 2¹²⁸, or its low and high 64 bits.

    Returns
    -------
    float
        Median in eV; 0 if all fields vanish.

    Raises
    ------
    ValueError
        If ``U``, ``B`` or ``key`` is not as above.
    """
    U, B = _hamiltonian(U, B)
    return _field_scale(U, B, _entropy(key))


def temperatures(
    scale: float, *, schedule: Schedule, t_start: float, t_end: float, steps: int
) -> NDArray[np.float64]:
    """Return the temperatures of an anneal, falling from ``scale·t_start`` to ``scale·t_end``.

    Parameters
    ----------
    scale : float
        Unit of temperature, eV: see `field_scale`.
    schedule : {"geometric", "linear"}
        What is constant from one step to the next: ratio or difference.
    t_start, t_end : float
        First and last temperature over ``scale``, t_start > t_end > 0.
    steps : int
        Number of temperatures; a single one is ``t_start``.

    Returns
    -------
    array, shape (steps,)
        k_B T in eV.

    Raises
    ------
    ValueError
        If an argument is not as above.
    """
    if not 0 <= scale < np.inf:
        raise ValueError(f"scale is {scale}; it must be a finite energy, 0 or larger")
    if not 0 < t_end < t_start < np.inf:
        raise ValueError(
            f"t_start is {t_start} and t_end {t_end}; they must be finite with t_start > t_end > 0"
        )
    steps = _count("steps", steps)
    if schedule == "geometric":
        return scale * np.geomspace(t_start, t_end, steps)
    if schedule == "linear":
        return scale * np.linspace(t_start, t_end, steps)
    raise ValueError(f"schedule is {schedule!r}; it must be 'geometric' or 'linear'")


def freeze(
    U: ArrayLike,
    B: ArrayLike,
    *,
    key: int | Sequence[int],
    sweeps: int,
    steps: int,
    schedule: Schedule,
    t_start: float,
    t_end: float,
    replicas: int,
) -> Frozen:
    """Anneal H = Σ_{i<j} U_ij S_i S_j + Σ_i B_i S_i (29) and quench it to a stable state.

    Sequential Metropolis from random spins: a flip with ΔE = −2 S_i h_i is accepted with
    probability min(1, exp(−ΔE/T)). Random numbers depend on (key, replica, sweep, site) alone, so
    a replica does not depend on how many there are.

    Parameters
    ----------
    U : array, shape (N, N)
        Couplings, eV, symmetric with zero diagonal (16).
    B : array, shape (N,)
        Random fields, eV (29).
    key : int or pair of ints
        Seed of this realisation, 0 ≤ key < 2¹²⁸, or its low and high 64 bits.
    sweeps : int
        Attempted flips of each spin in the whole anneal, a multiple of ``steps``.
    steps : int
        Number of temperatures.
    schedule : {"geometric", "linear"}
        See `temperatures`.
    t_start, t_end : float
        First and last temperature over `field_scale`, t_start > t_end > 0.
    replicas : int
        Independent anneals of the same realisation.

    Returns
    -------
    Frozen
        The replica of lowest energy, and all of them with their traces.

    Raises
    ------
    ValueError
        If an argument is not as above.
    RuntimeError
        If an energy does not agree with its recomputation, or the quench does not settle.
    """
    U, B = _hamiltonian(U, B)
    entropy = _entropy(key)
    sweeps, steps, replicas = _counts(sweeps, steps, replicas)
    T = temperatures(
        _field_scale(U, B, entropy), schedule=schedule, t_start=t_start, t_end=t_end, steps=steps
    )
    S, energies, accepted = _anneal(
        U, B, _replica_keys(entropy, replicas), np.repeat(T, sweeps // steps)
    )
    h = _quench(U, B, S)
    replica_energy = _energies(B, S, h)
    best = int(replica_energy.argmin())
    _check_energy(U, B, S[best], h[best], replica_energy[best])
    energies = energies.reshape(replicas, steps, -1)
    return Frozen(
        S=S[best].copy(),
        h=h[best].copy(),
        energy=float(replica_energy[best]),
        T=T,
        trace_energy=energies.mean(axis=2),
        trace_energy_variance=energies.var(axis=2),
        acceptance=accepted.reshape(replicas, steps, -1).mean(axis=2) / len(B),
        replica_S=S,
        replica_energy=replica_energy,
    )


def _anneal(
    U: NDArray[np.float64],
    B: NDArray[np.float64],
    keys: NDArray[np.uint64],
    T: NDArray[np.float64],
) -> tuple[NDArray[np.int8], NDArray[np.float64], NDArray[np.int64]]:
    """Return the spins (R, N) after the last sweep; energies and flips (R, sweeps) of all."""
    replicas, size = len(keys), len(B)
    padded = -(-size // kernels.BLOCK) * kernels.BLOCK
    couplings = _aligned((padded, padded), 0.0)
    couplings[:size, :size] = U
    spins = _aligned((replicas, padded), 1.0)
    fields = _aligned((replicas, padded), -np.inf)
    energies = np.empty((replicas, len(T)))
    accepted = np.empty((replicas, len(T)), np.int64)

    S = _random_spins(keys, size)
    h = _local_fields(U, B, S)
    energy = _energies(B, S, h)
    for first in range(0, len(T), _SWEEPS_PER_REFRESH):
        chunk = slice(first, min(first + _SWEEPS_PER_REFRESH, len(T)))
        spins[:, :size] = S
        fields[:, :size] = h
        changes = np.empty((replicas, chunk.stop - first))
        flips = np.empty(changes.shape, np.int64)
        kernels.anneal(couplings, spins, fields, T[chunk], keys, first + 1, changes, flips)
        energies[:, chunk] = energy[:, None] + changes.cumsum(axis=1)
        accepted[:, chunk] = flips
        S = spins[:, :size].astype(np.int8)
        h = _local_fields(U, B, S)
        energy = _energies(B, S, h)
        _check_drift(energies[:, chunk.stop - 1], energy, h)
    return S, energies, accepted


def _aligned(shape: tuple[int, int], value: float) -> NDArray[np.float32]:
    """Return a float32 array filled with ``value`` that starts at a cache line (64 bytes)."""
    length = shape[0] * shape[1]
    memory = np.empty(length + 15, np.float32)
    first = -(memory.ctypes.data // 4) % 16
    array = memory[first : first + length].reshape(shape)
    array.fill(value)
    return array


def _quench(
    U: NDArray[np.float64], B: NDArray[np.float64], S: NDArray[np.int8]
) -> NDArray[np.float64]:
    """Turn spins of ``S`` (R, N) until none can lower the energy; return their exact fields.

    A spin and the one that it couples to most are also turned together: they are bound long
    before the rest is settled, and single flips then no longer turn them.
    """
    partner = np.abs(U).argmax(axis=1)
    h = _local_fields(U, B, S)
    for _ in range(_QUENCHES):
        for r in range(len(S)):
            kernels.quench(U, partner, S[r], h[r])
        h = _local_fields(U, B, S)
        if not (S * h > 0).any():
            return h
    raise RuntimeError(f"the quench does not settle within {_QUENCHES} recomputations of h")


def _check_drift(
    tracked: NDArray[np.float64], exact: NDArray[np.float64], h: NDArray[np.float64]
) -> None:
    """Raise if the energy followed through the flips has left the exact one, both (R,)."""
    error = np.abs(tracked - exact)
    allowed = _DRIFT * np.abs(h).sum(axis=1)
    if not (error <= allowed).all():
        raise RuntimeError(
            f"float32 fields let the energy drift by {error.max():.3g} eV; "
            f"at most {allowed.min():.3g} eV is allowed between refreshes"
        )


def _check_energy(
    U: NDArray[np.float64],
    B: NDArray[np.float64],
    S: NDArray[np.int8],
    h: NDArray[np.float64],
    energy: float,
) -> None:
    """Raise if the energy from the fields is not the sum over pairs."""
    pairs = kernels.pair_energy(U, B, S)
    if not abs(energy - pairs) <= _ROUNDING * np.abs(h).sum():
        raise RuntimeError(f"energy from the fields is {energy} eV, from the pairs {pairs} eV")


def _field_scale(U: NDArray[np.float64], B: NDArray[np.float64], entropy: int) -> float:
    keys = _words(np.random.SeedSequence(entropy, spawn_key=(1,)), -(-_SCALE_FIELDS // len(B)))
    magnitude = np.abs(_local_fields(U, B, _random_spins(keys, len(B))))
    return float(np.median(magnitude[magnitude > 0])) if magnitude.any() else 0.0


def _random_spins(keys: NDArray[np.uint64], size: int) -> NDArray[np.int8]:
    S = np.empty((len(keys), size), np.int8)
    kernels.random_spins(keys, S)
    return S


def _local_fields(
    U: NDArray[np.float64], B: NDArray[np.float64], S: NDArray[np.int8]
) -> NDArray[np.float64]:
    h = np.empty(S.shape)
    kernels.local_fields(U, B, S, h)
    return h


def _energies(
    B: NDArray[np.float64], S: NDArray[np.int8], h: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return E = ½ Σ_i (h_i + B_i) S_i of each row."""
    return 0.5 * ((h + B) * S).sum(axis=1)


def _replica_keys(entropy: int, replicas: int) -> NDArray[np.uint64]:
    """Return four random 32-bit words a replica, (replicas, 4)."""
    return np.concatenate(
        [_words(np.random.SeedSequence(entropy, spawn_key=(0, r)), 1) for r in range(replicas)]
    )


def _words(sequence: np.random.SeedSequence, rows: int) -> NDArray[np.uint64]:
    return sequence.generate_state(4 * rows).astype(np.uint64).reshape(rows, 4)


def _hamiltonian(U: ArrayLike, B: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ``U`` and ``B`` as float64 arrays if they are what they should be."""
    U, B = np.ascontiguousarray(U, np.float64), np.ascontiguousarray(B, np.float64)
    if U.ndim != 2 or U.shape[0] != U.shape[1] or not len(U):
        raise ValueError(f"U has shape {U.shape}; it must be (N, N) with N at least 1")
    if B.shape != U.shape[:1]:
        raise ValueError(f"B has shape {B.shape}; with this U it must be ({len(U)},)")
    for name, array in (("U", U), ("B", B)):
        if not np.isfinite(array).all():
            raise ValueError(f"{name} has values that are not finite; all must be")
    if U.diagonal().any():
        i = int(np.flatnonzero(U.diagonal())[0])
        raise ValueError(f"U[{i}, {i}] is {U[i, i]}; the diagonal must be zero")
    if not np.array_equal(U, U.T):
        raise ValueError(f"U differs from its transpose by {np.abs(U - U.T).max()}; make it equal")
    return U, B


def _entropy(key: int | Sequence[int]) -> int:
    """Return the key as one integer below 2¹²⁸."""
    parts = [index(part) for part in (key if isinstance(key, Sequence | np.ndarray) else [key])]
    bits = 128 // max(len(parts), 1)
    if len(parts) not in (1, 2) or not all(0 <= part < 1 << bits for part in parts):
        raise ValueError(f"key is {key}; it must be an integer below 2¹²⁸ or two below 2⁶⁴, ≥ 0")
    return sum(part << bits * place for place, part in enumerate(parts))


def _counts(sweeps: int, steps: int, replicas: int) -> tuple[int, int, int]:
    sweeps, steps = _count("sweeps", sweeps), _count("steps", steps)
    if sweeps % steps:
        raise ValueError(f"sweeps is {sweeps}; it must be a multiple of steps, here {steps}")
    if sweeps >= 1 << 32:
        raise ValueError(f"sweeps is {sweeps}; it must be below 2³²")
    return sweeps, steps, _count("replicas", replicas)


def _count(name: str, value: int) -> int:
    if isinstance(value, bool) or index(value) < 1:
        raise ValueError(f"{name} is {value}; it must be a positive integer")
    return index(value)

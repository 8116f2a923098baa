"""What every way to freeze a realisation with dense couplings has in common.

The kernels work on float32 couplings and fields, which drift. So replicas are refreshed now and
then: their fields are summed anew in float64, the energy that was followed through all flips is
compared with the exact one, and no energy is handed back that was not computed from its spins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import index
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasspipe.kernels import freeze as kernels
from glasspipe.threads import cut, each
from glasspipe.units import unit_of

SWEEPS_PER_REFRESH = 500

_ATTEMPTS_PER_PIECE = 50_000_000
_SCALE, _SCALE_FIELDS = 1, 2000
_QUENCHES = 100
# Largest ratio of the energy's error to Σ|h_i|: of float32 between refreshes, and of float64.
_DRIFT = 1e-4
_ROUNDING = 1e-11


@dataclass(frozen=True)
class Replicas:
    """Replicas of one realisation, as the kernels change them in place.

    Parameters
    ----------
    U, B : float64 arrays, shapes (N, N) and (N,)
        Couplings and random fields, eV.
    couplings : float32 array, shape (M, W)
        ``U``, padded as the kernels want it.
    spins : float32 array, shape (R, M)
        Spins; 1 where there is none.
    fields : float32 array, shape (tiles, R, 128)
        Local fields; −inf where there is no spin.
    """

    U: NDArray[np.float64]
    B: NDArray[np.float64]
    couplings: NDArray[np.float32]
    spins: NDArray[np.float32]
    fields: NDArray[np.float32]

    @classmethod
    def at_random(
        cls, U: NDArray[np.float64], B: NDArray[np.float64], keys: NDArray[np.uint64]
    ) -> "Replicas":
        """Return replicas with random spins; their fields are there after `refresh`."""
        S = random_spins(keys, len(B))
        return cls(U, B, rows(U), *padded(S, np.full(S.shape, -np.inf)))

    @property
    def S(self) -> NDArray[np.int8]:
        """The spins, shape (R, N)."""
        return self.spins[:, : len(self.B)].astype(np.int8)

    @property
    def h(self) -> NDArray[np.float32]:
        """The local fields, shape (R, N)."""
        return self.fields.swapaxes(0, 1).reshape(len(self.spins), -1)[:, : len(self.B)]

    def refresh(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute the fields anew; return the exact energies (R,) and fields (R, N)."""
        S = self.S
        h = local_fields(self.U, self.B, S)
        self.fields[...] = padded(S, h)[1]
        return energies(self.B, S, h), h

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what `restore` needs."""
        return {"S": self.S, "fields": self.h}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Continue where ``state`` was taken, to the last bit."""
        self.spins[...], self.fields[...] = padded(state["S"], state["fields"])

    def piece(self, done: int, *ends: int) -> int:
        """Return up to which sweep to go before anyone is told: the nearest of ``ends`` at most."""
        longest = max(1, _ATTEMPTS_PER_PIECE // self.spins.size)
        refresh = done - done % SWEEPS_PER_REFRESH + SWEEPS_PER_REFRESH
        return min(done + longest, refresh, *ends)


def rows(U: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return couplings (N, N) as the kernels want them, (M, W), zero where there is no spin.

    Rows are an odd number of blocks apart, so that those of a block do not share sets of a cache.
    """
    blocks, tiles = -(-len(U) // kernels.BLOCK), -(-len(U) // kernels.COLUMNS)
    height, width = blocks * kernels.BLOCK, tiles * kernels.COLUMNS + kernels.BLOCK
    couplings = _aligned(height * width).reshape(height, width)
    couplings[: len(U), : len(U)] = U
    return couplings


def padded(
    S: NDArray[np.int8], h: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return spins and fields, both (R, N), as the kernels want them."""
    replicas, size = S.shape
    width, tiles = -(-size // kernels.BLOCK) * kernels.BLOCK, -(-size // kernels.COLUMNS)
    spins = _aligned(replicas * width).reshape(replicas, width)
    spins.fill(1.0)
    spins[:, :size] = S
    wide = np.full((replicas, tiles * kernels.COLUMNS), -np.inf, np.float32)
    wide[:, :size] = h
    fields = _aligned(wide.size).reshape(tiles, replicas, kernels.COLUMNS)
    fields[...] = wide.reshape(replicas, tiles, -1).swapaxes(0, 1)
    return spins, fields


def _aligned(length: int) -> NDArray[np.float32]:
    """Return float32 zeros that start at a cache line (64 bytes)."""
    memory = np.empty(length + 15, np.float32)
    first = -(memory.ctypes.data // 4) % 16
    array = memory[first : first + length]
    array.fill(0.0)
    return array


def quench(
    U: NDArray[np.float64], B: NDArray[np.float64], S: NDArray[np.int8]
) -> NDArray[np.float64]:
    """Turn spins of ``S`` (R, N) until none can lower the energy; return their exact fields.

    A spin and the one that it couples to most are also turned together: they are bound long
    before the rest is settled, and single flips then no longer turn them.
    """
    partner = np.abs(U).argmax(axis=1)
    h = local_fields(U, B, S)
    for _ in range(_QUENCHES):
        each(partial(kernels.quench, U, partner), list(zip(S, h, strict=True)))
        h = local_fields(U, B, S)
        if not (S * h > 0).any():
            return h
    raise RuntimeError(f"the quench does not settle within {_QUENCHES} recomputations of h")


def check_drift(
    tracked: NDArray[np.float64], exact: NDArray[np.float64], h: NDArray[np.float64]
) -> None:
    """Raise if the energy followed through the flips has left the exact one, both (R,)."""
    error = np.abs(tracked - exact)
    allowed = _DRIFT * np.abs(h).sum(axis=1)
    if not (error <= allowed).all():
        farthest = (error / allowed).max()
        raise RuntimeError(
            f"float32 fields let the energy drift {farthest:.3g} times as far as is allowed between"
            " refreshes"
        )


def check_energy(
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


def typical_field(U: NDArray[np.float64], B: NDArray[np.float64], entropy: int) -> float:
    """Return the median |h_i| of random spins, fields that vanish left out."""
    return median_size(local_fields(U, B, spins_of_scale(entropy, len(B))))


def spins_of_scale(entropy: int, size: int) -> NDArray[np.int8]:
    """Return random spins (R, N) whose fields say what a typical field is: 2000 of them or more."""
    keys = _words(np.random.SeedSequence(entropy, spawn_key=(_SCALE,)), -(-_SCALE_FIELDS // size))
    return random_spins(keys, size)


def median_size(h: NDArray[np.float64]) -> float:
    """Return the median |h| of fields, those that vanish left out; 0 if all do."""
    magnitude = np.abs(h)
    return float(np.median(magnitude[magnitude > 0])) if magnitude.any() else 0.0


def random_spins(keys: NDArray[np.uint64], size: int) -> NDArray[np.int8]:
    """Return random spins ±1, one row (N,) for each key."""
    S = np.empty((len(keys), size), np.int8)
    kernels.random_spins(keys, S)
    return S


def local_fields(
    U: NDArray[np.float64], B: NDArray[np.float64], S: NDArray[np.int8]
) -> NDArray[np.float64]:
    """Return h_i = Σ_j U_ij S_j + B_i of each row of ``S``."""
    h = np.empty(S.shape)
    each(lambda first, last: kernels.local_fields(U, B, S[first:last], h[first:last]), cut(len(S)))
    return h


def energies(
    B: NDArray[np.float64], S: NDArray[np.int8], h: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return E = ½ Σ_i (h_i + B_i) S_i of each row."""
    return 0.5 * ((h + B) * S).sum(axis=1)


def replica_keys(entropy: int, number: int, purpose: int = 0) -> NDArray[np.uint64]:
    """Return four random 32-bit words for each of the replicas, or for what else draws numbers."""
    return np.concatenate(
        [_words(np.random.SeedSequence(entropy, spawn_key=(purpose, r)), 1) for r in range(number)]
    )


def _words(sequence: np.random.SeedSequence, rows: int) -> NDArray[np.uint64]:
    return sequence.generate_state(4 * rows).astype(np.uint64).reshape(rows, 4)


def hamiltonian(U: ArrayLike, B: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
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


def in_own_unit(
    U: NDArray[np.float64], B: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return ``U`` and ``B`` in a unit that float32 holds, and that unit in eV."""
    unit = unit_of(float(max(np.abs(U).max(), np.abs(B).max())))
    return (U, B, unit) if unit == 1 else (U / unit, B / unit, unit)


def entropy(key: int | Sequence[int]) -> int:
    """Return the key as one integer below 2¹²⁸."""
    parts = [index(part) for part in (key if isinstance(key, Sequence | np.ndarray) else [key])]
    bits = 128 // max(len(parts), 1)
    if len(parts) not in (1, 2) or not all(0 <= part < 1 << bits for part in parts):
        raise ValueError(f"key is {key}; it must be an integer below 2¹²⁸ or two below 2⁶⁴, ≥ 0")
    return sum(part << bits * place for place, part in enumerate(parts))


def count(name: str, value: int) -> int:
    """Return a positive integer, or refuse what is none."""
    if isinstance(value, bool) or index(value) < 1:
        raise ValueError(f"{name} is {value}; it must be a positive integer")
    return index(value)

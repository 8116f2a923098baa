"""The far part of an Ewald sum as matrix products.

A reciprocal sum inside a loop over pairs costs pairs × modes in scalar code. It factorises: with
G(q) = Σ_k ±v_k v_kᵀ, a mode gives each defect three real amplitudes v_k·f(q), where f is the
force of its multipole (γq or ζqq), and all couplings are one symmetric product of the columns
(amplitude cos q·r, amplitude sin q·r). Columns are made and used a block at a time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, pi

import numpy as np
from numpy.typing import NDArray

from glasspipe.elastic.greens import Ewald
from glasspipe.kernels import modes as kernel
from glasspipe.threads import PARTS, cut, each, in_parts

Array = NDArray[np.float64]

BLOCK = 256
"""Modes in a block: the columns of 500 defects then fit into a core's cache."""
_AT_ONCE = 250
"""Defects whose waves are held at once, likewise."""
_ROWS = 256
"""Of a product of columns that are made at once: the more, the fewer operations in vain."""


@dataclass(frozen=True)
class Block:
    """Channels of one sign: a channel is a mode and an eigenvector of its G(q).

    Parameters
    ----------
    sign : float
        Sign of the eigenvalues.
    n : array (modes, 3)
        Integers of q = 2πn/L of the modes that occur.
    mode : array (channels,)
        Index of each channel's mode in ``n``.
    q, v : array (channels, 3)
        Wave vector, Å⁻¹, and eigenvector times √(2|λ|/V).
    """

    sign: float
    n: NDArray[np.int64]
    mode: NDArray[np.int64]
    q: Array
    v: Array

    def dipole_weights(self) -> Array:
        """Return v_α q_β as (9, channels): a force dipole times this is its amplitudes."""
        return np.einsum("ca,cb->abc", self.v, self.q).reshape(9, -1)

    def gradient_weights(self) -> Array:
        """Return v_γ q_δ q_ε as (27, channels), for the next multipole."""
        return np.einsum("ca,cb,cd->abdc", self.v, self.q, self.q).reshape(27, -1)

    def contracted(self, structure: Array, weights: Array) -> Array:
        """Return what the structure factors (components, 2, modes) of moments are in its channels.

        ``weights`` (components, channels); result (2, channels).
        """
        return np.einsum("mc,mpc->pc", weights, structure[:, :, self.mode])

    def weights(self, dimensions: int) -> Array:
        """Return those of multipoles in an array (N, 3, 3) or (N, 3, 3, 3)."""
        return self.dipole_weights() if dimensions == 3 else self.gradient_weights()


@lru_cache(maxsize=4)
def blocks(ewald: Ewald) -> list[Block]:
    """All channels of the far part, in blocks of one sign; not to be modified."""
    n = ewald.modes()
    values, vectors = np.linalg.eigh(ewald.far_green(n))
    v = (vectors * np.sqrt(2 * np.abs(values) / ewald.volume)[:, None, :]).transpose(0, 2, 1)
    return [
        _block(sign, n[modes], values[modes], v[modes], ewald)
        for sign in (1.0, -1.0)
        for modes in _split(np.flatnonzero((np.sign(values) == sign).any(axis=1)))
    ]


def _block(sign: float, n: NDArray[np.int64], values: Array, v: Array, ewald: Ewald) -> Block:
    mode, which = np.nonzero(np.sign(values) == sign)
    return Block(sign, n, mode, 2 * pi * n[mode] / ewald.edges, v[mode, which])


def _split(index: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    return (index[start : start + BLOCK] for start in range(0, len(index), BLOCK))


class Waves:
    """Plane waves at the defects of one realisation.

    Parameters
    ----------
    position : array (N, 3)
        Å.
    ewald : Ewald
        The split whose modes are wanted.
    """

    def __init__(self, position: Array, ewald: Ewald) -> None:
        top = max((int(np.abs(block.n).max()) for block in blocks(ewald)), default=0)
        self._powers = np.empty((len(position), 3, 2 * top + 1), dtype=complex)
        each(kernel.powers, _cut(position), 2 * pi * position / ewald.edges, self._powers)

    def unit(self, block: Block) -> Array:
        """Return cos q·r and sin q·r of the block's modes, (N, 2, modes)."""
        out = np.empty((len(self._powers), 2, len(block.n)))
        each(kernel.unit_waves, _cut(out), self._powers, block.n, out)
        return out


def columns(unit: Array, block: Block, amplitude: Array) -> Array:
    """Return (N, 2, channels): amplitude cos q·r and amplitude sin q·r.

    Parameters
    ----------
    unit : array (N, 2, modes)
        From :meth:`Waves.unit`.
    block : Block
        The channels.
    amplitude : array (N, channels)
        Of each defect in each channel.
    """
    out = np.empty((len(amplitude), 2, len(block.mode)))
    each(kernel.modulate, _cut(out), unit, block.mode, amplitude, out)
    return out


def summed(unit: Array, block: Block, moments: Array, weights: Array) -> Array:
    """Return Σ_j of the columns of multipoles, (2, channels), without making the columns.

    Parameters
    ----------
    unit : array (N, 2, modes)
        From :meth:`Waves.unit`.
    block : Block
        The channels.
    moments : array (N, components)
        Multipoles of the defects.
    weights : array (components, channels)
        From :meth:`Block.dipole_weights` or :meth:`Block.gradient_weights`.
    """
    structure = (moments.T @ unit.reshape(len(unit), -1)).reshape(-1, 2, len(block.n))
    return block.contracted(structure, weights)


def structure_factors(
    position: Array, moments: Callable[[slice], Array], ewald: Ewald
) -> list[Array]:
    """Σ_j m_j cos q·r_j and Σ_j m_j sin q·r_j of each block's modes, (components, 2, modes).

    Parameters
    ----------
    position : array (N, 3)
        Å.
    moments : function of slice
        Some of the multipoles, (defects, components).
    ewald : Ewald
        The split.
    """
    of_all, top = blocks(ewald), int(np.max(np.abs(ewald.modes()), initial=0))
    edges = np.cumsum([0, *(2 * len(block.n) for block in of_all)])

    def add(first: int, last: int, total: Array) -> None:
        for start in range(first, last, _AT_ONCE):
            here = slice(start, min(start + _AT_ONCE, last))
            some = moments(here)
            wave = np.empty((3, top + 1, 2, len(some)))
            kernel.powers_of_many(2 * pi * position[here] / ewald.edges, wave)
            unit = np.empty((2 * BLOCK, len(some)))
            for block, from_mode, to_mode in zip(of_all, edges, edges[1:], strict=False):
                made = unit[: to_mode - from_mode]
                kernel.unit_waves_of_many(wave, block.n, made.reshape(-1, 2, len(some)))
                total[from_mode:to_mode] += made @ some

    ranges = cut(len(position), min(PARTS, len(position) // _AT_ONCE))
    parts = in_parts(add, ranges, (edges[-1], moments(slice(1)).shape[1]))
    of_each = np.split(parts.sum(axis=0), edges[1:-1])
    return [sums.reshape(-1, 2, sums.shape[1]).transpose(2, 1, 0) for sums in of_each]


def _cut(defects: Array) -> list[tuple[int, int]]:
    """Return ranges of defects that are worth a thread."""
    return cut(len(defects), len(defects) // _AT_ONCE)


def add_products(columns: Array, sign: float, total: Array) -> None:
    """Add −sign Σ_c columns_ic columns_jc to ``total`` (N, N), in its upper triangle at least."""
    flat, change = columns.reshape(len(columns), -1), np.subtract if sign > 0 else np.add

    def add(first: int, last: int) -> None:
        rows, here = flat[first:last], total[first:last]
        change(here[:, first:last], rows @ rows.T, out=here[:, first:last])
        change(here[:, last:], rows @ flat[last:].T, out=here[:, last:])

    each(add, cut(len(flat), ceil(len(flat) / _ROWS)))

"""Near parts of the pair sums of a realisation, by the compiled loop of its medium.

An isotropic medium has closed forms, eight times as fast as the tables of a crystal. The loops are
apart from the tensors that the laws of theory use, so that a change to them concerns no law.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasspipe.elastic.christoffel import angular_table
from glasspipe.elastic.greens import Ewald
from glasspipe.elastic.kelvin import isotropic_coefficients
from glasspipe.elastic.medium import AnyMedium, Medium
from glasspipe.elastic.window import SHARP_BELL, Bell, ladder_table, smooth_table
from glasspipe.kernels import crystal_pairs, near_sums, pairs
from glasspipe.kernels import rows as row_kernels
from glasspipe.threads import cut, each, in_parts

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]
Split = tuple[Array, float, float]
"""Box (3,), α and the cutoff of the near part; both 0 for the bare kernel at the nearest image."""

_DIFFERENT = [0, 1, 2, 4, 5, 8, 13, 14, 17, 26]
"""Places of xxx, xxy, xxz, xyy, xyz, xzz, yyy, yyz, yzz, zzz among 27."""
_AT_ONCE = 1000
"""Tensors that are worth a thread."""
_ROUNDING = 1e-14
"""ζ is fully symmetric if it is so within this fraction of its largest component."""


def couplings(
    position: Array,
    gamma: Array,
    P: Array,
    medium: AnyMedium,
    split: Split,
    far: Array,
    U: Array,
    B: Array,
) -> None:
    """Fill U with far and near part and add the near part of B, see :mod:`kernels.pairs`."""
    box, alpha, cutoff = split
    if isinstance(medium, Medium):
        closed = alpha, cutoff, *isotropic_coefficients(medium)
        _of_pairs(pairs.couplings, (position, gamma, P, box, *closed, far, U), (B,))
    else:
        tables = cutoff, angular_table(medium), ladder_table()
        _of_pairs(crystal_pairs.couplings, (position, gamma, P, box, *tables, far, U), (B,))


def fields(
    position: Array,
    frozen: Array,
    P: Array,
    zeta: Array,
    medium: AnyMedium,
    split: Split,
    J: Array,
    b_gamma: Array,
    b_eta: Array,
) -> None:
    """Add the near parts of J, b^γ and b^η, see :mod:`kernels.pairs`."""
    box, alpha, cutoff = split
    if isinstance(medium, Medium):
        tensors = frozen, P, zeta, *_symmetry(zeta)
        closed = alpha, cutoff, *isotropic_coefficients(medium)
        _of_pairs(pairs.fields, (position, *tensors, box, *closed, J), (b_gamma, b_eta))
    else:
        tables = cutoff, angular_table(medium), ladder_table()
        of_all = position, frozen, P, zeta, box, *tables, J
        _of_pairs(crystal_pairs.fields, of_all, (b_gamma, b_eta))


def spin_tau(
    position: Array, gamma: Array, zeta: Array, medium: AnyMedium, split: Split, total: Array
) -> None:
    """Add the near part of U^Sτ, see :mod:`kernels.pairs`."""
    box, alpha, cutoff = split
    if isinstance(medium, Medium):
        tensors = gamma, zeta, *_symmetry(zeta)
        closed = alpha, cutoff, *isotropic_coefficients(medium)
        each(pairs.spin_tau, cut(len(position)), position, *tensors, box, *closed, total)
    else:
        of_all = gamma, zeta, box, cutoff, angular_table(medium), ladder_table(), total
        each(crystal_pairs.spin_tau, cut(len(position)), position, *of_all)


def _of_pairs(
    kernel: Callable[..., None], arguments: tuple[Any, ...], totals: tuple[Array, ...]
) -> None:
    """Call a kernel for all rows of pairs; it adds to ``totals`` (N,) at both defects of a pair."""

    def of_rows(first: int, last: int, some: Array) -> None:
        kernel(first, last, *arguments, *some)

    number = len(arguments[0])
    parts = in_parts(of_rows, cut(number), (len(totals), number))
    for total, found in zip(totals, parts.sum(axis=0), strict=True):
        total += found


def divided(
    medium: AnyMedium, box: Array, boundary: str, sharpness: float
) -> tuple[Ewald | None, Split]:
    """Ewald's split of a sum over all images, and what the near part needs of it.

    None with the nearest images alone, of which all is near.
    """
    if boundary == "minimum_image":
        return None, (box, 0.0, 0.0)
    ewald = Ewald.balanced(medium, box, sharpness)
    return ewald, (box, ewald.alpha, ewald.cutoff)


def rows(
    which: NDArray[np.int64],
    position: Array,
    receivers: Array,
    sources: Array,
    medium: AnyMedium,
    split: Split,
    out: Array,
) -> None:
    """Add the near part of the fields on some defects.

    It ends with :data:`glasspipe.elastic.window.SHARP_BELL` in an isotropic medium.
    """
    box, _, cutoff = split
    if isinstance(medium, Medium):
        tensors, about = (packed(receivers), packed(sources)), _with_bell(medium, cutoff)
        same = *tensors, box, cutoff, *about, out
        each(near_sums.strains_of_all, cut(len(which)), which, position, *same)
    else:
        of_all = receivers, sources, box, cutoff, angular_table(medium), ladder_table(), out
        each(row_kernels.crystal, cut(len(which)), which, position, *of_all)


def rows_of_tau(
    which: NDArray[np.int64],
    position: Array,
    zeta: Array,
    sources: tuple[Array, Array, Array],
    tau: Array,
    medium: AnyMedium,
    split: Split,
    out: Array,
) -> None:
    """Add the near part of the fields on the τ of some defects, see :func:`rows`.

    ``zeta`` is that of those defects, and ``sources`` are γ_j S_j, P_j and ζ_j.
    """
    box, _, cutoff = split
    if isinstance(medium, Medium):
        sigma, other = packed_zeta(sources[2])
        sigma *= tau[:, None]
        if other is not None:
            other *= tau[:, None, None]
        of_all = packed(sources[0]), packed(sources[1]), sigma, other
        receivers = packed_cube(symmetric_part(zeta)), packed(zeta)
        about = _with_bell(medium, cutoff)
        same = receivers, *of_all, box, cutoff, *about, out
        each(near_sums.on_tau_of_all, cut(len(which)), which, position, *same)
    else:
        made = *sources[:2], sources[2] * tau[:, None, None, None]
        tables = cutoff, angular_table(medium), ladder_table(), out
        each(row_kernels.crystal_tau, cut(len(which)), which, position, zeta, *made, box, *tables)


def _with_bell(medium: Medium, cutoff: float) -> tuple[float, float, Array]:
    return *isotropic_coefficients(medium), smooth_part(SHARP_BELL, cutoff)


def smooth_part(window: Bell, cutoff: float, degree: int = near_sums.DEGREE) -> Array:
    """D^k [(1 − w)/R] as polynomials of 2 R²/cutoff² − 1, (6, degree + 1), Å^(−2k − 1)."""
    return smooth_table(window, degree) * cutoff ** -(2.0 * np.arange(6) + 1)[:, None]


def packed(tensors: Array, order: Numbers | None = None) -> Array:
    """Different components (N, …, 6) of tensors that are symmetric in the last two indices.

    In an ``order`` (N,), or as they are.
    """
    found, (i, j) = np.empty((*tensors.shape[:-2], 6)), np.triu_indices(3)

    def fill(first: int, last: int) -> None:
        some = tensors[_places(first, last, order)]
        found[first:last] = (some[..., i, j] + some[..., j, i]) / 2

    each(fill, cut(len(tensors), len(tensors) // _AT_ONCE))
    return found


def packed_cube(sigma: Array) -> Array:
    """Different components (N, 10) of tensors that are symmetric in all three indices."""
    return np.ascontiguousarray(sigma.reshape(-1, 27)[:, _DIFFERENT])


def packed_zeta(zeta: Array, order: Numbers | None = None) -> tuple[Array, Array | None]:
    """Fully symmetric part of ζ (N, 10), and ζ itself (N, 3, 6) if that is not all of it.

    In an ``order`` (N,), or as they are.
    """
    sigma = np.empty((len(zeta), len(_DIFFERENT)))

    def make(first: int, last: int, sizes: Array) -> None:
        some = zeta[_places(first, last, order)]
        symmetric = symmetric_part(some)
        sigma[first:last], sizes[:] = packed_cube(symmetric), _sizes(some, symmetric)

    sizes = in_parts(make, cut(len(zeta), len(zeta) // _AT_ONCE), (2,)).max(axis=0)
    return sigma, None if _is_all(sizes) else packed(zeta, order)


def _places(first: int, last: int, order: Numbers | None) -> slice | Numbers:
    """Which defects are in these places of an order."""
    return slice(first, last) if order is None else order[first:last]


def _symmetry(zeta: Array) -> tuple[Array, bool]:
    """Fully symmetric part of ζ, and whether that is all of it."""
    sigma = symmetric_part(zeta)
    return sigma, _is_all(_sizes(zeta, sigma))


def _sizes(zeta: Array, sigma: Array) -> Array:
    """Largest components of ζ without its fully symmetric part, and of ζ."""
    return np.array([np.abs(each).max(initial=0) for each in (zeta - sigma, zeta)])


def _is_all(sizes: Array) -> bool:
    return bool(sizes[0] <= _ROUNDING * sizes[1])


def symmetric_part(zeta: Array) -> Array:
    """Fully symmetric part of ζ, which is symmetric in its last two indices."""
    cyclic = zeta + zeta.transpose(0, 2, 1, 3) + zeta.transpose(0, 3, 2, 1)
    return np.ascontiguousarray(cyclic / 3)

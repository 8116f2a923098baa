"""Few kinds of defect that stand for very many, or for a continuum.

A rotor with turned frames and distributed strengths comes in a hundred thousand kinds. But theory
sees a tensor v only through its couplings u·v to strain fields u, and averages them over all that
the symmetry of the crystal makes of u. A few such averages are kept, and by Carathéodory's theorem
that takes no more kinds than averages, with positive weights.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from glasspipe.defects.tensors import Tensors

Array = NDArray[np.float64]
Kinds = tuple[Tensors, Array]

PROBES: dict[str, dict[str, dict[float, int]]] = {
    "sources": {
        "P": {0.75: 1, 1: 3, 2: 12, 4: 16},
        "gamma": {0.75: 8, 1: 8, 2: 12, 4: 16},
        "zeta": {0.6: 3, 2: 40, 4: 1},
    },
    "receivers": {
        "P": {1: 3, 2: 12, 4: 4},
        "gamma": {1: 3, 2: 12, 4: 4},
        "zeta": {0.75: 3, 2: 40, 4: 1},
    },
}
"""Fields u of which ⟨|u·v|^q⟩ is kept, for each tensor v and power q. Of q = 2 they are more than
the independent ones, so that all are kept; so of q = 4 for γ of sources, in cubic symmetry. Those
of q = α make the scale of a dilute limit: else few strong sources stand for many weak ones of the
same width, and the scale comes out too small, by half where strengths spread over decades."""
_OF_SUMS, _SCALES, _SUMS = 3, (1.0, 0.3), (0.75, 1.0)
"""Fields u of which ⟨|u·(γ ± sP)|^q⟩ is kept, for these s and q: of sources of B + U_S or of b,
whose scale is not known from those of γ and P apart."""
_PRODUCTS = 3
"""Pairs of fields of which ⟨(u·v)²(u'·v')²⟩ is kept for two different tensors."""
_INDEPENDENT = 1e-9
"""Averages that differ from combinations of others by a smaller fraction add nothing."""
_ROUNDING = 1e-9


def thinned(
    found: Kinds, names: frozenset[str], role: str, group: Array, *, strata: int = 1
) -> Kinds:
    """Few of the kinds, with probabilities that keep averages over a symmetry group.

    Kept is ⟨(u·v)²⟩ for every field u, of which widths are made, and ⟨(u·v)⁴⟩ for every u of γ of
    sources in cubic symmetry. Other fourth moments are kept for few u.

    Parameters
    ----------
    found : (Tensors, array (kinds,))
        Kinds and their probabilities.
    names : frozenset of str
        The tensors that matter, out of gamma, P and zeta.
    role : {"sources", "receivers"}
        Receivers cost more, and a law changes less from one to the next.
    group : array (elements, 3, 3)
        Rotations that make the crystal and its defects equivalent to themselves.
    strata : int
        Into how many parts, a power of 2, the kinds are cut first; each keeps its averages.

    Raises
    ------
    ValueError
        If no such probabilities are found.
    """
    kinds, weight = found
    probes = PROBES["sources" if role == "sources" else "receivers"]
    averages = _averages(kinds, {name: probes[name] for name in sorted(names)}, group)
    if role == "sources" and {"gamma", "P"} <= names:
        averages = np.hstack([averages, *_of_sums(kinds, group)])
    averages /= np.abs(averages).max(axis=0)
    share = weight / weight.sum()
    scaled = averages.T * np.sqrt(share)
    independent, size, _ = np.linalg.svd(scaled, full_matrices=False)
    rows = averages @ independent[:, size > _INDEPENDENT * size[0]]
    parts = [(part, *_eliminated(rows[part], share[part])) for part in _cut(rows, share, strata)]
    few = np.concatenate([part[left] for part, left, _ in parts])
    kept = np.concatenate([weight for *_, weight in parts])
    if np.abs(rows[few].T @ kept - rows.T @ share).max() > _ROUNDING:
        raise ValueError("kinds of defect cannot be thinned: rounding changes their averages")
    return kinds[few], weight.sum() * kept / kept.sum()


def _cut(rows: Array, share: Array, number: int) -> list[NDArray[np.int64]]:
    """Parts of equal probability, cut in halves where their averages vary most."""
    if number == 1:
        return [np.arange(len(share))]
    deviation = np.sqrt(share)[:, None] * (rows - share @ rows / share.sum())
    order = np.argsort(rows @ np.linalg.svd(deviation, full_matrices=False)[2][0])
    lower = np.cumsum(share[order]) <= share.sum() / 2
    return [
        half[part]
        for half in (order[lower], order[~lower])
        for part in _cut(rows[half], share[half], number // 2)
    ]


def _eliminated(rows: Array, share: Array) -> tuple[NDArray[np.int64], Array]:
    """Numbers and weights of as many kinds as there are averages, (kinds, averages) of each kind.

    Of one kind too many, averages are dependent: weights move along the dependence until one of
    them is 0. Who is left is chance, where least squares without negative weights would take the
    most extreme kinds.
    """
    most, weight = rows.shape[1], share.copy()
    left: list[int] = []
    for kind in range(len(share)):
        left.append(kind)
        if len(left) > most:
            moved = np.linalg.svd(rows[left].T)[2][-1]
            moved = moved if moved.max() > -moved.min() else -moved
            step = np.where(moved > 0, weight[left] / np.where(moved > 0, moved, 1.0), np.inf)
            gone = int(np.argmin(step))
            weight[left] = np.maximum(weight[left] - step[gone] * moved, 0.0)
            left.pop(gone)
    few = np.array(left)
    return few, weight[few]


def orbits(found: Kinds, group: Array) -> Kinds:
    """Every kind in all the orientations that a group of rotations gives it."""
    kinds, weight = found
    index = np.repeat(np.arange(len(kinds)), len(group))
    turned = kinds[index].turned(np.tile(group, (len(kinds), 1, 1)))
    return turned, np.repeat(weight, len(group)) / len(group)


def _averages(kinds: Tensors, fields: Mapping[str, Mapping[float, int]], group: Array) -> Array:
    """The averages over the group that are kept, (kinds, averages), and 1."""
    found, squares = [np.ones((len(kinds), 1))], []
    for name, powers in fields.items():
        tensor = getattr(kinds, name)
        rows = tensor.reshape(len(tensor), -1)
        rows = rows / (np.abs(rows).max() or 1.0)
        for power, number in powers.items():
            u = _turned_fields(number, tensor.ndim - 1, group).reshape(-1, rows.shape[1])
            values = (np.abs(rows @ u.T) ** power).reshape(len(rows), len(group), number)
            found.append(values.mean(axis=1))
            if power == 2:
                squares.append(values[:, :, :_PRODUCTS])
    found += [np.mean(one * other, axis=1) for one, other in combinations(squares, 2)]
    made = np.hstack(found)
    return made[:, np.any(made > 0, axis=0)]


def _of_sums(kinds: Tensors, group: Array) -> Iterator[Array]:
    """The averages of γ ± sP that are kept, (kinds, averages)."""
    u = _turned_fields(_OF_SUMS, 2, group).reshape(-1, 9)
    gamma, P = (np.reshape(one, (len(kinds), 9)) @ u.T for one in (kinds.gamma, kinds.P))
    unit = max(np.abs(gamma).max(), np.abs(P).max()) or 1.0
    for scale, power in product(_SCALES, _SUMS):
        both = [np.abs((gamma + sign * scale * P) / unit) ** power for sign in (1, -1)]
        made = np.mean(both, axis=0).reshape(len(kinds), len(group), _OF_SUMS).mean(axis=1)
        yield made[:, np.any(made > 0, axis=0)]


def _turned_fields(number: int, order: int, group: Array) -> Array:
    """Fields in all their orientations, (elements, number) + (3,) * order."""
    u = np.broadcast_to(_fields(number, order), (len(group), number) + (3,) * order)
    for axis in range(2, 2 + order):
        turned = np.einsum("gij,g...j->g...i", group, np.moveaxis(u, axis, -1))
        u = np.moveaxis(turned, -1, axis)
    return u


@cache
def _fields(number: int, order: int) -> Array:
    """Random fields that are the same in every run, (number,) + (3,) * order."""
    return np.random.default_rng(number + order).normal(size=(number,) + (3,) * order)

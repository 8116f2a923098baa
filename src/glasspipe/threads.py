"""Threads of a job: compiled loops that release Python's lock, each on a range of its own.

How many threads there are changes no bit of a result: work is cut alike for any number of them, and
what the pieces add up to is added in their order. So nothing that computes is told their number; a
job sets it once, for all that it calls.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PIECES, PARTS = 32, 8
"""In which work is cut: enough for a few threads to end together, however unlike the pieces are,
and fewer where each has large arrays of its own."""


@dataclass(frozen=True)
class _Threads:
    number: int
    pool: ThreadPoolExecutor | None


_ONE = _Threads(1, None)
_THREADS = ContextVar("threads", default=_ONE)


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Let all that is called in the block use so many threads."""
    if number < 1:
        raise ValueError(f"threads: found {number}; allowed: 1 or more")
    with ThreadPoolExecutor(number) as pool:
        token = _THREADS.set(_Threads(number, pool if number > 1 else None))
        try:
            yield
        finally:
            _THREADS.reset(token)


def number() -> int:
    """Return how many threads there are, for libraries that have their own."""
    return _THREADS.get().number


def cut(length: int, pieces: int = PIECES) -> list[tuple[int, int]]:
    """Return first and last (exclusive) of so many equal ranges that make up ``length``.

    None is empty, and there are at most :data:`PIECES`.
    """
    pieces = max(1, min(pieces, length, PIECES))
    edges = [length * piece // pieces for piece in range(pieces + 1)]
    return list(pairwise(edges))


def each(work: Callable[..., object], pieces: Sequence[tuple[Any, ...]], *same: Any) -> None:
    """Call ``work(*piece, *same)`` for every piece, such as a range, several at once.

    None may touch what another one makes. What is called has no threads of its own.
    """
    pool = _THREADS.get().pool
    if pool is None:
        for piece in pieces:
            work(*piece, *same)
        return
    for done in [pool.submit(work, *piece, *same) for piece in pieces]:
        done.result()


def in_parts(
    work: Callable[[int, int, Array], object], ranges: list[tuple[int, int]], shape: tuple[int, ...]
) -> Array:
    """Return what ``work(first, last, part)`` makes of zeros of its own for each range."""
    parts = np.zeros((len(ranges), *shape))
    each(work, [(*ends, part) for ends, part in zip(ranges, parts, strict=True)])
    return parts

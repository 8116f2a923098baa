"""How a long computation is watched, stopped and continued.

The one that computes calls ``observe`` whenever its state is complete, and knows nothing of files,
terminals or signals. Continued from that state, it ends in the same bits.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

State = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Progress:
    """How far it has come.

    Parameters
    ----------
    done, total : int
        Sweeps of every replica.
    energy : float
        Energy per spin now, mean over the replicas, eV.
    acceptance : float
        Accepted over attempted flips since the last call.
    state : mapping of str to array
        What it takes to continue from here; the arrays change later.
    """

    done: int
    total: int
    energy: float
    acceptance: float
    state: State


Observe = Callable[[Progress], None]


def ignore(_: Progress) -> None:
    """Observe nothing."""


def in_units(observe: Observe, unit: float) -> Observe:
    """Observe what counts energies in ``unit``, eV."""
    return lambda progress: observe(replace(progress, energy=progress.energy * unit))

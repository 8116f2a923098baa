"""Freezing by parallel tempering: states at all temperatures at once, which exchange.

Annealing passes each temperature once, and what it froze too early it cannot mend. Here every state
wanders through all temperatures, melts and freezes again. Detailed balance holds once the
temperatures are fixed, so averages are those of equilibrium, unless the run is too short; and how
long is enough only the run itself can say: how often neighbours exchange, how often a state makes
the round trip, whether energies still drift, whether two independent sets agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erfcinv

from glasspipe.kernels import tempering as kernels
from glasspipe.spins import dense
from glasspipe.spins.annealing import Frozen, Schedule, counts, frozen_state, temperatures
from glasspipe.spins.dense import Replicas
from glasspipe.spins.diagnostics import LOG_BINS, fluctuation
from glasspipe.spins.overlap import Overlaps
from glasspipe.spins.progress import Observe, Progress, State, ignore, in_units

_PLACED_AFTER = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4)
"""Shares of the burn-in after which the temperatures are placed anew."""

_FEWEST = 300
"""Sweeps that a placement must rest on: after fewer the cold states still fall, and what their
rates seem to be moves the temperatures away from where they should be."""

_RATES = (1e-3, 0.99)
"""Rates that can be told from 0 and 1, so that no two temperatures fall apart or together."""


@dataclass(frozen=True)
class Tempered:
    """What tempering knows beyond the frozen spins; all of the measured sweeps.

    Parameters
    ----------
    frozen : Frozen
        As from annealing, each set of temperatures being a replica. ``replica_S`` are the lowest
        states met, quenched; ``T`` falls from t_start to t_end.
    swap_rate : float array, shape (replicas, steps − 1)
        Accepted over attempted exchanges of each temperature with the next lower one.
    round_trips : int array, shape (replicas,)
        Ways of a state from t_end to t_start and back.
    round_trip_time : float array, shape (replicas,)
        Mean sweeps of one way there and back, NaN without any.
    log_energy : float array, shape (replicas, bins, steps)
        Mean energy, eV, of the last half of the sweeps, of the quarter before it, and so on; in
        equilibrium they agree.
    """

    frozen: Frozen
    swap_rate: NDArray[np.float64]
    round_trips: NDArray[np.int64]
    round_trip_time: NDArray[np.float64]
    log_energy: NDArray[np.float64]


def temper(
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
    observe: Observe = ignore,
    resume: State | None = None,
) -> Tempered:
    """Freeze H = Σ_{i<j} U_ij S_i S_j + Σ_i B_i S_i (29) by parallel tempering.

    Each replica is a set of ``steps`` states, one at each temperature, that makes sweeps of
    sequential Metropolis and exchanges neighbours. Sweeps count as in annealing, over all
    temperatures, so that the same number costs the same. In the first half of them the
    temperatures are moved, between fixed ends, until all neighbours exchange equally often; runs
    too short to tell how often they do keep the temperatures that they begin with.

    Parameters
    ----------
    U, B, key, t_start, t_end, observe, resume
        As in `glasspipe.spins.annealing.freeze`.
    sweeps : int
        Attempted flips of each spin, over all temperatures, a multiple of ``steps``.
    steps : int
        Number of temperatures.
    schedule : {"geometric", "linear"}
        The temperatures to begin with.
    replicas : int
        Independent sets of temperatures.

    Returns
    -------
    Tempered
        The lowest state met, quenched, and what was measured on the way.

    Raises
    ------
    ValueError
        If an argument is not as above.
    RuntimeError
        If an energy does not agree with its recomputation, or the quench does not settle.
    """
    U, B, unit = dense.in_own_unit(*dense.hamiltonian(U, B))
    entropy = dense.entropy(key)
    sweeps, steps, replicas = counts(sweeps, steps, replicas)
    scale = dense.typical_field(U, B, entropy)
    T = temperatures(scale, schedule=schedule, t_start=t_start, t_end=t_end, steps=steps)
    keys = np.concatenate(
        [dense.replica_keys(entropy, replicas * steps), dense.replica_keys(entropy, replicas, 2)]
    )
    run = _Run.begin(Replicas.at_random(U, B, keys[:-replicas]), keys, T, sweeps // steps)
    if resume is not None:
        run.restore(resume)
    observe = in_units(observe, unit)
    while run.kept["done"] < run.sweeps:
        observe(run.advance())
    found = run.result()
    return replace(found, frozen=found.frozen.times(unit), log_energy=found.log_energy * unit)


def equal_distances(T: NDArray[np.float64], energies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Place temperatures so that neighbours exchange equally often, the ends being fixed.

    Two temperatures exchange at the rate ⟨min(1, exp[(1/T − 1/T')(E − E')])⟩, which is erfc(d/2)
    with d² = (1/T' − 1/T)⟨E − E'⟩ if energies have normal distributions. So d, of the measured
    rate, is a distance along the temperatures, to be divided equally.

    Parameters
    ----------
    T : array, shape (steps,)
        Falling temperatures.
    energies : array, shape (samples, steps)
        Energies there.

    Returns
    -------
    array, shape (steps,)
        Falling temperatures.
    """
    if not (T > 0).all():
        return T
    gain = np.diff(1 / T) * np.diff(energies, axis=1)
    rate = np.exp(np.minimum(gain, 0)).mean(axis=0)
    distance = 2 * erfcinv(np.clip(rate, *_RATES))
    along = np.concatenate([[0.0], distance.cumsum()])
    placed = np.exp(np.interp(np.linspace(0, along[-1], len(T)), along, np.log(T)))
    placed[[0, -1]] = T[[0, -1]]
    return placed


def placements(burn_in: int) -> dict[int, int]:
    """Return after which sweeps the temperatures are placed anew, and what each placement rests on.

    Parameters
    ----------
    burn_in : int
        Sweeps during which they may be.

    Returns
    -------
    dict of int to int
        By the sweep after which they move, the one from which energies count: the later half of
        those since they last moved.
    """
    found: dict[int, int] = {}
    since = 0
    for share in _PLACED_AFTER:
        end = round(share * burn_in)
        settled = (since + end) // 2
        if end - settled >= _FEWEST:
            found[end] = settled
            since = end
    return found


@dataclass(frozen=True)
class _Run:
    """A run; the arrays in ``kept`` change.

    Parameters
    ----------
    replicas : Replicas
        All states, (sets · steps).
    keys : uint64 array, shape (sets · steps + sets, 4)
        Random words of the states and of the exchanges.
    sweeps : int
        Sweeps of each state.
    kept : dict
        What changes and is not in ``replicas``.
    """

    replicas: Replicas
    keys: NDArray[np.uint64]
    sweeps: int
    kept: dict[str, NDArray[Any]]

    @classmethod
    def begin(
        cls, replicas: Replicas, keys: NDArray[np.uint64], T: NDArray[np.float64], sweeps: int
    ) -> "_Run":
        """Return a run before its first sweep."""
        steps, states, size = len(T), len(replicas.spins), len(replicas.B)
        sets = states // steps
        overlaps = Overlaps.none(steps)
        kept: dict[str, NDArray[Any]] = {
            "T": T.copy(),
            "at": np.arange(states).reshape(sets, steps),
            "energy": replicas.refresh()[0],
            "going": np.zeros(states, np.int8),
            "energies": np.zeros((sweeps, sets, steps)),
            "flips": np.zeros((sets, steps), np.int64),
            "swaps": np.zeros((sets, steps - 1), np.int64),
            "trips": np.zeros(sets, np.int64),
            "met_energy": np.full(sets, np.inf),
            "met_S": np.ones((sets, size), np.int8),
            "lowest_energy": np.full(sets, np.inf),
            "lowest_S": np.ones((sets, size), np.int8),
            "overlap_counts": overlaps.counts,
            "overlap_sums": overlaps.sums,
            "done": np.array(0),
        }
        return cls(replicas, keys, sweeps, kept)

    @property
    def burn_in(self) -> int:
        """Sweeps before anything is measured."""
        return self.sweeps // 2

    @property
    def overlaps(self) -> Overlaps:
        """Overlaps counted so far."""
        return Overlaps(self.kept["overlap_counts"], self.kept["overlap_sums"])

    def restore(self, state: State) -> None:
        """Continue where ``state`` was taken."""
        self.replicas.restore(state)
        for name, array in self.kept.items():
            array[...] = state[name]

    def advance(self) -> Progress:
        """Make some sweeps, and what is due after them."""
        kept, replicas = self.kept, self.replicas
        first = int(kept["done"])
        windows = placements(self.burn_in)
        ends = [end for end in (*windows, self.burn_in, self.sweeps) if end > first]
        done = replicas.piece(first, *ends)
        flips = kept["flips"].sum()
        self._sweep(first, done)
        flips = kept["flips"].sum() - flips
        kept["done"][...] = done
        if done == self.sweeps or done % dense.SWEEPS_PER_REFRESH == 0:
            self._refresh()
        if done in windows:
            settled = kept["energies"][windows[done] : done].reshape(-1, len(kept["T"]))
            kept["T"][:] = equal_distances(kept["T"], settled)
        if done == self.burn_in:
            for name in ("going", "flips", "swaps", "trips", "overlap_counts", "overlap_sums"):
                kept[name][...] = 0
        size, state = len(replicas.B), {**kept, **replicas.state()}
        acceptance = flips / (size * len(replicas.spins) * (done - first))
        energy = kept["energies"][done - 1, :, -1].mean() / size
        return Progress(done, self.sweeps, float(energy), float(acceptance), state)

    def _sweep(self, first: int, done: int) -> None:
        kept, replicas = self.kept, self.replicas
        kernels.temper(
            replicas.couplings,
            replicas.spins,
            replicas.fields,
            kept["T"],
            self.keys,
            first + 1,
            len(replicas.B),
            kept["at"],
            kept["energy"],
            kept["going"],
            kept["energies"][first:done],
            kept["flips"],
            kept["swaps"],
            kept["trips"],
            (kept["met_energy"], kept["met_S"]),
            (kept["overlap_counts"], kept["overlap_sums"]),
        )

    def _refresh(self) -> None:
        """Replace what was followed by what is exact; quench the lowest states met since then."""
        kept, replicas = self.kept, self.replicas
        energy, h = replicas.refresh()
        dense.check_drift(kept["energy"], energy, h)
        kept["energy"][:] = energy
        S = kept["met_S"].copy()
        energy = dense.energies(replicas.B, S, dense.quench(replicas.U, replicas.B, S))
        lower = energy < kept["lowest_energy"]
        kept["lowest_energy"][lower], kept["lowest_S"][lower] = energy[lower], S[lower]
        kept["met_energy"][:] = np.inf

    def result(self) -> Tempered:
        """Return what came of it."""
        kept = self.kept
        measured = kept["energies"][self.burn_in :]
        frozen = frozen_state(
            self.replicas.U,
            self.replicas.B,
            kept["lowest_S"],
            overlaps=self.overlaps,
            T=kept["T"],
            trace_energy=measured.mean(axis=0),
            trace_energy_variance=fluctuation(np.moveaxis(measured, 0, -1)),
            acceptance=kept["flips"] / (len(measured) * len(self.replicas.B)),
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            return Tempered(
                frozen=frozen,
                swap_rate=kept["swaps"] / self._attempts(),
                round_trips=kept["trips"],
                round_trip_time=np.where(
                    kept["trips"] > 0, kept["T"].size * len(measured) / kept["trips"], np.nan
                ),
                log_energy=_log_means(measured),
            )

    def _attempts(self) -> NDArray[np.int64]:
        """Measured sweeps after which each pair of neighbours tried to exchange, (steps − 1,)."""
        even = self.sweeps // 2 - self.burn_in // 2  # sweeps are counted from 1
        odd = self.sweeps - self.burn_in - even
        return np.where(np.arange(len(self.kept["T"]) - 1) % 2 == 0, even, odd)


def _log_means(energies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return means (sets, bins, steps) over the last half, the quarter before it, and so on."""
    edges = [len(energies) >> n for n in range(LOG_BINS + 1)]
    means = [
        energies[first:last].mean(axis=0) if last > first else np.full(energies.shape[1:], np.nan)
        for last, first in pairwise(edges)
    ]
    return np.stack(means, axis=1)

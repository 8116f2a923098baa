"""Freezing: low-energy states of the S spins by simulated annealing.

H = Σ_{i<j} U_ij S_i S_j + Σ_i B_i S_i (29) has many low-lying minima, and the frozen S decide the
random fields b^γ. So the dynamics is plain sequential Metropolis, which is exact at every
temperature; what is approximate (float32 fields between refreshes) is compared with float64
sums, and the state handed back is stable against every single flip in float64.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasspipe.kernels import freeze as kernels
from glasspipe.spins import dense
from glasspipe.spins.dense import Replicas
from glasspipe.spins.diagnostics import traces
from glasspipe.spins.overlap import Overlaps
from glasspipe.spins.progress import Observe, Progress, State, ignore, in_units
from glasspipe.threads import cut, each, number

Schedule = Literal["geometric", "linear"]


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
        Total energy, eV: mean of its values after each sweep at that temperature, of the later half
        of them at the first one.
    trace_energy_variance : float array, shape (replicas, steps)
        Their variance, eV², see :func:`glasspipe.spins.diagnostics.fluctuation`; over T² it is the
        specific heat.
    acceptance : float array, shape (replicas, steps)
        Accepted over attempted flips.
    replica_S : int8 array, shape (replicas, N)
        Frozen spins of each replica.
    replica_energy : float array, shape (replicas,)
        Their energies, eV, total.
    overlap : float array, shape (3, steps), or None
        Mean q, |q| and q² of all pairs of replicas at each temperature, q = (1/N) Σ_i S_i^a S_i^b;
        with one replica there is none.
    overlap_count : float array, shape (steps, bins), or None
        Histogram of q, equal bins from −1 to 1, each q spread over 2/(N + 1).
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
    overlap: NDArray[np.float64] | None
    overlap_count: NDArray[np.float64] | None

    def times(self, unit: float) -> "Frozen":
        """Return the same with energies that were counted in ``unit``, eV."""
        energies = ("h", "energy", "T", "trace_energy", "replica_energy")
        counted = {name: getattr(self, name) * unit for name in energies}
        return replace(self, **counted, trace_energy_variance=self.trace_energy_variance * unit**2)


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
    U, B = dense.hamiltonian(U, B)
    return dense.typical_field(U, B, dense.entropy(key))


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
    steps = dense.count("steps", steps)
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
    observe: Observe = ignore,
    resume: State | None = None,
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
    observe : function, optional
        Called with the `Progress` every few seconds; what it raises ends the anneal.
    resume : mapping, optional
        The ``state`` of an earlier call with the same arguments, to continue from.

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
    U, B, unit = dense.in_own_unit(*dense.hamiltonian(U, B))
    entropy = dense.entropy(key)
    sweeps, steps, replicas = counts(sweeps, steps, replicas)
    scale = dense.typical_field(U, B, entropy)
    T = temperatures(scale, schedule=schedule, t_start=t_start, t_end=t_end, steps=steps)
    keys = dense.replica_keys(entropy, replicas)
    S, energies, accepted, overlaps = _anneal(
        U, B, keys, T, sweeps // steps, observe=in_units(observe, unit), resume=resume
    )
    energies = energies.reshape(replicas, steps, -1)
    frozen = frozen_state(
        U,
        B,
        S,
        T=T,
        **traces(energies),
        acceptance=accepted.reshape(replicas, steps, -1).mean(axis=2) / len(B),
        overlaps=overlaps,
    )
    return frozen.times(unit)


def frozen_state(
    U: NDArray[np.float64],
    B: NDArray[np.float64],
    S: NDArray[np.int8],
    *,
    overlaps: Overlaps,
    **trace: NDArray[np.float64],
) -> Frozen:
    """Quench the replicas ``S`` (R, N) in place and return the lowest, with the given traces.

    Raises
    ------
    RuntimeError
        If the quench does not settle, or an energy does not agree with its recomputation.
    """
    h = dense.quench(U, B, S)
    replica_energy = dense.energies(B, S, h)
    best = int(replica_energy.argmin())
    dense.check_energy(U, B, S[best], h[best], replica_energy[best])
    several = len(S) > 1
    return Frozen(
        S=S[best].copy(),
        h=h[best].copy(),
        energy=float(replica_energy[best]),
        replica_S=S,
        replica_energy=replica_energy,
        overlap=overlaps.means() if several else None,
        overlap_count=overlaps.counts if several else None,
        **trace,
    )


def _anneal(
    U: NDArray[np.float64],
    B: NDArray[np.float64],
    keys: NDArray[np.uint64],
    T: NDArray[np.float64],
    each: int = 1,
    *,
    observe: Observe = ignore,
    resume: State | None = None,
) -> tuple[NDArray[np.int8], NDArray[np.float64], NDArray[np.int64], Overlaps]:
    """Make ``each`` sweeps at each temperature.

    Returns the spins (R, N) after the last one, energies and flips (R, sweeps) of all sweeps, and
    the overlaps after the last sweep at each temperature.
    """
    total, several = each * len(T), len(keys) > 1
    replicas = Replicas.at_random(U, B, keys)
    overlaps = Overlaps.none(len(T))
    kept = {
        "exact": replicas.refresh()[0],
        "energies": np.empty((len(keys), total)),
        "accepted": np.empty((len(keys), total), np.int64),
        "overlap_counts": overlaps.counts,
        "overlap_sums": overlaps.sums,
        "done": np.array(0),
    }
    if resume is not None:
        replicas.restore(resume)
        for name, array in kept.items():
            array[...] = resume[name]
    while kept["done"] < total:
        first = int(kept["done"])
        end_of_step = first - first % each + each if several else total
        done = replicas.piece(first, end_of_step, total)
        energy = _sweep(replicas, keys, T[np.arange(first, done) // each], kept, first)
        if several and done % each == 0:
            overlaps.add_step(replicas.spins, len(B), done // each - 1)
        kept["done"][...] = done
        acceptance = kept["accepted"][:, first:done].mean() / len(B)
        state = {**kept, **replicas.state()}
        observe(Progress(done, total, energy / len(B), float(acceptance), state))
    return replicas.S, kept["energies"], kept["accepted"], overlaps


def _sweep(
    replicas: Replicas,
    keys: NDArray[np.uint64],
    T: NDArray[np.float64],
    kept: dict[str, NDArray[Any]],
    first: int,
) -> float:
    """Go on from sweep ``first``, one sweep for each of ``T``; return the mean energy.

    ``energies`` holds the changes since the last refresh, and energies up to it: added all at
    once, they do not depend on where the sweeps were interrupted.
    """
    exact, energies = kept["exact"], kept["energies"]
    done = first + len(T)
    changes, flips = np.empty((len(keys), len(T))), np.empty((len(keys), len(T)), np.int64)

    def anneal(start: int, stop: int) -> None:
        some = slice(start, stop)
        fields = np.ascontiguousarray(replicas.fields[:, some])
        about = T, keys[some], first + 1, changes[some], flips[some]
        kernels.anneal(replicas.couplings, replicas.spins[some], fields, *about)
        replicas.fields[:, some] = fields

    each(anneal, cut(len(keys), number()))  # a replica does not depend on those beside it
    energies[:, first:done], kept["accepted"][:, first:done] = changes, flips
    since = slice(first - first % dense.SWEEPS_PER_REFRESH, done)
    if done % dense.SWEEPS_PER_REFRESH and done < energies.shape[1]:
        return float((exact + energies[:, since].sum(axis=1)).mean())
    energies[:, since] = exact[:, None] + energies[:, since].cumsum(axis=1)
    exact[:], h = replicas.refresh()
    dense.check_drift(energies[:, done - 1], exact, h)
    return float(exact.mean())


def counts(sweeps: int, steps: int, replicas: int) -> tuple[int, int, int]:
    """Return the three as integers, if every temperature gets the same number of sweeps."""
    sweeps, steps = dense.count("sweeps", sweeps), dense.count("steps", steps)
    if sweeps % steps:
        raise ValueError(f"sweeps is {sweeps}; it must be a multiple of steps, here {steps}")
    if sweeps >= 1 << 32:
        raise ValueError(f"sweeps is {sweeps}; it must be below 2³²")
    return sweeps, steps, dense.count("replicas", replicas)

"""Freezing of many defects: annealing with near couplings and a far field that is a little old.

What is approximate, how much, and how one knows: the far field comes from a coarse mesh, whose
error is measured against the fine one; beyond the cutoff it lags behind the spins by so many flips
that its root mean square change stays a twentieth of T, as is measured at every refresh; and
neither touches the result, which is quenched on the fields of the fine mesh, themselves compared
with direct Ewald sums.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasspipe.kernels import nearfar as kernels
from glasspipe.spins import dense
from glasspipe.spins.annealing import Frozen, Schedule, counts, temperatures
from glasspipe.spins.chain import Chain, constants_of
from glasspipe.spins.diagnostics import traces
from glasspipe.spins.overlap import Overlaps
from glasspipe.spins.progress import Observe, Progress, State, ignore, in_units
from glasspipe.system.implicit import Implicit, Sums, accurate
from glasspipe.system.rounding import rms
from glasspipe.threads import each

Array = NDArray[np.float64]

FIELD_ERROR = 3e-3
"""Largest error of the fields of the coarse mesh, root mean squares compared."""
_REFINEMENTS = 1.25 ** np.arange(6)
_AGAIN, _ROUNDS = 100, 32
_FEW, _FEWER = 30, 0.7  # that turn by near couplings alone no more, or too many of the round before
_TOLD, _SHARE_TOLD = 10, 20  # spins that are told of each that has turned, or one of so many
_BESIDE, _TOGETHER = 5, 1000  # of those few, whose neighbours may turn, too; at most, of them all


@dataclass(frozen=True)
class Accuracy:
    """What is known of the errors of one realisation.

    Parameters
    ----------
    anneal_error : float
        Of the fields that annealing uses, for random spins: root mean square error over root mean
        square field.
    field_error : float
        Of the reported h of some defects, against direct Ewald sums: root mean square error over
        root mean square of h.
    staleness : float
        Root mean square change of the fields at a refresh over T: mean of all refreshes.
    near_neighbours : float
        Mean number of near neighbours.
    anneal_mesh : tuple of 3 int
        Points of the mesh that annealing uses.
    """

    anneal_error: float
    field_error: float
    staleness: float
    near_neighbours: float
    anneal_mesh: tuple[int, int, int]


ALONE = Accuracy(0.0, 0.0, 0.0, 0.0, (0, 0, 0))
"""That of a single spin, which has no couplings."""


def freeze_implicit(
    hamiltonian: Implicit,
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
) -> tuple[Frozen, Accuracy]:
    """Anneal and quench defects whose couplings are implicit; else as `annealing.freeze`.

    Parameters
    ----------
    hamiltonian : Implicit
        Couplings and random fields.
    key, sweeps, steps, schedule, t_start, t_end, replicas, observe, resume
        As there; ``t_start`` and ``t_end`` are in the same unit.

    Returns
    -------
    Frozen, Accuracy
        The defects in the order in which they were given.

    Raises
    ------
    ValueError
        If an argument is not as above.
    RuntimeError
        If the fields cannot be made good enough, or the quench does not settle.
    """
    entropy = dense.entropy(key)
    sweeps, steps, replicas = counts(sweeps, steps, replicas)
    random = dense.spins_of_scale(entropy, len(hamiltonian.B))[:, hamiltonian.order]
    h = np.stack([hamiltonian.fields(S, hamiltonian.fine) for S in random])
    scale = dense.median_size(h)
    T = temperatures(scale, schedule=schedule, t_start=t_start, t_end=t_end, steps=steps)
    coarse, anneal_error = coarse_sums(hamiltonian, random[0], h[0])
    constants = constants_of(hamiltonian, coarse, scale)
    keys = dense.replica_keys(entropy, replicas)
    chains = [Chain(constants, keys[r : r + 1], hamiltonian) for r in range(replicas)]
    observe = in_units(observe, hamiltonian.unit)
    progress, overlaps = _anneal(chains, T, sweeps // steps, observe=observe, resume=resume)
    S = np.stack([chain.S for chain in chains]).astype(np.int8)
    (S, h), field_error = settled(hamiltonian, S, pause=lambda: observe(progress))
    energies = progress.state["energies"].reshape(replicas, steps, -1)
    accepted = progress.state["accepted"].reshape(replicas, steps, -1)
    frozen = _lowest(
        hamiltonian,
        S,
        h,
        overlaps,
        T=T,
        **traces(energies),
        acceptance=accepted.mean(axis=2) / S.shape[1],
    )
    accuracy = Accuracy(
        anneal_error=anneal_error,
        field_error=field_error,
        staleness=float(np.mean([chain.lag for chain in chains])),
        near_neighbours=hamiltonian.rows.start[-1] / S.shape[1],
        anneal_mesh=coarse.mesh.shape,
    )
    return frozen.times(hamiltonian.unit), accuracy


def _anneal(
    chains: list[Chain], T: Array, length: int, *, observe: Observe, resume: State | None
) -> tuple[Progress, Overlaps]:
    """Take all replicas through the temperatures; return the last progress and the overlaps."""
    size, shape = len(chains[0].S), (len(chains), length * len(T))
    overlaps = Overlaps.none(len(T))
    kept = {
        "energies": np.empty(shape),
        "accepted": np.empty(shape, np.int64),
        "overlap_counts": overlaps.counts,
        "overlap_sums": overlaps.sums,
        "done": np.array(0),
    }
    if resume is not None:
        for name, array in kept.items():
            array[...] = resume[name]
        for r, chain in enumerate(chains):
            chain.restore({name: resume[f"{name} {r}"] for name in chain.state()})
    for sweep in range(int(kept["done"]), shape[1]):
        each(
            _sweep,
            list(zip(chains, kept["energies"], kept["accepted"], strict=True)),
            sweep,
            T[sweep // length],
        )
        if len(chains) > 1 and (sweep + 1) % length == 0:
            overlaps.add_step(np.stack([chain.S for chain in chains]), size, sweep // length)
        kept["done"][...] = sweep + 1
        observe(_progress(chains, kept))
    return _progress(chains, kept), overlaps


def _sweep(
    chain: Chain, energies: Array, accepted: NDArray[np.int64], sweep: int, T: float
) -> None:
    """Take a replica through one sweep."""
    energies[sweep], accepted[sweep] = chain.sweep_at(T)


def _progress(chains: list[Chain], kept: dict[str, NDArray[Any]]) -> Progress:
    """Return how far the replicas are, and what it takes to go on."""
    done, size, state = int(kept["done"]), len(chains[0].S), dict(kept)
    for r, chain in enumerate(chains):
        state |= {f"{name} {r}": array for name, array in chain.state().items()}
    energy, flips = (float(kept[name][:, done - 1].mean()) for name in ("energies", "accepted"))
    return Progress(done, kept["energies"].shape[1], energy / size, flips / size, state)


def _lowest(
    hamiltonian: Implicit, S: NDArray[np.int8], h: Array, overlaps: Overlaps, **trace: Array
) -> Frozen:
    """Return the lowest of the settled replicas (R, N), the defects in the order as given."""
    energy = dense.energies(hamiltonian.B, S, h)
    best, back = int(energy.argmin()), np.argsort(hamiltonian.order)
    several = len(S) > 1
    return Frozen(
        S=S[best, back],
        h=h[best, back],
        energy=float(energy[best]),
        replica_S=S[:, back],
        replica_energy=energy,
        overlap=overlaps.means() if several else None,
        overlap_count=overlaps.counts if several else None,
        **trace,
    )


def coarse_sums(hamiltonian: Implicit, S: NDArray[np.int8], h: Array) -> tuple[Sums, float]:
    """Return sums with a mesh whose fields are good enough to anneal, and their error."""
    for refinement in _REFINEMENTS:
        sums = hamiltonian.coarse(refinement)
        error = rms(hamiltonian.fields(S, sums) - h) / (rms(h) or 1.0)
        if error <= FIELD_ERROR:
            return sums, error
    raise RuntimeError(
        f"a mesh of {sums.mesh.shape} points still has an error of {error:.2g} of the field;"
        f" at most {FIELD_ERROR} is allowed"
    )


def settled(
    hamiltonian: Implicit,
    S: NDArray[np.int8],
    *,
    pause: Callable[[], None] = lambda: None,
) -> tuple[tuple[NDArray[np.int8], Array], float]:
    """Turn spins of S (R, N) until none can lower the energy; return them, their h and its error.

    ``pause`` is called before every round. If h turns out less accurate than is asked for, they go
    on with a finer mesh.

    Raises
    ------
    RuntimeError
        If that does not end, or no mesh is accurate enough.
    """
    S = S.copy()

    def settle(aim: float) -> tuple[tuple[NDArray[np.int8], Array], float]:
        sums = hamiltonian.of_error(aim)
        h = np.stack([_settle(hamiltonian, each, sums, pause) for each in S])
        best = dense.energies(hamiltonian.B, S, h).argmin()
        return (S.copy(), h), hamiltonian.error(S[best], h[best])

    return accurate(settle, hamiltonian.accuracy)


def _settle(
    hamiltonian: Implicit, S: NDArray[np.int8], fine: Sums, pause: Callable[[], None]
) -> Array:
    """Turn the spins of a replica, in place, and return their fields on the fine mesh.

    In the end spins turn but once before their fields are summed again, as exactly as that is: then
    the energy falls each time, and it ends.
    """
    h = hamiltonian.fields(S, fine)
    for again in range(_AGAIN):
        before = S.copy()
        _turn(hamiltonian, S, h, pause, rounds=max(1, _ROUNDS >> again))
        if np.array_equal(S, before):
            return h
        h += hamiltonian.applied(S - before, fine)
    raise RuntimeError(f"the quench does not settle within {_AGAIN} recomputations of h")


def _turn(
    hamiltonian: Implicit,
    S: NDArray[np.int8],
    exact: Array,
    pause: Callable[[], None],
    *,
    rounds: int,
) -> None:
    """Turn spins of S (N,), in place, whose fields were ``exact``, while that is of use.

    As long as ever fewer turn, all do that would turn by near couplings alone. Two far apart do not
    see each other turn then, and could go on for ever: so the few of the end, and those of the last
    round, turn by all their couplings. After a round those that are next to turn, a share of all,
    are told what has changed far away, by a mesh that costs less than that of ``exact``: the others
    are too stable for it. Were they a fixed number, of many defects some that turn would not be
    among them.
    """
    before, near, far, gain = S.copy(), exact.copy(), np.zeros(len(S)), np.empty(len(S))
    fewest = len(S)
    for left in reversed(range(rounds)):
        pause()
        new, h = S.copy(), near + far
        kernels.quench(hamiltonian.rows, *hamiltonian.strongest, new, h)
        turned = new != S
        number = int(np.count_nonzero(turned))
        if not number:
            return
        kernels.gains(*hamiltonian.strongest, new, h, gain)
        if left and _FEW < number < _FEWER * fewest:
            fewest = number
        else:
            gain[turned] = np.inf
            some = _greatest(gain, min(_TOLD * (number + _BESIDE), _TOGETHER))
            new = S.copy()
            new[some] = _quenched(hamiltonian, some, S[some], (near + far)[some])
            if np.array_equal(new, S):
                return
        change = new - S
        S[:] = new
        if not left:
            return
        told = _greatest(gain, max(_TOLD * number, -(-len(S) // _SHARE_TOLD)))
        hamiltonian.middle.near.add_fields(change, near)
        far[told] = hamiltonian.far(S - before, hamiltonian.middle, told)


def _greatest(values: Array, number: int) -> NDArray[np.int64]:
    """Return where the greatest are, all if there are fewer."""
    number = min(number, len(values))
    return np.argpartition(-values, number - 1)[:number]


def _quenched(
    hamiltonian: Implicit, some: NDArray[np.int64], S: NDArray[np.int8], h: Array
) -> NDArray[np.int8]:
    """Return what becomes of some spins S (M,) in fields h by all their couplings."""
    U, quenched = hamiltonian.among(some), S[None].copy()
    dense.quench(U, h - U @ S, quenched)
    return quenched[0]

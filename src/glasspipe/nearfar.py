"""Freezing of many defects: annealing with near couplings and a far field that is a little old.

What is approximate, how much, and how one knows: the far field comes from a coarse mesh, whose
error is measured against the fine one; it lags behind the spins by so many flips that its root mean
square change stays a tenth of T, as is measured at every refresh; and neither touches the result,
which is quenched on the fields of the fine mesh, themselves compared with direct Ewald sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasspipe import dense
from glasspipe.freeze import Frozen, Schedule, counts, temperatures
from glasspipe.implicit import Implicit
from glasspipe.kernels import nearfar as kernels
from glasspipe.kernels.freeze import BLOCK
from glasspipe.mesh import Mesh
from glasspipe.neighbours import NearList
from glasspipe.overlap import Overlaps
from glasspipe.progress import Observe, Progress, State, ignore

Array = NDArray[np.float64]
Single = NDArray[np.float32]

STALENESS = 0.2
"""Root mean square change of the far field between refreshes, over T."""
FIELD_ERROR = 3e-3
"""Largest error of the fields of the coarse mesh, root mean squares compared."""
_DIRECT_ERROR = 1e-3
"""Largest deviation of a reported field from the direct sum, over the root mean square field."""
_REFINEMENTS = 1.25 ** np.arange(6)
_PROBES = 1000
_SCALE = 1
_TRACES = ("trace_energy", "trace_energy_variance", "acceptance")
_SWEEPS_PER_REBUILD = 500
_ROUNDS, _FREE_ROUNDS = 100, 3
_DIRECT_PAIRS, _FEWEST, _MOST = 1_000_000, 4, 64


@dataclass(frozen=True)
class Accuracy:
    """What is known of the errors of one realisation.

    Parameters
    ----------
    anneal_error : float
        Of the fields that annealing uses, for random spins: root mean square error over root mean
        square field.
    field_error : float
        Largest deviation of the reported h from direct Ewald sums, some defects compared, over the
        root mean square of h.
    staleness : float
        Root mean square change of the far field between refreshes over T: mean of all refreshes.
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
    """Anneal and quench defects whose couplings are implicit, see :func:`glasspipe.freeze.freeze`.

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
    S = _random(hamiltonian, dense.replica_keys(entropy, 1, purpose=_SCALE))
    h = hamiltonian.fields(S, hamiltonian.fine)
    scale = float(np.median(np.abs(h[h != 0]))) if h.any() else 0.0
    T = temperatures(scale, schedule=schedule, t_start=t_start, t_end=t_end, steps=steps)
    mesh, anneal_error = _coarse_mesh(hamiltonian, S, h)
    constants = _constants(hamiltonian, mesh)
    keys = dense.replica_keys(entropy, replicas)
    chains = [Chain(constants, keys[r : r + 1], hamiltonian) for r in range(replicas)]
    trace, overlaps = _anneal(chains, T, sweeps // steps, observe=observe, resume=resume)
    frozen = _lowest(hamiltonian, np.stack([chain.S for chain in chains]).astype(np.int8), mesh)
    frozen = replace(frozen, T=T, **trace)
    if replicas > 1:
        frozen = replace(frozen, overlap=overlaps.means(), overlap_count=overlaps.counts)
    accuracy = Accuracy(
        anneal_error=anneal_error,
        field_error=_direct_error(hamiltonian, frozen),
        staleness=float(np.mean([chain.lag for chain in chains])),
        near_neighbours=len(hamiltonian.near.index) / len(S),
        anneal_mesh=mesh.shape,
    )
    return frozen, accuracy


def _anneal(
    chains: "list[Chain]", T: Array, each: int, *, observe: Observe, resume: State | None
) -> tuple[dict[str, Array], Overlaps]:
    """Take all replicas through the temperatures; return their traces and overlaps."""
    size, shape = len(chains[0].S), (len(chains), len(T))
    overlaps = Overlaps.none(len(T))
    trace = {name: np.empty(shape) for name in _TRACES}
    kept = {**trace, "overlap_counts": overlaps.counts, "overlap_sums": overlaps.sums}
    first = 0
    if resume is not None:
        first = int(resume["done"])
        for name, array in kept.items():
            array[...] = resume[name]
        for r, chain in enumerate(chains):
            chain.restore({name: resume[f"{name} {r}"] for name in chain.state()})
    for step in range(first, len(T)):
        for r, chain in enumerate(chains):
            energy, flips = chain.sweeps_at(T[step], each)
            found = energy.mean(), energy.var(), flips / (size * each)
            for name, value in zip(_TRACES, found, strict=True):
                trace[name][r, step] = value
        if len(chains) > 1:
            overlaps.add_step(np.stack([chain.S for chain in chains]), size, step)
        state = {**kept, "done": np.array(step + 1)}
        for r, chain in enumerate(chains):
            state |= {f"{name} {r}": array for name, array in chain.state().items()}
        energy, acceptance = trace["trace_energy"][:, step], trace["acceptance"][:, step]
        observe(
            Progress(
                (step + 1) * each,
                len(T) * each,
                float(energy.mean()) / size,
                float(acceptance.mean()),
                state,
            )
        )
    return trace, overlaps


def _lowest(hamiltonian: Implicit, S: NDArray[np.int8], mesh: Mesh) -> Frozen:
    """Quench the replicas (R, N) in place; return the lowest, as given, without its trace."""
    whole = hamiltonian.whole()
    h = np.stack([_settle(hamiltonian, whole, replica, mesh) for replica in S])
    energy = dense.energies(hamiltonian.B, S, h)
    best, back = int(energy.argmin()), np.argsort(hamiltonian.order)
    none = np.empty(0)
    return Frozen(
        S=S[best, back],
        h=h[best, back],
        energy=float(energy[best]),
        replica_S=S[:, back],
        replica_energy=energy,
        T=none,
        trace_energy=none,
        trace_energy_variance=none,
        acceptance=none,
        overlap=None,
        overlap_count=None,
    )


def _random(hamiltonian: Implicit, keys: NDArray[np.uint64]) -> NDArray[np.int8]:
    """Random spins, which do not depend on the order of the defects."""
    return dense.random_spins(keys, len(hamiltonian.B))[0, hamiltonian.order]


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _coarse_mesh(hamiltonian: Implicit, S: NDArray[np.int8], h: Array) -> tuple[Mesh, float]:
    """Return a mesh whose fields are good enough, and their error."""
    for refinement in _REFINEMENTS:
        mesh = hamiltonian.coarse(refinement)
        error = _rms(hamiltonian.fields(S, mesh) - h) / (_rms(h) or 1.0)
        if error <= FIELD_ERROR:
            return mesh, error
    raise RuntimeError(
        f"a mesh of {mesh.shape} points still has an error of {error:.2g} of the field;"
        f" at most {FIELD_ERROR} is allowed"
    )


@dataclass(frozen=True)
class Constants:
    """What all replicas share: near list, mesh, and the defects as the kernels want them."""

    near: tuple[NDArray[np.int64], NDArray[np.int32], Single]
    B: Array
    mesh: Mesh
    position: Array
    dipole: Single
    itself: Single

    def uniform(self, S: Single) -> Single:
        """Strain (3, 3) that is not on the mesh, times the spacing of its second index."""
        total = np.einsum("i,iab->ab", S, self.dipole, dtype=float) * self.mesh.spacing
        strain = (self.mesh.uniform @ total.reshape(9)).reshape(3, 3)
        return (strain * self.mesh.spacing).astype(np.float32)


def _constants(hamiltonian: Implicit, mesh: Mesh) -> Constants:
    near, gamma = hamiltonian.near, hamiltonian.gamma
    return Constants(
        near=(near.start, near.index, near.U),
        B=hamiltonian.B,
        mesh=mesh,
        position=hamiltonian.position / mesh.spacing,
        dipole=(gamma / mesh.spacing).astype(np.float32),
        itself=mesh.of_itself(gamma, gamma).astype(np.float32),
    )


class Chain:
    """One replica while it is annealed."""

    def __init__(self, constants: Constants, key: NDArray[np.uint64], hamiltonian: Implicit):
        self._is, self._key, self._near = constants, key, hamiltonian.near
        size = len(constants.B)
        self.S = _random(hamiltonian, key).astype(np.float32)
        self._h, self._far = np.empty((2, size), np.float32)
        self._spread = np.zeros(size, np.int8)
        self._force = np.zeros((3, *constants.mesh.shape), np.float32)
        beyond = [points + kernels.ORDER - 1 for points in constants.mesh.shape]
        self._u = np.zeros((*beyond, 4), np.float32)
        self._gathered, self._refreshes = np.zeros(-(-size // BLOCK), np.int64), 0
        self._flips = np.zeros(2, np.int64)
        self._limit, self._sweep, self._rebuilt = np.array(size // 10), np.array(0), np.array(0)
        self._lags = np.zeros(2)
        self._rebuild()
        self._update()

    @property
    def lag(self) -> float:
        """Mean of the staleness, in units of T."""
        return float(self._lags[0] / max(self._lags[1], 1.0))

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what `restore` needs: everything that changes, but for the displacement."""
        names = ("S", "_h", "_spread", "_force", "_flips", "_limit", "_sweep", "_rebuilt", "_lags")
        return {name.strip("_"): getattr(self, name) for name in names}

    def restore(self, state: State) -> None:
        """Continue where ``state`` was taken, right after a refresh, to the last bit."""
        for name, array in self.state().items():
            array[...] = state[name]
        self._update()

    def sweeps_at(self, T: float, number: int) -> tuple[Array, int]:
        """Sweep at one temperature; return the energy after each sweep and the flips."""
        is_ = self._is
        energy, before = self._energy(), self._flips[1]
        trace = np.empty(number)
        for k in range(number):
            block = 0
            self._sweep += 1
            while block * BLOCK < len(self.S):
                block, change = kernels.sweep(
                    *is_.near,
                    self.S,
                    self._h,
                    *self._smooth,
                    self._far,
                    self._gathered,
                    self._refreshes,
                    T,
                    self._key,
                    int(self._sweep),
                    block,
                    int(self._limit),
                    self._flips,
                )
                energy += change
                if self._flips[0] >= self._limit:
                    self._refresh(T)
            trace[k] = energy
        if self._sweep - self._rebuilt >= _SWEEPS_PER_REBUILD:
            self._rebuild()
        self._refresh(T)
        return trace, int(self._flips[1] - before)

    def _refresh(self, T: float) -> None:
        """Make the far field that of the spins as they are, and learn how long it may last.

        It changes as the root of the flips, for the flips of many defects have random signs.
        """
        before, flips = self._probe(), int(self._flips[0])
        self._update()
        change = _rms(self._probe() - before)
        if flips > 0 and change > 0:
            self._lags += change / T, 1.0
            allowed = flips * (STALENESS * T / change) ** 2
            low, high = max(self._limit / 4, BLOCK), min(self._limit * 4, len(self.S))
            self._limit[...] = min(max(allowed, low), high)

    def _update(self) -> None:
        is_ = self._is
        kernels.spread_changes(is_.position, is_.dipole, self.S, self._spread, self._force)
        for axis, u in enumerate(is_.mesh.response([force.copy() for force in self._force])):
            self._u[..., axis] = np.pad(u, [(0, kernels.ORDER - 1)] * 3, mode="wrap")
        self._uniform = is_.uniform(self.S)
        self._flips[0] = 0
        self._refreshes += 1

    @property
    def _smooth(self) -> tuple[NDArray[Any], ...]:
        """What the far field is gathered from."""
        is_ = self._is
        return is_.position, is_.dipole, self._u, self._uniform, is_.itself, self._spread

    def _probe(self) -> Array:
        """Far field at some defects."""
        found = np.empty(len(self.S), np.float32)
        for first in range(0, len(found), len(found) // _PROBES + 1):
            kernels.gather(*self._smooth, first, first + 1, found)
        return found[:: len(found) // _PROBES + 1].astype(float)

    def _rebuild(self) -> None:
        """Add up the near fields anew, which rounding has changed."""
        h = self._is.B.copy()
        self._near.add_fields(self.S, h)
        self._h[:] = h
        self._rebuilt[...] = self._sweep

    def _energy(self) -> float:
        """Energy of the spins, right after a refresh."""
        kernels.gather(*self._smooth, 0, len(self.S), self._far)
        self._gathered[:] = self._refreshes
        return 0.5 * float(np.dot(self._h + self._far + self._is.B, self.S))


def _settle(hamiltonian: Implicit, whole: NearList, S: NDArray[np.int8], mesh: Mesh) -> Array:
    """Turn spins of S (N,) until none can lower the energy; return their fields.

    First on fields of the coarse mesh, which cost little, then on those of the fine one. In between
    near fields follow every flip. Two far apart may both gain and turn for ever, as each does not
    see the other turn: so after some rounds the half that gains less is held.
    """
    rows = whole.start, whole.index, whole.U, whole.strongest()
    before, unstable = len(S) + 1, len(S)
    while 0 < unstable < before:
        h = hamiltonian.fields(S, mesh)
        before, unstable = unstable, int(np.count_nonzero(S * h > 0))
        kernels.quench(*rows, S, h)
    for turn in range(_ROUNDS):
        h = hamiltonian.fields(S, hamiltonian.fine)
        gain = S * h
        worst = np.argsort(gain)[np.count_nonzero(gain <= 0) :]
        if not len(worst):
            return h
        if turn >= _FREE_ROUNDS:
            held = worst[: len(worst) // 2]
            h[held] = -np.inf * S[held]
        kernels.quench(*rows, S, h)
    raise RuntimeError(f"the quench does not settle within {_ROUNDS} recomputations of h")


def _direct_error(hamiltonian: Implicit, frozen: Frozen) -> float:
    """Largest error of h of some defects over the mean; raise if it is too large."""
    S, h = frozen.S[hamiltonian.order], frozen.h[hamiltonian.order]
    rows = min(max(_DIRECT_PAIRS // len(S), _FEWEST), _MOST, len(S))
    which = np.linspace(0, len(S) - 1, rows).astype(np.int64)
    error = np.abs(hamiltonian.direct_fields(S, which) - h[which]).max() / (_rms(h) or 1.0)
    if not error <= _DIRECT_ERROR:
        raise RuntimeError(
            f"fields of the mesh deviate from direct sums by {error:.2g} of the field;"
            f" at most {_DIRECT_ERROR} is allowed"
        )
    return float(error)

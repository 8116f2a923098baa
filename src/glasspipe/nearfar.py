"""Freezing of many defects: annealing with near couplings and a far field that is a little old.

What is approximate, how much, and how one knows: the far field comes from a coarse mesh, whose
error is measured against the fine one; it lags behind the spins by so many flips that its root mean
square change stays a tenth of T, as is measured at every refresh; and neither touches the result,
which is quenched on the fields of the fine mesh, themselves compared with direct Ewald sums.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glasspipe.freeze import Frozen, Schedule, check_counts, random_spins, spawned_keys, temperatures
from glasspipe.implicit import Implicit
from glasspipe.kernels import nearfar as kernels
from glasspipe.kernels.freeze import BLOCK
from glasspipe.mesh import Mesh

Array = NDArray[np.float64]
Single = NDArray[np.float32]

STALENESS = 0.1
"""Root mean square change of the far field between refreshes, over T."""
FIELD_ERROR = 3e-3
"""Largest error of the fields of the coarse mesh, root mean squares compared."""
_DIRECT_ERROR = 1e-3
"""Largest deviation of a reported field from the direct sum, over the root mean square field."""
_REFINEMENTS = 1.25 ** np.arange(6)
_PROBES = 1000
_SWEEPS_PER_REBUILD = 500
_ROUNDS = 100
_DIRECT_PAIRS, _FEWEST, _MOST = 4_000_000, 4, 64


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
    neighbours : float
        Mean number of near neighbours.
    cutoff : float
        Where the near couplings end, Å.
    mesh, fine_mesh : tuple of 3 int
        Points of the mesh of annealing and of that of the reported fields.
    """

    anneal_error: float
    field_error: float
    staleness: float
    neighbours: float
    cutoff: float
    mesh: tuple[int, int, int]
    fine_mesh: tuple[int, int, int]


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
) -> tuple[Frozen, Accuracy]:
    """Anneal and quench defects whose couplings are implicit, see :func:`glasspipe.freeze.freeze`.

    Parameters
    ----------
    hamiltonian : Implicit
        Couplings and random fields.
    key, sweeps, steps, schedule, t_start, t_end, replicas
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
    sweeps, steps, replicas = check_counts(sweeps, steps, replicas)
    size = len(hamiltonian.B)
    S = _random(hamiltonian, spawned_keys(key, 1, 1))
    h = hamiltonian.fields(S, hamiltonian.fine)
    magnitude = np.abs(h[h != 0])
    scale = float(np.median(magnitude)) if len(magnitude) else 0.0
    T = temperatures(scale, schedule=schedule, t_start=t_start, t_end=t_end, steps=steps)
    mesh, anneal_error = _coarse_mesh(hamiltonian, S, h)
    constants = _constants(hamiltonian, mesh)
    shape = (replicas, steps)
    energy, variance, acceptance = np.empty(shape), np.empty(shape), np.empty(shape)
    replica_S, replica_h = np.empty((replicas, size), np.int8), np.empty((replicas, size))
    lags = []
    for r in range(replicas):
        chain = _Chain(constants, spawned_keys(key, 0, r)[:1], hamiltonian)
        for step in range(steps):
            trace, flips = chain.sweeps_at(T[step], sweeps // steps)
            energy[r, step], variance[r, step] = trace.mean(), trace.var()
            acceptance[r, step] = flips / (size * (sweeps // steps))
        lags += chain.lags
        replica_S[r] = chain.S.astype(np.int8)
        replica_h[r] = _settle(hamiltonian, replica_S[r], mesh)
    replica_energy = 0.5 * ((replica_h + hamiltonian.B) * replica_S).sum(axis=1)
    best = int(replica_energy.argmin())
    accuracy = Accuracy(
        anneal_error=anneal_error,
        field_error=_direct_error(hamiltonian, replica_S[best], replica_h[best]),
        staleness=float(np.mean(lags)) if lags else 0.0,
        neighbours=len(hamiltonian.near.index) / size,
        cutoff=hamiltonian.split.cutoff,
        mesh=mesh.shape,
        fine_mesh=hamiltonian.fine.shape,
    )
    back = np.argsort(hamiltonian.order)
    frozen = Frozen(
        S=replica_S[best, back],
        h=replica_h[best, back],
        energy=float(replica_energy[best]),
        T=T,
        trace_energy=energy,
        trace_energy_variance=variance,
        acceptance=acceptance,
        replica_S=replica_S[:, back],
        replica_energy=replica_energy,
    )
    return frozen, accuracy


def _random(hamiltonian: Implicit, keys: NDArray[np.uint64]) -> NDArray[np.int8]:
    """Random spins, which do not depend on the order of the defects."""
    return random_spins(keys, len(hamiltonian.B))[0, hamiltonian.order]


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
class _Constants:
    """What all replicas share: near list, mesh, and the defects as the kernels want them."""

    near: tuple[NDArray[np.int64], NDArray[np.int32], Single]
    B: Array
    mesh: Mesh
    position: Array
    dipole: Single
    itself: Single
    probes: NDArray[np.int64]

    def uniform(self, S: Single) -> Single:
        """Strain (3, 3) that is not on the mesh, times the spacing of its second index."""
        total = np.einsum("i,iab->ab", S, self.dipole, dtype=float) * self.mesh.spacing
        strain = (self.mesh.uniform @ total.reshape(9)).reshape(3, 3)
        return (strain * self.mesh.spacing).astype(np.float32)


def _constants(hamiltonian: Implicit, mesh: Mesh) -> _Constants:
    near, gamma = hamiltonian.near, hamiltonian.gamma
    return _Constants(
        near=(near.start, near.index, near.U),
        B=hamiltonian.B,
        mesh=mesh,
        position=hamiltonian.position / mesh.spacing,
        dipole=(gamma / mesh.spacing).astype(np.float32),
        itself=mesh.of_itself(gamma, gamma).astype(np.float32),
        probes=np.unique(np.linspace(0, len(gamma) - 1, _PROBES).astype(np.int64)),
    )


class _Chain:
    """One replica while it is annealed."""

    def __init__(self, constants: _Constants, key: NDArray[np.uint64], hamiltonian: Implicit):
        self._is, self._key, self._near = constants, key, hamiltonian.near
        size = len(constants.B)
        self.S = _random(hamiltonian, key).astype(np.float32)
        self.lags: list[float] = []
        self._spread = np.zeros(size, np.int8)
        self._force = np.zeros((3, *constants.mesh.shape), np.float32)
        x, y, z = constants.mesh.shape
        self._u = np.zeros((x, y, z + kernels.ORDER - 1, kernels.LANES), np.float32)
        self._flips = np.zeros(2, np.int64)
        self._limit, self._sweep, self._rebuilt = size, 0, 0
        self._rebuild()
        self._refresh()

    def sweeps_at(self, T: float, number: int) -> tuple[Array, int]:
        """Sweep at one temperature; return the energy after each sweep and the flips."""
        is_ = self._is
        energy, before = self._energy(), self._flips[1]
        trace = np.empty(number)
        for k in range(number):
            block, self._sweep = 0, self._sweep + 1
            while block * BLOCK < len(self.S):
                block, change = kernels.sweep(
                    *is_.near,
                    self.S,
                    self._h,
                    is_.position,
                    is_.dipole,
                    self._u,
                    self._uniform,
                    is_.itself,
                    self._spread,
                    T,
                    self._key,
                    self._sweep,
                    block,
                    self._limit,
                    self._flips,
                )
                energy += change
                if self._flips[0] >= self._limit:
                    self._adapt(T)
            trace[k] = energy
        if self._sweep - self._rebuilt >= _SWEEPS_PER_REBUILD:
            self._rebuild()
        self._refresh()
        return trace, int(self._flips[1] - before)

    def _adapt(self, T: float) -> None:
        """Refresh, and let as many flips pass before the next as the staleness allows."""
        before = self._far(self._is.probes)
        self._refresh()
        change = _rms(self._far(self._is.probes) - before)
        self.lags.append(change / T)
        ratio = (STALENESS * T / change) ** 2 if change > 0 else np.inf
        limit = self._limit * min(max(ratio, 0.5), 2.0)
        self._limit = int(min(max(limit, BLOCK), len(self.S)))

    def _refresh(self) -> None:
        """Make the far field that of the spins as they are."""
        is_ = self._is
        kernels.spread_changes(is_.position, is_.dipole, self.S, self._spread, self._force)
        shift, last = kernels.ORDER - 1, is_.mesh.shape[2]
        for axis, u in enumerate(is_.mesh.response([force.copy() for force in self._force])):
            self._u[:, :, :last, axis] = u
        self._u[:, :, last:] = self._u[:, :, :shift]
        self._uniform = is_.uniform(self.S)
        self._flips[0] = 0

    def _rebuild(self) -> None:
        """Add up the near fields anew, which rounding has changed."""
        h = self._is.B.copy()
        self._near.add_fields(self.S, h)
        self._h = h.astype(np.float32)
        self._rebuilt = self._sweep

    def _far(self, which: NDArray[np.int64]) -> Array:
        is_, far = self._is, np.empty(len(which))
        kernels.far_fields(is_.position, is_.dipole, which, self._u, self._uniform, far)
        return far - is_.itself[which] * self._spread[which]

    def _energy(self) -> float:
        """Energy of the spins, right after a refresh."""
        everything = self._h + self._far(np.arange(len(self.S))) + self._is.B
        return 0.5 * float(np.sum(everything * self.S))


def _settle(hamiltonian: Implicit, S: NDArray[np.int8], mesh: Mesh) -> Array:
    """Turn spins of S (N,) until none can lower the energy; return their fields.

    First on fields of the coarse mesh, which cost little, then on those of the fine one.
    """
    near = hamiltonian.near
    partner = near.strongest()

    def settled(fields: Callable[[], Array]) -> Array | None:
        for _ in range(_ROUNDS):
            h = fields()
            if not (S * h > 0).any():
                return h
            kernels.quench(near.start, near.index, near.U, partner, S, h)
        return None

    settled(lambda: hamiltonian.fields(S, mesh))
    h = settled(lambda: hamiltonian.fields(S, hamiltonian.fine))
    if h is None:
        raise RuntimeError(f"the quench does not settle within {_ROUNDS} recomputations of h")
    return h


def _direct_error(hamiltonian: Implicit, S: NDArray[np.int8], h: Array) -> float:
    """Largest error of h of some defects; raise if it is too large to be one of rounding."""
    rows = min(max(_DIRECT_PAIRS // len(S), _FEWEST), _MOST, len(S))
    which = np.linspace(0, len(S) - 1, rows).astype(np.int64)
    error = np.abs(hamiltonian.direct_fields(S, which) - h[which]).max() / (_rms(h) or 1.0)
    if not error <= _DIRECT_ERROR:
        raise RuntimeError(
            f"fields of the mesh deviate from direct sums by {error:.2g} of the field;"
            f" at most {_DIRECT_ERROR} is allowed"
        )
    return float(error)

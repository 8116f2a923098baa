"""One replica of many defects while it is annealed: near fields, and a far field a little old.

Fields follow every flip within the cutoff; beyond it they are those of the last refresh. How long
these may last is learnt at each one, from how much the fields of some defects change then.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasspipe.elastic.mesh import Mesh
from glasspipe.elastic.neighbours import NearList, NearSums
from glasspipe.kernels import nearfar as kernels
from glasspipe.kernels.freeze import BLOCK
from glasspipe.kernels.near import Rows
from glasspipe.spins import dense
from glasspipe.spins.progress import State
from glasspipe.system.implicit import Implicit, Sums
from glasspipe.system.rounding import rms

Array = NDArray[np.float64]
Single = NDArray[np.float32]
Smooth = tuple[Array, Single, Single, Single, Single, NDArray[np.int8]]

STALENESS = 0.05
"""Root mean square change of the fields at a refresh, over T and over a typical field."""
_PROBES = 1000
_SWEEPS_PER_REBUILD = 500


def random_state(hamiltonian: Implicit, keys: NDArray[np.uint64]) -> NDArray[np.int8]:
    """Random spins, which do not depend on the order of the defects."""
    return dense.random_spins(keys, len(hamiltonian.B))[0, hamiltonian.order]


@dataclass(frozen=True)
class Constants:
    """What all replicas share: near list, mesh, and the defects as the kernels want them."""

    near: NearList | NearSums
    rows: Rows
    B: Array
    typical: float
    mesh: Mesh
    position: Array
    dipole: Single
    itself: Single
    itself_total: float

    def uniform(self, moment: Array) -> Single:
        """Strain (3, 3) that is not on the mesh, times the spacing of its second index."""
        total = (moment * self.mesh.spacing).reshape(9)
        strain = (self.mesh.uniform @ total).reshape(3, 3)
        return (strain * self.mesh.spacing).astype(np.float32)


def constants_of(hamiltonian: Implicit, sums: Sums, typical: float) -> Constants:
    """Return them, with a typical local field."""
    mesh, gamma = sums.mesh, hamiltonian.gamma
    itself = mesh.of_itself(gamma, gamma)
    return Constants(
        near=sums.near,
        rows=hamiltonian.rows,
        B=hamiltonian.B,
        typical=typical,
        mesh=mesh,
        position=hamiltonian.position / mesh.spacing,
        dipole=(gamma / mesh.spacing).astype(np.float32),
        itself=itself.astype(np.float32),
        itself_total=float(itself.sum()),
    )


class Chain:
    """One replica while it is annealed."""

    def __init__(self, constants: Constants, key: NDArray[np.uint64], hamiltonian: Implicit):
        self._is, self._key = constants, key
        size = len(constants.B)
        self.S = random_state(hamiltonian, key).astype(np.float32)
        self._h, self._far = np.zeros((2, size), np.float32)
        self._spread = np.zeros(size, np.int8)
        self._force = np.zeros((3, *constants.mesh.shape), np.float32)
        beyond = [points + kernels.ORDER - 1 for points in constants.mesh.shape]
        self._u = np.zeros((*beyond, 4), np.float32)
        self._gathered, self._refreshes = np.zeros(-(-size // BLOCK), np.int64), 0
        self._flips = np.zeros(2, np.int64)
        self._limit, self._sweep = np.array(max(size // 10, 1)), np.array(0)
        self._lags = np.zeros(2)
        self._step = size // _PROBES + 1
        self._update()
        self._rebuild()

    @property
    def lag(self) -> float:
        """Mean of the staleness, in units of T."""
        return float(self._lags[0] / max(self._lags[1], 1.0))

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what `restore` needs: everything that changes, but for the displacement."""
        names = ("S", "_h", "_spread", "_force", "_flips", "_limit", "_sweep", "_lags")
        return {name.strip("_"): getattr(self, name) for name in names}

    def restore(self, state: State) -> None:
        """Continue where ``state`` was taken, right after a refresh, to the last bit."""
        for name, array in self.state().items():
            array[...] = state[name]
        self._update()

    def sweep_at(self, T: float) -> tuple[float, int]:
        """Sweep at a temperature and refresh; return the energy and the flips.

        Followed through flips, the energy would miss what far defects do to each other between two
        refreshes; after a refresh it is known.
        """
        is_, before, site = self._is, int(self._flips[1]), 0
        self._sweep += 1
        while site < len(self.S):
            site = kernels.sweep(
                is_.rows,
                self.S,
                self._h,
                *self._smooth,
                self._far,
                self._gathered,
                self._refreshes,
                T,
                self._key,
                int(self._sweep),
                site,
                int(self._limit),
                self._flips,
            )
            self._refresh(T)
        if self._sweep % _SWEEPS_PER_REBUILD == 0:
            self._rebuild()
        return self._energy(), int(self._flips[1]) - before

    def _refresh(self, T: float) -> None:
        """Make the far field that of the spins as they are, and learn how long it may last.

        It changes as the root of the flips, for the flips of many defects have random signs.
        """
        before, net = self._probed + self._h[:: self._step], int(self._flips[0])
        self._update()
        change = rms(self._probed + self._h[:: self._step] - before)
        if net > 0 and change > 0:
            self._lags += change / T, 1.0
            allowed = net * (STALENESS * min(T, self._is.typical) / change) ** 2
            low, high = max(self._limit / 4, 1), min(self._limit * 4, len(self.S))
            self._limit[...] = min(max(allowed, low), high)

    def _update(self) -> None:
        """Make the far field that of the spins, and remember it at some of them."""
        is_ = self._is
        kernels.give_back(is_.rows, self.S, self._spread, self._h)
        kernels.spread_changes(is_.position, is_.dipole, self.S, self._spread, self._force)
        x, y, z = is_.mesh.response(self._force)
        kernels.interleave(x, y, z, self._u)
        moment = kernels.moment(self.S, is_.dipole)
        self._uniform = is_.uniform(moment)
        total = float(np.sum(moment * self._uniform)) - is_.itself_total
        for force, u in zip(self._force, (x, y, z), strict=True):
            total -= float(np.vdot(force, u))
        self._far_energy = 0.5 * total
        self._flips[0] = 0
        self._refreshes += 1
        self._probed = self._probe()

    def _energy(self) -> float:
        """Energy of the spins, right after a refresh; on the mesh, far fields need no gathering."""
        return self._far_energy + 0.5 * float(np.dot(self._h + self._is.B, self.S))

    @property
    def _smooth(self) -> Smooth:
        """What the far field is gathered from."""
        is_ = self._is
        return is_.position, is_.dipole, self._u, self._uniform, is_.itself, self._spread

    def _probe(self) -> Array:
        """Far field at some defects."""
        found = np.empty(len(self.S), np.float32)
        kernels.gather(*self._smooth, 0, len(found), self._step, found)
        return found[:: self._step].astype(float)

    def _rebuild(self) -> None:
        """Add up the near fields anew, which rounding has changed."""
        h = self._is.B.copy()
        self._is.near.add_fields(self.S, h)
        self._h[:] = h

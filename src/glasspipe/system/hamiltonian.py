"""The Hamiltonian of S and τ, term by term, for other programs to solve.

    H = Σ_{i<j} U_ij S_i S_j + Σ_i B_i S_i + Σ_{i≠j} U^Sτ_ij S_i τ_j
        + Σ_j b_j^η τ_j + Σ_{i<j} J_ij τ_i τ_j − Σ_i D_i S_i^x − Σ_i Δ_i τ_i^x     (73), (74)

Where the S are frozen, b^γ replaces U^Sτ: what is left are H_S (29) of S alone and H_τ (75), (76).
Every pair interacts, most of them hardly at all, and a program that works on a graph wants only
those that matter. How much is lost with the others is not to be guessed: it comes with the pairs
that are kept.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasspipe.system.couplings import couplings
from glasspipe.system.fields import interactions
from glasspipe.system.spin_tau import spin_tau_couplings
from glasspipe.system.system import System

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pairs:
    """Couplings of pairs of spins.

    Parameters
    ----------
    i, j : array (pairs,)
        The spins of each pair, 0-based.
    coupling : array (pairs,)
        eV.
    """

    i: NDArray[np.integer]
    j: NDArray[np.integer]
    coupling: Array

    @staticmethod
    def above(matrix: ArrayLike) -> "Pairs":
        """Pairs i < j of a matrix (N, N), rows first."""
        values = np.asarray(matrix, dtype=float)
        i, j = np.triu_indices(len(values), 1)
        return Pairs(i, j, values[i, j])

    @staticmethod
    def beside(matrix: ArrayLike) -> "Pairs":
        """Pairs i ≠ j of a matrix (N, N), rows first."""
        values = np.asarray(matrix, dtype=float)
        i, j = np.nonzero(~np.eye(len(values), dtype=bool))
        return Pairs(i, j, values[i, j])

    def energy(self, one: ArrayLike, other: ArrayLike) -> Array:
        """Σ coupling one_i other_j (…) of states (…, N) of ±1, eV."""
        return (np.asarray(one)[..., self.i] * np.asarray(other)[..., self.j]) @ self.coupling

    def moved(self, i: int, j: int) -> "Pairs":
        """Return the same with the first and second spins numbered from ``i`` and ``j``."""
        return Pairs(self.i + i, self.j + j, self.coupling)

    def strong(self, threshold: float) -> "StrongPairs":
        """Leave out the pairs whose coupling is below ``threshold`` (eV) in modulus."""
        size = np.abs(self.coupling)
        kept = size >= threshold
        pairs = Pairs(self.i[kept], self.j[kept], self.coupling[kept])
        return StrongPairs(pairs, threshold, float(np.sum(size[~kept])))


@dataclass(frozen=True)
class StrongPairs:
    """Pairs less the weak ones.

    Parameters
    ----------
    pairs : Pairs
        What is kept.
    threshold : float
        The least modulus of its couplings, eV.
    dropped : float
        Σ |coupling| of the pairs left out, eV: no energy is further than this from the true one.
    """

    pairs: Pairs
    threshold: float
    dropped: float


@dataclass(frozen=True)
class Ising:
    """Spins in fields, H = Σ_i field_i s_i + Σ_pairs coupling s_i s_j − Σ_i transverse_i s_i^x.

    Parameters
    ----------
    field : array (N,)
        eV.
    pairs : Pairs
        Each once.
    transverse : array (N,)
        Tunnelling amplitudes, eV.
    """

    field: Array
    pairs: Pairs
    transverse: Array

    def energy(self, spins: ArrayLike) -> Array:
        """Energy (…) of states ``spins`` (…, N) of ±1 without tunnelling, eV."""
        s = np.asarray(spins, dtype=float)
        return s @ self.field + self.pairs.energy(s, s)


@dataclass(frozen=True)
class Hamiltonian:
    """All terms of the S and τ of one realisation.

    Parameters
    ----------
    B, b_eta : array (N,)
        Fields on S and on τ, stray fields included, eV.
    U, J : Pairs
        Couplings of S and of τ, each pair once.
    U_S_tau : Pairs
        Couplings of S_i and τ_j, i ≠ j, both orders.
    D, Delta : array (N,)
        Tunnelling amplitudes of S and τ, eV.

    References
    ----------
    Eqs. (73), (74).
    """

    B: Array
    b_eta: Array
    U: Pairs
    U_S_tau: Pairs
    J: Pairs
    D: Array
    Delta: Array

    def energy(self, S: ArrayLike, tau: ArrayLike) -> Array:
        """Energy (…) of states (…, N) of ±1 of both kinds without tunnelling, eV."""
        S, tau = np.asarray(S, dtype=float), np.asarray(tau, dtype=float)
        return self.of_S.energy(S) + self.U_S_tau.energy(S, tau) + self._tau(self.b_eta).energy(tau)

    @property
    def of_S(self) -> Ising:
        """S alone, (29)."""
        return Ising(self.B, self.U, self.D)

    def of_tau(self, S: ArrayLike) -> Ising:
        """τ with frozen S (N,), (75), (76): b^γ replaces U^Sτ."""
        weights = np.asarray(S, dtype=float)[self.U_S_tau.i] * self.U_S_tau.coupling
        b_gamma = np.bincount(self.U_S_tau.j, weights, minlength=len(self.b_eta))
        return self._tau(self.b_eta + b_gamma)

    def _tau(self, field: Array) -> Ising:
        return Ising(field, self.J, self.Delta)

    @property
    def whole(self) -> Ising:
        """S and τ as 2N spins, τ_i numbered N + i."""
        number = len(self.B)
        parts = self.U, self.U_S_tau.moved(0, number), self.J.moved(number, number)
        pairs = Pairs(
            np.concatenate([part.i for part in parts]),
            np.concatenate([part.j for part in parts]),
            np.concatenate([part.coupling for part in parts]),
        )
        field = np.concatenate([self.B, self.b_eta])
        return Ising(field, pairs, np.concatenate([self.D, self.Delta]))


def hamiltonian(
    system: System,
    S: ArrayLike,
    *,
    D: ArrayLike = 0.0,
    Delta: ArrayLike = 0.0,
    E: ArrayLike = 0.0,
    epsilon: ArrayLike = 0.0,
) -> Hamiltonian:
    """All terms of the Hamiltonian of the defects in a box, every pair.

    Parameters
    ----------
    system : System
        The defects.
    S : array (N,)
        Frozen S, which chooses ζ where that depends on it.
    D, Delta : array (N,) or float
        Tunnelling amplitudes of S and τ, eV.
    E, epsilon : array (N,) or float
        Stray fields on S and τ, eV.

    References
    ----------
    Eqs. (73), (74).
    """
    frozen = system.frozen(S)
    number = len(frozen)
    of_S, of_tau = couplings(frozen), interactions(frozen, S)
    i, j = np.triu_indices(number, 1)
    return Hamiltonian(
        B=of_S.B + np.asarray(E, dtype=float),
        b_eta=of_tau.b_eta + np.asarray(epsilon, dtype=float),
        U=Pairs(i, j, of_S.U),
        U_S_tau=Pairs.beside(spin_tau_couplings(frozen)),
        J=Pairs.above(of_tau.J),
        D=np.broadcast_to(np.asarray(D, dtype=float), number),
        Delta=np.broadcast_to(np.asarray(Delta, dtype=float), number),
    )

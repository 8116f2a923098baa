"""The Hamiltonians of S and of τ, term by term, for other programs to solve.

    H_S = Σ_{i<j} U_ij S_i S_j + Σ_i B_i S_i                               (29)
    H_τ = Σ_{i<j} J_ij τ_i τ_j + Σ_i b_i τ_i                               (75), (76)

each less the transverse terms Σ_i D_i S_i^x and Σ_i Δ_i τ_i^x. Every pair interacts, most of them
hardly at all, and a program that works on a graph wants only those that matter. How much is lost
with the others is not to be guessed: it comes with the pairs that are kept.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasspipe.elastic.printed import Interaction
from glasspipe.system.fields import interactions

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Ising:
    """Fields and couplings of one realisation, H = Σ_i field_i s_i + Σ_pairs coupling s_i s_j.

    Parameters
    ----------
    field : array (N,)
        eV.
    i, j : array (pairs,)
        Defects of each pair, 0-based, i < j.
    coupling : array (pairs,)
        eV.
    """

    field: Array
    i: NDArray[np.integer]
    j: NDArray[np.integer]
    coupling: Array

    def energy(self, spins: ArrayLike) -> Array:
        """Energy (…) of states ``spins`` (…, N) of ±1, eV."""
        s = np.asarray(spins, dtype=float)
        return s @ self.field + (s[..., self.i] * s[..., self.j]) @ self.coupling

    def strong(self, threshold: float) -> "StrongPairs":
        """Leave out the pairs whose coupling is below ``threshold`` (eV) in modulus."""
        size = np.abs(self.coupling)
        kept = size >= threshold
        pairs = Ising(self.field, self.i[kept], self.j[kept], self.coupling[kept])
        return StrongPairs(pairs, threshold, float(np.sum(size[~kept])))


@dataclass(frozen=True)
class StrongPairs:
    """A Hamiltonian less its weak pairs.

    Parameters
    ----------
    ising : Ising
        What is kept.
    threshold : float
        The least modulus of its couplings, eV.
    dropped : float
        Σ |coupling| of the pairs left out, eV: no energy is further than this from the true one.
    """

    ising: Ising
    threshold: float
    dropped: float


def of_tau(
    position: ArrayLike,
    gamma: ArrayLike,
    eta: ArrayLike,
    zeta: ArrayLike,
    S: ArrayLike,
    *,
    box: ArrayLike,
    medium: Interaction,
    boundary: str,
    static: ArrayLike | None = None,
) -> Ising:
    """Hamiltonian of τ with frozen S, all pairs, rows first.

    The arguments are those of :func:`glasspipe.system.fields.interactions`.

    References
    ----------
    Eqs. (71), (72), (76).
    """
    made = interactions(
        position, gamma, eta, zeta, S, box=box, medium=medium, boundary=boundary, static=static
    )
    i, j = np.triu_indices(len(made.J), 1)
    return Ising(made.b_gamma + made.b_eta, i, j, made.J[i, j])

"""The terms of the Hamiltonian: what couples two defects, and the fields that they add up to.

A term is a pair of multipoles and a derivative of one Green's function. With n_r and n_s indices of
the receiver's and the source's multipole, of which the first contracts the displacement,

    v = −(−1)^(n_r − 1) m_r^α… m_s^γ… ∂^(n_r + n_s − 2) G_αγ(R),   R = r_source − r_receiver,

falls off as R^−(n_r + n_s − 1). So a row says which multipoles, and all else follows.
"""

from dataclasses import dataclass
from functools import cached_property

_INDICES = "abcdefgh"


@dataclass(frozen=True)
class Multipole:
    """What of a defect strains the medium and feels its strain, a tensor of the defects.

    Parameters
    ----------
    indices : int
        Of the tensor: 2 of a force dipole, 3 of a force quadrupole.
    turns_with : str
        The variable, S or tau, that changes its sign; empty if none does.
    """

    indices: int
    turns_with: str


MULTIPOLES = {
    "gamma": Multipole(2, "S"),
    "P": Multipole(2, ""),
    "zeta": Multipole(3, "tau"),
}
"""The force dipole γ of S, that which S does not change, and ζ of τ."""


@dataclass(frozen=True)
class Term:
    """Coupling of the multipoles of two defects.

    Parameters
    ----------
    name : str
        Of its variables, such as U.
    receiver, source : str
        The multipole that feels it and the one that makes it, of :data:`MULTIPOLES`.
    symbol : str
        In TeX's math mode.
    long_name, reference : str
        What it is, and the paper's equation.
    """

    name: str
    receiver: str
    source: str
    symbol: str
    long_name: str
    reference: str
    unit: str = "eV"

    @property
    def order(self) -> int:
        """Number of derivatives of G."""
        return MULTIPOLES[self.receiver].indices + MULTIPOLES[self.source].indices - 2

    @property
    def power(self) -> int:
        """P of the decay R^−p."""
        return self.order + 1

    @property
    def sign(self) -> int:
        """Factor of the contraction, for R = r_source − r_receiver."""
        return -((-1) ** (MULTIPOLES[self.receiver].indices - 1))

    @property
    def odd(self) -> bool:
        """Whether it changes sign with R."""
        return self.order % 2 == 1

    @property
    def turns(self) -> bool:
        """Whether it changes sign with a variable of the source."""
        return bool(MULTIPOLES[self.source].turns_with)

    def signature(self, receivers: str = "r", sources: str = "s", points: str = "p") -> str:
        """Einsum signature of receiver, source and ∂…G, with letters of what each runs over."""
        letters, split = _INDICES[: self.order + 2], MULTIPOLES[self.receiver].indices
        one, two = letters[:split], letters[split:]
        green = one[0] + two[0] + one[1:] + two[1:]
        out = "".join(dict.fromkeys(receivers + sources + points))
        return f"{receivers}{one},{sources}{two},{points}{green}->{out}"


@dataclass(frozen=True)
class Field:
    """Field on S or τ, a sum of terms over all sources.

    Parameters
    ----------
    symbol : str
        In TeX's math mode.
    names : tuple of str
        Its terms.
    """

    symbol: str
    names: tuple[str, ...]

    @property
    def terms(self) -> tuple[Term, ...]:
        """Rows of its terms; all have the same order."""
        return tuple(TERMS[name] for name in self.names)

    @property
    def order(self) -> int:
        """Number of derivatives of G."""
        return self.terms[0].order

    @property
    def signed(self) -> bool:
        """Whether every source changes its sign with S_j or τ_j."""
        return all(term.turns for term in self.terms)

    @cached_property
    def states(self) -> tuple[dict[str, int], ...]:
        """Sign of each term for every sign that S_j or τ_j may have."""
        signs = (1, -1) if any(term.turns for term in self.terms) else (1,)
        return tuple(
            {term.name: sign if term.turns else 1 for term in self.terms} for sign in signs
        )

    @property
    def receivers(self) -> frozenset[str]:
        """Multipoles that feel it."""
        return frozenset(term.receiver for term in self.terms)

    @property
    def sources(self) -> frozenset[str]:
        """Multipoles that make it."""
        return frozenset(term.source for term in self.terms)


_ROWS = (
    Term("U", "gamma", "gamma", "U_{ij}", "Ising coupling of S", "eq. (16)"),
    Term("B", "gamma", "P", "B_{ij}", "field on S of a volume term", "eq. (26)"),
    Term("U_S_tau", "zeta", "gamma", r"U^{S\tau}_{ij}", "coupling of S and tau", "eq. (36)"),
    Term("U_eta_tau", "zeta", "P", r"U^{\eta\tau}_{ij}", "field on tau of a volume", "eq. (66)"),
    Term("J", "zeta", "zeta", "J_{ij}", "Ising coupling of tau", "eq. (72)"),
)
TERMS = {term.name: term for term in _ROWS}
"""Every term, in the paper's order of strength (74)."""

FIELDS = {
    "B": Field("B", ("B",)),
    "U_S": Field(r"\Sigma_j U_{ij}S_j", ("U",)),
    "h": Field("h", ("B", "U")),
    "b_gamma": Field(r"b^\gamma", ("U_S_tau",)),
    "b_eta": Field(r"b^\eta", ("U_eta_tau",)),
    "b": Field("b", ("U_eta_tau", "U_S_tau")),
    "J_tau": Field(r"\Sigma_j J_{ij}\tau_j", ("J",)),
}
"""The fields of random S or τ on a defect."""

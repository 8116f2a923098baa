"""The reference case: ρ = 1, a = 1, c_l = 1.8, c_t = 1, unit strengths."""

import numpy as np

from glasspipe.elastic.greens import green_derivatives, periodic_green_derivatives
from glasspipe.elastic.medium import Medium
from glasspipe.units import MODULUS

MEDIUM = Medium(density=1 / MODULUS, c_l=1.8, c_t=1.0)
BOX = np.array([8.0, 8.0, 8.0])
UNIT = np.eye(3)

D1 = np.array([1, 1, 1]) / np.sqrt(3)
D2 = np.array([1, -1, -1]) / np.sqrt(3)
GAMMA1, GAMMA2 = np.outer(D1, D1), np.outer(D2, D2)
ZETA1 = np.einsum("a,b,c->abc", D1, D1, D1)
ZETA2 = np.einsum("a,b,c->abc", D2, D2, D2)
R = np.array([[1.0, 2.0, 2.0], [0.0, 0.0, 1.0], [3.0, -1.0, 2.0]])

BULK = {order: green_derivatives(R, order, MEDIUM) for order in (2, 3, 4)}
CLAMPED = {
    order: periodic_green_derivatives(R, order, MEDIUM, BOX, boundary="clamped")
    for order in (2, 3, 4)
}


def dipole_dipole(G2, one, two):
    """γ_1^αβ γ_2^γδ ∂_β∂_δ G_αγ, (16) and (26)."""
    return np.einsum("ab,cd,...acbd->...", one, two, G2)


def dipole_gradient(G3, one, two):
    """−γ_1^αβ ζ_2^γδε ∂_β∂_δ∂_ε G_αγ, (36) and (66)."""
    return -np.einsum("ab,cde,...acbde->...", one, two, G3)


def gradient_gradient(G4, one, two):
    """−ζ_1^αβδ ζ_2^γεφ ∂_β∂_δ∂_ε∂_φ G_αγ, the exact (72)."""
    return -np.einsum("abd,cef,...acbdef->...", one, two, G4)

"""The random fields and couplings of τ of many defects, without a matrix of J_ij.

b falls off as 1/R⁴, J as 1/R⁵, and the fields of both are summed like the strain that b is the
gradient of, near list and mesh. Σ_j |J_ij| is no field: beyond the cutoff it is taken to be what
defects at random would add to it in the box, with the mean of |J_ij| R⁵ over the near neighbours.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasspipe.elastic.direct import direct_fields_on_tau
from glasspipe.elastic.greens import response
from glasspipe.elastic.mesh import Split
from glasspipe.elastic.near_sums import NearFields, near_fields
from glasspipe.elastic.quadrature import sphere
from glasspipe.elastic.sharing import Resolution
from glasspipe.system.fields import Fields
from glasspipe.system.implicit import (
    ACCURACY,
    NEIGHBOURS,
    accurate,
    in_cells,
    make_split,
    medium_of,
    mesh_of,
    relative_error,
    sampled,
    without_mesh_error,
)
from glasspipe.system.rounding import rms, typical_terms
from glasspipe.system.system import System

Array = NDArray[np.float64]

_DIRECTIONS = 32


@dataclass(frozen=True)
class Errors:
    """Errors of the fields on τ of one realisation, root mean square over root mean square.

    Parameters
    ----------
    b_gamma_error, b_eta_error, J_tau_error : float
        Of some defects, against direct Ewald sums.
    J_abs_error : float
        Of Σ_j |J_ij|, an estimate.
    """

    b_gamma_error: float
    b_eta_error: float
    J_tau_error: float
    J_abs_error: float


def implicit_fields(
    system: System,
    S: ArrayLike,
    tau: ArrayLike,
    *,
    accuracy: float = ACCURACY,
    neighbours: float = NEIGHBOURS,
) -> tuple[Fields, Errors]:
    """Fields on τ with a cost that grows as N, see :func:`glasspipe.system.fields.fields`.

    max_j |J_ij| is that of the near neighbours.

    Parameters
    ----------
    system, S, tau
        As there, ``minimum_image`` apart.
    accuracy, neighbours : float
        As in :func:`glasspipe.system.implicit.implicit`.

    Raises
    ------
    ValueError
        If the boundary is not allowed.
    RuntimeError
        If no mesh is accurate enough.

    References
    ----------
    Eqs. (60), (68), (72).
    """
    medium, which = medium_of(system), sampled(len(system))
    S, tau = (np.asarray(sign, dtype=float) for sign in (S, tau))
    position, zeta, P = system.position, system.tensors.zeta, system.tensors.P
    frozen = system.tensors.gamma * S[:, None, None]
    exact = direct_fields_on_tau(
        which, position, frozen, P, zeta, tau, box=system.box, medium=medium
    )
    terms = [rms(typical_terms(zeta, source, medium, system.box)) for source in (frozen, P, zeta)]

    def make(aim: float) -> tuple[tuple[Fields, Errors], float]:
        resolution = response(medium).resolution(3, aim)
        split = make_split(system, neighbours, resolution)
        fields, J_abs, J_max, J_abs_error = _fields_of(system, frozen, P, tau, split, resolution)
        found = [
            without_mesh_error(field, accuracy * size)
            for field, size in zip(fields, terms, strict=True)
        ]
        errors = [
            relative_error(field, which, right, size)
            for field, right, size in zip(found, exact, terms, strict=True)
        ]
        b_gamma, b_eta, J_tau = found
        of_b_gamma, of_b_eta, of_J_tau = errors
        of_J_abs = rms(J_abs_error) / (rms(J_abs) or 1.0)
        made = Fields(b_gamma, b_eta, J_abs, J_max, J_tau)
        return (made, Errors(of_b_gamma, of_b_eta, of_J_tau, of_J_abs)), max(errors)

    return accurate(make, accuracy)[0]


def _fields_of(
    system: System, frozen: Array, P: Array, tau: Array, split: Split, resolution: Resolution
) -> tuple[list[Array], Array, Array, Array]:
    """b^γ, b^η and Σ_j J_ij τ_j; Σ_j |J_ij|, max_j |J_ij| and the error of the first of them."""
    order, position, zeta = in_cells(split, system), system.position, system.tensors.zeta
    near = near_fields(position, frozen, P, zeta, tau, split, order)
    fields = [near.b_gamma, near.b_eta, near.J_tau]
    for field, source, factors in zip(fields, (frozen, P, zeta), (None, None, tau), strict=True):
        mesh = mesh_of(split, system.boundary, resolution, ranks=(3, source.ndim - 1))
        field += mesh.field(position, zeta, source, factors=factors, order=order)
    tail, error = _beyond(near, split)
    return fields, near.J_abs + tail, near.J_max, error


def _beyond(near: NearFields, split: Split) -> tuple[Array, Array]:
    """Mean of Σ_j |J_ij| over the defects beyond the cutoff, and its error (N,), eV.

    With g = |J| R⁵, of mean m and variance v over the n listed neighbours, and density ρ: the sum
    of g/R⁵ beyond, in the box, has the mean m ρ ∫ dV/R⁵ and, for defects at random, the variance
    (m² + v) ρ ∫ dV/R¹⁰; that of m is v/n. Images add to some couplings and take from others: half
    of what would lie beyond the box is allowed for them.
    """
    listed = np.maximum(near.listed, 1)
    mean = near.scaled / listed
    variance = np.maximum(near.squares / listed - mean**2, 0.0)
    density = len(listed) / split.volume
    n, weight = sphere(_DIRECTIONS)
    edge = 1 / np.max(2 * np.abs(n) / split.edges, axis=1)
    once, twice = (weight @ (split.cutoff**-p - edge**-p) / p * density for p in (2.0, 7.0))
    images = mean * (weight @ edge**-2.0) / 4 * density
    spread = (mean**2 + variance) * twice + variance / listed * once**2
    return mean * once, np.sqrt(spread + images**2)

"""What stages do with the values that they read and write."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glasspipe.defects.tensors import Tensors
from glasspipe.errors import DataError
from glasspipe.files.dataset import Reader
from glasspipe.settings.part import StagePart

if TYPE_CHECKING:
    from glasspipe.system.system import System

Array = NDArray[np.float64]

LARGEST = 1.0e30
"""eV: beyond any defect, and its square is far from where float64 ends."""


def stray_field(source: Reader, row: int, name: str) -> Array:
    """E or ε of the defects of a realisation (N,), eV: 0 where the file has none."""
    found = source.optional(row, name)
    return np.zeros(source.size("defect")) if found is None else found


def check_size(
    source: Reader,
    row: int,
    name: str,
    value: Array,
    *,
    pairs: tuple[NDArray[np.integer], NDArray[np.integer]] | None = None,
    largest: float = LARGEST,
) -> None:
    """Refuse values (defects or pairs, …) that are not finite or too large.

    Raises
    ------
    DataError
        If there are any.
    """
    wrong = ~(np.abs(value) <= largest)
    if not wrong.any():
        return
    first = tuple(np.argwhere(wrong)[0])
    who = f"defect {first[0]}"
    if pairs is not None:
        who = f"defects {pairs[0][first[0]]} and {pairs[1][first[0]]}"
    raise DataError(
        f"{source.path}: realisation {source.realisations[row]}, {who}: {name} is"
        f" {value[first]:.6g} eV; at most {largest:g} in modulus is allowed"
    )


def static_dipoles_of(part: StagePart, source: Reader, row: int) -> Array | None:
    """Force dipoles of a realisation that S does not change, beside η; None: there are none."""
    found = source.optional(row, "static")
    if found is not None and part.sections["formula"] == "as_printed":
        raise DataError(
            f"{source.path}: holds static dipoles, whose couplings the paper does not print;"
            " none are allowed with formula as_printed"
        )
    return found


def system_of(part: StagePart, source: Reader, row: int, *, tau: bool = True) -> "System":
    """The defects of a realisation in their box; without ``tau`` ζ, which takes most room, is 0."""
    from glasspipe.system.system import System

    position, gamma, eta = source.row(row, "position", "gamma", "eta")
    zeta = source.row(row, "zeta")[0] if tau else np.zeros((*gamma.shape, 3))
    minus = source.optional(row, "zeta_minus") if tau else None
    tensors = Tensors(gamma, eta, zeta, minus, static_dipoles_of(part, source, row))
    model = part.model
    return System(position, tensors, source.whole("box"), model.interaction, model.boundary)

"""The defects in a box: what every coupling and field is computed from, checked once."""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glasspipe.defects.tensors import Tensors, frozen_zeta
from glasspipe.elastic.greens import BOUNDARIES
from glasspipe.elastic.printed import Interaction, Printed

Array = NDArray[np.float64]

_SYMMETRIC = 1e-6
"""Asymmetry of a tensor that is rounding of its file, relative to its largest component."""
_AT_ONCE = 100_000
"""Tensors that are compared with their transposes at once."""
_SHAPES: dict[str, tuple[int, ...]] = {
    "gamma": (3, 3),
    "eta": (),
    "zeta": (3, 3, 3),
    "zeta_minus": (3, 3, 3),
    "static": (3, 3),
}


@dataclass(frozen=True)
class System:
    """Defects in a periodic box of an elastic medium.

    Parameters
    ----------
    position : array (N, 3)
        0 ≤ position < box, Å.
    tensors : Tensors
        γ, η, ζ and what else there is of each defect.
    box : array (3,)
        Edges of the box, Å.
    medium : Medium, CubicMedium or Printed
        What couples the defects.
    boundary : {"clamped", "spherical", "stress_free", "minimum_image"}
        The q = 0 term, see :mod:`glasspipe.elastic.greens`.

    Raises
    ------
    ValueError
        If an array has a wrong shape or is not finite, a defect is outside the box, a tensor is
        not symmetric, the boundary is not one of those above, there are fewer than two defects, or
        static dipoles in a Printed medium.
    """

    position: Array
    tensors: Tensors
    box: Array
    medium: Interaction
    boundary: str

    def __post_init__(self) -> None:
        """Check everything, and make the arrays contiguous."""
        number = len(self.tensors)
        if number < 2:
            raise ValueError(f"defects: found {number}; at least 2 are needed")
        box = _checked("box", self.box, (3,))
        position = _checked("position", self.position, (number, 3))
        given = {f.name: getattr(self.tensors, f.name) for f in fields(self.tensors)}
        tensors = {
            name: _checked(name, value, (number, *_SHAPES[name]))
            for name, value in given.items()
            if value is not None
        }
        if not (box > 0).all():
            raise ValueError(f"box is {box.tolist()}; all edges must be positive")
        if not ((position >= 0) & (position < box)).all():
            raise ValueError("position: found a defect outside the box; allowed: 0 <= x < box")
        for name in set(tensors) - {"eta"}:
            _check_symmetric(name, tensors[name])
        if self.boundary not in BOUNDARIES:
            raise ValueError(f"boundary is {self.boundary!r}; allowed are {', '.join(BOUNDARIES)}")
        if isinstance(self.medium, Printed) and self.tensors.static is not None:
            raise ValueError(
                "static is given with a Printed medium; allowed is None, or a medium itself"
            )
        object.__setattr__(self, "box", box)
        object.__setattr__(self, "position", position)
        object.__setattr__(self, "tensors", replace(self.tensors, **tensors))

    def only(self, some: NDArray[np.bool_]) -> "System":
        """Return some of the defects (N,) in the same box."""
        (number,) = np.nonzero(some)
        return replace(self, position=self.position[number], tensors=self.tensors[number])

    def __len__(self) -> int:
        """Return the number of defects."""
        return len(self.position)

    def frozen(self, S: ArrayLike) -> "System":
        """Return the same with ζ of the state S (N,) in which the defects are frozen."""
        zeta = frozen_zeta(self.tensors.zeta, self.tensors.zeta_minus, np.asarray(S))
        return replace(self, tensors=replace(self.tensors, zeta=zeta, zeta_minus=None))


def _checked(name: str, value: ArrayLike, shape: tuple[int, ...]) -> Array:
    array = np.ascontiguousarray(value, dtype=float)
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}; {shape} is needed")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds a value that is not finite")
    return array


def _check_symmetric(name: str, tensor: Array) -> None:
    off = size = 0.0
    for part in np.array_split(tensor, 1 + len(tensor) // _AT_ONCE):
        off = max(off, float(np.abs(part - np.swapaxes(part, -1, -2)).max()))
        size = max(size, float(part.max()), -float(part.min()))
    if off > _SYMMETRIC * size:
        raise ValueError(f"{name} differs by {off:g} from its transpose in the last two indices")

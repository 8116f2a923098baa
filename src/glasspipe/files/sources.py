"""A user's own defects, on or off the lattice: the NetCDF file of ``sample.source.file``.

It is as good as a sampled one, so it is held to what a sampled one guarantees. A program of
anybody's may have written it: numbers may be texts, and counts may be anything. What no stage
reads, such as ``site``, is neither checked nor kept.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasspipe.errors import DataError
from glasspipe.files import dataset
from glasspipe.files.dataset import Reader

_NEEDED = ("position", "gamma", "eta", "zeta")
_OPTIONAL = ("zeta_minus", "static", "D", "Delta", "E", "epsilon")
_SHAPES: dict[str, tuple[int, ...]] = {
    "position": (3,),
    "gamma": (3, 3),
    "eta": (),
    "zeta": (3, 3, 3),
    "zeta_minus": (3, 3, 3),
    "static": (3, 3),
    "D": (),
    "Delta": (),
    "E": (),
    "epsilon": (),
}
_ROUNDING = 1.0e-9
"""A tensor is symmetric if it is so within this fraction of the largest one."""
_SYMMETRIC = {
    "gamma": f"gamma_ab = gamma_ba within {_ROUNDING:g} of the largest",
    "static": f"static_ab = static_ba within {_ROUNDING:g} of the largest",
    "zeta": f"zeta_abc = zeta_acb within {_ROUNDING:g} of the largest",
    "zeta_minus": f"zeta_minus_abc = zeta_minus_acb within {_ROUNDING:g} of the largest",
}
_CLOSEST = 1.0e-3
"""Å; two defects nearer than this are taken for one that was listed twice."""


class UserDefects:
    """The realisations in a user's file.

    Raises
    ------
    DataError
        If a variable is missing, holds no numbers or has the wrong shape, the box is not a box, or
        the number of sites is none.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        shape = reader.shape("position")
        if len(shape) != 3 or shape[2] != 3 or shape[0] < 1 or shape[1] < 2:
            raise self._error(
                f"position has the shape {shape}; (realisation, defect, 3) with at least one"
                " realisation and two defects is allowed"
            )
        self.realisations, self.number = shape[:2]
        self._variables = [*_NEEDED, *(name for name in _OPTIONAL if name in reader)]
        for name in ("box", *self._variables):
            if not reader.is_real(name):
                raise self._error(f"{name} holds no real numbers; only those are allowed")
        self.box = np.asarray(reader.whole("box"), dtype=float)
        if self.box.shape != (3,) or not np.all(np.isfinite(self.box) & (self.box > 0)):
            raise self._error(f"box is {self.box.tolist()}; three positive edges in Å are allowed")
        for name in self._variables:
            found = reader.shape(name)
            wanted = (*shape[:2], *_SHAPES[name])
            if found != wanted:
                raise self._error(f"{name} has the shape {found}; {wanted} is allowed")
        self._sites = self._number_of_sites()

    @property
    def names(self) -> list[str]:
        """Variables that the realisation file gets."""
        return ["box", *self._variables]

    @property
    def attributes(self) -> dict[str, Any]:
        """Numbers of sites (if the file tells it) and of defects."""
        sites = {} if self._sites is None else {"sites": self._sites}
        return {**sites, "defects": self.number}

    def _number_of_sites(self) -> int | None:
        """Number of sites, of which the defects take some; None if the file does not tell it."""
        if "sites" not in self._reader.attributes:
            return None
        found = self._reader.attributes["sites"]
        number = np.asarray(found)
        real = number.shape in ((), (1,)) and number.dtype.kind in "iuf"
        if not (real and np.isfinite(number).all() and number == np.floor(number)):
            raise self._error(f"the attribute sites is {found}; an integer is allowed")
        if not number >= self.number:
            raise self._error(
                f"the attribute sites is {int(number.item())}; at least {self.number}, the number"
                " of defects, is allowed"
            )
        return int(number.item())

    def realisation(self, number: int) -> dict[str, NDArray[Any]]:
        """Return the variables of one realisation.

        Raises
        ------
        DataError
            If a number is not finite, a tensor lacks its symmetry, an amplitude is negative, a
            defect lies outside the box, or two defects are in one place.
        """
        values = dict(zip(self._variables, self._reader.row(number, *self._variables), strict=True))
        values = {name: np.asarray(value, dtype=float) for name, value in values.items()}
        for name, value in values.items():
            self._refuse(number, name, value, ~np.isfinite(value), "what is finite")
        for name, rule in _SYMMETRIC.items():
            if name in values:
                mirrored = np.swapaxes(values[name], -1, -2)
                rounding = _ROUNDING * np.abs(values[name]).max()
                wrong = np.abs(values[name] / 2 - mirrored / 2) > rounding / 2
                self._refuse(number, name, values[name], wrong, rule)
                values[name] = values[name] / 2 + mirrored / 2  # a sum may overflow
        for name in ("D", "Delta"):
            if name in values:
                self._refuse(number, name, values[name], values[name] < 0, f"{name} ≥ 0")
        position = values["position"]
        outside = (position < 0) | (position >= self.box)
        box = f"0 ≤ position < box, {self.box.tolist()},"
        self._refuse(number, "position", position, outside, box)
        self._refuse_coincident(number, position)
        return values

    def _refuse(
        self,
        number: int,
        name: str,
        value: NDArray[np.float64],
        wrong: NDArray[np.bool_],
        rule: str,
    ) -> None:
        """Refuse a variable where some of it is wrong: for a tensor, all of it is shown."""
        if wrong.any():
            defect = int(np.argwhere(wrong)[0][0])
            raise self._error(
                f"realisation {number}, defect {defect}: {name} is {value[defect].tolist()};"
                f" {rule} is allowed"
            )

    def _refuse_coincident(self, number: int, position: NDArray[np.float64]) -> None:
        from scipy.spatial import cKDTree

        pairs = cKDTree(position, boxsize=self.box).query_pairs(_CLOSEST, output_type="ndarray")
        if len(pairs):
            one, two = pairs[0]
            raise self._error(
                f"realisation {number}, defects {one} and {two}: position is the same,"
                f" {position[one].tolist()} and {position[two].tolist()} in the periodic box"
                f" {self.box.tolist()}; at least {_CLOSEST} Å apart is allowed"
            )

    def _error(self, problem: str) -> DataError:
        return DataError(f"{self._reader.path}: {problem}")


@contextmanager
def user_defects(path: Path) -> Iterator[UserDefects]:
    """Open a user's file of defects.

    Raises
    ------
    DataError
        If it is not such a file.
    """
    with dataset.opened(path) as reader:
        yield UserDefects(reader)

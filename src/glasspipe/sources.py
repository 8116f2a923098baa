"""A user's own defects, on or off the lattice: the NetCDF file of ``sample.source.file``.

It is as good as a sampled one, so it is held to what a sampled one guarantees.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasspipe import dataset
from glasspipe.dataset import DataError, Reader

_NEEDED = ("position", "gamma", "eta", "zeta")
_OPTIONAL = ("site", "zeta_minus", "static", "D", "Delta", "E", "epsilon")
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
_SYMMETRIC = {
    "gamma": "is not symmetric",
    "static": "is not symmetric",
    "zeta": "is not symmetric in its last two indices",
    "zeta_minus": "is not symmetric in its last two indices",
}
_ROUNDING = 1.0e-9
"""A tensor is symmetric if it is so within this fraction of the largest one."""
_CLOSEST = 1.0e-3
"""Å; two defects nearer than this are taken for one that was listed twice."""


class UserDefects:
    """The realisations in a user's file.

    Raises
    ------
    DataError
        If a variable is missing or has the wrong shape, or the box is not a box.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        shape = np.shape(reader.whole("position"))
        if len(shape) != 3 or shape[2] != 3 or shape[0] < 1 or shape[1] < 2:
            raise self._error(
                f"position has the shape {shape}; (realisation, defect, 3) with at least one"
                " realisation and two defects is allowed"
            )
        self.realisations, self.number = shape[:2]
        self.box = np.asarray(reader.whole("box"), dtype=float)
        if self.box.shape != (3,) or not np.all(np.isfinite(self.box) & (self.box > 0)):
            raise self._error(f"box is {self.box.tolist()}; three positive edges in Å are allowed")
        self._variables = [*_NEEDED, *(name for name in _OPTIONAL if name in reader)]
        for name in self._variables:
            found = np.shape(reader.whole(name))
            wanted = (*shape[:2], *_SHAPES.get(name, (3,)))
            if found != wanted:
                raise self._error(f"{name} has the shape {found}; {wanted} is allowed")

    @property
    def names(self) -> list[str]:
        """Variables that the realisation file gets."""
        return ["box", *self._variables]

    @property
    def attributes(self) -> dict[str, Any]:
        """Numbers of sites (if the file tells it) and of defects."""
        theirs = self._reader.attributes
        sites = {"sites": int(theirs["sites"])} if "sites" in theirs else {}
        return {**sites, "defects": self.number}

    def realisation(self, number: int) -> dict[str, NDArray[Any]]:
        """Return the variables of one realisation.

        Raises
        ------
        DataError
            If a number is not finite, a tensor lacks its symmetry, an amplitude is negative, a
            defect lies outside the box, or two defects are in one place.
        """
        values = dict(zip(self._variables, self._reader.row(number, *self._variables), strict=True))
        for name, value in values.items():
            self._refuse(number, name, ~np.isfinite(value), "is not finite")
        for name, rule in _SYMMETRIC.items():
            if name in values:
                mirrored = np.swapaxes(values[name], -1, -2)
                rounding = _ROUNDING * np.abs(values[name]).max()
                self._refuse(number, name, np.abs(values[name] - mirrored) > rounding, rule)
                values[name] = (values[name] + mirrored) / 2
        for name in ("D", "Delta"):
            if name in values:
                self._refuse(number, name, values[name] < 0, "is negative")
        position = values["position"]
        outside = (position < 0) | (position >= self.box)
        self._refuse(number, "position", outside, f"lies outside the box {self.box.tolist()}")
        self._refuse_coincident(number, position)
        return values

    def _refuse(self, number: int, name: str, wrong: NDArray[np.bool_], rule: str) -> None:
        if wrong.any():
            defect = int(np.argwhere(wrong)[0][0])
            raise self._error(f"realisation {number}, defect {defect}: {name} {rule}")

    def _refuse_coincident(self, number: int, position: NDArray[np.float64]) -> None:
        from scipy.spatial import cKDTree

        pairs = cKDTree(position, boxsize=self.box).query_pairs(_CLOSEST, output_type="ndarray")
        if len(pairs):
            one, two = pairs[0]
            raise self._error(
                f"realisation {number}, defects {one} and {two}: position is the same;"
                f" at least {_CLOSEST} Å apart is allowed"
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

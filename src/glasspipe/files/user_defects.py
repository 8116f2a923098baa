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
from glasspipe.files import dataset, variables
from glasspipe.files.dataset import Reader
from glasspipe.files.foreign import Foreign

_NEEDED = {
    "position": variables.POSITION,
    "gamma": variables.GAMMA,
    "eta": variables.ETA,
    "zeta": variables.ZETA,
}
_OPTIONAL = {
    "zeta_minus": variables.ZETA_MINUS,
    "static": variables.STATIC,
    "D": variables.D,
    "Delta": variables.DELTA,
    "E": variables.E,
    "epsilon": variables.EPSILON,
}
_SYMMETRIC = {"gamma": "ab", "static": "ab", "zeta": "abc", "zeta_minus": "abc"}
"""Tensors that are symmetric in their last two indices."""
_CLOSEST = 1.0e-3
"""Å; two defects nearer than this are taken for one that was listed twice."""


class UserDefects:
    """The realisations in a user's file.

    Raises
    ------
    DataError
        If a variable is missing, is not understood or has the wrong shape, the box is not a box, or
        the number of sites is none.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        present = {name: about for name, about in _OPTIONAL.items() if name in reader}
        self._variables = {
            name: Foreign(reader, name, about) for name, about in {**_NEEDED, **present}.items()
        }
        shape = self._variables["position"].shape
        if shape[2] != 3 or shape[0] < 1 or shape[1] < 2:
            raise self._error(
                f"position has the shape {shape}; (realisation, defect, 3) with at least one"
                " realisation and two defects is allowed"
            )
        self.realisations, self.number = shape[:2]
        for name, variable in self._variables.items():
            wanted = (*shape[:2], *(3,) * (len(variable.order) - 2))
            if variable.shape != wanted:
                raise self._error(f"{name} has the shape {variable.shape}; {wanted} is allowed")
        self.box = Foreign(reader, "box", variables.BOX).read()
        if self.box.shape != (3,) or not np.all(np.isfinite(self.box) & (self.box > 0)):
            raise self._error(f"box is {self.box.tolist()}; three positive edges in Å are allowed")
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
        values = {name: variable.read(number) for name, variable in self._variables.items()}
        for name, value in values.items():
            self._refuse(number, name, value, ~np.isfinite(value), "what is finite")
        for name, letters in _SYMMETRIC.items():
            if name in values:
                values[name] = self._symmetric(number, name, values[name], letters)
        for name in ("D", "Delta"):
            if name in values:
                self._refuse(number, name, values[name], values[name] < 0, f"{name} ≥ 0")
        position = values["position"]
        outside = (position < 0) | (position >= self.box)
        box = f"0 ≤ position < box, {self.box.tolist()},"
        self._refuse(number, "position", position, outside, box)
        self._refuse_coincident(number, position)
        return values

    def _symmetric(
        self, number: int, name: str, value: NDArray[np.float64], letters: str
    ) -> NDArray[np.float64]:
        """Return a tensor without the rounding of its symmetry, or refuse it."""
        mirrored = np.swapaxes(value, -1, -2)
        rounding = self._variables[name].rounding
        wrong = np.abs(value / 2 - mirrored / 2) > rounding * np.abs(value).max() / 2
        other = letters[:-2] + letters[:-3:-1]
        rule = f"{name}_{letters} = {name}_{other} within {rounding:.3g} of the largest"
        self._refuse(number, name, value, wrong, rule)
        return value / 2 + mirrored / 2  # a sum may overflow

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

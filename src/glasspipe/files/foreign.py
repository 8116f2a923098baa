"""A variable of a file that a program of anybody's wrote, as the numbers that it means.

NetCDF files say more of a number than its bits: it may be packed, with a scale and an offset, or
marked as missing, a length may be in nanometres, and dimensions may stand in any order. Whoever
reads the bits alone computes something else in silence. So all of it is heeded, and what cannot be
understood is refused.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glasspipe.errors import DataError
from glasspipe.files.dataset import Reader
from glasspipe.files.variables import Variable
from glasspipe.units import ELECTRON_VOLT, GIGAHERTZ, KELVIN

Array = NDArray[np.float64]

LENGTHS = {
    **dict.fromkeys(("angstrom", "angstroms", "Angstrom", "Angstroms", "Å"), 1.0),
    "pm": 1e-2,
    "nm": 10.0,
    "m": 1e10,
    "bohr": 0.529177210544,
}
"""In Å; Bohr's radius and the hartree are those of CODATA 2022."""
ENERGIES = {
    **dict.fromkeys(("eV", "electronvolt"), 1.0),
    "meV": 1e-3,
    **dict.fromkeys(("ueV", "µeV", "μeV"), 1e-6),
    "J": 1 / ELECTRON_VOLT,
    **dict.fromkeys(("K", "kelvin"), KELVIN),
    **dict.fromkeys(("hartree", "Ha"), 27.211386245981),
    "GHz": GIGAHERTZ,
}
"""In eV; kelvin as k_B T, GHz as hν."""
_KINDS = {"eV": (ENERGIES,), "angstrom": (LENGTHS,), "eV angstrom": (ENERGIES, LENGTHS)}
"""What the factors of a unit of ours may be written in."""
_TENSOR_AXES = ("axis", "axis2", "axis3")
_NOT_UNDERSTOOD = ("_Unsigned", "flag_values", "flag_masks")
_SLIPS = ("unit", "units")
"""What is meant as the unit, whatever the case of its letters."""
_FEWEST = 1.0e-9


@dataclass(frozen=True)
class Foreign:
    """A variable of a user's file.

    Parameters
    ----------
    reader : Reader
        The file.
    name : str
        Of the variable.
    wanted : Variable
        What it is to be: its dimensions and its unit.

    Raises
    ------
    DataError
        If the file does not say it in a way that is understood.
    """

    reader: Reader
    name: str
    wanted: Variable

    def __post_init__(self) -> None:
        """Refuse what is not understood before any number is read."""
        if self.reader.dtype(self.name).kind not in "iuf":
            raise self._error("holds no real numbers; only those are allowed")
        strange = next((key for key in _NOT_UNDERSTOOD if key in self._about), None)
        if strange:
            raise self._error(f"has the attribute {strange}; none is allowed")
        slip = next((key for key in self._about if key.lower() in _SLIPS and key != "units"), None)
        if slip:
            raise self._error(f"has the attribute {slip}; allowed: units")
        _ = self.order, self._unit, self._scale, self._marks, self._valid

    @cached_property
    def _about(self) -> dict[str, Any]:
        return self.reader.about(self.name)

    @cached_property
    def order(self) -> tuple[int, ...]:
        """Where each of our dimensions is among the file's."""
        ours, theirs = self.wanted.dimensions.split(), list(self.reader.dimensions(self.name))
        repeated = theirs.count("axis") > 1
        if repeated:  # gamma(realisation, defect, axis, axis)
            numbered = iter(_TENSOR_AXES)
            theirs = [next(numbered) if name == "axis" else name for name in theirs]
        if sorted(theirs) == sorted(ours):
            return tuple(theirs.index(name) for name in ours)
        if len(theirs) == len(ours) and not set(theirs) & {"realisation", "defect", *_TENSOR_AXES}:
            return tuple(range(len(ours)))
        raise self._error(
            f"has the dimensions ({', '.join(self.reader.dimensions(self.name))}); allowed are"
            f" ({', '.join(ours)}) in any order, or other names in this one"
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of our dimensions."""
        found = self.reader.shape(self.name)
        return tuple(found[place] for place in self.order)

    @cached_property
    def _unit(self) -> float:
        """What a number of the file is in our unit."""
        given = self._about.get("units", self.wanted.units)
        written = given.decode("utf-8", "replace") if isinstance(given, bytes) else str(given)
        kinds = _KINDS[self.wanted.units]
        words = written.replace("*", " ").replace("·", " ").replace(".", " ").split()
        known = zip(kinds, words, strict=False) if len(words) == len(kinds) else ()
        factors = [kind.get(word) for kind, word in known]
        if not factors or None in factors:
            allowed = " times ".join(f"one of {', '.join(kind)}" for kind in kinds)
            raise self._error(f"has the units {written!r}; allowed: {allowed}")
        return float(np.prod(np.array(factors, dtype=float)))

    @cached_property
    def _scale(self) -> tuple[float, float]:
        """The scale and the offset of packed numbers."""
        return self._number("scale_factor", 1.0), self._number("add_offset", 0.0)

    def _number(self, key: str, default: float) -> float:
        found = self._numbers(key, default)
        if found.size != 1 or not np.isfinite(found).all():
            raise self._error(f"has {key} {found.tolist()}; a finite number is allowed")
        return float(found[0])

    def _numbers(self, key: str, *default: float) -> NDArray[Any]:
        found = np.ravel(self._about.get(key, default))
        if found.size and found.dtype.kind not in "iuf":
            raise self._error(f"has {key} {found.tolist()}; numbers are allowed")
        return found

    @cached_property
    def _marks(self) -> NDArray[Any]:
        """What marks a number as missing."""
        return np.concatenate([self._numbers(key) for key in ("_FillValue", "missing_value")])

    @cached_property
    def _valid(self) -> tuple[float, float]:
        """The least and the largest number that is not missing."""
        ends = self._numbers("valid_range", -np.inf, np.inf)
        if ends.size != 2:
            raise self._error(f"has valid_range {ends.tolist()}; two numbers are allowed")
        low, high = self._numbers("valid_min", -np.inf), self._numbers("valid_max", np.inf)
        return max(ends[0], *low), min(ends[1], *high)

    @property
    def rounding(self) -> float:
        """Fraction of the largest number within which numbers of the file may be meant alike."""
        dtype = self.reader.dtype(self.name)
        return max(_FEWEST, 8 * float(np.finfo(dtype).eps)) if dtype.kind == "f" else _FEWEST

    def read(self, realisation: int | None = None) -> Array:
        """Return the numbers of one realisation, or of a variable that has none, in our unit.

        Raises
        ------
        DataError
            If some are missing.
        """
        if realisation is None:
            stored = self.reader.whole(self.name)
            order = self.order
        else:
            along = self.order[0]
            stored = self.reader.part(self.name, (slice(None),) * along + (realisation,))
            order = tuple(place - (place > along) for place in self.order[1:])
        missing = np.argwhere(self._missing(stored))
        if len(missing):
            raise self._error(
                f"has missing values, such as {stored[tuple(missing[0])]}; none are allowed"
            )
        scale, offset = self._scale
        values = np.asarray(stored, dtype=float) * scale + offset
        return np.ascontiguousarray(values.transpose(order)) * self._unit

    def _missing(self, stored: NDArray[Any]) -> NDArray[np.bool_]:
        """Which of the stored numbers are marked as missing, or lie outside the valid range."""
        low, high = self._valid
        found = (stored < low) | (stored > high)
        for mark in self._marks:
            found |= stored == mark
        return np.asarray(found)

    def _error(self, problem: str) -> DataError:
        return DataError(f"{self.reader.path}: {self.name} {problem}")

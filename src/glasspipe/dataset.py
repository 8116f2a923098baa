"""The only code that reads or writes the stages' data files.

A file must never look finished when it is not: it is written under a temporary name and moved to
its own when it is complete, so that a killed job, and an orphan of one, leave nothing behind that
a later stage could take. It records the part of the point that it depends on, and a reader states
which part it expects.
"""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import h5netcdf
import numpy as np
from numpy.typing import NDArray

import glasspipe
from glasspipe.config import Point


class DataError(ValueError):
    """A data file that cannot be used; the message is one line."""


@dataclass(frozen=True)
class Variable:
    """What a variable of a data file is.

    Parameters
    ----------
    dimensions : str
        Names, separated by blanks.
    units, long_name, reference : str
        Written as attributes; ``reference`` is an equation of the paper or a page of the manual.
    dtype : str
        How it is stored.
    """

    dimensions: str
    units: str
    long_name: str
    reference: str
    dtype: str = "f8"


_PER_DEFECT = "realisation defect"
_TRACE = "realisation replica step"
_STEP = "realisation step"
_TENSOR = f"{_PER_DEFECT} axis axis2"
_GRADIENT = f"{_TENSOR} axis3"

_REALISATION = Variable("realisation", "1", "realisation number", "model", "i8")

VARIABLES: dict[str, dict[str, Variable]] = {
    "sample": {
        "realisation": _REALISATION,
        "position": Variable(f"{_PER_DEFECT} axis", "angstrom", "position of the defect", "model"),
        "box": Variable("axis", "angstrom", "edges of the periodic box", "model"),
        "site": Variable(f"{_PER_DEFECT} axis", "1", "site on the lattice's mesh", "model", "i4"),
        "component": Variable(_PER_DEFECT, "1", "component of the mixture", "model", "i2"),
        "gamma": Variable(_TENSOR, "eV", "strain coupling of S", "eq. (7)"),
        "eta": Variable(_PER_DEFECT, "eV", "volume coupling", "eq. (7)"),
        "zeta": Variable(
            _GRADIENT,
            "eV angstrom",
            "strain-gradient coupling of tau (rotors: for S = +1)",
            "eq. (8)",
        ),
        "zeta_minus": Variable(
            _GRADIENT, "eV angstrom", "strain-gradient coupling of tau for S = -1", "eq. (8)"
        ),
        "D": Variable(_PER_DEFECT, "eV", "tunnelling amplitude of S", "eq. (2)"),
        "Delta": Variable(_PER_DEFECT, "eV", "tunnelling amplitude of tau", "eq. (3)"),
    },
    "couplings": {
        "realisation": _REALISATION,
        "B": Variable(_PER_DEFECT, "eV", "random field on S", "eqs. (26), (29)"),
        "i": Variable("pair", "1", "first defect of the pair", "model", "i4"),
        "j": Variable("pair", "1", "second defect of the pair", "model", "i4"),
        "U": Variable("realisation pair", "eV", "Ising coupling of S, each pair once", "eq. (16)"),
        "position": Variable(f"{_PER_DEFECT} axis", "angstrom", "position of the defect", "model"),
        "box": Variable("axis", "angstrom", "edges of the periodic box", "model"),
        "gamma": Variable(_TENSOR, "eV", "strain coupling of S", "eq. (7)"),
    },
    "freeze": {
        "realisation": _REALISATION,
        "S": Variable(_PER_DEFECT, "1", "frozen S of the lowest-energy replica", "eq. (29)", "i1"),
        "h": Variable(_PER_DEFECT, "eV", "local field on S, random field included", "eq. (29)"),
        "B": Variable(_PER_DEFECT, "eV", "random field on S", "eqs. (26), (29)"),
        "energy": Variable("realisation", "eV", "energy of S", "eq. (29)"),
        "T": Variable(_STEP, "eV", "temperature k_B T", "model"),
        "trace_energy": Variable(_TRACE, "eV", "mean energy at the temperature", "eq. (29)"),
        "trace_energy_variance": Variable(
            _TRACE, "eV2", "variance of the energy at the temperature", "eq. (29)"
        ),
        "acceptance": Variable(_TRACE, "1", "accepted share of the attempted flips", "model"),
        "replica_S": Variable(
            "realisation replica defect", "1", "frozen S of each replica", "eq. (29)", "i1"
        ),
        "replica_energy": Variable("realisation replica", "eV", "energy of S", "eq. (29)"),
        "unstable": Variable(
            "realisation", "1", "spins with S h > 0 in the frozen state, 0 of need", "model", "i4"
        ),
        "anneal_error": Variable(
            "realisation",
            "1",
            "rms error of the fields that annealed random S, over their rms",
            "model",
        ),
        "field_error": Variable(
            "realisation", "1", "largest error of h, of some defects, over the rms of h", "model"
        ),
        "staleness": Variable(
            "realisation", "1", "rms change of far fields between refreshes, over T", "model"
        ),
        "near_neighbours": Variable("realisation", "1", "mean number of near neighbours", "model"),
        "anneal_mesh": Variable(
            "realisation axis", "1", "points of the mesh of the far fields", "model", "i4"
        ),
        "specific_heat": Variable(
            _STEP, "1", "fluctuation of the energy per spin, over T squared", "model"
        ),
        "overlap": Variable(_STEP, "1", "mean overlap q of two replicas", "model"),
        "overlap_abs": Variable(_STEP, "1", "mean |q|", "model"),
        "overlap_squared": Variable(_STEP, "1", "mean of q squared", "model"),
        "overlap_count": Variable(
            f"{_STEP} overlap_bin",
            "1",
            "pairs with q in each of equal bins from -1 to 1",
            "model",
            "i8",
        ),
        "swap_rate": Variable(
            "realisation replica gap", "1", "accepted exchanges with the next temperature", "model"
        ),
        "round_trips": Variable(
            "realisation replica",
            "1",
            "ways of a state through all temperatures and back",
            "model",
            "i8",
        ),
        "round_trip_time": Variable("realisation replica", "1", "sweeps of a round trip", "model"),
        "log_energy": Variable(
            "realisation replica log_bin step",
            "eV",
            "mean energy of the last half of the sweeps, of the quarter before it, and so on",
            "eq. (29)",
        ),
    },
    "fields": {
        "realisation": _REALISATION,
        "b_gamma": Variable(_PER_DEFECT, "eV", "random field on tau of the frozen S", "eq. (60)"),
        "b_eta": Variable(_PER_DEFECT, "eV", "random field on tau of the volumes", "eq. (68)"),
        "b": Variable(_PER_DEFECT, "eV", "random field on tau", "eq. (71)"),
        "zeta": Variable(
            _GRADIENT, "eV angstrom", "strain-gradient coupling of tau that was used", "eq. (8)"
        ),
        "J_abs": Variable(_PER_DEFECT, "eV", "sum over j of |J_ij|", "eq. (72)"),
        "J_max": Variable(_PER_DEFECT, "eV", "largest |J_ij|", "eq. (72)"),
        "J_tau": Variable(_PER_DEFECT, "eV", "sum over j of J_ij tau_j, random tau", "eq. (72)"),
    },
}
"""The variables of each stage's file."""

_INCOMPRESSIBLE = {"U", "i", "j"}


@cache
def versions() -> str:
    """JSON of the versions that make the numbers."""
    names = ("glasspipe", "h5netcdf", "h5py", "numba", "numpy", "scipy")
    return json.dumps({name: metadata.version(name) for name in names})


@cache
def git_revision() -> str:
    """The checked-out revision of the code, or 'unknown' outside a repository."""
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=Path(glasspipe.__file__).parent,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return "unknown"
    return answer.stdout.strip() or "unknown"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside ``path``; move it there, or remove it on an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


class Writer:
    """A stage file that is being written, one realisation after the other."""

    def __init__(self, file: h5netcdf.File, stage: str) -> None:
        self._file = file
        self._stage = stage

    def declare(self, name: str, dtype: str | None = None) -> None:
        """Create a variable of the stage, with its attributes."""
        about = VARIABLES[self._stage][name]
        dimensions = tuple(about.dimensions.split())
        options: dict[str, Any] = {}
        if name not in _INCOMPRESSIBLE and len(dimensions) > 1:
            sizes = [self._file.dimensions[dimension].size for dimension in dimensions[1:]]
            options = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
            options["chunks"] = (1, *sizes)
        variable = self._file.create_variable(name, dimensions, dtype or about.dtype, **options)
        for attribute in ("units", "long_name", "reference"):
            variable.attrs[attribute] = getattr(about, attribute)

    def put(self, row: int, values: Mapping[str, Any]) -> None:
        """Write what belongs to the realisation in ``row``."""
        for name, value in values.items():
            self._file[name][row] = value

    def put_whole(self, name: str, value: Any) -> None:
        """Write a variable that is the same for all realisations."""
        self._file[name][...] = value


@contextmanager
def create(
    path: Path,
    stage: str,
    point: Point,
    *,
    names: Sequence[str],
    sizes: Mapping[str, int],
    realisations: Sequence[int],
    dtypes: Mapping[str, str] | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> Iterator[Writer]:
    """Create a stage's file; it appears under its name when the block ends without an error.

    Parameters
    ----------
    path : Path
        The file's own name.
    stage : str
        Which stage writes.
    point : Point
        The point it writes for; the part that the file depends on is recorded.
    names : sequence of str
        The variables, of those in :data:`VARIABLES`.
    sizes : mapping
        Sizes of the dimensions other than ``realisation``.
    realisations : sequence of int
        Realisation numbers.
    dtypes, attributes : mapping, optional
        Types other than the default ones; further global attributes.
    """
    with replacing(path) as temporary, h5netcdf.File(temporary, "w") as file:
        file.attrs.update(
            {
                "stage": stage,
                "point": _json(point.part(stage)),
                "point_hash": point.part_hash(stage),
                "versions": versions(),
                "git_revision": git_revision(),
                **(attributes or {}),
            }
        )
        file.dimensions = {"realisation": len(realisations), **sizes}
        writer = Writer(file, stage)
        for name in ("realisation", *names):
            writer.declare(name, (dtypes or {}).get(name))
        writer.put_whole("realisation", np.asarray(realisations))
        yield writer


class Reader:
    """An opened data file."""

    def __init__(self, path: Path, file: h5netcdf.File) -> None:
        self.path = path
        self._file = file

    @property
    def attributes(self) -> dict[str, Any]:
        """The global attributes."""
        return dict(self._file.attrs)

    @property
    def realisations(self) -> list[int]:
        """Realisation numbers."""
        return [int(number) for number in self.whole("realisation")]

    def size(self, dimension: str) -> int:
        """Return the size of a dimension."""
        return self._file.dimensions[dimension].size

    def __contains__(self, name: str) -> bool:
        """Say whether the file holds a variable."""
        return name in self._file.variables

    def whole(self, name: str) -> NDArray[Any]:
        """Read a variable for all realisations."""
        return self._read(name, ...)

    def row(self, row: int, *names: str) -> list[NDArray[Any]]:
        """Read what belongs to the realisation in ``row``."""
        return [self._read(name, row) for name in names]

    def _read(self, name: str, index: Any) -> NDArray[Any]:
        try:
            return np.asarray(self._file.variables[name][index])
        except KeyError:
            raise DataError(f"{self.path}: holds no variable {name!r}") from None
        except OSError:
            raise DataError(f"{self.path}: {name!r} cannot be read; the file is damaged") from None


@contextmanager
def opened(path: Path) -> Iterator[Reader]:
    """Open any NetCDF4 file.

    Raises
    ------
    DataError
        If there is no such file, or it is not NetCDF4, or it is truncated.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    try:
        file = h5netcdf.File(path, "r")
    except OSError as error:
        truncated = "truncated" in str(error)
        found = "truncated" if truncated else "not a NetCDF4 file"
        raise DataError(f"{path}: {found}; a NetCDF4 (HDF5) file is needed") from None
    with file:
        yield Reader(path, file)


@contextmanager
def stage_file(path: Path, stage: str, point: Point) -> Iterator[Reader]:
    """Open the file of a stage, made for this point.

    Raises
    ------
    DataError
        If it cannot be opened, is another stage's file or was made for another point.
    """
    with opened(path) as reader:
        found = reader.attributes.get("stage")
        if found != stage:
            raise DataError(f"{path}: a file of the stage {found!r}; one of {stage!r} is needed")
        recorded = json.loads(reader.attributes["point"])
        difference = next(_differences(recorded, json.loads(_json(point.part(stage)))), None)
        if difference:
            key, theirs, ours = difference
            raise DataError(
                f"{path}: made for another point; {key} is {theirs!r} there and {ours!r} here"
            )
        yield reader


def check_same_realisations(*readers: Reader) -> None:
    """Refuse files that hold different realisations.

    Raises
    ------
    DataError
        If they do.
    """
    first = readers[0]
    for other in readers[1:]:
        if other.realisations != first.realisations:
            raise DataError(
                f"{other.path}: holds the realisations {_range(other.realisations)};"
                f" {first.path} holds {_range(first.realisations)}"
            )


def _range(numbers: Sequence[int]) -> str:
    return f"{numbers[0]} to {numbers[-1]}" if numbers else "none"


def _differences(one: Any, two: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(one, dict) and isinstance(two, dict):
        for name in sorted({*one, *two}):
            yield from _differences(one.get(name), two.get(name), f"{key}.{name}" if key else name)
    elif one != two:
        yield key, one, two


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)

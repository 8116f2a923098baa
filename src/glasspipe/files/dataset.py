"""The only code that reads or writes the stages' data files.

A file must never look finished when it is not: it is written under a temporary name and moved to
its own when it is complete, so that a killed job, and an orphan of one, leave nothing behind that
a later stage could take. It records the part of the point that it depends on, and a reader states
which part it expects.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

import glasspipe
from glasspipe.errors import DataError
from glasspipe.files.links import DAMAGED, check_links
from glasspipe.files.seal import check_seal, seal
from glasspipe.files.sink import sink
from glasspipe.files.variables import AXES, REALISATION, Variable

if TYPE_CHECKING:
    import h5netcdf
    import h5py


class Origin(Protocol):
    """What a stage's file is made for, see :class:`glasspipe.settings.part.StagePart`."""

    @property
    def stage(self) -> str:
        """The stage."""

    @property
    def sections(self) -> Mapping[str, Any]:
        """The sections of the config that the file depends on."""

    @property
    def hash(self) -> str:
        """Their hash."""


@cache
def versions() -> str:
    """JSON of the versions that make the numbers."""
    names = ("glasspipe", "h5netcdf", "h5py", "numba", "numpy", "scipy")
    return json.dumps({name: metadata.version(name) for name in names})


@cache
def git_revision() -> str:
    """The revision of the code that is checked out or was installed from git, or 'unknown'."""
    source = metadata.distribution("glasspipe").read_text("direct_url.json") or "{}"
    commit = json.loads(source).get("vcs_info", {}).get("commit_id", "")[:12]
    # an environment may lie in a repository of something else
    tracked = _git("ls-files", "--error-unmatch", "__init__.py")
    checked_out = tracked and _git("describe", "--always", "--dirty", "--abbrev=12")
    return commit or checked_out or "unknown"


def _git(*arguments: str) -> str:
    """Return what git says of the folder of the package, nothing where it fails."""
    folder = Path(glasspipe.__file__).parent
    command = ["git", "-C", str(folder), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def made_by() -> dict[str, str]:
    """Return what every file says of the code that made it."""
    return {"versions": versions(), "git_revision": git_revision()}


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside ``path``; move it there, or remove it on an error.

    A link stays, and what it points to is replaced. A pipe or a device gets the bytes.
    """
    special = path.exists() and not path.is_file()
    target = path if special else path.resolve()
    folder = Path(gettempdir()) if special else target.parent
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{target.name}.{os.getpid()}.part"
    try:
        yield temporary
        if special:
            with temporary.open("rb") as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink)
        else:
            os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def sealing(path: Path) -> Iterator[Path]:
    """Yield a name as `replacing` does, and seal the file before it is moved."""
    with replacing(path) as temporary:
        yield temporary
        seal(temporary)


@contextmanager
def writing(path: Path) -> Iterator["h5netcdf.File"]:
    """Yield a new NetCDF file, which is sealed and appears under its name when it is complete.

    Raises
    ------
    OSError
        If something could not be written.
    """
    import h5netcdf

    with sealing(path) as temporary, sink(temporary, path) as raw, h5netcdf.File(raw, "w") as file:
        yield file


def refuse_overwriting(output: Path, inputs: Iterable[Path]) -> None:
    """Refuse an output that is one of the inputs, whatever the two are called.

    Raises
    ------
    DataError
        If it is.
    """
    for path in inputs:
        if output.exists() and path.exists() and output.samefile(path):
            raise DataError(f"{output}: is the input {path}; allowed: an output of its own")


class Writer:
    """A stage file that is being written, one realisation after the other."""

    def __init__(self, file: "h5netcdf.File") -> None:
        self._file = file
        self._values: dict[str, h5py.Dataset] = {}

    def declare(self, name: str, about: Variable, dtype: str | None = None) -> None:
        """Create a variable, with its attributes."""
        dimensions = tuple(about.dimensions.split())
        options: dict[str, Any] = {}
        if about.compressed and len(dimensions) > 1:
            sizes = [self._file.dimensions[dimension].size for dimension in dimensions[1:]]
            options = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
            options["chunks"] = (1, *sizes)
        variable = self._file.create_variable(name, dimensions, dtype or about.dtype, **options)
        for attribute in ("units", "long_name", "reference"):
            variable.attrs[attribute] = getattr(about, attribute)

    def put(self, row: int, values: Mapping[str, Any]) -> None:
        """Write what belongs to the realisation in ``row``.

        By h5netcdf it takes five times as long, which looks up each variable and its type again.
        """
        for name, value in values.items():
            if name not in self._values:
                self._values[name] = self._file[name]._h5ds
            self._values[name][row] = value

    def append(self, dimension: str, values: Mapping[str, Any]) -> None:
        """Write values behind those already there, along a dimension of unlimited size."""
        before = self._file.dimensions[dimension].size
        added = len(next(iter(values.values())))
        self._file.resize_dimension(dimension, before + added)
        for name, value in values.items():
            self._file[name][before:] = value

    def put_whole(self, name: str, value: Any) -> None:
        """Write a variable that is the same for all realisations."""
        self._file[name][...] = value


@contextmanager
def create(
    path: Path,
    origin: Origin,
    *,
    variables: Mapping[str, Variable],
    sizes: Mapping[str, int | None],
    realisations: Sequence[int],
    dtypes: Mapping[str, str] | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> Iterator[Writer]:
    """Create a stage's file; it appears under its name when the block ends without an error.

    Parameters
    ----------
    path : Path
        The file's own name.
    origin : Origin
        What it is made for, which is recorded.
    variables : mapping
        What the file is to hold besides ``realisation``.
    sizes : mapping
        Sizes of the dimensions other than ``realisation``; None: unlimited.
    realisations : sequence of int
        Realisation numbers.
    dtypes, attributes : mapping, optional
        Types other than the default ones; further global attributes.
    """
    with writing(path) as file:
        file.attrs.update(
            {
                "stage": origin.stage,
                "point": _json(origin.sections),
                "point_hash": origin.hash,
                **made_by(),
                **(attributes or {}),
            }
        )
        used = {name for about in variables.values() for name in about.dimensions.split()}
        axes = {name: size for name, size in AXES.items() if name in used}
        file.dimensions = {"realisation": len(realisations), **axes, **sizes}
        writer = Writer(file)
        for name, about in {"realisation": REALISATION, **variables}.items():
            writer.declare(name, about, (dtypes or {}).get(name))
        writer.put_whole("realisation", np.asarray(realisations))
        yield writer


class Reader:
    """An opened data file.

    Parameters
    ----------
    path : Path
        Its name.
    file : h5netcdf.File
        What is in it.
    values : h5py.File, optional
        The numbers of a file of ours, in a tenth of the time: h5netcdf looks whether a variable is
        shorter than a dimension that grew, which ours never are.
    """

    def __init__(
        self, path: Path, file: "h5netcdf.File", values: "h5py.File | None" = None
    ) -> None:
        self.path = path
        self._file = file
        self._values = values

    @property
    def attributes(self) -> dict[str, Any]:
        """The global attributes."""
        with _readable(self.path, "an attribute"):
            return dict(self._file.attrs)

    @property
    def realisations(self) -> list[int]:
        """Realisation numbers."""
        return [int(number) for number in self.whole("realisation")]

    def size(self, dimension: str) -> int:
        """Return the size of a dimension."""
        with _readable(self.path, f"the dimension {dimension!r}"):
            return self._file.dimensions[dimension].size

    @property
    def names(self) -> list[str]:
        """The names of the variables."""
        return list(self._file.variables)

    def __contains__(self, name: str) -> bool:
        """Say whether the file holds a variable."""
        return name in self._file.variables

    def whole(self, name: str) -> NDArray[Any]:
        """Read a variable for all realisations."""
        return self._read(name, ...)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a variable."""
        with _readable(self.path, repr(name)):
            return tuple(self._variable(name).shape)

    def dtype(self, name: str) -> np.dtype[Any]:
        """Return the type of a variable's numbers, as it is stored."""
        with _readable(self.path, repr(name)):
            return np.dtype(self._variable(name).dtype)

    def dimensions(self, name: str) -> tuple[str, ...]:
        """Return the names of a variable's dimensions."""
        with _readable(self.path, repr(name)):
            return tuple(self._variable(name).dimensions)

    def about(self, name: str) -> dict[str, Any]:
        """Return the attributes of a variable."""
        with _readable(self.path, repr(name)):
            return dict(self._variable(name).attrs)

    def row(self, row: int, *names: str) -> list[NDArray[Any]]:
        """Read what belongs to the realisation in ``row``."""
        return [self._read(name, row) for name in names]

    def optional(self, row: int, name: str) -> NDArray[Any] | None:
        """Read the same of a variable that need not be there, or return None."""
        return self.row(row, name)[0] if name in self else None

    def part(self, name: str, part: Any) -> NDArray[Any]:
        """Read a part of a variable, as numpy indexes it."""
        return self._read(name, part)

    def _read(self, name: str, index: Any) -> NDArray[Any]:
        with _readable(self.path, repr(name)):
            variable = self._variable(name)
            stored = variable if self._values is None else self._values[name]
            return np.asarray(stored[index])

    def _variable(self, name: str) -> Any:
        if name not in self:
            raise DataError(f"{self.path}: holds no variable {name!r}")
        return self._file.variables[name]


@contextmanager
def _readable(path: Path, what: str) -> Iterator[None]:
    """Turn what the library says of a damaged file into one line."""
    try:
        yield
    except DAMAGED as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: {what} cannot be read; the file is damaged") from None


@contextmanager
def opened(path: Path, *, ours: bool = False) -> Iterator[Reader]:
    """Open any NetCDF4 file, or only one that glasspipe wrote.

    Raises
    ------
    DataError
        If there is no such file, or it is not NetCDF4, or it is truncated or has changed.
    """
    import h5netcdf
    import h5py

    if not path.is_file():
        what = "a folder; allowed: a NetCDF4 file" if path.is_dir() else "no such file"
        raise DataError(f"{path}: {what}")
    check_seal(path, needed=ours)
    if not ours:
        check_links(path)
    with ExitStack() as held:
        with _readable(path, "its list of variables"):
            values = held.enter_context(h5py.File(path, "r"))
            file = held.enter_context(h5netcdf.File(values, "r"))
        yield Reader(path, file, values if ours else None)


@contextmanager
def file_of(path: Path, stage: str) -> Iterator[Reader]:
    """Open the file of a stage, whatever the point.

    Raises
    ------
    DataError
        If it cannot be opened or is another stage's file.
    """
    with opened(path, ours=True) as reader:
        found = reader.attributes.get("stage")
        if found != stage:
            raise DataError(f"{path}: a file of the stage {found!r}; one of {stage!r} is needed")
        yield reader


@contextmanager
def stage_file(path: Path, origin: Origin) -> Iterator[Reader]:
    """Open the file of a stage, made for this part of a point.

    Raises
    ------
    DataError
        If it cannot be opened, is another stage's file or was made for another point.
    """
    with file_of(path, origin.stage) as reader:
        recorded = json.loads(reader.attributes["point"])
        difference = next(differences(recorded, json.loads(_json(origin.sections))), None)
        if difference:
            key, theirs, ours = difference
            raise DataError(
                f"{path}: made for another point; {key} is {theirs!r} there and {ours!r} here"
            )
        yield reader


def check_realisations(reader: Reader, wanted: Sequence[int]) -> None:
    """Refuse a file that holds other realisations than it should.

    Raises
    ------
    DataError
        If it does.
    """
    if reader.realisations != list(wanted):
        raise DataError(
            f"{reader.path}: holds the realisations {_range(reader.realisations)};"
            f" {_range(wanted)} are needed"
        )


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


def differences(one: Any, two: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the dotted key and both values of all that differs between two mappings."""
    if isinstance(one, dict) and isinstance(two, dict):
        for name in sorted({*one, *two}):
            yield from differences(one.get(name), two.get(name), f"{key}.{name}" if key else name)
    elif one != two:
        yield key, one, two


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)

"""The only code that reads or writes the aggregate files of a study.

Tables hold values of any swept key, whose types differ from study to study (a number, a name, a
medium written out). A column of a table or a variable of a NetCDF file has one type, so values that
are not all numbers are stored as text. Floats are written such that they read back to the last
bit, and nothing that depends on the time of writing is written.

Columns have names that SQL and pandas' ``query`` take without quotes, ``defects_concentration`` of
the key ``defects.concentration``; a summary that is read has the keys again.

What a table or a dataset says of itself, its ``attrs``, is written with it: what it was made for,
and by what. CSV has no place for that.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from hashlib import blake2b, file_digest
from numbers import Real
from os import SEEK_END
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from xarray.backends import H5NetCDFStore

from glasspipe.errors import DataError
from glasspipe.files.arrays import read_arrays
from glasspipe.files.dataset import opened, replacing, writing

if TYPE_CHECKING:
    from pyarrow import Schema, Table
    from pyarrow.dataset import Dataset

SUMMARY = "summary.parquet"
SUMMARY_TEXT = "summary.csv"
FITS = "fits.csv"
CLAIMS = "claims.csv"
CLAIMS_TEXT = "claims.md"
PAGE = "report.html"
DEFECTS = "defects.parquet"
POINTS = "points"
DISTRIBUTIONS = "distributions.nc"
TRACES = "traces.nc"
FREEZING = "freezing.nc"
LOW_ENERGY = "low_energy.nc"
MERGED = (DISTRIBUTIONS, TRACES, FREEZING, LOW_ENERGY)
OF_STUDY = (SUMMARY, SUMMARY_TEXT, FITS, *MERGED)
"""What points are merged into."""

ESTIMATES = ("estimate", "stderr", "theory", "theory_kind")
SUMMARY_COLUMNS = ("point", "x", "quantity", "statistic", *ESTIMATES)
FITS_COLUMNS = (
    "quantity",
    "statistic",
    "against",
    "range",
    "points",
    "exponent",
    "stderr",
    "prediction",
    "asymptotic",
    "chi2",
    "p_value",
)
_VARIABLES = {
    DISTRIBUTIONS: (
        "edges",
        "scale",
        "count",
        "below",
        "above",
        "density",
        "limit_density",
        "lattice_density",
        "alpha",
        "x",
    ),
    TRACES: ("T", "energy", "energy_stderr", "acceptance"),
    FREEZING: ("h_edges", "h_density", "h_unit", "x_U_0"),
    LOW_ENERGY: ("coupling", "distance", "rms", "rms_error", "E", "P", "P_error", "P_theory", "x"),
}

CONCENTRATION = "defects.concentration"
_HASH = "point_hash"
_STAGE = "stage"
"""What the files of stages say, whose parts of a point may be all of it."""
_KEYS = "keys"
"""What a summary says of its columns: of which swept key each is, where that has another name."""
_SEAL = b"seal"
"""Key of the digest of all that a Parquet file says of itself and of its columns."""
_MADE_WITH = "defects_digest"
"""What the statistics of a point say of its defects: the digest of their file."""
_WORDS = (("|", "abs "), ("/", " over "))
_ATTRS = b"PANDAS_ATTRS"
_LENGTH = 8
"""Last bytes of a Parquet file: the length of its footer, in four, and its name."""
_GROUP = 1 << 19
"""Rows of a group in Parquet files, which are written and held together."""


def plain(values: Iterable[Any]) -> list[Any]:
    """Return values of a swept key as a column can hold them: all numbers, or all text."""
    found = list(values)
    if all(isinstance(value, Real) and not isinstance(value, bool) for value in found):
        return found
    return [value if isinstance(value, str) else json.dumps(value) for value in found]


def plain_names(names: Iterable[str]) -> dict[str, str]:
    """Return names that need no quotes of those of columns, ``B_over_U_S_eV`` of ``B/U_S (eV)``."""
    found: dict[str, str] = {}
    for name in names:
        text = name
        for sign, word in _WORDS:
            text = text.replace(sign, word, 1)
        text = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")
        text = f"_{text}" if text[:1].isdigit() or not text else text
        while text in found.values():
            text += "_"
        found[name] = text
    return found


def plainly_named(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose columns have names that need no quotes."""
    return table.rename(columns=plain_names(table.columns))


def swept_keys(table: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Return the columns of a table that are swept keys, being none of its own ``columns``."""
    return [name for name in table.columns if name not in columns]


def write_defects(
    folder: Path,
    name: str,
    table: Callable[[range], pd.DataFrame],
    *,
    rows: int,
    about: Mapping[str, Any],
) -> dict[str, str]:
    """Write the defects of the point ``name``, one row a defect, group by group of rows.

    Returns what the statistics of the point are to say of them.

    Parameters
    ----------
    folder : Path
        The study's folder.
    name : str
        The point.
    table : function
        Makes some of the rows.
    rows : int
        Their number.
    about : mapping
        What the file says of itself.
    """
    from pyarrow.parquet import ParquetWriter

    groups = [range(start, min(start + _GROUP, rows)) for start in range(0, rows, _GROUP)]
    with replacing(folder / DEFECTS / f"{name}.parquet") as temporary, ExitStack() as closing:
        writer: ParquetWriter | None = None
        for group in groups:
            frame = plainly_named(table(group))
            frame.attrs = dict(about)
            made = _sealed(frame)
            if writer is None:
                writer = ParquetWriter(temporary, made.schema, write_page_checksum=True)
                closing.enter_context(writer)
            writer.write_table(made, _GROUP)
    return {_MADE_WITH: _digest(folder / DEFECTS / f"{name}.parquet")}


def write_point(folder: Path, name: str, data: xr.Dataset) -> None:
    """Write the statistics of the point ``name``."""
    _write_netcdf(folder / POINTS / f"{name}.nc", data)


def read_point(folder: Path, name: str, *, point_hash: str) -> dict[str, NDArray[Any]]:
    """Read the statistics of the point ``name``, whose defects must be there too.

    Raises
    ------
    DataError
        If one of the two files is missing, damaged or another point's.
    """
    path = _existing(folder / POINTS / f"{name}.nc")
    data, attributes = read_arrays(path)
    table = _existing(folder / DEFECTS / f"{name}.parquet")
    for file, about in ((path, attributes), (table, parquet_about(table))):
        if about.get(_HASH) != point_hash or _STAGE in about:
            raise DataError(f"{file}: damaged or another point's; delete it and run again")
    if attributes.get(_MADE_WITH) != _digest(table):
        raise DataError(f"{table}: it is not what was written; delete it and run again")
    return data


def footers(folder: Path, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return what a summary says of the defects of points: digests of where their columns are."""
    return {DEFECTS: {name: _footer(folder / DEFECTS / f"{name}.parquet") for name in names}}


def _footer(path: Path) -> str:
    """Return a digest of all of a Parquet file that has no checksum of its own: its end."""
    with path.open("rb") as file:
        end = file.seek(0, SEEK_END)
        file.seek(max(end - _LENGTH, 0))
        size = int.from_bytes(file.read(4), "little")
        file.seek(max(end - _LENGTH - size, 0))
        return blake2b(file.read(), digest_size=16).hexdigest()


def remove_other_points(folder: Path, names: Sequence[str]) -> None:
    """Remove what earlier runs of the study left of points that it no longer has."""
    for kind, suffix in ((DEFECTS, ".parquet"), (POINTS, ".nc")):
        for path in (folder / kind).glob(f"*{suffix}"):
            if path.name.removesuffix(suffix) not in names:
                path.unlink()


def write_summary(folder: Path, table: pd.DataFrame) -> None:
    """Write the statistics of a study, as Parquet and as CSV.

    Parameters
    ----------
    folder : Path
        The study's folder.
    table : DataFrame
        The columns :data:`SUMMARY_COLUMNS`, and one for each swept key.
    """
    from pyarrow.parquet import write_table

    table = _plain_table(table, SUMMARY_COLUMNS)
    names = plain_names(table.columns)
    written = table.rename(columns=names)
    write_csv(folder / SUMMARY_TEXT, table)
    about = {
        **table.attrs,
        _KEYS: {names[key]: key for key in names if names[key] != key},
        SUMMARY_TEXT: _digest(folder / SUMMARY_TEXT),
    }
    written.attrs = about
    with replacing(folder / SUMMARY) as temporary:
        write_table(_sealed(written), temporary, write_page_checksum=True)


def read_summary(folder: Path) -> pd.DataFrame:
    """Read the statistics of a study.

    Raises
    ------
    DataError
        If the file is missing, damaged, or is not such a table.
    """
    path = _existing(folder / SUMMARY)
    if not parquet_about(path):
        raise DataError(f"{path}: not a Parquet file, or a damaged one")
    try:
        table = pd.read_parquet(path, page_checksum_verification=True)
    except (OSError, ValueError):
        raise DataError(f"{path}: damaged: it is not what was written") from None
    for name in (SUMMARY_TEXT, DEFECTS):
        table.attrs.pop(name, None)
    return _checked(path, table.rename(columns=table.attrs.pop(_KEYS, {})), SUMMARY_COLUMNS)


def _sealed(frame: pd.DataFrame) -> "Table":
    """Return a table for Parquet that has a digest of what its checksums of pages leave out."""
    from pyarrow import Table

    made = Table.from_pandas(frame, preserve_index=False)
    about = {**made.schema.metadata, _ATTRS: json.dumps(frame.attrs).encode()}
    made = made.replace_schema_metadata(about)
    return made.replace_schema_metadata({**about, _SEAL: _seal(made.schema)})


def _seal(schema: "Schema") -> bytes:
    columns = [(column.name, str(column.type)) for column in schema]
    about = sorted((k, v) for k, v in (schema.metadata or {}).items() if k != _SEAL)
    return blake2b(repr((columns, about)).encode()).hexdigest().encode()


def check_tables(folder: Path) -> None:
    """Check that the summary, its text and the fits are what was written.

    Raises
    ------
    DataError
        If one is missing or has changed.
    """
    read_summary(folder)
    read_fits(folder)
    _check_text(_existing(folder / SUMMARY_TEXT), parquet_about(folder / SUMMARY))


def write_fits(folder: Path, table: pd.DataFrame) -> str:
    """Write the power-law fits of a study; return what the summary says of them under their name.

    Parameters
    ----------
    folder : Path
        The study's folder.
    table : DataFrame
        The columns :data:`FITS_COLUMNS`, and one for each swept key but the concentration.
    """
    write_csv(folder / FITS, _plain_table(table, FITS_COLUMNS))
    return _digest(folder / FITS)


def read_fits(folder: Path) -> pd.DataFrame:
    """Read the power-law fits of a study; swept values that look like numbers are numbers.

    The summary beside them knows the keys, and what was written.

    Raises
    ------
    DataError
        If the file is missing, has changed, or is not such a table.
    """
    path, about = _existing(folder / FITS), parquet_about(folder / SUMMARY)
    _check_text(path, about)
    try:
        table = pd.read_csv(path)
    except ValueError:
        raise DataError(f"{path}: not a CSV table") from None
    return _checked(path, table.rename(columns=about.get(_KEYS, {})), FITS_COLUMNS)


def _check_text(path: Path, about: Mapping[str, Any]) -> None:
    """Compare a CSV file with what the summary says of it, if anything."""
    if about.get(path.name, digest := _digest(path)) != digest:
        raise DataError(f"{path}: it is not what was written; run `glasspipe aggregate` again")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "blake2b").hexdigest()


def write_merged(folder: Path, name: str, data: xr.Dataset) -> None:
    """Write one of the NetCDF files of a study.

    Parameters
    ----------
    folder : Path
        The study's folder.
    name : str
        :data:`DISTRIBUTIONS`, :data:`TRACES`, :data:`FREEZING` or :data:`LOW_ENERGY`.
    data : Dataset
        What that file holds, see ``docs/data.md``; most of it against ``point``.
    """
    _write_netcdf(folder / name, data)


def read_merged(folder: Path, name: str) -> xr.Dataset:
    """Read one of the NetCDF files of a study, named as in :func:`write_merged`.

    Raises
    ------
    DataError
        If the file is missing, damaged or holds something else.
    """
    if name not in _VARIABLES:
        raise DataError(f"{folder}: found the file {name!r}; allowed: {', '.join(_VARIABLES)}")
    path = _existing(folder / name)
    data = _read_netcdf(path)
    missing = [variable for variable in _VARIABLES[name] if variable not in data.variables]
    if missing:
        raise DataError(f"{path}: holds no variable {missing[0]!r}; run `glasspipe aggregate`")
    return data


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, floats to the last bit."""
    with replacing(path) as temporary:
        plainly_named(table).to_csv(temporary, index=False, lineterminator="\n", encoding="utf-8")


def _plain_table(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return a copy with plain values of the swept keys; refuse one that lacks a column."""
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise ValueError(f"table has no column {missing[0]!r}; it needs {', '.join(columns)}")
    keys = swept_keys(table, columns)
    return table.assign(**{key: plain(table[key].tolist()) for key in keys})


def _write_netcdf(path: Path, data: xr.Dataset) -> None:
    with writing(path) as file:
        data.dump_to_store(H5NetCDFStore(file))


def _read_netcdf(path: Path) -> xr.Dataset:
    with opened(path, ours=True):
        return xr.load_dataset(path, engine="h5netcdf")


def open_defects(folder: Path, names: Sequence[str]) -> "Dataset":
    """Open the defects of points, of which only what is asked for is read.

    Raises
    ------
    DataError
        If a file is missing, or is not what was summarised.
    """
    from pyarrow.dataset import ParquetFileFormat, ParquetFragmentScanOptions, dataset

    checking = ParquetFragmentScanOptions(page_checksum_verification=True)
    files = [_existing(folder / DEFECTS / f"{name}.parquet") for name in names]
    written = parquet_about(_existing(folder / SUMMARY)).get(DEFECTS, {})
    for name, path in zip(names, files, strict=True):
        if written.get(name) != _footer(path):
            raise DataError(f"{path}: it is not what was written; delete it and run again")
    found = dataset(files, format=ParquetFileFormat(default_fragment_scan_options=checking))
    return found.replace_schema(found.schema.remove_metadata())  # that of its first point


def parquet_about(path: Path) -> dict[str, Any]:
    """Return what a Parquet file says of itself; nothing if it cannot be read or has changed."""
    from pyarrow import ArrowException
    from pyarrow.parquet import read_schema

    try:
        schema = read_schema(path)
        whole = schema.metadata[_SEAL] == _seal(schema)
        return dict(json.loads(schema.metadata[_ATTRS])) if whole else {}
    except (OSError, ValueError, KeyError, TypeError, ArrowException):
        return {}


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise DataError(f"{path}: no such file; `glasspipe aggregate` makes it")
    return path


def _checked(path: Path, table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise DataError(f"{path}: holds no column {missing[0]!r}; run `glasspipe aggregate` again")
    return table

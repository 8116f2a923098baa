"""What a file is and what made it, as far as the file itself says so."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any

from glasspipe.errors import DataError
from glasspipe.files import results
from glasspipe.files.dataset import opened
from glasspipe.files.record import read_record
from glasspipe.report.presentation import key_unit
from glasspipe.settings.schema import leaves, schema
from glasspipe.stages import STAGES
from glasspipe.stages.forecast import AGGREGATE, MERGE, REPORT, record_file
from glasspipe.stages.study_files import STUDY_FILE, load

Line = tuple[str, str]
_WIDTH = 100
_INDENT = 14
_FEW = 12
"""Variables that are listed with their dimensions; of more, names and units."""


def info(path: Path) -> str:
    """Return what a file is, what made it and what it holds, in a few lines.

    Raises
    ------
    DataError
        If it is no NetCDF4, Parquet or CSV file, or a damaged one.
    """
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no such file"
        raise DataError(f"{path}: {what}; allowed: a NetCDF, Parquet or CSV file")
    with path.open("rb") as file:
        start = file.read(8)
    readers = {b"\x89HDF": _netcdf, b"PAR1": _parquet}
    read = next((read for mark, read in readers.items() if start.startswith(mark)), _csv)
    lines = [("file", f"{path}, {path.stat().st_size} bytes"), *read(path), *_took(path.resolve())]
    return "\n".join(line for name, text in lines for line in _wrapped(name, text))


def _wrapped(name: str, text: str) -> list[str]:
    first, other = name.ljust(_INDENT), " " * _INDENT
    return wrap(text, _WIDTH, initial_indent=first, subsequent_indent=other, break_long_words=False)


def _netcdf(path: Path) -> Iterator[Line]:
    with opened(path) as reader:
        about = reader.attributes
        yield "what", f"NetCDF: {_purpose(path, about)}"
        yield from _record(about)
        if "stage" in about:
            numbers = reader.realisations
            yield "realisations", f"{len(numbers)}, {numbers[0]} to {numbers[-1]}"
        units = {name: str(reader.about(name).get("units", "")) for name in reader.names}
        dimensions = {name: ", ".join(reader.dimensions(name)) for name in reader.names}
    yield "holds", _held(units, dimensions)


def _parquet(path: Path) -> Iterator[Line]:
    from pyarrow import ArrowException
    from pyarrow.parquet import read_metadata

    try:
        found = read_metadata(path)
    except (OSError, ArrowException):
        raise DataError(f"{path}: damaged; a Parquet file was expected") from None
    about = results.parquet_about(path)
    yield "what", f"Parquet: {_purpose(path, about)}"
    yield from _record(about)
    yield "rows", str(found.num_rows)
    yield "holds", _held(dict.fromkeys(found.schema.to_arrow_schema().names, ""))


def _csv(path: Path) -> Iterator[Line]:
    from pandas import read_csv

    other = DataError(f"{path}: found another kind of file; allowed: NetCDF, Parquet or CSV")
    if path.suffix != ".csv":
        raise other
    try:
        table = read_csv(path)
    except ValueError:
        raise other from None
    yield "what", "CSV, which has no place for what made it"
    study = next((up for up in path.resolve().parents[:2] if (up / STUDY_FILE).is_file()), None)
    if study is not None:
        yield "study", f"{load(study).name}, in whose folder it is; the NetCDF files there say more"
    yield "rows", str(len(table))
    yield "holds", _held(dict.fromkeys(map(str, table.columns), ""))


def _purpose(path: Path, about: Mapping[str, Any]) -> str:
    """Return what a file is for."""
    if "stage" in about:
        stage = STAGES.get(about["stage"])
        return f"file of the stage {about['stage']}" + (f" ({stage.about})" if stage else "")
    if "config" in about:
        return f"results of a study, {path.name}"
    if "point_hash" in about:
        return "merged defects or statistics of one point of a study"
    return "not written by a stage or a study of glasspipe"


def _record(about: Mapping[str, Any]) -> Iterator[Line]:
    """Yield what a file says of what made it."""
    for name in ("config", "point"):
        if name in about:
            sections = json.loads(about[name])
            if "study" in sections:
                yield "study", sections["study"]
            yield name, _values(sections)
            yield f"{name} hash", about[f"{name}_hash"]
    if "versions" in about:
        versions = json.loads(about["versions"])
        yield "made by", ", ".join(f"{name} {version}" for name, version in versions.items())
    if "git_revision" in about:
        yield "git revision", about["git_revision"]


def _values(sections: Mapping[str, Any], prefix: str = "") -> str:
    """Return all values of a config with their dotted keys."""
    found = []
    for name, value in sections.items():
        nested = isinstance(value, Mapping) and name != "sweep"
        shown = json.dumps(value, ensure_ascii=False)
        found.append(_values(value, f"{prefix}{name}.") if nested else f"{prefix}{name} = {shown}")
    return ", ".join(filter(None, found))


def _took(path: Path) -> Iterator[Line]:
    """Yield what the job took that made a file in the folder of a study."""
    folder = next((up for up in path.parents if (up / STUDY_FILE).is_file()), None)
    if folder is None:
        return
    kind, *names = path.relative_to(folder).parts
    if kind == "data":
        words = [*names[:-1], path.stem]
    elif kind in (results.DEFECTS, results.POINTS):
        words = [MERGE, path.stem]
    else:
        words = [REPORT if kind in (results.CLAIMS, "tables") else AGGREGATE]
    record = read_record(folder / record_file(*words))
    if record is not None:
        yield (
            "its job took",
            f"{record.cpu_s:g} s of CPU, {record.wall_s:g} s and {record.rss_mb:g} MB,"
            f" on {record.machine} ({record.processor}), from {record.started}",
        )


def _held(units: Mapping[str, str], dimensions: Mapping[str, str] | None = None) -> str:
    """Return variables with their units, and their dimensions unless they are many."""
    known = _units()
    shown = []
    for name, own in units.items():
        unit = own or known.get(name)
        where = f"({dimensions[name]})" if dimensions and len(dimensions) <= _FEW else ""
        shown.append(f"{name}{where}" + (f" [{unit}]" if unit else ""))
    return ", ".join(shown)


def _units() -> dict[str, str]:
    """Return the units of the columns that tables have: variables of the stages, swept keys."""
    keys = [key for key, _ in leaves(schema())]
    swept = {column: key_unit(key) for key, column in results.plain_names(keys).items()}
    stages = (stage.variables.items() for stage in STAGES.values())
    own = {name: each.units for variables in stages for name, each in variables}
    places = {f"position_{axis}": own["position"] for axis in "xyz"}
    return swept | own | places | {"splitting": "eV"}

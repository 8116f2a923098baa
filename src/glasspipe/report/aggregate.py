"""From chunks to a point, from points to the study."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from glasspipe.files import results
from glasspipe.files.tables import tables
from glasspipe.report.observable import Member, Row
from glasspipe.report.observables import OBSERVABLES
from glasspipe.report.point_data import PointData
from glasspipe.stages.study_files import StudyFiles, load
from glasspipe.theory.tables import kept_in

_ROW = ("quantity", "statistic", *results.ESTIMATES)


def point(folder: Path, name: str) -> None:
    """Merge the chunks of one point: its rows of ``defects.parquet``, and its statistics.

    Raises
    ------
    ConfigError
        If the folder is not a study's, or has no such point.
    DataError
        If a file of the point cannot be used.
    """
    study = load(folder)
    how = study.config["aggregate"]
    data = PointData(study.point(name), bootstrap=how["bootstrap"], pairs=how["pairs"])
    about = data.files.about
    table = partial(data.table, _swept(study)[name])
    about |= results.write_defects(
        folder, name, table, rows=len(data.realisations) * data.defects, about=about
    )
    rows, curves = [], []
    with kept_in(tables()):
        for observable in OBSERVABLES:
            if observable.measure is not None:
                found = observable.measure(data)
                rows += found.rows
                curves.append(observable.dataset(found.curves))
    columns = {f"row_{name}": ("row", [getattr(row, name) for row in rows]) for name in _ROW}
    own = xr.Dataset({"x": data.x, "defects": data.defects, **columns})
    results.write_point(folder, name, xr.merge([own, *curves]).assign_attrs(about))


def study(folder: Path) -> None:
    """Merge the points of a study: summary, fits, and what each observable has of all points.

    Raises
    ------
    ConfigError
        If the folder is not a study's.
    DataError
        If a point has not been merged.
    """
    files = load(folder)
    swept = _swept(files)
    names = list(swept)
    points = [
        results.read_point(folder, one.name, point_hash=one.point.hash) for one in files.points
    ]
    members = [Member(_rows(data), data) for data in points]
    summary = _summary(files, members)
    digest = results.write_fits(folder, _fits(files, members))
    summary.attrs = {**files.about, results.FITS: digest, **results.footers(folder, names)}
    results.write_summary(folder, summary)
    keys = {key: [row[key] for row in swept.values()] for key in files.points[0].point.swept}
    named = results.plain_names(keys)
    columns = {"point": names, **{named[key]: values for key, values in keys.items()}}
    labels = {name: ("point", values) for name, values in columns.items()}
    x = xr.Dataset({"x": ("point", [float(data["x"]) for data in points])}, labels)
    for file in dict.fromkeys(one.file for one in OBSERVABLES if one.file):
        held = [one.merged(points) for one in OBSERVABLES if one.file == file]
        results.write_merged(folder, file, xr.merge([x, *held]).assign_attrs(files.about))
    results.remove_other_points(folder, names)


def _rows(data: Mapping[str, NDArray[Any]]) -> dict[tuple[str, str], Row]:
    """Return the rows of the summary of a point, by quantity and statistic."""
    rows = (Row(*values) for values in zip(*(data[f"row_{name}"] for name in _ROW), strict=True))
    return {(row.quantity, row.statistic): row for row in rows}


def _swept(files: StudyFiles) -> dict[str, dict[str, Any]]:
    """Return the swept values of every point, each key as one type in the whole study."""
    keys = list(files.points[0].point.swept)
    columns = [results.plain(one.point.swept[key] for one in files.points) for key in keys]
    rows = zip(*columns, strict=True) if keys else [()] * len(files.points)
    return {
        point.name: dict(zip(keys, row, strict=True))
        for point, row in zip(files.points, rows, strict=True)
    }


def _summary(files: StudyFiles, members: list[Member]) -> pd.DataFrame:
    """Return the long table of estimates."""
    swept, keys = _swept(files), list(files.points[0].point.swept)
    lengths = [len(one.rows) for one in members]
    labels = {"point": list(swept), **{key: [row[key] for row in swept.values()] for key in keys}}
    labels["x"] = [float(one.data["x"]) for one in members]
    columns = {
        name: [value for value, length in zip(each, lengths, strict=True) for _ in range(length)]
        for name, each in labels.items()
    }
    found = {name: np.concatenate([one.data[f"row_{name}"] for one in members]) for name in _ROW}
    return pd.DataFrame({**columns, **found})


def _fits(files: StudyFiles, members: list[Member]) -> pd.DataFrame:
    """Return the power laws of each series: the points that differ in x alone."""
    keys = [key for key in files.points[0].point.swept if key != results.CONCENTRATION]
    rows = [
        {**shared, **row}
        for shared, series in _series(files, members, keys)
        for observable in OBSERVABLES
        if observable.fits is not None
        for row in observable.fits(series, files.config)
    ]
    return pd.DataFrame(rows, columns=[*keys, *results.FITS_COLUMNS])


def _series(
    files: StudyFiles, members: list[Member], keys: list[str]
) -> Iterator[tuple[dict[str, Any], list[Member]]]:
    found: dict[str, tuple[dict[str, Any], list[Member]]] = {}
    for swept, member in zip(_swept(files).values(), members, strict=True):
        shared = {key: swept[key] for key in keys}
        found.setdefault(str(shared), (shared, []))[1].append(member)
    return iter(found.values())

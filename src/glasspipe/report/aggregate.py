"""From chunks to a point, from points to the study."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from glasspipe.files import results
from glasspipe.report.merging import side_by_side
from glasspipe.report.observable import Member
from glasspipe.report.observables import OBSERVABLES
from glasspipe.report.point_data import PointData
from glasspipe.stages.study_files import StudyFiles, load

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
    table = data.table(_swept(study)[name])
    table.attrs = about
    results.write_defects(folder, name, table)
    rows, curves = [], []
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
    summary.attrs = files.about
    results.write_summary(folder, summary)
    results.write_fits(folder, _fits(files, members))
    keys = {key: [row[key] for row in swept.values()] for key in files.points[0].point.swept}
    labels = {name: ("point", values) for name, values in {"point": names, **keys}.items()}
    merged = side_by_side([data.drop_dims("row") for data in points])
    merged = merged.assign_coords(labels).assign_attrs(files.about)
    for file in dict.fromkeys(one.file for one in OBSERVABLES if one.file):
        held = [name for one in OBSERVABLES if one.file == file for name in one.kept]
        there = [name for name in ("x", *held) if name in merged]
        results.write_merged(folder, file, merged[there])
    results.remove_other_points(folder, names)


def _rows(data: xr.Dataset) -> pd.DataFrame:
    """Return the rows of the summary of a point, by quantity and statistic."""
    table = pd.DataFrame({name: data[f"row_{name}"].to_numpy() for name in _ROW})
    return table.set_index(["quantity", "statistic"])


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
    tables = [
        one.rows.reset_index().assign(point=name, x=float(one.data["x"]), **swept)
        for (name, swept), one in zip(_swept(files).items(), members, strict=True)
    ]
    keys = list(files.points[0].point.swept)
    return pd.concat(tables, ignore_index=True)[["point", *keys, "x", *_ROW]]


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

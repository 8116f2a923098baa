"""What makes a file anew, from what it says of itself, and whether that gives the same bytes.

A stage's file says all that it depends on, and a study's results say their config. CSV, figures and
the merged files of a point do not, and are taken for those of the study in whose folder they lie.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from glasspipe.errors import DataError
from glasspipe.files import results
from glasspipe.files.arrays import read_arrays
from glasspipe.files.dataset import opened
from glasspipe.report import aggregate
from glasspipe.report.writing import report
from glasspipe.settings.part import StagePart
from glasspipe.settings.point import Point
from glasspipe.settings.study import Study
from glasspipe.stages import STAGES, study_files
from glasspipe.stages.stage import Stage
from glasspipe.stages.work import chunks

_OF_POINT = (results.DEFECTS, results.POINTS)
_OF_REPORT = (results.CLAIMS, results.CLAIMS_TEXT, "figures", "tables")
_CODE = ("git_revision", "versions")
"""What files say of the code that made them."""

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Recipe:
    """How a file is made anew.

    Parameters
    ----------
    config : dict
        A study, or what a stage depends on.
    commands : tuple of str
        What is run with it, CONFIG standing for its file.
    make : function
        Makes the file in a folder and returns where it is.
    """

    config: dict[str, Any]
    commands: tuple[str, ...]
    make: Callable[[Path], Path]

    def text(self, name: str) -> str:
        """Return the config as YAML, below the commands."""
        lines = [f"# {command.replace('CONFIG', name)}\n" for command in self.commands]
        return "".join(lines) + yaml.safe_dump(self.config, sort_keys=False, allow_unicode=True)


def recipe(path: Path) -> Recipe:
    """Return how a file of a stage or a result of a study is made anew.

    Raises
    ------
    DataError
        If it is neither, is damaged, or belongs to no study that is known.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; allowed: a data file or a result of a study")
    about = _about(path)
    if "stage" in about:
        return _of_stage(path)
    folder = next((up for up in path.resolve().parents if _is_study(up)), None)
    if "config" in about:
        name, study = path.name, study_files.study_of(json.loads(about["config"]))
    elif folder is not None:
        name, study = str(path.resolve().relative_to(folder)), study_files.load(folder).study
    else:
        raise DataError(f"{path}: in the folder of no study, and does not say of which it is")
    return _of_study(path, name, study)


def remade(path: Path, how: Recipe) -> tuple[bool, str]:
    """Make a file anew in a temporary folder; return whether its data are the same, and a line."""
    with TemporaryDirectory() as folder:
        made = how.make(Path(folder))
        if not made.is_file():
            raise DataError(f"{path}: no result of that study")
        if made.read_bytes() == path.read_bytes():
            return True, f"{path}: the same bytes"
        return _compared(path, made)


def _about(path: Path) -> dict[str, Any]:
    """Return what a file says of itself."""
    if path.suffix == ".nc":
        with opened(path, ours=True) as reader:
            return reader.attributes
    return results.parquet_about(path) if path.suffix == ".parquet" else {}


def _is_study(folder: Path) -> bool:
    return (folder / study_files.STUDY_FILE).is_file()


def _of_stage(path: Path) -> Recipe:
    with opened(path, ours=True) as reader:
        about, found = reader.attributes, reader.realisations
    numbers = range(found[0], found[-1] + 1)
    stage = STAGES[about["stage"]]
    part = StagePart(stage.name, json.loads(about["point"]), numbers.stop)
    if part.hash != about["point_hash"]:
        raise DataError(f"{path}: its parameters are not those of its hash")

    def make(folder: Path) -> Path:
        _make(stage, part, numbers, {name: folder / f"{name}.nc" for name in STAGES})
        return folder / f"{stage.name}.nc"

    return Recipe(json.loads(part.text), tuple(_commands(stage, numbers)), make)


def _commands(stage: Stage, numbers: range) -> list[str]:
    """Return the commands that make a stage's file, those of what it reads first."""
    earlier = [command for read in stage.reads for command in _commands(read, numbers)]
    read = "".join(f" {read.name}.nc" for read in stage.reads)
    chosen = "" if stage.reads else f" --first {numbers.start} --count {len(numbers)}"
    mine = f"glasspipe {stage.name} CONFIG{read}{chosen} --output {stage.name}.nc"
    return list(dict.fromkeys([*earlier, mine]))


def _of_study(path: Path, name: str, study: Study) -> Recipe:
    kind, _, file = name.partition("/")
    if kind not in (*_OF_POINT, *results.OF_STUDY, *_OF_REPORT):
        raise DataError(
            f"{path}: found {name}, which is no data; allowed: files of stages, in"
            f" {', '.join(_OF_POINT)}, {', '.join((*results.OF_STUDY, *_OF_REPORT))}"
        )
    points = study.points
    if kind in _OF_POINT:
        points = tuple(point for point in points if point.name == Path(file).stem)
        if not points:
            raise DataError(f"{path}: the study {study.name} has no such point")
    target = f"{study_files.study_folder(study)}/{name}"
    command = f"snakemake --cores 2 --configfile CONFIG {target}  # in an empty folder"
    make = partial(_make_result, study, points, name)
    return Recipe(study_files.written(study.config), (command,), make)


def _make_result(study: Study, points: tuple[Point, ...], name: str, folder: Path) -> Path:
    """Make a result of a study, as the workflow does, from the first stage on."""
    folder = folder / study_files.study_folder(study)
    study_files.write(study, folder)
    for point in points:
        _make_point(study, point, folder)
    kind = name.partition("/")[0]
    if kind not in _OF_POINT:
        aggregate.study(folder)
    if kind in _OF_REPORT:
        report(folder)
    return folder / name


def _make_point(study: Study, point: Point, folder: Path) -> None:
    """Make and merge what a point is merged from; U goes when a chunk is done."""
    files = {stage.name: study_files.point_files(study, point, stage) for stage in STAGES.values()}
    for place, numbers in enumerate(chunks(study).values()):
        mine = {name: folder / each[place] for name, each in files.items()}
        for stage in STAGES.values():
            if stage.merged and not stage.temporary:
                _make(stage, stage.part(point), numbers, mine)
        for stage in STAGES.values():
            if stage.temporary:
                mine[stage.name].unlink(missing_ok=True)
    aggregate.point(folder, point.name)


def _make(stage: Stage, part: StagePart, numbers: range, files: Mapping[str, Path]) -> None:
    """Make a stage's file, and of the files that it reads those that are not there."""
    output = files[stage.name]
    if output.is_file():
        return
    for read in stage.reads:
        _make(read, read.part(part), numbers, files)
    chosen = {} if stage.reads else {"first": numbers.start, "count": len(numbers)}
    stage.run(part, *(files[read.name] for read in stage.reads), output, **chosen)


def _compared(old: Path, new: Path) -> tuple[bool, str]:
    """Say in what a file differs from what was made."""
    if old.suffix not in (".nc", ".parquet"):
        return False, f"{old}: not the same bytes"
    (theirs, before), (ours, now) = _read(old), _read(new)
    other = sorted(name for name in {*theirs, *ours} if not _same(theirs.get(name), ours.get(name)))
    code = "; ".join(
        f"{name} {before[name]} there, {now[name]} here"
        for name in _CODE
        if before.get(name) != now.get(name)
    )
    remark = f" ({code})" if code else ""
    if other:
        return False, f"{old}: other data: {', '.join(other)} of {len(theirs)} variables{remark}"
    return True, f"{old}: the same data, made by other code{remark}"


def _read(path: Path) -> tuple[Arrays, dict[str, Any]]:
    if path.suffix == ".nc":
        return read_arrays(path)
    from pyarrow import ArrowException
    from pyarrow.parquet import read_table

    try:
        table = read_table(path, page_checksum_verification=True)
    except (OSError, ArrowException):
        raise DataError(f"{path}: damaged: it is not what was written") from None
    return {name: table[name].to_numpy() for name in table.column_names}, _about(path)


def _same(one: NDArray[Any] | None, two: NDArray[Any] | None) -> bool:
    if one is None or two is None or one.dtype != two.dtype or one.shape != two.shape:
        return False
    if one.dtype == object:
        return one.tolist() == two.tolist()
    return np.ascontiguousarray(one).tobytes() == np.ascontiguousarray(two).tobytes()

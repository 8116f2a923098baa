"""The folder of a study: what belongs to it, written before a run and read after it.

`study.json` lists the points of the study and their files, for those who read its results without
the workflow.
"""

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from glasspipe.elastic.medium import CubicMedium
from glasspipe.errors import ConfigError
from glasspipe.files.dataset import (
    Reader,
    check_realisations,
    made_by,
    replacing,
    stage_file,
)
from glasspipe.settings.names import hash_of
from glasspipe.settings.point import SWEPT_SECTIONS, Point
from glasspipe.settings.reading import read_mapping
from glasspipe.settings.study import Study, study_from
from glasspipe.stages import STAGES, stages_of
from glasspipe.stages.stage import Stage
from glasspipe.stages.work import PART_NAME, chunks, works

RESULTS = "results"
STUDY_FILE = "study.json"
RUN = "`snakemake --cores 2 --configfile CONFIG`"
"""What makes the results of a study."""
_SPLIT = "realisations_per_job"
_NO_RESULT = (_SPLIT, "report")
"""What changes no number: how the work is split, and how figures and tables look."""


def study_folder(study: Study) -> str:
    """Return the folder of a study's results, in the working directory."""
    return f"{RESULTS}/{study.name}"


def point_files(study: Study, point: Point, stage: Stage) -> list[str]:
    """Return the data files of a point from a stage, chunk by chunk, in the study's folder."""
    folder = f"data/{stage.name}/{stage.part(point).name}"
    return [f"{folder}/{chunk}.nc" for chunk in chunks(study)]


def merged_files(study: Study, point: Point) -> list[str]:
    """Return the data files of a point that are merged."""
    merged = (stage for stage in STAGES.values() if not stage.temporary and stage.merged)
    return [file for stage in merged for file in point_files(study, point, stage)]


def kept_files(study: Study) -> list[str]:
    """Return the data files that are results in themselves: all that no stage deletes."""
    kept = [stage for stage in stages_of(study) if not stage.temporary]
    return [
        file
        for point in study.points
        for stage in kept
        for file in point_files(study, point, stage)
    ]


def of_results(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the results of a study depend on of its complete config."""
    return {key: value for key, value in config.items() if key not in _NO_RESULT}


def written(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a complete config as a user may write it: no sweep where nothing is swept."""
    return {key: value for key, value in config.items() if value != {}}


def study_of(config: Mapping[str, Any]) -> Study:
    """Return the study of a complete config, or of what its results depend on."""
    return study_from(written(config))


def merge_settings(study: Study) -> dict[str, str]:
    """Return what the merged files of each point depend on besides its data files.

    That is how errors are estimated, and the columns of swept values, whose types depend on the
    other points too.
    """
    types = {
        key: sorted({type(point.swept[key]).__name__ for point in study.points})
        for key in study.sweep_keys
    }
    how = study.config["aggregate"]
    return {
        point.name: json.dumps([how["bootstrap"], how["pairs"], point.swept, types])
        for point in study.points
    }


def study_record(study: Study) -> dict[str, Any]:
    """Return what `study.json` holds: the complete config, the chunks, each point with its files.

    A point in a crystal has Zener's ratio and the Hill average besides.
    """
    kept = [stage for stage in stages_of(study) if not stage.temporary]
    points = [
        {
            "name": point.name,
            "swept": point.swept,
            "point": point.model.resolved,
            **_crystal(point),
            "files": {stage.name: point_files(study, point, stage) for stage in kept},
        }
        for point in study.points
    ]
    numbers = [[numbers.start, numbers.stop] for numbers in chunks(study).values()]
    return {"config": study.config, "chunks": numbers, "points": points}


def _crystal(point: Point) -> dict[str, Any]:
    medium = point.model.medium
    if not isinstance(medium, CubicMedium):
        return {}
    return {
        "zener_ratio": medium.zener_ratio,
        "hill_average": asdict(medium.hill_average),
    }


def write(study: Study, folder: str | Path) -> None:
    """Write `study.json` and every part's `point.json` where they are missing or differ.

    A file that is right is left alone, with its time, or the workflow would repeat what follows.
    """
    folder = Path(folder)
    for parts in works(study, stages_of(study)).values():
        for work in parts.values():
            _write(folder / work.point_file, work.part.text)
    _write(folder / STUDY_FILE, json.dumps(study_record(study), indent=1) + "\n")


def settle_times(folder: str | Path) -> None:
    """Give files of the future, of a clock that was wrong, the time that it is now.

    What follows from such a file would be older than it, and never up to date.
    """
    now = time.time()
    for path in Path(folder).rglob("*"):
        with suppress(OSError):  # another's file stays as it is
            if path.stat().st_mtime > now:
                os.utime(path, (now, now))


def remove_unfinished(folder: str | Path) -> None:
    """Remove what killed jobs have left behind, now that no job runs.

    The checkpoint of an output that is not there stays: it may be hours of work.
    """
    from glasspipe.files.checkpoint import remove_stale

    remove_stale(Path(folder))
    for path in Path(folder).rglob(".*.part"):
        path.unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    try:
        if path.read_text("utf-8") == text:
            return
    except (OSError, UnicodeDecodeError):
        pass
    with replacing(path) as temporary:
        temporary.write_text(text, "utf-8")


@dataclass(frozen=True)
class PointFiles:
    """A point of a study that has been run, as its results are read.

    Parameters
    ----------
    name : str
        The point's name.
    point : Point
        The point.
    files : dict of str to tuple of Path
        The data files of each stage that keeps them, in the order of their realisations.
    chunks : tuple of range
        The realisations that each file of a stage holds.
    """

    name: str
    point: Point
    files: dict[str, tuple[Path, ...]]
    chunks: tuple[range, ...]

    @property
    def about(self) -> dict[str, str]:
        """What its merged files say of themselves."""
        physics = {name: self.point.sections[name] for name in SWEPT_SECTIONS}
        text = json.dumps(physics, sort_keys=True)
        return {"point": text, "point_hash": self.point.hash, **made_by()}

    @contextmanager
    def opened(self, stage: Stage, path: Path) -> Iterator[Reader]:
        """Open one of its files.

        Raises
        ------
        DataError
            If it is not the point's, or does not hold the realisations that it is there for.
        """
        wanted = self.chunks[self.files[stage.name].index(path)]
        with stage_file(path, stage.part(self.point)) as reader:
            check_realisations(reader, wanted)
            yield reader


@dataclass(frozen=True)
class StudyFiles:
    """A study that has been run, as its results are read.

    Parameters
    ----------
    folder : Path
        Where it is.
    config : dict
        The complete config.
    points : tuple of PointFiles
        Its points, in the order of the sweep.
    """

    folder: Path
    config: dict[str, Any]
    points: tuple[PointFiles, ...]

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.config["study"]

    @property
    def study(self) -> Study:
        """The study, cut into the chunks that it was run in."""
        return study_of({**self.config, _SPLIT: len(self.points[0].chunks[0])})

    @property
    def about(self) -> dict[str, str]:
        """What the files of the whole study say of themselves."""
        config = of_results(self.config)
        return {"config": json.dumps(config), "config_hash": hash_of(config), **made_by()}

    def point(self, name: str) -> PointFiles:
        """Return the point of that name.

        Raises
        ------
        ConfigError
            If there is none.
        """
        for point in self.points:
            if point.name == name:
                return point
        names = ", ".join(point.name for point in self.points)
        raise ConfigError(f"point: found {name!r}; allowed: {names}")


def load(folder: str | Path) -> StudyFiles:
    """Read which points and files belong to a study.

    Raises
    ------
    ConfigError
        If the folder is not a study's.
    """
    folder = Path(folder)
    path = folder / STUDY_FILE
    if not path.is_file():
        raise ConfigError(
            f"{folder}: holds no {STUDY_FILE}; allowed: the folder of a study, such as"
            f" {RESULTS}/default, which {RUN} makes"
        )
    record = read_mapping(path)
    try:
        numbers = tuple(range(start, stop) for start, stop in record["chunks"])
        points = tuple(_point_files(folder, entry, numbers) for entry in record["points"])
        return StudyFiles(folder, record["config"], points)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ConfigError(f"{path}: not written by glasspipe") from None


def _point_files(folder: Path, entry: Mapping[str, Any], numbers: tuple[range, ...]) -> PointFiles:
    names = [name for names in entry["files"].values() for name in names]
    outside = [name for name in names if Path(name).is_absolute() or ".." in Path(name).parts]
    if outside or not re.fullmatch(PART_NAME, entry["name"]):
        raise ValueError(f"{outside or entry['name']} is outside the study")
    files = {
        stage: tuple(folder / name for name in names) for stage, names in entry["files"].items()
    }
    return PointFiles(entry["name"], Point(entry["point"], entry["swept"]), files, numbers)

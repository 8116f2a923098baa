"""Where the files of a study are.

A stage's files are in a folder named by the part of the point that they depend on, and by nothing
else. So points that agree in that part share the files, and another run finds again whatever is
still good. `study.json` lists what belongs to the study, for those who read its results without
the workflow.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from math import ceil
from pathlib import Path
from typing import Any

from glasspipe.elastic.medium import CubicMedium
from glasspipe.errors import ConfigError
from glasspipe.settings.config import STAGES, Point, Study
from glasspipe.settings.reading import read_mapping
from glasspipe.stages import plan

RESULTS = "results"
STUDY_FILE = "study.json"
MERGED_STAGES = tuple(stage for stage in STAGES if stage != "couplings")
"""The stages whose files are merged; that of U is deleted as soon as it has been used."""

_SAFETY = 10
_BYTES_OF_ROW = 500

CHUNK_NAME = r"r\d+-\d+"
"""Regular expression of every chunk name."""


@dataclass(frozen=True)
class Part:
    """What one stage makes for all points that agree in everything it depends on.

    Parameters
    ----------
    stage : str
        The stage.
    point : Point
        One of those points.
    defects : int
        Number of defects in a realisation.
    """

    stage: str
    point: Point
    defects: int

    @cached_property
    def name(self) -> str:
        """Name of the part."""
        return self.point.part_name(self.stage)

    @property
    def megabytes(self) -> int:
        """Memory to ask for, for one job."""
        return ceil(self._work.memory / 1e6)

    @property
    def minutes(self) -> int:
        """Time to ask for, for one job: ample, since the estimate is another machine's."""
        return ceil(_SAFETY * self._work.seconds / 60) + 5

    @property
    def merge_megabytes(self) -> int:
        """Memory to ask for, to merge all realisations and to compare them with theory."""
        rows = self.defects * self.point.realisations
        fixed = plan.BYTES_OF_PROCESS + plan.BYTES_OF_THEORY
        return ceil((fixed + _BYTES_OF_ROW * rows) / 1e6)

    @property
    def sources(self) -> list[str]:
        """The user's own file of defects, or none."""
        file = self.point.source_file
        return [] if file is None else [str(file)]

    @property
    def _work(self) -> plan.Work:
        return plan.Work(self.stage, self.point, self.defects)

    @property
    def point_file(self) -> str:
        """The file that the stage reads as its point, in the study's folder."""
        return f"data/{self.stage}/{self.name}/point.json"

    @property
    def point_text(self) -> str:
        """What that file holds."""
        return _text(self.point.part(self.stage))

    def chunk_file(self, chunk: str) -> str:
        """Return the data file of a chunk, in the study's folder."""
        return data_file(self.stage, self.name, chunk)

    def of(self, stage: str) -> "Part":
        """Return the part of an earlier stage on which this one builds."""
        return Part(stage, self.point, self.defects)


def study_folder(study: Study) -> str:
    """Return the folder of a study's results, in the working directory."""
    return f"{RESULTS}/{study.name}"


def parts(study: Study, stage: str) -> dict[str, Part]:
    """Return the parts of a stage by name, each distinct one once.

    Raises
    ------
    ConfigError, DataError
        If defects come from a file that cannot be used.
    """
    found = (_part(stage, point) for point in study.points)
    return {part.name: part for part in found}


def _part(stage: str, point: Point) -> Part:
    file = str(point.source_file or "")
    if set(file) & set("{}<>"):  # Snakemake would take it for a pattern
        raise ConfigError(
            f"sample.source.file: found {file!r}; allowed: a path without the signs {{ }} < >"
        )
    return Part(stage, point, plan.defects_of(point))


def data_file(stage: str, part: str, chunk: str) -> str:
    """Return the data file of a chunk of a part, in the study's folder."""
    return f"data/{stage}/{part}/{chunk}.nc"


def chunk_name(first: int, count: int) -> str:
    """Name the chunk of ``count`` realisations from number ``first`` on."""
    return f"r{first:06d}-{first + count - 1:06d}"


def chunks(study: Study) -> dict[str, tuple[int, int]]:
    """Return the first realisation and the number of realisations of each chunk, by its name."""
    return {chunk_name(first, count): (first, count) for first, count in study.chunks}


def merged_files(study: Study, point: Point) -> dict[str, list[str]]:
    """Return the data files of a point that are merged, of each stage, chunk by chunk."""
    return {stage: _chunk_files(study, point, stage) for stage in MERGED_STAGES}


def hamiltonian_files(study: Study) -> list[str]:
    """Return the files of the Hamiltonians, if the study stores them."""
    if "hamiltonian" not in study.stages:
        return []
    return [file for point in study.points for file in _chunk_files(study, point, "hamiltonian")]


def _chunk_files(study: Study, point: Point, stage: str) -> list[str]:
    return [data_file(stage, point.part_name(stage), chunk) for chunk in chunks(study)]


def merge_settings(study: Study) -> dict[str, str]:
    """Return what the merged files of each point depend on besides its data files.

    That is how errors are estimated, and the columns of swept values, whose types depend on the
    other points too.
    """
    types = {
        key: sorted({type(point.swept[key]).__name__ for point in study.points})
        for key in study.sweep_keys
    }
    return {
        point.name: json.dumps([study.bootstrap, study.pairs, point.swept, types])
        for point in study.points
    }


def study_record(study: Study) -> dict[str, Any]:
    """Return what `study.json` holds: the complete config, and each point with its files.

    A point in a crystal has Zener's ratio and the Hill average besides.
    """
    kept = [stage for stage in study.stages if stage != "couplings"]
    points = [
        {
            "name": point.name,
            "swept": point.swept,
            "point": {**point.part("hamiltonian"), "realisations": point.realisations},
            **_crystal(point),
            "files": {stage: _chunk_files(study, point, stage) for stage in kept},
        }
        for point in study.points
    ]
    return {"config": study.data, "points": points}


def _crystal(point: Point) -> dict[str, Any]:
    medium = point.medium
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
    for stage in study.stages:
        for part in parts(study, stage).values():
            _write(folder / part.point_file, part.point_text)
    _write(folder / STUDY_FILE, _text(study_record(study)))


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
    from glasspipe.files.dataset import replacing

    with replacing(path) as temporary:
        temporary.write_text(text, "utf-8")


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=1) + "\n"


@dataclass(frozen=True)
class PointFiles:
    """A point of a study that has been run, as its results are read.

    Parameters
    ----------
    name : str
        The point's name.
    swept : dict
        The swept keys, dotted, and their values at this point.
    data : dict
        The complete point.
    files : dict of str to tuple of Path
        The data files of each stage but the couplings, in the order of their realisations.
    """

    name: str
    swept: dict[str, Any]
    data: dict[str, Any]
    files: dict[str, tuple[Path, ...]]

    @cached_property
    def point(self) -> Point:
        """The point itself, with its lattice and medium."""
        return Point(self.data, self.swept)


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
            f" {RESULTS}/default"
        )
    record = read_mapping(path)
    try:
        points = tuple(_point_files(folder, entry) for entry in record["points"])
        return StudyFiles(folder, record["config"], points)
    except (KeyError, TypeError, AttributeError):
        raise ConfigError(f"{path}: not written by glasspipe") from None


def _point_files(folder: Path, entry: Mapping[str, Any]) -> PointFiles:
    files = {
        stage: tuple(folder / name for name in names) for stage, names in entry["files"].items()
    }
    return PointFiles(entry["name"], entry["swept"], entry["point"], files)

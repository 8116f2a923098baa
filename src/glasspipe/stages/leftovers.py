"""What a study's folder holds that belongs to no point of the study as it is now."""

import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from glasspipe.files import results
from glasspipe.settings.study import Study
from glasspipe.stages import STAGES, stages_of
from glasspipe.stages.forecast import MERGE
from glasspipe.stages.work import CHUNK_NAME, LOGS, RECORDS, chunks, works

_OF_CHUNK = re.compile(rf"\.?({CHUNK_NAME})\..*")
"""Files of a chunk, hidden ones of unfinished jobs among them."""


def leftovers(study: Study, folder: Path) -> list[Path]:
    """Return the files and folders of stages and merged points that a study has no more, sorted.

    Those are data, checkpoints, logs and records of parts, chunks and points; nothing else is
    looked at.

    Raises
    ------
    ConfigError, DataError
        If defects come from a file that cannot be used.
    """
    return sorted({*_of_stages(study, folder), *_of_points(study, folder)})


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files of a folder."""
    inside = [path] if path.is_symlink() or not path.is_dir() else path.rglob("*")
    return sum(each.lstat().st_size for each in inside)


def remove(paths: Iterable[Path]) -> None:
    """Remove files and folders; of a link itself, never what it leads to."""
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _of_stages(study: Study, folder: Path) -> Iterator[Path]:
    used = {name: parts.keys() for name, parts in works(study, stages_of(study)).items()}
    names = chunks(study)
    for kind in ("data", LOGS, RECORDS):
        for stage in STAGES:
            for part in (folder / kind / stage).glob("*"):
                if part.name not in used.get(stage, ()):
                    yield part
                    continue
                for file in part.glob("*"):
                    found = _OF_CHUNK.fullmatch(file.name)
                    if found and found[1] not in names:
                        yield file


def _of_points(study: Study, folder: Path) -> Iterator[Path]:
    names = {point.name for point in study.points}
    for kind, suffix in (
        (results.DEFECTS, ".parquet"),
        (results.POINTS, ".nc"),
        (f"{LOGS}/{MERGE}", ".log"),
        (f"{RECORDS}/{MERGE}", ".json"),
    ):
        for file in (folder / kind).glob(f"*{suffix}"):
            if file.name.removesuffix(suffix) not in names:
                yield file

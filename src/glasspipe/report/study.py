"""A study that has been run, opened in Python."""

from pathlib import Path

from glasspipe.errors import DataError
from glasspipe.files.results import SUMMARY
from glasspipe.report.observable import Results
from glasspipe.stages.study_files import RUN


def open_study(folder: str | Path) -> Results:
    """Open the results of a study, each of which is read when it is first asked for.

    Parameters
    ----------
    folder : path
        The study's folder, such as ``results/default``.

    Raises
    ------
    ConfigError
        If the folder is not a study's.
    DataError
        If the study has no results yet.
    """
    found = Results(Path(folder))
    if not (found.study.folder / SUMMARY).is_file():
        raise DataError(f"{folder}: holds no results yet; {RUN} makes them")
    return found

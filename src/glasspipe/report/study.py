"""A study that has been run, opened in Python."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import xarray as xr

from glasspipe.errors import DataError
from glasspipe.files.results import CLAIMS, SUMMARY, plainly_named
from glasspipe.report.observable import Results
from glasspipe.stages.study_files import RUN

if TYPE_CHECKING:
    from pyarrow.dataset import Dataset


@dataclass(frozen=True)
class OpenStudy:
    """The results of a study; columns of swept keys are named as in its files.

    Parameters
    ----------
    results : Results
        Its aggregate files.
    """

    results: Results

    @property
    def folder(self) -> Path:
        """Where they are."""
        return self.results.folder

    @property
    def config(self) -> dict[str, Any]:
        """The complete config."""
        return self.results.config

    @property
    def points(self) -> pd.DataFrame:
        """The name, the swept values and the realised x of each point."""
        return plainly_named(self.results.points)

    @property
    def summary(self) -> pd.DataFrame:
        """The statistics of all points, each with its error, its theory and the kind of that."""
        return plainly_named(self.results.summary)

    @property
    def fits(self) -> pd.DataFrame:
        """The power laws."""
        return plainly_named(self.results.fits)

    @property
    def claims(self) -> pd.DataFrame:
        """The statements of the paper, and what the study says of each."""
        return pd.read_csv(self.folder / CLAIMS)

    @property
    def defects(self) -> "Dataset":
        """The rows of all defects, of which only what is asked for is read."""
        return self.results.defects

    def curves(self, file: str) -> xr.Dataset:
        """Return one of the NetCDF files of the study, ``distributions.nc`` say."""
        return self.results.curves(file)


def open_study(folder: str | Path) -> OpenStudy:
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
    return OpenStudy(found)

"""What an observable is: how it is measured, what the study's files hold of it, how it is shown.

A file of `observables/` declares one, and all else follows: the statistics of a point, the rows of
the summary, the variables of the study's files and their dictionary, fits, headlines, figures and
tables, and which of those a study decides before it runs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from glasspipe.errors import DataError
from glasspipe.files import results
from glasspipe.files.variables import Variable
from glasspipe.report.merging import longest, side_by_side
from glasspipe.report.point_data import PointData
from glasspipe.report.presentation import Axis, Series, points_of
from glasspipe.report.style import Style, style_of
from glasspipe.stages.study_files import RUN, StudyFiles, load
from glasspipe.statistics import mean_and_error

if TYPE_CHECKING:
    import matplotlib.figure
    import pyarrow.dataset

Line = tuple[str, str, str]
"""Name, value and remark of a headline number."""


@dataclass(frozen=True)
class Row:
    """A row of the summary: an estimate and its error, what theory says, and the kind of that."""

    quantity: str
    statistic: str
    estimate: float
    stderr: float = float("nan")
    theory: float = float("nan")
    kind: str = ""

    @property
    def theory_kind(self) -> str:
        """The kind of theory, nothing where there is none."""
        return self.kind if np.isfinite(self.theory) else ""

    @classmethod
    def mean(cls, quantity: str, statistic: str, values: NDArray[np.float64]) -> "Row":
        """Return the mean over realisations and its error, of those that know the value."""
        known = values[np.isfinite(values)]
        return cls(quantity, statistic, *(mean_and_error(known) if known.size else (float("nan"),)))

    @property
    def known(self) -> bool:
        """Whether there is an estimate."""
        return bool(np.isfinite(self.estimate))


@dataclass(frozen=True)
class Measured:
    """What was measured at a point.

    Parameters
    ----------
    rows : list of Row
        Its rows of the summary.
    curves : dict of str to array
        The variables that the observable declares, or those of them that the point has.
    """

    rows: list[Row] = field(default_factory=list)
    curves: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Member:
    """A merged point of a study.

    Parameters
    ----------
    rows : mapping
        Its rows of the summary, by quantity and statistic.
    data : mapping
        Its curves, by name.
    """

    rows: Mapping[tuple[str, str], Row]
    data: Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Results:
    """The aggregate files of a study, each read when it is first asked for.

    Parameters
    ----------
    folder : Path
        The study's folder.

    Raises
    ------
    ConfigError
        If the folder is not a study's.
    DataError
        If a file is missing, damaged or of the study with another config.
    """

    folder: Path

    @cached_property
    def study(self) -> StudyFiles:
        """The study as it was run: its complete config, its points and the files of its stages."""
        return load(self.folder)

    @property
    def config(self) -> dict[str, Any]:
        """The complete config."""
        return self.study.config

    @cached_property
    def style(self) -> Style:
        """How the study is printed."""
        return style_of(self.config)

    @property
    def points(self) -> pd.DataFrame:
        """The name, the swept values and the realised x of each point."""
        return points_of(self.summary)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """The statistics of all points."""
        table = results.read_summary(self.folder)
        self._check(results.SUMMARY, table.attrs)
        table.attrs = {}  # of which pandas would copy all with every row that is looked up
        return table

    @property
    def defects(self) -> "pyarrow.dataset.Dataset":
        """The rows of all defects, of which only what is asked for is read."""
        return results.open_defects(self.folder, self.points["point"].tolist())

    @cached_property
    def fits(self) -> pd.DataFrame:
        """The power laws."""
        return results.read_fits(self.folder)

    @cached_property
    def _read(self) -> dict[str, xr.Dataset]:
        return {}

    def curves(self, file: str) -> xr.Dataset:
        """Return one of the NetCDF files of the study, ``distributions.nc`` say."""
        if file not in self._read:
            data = results.read_merged(self.folder, file)
            self._check(file, data.attrs)
            self._read[file] = data
        return self._read[file]

    def _check(self, file: str, about: Mapping[Any, Any]) -> None:
        wanted = self.study.about["config_hash"]
        if about.get("config_hash", wanted) != wanted:
            raise DataError(
                f"{self.folder / file}: made for another config of the study; {RUN} makes it again"
            )


@dataclass(frozen=True, kw_only=True)
class Page:
    """A figure or a table.

    Parameters
    ----------
    name : str
        Of its files.
    needs : tuple of str
        Keys of which one must be swept for it; none if it is always there.
    replicas : int
        Replicas that some point must have.
    """

    name: str
    needs: tuple[str, ...] = ()
    replicas: int = 1

    def missing(self, config: Mapping[str, Any]) -> str:
        """Return what a study would need for it, empty if it has that."""
        varied = {key for key, how in config["sweep"].items() if len(how.get("values", "..")) > 1}
        if self.needs and not varied & set(self.needs):
            return f"a sweep of {' or '.join(self.needs)}"
        swept = config["sweep"].get("freeze.replicas", {"values": [config["freeze"]["replicas"]]})
        several = max(swept.get("values", [self.replicas])) >= self.replicas
        return "" if several else f"freeze.replicas of {self.replicas} or more"


@dataclass(frozen=True, kw_only=True)
class Figure(Page):
    """A figure, and its caption in reStructuredText."""

    caption: str
    draw: Callable[[Results], "matplotlib.figure.Figure"]


@dataclass(frozen=True, kw_only=True)
class Table(Page):
    """A table: with every digit, and in LaTeX with what is significant."""

    values: Callable[[Results], pd.DataFrame]
    latex: Callable[[Results], str]


@dataclass(frozen=True, kw_only=True)
class Observable:
    """One thing that a study measures, or shows of what others measured.

    Parameters
    ----------
    name : str
        Of its module.
    file : str
        The study's file that holds its curves.
    coordinates, variables : mapping
        What it writes there: the same at all points, and of each point.
    for_fits : mapping
        What the file of a point holds besides, for its fits.
    measure : function, optional
        Statistics of a point.
    fits : function, optional
        Rows of the fits of points that differ in the concentration alone, given the config.
    headlines : function, optional
        Of a series of points along the axis of the study.
    overall : function, optional
        Headlines of the whole study.
    figures, tables : tuple
        How it is shown.
    """

    name: str
    file: str = ""
    coordinates: Mapping[str, Variable] = field(default_factory=dict)
    variables: Mapping[str, Variable] = field(default_factory=dict)
    for_fits: Mapping[str, Variable] = field(default_factory=dict)
    measure: Callable[[PointData], Measured] | None = None
    fits: Callable[[Sequence[Member], Mapping[str, Any]], list[dict[str, Any]]] | None = None
    headlines: Callable[[Results, Series, Axis], list[Line]] | None = None
    overall: Callable[[Results], list[Line]] | None = None
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()

    @property
    def kept(self) -> dict[str, Variable]:
        """What it writes into the study's file."""
        return {**self.coordinates, **self.variables}

    def dataset(self, curves: Mapping[str, Any]) -> xr.Dataset:
        """Return the curves of a point with the dimensions and units that are declared of them."""
        data = xr.Dataset({name: self._variable(name, values) for name, values in curves.items()})
        return data.set_coords([name for name in curves if name in self.coordinates])

    def merged(self, points: Sequence[Mapping[str, NDArray[Any]]]) -> xr.Dataset:
        """Return what the study's file has of it, of the curves of all points."""
        dimensions = {name: tuple(a.dimensions.split()) for name, a in self.variables.items()}
        every = side_by_side(points, dimensions)
        shared = {name: longest(points, name) for name in self.coordinates}
        known = {name: values for name, values in shared.items() if values is not None}
        return xr.Dataset(
            {name: self._variable(name, values, ("point",)) for name, values in every.items()},
            {name: self._variable(name, values) for name, values in known.items()},
        )

    def _variable(self, name: str, values: Any, before: tuple[str, ...] = ()) -> xr.Variable:
        about = {**self.kept, **self.for_fits}[name]
        described = {"units": about.units, "long_name": about.long_name}
        return xr.Variable((*before, *about.dimensions.split()), values, described)

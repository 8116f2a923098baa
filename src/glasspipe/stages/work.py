"""The work of a study: every part of every stage once, its files, its cost.

A stage's files are in a folder named by the part of the point that they depend on, and by nothing
else. So points that agree in that part share the files, and another run finds again whatever is
still good.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from math import ceil, floor, log2, prod

import numpy as np

from glasspipe.errors import ConfigError
from glasspipe.files.variables import AXES, REALISATION
from glasspipe.settings.part import StagePart
from glasspipe.settings.point import Point
from glasspipe.settings.study import Study
from glasspipe.stages import stages_of
from glasspipe.stages.cost import Cost
from glasspipe.stages.rates import Load, shipped
from glasspipe.stages.stage import Stage
from glasspipe.system.terms import TERMS

CHUNK_NAME = r"r\d+-\d+"
"""Regular expression of every chunk name."""
PART_NAME = r"[A-Za-z0-9][A-Za-z0-9._+-]*"
"""Regular expression of every name of a part or a point: safe as a path and as a wildcard."""

RECORDS, LOGS = "benchmarks", "logs"
"""Folders of what jobs took and of what they said, in the study's folder: files of one name."""

_MOST_CHUNKS = 1_000_000
"""Of all points together."""
_JOB_SECONDS = 120.0
"""Of the stages of a chunk, at most, if one does not say how many realisations it has."""
_FEWEST_JOBS, _SHORTEST = 4, 30.0
"""Chunks in which a small study is cut, of all points together, unless they were shorter."""


@dataclass(frozen=True)
class Work:
    """All realisations of one part in one stage.

    Parameters
    ----------
    stage : Stage
        The stage.
    part : StagePart
        What it depends on.
    defects : int
        Number N of defects in a realisation.
    """

    stage: Stage
    part: StagePart
    defects: int

    @classmethod
    def of(cls, stage: Stage, point: Point, defects: int) -> "Work":
        """Return the work of a stage for a point."""
        return cls(stage, stage.part(point), defects)

    @property
    def name(self) -> str:
        """Name of the part."""
        return self.part.name

    @property
    def point_file(self) -> str:
        """The file that the stage reads as its point, in the study's folder."""
        return f"data/{self.stage.name}/{self.name}/point.json"

    def chunk_file(self, chunk: str) -> str:
        """Return the data file of a chunk, in the study's folder."""
        return f"data/{self.stage.name}/{self.name}/{chunk}.nc"

    def record_file(self, chunk: str) -> str:
        """Return the record of what making a chunk took, in the study's folder."""
        return f"{RECORDS}/{self.stage.name}/{self.name}/{chunk}.json"

    def upstream(self, stage: Stage) -> "Work":
        """Return the work of an earlier stage on which this one builds."""
        return Work(stage, stage.part(self.part), self.defects)

    @property
    def source_files(self) -> list[str]:
        """The user's own file of defects, or none."""
        file = self.part.model.source_file
        return [] if file is None else [str(file)]

    @cached_property
    def cost(self) -> Cost:
        """Cost of a realisation."""
        return self.stage.cost(self.part.model, self.defects)

    def load(self, realisations: int) -> Load:
        """What a job for so many realisations has to do."""
        return Load(
            self.stage.name,
            realisations,
            realisations * self.cost.seconds,
            self.cost.bytes,
            self.stage.threads(self.part.model),
        )

    @property
    def bytes_written(self) -> int:
        """Size of the files before compression, ample where they hold strong pairs only."""
        model = self.part.model
        sizes = {**self.stage.sizes(model, self.defects), **AXES}
        sizes["realisation"] = self.part.realisations
        sizes |= dict.fromkeys(map("{}_pair".format, TERMS), sizes["realisation"] * self.defects**2)
        dtypes = {"U": model.store} if self.stage.temporary and model.store != "implicit" else {}
        return sum(
            np.dtype(dtypes.get(name, about.dtype)).itemsize
            * prod(sizes[dimension] for dimension in about.dimensions.split())
            for name, about in {"": REALISATION, **self.stage.written(model)}.items()
        )


def works(study: Study, stages: Iterable[Stage]) -> dict[str, dict[str, Work]]:
    """Return the work of each stage, by its name and the name of the part, each part once.

    Raises
    ------
    ConfigError, DataError
        If defects come from a file that cannot be used.
    """
    numbers = [(point, defects_of(point)) for point in study.points]
    found: dict[str, dict[str, Work]] = {}
    for stage in stages:
        each = (Work.of(stage, point, defects) for point, defects in numbers)
        found[stage.name] = {work.name: work for work in each}
    return found


def defects_of(point: Point) -> int:
    """Return the number of defects in a realisation, looked up where they come from a file.

    Raises
    ------
    ConfigError
        If a file holds fewer realisations than wanted, or its name has signs that a workflow takes
        for a pattern.
    DataError
        If a file cannot be used.
    """
    file = point.model.source_file
    if file is None:
        return point.model.defects
    from glasspipe.files.user_defects import user_defects

    if set(str(file)) & set("{}<>"):
        raise ConfigError(
            f"sample.source.file: found {str(file)!r}; allowed: a path without the signs {{ }} < >"
        )
    with user_defects(file) as defects:
        if point.realisations > defects.realisations:
            raise ConfigError(
                f"realisations: found {point.realisations} with sample.source.file"
                f" '{file}'; allowed: at most {defects.realisations}, all it holds"
            )
        return defects.number


def chunk_name(numbers: range) -> str:
    """Name the chunk of some realisations."""
    return f"r{numbers.start:06d}-{numbers.stop - 1:06d}"


@cache
def chunks(study: Study) -> dict[str, range]:
    """Return the realisations of each chunk, by its name.

    Raises
    ------
    ConfigError
        If there are more of all points than anything can plan.
    """
    asked, wanted = study.config["realisations_per_job"], study.realisations
    size = wanted if asked == "all" else _fitting(study) if asked == "auto" else asked
    number = len(study.points) * ceil(wanted / size)
    if number > _MOST_CHUNKS:
        raise ConfigError(
            f"realisations_per_job: found {asked}, which makes {number} jobs a stage; allowed: at"
            f" least {ceil(len(study.points) * wanted / _MOST_CHUNKS)}, for {_MOST_CHUNKS} jobs"
        )
    starts = range(0, wanted, size)
    cut = (range(start, min(start + size, wanted)) for start in starts)
    return {chunk_name(numbers): numbers for numbers in cut}


def _fitting(study: Study) -> int:
    """Return how many realisations a chunk has: a power of two, by the costliest point.

    The rates are those of the package and not the user's own, or files of one study that were made
    on two machines would not match.
    """
    rates = shipped()
    seconds = []
    for point in study.points:
        defects = defects_of(point)
        loads = [Work.of(stage, point, defects).load(1) for stage in stages_of(study)]
        seconds.append(sum(rates[load.rule].work_seconds(load) for load in loads))
    wanted = sum(seconds) * study.realisations / _FEWEST_JOBS
    job = min(max(wanted, _SHORTEST), _JOB_SECONDS)
    return 2 ** max(0, floor(log2(job / max(seconds))))

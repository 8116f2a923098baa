"""What the jobs of a study will take: what each has to do, and where its record will be."""

from collections.abc import Iterator
from functools import cache
from math import ceil

from glasspipe.elastic.medium import CubicMedium
from glasspipe.settings.model import Model
from glasspipe.settings.point import Point
from glasspipe.settings.study import Study
from glasspipe.stages import stages_of
from glasspipe.stages.rates import Load, rates
from glasspipe.stages.work import RECORDS, chunks, defects_of, works
from glasspipe.system.terms import FIELDS

MERGE, AGGREGATE, REPORT = "aggregate_point", "aggregate", "report"
"""The rules that follow the stages."""

_SECONDS_OF_THEORY = {
    "any": (0.3, 1.1),
    "file": (15.0, 0.0),
    "crystal": (0.6, 6.0),
    "component": (4.5, 1.5),
    "axes": (2.8, 0.8),
    "tensors": (8.5, 13.0),
    "tensors of some": (55.0, 12.0),
    "frames": (20.0, 4.5),
    "strengths": (14.0, 0.5),
    "receivers": (0.2, 0.0),
}
"""Of a point, and of the tables that points share: of every one, and more where defects of a file
may all differ, in a crystal, for each further component of a mixture, for axes that may be any, for
tensors that may, and more if it is those of one component of several, for frames that are turned,
for strengths that differ where axes or frames do, for each field and component of receivers whose
strengths differ."""
_HELD_COLUMNS, _THEORY_BYTES = 10, 6.0e8
"""Memory of merging: columns of one number for each value that are held at once, and theory's."""
_SPARE_MEMORY, _SPARE_TIME = 1.3, 10
"""What is asked of a cluster over the forecast: of memory it is killed at once, and another machine
is slower."""
_LEAST_MINUTES = 5
_ROUNDING = 1 - 1e-9
"""A share that is a whole number of cores is not one more."""


def loads(study: Study) -> Iterator[tuple[str, Load]]:
    """Yield what each job has to do, with the record of what it took in the study's folder."""
    cut = chunks(study)
    for parts in works(study, stages_of(study)).values():
        for work in parts.values():
            for name, numbers in cut.items():
                yield work.record_file(name), work.load(len(numbers))
    for point in study.points:
        yield record_file(MERGE, point.name), merging(study, point)
    yield record_file(AGGREGATE), aggregating(study)
    yield record_file(REPORT), reporting(study)


def threads(study: Study, load: Load, cores: int) -> int:
    """Return how many threads a job gets where ``cores`` are shared by all jobs of a study.

    As many as let it take no longer than its share of the cores, by what jobs of its rule take
    together: one where these keep the cores busy side by side.
    """
    share = cores * rates()[load.rule].seconds(load) / _seconds(study)[load.rule]
    return max(1, min(ceil(share * _ROUNDING), load.threads))


@cache
def _seconds(study: Study) -> dict[str, float]:
    """Time of all jobs of each rule."""
    total: dict[str, float] = {}
    for _, load in loads(study):
        total[load.rule] = total.get(load.rule, 0.0) + rates()[load.rule].seconds(load)
    return total


def record_file(*names: str) -> str:
    """Return the record of a job that follows the stages: the rule, and the point if it has one."""
    return f"{RECORDS}/{'/'.join(names)}.json"


def merging(study: Study, point: Point) -> Load:
    """What merging a point has to do: statistics of all values, and theory."""
    values, counted = study.realisations * defects_of(point), _theory_of(point.model)
    of_point, of_tables = (
        sum(number * _SECONDS_OF_THEORY[name][which] for name, number in counted.items())
        for which in (0, 1)
    )
    many = sum(counted.values()) > 1
    seconds = of_point + of_tables / len(study.points)
    return Load(MERGE, values, seconds, 8.0 * _HELD_COLUMNS * values + _THEORY_BYTES * many)


def _theory_of(model: Model) -> dict[str, int]:
    """Return what makes theory dear, and how often: how many kinds of defect it averages over."""
    if model.source_file is not None:
        return {"any": 1, "file": 1}
    components = model.components
    several, axes, tensors = (
        len(components) > 1,
        any(one.axis_is_random for one in components),
        any(one.tensors_are_normal for one in components),
    )
    return {
        "any": 1,
        "crystal": isinstance(model.medium, CubicMedium),
        "component": len(components) - 1,
        "axes": axes,
        "tensors": tensors,
        "tensors of some": tensors and several,
        "frames": sum(one.frame_spread > 0 and one.continuum is None for one in components),
        "strengths": any(
            one.differs_in() and (one.axis_is_random or one.frame_spread > 0) for one in components
        ),
        "receivers": sum(
            one.differs_in(field.receivers)
            for one in components
            for name, field in FIELDS.items()
            if name != "h"  # of which theory has no law
        ),
    }


def aggregating(study: Study) -> Load:
    """What merging the points of a study has to do."""
    return Load(AGGREGATE, len(study.points))


def reporting(study: Study) -> Load:
    """What the report of a study has to do."""
    return Load(REPORT, len(study.points))


def megabytes(load: Load) -> int:
    """Memory to ask for, for a job."""
    return round(_SPARE_MEMORY * rates()[load.rule].megabytes(load))


def minutes(load: Load) -> int:
    """Time to ask for, for a job."""
    return _LEAST_MINUTES + round(_SPARE_TIME * rates()[load.rule].seconds(load) / 60)

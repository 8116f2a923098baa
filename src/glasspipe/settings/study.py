"""A study as its user wrote it: one file, whose sweep makes points of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glasspipe.errors import ConfigError
from glasspipe.settings.checks import check_source
from glasspipe.settings.materials import resolved
from glasspipe.settings.point import Point, point_schema
from glasspipe.settings.reading import read_mapping
from glasspipe.settings.schema import complete, schema, validate
from glasspipe.settings.sweep import expand


@dataclass(frozen=True, eq=False)
class Study:
    """A validated study.

    Parameters
    ----------
    config : dict
        The config with every default filled in (not to be modified).
    points : tuple of Point
        Its points, in the order of the sweep, the last key fastest.
    """

    config: dict[str, Any]
    points: tuple[Point, ...]

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.config["study"]

    @property
    def sweep_keys(self) -> tuple[str, ...]:
        """The dotted names of the swept keys."""
        return tuple(self.points[0].swept)

    @property
    def realisations(self) -> int:
        """Number of realisations of each point."""
        return self.config["realisations"]


def load_study(path: str | Path) -> Study:
    """Read and check a study file.

    Raises
    ------
    ConfigError
        If the file cannot be read or is not a valid study.
    """
    return study_from(read_mapping(Path(path)))


def study_from(config: Mapping[str, Any]) -> Study:
    """Check a study given as a mapping.

    Raises
    ------
    ConfigError
        If the mapping is not a valid study.
    """
    config = resolved(config)
    validate(schema(), config)
    data = complete(schema(), config)
    return Study(data, tuple(_points(data)))


def _points(data: dict[str, Any]) -> Iterator[Point]:
    """Yield the points of a study's complete config."""
    node = point_schema()
    seen: dict[str, Point] = {}
    shared = {name: data[name] for name in ("realisations", "hamiltonian")}
    base = complete(node, data)
    if isinstance(base["medium"], str) and any(str(k).startswith("medium.") for k in data["sweep"]):
        base["medium"] = {"preset": base["medium"]}  # of which one number is swept
    for values, swept in expand(data["sweep"], base, node=node, mode=data["sweep_mode"]):
        point = Point({**values, **shared}, swept)
        check_source(point.model)
        twin = seen.setdefault(point.physics, point)
        if twin is not point:
            raise ConfigError(
                f"sweep: found the same point twice ({twin.label}; {point.label}), of"
                f" {point.model.defects_given} defects; allowed: points that differ in something"
                " that has an effect"
            )
        yield point

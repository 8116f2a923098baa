"""A point of a sweep: every section of a config, with all defaults filled in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from glasspipe.errors import ConfigError
from glasspipe.settings.checks import check, check_source
from glasspipe.settings.materials import resolved
from glasspipe.settings.model import Model
from glasspipe.settings.names import hash_of, name_of
from glasspipe.settings.schema import Schema, complete, schema, validate

SWEPT_SECTIONS = (
    *("seed", "lattice", "defects", "sample"),
    *("medium", "boundary", "formula", "couplings", "freeze"),
)
"""The sections that may differ from point to point: those that results depend on."""

_SHARED_SECTIONS = ("realisations", "hamiltonian")
"""Sections of a point that are the same for all points of a study."""


@dataclass(frozen=True)
class Point:
    """One point of a study.

    Parameters
    ----------
    sections : dict
        The sections of the config, complete (not to be modified).
    swept : dict
        The swept keys, dotted, and their values at this point.

    Raises
    ------
    ConfigError
        If the values contradict each other.
    """

    sections: dict[str, Any]
    swept: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse values that are allowed one by one but not together."""
        try:
            check(self.model)
        except ConfigError as error:
            where = f" (at the point {self.label})" if self.swept else ""
            raise ConfigError(f"{error}{where}") from None

    @cached_property
    def model(self) -> Model:
        """The physics objects of the point."""
        return Model(self.sections)

    @cached_property
    def hash(self) -> str:
        """Hash of all that results depend on."""
        return _hash(self.model.resolved)

    @property
    def physics(self) -> str:
        """Hash of all that has an effect, the same for points that only look different."""
        return _hash(self.model.effective)

    @cached_property
    def name(self) -> str:
        """The point's name, which tells it from every other point."""
        return name_of(self.swept, self.hash)

    @property
    def realisations(self) -> int:
        """Number of realisations."""
        return self.sections["realisations"]

    @property
    def label(self) -> str:
        """The swept keys and their values, as shown to a user."""
        return ", ".join(f"{key} = {value}" for key, value in self.swept.items())


def point_from(config: Mapping[str, Any]) -> Point:
    """Check a point given as a mapping: a study without a sweep, of which any key may be left out.

    Raises
    ------
    ConfigError
        If the mapping is not a valid point.
    """
    config = resolved(config)
    validate({**schema(), "required": []}, config)
    if "sweep" in config:
        raise ConfigError("sweep: found in a point; allowed: one value for each key")
    point = Point(complete(point_schema(*_SHARED_SECTIONS), config))
    check_source(point.model)
    return point


def point_schema(*extra: str) -> Schema:
    """Return the schema of the sections that may be swept, and of ``extra`` ones."""
    names = (*SWEPT_SECTIONS, *extra)
    return {
        "type": "object",
        "properties": {k: v for k, v in schema()["properties"].items() if k in names},
    }


def _hash(sections: Mapping[str, Any]) -> str:
    """Hash of the sections that may be swept."""
    return hash_of({name: sections[name] for name in SWEPT_SECTIONS})

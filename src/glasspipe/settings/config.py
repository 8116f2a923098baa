"""Studies and points: what a run is about, read once, checked, and named by what it depends on.

A study is one file; a sweep makes points of it. Two things must not depend on how the file was
written. A point's *parts* hold what one stage depends on, in one form (`auto` resolved, presets as
numbers, 1 and 1.0 alike), so that its hash says whether a result is still good. And the random
numbers are keyed by what they are drawn for, so that points that differ elsewhere share disorder.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from glasspipe.defects.component import Component, components_from
from glasspipe.defects.lattice import Lattice, smallest_size
from glasspipe.elastic.medium import AnyMedium, medium_from
from glasspipe.elastic.printed import Interaction, interaction
from glasspipe.errors import ConfigError
from glasspipe.settings.checks import CHECKS
from glasspipe.settings.materials import resolved
from glasspipe.settings.reading import read_mapping
from glasspipe.settings.schema import Schema, complete, schema, validate
from glasspipe.settings.sweep import expand
from glasspipe.spins import ladder

_SAMPLE = ("seed", "lattice", "defects", "sample")
_COUPLINGS = (*_SAMPLE, "medium", "boundary", "formula", "couplings")
_FREEZE = (*_COUPLINGS, "freeze")

STAGES = {"sample": _SAMPLE, "couplings": _COUPLINGS, "freeze": _FREEZE, "fields": _FREEZE}
"""The stages of every study, and the sections of a point that each one's file depends on."""

_STORED = {"hamiltonian": (*_FREEZE, "hamiltonian")}
"""The same of the stage of those studies that store their Hamiltonians."""

_SECTIONS = STAGES | _STORED

POINT_NAME = r"[A-Za-z0-9][A-Za-z0-9._+-]*"
"""Regular expression of every point name: safe as a path and as a wildcard."""

DENSE_MATRICES = 3
"""N × N arrays of float64 that the hungriest job with a stored U holds at once."""
LARGEST_DENSE = 4e9
"""Bytes up to which U is stored if one does not say."""
_OFF = {"E": 0.0, "epsilon": 0.0, "static_dipole": "none"}
"""Terms of the defects that the paper's studies do not have, each with the value it has then."""
_UNSWEPT = ("realisations", "hamiltonian")
"""Sections of a point that are the same for all points of a study."""

_LONGEST_SLUG = 60


@dataclass(frozen=True)
class Point:
    """One point of a study: everything that a stage needs to know.

    Parameters
    ----------
    data : dict
        The sections of the config with every default filled in (not to be modified), among them
        ``realisations`` and ``hamiltonian``.
    swept : dict
        The swept keys, dotted, and their values at this point.

    Raises
    ------
    ConfigError
        If the values contradict each other.
    """

    data: dict[str, Any]
    swept: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse values that are allowed one by one but not together."""
        try:
            for check in CHECKS:
                check(self)
        except ValueError as error:
            where = f" (at the point {self.label})" if self.swept else ""
            raise ConfigError(f"{error}{where}") from None

    @cached_property
    def medium(self) -> AnyMedium:
        """The elastic medium, presets resolved."""
        return medium_from(self.data["medium"])

    @cached_property
    def interaction(self) -> Interaction:
        """What couples the defects: the medium, or the couplings that the paper prints for it."""
        return interaction(self.medium, self.data["formula"])

    @cached_property
    def components(self) -> tuple[Component, ...]:
        """The components of the defects: one, or those of the mixture."""
        return components_from(self.data["defects"])

    @cached_property
    def lattice(self) -> Lattice:
        """The sites that defects may have in the periodic box, ``auto`` resolved.

        If all sit on one sublattice of rock salt, it is that sublattice, an fcc lattice.
        """
        given, wanted = self.data["lattice"], self.data["defects"]
        type_, size = given["type"], given["size"]
        if type_ == "rock_salt" and len({each.sublattice for each in self.components}) == 1:
            type_ = "fcc"
        if size == "auto":
            size = smallest_size(type_, wanted["concentration"], wanted["number"])
        return Lattice(type_, given["constant"], size)

    @property
    def defects(self) -> int:
        """Number N of defects in the box (nominal where the defects come from a file)."""
        return self.lattice.defects(self.data["defects"]["concentration"])

    @property
    def extras(self) -> tuple[str, ...]:
        """Variables of the sample file that are there only where some component needs them."""
        found = {
            "zeta_minus": any(each.species == "rotor" for each in self.components),
            "static": any(each.static_dipole != "none" for each in self.components),
            "E": any(each.E != 0.0 for each in self.components),
            "epsilon": any(each.epsilon != 0.0 for each in self.components),
        }
        return tuple(name for name, needed in found.items() if needed)

    @property
    def source_file(self) -> Path | None:
        """The user's own realisation file, or None where defects are drawn on the lattice."""
        source = self.data["sample"]["source"]
        return None if source == "lattice" else Path(source["file"])

    @cached_property
    def store(self) -> str:
        """How U is stored, ``auto`` resolved: "float64", "float32" or "implicit"."""
        asked = self.data["couplings"]["store"]
        if asked != "auto":
            return asked
        fits = DENSE_MATRICES * 8 * self._number**2 <= LARGEST_DENSE
        return "float64" if fits or self._never_implicit else "implicit"

    @cached_property
    def freeze(self) -> dict[str, Any]:
        """The section ``freeze``, the numbers of temperatures and sweeps resolved."""
        return ladder.resolved(self.data["freeze"], max(self._number, 1))

    @property
    def _never_implicit(self) -> str:
        """The setting, if any, for which U must be stored."""
        needs = {"boundary": "minimum_image", "formula": "as_printed"}
        return next(
            (f"{key} {value}" for key, value in needs.items() if self.data[key] == value), ""
        )

    @cached_property
    def _number(self) -> int:
        """Number of defects; 0 where they come from a file that cannot be read."""
        if self.source_file is None:
            return self.defects
        from glasspipe.errors import DataError
        from glasspipe.files.sources import user_defects

        try:
            with user_defects(self.source_file) as defects:
                return defects.number
        except DataError:
            return 0

    @property
    def realisations(self) -> int:
        """Number of realisations."""
        return self.data["realisations"]

    def part(self, stage: str) -> dict[str, Any]:
        """Return the part of the point that the file of ``stage`` depends on, itself a point.

        Terms that are off are not named: a study has the files that it had before there were any.

        Parameters
        ----------
        stage : {"sample", "couplings", "freeze", "fields", "hamiltonian"}
            The stage.
        """
        part = {section: self.data[section] for section in _SECTIONS[stage]}
        part["lattice"] = {**part["lattice"], "size": self.lattice.size}
        part["defects"] = {
            k: v for k, v in part["defects"].items() if k != "number" and _OFF.get(k) != v
        }
        if "couplings" in part:
            part["couplings"] = {**part["couplings"], "store": self.store}
        if "freeze" in part:
            part["freeze"] = self.freeze
        if "medium" in part:
            part["medium"] = asdict(self.medium)
        return part

    def part_hash(self, stage: str) -> str:
        """Return the hash of the part of ``stage``, 64 hexadecimal digits."""
        return _digest(self.part(stage)).hex()

    def part_name(self, stage: str) -> str:
        """Return a name for the part of ``stage``: its swept values, readable, and its hash."""
        words = [
            f"{key.rpartition('.')[2]}-{_word(value)}"
            for key, value in self.swept.items()
            if key.partition(".")[0] in _SECTIONS[stage]
        ]
        slug = re.sub(r"[^A-Za-z0-9._+-]+", "-", "-".join(words) or "point")
        return f"{slug[:_LONGEST_SLUG]}-{self.part_hash(stage)[:10]}"

    @cached_property
    def name(self) -> str:
        """The point's name, which tells it from every other point."""
        return self.part_name("fields")

    @property
    def label(self) -> str:
        """The swept keys and their values, as shown to a user."""
        return ", ".join(f"{key} = {value}" for key, value in self.swept.items())


@dataclass(frozen=True)
class Study:
    """A validated study.

    Parameters
    ----------
    data : dict
        The config with every default filled in (not to be modified).
    points : tuple of Point
        Its points, in the order of the sweep, the last key fastest.
    """

    data: dict[str, Any]
    points: tuple[Point, ...]

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.data["study"]

    @property
    def sweep_keys(self) -> tuple[str, ...]:
        """The dotted names of the swept keys."""
        return tuple(self.points[0].swept)

    @property
    def realisations(self) -> int:
        """Number of realisations of each point."""
        return self.data["realisations"]

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that are run, each after those that it reads."""
        stored = self.data["hamiltonian"]["store"] != "none"
        return (*STAGES, *_STORED) if stored else tuple(STAGES)

    @property
    def chunks(self) -> tuple[tuple[int, int], ...]:
        """First realisation and number of realisations of each job of a point."""
        per_job = self.data["realisations_per_job"]
        per_job = self.realisations if per_job == "all" else per_job
        return tuple(
            (first, min(per_job, self.realisations - first))
            for first in range(0, self.realisations, per_job)
        )

    @property
    def bootstrap(self) -> int:
        """Number of bootstrap resamples behind each error bar."""
        return self.data["aggregate"]["bootstrap"]

    @property
    def pairs(self) -> int:
        """Pairs in each shell of distances."""
        return self.data["aggregate"]["pairs"]

    @property
    def fit_below(self) -> float:
        """Largest concentration in the fits of typical values."""
        return self.data["aggregate"]["fit_below"]


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


def load_point(path: str | Path) -> Point:
    """Read and check a file (YAML or JSON) that holds one point.

    Raises
    ------
    ConfigError
        If the file cannot be read or is not a valid point.
    """
    return point_from(read_mapping(Path(path)))


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
    return Point(complete(_point_schema(*_UNSWEPT), config))


def seed_sequence(point: Point, stage: str, realisation: int) -> np.random.SeedSequence:
    """Return the seed of one realisation in one stage.

    It depends on the study's seed, the stage and the disorder, so that points that differ in
    medium, boundary, strengths or annealing draw the same numbers.
    """
    disorder: dict[str, Any] = {"source": "file"}
    if point.source_file is None:
        lattice = point.lattice
        disorder = {
            "lattice": [lattice.type, lattice.size],
            "defects": point.defects,
            "components": [[c.species, c.axes, c.sublattice] for c in point.components],
        }
    key = {"seed": point.data["seed"], "stage": stage, "disorder": disorder}
    return np.random.SeedSequence(int.from_bytes(_digest(key)), spawn_key=(realisation,))


def _points(data: dict[str, Any]) -> Iterator[Point]:
    """Yield the points of a study's complete data."""
    node = _point_schema()
    base = complete(_point_schema(*_UNSWEPT), data)
    if isinstance(base["medium"], str) and any(str(k).startswith("medium.") for k in data["sweep"]):
        base["medium"] = {"preset": base["medium"]}  # of which one number is swept
    seen: dict[str, Point] = {}
    for values, swept in expand(data["sweep"], base, node=node, mode=data["sweep_mode"]):
        point = Point(values, swept)
        twin = seen.setdefault(point.part_hash("fields"), point)
        if twin is not point:
            raise ConfigError(
                f"sweep: found the same point twice ({twin.label}; {point.label});"
                " allowed: points that differ in physics"
            )
        yield point


def _point_schema(*extra: str) -> Schema:
    """Return the schema of the sections that belong to a point, and ``extra`` ones."""
    names = (*_FREEZE, *extra)
    return {
        "type": "object",
        "properties": {k: v for k, v in schema()["properties"].items() if k in names},
    }


def _digest(value: Any) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return sha256(text.encode()).digest()


def _word(value: Any) -> str:
    """Write a swept value in a few characters."""
    if isinstance(value, Mapping):
        return "-".join(_word(item) for item in value.values())
    if isinstance(value, float):
        return f"{value:.12g}"
    return Path(value).stem if isinstance(value, str) else str(value)

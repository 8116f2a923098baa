"""The part of a point that one stage depends on: what `point.json` holds and what is hashed.

Two points that agree in it share the stage's files. It is complete in itself: no default is filled
in when it is read again, so that a new version's defaults cannot change what an old file was made
for. How many realisations are wanted is written with it, but a realisation does not depend on it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from glasspipe.errors import ConfigError
from glasspipe.settings.checks import check
from glasspipe.settings.model import Model
from glasspipe.settings.point import Point, point_from
from glasspipe.settings.reading import read_mapping
from glasspipe.settings.schema import schema, validate

_LONGEST_SLUG = 60
_OWN = ("stage", "realisations")


@dataclass(frozen=True)
class StagePart:
    """What one stage makes for all points that agree in everything it depends on.

    Parameters
    ----------
    stage : str
        The stage.
    sections : dict
        The sections that its file depends on, resolved (not to be modified).
    realisations : int
        Realisations wanted.
    swept : dict
        Swept keys and their values at one of the points, for the name.
    """

    stage: str
    sections: dict[str, Any]
    realisations: int
    swept: dict[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, point: "Point | StagePart", stage: str, sections: tuple[str, ...]) -> "StagePart":
        """Take the part with these sections of a point, or of the part of a later stage.

        Raises
        ------
        ConfigError
            If one of them is not there.
        """
        missing = [name for name in sections if name not in point.sections]
        if missing:
            raise ConfigError(
                f"{missing[0]}: missing; allowed: the point of the stage {stage} or of a later one"
            )
        chosen = {name: point.sections[name] for name in sections}
        if isinstance(point, Point):
            chosen = Model(chosen).resolved
        return cls(stage, chosen, point.realisations, point.swept)

    @cached_property
    def model(self) -> Model:
        """The physics objects of the part."""
        return Model(self.sections)

    @cached_property
    def hash(self) -> str:
        """Hash of the sections, 64 hexadecimal digits."""
        return digest(self.sections).hex()

    @cached_property
    def name(self) -> str:
        """A name: the swept values that concern the part, readable, and its hash."""
        words = [
            f"{key.rpartition('.')[2]}-{_word(value)}"
            for key, value in self.swept.items()
            if key.partition(".")[0] in self.sections
        ]
        slug = re.sub(r"[^A-Za-z0-9._+-]+", "-", "-".join(words) or "point")
        return f"{slug[:_LONGEST_SLUG]}-{self.hash[:10]}"

    @property
    def text(self) -> str:
        """What its `point.json` holds."""
        about = {"stage": self.stage, "realisations": self.realisations}
        return json.dumps({**about, **self.sections}, indent=1) + "\n"


def load_part(path: str | Path, stage: str, sections: tuple[str, ...]) -> StagePart:
    """Read the part of ``stage`` from a `point.json`, or take it of a user's point.

    Raises
    ------
    ConfigError
        If the file cannot be read or holds neither.
    """
    given = read_mapping(Path(path))
    if "stage" not in given:
        return StagePart.of(point_from(given), stage, sections)
    validate(
        {"type": "object", "required": ["realisations"], "properties": schema()["properties"]},
        {name: value for name, value in given.items() if name != "stage"},
    )
    whole = {name: value for name, value in given.items() if name not in _OWN}
    check(Model(whole))
    recorded = StagePart(str(given["stage"]), whole, given["realisations"])
    return StagePart.of(recorded, stage, sections)


def digest(value: Any) -> bytes:
    """Hash of a value made of mappings, lists, texts and finite numbers."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return sha256(text.encode()).digest()


def _word(value: Any) -> str:
    """Write a swept value in a few characters."""
    if isinstance(value, Mapping):
        return "-".join(_word(item) for item in value.values())
    if isinstance(value, float):
        return f"{value:.12g}"
    return Path(value).stem if isinstance(value, str) else str(value)

"""The part of a point that one stage depends on: what `point.json` holds and what is hashed.

Two points that agree in it share the stage's files. It is complete in itself: no default is filled
in when it is read again, so that a new version's defaults cannot change what an old file was made
for. How many realisations are wanted is written with it, but a realisation does not depend on it.
"""

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from glasspipe.errors import ConfigError
from glasspipe.settings.checks import check
from glasspipe.settings.model import Model
from glasspipe.settings.names import hash_of, name_of
from glasspipe.settings.point import Point, point_from
from glasspipe.settings.reading import read_mapping
from glasspipe.settings.schema import schema, validate

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
        known = point.model.resolved if isinstance(point, Point) else point.sections
        chosen = {name: known[name] for name in sections}
        return cls(stage, chosen, point.realisations, point.swept)

    @cached_property
    def model(self) -> Model:
        """The physics objects of the part."""
        return Model(self.sections)

    @cached_property
    def hash(self) -> str:
        """Hash of the sections, 64 hexadecimal digits."""
        return hash_of(self.sections)

    @cached_property
    def name(self) -> str:
        """A name: the swept values that concern the part, readable, and its hash."""
        concern = {k: v for k, v in self.swept.items() if k.partition(".")[0] in self.sections}
        return name_of(concern, self.hash)

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
    if whole.get("couplings", {}).get("store") == "auto":
        raise ConfigError(
            f"couplings.store: found auto in the part of the stage {given['stage']};"
            " allowed: float64, float32, implicit"
        )
    recorded = StagePart(str(given["stage"]), whole, given["realisations"])
    return StagePart.of(recorded, stage, sections)

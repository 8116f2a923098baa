"""What a stage is: all that the workflow, the commands, the forecast and the docs know of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from glasspipe.files.variables import Variable
from glasspipe.settings.model import Model
from glasspipe.settings.part import StagePart, load_part
from glasspipe.settings.point import Point
from glasspipe.stages.cost import Cost


@dataclass(frozen=True)
class Option:
    """An option of a stage's command, which changes no result."""

    name: str
    type: Callable[[str], Any]
    default: Any
    about: str


@dataclass(frozen=True)
class Stage:
    """One stage of a study: what it reads and writes, what it depends on, how it runs.

    Parameters
    ----------
    name : str
        Of the rule, the command and the folder of its files.
    about : str
        What it does, in a few words.
    reads : tuple of Stage
        The stages whose files it reads, in the order of its arguments.
    own : tuple of str
        The sections of a config that it depends on besides those of what it reads.
    variables : mapping
        Every variable that its files may have.
    holds : function
        Names of those that the file of a model has.
    sizes : function
        Sizes of their dimensions for a model and a number of defects, realisations and axes apart.
    cost : function
        Of one realisation, for a model and a number of defects.
    run : function
        ``run(part, *inputs, output, **options)`` writes the file.
    threads : function
        How many threads can share the computing for a model.
    options : tuple of Option
        Of its command.
    temporary : bool
        Whether its files are deleted as soon as they have been used.
    merged : bool
        Whether its files are read to make the statistics of a study.
    """

    name: str
    about: str
    reads: "tuple[Stage, ...]"
    own: tuple[str, ...]
    variables: Mapping[str, Variable]
    holds: Callable[[Model], tuple[str, ...]]
    sizes: Callable[[Model, int], dict[str, int]]
    cost: Callable[[Model, int], Cost]
    run: Callable[..., None]
    threads: Callable[[Model], int] = lambda _: 1
    options: tuple[Option, ...] = ()
    temporary: bool = False
    merged: bool = True

    @cached_property
    def sections(self) -> tuple[str, ...]:
        """The sections of a config that its file depends on."""
        upstream = (name for stage in self.reads for name in stage.sections)
        return tuple(dict.fromkeys((*upstream, *self.own)))

    def part(self, point: Point | StagePart) -> StagePart:
        """Return the part of a point, or of a later stage's part, that it depends on."""
        return StagePart.of(point, self.name, self.sections)

    def load_part(self, path: Path) -> StagePart:
        """Read its part from a `point.json` or from a user's point.

        Raises
        ------
        ConfigError
            If the file cannot be read or holds neither.
        """
        return load_part(path, self.name, self.sections)

    def written(self, model: Model) -> dict[str, Variable]:
        """Return the variables that the file of a model has."""
        return {name: self.variables[name] for name in self.holds(model)}

"""Sample: realisations of the disorder, drawn on a lattice or taken from a user's file."""

from pathlib import Path

import numpy as np

from glasspipe.errors import ConfigError, DataError
from glasspipe.files import dataset, variables
from glasspipe.files.user_defects import user_defects
from glasspipe.files.variables import Variable
from glasspipe.settings.model import Model
from glasspipe.settings.part import StagePart
from glasspipe.settings.seeds import seed_sequence
from glasspipe.stages.cost import Cost
from glasspipe.stages.stage import Option, Stage

_TENSORS = ("gamma", "eta", "zeta", "zeta_minus", "static")
_AMPLITUDES = ("D", "Delta", "E", "epsilon")
_EVERY = {
    "position": variables.POSITION,
    "box": variables.BOX,
    "site": Variable(f"{variables.DEFECT} axis", "1", "site on the lattice's mesh", "model", "i4"),
    "component": Variable(variables.DEFECT, "1", "component of the mixture", "model", "i2"),
    "gamma": variables.GAMMA,
    "eta": variables.ETA,
    "zeta": variables.ZETA.but("(two states: for S = +1)"),
    "D": variables.D,
    "Delta": variables.DELTA,
}
_OPTIONAL = {
    **variables.only("species of two states", {"zeta_minus": variables.ZETA_MINUS}),
    **variables.only("static dipoles", {"static": variables.STATIC}),
    **variables.only("stray fields", {"E": variables.E, "epsilon": variables.EPSILON}),
}
"""Variables that are there only where some defects need them."""
_BYTES_PER_DEFECT, _SECONDS_PER_DEFECT = 1500.0, 1e-6


def _run(part: StagePart, output: Path, *, first: int = 0, count: int | None = None) -> None:
    """Write the realisations ``first`` … ``first + count − 1``; by default all that are wanted.

    Raises
    ------
    ConfigError
        If these are none.
    DataError
        If the user's own file cannot be used.
    """
    numbers = range(first, part.realisations if count is None else first + count)
    if not 0 <= first < numbers.stop <= part.realisations:
        raise ConfigError(
            f"--first and --count: found {first} and {numbers.stop - first};"
            f" the point has the realisations 0 to {part.realisations - 1}"
        )
    if part.model.source_file is None:
        _draw(part, output, numbers)
    else:
        _take(part, part.model.source_file, output, numbers)


def _draw(part: StagePart, output: Path, numbers: range) -> None:
    from glasspipe.defects.realisation import realise

    model = part.model
    written = SAMPLE.written(model)
    lattice, number, components = model.lattice, model.defects, model.components
    with dataset.create(
        output,
        part,
        variables=written,
        sizes={"defect": number},
        realisations=numbers,
        attributes={"sites": lattice.sites, "defects": number},
    ) as writer:
        writer.put_whole("box", lattice.edge)
        for row, realisation in enumerate(numbers):
            rng = np.random.default_rng(seed_sequence(model, SAMPLE.name, realisation))
            made = realise(rng, lattice, number, components, stoichiometry=model.stoichiometry)
            writer.put(row, {"position": made.position, "site": made.site})
            writer.put(row, {"component": made.defects.component})
            for names, owner in ((_TENSORS, made.defects.tensors), (_AMPLITUDES, made.defects)):
                writer.put(row, {name: getattr(owner, name) for name in names if name in written})


def _take(part: StagePart, source: Path, output: Path, numbers: range) -> None:
    from glasspipe.defects.realisation import draw

    model = part.model
    with user_defects(source) as defects:
        if numbers.stop > defects.realisations:
            raise DataError(
                f"{source}: holds {defects.realisations} realisations;"
                f" number {numbers.stop - 1} is wanted"
            )
        wanted = (name for name in _AMPLITUDES if name in SAMPLE.holds(model))
        missing = [name for name in wanted if name not in defects.names]
        with dataset.create(
            output,
            part,
            variables={name: SAMPLE.variables[name] for name in (*defects.names, *missing)},
            sizes={"defect": defects.number},
            realisations=numbers,
            attributes=defects.attributes,
        ) as writer:
            writer.put_whole("box", defects.box)
            for row, realisation in enumerate(numbers):
                rng = np.random.default_rng(seed_sequence(model, SAMPLE.name, realisation))
                drawn = draw(
                    rng, defects.number, model.components, stoichiometry=model.stoichiometry
                )
                writer.put(row, {name: getattr(drawn, name) for name in missing})
                writer.put(row, defects.realisation(realisation))


def _holds(model: Model) -> tuple[str, ...]:
    return (*_EVERY, *(name for name in _OPTIONAL if name in model.extras))


def _cost(_: Model, defects: int) -> Cost:
    return Cost(_SECONDS_PER_DEFECT * defects, _BYTES_PER_DEFECT * defects)


SAMPLE = Stage(
    name="sample",
    about="draw realisations of the disorder",
    reads=(),
    own=("seed", "lattice", "defects", "sample"),
    variables={**_EVERY, **_OPTIONAL},
    holds=_holds,
    sizes=lambda _, defects: {"defect": defects},
    cost=_cost,
    run=_run,
    options=(
        Option("first", int, 0, "first realisation (0)"),
        Option("count", int, None, "number of realisations (all)"),
    ),
)
"""The first stage: which sites hold a defect, and which kind each defect is."""

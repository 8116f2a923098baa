"""Couplings: U_ij and B_i of every realisation, or what U_ij is made of where it is not stored."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glasspipe.files import dataset, variables
from glasspipe.settings.model import Model
from glasspipe.settings.part import StagePart
from glasspipe.stages.cost import Cost, of_sums
from glasspipe.stages.sample import SAMPLE
from glasspipe.stages.stage import Stage
from glasspipe.stages.values import LARGEST, check_size, stray_field, system_of
from glasspipe.threads import PIECES

Array = NDArray[np.float64]

_EVERY = {"B": variables.B}
_STORED = variables.only(
    "U stored", {"i": variables.FIRST, "j": variables.SECOND, "U": variables.U}
)
_IMPLICIT = variables.only(
    "U not stored",
    {
        "position": variables.POSITION,
        "box": variables.BOX,
        "gamma": variables.GAMMA,
        "B_error": variables.error_of("B"),
    },
)


def _run(part: StagePart, realisations: Path, output: Path) -> None:
    """Write U_ij and B_i of every realisation, or what U_ij is made of.

    Raises
    ------
    DataError
        If a coupling or a field is too large to be worked with.
    """
    with dataset.stage_file(realisations, SAMPLE.part(part)) as source:
        write = _write_implicit if part.model.store == "implicit" else _write_stored
        write(part, source, output)


def _write_stored(part: StagePart, source: dataset.Reader, output: Path) -> None:
    from glasspipe.system.couplings import couplings

    model, number = part.model, source.size("defect")
    i, j = np.triu_indices(number, 1)
    with dataset.create(
        output,
        part,
        variables=COUPLINGS.written(model),
        sizes={"defect": number, "pair": len(i)},
        realisations=source.realisations,
        dtypes={"U": {"float64": "f8", "float32": "f4"}[model.store]},
    ) as writer:
        writer.put_whole("i", i)
        writer.put_whole("j", j)
        for row in range(len(source.realisations)):
            system = system_of(part, source, row, tau=False)
            with np.errstate(over="ignore", invalid="ignore"):  # the result is looked at
                made = couplings(system)
            B = made.B + stray_field(source, row, "E")
            check_size(source, row, "B", B)
            check_size(source, row, "U", made.U, pairs=(i, j))
            writer.put(row, {"U": made.U, "B": B})


def _write_implicit(part: StagePart, source: dataset.Reader, output: Path) -> None:
    from glasspipe.system.implicit import random_fields

    model = part.model
    with dataset.create(
        output,
        part,
        variables=COUPLINGS.written(model),
        sizes={"defect": source.size("defect")},
        realisations=source.realisations,
        attributes={"U": "not stored; eq. (16) of position and gamma in the periodic box"},
    ) as writer:
        writer.put_whole("box", source.whole("box"))
        for row in range(len(source.realisations)):
            system = system_of(part, source, row, tau=False)
            gamma = system.tensors.gamma
            check_size(source, row, "gamma", gamma, largest=LARGEST**0.5)  # U is a product of two
            with np.errstate(over="ignore", invalid="ignore"):
                B, error = random_fields(system, accuracy=model.accuracy)
            B += stray_field(source, row, "E")
            check_size(source, row, "B", B)
            found = {"B": B, "B_error": np.asarray(error)}
            writer.put(row, {**found, "position": system.position, "gamma": gamma})


def _holds(model: Model) -> tuple[str, ...]:
    return (*_EVERY, *(_IMPLICIT if model.store == "implicit" else _STORED))


def _sizes(_: Model, defects: int) -> dict[str, int]:
    return {"defect": defects, "pair": defects * (defects - 1) // 2}


def _cost(model: Model, defects: int) -> Cost:
    return of_sums(model, defects, "couplings")


COUPLINGS = Stage(
    name="couplings",
    about="compute U_ij and B_i",
    reads=(SAMPLE,),
    own=("medium", "boundary", "formula", "couplings"),
    variables={**_EVERY, **_STORED, **_IMPLICIT},
    holds=_holds,
    sizes=_sizes,
    cost=_cost,
    run=_run,
    threads=lambda _: PIECES,
    temporary=True,
)
"""The interactions of S and its random fields, eqs. (16), (26), (29)."""

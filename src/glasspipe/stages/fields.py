"""Fields: the random fields b_i on τ of the frozen defects, and what their J_ij add up to.

With them is how much more near pairs these defects have than is to be expected, for the widths.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glasspipe.files import dataset, variables
from glasspipe.files.variables import Variable
from glasspipe.settings.model import Model
from glasspipe.settings.part import StagePart
from glasspipe.settings.seeds import seed_sequence
from glasspipe.stages.cost import Cost, of_sums
from glasspipe.stages.freeze import FREEZE
from glasspipe.stages.sample import SAMPLE
from glasspipe.stages.stage import Stage
from glasspipe.stages.values import check_size, stray_field, system_of
from glasspipe.system import terms
from glasspipe.threads import PIECES

if TYPE_CHECKING:
    from glasspipe.system.fields import Fields
    from glasspipe.system.system import System

Array = NDArray[np.float64]

_SUMMED = {
    "b_gamma": Variable(variables.DEFECT, "eV", "random field on tau of the frozen S", "eq. (60)"),
    "b_eta": Variable(variables.DEFECT, "eV", "random field on tau of the volumes", "eq. (68)"),
    "J_abs": Variable(variables.DEFECT, "eV", "sum over j of |J_ij|", "eq. (72)"),
    "J_max": Variable(variables.DEFECT, "eV", "largest |J_ij|", "eq. (72)"),
    "J_tau": Variable(variables.DEFECT, "eV", "sum over j of J_ij tau_j, random tau", "eq. (72)"),
}
_EVERY = {**_SUMMED, "b": variables.b, "zeta": variables.ZETA.but("that was used")}
_IMPLICIT = variables.only(
    "U not stored",
    {
        **{f"{name}_error": variables.error_of(name) for name in ("b_gamma", "b_eta", "J_tau")},
        "J_abs_error": Variable(
            "realisation", "1", "rms error of J_abs, estimated, over its rms", "model"
        ),
    },
)
_EXCESS = variables.only(
    "drawn defects",
    {
        f"{name}_excess": Variable(
            "realisation",
            "eV^2",
            f"mean square of {name} that near pairs alone would make, over what is expected",
            "model",
        )
        for name in terms.FIELDS
    },
)
_SECONDS_OF_EXCESS = 0.01, 1.5e-5
"""Of a realisation, and of a defect in it."""


def excess_of(model: Model) -> dict[str, str]:
    """Variables of what near pairs have in excess in the square of each field, by its name."""
    return {} if model.source_file else dict(zip(terms.FIELDS, _EXCESS, strict=True))


def _run(part: StagePart, realisations: Path, frozen: Path, output: Path) -> None:
    """Write b^γ, b^η, the summaries of J_ij and the excess of near pairs of every realisation.

    Raises
    ------
    DataError
        If one of them is too large to be worked with.
    """
    model = part.model
    make = _of_implicit if model.store == "implicit" else _of_stored
    with (
        dataset.stage_file(realisations, SAMPLE.part(part)) as source,
        dataset.stage_file(frozen, FREEZE.part(part)) as spins,
    ):
        dataset.check_same_realisations(source, spins)
        number = source.size("defect")
        with dataset.create(
            output,
            part,
            variables=FIELDS.written(model),
            sizes={"defect": number},
            realisations=source.realisations,
        ) as writer:
            for row, realisation in enumerate(source.realisations):
                (S,) = spins.row(row, "S")
                system = system_of(part, source, row)
                with np.errstate(over="ignore", invalid="ignore"):
                    excess = _excess(model, source, row, system)
                system = system.frozen(S)  # and ζ of the other state is in memory no more
                rng = np.random.default_rng(seed_sequence(model, FIELDS.name, realisation))
                tau = rng.choice((-1, 1), size=number)
                with np.errstate(over="ignore", invalid="ignore"):
                    made, errors = make(model, system, S, tau)
                values = {name: getattr(made, name) for name in _SUMMED}
                values["b"] = made.b + stray_field(source, row, "epsilon")
                for name, value in values.items():
                    check_size(source, row, name, value)
                writer.put(row, {**values, **errors, **excess, "zeta": system.tensors.zeta})


def _excess(
    model: Model, source: dataset.Reader, row: int, system: "System"
) -> dict[str, NDArray[np.float64]]:
    """Return what near pairs have in excess, of defects that were drawn."""
    names = excess_of(model)
    if not names:
        return {}
    from glasspipe.system.near_pairs import near_excess

    site, component = source.row(row, "site", "component")
    found = near_excess(system, site, model.sublattices[component], model.lattice)
    return {names[field]: np.asarray(value) for field, value in found.items()}


def _of_stored(
    _: Model, system: "System", S: Array, tau: Array
) -> "tuple[Fields, dict[str, Array]]":
    from glasspipe.system.fields import fields

    return fields(system, S, tau), {}


def _of_implicit(
    model: Model, system: "System", S: Array, tau: Array
) -> "tuple[Fields, dict[str, Array]]":
    """Return the fields, and their errors."""
    from glasspipe.system.implicit_fields import implicit_fields

    made, errors = implicit_fields(system, S, tau, accuracy=model.accuracy)
    return made, {name: np.asarray(value) for name, value in vars(errors).items()}


def _holds(model: Model) -> tuple[str, ...]:
    return (*_EVERY, *(_IMPLICIT if model.store == "implicit" else ()), *excess_of(model).values())


def _cost(model: Model, defects: int) -> Cost:
    sums = of_sums(model, defects, "fields")
    once, each = _SECONDS_OF_EXCESS if excess_of(model) else (0.0, 0.0)
    return replace(sums, seconds=sums.seconds + once + each * defects)


FIELDS = Stage(
    name="fields",
    about="compute b_i and J_ij",
    reads=(SAMPLE, FREEZE),
    own=(),
    variables={**_EVERY, **_IMPLICIT, **_EXCESS},
    holds=_holds,
    sizes=lambda _, defects: {"defect": defects},
    cost=_cost,
    run=_run,
    threads=lambda _: PIECES,
)
"""The random fields on τ and its couplings, eqs. (60), (68), (72)."""

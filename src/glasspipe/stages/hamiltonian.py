"""Hamiltonian: U, B and J, b of every realisation for other programs, all pairs or the strong."""

from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glasspipe.errors import ConfigError
from glasspipe.files import dataset, variables
from glasspipe.files.variables import Variable
from glasspipe.settings.model import Model
from glasspipe.settings.part import StagePart
from glasspipe.stages.cost import Cost, of_pairs
from glasspipe.stages.couplings import COUPLINGS
from glasspipe.stages.freeze import FREEZE
from glasspipe.stages.sample import SAMPLE
from glasspipe.stages.stage import Stage
from glasspipe.stages.values import frozen_zeta_of, static_dipoles_of, stray_field

if TYPE_CHECKING:
    from glasspipe.system.hamiltonian import Ising

Array = NDArray[np.float64]

_SECONDS_PER_PAIR = 1.25e-6


def _strong(letter: str, every: Variable) -> dict[str, Variable]:
    """The pairs whose coupling is strong, of all realisations one after the other."""
    dimension, reference = f"{letter}_pair", every.reference
    return {
        f"{letter}_strong": every.along(dimension),
        f"{letter}_i": variables.FIRST.along(dimension),
        f"{letter}_j": variables.SECOND.along(dimension),
        f"{letter}_number": Variable("realisation", "1", "number of pairs", "model", "i8"),
        f"{letter}_threshold": Variable("realisation", "eV", "least modulus", reference),
        f"{letter}_dropped": Variable(
            "realisation", "eV", "sum of the moduli of the pairs left out", reference
        ),
    }


_TERMS = {
    "position": variables.POSITION,
    "box": variables.BOX,
    "D": variables.D,
    "Delta": variables.DELTA,
    "S": variables.FROZEN,
    "B": variables.B,
    "b": variables.b,
}
_ALL_PAIRS = variables.only(
    "`store: dense`",
    {"i": variables.FIRST, "j": variables.SECOND, "U": variables.U, "J": variables.J},
)
_STRONG_PAIRS = variables.only(
    "`store: pairs`", _strong("U", variables.U) | _strong("J", variables.J)
)


def _run(part: StagePart, realisations: Path, couplings: Path, frozen: Path, output: Path) -> None:
    """Write U, B and J, b of every realisation, all pairs or the strong ones.

    Raises
    ------
    ConfigError
        If the point does not say which.
    """
    from glasspipe.system.hamiltonian import Ising, of_tau

    model, wanted = part.model, part.sections["hamiltonian"]
    if wanted["store"] == "none":
        raise ConfigError("hamiltonian.store: found none in the point; allowed: dense, pairs")
    with (
        dataset.stage_file(realisations, SAMPLE.part(part)) as source,
        dataset.stage_file(couplings, COUPLINGS.part(part)) as pairs,
        dataset.stage_file(frozen, FREEZE.part(part)) as spins,
    ):
        dataset.check_same_realisations(source, pairs, spins)
        number = source.size("defect")
        upper, box = np.triu_indices(number, 1), source.whole("box")
        with _file(output, part, source) as writer:
            writer.put_whole("box", box)
            if wanted["store"] == "dense":
                writer.put_whole("i", upper[0])
                writer.put_whole("j", upper[1])
            for row in range(len(source.realisations)):
                position, gamma, eta = source.row(row, "position", "gamma", "eta")
                U, B = pairs.row(row, "U", "B")
                S, h = spins.row(row, "S", "h")
                made = of_tau(
                    position,
                    gamma,
                    eta,
                    frozen_zeta_of(source, row, S),
                    S,
                    box=box,
                    medium=model.interaction,
                    boundary=model.boundary,
                    static=static_dipoles_of(part, source, row),
                )
                tau = replace(made, field=made.field + stray_field(source, row, "epsilon"))
                writer.put(row, {"position": position, "S": S, "B": B, "b": tau.field})
                writer.put(row, {name: source.row(row, name)[0] for name in ("D", "Delta")})
                for letter, ising, field in (("U", Ising(B, *upper, U), h), ("J", tau, tau.field)):
                    _put_pairs(writer, row, letter, ising, field, part)


def _file(
    output: Path, part: StagePart, source: dataset.Reader
) -> AbstractContextManager[dataset.Writer]:
    sizes: dict[str, int | None] = dict(HAMILTONIAN.sizes(part.model, source.size("defect")))
    if part.sections["hamiltonian"]["store"] == "pairs":
        del sizes["pair"]
        sizes |= dict.fromkeys(("U_pair", "J_pair"))
    return dataset.create(
        output,
        part,
        variables=HAMILTONIAN.written(part.model),
        sizes={**sizes, "axis": 3},
        realisations=source.realisations,
    )


def _put_pairs(
    writer: dataset.Writer, row: int, letter: str, ising: "Ising", field: Array, part: StagePart
) -> None:
    """Write the pairs of one Hamiltonian, ``field`` being what a threshold is relative to."""
    wanted = part.sections["hamiltonian"]
    if wanted["store"] == "dense":
        writer.put(row, {letter: ising.coupling})
        return
    kept = ising.strong(wanted["threshold"] * float(np.median(np.abs(field))))
    pairs = {"strong": kept.ising.coupling, "i": kept.ising.i, "j": kept.ising.j}
    about = {"number": len(kept.ising.i), "threshold": kept.threshold, "dropped": kept.dropped}
    writer.append(f"{letter}_pair", {f"{letter}_{name}": value for name, value in pairs.items()})
    writer.put(row, {f"{letter}_{name}": value for name, value in about.items()})


def _holds(model: Model) -> tuple[str, ...]:
    dense = model.sections["hamiltonian"]["store"] == "dense"
    return (*_TERMS, *(_ALL_PAIRS if dense else _STRONG_PAIRS))


def _sizes(_: Model, defects: int) -> dict[str, int]:
    return {"defect": defects, "pair": defects * (defects - 1) // 2}


def _cost(model: Model, defects: int) -> Cost:
    return of_pairs(model, defects, _SECONDS_PER_PAIR)


HAMILTONIAN = Stage(
    name="hamiltonian",
    about="write U, B and J, b for other programs",
    reads=(SAMPLE, COUPLINGS, FREEZE),
    own=("hamiltonian",),
    variables={**_TERMS, **_ALL_PAIRS, **_STRONG_PAIRS},
    holds=_holds,
    sizes=_sizes,
    cost=_cost,
    run=_run,
    merged=False,
)
"""The Hamiltonians of S and of τ, eqs. (29), (76)."""

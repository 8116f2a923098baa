"""Hamiltonian: every term of every realisation for other programs, all pairs or the strong."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glasspipe.errors import ConfigError
from glasspipe.files import dataset, variables
from glasspipe.files.variables import Variable
from glasspipe.settings.model import Model
from glasspipe.settings.part import StagePart
from glasspipe.stages.cost import Cost, of_sums
from glasspipe.stages.couplings import COUPLINGS
from glasspipe.stages.freeze import FREEZE
from glasspipe.stages.sample import SAMPLE
from glasspipe.stages.stage import Stage
from glasspipe.stages.values import stray_field, system_of
from glasspipe.threads import PIECES

if TYPE_CHECKING:
    from glasspipe.system.hamiltonian import Pairs

Array = NDArray[np.float64]


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
    "b_eta": variables.b_eta,
    "b": variables.b,
}
_COUPLINGS = {"U": variables.U, "U_S_tau": variables.U_S_tau, "J": variables.J}
_ALL_PAIRS = variables.only(
    "`store: dense`", {"i": variables.FIRST, "j": variables.SECOND, **_COUPLINGS}
)
_STRONG_PAIRS = variables.only(
    "`store: pairs`",
    {key: about for name, each in _COUPLINGS.items() for key, about in _strong(name, each).items()},
)


def _run(part: StagePart, realisations: Path, couplings: Path, frozen: Path, output: Path) -> None:
    """Write every term of every realisation, all pairs or the strong ones.

    Raises
    ------
    ConfigError
        If the point does not say which.
    """
    from glasspipe.system.fields import interactions
    from glasspipe.system.hamiltonian import Pairs
    from glasspipe.system.spin_tau import spin_tau_couplings

    wanted = part.sections["hamiltonian"]
    if wanted["store"] == "none":
        raise ConfigError("hamiltonian.store: found none in the point; allowed: dense, pairs")
    with (
        dataset.stage_file(realisations, SAMPLE.part(part)) as source,
        dataset.stage_file(couplings, COUPLINGS.part(part)) as pairs,
        dataset.stage_file(frozen, FREEZE.part(part)) as spins,
    ):
        dataset.check_same_realisations(source, pairs, spins)
        upper = np.triu_indices(source.size("defect"), 1)
        with _file(output, part, source) as writer:
            writer.put_whole("box", source.whole("box"))
            if wanted["store"] == "dense":
                writer.put_whole("i", upper[0])
                writer.put_whole("j", upper[1])
            for row in range(len(source.realisations)):
                U, B = pairs.row(row, "U", "B")
                S, h = spins.row(row, "S", "h")
                system = system_of(part, source, row).frozen(S)
                made, epsilon = interactions(system, S), stray_field(source, row, "epsilon")
                b_eta = made.b_eta + epsilon
                b = made.b_gamma + b_eta
                values = {"position": system.position, "S": S, "B": B, "b_eta": b_eta, "b": b}
                writer.put(row, values)
                writer.put(row, {name: source.row(row, name)[0] for name in ("D", "Delta")})
                U_S_tau = spin_tau_couplings(system)
                if wanted["store"] == "dense":
                    writer.put(row, {"U": U, "U_S_tau": U_S_tau, "J": made.J[upper]})
                    continue
                for name, every, field in (
                    ("U", Pairs(*upper, U), h),
                    ("U_S_tau", Pairs.beside(U_S_tau), b),
                    ("J", Pairs.above(made.J), b),
                ):
                    _put_strong(writer, row, name, every, field, wanted["threshold"])


def _file(
    output: Path, part: StagePart, source: dataset.Reader
) -> AbstractContextManager[dataset.Writer]:
    sizes: dict[str, int | None] = dict(HAMILTONIAN.sizes(part.model, source.size("defect")))
    if part.sections["hamiltonian"]["store"] == "pairs":
        del sizes["pair"]
        del sizes["defect2"]
        sizes |= dict.fromkeys(f"{name}_pair" for name in _COUPLINGS)
    return dataset.create(
        output,
        part,
        variables=HAMILTONIAN.written(part.model),
        sizes=sizes,
        realisations=source.realisations,
    )


def _put_strong(
    writer: dataset.Writer, row: int, name: str, every: "Pairs", field: Array, threshold: float
) -> None:
    """Write the strong pairs of one term; the threshold is relative to the median of ``field``."""
    kept = every.strong(threshold * float(np.median(np.abs(field))))
    pairs = {"strong": kept.pairs.coupling, "i": kept.pairs.i, "j": kept.pairs.j}
    about = {"number": len(kept.pairs.i), "threshold": kept.threshold, "dropped": kept.dropped}
    writer.append(f"{name}_pair", {f"{name}_{key}": value for key, value in pairs.items()})
    writer.put(row, {f"{name}_{key}": value for key, value in about.items()})


def _holds(model: Model) -> tuple[str, ...]:
    dense = model.sections["hamiltonian"]["store"] == "dense"
    return (*_TERMS, *(_ALL_PAIRS if dense else _STRONG_PAIRS))


def _sizes(_: Model, defects: int) -> dict[str, int]:
    return {"defect": defects, "defect2": defects, "pair": defects * (defects - 1) // 2}


def _cost(model: Model, defects: int) -> Cost:
    return of_sums(model, defects, "hamiltonian")


HAMILTONIAN = Stage(
    name="hamiltonian",
    about="write all terms of H for other programs",
    reads=(SAMPLE, COUPLINGS, FREEZE),
    own=("hamiltonian",),
    variables={**_TERMS, **_ALL_PAIRS, **_STRONG_PAIRS},
    holds=_holds,
    sizes=_sizes,
    cost=_cost,
    run=_run,
    threads=lambda _: PIECES,
    merged=False,
)
"""The Hamiltonian of S and τ, eqs. (73), (74), and of each alone, (29), (76)."""

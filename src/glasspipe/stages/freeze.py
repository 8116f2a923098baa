"""Freeze: realisation after realisation, to be stopped and continued at any time."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glasspipe.defects.tensors import Tensors
from glasspipe.files import dataset, variables
from glasspipe.files.checkpoint import Arrays, Checkpoint, Owner, StoppedError
from glasspipe.files.variables import Variable
from glasspipe.settings.engines import matrices
from glasspipe.settings.model import Model
from glasspipe.settings.part import StagePart
from glasspipe.settings.seeds import seed_sequence
from glasspipe.spins.diagnostics import (
    LOG_BINS,
    OVERLAP_BINS,
    complaints,
    measures,
    specific_heat,
)
from glasspipe.spins.progress import Observe, Progress, State
from glasspipe.stages.cost import Cost, held
from glasspipe.stages.couplings import COUPLINGS
from glasspipe.stages.display import Display
from glasspipe.stages.stage import Option, Stage

if TYPE_CHECKING:
    from glasspipe.spins.annealing import Frozen
    from glasspipe.system.system import System

Spins = NDArray[np.bool_]

_TRACE = "realisation replica step"
_STEP = "realisation step"
_REPLICA = "realisation replica"

_EVERY = {
    "S": variables.FROZEN,
    "h": Variable(variables.DEFECT, "eV", "local field on S, random field included", "eq. (29)"),
    "B": variables.B,
    "U_sum": Variable(variables.DEFECT, "eV", "sum over j of U_ij", "after eq. (29)"),
    "energy": Variable("realisation", "eV", "energy of S", "eq. (29)"),
    "T": Variable(_STEP, "eV", "temperature k_B T", "model"),
    "trace_energy": Variable(_TRACE, "eV", "mean energy at the temperature", "eq. (29)"),
    "trace_energy_variance": Variable(
        _TRACE, "eV2", "variance of the energy at the temperature", "eq. (29)"
    ),
    "acceptance": Variable(_TRACE, "1", "accepted share of the attempted flips", "model"),
    "specific_heat": Variable(
        _STEP, "1", "fluctuation of the energy per spin, over T squared", "model"
    ),
    "replica_S": Variable(f"{_REPLICA} defect", "1", "frozen S of each replica", "eq. (29)", "i1"),
    "replica_energy": Variable(_REPLICA, "eV", "energy of S", "eq. (29)"),
    "unstable": Variable(
        "realisation", "1", "spins with S h > 0 in the frozen state, 0 of need", "model", "i4"
    ),
}
OVERLAPS = ("overlap", "overlap_abs", "overlap_squared")
"""Means of q, |q| and q² at each temperature."""
_SEVERAL = variables.only(
    "two replicas or more",
    {
        "overlap": Variable(_STEP, "1", "mean overlap q of two replicas", "model"),
        "overlap_abs": Variable(_STEP, "1", "mean |q|", "model"),
        "overlap_squared": Variable(_STEP, "1", "mean of q squared", "model"),
        "overlap_count": Variable(
            f"{_STEP} overlap_bin",
            "1",
            "pairs with q in each of equal bins from -1 to 1, each q spread over 2/(N + 1)",
            "model",
        ),
    },
)
_TEMPERED = variables.only(
    "tempering",
    {
        "swap_rate": Variable(
            f"{_REPLICA} gap", "1", "accepted exchanges with the next temperature", "model"
        ),
        "round_trips": Variable(
            _REPLICA, "1", "ways of a state through all temperatures and back", "model", "i8"
        ),
        "round_trip_time": Variable(_REPLICA, "1", "sweeps of a round trip", "model"),
        "log_energy": Variable(
            f"{_REPLICA} log_bin step",
            "eV",
            "mean energy of the last half of the sweeps, of the quarter before it, and so on",
            "eq. (29)",
        ),
    },
)
_WHOLE = variables.only(
    "U stored, or tempering",
    {
        "U_norm": Variable(
            variables.DEFECT, "eV", "root of the sum over j of U_ij squared", "eq. (16)"
        ),
    },
)
_IMPLICIT = variables.only("U not stored", {"B_error": variables.error_of("B")})
_ANNEALED = variables.only(
    "U not stored, annealing",
    {
        "anneal_error": Variable(
            "realisation",
            "1",
            "rms error of the fields that annealed random S, over their rms",
            "model",
        ),
        "field_error": variables.error_of("h"),
        "staleness": Variable(
            "realisation", "1", "rms change of fields at a refresh of the far ones, over T", "model"
        ),
        "near_neighbours": Variable("realisation", "1", "mean number of near neighbours", "model"),
        "anneal_mesh": Variable(
            "realisation axis", "1", "points of the mesh of the far fields", "model", "i4"
        ),
    },
)
_JUDGED = (
    *("T", "energy", "acceptance", "trace_energy", "replica_energy"),
    *("swap_rate", "round_trips", "log_energy"),
)

_BYTES_PER_CHAIN = 150.0
"""Without a stored U: of a defect in each replica."""


def _run(part: StagePart, couplings: Path, output: Path, *, checkpoint: float = 180.0) -> None:
    """Write the frozen S of every realisation and how they froze.

    Every ``checkpoint`` seconds all that has been done is kept beside the output, for another call
    to go on from. B goes with S, since the file of the couplings is a temporary one. A line says so
    if the spins froze poorly.

    Raises
    ------
    DataError
        If the input cannot be used.
    StoppedError
        If a signal ended the run; its checkpoint is written.
    """
    kept = Checkpoint(output, Owner(part, __name__, couplings), checkpoint)
    with dataset.stage_file(couplings, COUPLINGS.part(part)) as source, kept.stopping():
        number = source.size("defect")
        display = Display(FREEZE.name, len(source.realisations))
        state, about = kept.load()
        display.line(about)
        with dataset.create(
            output,
            part,
            variables=FREEZE.written(part.model),
            sizes=FREEZE.sizes(part.model, number),
            realisations=source.realisations,
        ) as writer:
            for row, values in enumerate(kept.rows):
                writer.put(row, values)
            for row in range(len(kept.rows), len(source.realisations)):
                observe = _observer(kept, display, row)
                values = _frozen(part.model, source, row, observe=observe, resume=state)
                writer.put(row, values)
                kept.rows.append(values)
                state = None
                kept.keep({})
    kept.remove()
    display.line(_judgement(kept.rows, part.model))


def _observer(kept: Checkpoint, display: Display, row: int) -> Observe:
    def observe(progress: Progress) -> None:
        share = progress.done / progress.total
        display.show(row, share, progress.energy, progress.acceptance)
        try:
            kept.keep(progress.state)
        except StoppedError:
            display.clear()
            raise

    return observe


def _frozen(
    model: Model, source: dataset.Reader, row: int, *, observe: Observe, resume: State | None
) -> Arrays:
    """Return the variables of the file for one realisation."""
    told = ("method", "swap_rate")
    options = {name: value for name, value in model.freeze.items() if name not in told}
    seed = seed_sequence(model, FREEZE.name, source.realisations[row])
    options["key"] = [int(word) for word in seed.generate_state(2, np.uint64)]
    made = _of_whole if model.freezes_whole else _of_implicit
    spins, frozen, found = made(model, source, row, observe=observe, resume=resume, **options)
    frozen = _with_others(frozen, spins, np.random.default_rng(options["key"]))
    (B,) = source.row(row, "B")
    found |= vars(frozen) | {"B": B}
    if model.store == "implicit":
        (found["B_error"],) = source.row(row, "B_error")
    if frozen.overlap is not None:
        found |= dict(zip(OVERLAPS, frozen.overlap, strict=True))
    found["unstable"] = np.count_nonzero(frozen.S * frozen.h > 0)
    number = int(np.count_nonzero(spins))
    found["specific_heat"] = specific_heat(frozen.trace_energy_variance, frozen.T, number)
    return {name: np.asarray(found[name]) for name in _holds(model)}


def _that_feel(feels: Spins) -> Spins:
    """Defects (N,) that have an S, for they feel something: all where none does."""
    return feels if feels.any() else np.full(len(feels), True)


def _with_others(frozen: "Frozen", spins: Spins, rng: np.random.Generator) -> "Frozen":
    """The same of all defects (N,): those that have no S get one at random, and h is 0."""
    if spins.all():
        return frozen
    S = rng.choice(np.array([-1, 1], np.int8), (len(frozen.replica_S), len(spins)))
    S[:, spins] = frozen.replica_S
    lowest, h = S[0].copy(), np.zeros(len(spins))
    lowest[spins], h[spins] = frozen.S, frozen.h
    return replace(frozen, S=lowest, h=h, replica_S=S)


def _of_whole(
    model: Model, source: dataset.Reader, row: int, **options: Any
) -> "tuple[Spins, Frozen, dict[str, Any]]":
    """Freeze with a whole U.

    Return who has an S, how they froze, the sums of couplings, and what the method adds.
    """
    from glasspipe.spins.annealing import freeze
    from glasspipe.spins.tempering import temper

    (B,) = source.row(row, "B")
    U = np.zeros((len(B), len(B)))
    upper = np.triu_indices(len(B), 1)
    U[upper] = _pairs(model, source, row)
    U.T[upper] = U[upper]
    found = {"U_norm": np.sqrt(np.sum(U * U, axis=1)), "U_sum": U.sum(axis=1)}
    spins = _that_feel((found["U_norm"] > 0) | (B != 0))
    if not spins.all():
        U, B = U[np.ix_(spins, spins)], B[spins]
    if model.freeze["method"] == "tempering":
        tempered = temper(U, B, **options)
        return spins, tempered.frozen, found | vars(tempered)
    return spins, freeze(U, B, **options), found


def _pairs(model: Model, source: dataset.Reader, row: int) -> NDArray[np.floating[Any]]:
    """Return U_ij of the pairs i < j, rows first, as stored or made anew."""
    if model.store != "implicit":
        return source.row(row, "U")[0]
    from glasspipe.system.couplings import couplings

    return couplings(_system(model, source, row)).U


def _system(model: Model, source: dataset.Reader, row: int) -> "System":
    """Return the defects, as far as U concerns them, where it is not stored."""
    from glasspipe.system.system import System

    position, gamma = source.row(row, "position", "gamma")
    of_S = Tensors(gamma, np.zeros(len(gamma)), np.zeros((len(gamma), 3, 3, 3)))
    return System(position, of_S, source.whole("box"), model.medium, model.boundary)


def _of_implicit(
    model: Model, source: dataset.Reader, row: int, **options: Any
) -> "tuple[Spins, Frozen, dict[str, Any]]":
    """Anneal with lists of couplings; return what is known of the errors, too."""
    from glasspipe.spins.annealing import freeze
    from glasspipe.spins.nearfar import ALONE, freeze_implicit
    from glasspipe.system.implicit import implicit

    (B,) = source.row(row, "B")
    system = _system(model, source, row)
    spins = _that_feel(np.any(system.tensors.gamma, axis=(1, 2)) | (B != 0))
    if not spins.all():
        B = B[spins]
        if len(B) == 1:
            found = vars(ALONE) | {"U_sum": np.zeros(len(spins))}
            return spins, freeze(np.zeros((1, 1)), B, **options), found
        system = system.only(spins)
    hamiltonian = implicit(system, B, accuracy=model.accuracy)
    frozen, accuracy = freeze_implicit(hamiltonian, **options)
    sums = np.zeros(len(spins))
    sums[spins] = hamiltonian.coupling_sums()
    return spins, frozen, vars(accuracy) | {"U_sum": sums}


def _judgement(rows: list[Arrays], model: Model) -> str:
    """Return a line if the realisations froze poorly on average."""
    data = {name: np.stack([row[name] for row in rows]) for name in _JUDGED if name in rows[0]}
    found = measures(data, swap_rate=model.freeze.get("swap_rate", np.nan))
    known = {name: values[np.isfinite(values)] for name, values in found.items()}
    poor = complaints({name: float(values.mean()) for name, values in known.items() if values.size})
    return f"poor quality: {'; '.join(poor)}" if poor else ""


def _holds(model: Model) -> tuple[str, ...]:
    freeze = model.freeze
    return (
        *_EVERY,
        *(_SEVERAL if freeze["replicas"] > 1 else ()),
        *(_TEMPERED if freeze["method"] == "tempering" else ()),
        *(_WHOLE if model.freezes_whole else _ANNEALED),
        *(_IMPLICIT if model.store == "implicit" else ()),
    )


def _sizes(model: Model, defects: int) -> dict[str, int]:
    freeze = model.freeze
    found = {
        "defect": defects,
        "step": freeze["steps"],
        "replica": freeze["replicas"],
    }
    if freeze["replicas"] > 1:
        found["overlap_bin"] = OVERLAP_BINS
    if freeze["method"] == "tempering":
        found |= {"gap": freeze["steps"] - 1, "log_bin": LOG_BINS}
    return found


def _cost(model: Model, defects: int) -> Cost:
    seconds = model.engine(stored=model.store != "implicit").freezing(defects, model.freeze)
    if model.freezes_whole:
        return Cost(seconds, matrices(defects))
    chains = _BYTES_PER_CHAIN * model.freeze["replicas"] * defects
    return Cost(seconds, held(model, defects, FREEZE.name) + chains)


def _threads(model: Model) -> int:
    """One a replica; the temperatures of tempering have one together."""
    return model.freeze["replicas"] if model.freeze["method"] == "annealing" else 1


FREEZE = Stage(
    name="freeze",
    about="freeze S",
    reads=(COUPLINGS,),
    own=("freeze",),
    variables={**_EVERY, **_SEVERAL, **_TEMPERED, **_WHOLE, **_ANNEALED, **_IMPLICIT},
    holds=_holds,
    sizes=_sizes,
    cost=_cost,
    run=_run,
    threads=_threads,
    options=(
        Option(
            "checkpoint",
            float,
            180.0,
            "seconds after which what has been done is kept, to go on from there (180)",
        ),
    ),
)
"""The frozen S and how they froze, eq. (29)."""

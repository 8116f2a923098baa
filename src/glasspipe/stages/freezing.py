"""The freeze stage: realisation after realisation, to be stopped and continued at any time."""

from pathlib import Path
from typing import Any

import numpy as np

from glasspipe.files import dataset
from glasspipe.files.checkpoint import Arrays, Checkpoint, Owner, StoppedError
from glasspipe.settings.config import Point, seed_sequence
from glasspipe.spins.annealing import Frozen
from glasspipe.spins.diagnostics import complaints, measures, specific_heat
from glasspipe.spins.progress import Observe, Progress, State
from glasspipe.stages.display import Display
from glasspipe.stages.frozen_file import OVERLAPS, names, sizes

_JUDGED = (
    *("T", "energy", "acceptance", "trace_energy", "replica_energy"),
    *("swap_rate", "round_trips", "log_energy"),
)


def write(point: Point, hamiltonian: Path, output: Path, *, checkpoint: float) -> None:
    """Write the frozen S of every realisation and how they froze.

    B goes with them, since the file of the couplings is a temporary one. A line says so if they
    froze poorly.

    Parameters
    ----------
    point : Point
        The point.
    hamiltonian, output : Path
        Files of the stages ``couplings`` and ``freeze``.
    checkpoint : float
        Seconds from one checkpoint to the next.

    Raises
    ------
    DataError
        If the input cannot be used.
    StoppedError
        If a signal ended the run; its checkpoint is written.
    """
    settings = point.freeze
    kept = Checkpoint(output, Owner(point, "freeze", hamiltonian), checkpoint)
    with dataset.stage_file(hamiltonian, "couplings", point) as source, kept.stopping():
        number = source.size("defect")
        display = Display("freeze", len(source.realisations))
        state, about = kept.load()
        display.line(about)
        with dataset.create(
            output,
            "freeze",
            point,
            names=names(settings, point.store),
            sizes={"defect": number, **sizes(settings)},
            realisations=source.realisations,
        ) as writer:
            for row, values in enumerate(kept.rows):
                writer.put(row, values)
            for row in range(len(kept.rows), len(source.realisations)):
                observe = _observer(kept, display, row)
                values = _frozen(point, source, row, observe=observe, resume=state)
                writer.put(row, values)
                kept.rows.append(values)
                state = None
                kept.keep({})
    kept.remove()
    display.line(_judgement(kept.rows, point))


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
    point: Point, source: dataset.Reader, row: int, *, observe: Observe, resume: State | None
) -> Arrays:
    """Return the variables of the file for one realisation."""
    settings = point.freeze
    told = ("method", "swap_rate")
    options = {name: value for name, value in settings.items() if name not in told}
    seed = seed_sequence(point, "freeze", source.realisations[row])
    options["key"] = [int(word) for word in seed.generate_state(2, np.uint64)]
    made = _of_stored if point.store != "implicit" else _of_implicit
    frozen, found = made(point, source, row, observe=observe, resume=resume, **options)
    (B,) = source.row(row, "B")
    found |= vars(frozen) | {"B": B}
    if frozen.overlap is not None:
        found |= dict(zip(OVERLAPS, frozen.overlap, strict=True))
    found["unstable"] = np.count_nonzero(frozen.S * frozen.h > 0)
    found["specific_heat"] = specific_heat(frozen.trace_energy_variance, frozen.T, len(B))
    return {name: np.asarray(found[name]) for name in names(settings, point.store)}


def _of_stored(
    point: Point, source: dataset.Reader, row: int, **options: Any
) -> tuple[Frozen, dict[str, Any]]:
    """Freeze with a stored U; return the size of each spin's couplings and what the method adds."""
    from glasspipe.spins.annealing import freeze
    from glasspipe.spins.tempering import temper

    pairs, B = source.row(row, "U", "B")
    U = np.zeros((len(B), len(B)))
    upper = np.triu_indices(len(B), 1)
    U[upper] = pairs
    U.T[upper] = pairs
    found = {"U_norm": np.sqrt(np.sum(U * U, axis=1))}
    if point.freeze["method"] == "tempering":
        tempered = temper(U, B, **options)
        return tempered.frozen, found | vars(tempered)
    return freeze(U, B, **options), found


def _of_implicit(
    point: Point, source: dataset.Reader, row: int, **options: Any
) -> tuple[Frozen, dict[str, Any]]:
    """Freeze with couplings that are not stored; return what is known of the errors, too."""
    from glasspipe.spins.nearfar import freeze_implicit
    from glasspipe.system.implicit import implicit

    hamiltonian = implicit(
        *source.row(row, "position", "gamma", "B"),
        box=source.whole("box"),
        medium=point.medium,
        boundary=point.data["boundary"],
    )
    frozen, accuracy = freeze_implicit(hamiltonian, **options)
    return frozen, dict(vars(accuracy))


def _judgement(rows: list[Arrays], point: Point) -> str:
    """Return a line if the realisations froze poorly on average."""
    data = {name: np.stack([row[name] for row in rows]) for name in _JUDGED if name in rows[0]}
    found = measures(data, swap_rate=point.freeze.get("swap_rate", np.nan))
    known = {name: values[np.isfinite(values)] for name, values in found.items()}
    poor = complaints({name: float(values.mean()) for name, values in known.items() if values.size})
    return f"poor quality: {'; '.join(poor)}" if poor else ""

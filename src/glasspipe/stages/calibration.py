"""The rates of a machine, fitted to what jobs took there."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glasspipe.errors import DataError
from glasspipe.files.record import Record, read_record
from glasspipe.stages import rates
from glasspipe.stages.forecast import loads
from glasspipe.stages.rates import Load, Rate
from glasspipe.stages.study_files import load

Array = NDArray[np.float64]
Taken = tuple[Load, Record]

_TRUST = 0.1
"""Weight of each old rate against a job: it decides what the jobs leave open."""


def taken(folder: Path) -> Iterator[Taken]:
    """Yield what each job of a study that was run had to do, and what it took.

    Raises
    ------
    ConfigError
        If the folder is not a study's.
    """
    for file, what in loads(load(folder).study):
        record = read_record(folder / file)
        if record is not None:
            yield what, record


def calibrate(folders: Iterable[Path]) -> tuple[Path, list[Taken]]:
    """Fit the rates of this machine to studies that were run on it, and write them.

    Returns
    -------
    tuple of Path and list
        The file, and the jobs.

    Raises
    ------
    ConfigError
        If a folder is not a study's.
    DataError
        If no job of them left a record.
    """
    jobs = [job for folder in folders for job in taken(folder)]
    if not jobs:
        raise DataError(f"no records of jobs in {', '.join(map(str, folders))}; run the studies")
    rules = dict.fromkeys(what.rule for what, _ in jobs)
    found = {
        rule: fitted([job for job in jobs if job[0].rule == rule], rates.shipped()[rule])
        for rule in rules
    }
    return rates.write(found), jobs


def fitted(jobs: Sequence[Taken], old: Rate) -> Rate:
    """Return the rates ≥ 0 with the least squares of relative errors, ``old`` ones where open.

    What is 0 in the old ones does not matter to the rule, and stays 0.
    """
    cpu, rss = (np.array([getattr(r, name) for _, r in jobs]) for name in ("cpu_s", "rss_mb"))
    counts = [(1.0, what.items, what.seconds) for what, _ in jobs]
    time = _fit(np.array(counts), cpu, (old.start, old.item, old.work))
    held = np.array([what.bytes / 1e6 for what, _ in jobs])
    beside = np.maximum(rss - held, 0.0)
    memory = _fit(np.array(counts)[:, :2], beside, (old.start_mb, old.item_mb), relative_to=rss)
    return Rate(*time, *memory)


def _fit(
    counts: Array, taken: Array, old: Sequence[float], *, relative_to: Array | None = None
) -> list[float]:
    from scipy.optimize import nnls

    scale = taken if relative_to is None else relative_to
    known = np.array(old) > 0
    prior = np.diag(1 / np.array(old)[known])
    matrix = np.vstack([counts[:, known] / scale[:, None], _TRUST * prior])
    found = np.zeros(len(known))
    found[known], _ = nnls(matrix, np.append(taken / scale, np.full(len(prior), _TRUST)))
    return [float(value) for value in found]

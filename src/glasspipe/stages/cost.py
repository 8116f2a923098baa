"""What a realisation costs in a stage, told before anything runs: one core's seconds, and bytes."""

from dataclasses import dataclass

from glasspipe.elastic.medium import CubicMedium
from glasspipe.settings.engines import DENSE_MATRICES
from glasspipe.settings.model import Model

PROCESS_BYTES = 0.25e9
"""Memory of a process with the libraries that every stage loads."""

_BYTES_PER_DEFECT = {False: 6000.0, True: 22000.0}
"""Without a stored U: of a defect in an isotropic medium, and in a crystal."""


@dataclass(frozen=True)
class Cost:
    """What a realisation of N defects costs in a stage.

    Parameters
    ----------
    seconds : float
        Computing time on one core, the start of the process apart.
    bytes : float
        Peak memory of the job.
    """

    seconds: float
    bytes: float = PROCESS_BYTES


def of_sums(model: Model, defects: int, stage: str) -> Cost:
    """Of a stage's sums over the pairs of N defects, or over lists and a mesh."""
    engine = model.engine(stored=model.store != "implicit")
    return Cost(engine.summing(stage, defects), held(model, defects))


def held(model: Model, defects: int) -> float:
    """Peak memory of a job that sums over the pairs of N defects, bytes."""
    if model.store == "implicit":
        crystal = isinstance(model.medium, CubicMedium)
        return PROCESS_BYTES + _BYTES_PER_DEFECT[crystal] * defects
    return PROCESS_BYTES + DENSE_MATRICES * 8.0 * defects**2

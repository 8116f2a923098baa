"""What a realisation costs in a stage, told before anything runs: one core's seconds, and bytes.

These are declared times, alike on all machines; what a job takes on one follows from its rates.
"""

from dataclasses import dataclass

from glasspipe.elastic.medium import CubicMedium
from glasspipe.settings.engines import matrices
from glasspipe.settings.model import Model

_BYTES_PER_DEFECT = {"couplings": 800.0, "freeze": 900.0, "fields": 1450.0}
"""Without a stored U: of a defect in an isotropic medium."""
_BYTES_IN_CRYSTAL = 22000.0
"""The same in a crystal, in any stage."""
_LISTED, _LONGEST = 3000.0, 4e9
"""Bytes of the near couplings of a defect, and those up to which `freeze` lists them."""


@dataclass(frozen=True)
class Cost:
    """What a realisation of N defects costs in a stage.

    Parameters
    ----------
    seconds : float
        Computing time on one core, the start of the process apart.
    bytes : float
        Memory of the job, the process itself apart.
    """

    seconds: float
    bytes: float = 0.0


def of_sums(model: Model, defects: int, stage: str) -> Cost:
    """Of a stage's sums over the pairs of N defects, or over lists and a mesh."""
    engine = model.engine(stored=model.store != "implicit")
    return Cost(engine.summing(stage, defects), held(model, defects, stage))


def held(model: Model, defects: int, stage: str) -> float:
    """Memory of a job that sums over the pairs of N defects, bytes, the process itself apart."""
    if model.store != "implicit":
        return matrices(defects)
    if isinstance(model.medium, CubicMedium):
        return _BYTES_IN_CRYSTAL * defects
    listed = _LISTED * defects if stage == "freeze" and _LISTED * defects <= _LONGEST else 0.0
    return _BYTES_PER_DEFECT[stage] * defects + listed

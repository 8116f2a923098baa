"""What a realisation costs, in seconds of one core and bytes: told before anything runs.

These are declared times, alike on all machines; what a job takes on one follows from its rates.
"""

from dataclasses import dataclass

from glasspipe.elastic.medium import CubicMedium
from glasspipe.elastic.printed import Printed
from glasspipe.settings.model import DENSE_MATRICES, Model

_CRYSTAL = 9.0
"""Time of a pair in a cubic medium over that in an isotropic one."""
_PRINTED = 3.0
"""Sums that a printed coupling is made of, over the one of a derived coupling."""
_SECONDS_PER_DEFECT = 2e-4
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
        Memory of the job, the process itself apart.
    """

    seconds: float
    bytes: float = 0.0


def of_pairs(model: Model, defects: int, seconds: float) -> Cost:
    """Of sums over the pairs of N defects, each of which takes some time in an isotropic medium.

    Where U is not stored nothing is summed over all pairs.
    """
    crystal = isinstance(model.medium, CubicMedium)
    slower = _CRYSTAL if crystal else 1.0
    if model.store == "implicit":
        held = _BYTES_PER_DEFECT[crystal] * defects
        return Cost(_SECONDS_PER_DEFECT * slower * defects, held)
    slower *= _PRINTED if isinstance(model.interaction, Printed) else 1.0
    pairs = defects * (defects - 1) / 2
    return Cost(slower * seconds * pairs, DENSE_MATRICES * 8.0 * defects**2)

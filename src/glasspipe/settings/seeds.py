"""Random numbers keyed by what they are drawn for.

A seed depends on the study's seed, the stage and the disorder, never on paths, chunks or the order
of calls. So points that differ in medium, boundary, strengths or annealing share their disorder.
"""

from typing import Any

import numpy as np

from glasspipe.settings.model import Model
from glasspipe.settings.names import hash_of


def seed_sequence(model: Model, stage: str, realisation: int) -> np.random.SeedSequence:
    """Return the seed of one realisation in one stage."""
    disorder: dict[str, Any] = {"source": "file"}
    if model.source_file is None:
        lattice = model.lattice
        disorder = {
            "lattice": [lattice.type, lattice.size],
            "defects": model.defects,
            "components": [[c.species, c.axes, c.sublattice] for c in model.components],
        }
    key = {"seed": model.sections["seed"], "stage": stage, "disorder": disorder}
    return np.random.SeedSequence(int(hash_of(key), 16), spawn_key=(realisation,))

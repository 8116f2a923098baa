"""Boxes of a study, drawn as its samples are."""

import numpy as np

from glasspipe.defects.realisation import realise
from glasspipe.settings.point import point_from
from glasspipe.settings.seeds import seed_sequence
from glasspipe.system.couplings import couplings


def box(defects, number):
    """U (N, N) and B (N,) of a box of a study."""
    point = point_from({"defects": defects})
    rng = np.random.default_rng(seed_sequence(point.model, "sample", number))
    model = point.model
    made = realise(rng, model.lattice, model.defects, model.components)
    tensors = made.defects.tensors
    system = {
        "box": [model.lattice.edge] * 3,
        "medium": model.medium,
        "boundary": "spherical",
    }
    found = couplings(made.position, tensors.gamma, tensors.eta, **system)
    U = np.zeros((model.defects, model.defects))
    U[np.triu_indices(model.defects, 1)] = found.U
    return U + U.T, found.B

"""Boxes of a study, drawn as its samples are."""

import numpy as np

from glasspipe.defects.realisation import realise
from glasspipe.settings.config import point_from, seed_sequence
from glasspipe.system.couplings import couplings


def box(defects, number):
    """U (N, N) and B (N,) of a box of a study."""
    point = point_from({"defects": defects})
    rng = np.random.default_rng(seed_sequence(point, "sample", number))
    made = realise(rng, point.lattice, point.defects, point.components)
    tensors = made.defects.tensors
    system = {"box": [point.lattice.edge] * 3, "medium": point.medium, "boundary": "spherical"}
    found = couplings(made.position, tensors.gamma, tensors.eta, **system)
    U = np.zeros((point.defects, point.defects))
    U[np.triu_indices(point.defects, 1)] = found.U
    return U + U.T, found.B

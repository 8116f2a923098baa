"""Boxes of a study, drawn as its samples are."""

import numpy as np

from glasspipe.defects.realisation import realise
from glasspipe.settings.point import point_from
from glasspipe.settings.seeds import seed_sequence
from glasspipe.system.couplings import couplings
from glasspipe.system.system import System


def box(defects, number):
    """U (N, N) and B (N,) of a box of a study."""
    point = point_from({"defects": defects})
    rng = np.random.default_rng(seed_sequence(point.model, "sample", number))
    model = point.model
    made = realise(rng, model.lattice, model.defects, model.components)
    edges = np.full(3, model.lattice.edge)
    found = couplings(System(made.position, made.defects.tensors, edges, model.medium, "spherical"))
    U = np.zeros((model.defects, model.defects))
    U[np.triu_indices(model.defects, 1)] = found.U
    return U + U.T, found.B

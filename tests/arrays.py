"""Couplings and fields of plain arrays, for tests that make up their own defects."""

import numpy as np
from scipy.spatial import cKDTree

from glasspipe.defects.tensors import Tensors
from glasspipe.elastic.medium import PRESETS
from glasspipe.system import couplings as s_fields
from glasspipe.system import fields as tau_fields
from glasspipe.system import implicit as not_stored
from glasspipe.system import implicit_fields as not_stored_fields
from glasspipe.system.system import System

BOX = np.array([22.0, 25.0, 29.0])
CUBE = np.full(3, 25.0)
NUMBER = 300
MEDIA = {name: PRESETS[name].medium for name in ("KBr", "KBr_cubic")}


def system(position, gamma, eta=None, zeta=None, *, box, medium, boundary, static=None):
    number = len(np.asarray(gamma))
    eta = np.zeros(number) if eta is None else np.asarray(eta, dtype=float)
    zeta = np.zeros((number, 3, 3, 3)) if zeta is None else np.asarray(zeta, dtype=float)
    tensors = Tensors(np.asarray(gamma, dtype=float), eta, zeta, static=static)
    return System(np.asarray(position, dtype=float), tensors, np.asarray(box), medium, boundary)


def couplings(position, gamma, eta, *, sharpness=None, **about):
    return s_fields.couplings(system(position, gamma, eta, **about), sharpness=sharpness)


def fields(position, gamma, eta, zeta, S, tau, *, sharpness=None, **about):
    made = system(position, gamma, eta, zeta, **about)
    return tau_fields.fields(made, S, tau, sharpness=sharpness)


def interactions(position, gamma, eta, zeta, S, *, sharpness=None, **about):
    return tau_fields.interactions(
        system(position, gamma, eta, zeta, **about), S, sharpness=sharpness
    )


def implicit(position, gamma, B, *, box, medium, boundary, **options):
    made = system(position, gamma, box=box, medium=medium, boundary=boundary)
    return not_stored.implicit(made, B, **options)


def random_fields(position, gamma, eta, **about):
    return not_stored.random_fields(system(position, gamma, eta, **about))


def implicit_fields(position, gamma, eta, zeta, S, tau, **about):
    return not_stored_fields.implicit_fields(system(position, gamma, eta, zeta, **about), S, tau)


class Defects:
    """Defects with no symmetry at all, off the lattice, none nearer than 1.5 Å to another."""

    def __init__(self, medium="KBr", boundary="spherical", BOX=BOX):
        rng = np.random.default_rng(4)
        self.position = rng.random((NUMBER, 3)) * BOX
        while near := cKDTree(self.position, boxsize=BOX).query_pairs(1.5):
            again = sorted({i for i, _ in near})
            self.position[again] = rng.random((len(again), 3)) * BOX
        gamma = rng.normal(size=(NUMBER, 3, 3))
        self.gamma, self.eta = gamma + gamma.transpose(0, 2, 1), rng.normal(size=NUMBER)
        self.S = rng.choice(np.array([-1, 1], np.int8), NUMBER)
        self.about = {"box": BOX, "medium": MEDIA[medium], "boundary": boundary}
        made = couplings(self.position, self.gamma, self.eta, **self.about)
        self.U, self.B = np.zeros((NUMBER, NUMBER)), made.B
        self.U[np.triu_indices(NUMBER, 1)] = made.U
        self.U += self.U.T

    @property
    def h(self):
        return self.U @ self.S + self.B

    def implicit(self, **options):
        return implicit(self.position, self.gamma, self.B, **self.about, **options)

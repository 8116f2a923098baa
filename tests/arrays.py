"""Couplings and fields of plain arrays, for tests that make up their own defects."""

import numpy as np

from glasspipe.defects.tensors import Tensors
from glasspipe.system import couplings as s_fields
from glasspipe.system import fields as tau_fields
from glasspipe.system import implicit as not_stored
from glasspipe.system import implicit_fields as not_stored_fields
from glasspipe.system.system import System


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


def implicit(position, gamma, B, *, accuracy=not_stored.ACCURACY, **about):
    return not_stored.implicit(system(position, gamma, **about), B, accuracy=accuracy)


def random_fields(position, gamma, eta, **about):
    return not_stored.random_fields(system(position, gamma, eta, **about))


def implicit_fields(position, gamma, eta, zeta, S, tau, **about):
    return not_stored_fields.implicit_fields(system(position, gamma, eta, zeta, **about), S, tau)

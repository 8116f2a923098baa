"""Theory of defects on both sublattices of rock salt, against sampled boxes and sites."""

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from arrays import couplings, fields

from glasspipe.defects.component import Component
from glasspipe.defects.lattice import Lattice
from glasspipe.defects.realisation import realise
from glasspipe.defects.species import unit_kinds
from glasspipe.defects.tensors import joined
from glasspipe.elastic.medium import PRESETS, Medium
from glasspipe.system.terms import FIELDS
from glasspipe.theory.field_law import FieldLaw, Setting
from glasspipe.theory.neighbours import Neighbours
from glasspipe.theory.pair_fields import pair_coupling
from glasspipe.theory.population import Population
from glasspipe.units import MODULUS

MEDIUM = Medium(1 / MODULUS, 1.8, 1.0)
ON = {"anion": 1, "cation": 0}
"""Parity of the coordinates of their sites, in half cells."""
MIXTURES = {
    "uniaxial": (
        Component("uniaxial", "111", 1.0, 0.7, 1.3, share=0.7),
        Component("uniaxial", "100", 0.6, 1.5, 0.8, share=0.3, sublattice="cation"),
    ),
    "three": (
        Component("aligned", "111", 1.0, 0.7, 1.3, share=0.3),
        Component("rotor", "110", 1.2, 0.4, 1.0, share=0.2, sublattice="cation"),
        Component("uniaxial", "111", 0.5, 1.0, 0.7, share=0.5, sublattice="cation"),
    ),
}


class TestSites:
    @pytest.mark.parametrize("seen", ON)
    @pytest.mark.parametrize("here", ON)
    def test_a_set_seen_from_a_site_is_symmetric(self, here, seen):
        sublattices = Lattice("rock_salt", 2.0, 3).sublattices
        sites = sublattices[seen].seen_from(sublattices[here])
        R = sites.site(np.arange(sites.sites))
        assert set(np.sum(R, axis=1) % 2) == {int(here != seen)}
        assert {tuple(row) for row in R} == {tuple(row) for row in -R % 6}
        assert sites.others == len(R) - (here == seen)

    def test_numbers_of_defects_are_multinomial(self):
        """Sums over all sites of the variances and covariances of their occupations."""
        crystal, others = Lattice("rock_salt", 1.0, 3).sublattices, 40
        anions, cations = (
            Neighbours(
                Setting("B", Population(MIXTURES["uniaxial"]), MEDIUM, "anion", name),
                crystal[name].seen_from(crystal["anion"]),
                others,
                "spherical",
            )
            for name in ON
        )
        for one, q in ((anions, 0.7), (cations, 0.3)):
            m, p = one.sites.others, one.p
            variance = m * p * (1 - p) + m * (m - 1) * one.covariance
            assert variance == pytest.approx(others * q * (1 - q))
        pairs = anions.sites.others * cations.sites.others
        assert pairs * anions.covariance_with(cations) == pytest.approx(-others * 0.7 * 0.3)


@pytest.mark.parametrize(
    ("name", "medium", "boundary"),
    [("uniaxial", MEDIUM, "spherical"), ("three", PRESETS["KBr_cubic"].medium, "clamped")],
)
def test_widths_of_simulated_boxes(name, medium, boundary):
    """Production kernels, within 4.5 standard errors; S and τ are random signs."""
    crystal, number, boxes = Lattice("rock_salt", 4.0, 2), 12, 100
    found = {field: [] for field in ("B", "U_S", "b", "J_tau")}
    rng = np.random.default_rng(11)
    system = {"box": [crystal.edge] * 3, "medium": medium, "boundary": boundary}
    for _ in range(boxes):
        made = realise(rng, crystal, number, MIXTURES[name])
        tensors = made.defects.tensors
        S, tau = rng.choice((-1, 1), size=(2, number))
        zeta = tensors.zeta if tensors.zeta_minus is None else np.where(
            (S > 0)[:, None, None, None], tensors.zeta, tensors.zeta_minus
        )  # fmt: skip
        one = couplings(made.position, tensors.gamma, tensors.eta, **system)
        U = np.zeros((number, number))
        U[np.triu_indices(number, 1)] = one.U
        two = fields(made.position, tensors.gamma, tensors.eta, zeta, S, tau, **system)
        values = {"B": one.B, "U_S": (U + U.T) @ S, "b": two.b, "J_tau": two.J_tau}
        for field, X in values.items():
            found[field].append(X)
    for field, X in found.items():
        square = np.mean(np.square(X), axis=1)
        law = FieldLaw(
            Setting(field, Population(MIXTURES[name]), medium), crystal, number, boundary
        )
        known = law.mean**2 + law.std**2
        error = square.std(ddof=1) / sqrt(boxes)
        assert abs(square.mean() - known) < 4.5 * error, field
        assert error < 0.12 * known


@pytest.mark.parametrize(
    ("name", "field", "x"),
    [("uniaxial", "B", 0.1), ("three", "B", 0.02), ("three", "U_S", 0.1), ("uniaxial", "b", 0.1)],
)
def test_quantiles(name, field, x):
    """Random kinds on random sites within 9: 4.5 standard errors and what lies beyond."""
    population = Population(MIXTURES[name])
    crystal = Lattice("rock_salt", 2.0, 60)
    law = FieldLaw(Setting(field, population, MEDIUM), crystal, round(x * crystal.sites))
    X = _sampled(field, MIXTURES[name], x, draws=8000)
    for quantile, level in (("q05", 0.05), ("q95", 0.95)):
        share = np.mean(law.statistic(quantile) >= X)
        assert abs(share - level) < 4.5 * sqrt(level * (1 - level) / len(X)) + 1e-3
    share = np.mean(np.abs(X) <= law.statistic("median_abs"))
    assert abs(share - 0.5) < 4.5 * 0.5 / sqrt(len(X)) + 3e-3
    limit = np.mean(law.dilute.statistic("q95") >= X)
    assert abs(limit - 0.95) > 4.5 * sqrt(0.95 * 0.05 / len(X)) + 1e-3, "the limit would do as well"


def _sampled(field, components, x, *, draws):
    """Field at defects at 0, of independently occupied sites with kinds and signs of their own."""
    rng = np.random.default_rng(23)
    R = np.stack(np.meshgrid(*[np.arange(-9, 10.0)] * 3), axis=-1).reshape(-1, 3)
    R = R[(np.sum(R * R, axis=1) <= 81) & np.any(R != 0, axis=1)]
    kinds = [_kinds(component) for component in components]
    sources = joined(kinds)
    on = np.repeat([ON[c.sublattice] for c in components], [len(k) for k in kinds])
    weight = np.concatenate(
        [np.full(len(k), c.share / len(k)) for c, k in zip(components, kinds, strict=True)]
    )
    X = []
    for component, receivers in zip(components, kinds, strict=True):
        number = round(component.share * draws)
        parity = (np.sum(R, axis=1) + ON[component.sublattice]) % 2
        occupied = 2 * x * np.array([weight[on == 0].sum(), weight[on == 1].sum()])
        draw, site = np.nonzero(rng.random((number, len(R))) < occupied[parity.astype(int)])
        source = np.empty(len(site), dtype=int)
        for side in (0, 1):
            there = parity[site] == side
            share = np.where(on == side, weight, 0.0)
            source[there] = rng.choice(len(on), size=there.sum(), p=share / share.sum())
        receiver = rng.integers(len(receivers), size=number)[draw]
        states = FIELDS[field].states
        state = rng.integers(len(states), size=len(site))
        made = np.zeros(len(site))
        for coupling in FIELDS[field].names:
            table = pair_coupling(coupling, receivers, sources, R, MEDIUM)
            made += (
                np.array([one[coupling] for one in states])[state] * table[receiver, source, site]
            )
        X.append(np.bincount(draw, made, minlength=number))
    return np.concatenate(X)


def _kinds(component):
    kinds = unit_kinds(component.species, component.axes)
    strengths = (np.full(len(kinds), getattr(component, name)) for name in ("gamma", "eta", "zeta"))
    return replace(kinds.scaled(*strengths), zeta_minus=None)

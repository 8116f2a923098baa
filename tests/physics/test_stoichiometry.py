"""Mixtures in exact numbers: what is drawn, and the moments of its fields by enumeration."""

from itertools import combinations
from math import sqrt

import numpy as np
import pytest
from arrays import couplings
from numpy.testing import assert_array_equal

from glasspipe.defects.component import Component, exact_numbers
from glasspipe.defects.lattice import Lattice
from glasspipe.defects.realisation import draw, realise
from glasspipe.elastic.medium import PRESETS
from glasspipe.settings.point import point_from
from glasspipe.stages import STAGES
from glasspipe.theory.field_law import FieldLaw, Setting
from glasspipe.theory.population import Population

MEDIUM = PRESETS["KBr_cubic"].medium
ONE = Component("aligned", "111", 1.0, 0.7, 1.3, share=0.4)
OTHER = Component("aligned", "111", -2.0, -0.2, 1.3, share=0.6)
PAIR = (ONE, OTHER)


def with_shares(*shares):
    return tuple(Component("uniaxial", "111", 1.0, 1.0, 1.0, share=share) for share in shares)


class TestNumbers:
    @pytest.mark.parametrize(
        ("number", "shares", "numbers"),
        [
            (10, (0.7, 0.3), (7, 3)),
            (100, (0.29, 0.71), (29, 71)),
            (7, (0.5, 0.5), (4, 3)),
            (10, (1 / 3, 1 / 3, 1 / 3), (4, 3, 3)),
            (11, (0.15, 0.35, 0.5), (2, 4, 5)),
            (3, (0.01, 0.99), (0, 3)),
        ],
    )
    def test_largest_remainders(self, number, shares, numbers):
        assert exact_numbers(number, with_shares(*shares)) == numbers

    def test_they_add_up_and_are_a_defect_or_less_off(self):
        rng = np.random.default_rng(1)
        for number in (1, 17, 1000, 999_999_937):
            shares = rng.dirichlet(np.ones(6))
            found = np.array(exact_numbers(number, with_shares(*shares)))
            assert found.sum() == number
            assert np.abs(found - shares * number).max() < 1

    def test_every_draw_has_them(self):
        components = with_shares(0.25, 0.45, 0.3)
        labels = [
            draw(np.random.default_rng(seed), 21, components, stoichiometry="exact").component
            for seed in range(300)
        ]
        for label in labels:
            assert_array_equal(np.bincount(label), exact_numbers(21, components))
        first = np.mean(np.array(labels) == 0, axis=0)  # each place has each component as often
        p = 5 / 21
        assert np.abs(first - p).max() < 4.5 * sqrt(p * (1 - p) / len(labels))

    def test_every_site_of_rock_salt(self):
        salt = tuple(
            Component("aligned", "111", 1.0, 1.0, 1.0, share=0.5, sublattice=name)
            for name in ("anion", "cation")
        )
        lattice = Lattice("rock_salt", 6.0, 3)
        made = realise(
            np.random.default_rng(1), lattice, lattice.sites, salt, stoichiometry="exact"
        )
        assert len(np.unique(made.site, axis=0)) == lattice.sites
        assert_array_equal(made.site.sum(axis=1) % 2, made.defects.component == 0)


def moments(crystal, numbers, boundary):
    """Mean and standard deviation of B and of U_S over all ways to place the defects."""
    site = crystal.site(np.arange(crystal.sites)) * crystal.spacing
    where = {"box": [crystal.edge] * 3, "medium": MEDIUM, "boundary": boundary}
    dyad = np.diag([0.0, 0.0, 1.0])
    unit = np.tile(dyad, (crystal.sites, 1, 1))
    U = np.append(0.0, couplings(site, unit, np.zeros(len(site)), **where).U[: len(site) - 1])
    B = np.array([couplings(site, unit, row, **where).B[0] for row in np.eye(len(site))])
    gamma, eta = ([getattr(each, name) for each in PAIR] for name in ("gamma", "eta"))
    values = []
    for mine in (0, 1):
        ones = numbers[0] - (mine == 0)
        others = numbers[1] - (mine == 1)
        places = range(1, crystal.sites)
        found = []
        for first in combinations(places, ones):
            for second in combinations([p for p in places if p not in first], others):
                charge = np.zeros((2, crystal.sites))
                for k, chosen in enumerate((first, second)):
                    charge[:, list(chosen)] = [[eta[k]], [gamma[k]]]
                made = gamma[mine] * charge[0] @ B
                coupled = gamma[mine] ** 2 * np.sum((charge[1] * U) ** 2)
                found.append((made, made**2, coupled))
        values.append(np.mean(found, axis=0))
    first, second, coupled = np.average(values, axis=0, weights=numbers)
    return {"B": (first, sqrt(second - first**2)), "U_S": (0.0, sqrt(coupled))}


@pytest.mark.parametrize("boundary", ["clamped", "spherical"])
@pytest.mark.parametrize("numbers", [(2, 3), (3, 5)], ids=["x = 5/8", "x = 1"])
def test_moments_by_enumeration(numbers, boundary):
    crystal = Lattice("simple_cubic", 4.0, 2)
    total = sum(numbers)
    mixture = tuple(
        Component("aligned", "111", c.gamma, c.eta, c.zeta, share=n / total)
        for c, n in zip(PAIR, numbers, strict=True)
    )
    for field, (mean, std) in moments(crystal, numbers, boundary).items():
        found, independent = (
            FieldLaw(
                Setting(field, Population(mixture, stoichiometry), MEDIUM), crystal, total, boundary
            )
            for stoichiometry in ("exact", "random")
        )
        assert found.mean == pytest.approx(mean, rel=1e-8, abs=1e-9 * std)
        assert found.std == pytest.approx(std, rel=1e-8)
        assert abs(independent.std / std - 1) > 0.01  # what is drawn independently is another law


def test_one_component_has_but_one_number():
    """Also where the box counts as infinite, and where receivers have different mean fields."""
    alone = (Component("uniaxial", "110", 1.0, 0.7, 1.3),)
    halves = tuple(Component("uniaxial", "110", 1.0, 0.7, 1.3, share=0.5) for _ in range(2))
    for size, field in ((4, "B"), (40, "B"), (4, "b")):
        crystal = Lattice("fcc", 6.0, size)
        number = crystal.sites // 5
        laws = [
            FieldLaw(Setting(field, Population(c, how), MEDIUM), crystal, number, "stress_free")
            for c, how in ((alone, "random"), (alone, "exact"), (halves, "exact"))
        ]
        for law in laws[1:]:
            assert law.mean == pytest.approx(laws[0].mean, abs=1e-9 * laws[0].std)
            assert law.std == pytest.approx(laws[0].std, rel=1e-9)


@pytest.mark.parametrize("axes", ["100", "110"])
def test_receivers_that_other_components_make_unlike(axes):
    """In a large box exact numbers are as random ones, also where one component is aligned."""
    mixture = (
        Component("aligned", "111", 2.0, 1.0, 1.0, share=0.5),
        Component("uniaxial", axes, 1.0, 1.0, 1.0, share=0.5),
    )
    crystal = Lattice("fcc", 6.0, 30)
    for field in ("U_S", "b_gamma", "J_tau"):
        exact, independent = (
            FieldLaw(Setting(field, Population(mixture, how), PRESETS["KBr"].medium), crystal, 1000)
            for how in ("exact", "random")
        )
        assert exact.std == pytest.approx(independent.std, rel=1e-3)


@pytest.mark.parametrize("boundary", ["clamped", "stress_free"])
def test_rock_salt_full_of_exact_numbers(boundary):
    """All is certain but which of three axes a receiver has: B is one of three numbers."""
    mixture = (
        Component("aligned", "111", 1.0, 1.0, 1.0, share=0.5, sublattice="cation"),
        Component("uniaxial", "100", 1.0, 0.3, 1.0, share=0.5, sublattice="anion"),
    )
    crystal, medium = Lattice("rock_salt", 6.0, 2), PRESETS["KBr"].medium
    setting = Setting("B", Population(mixture, "exact"), medium)
    law = FieldLaw(setting, crystal, crystal.sites, boundary)
    site = crystal.site(np.arange(crystal.sites))
    anion = site.sum(axis=1) % 2 == 1
    about = {"box": [crystal.edge] * 3, "medium": medium, "boundary": boundary}
    values = []
    for axis in np.eye(3):
        gamma = np.where(anion[:, None, None], np.outer(axis, axis), np.diag([0.0, 0.0, 1.0]))
        eta = np.where(anion, 0.3, 1.0)
        values.append(couplings(site * crystal.spacing, gamma, eta, **about).B)
    values = np.array(values)
    assert law.mean == pytest.approx(values.mean(), rel=1e-6)
    assert law.std == pytest.approx(values.std(), rel=1e-6)
    low, high = np.sort([values.min(), values.max()])
    assert law.statistic("q05") == pytest.approx(low, rel=1e-3)
    assert law.statistic("q95") == pytest.approx(high, rel=1e-3)


def test_what_is_off_or_without_effect_is_no_part_of_a_point():
    """So studies from before there was a choice keep their files."""
    mixture = {"a": {"share": 0.5}, "b": {"share": 0.5, "gamma": 2.0}}

    def hash_of(**defects):
        return point_from({"defects": defects}).hash

    assert hash_of(mixture=mixture, stoichiometry="random") == hash_of(mixture=mixture)
    assert hash_of(stoichiometry="exact") == hash_of()
    assert hash_of(mixture=mixture, stoichiometry="exact") != hash_of(mixture=mixture)
    part = STAGES["sample"].part(point_from({"defects": {"mixture": mixture}}))
    assert "stoichiometry" not in part.sections["defects"]

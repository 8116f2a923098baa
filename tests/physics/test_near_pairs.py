"""Widths with as many near pairs as are to be expected: unbiased, and right at every x."""

from dataclasses import replace
from itertools import product
from math import sqrt

import numpy as np
import pytest
from numpy.testing import assert_allclose

from glasspipe.defects.component import Component
from glasspipe.defects.distribution import Distribution
from glasspipe.defects.lattice import Lattice, half_lattice, smallest_size
from glasspipe.defects.realisation import draw, realise
from glasspipe.defects.species import unit_kinds
from glasspipe.defects.tensors import Tensors
from glasspipe.elastic.medium import PRESETS, Medium
from glasspipe.elastic.neighbours import pairs_within
from glasspipe.elastic.printed import Printed
from glasspipe.statistics import describe
from glasspipe.system.couplings import couplings
from glasspipe.system.fields import fields
from glasspipe.system.near_pairs import near_excess, near_places
from glasspipe.system.system import System
from glasspipe.system.terms import FIELDS
from glasspipe.theory.pair_fields import pair_coupling
from glasspipe.units import MODULUS

MEDIUM = Medium(1 / MODULUS, 1.8, 1.0)
ALIGNED = (Component("aligned", "111", 1.0, 0.7, 1.3),)
ROTORS = (Component("rotor", "110", 1.0, 0.8, 1.3),)
SPREAD = (
    Component("uniaxial", "111", Distribution("lognorm", (("s", 0.5),)), 1.0, 1.3, share=0.4),
    Component("rotor", "110", 1.2, 0.4, 1.0, share=0.6, sublattice="cation"),
)


def system_of(position, tensors, lattice, medium=MEDIUM, boundary="spherical"):
    return System(position, tensors, np.full(3, lattice.edge), medium, boundary)


def made_fields(system, S, tau):
    """Fields of a realisation by the dense sums, and U (N, N)."""
    frozen, number = system.frozen(S), len(system)
    of_S, of_tau = couplings(frozen), fields(frozen, S, tau)
    U = np.zeros((number, number))
    U[np.triu_indices(number, 1)] = of_S.U
    U_S = (U + U.T) @ S
    return {
        "B": of_S.B,
        "U_S": U_S,
        "h": of_S.B + U_S,
        "b_gamma": of_tau.b_gamma,
        "b_eta": of_tau.b_eta,
        "b": of_tau.b,
        "J_tau": of_tau.J_tau,
    }


def quenched(system, rng):
    """A state in which no single spin gains by turning."""
    made, number = couplings(system), len(system)
    U = np.zeros((number, number))
    U[np.triu_indices(number, 1)] = made.U
    U, S = U + U.T, rng.choice((-1, 1), size=number)
    while np.any(wrong := S * (U @ S + made.B) > 0):
        S[np.argmax(wrong)] *= -1
    return S


@pytest.mark.parametrize(
    ("lattice", "components"),
    [
        (Lattice("simple_cubic", 1.0, 3), ROTORS),
        (Lattice("fcc", 1.0, 2), (replace(SPREAD[0], share=1.0),)),
        (Lattice("rock_salt", 1.0, 2), SPREAD),
    ],
)
@pytest.mark.parametrize("medium", [MEDIUM, Printed(MEDIUM)])
def test_the_mean_over_all_placements_is_zero(lattice, components, medium):
    """Two defects on every pair of sites that they may have, in both orders."""
    drawn = draw(np.random.default_rng(1), 2, components)
    names = list(lattice.sublattices)
    on = [names.index(components[c].sublattice) if len(names) > 1 else 0 for c in drawn.component]
    first, second = (list(lattice.sublattices.values())[number] for number in on)
    one = first.site(np.array([0]))
    found = []
    for other in second.site(np.arange(second.sites)):
        if np.array_equal(other, one[0]):
            continue
        site = np.vstack([one, other[None]])
        for order in (np.array([0, 1]), np.array([1, 0])):
            system = system_of(site[order] * lattice.spacing, drawn.tensors[order], lattice, medium)
            found.append(near_excess(system, site[order], np.array(on)[order], lattice))
    for field in FIELDS:
        excess = np.array([each[field] for each in found])
        assert np.abs(excess).max() > 0
        assert abs(excess.mean()) < 1e-13 * np.abs(excess).max()


@pytest.mark.parametrize(
    "medium", [PRESETS["KBr"].medium, PRESETS["KBr_cubic"].medium, Printed(MEDIUM)]
)
def test_two_defects_alone_have_no_rest(medium):
    """The squares of the fields of a pair in its lowest state, by Ewald sums in a large box."""
    lattice, rng = Lattice("simple_cubic", 1.0, 10_000), np.random.default_rng(3)
    drawn = (rng.normal(size=(2, *(3,) * rank)) for rank in (2, 3, 3))
    gamma, zeta, minus = (tensor + np.swapaxes(tensor, -1, -2) for tensor in drawn)
    site = np.array([(2, 2, 2), (3, 1, 3)])
    eta, seen = rng.normal(size=2), set()
    for sign in (1, -1):  # of γ, and so of S
        turned = gamma * np.array([1, sign])[:, None, None]
        system = system_of(site * 1.0, Tensors(turned, eta, zeta, minus), lattice, medium)
        alone, states = couplings(system), np.array(list(product((1, -1), repeat=2)))
        S = states[np.argmin(alone.U[0] * states.prod(axis=1) + states @ alone.B)]
        seen.add(S.prod())
        excess = near_excess(system, site, np.zeros(2, int), lattice)
        for field, values in made_fields(system, S, np.ones(2)).items():
            assert excess[field] == pytest.approx(np.mean(values**2), rel=1e-5)
    assert seen == {1, -1}


class TestWidths:
    @pytest.mark.parametrize("x", [1e-6, 1e-4, 1e-2, 0.3])
    def test_exact_at_every_concentration(self, x):
        """Within three errors, which are below 3 %; the sample's own are off where x is small."""
        lattice = Lattice("simple_cubic", 1.0, smallest_size("simple_cubic", x, 100))
        number, rng = lattice.defects(x), np.random.default_rng(11)
        values, excess = ({field: [] for field in ("B", "b_eta", "J_tau")} for _ in range(2))
        for _ in range(20):
            made = realise(rng, lattice, number, ALIGNED)
            system = system_of(made.position, made.defects.tensors, lattice)
            found = made_fields(system, *rng.choice((-1, 1), size=(2, number)))
            near = near_excess(system, made.site, np.zeros(number, int), lattice)
            for field in values:
                values[field].append(found[field])
                excess[field].append(near[field])
        p = (number - 1) / (lattice.sites - 1)
        for field in values:
            site, kind = half_lattice(lattice, 12.0), unit_kinds("aligned", "111")
            kind = kind.scaled(1.0, 0.7, 1.3)
            u = pair_coupling(FIELDS[field].names[0], kind, kind, site, MEDIUM)[0, 0]
            exact = sqrt(2 * np.sum(u**2) * p * (1 if FIELDS[field].signed else 1 - p))
            known = describe(values[field], rng, excess=excess[field])["std"]
            error = max(known.stderr, known.value / sqrt(40 * number))
            assert error < 0.03 * exact
            assert abs(known.value - exact) < 3 * error
            if x < 1e-5:
                assert describe(values[field], rng)["std"].value < 0.7 * exact

    def test_frozen_rotors(self):
        """Against the plain width of the same defects, whose excess is 0 within its scatter."""
        lattice, number, rng = Lattice("fcc", 1.0, 9), 60, np.random.default_rng(5)
        values, excess = ({field: [] for field in FIELDS} for _ in range(2))
        for _ in range(40):
            made = realise(rng, lattice, number, ROTORS)
            system = system_of(made.position, made.defects.tensors, lattice)
            S = quenched(system, rng)
            found = made_fields(system, S, rng.choice((-1, 1), size=number))
            near = near_excess(system, made.site, np.zeros(number, int), lattice)
            for field in FIELDS:
                values[field].append(found[field])
                excess[field].append(near[field])
        for field in FIELDS:
            plain, known = (
                describe(values[field], np.random.default_rng(0), excess=e)["std"]
                for e in (None, excess[field])
            )
            scatter = np.std(excess[field], ddof=1) / sqrt(40)
            assert abs(np.mean(excess[field])) < 3.5 * scatter
            assert known.stderr < 0.7 * plain.stderr


def test_places_end_where_neighbours_are_many_or_the_box_does():
    crystal = Lattice("fcc", 1.0, 100)
    far = near_places(crystal, 10).distance / crystal.neighbour_distance
    assert_allclose(far[[0, -1]], [1, 5])
    assert len(far) == len(half_lattice(crystal, 5.001 * crystal.neighbour_distance))
    assert 2 * len(near_places(crystal, crystal.sites // 10).distance) <= 20
    assert len(near_places(crystal, crystal.sites).distance) == 6
    assert near_places(Lattice("fcc", 1.0, 4), 3).distance[-1] < 2
    assert not len(near_places(Lattice("fcc", 1.0, 1), 3).distance)


@pytest.mark.parametrize("constant", [4.0, 3.3])
def test_neighbours_at_the_edge_of_a_cell_are_found(constant):
    """Full lattices, whose cells end where sites are: places are cut off to 32 bits."""
    for size in range(4, 13):
        crystal = Lattice("simple_cubic", constant, size)
        position = crystal.site(np.arange(crystal.sites)) * crystal.spacing
        for shell, neighbours in ((1.0, 6), (np.sqrt(2), 18)):
            cutoff = constant * shell * (1 + 1e-6)
            found = pairs_within(position, np.full(3, crystal.edge), cutoff)
            assert len(found[0]) == neighbours * crystal.sites


def test_pairs_within_a_distance_are_all_of_them():
    box, rng = np.array([5.0, 6.0, 7.0]), np.random.default_rng(2)
    for number in (2, 40, 400):
        position = rng.random((number, 3)) * box
        apart = position[:, None] - position
        apart -= box * np.round(apart / box)
        near = np.sum(apart**2, axis=-1) < 1.3**2
        np.fill_diagonal(near, False)
        found = pairs_within(position, box, 1.3)
        assert set(zip(*found, strict=True)) == set(zip(*np.nonzero(near), strict=True))
        assert len(found[0]) == near.sum()

"""Lattices, species and realisations."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from glasspipe.component import Component
from glasspipe.lattice import LATTICES, Lattice, smallest_size
from glasspipe.sample import realise
from glasspipe.species import AXES, draw, unit_kinds

STRENGTHS = {"gamma": 2.0, "eta": 0.5, "zeta": 3.0}


def kinds(species, axes):
    return unit_kinds(species, axes).scaled(**STRENGTHS)


def drawn(number, *, seed, **options):
    component = Component(**{"axes": "111", **STRENGTHS, **options})
    return draw(np.random.default_rng(seed), number, (component,))


@pytest.mark.parametrize(("type_", "neighbours"), [("simple_cubic", 6), ("bcc", 8), ("fcc", 12)])
def test_every_site_has_its_neighbours(type_, neighbours):
    lattice = Lattice(type_, 6.585, 4)
    site = lattice.site(np.arange(lattice.sites))
    assert len(np.unique(site, axis=0)) == lattice.sites
    assert site.min() == 0
    assert site.max() == lattice.mesh_per_cell * lattice.size - 1
    R = (site[1:] - site[0]) * lattice.spacing
    R -= lattice.edge * np.round(R / lattice.edge)
    distance = np.linalg.norm(R, axis=1)
    assert distance.min() == pytest.approx(lattice.neighbour_distance)
    assert np.isclose(distance, distance.min()).sum() == neighbours
    assert lattice.site_density == pytest.approx(lattice.sites / lattice.edge**3)


@pytest.mark.parametrize("type_", LATTICES)
@pytest.mark.parametrize("concentration", [1e-6, 1e-4, 0.013, 0.3, 1.0])
def test_smallest_size(type_, concentration):
    size = smallest_size(type_, concentration, 500)
    assert Lattice(type_, 1.0, size).defects(concentration) >= 500
    assert size == 1 or Lattice(type_, 1.0, size - 1).defects(concentration) < 500


@pytest.mark.parametrize("axes", AXES)
def test_uniaxial_kinds(axes):
    made = kinds("uniaxial", axes)
    for gamma, zeta in zip(made.gamma, made.zeta, strict=True):
        values, vectors = np.linalg.eigh(gamma)
        assert_allclose(values, [0, 0, 2], atol=1e-15)
        d = vectors[:, 2] * np.sign(zeta.sum() * vectors[:, 2].sum() or 1)
        assert_allclose(np.abs(zeta), 3 * np.abs(np.einsum("a,b,c->abc", d, d, d)), atol=1e-14)
        assert np.trace(gamma) == pytest.approx(2)
    assert_allclose(made.gamma.mean(axis=0), 2 / 3 * np.eye(3), atol=1e-15)
    assert_allclose(made.eta, 0.5)
    assert made.zeta_minus is None


@pytest.mark.parametrize(
    ("axes", "cosines"), [("100", [0.0]), ("110", [0.0, 0.5]), ("111", [1 / 3])]
)
def test_rotor_kinds(axes, cosines):
    """γ is traceless, half the difference of two dyads; ⟨111⟩ pairs meet at 70.5°, (36), Fig. 1."""
    made = kinds("rotor", axes)
    assert_allclose(np.trace(made.gamma, axis1=1, axis2=2), 0, atol=1e-15)
    contracted = np.einsum("kab,kab->k", made.gamma, made.gamma)  # γ0²/4 (2 − 2cos²)
    assert_allclose(np.unique(np.round(1 - contracted / 2, 12)), np.round(np.square(cosines), 12))
    swapped = sorted(map(tuple, np.round(-made.gamma.reshape(-1, 9), 12) + 0.0))
    assert swapped == sorted(map(tuple, np.round(made.gamma.reshape(-1, 9), 12) + 0.0))
    assert not np.allclose(made.zeta, made.zeta_minus)


def test_aligned_kind():
    made = kinds("aligned", "111")
    assert_allclose(made.gamma, [np.diag([0, 0, 2.0])])
    assert made.zeta[0, 2, 2, 2] == 3
    assert np.count_nonzero(made.zeta) == 1


def test_drawn_kinds_are_equally_probable():
    made = drawn(40_000, seed=5, species="rotor", axes="110").tensors
    _, counts = np.unique(np.round(made.gamma.reshape(-1, 9), 9), axis=0, return_counts=True)
    expected = 40_000 / 30
    assert len(counts) == 30
    assert ((counts - expected) ** 2 / expected).sum() < 60  # χ² of 29 degrees: p = 6e-4


def test_isotropic_axes_are_uniform_on_the_sphere():
    made = drawn(50_000, seed=6, species="uniaxial", axes="isotropic").tensors
    fourth = np.einsum("nab,ncd->abcd", made.gamma, made.gamma) / (4 * 50_000)
    d = np.eye(3)
    exact = (
        np.einsum("ab,cd->abcd", d, d)
        + np.einsum("ac,bd->abcd", d, d)
        + np.einsum("ad,bc->abcd", d, d)
    ) / 15
    assert_allclose(fourth, exact, atol=0.006)  # 5 standard errors


def test_unknown_species_and_axes():
    with pytest.raises(ValueError, match="species is 'glass'; allowed are aligned"):
        kinds("glass", "111")
    with pytest.raises(ValueError, match="axes 'isotropic' have no finite set"):
        kinds("rotor", "isotropic")


class TestRealisation:
    lattice = Lattice("fcc", 6.585, 5)

    def make(self, seed=1, **changed):
        component = Component(**{"species": "uniaxial", "axes": "111", **STRENGTHS, **changed})
        return realise(np.random.default_rng(seed), self.lattice, 100, (component,))

    def test_sites_are_distinct_and_in_the_box(self):
        made = self.make()
        assert len(np.unique(made.site, axis=0)) == 100
        assert_array_equal(made.position, made.site * self.lattice.spacing)
        assert (made.position >= 0).all()
        assert (made.position < self.lattice.edge).all()
        assert (made.site.sum(axis=1) % 2 == 0).all()  # the fcc sites of the half-spaced mesh

    def test_strengths_do_not_change_the_disorder(self):
        one, two = self.make(), self.make(gamma=7.0, zeta=0.1)
        assert_array_equal(one.position, two.position)
        assert_allclose(3.5 * one.defects.tensors.gamma, two.defects.tensors.gamma)

    def test_occupation_is_uniform(self):
        counts = np.zeros((10, 10, 10))
        for seed in range(400):
            counts[tuple(self.make(seed).site.T)] += 1
        occupied = counts[counts > 0]
        assert len(occupied) == self.lattice.sites
        variance = 400 * 0.2 * 0.8
        assert np.var(occupied) == pytest.approx(variance, rel=0.3)  # 4.7 standard errors
        assert occupied.mean() == pytest.approx(80)

    def test_more_defects_than_sites(self):
        with pytest.raises(ValueError, match="501 defects do not fit on 500 sites"):
            realise(
                np.random.default_rng(0), self.lattice, 501, (Component("aligned", "111", 1, 1, 1),)
            )

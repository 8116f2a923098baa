"""Lattices, species and realisations."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.spatial.transform import Rotation

from glasspipe.defects.component import Component
from glasspipe.defects.distribution import Distribution
from glasspipe.defects.lattice import LATTICES, Lattice, smallest_size
from glasspipe.defects.realisation import draw, realise
from glasspipe.defects.species import AXES, unit_kinds
from glasspipe.defects.tensors import rotations

STRENGTHS = {"gamma": 2.0, "eta": 0.5, "zeta": 3.0}


def kinds(species, axes):
    return unit_kinds(species, axes).scaled(**STRENGTHS)


def drawn(number, *, seed, **options):
    component = Component(**{"axes": "111", **STRENGTHS, **options})
    return draw(np.random.default_rng(seed), number, (component,))


@pytest.mark.parametrize(
    ("type_", "neighbours"), [("simple_cubic", 6), ("bcc", 8), ("fcc", 12), ("rock_salt", 6)]
)
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


def test_plaquette_kinds():
    """In the plane xy γ = γ0/2 (d₁d₁ − d₂d₂) = ±γ0/2 (x̂ŷ + ŷx̂), Fig. 1 in two dimensions."""
    made = kinds("plaquette", "111")
    assert len(made) == 6
    expected = [np.zeros((3, 3)) for _ in range(6)]
    for number, (a, b) in enumerate([(0, 1), (0, 2), (1, 2)]):
        for sign in (1, -1):
            gamma = expected[2 * number + (sign < 0)]
            gamma[a, b] = gamma[b, a] = sign * STRENGTHS["gamma"] / 2
    found = sorted(map(tuple, made.gamma.reshape(-1, 9).round(12) + 0.0))
    assert found == sorted(map(tuple, np.reshape(expected, (-1, 9)).round(12) + 0.0))
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
    with pytest.raises(ValueError, match="axes 'isotropic' are none of rotor"):
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


def second_moment(tensor):
    rows = tensor.reshape(len(tensor), -1)
    return rows.T @ rows / len(rows)


class TestGaussian:
    made = drawn(60_000, seed=7, species="gaussian").tensors

    def test_symmetric_and_of_the_strength_of_axes(self):
        gamma, zeta = self.made.gamma, self.made.zeta
        assert_array_equal(gamma, gamma.transpose(0, 2, 1))
        assert_array_equal(zeta, zeta.transpose(0, 1, 3, 2))
        assert np.mean(np.sum(gamma**2, axis=(1, 2))) == pytest.approx(4, rel=0.01)
        assert np.mean(np.sum(zeta**2, axis=(1, 2, 3))) == pytest.approx(9, rel=0.01)
        assert not np.allclose(zeta, zeta.transpose(0, 2, 1, 3))  # not fully symmetric

    def test_no_direction_is_preferred(self):
        turn = rotations(np.array([[0.3, -1.1, 0.7]]))[0]
        turned = self.made.turned(turn)
        for one, two in ((self.made.gamma, turned.gamma), (self.made.zeta, turned.zeta)):
            exact = second_moment(one)
            assert_allclose(second_moment(two), exact, atol=0.02 * exact.max())


class TestTurnedFrames:
    def test_rotations(self):
        vector = np.random.default_rng(3).normal(size=(5, 3))
        known = Rotation.from_rotvec(vector).as_matrix()
        assert_allclose(rotations(vector), known, atol=1e-14)
        assert_array_equal(rotations(np.zeros((1, 3))), np.eye(3)[None])

    def test_the_angle_has_the_given_spread(self):
        """ẑ·d = 1 − (1 − cos φ) sin²θ, so that ⟨γ_zz⟩ follows from ⟨cos φ⟩ = e^(−σ²/2)."""
        made = drawn(80_000, seed=8, species="aligned", frame_spread=30.0).tensors
        one, two = np.exp(-np.array([1, 4]) * np.radians(30) ** 2 / 2)
        square = 1 - 2 * one + (1 + two) / 2  # ⟨(1 − cos φ)²⟩
        known = 2 * (1 - 2 * (1 - one) * 2 / 3 + square * 8 / 15)
        assert made.gamma[:, 2, 2].mean() == pytest.approx(known, abs=0.004)
        assert_allclose(np.sum(made.gamma**2, axis=(1, 2)), 4)

    def test_gamma_and_zeta_turn_together(self):
        made = drawn(50, seed=9, species="uniaxial", frame_spread=40.0).tensors
        d = np.linalg.eigh(made.gamma)[1][:, :, 2]
        along = np.einsum("kabc,ka,kb,kc->k", made.zeta, d, d, d)
        assert_allclose(np.abs(along), 3)

    def test_a_wider_spread_turns_the_same_defects_further(self):
        one, two = (
            drawn(50, seed=9, species="aligned", frame_spread=s).tensors for s in (1e-3, 2e-3)
        )
        assert np.abs(one.gamma[:, 0, 2]).max() > 1e-5
        assert_allclose(2 * one.gamma[:, 0, 2], two.gamma[:, 0, 2], atol=1e-8)


class TestStrengths:
    spread = Distribution("lognorm", (("s", 0.5), ("scale", 2.0)))

    def test_moments_of_the_draws(self):
        made = drawn(100_000, seed=10, species="aligned", gamma=self.spread, D=self.spread)
        for values in (made.tensors.gamma[:, 2, 2], made.D):
            assert values.mean() == pytest.approx(2 * np.exp(1 / 8), rel=0.01)
            assert np.median(values) == pytest.approx(2, rel=0.01)
        assert abs(np.corrcoef(made.D, made.tensors.gamma[:, 2, 2])[0, 1]) < 0.02
        assert_allclose(made.Delta, 0)

    def test_nodes_have_the_moments(self):
        value, weight = self.spread.nodes(4, 2)
        for power in (0, 1, 2, 3, 4):
            known = 2**power * np.exp(power**2 / 8)
            assert weight @ value**power == pytest.approx(known, rel=2e-3 if power > 2 else 1e-12)

    @pytest.mark.parametrize(
        ("name", "parameters", "error"),
        [
            ("t", {"df": 2.1}, 6e-3),
            ("t", {"df": 3.0}, 2e-3),
            ("lognorm", {"s": 2.0}, 3e-3),
            ("pareto", {"b": 2.2}, 2e-3),
            ("norm", {}, 2e-3),
        ],
    )
    def test_nodes_know_long_tails(self, name, parameters, error):
        """⟨|X|^¾⟩ of a scale of b; one rule stretched to the variance had 32 % too much of t."""
        made, known = Distribution(name, tuple(parameters.items())), getattr(stats, name)
        value, weight = made.nodes(4, 2)
        assert weight @ value == pytest.approx(known(**parameters).mean(), abs=1e-10)
        spread = weight @ (value - weight @ value) ** 2
        assert spread == pytest.approx(known(**parameters).var(), rel=1e-10)
        probability = np.append(np.geomspace(1e-14, 1e-2, 4001), np.linspace(1e-2, 0.5, 40001)[1:])
        ends = known(**parameters).ppf(probability), known(**parameters).isf(probability)
        exact = sum(np.trapezoid(np.abs(one) ** 0.75, probability) for one in ends)
        assert weight @ np.abs(value) ** 0.75 == pytest.approx(exact, rel=error)

    @pytest.mark.parametrize(("a", "b"), [(1e-8, 1e-4), (0.5, 2.0), (1.0, 1e6)])
    def test_log_uniform_strengths_are_those_of_scipy(self, a, b):
        made, known = Distribution("loguniform", (("a", a), ("b", b))), stats.loguniform(a, b)
        probability = np.random.default_rng(3).random(1000)
        assert_array_equal(made.quantiles(probability), known.ppf(probability))
        assert made.smallest == known.support()[0]
        assert made.variance == pytest.approx(known.var(), rel=1e-12)
        assert made.fourth_moment == pytest.approx(known.moment(4), rel=1e-9)
        value, weight = made.nodes(4, 2)
        assert weight @ value == pytest.approx(known.mean(), rel=1e-12)
        assert weight @ value**2 == pytest.approx(known.moment(2), rel=1e-12)

    @pytest.mark.parametrize(
        "given", [{"a": 2.0, "b": 1.0}, {"a": 0.0, "b": 1.0}, {"a": 1.0, "b": 1.0}, {"a": 1.0}]
    )
    def test_what_is_no_log_uniform_distribution_is_refused(self, given):
        with pytest.raises(ValueError, match=r"^parameters of loguniform are a"):
            Distribution("loguniform", tuple(given.items()))

    def test_a_log_uniform_strength_may_be_shifted(self):
        made = Distribution("loguniform", (("a", 1.0), ("b", 2.0), ("loc", 3.0)))
        assert made.smallest == 4

    def test_a_spread_does_not_change_the_other_draws(self):
        one = drawn(30, seed=11, species="uniaxial")
        two = drawn(30, seed=11, species="uniaxial", gamma=self.spread)
        assert_array_equal(one.tensors.zeta, two.tensors.zeta)
        assert not np.allclose(one.tensors.gamma, two.tensors.gamma)


class TestMixtures:
    CN = Component("uniaxial", "111", 1.0, 2.0, 3.0, D=0.1, share=0.7)
    LI = Component("rotor", "100", 4.0, 5.0, 6.0, D=0.2, share=0.3, sublattice="cation")

    def test_each_defect_is_of_its_component(self):
        made = draw(np.random.default_rng(12), 20_000, (self.CN, self.LI))
        lithium = made.component == 1
        assert lithium.mean() == pytest.approx(0.3, abs=0.015)
        assert_array_equal(made.tensors.eta, np.where(lithium, 5.0, 2.0))
        assert_array_equal(made.D, np.where(lithium, 0.2, 0.1))
        trace = np.trace(made.tensors.gamma, axis1=1, axis2=2)
        assert_allclose(trace, np.where(lithium, 0.0, 1.0), atol=1e-12)
        same = np.all(made.tensors.zeta == made.tensors.zeta_minus, axis=(1, 2, 3))
        assert_array_equal(same, ~lithium)

    def test_sublattices_of_rock_salt(self):
        lattice = Lattice("rock_salt", 6.0, 6)
        made = realise(np.random.default_rng(13), lattice, 600, (self.CN, self.LI))
        assert len(np.unique(made.site, axis=0)) == 600
        assert_array_equal(made.site.sum(axis=1) % 2, made.defects.component == 0)
        assert made.site.min() == 0
        assert made.site.max() == 11
        assert_array_equal(made.position, made.site * 3.0)

    def test_a_full_sublattice_is_refused(self):
        alone = (Component("aligned", "111", 1.0, 1.0, 1.0),)
        with pytest.raises(ValueError, match="33 defects do not fit on 32 sites"):
            realise(np.random.default_rng(0), Lattice("rock_salt", 1.0, 2), 33, alone)

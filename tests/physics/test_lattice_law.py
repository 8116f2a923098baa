"""The parts of the theory, each against a route that shares no code with it."""

from dataclasses import replace
from math import pi, sqrt

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import roots_legendre

from glasspipe.defects.component import Component
from glasspipe.defects.distribution import Distribution
from glasspipe.defects.lattice import Lattice, half_lattice
from glasspipe.defects.tensors import of_axes
from glasspipe.elastic.medium import Medium
from glasspipe.elastic.quadrature import gauss_rule
from glasspipe.system.terms import FIELDS
from glasspipe.theory import pair_fields as pair_fields_
from glasspipe.theory.continuum import continuum, radial_integral
from glasspipe.theory.field_law import FieldLaw, Setting
from glasspipe.theory.lattice_sums import PowerSums, SmoothCut
from glasspipe.theory.pair_fields import (
    fine_half_sphere,
    pair_coupling,
    pair_fields,
)
from glasspipe.theory.population import Population
from glasspipe.units import MODULUS

MEDIUM = Medium(1 / MODULUS, 1.8, 1.0)
ALIGNED = Population((Component("aligned", "111", 1.0, 1.0, 1.0),))
UNIAXIAL = Population((Component("uniaxial", "111", 1.0, 1.0, 1.0),))
ISOTROPIC = Population((Component("uniaxial", "isotropic", 1.0, 1.0, 1.0),))
CUBIC, FCC = Lattice("simple_cubic", 1.0, 1), Lattice("fcc", sqrt(2), 1)


def first_pair_field(field, population):
    receivers = population.receivers(field).kinds
    return pair_fields(field, receivers, *population.sources(field), MEDIUM)[0]


def field_law(field, population, lattice, p, size):
    box = Lattice(lattice.type, lattice.constant, size)
    return FieldLaw(Setting(field, population, MEDIUM), box, round(p * (box.sites - 1)) + 1)


ONE, TWO, Z = (
    of_axes(np.array([axis]) / np.linalg.norm(axis)) for axis in ([1, 1, 1], [1, -1, -1], [0, 0, 1])
)
INFINITE = {
    "U": (ONE, TWO, [0.00115898026265500, 0.00545798844622413, 0.000119375962645529]),
    "B": (ONE, TWO, [0.00161718176184418, 0, 6.69815251751711e-05]),
    "U_S_tau": (TWO, ONE, [0.00169411107954371, 0.0211758697830044, -0.000387454621650756]),
    "U_eta_tau": (TWO, ONE, [0.000700260244146969, 0.0567210797759046, -0.000292800783471816]),
    "J": (ONE, TWO, [-0.00124882369386857, 0.111342964302972, -0.000189780987996320]),
}
BOX = {
    "U": (ONE, TWO, [0.00119704242104286, 0.00553293268380060, 2.50314362208418e-05]),
    "B": (Z, TWO, [0.000539055250256880, 0.0493510268235478, 0.000118123884374380]),
    "U_S_tau": (TWO, ONE, [0.00178957132939743, 0.0211611251044791, -0.000443624342812555]),
    "J": (ONE, TWO, [-0.0011629523271, 0.111346390525, -0.000295468388076]),
}


class TestPairKernel:
    """Numbers of an independent computation."""

    R = np.array([[1, 2, 2], [0, 0, 1], [3, -1, 2.0]])

    @pytest.mark.parametrize("coupling", INFINITE)
    def test_infinite_medium(self, coupling):
        receiver, source, known = INFINITE[coupling]
        found = pair_coupling(coupling, receiver, source, self.R, MEDIUM)[0, 0]
        np.testing.assert_allclose(found, known, rtol=1e-12, atol=1e-16)

    @pytest.mark.parametrize("coupling", BOX)
    def test_clamped_box(self, coupling):
        receiver, source, known = BOX[coupling]
        box = {"box": [8.0] * 3, "boundary": "clamped"}
        found = pair_coupling(coupling, receiver, source, self.R, MEDIUM, **box)[0, 0]
        np.testing.assert_allclose(found, known, rtol=1e-10)

    def test_axes_of_the_result(self):
        receivers, sources = UNIAXIAL.kinds("J_tau")[0], TWO
        found = pair_coupling("J", receivers, sources, self.R, MEDIUM)
        assert found.shape == (4, 1, 3)
        np.testing.assert_allclose(found[0, 0], INFINITE["J"][2], rtol=1e-12)


class TestPairField:
    R = np.random.default_rng(1).normal(size=(40, 3)) * 5

    @pytest.mark.parametrize("field", FIELDS)
    def test_polynomial_is_the_coupling(self, field):
        """Not at the directions that made it; states in any order, up to sign where signed."""
        receivers, sources = UNIAXIAL.receivers(field).kinds, UNIAXIAL.kinds(field)[0]
        couplings = {
            c: pair_coupling(c, receivers, sources, self.R, MEDIUM)[0] for c in FIELDS[field].names
        }
        states = FIELDS[field].states
        known = np.concatenate([sum(s * couplings[c] for c, s in one.items()) for one in states])
        pair = first_pair_field(field, UNIAXIAL)
        found = np.vstack([pair(self.R), -pair(self.R)]) if pair.signed else pair(self.R)
        for row in known:
            assert np.min(np.max(np.abs(found - row), axis=1)) < 1e-12 * np.max(np.abs(known))

    @pytest.mark.parametrize("field", FIELDS)
    def test_parity(self, field):
        pair = first_pair_field(field, UNIAXIAL)
        sign = -1 if pair.odd else 1
        np.testing.assert_allclose(pair(-self.R), sign * pair(self.R), atol=1e-15)

    @pytest.mark.parametrize(
        ("species", "axes", "classes"),
        [
            ("aligned", "111", [1]),
            ("uniaxial", "100", [1]),
            ("uniaxial", "110", [1]),
            ("rotor", "111", [1]),
            ("rotor", "110", [0.2, 0.8]),
        ],
    )
    def test_equivalent_receivers(self, species, axes, classes):
        """⟨110⟩ rotors at 90° are 6 of 30, those at 60° the rest."""
        population = Population((Component(species, axes, 2e-3, 1.0, 0.5),))
        weight = population.receivers("b").weight
        np.testing.assert_allclose(np.sort(weight), classes)

    def test_receivers_that_the_cube_does_not_mix_stay_apart(self):
        kinds = of_axes(np.eye(3)[:2])
        fields = pair_fields("U_S", kinds, kinds, np.array([0.5, 0.5]), MEDIUM)
        assert len(fields) == 2

    def test_a_kernel_that_is_not_of_the_medium_is_refused(self, monkeypatch):
        def other_medium(n, order, _):
            return np.exp(3 * n[:, 2]).reshape(-1, *(1,) * (order + 2)) * np.ones(
                (3,) * (order + 2)
            )

        monkeypatch.setattr(pair_fields_, "green_derivatives", other_medium)
        uncached = pair_fields_._sampled_green.__wrapped__
        monkeypatch.setattr(pair_fields_, "_sampled_green", uncached)
        with pytest.raises(ValueError, match="U is not made of the angular functions"):
            first_pair_field("U_S", UNIAXIAL)


def test_fine_directions():
    n, weight = fine_half_sphere()
    for axis in np.eye(3), [[1, 1, 1], [1, 1, 0], [1, 2, 3]]:
        for d in np.asarray(axis, dtype=float):
            cosine = n @ d / np.linalg.norm(d)
            assert weight @ cosine**4 == pytest.approx(1 / 5, rel=1e-12)
            assert weight @ np.abs(3 * cosine**2 - 1) == pytest.approx(4 / sqrt(27), rel=5e-6)


class TestGaussRule:
    def test_moments(self):
        values = np.random.default_rng(2).normal(size=(60, 5)) * [1, 1, 3, 1e-9, 1]
        weight = np.random.default_rng(3).dirichlet(np.ones(60))
        nodes, share = gauss_rule(values, weight, 6)
        for power in range(12):
            known = weight @ values**power
            np.testing.assert_allclose(
                np.sum(share * nodes**power, axis=0), known, rtol=1e-8, atol=1e-10 * known.max()
            )
        wrong = np.sum(share * nodes**12, axis=0) / (weight @ values**12) - 1
        assert np.max(np.abs(wrong)) > 1e-4

    def test_fewer_values_than_nodes(self):
        values = np.array([[2.0, 5.0], [2.0, 0.0], [-1.0, 0.0]])
        nodes, share = gauss_rule(values, np.array([0.25, 0.25, 0.5]), 4)
        assert np.sum(share * np.exp(nodes), axis=0) == pytest.approx(
            [(np.exp(2) + np.exp(-1)) / 2, (np.exp(5) + 3) / 4]
        )


class TestContinuum:
    @pytest.mark.parametrize("power", [3, 4, 5])
    @pytest.mark.parametrize("z", [0.02, 1.0, 12.0, 29.9, 30.1, 80.0])
    def test_radial_integral(self, power, z):
        alpha = 3 / power
        real = quad(lambda w: (1 - np.cos(z * w)) * w ** (-1 - alpha), 0, 1, limit=500)[0] / power
        found = radial_integral(np.array([z, -z]), power)
        np.testing.assert_allclose(found.real, real, rtol=1e-9)
        if power == 3:
            odd = quad(lambda w: (z * w - np.sin(z * w)) / w**2, 1e-9, 1, limit=500)[0] / 3
            np.testing.assert_allclose(found.imag, [odd, -odd], rtol=1e-7)

    def test_lattice_sum_does_not_know_the_cut(self):
        """Σ R⁻⁶ of the simple cubic lattice, 8.40192397482754."""
        for radius, width in ((10.0, 1.9), (12.0, 2.0)):
            cut = SmoothCut(radius, width)
            R = np.linalg.norm(half_lattice(CUBIC, cut.reach), axis=1)
            nodes, share = cut.sharp_cuts()
            total = 2 * cut.weight(R) @ R**-6.0 + share @ (4 * pi / 3 * nodes**-3.0)
            assert total == pytest.approx(8.40192397482754, rel=1e-9)

    @pytest.mark.parametrize(("field", "p", "strength"), [
        ("B", 0.2, 0.3), ("b_eta", 0.2, 0.3), ("U_S", 0.2, 0.3), ("B", 1e-3, 30.0),
    ])  # fmt: skip
    def test_far_sites_one_by_one(self, field, p, strength):
        """ln φ of the sites beyond the cut, summed with 1 − w as far as it matters.

        At p = 0.2 the term of second order is a fifth of the whole for fields of one sign.
        """
        pair, cut = first_pair_field(field, UNIAXIAL), SmoothCut(7.0, 1.2)
        n, solid = fine_half_sphere()
        g = pair.angular(n)
        t = np.array([0.2, 1.0]) * strength * 7**pair.power / np.max(np.abs(g))
        found = continuum(pair, CUBIC).log_characteristic(t, p, cut)
        R = half_lattice(CUBIC, 36.0)
        rest = 1 - cut.weight(np.linalg.norm(R, axis=1))
        U = pair(R)
        wave = [pair.weight @ (np.cos(k * U) if pair.signed else np.exp(1j * k * U)) for k in t]
        known = 2 * np.log(1 - p + p * np.array(wave)) @ rest
        beyond = 4 * pi / (2 * pair.power - 3) / 36.0 ** (2 * pair.power - 3)
        second, first = solid @ (pair.weight @ g**2), solid @ (pair.weight @ g) ** 2
        mean_square = p * second - p * p * (0 if pair.signed else first)
        known = known - t**2 / 2 * beyond * mean_square
        wanted = known.real if pair.symmetric else known
        np.testing.assert_allclose(found, wanted, rtol=4e-3)


class TestLaw:
    @pytest.mark.parametrize(
        ("field", "population"),
        [(field, p) for field in FIELDS for p in (ALIGNED, UNIAXIAL)] + [("U_S", ISOTROPIC)],
    )
    def test_dilute_limit(self, field, population):
        """At p = 1e-7 the law is the stable law, and not one of wrong α, c or centre."""
        found = field_law(field, population, CUBIC, 1e-7, 1000)
        for name in ("median_abs", "quartile_half_width"):
            assert found.statistic(name) == pytest.approx(found.dilute.statistic(name), rel=2e-3)

    @pytest.mark.parametrize(
        ("field", "p", "population"),
        [
            ("b", 0.03, UNIAXIAL),
            ("U_S", 0.1, UNIAXIAL),
            ("b_gamma", 0.01, UNIAXIAL),
            ("U_S", 0.1, ISOTROPIC),
        ],
    )
    def test_mixed_sources_by_sampling(self, field, p, population):
        """Random kinds on random sites within 6, 4.5 standard errors and what lies beyond."""
        found = field_law(field, population, FCC, p, 80)
        X = _sampled(field, population, p, draws=12_000)
        for name, level in (("q05", 0.05), ("q95", 0.95)):
            share = np.mean(found.statistic(name) >= X)
            assert abs(share - level) < 4.5 * sqrt(level * (1 - level) / len(X)) + 1e-3
        share = np.mean(np.abs(X) <= found.statistic("median_abs"))
        assert abs(share - 0.5) < 4.5 * 0.5 / sqrt(len(X)) + 3e-3

    def test_empty_sites_make_minus_the_field(self):
        """B of 80 % of the sites is minus that of the other 20 %."""
        dense = field_law("B", ALIGNED, CUBIC, 0.8, 100)
        sparse = field_law("B", ALIGNED, CUBIC, 0.2, 100)
        assert dense.statistic("q95") == pytest.approx(-sparse.statistic("q05"), rel=1e-4)
        assert dense.statistic("q95") != pytest.approx(sparse.statistic("q95"), rel=1e-2)

    def test_sources_everywhere(self):
        """x = 1: B vanishes by symmetry, a field of random signs does not."""
        full = FieldLaw(Setting("B", ALIGNED, MEDIUM), Lattice("simple_cubic", 1.0, 8), 512)
        assert full.std == 0
        assert full.statistic("median_abs") == pytest.approx(0, abs=1e-10)
        assert np.isnan(full.statistic("kurtosis"))
        with pytest.raises(ValueError, match="B does not vary"):
            full.cdf(0.0)
        signed = FieldLaw(Setting("U_S", ALIGNED, MEDIUM), Lattice("simple_cubic", 1.0, 8), 512)
        normal = 0.6745 * signed.std
        assert signed.statistic("quartile_half_width") == pytest.approx(normal, rel=0.1)

    def test_no_coupling_no_field(self):
        nothing = Population((Component("uniaxial", "111", 1.0, 0.0, 1.0),))
        found = FieldLaw(Setting("B", nothing, MEDIUM), Lattice("fcc", 4.0, 5), 20)
        assert [found.statistic(n) for n in ("mean", "std", "q95", "median_abs")] == [0, 0, 0, 0]
        assert found.dilute.statistic("quartile_half_width") == 0


class TestMoments:
    @pytest.mark.parametrize("field", ["B", "b", "J_tau"])
    def test_kurtosis_by_enumeration(self, field):
        """All occupations of the nearest neighbours that rule the fourth cumulant at p = 0.3.

        A field of 6 sites only, so that the law is a finite sum over states of each.
        """
        pair = first_pair_field(field, UNIAXIAL)
        R = np.vstack([np.eye(3), -np.eye(3)]) * 1.1
        U = pair(R)
        U, share = (np.vstack([U, -U]), np.tile(pair.weight, 2) / 2) if pair.signed else (
            U, pair.weight
        )  # fmt: skip
        p, law = 0.3, {0.0: 1.0}
        for site in range(6):
            law = _convolved(law, [0.0, *U[:, site]], [1 - p, *(p * share)])
        X, weight = np.array(list(law)), np.array(list(law.values()))
        mean = weight @ X
        variance, fourth = weight @ (X - mean) ** 2, weight @ (X - mean) ** 4
        sums = _power_sums(U, share)
        assert p * sums.first == pytest.approx(mean, abs=1e-12)
        assert sums.variance(p, 0.0) == pytest.approx(variance, rel=1e-12)
        assert sums.fourth_cumulant(p) == pytest.approx(fourth - 3 * variance**2, rel=1e-9)

    def test_variance_of_a_fixed_number(self):
        """Every way to put 2 of the others on 5 sites, of either kind."""
        U = np.random.default_rng(4).normal(size=(2, 5))
        fields = [
            U[a, i] + U[b, j]
            for i in range(5) for j in range(i) for a in range(2) for b in range(2)
        ]  # fmt: skip
        sums = _power_sums(U, np.array([0.5, 0.5]))
        assert sums.variance(2 / 5, -2 / 5 * 3 / 5 / 4) == pytest.approx(np.var(fields), rel=1e-12)


def _power_sums(U, share):
    return PowerSums.over(U, share, np.ones(U.shape[1]))


def _convolved(law, values, weights):
    result = {}
    for X, w in law.items():
        for value, share in zip(values, weights, strict=True):
            key = round(X + value, 12)
            result[key] = result.get(key, 0.0) + w * share
    return result


def _sampled(field, population, p, *, draws, batch=500):
    """Field of independently occupied sites within 6 distances, kinds and signs drawn anew."""
    rng = np.random.default_rng(23)
    R = half_lattice(FCC, 6.0)
    R = np.vstack([R, -R])
    return np.concatenate(
        [
            _batch(rng, field, _kinds(rng, field, population), R, p, batch)
            for _ in range(draws // batch)
        ]
    )


def _kinds(rng, field, population):
    if population is not ISOTROPIC:
        return population.kinds(field)[0]
    d = rng.normal(size=(40, 3))
    return of_axes(d / np.linalg.norm(d, axis=1)[:, None])


def _batch(rng, field, kinds, R, p, batch):
    draw, site = np.nonzero(rng.random((batch, len(R))) < p)
    receiver = rng.integers(len(kinds), size=batch)[draw]
    source = rng.integers(len(kinds), size=len(draw))
    state = rng.integers(len(FIELDS[field].states), size=len(draw))
    X = np.zeros(batch)
    for coupling in FIELDS[field].names:
        table = pair_coupling(coupling, kinds, kinds, R, MEDIUM)
        sign = np.array([signs[coupling] for signs in FIELDS[field].states])[state]
        made = table[receiver, 0 * source if table.shape[1] == 1 else source, site]
        X += np.bincount(draw, sign * made, minlength=batch)
    return X


AXES, ANY, ALIKE = ("uniaxial", "111"), ("uniaxial", "isotropic"), ("aligned", "111")


@pytest.mark.parametrize(
    ("kind", "field", "strength", "name", "parameters", "p", "boundary"),
    [
        (AXES, "B", "gamma", "expon", {}, 0.03, "spherical"),
        (AXES, "B", "gamma", "norm", {"scale": 1.0}, 0.03, "spherical"),
        (AXES, "B", "gamma", "norm", {"scale": 1.0}, 0.001, "spherical"),
        (AXES, "B", "gamma", "t", {"df": 5.0}, 0.001, "spherical"),
        (AXES, "J_tau", "zeta", "gamma", {"a": 3.0}, 0.03, "spherical"),
        (ANY, "B", "gamma", "expon", {}, 0.03, "spherical"),
        (ALIKE, "B", "gamma", "expon", {}, 0.03, "stress_free"),
    ],
)
def test_the_law_of_distributed_strengths_is_a_mixture(
    kind, field, strength, name, parameters, p, boundary
):
    """A field is proportional to the receiver's strength: F(X) = ∫ dP(g) F_1(X/g)."""
    spread = Distribution(name, tuple(parameters.items()))
    strengths = {"gamma": 1.0, "eta": 1.0, "zeta": 1.0}
    population = Population((Component(*kind, **strengths | {strength: spread}),))
    setting = Setting(field, population, MEDIUM)
    box = replace(FCC, size=12)
    law = FieldLaw(setting, box, round(p * (box.sites - 1)) + 1, boundary)
    one = Population((Component(*kind, **strengths),))
    unit = replace(law, setting=replace(setting, population=one, others=population))
    vars(unit)["_largest"] = 40 * unit._largest
    u, weight = roots_legendre(500)
    g = spread.quantiles((1 + u) / 2)
    assert law.mean == pytest.approx(unit.mean * (weight / 2 @ g), rel=1e-3, abs=1e-15)
    assert (law.mean != 0) == (boundary == "stress_free")

    def mixed(X):
        at = X / g
        known = np.abs(at - unit.mean) < unit.reach
        below = np.where(known, unit.cdf(np.where(known, at, unit.mean)), at > unit.mean)
        return weight / 2 @ np.where(g > 0, below, 1 - below)

    assert mixed(law.statistic("q95")) == pytest.approx(0.95, abs=2e-4)
    half = law.statistic("median_abs")
    assert mixed(half) - mixed(-half) == pytest.approx(0.5, abs=1e-3)
    scale = weight / 2 @ np.abs(g)
    if field == "B":
        found = law.dilute.scale @ law.dilute.weight
        assert found == pytest.approx(scale * unit.dilute.scale[0], rel=1e-3)


@pytest.mark.parametrize(("field", "alpha"), [("B", 1.0), ("b_eta", 0.75)])
@pytest.mark.parametrize(("name", "parameters"), [("norm", {}), ("t", {"df": 5.0})])
def test_the_limit_of_sources_of_both_signs(field, alpha, name, parameters):
    """Its scale goes as ⟨|η|^α⟩^(1/α), whose integrand has a cusp at 0."""
    spread = Distribution(name, tuple(parameters.items()))
    many = Population((Component("uniaxial", "111", 1.0, spread, 1.0),))
    [scale], [unit] = (
        field_law(field, population, FCC, 0.01, 8).dilute.scale for population in (many, UNIAXIAL)
    )
    u, weight = roots_legendre(4000)
    known = (weight / 2 @ np.abs(spread.quantiles((1 + u) / 2)) ** alpha) ** (1 / alpha)
    assert scale / unit == pytest.approx(known, rel=4e-3)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.6])
@pytest.mark.parametrize("field", ["B", "J_tau"])
def test_defects_that_feel_nothing(field, share):
    """F is that of the others, whose sources they thin out, beside a step at 0."""
    felt = Component("uniaxial", "111", 1.0, 1.0, 1.0, share=share)
    dead = Component("uniaxial", "111", 0.0, 0.0, 0.0, share=1 - share)
    law = FieldLaw(Setting(field, Population((felt, dead)), MEDIUM), replace(FCC, size=12), 301)
    setting = replace(law.setting, population=UNIAXIAL, others=law.setting.population)
    alone = replace(law, setting=setting)
    fewer = FieldLaw(Setting(field, UNIAXIAL, MEDIUM), law.lattice, 1 + round(300 * share))
    X = fewer.statistic("q95") * np.linspace(0.1, 1.2, 12)
    np.testing.assert_allclose(alone.cdf(X), fewer.cdf(X), atol=2e-4)
    for X in alone.statistic("q95") * np.array([0.1, 0.3, 1.0]):
        assert law.cdf(X) == pytest.approx(share * alone.cdf(X) + (1 - share), abs=2e-4)
    assert law.std == pytest.approx(np.sqrt(share) * alone.std)
    q95 = law.statistic("q95")
    assert (q95 == 0.0) == (share <= 0.1)
    assert (law.statistic("median_abs") == 0.0) == (share < 0.5)
    assert law.dilute.statistic("quartile_half_width") == 0.0 if share < 0.5 else q95 > 0
    assert not law.in_gap("median_abs")


@pytest.mark.parametrize("field", ["B", "b", "J_tau"])
def test_dilution_as_far_as_it_is_allowed(field):
    """At x = 10⁻¹² the law is its limit: phases are doubled sixty times."""
    law = FieldLaw(Setting(field, UNIAXIAL, MEDIUM), replace(FCC, size=14_000), 11)
    assert law.p < 1e-12
    for name in ("quartile_half_width", "q95"):
        assert law.statistic(name) == pytest.approx(law.dilute.statistic(name), rel=1e-4)


@pytest.mark.parametrize(
    ("field", "name", "parameters"),
    [("B", "t", {"df": 2.1}), ("U_S", "t", {"df": 2.1}), ("U_S", "lognorm", {"s": 1.5})],
)
def test_strengths_over_decades_in_the_continuum(field, name, parameters):
    """Few defects have their limit, which has no bins; even ones in g made less of it."""
    strength = Distribution(name, tuple(parameters.items()))
    population = Population((Component("uniaxial", "111", strength, strength, 1.0),))
    law = FieldLaw(Setting(field, population, MEDIUM), replace(FCC, size=300), 1001)
    typical = law.statistic("quartile_half_width")
    assert typical == pytest.approx(law.dilute.statistic("quartile_half_width"), rel=0.01)

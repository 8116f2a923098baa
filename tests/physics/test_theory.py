"""Exact widths, dilute limits and the law on the lattice, by independent routes."""

from math import gamma, pi, sqrt

import numpy as np
import pytest
from arrays import couplings, fields
from scipy.optimize import brentq
from scipy.stats import norm
from synthetic import stable_numbers

from glasspipe.defects.component import Component
from glasspipe.defects.distribution import Distribution
from glasspipe.defects.lattice import Lattice
from glasspipe.defects.realisation import realise
from glasspipe.defects.species import unit_kinds
from glasspipe.elastic.greens import BOUNDARIES
from glasspipe.elastic.medium import PRESETS, Medium
from glasspipe.system.terms import FIELDS
from glasspipe.theory import stable
from glasspipe.theory.field_law import FieldLaw, Setting, field_law
from glasspipe.theory.homogeneous import homogeneous_field
from glasspipe.theory.pair_fields import pair_coupling
from glasspipe.theory.population import Population
from glasspipe.units import MODULUS

MEDIUM = Medium(1 / MODULUS, 1.8, 1.0)
MEDIA = [MEDIUM, PRESETS["KBr_cubic"].medium]
G = 1 / (4 * pi * 1.8**2)
ALIGNED = Population((Component("aligned", "111", 1.0, 1.0, 1.0),))
UNIAXIAL = Population((Component("uniaxial", "111", 1.0, 1.0, 1.0),))


def law(field, x, *, population=ALIGNED, lattice="simple_cubic", sites=10**7):
    """Law at concentration x in a box so large that it is the infinite lattice."""
    crystal = Lattice(lattice, 1.0, round(sites ** (1 / 3)))
    setting = Setting(field, population, MEDIUM)
    return FieldLaw(setting, crystal, round(x * crystal.sites))


class TestLatticeSums:
    @pytest.mark.parametrize(
        ("population", "lattice", "constant", "sum_"),
        [
            (ALIGNED, "simple_cubic", 1.0, 13.3572802182),
            (ALIGNED, "fcc", sqrt(2), 8.6184093586),
            (UNIAXIAL, "simple_cubic", 1.0, 2.298),
        ],
    )
    def test_width_of_B(self, population, lattice, constant, sum_):
        crystal = Lattice(lattice, constant, 60)
        defects = round(0.1 * crystal.sites)
        p = (defects - 1) / (crystal.sites - 1)
        found = FieldLaw(Setting("B", population, MEDIUM), crystal, defects).std
        fixed_number = 1 + 1 / (crystal.sites - 2)
        digits = 4e-4 if sum_ == 2.298 else 3e-7
        assert found**2 / (G**2 * p * (1 - p) * fixed_number) == pytest.approx(sum_, rel=digits)

    @pytest.mark.parametrize("boundary", BOUNDARIES)
    @pytest.mark.parametrize("medium", MEDIA)
    def test_mean_and_width_of_a_small_box(self, medium, boundary):
        """Every other site in turn: B_i of all pairs of sites gives the box's own sums."""
        crystal = Lattice("fcc", 1.0, 2)
        site = crystal.site(np.arange(crystal.sites)) * crystal.spacing
        tensors = np.zeros((crystal.sites, 3, 3))
        tensors[:, 2, 2] = 1
        columns = [
            couplings(
                site, tensors, np.eye(crystal.sites)[source], box=[2.0] * 3, medium=medium,
                boundary=boundary,
            ).B[0]
            for source in range(1, crystal.sites)
        ]  # fmt: skip
        U, p = np.array(columns), 5 / 31
        variance = p * (1 - p) * (np.sum(U**2) - (U.sum() ** 2 - np.sum(U**2)) / 30)
        found = FieldLaw(Setting("B", ALIGNED, medium), crystal, 6, boundary)
        assert found.mean == pytest.approx(p * U.sum(), abs=1e-9 * np.abs(U).sum())
        assert found.std == pytest.approx(sqrt(variance), rel=1e-8)

    def test_clamped_mean_of_a_large_box(self):
        crystal = Lattice("simple_cubic", 1.0, 50)
        found = FieldLaw(Setting("B", ALIGNED, MEDIUM), crystal, 12_500, "clamped")
        assert found.mean == pytest.approx(0.1 * 4 * pi / 3 * G, rel=1e-4)


SPREAD = Distribution("norm", (("loc", 1.0), ("scale", 0.4)))
LONG = Distribution("lognorm", (("s", 0.5),))
MIXTURES = {
    "aligned": [Component("aligned", "111", 1.0, 0.7, 1.3)],
    "uniaxial 100": [Component("uniaxial", "100", 1.0, 0.7, 1.3)],
    "uniaxial 110": [Component("uniaxial", "110", 1.0, 0.7, 1.3)],
    "uniaxial 111": [Component("uniaxial", "111", 1.0, 0.7, 1.3)],
    "isotropic": [Component("uniaxial", "isotropic", 1.0, 0.7, 1.3)],
    "rotor 111": [Component("rotor", "111", 1.0, 0.7, 1.3)],
    "rotor 110": [Component("rotor", "110", 1.0, 0.7, 1.3)],
    "rotor 110, static": [Component("rotor", "110", 1.0, 0.2, 1.3, static_dipole="mean")],
    "plaquette": [Component("plaquette", "111", 1.0, 0.7, 1.3)],
    "plaquette, static": [Component("plaquette", "111", 1.0, 0.2, 1.3, static_dipole="mean")],
    "gaussian": [Component("gaussian", "111", 1.0, 0.7, 1.3)],
    "frames turned": [Component("uniaxial", "111", 1.0, 0.7, 1.3, frame_spread=25.0)],
    "aligned, frames turned": [Component("aligned", "111", 1.0, 0.7, 1.3, frame_spread=25.0)],
    "strengths spread": [Component("uniaxial", "111", SPREAD, LONG, SPREAD)],
    "mixture": [
        Component("rotor", "111", 2.0, LONG, 1.3, share=0.3),
        Component("aligned", "111", 1.0, 0.2, SPREAD, share=0.7),
    ],
    "mixture, static": [
        Component("rotor", "111", SPREAD, 0.1, 1.3, share=0.6, static_dipole="mean"),
        Component("uniaxial", "100", 0.5, 0.4, 1.0, share=0.4),
    ],
}

CRYSTALLINE = ("uniaxial 111", "plaquette", "rotor 110", "rotor 110, static", "mixture")


@pytest.mark.parametrize(
    ("name", "medium"),
    [(name, MEDIUM) for name in MIXTURES]
    + [(name, PRESETS["KBr_cubic"].medium) for name in CRYSTALLINE],
)
def test_widths_of_simulated_boxes(name, medium):
    """Production kernels against theory for every species, within 4.5 standard errors.

    S and τ are random signs here, which is what theory assumes.
    """
    crystal, number, boxes = Lattice("fcc", 4.0, 3), 22, 150
    components = tuple(MIXTURES[name])
    found = {field: [] for field in ("B", "U_S", "b_gamma", "b_eta", "b", "J_tau")}
    rng = np.random.default_rng(11)
    system = {"box": [crystal.edge] * 3, "medium": medium, "boundary": "spherical"}
    for _ in range(boxes):
        made = realise(rng, crystal, number, components)
        tensors = made.defects.tensors
        S, tau = rng.choice((-1, 1), size=(2, number))
        zeta = tensors.zeta if tensors.zeta_minus is None else np.where(
            (S > 0)[:, None, None, None], tensors.zeta, tensors.zeta_minus
        )  # fmt: skip
        system["static"] = tensors.static
        one = couplings(made.position, tensors.gamma, tensors.eta, **system)
        U = np.zeros((number, number))
        U[np.triu_indices(number, 1)] = one.U
        two = fields(made.position, tensors.gamma, tensors.eta, zeta, S, tau, **system)
        values = {"B": one.B, "U_S": (U + U.T) @ S}
        values |= {name: getattr(two, name) for name in ("b_gamma", "b_eta", "b", "J_tau")}
        for field, X in values.items():
            found[field].append(X)
    population = Population(components)
    for field, X in found.items():
        square = np.mean(np.square(X), axis=1)
        law = FieldLaw(Setting(field, population, medium), crystal, number)
        known = law.mean**2 + law.std**2
        error = square.std(ddof=1) / sqrt(boxes)
        assert abs(square.mean() - known) < 4.5 * error, field
        assert error < 0.12 * known


class TestDiluteLimit:
    def test_cauchy_law_of_B(self):
        """Γ = 8π²/(9√3) g n and the centre −0.6692402 g n."""
        limit = law("B", 1e-6).dilute
        n = law("B", 1e-6).p
        assert limit.alpha == 1
        assert limit.scale[0] == pytest.approx(8 * pi**2 / (9 * sqrt(3)) * G * n, rel=1e-5)
        assert limit.centre[0] == pytest.approx(-0.6692402 * G * n, rel=1e-5)

    def test_stable_law_of_b_eta(self):
        """Median |b^η| → 1.64295 (ηζ/ρc_l²a⁴) x^(4/3)."""
        found = law("b_eta", 1e-4)
        median = found.dilute.statistic("median_abs") * 1.8**2
        assert median == pytest.approx(1.64295 * found.p ** (4 / 3), rel=2e-5)

    @pytest.mark.parametrize(("alpha", "median"), [(1, 1.0), (0.75, 1.06520), (0.6, 1.16210)])
    def test_medians_of_stable_laws(self, alpha, median):
        assert stable.cdf(median, alpha) == pytest.approx(0.75, abs=1e-6)

    @pytest.mark.parametrize("alpha", [1.7, 1.2, 0.75, 0.6])
    def test_stable_laws_by_sampling(self, alpha):
        """4.5 standard errors."""
        X = stable_numbers(np.random.default_rng(3), alpha, 200_000)
        for x in (0.1, 1.0, 10.0):
            p = float(stable.cdf(x, alpha))
            assert abs(np.mean(x >= X) - p) < 4.5 * sqrt(p * (1 - p) / len(X))

    @pytest.mark.parametrize("alpha", [1.6, 1, 0.75, 0.6])
    def test_density_is_the_derivative_of_the_cdf(self, alpha):
        x = np.array([0.03, 0.7, 5.0, 300.0])
        step = 1e-3 * x
        slope = (stable.cdf(x + step, alpha) - stable.cdf(x - step, alpha)) / (2 * step)
        np.testing.assert_allclose(stable.density(x, alpha), slope, rtol=1e-5)

    def test_the_laws_that_are_known(self):
        """A Gaussian of variance 2, and Cauchy's law where it is not taken from its formula."""
        x = np.array([-300.0, -2.0, -0.1, 0.0, 1e-4, 0.5, 3.0, 1e4])
        assert stable.cdf(x, 2.0) == pytest.approx(norm.cdf(x, scale=sqrt(2)), abs=1e-12)
        assert stable.density(x, 2.0) == pytest.approx(norm.pdf(x, scale=sqrt(2)), abs=1e-12)
        near = 1 + 1e-13
        assert stable.cdf(x, near) == pytest.approx(stable.cdf(x, 1), abs=1e-11)
        assert stable.density(x, near) == pytest.approx(stable.density(x, 1), abs=1e-11)

    def test_both_paths_agree(self, monkeypatch):
        x = np.array([0.01, 0.3, 1.0, 20.0])
        found = stable.cdf(x, 0.79), stable.density(x, 0.79)
        monkeypatch.setattr(stable, "_RELATIVE", 0.7)
        assert stable.cdf(x, 0.79) == pytest.approx(found[0], abs=1e-12)
        assert stable.density(x, 0.79) == pytest.approx(found[1], rel=1e-10)

    @pytest.mark.parametrize(("alpha", "x"), [(1.5, 1e5), (0.75, 1e7), (0.6, 1e7)])
    def test_tail(self, alpha, x):
        """P(X < −x) → Γ(α) sin(πα/2)/(π x^α)."""
        tail = stable.cdf(-x, alpha)
        assert tail == pytest.approx(
            gamma(alpha) * np.sin(pi * alpha / 2) / pi * x**-alpha, rel=1e-4
        )


class TestLawOnTheLattice:
    @pytest.mark.parametrize(
        ("x", "median"),
        [(1e-4, 5.0946), (1e-3, 5.0623), (3e-3, 5.057), (0.01, 4.907), (0.03, 4.733)],
    )
    def test_median_of_B(self, x, median):
        found = law("B", x)
        assert found.statistic("median_abs") / (G * found.p) == pytest.approx(median, rel=3e-4)

    @pytest.mark.parametrize(("x", "coefficient"), [(1e-3, 1.527), (0.01, 1.29)])
    def test_median_of_b_eta(self, x, coefficient):
        """At 1e-3 by 4·10⁵ samples of all sites within 28: 1.527 ± 0.003."""
        found = law("b_eta", x).statistic("median_abs") * 1.8**2 / x ** (4 / 3)
        assert found == pytest.approx(coefficient, abs=0.008)

    def test_typical_field_of_uniaxial_defects(self):
        """On the simple cubic lattice B_0/x is 16 % low at x = 0.03; exponent 0.971 below it."""
        x = np.array([1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03])
        laws = [law("B", value, population=UNIAXIAL) for value in x]
        typical = np.array([found.statistic("quartile_half_width") for found in laws])
        limit = np.array([found.dilute.statistic("quartile_half_width") for found in laws])
        assert typical[-1] / limit[-1] == pytest.approx(0.84, abs=0.006)
        assert np.polyfit(np.log(x), np.log(typical), 1)[0] == pytest.approx(0.971, abs=0.004)

    @pytest.mark.parametrize("medium", MEDIA)
    @pytest.mark.parametrize(
        ("field", "x"), [(f, x) for f in ("B", "b_eta", "U_S", "J_tau") for x in (0.02, 0.2)]
    )
    def test_quantiles_of_simulated_boxes(self, field, x, medium):
        """Boxes of independent sites, the receiver in the middle, 4.5 standard errors."""
        crystal = Lattice("simple_cubic", 1.0, 15)
        setting = Setting(field, ALIGNED, medium)
        known = FieldLaw(setting, crystal, round(x * crystal.sites), "minimum_image")
        X = _sampled(field, known.p, crystal, medium, draws=40_000)
        for name, level in (("q05", 0.05), ("q95", 0.95)):
            share = np.mean(known.statistic(name) >= X)
            assert abs(share - level) < 4.5 * sqrt(level * (1 - level) / len(X)) + 2e-4
        share = np.mean(np.abs(X) <= known.statistic("median_abs"))
        assert abs(share - 0.5) < 4.5 * 0.5 / sqrt(len(X)) + 2e-4

    def test_density_is_the_derivative_of_the_cdf(self):
        found = law("B", 0.03)
        X = np.array([-0.3, 0.02, 0.4]) * found.statistic("q95")
        step = 1e-3 * found.statistic("q95")
        slope = (found.cdf(X + step) - found.cdf(X - step)) / (2 * step)
        np.testing.assert_allclose(found.density(X), slope, rtol=1e-4)


def _sampled(field, p, crystal, medium, *, draws):
    """The field at one defect of independently occupied sites."""
    kind = unit_kinds("aligned", "111")
    coupling = FIELDS[field].names[0]
    site = crystal.site(np.arange(1, crystal.sites)) * 1.0
    site -= crystal.edge * np.round(site / crystal.edge)
    U = pair_coupling(coupling, kind, kind, site, medium)[0, 0]
    rng = np.random.default_rng(17)
    X = np.empty(draws)
    for start in range(0, draws, 1000):
        occupied = (rng.random((1000, len(U))) < p).astype(np.float32)
        if len(FIELDS[field].states) == 2:
            occupied *= rng.choice(np.array([-1, 1], np.float32), size=occupied.shape)
        X[start : start + 1000] = occupied @ U.astype(np.float32)
    return X


def test_an_unknown_statistic_is_refused():
    point = {"population": UNIAXIAL, "medium": MEDIUM, "lattice": Lattice("fcc", 4.0, 3)}
    with pytest.raises(ValueError, match="statistic is 'mode'; allowed are mean"):
        field_law("B", **point, defects=20).statistic("mode")


@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("edges", [(1.0, 1.0, 1.0), (0.7, 1.0, 1.5), (4.0, 1.0, 1.0)])
def test_homogeneous_field_of_a_nearest_image_box(edges, medium):
    """Sources everywhere between the largest sphere and the box, sampled; 4.5 standard errors."""
    receiver = unit_kinds("aligned", "111")
    one = (receiver, np.ones(1))
    found = homogeneous_field("B", receiver, one, medium, "minimum_image", edges)[0]
    rng = np.random.default_rng(5)
    x = (rng.random((60_000, 3)) - 0.5) * edges
    x = x[np.linalg.norm(x, axis=1) > min(edges) / 2]
    field = pair_coupling("B", receiver, receiver, x, medium)[0, 0]
    outside = field.sum() / 60_000 * np.prod(edges)
    error = field.std() * sqrt(len(x)) / 60_000 * np.prod(edges)
    assert abs(found - outside) < 4.5 * error
    if edges == (1.0, 1.0, 1.0) and medium is MEDIUM:
        assert abs(found) < 1e-12
    else:
        assert abs(found) > 9 * error


class TestSomeWithoutCoupling:
    """Two in five defects have γ = 0: they feel nothing, and as sources they are absent."""

    HALF = Population(
        (
            Component("uniaxial", "111", 1.0, 1.0, 1.0, share=0.6),
            Component("uniaxial", "111", 0.0, 1.0, 1.0, share=0.4),
        )
    )

    @pytest.mark.parametrize(("field", "sources"), [("B", 1.0), ("U_S", 0.6)])
    @pytest.mark.parametrize("x", [1e-3, 0.05])
    def test_law(self, field, sources, x):
        mixed = law(field, x, population=self.HALF)
        whole = law(field, sources * x, population=UNIAXIAL)
        X = whole._largest * np.array([-0.7, -0.1, 0.02, 0.3, 0.9])
        known = 0.6 * whole.cdf(X) + 0.4 * (X > 0)
        np.testing.assert_allclose(mixed.cdf(X), known, atol=1e-4)
        dilute = 0.6 * whole.dilute.cdf(X) + 0.4 * (X > 0)
        np.testing.assert_allclose(mixed.dilute.cdf(X), dilute, atol=1e-5)
        known = 0.6 * whole.dilute.cdf(0.0) + 0.2
        assert mixed.dilute.cdf(0.0) == pytest.approx(known, abs=1e-5)
        assert mixed.std == pytest.approx(sqrt(0.6) * whole.std, rel=1e-4)

    def test_statistics(self):
        mixed, whole = (law("B", 0.01, population=p) for p in (self.HALF, UNIAXIAL))
        for one, other in ((mixed, whole), (mixed.dilute, whole.dilute)):
            for name, level in (("q95", 0.95), ("q05", 0.05)):
                X = one.statistic(name)
                assert 0.6 * other.cdf(X) + 0.4 * (X > 0) == pytest.approx(level, abs=1e-5)
            assert one.statistic("median_abs") == pytest.approx(
                order_statistic_of_sixths(other), rel=1e-3
            )


def order_statistic_of_sixths(whole):
    """|X| that a sixth of the fields of the coupled ones stay below: 0.4 + 0.6/6 = ½."""
    scale = whole.statistic("median_abs")
    return brentq(lambda X: whole.cdf(X) - whole.cdf(-X) - 1 / 6, 0, scale)


def test_local_field_of_random_spins():
    """The same sources make B and U: h of random S is narrower than a sum of independent fields."""
    crystal = Lattice("fcc", 6.585, 92)
    components = (Component("uniaxial", "111", 1.0, 1.0, 1.0),)
    medium, number = PRESETS["KBr"].medium, 312
    found = {"h": [], "B": [], "U_S": []}
    rng = np.random.default_rng(5)
    for _ in range(25):
        made = realise(rng, crystal, number, components)
        tensors, box = made.defects.tensors, [crystal.edge] * 3
        pairs = couplings(
            made.position, tensors.gamma, tensors.eta, box=box, medium=medium, boundary="spherical"
        )
        U = np.zeros((number, number))
        U[np.triu_indices(number, 1)] = pairs.U
        U_S = rng.choice([-1, 1], (12, number)) @ (U + U.T)
        found["U_S"].append(U_S)
        found["B"].append(pairs.B)
        found["h"].append(U_S + pairs.B)
    setting = {"population": Population(components), "medium": medium}
    laws = {
        field: field_law(field, lattice=crystal, defects=number, **setting).dilute
        for field in found
    }
    for field, values in found.items():
        inside = np.mean(np.abs(values) < laws[field].statistic("median_abs"))
        assert inside == pytest.approx(0.5, abs=0.02), field
    assert laws["h"].scale[0] < 0.75 * (laws["B"].scale[0] + laws["U_S"].scale[0])


@pytest.mark.parametrize("field", ["B", "b_gamma", "b_eta"])
def test_a_field_that_symmetry_forbids_has_no_width(field):
    """In a box of two cells along each edge every other site is half a box away along each axis."""
    setting = {"population": UNIAXIAL, "medium": MEDIUM}
    found = field_law(field, lattice=Lattice("simple_cubic", 6.585, 2), defects=3, **setting)
    assert np.isfinite([found.statistic(name) for name in ("median_abs", "q95", "std")]).all()
    if field != "b_gamma":
        assert found.std == 0


@pytest.mark.parametrize(
    ("field", "x", "flat"), [("J_tau", 0.01, True), ("b_eta", 0.01, False), ("b_eta", 0.003, True)]
)
def test_quantiles_in_a_gap_are_those_that_a_little_probability_moves(field, x, flat):
    found = law(field, x, population=UNIAXIAL, lattice="fcc", sites=10**6)
    value = found.statistic("q95")
    low, high = (
        brentq(lambda X, level=level: float(found.cdf(X)) - level, 0.1 * value, 5 * value)
        for level in (0.94, 0.96)
    )
    limit = (0.06 / 0.04) ** (1 / found.dilute.alpha)
    assert found.in_gap("q95") == flat
    assert found.in_gap("q05") == flat
    assert (high / low > limit) == flat
    assert not found.in_gap("median_abs")
    assert not found.in_gap("std")

"""Theory of fields in cubic crystals, against kernels and characteristic functions of its own."""

from math import gamma, pi, sqrt

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from glasspipe.defects.component import Component
from glasspipe.defects.lattice import Lattice
from glasspipe.elastic.greens import BOUNDARIES
from glasspipe.elastic.medium import PRESETS, CubicMedium, Medium
from glasspipe.elastic.quadrature import sphere
from glasspipe.statistics import STATISTICS
from glasspipe.system.terms import TERMS
from glasspipe.theory.field_law import FieldLaw, Setting
from glasspipe.theory.pair_fields import pair_coupling, pair_fields
from glasspipe.theory.population import Population
from glasspipe.units import GPA, MODULUS

KBR, KCL = PRESETS["KBr_cubic"].medium, PRESETS["KCl_cubic"].medium
SODIUM = CubicMedium(density=0.97, c11=7.4, c12=6.2, c44=4.2)
ISOTROPIC = CubicMedium(density=1, c11=3 * 1.8**2, c12=3 * (1.8**2 - 2), c44=3.0)
LIKE_ISOTROPIC = Medium(density=3 * GPA / MODULUS, c_l=1.8, c_t=1.0)
ALIGNED = Population((Component("aligned", "111", 1.0, 0.7, 1.3),))
UNIAXIAL = Population((Component("uniaxial", "111", 1.0, 0.7, 1.3),))
ROTOR = Population((Component("rotor", "110", 1.0, 0.7, 1.3),))
UNLIKE = Population(
    (
        Component("uniaxial", "111", 1.0, 0.7, 1.3, share=0.6),
        Component("uniaxial", "111", -2.0, 0.2, 1.3, share=0.4),
    )
)
SIMPLE, FCC = Lattice("simple_cubic", 1.0, 60), Lattice("fcc", sqrt(2), 40)


def law(field, population, medium, *, x=0.05, crystal=SIMPLE, boundary="spherical"):
    return FieldLaw(Setting(field, population, medium), crystal, round(x * crystal.sites), boundary)


@pytest.mark.parametrize("medium", [KBR, SODIUM])
@pytest.mark.parametrize("population", [ALIGNED, UNIAXIAL, ROTOR])
@pytest.mark.parametrize("field", ["B", "U_S", "b_gamma", "b_eta", "J_tau"])
def test_angular_functions_make_the_field(field, population, medium):
    """In directions that did not determine the coefficients; every state is one of the kernel's."""
    R = np.random.default_rng(3).normal(size=(40, 3))
    receivers = population.receivers(field).kinds
    sources, weight = population.sources(field)
    coupling = {"U_S": "U", "b_gamma": "U_S_tau", "b_eta": "U_eta_tau", "J_tau": "J"}.get(
        field, "B"
    )
    exact = pair_coupling(coupling, receivers, sources, R, medium)
    distance = np.linalg.norm(R, axis=1) ** -(float(TERMS[coupling].power))
    made = pair_fields(field, receivers, sources, weight, medium)
    for wanted, found in zip(exact, made, strict=True):
        error = np.abs((found(R)[:, None] - wanted) / distance).max(axis=2)
        if found.signed:
            opposite = np.abs((found(R)[:, None] + wanted) / distance).max(axis=2)
            error = np.minimum(error, opposite)
        assert error.min(axis=1).max() < 2e-8 * np.abs(exact / distance).max()


@pytest.mark.parametrize("field", ["B", "U_S", "b", "J_tau"])
def test_isotropic_limit(field):
    """A crystal of Zener's ratio 1 and Kelvin's medium have the same statistics."""
    one, two = (law(field, UNIAXIAL, medium) for medium in (ISOTROPIC, LIKE_ISOTROPIC))
    for name in STATISTICS:
        wanted = two.statistic(name)
        assert one.statistic(name) == pytest.approx(wanted, rel=1e-6, abs=1e-9 * two.std)
    np.testing.assert_allclose(one.dilute.scale, two.dilute.scale, rtol=1e-7)
    np.testing.assert_allclose(
        one.dilute.centre, two.dilute.centre, atol=1e-7 * max(one.dilute.scale)
    )


class TestMean:
    @pytest.mark.parametrize(
        ("medium", "crystal", "s"),
        [
            (KBR, SIMPLE, 7.17496),
            (KBR, FCC, 0.95111),
            (KCL, SIMPLE, 6.42842),
            (KCL, FCC, 0.75569),
        ],
    )
    def test_mean_of_identical_defects(self, medium, crystal, s):
        """⟨B⟩ = x s γη/(4πMa³)."""
        found = law("B", ALIGNED, medium, crystal=crystal)
        unit = 0.7 * found.p / (4 * pi * medium.hill_average.longitudinal_modulus)
        assert found.mean / unit == pytest.approx(s, abs=6e-6)

    @pytest.mark.parametrize("boundary", BOUNDARIES)
    def test_boundaries_of_large_boxes(self, boundary):
        """The box's own sum against the infinite lattice with the boundary's field."""
        small, large = (
            law("B", ALIGNED, KBR, crystal=Lattice("simple_cubic", 1.0, size), boundary=boundary)
            for size in (30, 32)
        )
        assert small.lattice.sites < 3e4 < large.lattice.sites
        assert small.mean / small.p == pytest.approx(large.mean / large.p, rel=4e-4)

    def test_other_fields_have_none(self):
        for field in ("U_S", "b_gamma", "b_eta", "J_tau"):
            assert law(field, ALIGNED, KBR, boundary="clamped").mean == 0
        assert law("B", ROTOR, KBR).mean == pytest.approx(0, abs=1e-9)


class TestDiluteLimit:
    @pytest.mark.parametrize("medium", [KBR, SODIUM])
    @pytest.mark.parametrize(("field", "coupling"), [("B", "B"), ("b_eta", "U_eta_tau")])
    def test_scale_and_centre(self, field, coupling, medium):
        """c^α = (n/3) Γ(1 − α) cos(πα/2) ∫dΩ |g|^α with the exact kernel over another grid.

        Turned, for the kinks of |g| run along the planes of the cube.
        """
        n, solid = sphere(160)
        n = n @ Rotation.from_rotvec([0.3, 0.5, -0.7]).as_matrix()
        defect, _ = ALIGNED.kinds(field)
        g = pair_coupling(coupling, defect, defect, n, medium)[0, 0]
        found = law(field, ALIGNED, medium)
        alpha = 3 / TERMS[coupling].power
        factor = pi / 2 if alpha == 1 else gamma(1 - alpha) * np.cos(pi * alpha / 2)
        scale = (found.p / 3 * factor * (solid @ np.abs(g) ** alpha)) ** (1 / alpha)
        assert found.dilute.scale[0] == pytest.approx(scale, rel=2e-4)
        centre = -found.p / 3 * (solid @ (g * np.log(np.abs(g)))) if alpha == 1 else 0.0
        assert found.dilute.centre[0] == pytest.approx(centre, abs=1e-4 * scale)

    def test_a_boundary_moves_the_centre(self):
        one, two = (law("B", ALIGNED, KBR, boundary=b) for b in ("spherical", "stress_free"))
        moved = two.dilute.centre - one.dilute.centre
        assert moved[0] == pytest.approx(two.mean - one.mean, rel=1e-5)


@pytest.mark.parametrize(
    ("field", "population", "x"),
    [
        ("B", UNIAXIAL, 0.05),
        ("B", UNIAXIAL, 0.2),
        ("B", UNIAXIAL, 0.7),
        ("U_S", ALIGNED, 0.02),
        ("B", UNLIKE, 0.2),
    ],
)
def test_law_of_a_box(field, population, x):
    """F(X) against the product over all sites of a box, 15 625 of them."""
    crystal = Lattice("simple_cubic", 1.0, 25)
    known = law(field, population, KBR, x=x, crystal=crystal, boundary="minimum_image")
    X = np.array([known.statistic("q05"), known.mean, known.statistic("q95")])
    assert known.mean != 0 or population is ALIGNED
    assert np.max(np.abs(known.cdf(X) - _inverted(known, X))) < 5e-4


def _inverted(known, X):
    """F(X) by Gil and Pelaez from the characteristic function of all sites of the box."""
    crystal, population = known.lattice, known.setting.population
    site = crystal.site(np.arange(1, crystal.sites)) * crystal.spacing
    site -= crystal.edge * np.round(site / crystal.edge)
    name = known.setting.field
    receivers = population.receivers(name)
    fields = pair_fields(name, receivers.kinds, *population.sources(name), KBR)
    return receivers.weight @ [_inverted_at(field, site, known.p, X) for field in fields]


def _inverted_at(field, site, p, X):
    U, count = np.unique(np.round(np.abs(field(site)) if field.signed else field(site), 13),
                         axis=1, return_counts=True)  # fmt: skip
    u, weight = np.polynomial.legendre.leggauss(12)
    edges = np.linspace(0, 60 / np.abs(X).max(), 1 + int(15 * np.abs(U).max() / np.abs(X).max()))
    half = np.diff(edges)[:, None] / 2
    t, step = (edges[:-1, None] + half * (1 + u)).ravel(), (half * weight).ravel()
    log = np.empty(len(t), dtype=complex)
    for k, phase in enumerate(t[:, None, None] * U):
        wave = np.cos(phase) if field.signed else np.exp(1j * phase)
        log[k] = np.log(1 - p + p * (field.weight @ wave)) @ count
    wave = np.exp(log - 1j * np.outer(X, t))
    return 0.5 - (wave @ (step / t)).imag / pi

"""Cubic crystals: the bare kernel, the periodic sums and whole realisations."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import reference as ref
from arrays import couplings, fields
from numpy.testing import assert_allclose
from scipy.spatial.transform import Rotation
from scipy.special import roots_legendre

from glasspipe.defects.lattice import Lattice
from glasspipe.elastic.christoffel import angular_table, christoffel_inverse
from glasspipe.elastic.crystal import Crystal, check_anisotropy
from glasspipe.elastic.greens import (
    BOUNDARIES,
    green_derivatives,
    periodic_green_derivatives,
    zero_mode,
)
from glasspipe.elastic.harmonics import far_transform
from glasspipe.elastic.medium import (
    MILD_BULK,
    MILD_ZENER,
    PRESETS,
    CubicMedium,
    Medium,
    cubic_stiffness,
)
from glasspipe.elastic.quadrature import sphere
from glasspipe.elastic.window import SHARP, Window, ladder_table
from glasspipe.kernels import jets
from glasspipe.units import GPA, MODULUS

KBR, KCL = PRESETS["KBr_cubic"].medium, PRESETS["KCl_cubic"].medium
SODIUM = CubicMedium(density=0.97, c11=7.4, c12=6.2, c44=4.2)
"""Zener's ratio 7: as far above 1 as KBr is below."""
LITHIUM = CubicMedium(density=0.53, c11=14.8, c12=12.5, c44=10.8)
ISOTROPIC = CubicMedium(density=1, c11=3 * 1.8**2, c12=3 * (1.8**2 - 2), c44=3.0)
LIKE_ISOTROPIC = Medium(density=3 * GPA / MODULUS, c_l=1.8, c_t=1.0)
R = np.array([[1.0, 2.0, 2.0], [0.0, 0.0, 1.0], [3.0, -1.0, 2.0], [-0.7, 0.7, 0.2]])
BOX = np.array([8.0, 8.0, 8.0])


def relative(found, wanted):
    """Largest error of each point, relative to its largest entry."""
    size = np.abs(wanted).reshape(len(wanted), -1).max(axis=1)
    return np.abs(found - wanted).reshape(len(wanted), -1).max(axis=1) / size


# the infinite medium


@pytest.mark.parametrize("order", range(5))
def test_isotropic_limit_is_kelvins_solution(order):
    kelvin = green_derivatives(R, order, LIKE_ISOTROPIC)
    assert relative(green_derivatives(R, order, ISOTROPIC), kelvin).max() < 1e-12
    assert relative(green_derivatives(R, order, KBR), kelvin).max() > 0.1


@pytest.mark.parametrize("medium", [KBR, SODIUM])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_derivatives_are_those_of_the_order_below(order, medium):
    x = np.array([0.7, -1.1, 0.6])
    exact = green_derivatives(x, order, medium)
    errors = []
    for step in (4e-3, 2e-3):
        shifts = step * np.eye(3)
        plus, minus = (green_derivatives(x + s * shifts, order - 1, medium) for s in (1, -1))
        numerical = np.moveaxis((plus - minus) / (2 * step), 0, -1)
        errors.append(np.abs(numerical - exact).max())
    assert errors[1] < 1e-3 * np.abs(exact).max()
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.02)


@pytest.mark.parametrize("medium", [KBR, KCL, SODIUM])
def test_static_equilibrium(medium):
    """C_iajb ∂_a∂_b G_jk = 0 away from the source."""
    G2 = green_derivatives(R, 2, medium)
    residual = np.einsum("iajb,pjkab->pik", medium.stiffness, G2)
    assert np.abs(residual).max() < 1e-13 * np.abs(medium.stiffness).max() * np.abs(G2).max()


def test_a_sphere_around_the_force_carries_it():
    """∮ C_iajb n_a ∂_b G_jk dS = −δ_ik, which fixes the size of G."""
    u, weight = np.polynomial.legendre.leggauss(40)
    phi = np.arange(80) * np.pi / 40
    u, phi = (a.ravel() for a in np.meshgrid(u, phi, indexing="ij"))
    n = np.stack([np.sqrt(1 - u**2) * np.cos(phi), np.sqrt(1 - u**2) * np.sin(phi), u], axis=1)
    stress = np.einsum("iajb,pjkb->piak", KBR.stiffness, green_derivatives(n, 1, KBR))
    force = np.einsum("p,pa,piak->ik", np.repeat(weight, 80) * np.pi / 40, n, stress)
    assert_allclose(force, -np.eye(3), atol=1e-10)


def test_rotations_of_the_cube_and_no_other():
    turns = [np.roll(np.eye(3), 1, axis=0), np.diag([1.0, -1.0, -1.0]), -np.eye(3)]
    other = Rotation.from_rotvec([0.0, 0.0, 0.5]).as_matrix()
    G2 = green_derivatives(R, 2, KBR)
    for turn in [*turns, other]:
        turned = G2
        for _ in range(4):
            turned = np.tensordot(turned, turn, axes=(1, 1))
        difference = relative(green_derivatives(R @ turn.T, 2, KBR), turned).max()
        assert difference > 0.1 if turn is other else difference < 1e-13


def test_the_limit_of_instability_is_refused():
    soft = CubicMedium(density=1, c11=1, c12=1 - 1e-9, c44=1)
    with pytest.raises(ValueError, match="too close to instability"):
        green_derivatives(R, 2, soft)


@pytest.mark.parametrize("zener", MILD_ZENER)
@pytest.mark.parametrize("bulk", [1e-3, MILD_BULK])
def test_sums_in_mild_crystals_end(zener, bulk):
    """Of K in units of c44: at the corners, so that a crystal inside need not be tried."""
    bulk, difference = bulk * 0.999, 2 * zener**-0.999
    medium = CubicMedium(1.0, bulk + 2 * difference / 3, bulk - difference / 3, 1.0)
    assert medium.is_mild
    assert 2 * Crystal(medium).reach ** 2 < 220


def test_crystals_that_are_not_mild_are_tried():
    """Na and Li are as anisotropic as crystals get: A = 7.0 and 9.4; one of 11.4 is served, too."""
    for medium in (SODIUM, LITHIUM, replace(LITHIUM, c12=12.9)):
        assert not medium.is_mild
        check_anisotropy(medium)
    softer = replace(LITHIUM, c12=13.2)
    assert softer.zener_ratio == pytest.approx(13.5, abs=0.1)
    with pytest.raises(ValueError, match=r"Zener's ratio .* = 13\.5 and K = 1\.272 c44, for"):
        check_anisotropy(softer)
    with pytest.raises(ValueError, match=r"Zener's ratio .* = 13\.5"):
        Crystal(softer).reach  # noqa: B018


# the window and the tables


def test_the_ladder_of_the_window():
    rho, step = np.linspace(0.31, 0.99, 40), 1e-5
    D = SHARP.ladder(rho)
    numerical = (SHARP.ladder(rho + step) - SHARP.ladder(rho - step)) / (2 * step) / rho[:, None]
    for k in range(4):
        assert_allclose(D[:, k + 1], numerical[:, k], atol=1e-6 * np.abs(D[:, k + 1]).max())
    assert_allclose(SHARP(np.array([0.0, 0.3, 1.0, 1.5])), [1, 1, 0, 0], atol=1e-12)
    assert_allclose(SHARP.ladder(np.array([0.2, 1.0]))[:, 1:], 0)


@pytest.mark.parametrize("window", [SHARP, Window(0.1, 4.0)])
@pytest.mark.parametrize("medium", [KBR, KCL, LITHIUM])
def test_the_far_part_is_what_a_sum_over_directions_leaves(medium, window):
    """G(q) − ∫dΩ g(n) ∫ w ρ cos(ρ q·n) dρ, by brute force, along axes and across them."""
    q = np.array(
        [[0, 0, 3.0], [20.0, 20.0, 0], [-31.0, 7.0, 18.0], [41.0, -40.0, 42.0], [0.1, 0, 0]]
    )
    node, weight = roots_legendre(60)
    ends = np.array([0, window.start, 1])
    rho = (ends[1:] + ends[:-1] + np.diff(ends) * node[:, None]).T.ravel() / 2
    radial = window(rho) * rho * np.outer(np.diff(ends) / 2, weight).ravel()
    n, solid = sphere(128)
    g = green_derivatives(n, 0, medium) * solid[:, None, None]
    near = [np.einsum("n,nab->ab", np.cos(np.outer(n @ one, rho)) @ radial, g) for one in q]
    G = christoffel_inverse(q, medium)
    found = far_transform(q, medium, window)
    error = np.abs(found - (G - near)).max(axis=(1, 2)) / np.abs(G).max(axis=(1, 2))
    assert error.max() < 1e-11
    assert np.abs(found[:4] / G.max(axis=(1, 2), keepdims=True)[:4]).max() > 0.1


def test_the_far_part_ends_without_a_rest():
    """Where nothing is left no rounding is, as a difference of two large numbers would have."""
    q = np.random.default_rng(3).normal(size=(200, 3))
    q *= 240 / np.linalg.norm(q, axis=1, keepdims=True)
    assert np.abs(far_transform(q, KBR, SHARP)).max() < 2e-14 * christoffel_inverse(q, KBR).max()


@pytest.mark.parametrize("cutoff", [0.0, 3.0])
@pytest.mark.parametrize("medium", [KBR, SODIUM])
def test_the_error_of_the_tables(medium, cutoff):
    """Jets of G w from the tables against the exact products, in every octant and on its edges."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(60, 3))
    x[:20] = rng.choice([-1.0, 0.0, 1.0], size=(20, 3))
    r = np.linalg.norm(x, axis=1)
    x = x[(r > 0) & (r < 3)]
    table, work = angular_table(medium), jets.workspace(angular_table(medium))
    worst = np.zeros(5)
    for order in range(5):
        bare = green_derivatives(x, order, medium)
        exact = windowed(x, order, medium, cutoff) if cutoff else bare
        size = np.abs(bare).reshape(len(x), -1).max(axis=1)
        for point, row in enumerate(x):
            total = np.zeros(35 * jets.LANES)
            image = np.array([*row, row @ row, 1.0])
            recipe = jets.products(order, order)
            jets.add_near(image, table, ladder_table(), cutoff, order, recipe, work, total)
            for entry in product(range(3), repeat=order):
                e = np.bincount(entry, minlength=3)
                factor = np.prod([[1, 1, 2, 6, 24][i] for i in e])
                found = factor * total.reshape(35, -1)[jets.INDEX[tuple(e)]][jets.COMPONENT]
                error = np.abs(found - exact[(point, ..., *entry)]).max() / size[point]
                worst[order] = max(worst[order], error)
    assert worst[4] < 1e-9
    assert worst[2] < 1e-11


def windowed(x, order, medium, cutoff):
    from glasspipe.elastic.crystal import Crystal

    crystal = Crystal(medium)
    return crystal.near(x, order, crystal.reach / cutoff)


# periodic sums


@pytest.mark.parametrize(("order", "error"), [(2, 2e-11), (3, 4e-10), (4, 4e-9)])
def test_periodic_sums_do_not_depend_on_alpha(order, error):
    sums = [
        periodic_green_derivatives(R, order, KBR, BOX, boundary="clamped", sharpness=sharpness)
        for sharpness in (6.0, 9.0)
    ]
    assert relative(sums[1], sums[0]).max() < error


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize(("order", "error"), [(2, 5e-11), (3, 2e-10), (4, 1e-9)])
def test_isotropic_limit_of_periodic_sums(order, error, boundary):
    options = {"box": BOX, "boundary": boundary}
    kelvin = periodic_green_derivatives(R, order, LIKE_ISOTROPIC, **options)
    found = periodic_green_derivatives(R, order, ISOTROPIC, sharpness=5.5, **options)
    assert relative(found, kelvin).max() < error


def test_spherical_boundary_is_the_sum_over_growing_spheres():
    x, box = np.array([[1.3, 0.4, -0.8]]), np.array([4.0, 4.0, 4.0])
    n = np.array(list(product(range(-16, 17), repeat=3)))
    shells = np.linalg.norm(n, axis=1)
    n, shells = n[shells <= 16], shells[shells <= 16]
    G2 = green_derivatives(x + n * box, 2, KBR)
    partial = np.array([G2[shells <= radius].sum(axis=0) for radius in np.linspace(10, 16, 60)])
    spherical, clamped = (
        periodic_green_derivatives(x, 2, KBR, box, boundary=boundary)[0]
        for boundary in ("spherical", "clamped")
    )
    scatter = np.abs(partial - partial.mean(axis=0)).max()
    assert_allclose(partial.mean(axis=0), spherical, atol=scatter / 3)
    assert np.abs(clamped - spherical).max() > 3 * scatter


def test_large_box_tends_to_the_infinite_medium():
    bare = green_derivatives(R, 2, KBR)
    errors = [
        np.abs(
            periodic_green_derivatives(R, 2, KBR, [edge] * 3, boundary="spherical", sharpness=7)
            - bare
        ).max()
        for edge in (40.0, 80.0)
    ]
    assert errors[0] < 1e-3 * np.abs(bare).max()
    assert errors[0] / errors[1] == pytest.approx(8, rel=0.1)


# the q = 0 term


@pytest.mark.parametrize("medium", [KBR, SODIUM, LIKE_ISOTROPIC])
def test_a_stress_free_box_strains_as_its_dipoles_pull(medium):
    """K_0 = −P_1 : C⁻¹ : P_2/V: the strain ε of P_2 = V C : ε costs and gains what it must."""
    rng = np.random.default_rng(2)
    strain, other = (a + a.T for a in rng.normal(size=(2, 3, 3)))
    P2 = 7.0 * np.einsum("abcd,cd->ab", medium.stiffness, strain)
    energy = np.einsum("ab,abcd,cd", other, zero_mode(medium, 7.0, "stress_free"), P2)
    assert energy == pytest.approx(-np.sum(other * strain), rel=1e-12)


def test_stress_free_against_volume_sources():
    """Against P_2 = η·1 it is −η tr γ/(3KV)."""
    for medium in (KBR, LIKE_ISOTROPIC):
        K_0 = zero_mode(medium, 5.0, "stress_free")
        found = np.einsum("ab,abcd,cd", ref.GAMMA1, K_0, ref.UNIT)
        assert found == pytest.approx(-1 / (3 * medium.bulk_modulus * 5.0), rel=1e-12)


def test_stress_free_differs_from_clamped_by_a_constant():
    clamped, free = (
        periodic_green_derivatives(R, 2, LIKE_ISOTROPIC, BOX, boundary=boundary)
        for boundary in ("clamped", "stress_free")
    )
    shift = ref.dipole_dipole(free - clamped, ref.GAMMA1, ref.GAMMA2)
    K_0 = zero_mode(LIKE_ISOTROPIC, BOX.prod(), "stress_free")
    assert_allclose(shift, np.einsum("ab,abcd,cd", ref.GAMMA1, K_0, ref.GAMMA2), rtol=1e-9)


@pytest.mark.parametrize(
    ("medium", "simple_cubic", "fcc"), [(KBR, 7.17496, 0.95111), (KCL, 6.42842, 0.75569)]
)
def test_mean_field_of_identical_dipoles(medium, simple_cubic, fcc):
    """⟨B⟩ = x s γη/(4πMa³) of γ = ẑẑ: the lattice sum that an isotropic medium has not."""
    unit = 1 / (4 * np.pi * medium.hill_average.longitudinal_modulus)
    found = {}
    for type_, constant, size in (("simple_cubic", 1.0, 3), ("fcc", np.sqrt(2), 2)):
        lattice = Lattice(type_, constant, size)
        x = lattice.site(np.arange(1, lattice.sites)) * lattice.spacing
        G2 = periodic_green_derivatives(
            x, 2, medium, [lattice.edge] * 3, boundary="spherical", sharpness=7.0
        )
        box = ref.dipole_dipole(G2, np.diag([0, 0, 1.0]), ref.UNIT).sum() / unit
        # the images of the site itself, a simple cubic lattice of boxes, are in s but not in B
        own = found.get("simple_cubic", box / (lattice.size**3 - 1) * lattice.size**3)
        found[type_] = box + own / lattice.edge**3
    assert found["simple_cubic"] == pytest.approx(simple_cubic, abs=1e-5)
    assert found["fcc"] == pytest.approx(fcc, abs=1e-5)


# whole realisations


class Defects:
    """Defects off the lattice without accidental symmetry, two of them half an edge apart."""

    number = 6

    def __init__(self, box):
        rng = np.random.default_rng(1)
        self.box = np.array(box)
        self.position = rng.random((self.number, 3)) * box
        self.position[1] = (self.position[0] + [box[0] / 2, 1.0, 2.0]) % box
        gamma = rng.normal(size=(self.number, 3, 3))
        self.gamma = gamma + gamma.transpose(0, 2, 1)
        self.eta = rng.normal(size=self.number)
        zeta = rng.normal(size=(self.number, 3, 3, 3))
        self.zeta = zeta + zeta.transpose(0, 1, 3, 2)
        self.S, self.tau = rng.choice((-1, 1), size=(2, self.number))

    def made(self, **options):
        options = {"box": self.box, "medium": KBR, "boundary": "spherical", **options}
        return (
            couplings(self.position, self.gamma, self.eta, **options),
            fields(
                self.position, self.gamma, self.eta, self.zeta, self.S, self.tau, **options
            ),
        )  # fmt: skip


def near(found, wanted):
    assert_allclose(found, wanted, rtol=0, atol=1e-9 * np.abs(wanted).max())


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_realisations_are_contractions_of_the_exact_tensor(boundary):
    defects = Defects([9.0, 10.0, 12.0])
    N = defects.number
    made, tau = defects.made(boundary=boundary)
    i, j = np.triu_indices(N, 1)
    G2, G3, G4 = (
        periodic_green_derivatives(
            defects.position[i] - defects.position[j], order, KBR, defects.box,
            boundary=boundary, sharpness=7.0,
        )
        for order in (2, 3, 4)
    )  # fmt: skip
    gamma, eta, zeta, S = defects.gamma, defects.eta, defects.zeta, defects.S
    U, J = np.zeros(len(i)), np.zeros((N, N))
    B, b_gamma, b_eta = np.zeros(N), np.zeros(N), np.zeros(N)
    for k, (one, two) in enumerate(zip(i, j, strict=True)):
        U[k] = ref.dipole_dipole(G2[k], gamma[one], gamma[two])
        J[one, two] = J[two, one] = ref.gradient_gradient(G4[k], zeta[one], zeta[two])
        for here, there, sign in ((one, two, -1), (two, one, 1)):
            B[here] += eta[there] * ref.dipole_dipole(G2[k], gamma[here], ref.UNIT)
            b_gamma[here] += S[there] * ref.dipole_gradient(sign * G3[k], gamma[there], zeta[here])
            b_eta[here] += eta[there] * ref.dipole_gradient(sign * G3[k], ref.UNIT, zeta[here])
    near(made.U, U)
    near(made.B, B)
    near(tau.b_gamma, b_gamma)
    near(tau.b_eta, b_eta)
    near(tau.J_abs, np.abs(J).sum(axis=1))
    near(tau.J_tau, J @ defects.tau)


def test_a_nearly_isotropic_crystal_is_the_isotropic_medium():
    defects = Defects([9.0, 9.0, 9.0])
    crystal = defects.made(medium=ISOTROPIC)
    isotropic = defects.made(medium=LIKE_ISOTROPIC)
    for name in ("U", "B"):
        near(getattr(crystal[0], name), getattr(isotropic[0], name))
    for name in ("b_gamma", "b_eta", "J_abs", "J_tau"):
        near(getattr(crystal[1], name), getattr(isotropic[1], name))


def test_a_turn_of_the_whole_box():
    defects = Defects([9.0, 9.0, 9.0])
    before = defects.made()
    turn = np.roll(np.eye(3), 1, axis=0) @ np.diag([1.0, -1.0, -1.0])
    defects.position = (defects.position @ turn.T) % defects.box
    defects.gamma = np.einsum("ab,cd,nbd->nac", turn, turn, defects.gamma)
    defects.zeta = np.einsum("ab,cd,ef,nbdf->nace", turn, turn, turn, defects.zeta)
    after = defects.made()
    near(after[0].U, before[0].U)
    near(after[1].b_gamma, before[1].b_gamma)
    near(after[1].J_tau, before[1].J_tau)


def test_volume_sources_reach_isotropic_dipoles_in_a_crystal():
    """Statement 9 of the paper, γ ∝ δ gives B = 0, is one on isotropic media."""
    defects = Defects([9.0, 9.0, 9.0])
    defects.gamma = np.repeat(np.eye(3)[None], defects.number, axis=0)
    crystal, isotropic = (
        np.abs(defects.made(medium=medium)[0].B).max() * medium.bulk_modulus
        for medium in (KBR, KBR.hill_average)
    )
    assert isotropic < 1e-10 * crystal


def test_stiffness():
    C = cubic_stiffness(5.0, 2.0, 1.0)
    assert (C[0, 0, 0, 0], C[0, 0, 1, 1], C[0, 1, 0, 1], C[0, 1, 1, 0]) == (5, 2, 1, 1)
    assert C[0, 0, 0, 1] == C[0, 0, 1, 2] == C[0, 1, 0, 2] == 0
    assert_allclose(LIKE_ISOTROPIC.stiffness, ISOTROPIC.stiffness, rtol=1e-13, atol=1e-15)

"""The couplings as printed against the paper's formulas, written out anew, and what they break."""

from functools import partial
from itertools import combinations, product
from math import pi, sqrt

import numpy as np
import pytest
from arrays import couplings, fields
from numpy.testing import assert_allclose
from workbench import part

from glasspipe.defects.component import Component
from glasspipe.defects.lattice import Lattice
from glasspipe.defects.tensors import Tensors
from glasspipe.elastic.greens import BOUNDARIES, zero_mode
from glasspipe.elastic.medium import PRESETS, Medium
from glasspipe.elastic.printed import Printed
from glasspipe.errors import ConfigError
from glasspipe.settings.point import point_from
from glasspipe.settings.seeds import seed_sequence
from glasspipe.theory.field_law import FieldLaw, Setting
from glasspipe.theory.pair_fields import pair_coupling
from glasspipe.theory.population import Population

MEDIUM = PRESETS["KBr"].medium
PRINTED = Printed(MEDIUM)
BOX = np.array([9.0, 10.0, 12.0])
NUMBER = 5
LONGITUDINAL, TRANSVERSE = 1 / MEDIUM.longitudinal_modulus, 1 / MEDIUM.transverse_modulus


def tensors(number, seed=1):
    rng = np.random.default_rng(seed)
    gamma, zeta = rng.normal(size=(number, 3, 3)), rng.normal(size=(number, 3, 3, 3))
    gamma, zeta = gamma + gamma.transpose(0, 2, 1), zeta + zeta.transpose(0, 1, 3, 2)
    return Tensors(gamma, rng.normal(size=number), zeta)


ONE, TWO = tensors(1, 3), tensors(1, 4)
R = np.array([[1.0, 2.0, 2.0], [0.0, 0.0, 1.0], [3.0, -1.0, 2.0], [-0.7, 0.7, 0.2]])


# the paper's formulas


def every(parts, rest):
    """Sum over the ways to give indices abcde to δ's (pairs) and n's: [(pairs, singles), …]."""
    if not parts:
        return [((), tuple(rest))]
    found = []
    for pair in combinations(rest, 2):
        left = [k for k in rest if k not in pair]
        for pairs, singles in every(parts - 1, left):
            found.append((tuple(sorted([pair, *pairs])), singles))
    return sorted(set(found))


def symmetric(pairs, n, letters):
    """The sum over all distinct permutations of δ…δ n…n, (points,) + (3,) * len(letters)."""
    total = 0
    for deltas, singles in every(pairs, letters):
        terms = ["".join(d) for d in deltas] + ["p" + s for s in singles]
        factors = [np.eye(3)] * pairs + [n] * len(singles)
        if not singles:
            terms, factors = [*terms, "p"], [*factors, np.ones(len(n))]
        total = total + np.einsum(",".join(terms) + "->p" + letters, *factors)
    return total


def printed_16(x, gamma1, gamma2):
    """g^zz/R³ of (15), (16), letter by letter."""
    r = np.linalg.norm(x, axis=-1)
    n, delta = x / r[..., None], np.eye(3)
    first = np.einsum("ab,ad,pbd->p", gamma1, gamma2, delta - 3 * symmetric(0, n, "bd"))
    bracket = -symmetric(2, n, "abcd") + 3 * symmetric(1, n, "abcd") - 15 * symmetric(0, n, "abcd")
    second = np.einsum("ab,cd,pabcd->p", gamma1, gamma2, bracket)
    return (-TRANSVERSE * first - (LONGITUDINAL - TRANSVERSE) * second) / (4 * pi * r**3)


def printed_60(x, gamma, zeta):
    """The field of one S = +1 at x from the τ, (60) with (46), (51), (58) and NM/V = ρ."""
    r = np.linalg.norm(x, axis=-1)
    n = x / r[..., None]
    a, b, c = 24 * pi**2 / 5, -138 * pi**2 / 5, 1092 * pi**2 / 5
    F = sum(k * symmetric(pairs, n, "abcde") for k, pairs in ((a, 2), (b, 1), (c, 0)))
    G = pi**2 * (6 * symmetric(1, n, "bde") - 30 * symmetric(0, n, "bde"))
    bracket = (LONGITUDINAL - TRANSVERSE) * F
    bracket = bracket + 2 * pi**2 * TRANSVERSE * np.einsum("ac,pbde->pabcde", np.eye(3), G)
    return -np.einsum("ab,cde,pabcde->p", gamma, zeta, bracket) / (2 * pi**3 * r**4)


def test_the_tensors_of_51_have_15_10_and_1_terms():
    n = np.array([[2.0, -1.0, 2.0]]) / 3
    for pairs, terms in ((2, 15), (1, 10), (0, 1)):
        tensor = symmetric(pairs, n, "abcde")[0]
        for _ in range(5):
            tensor = tensor @ n[0]
        assert tensor == pytest.approx(terms)


# the infinite medium


def test_U_is_16_as_printed():
    found = pair_coupling("U", ONE, TWO, R, PRINTED)[0, 0]
    assert_allclose(found, printed_16(R, ONE.gamma[0], TWO.gamma[0]), rtol=1e-12)


def test_b_gamma_is_60_as_printed():
    found = pair_coupling("U_S_tau", ONE, TWO, R, PRINTED)[0, 0]
    assert_allclose(found, printed_60(R, TWO.gamma[0], ONE.zeta[0]), rtol=1e-12)


@pytest.mark.parametrize("coupling", ["B", "U_eta_tau", "J"])
def test_other_couplings_are_the_derived_ones(coupling):
    found, wanted = (pair_coupling(coupling, ONE, TWO, R, m) for m in (PRINTED, MEDIUM))
    assert_allclose(found, wanted, rtol=0, atol=0)


@pytest.mark.parametrize("medium", [MEDIUM, PRINTED])
@pytest.mark.parametrize(
    ("coupling", "reduced"), [("U", "B"), ("U_S_tau", "U_eta_tau")], ids=["16-26", "60-68"]
)
def test_volume_sources_tell_derived_from_printed(coupling, reduced, medium):
    """With γ → η·1 (16) is to be (26) and (60) is to be (68); the printed ones are not."""
    eta = 0.7
    volume = Tensors(eta * np.eye(3)[None], np.array([eta]), TWO.zeta)
    found, wanted = (pair_coupling(c, ONE, volume, R, medium) for c in (coupling, reduced))
    error = np.abs(found - wanted).max() / np.abs(wanted).max()
    assert error > 1 if medium is PRINTED else error < 1e-12


def test_equal_velocities_leave_16_alone():
    degenerate = Medium(MEDIUM.density, MEDIUM.c_t, MEDIUM.c_t)
    found, wanted = (pair_coupling("U", ONE, TWO, R, m) for m in (Printed(degenerate), degenerate))
    assert_allclose(found, wanted, rtol=1e-13)


# periodic sums


def images(reach):
    n = np.array(list(product(range(-reach, reach + 1), repeat=3)))
    return n, np.linalg.norm(n, axis=1)


def test_U_with_the_spherical_boundary_is_the_sum_over_growing_spheres():
    x, edge = np.array([[1.3, 0.4, -0.8]]), 4.0
    n, shell = images(24)
    bare = printed_16(x + n * edge, ONE.gamma[0], TWO.gamma[0])
    partial_sums = np.array([bare[shell <= radius].sum() for radius in np.linspace(14, 24, 60)])
    scatter = np.abs(partial_sums - partial_sums.mean()).max()
    spherical, clamped = (
        pair_coupling("U", ONE, TWO, x, PRINTED, box=[edge] * 3, boundary=boundary)[0, 0, 0]
        for boundary in ("spherical", "clamped")
    )
    assert partial_sums.mean() == pytest.approx(spherical, abs=scatter / 4)
    assert abs(clamped - spherical) > 4 * scatter


def test_b_gamma_of_a_box_is_the_sum_over_images():
    x, edge = np.array([[1.3, 0.4, -0.8]]), 4.0
    n, shell = images(16)
    bare = printed_60(x + n[shell <= 16] * edge, TWO.gamma[0], ONE.zeta[0])
    found = pair_coupling("U_S_tau", ONE, TWO, x, PRINTED, box=[edge] * 3)[0, 0, 0]
    assert found == pytest.approx(bare.sum(), rel=1e-4)


def test_the_zero_modes_of_U():
    """Spherical: (14) with its first term times −2; stress-free: the medium's own compliance."""
    gamma1, gamma2, volume = ONE.gamma[0], TWO.gamma[0], BOX.prod()
    U = {
        boundary: pair_coupling("U", ONE, TWO, R, PRINTED, box=BOX, boundary=boundary)[0, 0]
        for boundary in BOUNDARIES
    }
    dot = np.sum(gamma1 * gamma2)
    isotropic = -2 * (LONGITUDINAL - TRANSVERSE) * (np.trace(gamma1) * np.trace(gamma2) + 2 * dot)
    K_0 = -(isotropic / 15 + TRANSVERSE * dot / 3) / volume
    assert_allclose(U["spherical"] - U["clamped"], K_0, rtol=1e-9)
    relaxed = zero_mode(MEDIUM, volume, "stress_free")
    K_0 = np.einsum("ab,abcd,cd", gamma1, relaxed, gamma2)
    assert_allclose(U["stress_free"] - U["clamped"], K_0, rtol=1e-9)


# whole realisations


@pytest.fixture(scope="module")
def defects():
    rng = np.random.default_rng(2)
    position = rng.random((NUMBER, 3)) * BOX
    position[1] = (position[0] + [BOX[0] / 2, 1.0, 2.0]) % BOX
    return position, tensors(NUMBER), *rng.choice((-1, 1), size=(2, NUMBER))


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_realisations(defects, boundary):
    position, own, S, tau = defects
    options = {"box": BOX, "boundary": boundary}
    made, plain = (
        couplings(position, own.gamma, own.eta, medium=m, **options) for m in (PRINTED, MEDIUM)
    )
    tau_made, tau_plain = (
        fields(position, own.gamma, own.eta, own.zeta, S, tau, medium=m, **options)
        for m in (PRINTED, MEDIUM)
    )
    U, b = np.zeros((NUMBER, NUMBER)), np.zeros(NUMBER)
    for i, j in product(range(NUMBER), repeat=2):
        if i != j:
            pair = partial(pair_coupling, receivers=own[np.array([i])], sources=own[np.array([j])])
            x = (position[j] - position[i])[None]
            U[i, j] = pair("U", R=x, medium=PRINTED, **options).item()
            b[i] += S[j] * pair("U_S_tau", R=x, medium=PRINTED, **options).item()
    assert_allclose(made.U, U[np.triu_indices(NUMBER, 1)], atol=1e-10 * np.abs(U).max())
    assert_allclose(tau_made.b_gamma, b, atol=1e-10 * np.abs(b).max())
    assert_allclose(made.B, plain.B, rtol=0, atol=0)
    for name in ("b_eta", "J_abs", "J_max", "J_tau"):
        assert_allclose(getattr(tau_made, name), getattr(tau_plain, name), rtol=0, atol=0)
    assert np.abs(made.U - plain.U).max() > 0.5 * np.abs(plain.U).max()
    assert np.abs(tau_made.b_gamma - tau_plain.b_gamma).max() > np.abs(tau_plain.b_gamma).max()


# theory


@pytest.mark.parametrize(
    ("field", "species", "boundary"),
    [("U_S", "aligned", boundary) for boundary in BOUNDARIES]
    + [("b_gamma", "uniaxial", boundary) for boundary in ("spherical", "minimum_image")],
)
def test_widths_of_a_small_box(field, species, boundary):
    """p Σ_R ⟨U²⟩ over the other sites of the box, the source in the corner, by compiled loops."""
    crystal = Lattice("fcc", 1.0, 2)
    population = Population((Component(species, "111", 1.0, 0.7, 1.3),))
    kinds, weight = population.kinds(field)
    site = crystal.site(np.arange(crystal.sites)) * crystal.spacing
    options = {"box": [crystal.edge] * 3, "medium": PRINTED, "boundary": boundary}
    square = 0.0
    for receiver, source in product(range(len(kinds)), repeat=2):
        own = kinds[np.array([source] + [receiver] * (crystal.sites - 1))]
        if field == "U_S":
            values = couplings(site, own.gamma, own.eta, **options).U[: crystal.sites - 1]
        else:
            own.gamma[1:] = 0
            S = np.ones(crystal.sites)
            values = fields(site, own.gamma, own.eta, own.zeta, S, S, **options).b_gamma[1:]
        square += weight[receiver] * weight[source] * np.sum(values**2)
    law = FieldLaw(Setting(field, population, PRINTED), crystal, 6, boundary)
    assert law.std == pytest.approx(sqrt(5 / 31 * square), rel=1e-8)


@pytest.mark.parametrize(("field", "power"), [("U_S", 3), ("b_gamma", 4)])
def test_dilute_limit(field, power):
    """The scale of the stable law with the printed kernel over a grid of directions of its own."""
    aligned = Population((Component("aligned", "111", 1.0, 1.0, 1.0),))
    u, weight = np.polynomial.legendre.leggauss(2000)  # an axial kernel depends on cos θ alone
    n = np.stack([np.sqrt(1 - u**2), 0 * u, u], axis=1)
    axis = np.array([0.0, 0.0, 1.0])
    dyad, triad = np.outer(axis, axis), np.einsum("a,b,c->abc", axis, axis, axis)
    g = printed_16(n, dyad, dyad) if power == 3 else printed_60(n, dyad, triad)
    law = FieldLaw(Setting(field, aligned, PRINTED), Lattice("simple_cubic", 1.0, 100), 1000)
    alpha = 3 / power
    factor = pi / 2 if power == 3 else 3.6256099082219083 * np.cos(pi * alpha / 2)  # Γ(1/4)
    scale = (law.p / 3 * factor * 2 * pi * weight @ np.abs(g) ** alpha) ** (1 / alpha)
    assert law.dilute.scale[0] == pytest.approx(scale, rel=1e-5)


# the config


def test_points_of_either_formula_share_their_disorder():
    one, two = (point_from({"formula": formula}) for formula in ("derived", "as_printed"))
    assert part(one, "sample").hash == part(two, "sample").hash
    assert part(one, "couplings").hash != part(two, "couplings").hash
    for stage in ("sample", "freeze", "fields"):
        keys = [seed_sequence(point.model, stage, 3).generate_state(4) for point in (one, two)]
        assert_allclose(*keys)
    assert two.model.interaction == Printed(one.model.interaction)


def test_crystals_have_no_printed_formula():
    with pytest.raises(ConfigError, match=r"^formula: found as_printed with a cubic medium") as e:
        point_from({"formula": "as_printed", "medium": "KBr_cubic"})
    assert "\n" not in str(e.value)

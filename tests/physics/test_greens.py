"""Kelvin's solution, its derivatives and their periodic sums."""

from itertools import product

import numpy as np
import pytest
import reference as ref
from numpy.testing import assert_allclose
from scipy.spatial.transform import Rotation

from glasspipe.elastic.greens import (
    green_derivatives,
    nearest_images,
    periodic_green_derivatives,
    zero_mode,
)
from glasspipe.elastic.kelvin import isotropic_coefficients, radial_derivatives
from glasspipe.elastic.medium import Medium

REFERENCE = {
    "U": (ref.dipole_dipole(ref.BULK[2], ref.GAMMA1, ref.GAMMA2),
          [0.00115898026265500, 0.00545798844622413, 0.000119375962645529]),
    "B": (ref.dipole_dipole(ref.BULK[2], ref.GAMMA1, ref.UNIT),
          [0.00161718176184418, 0, 6.69815251751711e-05]),
    "U_S_tau": (ref.dipole_gradient(ref.BULK[3], ref.GAMMA1, ref.ZETA2),
                [0.00169411107954371, 0.0211758697830044, -0.000387454621650756]),
    "U_eta_tau": (ref.dipole_gradient(ref.BULK[3], ref.UNIT, ref.ZETA2),
                  [0.000700260244146969, 0.0567210797759046, -0.000292800783471816]),
    "J": (ref.gradient_gradient(ref.BULK[4], ref.ZETA1, ref.ZETA2),
          [-0.00124882369386857, 0.111342964302972, -0.000189780987996320]),
    "U clamped": (ref.dipole_dipole(ref.CLAMPED[2], ref.GAMMA1, ref.GAMMA2),
                  [0.00119704242104286, 0.00553293268380060, 2.50314362208418e-05]),
    "J box": (ref.gradient_gradient(ref.CLAMPED[4], ref.ZETA1, ref.ZETA2),
              [-0.0011629523271, 0.111346390525, -0.000295468388076]),
    "B clamped": (ref.dipole_dipole(ref.CLAMPED[2], np.diag([0, 0, 1.0]), ref.UNIT),
                  [0.000539055250256880, 0.0493510268235478, 0.000118123884374380]),
    "U_S_tau clamped": (ref.dipole_gradient(ref.CLAMPED[3], ref.GAMMA1, ref.ZETA2),
                        [0.00178957132939743, 0.0211611251044791, -0.000443624342812555]),
}  # fmt: skip


@pytest.mark.parametrize("name", REFERENCE)
def test_reference_numbers(name):
    found, wanted = REFERENCE[name]
    assert_allclose(found, wanted, rtol=1e-9, atol=1e-18)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_derivatives_are_those_of_the_order_below(order):
    """Central differences converge to the derivative with the square of the step."""
    R = np.array([0.7, -1.1, 0.6])
    exact = green_derivatives(R, order, ref.MEDIUM)
    errors = []
    for step in (1e-2, 5e-3):
        shifts = step * np.eye(3)
        plus, minus = (
            green_derivatives(R + sign * shifts, order - 1, ref.MEDIUM) for sign in (1, -1)
        )
        numerical = np.moveaxis((plus - minus) / (2 * step), 0, -1)
        errors.append(np.abs(numerical - exact).max())
    assert errors[1] < 1e-3 * np.abs(exact).max()
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.02)


def test_kelvins_solution():
    """G itself against the textbook form (Landau and Lifshitz, Theory of Elasticity, § 8)."""
    R = np.array([0.3, -0.5, 0.8])
    r, n = np.linalg.norm(R), R / np.linalg.norm(R)
    mu, lam = ref.MEDIUM.transverse_modulus, ref.MEDIUM.longitudinal_modulus
    nu = (lam - 2 * mu) / (2 * (lam - mu))
    kelvin = ((3 - 4 * nu) * np.eye(3) + np.outer(n, n)) / (16 * np.pi * mu * (1 - nu) * r)
    assert_allclose(green_derivatives(R, 0, ref.MEDIUM), kelvin, rtol=1e-13)


def test_static_equilibrium():
    """Away from the source C_iajb ∂_a∂_b G_jk = 0: μ ∇²G + (λ + μ) ∂∂·G = 0."""
    mu, lam = (
        ref.MEDIUM.transverse_modulus,
        ref.MEDIUM.longitudinal_modulus - 2 * ref.MEDIUM.transverse_modulus,
    )
    G2 = green_derivatives(ref.R, 2, ref.MEDIUM)
    residual = mu * np.einsum("pikaa->pik", G2) + (lam + mu) * np.einsum("pjkij->pik", G2)
    assert np.abs(residual).max() < 1e-13 * mu * np.abs(G2).max()


def test_rotation_of_everything():
    turn = Rotation.from_rotvec([0.3, -0.8, 0.5]).as_matrix()
    G4 = green_derivatives(ref.R, 4, ref.MEDIUM)
    turned = green_derivatives(ref.R @ turn.T, 4, ref.MEDIUM)
    for _ in range(6):
        G4 = np.tensordot(G4, turn, axes=(1, 1))
    assert_allclose(turned, G4, atol=1e-12 * np.abs(G4).max())


@pytest.mark.parametrize("order", [2, 3, 4])
def test_ewald_sum_does_not_depend_on_alpha(order):
    box = [8.0, 9.0, 7.0]
    sums = [
        periodic_green_derivatives(
            ref.R, order, ref.MEDIUM, box, boundary="clamped", sharpness=sharpness
        )
        for sharpness in (3.0, 5.0, 7.0)
    ]
    scale = np.abs(sums[0]).max()
    assert_allclose(sums[1], sums[0], atol=1e-12 * scale)
    assert_allclose(sums[2], sums[0], atol=1e-12 * scale)


def test_spherical_boundary_is_the_sum_over_growing_spheres():
    """Brute force: bare kernel over all images in a sphere, extrapolated in its radius."""
    box, R = np.array([4.0, 4.0, 4.0]), np.array([[1.3, 0.4, -0.8]])
    reach = 26
    n = np.array(list(product(range(-reach, reach + 1), repeat=3)))
    shells = np.linalg.norm(n, axis=1)
    radii = np.linspace(14, 25, 60)
    G2 = green_derivatives(R + n[shells <= 25] * box, 2, ref.MEDIUM)
    inside = shells[shells <= 25]
    partial = np.array([G2[inside <= radius].sum(axis=0) for radius in radii])
    spherical = periodic_green_derivatives(R, 2, ref.MEDIUM, box, boundary="spherical")[0]
    scatter = np.abs(partial - partial.mean(axis=0)).max()
    assert_allclose(partial.mean(axis=0), spherical, atol=scatter / 4)
    clamped = periodic_green_derivatives(R, 2, ref.MEDIUM, box, boundary="clamped")[0]
    assert np.abs(clamped - spherical).max() > 4 * scatter


@pytest.mark.parametrize("order", [3, 4])
def test_odd_and_fourth_derivatives_have_no_zero_mode(order):
    sums = [
        periodic_green_derivatives(ref.R, order, ref.MEDIUM, ref.BOX, boundary=boundary)
        for boundary in ("clamped", "spherical")
    ]
    assert_allclose(sums[0], sums[1], rtol=0, atol=0)


def test_zero_mode_is_the_mean_over_directions():
    """−⟨q̂_β q̂_δ G_αγ(q̂)⟩/V by quadrature over the sphere, contracted with symmetric dipoles."""
    u, weights = np.polynomial.legendre.leggauss(8)
    phi = np.arange(16) * np.pi / 8
    u, phi = (a.ravel() for a in np.meshgrid(u, phi, indexing="ij"))
    q = np.stack([np.sqrt(1 - u**2) * np.cos(phi), np.sqrt(1 - u**2) * np.sin(phi), u], axis=1)
    along = q[:, :, None] * q[:, None, :]
    longitudinal, transverse = ref.MEDIUM.longitudinal_modulus, ref.MEDIUM.transverse_modulus
    G = along / longitudinal + (np.eye(3) - along) / transverse
    mean = np.einsum("q,qac,qb,qd->abcd", np.repeat(weights, 16) / 32, G, q, q)
    one, two = (
        np.array([[1.0, 2, 3], [2, 4, 5], [3, 5, 6]]),
        np.array([[1.0, 0, 2], [0, 3, 1], [2, 1, -1]]),
    )
    found = np.einsum("ab,abcd,cd", one, zero_mode(ref.MEDIUM, 2.0, "spherical"), two)
    assert_allclose(found, -np.einsum("ab,abcd,cd", one, mean, two) / 2, rtol=1e-12)


def test_large_box_tends_to_the_infinite_medium():
    errors = []
    for edge in (40.0, 80.0):
        periodic = periodic_green_derivatives(
            ref.R, 2, ref.MEDIUM, [edge] * 3, boundary="spherical"
        )
        errors.append(np.abs(periodic - ref.BULK[2]).max())
    assert errors[0] < 1e-4 * np.abs(ref.BULK[2]).max()
    assert errors[0] / errors[1] > 7.5  # the nearest images change the kernel by O(1/L³) at least


def test_nearest_image_averages_ties():
    box = np.array([8.0, 8.0, 8.0])
    tied = np.array([[4.0, 1.0, 2.0]])
    odd = periodic_green_derivatives(tied, 3, ref.MEDIUM, box, boundary="minimum_image")
    mirrored = periodic_green_derivatives(-tied, 3, ref.MEDIUM, box, boundary="minimum_image")
    assert_allclose(odd, -mirrored, atol=1e-18)
    images, weights = nearest_images(np.array([[4.0, -4.0, 2.0], [9.0, 1.0, -7.0]]), box)
    assert_allclose(weights.sum(axis=1), 1)
    assert len(np.unique(images[0][weights[0] > 0], axis=0)) == 4
    assert_allclose(images[1][weights[1] > 0], [[1.0, 1.0, 1.0]])


class TestErrata:
    """Each misprint of the paper fails an identity that the derived form meets."""

    def test_16_reduces_to_26_only_with_the_derived_second_term(self):
        degenerate = Medium(ref.MEDIUM.density, 1.0, 1.0)  # c_l = c_t: the term with δ_αγ alone
        ratio = isotropic_coefficients(ref.MEDIUM)[1] / isotropic_coefficients(degenerate)[1]
        delta_term = ratio * green_derivatives(ref.R, 2, degenerate)
        second_term = ref.BULK[2] - delta_term
        r = np.linalg.norm(ref.R, axis=1)
        n = ref.R / r[:, None]
        expected = (3 * np.einsum("pa,ab,pb->p", n, ref.GAMMA1, n) - 1) / (
            4 * np.pi * ref.MEDIUM.longitudinal_modulus * r**3
        )
        derived = ref.dipole_dipole(delta_term + second_term, ref.GAMMA1, ref.UNIT)
        printed = ref.dipole_dipole(delta_term - 2 * second_term, ref.GAMMA1, ref.UNIT)
        assert_allclose(derived, expected, atol=1e-15)
        assert np.abs(printed - expected).max() > 0.5 * np.abs(expected).max()

    def test_57_and_58(self):
        """F = ∂⁵R R⁴ π² has (a, b, c) = (3, −15, 105) π²; the printed set passes the trace only."""
        n = np.array([2.0, -1.0, 2.0]) / 3
        ladder = np.array([[0, 1, -1, 3, -15, 105]])  # D_k of R at R = 1
        F = radial_derivatives(n[None], ladder, 5)[0]
        along = np.einsum("abcde,a,b,c,d,e", F, n, n, n, n, n)
        assert along == pytest.approx(0, abs=1e-13)  # d⁵R/dR⁵ = 0
        one = radial_derivatives(n[None], np.array([[0, 0, 0, 1, 0, 0]]), 5)[0]
        ten = radial_derivatives(n[None], np.array([[0, 0, 0, 0, 1, 0]]), 5)[0]
        five = radial_derivatives(n[None], np.array([[0, 0, 0, 0, 0, 1]]), 5)[0]
        counts = [np.einsum("abcde,a,b,c,d,e", T, n, n, n, n, n) for T in (one, ten, five)]
        assert_allclose(counts, [15, 10, 1])  # (57): 15a + 10b + c = 0, not 12a + 10b + c
        printed = 24 / 5 * one - 138 / 5 * ten + 1092 / 5 * five
        assert abs(np.einsum("abcde,a,b,c,d,e", printed, n, n, n, n, n)) > 1
        trace_of_derived = np.einsum("aacde->cde", F)
        assert_allclose(np.einsum("aacde->cde", printed), trace_of_derived, atol=1e-12)

    def test_60_reduces_to_68(self):
        """With γ = η·1 the S–τ kernel is the volume kernel, which knows c_l alone."""
        other = Medium(ref.MEDIUM.density, ref.MEDIUM.c_l, ref.MEDIUM.c_t / 2)
        G3, other_G3 = ref.BULK[3], green_derivatives(ref.R, 3, other)
        assert_allclose(
            ref.dipole_gradient(G3, ref.UNIT, ref.ZETA2),
            ref.dipole_gradient(other_G3, ref.UNIT, ref.ZETA2),
            atol=1e-15,
        )
        r, n = np.linalg.norm(ref.R, axis=1), ref.R / np.linalg.norm(ref.R, axis=1)[:, None]
        cosine = n @ ref.D2
        closed = (
            3 * (5 * cosine**3 - 3 * cosine) / (4 * np.pi * ref.MEDIUM.longitudinal_modulus * r**4)
        )
        assert_allclose(ref.dipole_gradient(G3, ref.UNIT, ref.ZETA2), closed, atol=1e-15)


def test_what_is_not_a_derivative_is_refused():
    with pytest.raises(ValueError, match="order is 5"):
        green_derivatives(ref.R, 5, ref.MEDIUM)
    with pytest.raises(ValueError, match="zero displacement"):
        green_derivatives(np.zeros(3), 2, ref.MEDIUM)
    with pytest.raises(ValueError, match="order is 1"):
        periodic_green_derivatives(ref.R, 1, ref.MEDIUM, ref.BOX, boundary="clamped")
    with pytest.raises(ValueError, match="boundary is 'open'"):
        periodic_green_derivatives(ref.R, 2, ref.MEDIUM, ref.BOX, boundary="open")

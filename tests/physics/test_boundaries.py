"""The exact relations between the boundaries, in whole realisations and in both kinds of medium."""

from itertools import product

import numpy as np
import pytest
import reference as ref
from arrays import couplings, fields
from numpy.testing import assert_allclose

from glasspipe.defects.lattice import Lattice
from glasspipe.elastic.greens import green_derivatives
from glasspipe.elastic.medium import PRESETS
from glasspipe.units import GPA

KBR, CRYSTAL = PRESETS["KBr"].medium, PRESETS["KBr_cubic"].medium
MEDIA = pytest.mark.parametrize("medium", [KBR, CRYSTAL], ids=["isotropic", "cubic"])
BOX = np.array([9.0, 10.0, 12.0])
NUMBER = 4
ONE, TWO = np.triu_indices(NUMBER, 1)


class Defects:
    """Without accidental symmetry, off the lattice, two of them half an edge apart."""

    def __init__(self):
        rng = np.random.default_rng(7)
        self.position = rng.random((NUMBER, 3)) * BOX
        self.position[1] = (self.position[0] + [BOX[0] / 2, 1.0, 2.0]) % BOX
        gamma, zeta = rng.normal(size=(NUMBER, 3, 3)), rng.normal(size=(NUMBER, 3, 3, 3))
        self.gamma, self.zeta = gamma + gamma.swapaxes(1, 2), zeta + zeta.swapaxes(2, 3)
        self.eta = rng.normal(size=NUMBER)
        self.S, self.tau = rng.choice((-1, 1), size=(2, NUMBER))

    def couplings(self, medium, boundary, *, scale=1.0):
        options = {"box": scale * BOX, "medium": medium, "boundary": boundary}
        return couplings(self.position, self.gamma, self.eta, **options)

    def fields(self, medium, boundary):
        options = {"box": BOX, "medium": medium, "boundary": boundary}
        own = self.gamma, self.eta, self.zeta, self.S, self.tau
        return fields(self.position, *own, **options)

    def through(self, K_0):
        """U and B that the interaction K_0 of two dipoles adds, any pair at any distance."""
        U = np.einsum("pab,abcd,pcd->p", self.gamma[ONE], K_0, self.gamma[TWO])
        towards = np.einsum("nab,abcc->n", self.gamma, K_0)
        return U, towards * (self.eta.sum() - self.eta)


DEFECTS = Defects()


def mean_over_directions(medium):
    """⟨q̂_β q̂_δ G_αγ(q̂)⟩ of the dynamical matrix C_iajb q_a q_b, over a grid of its own."""
    u, weight = np.polynomial.legendre.leggauss(120)
    phi = np.arange(240) * np.pi / 120
    u, phi = (a.ravel() for a in np.meshgrid(u, phi, indexing="ij"))
    q = np.stack([np.sqrt(1 - u**2) * np.cos(phi), np.sqrt(1 - u**2) * np.sin(phi), u], axis=1)
    c11, c12, c44 = voigt(medium)
    D = (c12 + c44) * q[:, :, None] * q[:, None, :] + c44 * np.eye(3)
    D += (c11 - c12 - 2 * c44) * np.eye(3) * (q * q)[:, None, :]
    G = np.linalg.inv(D)
    return np.einsum("q,qac,qb,qd->abcd", np.repeat(weight, 240) / 480, G, q, q, optimize=True)


def voigt(medium):
    if medium is CRYSTAL:
        return medium.c11 * GPA, medium.c12 * GPA, medium.c44 * GPA
    along, across = medium.longitudinal_modulus, medium.transverse_modulus
    return along, along - 2 * across, across


def compliance(medium):
    """C⁻¹ of Voigt's 6 × 6 matrix, written back as a tensor."""
    c11, c12, c44 = voigt(medium)
    matrix = np.diag([c11 - c12] * 3 + [c44] * 3)
    matrix[:3, :3] += c12
    inverse = np.linalg.inv(matrix)
    S = np.zeros((3, 3, 3, 3))
    for a, b, c, d in product(range(3), repeat=4):
        one, two = (k if k == m else 6 - k - m for k, m in ((a, b), (c, d)))
        S[a, b, c, d] = inverse[one, two] / ((1 if a == b else 2) * (1 if c == d else 2))
    return S


@MEDIA
@pytest.mark.parametrize(
    ("boundary", "tensor"), [("spherical", mean_over_directions), ("stress_free", compliance)]
)
def test_what_a_boundary_adds_to_the_clamped_box(medium, boundary, tensor):
    """U and B: −(1/V) of the mean over directions, or of the compliance."""
    made, clamped = (DEFECTS.couplings(medium, b) for b in (boundary, "clamped"))
    U, B = DEFECTS.through(-tensor(medium) / BOX.prod())
    assert_allclose(made.U - clamped.U, U, rtol=0, atol=1e-9 * np.abs(clamped.U).max())
    assert_allclose(made.B - clamped.B, B, rtol=0, atol=1e-9 * np.abs(clamped.B).max())
    assert np.abs(U).max() > 1e-3 * np.abs(clamped.U).max()


@MEDIA
def test_what_a_boundary_adds_shrinks_with_the_volume(medium):
    differences = []
    for scale in (1.0, 2.0):
        one, two = (DEFECTS.couplings(medium, b, scale=scale) for b in ("stress_free", "spherical"))
        differences.append(one.U - two.U)
    assert_allclose(differences[1], differences[0] / 8, rtol=1e-5)


@MEDIA
def test_odd_couplings_and_J_know_no_boundary(medium):
    clamped, *others, nearest = (
        DEFECTS.fields(medium, b) for b in ("clamped", "spherical", "stress_free", "minimum_image")
    )
    for name in ("b_gamma", "b_eta", "J_abs", "J_max", "J_tau"):
        wanted = getattr(clamped, name)
        for other in others:
            assert_allclose(getattr(other, name), wanted, rtol=0, atol=0)
        assert np.abs(getattr(nearest, name) - wanted).max() > 1e-3 * np.abs(wanted).max()


@MEDIA
def test_minimum_image_is_the_bare_kernel_at_the_nearest_images(medium):
    """By comparing all 27 images along each axis; those as near are averaged."""
    made, tau = DEFECTS.couplings(medium, "minimum_image"), DEFECTS.fields(medium, "minimum_image")
    U, B, b = np.zeros(len(ONE)), np.zeros(NUMBER), np.zeros(NUMBER)
    ties = 0
    shifts = np.array(list(product((-1, 0, 1), repeat=3))) * BOX
    for k, (i, j) in enumerate(zip(ONE, TWO, strict=True)):
        R = DEFECTS.position[i] - DEFECTS.position[j] + shifts
        least = np.abs(R).min(axis=0)
        images = R[np.all(np.abs(R) < least + 1e-9, axis=1)]
        ties += len(images) > 1
        G2, G3 = (green_derivatives(images, order, medium).mean(axis=0) for order in (2, 3))
        U[k] = ref.dipole_dipole(G2, DEFECTS.gamma[i], DEFECTS.gamma[j])
        for here, there, sign in ((i, j, -1), (j, i, 1)):
            B[here] += DEFECTS.eta[there] * ref.dipole_dipole(G2, DEFECTS.gamma[here], ref.UNIT)
            source = DEFECTS.S[there] * DEFECTS.gamma[there]
            b[here] += ref.dipole_gradient(sign * G3, source, DEFECTS.zeta[here])
    assert ties
    assert_allclose(made.U, U, rtol=0, atol=1e-9 * np.abs(U).max())
    assert_allclose(made.B, B, rtol=0, atol=1e-9 * np.abs(B).max())
    assert_allclose(tau.b_gamma, b, rtol=0, atol=1e-8 * np.abs(b).max())


@MEDIA
def test_ties_of_places_in_single_precision_are_ties(medium):
    """Or the nearest image of some pairs would be chance."""
    exact = DEFECTS.couplings(medium, "minimum_image")
    rounded = Defects()
    rounded.position = rounded.position.astype(np.float32).astype(float)
    assert not np.array_equal(rounded.position, DEFECTS.position)
    made = rounded.couplings(medium, "minimum_image")
    assert_allclose(made.U, exact.U, rtol=0, atol=1e-5 * np.abs(exact.U).max())
    assert_allclose(made.B, exact.B, rtol=0, atol=1e-5 * np.abs(exact.B).max())


@MEDIA
def test_two_defects_in_a_large_box_are_alone(medium):
    """All boundaries tend to the infinite medium, U as 1/V."""
    pair, R = slice(0, 2), np.array([1.0, 2.0, -1.5])
    bare = ref.dipole_dipole(green_derivatives(R, 2, medium), *DEFECTS.gamma[pair])
    for boundary in ("clamped", "spherical", "stress_free", "minimum_image"):
        errors = []
        for edge in (120.0, 240.0):
            options = {"box": [edge] * 3, "medium": medium, "boundary": boundary}
            position = np.array([10.0, 20.0, 30.0]) + np.array([R, 0 * R])
            own = DEFECTS.gamma[pair], DEFECTS.eta[pair]
            errors.append(abs(couplings(position, *own, **options).U[0] - bare))
        if boundary == "minimum_image":
            assert max(errors) < 1e-9 * abs(bare)
        else:
            assert errors[0] < 2e-2 * abs(bare)
            assert errors[1] == pytest.approx(errors[0] / 8, rel=0.05)


@MEDIA
def test_mean_fields_of_identical_defects(medium):
    """A source on every site but one's own: Σ_R K(R) differs by (M − 1) K_0 on any lattice."""
    lattice = Lattice("fcc", 4.0, 2)
    position = lattice.site(np.arange(lattice.sites)) * lattice.spacing
    zz = np.zeros((lattice.sites, 3, 3))
    zz[:, 2, 2] = 1
    B = {
        b: couplings(
            position, zz, np.ones(lattice.sites), box=[8.0] * 3, medium=medium, boundary=b
        ).B
        for b in ("clamped", "spherical", "stress_free")
    }
    share = (lattice.sites - 1) / 8.0**3
    spherical = share * np.trace(mean_over_directions(medium)[2, 2])
    relaxed = share / (3 * medium.bulk_modulus)
    assert_allclose(B["clamped"] - B["spherical"], spherical, rtol=1e-8)
    assert_allclose(B["clamped"] - B["stress_free"], relaxed, rtol=1e-8)
